//! Rules for many functions, and functions that no file names, as a user meets them.

use serde_json::{Value, json};

use super::harness::{Lambda, Room, account, eventually, policy};

const RULE: &str = "functions:\n  - match: {name: \"orders-*\", tags: {team: payments}, qualifiers: [unqualified, live]}\n    except: [orders-legacy]\n    statements: [{sid: partner, principal: \"210987654321\"}]\n";

fn world() -> Lambda {
    let payments = json!({"team": "payments"});
    Lambda::new(&json!([
        {"name": "orders-in", "tags": payments, "aliases": {"live": "1"}},
        {"name": "orders-out", "tags": payments},
        {"name": "orders-legacy", "tags": payments},
        {"name": "orders-web", "tags": {"team": "web"}},
        {"name": "other", "tags": payments},
    ]))
}

fn room(lambda: &Lambda, settings: &str) -> Room {
    let room = lambda.room(RULE);
    room.write("permitd.yaml", &format!("permissions: [permissions.yaml]\n{settings}"));
    room
}

fn arns(plan: &Value) -> Vec<&str> {
    let targets = plan["targets"].as_array().unwrap();
    targets
        .iter()
        .map(|it| it["arn"].as_str().unwrap().rsplit_once("function:").unwrap().1)
        .collect()
}

#[test]
fn a_rule_covers_what_matches_now() {
    let lambda = world();
    let room = room(&lambda, "mode: enforce\n");
    let said = room.permitd("plan --output json");
    assert_eq!(said.code, Some(0), "{said:?}");
    let plan = said.json();
    assert_eq!(arns(&plan), ["orders-in", "orders-in:live", "orders-out"]);
    let drift = &plan["targets"][0]["drift"][0];
    assert_eq!(drift["sid"], "partner");
    assert!(drift["rule"].as_str().unwrap().contains("orders-*"), "{drift}");
    assert!(drift["source"].as_str().unwrap().contains("permissions.yaml:4:"), "{drift}");
    let calls = lambda.calls();
    let tags: Vec<&String> = calls.iter().filter(|it| it.starts_with("ListTags")).collect();
    assert_eq!(tags.len(), 3, "of those that the name fits and nothing excepts: {calls:?}");
    let aliases = calls.iter().filter(|it| it.starts_with("ListAliases"));
    assert_eq!(aliases.count(), 2, "not of those that the tags rule out: {calls:?}");
    assert!(!calls.iter().any(|it| it.starts_with("ListVersions")), "{calls:?}");
    let said = room.permitd("apply --yes");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(lambda.sids("orders-in:live"), ["partner"]);
    assert_eq!(lambda.sids("orders-legacy"), Vec::<String>::new());
    assert_eq!(room.permitd("plan --detailed-exitcode").code, Some(0));
}

#[test]
fn check_tells_that_there_are_rules() {
    let lambda = world();
    let room = room(&lambda, "");
    room.permitd("check -q").is(0, "ok: 0 statements for 0 targets, and 1 rule for many functions, of which `permitd plan` tells what it covers\n", "");
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

#[test]
fn a_rule_that_covers_nothing() {
    let lambda = world();
    let room = room(&lambda, "");
    room.write("permissions.yaml", &RULE.replace("orders-*", "oders-*"));
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.err.contains("permissions.yaml:2:")
            && said.err.contains("no function matches the rule"),
        "{said:?}"
    );
    assert!(said.err.contains("warning"), "{said:?}");
    for words in ["plan --deny rule-matches-nothing", "apply --yes --mode enforce --deny all"] {
        let said = room.permitd(words);
        assert_eq!(said.code, Some(1), "{words}: {said:?}");
        assert!(said.err.contains("error[rule-matches-nothing]"), "{words}: {said:?}");
    }
    assert_eq!(lambda.writes().iter().filter(|it| !it.starts_with("List")).count(), 0);
}

/// Whoever may not list knows nothing of what a rule covers, and says so; the rest is done.
#[test]
fn functions_that_cannot_be_listed() {
    let lambda = world();
    let denied = json!({"operation": "ListFunctions", "kind": "error", "status": 403, "times": "forever",
        "code": "AccessDeniedException", "message": "User: x is not authorized to perform: lambda:ListFunctions"});
    lambda.faults(&json!({"faults": [denied]}));
    let room = room(&lambda, "");
    room.write(
        "permissions.yaml",
        &format!(
            "{RULE}  - function: other\n    statements: [{{sid: a, principal: \"210987654321\"}}]\n"
        ),
    );
    let said = room.permitd("apply --yes --mode enforce");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("it is not known which functions there are in 123456789012/us-east-1: "),
        "{said:?}"
    );
    assert!(said.err.contains("lambda:ListFunctions on all resources"), "{said:?}");
    assert_eq!(lambda.sids("other"), ["a"]);
    // Where it is not for a rule, but to find what no file names, it is said as well.
    room.write("permitd.yaml", "permissions: [permissions.yaml]\ndiscover: true\n");
    room.write(
        "permissions.yaml",
        "functions: [{function: other, statements: [{sid: a, principal: \"210987654321\"}]}]\n",
    );
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("it is not known which functions there are"), "{said:?}");
}

/// The daemon: a function that is made later is found with the next list, one that stops matching is left as it is.
#[test]
fn the_daemon_follows_what_there_is() {
    let lambda = world();
    let room = room(&lambda, "mode: enforce\n");
    let mut running = room.start("run");
    lambda.converges("orders-out", &["partner"]);
    lambda.converges("orders-in:live", &["partner"]);
    running.logs("which functions there are has changed");
    running.stops();
}

#[test]
fn policies_that_no_file_names() {
    let lambda = Lambda::new(&json!([
        {"name": "f", "policy": policy(&[account("a", "210987654321")])},
        {"name": "g", "aliases": {"live": "1"}, "policy": policy(&[account("x", "210987654321")]),
         "policies": {"live": policy(&[json!({"Sid": "open", "Effect": "Allow", "Principal": "*",
             "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:g:live"})])}},
        {"name": "h"},
    ]));
    let room = lambda
        .room("functions: [{function: f, statements: [{sid: a, principal: \"210987654321\"}]}]\n");
    room.write("permitd.yaml", "permissions: [permissions.yaml]\ndiscover: true\nmode: enforce\n");
    let said = room.permitd("plan --output json");
    assert_eq!(said.code, Some(0), "{said:?}");
    let plan = said.json();
    let undeclared = plan["undeclared"].as_array().unwrap();
    assert_eq!(undeclared.len(), 2, "{plan}");
    assert!(undeclared[1]["arn"].as_str().unwrap().ends_with(":function:g:live"), "{plan}");
    assert_eq!(undeclared[1]["risks"], json!([{"sid": "open", "risks": ["P002"]}]));
    let said = room.permitd("plan");
    assert!(said.out.contains("undeclared") && said.out.contains("function:g:live"), "{said:?}");
    assert!(said.out.contains("P002"), "{said:?}");
    assert_eq!(lambda.writes().iter().filter(|it| !it.starts_with("List")).count(), 0);
    let mut running = room.start("run");
    running.logs("ready");
    let status = eventually("the undeclared policies in /status", || {
        let address = running.err().lines().find_map(|it| {
            Some(it.split_once("address=")?.1.split_whitespace().next()?.to_owned())
        })?;
        let (_, text) = super::harness::http(&format!("http://{address}"), "GET", "/status", "");
        let status: Value = serde_json::from_str(&text).ok()?;
        (status["undeclared"].as_array()?.len() == 2).then_some(status)
    });
    assert!(status["undeclared"][0]["arn"].as_str().unwrap().ends_with(":function:g"));
    running.stops();
    assert_eq!(lambda.sids("g"), ["x"]);
}

/// A function is deleted and made again: its policy is gone with it, and is put back by the next pass.
#[test]
fn a_function_that_is_made_again_gets_its_grants_back() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let room = lambda
        .room("functions: [{function: f, statements: [{sid: a, principal: \"210987654321\"}]}]\n");
    room.write("permitd.yaml", "permissions: [permissions.yaml]\nmode: enforce\ninterval: 1s\n");
    let mut running = room.start("run");
    lambda.converges("f", &["a"]);
    let put = |functions: Value| {
        let account = json!({"id": "123456789012", "functions": functions});
        lambda.control("PUT", "state", &json!({ "accounts": [account] }));
    };
    put(json!([]));
    running.logs("function_missing");
    put(json!([{"name": "f"}]));
    lambda.converges("f", &["a"]);
    running.stops();
}
