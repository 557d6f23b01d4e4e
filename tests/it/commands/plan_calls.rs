//! What `plan` and `check` ask of AWS: as little as can be, and never a write.

use std::collections::BTreeSet;

use permitd::{
    drift::{bridge::bridge_sid, diff::Kind},
    policy::target::{Defaults, Target},
};
use serde_json::{Value, json};

use super::harness::{FN, Lambda, account, policy, service};

#[test]
fn a_check_without_drift_is_one_get_policy_for_each_target() {
    let live = |qualifier: &str| {
        let mut it = service("a", "s3.amazonaws.com", "arn:aws:s3:::b");
        it["Resource"] = json!(format!("{FN}{qualifier}"));
        policy(&[it])
    };
    let lambda = Lambda::new(&json!([
        {"name": "f", "versions": 2, "aliases": {"live": "1"}, "policy": live(""),
         "policies": {"live": live(":live"), "2": live(":2")}},
    ]));
    let entry = |name: &str| {
        format!(
            "  - function: {name}\n    statements: [{{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}}]\n"
        )
    };
    let wishes = format!(
        "account: '123456789012'\nfunctions:\n{}{}{}",
        entry("f"),
        entry("f:live"),
        entry("f:2")
    );
    let room = lambda.room(&wishes);
    let said = room.permitd("plan permissions.yaml --detailed-exitcode");
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut calls = lambda.calls();
    calls.sort();
    assert_eq!(calls, ["GetPolicy f", "GetPolicy f:2", "GetPolicy f:live"]);

    let said = room.permitd("run permissions.yaml --mode enforce --once -q");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(lambda.calls().len(), 3, "no more for a pass of the daemon");
}

#[test]
fn the_account_is_asked_for_once_and_only_where_nobody_wrote_it() {
    let lambda = Lambda::new(&json!([{"name": "f"}, {"name": "g"}]));
    let statements =
        "statements: [{sid: a, principal: s3.amazonaws.com, source_account: '123456789012'}]";
    let two = |f: &str, g: &str| {
        format!(
            "functions:\n  - function: {f}\n    {statements}\n  - function: {g}\n    {statements}\n"
        )
    };
    let room = lambda.room(&two("f", "g"));
    let asked = |words: &str| {
        let said = room.permitd(words);
        assert_eq!(said.code, Some(0), "{said:?}");
        lambda.calls().iter().filter(|it| it.starts_with("GetCallerIdentity")).count()
    };
    assert_eq!(asked("plan permissions.yaml"), 1);
    assert_eq!(asked("plan permissions.yaml --account 123456789012"), 0);
    room.write("permissions.yaml", &two(FN, "arn:aws:lambda:us-east-1:123456789012:function:g"));
    assert_eq!(asked("plan permissions.yaml"), 0);
    room.write("permissions.yaml", &format!("account: '123456789012'\n{}", two("f", "g")));
    assert_eq!(asked("plan permissions.yaml"), 0);
    room.write("permissions.yaml", &two("f", "g"));
    let accounts =
        "permissions: [permissions.yaml]\naccounts: [{id: '123456789012', regions: [us-east-1]}]\n";
    room.write("permitd.yaml", accounts);
    assert_eq!(asked("plan"), 0);
}

/// The region of a call is that of its target, whatever the environment says.
#[test]
fn regions_are_those_of_the_targets() {
    let function = json!([{"name": "f"}]);
    let lambda = Lambda::seeded(&json!({"accounts": [
        {"id": "123456789012", "region": "us-east-1", "functions": function},
        {"id": "123456789012", "region": "eu-west-1", "functions": function},
    ]}));
    let statements = "statements: [{sid: a, principal: '210987654321'}]";
    let room = lambda
        .room(&format!("account: '123456789012'\nfunctions: [{{function: f, {statements}}}]\n"));
    let said = room.permitd("plan permissions.yaml --region eu-west-1");
    assert!(said.out.starts_with("arn:aws:lambda:eu-west-1:123456789012:function:f\n"), "{said:?}");
    let room = room.without("AWS_REGION").with("AWS_DEFAULT_REGION", "eu-west-1");
    let said = room.permitd("plan permissions.yaml");
    assert!(said.out.starts_with("arn:aws:lambda:eu-west-1:123456789012:function:f\n"), "{said:?}");
    let room = room.without("AWS_DEFAULT_REGION");
    let said = room.permitd("plan permissions.yaml --region us-east-1");
    assert!(said.out.starts_with("arn:aws:lambda:us-east-1:123456789012:function:f\n"), "{said:?}");
    let targets: BTreeSet<String> =
        lambda.requests().iter().map(|it| it["target"].as_str().unwrap().to_owned()).collect();
    assert_eq!(targets.len(), 2, "{targets:?}");
}

/// Every kind of drift in two policies, and a function that is not there.
fn everything() -> (Lambda, String) {
    let from = |sid: &str, bucket: &str| {
        service(sid, "s3.amazonaws.com", &format!("arn:aws:s3:::{bucket}"))
    };
    let target = Target::parse(FN, None, &Defaults::default()).unwrap();
    let orphan = json!({
        "Sid": "app", "Effect": "Allow", "Principal": {"AWS": "AROASNV5YASAZHWFURF3I"},
        "Action": "lambda:InvokeFunction", "Resource": FN,
    });
    let live = policy(&[
        from("changed", "old"),
        from("old-name", "renamed"),
        from("kept", "kept"),
        from("again", "kept"),
        account("rogue", "210987654321"),
        orphan,
        account("expired", "310987654321"),
        from(&bridge_sid(&target, "kept"), "kept"),
    ]);
    let mut unwanted = account("unwanted", "210987654321");
    unwanted["Resource"] = json!(FN.replace(":f", ":g"));
    let lambda = Lambda::new(&json!([
        {"name": "f", "policy": live}, {"name": "g", "policy": policy(&[unwanted])}, {"name": "h"},
    ]));
    let wishes = "\
functions:
  - function: f
    ownership: all
    statements:
      - {sid: missing, principal: sns.amazonaws.com, source_account: '123456789012'}
      - {sid: changed, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - {sid: renamed, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::renamed'}
      - {sid: kept, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::kept'}
      - {sid: app, principal: 'arn:aws:iam::123456789012:role/app'}
      - {sid: expired, principal: '310987654321', expires: 2020-01-01T00:00:00Z}
  - function: g
    absent: [unwanted]
    statements: []
  - function: h
    statements: [{sid: first, principal: '210987654321'}]
  - function: nowhere
    statements: [{sid: first, principal: '210987654321'}]
";
    (lambda, wishes.to_owned())
}

const READS: [&str; 3] = ["GetPolicy", "GetFunction", "GetCallerIdentity"];

#[test]
fn plan_and_check_never_write() {
    let (lambda, wishes) = everything();
    let room = lambda.room(&wishes);
    let before = lambda.control("GET", "state", &Value::Null);
    let json = room.permitd("plan permissions.yaml --output json").json();
    let drift =
        json["targets"].as_array().unwrap().iter().flat_map(|it| it["drift"].as_array().unwrap());
    let kinds: BTreeSet<&str> = drift.map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, Kind::ALL.map(Kind::name).into(), "every kind of drift is there");

    for words in [
        "plan permissions.yaml",
        "plan permissions.yaml --detailed-exitcode",
        "plan permissions.yaml --mode enforce",
        "plan permissions.yaml --mode additive --output json",
        "check permissions.yaml",
        "check permissions.yaml --output json",
        "apply permissions.yaml --mode observe --yes",
        "apply permissions.yaml --mode enforce",
        "run permissions.yaml --mode observe --once",
    ] {
        let said = room.permitd(words);
        assert!([Some(0), Some(1)].contains(&said.code), "{words}: {said:?}");
    }
    for request in lambda.requests() {
        let operation = request["operation"].as_str().unwrap();
        assert!(READS.contains(&operation), "{request}");
        assert_eq!(request["revision_id"], Value::Null, "{request}");
    }
    assert_eq!(lambda.control("GET", "state", &Value::Null), before);
}

#[test]
fn check_calls_nothing_at_all() {
    let (lambda, wishes) = everything();
    let room = lambda.room(&wishes);
    room.permitd("check permissions.yaml --quiet").is(0, "ok: 8 statements for 4 targets\n", "");
    assert_eq!(lambda.calls(), Vec::<String>::new());
}
