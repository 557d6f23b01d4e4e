//! The `/_simulator/*` API, for tests and for people.

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::simulator::{Faults, HELP, Simulator};

pub(crate) fn router() -> Router<Simulator> {
    Router::new()
        .route("/", get(|| async { text(HELP) }))
        .route("/state", get(state).put(put_state))
        .route("/reset", post(reset))
        .route("/requests", get(requests).delete(clear_requests))
        .route("/faults", get(faults).put(put_faults).delete(clear_faults))
        .route("/principals", get(principals).post(change_principals))
        .fallback(|| async {
            let known = "state, reset, requests, faults, principals";
            respond(
                StatusCode::NOT_FOUND,
                &json!({"error": format!("no such endpoint; there are {known}")}),
            )
        })
}

async fn state(State(simulator): State<Simulator>) -> Response<Body> {
    done(serde_json::to_value(simulator.state()).map_err(|it| it.to_string()))
}

async fn put_state(State(simulator): State<Simulator>, body: String) -> Response<Body> {
    done(read(&body).and_then(|it: Value| simulator.put_state(&it)).map(|()| json!({})))
}

async fn reset(State(simulator): State<Simulator>) -> Response<Body> {
    done(simulator.reset().map(|()| json!({})))
}

async fn requests(State(simulator): State<Simulator>) -> Response<Body> {
    done(Ok(json!({"requests": simulator.requests()})))
}

async fn clear_requests(State(simulator): State<Simulator>) -> Response<Body> {
    simulator.clear_requests();
    done(Ok(json!({})))
}

async fn faults(State(simulator): State<Simulator>) -> Response<Body> {
    done(serde_json::to_value(simulator.faults()).map_err(|it| it.to_string()))
}

async fn put_faults(State(simulator): State<Simulator>, body: String) -> Response<Body> {
    let put = |it: Faults| simulator.put_faults(it);
    done(read(&body).and_then(put).map(|()| json!({})))
}

async fn clear_faults(State(simulator): State<Simulator>) -> Response<Body> {
    done(simulator.put_faults(Faults::default()).map(|()| json!({})))
}

async fn principals(State(simulator): State<Simulator>) -> Response<Body> {
    done(Ok(json!({"principals": simulator.principals()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Principals {
    #[serde(default)]
    create: Vec<String>,
    #[serde(default)]
    delete: Vec<String>,
}

async fn change_principals(State(simulator): State<Simulator>, body: String) -> Response<Body> {
    let change = |it: Principals| simulator.change_principals(&it.create, &it.delete);
    let changed = read(&body).and_then(change);
    done(changed.map(|()| json!({"principals": simulator.principals()})))
}

/// JSON, whatever the content type says: curl calls everything a form.
fn read<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|it| format!("the body is not what it should be: {it}"))
}

fn done(result: Result<Value, String>) -> Response<Body> {
    match result {
        Ok(it) => respond(StatusCode::OK, &it),
        Err(why) => respond(StatusCode::BAD_REQUEST, &json!({"error": why})),
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    let text = serde_json::to_string_pretty(body).unwrap_or_default();
    let mut res = Response::new(Body::from(format!("{text}\n")));
    *res.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    res.headers_mut().insert(header::CONTENT_TYPE, json);
    res
}

fn text(text: &'static str) -> Response<Body> {
    let mut res = Response::new(Body::from(text));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    res.headers_mut().insert(header::CONTENT_TYPE, plain);
    res
}
