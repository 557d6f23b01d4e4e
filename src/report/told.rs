//! Which targets a report tells of, the most important first.

use crate::drift::{
    allow::Reason,
    outcome::{Outcome, State, StepResult, TroubleReason},
    plan::{Effect, Plan},
};
use crate::policy::risk::Risk;
use crate::report::Subject;

/// One that lets anybody in is worth a line even where nothing differs.
pub const ALWAYS_TOLD: Risk = Risk::P002;

/// A target that is worth telling of.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What became of it.
    pub outcome: &'a Outcome,
    /// What is to be done, as far as the report is about that.
    pub plan: Option<&'a Plan>,
}

/// Something about it is not as it should be, or has to be known.
pub fn is_told(outcome: &Outcome, subject: Subject) -> bool {
    let open = |it: &Plan| it.risks.iter().any(|(_, it)| it.contains(&ALWAYS_TOLD));
    outcome.trouble.is_some()
        || subject.plan_of(outcome).is_some_and(|it| {
            !it.is_in_sync() || it.version.is_some() || (subject == Subject::Plan && open(it))
        })
}

/// The same, or something was done about it: a page shows that, too.
pub fn is_shown(outcome: &Outcome, subject: Subject) -> bool {
    is_told(outcome, subject) || (subject == Subject::Applied && !outcome.done.is_empty())
}

/// What to look at first stands first: what is broken, what nobody knows, what waits for an answer, what takes
/// access away. Within that, in the order of the outcomes.
pub fn told(outcomes: &[Outcome], subject: Subject) -> Vec<Told<'_>> {
    sorted(outcomes.iter().filter(|it| is_told(it, subject)), subject)
}

/// The same of all that are shown.
pub fn shown(outcomes: &[Outcome], subject: Subject) -> Vec<Told<'_>> {
    sorted(outcomes.iter().filter(|it| is_shown(it, subject)), subject)
}

fn sorted<'a>(outcomes: impl Iterator<Item = &'a Outcome>, subject: Subject) -> Vec<Told<'a>> {
    let mut res: Vec<Told<'_>> =
        outcomes.map(|outcome| Told { outcome, plan: subject.plan_of(outcome) }).collect();
    res.sort_by_key(Told::urgency);
    res
}

impl Told<'_> {
    /// Smaller is more urgent.
    fn urgency(&self) -> u8 {
        let changes = self.plan.map_or(&[][..], |it| &it.drift);
        let asks = || changes.iter().any(|it| it.held.as_ref().is_some_and(Reason::is_approvable));
        let narrows = || changes.iter().any(|it| it.held.is_none() && it.effect == Effect::Narrows);
        let gap = self.outcome.trouble.as_ref().map(|it| it.reason) == Some(TroubleReason::GapOpen);
        let lost = self.outcome.done.iter().any(|it| matches!(it.result, StepResult::Lost(_)));
        match self.outcome.state {
            _ if gap || lost => 0,
            State::Failed => 1,
            State::Unknown => 2,
            _ if asks() => 3,
            State::Contended => 4,
            State::Drifted if narrows() => 5,
            State::Drifted => 6,
            State::Held => 7,
            State::Suspended | State::Paused => 8,
            State::InSync => 9,
        }
    }
}

#[cfg(test)]
mod tests;
