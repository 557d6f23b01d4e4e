//! Which calls for which targets.

use std::slice::from_ref;

use serde_json::{Value, json};

use super::*;
use crate::config::{
    diagnostic::{File, Files},
    permissions,
    resolve::{Context, resolve},
};

const NOW: &str = "2026-06-15T12:00:00Z";
const FILE: &str = r#"
account: "123456789012"
region: us-east-1
functions:
  - function: b
    statements: [{sid: a, principal: "210987654321"}]
  - function: a:live
    statements: [{sid: a, principal: "210987654321"}]
  - function: a:live
    absent: [x]
  - {function: a, absent: [old]}
  - {function: emptied, ownership: all, empty: true, statements: []}
  - {function: prefixed, ownership: prefix, sid_prefix: x-, statements: []}
  - {function: nothing, statements: []}
  - function: ended
    statements: [{sid: a, principal: "210987654321", expires: 2026-06-15T12:00:00Z}]
  - function: watched
    suspend: true
    statements: [{sid: a, principal: "210987654321"}]
  - function: arn:aws-cn:lambda:cn-north-1:123456789012:function:c
    statements: [{sid: a, principal: s3.amazonaws.com.cn}]
"#;

fn policy_of(mode: Mode, undo: bool) -> Value {
    policy_for(FILE, mode, undo)
}

fn policy_for(text: &str, mode: Mode, undo: bool) -> Value {
    let files = Files { files: vec![File::new("a.yaml", text.to_owned())], ..Files::default() };
    let loaded = resolve(permissions::parse(&files), &Context::default()).unwrap();
    let policy = policy(&loaded.wanted, &loaded.rules, mode, undo, NOW.parse().unwrap());
    let text = policy.text();
    let counted = text.chars().filter(|it| !it.is_whitespace()).count();
    assert_eq!(policy.length(), counted);
    serde_json::from_str(&text).unwrap()
}

fn arns(names: &[&str]) -> Value {
    let arn = |it: &&str| match *it {
        "c" => "arn:aws-cn:lambda:cn-north-1:123456789012:function:c".to_owned(),
        it => format!("arn:aws:lambda:us-east-1:123456789012:function:{it}"),
    };
    names.iter().map(arn).collect()
}

fn read() -> Value {
    json!({
        "Sid": "PermitdRead", "Effect": "Allow", "Action": ["lambda:GetFunction", "lambda:GetPolicy"],
        "Resource": arns(&["c", "a", "a:live", "b", "emptied", "ended", "nothing", "prefixed", "watched"]),
    })
}

#[test]
fn who_only_looks_may_only_look() {
    assert_eq!(
        policy_of(Mode::Observe, false),
        json!({"Version": "2012-10-17", "Statement": [read()]})
    );
}

/// What is added may be found changed, and then it is removed first; what nothing is granted in any more is only
/// removed from.
#[test]
fn who_writes_may_write_where_there_is_something_to_write() {
    let write = json!({
        "Sid": "PermitdWrite", "Effect": "Allow",
        "Action": ["lambda:AddPermission", "lambda:RemovePermission"],
        "Resource": arns(&["c", "a:live", "b"]),
    });
    let remove = json!({
        "Sid": "PermitdRemove", "Effect": "Allow", "Action": ["lambda:RemovePermission"],
        "Resource": arns(&["a", "emptied", "ended", "prefixed"]),
    });
    for mode in [Mode::Enforce, Mode::Additive] {
        assert_eq!(
            policy_of(mode, false),
            json!({"Version": "2012-10-17", "Statement": [read(), write, remove]})
        );
    }
}

#[test]
fn who_undoes_may_put_a_document_back() {
    let undo = json!({
        "Sid": "PermitdUndo", "Effect": "Allow",
        "Action": ["lambda:AddPermission", "lambda:PutResourcePolicy", "lambda:RemovePermission"],
        "Resource": read()["Resource"],
    });
    assert_eq!(
        policy_of(Mode::Observe, true),
        json!({"Version": "2012-10-17", "Statement": [read(), undo]})
    );
}

const RULES: &str = r#"
account: "123456789012"
region: us-east-1
functions:
  - match: {name: "orders-*", qualifiers: [unqualified, live]}
    statements: [{sid: a, principal: "210987654321"}]
  - match: {tags: {team: payments}, qualifiers: ["*"]}
    absent: [old]
  - match: {name: "w?"}
    suspend: true
    statements: [{sid: a, principal: "210987654321"}]
  - {match: {name: "looked-at"}, statements: []}
"#;

#[test]
fn rules_ask_for_their_globs_and_for_what_they_look_into() {
    let statement = |sid: &str, action: &[&str], resource: Value| json!({"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource});
    let all = ["*:*", "looked-at", "orders-*", "orders-*:live", "w?"];
    let looks = [
        statement("PermitdList", &["lambda:ListFunctions"], json!(["*"])),
        statement("PermitdListTags", &["lambda:ListTags"], arns(&["*"])),
        statement("PermitdListAliases", &["lambda:ListAliases"], arns(&["*", "orders-*"])),
        statement("PermitdListVersions", &["lambda:ListVersionsByFunction"], arns(&["*"])),
    ];
    let reads = statement("PermitdRead", &["lambda:GetFunction", "lambda:GetPolicy"], arns(&all));
    let writes = [
        statement(
            "PermitdWrite",
            &["lambda:AddPermission", "lambda:RemovePermission"],
            arns(&["orders-*", "orders-*:live"]),
        ),
        statement("PermitdRemove", &["lambda:RemovePermission"], arns(&["*:*"])),
    ];
    let of = |parts: &[&[Value]]| json!({"Version": "2012-10-17", "Statement": parts.concat()});
    assert_eq!(policy_for(RULES, Mode::Enforce, false), of(&[from_ref(&reads), &writes, &looks]));
    assert_eq!(policy_for(RULES, Mode::Observe, false), of(&[from_ref(&reads), &looks]));
}

#[test]
fn discovery_reads_everything_and_writes_nothing_more() {
    let places = BTreeSet::from([AccountRegion {
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
    }]);
    let of = |text: &str| {
        let files = Files { files: vec![File::new("a.yaml", text.to_owned())], ..Files::default() };
        let loaded = resolve(permissions::parse(&files), &Context::default()).unwrap();
        let now = NOW.parse().unwrap();
        policy(&loaded.wanted, &loaded.rules, Mode::Enforce, false, now)
    };
    let statements = |it: Policy| -> Vec<Value> {
        let policy: Value = serde_json::from_str(&it.text()).unwrap();
        policy["Statement"].as_array().unwrap().clone()
    };
    let list = json!({"Sid": "PermitdList", "Effect": "Allow", "Action": ["lambda:ListFunctions"], "Resource": ["*"]});
    let discover = json!({
        "Sid": "PermitdDiscover", "Effect": "Allow",
        "Action": ["lambda:GetPolicy", "lambda:ListAliases", "lambda:ListVersionsByFunction"],
        "Resource": arns(&["*"]),
    });
    let before = statements(of(FILE));
    let after = statements(of(FILE).with_discovery(&places));
    assert_eq!(after, [&before[..], &[list], from_ref(&discover)].concat());
    // Who lists for rules already does not ask for it twice.
    let before = statements(of(RULES));
    assert_eq!(statements(of(RULES).with_discovery(&places)), [&before[..], &[discover]].concat());
    assert_eq!(statements(of(RULES).with_discovery(&BTreeSet::new())), before);
}
