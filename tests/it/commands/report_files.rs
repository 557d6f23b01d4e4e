//! `--output` and `--report`: every form of `plan`, `apply` and `run --once`, on stdout and in files.

use std::process::Stdio;

use serde_json::{Value, json};

use super::harness::{Lambda, PERMITD, Room, account, eventually, policy, service};
use crate::report_cases::forms::{Comment, Page, schema_errors};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
  - function: g
    statements: [{sid: c, principal: '210987654321'}]
";

fn drifting() -> (Lambda, Room) {
    let live =
        [service("a", "s3.amazonaws.com", "arn:aws:s3:::old"), account("rogue", "210987654321")];
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&live)}, {"name": "g"}]));
    let room = lambda.room(WISHES);
    (lambda, room)
}

fn read(room: &Room, name: &str) -> String {
    std::fs::read_to_string(room.path(name)).unwrap_or_else(|it| panic!("{name}: {it}"))
}

/// What else is in the room would be what somebody forgot to take away.
fn files(room: &Room) -> Vec<String> {
    let entries = std::fs::read_dir(room.path("")).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut res: Vec<String> = names.filter(|it| it != "permitd").collect();
    res.sort();
    res
}

#[track_caller]
fn is_form(form: &str, text: &str, command: &str) {
    match form {
        "text" => assert!(text.contains("functions"), "{text}"),
        "json" => {
            let report: Value = serde_json::from_str(text).unwrap();
            assert_eq!(schema_errors(&report), Vec::<String>::new());
        }
        "markdown" => {
            assert!(text.starts_with(&format!("<!-- permitd {command} -->\n## ")), "{text}");
            assert_eq!(Comment::read(text).strange, Vec::<String>::new());
        }
        _ => {
            assert!(text.starts_with("<!DOCTYPE html>"), "{text}");
            let page = Page::read(text);
            assert_eq!(page.strange, Vec::<String>::new());
            assert!(page.text.contains(&format!("permitd {command}: ")), "{}", page.text);
        }
    }
}

#[test]
fn plan_in_every_form() {
    let (_lambda, room) = drifting();
    for form in ["text", "json", "markdown", "html"] {
        let said = room.permitd(&format!("plan permissions.yaml --output {form}"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        is_form(form, &said.out, "plan");
        assert!(said.out.contains("rogue"), "{said:?}");
    }
    let same = room.with("PERMITD_OUTPUT", "markdown").permitd("plan permissions.yaml");
    is_form("markdown", &same.out, "plan");
}

#[test]
fn apply_in_every_form() {
    for form in ["text", "json", "markdown", "html"] {
        let (lambda, room) = drifting();
        let words = format!("apply permissions.yaml --mode enforce --yes --output {form}");
        let said = room.permitd(&words);
        assert_eq!(said.code, Some(0), "{said:?}");
        is_form(form, &said.out, "apply");
        let shown = if form == "text" { &said.out } else { &said.err };
        assert!(shown.contains("Plan: 1 to add, 1 to change, 1 to remove, 0 held."), "{said:?}");
        assert_eq!(lambda.sids("f"), ["a"]);
    }
}

#[test]
fn a_pass_in_every_form() {
    for form in ["text", "json", "markdown", "html"] {
        let (lambda, room) = drifting();
        let once = "run permissions.yaml --once --log-level error";
        let watched = room.permitd(&format!("{once} --mode observe --output {form}"));
        assert_eq!((watched.code, watched.err.as_str()), (Some(2), ""), "{watched:?}");
        is_form(form, &watched.out, "plan");
        assert_eq!(lambda.sids("f"), ["a", "rogue"]);
        let said = room.permitd(&format!("{once} --mode enforce --output {form} --report r.json"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        is_form(form, &said.out, "apply");
        let report: Value = serde_json::from_str(&read(&room, "r.json")).unwrap();
        assert_eq!(report["summary"]["in_sync"], 2, "{report}");
    }
}

/// The daemon has no end, and so neither a report nor an exit code that tells of targets.
#[test]
fn only_a_pass_has_a_report() {
    let (lambda, room) = drifting();
    for (words, flag) in [
        ("--output json", "--output"),
        ("--report r.md", "--report"),
        ("--allow-missing", "--allow-missing"),
    ] {
        let said = room.permitd(&format!("run permissions.yaml --mode enforce {words}"));
        let message = format!(
            "error: `{flag}` needs `--once`: a daemon has no end, and so no report and no exit code\n\
             hint: a daemon tells what it does in its log and its journal (`permitd history`)\n"
        );
        said.is(64, "", &message);
    }
    assert_eq!(lambda.calls(), Vec::<String>::new(), "before any call");
}

#[test]
fn several_files_besides_stdout() {
    let (_lambda, room) = drifting();
    room.write("out/old.md", "an old one");
    let plain = room.permitd("plan permissions.yaml --color always");
    let said = room.permitd(
        "plan permissions.yaml --color always --report out/r.txt --report out/r.JSON,out/old.md \
         --report out/r.markdown --report out/r.html --report out/r.htm",
    );
    assert_eq!(said, plain, "stdout is the same");
    let text = read(&room, "out/r.txt");
    assert!(text.contains("Plan: 1 to add") && !text.contains('\u{1b}'), "{text}");
    is_form("json", &read(&room, "out/r.JSON"), "plan");
    is_form("markdown", &read(&room, "out/old.md"), "plan");
    is_form("markdown", &read(&room, "out/r.markdown"), "plan");
    is_form("html", &read(&room, "out/r.html"), "plan");
    is_form("html", &read(&room, "out/r.htm"), "plan");
    let names = std::fs::read_dir(room.path("out")).unwrap().count();
    assert_eq!(names, 6, "nothing is left of the writing");
    let room = room.with("PERMITD_REPORT", "a.json,b.md");
    assert_eq!(room.permitd("plan permissions.yaml").code, Some(0));
    assert_eq!(files(&room), ["a.json", "b.md", "out", "permissions.yaml"]);
}

#[test]
fn what_no_report_can_be_is_told_before_any_call() {
    let (lambda, room) = drifting();
    room.write("folder.md/x", "");
    let endings =
        "hint: the ending says the form of the report: .txt, .json, .md, .markdown, .html, .htm\n";
    for (name, error, hint) in [
        ("r.pdf", "--report r.pdf: the ending says no form of a report", endings),
        ("report", "--report report: the ending says no form of a report", endings),
        (".md", "--report .md: the ending says no form of a report", endings),
        (
            "-",
            "--report takes the name of a file, not `-`",
            "hint: `--output` says in which form the report goes to stdout\n",
        ),
        ("no/r.md", "--report no/r.md: there is no folder no", "hint: create it first\n"),
        ("folder.md", "--report folder.md: this is a folder", "hint: name a file in it\n"),
    ] {
        for command in ["plan", "apply --mode enforce --yes", "run --once --mode enforce"] {
            let said = room.permitd(&format!("{command} permissions.yaml --report={name}"));
            said.is(64, "", &format!("error: {error}\n{hint}"));
        }
    }
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure_and_keeps_nothing_back() {
    let (_lambda, room) = drifting();
    // A name that is too long is found out only when it is written.
    let long = format!("{}.md", "x".repeat(300));
    let plain = room.permitd("plan permissions.yaml");
    let words =
        format!("plan permissions.yaml --detailed-exitcode --report {long} --report r.json");
    let said = room.permitd(&words);
    assert_eq!((said.code, &said.out), (Some(1), &plain.out), "{said:?}");
    assert!(
        said.err.starts_with(&format!("error: cannot write the report to {long}: ")),
        "{said:?}"
    );
    is_form("json", &read(&room, "r.json"), "plan");
    assert_eq!(files(&room), ["permissions.yaml", "r.json"]);
}

#[test]
fn also_where_targets_failed_or_are_unknown() {
    let (lambda, room) = drifting();
    let fault = |operation: &str| {
        json!({"faults": [{
            "operation": operation, "target": "*:g", "times": "forever", "kind": "error", "status": 403,
            "code": "AccessDeniedException", "message": "User: x is not authorized to perform it",
        }]})
    };
    lambda.faults(&fault("GetPolicy"));
    let said = room.permitd("plan permissions.yaml --report r.md --report r.html");
    assert_eq!(said.code, Some(1), "{said:?}");
    for name in ["r.md", "r.html"] {
        let text = read(&room, name);
        assert!(
            text.contains("1 of 2 functions unknown") && text.contains("access_denied"),
            "{text}"
        );
    }
    lambda.faults(&fault("AddPermission"));
    let said = room.permitd("apply permissions.yaml --mode enforce --yes --report r.json");
    assert_eq!(said.code, Some(1), "{said:?}");
    let report: Value = serde_json::from_str(&read(&room, "r.json")).unwrap();
    assert_eq!(report["summary"]["failed"], 1, "{report}");
    assert_eq!(report["targets"][0]["done"].as_array().unwrap().len(), 5, "{report}");
}

#[test]
fn also_where_nothing_was_done() {
    let (lambda, room) = drifting();
    let said = room.permitd("apply permissions.yaml --mode observe --yes --report observed.json");
    assert_eq!(said.code, Some(2), "{said:?}");
    let said = room.permitd("apply permissions.yaml --mode enforce --report unanswered.json");
    assert_eq!(said.code, Some(1), "{said:?}");
    for name in ["observed.json", "unanswered.json"] {
        let report: Value = serde_json::from_str(&read(&room, name)).unwrap();
        assert_eq!(report["summary"]["changes"]["remove"], 1, "{name}: {report}");
        assert_eq!(report["summary"]["writes"], 0, "{name}: {report}");
    }
    assert_eq!(lambda.sids("f"), ["a", "rogue"]);
}

/// What was done until then is in it.
#[test]
fn also_where_it_was_interrupted() {
    let (lambda, room) = drifting();
    let delay = json!({"operation": "AddPermission", "times": "forever", "kind": "delay", "delay_ms": 1500});
    lambda.faults(&json!({ "faults": [delay] }));
    let mut apply = room.start(
        "apply permissions.yaml --mode enforce --yes --target g --output json --report r.json --report r.md",
    );
    eventually("a write", || {
        lambda.requests().iter().any(|it| it["operation"] == "AddPermission").then_some(())
    });
    apply.signal("TERM");
    assert_eq!(apply.code(), Some(143), "{}", apply.err());
    let report: Value = serde_json::from_str(&read(&room, "r.json")).unwrap();
    assert_eq!(report["summary"]["writes"], 1, "{report}");
    is_form("markdown", &read(&room, "r.md"), "apply");
}

/// Whoever reads the page has seen enough.
#[test]
fn a_broken_pipe_is_success() {
    let (_lambda, room) = drifting();
    for form in ["html", "markdown", "json"] {
        let mut command = room.command(PERMITD);
        command.args(["plan", "permissions.yaml", "--output", form, "--report", "r.html"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{form}");
        is_form("html", &read(&room, "r.html"), "plan");
    }
}
