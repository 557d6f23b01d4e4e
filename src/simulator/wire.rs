//! The API over HTTP: paths, signatures' scopes, headers, and connections that close unanswered.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request as HttpRequest, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header, request::Parts},
    routing::any,
};
use percent_encoding::percent_decode_str;

use crate::simulator::{
    Simulator,
    call::Outcome,
    control,
    listener::Line,
    refusal::Refusal,
    request::{Answer, Request, pairs},
    sts,
};

/// Code comes in the body of CreateFunction; Lambda takes 50 MB of it.
const BODY: usize = 100 << 20;

/// Everything that is answered over HTTP.
pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new().nest("/_simulator", control::router()).fallback(any(answer)).with_state(simulator)
}

async fn answer(
    State(simulator): State<Simulator>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: HttpRequest,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else {
        let refusal = Refusal::new(413, "RequestTooLargeException", "Request is too large");
        return respond(&Answer::of(&Err(refusal)), &simulator.uuid());
    };
    // Lambda finishes what it has begun, also when the client has gone: so it is a task of its own.
    let task = tokio::spawn(async move { handle(&simulator, &parts, body.to_vec()).await });
    if let Ok(Some(response)) = task.await {
        return response;
    }
    line.cut();
    Response::new(Body::empty())
}

/// None: there is no answer.
async fn handle(simulator: &Simulator, parts: &Parts, body: Vec<u8>) -> Option<Response<Body>> {
    let id = simulator.uuid();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let form = path == "/" && parts.method == "POST";
    let found = if path == "/" {
        let text = String::from_utf8_lossy(&body);
        sts::route(if form { &text } else { query })
    } else {
        Request::route(parts.method.as_str(), path, query).map(|it| Request { body, ..it })
    };
    let Some(request) = found else {
        let refusal = Refusal::unknown_operation();
        return Some(respond(&Answer::of(&Err(refusal)), &id));
    };
    let outcome = match scope(&parts.headers, query) {
        Ok(scope) => {
            let key = scope.as_ref().map(|it| (it.key.as_str(), it.region.as_str()));
            match simulator.caller(key) {
                Ok(caller) => simulator.call(&caller, &request).await,
                Err(refusal) => simulator.turn_away(&request, refusal),
            }
        }
        Err(refusal) => simulator.turn_away(&request, refusal),
    };
    match outcome {
        Outcome::Dropped => None,
        Outcome::Raw(answer) => Some(respond(&answer, &id)),
        Outcome::Ruled(result) if request.operation.bucket().is_none() => {
            let result = result.map_err(sts::renamed);
            let body = sts::xml(request.operation, &result, &id);
            let content_type = "text/xml".to_owned();
            Some(respond(&Answer { content_type, body, ..Answer::of(&result) }, &id))
        }
        Outcome::Ruled(result) => Some(respond(&Answer::of(&result), &id)),
    }
}

fn respond(answer: &Answer, request_id: &str) -> Response<Body> {
    let Answer { status, code, content_type, retry_after, body } = answer;
    let mut res = Response::new(Body::from(body.clone()));
    *res.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = res.headers_mut();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put("content-type", content_type);
    put("x-amzn-requestid", request_id);
    if let Some(it) = code {
        put("x-amzn-errortype", it);
    }
    if let Some(it) = retry_after {
        put("retry-after", &it.to_string());
    }
    res
}

/// Who signed, and for which region.
struct Scope {
    key: String,
    region: String,
}

/// `Credential=KEY/DATE/REGION/SERVICE/aws4_request`, from the header or from a presigned query.
/// The signature itself is not looked at.
fn scope(headers: &HeaderMap, query: &str) -> Result<Option<Scope>, Refusal> {
    let incomplete = || {
        let text = "Authorization header requires 'Credential' parameter.";
        Refusal::new(403, "IncompleteSignatureException", text)
    };
    let presigned =
        || pairs(query).into_iter().find(|(key, _)| key == "X-Amz-Credential").map(|(_, it)| it);
    let credential = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let text = value.to_str().map_err(|_| incomplete())?;
            let (_, rest) = text.split_once("Credential=").ok_or_else(incomplete)?;
            let end = rest.find([',', ' ']).unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default().to_owned()
        }
        None => match presigned() {
            Some(it) => it,
            None => return Ok(None),
        },
    };
    let credential = percent_decode_str(&credential).decode_utf8_lossy();
    let parts: Vec<&str> = credential.split('/').collect();
    match parts.as_slice() {
        [key, _, region, _, "aws4_request"] => {
            Ok(Some(Scope { key: (*key).to_owned(), region: (*region).to_owned() }))
        }
        _ => Err(incomplete()),
    }
}
