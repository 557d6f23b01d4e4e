//! What a report adds up to.

use crate::drift::{
    allow::Reason,
    diff::Kind,
    outcome::{Done, Outcome, State, StepResult},
    plan::Plan,
};

/// Sums over all targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Statements that are added.
    pub add: usize,
    /// Statements that are replaced or renamed.
    pub change: usize,
    /// Statements that are taken away.
    pub remove: usize,
    /// Differences that are held.
    pub held: usize,
    /// Of those, what is done once somebody says yes: it is held by a limit or a risk.
    pub asked: usize,
    /// Live statements that are in no file and not owned.
    pub foreign: usize,
    /// Live statements that are exempted by a rule.
    pub ignored: usize,
    /// Targets.
    pub targets: usize,
    /// Targets with at least one difference.
    pub differ: usize,
    /// Targets as written.
    pub in_sync: usize,
    /// Targets where a write failed.
    pub failed: usize,
    /// Targets that could not be read.
    pub unknown: usize,
    /// Of those, what is not there: function, alias or version.
    pub function_missing: usize,
    /// Writes that were done.
    pub written: usize,
}

impl Totals {
    /// Over what was found, before anything was done.
    pub fn of_found(outcomes: &[Outcome]) -> Self {
        Self::of(outcomes, |it| it.found.as_deref())
    }

    /// Over what is left, after everything was done.
    pub fn of_left(outcomes: &[Outcome]) -> Self {
        Self::of(outcomes, |it| it.left.as_deref())
    }

    fn of(outcomes: &[Outcome], plan: impl Fn(&Outcome) -> Option<&Plan>) -> Self {
        let mut res = Self { targets: outcomes.len(), ..Self::default() };
        for outcome in outcomes {
            match outcome.state {
                State::InSync => res.in_sync += 1,
                State::Failed => res.failed += 1,
                State::Unknown => {
                    res.unknown += 1;
                    res.function_missing += usize::from(outcome.is_function_missing());
                }
                State::Drifted
                | State::Held
                | State::Contended
                | State::Suspended
                | State::Paused => {}
            }
            let went_out = |it: &&Done| {
                !it.with_last && matches!(it.result, StepResult::Done | StepResult::PutBack)
            };
            res.written += outcome.done.iter().filter(went_out).count();
            let Some(plan) = plan(outcome) else { continue };
            res.differ += usize::from(!plan.is_in_sync());
            res.foreign += plan.foreign.len();
            res.ignored += plan.ignored.len();
            for change in &plan.drift {
                let asks = change.held.as_ref().is_some_and(Reason::is_approvable);
                res.asked += usize::from(asks);
                match change.drift.kind {
                    _ if change.held.is_some() => res.held += 1,
                    Kind::Missing => res.add += 1,
                    Kind::Changed | Kind::Renamed => res.change += 1,
                    Kind::Orphaned if change.adds() => res.change += 1,
                    Kind::Duplicate
                    | Kind::Unmanaged
                    | Kind::Absent
                    | Kind::Orphaned
                    | Kind::Expired
                    | Kind::Leftover => res.remove += 1,
                }
            }
        }
        res
    }

    /// Everything is as written, and everything was read.
    pub fn is_clean(&self) -> bool {
        self.in_sync == self.targets
    }
}
