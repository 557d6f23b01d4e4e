//! Records as recorded, and odd ones.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const ARN: &str = "arn:aws:lambda:eu-west-1:880896431042:function:f";

/// The record of `lambda-semantics.md`, 10, with what was left out there.
fn recorded() -> Value {
    json!({
        "eventVersion": "1.08", "eventSource": "lambda.amazonaws.com",
        "eventName": "AddPermission20150331v2", "eventTime": "2024-08-01T13:47:16Z",
        "awsRegion": "eu-west-1", "eventType": "AwsApiCall", "eventCategory": "Management",
        "managementEvent": true, "readOnly": false, "recipientAccountId": "880896431042",
        "requestParameters": {
            "action": "lambda:InvokeFunction", "functionName": "f", "principal": "*",
            "statementId": "backdoor",
        },
        "responseElements": {"statement": "{\"Sid\":\"backdoor\"}"},
        "requestID": "r-1", "eventID": "e-1", "sourceIPAddress": "192.0.2.7",
        "userAgent": "stratus-red-team", "tlsDetails": {"tlsVersion": "TLSv1.3"},
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:eve",
            "arn": "arn:aws:sts::880896431042:assumed-role/Admin/eve", "accountId": "880896431042",
            "sessionContext": {"sessionIssuer": {
                "type": "Role", "arn": "arn:aws:iam::880896431042:role/Admin",
            }},
        },
    })
}

fn enveloped(detail: &Value) -> Value {
    json!({
        "version": "0", "id": "b-1", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.lambda", "account": "880896431042", "time": "2024-08-01T13:47:17Z",
        "region": "eu-west-1", "resources": [], "detail": detail,
    })
}

fn with(path: &str, new: Value) -> Value {
    let mut record = recorded();
    *record.pointer_mut(path).unwrap() = new;
    record
}

fn changed(body: &Value) -> Change {
    let Record::Change(it) = read(&body.to_string()) else { panic!("{}", in_words(body)) };
    *it
}

fn in_words(body: &Value) -> String {
    match read(&body.to_string()) {
        Record::Change(it) => match it.touched {
            Touched::Policy(it) => it.arn(),
            Touched::Function(it) => format!("all of {it}"),
        },
        Record::Unclear { place, why, .. } => {
            format!("unclear in {}: {why}", place.map_or("?".to_owned(), |it| it.to_string()))
        }
        Record::Harmless => "harmless".to_owned(),
        Record::Other(it) => format!("of {it}"),
        Record::Unreadable(it) => format!("unreadable: {it}"),
    }
}

#[test]
fn the_recorded_event_tells_what_who_where_from_and_when() {
    let change = changed(&enveloped(&recorded()));
    assert_eq!(change.id.as_deref(), Some("e-1"));
    assert_eq!(in_words(&recorded()), ARN);
    assert_eq!(
        change.actor,
        Actor {
            arn: "arn:aws:sts::880896431042:assumed-role/Admin/eve".into(),
            role_arn: Some("arn:aws:iam::880896431042:role/Admin".into()),
            source_address: Some("192.0.2.7".into()),
            user_agent: Some("stratus-red-team".into()),
            time: "2024-08-01T13:47:16Z".parse().unwrap(),
            event: "AddPermission20150331v2".into(),
            request_id: Some("r-1".into()),
            sid: Some("backdoor".into()),
        }
    );
}

#[test]
fn it_is_the_same_bare_and_forwarded_by_sns() {
    let envelope = enveloped(&recorded());
    let sns = json!({"Type": "Notification", "MessageId": "m", "Message": envelope.to_string()});
    assert_eq!(changed(&recorded()), changed(&envelope));
    assert_eq!(changed(&sns), changed(&envelope));
}

#[test]
fn a_function_is_named_as_the_caller_named_it() {
    for (name, qualifier, expected) in [
        ("f", None, ARN.to_owned()),
        ("f", Some("live"), format!("{ARN}:live")),
        ("f:live", None, format!("{ARN}:live")),
        ("f:live", Some("live"), format!("{ARN}:live")),
        ("880896431042:function:f", Some("7"), format!("{ARN}:7")),
        (ARN, None, ARN.to_owned()),
        (&format!("{ARN}:live"), None, format!("{ARN}:live")),
        ("f", Some(""), ARN.to_owned()),
    ] {
        let mut record = with("/requestParameters/functionName", json!(name));
        if let Some(it) = qualifier {
            record["requestParameters"]["qualifier"] = json!(it);
        }
        assert_eq!(in_words(&enveloped(&record)), expected, "{name} {qualifier:?}");
    }
}

#[test]
fn every_call_that_changes_a_policy_is_known_with_and_without_its_version() {
    let all = format!("all of {ARN}");
    let (live, seventh) = (format!("{ARN}:live"), format!("{ARN}:7"));
    for (name, extra, expected) in [
        ("AddPermission", json!({}), ARN),
        ("RemovePermission20150331v2", json!({}), ARN),
        ("PutResourcePolicy20260709", json!({"resourceArn": ARN}), ARN),
        ("PutResourcePolicy", json!({"resourceArn": live, "functionName": null}), &live),
        ("DeleteResourcePolicy20260709", json!({}), ARN),
        ("DeleteFunction20150331", json!({}), &all),
        ("DeleteFunction20150331", json!({"qualifier": "7"}), &seventh),
        ("CreateFunction20150331", json!({}), &all),
        ("CreateFunction", json!({}), &all),
        ("CreateAlias20150331", json!({"name": "live"}), &live),
        ("DeleteAlias20150331", json!({"name": "live"}), &live),
        ("PublishVersion20150331", json!({}), &seventh),
        ("DeleteFunctionConcurrency20171031", json!({}), "harmless"),
        ("DeleteFunctionUrlConfig", json!({}), "harmless"),
        ("UpdateFunctionCode20150331v2", json!({}), "harmless"),
        ("AddLayerVersionPermission20181031", json!({}), "harmless"),
        ("GetPolicy20150331v2", json!({}), "harmless"),
    ] {
        let mut record = with("/eventName", json!(name));
        for (key, value) in extra.as_object().unwrap() {
            record["requestParameters"][key] = value.clone();
        }
        record["responseElements"] = json!({"version": "7"});
        assert_eq!(in_words(&enveloped(&record)), expected, "{name} {extra}");
    }
    let put = changed(&with("/eventName", json!("PutResourcePolicy20260709")));
    assert_eq!(put.actor.sid, None, "it is about all of them");
}

#[test]
fn what_is_not_a_change_of_a_policy_is_told_apart() {
    for (body, expected) in [
        (with("/eventSource", json!("s3.amazonaws.com")), "of s3.amazonaws.com"),
        (
            json!({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
                "detail": {"state": "stopped"}}),
            "of aws.ec2",
        ),
        (json!({"source": "aws.lambda", "detail-type": "x", "detail": {}}), "harmless"),
        (
            with("/requestParameters", json!(null)),
            "unclear in 880896431042/eu-west-1: it names no function",
        ),
        (
            with("/requestParameters/functionName", json!("a b")),
            "unclear in 880896431042/eu-west-1: `a b` is not a function name, partial ARN or ARN; write `name`, \
             `name:alias`, `123456789012:function:name` or `arn:aws:lambda:REGION:ACCOUNT:function:NAME`",
        ),
        (
            json!({"Records": [{"eventSource": "aws:s3"}]}),
            "unreadable: it is no event: it names no source",
        ),
        (
            json!({"Type": "Notification", "Message": "hello"}),
            "unreadable: what SNS forwards in it is not JSON",
        ),
        (json!([]), "unreadable: it is no event: it names no source"),
        (json!(7), "unreadable: it is no event: it names no source"),
        (json!({"detail": [1]}), "unreadable: it is no event: it names no source"),
    ] {
        assert_eq!(in_words(&body), expected, "{body}");
    }
    let mut failed = recorded();
    failed["errorCode"] = json!("AccessDenied");
    assert_eq!(in_words(&failed), "harmless");
    failed["errorCode"] = json!(null);
    assert_eq!(in_words(&failed), ARN);
    assert_eq!(read(""), Record::Unreadable("it is not JSON".into()));
    assert_eq!(read("{\"detail\": "), Record::Unreadable("it is not JSON".into()));
    let mut nowhere = recorded();
    nowhere["awsRegion"] = json!("mars");
    assert!(
        in_words(&nowhere).starts_with("unclear in ?: no region for `f`"),
        "{}",
        in_words(&nowhere)
    );
}

#[test]
fn somebody_is_named_as_well_as_the_record_can() {
    for (identity, who) in [
        (
            json!({"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"}),
            "cloudformation.amazonaws.com",
        ),
        (json!({"type": "AWSAccount", "principalId": "AIDAEXAMPLE"}), "AIDAEXAMPLE"),
        (json!({"accountId": "210987654321"}), "210987654321"),
        (json!(null), "somebody who is not named"),
        (json!({"arn": "a".repeat(5000)}), &"a".repeat(2048)),
    ] {
        assert_eq!(changed(&with("/userIdentity", identity)).actor.arn, who);
    }
    let long = changed(&with("/userAgent", json!("é".repeat(5000)))).actor.user_agent.unwrap();
    assert_eq!(long.chars().count(), 256);
    let odd = changed(&with("/eventTime", json!("yesterday")));
    assert_eq!(odd.actor.time, Timestamp::UNIX_EPOCH);
}

/// Any JSON at all.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let key = prop::sample::select(vec![
            "detail",
            "functionName",
            "arn",
            "eventName",
            "x",
            "Type",
            "Message",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|it| it.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_at_all_is_more_than_it_can_bear(text in ".{0,200}") {
        let _ = read(&text);
    }

    /// One part of a good event replaced by anything: it is a change, or it is told why not; and it is bounded.
    #[test]
    fn no_record_is_more_than_it_can_bear(part in 0_usize..14, new in any_json()) {
        let paths = ["", "/detail", "/detail/eventName", "/detail/eventSource", "/detail/awsRegion",
            "/detail/recipientAccountId", "/detail/requestParameters",
            "/detail/requestParameters/functionName", "/detail/requestParameters/statementId",
            "/detail/userIdentity", "/detail/userIdentity/arn", "/detail/eventTime",
            "/detail/eventID", "/detail/sourceIPAddress"];
        let mut body = enveloped(&recorded());
        *body.pointer_mut(paths[part]).unwrap() = new;
        if let Record::Change(it) = read(&body.to_string()) {
            prop_assert!(it.touched.place().account.len() == 12);
            prop_assert!(it.actor.arn.chars().count() <= 2048);
        }
    }
}
