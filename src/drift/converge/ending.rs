//! The end of a conversation: how it stands, what went wrong, and what is remembered of it.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Converge, OTHER_WRITER};
use crate::drift::{
    allow::Reason,
    bridge,
    diff::Kind,
    memory::TargetMemory,
    outcome::{Outcome, State, StepResult, Trouble, TroubleReason},
    plan::Action,
};
use crate::policy::statement::Statement;

impl Converge<'_> {
    /// What was done since the last read is not left to do, though no read has shown it.
    pub(super) fn count_as_done(&mut self) {
        let since = self.done.get(self.done_at_read..).unwrap_or_default();
        let Some(left) = self.left.as_mut().filter(|_| !since.is_empty()) else { return };
        let left = Arc::make_mut(left);
        for it in since.iter().filter(|it| it.result == StepResult::Done) {
            let sid = Some(it.step.sid.as_str());
            let adds = !it.step.action.takes_away();
            left.drift.retain(|change| {
                let drift = &change.drift;
                let whole = matches!(it.step.action, Action::Put(_));
                let added = adds && change.adds() && (whole || drift.kind != Kind::Renamed);
                let removed = !adds && !change.adds();
                let gone = removed && drift.before.as_ref().and_then(Statement::sid) == sid;
                !(gone || (added && drift.sid.as_deref() == sid))
            });
        }
        if left.drift.is_empty() {
            left.steps.clear();
        }
    }

    /// How it ended, and what to remember of it.
    pub fn into_parts(mut self, now: Timestamp) -> (Outcome, TargetMemory) {
        self.remember(now);
        let known = std::mem::take(&mut self.known);
        let contended: Vec<String> = known.contended(now).into_iter().map(str::to_owned).collect();
        (self.outcome(&contended), known)
    }

    /// How it stands.
    pub fn into_outcome(self, now: Timestamp) -> Outcome {
        self.into_parts(now).0
    }

    pub(super) fn outcome(mut self, contended: &[String]) -> Outcome {
        self.trouble = self.what_went_wrong();
        let gap_open = self.trouble.as_ref().is_some_and(|it| it.reason == TroubleReason::GapOpen);
        let state = match (&self.trouble, &self.left) {
            (Some(_), Some(_)) => State::Failed,
            (Some(_), None) if gap_open => State::Failed,
            (None, Some(_)) if !contended.is_empty() => State::Contended,
            (None, Some(plan)) => State::of(plan),
            (_, None) => State::Unknown,
        };
        let sids: Vec<&str> = contended.iter().map(String::as_str).collect();
        let actors = &self.memory.decisions.actors;
        let other = actors.last_of(&sids).map(|it| it.in_words()).filter(|_| !sids.is_empty());
        let by = other.as_ref().map(|it| format!("; undone by {it}")).unwrap_or_default();
        let hint = match &other {
            Some(_) => "stop the other one, or take these statements out of the files".to_owned(),
            None => OTHER_WRITER.to_owned(),
        };
        let fight = || Trouble {
            reason: TroubleReason::Contended,
            message: format!("put right three times within an hour: {}{by}", contended.join(", ")),
            hint: Some(hint),
            request_id: None,
        };
        let trouble = self.trouble.or_else(|| (state == State::Contended).then(fight));
        Outcome {
            target: self.wanted.target.clone(),
            state,
            trouble,
            found: self.found,
            left: self.left,
            done: self.done,
        }
    }

    /// What was done is remembered as a repair, what came to nothing as a refusal.
    pub(super) fn remember(&mut self, now: Timestamp) {
        let mut sids: Vec<&str> = self
            .done
            .iter()
            .filter(|it| it.result == StepResult::Done && !bridge::is_reserved(&it.step.sid))
            .map(|it| it.step.sid.as_str())
            .collect();
        sids.sort_unstable();
        sids.dedup();
        for sid in sids {
            self.known.repaired(sid, self.text_of(sid).unwrap_or_default(), now);
        }
        for (change, reason) in self.left.iter().flat_map(|it| it.holds()) {
            let answer = if let Reason::Refused(answer) = reason {
                answer.clone()
            } else if *reason == Reason::Contended {
                reason.to_string()
            } else {
                continue;
            };
            let Some(sid) = &change.drift.sid else { continue };
            // What was only held, and not tried, is known already.
            let tried = self.done.iter().any(|it| {
                let gap = it.step.replaces.as_ref() == Some(sid) && it.opened_gap;
                it.step.sid == *sid && (gap || matches!(it.step.action, Action::Put(_)))
            });
            if let (true, Some(text)) = (tried, self.text_of(sid)) {
                self.known.refused(sid, text, answer, now);
            }
        }
    }

    /// The statement that is wanted under this Sid.
    pub(super) fn text_of(&self, sid: &str) -> Option<String> {
        let grant = self.wanted.grants.iter().find(|it| it.sid == sid)?;
        Some(grant.terms.statement_text(sid, &self.wanted.target))
    }

    /// What went wrong, also where nothing was given up.
    pub(super) fn what_went_wrong(&mut self) -> Option<Trouble> {
        let contended = || {
            let mut holds = self.left.iter().flat_map(|it| it.holds());
            let (change, reason) = holds.find(|(_, it)| **it == Reason::Contended)?;
            let sid = change.drift.sid.as_deref().unwrap_or_default();
            Some(Trouble {
                reason: TroubleReason::Conflict,
                message: format!("{sid}: {reason}"),
                hint: Some(OTHER_WRITER.to_owned()),
                request_id: None,
            })
        };
        self.trouble.take().or_else(|| self.refusal.take()).or_else(contended)
    }
}
