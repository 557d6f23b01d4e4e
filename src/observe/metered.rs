//! A decorator that counts and times every call to Lambda.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::lambda::gateway::{
    FunctionLister, GatewayError, LivePolicy, Page, PolicyGateway, PolicyReader, Put, Receipt,
    Urgency,
};
use crate::policy::{
    grant::Permission,
    target::{AccountRegion, Target},
};

/// Counts the calls that go through it.
#[derive(Debug)]
pub struct Metered<G> {
    inner: G,
    calls: Mutex<BTreeMap<(&'static str, String), Calls>>,
}

/// Calls of one operation with one result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many.
    pub count: u64,
    /// The sum of their times, with the wait for the budget.
    pub time: Duration,
}

impl<G> Metered<G> {
    /// Starts at zero.
    pub fn new(inner: G) -> Self {
        Self { inner, calls: Mutex::default() }
    }

    /// What it decorates.
    pub fn inner(&self) -> &G {
        &self.inner
    }

    /// The same, to be set up.
    pub fn inner_mut(&mut self) -> &mut G {
        &mut self.inner
    }

    /// By operation and code; the code of a good answer is `OK`.
    pub fn calls(&self) -> BTreeMap<(&'static str, String), Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All of them.
    pub fn count(&self) -> u64 {
        self.calls().values().map(|it| it.count).sum()
    }

    async fn meter<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, GatewayError>>,
    ) -> Result<T, GatewayError> {
        let start = Instant::now();
        let res = call.await;
        let time = start.elapsed();
        let code = match &res {
            Ok(_) => "OK".to_owned(),
            Err(error) => error.code_name(),
        };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = calls.entry((operation, code)).or_default();
        entry.count += 1;
        entry.time += time;
        res
    }
}

impl<G: PolicyReader> PolicyReader for Metered<G> {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.meter("GetPolicy", self.inner.get_policy(target)).await
    }

    async fn get_policy_as(
        &self,
        target: &Target,
        urgency: Urgency,
    ) -> Result<LivePolicy, GatewayError> {
        self.meter("GetPolicy", self.inner.get_policy_as(target, urgency)).await
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.meter("GetResourcePolicy", self.inner.get_resource_policy(target)).await
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.meter("GetFunction", self.inner.function_exists(target)).await
    }
}

impl<G: FunctionLister> FunctionLister for Metered<G> {
    async fn list_functions(
        &self,
        place: &AccountRegion,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.meter("ListFunctions", self.inner.list_functions(place, marker)).await
    }

    async fn list_aliases(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.meter("ListAliases", self.inner.list_aliases(function, marker)).await
    }

    async fn list_versions(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.meter("ListVersionsByFunction", self.inner.list_versions(function, marker)).await
    }

    async fn list_tags(&self, function: &Target) -> Result<BTreeMap<String, String>, GatewayError> {
        self.meter("ListTags", self.inner.list_tags(function)).await
    }
}

impl<G: PolicyGateway> PolicyGateway for Metered<G> {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
        let call = self.inner.add_permission(target, sid, permission, revision);
        self.meter("AddPermission", call).await
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let call = self.inner.remove_permission(target, sid, revision);
        self.meter("RemovePermission", call).await
    }

    async fn remove_to_replace(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let call = self.inner.remove_to_replace(target, sid, revision);
        self.meter("RemovePermission", call).await
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<Put, GatewayError> {
        let call = self.inner.put_policy(target, document, revision);
        self.meter("PutResourcePolicy", call).await
    }

    async fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.meter("DeleteResourcePolicy", self.inner.delete_policy(target, revision)).await
    }
}
