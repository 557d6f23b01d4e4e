//! The two orders that may come over HTTP, where somebody has allowed it: load the files anew, and make a full pass.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Response, StatusCode, header, request::Parts};
use futures::future::BoxFuture;

use crate::observe::http::{text, with_type};

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The files, as SIGHUP does.
    Reload,
    /// Every target, now.
    Pass,
}

/// Takes an order, and tells in one line what came of it.
pub type Take = Box<dyn Fn(Order) -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// Who takes the orders.
pub(super) struct Lifecycle(pub(super) Take);

impl std::fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lifecycle")
    }
}

/// Which order stands behind a path.
pub(super) fn order_at(path: &str) -> Option<Order> {
    match path {
        "/-/reload" => Some(Order::Reload),
        "/-/pass" => Some(Order::Pass),
        _ => None,
    }
}

impl Lifecycle {
    /// The answer to an order.
    pub(super) async fn answer(&self, order: Order, request: &Parts) -> Response<Body> {
        if request.method != Method::POST && request.method != Method::PUT {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "this takes POST\n");
            answer
                .headers_mut()
                .insert(header::ALLOW, header::HeaderValue::from_static("POST, PUT"));
            return answer;
        }
        if is_foreign(&request.headers) {
            return text(StatusCode::FORBIDDEN, "a page of somebody else gives no orders\n");
        }
        let (status, line) = match (self.0)(order).await {
            Ok(line) => (StatusCode::OK, line),
            Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, why),
        };
        with_type(status, "text/plain; charset=utf-8", Body::from(format!("{line}\n")))
    }
}

/// A browser sends this for a page that it got elsewhere; curl and the like send none of it.
fn is_foreign(headers: &HeaderMap) -> bool {
    let value = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let own = |origin: &str| {
        let host = value("host").unwrap_or_default();
        origin.split_once("://").is_some_and(|(_, it)| it == host)
    };
    let site = value("sec-fetch-site").is_some_and(|it| it != "same-origin" && it != "none");
    site || headers.get("origin").is_some_and(|it| !it.to_str().is_ok_and(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_somebody_else_is_known_by_its_headers() {
        let foreign = |pairs: &[(&'static str, &'static str)]| {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (header::HeaderName::from_static(name), header::HeaderValue::from_static(value))
            };
            is_foreign(&pairs.iter().map(pair).collect())
        };
        let host = ("host", "127.0.0.1:9187");
        for (headers, expected) in [
            (vec![host], false),
            (vec![host, ("origin", "http://127.0.0.1:9187")], false),
            (vec![host, ("origin", "http://127.0.0.1:80")], true),
            (vec![host, ("origin", "null")], true),
            (vec![host, ("sec-fetch-site", "cross-site")], true),
            (vec![host, ("sec-fetch-site", "same-site")], true),
            (vec![host, ("sec-fetch-site", "same-origin")], false),
        ] {
            assert_eq!(foreign(&headers), expected, "{headers:?}");
        }
    }
}
