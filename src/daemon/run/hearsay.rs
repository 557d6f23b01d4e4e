//! What events say that others changed: it is looked at within seconds, and who did it is remembered. While they
//! come, full passes may be rarer.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use super::{Place, Work, after};
use crate::daemon::{
    events::{
        self, Batch,
        record::{Change, Touched},
    },
    tell,
};
use crate::lambda::gateway::PolicyGateway;
use crate::policy::target::{AccountRegion, Target};

/// Why a target is looked at when an event tells of it.
pub(super) const EVENT: &str = "event";
/// All that happens to a target within this time is one look.
const TOGETHER: SignedDuration = SignedDuration::from_secs(1);
/// Reads are eventually consistent, and CloudTrail's times are whole seconds: what was done so long before a read
/// shows in it.
const SHOWN: SignedDuration = SignedDuration::from_secs(30);
/// Events that do not tell whose policy was changed lead to no more than a full pass in this time.
const FORCED: Duration = Duration::from_mins(5);

/// What is known of the events themselves.
#[derive(Debug, Default)]
pub(super) struct Hearsay {
    /// When the queue last worked.
    answered: Option<Instant>,
    /// So long after that events are believed to come.
    trust: Duration,
    /// What was last said about that.
    flowed: bool,
    /// When a place was last looked at for an event that told too little.
    forced: BTreeMap<AccountRegion, Instant>,
}

impl Hearsay {
    /// The queue has worked within the usual interval.
    pub(super) fn flows(&self) -> bool {
        self.answered.is_some_and(|it| it.elapsed() < self.trust)
    }
}

impl<G: PolicyGateway> Work<'_, G> {
    /// When the next full pass of a place is due.
    pub(super) fn due(&self, place: &Place) -> Instant {
        if self.hearsay.flows() { place.next_full + place.spare } else { place.next_full }
    }

    /// Where events begin or cease to come, the next full passes are later or earlier.
    pub(super) fn see_whether_events_come(&mut self) {
        self.hearsay.trust = self.loaded.cadence.interval;
        let flows = self.hearsay.flows();
        if std::mem::replace(&mut self.hearsay.flowed, flows) == flows {
            return;
        }
        let (now, at) = (Instant::now(), self.now());
        for (place, it) in &self.places {
            let left = self.due(it).saturating_duration_since(now);
            let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
            self.daemon.monitor.board.next_full(place, after(at, left));
        }
    }

    /// What events tell. Whoever brought them hears that it was noted.
    pub(super) fn heard(&mut self, batch: Batch) {
        let Batch { changes, unclear, flows, noted } = batch;
        if flows {
            self.hearsay.answered = Some(Instant::now());
        }
        let now = self.now();
        for change in changes {
            self.changed(change, now);
        }
        for place in unclear {
            self.look_everywhere(place.as_ref());
        }
        noted.send(()).unwrap_or_default();
    }

    fn changed(&mut self, change: Change, now: Timestamp) {
        let metrics = &self.daemon.monitor.metrics;
        let Change { id: _, touched, mut actor } = change;
        let ours = |it: &String| self.daemon.scribe.has_sent(it);
        // Not told, or of a clock that is ahead.
        if actor.time == Timestamp::UNIX_EPOCH || actor.time > now {
            actor.time = now;
        }
        metrics.event_lag(events::lag(actor.time, now));
        if actor.request_id.as_ref().is_some_and(ours) {
            metrics.event("own");
            return;
        }
        let targets = self.touched_by(&touched);
        metrics.event(if targets.is_empty() { "foreign" } else { "ok" });
        for target in targets {
            tell::event(&target, &actor);
            let is_past = self.is_past(&target, actor.sid.as_deref(), actor.time);
            let fought_over = self.is_fought_over(&target, actor.sid.as_deref(), now);
            self.daemon.mind.heard(&target, actor.clone(), is_past, now);
            // A fight is not won by being faster; and what is noted for the next second is noted.
            if !fought_over && !self.is_noted(&target, now) {
                self.note(after(now, TOGETHER), target, EVENT);
            }
        }
    }

    /// The managed targets that a call has to do with.
    fn touched_by(&self, touched: &Touched) -> Vec<Target> {
        let wanted = &self.loaded.wanted;
        let (Touched::Policy(first) | Touched::Function(first)) = touched;
        // Sorted by function, and the qualifiers behind it.
        let start = wanted.partition_point(|it| it.target < *first);
        let same = |it: &&Target| it.function_arn() == first.function_arn();
        let there = wanted.get(start..).unwrap_or_default().iter().map(|it| &it.target);
        there.take_while(same).filter(|it| touched.includes(it)).cloned().collect()
    }

    /// A read has shown since that what was done is not there any more.
    fn is_past(&self, target: &Target, sid: Option<&str>, done_at: Timestamp) -> bool {
        let view = self.daemon.monitor.board.standing(target);
        view.is_some_and(|it| {
            let differs = |sid: &str| it.open.iter().any(|it| it.sid.as_deref() == Some(sid));
            let is_open = sid.map_or(!it.open.is_empty(), differs);
            !is_open && it.last_read.is_some_and(|it| it > after(done_at, SHOWN))
        })
    }

    fn is_fought_over(&self, target: &Target, sid: Option<&str>, now: Timestamp) -> bool {
        let memory = self.daemon.mind.memory_of(target);
        let contended = memory.contended(now);
        sid.map_or(!contended.is_empty(), |it| contended.contains(&it))
    }

    fn is_noted(&self, target: &Target, now: Timestamp) -> bool {
        let mut soon = self.agenda.range(..=after(now, TOGETHER));
        soon.any(|(_, targets)| targets.get(target) == Some(&EVENT))
    }

    /// An event does not tell whose policy was changed: a full pass there, now; everywhere, where it does not even
    /// tell where.
    fn look_everywhere(&mut self, place: Option<&AccountRegion>) {
        let now = Instant::now();
        for (known, it) in &mut self.places {
            let lately = self.hearsay.forced.get(known).is_some_and(|it| now < *it + FORCED);
            if place.is_some_and(|it| it != known) || lately {
                continue;
            }
            self.hearsay.forced.insert(known.clone(), now);
            (it.next_full, it.spare) = (now, Duration::ZERO);
        }
    }
}
