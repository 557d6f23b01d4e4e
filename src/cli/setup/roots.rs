//! Whom TLS trusts instead of the authorities of this machine: the file that somebody names.

use std::path::PathBuf;

use crate::cli::{args::TlsArgs, show::Stop};
use crate::lambda::trust::{Roots, ca_bundle_of_profile};

const HINT: &str = "name a file of certificates in PEM with --ca-bundle, AWS_CA_BUNDLE or `ca_bundle` of the AWS \
                    configuration, or name none";

pub(crate) async fn roots(args: &TlsArgs) -> Result<Option<Roots>, Stop> {
    let Some((path, by)) = named(args).await else { return Ok(None) };
    let unusable = |why: String| {
        let message = format!("the CA bundle {} (by {by}) cannot be used: {why}", path.display());
        Stop::config(message, HINT)
    };
    let pem = std::fs::read(&path).map_err(|it| unusable(it.to_string()))?;
    if pem.trim_ascii().is_empty() {
        return Err(unusable("it is empty".to_owned()));
    }
    Roots::read(&pem).map(Some).map_err(unusable)
}

/// In the order of the AWS CLI: the flag, the variable, the profile.
async fn named(args: &TlsArgs) -> Option<(PathBuf, &'static str)> {
    let variable = |name| std::env::var_os(name).filter(|it| !it.is_empty());
    if let Some(it) = &args.ca_bundle {
        return Some((it.clone(), "--ca-bundle"));
    }
    if let Some(it) = variable("AWS_CA_BUNDLE") {
        return Some((it.into(), "AWS_CA_BUNDLE"));
    }
    // The SDK finds the profile by itself.
    ca_bundle_of_profile().await.map(|it| (it.into(), "`ca_bundle` of the AWS configuration"))
}
