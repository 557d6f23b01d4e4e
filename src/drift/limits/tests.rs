//! How narrowing adds up.

use super::*;
use crate::drift::plan::Memory;
use crate::drift::plan::tests::{grant, planned, said, wanted};
use crate::policy::target::Defaults;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn target(n: usize) -> Target {
    let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:f{n}");
    Target::parse(&arn, None, &Defaults::default()).unwrap()
}

/// A plan that takes away so many statements.
fn narrows(n: usize) -> Plan {
    let keep = grant("keep", "k");
    let mut live = vec![said(&keep)];
    live.extend((0..n).map(|it| said(&grant(&format!("rogue-{it}"), &format!("b{it}")))));
    planned(&wanted(vec![keep]), &live, &Memory::default())
}

fn judge(ledger: &mut Ledger, counts: &[usize], limits: &Limits, of: usize, now: i64) -> Judgement {
    let plans: Vec<(Target, Plan)> =
        counts.iter().enumerate().map(|(at, n)| (target(at), narrows(*n))).collect();
    let nobody = Decisions::default();
    let plans = plans.iter().map(|(target, plan)| (target, plan, &nobody));
    ledger.judge(plans, limits, of, at(now))
}

const TWO: Limits = Limits { max_revocations: Some(2), max_changed_targets: None };
const SHARE: Limits = Limits { max_revocations: None, max_changed_targets: Some(0.3) };

#[test]
fn up_to_the_limit_and_not_beyond() {
    let beyond = |wanted, done| Some(Reason::MaxRevocations { wanted, done, limit: 2 });
    let fresh = |counts: &[usize]| judge(&mut Ledger::default(), counts, &TWO, 3, 0).beyond;
    assert_eq!(fresh(&[2]), None);
    assert_eq!(fresh(&[1, 1]), None);
    assert_eq!(fresh(&[3]), beyond(3, 0));
    assert_eq!(fresh(&[2, 1]), beyond(3, 0), "all targets together");
    let mut ledger = Ledger::default();
    assert_eq!(judge(&mut ledger, &[1], &TWO, 3, 0).beyond, None);
    ledger.settle(&target(0), 1, 1, at(0));
    assert_eq!(judge(&mut ledger, &[2], &TWO, 3, 3599).beyond, beyond(2, 1));
    assert_eq!(judge(&mut ledger, &[2], &TWO, 3, 3600).beyond, None, "an hour later");
    assert_eq!(judge(&mut Ledger::default(), &[99], &Limits::UNLIMITED, 3, 0).beyond, None);
}

#[test]
fn what_was_cleared_counts_until_it_is_settled() {
    let mut ledger = Ledger::default();
    assert_eq!(judge(&mut ledger, &[2], &TWO, 3, 0).beyond, None);
    let beside = judge(&mut ledger, &[1], &TWO, 3, 0).beyond;
    assert_eq!(beside, Some(Reason::MaxRevocations { wanted: 1, done: 2, limit: 2 }));
    // What one pass settles, another one does not.
    ledger.settle(&target(0), 2, 0, at(1));
    let beside = judge(&mut ledger, &[1], &TWO, 3, 0).beyond;
    assert_eq!(beside, Some(Reason::MaxRevocations { wanted: 1, done: 2, limit: 2 }));
    // It came to nothing: somebody else had done it.
    ledger.settle(&target(0), 1, 0, at(1));
    assert_eq!(judge(&mut ledger, &[2], &TWO, 3, 1).beyond, None);
}

#[test]
fn nothing_to_take_away_is_within_every_limit() {
    let mut ledger = Ledger::default();
    ledger.settle(&target(0), 1, 99, at(0));
    assert_eq!(judge(&mut ledger, &[0, 0], &TWO, 3, 0).beyond, None);
    assert!(judge(&mut ledger, &[0], &TWO, 3, 0).seen.is_empty());
}

#[test]
fn a_share_of_targets_from_ten_on() {
    let fresh = |counts: &[usize], of| judge(&mut Ledger::default(), counts, &SHARE, of, 0).beyond;
    assert_eq!(fresh(&[9, 9, 9], 10), None, "three of ten");
    let beyond =
        |changed, targets| Some(Reason::MaxChangedTargets { changed, targets, percent: 30 });
    assert_eq!(fresh(&[1, 1, 1, 1], 10), beyond(4, 10));
    assert_eq!(fresh(&[1; 9], 9), None, "a share of nine says nothing");
    let mut ledger = Ledger::default();
    for n in 5..8 {
        ledger.settle(&target(n), 1, 1, at(0));
    }
    assert_eq!(
        judge(&mut ledger, &[1], &SHARE, 10, 60).beyond,
        beyond(4, 10),
        "with the hour before"
    );
    let mut ledger = Ledger::default();
    for _ in 0..4 {
        ledger.settle(&target(0), 1, 1, at(0));
    }
    assert_eq!(judge(&mut ledger, &[1], &SHARE, 10, 60).beyond, None, "the same target again");
}

#[test]
fn what_was_said_yes_to_is_not_asked_about() {
    let (target, plan) = (target(0), narrows(3));
    let yes = Approval::of([(&target, &plan)], |it| it.drift.sid.as_deref() != Some("rogue-2"));
    let decisions = Decisions { approved: vec![yes], ..Decisions::default() };
    let mut ledger = Ledger::default();
    let judgement = ledger.judge([(&target, &plan, &decisions)].into_iter(), &TWO, 3, at(0));
    assert_eq!((judgement.beyond, judgement.seen.len()), (None, 1));
}
