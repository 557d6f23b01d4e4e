//! `permitd iam`: the policy is what the calls need: no call is outside of it, and no right is without a call.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, account, account_at, policy};

const FILE: &str = "\
account: \"123456789012\"
region: us-east-1
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: '210987654321'}
      - {sid: b, principal: '310987654321', action: lambda:GetFunction}
  - function: f:live
    statements: [{sid: a, principal: '210987654321'}]
  - {function: g, absent: [old]}
  - function: watched
    suspend: true
    statements: [{sid: a, principal: '210987654321'}]
  - function: missing
    statements: [{sid: a, principal: '210987654321'}]
";

/// `Operation ARN` of everything that a policy allows.
fn rights(policy: &Value) -> BTreeSet<String> {
    assert_eq!(policy["Version"], "2012-10-17");
    let mut res = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        for action in statement["Action"].as_array().unwrap() {
            for resource in statement["Resource"].as_array().unwrap() {
                let action = action.as_str().unwrap().strip_prefix("lambda:").unwrap();
                res.insert(format!("{action} {}", resource.as_str().unwrap()));
            }
        }
    }
    res
}

fn lambda() -> Lambda {
    let live = account_at("f:live", "a", "999999999999");
    let mut changed = account("a", "999999999999");
    changed["Sid"] = json!("a");
    Lambda::new(&json!([
        {"name": "f", "versions": 1, "aliases": {"live": "1"},
         "policy": policy(&[changed, account("nobody", "888888888888")]),
         "policies": {"live": policy(&[live])}},
        {"name": "g", "policy": policy(&[account_at("g", "old", "210987654321"), account_at("g", "x", "210987654321")])},
        {"name": "watched", "policy": policy(&[account_at("watched", "x", "210987654321")])},
    ]))
}

/// What was really called, as the simulator wrote it down.
fn called(lambda: &Lambda) -> BTreeSet<String> {
    let call = |it: &Value| {
        format!(
            "{} {}",
            it["operation"].as_str().unwrap(),
            it["target"].as_str().unwrap_or_default()
        )
    };
    lambda.requests().iter().map(call).collect()
}

fn iam(words: &str) -> BTreeSet<String> {
    let room = Room::new().without("AWS_ACCESS_KEY_ID").without("AWS_REGION");
    room.write("permissions.yaml", FILE);
    let said = room.permitd(&format!("iam permissions.yaml {words} --quiet"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    rights(&said.json())
}

#[test]
fn no_call_is_outside_of_the_policy() {
    for mode in ["observe", "additive", "enforce"] {
        let lambda = lambda();
        let room = lambda.room(FILE);
        let limits = "--max-revocations unlimited --max-changed-targets unlimited";
        room.permitd(&format!("plan permissions.yaml --mode {mode}"));
        let said = room.permitd(&format!("apply permissions.yaml --yes --mode {mode} {limits}"));
        assert!(said.out.contains("Plan: "), "{said:?}");
        let (rights, called) = (iam(&format!("--mode {mode}")), called(&lambda));
        let outside: Vec<&String> = called.difference(&rights).collect();
        assert!(outside.is_empty(), "{mode}: {outside:#?}");
        // The reads of all targets, and the writes there are to be expected.
        for target in ["f", "f:live", "g", "watched", "missing"] {
            let arn = format!("{}{target}", FN.strip_suffix('f').unwrap());
            assert!(called.contains(&format!("GetPolicy {arn}")), "{mode}: {called:#?}");
        }
        assert!(
            called.contains(
                &format!("GetFunction {FN}")
                    .replace(":f", ":missing")
                    .replace(":missingunction", ":function")
            ),
            "{called:#?}"
        );
        let writes = called.iter().any(|it| it.starts_with("Add"));
        assert_eq!(writes, mode != "observe", "{mode}: {called:#?}");
        let takes = called.iter().filter(|it| it.starts_with("Remove")).count();
        assert_eq!(takes > 2, mode == "enforce", "{mode}: {called:#?}");
    }
}

/// Every right has a call that needs it: with each policy in a state that asks for it, nothing of the policy is
/// left over.
#[test]
fn no_right_is_without_a_call() {
    let lambda = lambda();
    let room = lambda.room(FILE);
    let limits = "--max-revocations unlimited --max-changed-targets unlimited";
    room.permitd(&format!("apply permissions.yaml --yes --mode enforce {limits}"));
    // Nothing there at all: whether there are functions is asked of all.
    let nothing = json!([
        {"name": "f", "versions": 1, "aliases": {"live": "1"}}, {"name": "g"}, {"name": "watched"},
        {"name": "missing"},
    ]);
    let account = json!({"id": "123456789012", "region": "us-east-1", "functions": nothing});
    lambda.control("PUT", "state", &json!({ "accounts": [account] }));
    room.permitd(&format!("apply permissions.yaml --yes --mode enforce {limits}"));
    // And one more that is changed in what was missing.
    lambda.revoke("missing", "a");
    lambda.grant("missing", "a", "999999999999");
    room.permitd(&format!("apply permissions.yaml --yes --mode enforce {limits}"));
    let (rights, called) = (iam("--mode enforce"), called(&lambda));
    let unused: Vec<&String> = rights.difference(&called).collect();
    assert!(unused.is_empty(), "{unused:#?}\nof {called:#?}");
}

/// Rules for many functions, and `discover: true`: what is listed, read and written is within their globs.
#[test]
fn no_call_for_a_rule_is_outside_of_the_policy() {
    let payments = json!({"team": "payments"});
    let lambda = Lambda::new(&json!([
        {"name": "orders-in", "tags": payments, "versions": 2, "aliases": {"live": "1"}},
        {"name": "orders-out", "tags": payments, "policy": policy(&[account_at("orders-out", "partner", "999999999999")])},
        {"name": "other", "versions": 1},
    ]));
    let room = lambda.room(
        "\
account: \"123456789012\"
region: us-east-1
functions:
  - match: {name: \"orders-*\", tags: {team: payments}, qualifiers: [unqualified, live, \"1*\"]}
    statements: [{sid: partner, principal: \"210987654321\"}]
",
    );
    for discover in [false, true] {
        let settings = format!(
            "permissions: [permissions.yaml]\nmode: enforce\ndiscover: {discover}\naccounts: [{{id: \"123456789012\", regions: [us-east-1]}}]\n"
        );
        room.write("permitd.yaml", &settings);
        room.permitd("plan");
        room.permitd("apply --yes");
        let said = room.permitd("iam");
        assert!(said.err.ends_with("; 0 targets, and what 1 rule may cover.\n"), "{said:?}");
        let (rights, called) = (rights(&said.json()), called(&lambda));
        let allows = |call: &String| {
            let call = if call == "ListFunctions " { "ListFunctions *" } else { call };
            rights.iter().any(|it| wildmatch::WildMatch::new(it).matches(call))
        };
        let outside: Vec<&String> = called.iter().filter(|it| !allows(it)).collect();
        assert!(outside.is_empty(), "{outside:#?} of {rights:#?}");
        let operations: BTreeSet<&str> =
            called.iter().filter_map(|it| it.split(' ').next()).collect();
        for it in [
            "ListFunctions",
            "ListTags",
            "ListAliases",
            "ListVersionsByFunction",
            "RemovePermission",
        ] {
            assert!(operations.contains(it), "{operations:?}");
        }
    }
    let said = room.permitd("iam --target other*");
    assert_eq!(said.code, Some(64), "{said:?}");
    let said = room.permitd("iam --target orders-* --quiet");
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn who_it_is_for_is_said_beside_it() {
    let room = Room::new().without("AWS_REGION").without("AWS_ACCESS_KEY_ID");
    room.write("p.yaml", FILE);
    let said = room.permitd("iam p.yaml");
    assert_eq!(said.code, Some(0));
    assert_eq!(
        said.err,
        "For mode enforce, as `permitd plan` takes it where nobody names one; 5 targets.\n"
    );
    room.write("permitd.yaml", "permissions: [p.yaml]\nmode: observe\n");
    let said = room.permitd("iam --target g");
    assert_eq!(said.err, "For mode observe, named by the settings; 1 target.\n");
    assert_eq!(
        said.json(),
        json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "PermitdRead", "Effect": "Allow",
            "Action": ["lambda:GetFunction", "lambda:GetPolicy"],
            "Resource": ["arn:aws:lambda:us-east-1:123456789012:function:g"],
        }]})
    );
    let said = room.permitd("iam --mode additive --undo");
    assert!(said.err.starts_with("For mode additive, named by --mode; "), "{said:?}");
    assert!(said.out.contains("lambda:PutResourcePolicy"), "{said:?}");
}

#[test]
fn it_works_offline_and_guesses_nothing() {
    let room = Room::new().without("AWS_REGION").without("AWS_ACCESS_KEY_ID");
    room.write(
        "p.yaml",
        "functions: [{function: f, statements: [{sid: a, principal: '210987654321'}]}]",
    );
    let said = room.permitd("iam p.yaml");
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    assert!(said.err.contains("no account for `f`") && said.err.contains("--account"), "{said:?}");
    assert!(said.err.contains("no region for `f`") && said.err.contains("--region"), "{said:?}");
    let said = room.permitd("iam p.yaml --account 123456789012 --region cn-north-1");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out.contains("\"arn:aws-cn:lambda:cn-north-1:123456789012:function:f\""),
        "{said:?}"
    );
    assert!(said.err.contains("sts:GetCallerIdentity"), "{said:?}");
    let room = room.with("AWS_REGION", "eu-west-1").with("PERMITD_ACCOUNT", "123456789012");
    let said = room.permitd("iam p.yaml");
    assert!(said.out.contains(":eu-west-1:123456789012:function:f\""), "{said:?}");
    room.write("bad.yaml", "functions: [{function: f, statements: [{sid: a b, principal: '1'}]}]");
    let said = room.permitd("iam bad.yaml");
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
}

#[test]
fn a_policy_that_iam_does_not_take_is_told() {
    let room = Room::new();
    let names: Vec<String> = (0..60).map(|it| format!("function-with-a-name-{it:03}")).collect();
    let text = format!(
        "account: '123456789012'\nregion: us-east-1\nfunctions: [{{names: [{}], statements: [{{sid: a, principal: '210987654321'}}]}}]",
        names.join(", ")
    );
    room.write("p.yaml", &text);
    let said = room.permitd("iam p.yaml --quiet");
    assert_eq!(said.code, Some(0));
    assert_eq!(said.json()["Statement"].as_array().unwrap().len(), 2);
    let counted = said.out.chars().filter(|it| !it.is_whitespace()).count();
    assert!(
        said.err.starts_with(&format!("warning: the policy has {counted} characters")),
        "{said:?}"
    );
    assert!(
        said.err.contains("6144 in a managed policy") && said.err.contains("--target GLOB"),
        "{said:?}"
    );
    let said = room.permitd("iam p.yaml --quiet --target *-00*");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
}

#[test]
fn the_queue_of_events_takes_rights_of_its_own() {
    let room = Room::new();
    room.write("p.yaml", FILE);
    let settings = |url: &str| {
        room.write(
            "permitd.yaml",
            &format!("permissions: [p.yaml]\nevents: {{queue_url: '{url}', region: us-east-1}}\n"),
        );
        room.permitd("iam")
    };
    let said = settings("https://sqs.us-east-1.amazonaws.com/123456789012/permitd");
    let expected = json!({
        "Sid": "PermitdEvents", "Effect": "Allow",
        "Action": ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        "Resource": ["arn:aws:sqs:us-east-1:123456789012:permitd"],
    });
    assert_eq!(said.json()["Statement"].as_array().unwrap().last(), Some(&expected), "{said:?}");
    let said = settings("http://127.0.0.1:5000/q");
    assert!(!said.out.contains("sqs:") && said.err.contains("sqs:ReceiveMessage"), "{said:?}");
}
