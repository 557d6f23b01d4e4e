//! Whom TLS trusts, and the one HTTP client of everything that speaks to AWS: rustls with aws-lc, proxies of the
//! environment, and the authorities of this machine or of a file.

use std::{fmt, sync::Arc};

use aws_config::profile;
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{self, TlsContext, TrustStore},
};
use aws_smithy_runtime_api::client::{
    http::SharedHttpClient, runtime_components::RuntimeComponents,
};
use aws_types::os_shim_internal::{Env, Fs};

/// Authorities that are trusted instead of those of this machine: certificates in PEM, all of which were looked at
/// before. The SDK panics at one that cannot be read.
#[derive(Clone)]
pub struct Roots(Arc<[u8]>);

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({} bytes)", self.0.len())
    }
}

impl Roots {
    /// These, which were looked at.
    pub fn new(pem: &[u8]) -> Self {
        Self(pem.into())
    }

    /// In PEM.
    pub fn pem(&self) -> &[u8] {
        &self.0
    }
}

/// As the SDK makes one for itself, but one for all clients, and with these authorities where there are some.
pub(super) fn shared_http(roots: Option<&Roots>) -> SharedHttpClient {
    let trust = match roots {
        Some(it) => TrustStore::empty().with_pem_certificate(it.pem()),
        None => TrustStore::default(),
    };
    // It cannot fail: a store is all that it has.
    let context = TlsContext::builder().with_trust_store(trust).build().ok();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        let mut builder = Connector::builder().tls_provider(provider);
        if let Some(it) = &context {
            builder = builder.tls_context(it.clone());
        }
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.set_proxy_config(Some(ProxyConfig::from_env()));
        builder.build()
    })
}

/// `ca_bundle` of the AWS configuration files, for the profile in force. What is wrong with them, the SDK tells.
pub async fn ca_bundle_of_profile() -> Option<String> {
    #[expect(deprecated, reason = "the other name that it has is in a crate that is the SDK's own")]
    let files = profile::profile_file::ProfileFiles::default();
    let profiles = profile::load(&Fs::real(), &Env::real(), &files, None).await.ok()?;
    profiles.get("ca_bundle").map(str::to_owned).filter(|it| !it.is_empty())
}
