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
use permitd::policy::{
    compact,
    grant::{Grant, Permission},
    source::Source,
};
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

fn by_document(grants: Vec<Grant>) -> Wanted {
    Wanted { writer: Writer::Document, ..wanted(grants) }
}

/// One statement for these contents.
fn list(contents: &[usize]) -> String {
    let members: Vec<Permission> = contents.iter().map(|it| content::permission(*it)).collect();
    let members: Vec<&Permission> = members.iter().collect();
    let target = content::target("f");
    let place = compact::places(&members, &target, "").remove(0).unwrap();
    compact::statement_text(&place, &members, &target)
}

/// A member of a list that one grant still asks for was taken for what an expired one had left: the same document was
/// put again and again.
#[test]
fn regression_a_list_says_nothing_for_who_has_expired() {
    let past = Grant { expires: Some(START - SignedDuration::from_secs(1)), ..grant("a", 0) };
    let wanted = by_document(vec![past, grant("b", 0), grant("c", 1)]);
    passes(&calm(Wanted { compact: true, ..wanted }, &[list(&[0, 1])]));
}

/// Its Sid is that of a list, and it is one statement by itself as well: both stayed for ever.
#[test]
fn regression_what_stands_in_a_list_and_by_itself_stands_once() {
    let wanted = by_document(vec![grant("a", 0), grant("b", 1)]);
    let wanted = Wanted { compact: true, ..wanted };
    passes(&calm(wanted, &[text("a", 0), list(&[0, 1])]));
}

/// The role of a grant was deleted: what was left of its statement stayed in every document, and Lambda takes none with
/// it, so nothing else was written either.
#[test]
fn regression_what_is_left_of_a_deleted_role_goes_though_its_grant_is_refused() {
    let orphan = Odd::Orphan.text("a", &content::target("f"));
    let (role, other) = (grant("a", 3), grant("b", 1));
    passes(&calm(by_document(vec![role.clone(), other.clone()]), &[orphan, text("x", 5)]));
    // So it is in a list, which is ours whoever is in it.
    let account = grant("c", 2);
    let wanted = by_document(vec![role, other, account]);
    let wanted = Wanted { compact: true, ownership: Ownership::Declared, ..wanted };
    let orphan = list(&[2, 3]).replace(content::ROLES[0], content::ORPHAN);
    passes(&calm(wanted, &[orphan]));
}

/// Beside a statement with a deleted principal that is held, what goes was put, and Lambda refused that.
#[test]
fn regression_what_goes_beside_a_held_orphan_goes_by_itself() {
    let orphan = Odd::OrphanInList.text("y", &content::target("f"));
    let live = [text("a", 0), orphan, text("x", 1)];
    let mut case = calm(by_document(vec![grant("a", 0)]), &live);
    case.rules.remove_inexpressible = false;
    passes(&case);
}

/// What was to be replaced kept itself from being replaced.
#[test]
fn regression_an_orphan_in_a_list_is_replaced_by_a_document() {
    let orphan = Odd::OrphanInList.text("a", &content::target("f"));
    for writer in [Writer::Document, Writer::Auto] {
        let wanted = by_document(vec![grant("a", 2), grant("b", 1)]);
        passes(&calm(Wanted { writer, ..wanted }, std::slice::from_ref(&orphan)));
    }
}

/// Lambda refuses the one grant of a target without a policy: a policy was begun for it, and deleted again, in every
/// pass.
#[test]
fn regression_a_policy_is_not_begun_again_and_again_for_what_is_refused() {
    let terms = content::wide(3, &content::target("f"));
    let mut case = calm(by_document(vec![Grant { terms, ..grant("a", 0) }]), &[text("x", 1)]);
    case.seed["accounts"][0]["functions"][0].as_object_mut().unwrap().remove("policy");
    passes(&case);
}

/// Lambda did not take all of it together, so it was put one after the other: what was wanted elsewhere went before it
/// stood there.
#[test]
fn regression_one_by_one_comes_before_what_goes() {
    let past = Grant { expires: Some(START - SignedDuration::from_secs(1)), ..grant("a", 0) };
    let wanted = by_document(vec![past, grant("b", 3), grant("c", 0)]);
    passes(&calm(wanted, &[text("a", 0), text("x", 1)]));
    // Two that change places go together.
    let wanted = by_document(vec![grant("a", 0), grant("b", 1), grant("c", 3)]);
    passes(&calm(wanted, &[text("a", 1), text("b", 0)]));
}
