//! The next write, and what its answer means.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    Converge, Counts, Gap, InFlight, MAX_CONFLICTS, MAX_CONFLICTS_IN_GAP, MAX_FAILURES,
    MAX_THROTTLES, OTHER_WRITER, Part,
};
use crate::drift::{
    approval::{Approval, Entry, entries_of},
    bridge,
    dialogue::{Failure, FailureKind, Request, Write},
    diff::Kind,
    outcome::{Done, StepResult, Trouble, TroubleReason},
    plan::{Action, Change, Clearance, Effect, How, Step},
};
use crate::policy::{document::Document, grant::Permission, statement::Statement};

impl Converge<'_> {
    /// The next write, from the policy as read.
    pub(super) fn act(&mut self) -> Request {
        if let Some(gap) = self.gap.clone().filter(|it| it.restoring) {
            return self.put_back(&gap);
        }
        let pending = self.memory.decisions.clearance == Clearance::Pending;
        let steps = self.left.as_deref().map_or(&[][..], |it| &it.steps);
        let Some(step) = steps.iter().find(|it| !(pending && it.late)).cloned() else {
            if !steps.is_empty() {
                return self.ask(Request::Judge);
            }
            let gap = self.gap.as_ref().map(|it| it.sid.clone());
            let mut holds = self.left.iter().flat_map(|it| it.holds());
            let held = holds.find(|(it, _)| gap.is_some() && it.drift.sid == gap);
            let reason = held.map(|(_, reason)| reason.to_string());
            drop(holds);
            return match reason {
                Some(reason) => self.give_up(TroubleReason::GapOpen, reason, None),
                None => self.finish(),
            };
        };
        if let Some(Failure { kind: _, message, hint, request_id }) = self.last_words.take() {
            self.failed_call = request_id;
            return self.give_up(TroubleReason::Unreachable, message, hint);
        }
        let replaced = self.replaced_by(&step);
        let cost = self.cost_of(&step, replaced.as_ref());
        let Some(left) = self.writes_left.checked_sub(cost) else {
            let message = "the policy keeps changing while it is put right";
            return self.give_up(TroubleReason::Conflict, message, Some(OTHER_WRITER.to_owned()));
        };
        self.writes_left = left;
        match &step.action {
            Action::Put(_) => self.write_whole(&step),
            Action::Add(_) | Action::Remove => self.write(step, replaced),
        }
    }

    /// A replacement is only begun if both of its writes are left; its second one is paid for by then.
    pub(super) fn cost_of(&self, step: &Step, replaced: Option<&Statement>) -> usize {
        match (&self.memory.open_gap, replaced) {
            (Some(open), _) if *open == step.sid => 0,
            (_, Some(_)) => 2,
            (_, None) => 1,
        }
    }

    /// The live statement that this step takes away for a new one, where it is away until that comes.
    pub(super) fn replaced_by(&self, step: &Step) -> Option<Statement> {
        let change = self.change_of(step)?;
        let opens = change.how == How::Gap && step.action == Action::Remove;
        change.drift.before.clone().filter(|_| opens)
    }

    pub(super) fn change_of(&self, step: &Step) -> Option<&Change> {
        self.left.as_deref().and_then(|it| it.drift.get(step.change))
    }

    pub(super) fn write(&mut self, step: Step, replaced: Option<Statement>) -> Request {
        let revision = self.live.as_ref().map(|it| it.revision().to_owned());
        let statements = self.live.as_ref().map_or(&[][..], Document::statements);
        let (before, after) = match &step.action {
            Action::Add(it) => (None, Some(it.statement_text(&step.sid, &self.wanted.target))),
            Action::Remove | Action::Put(_) => {
                let old = statements.iter().find(|it| it.sid() == Some(step.sid.as_str()));
                (old.map(|it| it.text().to_owned()), None)
            }
        };
        let part = self.part(&step);
        let by = self.change_of(&step).and_then(|it| it.by.clone());
        let (opens_gap, takes_away) = (replaced.is_some(), step.action == Action::Remove);
        let approval = self.approval_of(&step);
        let write = Write {
            step,
            revision,
            before,
            after,
            approval,
            opens_gap,
            by,
            whole: false,
            sids: vec![part.step.sid.clone()],
            takes_away,
        };
        self.in_flight = Some(InFlight { write: write.clone(), replaced, parts: vec![part] });
        self.ask(Request::Write(write))
    }

    /// The digest of what somebody said yes to, if this step was in it.
    pub(super) fn approval_of(&self, step: &Step) -> Option<String> {
        let (target, decisions) = (&self.wanted.target, &self.memory.decisions);
        let approval = self.change_of(step).and_then(|it| decisions.approval_of(target, it));
        approval.map(Approval::digest)
    }

    pub(super) fn part(&self, step: &Step) -> Part {
        let (target, decisions) = (&self.wanted.target, &self.memory.decisions);
        let change = self.change_of(step);
        let entries = change.map(|it| entries_of(target, it)).unwrap_or_default();
        let approval = change.and_then(|it| decisions.approval_of(target, it));
        let asked = change.filter(|it| {
            it.is_judged() && approval.is_none() && decisions.clearance != Clearance::Free
        });
        // A replacement over a bridge counts when it is begun, for what follows asks no limit any more.
        let narrows = step.effect == Effect::Narrows || builds_bridge(step);
        let limited = narrows && asked.is_some_and(|it| it.effect == Effect::Narrows);
        let widens = asked.is_some_and(|it| it.effect == Effect::Widens);
        let by_rule = asked.is_some_and(|it| it.drift.rule.is_some())
            && (limited || (widens && step.effect == Effect::Widens));
        let before = change.and_then(|it| it.drift.before.clone());
        Part { step: step.clone(), before, entries, limited, by_rule }
    }

    /// Makes the statement again that was taken away, unless somebody else put something there.
    pub(super) fn put_back(&mut self, gap: &Gap) -> Request {
        let there = self.live.as_ref().is_some_and(|it| has_sid(it, &gap.sid));
        let step = |permission: Permission| Step {
            sid: gap.sid.clone(),
            action: Action::Add(Box::new(permission)),
            effect: Effect::Widens,
            kind: Kind::Changed,
            change: usize::MAX,
            replaces: Some(gap.sid.clone()),
            late: false,
        };
        match gap.old.permission() {
            _ if there => {
                self.close_gap();
                self.read()
            }
            Some(permission) => self.write(step(permission.clone()), None),
            None => {
                let refusal = "the new statement was refused, and the old one is not one that \
                               AddPermission can make";
                self.give_up(TroubleReason::GapOpen, refusal, None)
            }
        }
    }

    pub(super) fn close_gap(&mut self) {
        self.gap = None;
        self.memory.open_gap = None;
    }

    /// What the write asked for stands there.
    pub(super) fn was_applied(&self, it: &InFlight, now: Timestamp) -> bool {
        if it.write.whole {
            return it.parts.iter().all(|it| self.part_was_applied(it, now));
        }
        let step = &it.write.step;
        let statements = self.live.as_ref().map_or(&[][..], Document::statements);
        let mut same = statements.iter().filter(|it| it.sid() == Some(step.sid.as_str()));
        match &step.action {
            Action::Add(permission) => same.any(|it| it.says_plainly(permission)),
            Action::Remove => same.next().is_none(),
            Action::Put(_) => false,
        }
    }

    pub(super) fn has_written(&mut self, done: InFlight) {
        let InFlight { write, replaced, parts } = done;
        let last = self.live.as_ref().is_some_and(|it| it.statements().len() == 1);
        self.doubtful.take_if(|it| it.write.step == write.step && it.write.whole == write.whole);
        self.emptied = !write.adds() && (write.whole || last);
        self.counts = Counts::default();
        self.refused_fresh = 0;
        for (at, part) in parts.into_iter().enumerate() {
            self.has_done(part, write.opens_gap, at > 0);
        }
        if let Some(old) = replaced {
            self.memory.open_gap = Some(write.step.sid.clone());
            self.gap = Some(Gap { sid: write.step.sid, old, restoring: false });
        }
    }

    fn has_done(&mut self, part: Part, opens_gap: bool, with_last: bool) {
        let Part { step, before: _, entries, limited, by_rule } = part;
        let in_gap = self.gap.as_ref().filter(|it| it.sid == step.sid);
        let result = match in_gap {
            Some(gap) if gap.restoring => StepResult::PutBack,
            Some(_) | None => StepResult::Done,
        };
        if result == StepResult::Done && !step.action.takes_away() {
            self.memory.added.push(step.sid.clone());
        }
        if in_gap.is_some() {
            self.close_gap();
        }
        if limited && self.rules.limits.max_revocations.is_some() {
            self.use_up(&entries);
        }
        self.done.push(Done {
            step,
            result,
            entries,
            limited,
            by_rule,
            opened_gap: opens_gap,
            with_last,
        });
    }

    /// What was cleared was cleared once: if somebody brings it back, it is for the next pass to judge.
    fn use_up(&mut self, entries: &[Entry]) {
        if let Clearance::Judged(judgement) = &mut self.memory.decisions.clearance {
            let judgement = Arc::make_mut(judgement);
            judgement.seen = judgement.seen.without(entries);
        }
    }

    pub(super) fn not_written(
        &mut self,
        it: InFlight,
        failure: Failure,
        now: Timestamp,
    ) -> Request {
        let Failure { kind, message, hint, request_id } = failure;
        let whole = it.write.whole;
        match kind {
            FailureKind::Denied | FailureKind::NotOffered if whole => {
                self.cannot_put(Failure { kind, message, hint, request_id }, now)
            }
            FailureKind::Refused | FailureKind::TooLarge
                if whole && it.parts.len() > 1 && !self.memory.one_by_one =>
            {
                // Which of them it is that Lambda does not take shows when each is put by itself.
                self.memory.one_by_one = true;
                self.planned(now)
            }
            FailureKind::Refused | FailureKind::TooLarge
                if whole && it.parts.len() > 1 && it.parts.iter().any(brings_back) =>
            {
                // Of several deleted principals those that are granted are given up first.
                let sids = it.parts.iter().filter(|it| brings_back(it)).map(|it| &it.step.sid);
                self.memory.refused.extend(sids.map(|it| (it.clone(), message.clone())));
                self.planned(now)
            }
            FailureKind::Gone | FailureKind::Conflict => {
                self.wants_other_revision = whole && kind == FailureKind::Conflict;
                self.known_to_exist &= kind != FailureKind::Gone;
                if kind == FailureKind::Gone {
                    self.known.expect_nothing();
                }
                self.counts.conflicts += 1;
                let most = if self.is_in_gap() { MAX_CONFLICTS_IN_GAP } else { MAX_CONFLICTS };
                if self.counts.conflicts > most {
                    return self.give_up(TroubleReason::Conflict, message, hint);
                }
                self.wait(self.counts.conflicts, Duration::ZERO, Request::Read)
            }
            FailureKind::Throttled(at_least) => {
                self.counts.throttles += 1;
                if self.counts.throttles > MAX_THROTTLES {
                    return self.give_up(TroubleReason::Throttled, message, hint);
                }
                self.writes_left += self.cost_of(&it.write.step, it.replaced.as_ref());
                self.wait(self.counts.throttles, at_least, Request::Write(it.write))
            }
            FailureKind::Unreachable | FailureKind::Unsure | FailureKind::BadAnswer => {
                if kind != FailureKind::Unreachable {
                    self.doubtful = Some(it);
                }
                self.counts.failures += 1;
                if self.counts.failures >= MAX_FAILURES {
                    self.last_words = Some(Failure { kind, message, hint, request_id });
                }
                self.wait(self.counts.failures, Duration::ZERO, Request::Read)
            }
            FailureKind::NotJournalled => {
                // Nothing was sent, so what was read still stands.
                self.memory.decisions.no_journal = Some(message);
                self.planned(now)
            }
            FailureKind::TooLarge if builds_bridge(&it.write.step) => {
                // It says there is no room for both: then there is a gap.
                self.memory.unbridgeable.extend(it.write.step.replaces);
                self.planned(now)
            }
            FailureKind::Denied
            | FailureKind::Refused
            | FailureKind::TooLarge
            | FailureKind::NotOffered => {
                if kind == FailureKind::Denied && !it.write.step.action.takes_away() {
                    self.memory.decisions.may_not_add = Some(message.clone());
                }
                self.refused(it, Failure { kind, message, hint, request_id }, now)
            }
        }
    }

    /// A write that failed changed nothing, so the policy as read still stands.
    pub(super) fn refused(&mut self, it: InFlight, failure: Failure, now: Timestamp) -> Request {
        let Failure { kind, message, hint, request_id } = failure;
        let InFlight { write: Write { opens_gap, .. }, parts, .. } = it;
        let Some(Part { step, before: _, entries, limited, by_rule }) = parts.into_iter().next()
        else {
            return self.planned(now);
        };
        let done = |step: Step, result: StepResult| Done {
            step,
            result,
            entries,
            limited,
            by_rule,
            opened_gap: opens_gap,
            with_last: false,
        };
        if let Some(gap) = self.gap.as_mut().filter(|it| it.sid == step.sid) {
            if gap.restoring {
                let old = gap.old.text().to_owned();
                self.done.push(done(step, StepResult::Lost(old)));
                let message = format!("the old statement was refused as well: {message}");
                return self.give_up(TroubleReason::GapOpen, message, None);
            }
            gap.restoring = true;
        }
        // Where the bridge is refused, the statement is not replaced.
        let about = if builds_bridge(&step) { step.replaces.clone() } else { None };
        let about = about.unwrap_or_else(|| step.sid.clone());
        self.memory.refused.push((about.clone(), message.clone()));
        let reason = match kind {
            FailureKind::Denied => TroubleReason::AccessDenied,
            FailureKind::Gone
            | FailureKind::Conflict
            | FailureKind::Throttled(_)
            | FailureKind::Refused
            | FailureKind::TooLarge
            | FailureKind::NotOffered
            | FailureKind::NotJournalled
            | FailureKind::Unreachable
            | FailureKind::Unsure
            | FailureKind::BadAnswer => TroubleReason::Refused,
        };
        let named = format!("{about}: {message}");
        self.refusal.get_or_insert(Trouble { reason, message: named, hint, request_id });
        self.done.push(done(step, StepResult::Refused(message)));
        self.planned(now)
    }
}

/// Its statement was left by a deleted principal, and is to say again what is granted.
fn brings_back(part: &Part) -> bool {
    part.step.kind == Kind::Orphaned && matches!(part.step.action, Action::Put(Some(_)))
}

/// The new content under a temporary Sid.
fn builds_bridge(step: &Step) -> bool {
    step.replaces.is_some() && bridge::is_reserved(&step.sid) && !step.action.takes_away()
}

pub(super) fn has_sid(document: &Document, sid: &str) -> bool {
    document.statements().iter().any(|it| it.sid() == Some(sid))
}
