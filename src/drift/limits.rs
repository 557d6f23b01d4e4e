//! The narrowing steps of a pass, judged together, and with those of the hour before; and likewise what rules for
//! many functions change, for a rule that is too wide opens what a policy by policy review would not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::drift::{
    allow::Reason,
    approval::{Approval, entries_of},
    plan::{Change, Decisions, Effect, Judgement, Plan},
};
use crate::policy::target::Target;

/// How much access may be taken away before somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Narrowing steps in an hour, a replacement counted once; none for no limit.
    pub max_revocations: Option<u32>,
    /// The share of all managed targets that may lose something in an hour, or be changed by rules for many
    /// functions: 0 to 1; none for no limit.
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

/// What this process did lately of what the limits are asked about, unless somebody had said yes to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Narrowing steps.
    narrowed: Account,
    /// Steps of rules for many functions.
    ruled: Account,
    /// Passes judged so far.
    n_passes: u64,
}

/// Steps of one sort, each with its target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Account {
    done: Vec<(Timestamp, Target)>,
    /// How many were cleared in which pass, and are neither done nor given up yet. Every target that is through asks
    /// for its own, also where a rule has just changed all of them.
    cleared: BTreeMap<(u64, Target), usize>,
}

/// What a conversation did of what was cleared for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Narrowing steps.
    pub narrowing: usize,
    /// Steps of rules for many functions.
    pub by_rules: usize,
}

impl Ledger {
    /// Judges these plans together. What somebody said yes to is not asked about.
    pub fn judge<'a>(
        &mut self,
        plans: impl Iterator<Item = (&'a Target, &'a Plan, &'a Decisions)>,
        limits: &Limits,
        n_targets: usize,
        now: Timestamp,
    ) -> Judgement {
        self.n_passes += 1;
        self.narrowed.forget(now);
        self.ruled.forget(now);
        let mut wanted: Vec<(&Target, &Change)> = Vec::new();
        for (target, plan, decisions) in plans {
            let asks = |it: &&Change| decisions.approval_of(target, it).is_none();
            wanted.extend(plan.judged().filter(asks).map(|it| (target, it)));
        }
        let of = |which: &dyn Fn(&Change) -> bool| -> Vec<&Target> {
            wanted.iter().filter(|it| which(it.1)).map(|(target, _)| *target).collect()
        };
        let narrowing = of(&|it| it.effect == Effect::Narrows);
        let by_rules = of(&|it| it.drift.rule.is_some());
        let beyond = limits.beyond(&narrowing, &self.narrowed, n_targets);
        let rules_beyond = limits.too_wide(&by_rules, &self.ruled, n_targets, true);
        // One that a rule changes and that narrows is cleared or held by what is said of narrowing.
        let goes = |it: &Change| match it.effect {
            Effect::Narrows => beyond.is_none(),
            Effect::Widens | Effect::Neutral => rules_beyond.is_none(),
        };
        self.narrowed.clear(self.n_passes, of(&|it| it.effect == Effect::Narrows && goes(it)));
        self.ruled.clear(self.n_passes, of(&|it| it.drift.rule.is_some() && goes(it)));
        let seen = wanted.iter().flat_map(|(target, it)| entries_of(target, it));
        let seen = Approval::new(seen);
        Judgement { pass: self.n_passes, seen, beyond, rules_beyond }
    }

    /// A pass is over for this target: so many of its steps were done of those that were cleared.
    /// What another pass cleared beside it is not settled by that.
    pub fn settle(&mut self, target: &Target, pass: u64, used: Used, now: Timestamp) {
        self.narrowed.settle(target, pass, used.narrowing, now);
        self.ruled.settle(target, pass, used.by_rules, now);
    }
}

impl Account {
    fn forget(&mut self, now: Timestamp) {
        self.done.retain(|(at, _)| now.duration_since(*at) < MEMORY);
    }

    fn n_steps(&self) -> usize {
        self.done.len() + self.cleared.values().sum::<usize>()
    }

    /// The targets of the last hour, and these.
    fn n_targets_with(&self, others: &[&Target]) -> usize {
        let before =
            self.done.iter().map(|(_, it)| it).chain(self.cleared.keys().map(|(_, it)| it));
        before.chain(others.iter().copied()).collect::<BTreeSet<&Target>>().len()
    }

    fn clear(&mut self, pass: u64, targets: Vec<&Target>) {
        for it in targets {
            *self.cleared.entry((pass, it.clone())).or_default() += 1;
        }
    }

    fn settle(&mut self, target: &Target, pass: u64, done: usize, now: Timestamp) {
        self.cleared.remove(&(pass, target.clone()));
        self.done.extend(std::iter::repeat_n((now, target.clone()), done));
    }
}

impl Limits {
    /// The limit that narrowing these targets, one for each step, is beyond.
    fn beyond(&self, wanted: &[&Target], before: &Account, targets: usize) -> Option<Reason> {
        let (wanted_steps, done) = (wanted.len(), before.n_steps());
        let too_many = |it: &u32| {
            wanted_steps > 0 && wanted_steps + done > usize::try_from(*it).unwrap_or(usize::MAX)
        };
        if let Some(limit) = self.max_revocations.filter(too_many) {
            return Some(Reason::MaxRevocations { wanted: wanted_steps, done, limit });
        }
        self.too_wide(wanted, before, targets, false)
    }

    fn too_wide(
        &self,
        wanted: &[&Target],
        before: &Account,
        targets: usize,
        by_rules: bool,
    ) -> Option<Reason> {
        if wanted.is_empty() || targets < FEW_TARGETS {
            return None;
        }
        let changed = before.n_targets_with(wanted);
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 targets")]
        let too_wide = |it: &f64| changed as f64 > it * targets as f64;
        let share = self.max_changed_targets.filter(too_wide)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share is between 0 and 1"
        )]
        let percent = (share * 100.0).round() as u32;
        Some(Reason::MaxChangedTargets { by_rules, changed, targets, percent })
    }
}

#[cfg(test)]
mod tests;
