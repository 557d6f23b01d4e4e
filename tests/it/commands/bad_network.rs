//! No way to Lambda, no credentials, no region, and servers that are not Lambda at all.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use serde_json::json;

use super::harness::Room;

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    statements: [{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}]
  - function: g
    statements: [{sid: a, principal: '210987654321'}]
";

/// Answers every request for `f` with this and every other one with a policy that grants what `g` wants.
/// An empty answer closes the connection.
fn canned(answer: &str) -> Room {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = answer.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while !request.windows(4).any(|it| it == b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(n) if n > 0 => request.extend_from_slice(&chunk[..n]),
                    Ok(_) | Err(_) => break,
                }
            }
            let line =
                String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
            let answer = if line.contains("function%3Af/") { answer.clone() } else { good() };
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    Room::at(&endpoint, WISHES)
}

fn http(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn get_policy(text: &str) -> String {
    http("200 OK", "application/json", &json!({"Policy": text, "RevisionId": "r1"}).to_string())
}

fn good() -> String {
    get_policy(
        r#"{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:root"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:g"}]}"#,
    )
}

const NETWORK: &str =
    "check the network, the region, AWS_ENDPOINT_URL and the proxy (HTTPS_PROXY, NO_PROXY)";

/// `f` is unknown, `g` is in sync.
#[track_caller]
fn f_is_unknown(room: &Room, reason: &str, cause: &str, hint: &str) {
    let said = room.permitd("plan permissions.yaml");
    let text = format!(
        "\
arn:aws:lambda:us-east-1:123456789012:function:f
  ? unknown: {reason}: {cause}
      {hint}

Plan: 0 to add, 0 to change, 0 to remove, 0 held. 0 of 2 functions differ; 1 unknown.
Live statements with risks: P004 1.
"
    );
    said.is(1, &text, "");
    let report = room.permitd("plan permissions.yaml --output json").json();
    assert_eq!(report["targets"][0]["state"], "unknown");
    assert_eq!(report["targets"][1]["state"], "in_sync");
}

#[test]
fn a_policy_that_is_not_one() {
    for (text, cause) in [
        ("not json", "expected ident at line 1 column 2"),
        ("[]", "invalid type: sequence, expected an object at line 1 column 0"),
        (r#"{"Statement": "x"}"#, "its Statement is neither a list nor one"),
        (r#"{"Statement": [], "Statement": []}"#, "Statement stands in it twice"),
    ] {
        let cause = format!("the policy that Lambda gave is not a policy document: {cause}");
        let hint = "look at it with `aws lambda get-policy`";
        f_is_unknown(&canned(&get_policy(text)), "malformed_policy", &cause, hint);
    }
}

#[test]
fn a_page_instead_of_an_answer() {
    let page = "<html><body>Please sign in</body></html>";
    for (status, reason, hint) in [
        ("200 OK", "bad_answer", NETWORK),
        ("403 Forbidden", "access_denied", "check the proxy (HTTPS_PROXY, NO_PROXY)"),
        ("404 Not Found", "bad_answer", NETWORK),
        ("502 Bad Gateway", "bad_answer", NETWORK),
    ] {
        let number = status.split(' ').next().unwrap();
        let cause = format!(
            "HTTP {number} with an answer that is not Lambda's (text/html); is a proxy in between?"
        );
        f_is_unknown(&canned(&http(status, "text/html", page)), reason, &cause, hint);
    }
}

#[test]
fn an_answer_without_what_matters() {
    let empty = http("200 OK", "application/json", "{}");
    let cause = "the answer to GetPolicy has no policy or no revision in it";
    f_is_unknown(&canned(&empty), "bad_answer", cause, NETWORK);
}

#[test]
fn a_connection_that_closes() {
    let said = canned("").permitd("plan permissions.yaml --target f");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("? unknown: unreachable: no answer: "), "{said:?}");
    assert!(said.out.contains(NETWORK), "{said:?}");
}

#[test]
fn nobody_listens() {
    let said = Room::at("http://127.0.0.1:9", WISHES).permitd("plan permissions.yaml --target f");
    said.is(
        1,
        &format!(
            "\
arn:aws:lambda:us-east-1:123456789012:function:f
  ? unknown: unreachable: no answer: Connection refused (os error 111)
      {NETWORK}

Plan: 0 to add, 0 to change, 0 to remove, 0 held. 0 of 1 function differs; 1 unknown.
"
        ),
        "",
    );
}

#[test]
fn no_credentials() {
    let room = Room::at("http://127.0.0.1:9", WISHES).without("AWS_ACCESS_KEY_ID");
    let said = room.permitd("plan permissions.yaml --target f");
    said.is(
        1,
        "\
arn:aws:lambda:us-east-1:123456789012:function:f
  ? unknown: access_denied: NoCredentials: no AWS credentials were found
      set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is given

Plan: 0 to add, 0 to change, 0 to remove, 0 held. 0 of 1 function differs; 1 unknown.
",
        "",
    );
}

const NO_ACCOUNT: &str =
    "functions: [{function: f, statements: [{sid: a, principal: '210987654321'}]}]\n";

#[test]
fn no_way_to_tell_the_account() {
    let hint = "or write `account:` into the files, or pass --account";
    let room = Room::at("http://127.0.0.1:9", NO_ACCOUNT);
    room.permitd("plan permissions.yaml").is(
        1,
        "",
        &format!(
            "\
error: cannot tell the account of the credentials: no answer: Connection refused (os error 111)
hint: {NETWORK}; {hint}
"
        ),
    );
    room.without("AWS_ACCESS_KEY_ID").permitd("plan permissions.yaml").is(1, "", &format!("\
error: cannot tell the account of the credentials: NoCredentials: no AWS credentials were found
hint: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is given; {hint}
"));
}

#[test]
fn no_region() {
    let room = Room::at("http://127.0.0.1:9", NO_ACCOUNT).without("AWS_REGION");
    room.permitd("plan permissions.yaml").is(78, "", "\
error: no region for `f`; write `region:` at the top of the file, a full ARN, pass --region, or set AWS_REGION
 --> permissions.yaml:1:24
  |
1 | functions: [{function: f, statements: [{sid: a, principal: '210987654321'}]}]
  |                        ^
");
}

/// The SDK panics on it.
#[test]
fn an_endpoint_that_is_set_to_nothing() {
    for name in ["AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_STS"] {
        let room = Room::at("http://127.0.0.1:9", WISHES).with(name, "");
        for words in [
            "plan permissions.yaml",
            "apply permissions.yaml --mode enforce --yes",
            "run permissions.yaml --mode enforce --once",
            "import --all",
        ] {
            let said = room.permitd(words);
            let err = format!(
                "error: {name} is set, and is empty\n\
                 hint: unset it, or set it to an address such as http://127.0.0.1:4566\n"
            );
            said.is(78, "", &err);
        }
        assert_eq!(room.permitd("check permissions.yaml -q").code, Some(0), "it calls nobody");
    }
}
