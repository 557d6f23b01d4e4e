//! Accounts and regions: credentials, one client for each with its own budget, and the way of a target to its own.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, identity::IdentityCache, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_credential_types::Credentials;

use crate::lambda::{
    client::LambdaClient,
    gateway::{
        FunctionLister, GatewayError, LivePolicy, Page, PolicyGateway, PolicyReader, Receipt,
        Urgency,
    },
    paced::{Budgets, Paced},
    witness::Witness,
};
use crate::policy::{
    grant::Permission,
    target::{AccountRegion, Target},
};

/// Where Lambda is, and who we are there.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Instead of what the AWS chain says. The chain looks for a region as far as the metadata service,
    /// so where every target names its own, one of those stands here.
    pub region: Option<String>,
    /// The embedded simulator: it takes any key, and nothing else is asked for credentials.
    pub simulator: Option<String>,
}

/// Everything that Lambda is spoken to through. Cheap to clone handles are shared inside.
#[derive(Debug)]
pub struct Fleet {
    base: SdkConfig,
    region_is_of_chain: bool,
    budgets: Budgets,
    witness: Option<std::sync::Arc<dyn Witness>>,
    account: tokio::sync::OnceCell<String>,
    members: Mutex<BTreeMap<AccountRegion, std::sync::Arc<Paced<LambdaClient>>>>,
}

/// A server that accepts and never answers would hang a pass: the SDK's defaults bound only the connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const READ_TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// One attempt, and getting credentials before it.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);

impl Fleet {
    /// Reads the AWS chain. Nothing is called yet.
    pub async fn new(access: &Access, budgets: Budgets) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .identity_cache(IdentityCache::lazy().load_timeout(CONNECT_TIMEOUT * 2).build());
        if let Some(region) = &access.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &access.simulator {
            let key = Credentials::new("simulator", "simulator", None, None, "simulator");
            loader = loader.endpoint_url(endpoint).credentials_provider(key);
        }
        Self {
            base: loader.load().await,
            region_is_of_chain: access.region.is_none(),
            budgets,
            witness: None,
            account: tokio::sync::OnceCell::new(),
            members: Mutex::default(),
        }
    }

    /// This one hears of every call to Lambda from now on.
    pub fn heard_by(&mut self, witness: std::sync::Arc<dyn Witness>) {
        self.witness = Some(witness);
    }

    /// The region of the AWS chain, if it has one.
    pub fn region(&self) -> Option<String> {
        self.base.region().filter(|_| self.region_is_of_chain).map(ToString::to_string)
    }

    /// The account of the credentials, by GetCallerIdentity. It is asked until it is known, and then no more.
    pub async fn account(&self) -> Result<String, GatewayError> {
        self.account.get_or_try_init(|| self.ask_for_account()).await.cloned()
    }

    async fn ask_for_account(&self) -> Result<String, GatewayError> {
        let region = self.base.region().cloned().unwrap_or(Region::from_static("us-east-1"));
        let config = aws_sdk_sts::config::Builder::from(&self.base).region(region).build();
        let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
        crate::lambda::client::caller_account(answer)
    }

    fn member(&self, place: AccountRegion) -> std::sync::Arc<Paced<LambdaClient>> {
        let mut members = self.members.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let region = Region::new(place.region.clone());
        let member = members.entry(place).or_insert_with(|| {
            let config = aws_sdk_lambda::config::Builder::from(&self.base).region(region).build();
            let client = LambdaClient::new(aws_sdk_lambda::Client::from_conf(config));
            let paced = Paced::new(client, self.budgets);
            std::sync::Arc::new(match &self.witness {
                Some(it) => paced.heard_by(it),
                None => paced,
            })
        });
        std::sync::Arc::clone(member)
    }
}

impl PolicyReader for Fleet {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.member(target.account_region()).get_policy(target).await
    }

    async fn get_policy_as(
        &self,
        target: &Target,
        urgency: Urgency,
    ) -> Result<LivePolicy, GatewayError> {
        self.member(target.account_region()).get_policy_as(target, urgency).await
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.member(target.account_region()).function_exists(target).await
    }
}

impl FunctionLister for Fleet {
    async fn list_functions(
        &self,
        place: &AccountRegion,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.member(place.clone()).list_functions(place, marker).await
    }

    async fn list_aliases(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.member(function.account_region()).list_aliases(function, marker).await
    }

    async fn list_versions(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.member(function.account_region()).list_versions(function, marker).await
    }
}

impl PolicyGateway for Fleet {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
        self.member(target.account_region()).add_permission(target, sid, permission, revision).await
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.member(target.account_region()).remove_permission(target, sid, revision).await
    }

    async fn remove_to_replace(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.member(target.account_region()).remove_to_replace(target, sid, revision).await
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<String, GatewayError> {
        self.member(target.account_region()).put_policy(target, document, revision).await
    }
}
