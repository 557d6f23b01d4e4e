//! How much of the budgets was used lately, minute by minute.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::lambda::witness::Bucket;

/// How many minutes are kept: three hours.
pub const KEPT: usize = 180;
const MINUTE: u64 = 60;

/// How much of the budgets was used lately, over all accounts and regions.
#[derive(Debug)]
pub struct Usage {
    start: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    minutes: VecDeque<Minute>,
    rates: BTreeMap<Bucket, f64>,
}

/// What happened within one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Minute {
    /// Which minute since the process started, from 0.
    pub number: u64,
    /// By bucket, in the order of [`Bucket::ALL`].
    pub buckets: [Used; 3],
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

impl Default for Usage {
    fn default() -> Self {
        Self { start: Instant::now(), inner: Mutex::default() }
    }
}

impl Minute {
    /// Of one budget.
    pub fn of(&self, bucket: Bucket) -> Used {
        let [get_policy, get_function, control] = self.buckets;
        match bucket {
            Bucket::GetPolicy => get_policy,
            Bucket::GetFunction => get_function,
            Bucket::Control => control,
        }
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

    /// Calls a second that one account and region may make; none where there is no limit, or nothing was called.
    pub fn rate(&self, bucket: Bucket) -> Option<f64> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.rates.get(&bucket).copied()
    }

    /// What a budget allows.
    pub fn set_rate(&self, bucket: Bucket, rate: Option<f64>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match rate {
            Some(rate) => inner.rates.insert(bucket, rate),
            None => inner.rates.remove(&bucket),
        };
    }

    /// A call waited so long for its turn.
    pub fn waited(&self, bucket: Bucket, time: Duration) {
        self.note(bucket, |it| it.waited_seconds += time.as_secs_f64());
    }

    /// A call is over.
    pub fn called(&self, bucket: Bucket, throttled: bool) {
        self.note(bucket, |it| {
            it.calls += 1;
            it.throttles += u64::from(throttled);
        });
    }

    fn number(&self) -> u64 {
        self.start.elapsed().as_secs() / MINUTE
    }

    fn note(&self, bucket: Bucket, note: impl FnOnce(&mut Used)) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.number();
        inner.go_to(number);
        let Some(Minute { buckets: [get_policy, get_function, control], .. }) =
            inner.minutes.back_mut()
        else {
            return;
        };
        note(match bucket {
            Bucket::GetPolicy => get_policy,
            Bucket::GetFunction => get_function,
            Bucket::Control => control,
        });
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
