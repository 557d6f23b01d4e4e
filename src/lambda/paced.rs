//! Request budgets per account and region: evenly spaced calls, slower after a 429.
//!
//! Lambda allows 15 GetPolicy a second, 100 GetFunction, and 15 of nearly everything else together, per account
//! and region, shared with every other tool (quotas page; `lambda-semantics.md`, 6). The budgets lie below that.

mod reserved;

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::lambda::gateway::{
    FunctionLister, GatewayError, LivePolicy, Page, PolicyGateway, PolicyReader, Receipt, Recovery,
};
use crate::lambda::{paced::reserved::Reserved, witness::Witness};
use crate::policy::{
    grant::Permission,
    target::{AccountRegion, Target},
};

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

/// The names of the budgets, in metrics.
pub const BUCKETS: [&str; 3] = ["get_policy", "get_function", "control"];

/// GetFunction has 100 a second of its own; it is only asked about targets without a policy.
const GET_FUNCTION: Rate = Rate(Some(50.0));

/// A decorator that makes every call wait for its turn.
#[derive(Debug)]
pub struct Paced<G> {
    inner: G,
    get_policy: Bucket,
    get_function: Bucket,
    control: Bucket,
    reserved: Reserved,
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
            reserved: Reserved::default(),
        }
    }

    /// This one hears of every call and every wait.
    #[must_use]
    pub fn heard_by(mut self, witness: &Arc<dyn Witness>) -> Self {
        let buckets = [&mut self.get_policy, &mut self.get_function, &mut self.control];
        for (name, bucket) in BUCKETS.into_iter().zip(buckets) {
            bucket.witness = Some((name, Arc::clone(witness)));
        }
        self
    }

    /// Waits until a removal, a read and an add may all go, one right after the other.
    ///
    /// The turn of the read first: while the others are waited for it can only grow old, and reads are what
    /// there is more of. So the writes are late by one turn at most, and do not pile up behind busy reads.
    async fn turns_to_replace(&self) {
        loop {
            self.get_policy.turn().await;
            let (removal, add) = (self.control.take_turn(), self.control.take_turn());
            if let Some(last) = removal.max(add) {
                sleep_until(last).await;
            }
            // Lambda has said in the meantime that it would refuse them. These turns lapse, or everybody who
            // waited would go at the same moment.
            if !self.get_policy.is_closed() && !self.control.is_closed() {
                return;
            }
        }
    }
}

impl<G: PolicyReader> PolicyReader for Paced<G> {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        if !self.reserved.take_read(target) {
            self.get_policy.turn().await;
        }
        self.get_policy.send("GetPolicy", self.inner.get_policy(target)).await
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.get_function.pace("GetFunction", || self.inner.function_exists(target)).await
    }
}

impl<G: FunctionLister> FunctionLister for Paced<G> {
    async fn list_functions(
        &self,
        place: &AccountRegion,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.control.pace("ListFunctions", || self.inner.list_functions(place, marker)).await
    }

    async fn list_aliases(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.control.pace("ListAliases", || self.inner.list_aliases(function, marker)).await
    }

    async fn list_versions(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.control
            .pace("ListVersionsByFunction", || self.inner.list_versions(function, marker))
            .await
    }
}

impl<G: PolicyGateway> PolicyGateway for Paced<G> {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
        if !self.reserved.take_add(target) {
            self.control.turn().await;
        }
        self.control
            .send("AddPermission", self.inner.add_permission(target, sid, permission, revision))
            .await
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.control
            .pace("RemovePermission", || self.inner.remove_permission(target, sid, revision))
            .await
    }

    async fn remove_to_replace(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.turns_to_replace().await;
        let call = self.inner.remove_to_replace(target, sid, revision);
        let res = self.control.send("RemovePermission", call).await;
        match &res {
            // Perhaps removed is a gap as well.
            Ok(_) | Err(GatewayError { recovery: Recovery::Unknown, .. }) => {
                self.reserved.keep(target);
            }
            Err(_) => self.reserved.lapse(target),
        }
        res
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<String, GatewayError> {
        self.control
            .pace("PutResourcePolicy", || self.inner.put_policy(target, document, revision))
            .await
    }
}

/// One budget. Turns are spaced by the inverse of the rate and never saved up, so that no window of any
/// length sees more than the rate allows, plus one. A reserved call goes after its turn, so there it may be
/// closer to others; what has gone since the start is within the rate nevertheless.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    state: Mutex<Turns>,
    witness: Option<(&'static str, Arc<dyn Witness>)>,
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
        let turns = Turns { next: None, share: 1.0, closed_until: None };
        Self { rate, state: Mutex::new(turns), witness: None }
    }

    async fn pace<T, F: Future<Output = Result<T, GatewayError>>>(
        &self,
        operation: &'static str,
        call: impl FnOnce() -> F,
    ) -> Result<T, GatewayError> {
        self.turn().await;
        self.send(operation, call()).await
    }

    async fn turn(&self) {
        let start = Instant::now();
        if let Some(turn) = self.take_turn() {
            sleep_until(turn).await;
        }
        if let Some((name, witness)) = &self.witness {
            witness.waited(name, start.elapsed());
        }
    }

    /// A call whose turn has come.
    async fn send<T>(
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

    fn is_closed(&self) -> bool {
        self.turns().closed_until.is_some_and(|it| it > Instant::now())
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
