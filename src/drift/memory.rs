//! What is remembered of one target from pass to pass. It is a value: losing it costs calls or a new
//! approval, never a wrong write.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::policy::{document::Document, statement::Statement};

/// Reads are eventually consistent within seconds, so sixteen writes back is long ago.
const MAX_SUPERSEDED: usize = 16;
/// As long a missing policy may be news from before our own addition (`lambda-semantics.md`, 7).
const ADDED_LATELY: SignedDuration = SignedDuration::from_secs(30);
/// Within this time a Sid that is put right again and again is fought over.
const FIGHT: SignedDuration = SignedDuration::from_hours(1);
/// So often put right in that time is a fight.
const FIGHT_ROUNDS: usize = 3;
/// A role that was not there may be there by then, and a minute of gaps a day is what that costs at most.
const REFUSAL: SignedDuration = SignedDuration::from_hours(1);

/// What earlier conversations about one target found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetMemory {
    /// Revisions that were seen replaced, oldest first.
    superseded: VecDeque<Superseded>,
    /// The revision that was believed last.
    current: Option<String>,
    /// Our last addition, if nothing was removed by us since.
    added_at: Option<Timestamp>,
    /// Statements with a deleted principal, by their text: since when every read has shown them.
    orphans: BTreeMap<String, Timestamp>,
    /// When what a Sid should be was put right, by Sid and what it should be.
    repairs: BTreeMap<(String, String), Vec<Timestamp>>,
    /// Replacements with a gap that came to nothing, by Sid.
    refusals: BTreeMap<String, Refusal>,
    /// Lambda's answer to a write of the whole document that it does not take from us in this account and region.
    no_put: Option<(String, Timestamp)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Superseded {
    revision: String,
    /// Our own write replaced it, so it is certain. Else two reads differed, and the later one is taken for
    /// the newer one.
    certain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    /// The statement that was refused; another one is tried at once.
    text: String,
    answer: String,
    at: Timestamp,
}

impl TargetMemory {
    /// Whether a read is news. What was seen replaced is not, and neither is a missing policy right after our
    /// own addition. A read that is news is taken note of.
    pub fn believes(&mut self, revision: Option<&str>, now: Timestamp) -> bool {
        let news = match revision {
            Some(it) => !self.superseded.iter().any(|old| old.revision == it),
            None => self.added_at.is_none_or(|it| now.duration_since(it) >= ADDED_LATELY),
        };
        if news && self.current.as_deref() != revision {
            let before = std::mem::replace(&mut self.current, revision.map(str::to_owned));
            self.supersede(before, false);
        }
        news
    }

    /// A write of ours went through, from this revision.
    pub fn wrote(&mut self, revision: Option<&str>, added: bool, now: Timestamp) {
        self.supersede(revision.map(str::to_owned), true);
        self.added_at = added.then_some(now);
    }

    /// A read shows what a write without an answer asked for. That may be somebody else's doing, or an old
    /// policy, so nothing is certain.
    pub fn seems_to_have_written(&mut self, added: bool, now: Timestamp) {
        self.added_at = added.then_some(now);
    }

    /// The last addition may have been undone, or its function is gone: a missing policy is news again.
    pub fn expect_nothing(&mut self) {
        self.added_at = None;
    }

    /// Reads kept giving what was taken for replaced. What is not certain is doubted from now on, lest a fresh
    /// read that was followed by a stale one is never believed again.
    pub fn doubt(&mut self) {
        self.superseded.retain(|it| it.certain);
    }

    fn supersede(&mut self, revision: Option<String>, certain: bool) {
        let Some(revision) = revision else { return };
        match self.superseded.iter_mut().find(|it| it.revision == revision) {
            Some(known) => known.certain |= certain,
            None => self.superseded.push_back(Superseded { revision, certain }),
        }
        while self.superseded.len() > MAX_SUPERSEDED {
            self.superseded.pop_front();
        }
    }

    /// Takes note of the statements whose principal was deleted.
    pub fn saw(&mut self, live: Option<&Document>, now: Timestamp) {
        let statements = live.map_or(&[][..], Document::statements);
        let orphans = statements.iter().filter(|it| it.blocks_adding());
        let mut seen = BTreeMap::new();
        for it in orphans {
            let since = self.orphans.get(it.text()).copied().unwrap_or(now);
            seen.insert(it.text().to_owned(), since);
        }
        self.orphans = seen;
    }

    /// Two reads at least `grace` apart have shown this statement with a deleted principal, and so did every
    /// one in between.
    pub fn confirms(&self, orphan: &Statement, grace: Duration, now: Timestamp) -> bool {
        let since = self.orphans.get(orphan.text());
        since.is_some_and(|it| now.duration_since(*it).unsigned_abs() >= grace)
    }

    /// When the next orphan can be confirmed, if one waits for it.
    pub fn next_confirmation(&self, grace: Duration, now: Timestamp) -> Option<Timestamp> {
        let grace = SignedDuration::try_from(grace).unwrap_or(SignedDuration::MAX);
        let due = |since: &Timestamp| since.saturating_add(grace).ok();
        self.orphans.values().filter_map(due).filter(|it| *it > now).min()
    }

    /// This Sid was made what it should be.
    pub fn repaired(&mut self, sid: &str, wanted: String, now: Timestamp) {
        // Another wish for the same Sid is the operator's doing, and no fight.
        self.repairs.retain(|(known, as_what), times| {
            times.retain(|it| now.duration_since(*it) < FIGHT);
            (known != sid || *as_what == wanted) && !times.is_empty()
        });
        self.repairs.entry((sid.to_owned(), wanted)).or_default().push(now);
    }

    /// The Sids that were put right three times within an hour.
    pub fn contended(&self, now: Timestamp) -> Vec<&str> {
        let lately = |times: &[Timestamp]| {
            times.iter().filter(|it| now.duration_since(**it) < FIGHT).count()
        };
        let fights = self.repairs.iter().filter(|(_, times)| lately(times) >= FIGHT_ROUNDS);
        fights.map(|((sid, _), _)| sid.as_str()).collect()
    }

    /// A replacement with a gap came to nothing.
    pub fn refused(&mut self, sid: &str, text: String, answer: String, now: Timestamp) {
        self.refusals.insert(sid.to_owned(), Refusal { text, answer, at: now });
    }

    /// Lambda's answer to the same replacement, if it was tried within the hour: each try is a gap.
    pub fn refusal(&self, sid: &str, text: &str, now: Timestamp) -> Option<&str> {
        let known = self.refusals.get(sid)?;
        let same = known.text == text && now.duration_since(known.at) < REFUSAL;
        same.then_some(known.answer.as_str())
    }

    /// Something was refused lately.
    pub fn has_refusals(&self) -> bool {
        !self.refusals.is_empty()
    }

    /// Lambda takes no whole document from us.
    pub fn may_not_put(&mut self, answer: String, now: Timestamp) {
        self.no_put = Some((answer, now));
    }

    /// Gives away what is known of that, for it holds for all targets of the account and region.
    pub fn take_no_put(&mut self) -> Option<(String, Timestamp)> {
        self.no_put.take()
    }

    /// Takes over what another conversation about the same target found out in the meantime.
    pub fn merge(&mut self, other: Self) {
        let Self { superseded, current, added_at, orphans, repairs, refusals, no_put: _ } = other;
        // It began with all that was known; what it has not any more it has come to doubt.
        self.superseded.retain(|it| it.certain);
        for it in superseded {
            self.supersede(Some(it.revision), it.certain);
        }
        self.current = current;
        self.added_at = self.added_at.max(added_at);
        self.orphans = orphans;
        for (key, times) in repairs {
            let known = self.repairs.entry(key).or_default();
            known.extend(times);
            known.sort_unstable();
            known.dedup();
        }
        self.refusals.extend(refusals);
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests;
