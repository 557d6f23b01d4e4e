//! The reports of `permitd check` for programs, on stdout and in files.

use serde_json::Value;

use super::harness::Room;

const RISKY: &str = "\
functions:
  - function: f
    statements:
      - {sid: any, principal: s3.amazonaws.com}
      - {sid: bucket, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
";
const BAD: &str = "functions:\n  - function: f\n    statements: [{sid: a b, principal: '1'}]\n";

fn room() -> Room {
    let room = Room::new().without("AWS_REGION").without("AWS_ACCESS_KEY_ID");
    room.write("permissions/risky.yaml", RISKY);
    room.write("bad.yaml", BAD);
    room
}

fn levels(sarif: &Value) -> Vec<(&str, &str)> {
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    results
        .iter()
        .map(|it| (it["ruleId"].as_str().unwrap(), it["level"].as_str().unwrap()))
        .collect()
}

#[test]
fn sarif_on_stdout() {
    let room = room();
    let said = room.permitd("check permissions --output sarif");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let sarif = said.json();
    assert_eq!(levels(&sarif), [("P001", "warning"), ("P003", "warning")]);
    let at = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(at["artifactLocation"]["uri"], "permissions/risky.yaml");
    assert_eq!(at["artifactLocation"]["uriBaseId"], "%SRCROOT%");

    let said = room.permitd("check permissions --output sarif --deny P003");
    assert_eq!((said.code, said.err.as_str()), (Some(78), ""), "{said:?}");
    assert_eq!(levels(&said.json()), [("P001", "warning"), ("P003", "error")]);
    let said = room.permitd("check permissions --output sarif --deny all");
    assert_eq!(levels(&said.json()), [("P001", "error"), ("P003", "error")]);
    assert_eq!(said.json()["runs"][0]["invocations"][0]["exitCode"], 78);

    let said = room.say_to("check - --output sarif", BAD);
    let at = said.json()["runs"][0]["results"][0]["locations"][0]["physicalLocation"].clone();
    assert_eq!(at["artifactLocation"]["uri"], "stdin:");
    // A file elsewhere, and one in this folder by its full name.
    let path = room.path("permissions/risky.yaml").display().to_string();
    let said = room.permitd(&format!("check {path} --output sarif"));
    let at = said.json()["runs"][0]["results"][0]["locations"][0]["physicalLocation"].clone();
    assert_eq!(at["artifactLocation"]["uri"], "permissions/risky.yaml");
}

#[test]
fn nothing_to_read_is_no_good_news() {
    let said = room().permitd("check gone.yaml --output sarif");
    assert_eq!((said.code, said.err.as_str()), (Some(78), ""), "{said:?}");
    let run = said.json()["runs"][0].clone();
    assert_eq!(run["invocations"][0]["executionSuccessful"], false, "{run:#}");
    let told = &run["invocations"][0]["toolConfigurationNotifications"][0];
    assert_eq!(told["descriptor"]["id"], "unreadable", "{run:#}");
}

#[test]
fn every_form_goes_into_files_besides() {
    let room = room();
    let words =
        "check permissions bad.yaml --report a.json,b.sarif --report c.txt --report d.sarif.json";
    let said = room.permitd(words);
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    let read = |name: &str| std::fs::read_to_string(room.path(name)).unwrap();
    let json: Value = serde_json::from_str(&read("a.json")).unwrap();
    assert_eq!(json["summary"]["errors"], 2, "{json:#}");
    assert_eq!((&json["summary"]["warnings"], &json["exit_code"]), (&2.into(), &78.into()));
    let sarif: Value = serde_json::from_str(&read("b.sarif")).unwrap();
    assert_eq!(levels(&sarif).len(), 4);
    assert_eq!(read("b.sarif"), read("d.sarif.json"));
    assert_eq!(read("c.txt"), said.err);
    // What is quiet on the terminal is whole in the file.
    let said = room.permitd("check permissions --quiet --report c.txt");
    said.is(0, "ok: 2 statements for 1 target\n", "");
    assert!(read("c.txt").contains("warning[P003]"), "{}", read("c.txt"));
    assert!(read("c.txt").ends_with("\n2 warnings in 1 file\nok: 2 statements for 1 target\n"));
    // What cannot be written is said, and is no success.
    room.write("full/x.json/y", "");
    let said = room.permitd("check permissions --report full/x.json");
    assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "{said:?}");
    let said = room.permitd("check permissions --quiet --report /proc/x.json");
    assert_eq!((said.code, said.out.as_str()), (Some(1), "ok: 2 statements for 1 target\n"));
    assert!(said.err.starts_with("error: cannot write the report to /proc/x.json: "), "{said:?}");
}

/// However many there are, none is left out: a denied one at the end would be the reason of the failure.
#[test]
fn all_of_them_are_told() {
    let room = room();
    let statement = |n: usize| format!("  - {{sid: s{n}, principal: '{:012}'}}\n", n + 1);
    let statements: String = (0..105).map(statement).collect();
    room.write("many.yaml", &format!("functions:\n- function: f\n  statements:\n{statements}"));
    let said = room.permitd("check many.yaml");
    assert_eq!(said.err.matches("has the risk P004").count(), 105);
    assert!(
        said.err.contains("policy-nearly-full") && said.err.ends_with("106 warnings in 1 file\n"),
        "{said:?}"
    );
    let said = room.permitd("check many.yaml --deny policy-nearly-full --quiet");
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""));
    assert!(
        said.err.starts_with("error[policy-nearly-full]: the policy of `f` will have"),
        "{said:?}"
    );
}
