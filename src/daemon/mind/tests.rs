//! What is kept in mind: offers, approvals, pauses.

use super::*;
use crate::drift::approval::{Approval, Entry};
use crate::drift::outcome::{Done, State};
use crate::drift::plan::tests::{grant, planned, said, target, wanted};
use crate::drift::plan::{Memory, Step};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

const A_DAY: i64 = 24 * 60 * 60;

fn entry(sid: &str) -> Entry {
    let before = Some("{}".to_owned());
    Entry { target: target().arn(), sid: sid.to_owned(), before, after: None }
}

fn offered(mind: &Mind, sids: &[&str], now: i64) -> String {
    mind.offer(Approval::new(sids.iter().map(|it| entry(it))), at(now)).unwrap()
}

fn approved(mind: &Mind, now: i64) -> usize {
    mind.decisions(&wanted(Vec::new()), None, at(now)).approved.iter().map(Approval::len).sum()
}

/// A conversation that did this.
fn outcome(entries: Vec<Entry>, result: StepResult) -> Outcome {
    let keep = grant("keep", "k");
    let plan = planned(
        &wanted(vec![keep.clone()]),
        &[said(&keep), said(&grant("x", "x"))],
        &Memory::default(),
    );
    let step: Step = plan.steps[0].clone();
    Outcome {
        target: target(),
        state: State::InSync,
        trouble: None,
        found: None,
        left: None,
        done: vec![Done {
            step,
            result,
            entries,
            limited: false,
            by_rule: false,
            opened_gap: false,
            with_last: false,
        }],
    }
}

#[test]
fn a_yes_is_said_with_the_beginning_of_a_digest() {
    let mind = Mind::default();
    assert_eq!(mind.offer(Approval::default(), at(0)), None, "nothing is held");
    let digest = offered(&mind, &["a", "b"], 0);
    assert_eq!(
        mind.approve("0000000000000000", at(1)),
        Err(NoOffer::Unknown(vec![digest.clone()]))
    );
    assert_eq!(approved(&mind, 1), 0);
    assert_eq!(mind.approve(&digest[..LEAST_DIGEST], at(1)).unwrap().len(), 2);
    assert_eq!(approved(&mind, 1), 2);
}

#[test]
fn nobody_is_asked_about_what_is_not_held_any_more() {
    let mind = Mind::default();
    let digest = offered(&mind, &["a", "b"], 0);
    let digests = || mind.offers(at(1)).into_iter().map(|it| it.digest).collect::<Vec<String>>();
    let mut seen = outcome(Vec::new(), StepResult::Done);
    let held = Approval::new([entry("b")]);
    mind.only_held(std::slice::from_ref(&seen), &Approval::default());
    assert_eq!(digests(), [digest.as_str()], "it could not be read");
    seen.left = Some(Arc::new(planned(&wanted(Vec::new()), &[], &Memory::default())));
    mind.only_held(std::slice::from_ref(&seen), &held);
    assert_eq!(digests(), [digest.as_str()], "one of them still is");
    assert_eq!(mind.approve(&digest, at(1)), Ok(held));
    let digest = offered(&mind, &["a"], 2);
    mind.only_held(&[seen], &Approval::default());
    assert_eq!(mind.approve(&digest, at(2)), Err(NoOffer::Unknown(Vec::new())));
}

#[test]
fn a_beginning_of_several_digests_is_told() {
    let mind = Mind::default();
    let digests = [offered(&mind, &["a"], 0), offered(&mind, &["b"], 0)];
    let same = offered(&mind, &["a"], 1);
    assert_eq!(same, digests[0], "the same is offered once");
    let Err(NoOffer::Ambiguous(mut several)) = mind.approve("", at(1)) else { panic!() };
    several.sort_unstable();
    let mut expected = digests.to_vec();
    expected.sort_unstable();
    assert_eq!(several, expected);
}

#[test]
fn a_yes_is_used_once() {
    let mind = Mind::default();
    let digest = offered(&mind, &["a", "b"], 0);
    mind.approve(&digest, at(0)).unwrap();
    mind.settle(
        &outcome(vec![entry("a")], StepResult::Refused("no".to_owned())),
        1,
        Used::default(),
        at(1),
    );
    assert_eq!(approved(&mind, 1), 2, "what was refused was not used");
    mind.settle(&outcome(vec![entry("a")], StepResult::Done), 1, Used::default(), at(1));
    assert_eq!(approved(&mind, 1), 1);
    mind.settle(&outcome(vec![entry("b")], StepResult::Done), 1, Used::default(), at(1));
    assert!(mind.decisions(&wanted(Vec::new()), None, at(1)).approved.is_empty());
}

#[test]
fn a_yes_and_an_offer_are_gone_after_a_day() {
    let mind = Mind::default();
    let digest = offered(&mind, &["a"], 0);
    mind.approve(&digest, at(10)).unwrap();
    assert_eq!(approved(&mind, A_DAY + 9), 1);
    assert_eq!(approved(&mind, A_DAY + 10), 0);
    assert_eq!(mind.approve(&digest, at(A_DAY)), Err(NoOffer::Unknown(Vec::new())));
}

fn pause(target: Option<String>, until: Option<i64>, wanted: Option<String>) -> Pause {
    Pause { target, since: at(0), until: until.map(at), wanted, reason: "undo".to_owned() }
}

fn paused(mind: &Mind, wanted: &Wanted, now: i64) -> Option<String> {
    mind.decisions(wanted, None, at(now)).paused
}

#[test]
fn pauses_end_by_time_by_other_files_or_by_word() {
    let wants = wanted(vec![grant("s3", "new")]);
    let later = wanted(vec![grant("s3", "later")]);
    let arn = target().arn();
    let text = |it: &str| Some(format!("undo, until {it}"));

    let mind = Mind::new(vec![pause(None, Some(60), None)]);
    assert_eq!(paused(&mind, &wants, 59), text("1970-01-01T00:01:00Z"));
    assert_eq!(mind.next_resume(at(0)), Some(at(60)));
    assert_eq!(paused(&mind, &wants, 60), None);
    assert!(mind.pauses(at(60)).is_empty());

    let mind = Mind::new(vec![pause(Some(arn.clone()), None, Some(wants.fingerprint()))]);
    assert_eq!(paused(&mind, &wants, 9), text("its files change"));
    assert_eq!(paused(&mind, &later, 9), None);

    let mind = Mind::default();
    mind.pause(pause(Some("arn:of:another".to_owned()), None, None));
    assert_eq!(paused(&mind, &wants, 0), None);
    mind.pause(pause(Some(arn.clone()), None, None));
    mind.pause(pause(Some(arn.clone()), Some(99), None));
    assert_eq!(mind.pauses(at(0)).len(), 2, "one of each target");
    assert!(mind.resume(Some(&arn)));
    assert!(!mind.resume(Some(&arn)), "there is none any more");
    assert_eq!(paused(&mind, &wants, 0), None);
    mind.pause(pause(None, None, None));
    assert_eq!(paused(&mind, &wants, 0), text("somebody resumes it"));
    assert!(mind.resume(None));
    assert!(mind.pauses(at(0)).is_empty(), "all of them");
}

#[test]
fn a_fingerprint_names_wishes_and_not_places() {
    let wants = wanted(vec![grant("s3", "new")]);
    let mut moved = wants.clone();
    moved.source = crate::drift::plan::tests::source(99);
    for it in &mut moved.grants {
        it.source = moved.source.clone();
        it.description = Some("another text".to_owned());
    }
    assert_eq!(moved.fingerprint(), wants.fingerprint());
    let suspended = Wanted { suspend: true, ..wants.clone() };
    assert_ne!(suspended.fingerprint(), wants.fingerprint());
}

#[test]
fn what_is_not_managed_is_forgotten() {
    let mind = Mind::default();
    let mut memory = TargetMemory::default();
    memory.repaired("s3", "new".to_owned(), at(0));
    mind.learn(&target(), memory.clone());
    mind.keep_only(&[wanted(Vec::new())]);
    assert_eq!(mind.memory_of(&target()), memory);
    mind.keep_only(&[]);
    assert!(mind.memory_of(&target()).is_empty());
}

/// Nothing new has to be kept of a target that is as it was; anything else is told as it is now.
#[test]
fn a_quiet_plan_stays_the_one_that_is_known() {
    let mind = Mind::default();
    let mut memory = TargetMemory::default();
    memory.believes(Some("r1"), at(0));
    let keep = grant("keep", "k");
    let concluded = |live: &[_]| {
        let plan = planned(&wanted(vec![keep.clone()]), live, &Memory::default());
        let new = Arc::new(plan);
        let plan = Some(Arc::clone(&new));
        let (found, left, done) = (plan.clone(), plan, Vec::new());
        let mut outcome =
            Outcome { target: target(), state: State::InSync, trouble: None, found, left, done };
        mind.conclude(memory.clone(), &mut outcome);
        assert_eq!((outcome.found.as_deref(), outcome.left.as_deref()), (Some(&*new), Some(&*new)));
        (new, outcome.left.unwrap())
    };
    let in_sync = [said(&keep)];
    let (first, kept) = concluded(&in_sync);
    assert!(first.is_quiet() && Arc::ptr_eq(&first, &kept));
    let (again, kept) = concluded(&in_sync);
    assert!(Arc::ptr_eq(&first, &kept) && !Arc::ptr_eq(&first, &again));
    let (drifted, kept) = concluded(&[]);
    assert!(!drifted.is_quiet() && Arc::ptr_eq(&drifted, &kept));
    let (back, kept) = concluded(&in_sync);
    assert!(Arc::ptr_eq(&back, &kept), "what was in between is not quiet");
}
