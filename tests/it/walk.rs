//! Every way that two permitds, another writer, lost answers and crashes can take through small worlds.
//!
//! `converge` has no IO, so all orders of events can be gone through: breadth first, each state once, until no
//! new one comes. What bounds a walk is not a number of moves but how much may go wrong on one way (`Budget`):
//!
//! - faults: an answer or a request lost, a request that arrives after its sender gave it up (at any time, or
//!   never), a read of the version before, a throttled write, a crash at any point (also between Lambda's doing
//!   and the answer), after which the instance starts anew and knows nothing;
//! - writes of somebody else: any statement removed, spoilt or put back as it was, or one added.
//!
//! | worlds (`worlds.rs`) | usual | with `PERMITD_WALK=deep` |
//! |---|---|---|
//! | small (at most five writes) | one fault and one write of another; one fault in two passes | two faults and one write |
//! | middling | one fault; one write of another | one fault and one write; two faults |
//! | large (statements in the places of others) | nothing goes wrong | one fault |
//!
//! A write is two parts, done by Lambda and answered; others act before and after, and in between nothing that
//! they do can be told from the same after the answer, but its loss and a crash, which are moves of their own.
//! So it is with everything that only concerns the instance itself (`talk.rs`).
//!
//! What must hold is in `checks.rs`. In every state: guards, no repeated write that may be done, nothing foreign
//! touched, journal first, no interruption. From the policy of every state, one conversation that knows
//! nothing gets to what is wanted, and the next does nothing: so a crash of both needs no repair. No state leads
//! back to itself, so every way ends; where nobody else wrote, it ends with what is wanted.
//!
//! Whether the checks bite is tested on every run, by bugs that are put in on purpose (`carry.rs`).
//!
//! `cargo test --test it walk:: -- --nocapture` shows states and times.
#![expect(clippy::print_stdout, reason = "it reports how far it went")]

mod carry;
mod checks;
mod key;
mod lambda;
mod report;
mod search;
mod talk;
mod worlds;

use carry::Bug;
use checks::Violation;
use search::{Budget, walk};
use worlds::{CHANGED, ROWS, Row, Size, World};

fn go(size: Size, budgets: &[Budget]) {
    let mut total = 0;
    let rows = || ROWS.iter().filter(|it| it.size == size);
    assert!(rows().count() > 1);
    for row in rows() {
        for budget in budgets {
            match walk(&World::of(row), None, *budget) {
                Ok(report) => {
                    total += report.states;
                    println!("{report}");
                }
                Err(found) => panic!("{}", found.way),
            }
        }
    }
    println!("{size:?} worlds: {total} states");
}

fn is_deep() -> bool {
    std::env::var("PERMITD_WALK").is_ok_and(|it| it == "deep")
}

const fn budget(faults: u8, others: u8) -> Budget {
    Budget { faults, others, passes: 1 }
}

const DEEP: Budget = budget(2, 1);
const TWO_PASSES: Budget = Budget { faults: 1, others: 0, passes: 2 };

#[test]
fn small_worlds_hold() {
    let usual = [budget(1, 1), TWO_PASSES];
    go(Size::Small, if is_deep() { &[DEEP] } else { &usual });
}

#[test]
fn middling_worlds_hold() {
    let usual = [budget(1, 0), budget(0, 1)];
    let deep = [budget(1, 1), budget(2, 0)];
    go(Size::Middling, if is_deep() { &deep } else { &usual });
}

#[test]
fn large_worlds_hold() {
    go(Size::Large, &[budget(u8::from(is_deep()), 0)]);
}

/// What the walk finds in a world with this bug.
fn finds(row: &Row, bug: Bug) -> Violation {
    let found = walk(&World::of(row), Some(bug), budget(1, 1)).unwrap_err();
    println!("{bug:?}, in {}", found.way);
    found.violation
}

#[test]
fn walk_finds_a_dropped_guard() {
    assert!(matches!(finds(&CHANGED, Bug::DropsTheGuard), Violation::Unguarded(_)));
}

/// Also where nobody looks at the revision: another writer spoils what is about to be removed, so the journal
/// has something else, or he takes the bridge away.
#[test]
fn walk_finds_what_a_dropped_guard_does() {
    let found = finds(&CHANGED, Bug::DropsTheGuardUnseen);
    assert!(
        matches!(found, Violation::NotJournalled(_) | Violation::NoBridge(_)),
        "it found {found:?}"
    );
}

#[test]
fn walk_finds_a_removal_before_the_bridge_stands() {
    assert!(matches!(finds(&CHANGED, Bug::RemovesBeforeTheBridge), Violation::NoBridge(_)));
}

#[test]
fn walk_finds_a_journal_after_the_request() {
    assert!(matches!(finds(&CHANGED, Bug::JournalsAfter), Violation::NotJournalled(_)));
}

#[test]
fn walk_finds_a_write_that_is_repeated_without_a_read() {
    assert!(matches!(finds(&CHANGED, Bug::RepeatsWhatMayBeDone), Violation::Repeated(_)));
}

#[test]
fn walk_finds_a_foreign_statement_that_is_touched() {
    assert!(matches!(finds(&worlds::FOREIGN, Bug::OwnsEverything), Violation::Foreign(_)));
}

#[test]
fn walk_finds_a_bridge_that_is_left_behind() {
    let found = finds(&CHANGED, Bug::LeavesTheBridge);
    assert!(matches!(found, Violation::NotSettled { .. }), "it found {found:?}");
}
