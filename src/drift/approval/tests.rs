//! What a yes covers, and how it is named.

use super::*;
use crate::drift::plan::tests::{grant, planned, said, source, target, wanted};
use crate::drift::plan::{Memory, Plan};

fn changed() -> Plan {
    let wants = wanted(vec![grant("s3", "new")]);
    planned(&wants, &[said(&grant("s3", "old"))], &Memory::default())
}

#[test]
fn the_way_there_is_covered_and_nothing_else() {
    let target = target();
    let plan = changed();
    let yes = Approval::of([(&target, &plan)], |_| true);
    assert!(yes.covers(&target, &plan.drift[0]));
    let wants = wanted(vec![grant("s3", "new")]);
    let keep = said(&grant("keep", "k"));
    let way = planned(&wants, std::slice::from_ref(&keep), &Memory::default());
    assert!(yes.covers(&target, &way.drift[0]), "nothing stands under the Sid for a moment");
    let theirs = [said(&grant("s3", "theirs")), keep.clone()];
    let other_before = planned(&wants, &theirs, &Memory::default());
    assert!(!yes.covers(&target, &other_before.drift[0]), "somebody changed it");
    let later = wanted(vec![grant("s3", "later")]);
    let other_after = planned(&later, &[said(&grant("s3", "old"))], &Memory::default());
    assert!(!yes.covers(&target, &other_after.drift[0]), "the files changed");
    let gone = planned(&wanted(Vec::new()), &[said(&grant("s3", "old")), keep], &Memory::default());
    assert!(!yes.covers(&target, &gone.drift[0]), "a replacement is no removal");
    assert!(!Approval::default().covers(&target, &plan.drift[0]), "nobody said yes");
}

#[test]
fn a_rename_is_covered_only_as_a_whole() {
    let target = target();
    let wants = wanted(vec![grant("s3", "new")]);
    let plan = planned(&wants, &[said(&grant("x", "new"))], &Memory::default());
    let entries = entries_of(&target, &plan.drift[0]);
    assert_eq!(entries.len(), 2);
    assert!(Approval::new(entries.clone()).covers(&target, &plan.drift[0]));
    for entry in &entries {
        assert!(!Approval::new([entry.clone()]).covers(&target, &plan.drift[0]));
    }
}

#[test]
fn a_yes_is_used_up_entry_by_entry() {
    let target = target();
    let plan = changed();
    let yes = Approval::of([(&target, &plan)], |_| true);
    let entries = entries_of(&target, &plan.drift[0]);
    assert!(yes.without(&entries).is_empty());
    assert_eq!(yes.and(&yes), yes);
    assert_eq!((yes.and(&Approval::default()), yes.len()), (yes.clone(), 1));
}

#[test]
fn the_digest_names_what_becomes_of_what_and_nothing_else() {
    let target = target();
    let digest = |grants, statements: &[String]| {
        let plan = planned(&wanted(grants), statements, &Memory::default());
        Approval::of([(&target, &plan)], |_| true).digest()
    };
    let first = digest(vec![grant("s3", "new")], &[said(&grant("s3", "old"))]);
    assert_eq!(first.len(), 64);
    let mut moved = grant("s3", "new");
    moved.source = source(99);
    moved.description = Some("another text".to_owned());
    assert_eq!(digest(vec![moved], &[said(&grant("s3", "old"))]), first, "another place");
    let spaced = said(&grant("s3", "old")).replace("\":", "\" : ");
    assert_eq!(digest(vec![grant("s3", "new")], &[spaced]), first, "another spelling");
    assert_ne!(digest(vec![grant("s3", "new2")], &[said(&grant("s3", "old"))]), first);
    assert_ne!(digest(vec![grant("s3", "new")], &[said(&grant("s3", "old2"))]), first);
    // Written down: a digest in an issue or a pull request has to stay the same from release to release.
    assert_eq!(&first[..16], "fe934e4e720c6c76");
}
