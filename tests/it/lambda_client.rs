//! The gateway over the real AWS SDK, against canned answers on a socket: what it sends, and how it sorts
//! what comes back into ways to go on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use permitd::lambda::{
    fleet::{Access, Fleet},
    gateway::{GatewayError, LivePolicy, PolicyGateway, PolicyReader, Recovery},
    paced::{Budgets, Rate},
};
use permitd::policy::{
    grant::{Draft, Permission},
    target::{Defaults, Target},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers every connection with one canned answer; an empty one closes it.
struct Canned {
    fleet: Fleet,
    requests: Arc<Mutex<Vec<String>>>,
}

async fn canned(answer: &str) -> Canned {
    canned_within(answer, Budgets::UNLIMITED).await
}

async fn canned_within(answer: &str, budgets: Budgets) -> Canned {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let (log, answer) = (Arc::clone(&requests), answer.to_owned());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut received = Vec::new();
            let mut chunk = [0; 4096];
            loop {
                let n = stream.read(&mut chunk).await.unwrap_or(0);
                received.extend_from_slice(&chunk[..n]);
                let text = String::from_utf8_lossy(&received).into_owned();
                let length = text
                    .lines()
                    .find_map(|it| {
                        it.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
                    })
                    .map_or(0, |it| it.trim().parse::<usize>().unwrap());
                let complete =
                    text.split_once("\r\n\r\n").is_some_and(|(_, it)| it.len() >= length);
                if n == 0 || complete {
                    break;
                }
            }
            log.lock().unwrap().push(String::from_utf8_lossy(&received).into_owned());
            drop(stream.write_all(answer.as_bytes()).await);
            drop(stream.shutdown().await);
        }
    });
    let access = Access { simulator: Some(endpoint), ..Access::default() };
    Canned { fleet: Fleet::new(&access, budgets).await, requests }
}

fn http(status: &str, headers: &[&str], body: &str) -> String {
    let length = format!("content-length: {}", body.len());
    let mut head = vec![format!("HTTP/1.1 {status}"), length, "connection: close".into()];
    head.extend(headers.iter().map(|it| (*it).to_owned()));
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}

fn aws(status: &str, code: &str, body: &str) -> String {
    let code = format!("x-amzn-ErrorType: {code}");
    http(status, &["content-type: application/json", &code, "x-amzn-RequestId: abc-123"], body)
}

fn target(name: &str) -> Target {
    let defaults =
        Defaults { account: Some("123456789012".into()), region: Some("eu-west-1".into()) };
    Target::parse(name, None, &defaults).unwrap()
}

fn permission() -> Permission {
    let draft = Draft {
        sid: "s3",
        principal: "s3.amazonaws.com",
        source_arn: Some("arn:aws:s3:::b"),
        source_account: Some("123456789012"),
        ..Draft::default()
    };
    draft.check("aws").unwrap()
}

async fn read_error(answer: &str) -> GatewayError {
    let server = canned(answer).await;
    let error = server.fleet.get_policy(&target("f")).await.unwrap_err();
    // Of what is denied, STS is asked who was.
    let asked = server.requests.lock().unwrap().iter().filter(|it| it.contains("/policy")).count();
    // An expired token is replaced once.
    let once = if answer.contains("ExpiredToken") { 2 } else { 1 };
    assert_eq!(asked, once, "the SDK does not retry by itself");
    error
}

#[tokio::test]
async fn reads_and_writes_name_the_full_arn_and_the_qualifier() {
    let body = r#"{"Policy":"{}","RevisionId":"r1"}"#;
    let server = canned(&http("200 OK", &["content-type: application/json"], body)).await;
    let live = server.fleet.get_policy(&target("f:live")).await.unwrap();
    assert_eq!(live, LivePolicy { text: "{}".into(), revision: "r1".into() });
    let request = server.requests.lock().unwrap().remove(0);
    let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af";
    let head = format!("GET /2015-03-31/functions/{arn}/policy?Qualifier=live ");
    assert!(request.starts_with(&head), "{request}");
    assert!(request.contains("/eu-west-1/lambda/aws4_request"), "{request}");

    let added = canned(&http("201 Created", &["content-type: application/json"], "{}")).await;
    added.fleet.add_permission(&target("f"), "s3", &permission(), Some("r1")).await.unwrap();
    let request = added.requests.lock().unwrap().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let expected = serde_json::json!({
        "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::b", "SourceAccount": "123456789012", "RevisionId": "r1",
    });
    assert_eq!(body, expected);

    let server = canned(&http("204 No Content", &[], "")).await;
    server.fleet.remove_permission(&target("f:7"), "s3", "r2").await.unwrap();
    let request = server.requests.lock().unwrap().remove(0);
    assert!(request.starts_with("DELETE "), "{request}");
    assert!(request.contains("/policy/s3?Qualifier=7&RevisionId=r2 "), "{request}");
}

#[tokio::test]
async fn a_whole_document_is_put_to_the_full_arn_and_always_guarded() {
    let put = async |target: &Target, answer: &str| {
        let server = canned(answer).await;
        let res = server.fleet.put_policy(target, r#"{"Statement": []}"#, "r1").await;
        (res, server.requests.lock().unwrap().join("\n--\n"))
    };
    let json = ["content-type: application/json"];
    let answer = http("200 OK", &json, r#"{"Policy":"{}","RevisionId":"r2"}"#);
    for (name, tail) in [("f", "f"), ("f:live", "f%3Alive"), ("f:7", "f%3A7")] {
        let (res, request) = put(&target(name), &answer).await;
        assert_eq!(res.unwrap().revision, "r2");
        let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3A";
        let head = format!("PUT /2026-07-09/resource-policy/{arn}{tail} HTTP");
        assert!(request.starts_with(&head), "{request}");
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let expected = serde_json::json!({"Policy": r#"{"Statement": []}"#, "RevisionId": "r1"});
        assert_eq!(body, expected);
    }
    let user = r#"{"Type":"User","message":"why"}"#;
    for (answer, expected) in [
        (aws("412 Precondition Failed", "PreconditionFailedException", user), Recovery::Stale),
        (aws("409 Conflict", "ResourceConflictException", user), Recovery::Busy),
        (aws("404 Not Found", "ResourceNotFoundException", user), Recovery::Absent),
        (aws("404 Not Found", "UnknownOperationException", user), Recovery::NotOffered),
        (http("404 Not Found", &["content-type: text/html"], "<html>"), Recovery::NotOffered),
        (http("501 Not Implemented", &json, "{}"), Recovery::NotOffered),
        (aws("403 Forbidden", "AccessDeniedException", user), Recovery::Denied),
        (aws("400 Bad Request", "PublicPolicyException", user), Recovery::Rejected),
        (aws("400 Bad Request", "PolicyLengthExceededException", user), Recovery::TooLarge),
        (aws("500 Internal Server Error", "ServiceException", user), Recovery::Unknown),
        (http("200 OK", &json, r#"{"Policy":"{}"}"#), Recovery::Unknown),
        (http("200 OK", &["content-type: text/html"], "<html>"), Recovery::Unknown),
        (String::new(), Recovery::Unknown),
    ] {
        let (res, requests) = put(&target("f"), &answer).await;
        assert_eq!(res.unwrap_err().recovery, expected, "{answer}");
        assert_eq!(requests.matches("PUT /").count(), 1, "it is not sent twice: {requests}");
    }
}

#[tokio::test]
async fn a_removal_that_opens_a_gap_waits_for_the_turn_of_the_add() {
    let budgets = Budgets { control: Rate::per_second(0.001).unwrap(), ..Budgets::UNLIMITED };
    let server = canned_within(&http("204 No Content", &[], ""), budgets).await;
    let f = target("f");
    let call = server.fleet.remove_to_replace(&f, "s3", "r1");
    // Long enough for a call that does not wait.
    let early = tokio::time::timeout(Duration::from_millis(200), call).await;
    assert!(early.is_err() && server.requests.lock().unwrap().is_empty());

    let server = canned(&http("204 No Content", &[], "")).await;
    server.fleet.remove_to_replace(&target("f:7"), "s3", "r1").await.unwrap();
    let request = server.requests.lock().unwrap().remove(0);
    assert!(request.starts_with("DELETE "), "{request}");
    assert!(request.contains("/policy/s3?Qualifier=7&RevisionId=r1 "), "{request}");
}

#[tokio::test]
async fn answers_are_sorted_by_status_and_code() {
    let user = r#"{"Type":"User","message":"why"}"#;
    let table = [
        ("404 Not Found", "ResourceNotFoundException", Recovery::Absent),
        ("412 Precondition Failed", "PreconditionFailedException", Recovery::Stale),
        ("409 Conflict", "ResourceConflictException", Recovery::Busy),
        (
            "429 Too Many Requests",
            "TooManyRequestsException",
            Recovery::Throttled { retry_after: None },
        ),
        ("400 Bad Request", "ThrottlingException", Recovery::Throttled { retry_after: None }),
        ("403 Forbidden", "AccessDeniedException", Recovery::Denied),
        ("403 Forbidden", "ExpiredTokenException", Recovery::Denied),
        ("400 Bad Request", "ExpiredTokenException", Recovery::Denied),
        ("403 Forbidden", "UnrecognizedClientException:http://internal/", Recovery::Denied),
        ("400 Bad Request", "InvalidParameterValueException", Recovery::Rejected),
        ("400 Bad Request", "PolicyLengthExceededException", Recovery::TooLarge),
        ("500 Internal Server Error", "ServiceException", Recovery::Unknown),
        ("503 Service Unavailable", "ServiceUnavailableException", Recovery::Unknown),
    ];
    for (status, code, expected) in table {
        let error = read_error(&aws(status, code, user)).await;
        assert_eq!(error.recovery, expected, "{status} {code}");
        assert_eq!(error.message, "why", "{status} {code}");
        assert_eq!(error.request_id.as_deref(), Some("abc-123"));
        assert!(error.code.is_some_and(|it| code.starts_with(&it)), "{code}");
    }
}

#[tokio::test]
async fn a_sid_that_is_taken_is_told_apart_from_an_operation_in_progress() {
    let body = r#"{"Type":"User","message":"The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement."}"#;
    let server = canned(&aws("409 Conflict", "ResourceConflictException", body)).await;
    let error =
        server.fleet.add_permission(&target("f"), "s3", &permission(), None).await.unwrap_err();
    assert_eq!(error.recovery, Recovery::Taken);
}

#[tokio::test]
async fn retry_after_is_read() {
    let headers = [
        "content-type: application/json",
        "x-amzn-ErrorType: TooManyRequestsException",
        "Retry-After: 7",
    ];
    let error =
        read_error(&http("429 Too Many Requests", &headers, r#"{"message":"Rate exceeded"}"#))
            .await;
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(error.recovery, Recovery::Throttled { retry_after });
}

#[tokio::test]
async fn a_page_of_a_proxy_is_never_taken_for_an_answer_of_lambda() {
    for (status, expected) in [
        ("404 Not Found", Recovery::Unknown),
        ("502 Bad Gateway", Recovery::Unknown),
        ("200 OK", Recovery::Unknown),
        ("403 Forbidden", Recovery::Denied),
    ] {
        let page = http(status, &["content-type: text/html"], "<html><body>sorry</body></html>");
        let error = read_error(&page).await;
        assert_eq!(error.recovery, expected, "{status}: {error}");
        assert!(error.message.contains("not Lambda's (text/html)"), "{status}: {error}");
        assert!(!error.message.contains('<') && !error.message.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_answered_is_perhaps_done_unless_it_was_not_sent() {
    let error = read_error("").await;
    assert_eq!(error.recovery, Recovery::Unknown, "{error}");
    assert!(error.message.starts_with("no answer: "), "{error}");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let access = Access { simulator: Some(endpoint), ..Access::default() };
    let fleet = Fleet::new(&access, Budgets::UNLIMITED).await;
    let error = fleet.get_policy(&target("f")).await.unwrap_err();
    assert_eq!(error.recovery, Recovery::Unreachable, "{error}");
    assert!(error.message.contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn a_policy_without_revision_is_not_an_answer() {
    let body = r#"{"Policy":"{}"}"#;
    let error = read_error(&http("200 OK", &["content-type: application/json"], body)).await;
    assert_eq!(error.recovery, Recovery::Unknown);
}
