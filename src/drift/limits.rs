//! The narrowing steps of a pass, judged together, and with those of the hour before.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::drift::{
    allow::Reason,
    approval::{Approval, entries_of},
    plan::{Change, Decisions, Judgement, Plan},
};
use crate::policy::target::Target;

/// How much access may be taken away before somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Narrowing steps in an hour, a replacement counted once; none for no limit.
    pub max_revocations: Option<u32>,
    /// The share of all managed targets that may lose something in an hour: 0 to 1; none for no limit.
    pub max_changed_targets: Option<f64>,
}

impl Default for Limits {
    /// Ten, and 30 %.
    fn default() -> Self {
        Self { max_revocations: Some(10), max_changed_targets: Some(0.3) }
    }
}

impl Limits {
    /// No limits at all.
    pub const UNLIMITED: Self = Self { max_revocations: None, max_changed_targets: None };
}

/// Small passes do not add up around the limits: what was taken away counts for so long.
const MEMORY: SignedDuration = SignedDuration::from_hours(1);
/// A share of fewer targets says nothing.
const FEW_TARGETS: usize = 10;

/// What this process took away lately, unless somebody had said yes to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    done: Vec<(Timestamp, Target)>,
    /// Cleared, and neither done nor given up yet.
    cleared: Vec<(u64, Target)>,
    /// Passes judged so far.
    n_passes: u64,
}

impl Ledger {
    /// Judges the narrowing of these plans together. What somebody said yes to is not asked about.
    pub fn judge<'a>(
        &mut self,
        plans: impl Iterator<Item = (&'a Target, &'a Plan, &'a Decisions)>,
        limits: &Limits,
        n_targets: usize,
        now: Timestamp,
    ) -> Judgement {
        self.n_passes += 1;
        self.done.retain(|(at, _)| now.duration_since(*at) < MEMORY);
        let mut wanted: Vec<(&Target, &Change)> = Vec::new();
        for (target, plan, decisions) in plans {
            let asks = |it: &&Change| decisions.approval_of(target, it).is_none();
            wanted.extend(plan.narrowing().filter(asks).map(|it| (target, it)));
        }
        let done = self.done.len() + self.cleared.len();
        let before =
            self.done.iter().map(|(_, it)| it).chain(self.cleared.iter().map(|(_, it)| it));
        let changed: BTreeSet<&Target> =
            before.chain(wanted.iter().map(|(target, _)| *target)).collect();
        let beyond = limits.beyond(wanted.len(), done, changed.len(), n_targets);
        let seen = wanted.iter().flat_map(|(target, it)| entries_of(target, it));
        let seen = Approval::new(seen);
        if beyond.is_none() {
            let targets = wanted.iter().map(|(target, _)| (self.n_passes, (*target).clone()));
            self.cleared.extend(targets);
        }
        Judgement { pass: self.n_passes, seen, beyond }
    }

    /// A pass is over for this target: so many of its narrowing steps were done of those that were cleared.
    /// What another pass cleared beside it is not settled by that.
    pub fn settle(&mut self, target: &Target, pass: u64, done: usize, now: Timestamp) {
        self.cleared.retain(|it| *it != (pass, target.clone()));
        self.done.extend(std::iter::repeat_n((now, target.clone()), done));
    }
}

impl Limits {
    /// The limit that is passed, if one is.
    fn beyond(&self, wanted: usize, done: usize, changed: usize, targets: usize) -> Option<Reason> {
        if wanted == 0 {
            return None;
        }
        let too_many = |it: &u32| wanted + done > usize::try_from(*it).unwrap_or(usize::MAX);
        if let Some(limit) = self.max_revocations.filter(too_many) {
            return Some(Reason::MaxRevocations { wanted, done, limit });
        }
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 targets")]
        let too_wide = |it: &f64| targets >= FEW_TARGETS && changed as f64 > it * targets as f64;
        let share = self.max_changed_targets.filter(too_wide)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share is between 0 and 1"
        )]
        let percent = (share * 100.0).round() as u32;
        Some(Reason::MaxChangedTargets { changed, targets, percent })
    }
}

#[cfg(test)]
mod tests;
