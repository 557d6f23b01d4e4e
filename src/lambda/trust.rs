//! Whom TLS trusts, and the one HTTP client of everything that speaks to AWS, or to receivers: rustls with aws-lc,
//! proxies of the environment, and the authorities of this machine or of a file.

use std::{fmt, sync::Arc, time::Duration};

use aws_config::profile;
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{self, TlsContext, TrustStore},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};
use aws_types::os_shim_internal::{Env, Fs};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// How long a connection to a receiver is kept. One is asked seldom: most would be closed by the other side.
const KEPT: Duration = Duration::from_secs(30);

/// Authorities that are trusted instead of those of this machine: certificates in PEM.
#[derive(Clone)]
pub struct Roots(Arc<[u8]>);

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({} bytes)", self.0.len())
    }
}

impl Roots {
    /// All of them are looked at: the SDK panics at one that cannot be read.
    pub fn read(pem: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|it| it.to_string())?;
            roots.add(certificate).map_err(|it| it.to_string())?;
        }
        if roots.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        Ok(Self(pem.into()))
    }
}

/// As the SDK makes one for itself, but one for all clients, and with these authorities where there are some.
pub(super) fn shared_http(roots: Option<&Roots>) -> SharedHttpClient {
    let context = context(roots);
    Builder::new().build_with_connector_fn(move |settings, components| {
        made(context.as_ref(), settings, components, None)
    })
}

/// The same for everybody else.
pub fn connector(roots: Option<&Roots>) -> SharedHttpConnector {
    SharedHttpConnector::new(made(context(roots).as_ref(), None, None, Some(KEPT)))
}

/// It cannot fail: a store is all that it has.
fn context(roots: Option<&Roots>) -> Option<TlsContext> {
    let trust = match roots {
        Some(it) => TrustStore::empty().with_pem_certificate(&*it.0),
        None => TrustStore::default(),
    };
    TlsContext::builder().with_trust_store(trust).build().ok()
}

fn made(
    context: Option<&TlsContext>,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
    kept: Option<Duration>,
) -> Connector {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    let mut builder = Connector::builder().tls_provider(provider);
    if let Some(it) = context {
        builder = builder.tls_context(it.clone());
    }
    builder.set_connector_settings(settings.cloned());
    builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    builder.set_pool_idle_timeout(kept.map(Some));
    builder.set_proxy_config(Some(ProxyConfig::from_env()));
    builder.build()
}

/// `ca_bundle` of the AWS configuration files, for the profile in force. What is wrong with them, the SDK tells.
pub async fn ca_bundle_of_profile() -> Option<String> {
    #[expect(deprecated, reason = "the other name that it has is in a crate that is the SDK's own")]
    let files = profile::profile_file::ProfileFiles::default();
    let profiles = profile::load(&Fs::real(), &Env::real(), &files, None).await.ok()?;
    profiles.get("ca_bundle").map(str::to_owned).filter(|it| !it.is_empty())
}
