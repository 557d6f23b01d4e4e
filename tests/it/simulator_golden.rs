//! Every recorded case of AWS, over HTTP: setup, request, and the answer byte for byte.

use permitd::{
    lambda::gateway::{GatewayError, PolicyGateway, PolicyReader},
    policy::{
        grant::Draft,
        target::{Defaults, Target},
    },
    simulator::Direct,
};
use serde_json::{Value, json};

use crate::simulator_client::{Answer, Served};

#[tokio::test]
async fn recorded_cases_come_out_as_recorded() {
    let text = std::fs::read_to_string("tests/golden/requests.json").unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() >= 55);
    for case in &cases {
        run(case, true).await;
        run(case, false).await;
    }
}

/// What cannot be said through the gateway, because its types do not let it, is left out.
#[tokio::test]
async fn recorded_cases_come_out_of_the_direct_gateway_too() {
    let text = std::fs::read_to_string("tests/golden/requests.json").unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut n = 0;
    for case in &cases {
        let served = Served::new("").await;
        let china = case["setup"].to_string().contains("cn-north-1");
        let region = if china { "cn-north-1" } else { "us-east-1" };
        let served = served.signed("AKIDEXAMPLE", region);
        let mut function = Value::Null;
        for step in case["setup"].as_array().into_iter().flatten() {
            let created = set_up(&served, step, region).await;
            if step["op"] == "CreateFunction" {
                function = created;
            }
        }
        let revision = function["RevisionId"].as_str().unwrap_or_default();
        let request = case["request"].to_string().replace("${function.RevisionId}", revision);
        let request: Value = serde_json::from_str(&request).unwrap();
        n += usize::from(run_direct(case, &served.simulator.direct(), &request).await.is_some());
    }
    assert!(n >= 40, "only {n}");
}

/// None: the gateway has no words for it.
async fn run_direct(case: &Value, direct: &Direct, request: &Value) -> Option<()> {
    let (name, expect) = (case["name"].as_str()?, &case["expect"]);
    let text = |key: &str| request[key].as_str();
    let defaults =
        Defaults { account: Some("123456789012".to_owned()), region: Some("us-east-1".to_owned()) };
    let target = Target::parse(text("FunctionName")?, text("Qualifier"), &defaults).ok()?;
    let refused = |error: GatewayError| {
        let wanted = &expect["error"];
        assert_eq!(json!(error.status), wanted["status"], "{name}: {error}");
        assert_eq!(json!(error.code), wanted["code"], "{name}");
        if !wanted["message"].is_null() && name != "policy_too_large" {
            assert_eq!(json!(error.message), wanted["message"], "{name}");
        }
    };
    match case["op"].as_str()? {
        "AddPermission" => {
            let sid = text("StatementId")?;
            let draft = Draft {
                sid,
                principal: text("Principal")?,
                action: text("Action"),
                source_arn: text("SourceArn"),
                source_account: text("SourceAccount"),
                principal_org_id: text("PrincipalOrgID"),
                event_source_token: text("EventSourceToken"),
                function_url_auth_type: text("FunctionUrlAuthType"),
                invoked_via_function_url: request["InvokedViaFunctionUrl"].as_bool(),
            };
            let permission = draft.check(target.partition()).ok()?;
            match direct.add_permission(&target, sid, &permission, text("RevisionId")).await {
                Ok(_) => {
                    let policy = direct.get_policy(&target).await.unwrap().text;
                    let policy: Value = serde_json::from_str(&policy).unwrap();
                    let last = policy["Statement"].as_array()?.last().cloned();
                    assert_eq!(last, Some(expect["statement"].clone()), "{name}");
                }
                Err(error) => refused(error),
            }
        }
        "GetPolicy" => match direct.get_policy(&target).await {
            Ok(it) => {
                let value: Value = serde_json::from_str(&it.text).unwrap();
                assert_eq!(value, expect["policy"], "{name}");
            }
            Err(error) => refused(error),
        },
        _ => {
            let revision = match text("RevisionId") {
                Some(it) => it.to_owned(),
                None => direct.get_policy(&target).await.ok()?.revision,
            };
            let removed = direct.remove_permission(&target, text("StatementId")?, &revision).await;
            match removed {
                Ok(_) => assert_eq!(expect["status"], json!(204), "{name}"),
                Err(error) => refused(error),
            }
        }
    }
    Some(())
}

async fn run(case: &Value, signed: bool) {
    let name = case["name"].as_str().unwrap();
    let served = Served::new("").await;
    let request = &case["request"];
    let china = case["setup"].to_string().contains("cn-north-1");
    let region = if china { "cn-north-1" } else { "us-east-1" };
    let served = if signed { served.signed("AKIDEXAMPLE", region) } else { served.unsigned() };
    let mut function = Value::Null;
    for step in case["setup"].as_array().into_iter().flatten() {
        let created = set_up(&served, step, region).await;
        if step["op"] == "CreateFunction" {
            function = created;
        }
    }
    let revision = function["RevisionId"].as_str().unwrap_or_default();
    let request = request.to_string().replace("${function.RevisionId}", revision);
    let request: Value = serde_json::from_str(&request).unwrap();
    let answer = served.call(case["op"].as_str().unwrap(), &request).await;
    check(name, &answer, &case["expect"]);
}

async fn set_up(served: &Served, step: &Value, region: &str) -> Value {
    let operation = step["op"].as_str().unwrap();
    match operation {
        "iam:CreateRole" => {
            served.control("POST", "principals", &json!({"create": [step["Arn"]]})).await
        }
        "fill" => {
            let role = "arn:aws:iam::123456789012:role/example";
            served.control("POST", "principals", &json!({"create": [role]})).await;
            for n in 0.. {
                let mut parameters = grant(&format!("s{n}"));
                parameters["Principal"] = json!(role);
                if n == 56 {
                    parameters["StatementId"] = json!("another");
                }
                let answer = served.call("AddPermission", &parameters).await;
                if answer.status != 201 {
                    break;
                }
            }
            Value::Null
        }
        "account-public-access-block" => {
            served.control("PUT", "state", &json!({"switches": {"public_block": true}})).await
        }
        "throttle" => served.control("PUT", "faults", &json!({"throttle": {"control": 0}})).await,
        _ => {
            let mut parameters = step.clone();
            let members = parameters.as_object_mut().unwrap();
            for key in ["op", "region", "note", "Version"] {
                members.shift_remove(key);
            }
            if operation == "CreateFunction" && served.scope.is_none() && region != "us-east-1" {
                let name = step["FunctionName"].as_str().unwrap();
                let arn = format!("arn:aws-cn:lambda:{region}:123456789012:function:{name}");
                parameters["FunctionName"] = json!(arn);
            }
            let answer = served.call(operation, &parameters).await;
            assert!(answer.status < 300, "{operation}: {}", answer.body);
            if answer.body.is_empty() { Value::Null } else { answer.json() }
        }
    }
}

fn grant(sid: &str) -> Value {
    json!({"FunctionName": "my-function", "StatementId": sid,
        "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"})
}

fn check(name: &str, answer: &Answer, expect: &Value) {
    let Answer { status, headers: _, body } = answer;
    assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
    assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36), "{name}");
    let error = &expect["error"];
    if error.is_null() {
        assert_eq!(json!(status), expect["status"], "{name}: {body}");
        assert_eq!(answer.header("x-amzn-errortype"), None, "{name}");
        good(name, body, expect);
        return;
    }
    assert_eq!(json!(status), error["status"], "{name}: {body}");
    assert_eq!(answer.header("x-amzn-errortype"), error["code"].as_str(), "{name}");
    let found = answer.json();
    let key = error["body_message_key"].as_str().unwrap();
    assert!(found.get(key).is_some(), "{name}: {body}");
    assert_eq!(found["Type"], error["Type"], "{name}");
    if name == "policy_too_large" {
        let pattern = r"^The final policy size \(2[0-9]{4}\) is bigger than the limit \(20480\)\.$";
        let pattern = regex::Regex::new(pattern).unwrap();
        assert!(pattern.is_match(found[key].as_str().unwrap()), "{body}");
    } else if !error["message"].is_null() {
        assert_eq!(found[key], error["message"], "{name}");
        let exact = if error["Type"].is_null() {
            json!({key: error["message"]})
        } else if name == "throttled" {
            json!({"Reason": "CallerRateLimitExceeded", "Type": "User", key: error["message"]})
        } else {
            json!({"Type": "User", key: error["message"]})
        };
        assert_eq!(*body, exact.to_string(), "{name}");
    }
}

fn good(name: &str, body: &str, expect: &Value) {
    if let Some(it) = expect["body"].as_str() {
        assert_eq!(body, it, "{name}");
        return;
    }
    let found: Value = serde_json::from_str(body).unwrap();
    for (key, member) in [("statement", "Statement"), ("policy", "Policy")] {
        if expect[key].is_null() {
            continue;
        }
        let text = found[member].as_str().unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value, expect[key], "{name}");
        if let Some(it) = expect[format!("{key}_text")].as_str() {
            assert_eq!(text, it, "{name}");
        }
    }
    assert_eq!(found.get("RevisionId").is_some(), expect.get("RevisionId").is_some(), "{name}");
}
