//! `permitd check`: every error of every file, each in its place, and nothing else.

use serde_json::json;

use super::harness::Room;

const GOOD: &str = "\
functions:
  - function: f
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b', accept: [P003]}
";
const BAD: &str = "\
functions:
  - function: f
    statements:
      - sid: a
        principal: s3.amazonaws.com
        SourceArn: arn:aws:s3:::b
  - function: g:$LATEST
    statements: [{sid: b, principal: \"*\"}]
";
const WORSE: &str = "\
functions:
  - function: f
    statements:
      - {sid: a b, principal: 12345}
";

fn room() -> Room {
    let room =
        Room::new().without("AWS_REGION").without("AWS_ACCESS_KEY_ID").without("AWS_ENDPOINT_URL");
    room.write("good.yaml", GOOD);
    room.write("bad.yaml", BAD);
    room.write("worse.yaml", WORSE);
    room
}

#[test]
fn good_files_need_no_credentials_and_no_region() {
    let room = room();
    room.permitd("check good.yaml").is(0, "ok: 1 statement for 1 target\n", "");
    room.say_to("check -", GOOD).is(0, "ok: 1 statement for 1 target\n", "");
    let said = room.permitd("check good.yaml --output json");
    let summary = json!({"errors": 0, "warnings": 0, "files": 0, "statements": 1, "targets": 1, "rules_for_many": 0});
    assert_eq!(
        said.json(),
        json!({
            "format_version": "1.0", "permitd_version": env!("CARGO_PKG_VERSION"), "exit_code": 0,
            "summary": summary, "diagnostics": [], "rules": [],
        })
    );
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    room.write("permitd.yaml", "permissions: [good.yaml]\n");
    room.permitd("check").is(0, "ok: 1 statement for 1 target\n", "");
}

#[test]
fn all_errors_of_all_files_at_once() {
    let words = "check good.yaml bad.yaml worse.yaml --account 123456789012";
    let said = room().permitd(words);
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    assert!(said.err.ends_with("\n\n5 errors, 1 warning in 3 files\n"), "{said:?}");
    let said = room().permitd(&format!("{words} --quiet"));
    said.is(78, "", "\
error: `SourceArn` is not a key of a statement
 --> bad.yaml:6:9
  |
6 |         SourceArn: arn:aws:s3:::b
  |         ^^^^^^^^^
  |
help: did you mean `source_arn`?

error: `$LATEST` cannot carry a policy; leave the qualifier out for the unqualified function, or name an alias or a version
 --> bad.yaml:7:15
  |
7 |   - function: g:$LATEST
  |               ^^^^^^^^^

error: the sid `a` stands twice in arn:aws:lambda:us-east-1:123456789012:function:f
 --> good.yaml:4:15
  |
4 |       - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b', accept: [P003]}
  |               ^
  |
note: it stands here first
 --> bad.yaml:4:14
  |
4 |       - sid: a
  |              ^
help: a sid is unique in one policy; choose another, or delete one of them

error: ` ` may not stand in a sid; letters, digits, `-` and `_` may
 --> worse.yaml:4:15
  |
4 |       - {sid: a b, principal: 12345}
  |               ^^^

error: `12345` is not an account id: it has 5 digits and not twelve; if a leading zero was lost, write the id with its zero, in quotes
 --> worse.yaml:4:31
  |
4 |       - {sid: a b, principal: 12345}
  |                               ^^^^^
");
}

#[test]
fn errors_for_programs() {
    let said = room().permitd("check bad.yaml worse.yaml --output json");
    assert_eq!((said.code, said.err.as_str()), (Some(78), ""), "{said:?}");
    let report = said.json();
    let found = report["diagnostics"].as_array().unwrap().iter();
    let found: Vec<&serde_json::Value> = found.filter(|it| it["rule"] != "P002").collect();
    let at = |it: &serde_json::Value| {
        format!("{}:{}:{}", it["file"].as_str().unwrap(), it["line"], it["column"])
    };
    let places: Vec<String> = found.iter().map(|it| at(it)).collect();
    assert_eq!(
        places,
        ["bad.yaml:6:9", "bad.yaml:7:15", "worse.yaml:4:15", "worse.yaml:4:31"],
        "{report:#}"
    );
    for it in found {
        assert_eq!(it["severity"], "error");
        assert!(!it["message"].as_str().unwrap().is_empty(), "{it}");
        assert!(it["help"].is_string() || it["help"].is_null(), "{it}");
    }
}

/// Dates so far away that no machine's clock is between them.
#[test]
fn warnings_are_told_and_are_no_failure() {
    let room = room();
    room.write(
        "old.yaml",
        "\
functions:
  - names: [f, g]
    statements:
      - sid: import
        principal: s3.amazonaws.com
        expires: 2001-01-01T00:00:00Z
        accept: [P001]
      - {sid: later, principal: s3.amazonaws.com, accept: [P001], expires: 9999-01-01T00:00:00Z}
",
    );
    let said = room.permitd("check old.yaml");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "ok: 4 statements for 2 targets\n"));
    let days =
        said.err.split_once("expired ").and_then(|(_, it)| it.split_once(" days")).unwrap().0;
    assert!(days.parse::<u32>().unwrap() > 9000, "{said:?}");
    let expected = format!(
        "\
warning[expired]: the grant `import` of 2 functions expired {days} days ago, at 2001-01-01T00:00:00Z; it is revoked if it is live
 --> old.yaml:4:9
  |
4 |       - sid: import
  |         ^^^^^^^^^^^
  |
help: delete it from the file

1 warning in 1 file
"
    );
    assert_eq!(said.err, expected);

    let said = room.permitd("check old.yaml --output json");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let message = expected.lines().next().unwrap().split_once(": ").unwrap().1;
    assert_eq!(
        said.json()["diagnostics"],
        json!([{
            "severity": "warning",
            "rule": "expired",
            "risk": null,
            "file": "old.yaml",
            "line": 4,
            "column": 9,
            "end_line": 4,
            "end_column": 20,
            "message": message,
            "help": "delete it from the file",
            "subject": "f/import",
            "functions": 2,
            "related": [],
        }])
    );
    room.permitd("check old.yaml --quiet").is(0, "ok: 4 statements for 2 targets\n", "");
    // Errors elsewhere keep nothing back.
    let said = room.permitd("check old.yaml bad.yaml worse.yaml");
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    assert!(said.err.contains("warning[expired]: the grant `import`"), "{said:?}");
    // `b` in bad.yaml has no function that is clear, and lets in anyone all the same.
    assert!(said.err.contains("warning[P002]: the grant `b` has the risk P002"), "{said:?}");
    assert!(said.err.ends_with("\n4 errors, 2 warnings in 3 files\n"), "{said:?}");
    let said = room.permitd("check old.yaml bad.yaml worse.yaml --quiet");
    assert!(!said.err.contains("warning") && said.err.matches("error: ").count() == 4, "{said:?}");
}

#[test]
fn standard_input_has_a_name() {
    let said = room().say_to("check -", WORSE);
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""));
    assert!(said.err.contains("--> <stdin>:4:15"), "{said:?}");
}

#[test]
fn errors_of_the_settings_file_are_told_too() {
    let room = room();
    room.write("permitd.yaml", "permissions: [good.yaml]\nmode: enforced\n");
    let said = room.permitd("check");
    said.is(
        78,
        "",
        "\
error: `enforced` is not a value of `mode`
 --> permitd.yaml:2:7
  |
2 | mode: enforced
  |       ^^^^^^^^
  |
help: did you mean `enforce`?

1 error in 1 file
",
    );
    // Files that are named are checked beside it.
    let said = room.permitd("check bad.yaml good.yaml");
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    assert!(said.err.contains("`enforced`") && said.err.contains("`SourceArn`"), "{said:?}");
    assert!(said.err.ends_with("in 3 files\n"), "{said:?}");
    let said = room.permitd("check --output json");
    assert_eq!((said.code, said.err.as_str()), (Some(78), ""), "{said:?}");
    assert_eq!(said.json()["diagnostics"][0]["file"], "permitd.yaml");
}

#[test]
fn risks_are_warnings_and_errors_where_they_are_denied() {
    let room = room();
    room.write(
        "risky.yaml",
        "\
functions:
  - function: f
    statements:
      - {sid: any, principal: s3.amazonaws.com}
      - {sid: open, principal: \"*\", accept: [P002]}
      - {sid: more, principal: sns.amazonaws.com}
",
    );
    let said = room.permitd("check risky.yaml");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "ok: 3 statements for 1 target\n"));
    assert_eq!(said.err.matches("has the risk P001").count(), 2, "{said:?}");
    assert_eq!(said.err.matches("Write `accept: [P001]`").count(), 1, "explained once: {said:?}");
    assert!(!said.err.contains("P002"), "{said:?}");
    assert!(said.err.contains("if that is meant. See https://"), "{said:?}");
    let said = room.permitd("check risky.yaml --deny P001");
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    assert!(said.err.contains("error[P001]: the grant `any` has the risk P001"), "{said:?}");
    let said = room.permitd("check risky.yaml --deny P002,P004 --quiet");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "accepted: {said:?}");
    let said = room.permitd("check risky.yaml --deny P001 --output json");
    assert_eq!(said.code, Some(78));
    let report = said.json();
    assert_eq!(report["diagnostics"][0]["severity"], "error");
    assert_eq!(report["diagnostics"][0]["risk"], "P001");
    assert_eq!(report["diagnostics"][0]["line"], 4);
    let said = room.permitd("check risky.yaml --deny P999");
    assert_eq!(said.code, Some(64));
    assert!(said.err.contains("risks are P001 to P008"), "{said:?}");
}
