//! What the model found once, each as a small case of its own.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use permitd::drift::{
    allow::{Mode, Ownership, Replace, Rules, Writer},
    converge::Converge,
    dialogue::{Answer, Failure, FailureKind, Request},
    limits::Limits,
    wanted::Wanted,
};
use permitd::policy::{grant::Grant, source::Source};
use serde_json::json;

use super::{
    case::{Case, Puts, START, Weather},
    content::{self, ACCOUNT, Odd},
    play::play,
};

fn source() -> Source {
    Source { file: "p.yaml".into(), line: 1, column: 1 }
}

fn grant(sid: &str, content: usize) -> Grant {
    let permission = content::permission(content);
    let (sid, accept) = (sid.to_owned(), Vec::new());
    Grant {
        sid,
        terms: permission.into(),
        expires: None,
        accept,
        description: None,
        source: source(),
        rule: None,
    }
}

fn wanted(grants: Vec<Grant>) -> Wanted {
    Wanted {
        target: content::target("f"),
        ownership: Ownership::All,
        grants,
        absent: Vec::new(),
        suspend: false,
        replace: Replace::Bridge,
        writer: Writer::Statements,
        compact: false,
        source: source(),
    }
}

fn rules() -> Rules {
    Rules {
        mode: Mode::Enforce,
        remove_inexpressible: true,
        limits: Limits::UNLIMITED,
        loaded_at: START,
        ..Rules::default()
    }
}

/// Nothing goes wrong in it, but for what permitd does.
fn calm(wanted: Wanted, live: &[String]) -> Case {
    let seed = json!({"accounts": [{
        "id": ACCOUNT,
        "region": "us-east-1",
        "functions": [{"name": "f", "policy": content::document(live)}],
    }]});
    let weather = Weather { faults: 0, writer: 0, n_operations: 0, n_passes: 1, crashes: 0 };
    let (rules, pauses) = (rules(), Vec::new());
    let puts = Puts::Always;
    Case { wanted: vec![wanted], rules, n_targets: 1, pauses, seed, puts, weather }
}

fn passes(case: &Case) {
    if let Err(it) = play(case, 0) {
        panic!("{}\n{}", it.why, it.trace);
    }
}

fn text(sid: &str, content: usize) -> String {
    content::permission(content).statement_text(sid, &content::target("f"))
}

/// The addition waited for the judgement, and the removal that waits for the addition did not.
#[test]
fn regression_a_rename_waits_for_what_keeps_it_from_being_added() {
    let orphan = Odd::OrphanInList.text("p-y", &content::target("f"));
    passes(&calm(wanted(vec![grant("p-d", 1)]), &[text("p-x", 1), orphan.clone()]));
    // So does a bridge that was left behind.
    let bridge = content::bridge_sid(&content::target("f"), "p-d");
    passes(&calm(wanted(vec![grant("p-d", 1)]), &[text(&bridge, 1), orphan]));
}

/// There was room for the bridge beside the old statement, and none for the new one beside the bridge: both
/// the old statement and the bridge stayed for ever.
#[test]
fn regression_a_bridge_needs_room_beside_the_new_statement() {
    let live = [text("a", 0), text("ext-1", 10)];
    passes(&calm(Wanted { ownership: Ownership::Declared, ..wanted(vec![grant("a", 12)]) }, &live));
}

fn policy(revision: &str, live: &[String]) -> Answer {
    Answer::Policy(Ok(Some((content::document(live), revision.to_owned()))))
}

fn failed(kind: FailureKind) -> Answer {
    Answer::Written(Err(Failure { kind, message: "why".to_owned(), hint: None, request_id: None }))
}

/// A grant that ran out while Lambda let nobody through was added all the same.
#[test]
fn regression_a_write_that_was_throttled_is_planned_again() {
    let mut short = grant("a", 0);
    short.expires = Some(START + SignedDuration::from_secs(30));
    let (wanted, rules) = (wanted(vec![short, grant("b", 1)]), rules());
    let mut converge = Converge::new(&wanted, &rules);
    converge.start();
    assert_eq!(converge.answer(policy("r1", &[text("b", 1)]), START), Request::Planned);
    assert!(matches!(converge.proceed(START), Request::Write(it) if it.step.sid == "a"));
    let throttled = failed(FailureKind::Throttled(Duration::from_mins(1)));
    assert!(matches!(converge.answer(throttled, START), Request::Wait { .. }));
    let later = START + SignedDuration::from_mins(1);
    assert_eq!(converge.answer(Answer::Waited, later), Request::Done);
}

/// An old policy showed what a lost write had asked for. The revision that it was sent from was taken for
/// replaced for sure, and the policy was never believed again.
#[test]
fn regression_an_old_policy_does_not_say_for_sure_that_a_write_was_done() {
    let (wanted, rules) = (wanted(vec![grant("a", 0), grant("b", 1)]), rules());
    let mut converge = Converge::new(&wanted, &rules);
    converge.start();
    converge.answer(policy("r2", &[text("b", 1)]), START);
    assert!(matches!(converge.proceed(START), Request::Write(it) if it.step.sid == "a"));
    converge.answer(failed(FailureKind::Unsure), START);
    assert_eq!(converge.answer(Answer::Waited, START), Request::Read);
    converge.answer(policy("r1", &[text("b", 1), text("a", 0)]), START);
    let (_, mut known) = converge.into_parts(START);
    assert!(!known.believes(Some("r2"), START), "at first the later read is the newer one");
    known.doubt();
    assert!(known.believes(Some("r2"), START));
}

/// What one conversation came to doubt stood again in what the next one knew, so each of them doubted anew.
#[test]
fn regression_what_is_doubted_is_not_known_again_in_the_next_pass() {
    let now = Timestamp::UNIX_EPOCH;
    let mut known = permitd::drift::memory::TargetMemory::default();
    known.believes(Some("fresh"), now);
    known.believes(Some("stale"), now);
    let mut conversation = known.clone();
    assert!(!conversation.believes(Some("fresh"), now));
    conversation.doubt();
    known.merge(conversation);
    assert!(known.believes(Some("fresh"), now));
}
