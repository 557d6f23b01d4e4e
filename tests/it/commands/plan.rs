//! `permitd plan` for people: the text, the streams, the exit codes.

use std::process::Stdio;

use serde_json::json;

use super::harness::{FN, Lambda, PERMITD, Said, account, policy, service};

/// `a` differs, `b` is missing, `rogue` is too much; `g` has no policy.
const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - {sid: b, principal: sns.amazonaws.com, source_arn: 'arn:aws:sns:us-east-1:123456789012:t'}
  - function: g
    statements:
      - {sid: c, principal: '210987654321'}
";

const REPORT: &str = "\
arn:aws:lambda:us-east-1:123456789012:function:f
  ~ a                   changed, bridged: no gap
      source_arn: arn:aws:s3:::old -> arn:aws:s3:::new
  + b                   missing; sns.amazonaws.com may invoke, from arn:aws:sns:us-east-1:123456789012:t
  - rogue               unmanaged; account 210987654321 may invoke
    risks: a P003 (an S3 source, without its account); rogue P004 (a whole account)

arn:aws:lambda:us-east-1:123456789012:function:g
  + c                   missing; account 210987654321 may invoke

Plan: 2 to add, 1 to change, 1 to remove, 0 held. 2 of 2 functions differ; 0 unknown.
Live statements with risks: P003 1, P004 1.
";

fn drifting() -> Lambda {
    let live =
        [service("a", "s3.amazonaws.com", "arn:aws:s3:::old"), account("rogue", "210987654321")];
    Lambda::new(&json!([{"name": "f", "policy": policy(&live)}, {"name": "g"}]))
}

#[test]
fn tells_what_differs_and_needs_no_settings_file() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    room.permitd("plan permissions.yaml").is(0, REPORT, "");
    room.permitd("plan permissions.yaml --detailed-exitcode").is(2, REPORT, "");
    room.say_to("plan - --detailed-exitcode", WISHES).is(2, REPORT, "");
    assert_eq!(lambda.sids("f"), ["a", "rogue"]);
}

const IN_SYNC: &str = "\
Plan: 0 to add, 0 to change, 0 to remove, 0 held. 0 of 1 function differs; 0 unknown.
Live statements with risks: P003 1.
";

#[test]
fn nothing_differs() {
    let live = service("a", "s3.amazonaws.com", "arn:aws:s3:::new");
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[live])}]));
    let room = lambda.room(&WISHES.lines().take(6).collect::<Vec<_>>().join("\n"));
    room.permitd("plan permissions.yaml").is(0, IN_SYNC, "");
    room.permitd("plan permissions.yaml --detailed-exitcode").is(0, IN_SYNC, "");
}

#[test]
fn what_is_unknown_is_an_error_with_and_without_detailed_exitcode() {
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[
        service("a", "s3.amazonaws.com", "arn:aws:s3:::new"),
        service("b", "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:t"),
    ])}]));
    let room = lambda.room(WISHES);
    let report = "\
arn:aws:lambda:us-east-1:123456789012:function:g
  ? unknown: function_missing: function g does not exist in 123456789012/us-east-1
      create it, or take the entry at permissions.yaml:8:15 out

Plan: 0 to add, 0 to change, 0 to remove, 0 held. 0 of 2 functions differ; 1 unknown.
Live statements with risks: P003 1.
";
    room.permitd("plan permissions.yaml").is(1, report, "");
    room.permitd("plan permissions.yaml --detailed-exitcode").is(1, report, "");
    // It is told all the same.
    room.permitd("plan permissions.yaml --detailed-exitcode --allow-missing").is(0, report, "");
    let room = room.with("PERMITD_ALLOW_MISSING", "true");
    room.permitd("plan permissions.yaml").is(0, report, "");
}

#[test]
fn a_function_that_comes_later() {
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[])}]));
    let room = lambda.room(WISHES);
    let code = |words: &str| room.permitd(&format!("{words} --mode enforce")).code;
    assert_eq!(code("plan permissions.yaml --detailed-exitcode --allow-missing"), Some(2));
    assert_eq!(code("apply permissions.yaml --yes"), Some(1), "f was put right, g is not there");
    assert_eq!(lambda.sids("f"), ["a", "b"]);
    assert_eq!(code("apply permissions.yaml --yes --allow-missing"), Some(0));
    assert_eq!(code("run --once permissions.yaml"), Some(1));
    assert_eq!(code("run --once permissions.yaml --allow-missing"), Some(0));
    // Any other trouble is one.
    lambda
        .faults(&json!({"faults": [{"operation": "GetPolicy", "kind": "error", "times": "forever",
        "status": 403, "code": "AccessDeniedException", "message": "no"}]}));
    assert_eq!(code("plan permissions.yaml --allow-missing"), Some(1));
}

/// `observe` is a dry run: it shows what `enforce` would do. `additive` holds what takes access away.
#[test]
fn modes() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    room.permitd("plan permissions.yaml --mode observe").is(0, REPORT, "");
    room.permitd("plan permissions.yaml --mode enforce").is(0, REPORT, "");
    let additive = "\
arn:aws:lambda:us-east-1:123456789012:function:f
  ! a                   changed; held: additive
      source_arn: arn:aws:s3:::old -> arn:aws:s3:::new
  + b                   missing; sns.amazonaws.com may invoke, from arn:aws:sns:us-east-1:123456789012:t
  ! rogue               unmanaged; account 210987654321 may invoke; held: additive
    risks: a P003 (an S3 source, without its account); rogue P004 (a whole account)

arn:aws:lambda:us-east-1:123456789012:function:g
  + c                   missing; account 210987654321 may invoke

Plan: 2 to add, 0 to change, 0 to remove, 2 held. 2 of 2 functions differ; 0 unknown.
Live statements with risks: P003 1, P004 1.
";
    room.permitd("plan permissions.yaml --mode additive").is(0, additive, "");
}

#[test]
fn targets_are_chosen_by_globs() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let only_g = "\
arn:aws:lambda:us-east-1:123456789012:function:g
  + c                   missing; account 210987654321 may invoke

Plan: 1 to add, 0 to change, 0 to remove, 0 held. 1 of 1 function differs; 0 unknown.
";
    for glob in ["g", "*:g", "?", "arn:aws:lambda:us-east-1:*:function:g"] {
        let said = room.permitd(&format!("plan permissions.yaml --target {glob}"));
        if glob == "?" { said.is(0, REPORT, "") } else { said.is(0, only_g, "") }
    }
    room.permitd("plan permissions.yaml --target f --target g").is(0, REPORT, "");
    let nothing = "error: --target matches no target of the files\n";
    room.permitd("plan permissions.yaml --target h*").is(64, "", nothing);
}

fn has_color(said: &Said) -> bool {
    said.out.contains('\u{1b}')
}

#[test]
fn colours() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    assert!(!has_color(&room.permitd("plan permissions.yaml")), "stdout is not a terminal");
    assert!(!has_color(&room.permitd("plan permissions.yaml --color never")));
    let always = room.permitd("plan permissions.yaml --color always");
    assert!(has_color(&always), "{always:?}");
    let plain = always
        .out
        .replace("\u{1b}[", "<")
        .split('<')
        .map(|it| {
            it.split_once('m')
                .filter(|(code, _)| code.bytes().all(|it| it.is_ascii_digit()))
                .map_or(it, |(_, it)| it)
        })
        .collect::<String>();
    assert_eq!(plain, REPORT, "colours add nothing else");
    let room = room.with("NO_COLOR", "1");
    assert!(!has_color(&room.permitd("plan permissions.yaml --color auto")));
    assert!(has_color(&room.permitd("plan permissions.yaml --color always")), "asked for");
    let room = room.with("PERMITD_COLOR", "always");
    assert!(has_color(&room.permitd("plan permissions.yaml")));
}

#[test]
fn quiet_leaves_the_report() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    room.permitd("plan permissions.yaml -q").is(0, REPORT, "");
    room.permitd("-q plan permissions.yaml").is(0, REPORT, "");
}

/// The log goes to stderr; nothing but the report goes to stdout.
#[test]
fn a_chatty_log_stays_out_of_the_report() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let said =
        room.permitd("plan permissions.yaml --log-level trace,permitd=trace --log-format json");
    assert_eq!((said.code, said.out.as_str()), (Some(0), REPORT), "{said:?}");
    assert!(said.err.lines().count() > 3, "{said:?}");
    for line in said.err.lines() {
        let _: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|it| panic!("{it}: {line}"));
    }
}

#[test]
fn a_reader_that_went_away_is_success() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    for words in [
        "plan permissions.yaml",
        "plan permissions.yaml --output json",
        "check permissions.yaml --quiet",
        "--help",
    ] {
        let mut command = room.command(PERMITD);
        command.args(words.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{words}");
    }
    assert_eq!(lambda.requests()[0]["target"], FN);
}
