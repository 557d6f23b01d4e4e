//! What a terminal shows: its width, its colours, and how far long work is.

use std::fmt::Write;

use serde_json::json;

use super::harness::{FN, Lambda, Room, policy, service};

/// One statement that differs in a value longer than any line, and one that is missing.
fn drifted() -> (Lambda, Room) {
    let old = format!("arn:aws:s3:::{}", "old-".repeat(15));
    let lambda = Lambda::new(&json!([
        {"name": "f", "policy": policy(&[service("uploads", "s3.amazonaws.com", &old)])},
    ]));
    let wishes = format!(
        "account: '123456789012'\nfunctions:\n  - function: f\n    statements:\n      \
         - {{sid: uploads, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::{}'}}\n      \
         - {{sid: nightly, principal: events.amazonaws.com, source_arn: 'arn:aws:events:us-east-1:123456789012:rule/nightly'}}\n",
        "new-".repeat(15)
    );
    let room = lambda.room(&wishes);
    (lambda, room)
}

#[test]
fn lines_fit_the_terminal_and_values_stay_whole() {
    let (_lambda, room) = drifted();
    let Some(said) = room.on_screen("plan permissions.yaml --color never", 72) else { return };
    let (old, new) = ("old-".repeat(15), "new-".repeat(15));
    let expected = format!(
        "\
{FN}
  + nightly             missing; events.amazonaws.com may invoke, from
                        arn:aws:events:us-east-1:123456789012:rule/nightly
  ~ uploads             changed, bridged: no gap
      source_arn:
           arn:aws:s3:::{old}
        -> arn:aws:s3:::{new}
    risks: uploads P003 (an S3 source, without its account)

Plan: 1 to add, 1 to change, 0 to remove, 0 held. 1 of 1 function
  differs; 0 unknown.
Live statements with risks: P003 1.
"
    );
    assert_eq!((said.code, said.out.as_str()), (Some(0), expected.as_str()));

    let piped = room.permitd("plan permissions.yaml");
    assert!(piped.out.contains(&format!("source_arn: arn:aws:s3:::{old} -> arn:aws:s3:::{new}\n")));
    assert_eq!(piped.out.lines().count(), 8, "a line of a pipe is not broken: {piped:?}");
}

/// `COLUMNS` knows better; and a terminal that does not know its width breaks nothing.
#[test]
fn the_width_is_that_of_columns_or_of_the_terminal() {
    let (_lambda, room) = drifted();
    let longest = |room: &Room, columns| {
        let said = room.on_screen("plan permissions.yaml --color never", columns)?;
        said.out.lines().filter(|it| it.starts_with("Plan:")).map(str::len).max()
    };
    let Some(wide) = longest(&room, 0) else { return };
    assert_eq!(wide, 85);
    assert_eq!(longest(&room, 200), Some(85));
    assert!(longest(&room, 50).unwrap() <= 50);
    let room = room.with("COLUMNS", "60");
    assert!(longest(&room, 200).unwrap() <= 60);
    let room = room.with("COLUMNS", "wide");
    assert_eq!(longest(&room, 200), Some(85));
}

#[test]
fn colours_are_for_terminals_that_have_them() {
    const ESCAPE: char = '\u{1b}';
    let (_lambda, room) = drifted();
    let piped = |words: &str| room.permitd(words).out.contains(ESCAPE);
    assert!(!piped("plan permissions.yaml"));
    assert!(piped("plan permissions.yaml --color always"));
    assert!(!piped("plan permissions.yaml --color auto"));
    let shown = |room: &Room, words: &str| Some(room.on_screen(words, 80)?.out.contains(ESCAPE));
    let Some(colored) = shown(&room, "plan permissions.yaml") else { return };
    assert!(colored);
    assert_eq!(shown(&room, "plan permissions.yaml --color never"), Some(false));
    let room = room.with("NO_COLOR", "1");
    assert_eq!(shown(&room, "plan permissions.yaml"), Some(false));
    assert_eq!(shown(&room, "plan permissions.yaml --color always"), Some(true));
    let room = room.with("NO_COLOR", "");
    assert_eq!(shown(&room, "plan permissions.yaml"), Some(true), "an empty one says nothing");
    let room = room.with("TERM", "dumb");
    assert_eq!(shown(&room, "plan permissions.yaml"), Some(false));
}

/// The log is for stderr, and has no colours where nothing else has.
#[test]
fn the_log_has_no_colours_either() {
    let (_lambda, room) = drifted();
    let words = "run permissions.yaml --once --mode observe";
    let Some(said) = room.on_screen(&format!("{words} --color never"), 80) else { return };
    assert!(said.out.contains("kind=\"missing\""), "{said:?}");
    assert!(!said.out.contains('\u{1b}'), "{said:?}");
    let room = room.with("NO_COLOR", "1");
    let said = room.on_screen(words, 80).unwrap();
    assert!(!said.out.contains('\u{1b}'), "{said:?}");
}

#[test]
fn long_work_shows_how_far_it_is_and_then_only_what_differs() {
    let functions: Vec<_> = (0..60).map(|n| json!({"name": format!("f{n:02}")})).collect();
    let lambda = Lambda::new(&json!(functions));
    let mut wishes = "account: '123456789012'\nfunctions:\n".to_owned();
    for n in 0..60 {
        writeln!(wishes, "  - {{function: f{n:02}, absent: [old], statements: []}}").unwrap();
    }
    let room = lambda.room(&wishes).with("PERMITD_GET_POLICY_BUDGET", "30/s");
    let room = room.with("TERM", "xterm-256color");
    let Some(said) = room.on_screen("plan permissions.yaml", 100) else { return };
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("reading policies"), "{said:?}");
    assert!(said.out.contains("/60"), "{said:?}");
    // Whatever was drawn is cleared before the report begins.
    let report = said.out.rsplit("\u{1b}[2K").next().unwrap();
    assert!(report.contains("Plan: 0 to add"), "{said:?}");
    assert!(!report.contains("function:f01"), "{said:?}");

    let quiet = room.on_screen("plan permissions.yaml -q", 100).unwrap();
    assert!(!quiet.out.contains("reading policies"), "{quiet:?}");
    let piped = room.permitd("plan permissions.yaml");
    assert_eq!(piped.err, "");
    let room = room.with("PERMITD_GET_POLICY_BUDGET", "unlimited");
    let fast = room.on_screen("plan permissions.yaml", 100).unwrap();
    assert!(!fast.out.contains("reading policies"), "nobody has to wait for it: {fast:?}");
}
