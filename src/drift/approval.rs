//! What somebody said yes to: which statements become what, and nothing about when or from where.

use std::{collections::BTreeSet, fmt::Write, sync::Arc};

use sha2::{Digest, Sha256};

use crate::drift::{
    allow::Reason,
    diff::Kind,
    plan::{Change, Plan},
};
use crate::policy::{canonical::Canonical, grant::Grant, target::Target};

/// A set of (target, Sid, canonical before, canonical after). Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approval {
    entries: Arc<BTreeSet<Entry>>,
}

/// What stands under one Sid of one target, before and after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The full ARN.
    pub target: String,
    /// Empty for a statement without one.
    pub sid: String,
    /// Canonical; none where nothing stands there.
    pub before: Option<String>,
    /// Canonical; none where nothing is to stand there.
    pub after: Option<String>,
}

impl Approval {
    /// Of these entries.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self { entries: Arc::new(entries.into_iter().collect()) }
    }

    /// All changes of these plans that fulfil a condition.
    pub fn of<'a>(
        plans: impl IntoIterator<Item = (&'a Target, &'a Plan)>,
        which: impl Fn(&Change) -> bool,
    ) -> Self {
        let mut entries = BTreeSet::new();
        for (target, plan) in plans {
            for change in plan.drift.iter().filter(|it| which(it)) {
                entries.extend(entries_of(target, change));
            }
        }
        Self { entries: Arc::new(entries) }
    }

    /// What these plans hold until somebody says yes.
    pub fn of_held<'a>(plans: impl IntoIterator<Item = (&'a Target, &'a Plan)>) -> Self {
        Self::of(plans, |it| it.held.as_ref().is_some_and(Reason::is_approvable))
    }

    /// What a reader of these plans says yes to: all that would be done, what waits for a yes, and what
    /// only waits for time to pass.
    pub fn of_shown<'a>(plans: impl IntoIterator<Item = (&'a Target, &'a Plan)>) -> Self {
        Self::of(plans, |it| it.held.as_ref().is_none_or(|it| it.is_approvable() || it.passes()))
    }

    /// Whether all that this change does was said yes to. Who said yes to what a Sid becomes also said yes to
    /// the way there, on which nothing stands under it for a moment.
    pub fn covers(&self, target: &Target, change: &Change) -> bool {
        !self.entries.is_empty() && entries_of(target, change).iter().all(|it| self.contains(it))
    }

    fn contains(&self, entry: &Entry) -> bool {
        let on_the_way = || {
            // The first of all that there can be under this Sid.
            let first = Entry { before: None, after: None, ..entry.clone() };
            let same = |it: &&Entry| it.target == entry.target && it.sid == entry.sid;
            let mut of_sid = self.entries.range(first..).take_while(same);
            entry.before.is_none() && of_sid.any(|it| it.after == entry.after)
        };
        self.entries.contains(entry) || on_the_way()
    }

    /// Names this set: its SHA-256, in hex. The same changes have the same digest on every day.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for Entry { target, sid, before, after } in self.entries.iter() {
            let text = |it: &Option<String>| it.clone().unwrap_or_default();
            hash.update(format!("{target}\n{sid}\n{}\n{}\n", text(before), text(after)));
        }
        let mut res = String::new();
        for byte in hash.finalize() {
            // Writing to a String cannot fail.
            write!(res, "{byte:02x}").unwrap_or_default();
        }
        res
    }

    /// Nothing was said yes to.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many statements it is about.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// In their order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        Self::new(self.entries.iter().chain(other.entries.iter()).cloned())
    }

    /// Those that fulfil a condition.
    #[must_use]
    pub fn only(&self, which: impl Fn(&Entry) -> bool) -> Self {
        Self::new(self.entries.iter().filter(|it| which(it)).cloned())
    }

    /// Without what a change did: a yes is used once.
    #[must_use]
    pub fn without(&self, used: &[Entry]) -> Self {
        if !used.iter().any(|it| self.entries.contains(it)) {
            return self.clone();
        }
        Self::new(self.entries.iter().filter(|it| !used.contains(it)).cloned())
    }
}

/// The digest that names a report: of what is held until somebody says yes, and where nothing is, of all that
/// would be done.
pub fn digest_of<'a>(plans: impl IntoIterator<Item = (&'a Target, &'a Plan)> + Clone) -> String {
    let held = Approval::of_held(plans.clone());
    if held.is_empty() {
        Approval::of(plans, |it| it.held.is_none()).digest()
    } else {
        held.digest()
    }
}

/// What a change makes of the Sids that it is about. A rename is two changes.
pub fn entries_of(target: &Target, change: &Change) -> Vec<Entry> {
    let drift = &change.drift;
    let before = drift.before.as_ref().map(|it| it.canonical(target).text());
    let after = drift.after.as_ref().filter(|_| change.adds()).map(|it| grant_text(it, target));
    let entry = |sid: &str, before, after| Entry {
        target: target.arn(),
        sid: sid.to_owned(),
        before,
        after,
    };
    let sid = drift.sid.as_deref().unwrap_or_default();
    match (drift.kind, &drift.other) {
        (Kind::Renamed, Some(old)) => vec![entry(sid, None, after), entry(old, before, None)],
        _ => vec![entry(sid, before, after)],
    }
}

fn grant_text(grant: &Grant, target: &Target) -> String {
    let text = grant.terms.statement_text(&grant.sid, target);
    Canonical::of_text(&text, target.partition()).text()
}

#[cfg(test)]
mod tests;
