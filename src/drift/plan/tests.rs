//! What a plan makes of each kind of drift: effects, phases, order, size.

use super::*;
use crate::drift::allow::{Mode, Ownership, Replace, Writer};
use crate::drift::diff::Kind;
use crate::drift::wanted::AbsentSid;
use crate::policy::{
    grant::{Draft, Permission},
    size::LIMIT,
    source::Source,
    target::Defaults,
};

const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
const BRIDGE: &str = "s3-permitd-871a7b0d";
const ORPHAN: &str = r#"{"Sid":"app","Effect":"Allow","Principal":{"AWS":"AROASNV5YASAZHWFURF3I"},"Action":"lambda:InvokeFunction","Resource":"F"}"#;
const DENY: &str = r#"{"Sid":"no","Effect":"Deny","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"F"}"#;

pub(crate) fn target() -> Target {
    Target::parse(FN, None, &Defaults::default()).unwrap()
}

pub(crate) fn source(line: u32) -> Source {
    Source { file: "p.yaml".into(), line, column: 1 }
}

/// `s3 may invoke, from this bucket`
pub(crate) fn grant(sid: &str, bucket: &str) -> Grant {
    let arn = format!("arn:aws:s3:::{bucket}");
    let principal = "s3.amazonaws.com";
    let draft = Draft { sid, principal, source_arn: Some(&arn), ..Draft::default() };
    let permission = draft.check("aws").unwrap();
    let (expires, description) = (None, None);
    let accept = Vec::new();
    Grant {
        sid: sid.to_owned(),
        terms: permission.into(),
        expires,
        accept,
        description,
        source: source(1),
        rule: None,
    }
}

pub(crate) fn wanted(grants: Vec<Grant>) -> Wanted {
    Wanted {
        target: target(),
        ownership: Ownership::All,
        grants,
        absent: Vec::new(),
        suspend: false,
        replace: Replace::Bridge,
        writer: Writer::Statements,
        compact: false,
        source: source(1),
    }
}

pub(crate) fn live(statements: &[String]) -> Document {
    let statements = statements.join(",");
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Document::parse(text, "r1".to_owned(), &target()).unwrap()
}

/// As Lambda writes it.
pub(crate) fn said(grant: &Grant) -> String {
    grant.terms.statement_text(&grant.sid, &target())
}

fn text(statement: &str) -> String {
    statement.replace("\"F\"", &format!("\"{FN}\""))
}

pub(crate) fn planned(wanted: &Wanted, statements: &[String], memory: &Memory) -> Plan {
    let rules = Rules::default();
    plan(wanted, Some(&live(statements)), &rules, memory, Timestamp::UNIX_EPOCH)
}

/// What does not change from case to case.
fn sure() -> Memory {
    Memory { confirmed: vec![text(ORPHAN)], ..Memory::default() }
}

/// `add s3 widens`, with `late` for what waits for the judgement.
fn words(plan: &Plan) -> Vec<String> {
    let word = |it: &Step| {
        let action = match it.action {
            Action::Add(_) => "add",
            Action::Put(_) => "put",
            Action::Remove => "remove",
        };
        let late = if it.late { " late" } else { "" };
        format!("{action} {} {}{late}", it.sid, it.effect.name())
    };
    plan.steps.iter().map(word).collect()
}

type Case<'a> = (Kind, Vec<Grant>, Vec<String>, &'a [&'a str]);

/// Of each kind: who is granted, who is live, and what is done about it.
#[test]
fn every_kind_has_its_effect_and_its_phase() {
    let (new, old, keep) = (grant("s3", "new"), grant("s3", "old"), grant("keep", "keep"));
    let mut ran_out = new.clone();
    ran_out.expires = Some(Timestamp::UNIX_EPOCH);
    let under = |sid: &str| said(&Grant { sid: sid.to_owned(), ..new.clone() });
    let app = grant("app", "new");
    let cases: Vec<Case<'_>> = vec![
        (Kind::Missing, vec![new.clone()], vec![], &["add s3 widens"]),
        (
            Kind::Changed,
            vec![new.clone()],
            vec![said(&old)],
            &[
                "add s3-permitd-871a7b0d widens late",
                "remove s3 narrows late",
                "add s3 neutral late",
                "remove s3-permitd-871a7b0d neutral late",
            ],
        ),
        (
            Kind::Renamed,
            vec![new.clone()],
            vec![under("x")],
            &["add s3 neutral", "remove x neutral"],
        ),
        (Kind::Duplicate, vec![new.clone()], vec![said(&new), under("x")], &["remove x neutral"]),
        (Kind::Unmanaged, vec![], vec![said(&old)], &["remove s3 narrows late"]),
        (Kind::Unmanaged, vec![], vec![text(DENY)], &[]),
        (Kind::Orphaned, vec![], vec![text(ORPHAN)], &["remove app neutral"]),
        (Kind::Orphaned, vec![app], vec![text(ORPHAN)], &["remove app neutral", "add app widens"]),
        (Kind::Expired, vec![ran_out], vec![said(&new)], &["remove s3 narrows late"]),
        (
            Kind::Leftover,
            vec![new.clone()],
            vec![said(&new), under(BRIDGE)],
            &["remove s3-permitd-871a7b0d neutral"],
        ),
    ];
    let rules = Rules { remove_inexpressible: true, ..Rules::default() };
    for (kind, mut grants, mut statements, expected) in cases {
        grants.push(keep.clone());
        grants.sort_by(|a, b| a.sid.cmp(&b.sid));
        statements.push(said(&keep));
        let live = live(&statements);
        let plan = plan(&wanted(grants), Some(&live), &rules, &sure(), Timestamp::UNIX_EPOCH);
        let kinds: Vec<Kind> = plan.drift.iter().map(|it| it.drift.kind).collect();
        assert_eq!(kinds, [kind]);
        assert_eq!(words(&plan), expected, "{kind:?}");
    }
    let keep_and_absent = Wanted {
        absent: vec![AbsentSid { sid: "x".to_owned(), source: source(2) }],
        ..wanted(vec![keep.clone()])
    };
    let plan = planned(&keep_and_absent, &[said(&keep), under("x")], &Memory::default());
    assert_eq!(
        (plan.drift[0].drift.kind, words(&plan)),
        (Kind::Absent, vec!["remove x narrows late".to_owned()])
    );
}

#[test]
fn the_order_is_orphans_additions_replacements_neutral_removals_narrowing() {
    let (keep, twice) = (grant("keep", "keep"), grant("twice", "keep"));
    let wants = wanted(vec![keep.clone(), grant("new", "n"), grant("s3", "new")]);
    let rogue = grant("rogue", "theirs");
    let live = [said(&rogue), said(&twice), said(&grant("s3", "old")), said(&keep), text(ORPHAN)];
    assert_eq!(
        words(&planned(&wants, &live, &sure())),
        [
            "remove app neutral",
            "add new widens",
            "add s3-permitd-871a7b0d widens late",
            "remove s3 narrows late",
            "add s3 neutral late",
            "remove s3-permitd-871a7b0d neutral late",
            "remove twice neutral",
            "remove rogue narrows late",
        ]
    );
    // What is open goes first of all that can be added.
    let memory = Memory { open_gap: Some("s3".to_owned()), ..sure() };
    let plan = planned(&wants, &[said(&keep)], &memory);
    assert_eq!(words(&plan), ["add s3 widens", "add new widens"]);
}

/// A filler that leaves exactly so many bytes once the statement stands beside it.
fn filled(statement: &str, free: usize) -> Vec<String> {
    let bare = grant("fill", "").terms.plain().unwrap().clone();
    let filler = |name: &str| {
        let source_arn = Some(format!("arn:aws:s3:::{name}"));
        let terms = Permission { source_arn, ..bare.clone() }.into();
        said(&Grant { terms, ..grant("fill", "") })
    };
    let used = size::of_document(Some(&live(&[filler(""), statement.to_owned()])));
    vec![filler(&"x".repeat(LIMIT - used - free)), statement.to_owned()]
}

fn declared(grants: Vec<Grant>) -> Wanted {
    Wanted { ownership: Ownership::Declared, ..wanted(grants) }
}

#[test]
fn a_bridge_is_built_up_to_the_very_limit() {
    let (new, old) = (grant("s3", "new"), grant("s3", "old"));
    let bridge = new.terms.statement_text(BRIDGE, &target());
    let needed = bridge.len() + 1;
    for (free, how) in [(needed, How::Bridged), (needed - 1, How::Gap)] {
        let live = filled(&said(&old), free);
        let plan = planned(&declared(vec![new.clone()]), &live, &Memory::default());
        assert_eq!(plan.drift[0].how, how, "{free} bytes free of {needed}");
    }
    // Settings and Lambda's word ask for a gap where there is room, a stand-in needs none.
    let direct = Wanted { replace: Replace::Direct, ..wanted(vec![new.clone()]) };
    let full = Memory { unbridgeable: vec!["s3".to_owned()], ..Memory::default() };
    let stand_in = [said(&old), said(&Grant { sid: "x".to_owned(), ..new.clone() })];
    let plans = [
        (planned(&direct, &[said(&old)], &Memory::default()), How::Gap),
        (planned(&wanted(vec![new.clone()]), &[said(&old)], &full), How::Gap),
        (planned(&wanted(vec![new]), &stand_in, &full), How::Bridged),
    ];
    for (plan, how) in plans {
        assert_eq!(plan.drift[0].how, how);
    }
}

#[test]
fn an_addition_fits_up_to_the_very_limit() {
    let (new, old) = (grant("new", "n"), grant("s3", "old"));
    let needed = said(&new).len() + 1;
    for (free, held) in [(needed, None), (needed - 1, Some(Reason::TooLarge { size: LIMIT + 1 }))] {
        let live = filled(&said(&old), free);
        let plan = planned(&declared(vec![new.clone(), old.clone()]), &live, &Memory::default());
        assert_eq!(plan.drift[0].held, held);
    }
}

#[test]
fn what_fits_only_after_a_removal_comes_after_it_and_waits_with_it() {
    let (new, old) = (grant("new", "n"), grant("old", "o"));
    let live = filled(&said(&old), 0);
    let mut wants = declared(vec![new]);
    wants.absent = vec![AbsentSid { sid: "old".to_owned(), source: source(2) }];
    let plan = planned(&wants, &live, &Memory::default());
    assert_eq!(words(&plan), ["remove old narrows late", "add new widens late"]);
}

#[test]
fn limits_are_asked_of_what_nothing_else_holds() {
    let (keep, rogue) = (grant("keep", "k"), grant("rogue", "r"));
    let statements = [said(&keep), said(&rogue)];
    let judged = |seen: Approval, beyond: Option<Reason>| {
        let clearance =
            Clearance::Judged(Arc::new(Judgement { pass: 1, seen, beyond, rules_beyond: None }));
        Memory { decisions: Decisions { clearance, ..Decisions::default() }, ..Memory::default() }
    };
    let wants = wanted(vec![keep.clone()]);
    let first = planned(&wants, &statements, &Memory::default());
    let seen = || Approval::of([(&target(), &first)], |_| true);
    let limit = Reason::MaxRevocations { wanted: 1, done: 0, limit: 0 };
    let held = |memory: &Memory, wants: &Wanted, statements: &[String]| {
        planned(wants, statements, memory).drift[0].held.clone()
    };
    assert_eq!(held(&judged(seen(), None), &wants, &statements), None);
    assert_eq!(
        held(&judged(seen(), Some(limit.clone())), &wants, &statements),
        Some(limit.clone())
    );
    let unseen = judged(Approval::default(), None);
    assert_eq!(held(&unseen, &wants, &statements), Some(Reason::NotJudged));
    let mut approved = judged(seen(), Some(limit));
    approved.decisions.approved = vec![seen()];
    assert_eq!(held(&approved, &wants, &statements), None, "somebody said yes");
    // The last Allow was never among what is judged.
    let nothing = wanted(Vec::new());
    let last = [said(&rogue)];
    assert_eq!(held(&Memory::default(), &nothing, &last), Some(Reason::LastAllow));
    assert_eq!(held(&unseen, &nothing, &last), Some(Reason::LastAllow));
    let free = Decisions { clearance: Clearance::Free, ..Decisions::default() };
    let free = Memory { decisions: free, ..Memory::default() };
    assert_eq!(held(&free, &nothing, &last), None, "an undo asks nobody");
}

#[test]
fn additive_holds_a_replacement_whole_and_what_is_not_journalled_is_not_taken_away() {
    let (new, old) = (grant("s3", "new"), grant("s3", "old"));
    let live = live(&[said(&old)]);
    let rules = Rules { mode: Mode::Additive, ..Rules::default() };
    let now = Timestamp::UNIX_EPOCH;
    let wants = wanted(vec![grant("a", "a"), new]);
    let plan = plan(&wants, Some(&live), &rules, &Memory::default(), now);
    assert_eq!(words(&plan), ["add a widens"]);
    let no_journal = Some("full".to_owned());
    let decisions = Decisions { no_journal, ..Decisions::default() };
    let memory = Memory { decisions, ..Memory::default() };
    let plan = planned(&wants, &[said(&old)], &memory);
    assert_eq!(words(&plan), ["add a widens"]);
    let held: Vec<&Reason> = plan.holds().map(|(_, it)| it).collect();
    assert_eq!(held, [&Reason::NoJournal("full".to_owned())]);
}

fn of_rule(grant: Grant) -> Grant {
    Grant { rule: Some("name: orders-*".into()), ..grant }
}

#[test]
fn what_a_rule_adds_waits_for_the_limits_and_so_does_what_waits_for_it() {
    let rule = of_rule(grant("rule", "r"));
    let wants = wanted(vec![grant("own", "o"), rule.clone()]);
    let plan = planned(&wants, &[], &Memory::default());
    assert_eq!(words(&plan), ["add own widens", "add rule widens late"]);
    assert_eq!(plan.judged().count(), 1);
    // The same under two other Sids: one is its old name, so nobody gains anything.
    let live = [said(&grant("a", "r"))];
    let plan = planned(&wanted(vec![rule.clone()]), &live, &Memory::default());
    assert_eq!(words(&plan), ["add rule neutral", "remove a neutral"]);
    // A policy that only has an orphan under its Sid: it goes, and comes back, only after the limits were asked.
    let wants = wanted(vec![of_rule(grant("app", "app"))]);
    let plan = planned(&wants, &[text(ORPHAN)], &sure());
    assert_eq!(words(&plan), ["remove app neutral late", "add app widens late"]);
    // Another statement says it, so nobody gains anything, though it is not ours.
    let twin = declared(vec![of_rule(grant("rule", "r"))]);
    let plan = planned(&twin, &[said(&grant("theirs", "r"))], &Memory::default());
    assert_eq!((words(&plan), plan.judged().count()), (vec!["add rule widens".to_owned()], 0));
    // A replacement was begun: it is finished.
    let memory = Memory { open_gap: Some("rule".to_owned()), ..Memory::default() };
    let plan = planned(&wanted(vec![rule]), &[], &memory);
    assert_eq!((words(&plan), plan.judged().count()), (vec!["add rule widens".to_owned()], 0));
}

#[test]
fn what_a_rule_adds_is_held_beyond_the_limit_and_nothing_else_is() {
    let (own, rule) = (grant("own", "o"), of_rule(grant("rule", "r")));
    let wants = wanted(vec![own, rule]);
    let rogue = [said(&grant("rogue", "x"))];
    let first = planned(&wants, &rogue, &Memory::default());
    let seen = || Approval::of([(&target(), &first)], |_| true);
    let limit = Reason::MaxChangedTargets { by_rules: true, changed: 9, targets: 10, percent: 30 };
    let judged = |seen: Approval| Judgement {
        pass: 1,
        seen,
        beyond: None,
        rules_beyond: Some(limit.clone()),
    };
    let with = |judgement: Judgement, approved: Vec<Approval>| {
        let clearance = Clearance::Judged(Arc::new(judgement));
        let decisions = Decisions { clearance, approved, ..Decisions::default() };
        planned(&wants, &rogue, &Memory { decisions, ..Memory::default() })
    };
    let holds = |plan: &Plan| -> Vec<(Option<String>, Reason)> {
        plan.holds().map(|(it, why)| (it.drift.sid.clone(), why.clone())).collect()
    };
    let held = with(judged(seen()), Vec::new());
    assert_eq!(holds(&held), [(Some("rule".to_owned()), limit.clone())]);
    assert_eq!(words(&held), ["add own widens", "remove rogue narrows late"]);
    let unseen = Judgement { rules_beyond: None, ..judged(Approval::default()) };
    let late: Vec<Reason> = holds(&with(unseen, Vec::new())).into_iter().map(|it| it.1).collect();
    assert_eq!(late, [Reason::NotJudged, Reason::NotJudged]);
    assert_eq!(holds(&with(judged(seen()), vec![seen()])), [], "somebody said yes");
}
