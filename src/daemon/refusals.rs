//! Replacements that Lambda refused: they are not tried again in every pass, for each try is a gap.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    drift::{
        outcome::{Outcome, StepResult},
        wanted::Wanted,
    },
    policy::target::Target,
};

/// A role that was not there may be there by then, and a minute of gaps a day is what that costs at most.
const FOR: Duration = Duration::from_secs(3600);

/// What is known of replacements that were put back.
#[derive(Debug, Default)]
pub struct Refusals {
    known: BTreeMap<(Target, String), Refusal>,
}

#[derive(Debug)]
struct Refusal {
    /// The statement that was refused; another one is tried at once.
    text: String,
    answer: String,
    until: Instant,
}

impl Refusals {
    /// Sid and answer of what was refused, as far as it is still wanted and the time is not over.
    pub fn of(&self, wanted: &Wanted) -> Vec<(String, String)> {
        let now = Instant::now();
        let mut res = Vec::new();
        for grant in wanted.grants.iter().filter(|_| !self.known.is_empty()) {
            let text = || grant.permission.statement_text(&grant.sid, &wanted.target);
            match self.known.get(&(wanted.target.clone(), grant.sid.clone())) {
                Some(it) if it.until > now && it.text == text() => {
                    res.push((grant.sid.clone(), it.answer.clone()));
                }
                Some(_) | None => {}
            }
        }
        res
    }

    /// Takes note of what was put back.
    pub fn learn(&mut self, outcomes: &[Outcome]) {
        let now = Instant::now();
        self.known.retain(|_, it| it.until > now);
        for outcome in outcomes {
            for put_back in outcome.done.iter().filter(|it| it.result == StepResult::PutBack) {
                let sid = &put_back.step.sid;
                let answer = outcome.done.iter().find_map(|it| match &it.result {
                    StepResult::Refused(answer) if it.step.sid == *sid => Some(answer.clone()),
                    StepResult::Refused(_)
                    | StepResult::Done
                    | StepResult::PutBack
                    | StepResult::Lost(_) => None,
                });
                let plan = outcome.found.as_ref();
                let grant = plan.and_then(|plan| {
                    plan.drift
                        .iter()
                        .filter_map(|it| it.drift.after.as_ref())
                        .find(|it| it.sid == *sid)
                });
                if let (Some(answer), Some(grant)) = (answer, grant) {
                    let text = grant.permission.statement_text(sid, &outcome.target);
                    let key = (outcome.target.clone(), sid.clone());
                    self.known.insert(key, Refusal { text, answer, until: now + FOR });
                }
            }
        }
    }
}
