//! Carries messages over HTTP. Proxies of the environment are honoured, and nobody is followed elsewhere.

use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::{Client, header, redirect::Policy};

use super::{Answer, Post, Request};

/// One client for all receivers.
#[derive(Debug)]
pub struct Web(Client);

impl Web {
    /// Reads proxies and certificates.
    pub fn new() -> Result<Self, String> {
        let agent = concat!("permitd/", env!("CARGO_PKG_VERSION"));
        let client = Client::builder().user_agent(agent).redirect(Policy::none()).build();
        client.map(Self).map_err(|it| told(it))
    }
}

impl Post for Web {
    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, String>> {
        Box::pin(async move {
            let Request { url, headers, body, timeout } = request;
            let mut post = self.0.post(url).timeout(timeout).body(body);
            post = post.header(header::CONTENT_TYPE, "application/json");
            for (name, value) in headers {
                post = post.header(name, value);
            }
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
