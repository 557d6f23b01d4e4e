//! The three forms of the same event.

use super::*;

fn line(level: Level, message: &str, fields: &[(&str, Known)]) -> Line {
    let copy = |it: &Known| match it {
        Known::Quoted(it) => Known::Quoted(it.clone()),
        Known::Plain(it) => Known::Plain(it.clone()),
    };
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), copy(value))).collect();
    Line { level, of: None, message: message.to_owned(), fields }
}

fn found() -> Line {
    let fields = [
        ("sid", Known::Quoted("a \"b\"".to_owned())),
        ("n", Known::Plain(json!(3))),
        ("error", Known::Plain(json!("one\ntwo\u{1b}[31m"))),
    ];
    let mut res = line(Level::WARN, "drift found", &fields);
    res.within(r#"{"arn":"arn:aws:lambda:x","sid":"of the span"}"#);
    res.within(r#"{"trigger":"full pass","arn":"of an outer span"}"#);
    res
}

#[test]
fn as_text() {
    assert_eq!(
        found().text("2026-06-01T00:00:00Z", false),
        r#"2026-06-01T00:00:00Z  WARN drift found sid="a \"b\"" n=3 error=one\ntwo\u{1b}[31m arn=arn:aws:lambda:x trigger="full pass""#
    );
}

#[test]
fn as_json_everything_is_flat_and_nobody_says_the_time_but_us() {
    let mut line = found();
    line.fields.push(("level".to_owned(), Known::Plain(json!("fine"))));
    let expected = json!({
        "timestamp": "2026-06-01T00:00:00Z", "level": "WARN", "message": "drift found",
        "sid": "a \"b\"", "n": 3, "error": "one\ntwo\u{1b}[31m",
        "arn": "arn:aws:lambda:x", "trigger": "full pass",
    });
    assert_eq!(line.json("2026-06-01T00:00:00Z"), expected);
}

/// A value with a line break cannot make a variable of its own.
#[test]
fn as_the_journal_takes_it() {
    let fields =
        [("error", Known::Quoted("x\nPRIORITY=0".to_owned())), ("in_sync", Known::Plain(json!(3)))];
    let journal = line(Level::INFO, "pass done", &fields).journal();
    assert_eq!(
        journal,
        "PRIORITY=6\nSYSLOG_IDENTIFIER=permitd\n\
         MESSAGE=pass done error=\"x\\nPRIORITY=0\" in_sync=3\nPERMITD_EVENT=pass done\n\
         PERMITD_ERROR=x\\nPRIORITY=0\nPERMITD_IN_SYNC=3\n"
    );
}

#[test]
fn levels_are_priorities() {
    let priority = |level| line(level, "m", &[]).journal().lines().next().unwrap().to_owned();
    assert_eq!(priority(Level::ERROR), "PRIORITY=3");
    assert_eq!(priority(Level::WARN), "PRIORITY=4");
    assert_eq!(priority(Level::DEBUG), "PRIORITY=7");
}

#[test]
fn others_are_named() {
    let line = Line { of: Some("hyper::proto"), ..line(Level::DEBUG, "m", &[]) };
    assert_eq!(line.text("t", false), "t DEBUG hyper::proto: m");
    assert_eq!(line.json("t")["target"], "hyper::proto");
}
