//! One budget: turns evenly spaced, given to the most urgent call that waits.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::lambda::{
    gateway::{GatewayError, Recovery, Urgency},
    paced::Rate,
    witness::Witness,
};

/// A rate is never slowed to less than this part of itself, so that one bad minute does not stop a daemon.
const LEAST_SHARE: f64 = 1.0 / 16.0;
/// What every good answer adds to the share: back to the full rate after some hundred calls.
const RECOVERY: f64 = 0.01;
/// The start of a bucket without a limit, once Lambda has refused a call.
const UNLIMITED_PAUSE: Duration = Duration::from_millis(100);
/// After so many turns that went past somebody less urgent, the next one is for who has waited the longest.
const FAIR: u32 = 9;
/// So late a timer or a busy machine may be without slowing the calls after it: at rates that are far above Lambda's
/// own, where half a turn is nothing.
const LATE: Duration = Duration::from_millis(50);
const MINUTE: Duration = Duration::from_mins(1);

/// One budget, with who hears of its calls.
#[derive(Debug)]
pub(super) struct Bucket {
    pace: Arc<Pace>,
    witness: Option<(&'static str, Arc<dyn Witness>)>,
}

/// How fast the calls of one budget go.
///
/// Turns are spaced by the inverse of the rate and never saved up, so that no window of any length sees more than
/// the rate allows, plus one. Who is late, because a timer or the machine was, gives what comes after it half a turn
/// of that at most, or 50 ms. A reserved call goes after its turn, so there it may be closer to others; what has
/// gone since the start is within the rate nevertheless.
///
/// The turn is given when its time has come, to the most urgent of those who wait; among equals to the first. So
/// whoever is less urgent costs one turn at most. Nobody waits forever: one turn in ten, where somebody less
/// urgent was passed over all the time, is for who has waited the longest.
#[derive(Debug)]
pub struct Pace {
    rate: Rate,
    created: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: Option<Instant>,
    /// The part of the rate that is used now: 1, or less since a 429.
    share: f64,
    /// No call before this moment: Lambda said so.
    closed_until: Option<Instant>,
    /// Who waits: by urgency, then in the order in which they came.
    queue: BTreeMap<(Urgency, u64), Arc<Notify>>,
    n_tickets: u64,
    /// So many turns in a row went past somebody less urgent.
    passed_over: u32,
    busy: Busy,
}

/// How much of its time a budget spent on calls, by minutes: the spaces of the turns that were taken.
#[derive(Debug, Default)]
struct Busy {
    minute: u64,
    now: Duration,
    before: Duration,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        let state = State {
            next: None,
            share: 1.0,
            closed_until: None,
            queue: BTreeMap::new(),
            n_tickets: 0,
            passed_over: 0,
            busy: Busy::default(),
        };
        let pace = Pace { rate, created: Instant::now(), state: Mutex::new(state) };
        Self { pace: Arc::new(pace), witness: None }
    }

    pub(super) fn heard_by(&mut self, name: &'static str, witness: &Arc<dyn Witness>) {
        witness.paced(name, &self.pace);
        self.witness = Some((name, Arc::clone(witness)));
    }

    pub(super) async fn pace<T, F: Future<Output = Result<T, GatewayError>>>(
        &self,
        urgency: Urgency,
        operation: &'static str,
        call: impl FnOnce() -> F,
    ) -> Result<T, GatewayError> {
        self.turns(urgency, 1).await;
        self.send(operation, call()).await
    }

    /// Waits for so many turns, one right after the other.
    pub(super) async fn turns(&self, urgency: Urgency, n: u32) {
        let start = Instant::now();
        if !self.pace.is_free() {
            let ticket = Ticket::new(&self.pace, urgency);
            for _ in 0..n {
                ticket.turn().await;
            }
        }
        if let Some((name, witness)) = &self.witness {
            witness.waited(name, start.elapsed());
        }
    }

    /// A call whose turn has come.
    pub(super) async fn send<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, GatewayError>>,
    ) -> Result<T, GatewayError> {
        let start = Instant::now();
        let res = call.await;
        if let Some((name, witness)) = &self.witness {
            witness.answered(name, operation, res.as_ref().err(), start.elapsed());
        }
        match &res {
            Err(GatewayError { recovery: Recovery::Throttled { retry_after }, .. }) => {
                self.pace.slow_down(*retry_after);
            }
            Ok(_) | Err(_) => self.pace.recover(),
        }
        res
    }

    pub(super) fn is_closed(&self) -> bool {
        self.pace.state().closed_until.is_some_and(|it| it > Instant::now())
    }
}

impl Pace {
    /// Calls a second that it allows; none for no limit.
    pub fn limit(&self) -> Option<f64> {
        self.rate.calls_per_second()
    }

    /// The same as it is slowed now, since Lambda refused calls.
    pub fn rate(&self) -> Option<f64> {
        self.limit().map(|it| it * self.state().share)
    }

    /// The part of what was allowed in the last whole minute that was used, 0 to 1.
    pub fn use_ratio(&self) -> f64 {
        let mut state = self.state();
        state.busy.go_to(self.minute());
        state.busy.before.div_duration_f64(MINUTE).min(1.0)
    }

    fn minute(&self) -> u64 {
        self.created.elapsed().as_secs() / MINUTE.as_secs()
    }

    /// There is no limit, and Lambda has not refused anything lately.
    fn is_free(&self) -> bool {
        let state = self.state();
        self.rate == Rate::UNLIMITED && state.closed_until.is_none() && state.share >= 1.0
    }

    fn slow_down(&self, retry_after: Option<Duration>) {
        let mut state = self.state();
        state.share = (state.share / 2.0).max(LEAST_SHARE);
        if let Some(pause) = retry_after {
            let until = Instant::now() + pause.min(Duration::from_mins(1));
            state.closed_until = state.closed_until.max(Some(until));
        }
    }

    fn recover(&self) {
        let mut state = self.state();
        state.share = (state.share + RECOVERY).min(1.0);
        if state.closed_until.is_some_and(|it| it <= Instant::now()) {
            state.closed_until = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whose turn it is next.
    fn first(&self) -> Option<(Urgency, u64)> {
        let most_urgent = self.queue.keys().next().copied();
        if self.passed_over < FAIR {
            return most_urgent;
        }
        self.queue.keys().min_by_key(|(_, number)| *number).copied()
    }

    /// It may go. Who comes next is told that it is next.
    fn take(&mut self, rate: Rate, key: (Urgency, u64), since: Instant, now: Instant) -> Duration {
        let gap = match rate {
            Rate(Some(rate)) => Duration::from_secs_f64(1.0 / (rate * self.share)),
            Rate(None) if self.share < 1.0 => UNLIMITED_PAUSE.div_f64(self.share),
            Rate(None) => Duration::ZERO,
        };
        // A turn is as old as it could have been used, and what was not used of it lapses.
        let late = now.checked_sub((gap / 2).max(LATE)).unwrap_or(now);
        let turn = self.earliest().map_or(since, |it| it.max(since)).max(late).min(now);
        self.next = Some(turn + gap);
        let most_urgent = self.queue.keys().next().is_none_or(|it| *it == key);
        let passes_over = self.queue.keys().next_back().is_some_and(|it| it.0 > key.0);
        self.passed_over = if most_urgent && passes_over { self.passed_over + 1 } else { 0 };
        gap
    }

    fn earliest(&self) -> Option<Instant> {
        self.next.max(self.closed_until)
    }

    fn wake_first(&self) {
        if let Some(it) = self.first().and_then(|it| self.queue.get(&it)) {
            it.notify_one();
        }
    }
}

impl Busy {
    fn go_to(&mut self, minute: u64) {
        if minute == self.minute + 1 {
            self.before = self.now;
        } else if minute > self.minute {
            self.before = Duration::ZERO;
        }
        if minute > self.minute {
            (self.minute, self.now) = (minute, Duration::ZERO);
        }
    }
}

/// When somebody who waits may go.
enum Turn {
    Now,
    /// Not before this moment.
    At(Instant),
    /// Others come first; it will be told.
    AfterOthers,
}

/// A place in the queue. It is given up when this is dropped, whether its turn has come or not.
struct Ticket<'a> {
    pace: &'a Pace,
    key: (Urgency, u64),
    since: Instant,
    woken: Arc<Notify>,
}

impl<'a> Ticket<'a> {
    fn new(pace: &'a Pace, urgency: Urgency) -> Self {
        let woken = Arc::new(Notify::new());
        let mut state = pace.state();
        state.n_tickets += 1;
        let key = (urgency, state.n_tickets);
        state.queue.insert(key, Arc::clone(&woken));
        Self { pace, key, since: Instant::now(), woken }
    }

    async fn turn(&self) {
        loop {
            // Who becomes first while another one was is told when that one has gone. Who was first and is not any
            // more sees it when it wakes.
            match self.take() {
                Turn::Now => return,
                Turn::At(at) => sleep_until(at).await,
                Turn::AfterOthers => self.woken.notified().await,
            }
        }
    }

    fn take(&self) -> Turn {
        let mut state = self.pace.state();
        if state.first() != Some(self.key) {
            return Turn::AfterOthers;
        }
        let now = Instant::now();
        if let Some(it) = state.earliest().filter(|it| *it > now) {
            return Turn::At(it);
        }
        let gap = state.take(self.pace.rate, self.key, self.since, now);
        state.busy.go_to(self.pace.minute());
        state.busy.now += gap;
        // The fair turn may be somebody else's, now.
        state.wake_first();
        Turn::Now
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.queue.remove(&self.key);
        state.wake_first();
    }
}

#[cfg(test)]
mod tests;
