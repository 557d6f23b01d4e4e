//! What programs get to see of an entry.

use super::{Action, Entry, History, NewEntry, Outcome};

fn entry(before: &str) -> Entry {
    let step = NewEntry {
        time: "2026-03-01T00:00:00.5Z".parse().unwrap(),
        target: "arn:aws:lambda:us-east-1:123456789012:function:f".into(),
        action: Action::Remove,
        sid: Some("s3".into()),
        kind: "changed".into(),
        before: Some(before.into()),
        after: None,
        revision: Some("r1".into()),
        actor: "permitd".into(),
        reason: "drift".into(),
        approval: None,
        undoes: Some(3),
        replaces: Some("s3".into()),
        caused_by: None,
    };
    let finished = Some("2026-03-01T00:00:01Z".parse().unwrap());
    Entry {
        id: 7,
        step,
        outcome: Outcome::NotDone,
        message: None,
        finished,
        request_id: None,
        instead: None,
    }
}

#[test]
fn a_statement_stays_as_it_is_in_json() {
    let entries = [entry(r#"{"Sid": "s3",  "Effect":"Allow","Big":1.00}"#)];
    let json = serde_json::to_string(&History { entries: &entries }).unwrap();
    let expected = concat!(
        r#"{"entries":[{"id":7,"time":"2026-03-01T00:00:00.5Z","#,
        r#""target":"arn:aws:lambda:us-east-1:123456789012:function:f","action":"remove","sid":"s3","#,
        r#""kind":"changed","before":{"Sid": "s3",  "Effect":"Allow","Big":1.00},"after":null,"#,
        r#""outcome":"not_done","message":null,"finished":"2026-03-01T00:00:01Z","revision":"r1","#,
        r#""actor":"permitd","reason":"drift","approval":null,"undoes":3,"replaces":"s3","instead":null}]}"#
    );
    assert_eq!(json, expected);
}

#[test]
fn what_is_no_json_becomes_a_string() {
    for text in ["", "{", "{\"a\":1} x", "a \"quoted\" word"] {
        let json = serde_json::to_string(&entry(text)).unwrap();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["before"], text);
    }
}
