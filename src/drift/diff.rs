//! Grants against live statements: the classified difference, and what is foreign.
//!
//! | in the files | live | drift |
//! |---|---|---|
//! | granted | not there | `missing` |
//! | granted | not there, but owned under another Sid | `renamed` |
//! | granted | under its Sid, other content | `changed` |
//! | granted | under its Sid, its principal deleted | `orphaned` |
//! | granted, past `expires` | there | `expired` |
//! | `absent` | there | `absent` |
//! | nothing | owned, our own bridge | `leftover` |
//! | nothing | owned, its principal deleted | `orphaned` |
//! | nothing | owned, same content as a grant that is there | `duplicate` |
//! | nothing | owned, anything else | `unmanaged` |
//! | nothing | ignored by a rule | none |
//! | nothing | not owned | none; it is foreign |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::drift::{allow::Rules, bridge, wanted::Wanted};
use crate::policy::{
    document::Document,
    grant::Grant,
    source::Source,
    statement::{Class, Statement},
};

/// One difference between the files and a live policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What it is about: the Sid wanted, or the live one. None for a statement without a Sid.
    pub sid: Option<String>,
    /// What kind of difference.
    pub kind: Kind,
    /// The live statement that is wrong.
    pub before: Option<Statement>,
    /// The grant that should be there.
    pub after: Option<Grant>,
    /// The other Sid of a `renamed` (where it is now), a `duplicate` (of which) or a `leftover` (for which).
    pub other: Option<String>,
    /// More than one live statement has this Sid.
    pub ambiguous: bool,
    /// Where the files speak of it.
    pub source: Option<Source>,
    /// The rule for many functions that grants it.
    pub rule: Option<Arc<str>>,
}

/// The kinds of drift; the table above tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Granted and not there.
    Missing,
    /// There under its Sid, with other content.
    Changed,
    /// There with the same content under another Sid of ours.
    Renamed,
    /// There twice, the second time under a Sid of nobody's.
    Duplicate,
    /// Ours, and in no file.
    Unmanaged,
    /// Named as unwanted, and there.
    Absent,
    /// Its principal was deleted.
    Orphaned,
    /// There, and past its `expires`.
    Expired,
    /// A bridge of ours that was left behind.
    Leftover,
}

impl Kind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Missing,
        Self::Changed,
        Self::Renamed,
        Self::Duplicate,
        Self::Unmanaged,
        Self::Absent,
        Self::Orphaned,
        Self::Expired,
        Self::Leftover,
    ];

    /// The name in reports and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Renamed => "renamed",
            Self::Duplicate => "duplicate",
            Self::Unmanaged => "unmanaged",
            Self::Absent => "absent",
            Self::Orphaned => "orphaned",
            Self::Expired => "expired",
            Self::Leftover => "leftover",
        }
    }
}

/// Everything that differs, and everything that is none of our business.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Granted Sids first, in their order; then live statements in Lambda's order.
    pub drift: Vec<Drift>,
    /// In no file and not owned.
    pub foreign: Vec<Statement>,
    /// In no file and exempted by a rule.
    pub ignored: Vec<Statement>,
}

/// Compares what is wanted now with what is there.
pub fn diff(wanted: &Wanted, live: Option<&Document>, rules: &Rules, now: Timestamp) -> Diff {
    let statements = live.map_or(&[][..], Document::statements);
    let mut by_sid: BTreeMap<&str, Vec<&Statement>> = BTreeMap::new();
    for statement in statements {
        if let (Some(sid), false) = (statement.sid(), is_fixed(statement)) {
            by_sid.entry(sid).or_default().push(statement);
        }
    }
    let mut res = Diff::default();
    for grant in &wanted.grants {
        let found = by_sid.get(grant.sid.as_str()).map_or(&[][..], Vec::as_slice);
        res.drift.extend(of_grant(grant, found, now));
    }
    let granted: BTreeSet<&str> = wanted.grants.iter().map(|it| it.sid.as_str()).collect();
    for statement in statements {
        let sid = statement.sid().filter(|_| !is_fixed(statement));
        if sid.is_some_and(|it| granted.contains(it)) {
            continue;
        }
        let absent = sid.and_then(|it| wanted.absent.iter().find(|absent| absent.sid == it));
        let leftover = sid.and_then(|it| leftover_of(it, wanted));
        let owned = match sid {
            Some(sid) => wanted.ownership.owns(sid) || absent.is_some() || leftover.is_some(),
            None => wanted.ownership.owns(statement.sid().unwrap_or_default()),
        };
        // A list of ours is ours as a whole, whoever has put something into it.
        let owned = owned || statement.listed_in().is_some();
        if absent.is_none() && leftover.is_none() && rules.ignores(statement, &wanted.target) {
            res.ignored.push(statement.clone());
        } else if owned {
            let twin =
                wanted.grants.iter().find(|it| is_live(it, now) && statement.says(&it.terms));
            let (kind, other) = match (absent, leftover, twin) {
                (Some(_), _, _) => (Kind::Absent, None),
                (None, Some(of), _) => (Kind::Leftover, Some(of)),
                (None, None, _) if matches!(statement.class(), Class::Orphaned(_)) => {
                    (Kind::Orphaned, None)
                }
                (None, None, Some(twin)) => {
                    if rename(&mut res.drift, twin, statement) {
                        continue;
                    }
                    (Kind::Duplicate, Some(twin.sid.clone()))
                }
                (None, None, None) => (Kind::Unmanaged, None),
            };
            let twins = sid.and_then(|it| by_sid.get(it)).map_or(0, Vec::len);
            res.drift.push(Drift {
                sid: statement.sid().map(str::to_owned),
                kind,
                before: Some(statement.clone()),
                after: None,
                other,
                ambiguous: twins > 1,
                source: absent.map(|it| it.source.clone()),
                rule: None,
            });
        } else {
            res.foreign.push(statement.clone());
        }
    }
    res
}

/// A grant is wanted until the moment it expires.
pub fn is_live(grant: &Grant, now: Timestamp) -> bool {
    grant.expires.is_none_or(|it| now < it)
}

fn is_fixed(statement: &Statement) -> bool {
    matches!(statement.class(), Class::Fixed(_))
}

fn of_grant(grant: &Grant, found: &[&Statement], now: Timestamp) -> Option<Drift> {
    let wanted = is_live(grant, now);
    // Of several the one whose going matters most, for all of them go together.
    let orphaned = |it: &Statement| matches!(it.class(), Class::Orphaned(_));
    let others = found.iter().filter(|it| !it.says(&grant.terms));
    let before = others.min_by_key(|it| (!it.denies(), orphaned(it))).or_else(|| found.first());
    let kind = match before {
        None if wanted => Kind::Missing,
        None => return None,
        Some(_) if !wanted => Kind::Expired,
        Some(it) if it.says(&grant.terms) && found.len() == 1 => return None,
        Some(it) if it.says(&grant.terms) => Kind::Duplicate,
        Some(it) if matches!(it.class(), Class::Orphaned(_)) => Kind::Orphaned,
        Some(_) => Kind::Changed,
    };
    Some(Drift {
        sid: Some(grant.sid.clone()),
        kind,
        before: before.map(|it| (*it).clone()),
        after: wanted.then(|| grant.clone()),
        other: (kind == Kind::Duplicate).then(|| grant.sid.clone()),
        ambiguous: found.len() > 1,
        source: Some(grant.source.clone()),
        rule: grant.rule.clone(),
    })
}

/// Turns the `missing` of `twin` into a `renamed`, once.
fn rename(drift: &mut [Drift], twin: &Grant, statement: &Statement) -> bool {
    let missing = drift
        .iter_mut()
        .find(|it| it.kind == Kind::Missing && it.sid.as_deref() == Some(twin.sid.as_str()));
    let Some(missing) = missing else { return false };
    missing.kind = Kind::Renamed;
    missing.before = Some(statement.clone());
    missing.other = statement.sid().map(str::to_owned);
    true
}

/// The Sid that a bridge of ours was made for: one that is granted or absent, or one that is owned.
fn leftover_of(sid: &str, wanted: &Wanted) -> Option<String> {
    let base = bridge::base_of(sid)?;
    let declared =
        wanted.grants.iter().map(|it| &it.sid).chain(wanted.absent.iter().map(|it| &it.sid));
    let ours = |it: &str| bridge::bridge_sid(&wanted.target, it) == sid;
    declared
        .map(String::as_str)
        .chain(wanted.ownership.owns(base).then_some(base))
        .find(|it| ours(it))
        .map(str::to_owned)
}
