//! How narrowing adds up.

use super::*;
use crate::drift::plan::Memory;
use crate::drift::plan::tests::{grant, planned, said, wanted};
use crate::policy::grant::Grant;
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

fn took(narrowing: usize) -> Used {
    Used { narrowing, by_rules: 0 }
}

/// A plan in which a rule adds so many statements, and so many are added by themselves.
fn widens(by_rule: usize, alone: usize) -> Plan {
    let of_rule = |it: usize| Grant {
        rule: Some("name: orders-*".into()),
        ..grant(&format!("rule-{it}"), &format!("r{it}"))
    };
    let grants = (0..by_rule).map(of_rule);
    let grants = (0..alone).map(|it| grant(&format!("own-{it}"), &format!("o{it}"))).chain(grants);
    planned(&wanted(grants.collect()), &[], &Memory::default())
}

fn judge_plans(ledger: &mut Ledger, plans: Vec<Plan>, of: usize, now: i64) -> Judgement {
    let plans: Vec<(Target, Plan)> =
        plans.into_iter().enumerate().map(|(at, it)| (target(at), it)).collect();
    let nobody = Decisions::default();
    ledger.judge(plans.iter().map(|(target, it)| (target, it, &nobody)), &SHARE, of, at(now))
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
    ledger.settle(&target(0), 1, took(1), at(0));
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
    ledger.settle(&target(0), 2, took(0), at(1));
    let beside = judge(&mut ledger, &[1], &TWO, 3, 0).beyond;
    assert_eq!(beside, Some(Reason::MaxRevocations { wanted: 1, done: 2, limit: 2 }));
    // It came to nothing: somebody else had done it.
    ledger.settle(&target(0), 1, took(0), at(1));
    assert_eq!(judge(&mut ledger, &[2], &TWO, 3, 1).beyond, None);
}

#[test]
fn nothing_to_take_away_is_within_every_limit() {
    let mut ledger = Ledger::default();
    ledger.settle(&target(0), 1, took(99), at(0));
    assert_eq!(judge(&mut ledger, &[0, 0], &TWO, 3, 0).beyond, None);
    assert!(judge(&mut ledger, &[0], &TWO, 3, 0).seen.is_empty());
}

#[test]
fn a_share_of_targets_from_ten_on() {
    let fresh = |counts: &[usize], of| judge(&mut Ledger::default(), counts, &SHARE, of, 0).beyond;
    assert_eq!(fresh(&[9, 9, 9], 10), None, "three of ten");
    let beyond = |changed, targets| {
        Some(Reason::MaxChangedTargets { by_rules: false, changed, targets, percent: 30 })
    };
    assert_eq!(fresh(&[1, 1, 1, 1], 10), beyond(4, 10));
    assert_eq!(fresh(&[1; 9], 9), None, "a share of nine says nothing");
    let mut ledger = Ledger::default();
    for n in 5..8 {
        ledger.settle(&target(n), 1, took(1), at(0));
    }
    assert_eq!(
        judge(&mut ledger, &[1], &SHARE, 10, 60).beyond,
        beyond(4, 10),
        "with the hour before"
    );
    let mut ledger = Ledger::default();
    for _ in 0..4 {
        ledger.settle(&target(0), 1, took(1), at(0));
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

#[test]
fn what_rules_add_is_a_share_of_the_targets_too() {
    let fresh = |plans: Vec<Plan>, of| judge_plans(&mut Ledger::default(), plans, of, 0);
    let beyond = |changed, targets| {
        Some(Reason::MaxChangedTargets { by_rules: true, changed, targets, percent: 30 })
    };
    let of_rule = |n: usize| vec![widens(1, 0); n];
    assert_eq!(fresh(of_rule(3), 10).rules_beyond, None, "three of ten");
    assert_eq!(fresh(of_rule(4), 10).rules_beyond, beyond(4, 10));
    assert_eq!(fresh(of_rule(9), 9).rules_beyond, None, "a share of nine says nothing");
    assert_eq!(fresh(vec![widens(0, 9); 10], 10).rules_beyond, None, "nobody's rule");
    assert_eq!(fresh(vec![widens(9, 9)], 10).rules_beyond, None, "many of one target");
    assert_eq!(fresh(of_rule(4), 10).beyond, None, "nothing is taken away");
    // Each by its own measure.
    let both: Vec<Plan> = of_rule(3).into_iter().chain(vec![narrows(1); 3]).collect();
    let judged = fresh(both, 10);
    assert_eq!((judged.beyond, judged.rules_beyond), (None, None));
    assert_eq!(judged.seen.len(), 6);
}

#[test]
fn what_rules_added_counts_for_an_hour() {
    let one = || vec![widens(1, 0)];
    let mut ledger = Ledger::default();
    for n in 1..4 {
        ledger.settle(&target(n), 1, Used { narrowing: 0, by_rules: 1 }, at(0));
    }
    let beyond =
        Some(Reason::MaxChangedTargets { by_rules: true, changed: 4, targets: 10, percent: 30 });
    assert_eq!(judge_plans(&mut ledger, one(), 10, 3599).rules_beyond, beyond);
    let narrowing = judge_plans(&mut ledger, vec![narrows(1)], 10, 3599);
    assert_eq!((narrowing.beyond, narrowing.rules_beyond), (None, None), "the other measure");
    assert_eq!(judge_plans(&mut ledger, one(), 10, 3600).rules_beyond, None, "an hour later");
    // What was cleared and is not settled yet counts, too.
    let mut ledger = Ledger::default();
    assert_eq!(judge_plans(&mut ledger, vec![widens(1, 0); 3], 10, 0).rules_beyond, None);
    let others = [widens(0, 0), widens(0, 0), widens(0, 0), widens(1, 0)];
    assert_eq!(judge_plans(&mut ledger, others.to_vec(), 10, 0).rules_beyond, beyond);
    ledger.settle(&target(0), 1, Used::default(), at(1));
    assert_eq!(judge_plans(&mut ledger, others.to_vec(), 10, 2).rules_beyond, None);
}

/// What a rule changes may be everything there is, and each target is settled by itself: this ends within a second,
/// and not within minutes.
#[test]
fn a_roll_out_to_very_many_targets_is_settled_one_by_one() {
    let targets: Vec<Target> = (0..50_000).map(target).collect();
    let mut account = Account::default();
    account.clear(1, targets.iter().collect());
    account.clear(2, targets.iter().chain(&targets).collect());
    assert_eq!((account.n_steps(), account.n_targets_with(&[])), (150_000, 50_000));
    for it in &targets {
        account.settle(it, 1, 1, at(0));
    }
    assert_eq!(
        (account.n_steps(), account.done.len()),
        (150_000, 50_000),
        "the other pass is not through"
    );
    for it in &targets {
        account.settle(it, 2, 0, at(0));
    }
    assert_eq!((account.n_steps(), account.done.len()), (50_000, 50_000));
}
