//! How much of the budgets was used lately, minute by minute.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::time::Instant;

use crate::lambda::paced::{BUCKETS, Pace};

/// How many minutes are kept: three hours.
pub const KEPT: usize = 180;
const MINUTE: u64 = 60;

/// How much of the budgets was used lately, over all accounts and regions.
#[derive(Debug)]
pub struct Usage {
    start: Instant,
    inner: Mutex<Inner>,
    /// The budgets of the accounts and regions that are there.
    paces: Mutex<Vec<(&'static str, Weak<Pace>)>>,
}

#[derive(Debug, Default)]
struct Inner {
    minutes: VecDeque<Minute>,
}

/// What happened within one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Minute {
    /// Which minute since the process started, from 0.
    pub number: u64,
    /// By budget, in the order of [`BUCKETS`].
    pub buckets: [Used; BUCKETS.len()],
}

/// What was used of one budget within one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// Calls.
    pub calls: u64,
    /// Calls that Lambda refused for now.
    pub throttles: u64,
    /// The sum of the waits for a turn.
    pub waited_seconds: f64,
}

/// How fast one budget goes, over all accounts and regions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Speed {
    /// Calls a second that are allowed, summed up; 0 where there is no limit, or nobody was asked yet.
    pub limit: f64,
    /// The same as it is slowed now, since Lambda refused calls.
    pub rate: f64,
    /// The part of what was allowed that was used in the last whole minute, where the most was used.
    pub used: f64,
}

impl Default for Usage {
    fn default() -> Self {
        Self { start: Instant::now(), inner: Mutex::default(), paces: Mutex::default() }
    }
}

impl Minute {
    /// Of one budget, by its name.
    pub fn of(&self, bucket: &str) -> Used {
        let mut named = BUCKETS.iter().zip(self.buckets);
        named.find(|(name, _)| **name == bucket).map(|(_, it)| it).unwrap_or_default()
    }
}

impl Usage {
    /// The minutes in which something happened and those between them, the newest last, which is the one that runs.
    pub fn minutes(&self) -> Vec<Minute> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.number();
        inner.go_to(number);
        inner.minutes.iter().copied().collect()
    }

    /// A call waited so long for its turn.
    pub fn waited(&self, bucket: &str, time: Duration) {
        self.note(bucket, |it| it.waited_seconds += time.as_secs_f64());
    }

    /// A call is over.
    pub fn called(&self, bucket: &str, throttled: bool) {
        self.note(bucket, |it| {
            it.calls += 1;
            it.throttles += u64::from(throttled);
        });
    }

    /// There is a budget, of one account and region.
    pub fn paced(&self, bucket: &'static str, pace: &Arc<Pace>) {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.retain(|(_, it)| it.strong_count() > 0);
        paces.push((bucket, Arc::downgrade(pace)));
    }

    /// How fast each budget goes now, in the order of [`BUCKETS`].
    pub fn speeds(&self) -> [Speed; BUCKETS.len()] {
        let paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        BUCKETS.map(|bucket| {
            let of = paces.iter().filter(|(name, _)| *name == bucket);
            let mut res = Speed::default();
            for pace in of.filter_map(|(_, it)| it.upgrade()) {
                res.limit += pace.limit().unwrap_or_default();
                res.rate += pace.rate().unwrap_or_default();
                res.used = res.used.max(pace.use_ratio());
            }
            res
        })
    }

    fn number(&self) -> u64 {
        self.start.elapsed().as_secs() / MINUTE
    }

    fn note(&self, bucket: &str, note: impl FnOnce(&mut Used)) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.number();
        inner.go_to(number);
        let used = inner.minutes.back_mut().and_then(|it| {
            let mut named = BUCKETS.iter().zip(&mut it.buckets);
            named.find(|(name, _)| **name == bucket).map(|(_, it)| it)
        });
        if let Some(used) = used {
            note(used);
        }
    }
}

impl Inner {
    /// Minutes without a call are there too, so that a plot shows them.
    fn go_to(&mut self, number: u64) {
        let oldest = number.saturating_sub(KEPT as u64 - 1);
        let last = self.minutes.back().map(|it| it.number + 1);
        for number in last.unwrap_or(number).max(oldest)..=number {
            self.minutes.push_back(Minute { number, ..Minute::default() });
        }
        while self.minutes.len() > KEPT {
            self.minutes.pop_front();
        }
        while self.minutes.front().is_some_and(|it| it.number < oldest) {
            self.minutes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
