//! Which functions there are and what they say, at the rate that the budgets allow, and through every failure.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use permitd::daemon::survey::{Progress, Scope, Survey, Surveyed};
use permitd::lambda::gateway::{FunctionLister, GatewayError, LivePolicy, Page, PolicyReader};
use permitd::lambda::paced::{Budgets, Paced};
use permitd::observe::metered::Metered;
use permitd::policy::target::{AccountRegion, Defaults, Target};
use permitd::simulator::{Direct, Faults, Simulator};
use serde_json::{Value, json};
use tokio::time::Instant;

/// Lambda, and the way to it.
struct World {
    simulator: Simulator,
    gateway: Metered<Paced<Direct>>,
}

fn place() -> AccountRegion {
    AccountRegion { account: "123456789012".into(), region: "us-east-1".into() }
}

fn target(name: &str) -> Target {
    let place = place();
    let defaults = Defaults { account: Some(place.account), region: Some(place.region) };
    Target::parse(name, None, &defaults).unwrap()
}

fn policy(sid: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny", "Principal": "*",
        "Action": "lambda:*", "Resource": "*"}]})
}

fn world(functions: &Value, budgets: Budgets) -> World {
    let seed = json!({"accounts": [{"id": "123456789012", "functions": functions}]});
    let simulator = Simulator::new(serde_json::from_value(seed).unwrap()).unwrap();
    let gateway = Metered::new(Paced::new(simulator.direct(), budgets));
    World { simulator, gateway }
}

/// Function `f7` has a policy whose Sid is its name, unless it ends in 3.
fn functions(n: usize) -> Value {
    let one = |n: usize| {
        let name = format!("f{n:04}");
        if n % 10 == 3 {
            json!({ "name": name })
        } else {
            json!({"name": name, "policy": policy(&name)})
        }
    };
    (0..n).map(one).collect()
}

async fn look(world: &World, qualifiers: bool, scope: Scope) -> Surveyed {
    let gateway = &world.gateway;
    Survey { gateway, qualifiers }.look(&scope, |_| true, |_| {}).await
}

fn count(world: &World, operation: &str) -> u64 {
    let calls = world.gateway.calls();
    calls.iter().filter(|((it, _), _)| *it == operation).map(|(_, it)| it.count).sum()
}

fn faults(world: &World, faults: &Value) {
    let faults: Faults = serde_json::from_value(faults.clone()).unwrap();
    world.simulator.put_faults(faults).unwrap();
}

fn names(surveyed: &Surveyed) -> Vec<String> {
    let there = surveyed.policies.iter().filter(|(_, it)| it.is_some());
    there.map(|(it, _)| it.short_name()).collect()
}

fn troubles(surveyed: &Surveyed) -> Vec<String> {
    surveyed.troubles.iter().map(|it| format!("{}: {}", it.about, it.message)).collect()
}

/// The list, twenty pages at three a second, takes no time beside the thousand reads at ten a second.
#[tokio::test(start_paused = true)]
async fn a_thousand_functions_take_what_their_reads_take() {
    let world = world(&functions(1000), Budgets::default());
    let start = Instant::now();
    let (found, read) = (Cell::new(0), Cell::new(0));
    let heard = |it| match it {
        Progress::Found => found.set(found.get() + 1),
        Progress::Read => read.set(read.get() + 1),
    };
    let survey = Survey { gateway: &world.gateway, qualifiers: false };
    let surveyed = survey.look(&Scope::All(vec![place()]), |_| true, heard).await;
    let taken = start.elapsed();
    assert_eq!((found.get(), read.get()), (1000, 1000));
    assert_eq!((surveyed.policies.len(), names(&surveyed).len()), (1000, 900));
    assert!(surveyed.troubles.is_empty());
    assert_eq!((count(&world, "ListFunctions"), count(&world, "GetPolicy")), (20, 1000));
    assert_eq!(world.gateway.count(), 1020, "nobody asks whether what was listed exists");
    assert!(taken >= Duration::from_millis(99_900), "{taken:?}");
    assert!(taken <= Duration::from_secs(105), "{taken:?}");
}

#[tokio::test]
async fn qualifiers_are_found_page_by_page_and_latest_is_none() {
    let aliases: serde_json::Map<String, Value> =
        (0..60).map(|n| (format!("a{n:02}"), json!("1"))).collect();
    let policies = json!({"a59": policy("x"), "1": policy("y"), "70": policy("z")});
    let functions = json!([
        {"name": "f", "versions": 70, "aliases": aliases, "policies": policies},
        {"name": "g", "policy": policy("g")},
    ]);
    let world = world(&functions, Budgets::UNLIMITED);
    let surveyed = look(&world, true, Scope::All(vec![place()])).await;
    assert_eq!(names(&surveyed), ["f:1", "f:70", "f:a59", "g"]);
    assert_eq!(surveyed.policies.len(), 1 + 60 + 70 + 1);
    assert_eq!((count(&world, "ListAliases"), count(&world, "ListVersionsByFunction")), (3, 3));
    let surveyed = look(&world, true, Scope::Named(vec![target("f")])).await;
    assert_eq!(names(&surveyed), ["f:1", "f:70", "f:a59"]);
    assert_eq!(count(&world, "GetFunction"), 1, "of f itself, which nobody has listed");
    let surveyed = look(&world, true, Scope::Named(vec![target("f:a59")])).await;
    assert_eq!((names(&surveyed).len(), surveyed.policies.len()), (1, 1));
}

#[tokio::test]
async fn what_is_not_wanted_is_not_read() {
    let world = world(&functions(30), Budgets::UNLIMITED);
    let survey = Survey { gateway: &world.gateway, qualifiers: false };
    let wants = |it: &Target| it.function().ends_with('7');
    let surveyed = survey.look(&Scope::All(vec![place()]), wants, |_| {}).await;
    assert_eq!(names(&surveyed), ["f0007", "f0017", "f0027"]);
    assert_eq!((surveyed.unwanted, count(&world, "GetPolicy")), (27, 3));
}

#[tokio::test]
async fn what_was_named_and_does_not_exist_is_told() {
    let world = world(&functions(4), Budgets::UNLIMITED);
    let named = ["f0001", "f0003", "f0003:live", "none"].map(target);
    let surveyed = look(&world, false, Scope::Named(named.to_vec())).await;
    assert_eq!(names(&surveyed), ["f0001"]);
    assert_eq!(surveyed.policies.len(), 2, "f0003 is there, and has no policy");
    let arn = |it: &str| target(it).arn();
    assert_eq!(
        troubles(&surveyed),
        [
            format!("{}: there is no such function, alias or version", arn("f0003:live")),
            format!("{}: there is no such function", arn("none")),
        ]
    );
}

/// Reads are tried as often as those of a pass: ten answers of 429, three of anything that is no answer.
#[tokio::test(start_paused = true)]
async fn failures_that_pass_are_waited_for_and_others_are_told() {
    let world = world(&functions(120), Budgets::default());
    let busy = |operation: &str| {
        json!({"operation": operation, "times": 10, "kind": "error", "status": 429,
            "retry_after": 2})
    };
    faults(
        &world,
        &json!({"faults": [
            busy("GetPolicy"),
            busy("ListFunctions"),
        ]}),
    );
    let surveyed = look(&world, false, Scope::All(vec![place()])).await;
    assert_eq!((troubles(&surveyed), names(&surveyed).len()), (Vec::new(), 108));
    let error = |operation: &str, target: &str, status: u16, code: &str, times: Value| {
        json!({"operation": operation, "target": target, "times": times, "kind": "error",
            "status": status, "code": code, "message": "no"})
    };
    let forever = json!("forever");
    faults(
        &world,
        &json!({"faults": [
            error("GetPolicy", "*:f0001", 500, "ServiceException", json!(3)),
            error("GetPolicy", "*:f0002", 500, "ServiceException", json!(4)),
            error("GetPolicy", "*:f0004", 403, "AccessDeniedException", forever.clone()),
            error("GetPolicy", "*:f0005", 429, "TooManyRequestsException", forever.clone()),
        ]}),
    );
    let surveyed = look(&world, false, Scope::All(vec![place()])).await;
    let about: Vec<&str> =
        surveyed.troubles.iter().map(|it| it.about.rsplit(':').next().unwrap()).collect();
    assert_eq!(about, ["f0002", "f0004", "f0005"]);
    assert!(surveyed.troubles.iter().all(|it| it.hint.is_some()));
    assert_eq!(names(&surveyed).len(), 105);
    faults(
        &world,
        &json!({"faults": [
            error("ListFunctions", "*", 403, "AccessDeniedException", forever),
        ]}),
    );
    let surveyed = look(&world, false, Scope::All(vec![place()])).await;
    assert!(surveyed.policies.is_empty());
    assert_eq!(
        troubles(&surveyed),
        ["the functions of 123456789012/us-east-1: AccessDeniedException: no"]
    );
    let hint = surveyed.troubles[0].hint.as_deref();
    assert_eq!(
        hint,
        Some("allow lambda:ListFunctions on all resources to the credentials permitd runs with")
    );
}

/// A function that goes between the list and the read is no failure, and neither is one that was replaced by
/// something that is no policy: that is told.
#[tokio::test]
async fn a_function_that_goes_meanwhile_is_no_failure() {
    let gone = |operation: &str| {
        json!({"operation": operation, "target": "*f0001*", "times": "forever", "kind": "error",
            "status": 404, "code": "ResourceNotFoundException", "message": "Function not found"})
    };
    let world = world(&functions(3), Budgets::UNLIMITED);
    faults(
        &world,
        &json!({"faults": [
            gone("GetPolicy"), gone("ListAliases"), gone("ListVersionsByFunction"),
        ]}),
    );
    let surveyed = look(&world, true, Scope::All(vec![place()])).await;
    assert_eq!(troubles(&surveyed), Vec::<String>::new());
    assert_eq!(names(&surveyed), ["f0000", "f0002"]);
}

/// A Lambda whose policies are none, and whose lists are of somewhere else and have no end.
struct Odd;

impl PolicyReader for Odd {
    async fn get_policy(&self, _: &Target) -> Result<LivePolicy, GatewayError> {
        Ok(LivePolicy { text: "<html>".into(), revision: "1".into() })
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.get_policy(target).await
    }

    async fn function_exists(&self, _: &Target) -> Result<(), GatewayError> {
        Ok(())
    }
}

impl FunctionLister for Odd {
    async fn list_functions(
        &self,
        _: &AccountRegion,
        _: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let elsewhere = target("f").arn().replace("us-east-1", "eu-west-1");
        let names = vec![elsewhere, "nonsense".into()];
        Ok(Page { names, next: Some("again".into()) })
    }

    async fn list_aliases(&self, _: &Target, _: Option<&str>) -> Result<Page, GatewayError> {
        Ok(Page { names: vec!["a b".into()], next: None })
    }

    async fn list_versions(&self, _: &Target, _: Option<&str>) -> Result<Page, GatewayError> {
        Ok(Page { names: vec!["$LATEST".into()], next: None })
    }

    async fn list_tags(&self, _: &Target) -> Result<BTreeMap<String, String>, GatewayError> {
        Ok(BTreeMap::new())
    }
}

#[tokio::test]
async fn answers_that_make_no_sense_are_told() {
    let survey = Survey { gateway: &Odd, qualifiers: true };
    let named = Scope::Named(vec![target("f")]);
    let surveyed = survey.look(&named, |_| true, |_| {}).await;
    assert!(surveyed.policies.is_empty());
    let found = troubles(&surveyed);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("f: the policy that Lambda gave is not a policy document: "));
    assert!(found[1].contains("f:a b: `a b` is not an alias or a version"), "{found:?}");
    assert_eq!(
        surveyed.troubles[0].hint.as_deref(),
        Some("look at it with `aws lambda get-policy`")
    );
    let surveyed = survey.look(&Scope::All(vec![place()]), |_| true, |_| {}).await;
    let found = troubles(&surveyed).join("\n");
    for it in [
        "ListFunctions gave it for 123456789012/us-east-1",
        "nonsense: it is not the ARN of a function",
        "the list does not come to an end",
    ] {
        assert!(found.contains(it), "no {it} in {found}");
    }
}
