//! What Lambda, or whatever stands in for it, may answer: the cause in one line, what to do about it, and the
//! other targets go on.

use serde_json::{Value, json};

use super::harness::{FN, Lambda, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    statements: [{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}]
  - function: g
    statements: [{sid: c, principal: '210987654321'}]
";

/// `f` is as written; `g` answers something else for ever.
fn broken(operation: &str, fault: Value) -> Lambda {
    let live = service("a", "s3.amazonaws.com", "arn:aws:s3:::b");
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[live])}, {"name": "g"}]));
    let mut fault = fault;
    let members =
        json!({"operation": operation, "target": "*:g", "times": "forever", "kind": "error"});
    for (key, value) in members.as_object().unwrap() {
        fault[key] = value.clone();
    }
    lambda.faults(&json!({ "faults": [fault] }));
    lambda
}

/// `g` is unknown for this reason, `f` is in sync, and the exit code is 1; also where `apply` may write.
#[track_caller]
fn g_is_unknown(lambda: &Lambda, reason: &str, cause: &str, hint: &str) {
    let room = lambda.room(WISHES);
    let said = room.permitd("plan permissions.yaml --output json");
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{said:?}");
    let report = said.json();
    assert_eq!(report["summary"]["unknown"], 1, "{report:#}");
    assert_eq!(report["targets"][0]["state"], "in_sync", "{report:#}");
    let g = &report["targets"][1];
    assert_eq!((&g["state"], &g["reason"]), (&json!("unknown"), &json!(reason)), "{report:#}");
    assert_eq!((&g["revision_id"], &g["size"]), (&Value::Null, &Value::Null), "{report:#}");
    assert_eq!(g["errors"], json!([{"reason": reason, "message": cause, "hint": hint}]));

    let said = room.permitd("apply permissions.yaml --mode enforce --yes");
    let text = format!(
        "\
arn:aws:lambda:us-east-1:123456789012:function:g
  ? unknown: {reason}: {cause}
      {hint}

Plan: 0 to add, 0 to change, 0 to remove, 0 held. 0 of 2 functions differ; 1 unknown.
Live statements with risks: P003 1.
"
    );
    said.is(1, &text, "");
    assert!(lambda.calls().iter().all(|it| it.starts_with("Get")), "nothing was written blindly");
}

#[test]
fn access_denied() {
    let cause = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: lambda:GetPolicy on resource: g";
    let lambda = broken(
        "GetPolicy",
        json!({"status": 403, "code": "AccessDeniedException", "message": cause}),
    );
    g_is_unknown(
        &lambda,
        "access_denied",
        &format!("AccessDeniedException: {cause}"),
        "allow lambda:GetPolicy on this function to the credentials permitd runs with",
    );
}

#[test]
fn expired_token() {
    let cause = "The security token included in the request is expired";
    let lambda = broken(
        "GetPolicy",
        json!({"status": 403, "code": "ExpiredTokenException", "message": cause}),
    );
    g_is_unknown(
        &lambda,
        "access_denied",
        &format!("ExpiredTokenException: {cause}"),
        "the credentials have expired: get new ones (for SSO: `aws sso login`)",
    );
}

const NETWORK: &str =
    "check the network, the region, AWS_ENDPOINT_URL and the proxy (HTTPS_PROXY, NO_PROXY)";

#[test]
fn a_page_of_a_proxy() {
    for (status, reason, hint) in [
        (403, "access_denied", "check the proxy (HTTPS_PROXY, NO_PROXY)"),
        (404, "bad_answer", NETWORK),
        (502, "bad_answer", NETWORK),
    ] {
        let page = "<html><head><title>Sorry</title></head>\n<body>Blocked by policy</body></html>";
        let lambda = broken(
            "GetPolicy",
            json!({"status": status, "body": page, "content_type": "text/html"}),
        );
        let cause = format!(
            "HTTP {status} with an answer that is not Lambda's (text/html); is a proxy in between?"
        );
        g_is_unknown(&lambda, reason, &cause, hint);
    }
}

/// A 404 of Lambda may mean that there is no policy; whether there is a function has to be known, too.
#[test]
fn no_right_to_see_whether_the_function_is_there() {
    let cause = "User: x is not authorized to perform: lambda:GetFunction";
    let lambda = broken(
        "GetFunction",
        json!({"status": 403, "code": "AccessDeniedException", "message": cause}),
    );
    g_is_unknown(
        &lambda,
        "access_denied",
        &format!("AccessDeniedException: {cause}"),
        "allow lambda:GetFunction on this function to the credentials permitd runs with",
    );
}

#[test]
fn no_such_function() {
    let live = service("a", "s3.amazonaws.com", "arn:aws:s3:::b");
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[live])}]));
    g_is_unknown(
        &lambda,
        "function_missing",
        "function g does not exist in 123456789012/us-east-1",
        "create it, or take the entry at permissions.yaml:5:15 out",
    );
}

/// What others wrote cannot take over a terminal.
#[test]
fn foreign_text_is_made_harmless() {
    let mut odd = service("a", "s3.amazonaws.com", "arn:aws:s3:::b\u{1b}[31m\u{202e}");
    odd["Resource"] = json!(FN);
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[odd])}]));
    let said = lambda.room(WISHES).permitd("plan permissions.yaml --target f");
    assert!(said.out.contains("\\u{1b}[31m\\u{202e}"), "{said:?}");
    assert!(!said.out.contains('\u{1b}') && !said.out.contains('\u{202e}'), "{said:?}");
}
