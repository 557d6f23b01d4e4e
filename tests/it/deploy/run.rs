//! The scripts of the workflows, run: their `permitd` is the real one, against the simulator.

use std::{os::unix::fs::PermissionsExt, process::Command};

use clap::Parser;
use permitd::cli::args::Cli;
use serde_json::{Value, json};

use super::{GITHUB, GITLAB, parsed, scripts};
use crate::commands::harness::{Lambda, PERMITD, Room, policy, service};

/// The words of every call of permitd, as a shell would split them.
fn calls(path: &str) -> Vec<Vec<String>> {
    let joined: Vec<String> =
        scripts(&parsed(path)).iter().map(|it| it.replace("\\\n", " ")).collect();
    let lines = joined.iter().flat_map(|it| it.lines()).map(str::trim);
    let commands = lines.filter(|it| it.starts_with("permitd "));
    commands
        .map(|line| {
            let end = line.find(['>', '|', ';']).unwrap_or(line.len());
            let words = line[..end].split_whitespace();
            words.map(|it| it.replace("\"$DENY\"", "P001,P002,P003")).collect()
        })
        .collect()
}

#[test]
fn every_call_of_permitd_is_one_that_it_takes() {
    for path in [GITHUB, GITLAB] {
        let calls = calls(path);
        let names: Vec<&str> = calls.iter().map(|it| it[1].as_str()).collect();
        assert_eq!(names, ["check", "plan"], "{path}");
        for words in calls {
            let parsed = Cli::try_parse_from(&words);
            assert!(parsed.is_ok(), "{path}: {words:?}\n{}", parsed.unwrap_err());
        }
    }
    let (github, gitlab) = (parsed(GITHUB), parsed(GITLAB));
    let (github, gitlab) = (&github["env"]["DENY"], &gitlab[".permitd"]["variables"]["DENY"]);
    assert_eq!(
        (github.as_str(), gitlab.as_str()),
        (Some("P001,P002,P003"), Some("P001,P002,P003"))
    );
}

/// Plays GitHub: it knows one comment or none, and keeps what it was called with.
const GH: &str = r#"#!/bin/bash
echo "$@" >> "$GH_LOG"
case "$*" in
  *--method*) cp permitd-comment.md "$GH_BODY" ;;
  *) cat "$GH_COMMENTS" ;;
esac
"#;

struct Job {
    room: Room,
}

impl Job {
    /// A checkout with permission files, and the programs that a runner has.
    fn new(lambda: &Lambda, comments: &str) -> Self {
        let room = lambda.room("functions: []");
        room.write(
            "permissions/f.yaml",
            "functions:\n  - function: f\n    ownership: all\n    statements:\n      - {sid: a, principal: \
             s3.amazonaws.com, source_arn: 'arn:aws:s3:::b', source_account: '123456789012'}\n",
        );
        room.write("permitd.yaml", "permissions: [permissions/]\nmode: enforce\n");
        room.write("bin/gh", GH);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(room.path("bin/gh"), mode).unwrap();
        std::os::unix::fs::symlink(PERMITD, room.path("bin/permitd")).unwrap();
        room.write("comments", comments);
        room.write("output", "");
        room.write("summary.md", "");
        Self { room }
    }

    /// One step as GitHub runs it: `bash -e`.
    fn step(&self, name: &str, env: &[(&str, &str)]) -> (Option<i32>, String) {
        let workflow = parsed(GITHUB);
        let jobs = workflow["jobs"].as_mapping().unwrap();
        let steps = jobs.iter().flat_map(|(_, it)| it["steps"].as_sequence().unwrap());
        let mut named = steps.filter(|it| it["name"].as_str() == Some(name));
        let script = named.next().unwrap()["run"].as_str().unwrap();
        self.room.write("step.sh", script);
        let mut command: Command = self.room.command("bash");
        let path =
            format!("{}:{}", self.room.path("bin").display(), std::env::var("PATH").unwrap());
        let output = command
            .args(["-e", "step.sh"])
            .env("PATH", path)
            .env("GITHUB_STEP_SUMMARY", self.room.path("summary.md"))
            .env("GITHUB_OUTPUT", self.room.path("output"))
            .env("GITHUB_REPOSITORY", "o/r")
            .env("GH_LOG", self.room.path("gh.log"))
            .env("GH_BODY", self.room.path("body.md"))
            .env("GH_COMMENTS", self.room.path("comments"))
            .env("PULL_REQUEST", "7")
            .env("DENY", "P001,P002,P003")
            .env("FAIL_ON_DRIFT", "true")
            .envs(env.iter().copied())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.room.path(name)).unwrap_or_default()
    }

    /// Plan, comment and result; the code of the last.
    fn run(&self, env: &[(&str, &str)]) -> Option<i32> {
        for name in ["Plan", "Comment on the pull request"] {
            let (code, said) = self.step(name, env);
            assert_eq!(code, Some(0), "{name}: {said}");
        }
        let code = self.read("output");
        let code = code.trim().strip_prefix("code=").unwrap();
        self.step("Result", &[&[("CODE", code)], env].concat()).0
    }
}

fn live(statements: &[Value]) -> Lambda {
    Lambda::new(&json!([{"name": "f", "policy": policy(statements)}]))
}

fn wanted() -> Value {
    let mut it = service("a", "s3.amazonaws.com", "arn:aws:s3:::b");
    it["Condition"]["StringEquals"] = json!({"AWS:SourceAccount": "123456789012"});
    it
}

#[test]
fn in_sync_the_job_succeeds_and_the_comment_says_so() {
    let lambda = live(&[wanted()]);
    let job = Job::new(&lambda, "");
    assert_eq!(job.run(&[]), Some(0));
    let body = job.read("body.md");
    assert!(body.starts_with("<!-- permitd plan -->\n"), "{body}");
    assert_eq!(body, format!("<!-- permitd plan -->\n{}", job.read("summary.md")));
    assert!(job.read("permitd-plan.html").contains("<html"));
    let calls = job.read("gh.log");
    assert!(
        calls.lines().last().unwrap().contains("--method POST repos/o/r/issues/7/comments"),
        "{calls}"
    );
    assert_eq!(lambda.writes(), Vec::<String>::new());
}

#[test]
fn drift_fails_the_job_after_the_comment_was_updated() {
    let lambda =
        live(&[service("other", "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:t")]);
    let job = Job::new(&lambda, "41\n42\n");
    assert_eq!(job.run(&[]), Some(2));
    let body = job.read("body.md");
    assert!(body.contains("missing") && body.contains("unmanaged"), "{body}");
    let calls = job.read("gh.log");
    assert!(
        calls.lines().last().unwrap().contains("--method PATCH repos/o/r/issues/comments/41"),
        "{calls}"
    );
    job.room.write("output", "");
    assert_eq!(job.run(&[("FAIL_ON_DRIFT", "false")]), Some(0));
}

#[test]
fn what_a_limit_holds_fails_the_job() {
    let lambda =
        live(&[service("other", "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:t")]);
    let job = Job::new(&lambda, "");
    let settings = "permissions: [permissions/]\nmode: enforce\nlimits: {max_revocations: 0}\n";
    job.room.write("permitd.yaml", settings);
    assert_eq!(job.run(&[("FAIL_ON_DRIFT", "false")]), Some(3));
}

#[test]
fn without_a_plan_the_comment_says_that_there_is_none() {
    let lambda = live(&[]);
    let job = Job::new(&lambda, "");
    job.room.write("permissions/f.yaml", "functions: [{function: f, statments: []}]\n");
    assert_eq!(job.run(&[]), Some(78));
    assert!(job.read("body.md").contains("ended with exit code 78 before there was a plan"));
    let (code, said) = job.step("Check the files", &[]);
    assert_eq!(code, Some(78), "{said}");
    let sarif: Value = serde_json::from_str(&job.read("permitd.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
}

#[test]
fn a_denied_risk_fails_the_check() {
    let lambda = live(&[]);
    let job = Job::new(&lambda, "");
    assert_eq!(job.step("Check the files", &[]).0, Some(0));
    let risky = "functions: [{function: f, statements: [{sid: a, principal: s3.amazonaws.com}]}]\n";
    job.room.write("permissions/f.yaml", risky);
    assert_eq!(job.step("Check the files", &[]).0, Some(78));
    assert_eq!(job.step("Check the files", &[("DENY", "P002")]).0, Some(0));
}

/// Plays GitLab: one page of notes after an empty one, and keeps what it was called with.
const CURL: &str = r#"#!/bin/bash
echo "$@" >> "$CURL_LOG"
case "$*" in
  *--request*) cp permitd-note.json "$CURL_BODY"; echo '{}' ;;
  *page=1) printf 'HTTP/2 200\r\nX-Next-Page: 2\r\n' > permitd-headers; echo '[]' ;;
  *) printf 'HTTP/2 200\r\nX-Next-Page: \r\n' > permitd-headers; cat "$CURL_NOTES" ;;
esac
"#;

impl Job {
    /// The script of a job as GitLab runs it, and its exit code; none where there is no jq.
    #[expect(clippy::print_stdout, reason = "a test that did not run says so")]
    fn gitlab(&self, job: &str, notes: &str) -> Option<i32> {
        if Command::new("jq").arg("--version").output().is_err() {
            println!("SKIPPED: there is no jq");
            return None;
        }
        let pipeline = parsed(GITLAB);
        let script = pipeline[job]["script"][0].as_str().unwrap();
        self.room.write("job.sh", script);
        self.room.write("notes", notes);
        self.room.write("bin/curl", CURL);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.room.path("bin/curl"), mode).unwrap();
        let path =
            format!("{}:{}", self.room.path("bin").display(), std::env::var("PATH").unwrap());
        let output = self
            .room
            .command("bash")
            .args(["-eo", "pipefail", "job.sh"])
            .env("PATH", path)
            .env("DENY", "P001")
            .env("FAIL_ON_DRIFT", "true")
            .env("PERMITD_NOTE_TOKEN", "secret")
            .env("CI_API_V4_URL", "https://gitlab.example/api/v4")
            .env("CI_PROJECT_ID", "5")
            .env("CI_MERGE_REQUEST_IID", "7")
            .env("CURL_LOG", self.room.path("curl.log"))
            .env("CURL_BODY", self.room.path("note.json"))
            .env("CURL_NOTES", self.room.path("notes"))
            .output()
            .unwrap();
        Some(output.status.code().unwrap())
    }
}

#[test]
fn the_note_of_a_merge_request_is_written_once_and_then_updated() {
    let lambda = live(&[]);
    let job = Job::new(&lambda, "");
    let Some(code) = job.gitlab("permitd-plan", "[]") else { return };
    assert_eq!(code, 2, "{}", job.read("curl.log"));
    let note: Value = serde_json::from_str(&job.read("note.json")).unwrap();
    let plan = job.read("permitd-plan.md");
    assert_eq!(note["body"], format!("<!-- permitd plan -->\n{plan}"));
    assert!(plan.contains("missing"), "{plan}");
    let last = |job: &Job| job.read("curl.log").lines().last().unwrap().to_owned();
    assert!(
        last(&job).contains("--request POST") && last(&job).ends_with("merge_requests/7/notes")
    );
    let notes = json!([
        {"id": 1, "system": true, "body": "<!-- permitd plan -->"},
        {"id": 2, "system": false, "body": "quotes <!-- permitd plan -->"},
        {"id": 3, "system": false, "body": "<!-- permitd plan -->\nold"},
    ]);
    assert_eq!(job.gitlab("permitd-plan", &notes.to_string()), Some(2));
    assert!(
        last(&job).contains("--request PUT") && last(&job).ends_with("notes/3"),
        "{}",
        last(&job)
    );
}

#[test]
fn what_is_found_is_in_the_code_quality_report() {
    let job = Job::new(&live(&[]), "");
    let risky = "functions: [{function: f, statements: [{sid: a, principal: s3.amazonaws.com}]}]\n";
    job.room.write("permissions/f.yaml", risky);
    let Some(code) = job.gitlab("permitd-check", "[]") else { return };
    assert_eq!(code, 78);
    let report: Value = serde_json::from_str(&job.read("gl-code-quality-report.json")).unwrap();
    let report = report.as_array().unwrap();
    assert!(!report.is_empty());
    for it in report {
        assert_eq!(it["location"], json!({"path": "permissions/f.yaml", "lines": {"begin": 1}}));
        assert!(it["fingerprint"].as_str().unwrap().len() > 10, "{it}");
        assert!(["critical", "minor"].contains(&it["severity"].as_str().unwrap()), "{it}");
    }
    let p001 = report.iter().find(|it| it["check_name"] == "P001").unwrap();
    assert_eq!(p001["severity"], "critical");
}
