//! Accounts and regions: credentials, one client for each with its own budget, and the way of a target to its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, identity::IdentityCache,
    profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::lambda::{
    client::LambdaClient,
    gateway::{
        FunctionLister, GatewayError, LivePolicy, Page, PolicyGateway, PolicyReader, Put, Receipt,
        Urgency,
    },
    paced::{Budgets, Paced},
    tenure::Tenure,
    trust::{Roots, shared_http},
    witness::Witness,
};
use crate::policy::{
    grant::Permission,
    target::{AccountRegion, Target},
};

mod door;
mod keeper;

use door::Door;
pub use door::{Entrance, Role};

/// Where Lambda is, and who we are there.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Instead of what the AWS chain says. The chain looks for a region as far as the metadata service,
    /// so where every target names its own, one of those stands here.
    pub region: Option<String>,
    /// The embedded simulator: it takes any key, and nothing else is asked for credentials.
    pub simulator: Option<String>,
    /// Accounts that are not entered with the base credentials alone.
    pub entrances: Vec<Entrance>,
    /// Whom TLS trusts instead of the authorities of this machine.
    pub roots: Option<Roots>,
}

/// Everything that Lambda is spoken to through. Cheap to clone handles are shared inside.
#[derive(Debug)]
pub struct Fleet {
    base: Door,
    doors: BTreeMap<String, Door>,
    region_is_of_chain: bool,
    budgets: Budgets,
    witness: Option<Arc<dyn Witness>>,
    tenure: Option<Tenure>,
    members: Mutex<BTreeMap<AccountRegion, Arc<Paced<LambdaClient>>>>,
}

/// A server that accepts and never answers would hang a pass: the SDK's defaults bound only the connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const READ_TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// One attempt, and getting credentials before it.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads the AWS chain, once for each profile. Connections and TLS are the same for all of them.
#[derive(Debug)]
struct Loader {
    region: Option<String>,
    simulator: Option<String>,
    http: SharedHttpClient,
}

impl Loader {
    async fn load(&self, profile: Option<&str>) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(self.http.clone())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // They are kept by us.
            .identity_cache(IdentityCache::no_cache());
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &self.simulator {
            let key = Credentials::new("simulator", "simulator", None, None, "simulator");
            loader = loader.endpoint_url(endpoint).credentials_provider(key);
        }
        if let (Some(profile), None) = (profile, &self.simulator) {
            // Of this profile and of nothing else: the chain would take keys of the environment first.
            let how = ProviderConfig::default().with_http_client(self.http.clone());
            let builder = ProfileFileCredentialsProvider::builder();
            loader =
                loader.credentials_provider(builder.configure(&how).profile_name(profile).build());
        }
        loader.load().await
    }
}

impl Fleet {
    /// Reads the AWS chain. Nothing is called yet.
    pub async fn new(access: &Access, budgets: Budgets) -> Self {
        let Access { region, simulator, entrances, roots } = access;
        let (region, simulator) = (region.clone(), simulator.clone());
        let region_is_of_chain = region.is_none();
        let loader = Loader { region, simulator, http: shared_http(roots.as_ref()) };
        let base = Door::of(&loader.load(None).await);
        let mut doors = BTreeMap::new();
        for it in entrances {
            doors.insert(it.account.clone(), Door::new(it, &base, &loader).await);
        }
        let members = Mutex::default();
        Self { base, doors, region_is_of_chain, budgets, witness: None, tenure: None, members }
    }

    /// This one hears of every call to Lambda from now on.
    pub fn heard_by(&mut self, witness: Arc<dyn Witness>) {
        self.witness = Some(witness);
    }

    /// Writes only leave while this lasts.
    pub fn under(&mut self, tenure: Tenure) {
        self.tenure = Some(tenure);
    }

    /// The region of the AWS chain, if it has one.
    pub fn region(&self) -> Option<String> {
        self.base.config.region().filter(|_| self.region_is_of_chain).map(ToString::to_string)
    }

    /// The account of the credentials, by GetCallerIdentity. It is asked until it is known, and then no more.
    pub async fn account(&self) -> Result<String, GatewayError> {
        self.base.account().await
    }

    fn door(&self, account: &str) -> &Door {
        self.doors.get(account).unwrap_or(&self.base)
    }

    fn member(&self, place: AccountRegion) -> Arc<Paced<LambdaClient>> {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(it) = members.get(&place) {
            return Arc::clone(it);
        }
        let region = Region::new(place.region.clone());
        let config = &self.door(&place.account).config;
        let config = aws_sdk_lambda::config::Builder::from(config).region(region).build();
        let client = LambdaClient::new(aws_sdk_lambda::Client::from_conf(config));
        let paced = Paced::new(client, self.budgets);
        let paced = match &self.witness {
            Some(it) => paced.heard_by(it),
            None => paced,
        };
        let member = Arc::new(match &self.tenure {
            Some(it) => paced.under(it.clone()),
            None => paced,
        });
        members.insert(place, Arc::clone(&member));
        member
    }

    /// A call in a place. An expired token is replaced once, and the call made again: it was not done.
    async fn call<T, F>(
        &self,
        place: AccountRegion,
        call: impl Fn(Arc<Paced<LambdaClient>>) -> F + Send,
    ) -> Result<T, GatewayError>
    where
        T: Send,
        F: Future<Output = Result<T, GatewayError>> + Send,
    {
        let account = place.account.clone();
        let door = self.door(&account);
        let member = self.member(place);
        let key = door.key().await;
        let error = match call(Arc::clone(&member)).await {
            Err(it) if is_expired(&it) => {
                // The first call of all had no key before it.
                let used = match key {
                    Some(it) => Some(it),
                    None => door.key().await,
                };
                let Some(used) = used else { return Err(it) };
                // What is rare is boxed: every call in flight has room for all of this future, and is moved with it.
                Box::pin(door.renew(&used)).await;
                match call(member).await {
                    Err(it) => it,
                    good => return good,
                }
            }
            Err(it) => it,
            good => return good,
        };
        Err(Box::pin(door.explain(error, &account)).await)
    }
}

fn is_expired(error: &GatewayError) -> bool {
    matches!(error.code.as_deref(), Some("ExpiredTokenException" | "ExpiredToken"))
}

impl PolicyReader for Fleet {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.call(target.account_region(), |it| async move { it.get_policy(target).await }).await
    }

    async fn get_policy_as(
        &self,
        target: &Target,
        urgency: Urgency,
    ) -> Result<LivePolicy, GatewayError> {
        self.call(
            target.account_region(),
            |it| async move { it.get_policy_as(target, urgency).await },
        )
        .await
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.call(target.account_region(), |it| async move { it.get_resource_policy(target).await })
            .await
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.call(target.account_region(), |it| async move { it.function_exists(target).await })
            .await
    }
}

impl FunctionLister for Fleet {
    async fn list_functions(
        &self,
        place: &AccountRegion,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.call(place.clone(), |it| async move { it.list_functions(place, marker).await }).await
    }

    async fn list_aliases(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.call(
            function.account_region(),
            |it| async move { it.list_aliases(function, marker).await },
        )
        .await
    }

    async fn list_versions(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        self.call(function.account_region(), |it| async move {
            it.list_versions(function, marker).await
        })
        .await
    }

    async fn list_tags(&self, function: &Target) -> Result<BTreeMap<String, String>, GatewayError> {
        self.call(function.account_region(), |it| async move { it.list_tags(function).await }).await
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
        self.call(target.account_region(), |it| async move {
            it.add_permission(target, sid, permission, revision).await
        })
        .await
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.call(target.account_region(), |it| async move {
            it.remove_permission(target, sid, revision).await
        })
        .await
    }

    async fn remove_to_replace(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.call(target.account_region(), |it| async move {
            it.remove_to_replace(target, sid, revision).await
        })
        .await
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<Put, GatewayError> {
        self.call(target.account_region(), |it| async move {
            it.put_policy(target, document, revision).await
        })
        .await
    }

    async fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.call(
            target.account_region(),
            |it| async move { it.delete_policy(target, revision).await },
        )
        .await
    }
}
