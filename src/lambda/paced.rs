//! Request budgets per account and region: evenly spaced calls, slower after a 429.
//!
//! Lambda allows 15 GetPolicy a second, 100 GetFunction, and 15 of nearly everything else together, per account
//! and region, shared with every other tool (quotas page; `lambda-semantics.md`, 6). The budgets lie below that.
//!
//! Within a budget the most urgent call goes first: writes, then what a repair reads, then what a full pass reads,
//! then what looks for functions. See [`Pace`].

mod bucket;
mod reserved;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::lambda::{
    gateway::{
        FunctionLister, GatewayError, LivePolicy, Page, PolicyGateway, PolicyReader, Put, Receipt,
        Recovery, Urgency,
    },
    paced::{bucket::Bucket, reserved::Reserved},
    tenure::{GAP_TIMEOUT, Tenure, WRITE_TIMEOUT, within},
    witness::Witness,
};
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

pub use bucket::Pace;

/// A decorator that makes every call wait for its turn.
#[derive(Debug)]
pub struct Paced<G> {
    inner: G,
    get_policy: Bucket,
    get_function: Bucket,
    control: Bucket,
    reserved: Reserved,
    tenure: Option<Tenure>,
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
            tenure: None,
        }
    }

    /// Writes only leave while this lasts.
    #[must_use]
    pub fn under(mut self, tenure: Tenure) -> Self {
        self.tenure = Some(tenure);
        self
    }

    /// A write whose turn has come, and that may take so long with what has to follow it.
    async fn write<T>(
        &self,
        operation: &'static str,
        needs: Duration,
        call: impl Future<Output = Result<T, GatewayError>>,
    ) -> Result<T, GatewayError> {
        let Some(tenure) = &self.tenure else { return self.control.send(operation, call).await };
        tenure.may_start(needs).await?;
        self.control.send(operation, within(call)).await
    }

    /// This one hears of every call and every wait, and how fast the budgets go.
    #[must_use]
    pub fn heard_by(mut self, witness: &Arc<dyn Witness>) -> Self {
        let buckets = [&mut self.get_policy, &mut self.get_function, &mut self.control];
        for (name, bucket) in BUCKETS.into_iter().zip(buckets) {
            bucket.heard_by(name, witness);
        }
        self
    }

    /// Waits until a removal, a read and an add may all go, one right after the other.
    ///
    /// The turn of the read first: while the others are waited for it can only grow old, and reads are what
    /// there is more of. So the writes are late by one turn at most, and do not pile up behind busy reads.
    async fn turns_to_replace(&self) {
        loop {
            self.get_policy.turns(Urgency::Write, 1).await;
            self.control.turns(Urgency::Write, 2).await;
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
        self.get_policy_as(target, Urgency::Sweep).await
    }

    async fn get_policy_as(
        &self,
        target: &Target,
        urgency: Urgency,
    ) -> Result<LivePolicy, GatewayError> {
        if !self.reserved.take_read(target) {
            self.get_policy.turns(urgency, 1).await;
        }
        self.get_policy.send("GetPolicy", self.inner.get_policy(target)).await
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        // It counts as one of the rest of the control plane (`lambda-semantics.md`, 6; inferred).
        let call = || self.inner.get_resource_policy(target);
        self.control.pace(Urgency::Repair, "GetResourcePolicy", call).await
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        // It has a budget of its own, which nothing else uses.
        let call = || self.inner.function_exists(target);
        self.get_function.pace(Urgency::Sweep, "GetFunction", call).await
    }
}

impl<G: FunctionLister> FunctionLister for Paced<G> {
    async fn list_functions(
        &self,
        place: &AccountRegion,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let call = || self.inner.list_functions(place, marker);
        self.control.pace(Urgency::Discovery, "ListFunctions", call).await
    }

    async fn list_aliases(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let call = || self.inner.list_aliases(function, marker);
        self.control.pace(Urgency::Discovery, "ListAliases", call).await
    }

    async fn list_versions(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let call = || self.inner.list_versions(function, marker);
        self.control.pace(Urgency::Discovery, "ListVersionsByFunction", call).await
    }

    async fn list_tags(&self, function: &Target) -> Result<BTreeMap<String, String>, GatewayError> {
        let call = || self.inner.list_tags(function);
        self.control.pace(Urgency::Discovery, "ListTags", call).await
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
            self.control.turns(Urgency::Write, 1).await;
        }
        let call = self.inner.add_permission(target, sid, permission, revision);
        self.write("AddPermission", WRITE_TIMEOUT, call).await
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.control.turns(Urgency::Write, 1).await;
        let call = self.inner.remove_permission(target, sid, revision);
        self.write("RemovePermission", WRITE_TIMEOUT, call).await
    }

    async fn remove_to_replace(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.turns_to_replace().await;
        let call = self.inner.remove_to_replace(target, sid, revision);
        let res = self.write("RemovePermission", GAP_TIMEOUT, call).await;
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
    ) -> Result<Put, GatewayError> {
        self.control.turns(Urgency::Write, 1).await;
        let call = self.inner.put_policy(target, document, revision);
        self.write("PutResourcePolicy", WRITE_TIMEOUT, call).await
    }

    async fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.control.turns(Urgency::Write, 1).await;
        let call = self.inner.delete_policy(target, revision);
        self.write("DeleteResourcePolicy", WRITE_TIMEOUT, call).await
    }
}
