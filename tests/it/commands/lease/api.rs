//! An API server that knows Leases alone: three calls, optimistic locking, and a network that fails as it is told to.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// Where Leases are, in the namespace `permitd`.
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/permitd/leases";

/// What it is told to do wrong.
#[derive(Default)]
pub(super) struct Faults {
    /// Takes requests of these tokens, and never answers them.
    pub(super) cut_off: BTreeSet<String>,
    /// Does what it is asked for, and never says so.
    pub(super) mute: BTreeSet<String>,
    /// Before each answer.
    pub(super) latency: Duration,
    /// Somebody else writes first, so many times.
    pub(super) conflicts: u32,
    /// Every call is refused.
    pub(super) forbids: bool,
}

#[derive(Default)]
struct Inner {
    lease: Option<Value>,
    version: u64,
    /// `PUT /apis/… by TOKEN`, each.
    calls: Vec<String>,
    holders: Vec<String>,
    faults: Faults,
}

/// It serves until the tests end.
#[derive(Clone)]
pub(super) struct ApiServer {
    pub(super) url: String,
    inner: Arc<Mutex<Inner>>,
}

impl ApiServer {
    pub(super) fn new() -> Self {
        let inner = Arc::<Mutex<Inner>>::default();
        let state = Arc::clone(&inner);
        let (tell, told) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let router = Router::new().fallback(serve).with_state(state);
                axum::serve(listener, router).await.unwrap();
            });
        });
        let url = format!("http://{}", told.recv().unwrap());
        Self { url, inner }
    }

    /// For a client that is known by this token.
    pub(super) fn kubeconfig(&self, token: &str) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": self.url}}],
            "users": [{"name": "it", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        })
        .to_string()
    }

    pub(super) fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.inner.lock().unwrap().faults);
    }

    pub(super) fn lease(&self) -> Option<Value> {
        self.inner.lock().unwrap().lease.clone()
    }

    /// Somebody else writes.
    pub(super) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut inner = self.inner.lock().unwrap();
        let mut lease = inner.lease.clone().unwrap();
        change(&mut lease);
        inner.write(lease);
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.inner.lock().unwrap().calls.clone()
    }

    /// Everybody who held it, in order; empty where it was given back.
    pub(super) fn holders(&self) -> Vec<String> {
        self.inner.lock().unwrap().holders.clone()
    }
}

impl Inner {
    fn write(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned();
        if self.holders.last() != Some(&holder) {
            self.holders.push(holder);
        }
        self.lease = Some(lease.clone());
        lease
    }

    fn answer(&mut self, method: &Method, path: &str, body: &Bytes) -> (StatusCode, Value) {
        if self.faults.forbids {
            let text =
                "leases.coordination.k8s.io \"main\" is forbidden: User \"it\" cannot do that";
            return refused(StatusCode::FORBIDDEN, "Forbidden", text);
        }
        if path != LEASES && path.strip_prefix(LEASES).is_none_or(|it| it[1..].contains('/')) {
            let text = "namespaces \"other\" not found";
            return refused(StatusCode::NOT_FOUND, "NotFound", text);
        }
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        match (method, self.lease.clone()) {
            (&Method::GET, Some(it)) => (StatusCode::OK, it),
            (&Method::POST, None) => {
                assert_eq!(path, LEASES);
                (StatusCode::CREATED, self.write(sent))
            }
            (&Method::POST, Some(_)) => {
                refused(StatusCode::CONFLICT, "AlreadyExists", "leases \"main\" already exists")
            }
            (&Method::PUT, Some(there)) => {
                if self.faults.conflicts > 0 {
                    self.faults.conflicts -= 1;
                    self.write(there.clone());
                }
                let there = self.lease.clone().unwrap();
                let version = |it: &Value| it["metadata"]["resourceVersion"].clone();
                // Without one it would be a write that nothing guards.
                assert!(version(&sent).is_string(), "{sent}");
                if version(&sent) != version(&there) {
                    let text = "the object has been modified; please apply your changes to the latest version";
                    return refused(StatusCode::CONFLICT, "Conflict", text);
                }
                (StatusCode::OK, self.write(sent))
            }
            (&Method::GET | &Method::PUT, None) => {
                refused(StatusCode::NOT_FOUND, "NotFound", "leases \"main\" not found")
            }
            (method, _) => panic!("{method} {path}: no role allows that"),
        }
    }
}

fn refused(status: StatusCode, reason: &str, message: &str) -> (StatusCode, Value) {
    let code = status.as_u16();
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    (status, body)
}

async fn serve(State(state): State<Arc<Mutex<Inner>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let token = head.headers.get(header::AUTHORIZATION).unwrap().to_str().unwrap();
    let token = token.strip_prefix("Bearer ").unwrap().to_owned();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let (method, path) = (head.method, head.uri.path().to_owned());
    let latency = {
        let mut inner = state.lock().unwrap();
        inner.calls.push(format!("{method} {path} by {token}"));
        if inner.faults.cut_off.contains(&token) { None } else { Some(inner.faults.latency) }
    };
    let Some(latency) = latency else { return std::future::pending().await };
    tokio::time::sleep(latency).await;
    let (mute, (status, value)) = {
        let mut inner = state.lock().unwrap();
        let answer = inner.answer(&method, &path, &body);
        (inner.faults.mute.contains(&token), answer)
    };
    if mute {
        return std::future::pending().await;
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, Body::from(value.to_string())).into_response()
}
