//! Replacements that Lambda refused, or that did not stay: they are not tried again in every pass, for each try is a gap.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::drift::{allow::Reason, diff::Kind, outcome::Outcome, plan::Plan, wanted::Wanted};
use crate::policy::target::Target;

/// A role that was not there may be there by then, and a minute of gaps a day is what that costs at most.
const FOR: Duration = Duration::from_hours(1);

/// What is known of replacements that came to nothing.
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

    /// Takes note of what came to nothing in this pass.
    pub fn learn(&mut self, outcomes: &[Outcome]) {
        let now = Instant::now();
        self.known.retain(|_, it| it.until > now);
        for outcome in outcomes {
            for (change, reason) in outcome.left.iter().flat_map(Plan::holds) {
                let answer = match reason {
                    Reason::Refused(answer) => answer.clone(),
                    Reason::Contended => {
                        "it was added twice and read back as something else".into()
                    }
                    Reason::Suspended
                    | Reason::Additive
                    | Reason::Inexpressible(_)
                    | Reason::Fixed(_)
                    | Reason::AmbiguousSid
                    | Reason::OrphanUnconfirmed
                    | Reason::BlockedByOrphan { .. }
                    | Reason::TooLarge { .. }
                    | Reason::StillNeeded
                    | Reason::NotApproved => continue,
                };
                let Some(grant) = change.drift.after.as_ref() else { continue };
                // What was only held, and not tried in this pass, is known already.
                let tried = outcome.done.iter().any(|it| it.step.sid == grant.sid);
                if tried && change.drift.kind == Kind::Changed {
                    let text = grant.permission.statement_text(&grant.sid, &outcome.target);
                    let key = (outcome.target.clone(), grant.sid.clone());
                    self.known.insert(key, Refusal { text, answer, until: now + FOR });
                }
            }
        }
    }
}
