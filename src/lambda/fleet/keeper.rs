//! Credentials that are kept until shortly before they end, and that can be thrown away.
//!
//! The SDK's own cache does the first. It cannot be told that Lambda has called a token expired, and where no
//! credentials can be had, it asks anew for every call: an account that cannot be entered would be tried ten times
//! a second.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{
        ProvideCredentials, SharedCredentialsProvider, error::CredentialsError,
        future::ProvideCredentials as Provided,
    },
};
use aws_sdk_sts::{error::ProvideErrorMetadata, operation::assume_role::AssumeRoleError};
use tokio::{sync::Mutex, time::Instant};

/// New ones are fetched this long before the old ones end, so that no request leaves with a token that is about to.
const BEFORE_THE_END: Duration = Duration::from_mins(1);
/// So long nobody asks again for what could not be had.
const PATIENCE: Duration = Duration::from_secs(15);
/// Whoever gives credentials has so long.
const LOAD_TIMEOUT: Duration = Duration::from_secs(6);

/// Keeps what another provider gives.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    provider: SharedCredentialsProvider,
    /// Whose credentials the provider works with.
    behind: Option<Keeper>,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
enum Kept {
    Nothing,
    Good(Credentials),
    Bad { until: Instant, why: String, missing: bool },
}

impl Keeper {
    /// Asks this provider.
    pub(super) fn new(provider: SharedCredentialsProvider, behind: Option<Self>) -> Self {
        let kept = Mutex::new(Kept::Nothing);
        Self { inner: Arc::new(Inner { provider, behind, kept }) }
    }

    /// Throws away the credentials with this access key: they were refused as expired.
    pub(super) async fn forget(&self, refused: &str) {
        let mut kept = self.inner.kept.lock().await;
        if matches!(&*kept, Kept::Good(it) if it.access_key_id() == refused) {
            *kept = Kept::Nothing;
        }
    }

    /// The access key in use, if there is one.
    pub(super) async fn key(&self) -> Option<String> {
        match &*self.inner.kept.lock().await {
            Kept::Good(it) => Some(it.access_key_id().to_owned()),
            Kept::Nothing | Kept::Bad { .. } => None,
        }
    }

    /// One at a time: whoever comes meanwhile gets the same.
    async fn provide(&self) -> Result<Credentials, CredentialsError> {
        let Inner { provider, behind, kept } = &*self.inner;
        let mut kept = kept.lock().await;
        match &*kept {
            Kept::Good(it) if lasts(it, BEFORE_THE_END) => return Ok(it.clone()),
            Kept::Bad { until, why, missing } if *until > Instant::now() => {
                return Err(failed(why, *missing));
            }
            Kept::Good(_) | Kept::Bad { .. } | Kept::Nothing => {}
        }
        let mut answer = load(provider).await;
        // Who gives them was asked with a token that has expired meanwhile.
        if let (Err(error), Some(behind)) = (&answer, behind)
            && says_expired(error)
            && let Some(key) = Box::pin(behind.key()).await
        {
            Box::pin(behind.forget(&key)).await;
            answer = load(provider).await;
        }
        if let (Err(_), Kept::Good(old)) = (&answer, &*kept)
            && lasts(old, Duration::ZERO)
        {
            return Ok(old.clone());
        }
        match answer {
            Ok(it) => {
                *kept = Kept::Good(it.clone());
                Ok(it)
            }
            Err(error) => {
                let missing = matches!(error, CredentialsError::CredentialsNotLoaded(_));
                let why = why(&error);
                let res = failed(&why, missing);
                *kept = Kept::Bad { until: Instant::now() + PATIENCE, why, missing };
                Err(res)
            }
        }
    }
}

impl ProvideCredentials for Keeper {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(self.provide())
    }
}

async fn load(provider: &SharedCredentialsProvider) -> Result<Credentials, CredentialsError> {
    let late = |_| CredentialsError::provider_timed_out(LOAD_TIMEOUT);
    tokio::time::timeout(LOAD_TIMEOUT, provider.provide_credentials()).await.map_err(late)?
}

#[expect(clippy::disallowed_methods, reason = "when a token ends is said in the time of the wall")]
fn lasts(credentials: &Credentials, at_least: Duration) -> bool {
    credentials.expiry().is_none_or(|it| it > SystemTime::now() + at_least)
}

fn says_expired(error: &CredentialsError) -> bool {
    why(error).contains("ExpiredToken")
}

/// STS says it with a code and a message; otherwise the innermost cause is what happened.
fn why(error: &CredentialsError) -> String {
    let said = causes(error).find_map(|it| it.downcast_ref::<AssumeRoleError>());
    let text = match said.map(|it| (it.code(), it.message())) {
        Some((Some(code), Some(message))) => format!("{code}: {message}"),
        Some((Some(code), None)) => code.to_owned(),
        Some((None, _)) | None => causes(error).last().map(ToString::to_string).unwrap_or_default(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn failed(why: &str, missing: bool) -> CredentialsError {
    if missing {
        CredentialsError::not_loaded(why.to_owned())
    } else {
        CredentialsError::provider_error(why.to_owned())
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |it: &&'a (dyn Error + 'static)| (*it).source())
}

#[cfg(test)]
mod tests;
