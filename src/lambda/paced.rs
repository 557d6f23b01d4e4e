//! Request budgets per account and region: evenly spaced calls, slower after a 429.
//!
//! Lambda allows 15 GetPolicy a second, 100 GetFunction, and 15 of nearly everything else together, per account
//! and region, shared with every other tool (quotas page; `lambda-semantics.md`, 6). The budgets lie below that.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::lambda::gateway::{GatewayError, LivePolicy, PolicyGateway, PolicyReader, Recovery};
use crate::policy::{grant::Permission, target::Target};

/// Calls a second; none for no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(Option<f64>);

impl Rate {
    /// No limit, for what is not AWS.
    pub const UNLIMITED: Self = Self(None);

    /// So many calls a second; more than zero.
    pub fn per_second(calls: f64) -> Option<Self> {
        (calls.is_finite() && calls > 0.0).then_some(Self(Some(calls)))
    }

    /// Calls a second, where there is a limit.
    pub fn calls_per_second(self) -> Option<f64> {
        self.0
    }
}

/// How much of Lambda's quotas we take, per account and region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budgets {
    /// GetPolicy; Lambda allows 15 a second.
    pub get_policy: Rate,
    /// AddPermission, RemovePermission and the rest of the control plane; Lambda allows 15 a second together.
    pub control: Rate,
}

impl Default for Budgets {
    /// 10 and 3 a second: two thirds of the reads, which are nobody else's, and a fifth of what deployments share.
    fn default() -> Self {
        Self { get_policy: Rate(Some(10.0)), control: Rate(Some(3.0)) }
    }
}

impl Budgets {
    /// No limits, for what is not AWS.
    pub const UNLIMITED: Self = Self { get_policy: Rate::UNLIMITED, control: Rate::UNLIMITED };
}

/// GetFunction has 100 a second of its own; it is only asked about targets without a policy.
const GET_FUNCTION: Rate = Rate(Some(50.0));

/// A decorator that makes every call wait for its turn.
#[derive(Debug)]
pub struct Paced<G> {
    inner: G,
    get_policy: Bucket,
    get_function: Bucket,
    control: Bucket,
}

impl<G> Paced<G> {
    /// Paces the calls of one account and region.
    pub fn new(inner: G, budgets: Budgets) -> Self {
        let unlimited = budgets.control == Rate::UNLIMITED;
        let get_function = if unlimited { Rate::UNLIMITED } else { GET_FUNCTION };
        Self {
            inner,
            get_policy: Bucket::new(budgets.get_policy),
            get_function: Bucket::new(get_function),
            control: Bucket::new(budgets.control),
        }
    }
}

impl<G: PolicyReader> PolicyReader for Paced<G> {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.get_policy.pace(|| self.inner.get_policy(target)).await
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.get_function.pace(|| self.inner.function_exists(target)).await
    }
}

impl<G: PolicyGateway> PolicyGateway for Paced<G> {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<(), GatewayError> {
        self.control.pace(|| self.inner.add_permission(target, sid, permission, revision)).await
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<(), GatewayError> {
        self.control.pace(|| self.inner.remove_permission(target, sid, revision)).await
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<String, GatewayError> {
        self.control.pace(|| self.inner.put_policy(target, document, revision)).await
    }
}

/// One budget. Calls are spaced by the inverse of the rate and never saved up, so that no window of any
/// length sees more than the rate allows, plus one.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    state: Mutex<Turns>,
}

#[derive(Debug)]
struct Turns {
    next: Option<Instant>,
    /// The part of the rate that is used now: 1, or less since a 429.
    share: f64,
    /// No call before this moment: Lambda said so.
    closed_until: Option<Instant>,
}

/// A rate is never slowed to less than this part of itself, so that one bad minute does not stop a daemon.
const LEAST_SHARE: f64 = 1.0 / 16.0;
/// What every good answer adds to the share: back to the full rate after some hundred calls.
const RECOVERY: f64 = 0.01;
/// The start of a bucket without a limit, once Lambda has refused a call.
const UNLIMITED_PAUSE: Duration = Duration::from_millis(100);

impl Bucket {
    fn new(rate: Rate) -> Self {
        Self { rate, state: Mutex::new(Turns { next: None, share: 1.0, closed_until: None }) }
    }

    async fn pace<T, F: Future<Output = Result<T, GatewayError>>>(
        &self,
        call: impl FnOnce() -> F,
    ) -> Result<T, GatewayError> {
        if let Some(turn) = self.take_turn() {
            sleep_until(turn).await;
        }
        let res = call().await;
        match &res {
            Err(GatewayError { recovery: Recovery::Throttled { retry_after }, .. }) => {
                self.slow_down(*retry_after);
            }
            Ok(_) | Err(_) => self.recover(),
        }
        res
    }

    /// The moment from which the next call may go; none for at once.
    fn take_turn(&self) -> Option<Instant> {
        let mut turns = self.turns();
        if self.rate == Rate::UNLIMITED && turns.closed_until.is_none() && turns.share >= 1.0 {
            return None;
        }
        let now = Instant::now();
        let earliest = turns.next.unwrap_or(now).max(now);
        let turn = turns.closed_until.map_or(earliest, |it| it.max(earliest));
        let gap = match self.rate {
            Rate(Some(rate)) => Duration::from_secs_f64(1.0 / (rate * turns.share)),
            Rate(None) if turns.share < 1.0 => UNLIMITED_PAUSE.div_f64(turns.share),
            Rate(None) => Duration::ZERO,
        };
        turns.next = Some(turn + gap);
        (turn > now).then_some(turn)
    }

    fn slow_down(&self, retry_after: Option<Duration>) {
        let mut turns = self.turns();
        turns.share = (turns.share / 2.0).max(LEAST_SHARE);
        if let Some(pause) = retry_after {
            let until = Instant::now() + pause.min(Duration::from_mins(1));
            turns.closed_until = turns.closed_until.max(Some(until));
        }
    }

    fn recover(&self) {
        let mut turns = self.turns();
        turns.share = (turns.share + RECOVERY).min(1.0);
        if turns.closed_until.is_some_and(|it| it <= Instant::now()) {
            turns.closed_until = None;
        }
    }

    fn turns(&self) -> std::sync::MutexGuard<'_, Turns> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
