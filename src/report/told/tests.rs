//! What stands first.

use super::*;
use crate::drift::outcome::Trouble;
use crate::policy::target::{Defaults, Target};

fn outcome(name: &str, state: State, reason: Option<TroubleReason>) -> Outcome {
    let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
    let trouble = reason.map(|reason| Trouble {
        reason,
        message: "it is so".to_owned(),
        hint: None,
        request_id: None,
    });
    Outcome {
        target: Target::parse(&arn, None, &Defaults::default()).unwrap(),
        state,
        trouble,
        found: None,
        left: None,
        done: Vec::new(),
    }
}

#[test]
fn what_is_broken_stands_first_and_what_is_unknown_before_what_waits() {
    let outcomes = [
        outcome("paused", State::Paused, Some(TroubleReason::Conflict)),
        outcome("contended", State::Contended, Some(TroubleReason::Contended)),
        outcome("unknown-a", State::Unknown, Some(TroubleReason::Throttled)),
        outcome("unknown-b", State::Unknown, Some(TroubleReason::AccessDenied)),
        outcome("failed", State::Failed, Some(TroubleReason::Refused)),
        outcome("gap", State::Failed, Some(TroubleReason::GapOpen)),
        outcome("fine", State::InSync, None),
    ];
    let told = told(&outcomes, Subject::Plan);
    let names: Vec<&str> = told.iter().map(|it| it.outcome.target.function()).collect();
    assert_eq!(names, ["gap", "failed", "unknown-a", "unknown-b", "contended", "paused"]);
}
