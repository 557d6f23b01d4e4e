//! Several accounts and regions: how each is entered, and what becomes of those that cannot be.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::harness::{Lambda, Room, account, eventually, policy};

const STATEMENTS: &str = "statements: [{sid: a, principal: '210987654321'}]";
const ONE: &str = "111111111111";
const TWO: &str = "222222222222";

fn arn(account: &str, region: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:f")
}

/// Function `f` in two accounts, in the first of them in two regions; roles with and without an external id.
fn world(in_sync: bool) -> Lambda {
    let place = |id: &str, region: &str, roles: Value| {
        let arn = arn(id, region);
        let mut statement = account("a", "210987654321");
        statement["Resource"] = json!(arn);
        let live = if in_sync { policy(&[statement]) } else { Value::Null };
        json!({"id": id, "region": region, "roles": roles, "functions": [{"name": "f", "policy": live}]})
    };
    Lambda::seeded(&json!({"accounts": [
        {"id": "123456789012", "region": "us-east-1"},
        place(ONE, "us-east-1", json!([{"name": "tools/permitd"}])),
        place(ONE, "eu-west-1", json!([])),
        place(TWO, "us-east-1", json!([{"name": "permitd", "external_id": "example"}])),
    ]}))
}

fn room(lambda: &Lambda, second: &str) -> Room {
    let functions: Vec<String> = [(ONE, "us-east-1"), (ONE, "eu-west-1"), (TWO, "us-east-1")]
        .iter()
        .map(|(account, region)| {
            format!("  - function: {}\n    {STATEMENTS}\n", arn(account, region))
        })
        .collect();
    let room = lambda.room(&format!("functions:\n{}", functions.concat()));
    let settings = format!(
        "permissions: [permissions.yaml]\nmode: enforce\ninterval: 1h\naccounts:\n  - id: '{ONE}'\n    \
         regions: [us-east-1, eu-west-1]\n    role_arn: arn:aws:iam::{ONE}:role/tools/permitd\n    \
         session_name: drift\n  - id: '{TWO}'\n    regions: [us-east-1]\n    {second}\n"
    );
    room.write("permitd.yaml", &settings);
    room
}

fn with_role() -> String {
    format!("role_arn: arn:aws:iam::{TWO}:role/permitd\n    external_id: example")
}

#[test]
fn each_account_is_entered_by_its_role() {
    let lambda = world(false);
    let room = room(&lambda, &with_role());
    let said = room.permitd("run --once");
    assert_eq!(said.code, Some(0), "{said:?}");
    let requests = lambda.requests();
    let roles = requests.iter().filter(|it| it["operation"] == "AssumeRole");
    let roles: Vec<&str> = roles.map(|it| it["target"].as_str().unwrap()).collect();
    assert_eq!(roles.len(), 2, "one session for each account, whatever its regions: {roles:?}");
    let added = requests.iter().filter(|it| it["operation"] == "AddPermission");
    let added: BTreeSet<&str> = added.map(|it| it["target"].as_str().unwrap()).collect();
    let all = [arn(ONE, "eu-west-1"), arn(ONE, "us-east-1"), arn(TWO, "us-east-1")];
    assert_eq!(added, all.iter().map(String::as_str).collect());
    assert!(requests.iter().all(|it| it["operation"] != "GetCallerIdentity"), "{requests:?}");
}

/// A wrong external id, and a role that there is not: the others are looked at, and the refused role is asked for
/// once, not once for each of its targets.
#[test]
fn an_account_that_cannot_be_entered() {
    let lambda = world(true);
    for (second, role) in [
        (format!("role_arn: arn:aws:iam::{TWO}:role/permitd\n    external_id: wrong"), "permitd"),
        (format!("role_arn: arn:aws:iam::{TWO}:role/permitd"), "permitd"),
        (format!("role_arn: arn:aws:iam::{TWO}:role/other"), "other"),
    ] {
        let room = room(&lambda, &second);
        lambda.calls();
        let said = room.permitd("plan --output json");
        assert_eq!(said.code, Some(1), "{said:?}");
        let plan = said.json();
        let of = |account: &str| {
            let targets = plan["targets"].as_array().unwrap();
            let of = |it: &&Value| it["arn"].as_str().unwrap().contains(account);
            targets.iter().filter(of).map(|it| it["state"].as_str().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of(ONE), ["in_sync", "in_sync"]);
        assert_eq!(of(TWO), ["unknown"]);
        let error = &plan["targets"][2]["errors"][0];
        let message = error["message"].as_str().unwrap();
        let cause = format!(
            "CannotAssumeRole: cannot assume arn:aws:iam::{TWO}:role/{role}: AccessDenied: "
        );
        assert!(message.starts_with(&cause), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("external_id"), "{error}");
        assert_eq!(error["reason"], "access_denied");
        let asked = lambda.requests();
        let asked =
            asked.iter().filter(|it| it["operation"] == "AssumeRole" && it["status"] == 403);
        assert_eq!(asked.count(), 1);
    }
}

/// Neither a role nor a profile, and the credentials are another account's.
#[test]
fn an_account_that_is_not_the_credentials() {
    let lambda = world(true);
    let room = room(&lambda, "# no role");
    let said = room.permitd("plan --output json");
    assert_eq!(said.code, Some(1), "{said:?}");
    let plan = said.json();
    let error = &plan["targets"][2]["errors"][0];
    let message = error["message"].as_str().unwrap();
    let cause = format!(
        "WrongAccount: the credentials are of the account 123456789012, and not of {TWO}: "
    );
    assert!(message.starts_with(&cause), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("`role_arn`"), "{error}");
    assert_eq!(plan["summary"]["unknown"], 1);
}

/// A profile of the AWS files instead of the base credentials, and a role that is assumed with one.
#[test]
fn an_account_is_entered_by_a_profile() {
    let lambda = world(true);
    let room = room(&lambda, &format!("profile: two\n    {}", with_role()));
    let config = format!(
        "[profile two]\naws_access_key_id = {TWO}\naws_secret_access_key = x\nregion = us-east-1\n"
    );
    room.write("aws.config", &config);
    let path = room.path("aws.config");
    let room = room.with("AWS_CONFIG_FILE", path.to_str().unwrap());
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(0), "{said:?}");
    room.write("permitd.yaml", &format!(
        "permissions: [permissions.yaml]\naccounts: [{{id: '{TWO}', regions: [us-east-1], profile: two}}]\n"
    ));
    room.write("permissions.yaml", &format!("functions: [{{function: f, {STATEMENTS}}}]\n"));
    lambda.calls();
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(lambda.calls(), ["GetPolicy f"]);
    room.write("permitd.yaml", &format!(
        "permissions: [permissions.yaml]\naccounts: [{{id: '{TWO}', regions: [us-east-1], profile: three}}]\n"
    ));
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("three"), "which profile there is not is said: {said:?}");
}

/// Lambda says that the token has expired, before it was to: it is replaced once, and the call made again.
#[test]
fn an_expired_token_is_replaced_once() {
    let lambda = world(true);
    let room = room(&lambda, &with_role());
    let expired = json!({"operation": "GetPolicy", "target": format!("*{TWO}*"), "kind": "error",
        "status": 403, "code": "ExpiredTokenException", "message": "The security token included in the request is expired"});
    lambda.faults(&json!({"faults": [expired]}));
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(0), "{said:?}");
    let requests = lambda.requests();
    let count = |operation: &str, part: &str| {
        let is = |it: &&Value| {
            it["operation"] == operation && it["target"].as_str().unwrap().contains(part)
        };
        requests.iter().filter(is).count()
    };
    assert_eq!((count("AssumeRole", TWO), count("GetPolicy", TWO)), (2, 2), "{requests:?}");
    assert_eq!((count("AssumeRole", ONE), count("GetPolicy", ONE)), (1, 2));
    // The second answer is believed.
    let mut always = expired;
    always["times"] = json!("forever");
    lambda.faults(&json!({"faults": [always]}));
    lambda.calls();
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("ExpiredTokenException"), "{said:?}");
    let asked = lambda.calls().into_iter().filter(|it| it.starts_with("AssumeRole")).count();
    assert_eq!(asked, 3);
}

/// One place has no answer for anybody; the daemon looks after the others as if nothing was.
#[test]
fn a_place_that_fails_stops_no_other() {
    let lambda = world(false);
    let slow = json!({"operation": "*", "target": "*eu-west-1*", "kind": "delay", "delay_ms": 60000, "times": "forever"});
    lambda.faults(&json!({"faults": [slow]}));
    let room = room(&lambda, &with_role());
    let mut running = room.start("run");
    running.logs("ready");
    eventually("the others to be in sync", || {
        let requests = lambda.requests();
        let added =
            requests.iter().filter(|it| it["operation"] == "AddPermission" && it["status"] == 201);
        (added.count() == 2).then_some(())
    });
    running.signal("KILL");
}

#[test]
fn a_target_in_a_place_that_the_settings_do_not_name() {
    let lambda = world(true);
    let room = room(&lambda, &with_role());
    let functions = format!(
        "functions:\n  - function: {}\n    {STATEMENTS}\n  - function: {}\n    {STATEMENTS}\n",
        arn(TWO, "eu-west-1"),
        arn("333333333333", "us-east-1")
    );
    room.write("permissions.yaml", &functions);
    lambda.calls();
    room.permitd("plan").is(78, "", "\
error: permissions.yaml:2:15: arn:aws:lambda:eu-west-1:222222222222:function:f is in 222222222222/eu-west-1, which `accounts` does not name (and 1 more)
hint: correct the entry, or add the account and region to `accounts` in the settings
");
    // With several accounts, a name alone is not enough.
    room.write("permissions.yaml", &format!("functions: [{{function: f, {STATEMENTS}}}]\n"));
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(78), "{said:?}");
    assert!(said.err.contains("no account for `f`"), "{said:?}");
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

/// Every target is looked after by one of them, and what another one has is not asked about.
#[test]
fn shards_share_the_places_among_them() {
    let lambda = world(true);
    let room = room(&lambda, &with_role());
    let mut seen = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        lambda.calls();
        let said = room.permitd(&format!("plan --output json --shard {shard}"));
        assert_eq!(said.code, Some(0), "{said:?}");
        let plan = said.json();
        let targets = plan["targets"].as_array().unwrap();
        let arns: Vec<String> =
            targets.iter().map(|it| it["arn"].as_str().unwrap().to_owned()).collect();
        let reads = lambda.requests().iter().filter(|it| it["operation"] == "GetPolicy").count();
        assert_eq!(reads, arns.len());
        seen.extend(arns);
    }
    seen.sort();
    assert_eq!(seen, [arn(ONE, "eu-west-1"), arn(ONE, "us-east-1"), arn(TWO, "us-east-1")]);
    let said = room.permitd("plan --shard 4/3");
    assert_eq!(said.code, Some(64), "{said:?}");
    assert!(said.err.contains("there is no shard 4 of 3: they are 1/3 to 3/3"), "{said:?}");
}

#[test]
fn everything_is_imported_from_every_place() {
    let lambda = world(true);
    let room = room(&lambda, &with_role());
    let said = room.permitd("import --all --out all.yaml");
    assert_eq!(said.code, Some(0), "{said:?}");
    let text = std::fs::read_to_string(room.path("all.yaml")).unwrap();
    for (account, region) in [(ONE, "us-east-1"), (ONE, "eu-west-1"), (TWO, "us-east-1")] {
        assert!(text.contains(account) && text.contains(region), "{text}");
    }
    assert_eq!(room.permitd("plan all.yaml --detailed-exitcode").code, Some(0));
    let said = room.permitd("import --all --region eu-west-1 --out one.yaml");
    assert!(said.err.starts_with("Imported 1 statement of 1 function"), "{said:?}");
    assert_eq!(lambda.calls().iter().filter(|it| it.starts_with("ListFunctions")).count(), 4);
}
