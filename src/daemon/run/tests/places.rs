//! Many accounts and regions beside each other: each at its own pace, and each with figures of its own.

use std::sync::atomic::AtomicU64;

use super::*;
use crate::daemon::{carry::Carrier, pass::Worker, scribe::Occasion};
use crate::drift::outcome::State;
use crate::lambda::{
    gateway::{GatewayError, LivePolicy, PolicyReader, Put, Receipt, Urgency},
    paced::{Budgets, Paced},
};
use crate::policy::grant::Permission;
use crate::simulator::Faults;

/// A gateway with budgets of its own for each place, as the fleet has it.
struct Places(BTreeMap<AccountRegion, Paced<Direct>>);

impl Places {
    fn new(simulator: &Simulator, loaded: &Loaded) -> Self {
        let places = loaded.wanted.iter().map(|it| it.target.account_region());
        let paced = || Paced::new(simulator.direct(), Budgets::default());
        Self(places.map(|it| (it, paced())).collect())
    }

    fn of(&self, target: &Target) -> &Paced<Direct> {
        &self.0[&target.account_region()]
    }
}

impl PolicyReader for Places {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.of(target).get_policy(target).await
    }

    async fn get_policy_as(
        &self,
        target: &Target,
        urgency: Urgency,
    ) -> Result<LivePolicy, GatewayError> {
        self.of(target).get_policy_as(target, urgency).await
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.of(target).get_resource_policy(target).await
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.of(target).function_exists(target).await
    }
}

impl PolicyGateway for Places {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
        self.of(target).add_permission(target, sid, permission, revision).await
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.of(target).remove_permission(target, sid, revision).await
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<Put, GatewayError> {
        self.of(target).put_policy(target, document, revision).await
    }

    async fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.of(target).delete_policy(target, revision).await
    }
}

const ACCOUNT: &str = "123456789012";

/// So many functions in each of these regions, with a statement each, which is there or has to be added.
fn world(sizes: &[(&str, usize)], in_sync: bool) -> (Simulator, Loaded) {
    let mut accounts = Vec::new();
    let mut text = "functions:\n".to_owned();
    for (region, size) in sizes {
        let arn = |at| format!("arn:aws:lambda:{region}:{ACCOUNT}:function:f{at}");
        let live = |at| {
            let mut statement = statement("f", "a", "a");
            statement["Resource"] = json!(arn(at));
            function(
                &format!("f{at}"),
                if in_sync { std::slice::from_ref(&statement) } else { &[] },
            )
        };
        let functions: Vec<Value> = (0..*size).map(live).collect();
        accounts.push(json!({"id": ACCOUNT, "region": region, "functions": functions}));
        for at in 0..*size {
            let wanted = "{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::a'}";
            writeln!(text, "- function: {}\n  statements: [{wanted}]", arn(at)).unwrap();
        }
    }
    let seed = Seed::parse(&json!({ "accounts": accounts }).to_string(), Path::new("seed"));
    (Simulator::with_clock(seed.unwrap(), clock).unwrap(), loaded(&text))
}

fn slow(simulator: &Simulator, faults: Value) {
    simulator.put_faults(serde_json::from_value::<Faults>(faults).unwrap()).unwrap();
}

/// The last full pass of a place: calls, and seconds.
fn last(monitor: &Monitor, region: &str) -> (u64, f64) {
    let view = monitor.board.view();
    let place = AccountRegion { account: ACCOUNT.into(), region: region.into() };
    let last = view.places[&place].last_full.as_ref().unwrap();
    (last.calls, last.seconds)
}

#[tokio::test(start_paused = true)]
async fn a_pass_counts_its_own_calls_and_none_of_the_others() {
    let (simulator, loaded) = world(&[("us-east-1", 3), ("eu-west-1", 30)], false);
    slow(&simulator, json!({"latency_ms": 100}));
    let monitor = Monitor::default();
    beside_watched(&simulator, &monitor, loaded, Vec::new(), async |_| sleep(600.0).await).await;
    // GetPolicy, GetFunction where there is no policy, AddPermission, and GetPolicy again.
    let each = simulator.requests().len() as u64 / 33;
    assert!(each >= 3, "{each}");
    assert_eq!(last(&monitor, "us-east-1").0, 3 * each);
    assert_eq!(last(&monitor, "eu-west-1").0, 30 * each);
}

#[tokio::test(start_paused = true)]
async fn a_pass_everywhere_takes_as_long_as_that_of_the_largest_place() {
    let regions = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2"];
    let mut sizes: Vec<(&str, usize)> = regions.iter().map(|it| (*it, 200)).collect();
    sizes.push(("eu-central-1", 400));
    let (simulator, loaded) = world(&sizes, true);
    slow(&simulator, json!({"latency_ms": 50}));
    let (monitor, gateway) = (Monitor::default(), Places::new(&simulator, &loaded));
    let story = async |_| sleep(400.0 / 10.0 * 1.05).await;
    Box::pin(beside_gateway(&gateway, &monitor, loaded, Vec::new(), story)).await;
    for (region, size) in sizes {
        let (calls, seconds) = last(&monitor, region);
        assert_eq!(calls, size as u64);
        let least = f64::from(u32::try_from(size).unwrap()) / 10.0;
        assert!((least * 0.95..=least * 1.05).contains(&seconds), "{region}: {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_does_not_answer_keeps_no_other_from_going_on() {
    let (simulator, loaded) = world(&[("us-east-1", 200), ("eu-west-1", 200)], true);
    slow(
        &simulator,
        json!({"latency_ms": 50, "faults": [
            {"target": "*:eu-west-1:*", "times": "forever", "kind": "delay", "delay_ms": 86_400_000},
        ]}),
    );
    let (monitor, gateway) = (Monitor::default(), Places::new(&simulator, &loaded));
    let story = async |_| {
        sleep(21.0).await;
        let (calls, seconds) = last(&monitor, "us-east-1");
        assert_eq!(calls, 200);
        assert!(seconds <= 21.0, "{seconds} s");
        let mute = AccountRegion { account: ACCOUNT.into(), region: "eu-west-1".into() };
        assert!(monitor.board.view().places[&mute].last_full.is_none(), "it still waits there");
    };
    Box::pin(beside_gateway(&gateway, &monitor, loaded, Vec::new(), story)).await;
}

/// What `plan`, `apply` and `run --once` do: one pass over everything.
#[tokio::test(start_paused = true)]
async fn one_pass_over_all_places_is_as_fast() {
    let (simulator, loaded) =
        world(&[("us-east-1", 200), ("us-west-2", 100), ("eu-west-1", 20)], true);
    slow(
        &simulator,
        json!({"latency_ms": 50, "faults": [
            {"target": "*:eu-west-1:*", "times": "forever", "kind": "delay", "delay_ms": 1_000},
        ]}),
    );
    let gateway = Places::new(&simulator, &loaded);
    let (scribe, mind, stop) = (Scribe::nobody(), Mind::default(), CancellationToken::new());
    let calls = AtomicU64::new(0);
    let worker = Worker {
        carrier: Carrier {
            gateway: &gateway,
            clock,
            scribe: &scribe,
            stop: &stop,
            urgency: Urgency::Sweep,
            calls,
        },
        mind: &mind,
        rules: &loaded.rules,
        n_targets: loaded.n_targets,
        occasion: Occasion::of("test"),
        keep: false,
    };
    let start = Instant::now();
    assert_eq!(worker.look_at_all(&loaded.wanted, || {}).await.len(), 320);
    let looked = start.elapsed().as_secs_f64();
    assert!((19.0..=21.0).contains(&looked), "{looked} s");
    let start = Instant::now();
    let wanted: Vec<&Wanted> = loaded.wanted.iter().collect();
    assert_eq!(worker.pass(&wanted, |_| {}, |_| {}).await.len(), 320);
    let passed = start.elapsed().as_secs_f64();
    assert!((19.0..=21.0).contains(&passed), "{passed} s");
    assert_eq!(worker.carrier.calls.into_inner(), 640);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_in_one_place_is_wrong_there_only() {
    let sizes = [("ap-south-1", 3), ("eu-west-1", 5), ("us-east-1", 4)];
    let (simulator, loaded) = world(&sizes, true);
    slow(
        &simulator,
        json!({"faults": [
            {"target": "*:eu-west-1:*:f4", "times": "forever", "kind": "error", "status": 403, "code": "AccessDeniedException"},
        ]}),
    );
    let monitor = Monitor::default();
    beside_watched(&simulator, &monitor, loaded, Vec::new(), async |_| sleep(60.0).await).await;
    let view = monitor.board.view();
    for (region, size) in sizes {
        let place = AccountRegion { account: ACCOUNT.into(), region: region.into() };
        let there = view.targets_of(&place);
        assert_eq!(there.len(), size);
        assert!(there.iter().all(|it| it.target.region() == region));
        let is_unknown = monitor.board.is_any(&place, |it| it.state == State::Unknown);
        assert_eq!(is_unknown, region == "eu-west-1", "{region}");
    }
    let nowhere = AccountRegion { account: ACCOUNT.into(), region: "eu-west-2".into() };
    assert!(view.targets_of(&nowhere).is_empty());
}
