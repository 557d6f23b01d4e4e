//! `permitd plan --output json`, as interface.md documents it.

use serde_json::{Value, json};

use super::harness::{FN, Lambda, account, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: prefix
    sid_prefix: x-
    statements:
      - {sid: x-a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - sid: x-b
        principal: sns.amazonaws.com
        source_arn: arn:aws:sns:us-east-1:123456789012:t
        description: for people
  - function: nowhere:live
    statements:
      - {sid: c, principal: '210987654321'}
";

fn live() -> Vec<Value> {
    vec![
        service("x-a", "s3.amazonaws.com", "arn:aws:s3:::old"),
        account("x-rogue", "210987654321"),
        account("console", "310987654321"),
    ]
}

fn lambda() -> Lambda {
    Lambda::new(&json!([{"name": "f", "policy": policy(&live())}]))
}

fn risks() -> Value {
    let risk =
        |sid: &str, risk: &str, title: &str| json!({"sid": sid, "risk": risk, "title": title});
    json!([
        risk("x-a", "P003", "an S3 source, without its account"),
        risk("x-rogue", "P004", "a whole account"),
        risk("console", "P004", "a whole account"),
    ])
}

#[test]
fn every_member() {
    let lambda = lambda();
    let said = lambda.room(WISHES).permitd("plan permissions.yaml --mode additive --output json");
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.out.starts_with("{\n") && said.out.ends_with("}\n"));
    let mut plan = said.json();

    let digest = plan["digest"].as_str().unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|it| it.is_ascii_hexdigit()), "{digest}");
    let revision = plan["targets"][0]["revision_id"].as_str().unwrap();
    assert_eq!(revision.len(), 36, "{revision}");
    plan["digest"] = json!("DIGEST");
    plan["targets"][0]["revision_id"] = json!("REVISION");

    let [a, rogue, console] = live().try_into().unwrap();
    let expected = json!({
        "format_version": "1.0",
        "permitd_version": env!("CARGO_PKG_VERSION"),
        "summary": {
            "targets": 2, "in_sync": 0, "drifted": 1, "held": 0, "contended": 0, "suspended": 0, "paused": 0,
            "failed": 0, "unknown": 1,
            "changes": {"add": 1, "change": 0, "remove": 0, "held": 2, "asked": 0},
            "foreign_statements": 1, "ignored_statements": 0, "writes": 0,
        },
        "digest": "DIGEST",
        "approve": null,
        "undeclared": [],
        "targets": [
            {
                "arn": FN, "account": "123456789012", "region": "us-east-1", "function": "f", "qualifier": null,
                "state": "drifted", "reason": null, "revision_id": "REVISION",
                "drift": [
                    {
                        "sid": "x-a", "kind": "changed", "other_sid": null, "before": a,
                        "after": service("x-a", "s3.amazonaws.com", "arn:aws:s3:::new"),
                        "actions": ["create", "delete"], "effect": "narrows", "gap": false, "bridged": false, "reason": "additive",
                        "description": "changed", "source": "permissions.yaml:7:9", "rule": null,
                    },
                    {
                        "sid": "x-b", "kind": "missing", "other_sid": null, "before": null,
                        "after": service("x-b", "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:t"),
                        "actions": ["create"], "effect": "widens", "gap": false, "bridged": false, "reason": null,
                        "description": "missing; sns.amazonaws.com may invoke, from arn:aws:sns:us-east-1:123456789012:t",
                        "source": "permissions.yaml:8:9", "rule": null,
                    },
                    {
                        "sid": "x-rogue", "kind": "unmanaged", "other_sid": null, "before": rogue, "after": null,
                        "actions": ["delete"], "effect": "narrows", "gap": false, "bridged": false, "reason": "additive",
                        "description": "unmanaged; account 210987654321 may invoke", "source": null, "rule": null,
                    },
                ],
                "effect": "narrows",
                "held": [
                    {"sid": "x-a", "kind": "changed", "reason": "additive", "message": "additive"},
                    {"sid": "x-rogue", "kind": "unmanaged", "reason": "additive", "message": "additive"},
                ],
                "foreign": [{"sid": "console", "statement": console}],
                "ignored": [], "risks": risks(), "expiring": [], "errors": [], "done": [],
                "size": {"bytes": policy(&live()).to_string().len(), "limit": 20480, "compact": null},
                "policy_version": null,
            },
            {
                "arn": "arn:aws:lambda:us-east-1:123456789012:function:nowhere:live",
                "account": "123456789012", "region": "us-east-1", "function": "nowhere", "qualifier": "live",
                "state": "unknown", "reason": "function_missing", "revision_id": null,
                "drift": [], "effect": null, "held": [], "foreign": [], "ignored": [], "risks": [], "expiring": [],
                "errors": [{
                    "reason": "function_missing",
                    "message": "function nowhere or its alias or version live does not exist in 123456789012/us-east-1",
                    "hint": "create it, or take the entry at permissions.yaml:12:15 out",
                }],
                "done": [], "size": null, "policy_version": null,
            },
        ],
    });
    let differs = |path: &str| plan.pointer(path) != expected.pointer(path);
    for path in
        ["/summary", "/targets/0/drift/0", "/targets/0/drift/1", "/targets/0/drift/2", "/targets/1"]
    {
        let pretty = plan.pointer(path).map(|it| format!("{it:#}"));
        assert!(!differs(path), "{path}: {}", pretty.unwrap_or_default());
    }
    assert!(plan == expected, "{plan:#}");
}

#[test]
fn a_digest_names_what_would_be_done() {
    let lambda = lambda();
    let room = lambda.room(WISHES);
    let digest = |words: &str| {
        let plan = room.permitd(&format!("plan permissions.yaml --output json {words}")).json();
        plan["digest"].as_str().unwrap().to_owned()
    };
    let first = digest("");
    assert_eq!(digest(""), first);
    assert_eq!(digest("--mode enforce"), first);
    assert_ne!(digest("--mode additive"), first, "it would do less");
    assert_ne!(digest("--target nowhere*"), first);
    // Another revision of the same policy, and other words about the same wishes.
    lambda.put(&live());
    room.write(
        "permissions.yaml",
        &WISHES.replace("for people", "for programs").replace("functions:", "\nfunctions:"),
    );
    assert_eq!(digest(""), first);
    room.write("permissions.yaml", &WISHES.replace(":::new", ":::newer"));
    assert_ne!(digest(""), first);
}

/// Whoever reads stdout gets a JSON document or nothing.
#[test]
fn what_stops_the_command_is_not_on_stdout() {
    let lambda = lambda();
    let room = lambda.room("functions: [{functionn: f}]\n");
    let said = room.permitd("plan permissions.yaml --output json");
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    assert!(said.err.contains("permissions.yaml:1:14"), "{said:?}");
    assert_eq!(lambda.calls(), Vec::<String>::new());
}
