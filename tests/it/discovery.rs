//! Which functions there are, and which policies no file names: listed once an hour, and gone on with where it failed.

use std::{cell::Cell, collections::BTreeSet, sync::Arc, time::Duration};

use permitd::config::settings::Settings;
use permitd::config::{
    diagnostic::{File, Files},
    permissions,
    resolve::{Context, needs},
};
use permitd::daemon::discovery::{Discovery, GOOD_FOR, Wants};
use permitd::lambda::paced::{Budgets, Paced};
use permitd::observe::metered::Metered;
use permitd::policy::target::{AccountRegion, Defaults, Target};
use permitd::simulator::{Direct, Faults, Simulator};
use serde_json::{Value, json};
use tokio::time::Instant;

struct World {
    simulator: Simulator,
    gateway: Metered<Paced<Direct>>,
}

fn place() -> AccountRegion {
    AccountRegion { account: "123456789012".into(), region: "us-east-1".into() }
}

fn world(functions: &Value, budgets: Budgets) -> World {
    let seed = json!({"accounts": [{"id": "123456789012", "functions": functions}]});
    let simulator = Simulator::new(serde_json::from_value(seed).unwrap()).unwrap();
    let gateway = Metered::new(Paced::new(simulator.direct(), budgets));
    World { simulator, gateway }
}

fn wants(rules: &str) -> Wants {
    let text = format!("account: '123456789012'\nregion: us-east-1\nfunctions:\n{rules}");
    let file = File::new("permissions.yaml", text);
    let files = Files { files: vec![file], ..Files::default() };
    let parsed = permissions::parse(&files);
    let ownership = Settings::default().ownership;
    let context = Context { ownership, ..Context::default() };
    Wants { needs: needs(&parsed, &context), ..Wants::default() }
}

fn rule(matcher: &str) -> String {
    format!("  - match: {{{matcher}}}\n    statements: [{{sid: a, principal: '*'}}]\n")
}

fn calls(world: &World, operation: &str) -> u64 {
    let calls = world.gateway.calls();
    calls.iter().filter(|((it, _), _)| *it == operation).map(|(_, it)| it.count).sum()
}

fn faults(world: &World, faults: &Value) {
    let faults: Faults = serde_json::from_value(faults.clone()).unwrap();
    world.simulator.put_faults(faults).unwrap();
}

async fn list(world: &World, discovery: &Discovery, wants: &Wants) -> u32 {
    let news = Cell::new(0);
    discovery.list(&world.gateway, wants, || news.set(news.get() + 1)).await;
    news.get()
}

fn names(discovery: &Discovery) -> Vec<String> {
    let inventory = discovery.inventory();
    inventory.functions(&place()).unwrap_or_default().iter().map(|it| it.name.clone()).collect()
}

fn many(n: usize) -> Value {
    (0..n).map(|it| json!({"name": format!("f{it:03}"), "tags": {"n": it.to_string()}})).collect()
}

#[tokio::test(start_paused = true)]
async fn a_list_is_good_for_an_hour() {
    let world = world(&many(120), Budgets::UNLIMITED);
    let (discovery, wants) = (Discovery::default(), wants(&rule("name: 'f*'")));
    assert_eq!(list(&world, &discovery, &wants).await, 1);
    assert_eq!(names(&discovery).len(), 120);
    assert_eq!((world.gateway.count(), calls(&world, "ListFunctions")), (3, 3), "and nothing else");
    assert_eq!(list(&world, &discovery, &wants).await, 0);
    let next = discovery.next(&wants).await.unwrap();
    assert!(next <= Instant::now() + GOOD_FOR, "it is due within the hour");
    tokio::time::sleep_until(next).await;
    assert_eq!(list(&world, &discovery, &wants).await, 0, "the same functions are no news");
    assert_eq!(calls(&world, "ListFunctions"), 6);
}

/// A rule that is new asks for more of the same functions, and only for that.
#[tokio::test(start_paused = true)]
async fn only_what_is_missing_is_asked_for() {
    let world = world(&many(120), Budgets::UNLIMITED);
    let discovery = Discovery::default();
    list(&world, &discovery, &wants(&rule("name: 'f*'"))).await;
    let some = wants(&rule("name: 'f00*', tags: {n: '7'}, qualifiers: ['l*']"));
    assert_eq!(list(&world, &discovery, &some).await, 1);
    assert_eq!(calls(&world, "ListFunctions"), 3);
    assert_eq!(calls(&world, "ListTags"), 10, "of those that the name fits");
    assert_eq!(calls(&world, "ListAliases"), 1, "of those that the tags fit");
    list(&world, &discovery, &some).await;
    assert_eq!(calls(&world, "ListTags"), 10, "they are kept");
}

/// Lambda refuses somewhere in the middle: what is known stays, and later it goes on from there.
#[tokio::test(start_paused = true)]
async fn a_list_that_fails_is_gone_on_with() {
    let world = world(&many(120), Budgets::UNLIMITED);
    let (discovery, wants) = (Discovery::default(), wants(&rule("name: 'f*', tags: {n: '*'}")));
    let denied = |operation: &str, nth: u64| {
        json!({"faults": [{"operation": operation, "nth": nth, "kind": "error", "status": 403,
            "code": "AccessDeniedException", "message": "no"}]})
    };
    faults(&world, &denied("ListFunctions", 2));
    assert_eq!(list(&world, &discovery, &wants).await, 0);
    assert_eq!(names(&discovery), Vec::<String>::new(), "half a list is none");
    let unlisted = discovery.unlisted();
    assert_eq!(unlisted.len(), 1);
    assert!(unlisted[0].message.contains("AccessDeniedException"), "{unlisted:?}");
    assert!(unlisted[0].hint.as_ref().unwrap().contains("on all resources"), "{unlisted:?}");
    assert_eq!(list(&world, &discovery, &wants).await, 0, "not again at once");
    assert_eq!(calls(&world, "ListFunctions"), 2);
    faults(&world, &denied("ListTags", 50));
    tokio::time::sleep_until(discovery.next(&wants).await.unwrap()).await;
    assert_eq!(list(&world, &discovery, &wants).await, 0);
    assert_eq!(calls(&world, "ListFunctions"), 4, "from the second page on");
    assert_eq!(calls(&world, "ListTags"), 50);
    tokio::time::sleep_until(discovery.next(&wants).await.unwrap()).await;
    assert_eq!(list(&world, &discovery, &wants).await, 1);
    assert_eq!(
        (calls(&world, "ListFunctions"), calls(&world, "ListTags")),
        (4, 121),
        "no tag twice"
    );
    assert_eq!((names(&discovery).len(), discovery.unlisted().len()), (120, 0));
}

/// What was found before stays while Lambda does not answer.
#[tokio::test(start_paused = true)]
async fn a_function_does_not_leave_for_want_of_an_answer() {
    let world = world(&many(3), Budgets::UNLIMITED);
    let (discovery, wants) = (Discovery::default(), wants(&rule("name: 'f*'")));
    list(&world, &discovery, &wants).await;
    let broken =
        json!({"operation": "ListFunctions", "times": "forever", "kind": "error", "status": 403});
    faults(&world, &json!({ "faults": [broken] }));
    tokio::time::sleep(GOOD_FOR).await;
    assert_eq!(list(&world, &discovery, &wants).await, 0);
    assert_eq!((names(&discovery).len(), discovery.unlisted().len()), (3, 1));
}

/// Lists take the control budget, and no more of it than there is.
#[tokio::test(start_paused = true)]
async fn lists_stay_within_the_budget() {
    let world = world(&many(60), Budgets::default());
    let (discovery, wants) = (Discovery::default(), wants(&rule("name: 'f*', tags: {n: '1'}")));
    let start = Instant::now();
    list(&world, &discovery, &wants).await;
    let taken = start.elapsed();
    assert_eq!(world.gateway.count(), 62);
    assert!(taken >= Duration::from_secs_f64(61.0 / 3.0), "62 calls at three a second: {taken:?}");
}

#[tokio::test(start_paused = true)]
async fn policies_that_no_file_names_are_read_once_an_hour() {
    let statement = |arn: &str, principal: &str| {
        json!({"Statement": [{"Sid": "s", "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction",
            "Resource": format!("arn:aws:lambda:us-east-1:123456789012:function:{arn}")}]})
    };
    let functions = json!([
        {"name": "known", "policy": statement("known", "*"), "versions": 1, "policies": {"1": statement("known:1", "*")}},
        {"name": "other", "aliases": {"live": "1"}, "policies": {"live": statement("other:live", "*")}},
        {"name": "bare"},
    ]);
    let world = world(&functions, Budgets::UNLIMITED);
    let known = "arn:aws:lambda:us-east-1:123456789012:function:known";
    let declared = BTreeSet::from([Target::parse(known, None, &Defaults::default()).unwrap()]);
    let discover = BTreeSet::from([place()]);
    let wants = Wants { discover, declared: Arc::new(declared), ..Wants::default() };
    let discovery = Discovery::default();
    let clock = jiff::Timestamp::default;
    list(&world, &discovery, &wants).await;
    discovery.sweep(&world.gateway, &wants, clock).await;
    let found: Vec<String> =
        discovery.undeclared().iter().map(|it| it.target.short_name()).collect();
    assert_eq!(found, ["known:1", "other:live"]);
    assert_eq!(discovery.undeclared()[0].risks.len(), 1);
    let reads = calls(&world, "GetPolicy");
    assert_eq!(reads, 5, "known:1, other, other:live, other:1, bare");
    discovery.sweep(&world.gateway, &wants, clock).await;
    assert_eq!(calls(&world, "GetPolicy"), reads, "not again before the next list");
    tokio::time::sleep(GOOD_FOR).await;
    list(&world, &discovery, &wants).await;
    discovery.sweep(&world.gateway, &wants, clock).await;
    assert_eq!(calls(&world, "GetPolicy"), 2 * reads);
}
