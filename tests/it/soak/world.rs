//! The functions, what the files want of them, and what is nobody's business but its owner's.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::commands::harness::{Lambda, Room, http};

/// By the names that people use; every one is a policy of its own.
pub(super) const TARGETS: [&str; 6] = ["all", "one", "two", "two:live", "three", "declared"];

const WISHES: [(&str, &str, &str); 4] = [
    ("uploads", "s3.amazonaws.com", "arn:aws:s3:::uploads"),
    ("orders", "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:orders"),
    ("nightly", "events.amazonaws.com", "arn:aws:events:us-east-1:123456789012:rule/nightly"),
    ("partner", "210987654321", ""),
];

const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1s
jitter: 20%
budgets: {get_policy: unlimited, control: unlimited}
limits: {max_revocations: unlimited, max_changed_targets: unlimited}
";

pub(super) fn arn(target: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:{target}")
}

/// Everything in it is permitd's, so it can also become empty.
pub(super) fn is_all_ours(target: &str) -> bool {
    target == "all"
}

/// Only the Sids in the files are permitd's.
pub(super) fn is_declared(target: &str) -> bool {
    target == "declared"
}

pub(super) fn account(target: &str, sid: &str, id: &str) -> Value {
    json!({
        "Sid": sid, "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{id}:root")},
        "Action": "lambda:InvokeFunction", "Resource": arn(target),
    })
}

/// As the files want it.
pub(super) fn wanted(target: &str) -> Vec<Value> {
    let statement = |(sid, principal, source): &(&str, &str, &str)| {
        if source.is_empty() {
            return account(target, sid, principal);
        }
        json!({
            "Sid": sid, "Effect": "Allow", "Principal": {"Service": principal},
            "Action": "lambda:InvokeFunction", "Resource": arn(target),
            "Condition": {"ArnLike": {"AWS:SourceArn": source}},
        })
    };
    WISHES.iter().map(statement).collect()
}

/// Not to be touched by anybody. One is not what AddPermission could have made.
pub(super) fn foreign(target: &str) -> Vec<Value> {
    if is_all_ours(target) {
        return Vec::new();
    }
    vec![
        account(target, "team", "310987654321"),
        json!({
            "Sid": "guard", "Effect": "Deny", "Principal": {"AWS": ["410987654321", "510987654321"]},
            "Action": ["lambda:InvokeFunction", "lambda:GetFunction"], "Resource": arn(target),
        }),
    ]
}

/// What a statement allows, without its name.
pub(super) fn content(statement: &Value) -> String {
    let part = |it: &&str| statement[*it].to_string();
    ["Effect", "Principal", "Action", "Resource", "Condition"].iter().map(part).collect()
}

pub(super) fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}).to_string()
}

/// With the foreign statements only.
pub(super) fn lambda() -> Lambda {
    let policy = |target: &str| serde_json::from_str::<Value>(&document(&foreign(target))).unwrap();
    let functions: Vec<Value> = TARGETS
        .iter()
        .filter(|it| !it.contains(':'))
        .map(|it| match *it {
            "all" => json!({"name": "all"}),
            "two" => json!({
                "name": "two", "aliases": {"live": "1"},
                "policy": policy("two"), "policies": {"live": policy("two:live")},
            }),
            name => json!({"name": name, "policy": policy(name)}),
        })
        .collect();
    Lambda::new(&json!(functions))
}

/// With the files, and a place for the journal.
pub(super) fn room(lambda: &Lambda) -> Room {
    let mut files = "account: '123456789012'\nregion: us-east-1\nfunctions:\n".to_owned();
    for target in TARGETS {
        let owned = match target {
            "all" => "ownership: all",
            "declared" => "ownership: declared\n    absent: [gone]",
            _ => "ownership: prefix\n    sid_prefix: own-",
        };
        write!(files, "  - function: {target}\n    {owned}\n    statements:\n").unwrap();
        for (sid, principal, source) in WISHES {
            let source = match source {
                "" => String::new(),
                _ => format!(", source_arn: '{source}'"),
            };
            writeln!(files, "      - {{sid: {sid}, principal: '{principal}'{source}}}").unwrap();
        }
    }
    let room = lambda.room(&files);
    room.write("permitd.yaml", SETTINGS);
    room
}

/// A policy as it is now, as text and with its revision; none where there is none. No fault meets this call.
pub(super) fn read(lambda: &Lambda, target: &str) -> Option<(String, String)> {
    let path = format!("/2026-07-09/resource-policy/{}", arn(target));
    let (status, body) = http(&lambda.endpoint, "GET", &path, "");
    if status == 404 {
        return None;
    }
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let text = |it: &str| body[it].as_str().unwrap().to_owned();
    Some((text("Policy"), text("RevisionId")))
}

/// Replaces a policy, if it is still the one that was read.
pub(super) fn replace(
    lambda: &Lambda,
    target: &str,
    statements: &[Value],
    revision: Option<&str>,
) -> bool {
    let path = format!("/2026-07-09/resource-policy/{}", arn(target));
    let (status, body) = match revision {
        Some(it) if statements.is_empty() => {
            http(&lambda.endpoint, "DELETE", &format!("{path}?RevisionId={it}"), "")
        }
        _ => {
            let mut body = json!({"Policy": document(statements)});
            if let Some(it) = revision {
                body["RevisionId"] = json!(it);
            }
            http(&lambda.endpoint, "PUT", &path, &body.to_string())
        }
    };
    assert!(matches!(status, 200 | 201 | 204 | 412), "{status} {body}");
    status != 412
}

/// Exactly what the files want, beside what is not permitd's; `Err` tells what there is.
pub(super) fn is_as_wanted(lambda: &Lambda, target: &str) -> Result<(), String> {
    let text = read(lambda, target).map_or_else(|| document(&[]), |(it, _)| it);
    let live: Value = serde_json::from_str(&text).unwrap();
    let mut live: Vec<Value> = live["Statement"].as_array().unwrap().clone();
    let mut expected = [wanted(target), foreign(target)].concat();
    for it in [&mut live, &mut expected] {
        it.sort_by_key(|it| it["Sid"].as_str().unwrap().to_owned());
    }
    if live == expected { Ok(()) } else { Err(format!("{target}: {text}")) }
}
