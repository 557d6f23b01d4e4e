//! The daemon over HTTP: whether it lives, what it counts, how everything stands. It answers, and changes nothing.
//!
//! Whatever comes to the port is bounded: so many connections, so large a head, so long for it to come, and so long
//! for the answer to be taken. Names that somebody else can make point here (DNS rebinding) are not answered.

mod cached;
mod host;
mod lifecycle;
mod serve;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    body::Body,
    http::{Method, Response, StatusCode, header, request::Parts},
};
use jiff::Timestamp;

use crate::journal::entry::Entry;
use crate::observe::{
    monitor::Monitor,
    page::{self, Facts, Query},
    status,
};

use cached::{Cached, Made};
pub use lifecycle::{Order, Take};
pub use serve::{Listening, bind};

/// Where it listens when nobody says otherwise.
pub const USUAL: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9187);

/// What is served.
#[derive(Debug)]
pub struct Site {
    /// What is known.
    pub monitor: Arc<Monitor>,
    /// What time it is.
    pub clock: fn() -> Timestamp,
    /// When the process started.
    pub started: Timestamp,
    /// Names that may stand in the Host header, besides localhost and IP literals; in lower case.
    pub hosts: Vec<String>,
    status: Cached,
    front: Cached,
    journal: OnceLock<Book>,
    lifecycle: OnceLock<lifecycle::Lifecycle>,
}

/// Reads the last so many writes.
struct Book(Box<dyn Fn(usize) -> Result<Vec<Entry>, String> + Send + Sync>);

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Book")
    }
}

impl Site {
    /// Of this monitor.
    pub fn new(monitor: Arc<Monitor>, clock: fn() -> Timestamp, hosts: Vec<String>) -> Self {
        let (status, front) = (Cached::default(), Cached::default());
        let (journal, lifecycle) = (OnceLock::new(), OnceLock::new());
        Self { monitor, clock, started: clock(), hosts, status, front, journal, lifecycle }
    }

    /// From now on the page tells of the writes in the journal. The first one to say so counts.
    pub fn read_journal(
        &self,
        read: impl Fn(usize) -> Result<Vec<Entry>, String> + Send + Sync + 'static,
    ) {
        self.journal.get_or_init(|| Book(Box::new(read)));
    }

    /// From now on orders are taken. The first one to say so counts.
    pub fn take_orders(&self, take: Take) {
        self.lifecycle.get_or_init(|| lifecycle::Lifecycle(take));
    }

    /// The answer to an order, if the request is one and somebody has allowed it.
    pub(crate) async fn ordered(&self, request: &Parts) -> Option<Response<Body>> {
        let order = lifecycle::order_at(request.uri.path())?;
        let lifecycle = self.lifecycle.get()?;
        let answer = match self.refuse_host(request) {
            Some(refusal) => refusal,
            None => lifecycle.answer(order, request).await,
        };
        Some(with_usual_headers(answer))
    }

    fn make_page(&self, query: &Query) -> Made {
        let entries = match self.journal.get() {
            Some(it) => (it.0)(page::ENTRIES),
            None => Err("it is not open yet".to_owned()),
        };
        let facts = Facts {
            now: (self.clock)(),
            started: self.started,
            alive: self.monitor.is_alive(),
            entries,
            usage: self.monitor.metrics.usage.minutes(),
            speeds: self.monitor.metrics.usage.speeds(),
        };
        let page::Page { document, tag } = page::page(&self.monitor.board.view(), query, &facts);
        Made::new(document.into_bytes(), tag)
    }

    fn page(&self, request: &Parts) -> Response<Body> {
        let query = Query::parse(request.uri.query().unwrap_or_default());
        let make = || self.make_page(&query);
        sent_page(if query.is_usual() { self.front.made(make) } else { make() }, request)
    }

    fn make_status(&self) -> Made {
        let now = (self.clock)();
        let body = status::status(&self.monitor.board.view(), self.started, now);
        // It says when it was made, so every one is another one.
        Made::new(body, tag(now.as_nanosecond().to_string().as_bytes()))
    }

    /// The answer to a request that needs no work, for whoever has no time.
    pub(crate) fn answer_at_once(&self, request: &Parts) -> Option<Response<Body>> {
        let answer = match (self.refuse(request), request.uri.path()) {
            (Some(refusal), _) => refusal,
            (None, "/metrics") => return None,
            (None, "/status") => self.status.fresh()?.answer(request, JSON),
            (None, "/") => {
                let is_usual = Query::parse(request.uri.query().unwrap_or_default()).is_usual();
                sent_page(self.front.fresh().filter(|_| is_usual)?, request)
            }
            (None, _) => self.route(request),
        };
        Some(with_usual_headers(answer))
    }

    /// The answer to a request.
    pub(crate) fn answer(&self, request: &Parts) -> Response<Body> {
        with_usual_headers(match self.refuse(request) {
            Some(refusal) => refusal,
            None => self.route(request),
        })
    }

    fn refuse_host(&self, request: &Parts) -> Option<Response<Body>> {
        match host::check(request, &self.hosts) {
            Ok(()) => None,
            Err(host::Refused::Missing) => {
                Some(text(StatusCode::BAD_REQUEST, "the Host header is missing\n"))
            }
            Err(host::Refused::Unknown) => {
                let why = "this Host is not served: use an IP address or localhost, \
                           or name it under `http: {hosts: […]}` in the settings\n";
                Some(text(StatusCode::MISDIRECTED_REQUEST, why))
            }
        }
    }

    fn refuse(&self, request: &Parts) -> Option<Response<Body>> {
        if let Some(it) = self.refuse_host(request) {
            return Some(it);
        }
        if request.method == Method::GET || request.method == Method::HEAD {
            return None;
        }
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
        answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
        Some(answer)
    }

    fn route(&self, request: &Parts) -> Response<Body> {
        match request.uri.path() {
            "/" => self.page(request),
            "/livez" if self.monitor.is_alive() => text(StatusCode::OK, "ok\n"),
            "/livez" => text(StatusCode::SERVICE_UNAVAILABLE, "the loop has stopped\n"),
            "/readyz" if self.monitor.is_ready() => text(StatusCode::OK, "ok\n"),
            "/readyz" => {
                text(StatusCode::SERVICE_UNAVAILABLE, "no valid configuration is loaded yet\n")
            }
            "/status" => self.status.made(|| self.make_status()).answer(request, JSON),
            "/metrics" => {
                let (board, metrics) = (&self.monitor.board, &self.monitor.metrics);
                let body = metrics.text(&board.view(), self.started, (self.clock)());
                with_type(StatusCode::OK, METRICS, Body::from(body))
            }
            _ => text(StatusCode::NOT_FOUND, "there is /, /livez, /readyz, /metrics and /status\n"),
        }
    }
}

const JSON: &str = "application/json";
/// Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// On every answer: nobody keeps it, guesses its type, or puts it into a frame.
const ALWAYS: [(header::HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-cache"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

fn sent_page(page: Made, request: &Parts) -> Response<Body> {
    let mut res = page.answer(request, "text/html; charset=utf-8");
    let policy = header::HeaderValue::from_static(page::POLICY.as_str());
    res.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    res
}

fn with_usual_headers(mut answer: Response<Body>) -> Response<Body> {
    for (name, value) in ALWAYS {
        answer.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    answer
}

/// A plain text.
pub(crate) fn text(status: StatusCode, body: &'static str) -> Response<Body> {
    with_type(status, "text/plain; charset=utf-8", Body::from(body))
}

pub(crate) fn with_type(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut res = Response::new(body);
    *res.status_mut() = status;
    res.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    res
}

/// The name of a content.
pub(crate) fn tag(body: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(body);
    let short = hash.iter().take(8).fold(0_u64, |sum, it| (sum << 8) | u64::from(*it));
    format!("\"{short:016x}\"")
}
