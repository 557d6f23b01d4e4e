//! What is remembered of a target, and for how long.

use super::*;
use crate::drift::plan::tests::{grant, live, said};

const ORPHAN: &str = r#"{"Sid":"app","Effect":"Allow","Principal":{"AWS":"AROASNV5YASAZHWFURF3I"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f"}"#;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

#[test]
fn sixteen_superseded_revisions_are_remembered() {
    let mut memory = TargetMemory::default();
    for n in 0..=17 {
        assert!(memory.believes(Some(&format!("r{n}")), at(n)), "r{n} is new");
    }
    for n in 1..=16 {
        assert!(!memory.believes(Some(&format!("r{n}")), at(99)), "r{n} was replaced");
    }
    assert!(memory.believes(Some("r17"), at(99)), "the last one still holds");
    assert!(memory.believes(Some("r0"), at(99)), "seventeen back is forgotten");
}

#[test]
fn what_our_own_write_replaced_is_not_doubted() {
    let mut memory = TargetMemory::default();
    assert!(memory.believes(Some("r1"), at(0)));
    memory.wrote(Some("r1"), true, at(0));
    assert!(memory.believes(Some("r2"), at(0)));
    assert!(memory.believes(Some("r3"), at(0)));
    assert!(!memory.believes(Some("r2"), at(0)), "another writer replaced it");
    memory.doubt();
    assert!(memory.believes(Some("r2"), at(0)), "perhaps r3 was the stale one");
    assert!(!memory.believes(Some("r1"), at(0)), "this was certain");
}

#[test]
fn a_missing_policy_is_stale_for_thirty_seconds_after_our_addition() {
    let mut memory = TargetMemory::default();
    assert!(memory.believes(None, at(0)), "nothing was added");
    memory.wrote(None, true, at(0));
    assert!(!memory.believes(None, at(29)));
    assert!(memory.believes(None, at(30)));
    memory.wrote(Some("r1"), true, at(40));
    memory.wrote(Some("r2"), false, at(41));
    assert!(memory.believes(None, at(42)), "the removal may have been that of the last statement");
    memory.wrote(Some("r3"), true, at(50));
    memory.expect_nothing();
    assert!(memory.believes(None, at(51)), "the function is gone");
}

#[test]
fn an_orphan_is_confirmed_by_reads_that_all_show_it() {
    let grace = Duration::from_mins(1);
    let (with, without) = (live(&[ORPHAN.to_owned()]), live(&[said(&grant("s3", "b"))]));
    let orphan = &with.statements()[0];
    let mut memory = TargetMemory::default();
    assert!(!memory.confirms(orphan, grace, at(0)));
    memory.saw(Some(&with), at(0));
    assert_eq!(memory.next_confirmation(grace, at(1)), Some(at(60)));
    memory.saw(Some(&with), at(59));
    assert!(!memory.confirms(orphan, grace, at(59)));
    assert!(memory.confirms(orphan, grace, at(60)));
    assert_eq!(memory.next_confirmation(grace, at(60)), None);
    memory.saw(Some(&without), at(61));
    memory.saw(Some(&with), at(62));
    assert!(!memory.confirms(orphan, grace, at(121)), "it was back in between");
    assert!(memory.confirms(orphan, grace, at(122)));
    memory.saw(None, at(123));
    assert!(!memory.confirms(orphan, grace, at(999)), "there is no policy");
}

#[test]
fn three_repairs_within_an_hour_are_a_fight() {
    let mut memory = TargetMemory::default();
    let put_right = |memory: &mut TargetMemory, as_what: &str, now| {
        memory.repaired("s3", as_what.to_owned(), at(now));
    };
    put_right(&mut memory, "new", 0);
    put_right(&mut memory, "new", 1800);
    assert!(memory.contended(at(1800)).is_empty());
    put_right(&mut memory, "new", 3599);
    assert_eq!(memory.contended(at(3599)), ["s3"]);
    assert!(memory.contended(at(3600)).is_empty(), "the first was an hour ago");
    put_right(&mut memory, "new", 3601);
    assert_eq!(memory.contended(at(3601)), ["s3"]);
    memory.repaired("sns", "x".to_owned(), at(3602));
    assert_eq!(memory.contended(at(3602)), ["s3"], "each Sid by itself");
    put_right(&mut memory, "another", 3603);
    assert!(memory.contended(at(3603)).is_empty(), "another wish is the operator's doing");
}

#[test]
fn a_refused_replacement_is_not_tried_for_an_hour() {
    let mut memory = TargetMemory::default();
    assert!(!memory.has_refusals());
    memory.refused("s3", "new".to_owned(), "no".to_owned(), at(0));
    assert!(memory.has_refusals());
    assert_eq!(memory.refusal("s3", "new", at(3599)), Some("no"));
    assert_eq!(memory.refusal("s3", "other", at(1)), None, "another statement is tried at once");
    assert_eq!(memory.refusal("s3", "new", at(3600)), None);
    assert_eq!(memory.refusal("sns", "new", at(1)), None);
}

#[test]
fn merging_keeps_both_pasts_and_the_later_present() {
    let mut memory = TargetMemory::default();
    assert!(memory.believes(Some("r1"), at(0)));
    memory.repaired("s3", "new".to_owned(), at(0));
    memory.repaired("s3", "new".to_owned(), at(1));
    let mut other = memory.clone();
    memory.wrote(Some("r1"), true, at(2));
    assert!(other.believes(Some("r2"), at(3)));
    other.repaired("s3", "new".to_owned(), at(3));
    memory.merge(other);
    assert_eq!(memory.contended(at(4)), ["s3"], "shared repairs count once, and all count");
    assert!(!memory.believes(Some("r1"), at(4)));
    assert!(memory.believes(Some("r2"), at(4)));
    assert!(!memory.believes(None, at(31)), "our addition is remembered");
    assert!(!memory.is_empty());
}
