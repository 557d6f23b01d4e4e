//! The passes of the loop: which are due, what each does, and what comes of it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicU64},
};

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tracing::Instrument;

use super::{Daemon, FILES, Rest, Work, after};
use crate::daemon::{
    carry::Carrier,
    pass::{Seen, Worker, held, waits},
    scribe::Occasion,
    tell,
};
use crate::drift::{
    allow::{Mode, Reason},
    approval::Approval,
    outcome::{Outcome, State, Trouble, TroubleReason},
    plan::Plan,
    wanted::Wanted,
};
use crate::lambda::gateway::{PolicyGateway, Urgency};
use crate::observe::{monitor::Passed, news::Edge, standing::Stage};
use crate::policy::target::{AccountRegion, Target};

/// A pass that is through.
pub(super) struct Ended {
    pass: u64,
    place: AccountRegion,
    full: bool,
    trigger: String,
    outcomes: Vec<Outcome>,
    start: Instant,
    calls: u64,
    edges: Vec<Edge>,
}

/// Why all of them are looked at.
const FULL: &str = "full pass";
/// What was seen too late to be judged with its pass is judged alone after this time.
const SOON: SignedDuration = SignedDuration::from_secs(1);

/// What is due now is due, whatever the rest of this microsecond brings.
const JUST_AFTER: SignedDuration = SignedDuration::from_micros(1);

impl<G: PolicyGateway> Work<'_, G> {
    /// Full passes whose time has come, and one small pass a place for what else is due.
    pub(super) fn start_what_is_due(&mut self) {
        if self.daemon.stop.is_cancelled() || !self.leads {
            return;
        }
        let now = Instant::now();
        let due: Vec<AccountRegion> = self
            .places
            .iter()
            .filter(|(_, it)| !it.running && (it.rest.is_some() || self.due(it) <= now))
            .map(|(place, _)| place.clone())
            .collect();
        for place in due {
            self.start_full(&place, now);
        }
        let later = self.agenda.split_off(&after(self.now(), JUST_AFTER));
        let due = std::mem::replace(&mut self.agenda, later);
        let mut by_place: BTreeMap<AccountRegion, (BTreeSet<usize>, BTreeSet<&str>)> =
            BTreeMap::new();
        for (target, why) in due.into_values().flatten() {
            // What left the files since is nobody's business any more.
            let Ok(at) = self.loaded.wanted.binary_search_by(|it| it.target.cmp(&target)) else {
                continue;
            };
            let (indices, whys) = by_place.entry(target.account_region()).or_default();
            indices.insert(at);
            whys.insert(why);
        }
        for (place, (indices, whys)) in by_place {
            let trigger = whys.into_iter().collect::<Vec<_>>().join(", ");
            self.start(place, indices.into_iter().collect(), trigger, false);
        }
    }

    fn start_full(&mut self, place: &AccountRegion, now: Instant) {
        let (cadence, random) = (self.loaded.cadence, fastrand::f64());
        let (next, spare) = (now + cadence.next(random), cadence.spare(random));
        let flows = self.hearsay.flows();
        let Some(it) = self.places.get_mut(place) else { return };
        it.running = true;
        if let Some(rest) = &it.rest {
            let done: BTreeSet<&Target> = rest.outcomes.iter().map(|it| &it.target).collect();
            let wanted = &self.loaded.wanted;
            let left = |at: &usize| wanted.get(*at).is_some_and(|it| !done.contains(&it.target));
            let indices: Vec<usize> = it.indices.iter().copied().filter(left).collect();
            self.start(place.clone(), indices, FULL.to_owned(), true);
            return;
        }
        (it.next_full, it.spare) = (next, spare);
        let next = if flows { next + spare } else { next };
        let indices = it.indices.clone();
        let at = self.now();
        self.daemon.scribe.reopen(at);
        let pause = SignedDuration::try_from(next - now).unwrap_or(SignedDuration::MAX);
        self.daemon.monitor.started(place, at, after(at, pause));
        self.start(place.clone(), indices, FULL.to_owned(), true);
    }

    fn start(&mut self, place: AccountRegion, indices: Vec<usize>, trigger: String, full: bool) {
        let Daemon { gateway, clock, scribe, mind, monitor, .. } = *self.daemon;
        let (loaded, stop) = (Arc::clone(&self.loaded), self.passing.clone());
        let start = Instant::now();
        self.n_passes += 1;
        let pass = self.n_passes;
        // What something says to look at now does not wait behind all the others.
        let urgency = if full { Urgency::Sweep } else { Urgency::Repair };
        let span = tell::pass_span(pass, &place, &trigger);
        let run = async move {
            let worker = Worker {
                carrier: Carrier {
                    gateway,
                    clock,
                    scribe,
                    stop: &stop,
                    urgency,
                    calls: AtomicU64::new(0),
                },
                mind,
                rules: &loaded.rules,
                n_targets: loaded.n_targets,
                occasion: Occasion::of(&trigger),
                keep: false,
            };
            let wanted: Vec<&Wanted> =
                indices.iter().filter_map(|it| loaded.wanted.get(*it)).collect();
            let edges = RefCell::new(Vec::new());
            let take = |outcome: &Outcome, stage| {
                let new = monitor.take(outcome, stage, clock());
                tell::edges(outcome, &new);
                edges.borrow_mut().extend(new);
            };
            let read = |seen: &Seen<'_>| match seen {
                Seen::Settled(outcome) => take(outcome, Stage::Settled),
                Seen::Open(_) => take(&seen.outcome(clock()), Stage::First),
            };
            let told = |outcome: &Outcome| {
                tell::setbacks(outcome);
                take(outcome, Stage::Last);
            };
            let outcomes = if loaded.rules.mode == Mode::Observe {
                worker.watch(&wanted, read, told).await
            } else {
                worker.pass(&wanted, read, told).await
            };
            let edges = edges.into_inner();
            let calls = worker.carrier.calls.into_inner();
            Ended { pass, place, full, trigger, outcomes, start, calls, edges }
        };
        self.passes.push(Box::pin(run.instrument(span)));
    }

    /// Tells what came of a pass, and notes what has to be looked at again.
    pub(super) fn through(&mut self, ended: Ended) {
        let Ended { pass, place, full, trigger, mut outcomes, mut start, mut calls, edges } = ended;
        let now = self.now();
        let cut_short = self.passing.is_cancelled() && !self.daemon.stop.is_cancelled();
        for outcome in &outcomes {
            self.look_again(outcome, now);
            // A full pass is gone on with; what was asked for in particular is still to be looked at.
            let interrupted = |it: &Trouble| it.reason == TroubleReason::Interrupted;
            if cut_short && !full && outcome.trouble.as_ref().is_some_and(interrupted) {
                self.note(now, outcome.target.clone(), FILES);
            }
        }
        // Where nothing is done anyway, nobody is asked.
        if self.loaded.rules.mode != Mode::Observe {
            let approval = held(&outcomes);
            self.tell_what_is_held(&outcomes, &approval, &place);
            self.daemon.mind.only_held(&outcomes, &approval);
            self.daemon.mind.offer(approval, now);
        }
        // Of what a reload had cut off, people were asked then, and may have answered.
        if let Some(it) = self.places.get_mut(&place).filter(|_| full) {
            it.running = false;
            if let Some(rest) = it.rest.take() {
                start = rest.start;
                calls += rest.calls;
                outcomes.extend(rest.outcomes);
                outcomes.sort_by(|a, b| a.target.cmp(&b.target));
            }
            if cut_short {
                let observing = self.loaded.rules.mode == Mode::Observe;
                let through = outcomes.iter().filter(|it| is_through(it, observing));
                let outcomes = through.map(told).collect();
                it.rest = Some(Rest { start, calls, outcomes });
            }
        }
        let time = start.elapsed();
        let done = tell::PassDone { pass, place: &place, trigger: &trigger, calls, time };
        tell::pass_done(&outcomes, done);
        let passed = Passed {
            place: &place,
            full,
            cut_short,
            trigger: &trigger,
            outcomes: &outcomes,
            time,
            calls,
            edges: &edges,
        };
        self.daemon.monitor.passed(&passed, now);
        self.daemon.monitor.metrics.journal_errors(self.daemon.scribe.failures());
        if !self.daemon.stop.is_cancelled() {
            self.daemon.systemd.status(|| self.daemon.monitor.board.view());
        }
        self.tell_what_waits();
        self.see_whether_all_is_well(&place);
    }

    /// Says once what to say yes to; the hourly reminder says it again.
    fn tell_what_is_held(&self, outcomes: &[Outcome], held: &Approval, place: &AccountRegion) {
        if !held.is_empty() && !self.daemon.mind.is_offered(&held.digest(), self.now()) {
            tell::held(outcomes, held, place);
        }
    }

    fn look_again(&mut self, outcome: &Outcome, now: Timestamp) {
        let mind = self.daemon.mind;
        let settles = |it: &Plan| it.holds().any(|(_, it)| *it == Reason::FilesSettling);
        if outcome.left.as_deref().is_some_and(settles) {
            if mind.is_settling(&outcome.target) {
                self.waiting_for_files.insert(outcome.target.clone());
            } else {
                self.note(now, outcome.target.clone(), FILES);
            }
        }
        // A fight is not won by being faster.
        if !waits(outcome) || outcome.state == State::Contended {
            return;
        }
        let grace = self.loaded.rules.orphan_grace;
        let memory = mind.memory_of(&outcome.target);
        let at = memory.next_confirmation(grace, now).unwrap_or_else(|| after(now, SOON));
        self.note(at, outcome.target.clone(), "second look");
    }

    pub(super) async fn finish_passes(&mut self) {
        while let Some(ended) = self.passes.next().await {
            self.through(ended);
        }
    }
}

/// Nothing of it is left for this pass to do.
fn is_through(outcome: &Outcome, observing: bool) -> bool {
    let interrupted = |it: &Trouble| it.reason == TroubleReason::Interrupted;
    let left = outcome.left.iter().flat_map(|it| &it.drift).any(|it| it.held.is_none());
    (observing || !left) && !outcome.trouble.as_ref().is_some_and(interrupted)
}

/// Once it was told what was done, that does not count a second time.
fn told(outcome: &Outcome) -> Outcome {
    Outcome { done: Vec::new(), ..outcome.clone() }
}
