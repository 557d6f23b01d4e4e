//! Carries messages over HTTP, with the client of everything else: proxies of the environment are honoured, and nobody
//! is followed elsewhere.

use std::{error::Error, sync::OnceLock, time::Duration};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, SharedHttpConnector},
        orchestrator::HttpRequest,
    },
    http::HttpError,
};
use aws_smithy_types::body::SdkBody;
use futures::future::BoxFuture;

use super::{Answer, Post, Request};
use crate::lambda::trust::{Roots, connector};

const AGENT: &str = concat!("permitd/", env!("CARGO_PKG_VERSION"));

/// One connector for all receivers, made when the first one is told something.
#[derive(Debug, Default)]
pub struct Web {
    connector: OnceLock<SharedHttpConnector>,
    /// Instead of the authorities of this machine.
    roots: Option<Roots>,
}

impl Web {
    /// Trusts these authorities, instead of those of this machine.
    pub fn trusting(roots: Option<Roots>) -> Self {
        Self { roots, ..Self::default() }
    }
}

/// Whether something can be posted to it; what is wrong is told without it.
pub fn check_url(url: &str) -> Result<(), String> {
    let unread = |it: HttpError| format!("cannot be read: {}", last_cause(&it));
    HttpRequest::new(SdkBody::empty()).set_uri(url).map_err(unread)
}

impl Post for Web {
    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, String>> {
        Box::pin(async move {
            let request = made(request).map_err(|it| last_cause(&it))?;
            let connector = self.connector.get_or_init(|| connector(self.roots.as_ref()));
            // What it says beside the status is nobody's business here, and may be endless.
            let answer = connector.call(request).await.map_err(|it| last_cause(&it))?;
            let pause = answer.headers().get("retry-after");
            let seconds = pause.and_then(|it| it.trim().parse().ok());
            let retry_after = seconds.map(Duration::from_secs);
            Ok(Answer { status: answer.status().as_u16(), retry_after })
        })
    }
}

fn made(request: Request) -> Result<HttpRequest, HttpError> {
    let Request { url, headers, body } = request;
    let length = body.len();
    let mut res = HttpRequest::new(SdkBody::from(body));
    res.set_method("POST")?;
    res.set_uri(url)?;
    let usual = [
        ("content-type", "application/json".to_owned()),
        ("content-length", length.to_string()),
        ("user-agent", AGENT.to_owned()),
    ];
    for (name, value) in usual.into_iter().chain(headers) {
        res.headers_mut().try_insert(name, value)?;
    }
    Ok(res)
}

/// What people need. The URL is a secret, and in no error of the client.
fn last_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(it) = cause.source() {
        cause = it;
    }
    cause.to_string()
}
