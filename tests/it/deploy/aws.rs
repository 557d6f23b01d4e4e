//! `deploy/aws`: what the policies and the templates of roles allow is what `permitd iam` says for the same, and the
//! calls that are really made.

use std::collections::{BTreeMap, BTreeSet};

use permitd::config::{
    diagnostic::{File, Files, render_all},
    permissions,
    resolve::{Context, resolve},
};
use permitd::drift::allow::Mode;
use permitd::policy::target::{AccountRegion, Defaults};
use permitd::report::iam::{self, Policy};
use serde_json::Value as Json;
use serde_yaml::Value;

use super::{judged, parsed, text};

const MEMBER: &str = "deploy/aws/member-role.yaml";
const EKS: &str = "deploy/aws/eks-role.yaml";
/// Everything that can be asked for, and nothing that is only read.
const FILE: &str = "\
account: \"123456789012\"
region: us-east-1
functions:
  - function: f
    ownership: all
    statements: [{sid: a, principal: '210987654321'}]
  - {function: g, absent: [old]}
  - {function: h, statements: [{sid: a, principal: '210987654321'}]}
";
const RULE: &str = "  - match: {name: \"orders-*\", tags: {team: payments}, qualifiers: [unqualified, live, \"1*\"]}
    statements: [{sid: partner, principal: \"210987654321\"}]
";

/// Actions by Sid.
type Rights = BTreeMap<String, BTreeSet<String>>;

fn file(name: &str) -> Json {
    serde_json::from_str(&text(&format!("deploy/aws/iam/{name}.json"))).unwrap()
}

fn rights(policy: &Json) -> Rights {
    assert_eq!(policy["Version"], "2012-10-17");
    let statements = policy["Statement"].as_array().unwrap().iter();
    let right = |it: &Json| {
        assert_eq!(it["Effect"], "Allow");
        let actions = it["Action"].as_array().unwrap();
        let actions = actions.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        (it["Sid"].as_str().unwrap().to_owned(), actions)
    };
    statements.map(right).collect()
}

fn actions(rights: &Rights) -> BTreeSet<String> {
    rights.values().flatten().cloned().collect()
}

/// What `permitd iam` says.
fn needed(
    file: &str,
    mode: Mode,
    undo: bool,
    widen: impl Fn(Policy) -> Policy,
) -> BTreeSet<String> {
    let files =
        Files { files: vec![File::new("p.yaml", file.to_owned())], diagnostics: Vec::new() };
    let context = Context {
        defaults: Defaults {
            account: Some("123456789012".into()),
            region: Some("us-east-1".into()),
        },
        ..Context::default()
    };
    let loaded = resolve(permissions::parse(&files), &context);
    let loaded = loaded.unwrap_or_else(|it| panic!("{}", render_all(&it, false)));
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let policy = widen(iam::policy(&loaded.wanted, &loaded.rules, mode, undo, now));
    actions(&rights(&serde_json::from_str(&policy.text()).unwrap()))
}

#[test]
fn each_mode_has_what_permitd_iam_says() {
    for mode in [Mode::Observe, Mode::Additive, Mode::Enforce] {
        let given = actions(&rights(&file(mode.name())));
        assert_eq!(given, needed(FILE, mode, false, |it| it), "{}", mode.name());
    }
}

#[test]
fn what_comes_on_top_is_what_permitd_iam_says() {
    let mode = Mode::Enforce;
    let plain = needed(FILE, mode, false, |it| it);
    let on_top =
        |all: &BTreeSet<String>| -> BTreeSet<String> { all.difference(&plain).cloned().collect() };
    let rules = needed(&format!("{FILE}{RULE}"), mode, false, |it| it);
    assert_eq!(actions(&rights(&file("list"))), on_top(&rules));
    // Discovery asks for less than rules can.
    let place =
        AccountRegion { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    let places = BTreeSet::from([place]);
    let discovery = needed(FILE, mode, false, |it| it.with_discovery(&places));
    assert!(on_top(&discovery).is_subset(&on_top(&rules)), "{discovery:?}");
    let events = needed(FILE, mode, false, |it| it.with_queue("arn:aws:sqs:::q".into()));
    assert_eq!(actions(&rights(&file("events"))), on_top(&events));
    let undo = needed(FILE, Mode::Observe, true, |it| it);
    let read = needed(FILE, Mode::Observe, false, |it| it);
    assert_eq!(actions(&rights(&file("undo"))), &undo - &read);
    // The whole-document calls with what Lambda asks for beside each of them.
    let document = actions(&rights(&file("document")));
    assert!(document.is_superset(&undo) && document.is_superset(&plain), "{document:?}");
    let rest = &document - &(&undo | &plain);
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    assert_eq!(rest, ["lambda:DeleteResourcePolicy", "lambda:GetResourcePolicy"]);
}

/// Nothing that is not a function of this account, but where Lambda knows no resource.
#[test]
fn every_right_is_for_functions_of_one_account() {
    for entry in std::fs::read_dir("deploy/aws/iam").unwrap() {
        let path = entry.unwrap().path();
        let policy = file(path.file_stem().unwrap().to_str().unwrap());
        for it in policy["Statement"].as_array().unwrap() {
            let resource = it["Resource"].as_str().unwrap();
            let expected = match it["Sid"].as_str().unwrap() {
                "PermitdList" => "*",
                "PermitdEvents" => "arn:aws:sqs:us-east-1:123456789012:permitd-events-Queue-ABC",
                "PermitdAccounts" => "arn:aws:iam::*:role/permitd",
                _ => "arn:aws:lambda:*:123456789012:function:*",
            };
            assert_eq!(resource, expected, "{}", path.display());
        }
    }
}

/// The statements of a policy in a template, through `!If`.
fn statements(value: &Value, found: &mut Vec<(String, BTreeSet<String>, String)>) {
    match value {
        Value::Mapping(map) if map.contains_key("Sid") => {
            let string = |it: &Value| {
                let Value::Tagged(tagged) = it else { return it.as_str().unwrap().to_owned() };
                tagged.value.as_str().unwrap().to_owned()
            };
            let actions = value["Action"].as_sequence().unwrap().iter().map(string).collect();
            found.push((string(&value["Sid"]), actions, string(&value["Resource"])));
        }
        Value::Mapping(map) => map.iter().for_each(|(_, it)| statements(it, found)),
        Value::Sequence(all) => all.iter().for_each(|it| statements(it, found)),
        Value::Tagged(it) => statements(&it.value, found),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_roles_have_the_same_policies() {
    let mut found = Vec::new();
    statements(&parsed(MEMBER)["Resources"]["Role"]["Properties"]["Policies"], &mut found);
    let mut expected = rights(&file("enforce"));
    expected.extend(rights(&file("list")));
    let given: Rights = found.iter().map(|(sid, it, _)| (sid.clone(), it.clone())).collect();
    assert_eq!(given, expected);
    for (sid, _, resource) in &found {
        let functions = "arn:${AWS::Partition}:lambda:*:${AWS::AccountId}:function:*";
        assert_eq!(resource, if sid == "PermitdList" { "*" } else { functions });
    }
    let mut found = Vec::new();
    statements(&parsed(EKS)["Resources"], &mut found);
    assert_eq!(found.len(), 2);
    for (sid, actions, _) in found {
        assert_eq!(sid, "PermitdAccounts");
        assert!(actions.is_superset(&rights(&file("accounts"))[&sid]), "{actions:?}");
    }
}

/// Without the id nobody enters, and what is asked for without it lets in nobody.
#[test]
fn a_member_account_asks_for_the_external_id() {
    let trust = &parsed(MEMBER)["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"];
    let trust = trust["Statement"].as_sequence().unwrap();
    let entering: Vec<&Value> =
        trust.iter().filter(|it| it["Action"] != "sts:TagSession").collect();
    assert_eq!(entering.len(), 1);
    assert_eq!(entering[0]["Action"], "sts:AssumeRole");
    let Value::Tagged(id) = &entering[0]["Condition"]["StringEquals"]["sts:ExternalId"] else {
        panic!("{:?}", entering[0])
    };
    assert_eq!((id.tag.to_string().as_str(), id.value.as_str()), ("!Ref", Some("ExternalId")));
    let parameters = &parsed(MEMBER)["Parameters"];
    assert!(parameters["ExternalId"]["Default"].is_null(), "everybody would know it");
    assert_eq!(parameters["Mode"]["Default"], "observe");
}

/// IRSA's trust is text, for it has the issuer in its keys: it is a policy once the names are put in.
#[test]
fn the_trust_of_irsa_is_for_one_service_account() {
    let role = &parsed(EKS)["Resources"]["IrsaRole"]["Properties"];
    let Value::Tagged(trust) = &role["AssumeRolePolicyDocument"] else { panic!("{role:?}") };
    let trust = [
        ("AWS::Partition", "aws"),
        ("AWS::AccountId", "123456789012"),
        ("OidcProvider", "oidc/id/A"),
        ("Namespace", "permitd"),
        ("ServiceAccount", "permitd"),
    ]
    .iter()
    .fold(trust.value.as_str().unwrap().to_owned(), |it, (name, value)| {
        it.replace(&format!("${{{name}}}"), value)
    });
    let trust: Json = serde_json::from_str(&trust).unwrap();
    let condition = &trust["Statement"][0]["Condition"]["StringEquals"];
    assert_eq!(condition["oidc/id/A:sub"], "system:serviceaccount:permitd:permitd");
    assert_eq!(condition["oidc/id/A:aud"], "sts.amazonaws.com");
    let parameters = &parsed(EKS)["Parameters"];
    for name in ["Namespace", "ServiceAccount"] {
        assert_eq!(parameters[name]["Default"], "permitd", "as deploy/kubernetes calls it");
    }
}

/// Needs what `tests/deploy/requirements.txt` names, on the PATH.
#[test]
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn cloudformation_takes_the_roles() {
    if std::env::var("PERMITD_TEST_CFN_LINT").as_deref() != Ok("1") {
        println!("SKIPPED: set PERMITD_TEST_CFN_LINT=1 to check deploy/aws with cfn-lint");
        return;
    }
    for path in [MEMBER, EKS] {
        assert_eq!(judged("cfn-lint", &["--non-zero-exit-code", "warning", path], ""), None);
    }
}

#[cfg(feature = "aws")]
mod calls {
    use serde_json::json;

    use super::{BTreeSet, FILE, Json, RULE, actions, file, rights};
    use crate::commands::harness::{FN, Lambda, Room, account, account_at, policy};

    const LIMITS: &str = "--max-revocations unlimited --max-changed-targets unlimited";

    fn world() -> Lambda {
        let mut changed = account("a", "999999999999");
        changed["Sid"] = json!("a");
        let mut deny = account("deny", "888888888888");
        deny["Effect"] = json!("Deny");
        Lambda::new(&json!([
            {"name": "f", "policy": policy(&[changed, account("nobody", "888888888888"), deny])},
            {"name": "g", "policy": policy(&[account_at("g", "old", "210987654321")])},
            {"name": "h"},
            {"name": "orders-in", "tags": {"team": "payments"}, "versions": 2, "aliases": {"live": "1"}},
        ]))
    }

    fn made(lambda: &Lambda) -> BTreeSet<String> {
        let operation = |it: &Json| format!("lambda:{}", it["operation"].as_str().unwrap());
        lambda.requests().iter().map(operation).collect()
    }

    fn work(room: &Room, mode: &str) {
        room.permitd(&format!("plan permissions.yaml --mode {mode}"));
        let said = room.permitd(&format!("apply permissions.yaml --yes --mode {mode} {LIMITS}"));
        assert!(said.out.contains("Plan: "), "{said:?}");
    }

    /// No call is without its right, and no right is without a call.
    #[test]
    fn each_mode_calls_what_its_policy_allows() {
        for mode in ["observe", "additive", "enforce"] {
            let lambda = world();
            let missing =
                "  - function: missing\n    statements: [{sid: a, principal: '210987654321'}]\n";
            let room = lambda.room(&format!("{FILE}{missing}"));
            work(&room, mode);
            if mode == "additive" {
                // What takes nothing from anybody: the same grant a second time.
                lambda.put(&[account("a", "210987654321"), account("b", "210987654321")]);
                work(&room, mode);
            }
            assert_eq!(made(&lambda), actions(&rights(&file(mode))), "{mode}");
        }
        let lambda = world();
        work(&lambda.room(&format!("{FILE}{RULE}")), "enforce");
        let allowed = &actions(&rights(&file("enforce"))) | &actions(&rights(&file("list")));
        assert_eq!(made(&lambda), allowed);
    }

    #[test]
    fn undo_calls_what_its_policy_allows() {
        let lambda = world();
        let room = lambda.room(FILE);
        room.write(
            "permitd.yaml",
            "permissions: [permissions.yaml]\nmode: enforce\nremove_inexpressible: true\nlimits: unlimited\n",
        );
        // Somebody's Deny goes only when somebody says yes.
        let plan = room.permitd("plan --output json").json();
        let digest = plan["digest"].as_str().unwrap();
        let said = room.permitd(&format!("apply --yes --approve {digest}"));
        assert!(said.out.contains("Plan: "), "{said:?}");
        lambda.control("DELETE", "requests", &Json::Null);
        for it in room.history() {
            if it["target"] == FN {
                room.permitd(&format!("undo {} --yes", it["id"]));
            }
        }
        let writes = actions(&rights(&file("undo")));
        let reads = actions(&rights(&file("observe")));
        let made = made(&lambda);
        assert!(made.is_superset(&writes), "{made:?}");
        assert!(made.is_subset(&(&writes | &reads)), "{made:?}");
    }
}
