//! What somebody said yes to: which statements become what, and nothing about when or from where.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::{
    drift::{
        diff::Kind,
        plan::{Change, Plan},
    },
    policy::{canonical::Canonical, grant::Grant, target::Target},
};

/// A set of (target, Sid, canonical before, canonical after).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approval {
    entries: BTreeSet<Entry>,
}

type Entry = (String, String, Option<String>, Option<String>);

impl Approval {
    /// Everything that these plans would do.
    pub fn of<'a>(plans: impl IntoIterator<Item = (&'a Target, &'a Plan)>) -> Self {
        let mut entries = BTreeSet::new();
        for (target, plan) in plans {
            for change in plan.drift.iter().filter(|it| it.held.is_none()) {
                entries.extend(entries_of(target, change));
            }
        }
        Self { entries }
    }

    /// Whether all that this change does was said yes to.
    pub fn covers(&self, target: &Target, change: &Change) -> bool {
        entries_of(target, change).iter().all(|it| self.entries.contains(it))
    }

    /// Names this set: its SHA-256, in hex. The same changes have the same digest on every day.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (target, sid, before, after) in &self.entries {
            let text = |it: &Option<String>| it.clone().unwrap_or_default();
            hash.update(format!("{target}\n{sid}\n{}\n{}\n", text(before), text(after)));
        }
        hash.finalize().iter().map(|it| format!("{it:02x}")).collect()
    }
}

/// A rename is two changes to what stands under two Sids.
fn entries_of(target: &Target, change: &Change) -> Vec<Entry> {
    let drift = &change.drift;
    let before = drift.before.as_ref().map(|it| it.canonical(target).text());
    let after = drift.after.as_ref().filter(|_| change.adds()).map(|it| grant_text(it, target));
    let arn = target.arn();
    let sid = drift.sid.clone().unwrap_or_default();
    match (drift.kind, &drift.other) {
        (Kind::Renamed, Some(old)) => {
            vec![(arn.clone(), sid, None, after), (arn, old.clone(), before, None)]
        }
        _ => vec![(arn, sid, before, after)],
    }
}

fn grant_text(grant: &Grant, target: &Target) -> String {
    let text = grant.permission.statement_text(&grant.sid, target);
    Canonical::of_text(&text, target.partition()).text()
}
