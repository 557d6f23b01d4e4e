//! What undoes which entry, and what cannot be undone.

use super::{NotUndoable, Undo, undo};
use crate::journal::entry::{Action, Entry, NewEntry, Outcome};
use crate::policy::target::{Defaults, Target};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live";
const S3: &str = r#"{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live","Condition":{"StringEquals":{"AWS:SourceAccount":"012345678901"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::uploads"}}}"#;
const DENY: &str =
    r#"{"Sid":"no","Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"*"}"#;

fn target() -> Target {
    Target::parse(ARN, None, &Defaults::default()).unwrap()
}

fn entry(action: Action, sid: Option<&str>, before: Option<&str>, after: Option<&str>) -> Entry {
    let step = NewEntry {
        time: "2026-03-01T00:00:00Z".parse().unwrap(),
        target: ARN.into(),
        action,
        sid: sid.map(str::to_owned),
        kind: "unmanaged".into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        revision: None,
        actor: "permitd".into(),
        reason: "drift".into(),
        approval: None,
        undoes: None,
        replaces: None,
        caused_by: None,
    };
    Entry {
        id: 7,
        step,
        outcome: Outcome::Done,
        message: None,
        finished: None,
        request_id: None,
        instead: None,
    }
}

fn removed(text: &str) -> Result<Undo, NotUndoable> {
    undo(&entry(Action::Remove, Some("s3"), Some(text), None), &target())
}

#[test]
fn what_add_permission_can_make_is_granted_again() {
    let Ok(Undo::Grant(grant)) = removed(S3) else { panic!("{:?}", removed(S3)) };
    assert_eq!(grant.terms.statement_text(&grant.sid, &target()), S3);
    assert_eq!(grant.source.to_string(), "journal entry 7:1:1");
    let unknown =
        Entry { outcome: Outcome::Unknown, ..entry(Action::Remove, Some("s3"), Some(S3), None) };
    assert_eq!(undo(&unknown, &target()), Ok(Undo::Grant(grant)));
}

#[test]
fn what_it_cannot_make_is_put_back_whole() {
    let elsewhere = S3.replace("thumbnail:live", "other");
    // A condition that Lambda writes only for another action: a file cannot say it.
    let odd =
        S3.replace("AWS:SourceAccount\":\"012345678901", "lambda:FunctionUrlAuthType\":\"NONE");
    for text in [DENY, &elsewhere, &odd, &S3.replace("\"Sid\":\"s3\",", "")] {
        assert_eq!(removed(text), Ok(Undo::Put { statement: text.to_owned() }), "{text}");
    }
}

#[test]
fn what_was_added_is_taken_away_and_documents_come_back() {
    let added = entry(Action::Add, Some("s3"), None, Some(S3));
    let expected = Undo::Remove { sid: "s3".into(), expected: S3.into() };
    assert_eq!(undo(&added, &target()), Ok(expected));
    for before in [None, Some("{\"Statement\":[]}")] {
        let put = entry(Action::Put, None, before, Some("{}"));
        let before = before.map(str::to_owned);
        assert_eq!(undo(&put, &target()), Ok(Undo::Document { before }));
    }
}

#[track_caller]
fn check_refused(entry: &Entry, words: &str) {
    let error = undo(entry, &target()).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
    assert!(error.contains("entry 7"), "{error}");
}

#[test]
fn what_changed_nothing_is_not_undone() {
    let with = |outcome| Entry { outcome, ..entry(Action::Remove, Some("s3"), Some(S3), None) };
    check_refused(&with(Outcome::Refused), "changed nothing (it is `refused`)");
    check_refused(&with(Outcome::NotDone), "changed nothing (it is `not_done`)");
    check_refused(&with(Outcome::Pending), "still under way");
}

#[test]
fn a_step_of_a_replacement_points_at_the_removal() {
    let bridge = crate::drift::bridge::bridge_sid(&target(), "s3");
    let step = |action, sid: &str, instead| {
        let mut res = entry(action, Some(sid), Some(S3), Some(S3));
        res.step.replaces = Some("s3".into());
        Entry { instead, ..res }
    };
    for (action, sid) in [(Action::Add, &*bridge), (Action::Add, "s3"), (Action::Remove, &*bridge)]
    {
        check_refused(&step(action, sid, Some(5)), "replacement of `s3`; `permitd undo 5`");
        check_refused(&step(action, sid, None), "not in the journal; `permitd history`");
    }
    let removal = undo(&step(Action::Remove, "s3", None), &target());
    assert!(matches!(removal, Ok(Undo::Grant(_))), "{removal:?}");
    let leftover = entry(Action::Remove, Some(&bridge), Some(S3), None);
    check_refused(&leftover, "a temporary statement of permitd's own");
}

#[test]
fn what_cannot_come_back_says_why() {
    let orphan =
        S3.replace(r#"{"Service":"s3.amazonaws.com"}"#, r#"{"AWS":"AROAEXAMPLEEXAMPLE123"}"#);
    check_refused(
        &entry(Action::Remove, Some("s3"), Some(&orphan), None),
        "deleted (AROAEXAMPLEEXAMPLE123)",
    );
    check_refused(&entry(Action::Remove, Some("s3"), None, None), "does not say what was there");
    check_refused(&entry(Action::Add, Some("s3"), None, None), "does not say what was there");
    check_refused(&entry(Action::Add, None, None, Some(S3)), "does not say what was there");
    check_refused(&entry(Action::Put, None, None, None), "does not say what was there");
    for text in ["", "{", "[]", "\"s3\""] {
        check_refused(&entry(Action::Remove, Some("s3"), Some(text), None), "is not a statement");
    }
    let mut other = entry(Action::Remove, Some("s3"), Some(S3), None);
    other.step.target = "arn:aws:lambda:us-east-1:123456789012:function:other".into();
    check_refused(&other, "function:other, not about arn:");
}
