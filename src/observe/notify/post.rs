//! Carries messages over HTTP. Proxies of the environment are honoured, and nobody is followed elsewhere.

use std::{sync::OnceLock, time::Duration};

use futures::future::BoxFuture;
use reqwest::{Certificate, Client, header, redirect::Policy};

use super::{Answer, Post, Request};

/// One client for all receivers, made when the first one is there.
#[derive(Debug, Default)]
pub struct Web {
    client: OnceLock<Client>,
    /// In PEM, instead of the authorities of this machine.
    roots: Option<Vec<u8>>,
}

impl Web {
    /// Trusts these authorities, in PEM, instead of those of this machine.
    pub fn trusting(roots: Option<&[u8]>) -> Self {
        Self { roots: roots.map(<[u8]>::to_vec), ..Self::default() }
    }

    /// Whether something can be sent: reads proxies and certificates.
    pub fn check(&self) -> Result<(), String> {
        self.client().map(drop)
    }

    fn client(&self) -> Result<&Client, String> {
        if let Some(it) = self.client.get() {
            return Ok(it);
        }
        let agent = concat!("permitd/", env!("CARGO_PKG_VERSION"));
        // A receiver is asked seldom: what is kept open would mostly be closed by the other side.
        let mut builder = Client::builder()
            .user_agent(agent)
            .redirect(Policy::none())
            .pool_idle_timeout(Duration::from_secs(30));
        if let Some(pem) = &self.roots {
            let roots = Certificate::from_pem_bundle(pem).map_err(told)?;
            if roots.is_empty() {
                return Err("there is no certificate in it".to_owned());
            }
            builder = builder.tls_certs_only(roots);
        }
        let client = builder.build().map_err(told)?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// Whether the client can read a URL; what is wrong is told without it.
pub fn check_url(url: &str) -> Result<(), String> {
    reqwest::Url::parse(url).map(drop).map_err(|it| format!("cannot be read: {it}"))
}

impl Post for Web {
    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, String>> {
        Box::pin(async move {
            let Request { url, headers, body } = request;
            let mut post = self.client()?.post(url).body(body);
            post = post.header(header::CONTENT_TYPE, "application/json");
            for (name, value) in headers {
                post = post.header(name, value);
            }
            // What it says beside the status is nobody's business here, and may be endless.
            let answer = post.send().await.map_err(told)?;
            let pause = answer.headers().get(header::RETRY_AFTER);
            let seconds = pause.and_then(|it| it.to_str().ok()?.trim().parse().ok());
            let retry_after = seconds.map(Duration::from_secs);
            Ok(Answer { status: answer.status().as_u16(), retry_after })
        })
    }
}

/// The URL is a secret; the last cause is what people need.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(it) = cause.source() {
        cause = it;
    }
    cause.to_string()
}
