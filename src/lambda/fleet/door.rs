//! How one account is entered: with the base credentials, those of a profile, or a role assumed with either.

use std::sync::Arc;

use aws_config::{Region, SdkConfig, sts::AssumeRoleProvider};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::operation::RequestId;
use tokio::sync::OnceCell;

use super::{Loader, keeper::Keeper};
use crate::lambda::{
    client::CANNOT_LOAD,
    gateway::{GatewayError, Recovery, codes},
};

/// How to enter an account that the base credentials are not of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// The twelve digits.
    pub account: String,
    /// Of the AWS configuration files, instead of the base credentials.
    pub profile: Option<String>,
    /// Assumed with those credentials.
    pub role: Option<Role>,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What its trust policy may ask for.
    pub external_id: Option<String>,
    /// The name of the session, which CloudTrail shows.
    pub session_name: String,
}

/// Credentials, and how to get others.
#[derive(Debug, Clone)]
pub(super) struct Door {
    /// With the credentials in it.
    pub(super) config: SdkConfig,
    keeper: Option<Keeper>,
    role: Option<Role>,
    profile: Option<String>,
    /// The account that the credentials are of, once somebody had to know.
    account: Arc<OnceCell<String>>,
}

impl Door {
    /// With the credentials of this configuration.
    pub(super) fn of(config: &SdkConfig) -> Self {
        let keeper = config.credentials_provider().map(|it| Keeper::new(it, None));
        let config = with(config, keeper.as_ref());
        Self { config, keeper, role: None, profile: None, account: Arc::default() }
    }

    /// As this says, where `base` is how it is entered otherwise. Nothing is called yet.
    pub(super) async fn new(entrance: &Entrance, base: &Self, loader: &Loader) -> Self {
        let outer = match &entrance.profile {
            Some(profile) => Self {
                profile: Some(profile.clone()),
                ..Self::of(&loader.load(Some(profile)).await)
            },
            None => base.clone(),
        };
        let Some(role) = &entrance.role else {
            return outer;
        };
        let region = outer.config.region().cloned().unwrap_or(Region::from_static("us-east-1"));
        let builder = AssumeRoleProvider::builder(&role.arn)
            .session_name(&role.session_name)
            .region(region)
            .configure(&outer.config);
        let builder = match &role.external_id {
            Some(it) => builder.external_id(it),
            None => builder,
        };
        let provider = SharedCredentialsProvider::new(builder.build().await);
        let keeper = Some(Keeper::new(provider, outer.keeper));
        let config = with(&outer.config, keeper.as_ref());
        let role = Some(role.clone());
        Self { config, keeper, role, profile: outer.profile, account: Arc::default() }
    }

    /// The access key that the next call is signed with, if one is there already.
    pub(super) async fn key(&self) -> Option<String> {
        self.keeper.as_ref()?.key().await
    }

    /// Other credentials are to be had, for Lambda says that those with this key have expired.
    pub(super) async fn renew(&self, refused: &str) {
        if let Some(it) = &self.keeper {
            it.forget(refused).await;
        }
    }

    /// The account of the credentials, by GetCallerIdentity. It is asked until it is known, and then no more.
    pub(super) async fn account(&self) -> Result<String, GatewayError> {
        self.account.get_or_try_init(|| Box::pin(self.ask())).await.cloned()
    }

    async fn ask(&self) -> Result<String, GatewayError> {
        let region = self.config.region().cloned().unwrap_or(Region::from_static("us-east-1"));
        let config = aws_sdk_sts::config::Builder::from(&self.config).region(region).build();
        let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
        if let Ok(it) = &answer {
            tracing::debug!(
                request_id = it.request_id(),
                "the account of the credentials is known"
            );
        }
        crate::lambda::client::caller_account(answer)
    }

    /// The same error, with what is known here: which role it was, or that it is another account's credentials.
    ///
    /// Whose they are is asked only now, so that a pass in which nothing is denied costs no call for it. Calls
    /// name functions by their full ARN, so they cannot reach another account's by mistake.
    pub(super) async fn explain(&self, error: GatewayError, account: &str) -> GatewayError {
        if error.recovery != Recovery::Denied {
            return error;
        }
        match (&self.role, error.code.as_deref()) {
            (Some(role), Some(codes::NO_CREDENTIALS)) => {
                let why = error.message.strip_prefix(CANNOT_LOAD).unwrap_or(&error.message);
                let message = format!("cannot assume {}: {why}", role.arn);
                GatewayError { code: Some(codes::NO_ROLE.to_owned()), message, ..error }
            }
            (None, Some(codes::NO_CREDENTIALS)) => match &self.profile {
                Some(profile) => {
                    let message = format!("the profile `{profile}` gives none: {}", error.message);
                    GatewayError { code: Some(codes::NO_PROFILE.to_owned()), message, ..error }
                }
                None => error,
            },
            (Some(_), _) => error,
            (None, _) => match self.account().await {
                Ok(own) if own != account => {
                    let message = format!(
                        "the credentials are of the account {own}, and not of {account}: {error}"
                    );
                    GatewayError { code: Some(codes::WRONG_ACCOUNT.to_owned()), message, ..error }
                }
                Ok(_) | Err(_) => error,
            },
        }
    }
}

fn with(config: &SdkConfig, keeper: Option<&Keeper>) -> SdkConfig {
    let Some(keeper) = keeper else { return config.clone() };
    let provider = SharedCredentialsProvider::new(keeper.clone());
    config.to_builder().credentials_provider(provider).build()
}
