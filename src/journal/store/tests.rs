//! What is written is read back, as it was, by those who ask for it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Journal, Options};
use crate::journal::entry::{Action, Entry, Filter, NewEntry, Outcome};
use crate::journal::{error::JournalError, pause::Pause};

mod files;
mod model;
mod processes;

pub(crate) const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live";

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn new_entry(second: i64, action: Action, sid: &str) -> NewEntry {
    NewEntry {
        time: at(second),
        target: ARN.into(),
        action,
        sid: Some(sid.into()),
        kind: "unmanaged".into(),
        before: Some(format!("{{\"Sid\":\"{sid}\"}}")),
        after: None,
        revision: Some("r1".into()),
        actor: "permitd".into(),
        reason: "drift".into(),
        approval: None,
        undoes: None,
        replaces: None,
        caused_by: None,
    }
}

fn ids(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|it| it.id).collect()
}

#[test]
fn every_field_comes_back_byte_for_byte() {
    let journal = Journal::in_memory().unwrap();
    let full = NewEntry {
        time: Timestamp::new(1_800_000_000, 123_456_789).unwrap(),
        target: ARN.into(),
        action: Action::Put,
        sid: Some("a\0b".into()),
        kind: "changed".into(),
        before: Some("{ \"Sid\" : \"\\u0061\",\r\n\t\"é\": \"\u{2028}\u{1f600}\0\" } ".into()),
        after: Some(String::new()),
        revision: Some("r' OR 1=1 --".into()),
        actor: "ops@example.com".into(),
        reason: "because\nof this".into(),
        approval: Some("abc".into()),
        undoes: Some(99),
        replaces: Some("a".into()),
        caused_by: Some("{\"arn\":\"a\"}".into()),
    };
    let none = NewEntry {
        sid: None,
        before: None,
        after: None,
        revision: None,
        approval: None,
        undoes: None,
        replaces: None,
        caused_by: None,
        ..full.clone()
    };
    for step in [full, none] {
        let id = journal.begin(&step).unwrap();
        let begun = journal.entry(id).unwrap().unwrap();
        assert_eq!(begun.step, step);
        assert_eq!((begun.outcome, begun.message, begun.finished), (Outcome::Pending, None, None));
        for outcome in Outcome::ALL {
            journal.finish(id, outcome, Some("Lambda's\nanswer"), None, at(5)).unwrap();
            let read = journal.entry(id).unwrap().unwrap();
            assert_eq!(read.step, step);
            assert_eq!((read.outcome, read.finished), (outcome, Some(at(5))));
            assert_eq!(read.message.as_deref(), Some("Lambda's\nanswer"));
            assert_eq!(read.request_id, None);
        }
    }
    let id = journal.begin(&new_entry(0, Action::Add, "a")).unwrap();
    for (request, known) in [(None, None), (Some("r-1"), Some("r-1")), (None, Some("r-1"))] {
        journal.finish(id, Outcome::Unknown, None, request, at(5)).unwrap();
        assert_eq!(journal.entry(id).unwrap().unwrap().request_id.as_deref(), known);
    }
    for action in Action::ALL {
        let id = journal.begin(&new_entry(0, action, "a")).unwrap();
        assert_eq!(journal.entry(id).unwrap().unwrap().step.action, action);
    }
}

#[test]
fn an_entry_that_is_not_there_is_not_finished_in_silence() {
    let journal = Journal::in_memory().unwrap();
    assert_eq!(journal.entry(1), Ok(None));
    let error = journal.finish(1, Outcome::Done, None, None, at(0)).unwrap_err();
    assert!(matches!(&error, JournalError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("no entry 1"), "{error}");
}

#[test]
fn filters_narrow_and_the_newest_comes_last() {
    let journal = Journal::in_memory().unwrap();
    let other = "arn:aws:lambda:eu-west-1:210987654321:function:encode";
    // The clock was put back in between; the order is that of writing.
    for (second, target, sid) in [
        (10, ARN, Some("s3-a")),
        (20, ARN, Some("sns")),
        (5, other, Some("s3-b")),
        (30, other, None),
    ] {
        let sid = sid.map(str::to_owned);
        let step = NewEntry { target: target.into(), sid, ..new_entry(second, Action::Add, "") };
        journal.begin(&step).unwrap();
    }
    let check = |filter: Filter, expected: &[i64]| {
        assert_eq!(ids(&journal.entries(&filter).unwrap()), expected, "{filter:?}");
    };
    let target = |it: &str| Filter { target: Some(it.into()), ..Filter::default() };
    let sid = |it: &str| Filter { sid: Some(it.into()), ..Filter::default() };
    let limit = |it| Filter { limit: Some(it), ..Filter::default() };
    check(Filter::default(), &[1, 2, 3, 4]);
    check(target(ARN), &[1, 2]);
    check(target("thumbnail:live"), &[1, 2]);
    check(target("thumbnail"), &[]);
    check(target("thumb*"), &[1, 2]);
    check(target("encode"), &[3, 4]);
    check(target("*:eu-west-1:*"), &[3, 4]);
    check(target("*"), &[1, 2, 3, 4]);
    check(sid("s3-*"), &[1, 3]);
    check(sid("s3"), &[]);
    check(sid("*"), &[1, 2, 3]);
    check(limit(2), &[3, 4]);
    check(limit(0), &[]);
    check(limit(9), &[1, 2, 3, 4]);
    check(Filter { since: Some(at(10)), ..Filter::default() }, &[1, 2, 4]);
    check(Filter { until: Some(at(10)), ..Filter::default() }, &[1, 3]);
    check(Filter { since: Some(at(11)), until: Some(at(29)), ..Filter::default() }, &[2]);
    check(Filter { limit: Some(1), ..sid("s3-*") }, &[3]);
}

#[test]
fn steps_of_a_replacement_point_at_the_removal() {
    let journal = Journal::in_memory().unwrap();
    let step = |action, sid: &str, outcome| {
        let replaces = Some("a".to_owned());
        let id = journal.begin(&NewEntry { replaces, ..new_entry(0, action, sid) }).unwrap();
        journal.finish(id, outcome, None, None, at(1)).unwrap();
    };
    for _ in 0..2 {
        step(Action::Add, "a-permitd-00000000", Outcome::Done);
        step(Action::Remove, "a", Outcome::Refused);
        step(Action::Remove, "a", Outcome::Done);
        step(Action::Add, "a", Outcome::Done);
        step(Action::Remove, "a-permitd-00000000", Outcome::Done);
    }
    step(Action::Add, "a-permitd-00000000", Outcome::Done);
    let instead = |id: i64| journal.entry(id).unwrap().unwrap().instead;
    let found: Vec<Option<i64>> = (1..=11).map(instead).collect();
    let first = [Some(3), None, None, Some(3), Some(3)];
    let second = [Some(8), None, None, Some(8), Some(8)];
    let expected: Vec<_> = first.into_iter().chain(second).chain([None]).collect();
    assert_eq!(found, expected);
}

#[test]
fn pauses_are_one_per_target() {
    let journal = Journal::in_memory().unwrap();
    let everything = Pause {
        target: None,
        since: at(0),
        until: Some(at(60)),
        wanted: None,
        reason: "deploy".into(),
    };
    let one = Pause {
        target: Some(ARN.into()),
        since: Timestamp::new(1_800_000_000, 7).unwrap(),
        until: None,
        wanted: Some("hash".into()),
        reason: "undo of 3".into(),
    };
    assert_eq!(journal.pauses(), Ok(vec![]));
    journal.pause(&one).unwrap();
    journal.pause(&everything).unwrap();
    assert_eq!(journal.pauses(), Ok(vec![everything.clone(), one.clone()]));
    let longer = Pause { until: Some(at(120)), ..everything };
    journal.pause(&longer).unwrap();
    assert_eq!(journal.pauses(), Ok(vec![longer.clone(), one.clone()]));
    journal.prune(at(119)).unwrap();
    assert_eq!(journal.pauses(), Ok(vec![longer.clone(), one.clone()]));
    journal.prune(at(120)).unwrap();
    assert!(longer.is_over(at(120)) && !longer.is_over(at(119)) && !one.is_over(at(999)));
    assert_eq!(journal.pauses(), Ok(vec![one.clone()]));
    assert_eq!(journal.resume(None), Ok(false));
    assert_eq!(journal.resume(Some(ARN)), Ok(true));
    assert_eq!(journal.resume(Some(ARN)), Ok(false));
    journal.pause(&longer).unwrap();
    journal.pause(&one).unwrap();
    assert_eq!(journal.resume_all(), Ok(2));
    assert_eq!(journal.pauses(), Ok(vec![]));
}

#[test]
fn the_old_goes_and_ids_are_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let options = Options { retention: Some(Duration::from_secs(100)), ..Options::default() };
    let journal = Journal::open(&path, options, at(0)).unwrap();
    for second in [0, 1, 2] {
        journal.begin(&new_entry(second, Action::Add, "a")).unwrap();
    }
    for id in [1, 2] {
        journal.finish(id, Outcome::Done, None, None, at(3)).unwrap();
    }
    assert_eq!(journal.prune(at(100)), Ok(0), "as old as the retention is not older");
    assert_eq!(journal.prune(at(101)), Ok(1));
    assert_eq!(journal.prune(at(1000)), Ok(1), "what is pending stays");
    assert_eq!(ids(&journal.entries(&Filter::default()).unwrap()), [3]);
    journal.finish(3, Outcome::Done, None, None, at(1000)).unwrap();
    drop(journal);
    let journal = Journal::open(&path, options, at(1000)).unwrap();
    assert_eq!(journal.entries(&Filter::default()), Ok(vec![]), "opening prunes");
    assert_eq!(journal.begin(&new_entry(1000, Action::Add, "a")), Ok(4));
    drop(journal);
    let journal = Journal::open(&path, Options::default(), at(1_000_000)).unwrap();
    assert_eq!(journal.prune(at(9_000_000)), Ok(0), "without a retention nothing goes");
    assert_eq!(ids(&journal.entries(&Filter::default()).unwrap()), [4]);
}
