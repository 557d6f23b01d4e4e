//! The control API and seeds: what goes in comes out, and what is wrong is named.

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use permitd::simulator::{Exposure, HELP, Seed, ServeError, Simulator};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::simulator_client::{Served, seed};

const SEED: &str = r#"
accounts:
  - id: "123456789012"
    region: us-east-1
    functions:
      - name: thumbnail
        versions: 2
        aliases: {live: "2"}
        tags: {team: media}
        policy:
          Version: "2012-10-17"
          Id: default
          Statement:
            - Sid: s3-uploads
              Effect: Allow
              Principal: {Service: s3.amazonaws.com}
              Action: lambda:InvokeFunction
              Resource: arn:aws:lambda:us-east-1:123456789012:function:thumbnail
        policies:
          live:
            Version: "2012-10-17"
            Statement:
              - {Sid: role, Effect: Allow, Principal: {AWS: "arn:aws:iam::123456789012:role/seen"}, Action: "lambda:*", Resource: x}
    principals: ["arn:aws:iam::123456789012:role/importer"]
  - {id: 012345678901, region: eu-west-1, functions: []}
switches: {size_overhead_per_statement: 5, read_lag: {time: 2s}, public_block: on}
"#;

#[tokio::test]
async fn the_state_goes_out_and_in_again() {
    let served = Served::new(SEED).await;
    served.add("thumbnail", "more").await;
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:1";
    let put = json!({"ResourceArn": arn, "Policy": "{ \"Statement\": [{\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"*\"}] }"});
    assert_eq!(served.call("PutResourcePolicy", &put).await.status, 200);
    let principals = json!({"create": ["arn:aws:iam::999999999999:user/x"], "delete": ["arn:aws:iam::123456789012:role/seen"]});
    served.control("POST", "principals", &principals).await;
    let state = served.control("GET", "state", &Value::Null).await;
    assert_eq!(state["accounts"][1]["id"], json!("012345678901"), "a zero is not lost");
    assert_eq!(
        state["accounts"][0]["functions"][0]["policy"]["Statement"][1]["Sid"],
        json!("more")
    );
    served.control("PUT", "state", &state).await;
    assert_eq!(served.control("GET", "state", &Value::Null).await, state);
    let other = Served::new("").await;
    other.control("PUT", "state", &state).await;
    assert_eq!(other.control("GET", "state", &Value::Null).await, state);
    let text =
        other.call("GetPolicy", &json!({"FunctionName": arn})).await.json()["Policy"].clone();
    assert_eq!(text, put["Policy"], "byte for byte");
}

#[tokio::test]
async fn a_policy_that_is_put_anew_gets_a_new_revision() {
    let served = Served::new(SEED).await;
    let before = served.revision("thumbnail").await;
    let mut state = served.control("GET", "state", &Value::Null).await;
    served.control("PUT", "state", &state).await;
    assert_eq!(served.revision("thumbnail").await, before);
    state["accounts"][0]["functions"][0]["policy"]["Statement"][0]["Sid"] = json!("other");
    served.control("PUT", "state", &state).await;
    assert_eq!(served.sids("thumbnail").await, ["other"]);
    assert_ne!(served.revision("thumbnail").await, before);
}

#[tokio::test]
async fn a_state_may_be_a_part_and_reset_goes_back_to_the_seed() {
    let served = Served::new(SEED).await;
    let first = served.control("GET", "state", &Value::Null).await;
    let switches = json!({"switches": {"put_family": "absent"}});
    served.control("PUT", "state", &switches).await;
    let second = served.control("GET", "state", &Value::Null).await;
    assert_eq!(second["accounts"], first["accounts"]);
    assert_eq!(second["switches"]["put_family"], json!("absent"));
    assert_eq!(second["switches"]["size_overhead_per_statement"], json!(5));
    let accounts = json!({"accounts": [{"id": "123456789012", "region": "us-east-1", "functions": [{"name": "only"}]}]});
    served.control("PUT", "state", &accounts).await;
    assert_eq!(served.call("GetFunction", &json!({"FunctionName": "thumbnail"})).await.status, 404);
    served.control("PUT", "faults", &json!({"latency_ms": 1})).await;
    served.control("POST", "reset", &Value::Null).await;
    assert_eq!(served.control("GET", "requests", &Value::Null).await, json!({"requests": []}));
    assert_eq!(served.simulator.faults().latency_ms, 0);
    let third = served.control("GET", "state", &Value::Null).await;
    assert_eq!(third["switches"], first["switches"]);
    assert_eq!(served.sids("thumbnail").await, ["s3-uploads"]);
}

#[tokio::test]
async fn the_log_tells_of_every_request() {
    let time: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let simulator = Simulator::with_clock(seed(SEED), move || time).unwrap();
    let served = Served::of(simulator).await;
    served.call("GetPolicy", &json!({"FunctionName": "thumbnail", "Qualifier": "live"})).await;
    let wrong = json!({"FunctionName": "thumbnail", "StatementId": "x", "RevisionId": "wrong",
        "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
    served.call("AddPermission", &wrong).await;
    let removed = json!({"FunctionName": "nope", "StatementId": "x", "RevisionId": "r"});
    served.call("RemovePermission", &removed).await;
    served.call("ListFunctions", &json!({})).await;
    let log = served.control("GET", "requests", &Value::Null).await;
    let arn = "arn:aws:lambda:us-east-1:123456789012:function";
    let entry = |operation: &str, target: Value, status: u16, error: Value, revision: Value| {
        json!({"time": "2026-11-22T10:00:00Z", "operation": operation, "target": target,
            "status": status, "error": error, "revision_id": revision})
    };
    let null = Value::Null;
    assert_eq!(
        log["requests"],
        json!([
            entry(
                "GetPolicy",
                json!(format!("{arn}:thumbnail:live")),
                200,
                null.clone(),
                null.clone()
            ),
            entry(
                "AddPermission",
                json!(format!("{arn}:thumbnail")),
                412,
                json!("PreconditionFailedException"),
                json!("wrong")
            ),
            entry(
                "RemovePermission",
                json!(format!("{arn}:nope")),
                404,
                json!("ResourceNotFoundException"),
                json!("r")
            ),
            entry("ListFunctions", null.clone(), 200, null.clone(), null),
        ])
    );
    served.control("DELETE", "requests", &Value::Null).await;
    assert_eq!(served.control("GET", "requests", &Value::Null).await, json!({"requests": []}));
}

#[tokio::test]
async fn the_control_api_says_what_is_wrong() {
    let served = Served::new(SEED).await;
    let account = |more: &str| format!(r#"{{"accounts": [{{"id": "123456789012", {more}}}]}}"#);
    for (method, endpoint, body, expected) in [
        ("PUT", "state", "nope".to_owned(), "expected"),
        ("PUT", "state", r#"{"acounts": []}"#.to_owned(), "unknown field `acounts`"),
        (
            "PUT",
            "state",
            r#"{"accounts": [{"id": "1"}]}"#.to_owned(),
            "accounts[0].id: `1` is not an account id",
        ),
        (
            "PUT",
            "state",
            account(r#""functions": [{"name": "f", "aliases": {"a": "2"}, "versions": 1}]"#),
            "functions[0].aliases.a: there is no version `2`",
        ),
        (
            "PUT",
            "state",
            account(r#""functions": [{"name": "f", "policies": {"a": {}}}]"#),
            "functions[0].policies.a: `a` is neither",
        ),
        (
            "PUT",
            "state",
            account(r#""functions": [{"name": "f", "policy": {}}]"#),
            "functions[0].policy: the member Statement is missing",
        ),
        ("PUT", "state", account(r#""principals": ["me"]"#), "principals: `me` is not the ARN"),
        (
            "PUT",
            "state",
            r#"{"switches": {"put_family": "maybe"}}"#.to_owned(),
            "unknown variant `maybe`",
        ),
        (
            "PUT",
            "state",
            r#"{"tamper": [{"every": "1s", "function": "f"}]}"#.to_owned(),
            "tamper[0]: exactly one of",
        ),
        (
            "POST",
            "principals",
            r#"{"create": ["me"]}"#.to_owned(),
            "`me` is not the ARN of a role or user",
        ),
    ] {
        let answer = served.send(method, &format!("/_simulator/{endpoint}"), &body).await;
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 400, "{body}: {error}");
        assert!(error.contains(expected), "{body}: {error}");
    }
    assert_eq!(served.send("GET", "/_simulator/nope", "").await.status, 404);
    assert_eq!(served.send("GET", "/_simulator", "").await.body, HELP);
    assert_eq!(served.sids("thumbnail").await, ["s3-uploads"], "nothing was half done");
}

#[test]
fn a_bad_seed_says_where() {
    for (text, expected) in [
        ("accounts:\n  - id: \"123456789012\"\n    regio: x\n", "demo.yaml:3:5: unknown field"),
        ("accounts: [\n", "demo.yaml:"),
        ("switches:\n  public_block: maybe\n", "demo.yaml:2:"),
        ("tamper:\n  - {every: soon, function: f, remove: x}\n", "demo.yaml:2:"),
        ("accounts: [{id: \"1\"}]", "demo.yaml: accounts[0].id: `1` is not an account id"),
    ] {
        let error = Seed::parse(text, Path::new("demo.yaml")).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn it_listens_for_this_machine_only_unless_told_otherwise() {
    let simulator = Simulator::new(Seed::default()).unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = simulator.serve(listener, Exposure::Loopback, std::future::pending()).await;
    assert!(matches!(refused, Err(ServeError::NotLoopback(_))));
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    simulator.serve(listener, Exposure::Anyone, std::future::ready(())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn somebody_changes_things_in_order_and_only_where_it_changes_something() {
    let simulator = Simulator::new(seed(&format!(
        "{SEED}\ntamper:
  - {{every: 5s, function: thumbnail, remove: s3-uploads}}
  - {{every: 5s, after: 2s, function: thumbnail, qualifier: live, add: {{Sid: backdoor, Principal: \"*\"}}, who: mallory}}
  - {{every: 7s, function: thumbnail, qualifier: live, change: {{sid: backdoor, set: {{Action: \"lambda:*\"}}}}}}
  - {{every: 9s, delete_principal: \"arn:aws:iam::123456789012:role/seen\"}}\n"
    )))
    .unwrap();
    let mut events = simulator.tamper_events();
    let running = simulator.clone();
    let task = tokio::spawn(async move { running.tamper().await });
    // A read that lags would be another test.
    simulator.put_state(&json!({"switches": {"read_lag": {}}})).unwrap();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail";
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(events.recv().await.unwrap().to_string());
    }
    assert_eq!(
        told,
        [
            format!("mallory added backdoor in {arn}:live"),
            format!("somebody removed s3-uploads from {arn}"),
            format!("somebody changed backdoor in {arn}:live"),
            "somebody deleted arn:aws:iam::123456789012:role/seen".to_owned(),
        ]
    );
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(events.is_empty(), "there is nothing left to change");
    let state = serde_json::to_value(simulator.state()).unwrap();
    let live = &state["accounts"][0]["functions"][0]["policies"]["live"]["Statement"];
    assert!(live[0]["Principal"]["AWS"].as_str().unwrap().starts_with("AROA"), "{live}");
    assert_eq!(
        live[1],
        json!({"Sid": "backdoor", "Effect": "Allow", "Principal": "*",
        "Action": "lambda:*", "Resource": format!("{arn}:live")})
    );
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn principals_take_their_time() {
    let simulator = Simulator::new(seed(SEED)).unwrap();
    let served = Served::of(simulator).await;
    let switches = json!({"switches": {"principal_propagation": "10s", "aroa_render_delay": 3000,
        "read_lag": {}, "public_block": "off"}});
    served.simulator.put_state(&switches).unwrap();
    let role = "arn:aws:iam::123456789012:role/new".to_owned();
    let create = || served.simulator.change_principals(std::slice::from_ref(&role), &[]).unwrap();
    let delete = || served.simulator.change_principals(&[], std::slice::from_ref(&role)).unwrap();
    create();
    let add = json!({"FunctionName": "thumbnail", "StatementId": "new", "Principal": role,
        "Action": "lambda:InvokeFunction"});
    assert_eq!(served.call("AddPermission", &add).await.status, 400);
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(served.call("AddPermission", &add).await.status, 201);
    let shown = async || {
        let answer = served.call("GetPolicy", &json!({"FunctionName": "thumbnail"})).await.json();
        let policy: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
        policy["Statement"][1]["Principal"]["AWS"].as_str().unwrap().to_owned()
    };
    delete();
    assert_eq!(shown().await, role);
    assert_eq!(served.add("thumbnail", "x").await.status, 400, "it is gone all the same");
    tokio::time::advance(Duration::from_secs(3)).await;
    assert!(shown().await.starts_with("AROA"));
    // Made again before its statements showed it: they are still the old one's.
    let remove = json!({"FunctionName": "thumbnail", "StatementId": "new"});
    assert_eq!(served.call("RemovePermission", &remove).await.status, 204);
    create();
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(served.call("AddPermission", &add).await.status, 201);
    delete();
    create();
    assert!(shown().await.starts_with("AROA"));
}
