//! How people are told.

pub mod check;
pub mod compact;
pub mod explain;
pub mod fields;
pub mod html;
pub mod iam;
pub mod json;
pub mod markdown;
pub mod palette;
pub mod rules;
pub mod sarif;
pub mod sums;
pub mod text;
pub mod told;
pub mod totals;
pub mod undeclared;
pub mod words;
pub mod wrap;

use crate::drift::{outcome::Outcome, plan::Plan};
use crate::report::totals::Totals;

/// What a report is about. The same outcomes tell of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// What was found, and what would be done about it.
    Plan,
    /// What was done, and what is left to do.
    Applied,
}

impl Subject {
    /// What is to be done, as far as this report tells of it; none where the policy could not be read.
    pub fn plan_of(self, outcome: &Outcome) -> Option<&Plan> {
        match self {
            Self::Plan => outcome.found.as_deref(),
            Self::Applied => outcome.left.as_deref(),
        }
    }

    /// What it adds up to.
    pub fn totals(self, outcomes: &[Outcome]) -> Totals {
        match self {
            Self::Plan => Totals::of_found(outcomes),
            Self::Applied => Totals::of_left(outcomes),
        }
    }

    /// The command that makes such a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Applied => "apply",
        }
    }
}
