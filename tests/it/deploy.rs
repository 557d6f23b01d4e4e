//! The workflows of `deploy/`: they are YAML, their scripts are bash, nothing can be injected into them, and every
//! flag that they use exists.

use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
};

use serde_yaml::Value;

mod aws;
mod events;
mod kubernetes;
#[cfg(feature = "aws")]
mod run;

const GITHUB: &str = "deploy/github/permitd.yml";
const GITLAB: &str = "deploy/gitlab/permitd.gitlab-ci.yml";

fn text(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn parsed(path: &str) -> Value {
    serde_yaml::from_str(&text(path)).unwrap()
}

/// Every piece that a shell runs, in the order of the file.
fn scripts(value: &Value) -> Vec<String> {
    let string = |it: &Value| it.as_str().unwrap().to_owned();
    match value {
        Value::Mapping(map) => map
            .iter()
            .flat_map(|(key, value)| match key.as_str().unwrap_or_default() {
                "run" => vec![string(value)],
                "script" | "before_script" | "after_script" => {
                    value.as_sequence().unwrap().iter().map(string).collect()
                }
                _ => scripts(value),
            })
            .collect(),
        Value::Sequence(items) => items.iter().flat_map(scripts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Tagged(_) => {
            Vec::new()
        }
    }
}

/// What a program says about a script on its standard input; none if it is content.
fn judged(program: &str, arguments: &[&str], script: &str) -> Option<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn every_script_is_bash() {
    for (path, n_scripts) in [(GITHUB, 6), (GITLAB, 5)] {
        let scripts = scripts(&parsed(path));
        assert_eq!(scripts.len(), n_scripts, "{path}: {scripts:?}");
        for script in scripts {
            assert_eq!(judged("bash", &["-n"], &script), None, "{path}:\n{script}");
        }
    }
    assert!(judged("bash", &["-n"], "if true; then").is_some(), "the test cannot fail");
}

/// A title or a branch of somebody else's would be code.
#[test]
fn nothing_is_put_into_a_script_by_the_platform() {
    for script in scripts(&parsed(GITHUB)) {
        assert!(!script.contains("${{"), "{script}");
    }
}

#[test]
fn actions_are_pinned_to_a_commit() {
    let text = text(GITHUB);
    let mut n_uses = 0;
    for line in text.lines().filter(|it| it.contains("uses:")) {
        let (name, rest) = line.split_once('@').unwrap();
        let (commit, version) = rest.split_once(" # v").unwrap();
        let is_hex = commit.bytes().all(|it| it.is_ascii_hexdigit());
        assert!(commit.len() == 40 && is_hex && !version.is_empty(), "{name}@{rest}");
        n_uses += 1;
    }
    assert_eq!(n_uses, 7);
}

#[test]
fn every_job_has_only_the_rights_that_it_uses() {
    let workflow = parsed(GITHUB);
    assert_eq!(workflow["permissions"].as_mapping().unwrap().len(), 0);
    let rights = |job: &str| -> BTreeSet<String> {
        let rights = workflow["jobs"][job]["permissions"].as_mapping().unwrap();
        let right = |(key, value): (&Value, &Value)| {
            format!("{}: {}", key.as_str().unwrap(), value.as_str().unwrap())
        };
        rights.iter().map(right).collect()
    };
    let expected = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(rights("check"), expected(&["contents: read", "security-events: write"]));
    let plan = ["contents: read", "id-token: write", "pull-requests: write"];
    assert_eq!(rights("plan"), expected(&plan));
    assert_eq!(workflow["jobs"].as_mapping().unwrap().len(), 2);
}

/// Needs what `tests/deploy/requirements.txt` names, on the PATH.
#[test]
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn they_fit_the_schemas_of_their_platforms_and_shellcheck_finds_nothing() {
    if std::env::var("PERMITD_TEST_CHECK_JSONSCHEMA").as_deref() != Ok("1") {
        println!("SKIPPED: set PERMITD_TEST_CHECK_JSONSCHEMA=1");
        return;
    }
    let github = ["--builtin-schema", "vendor.github-workflows", GITHUB];
    let gitlab = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", GITLAB];
    for arguments in [&github[..], &gitlab[..]] {
        assert_eq!(judged("check-jsonschema", arguments, ""), None);
    }
    for path in [GITHUB, GITLAB] {
        for script in scripts(&parsed(path)) {
            assert_eq!(judged("shellcheck", &["--shell=bash", "-"], &script), None, "{path}");
        }
    }
}
