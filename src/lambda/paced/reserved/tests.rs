//! Replacements with a gap, under a paused clock, against a Lambda that is always a little slow.

use std::collections::VecDeque;

use futures::future::{join, join_all};
use tokio::time::{advance, sleep};

use crate::lambda::gateway::{
    GatewayError, LivePolicy, PolicyGateway, PolicyReader, Put, Receipt, Recovery,
};
use crate::lambda::paced::{Budgets, Paced, Rate};
use crate::policy::{
    grant::{Draft, Permission},
    target::Defaults,
};

use super::*;

const SLOW: u128 = 20;

/// Writes down what comes when, in milliseconds, and refuses what it is told to.
struct Lambda {
    start: Instant,
    calls: Mutex<Vec<(&'static str, String, u128)>>,
    refusals: Mutex<VecDeque<(&'static str, Recovery)>>,
}

impl Lambda {
    async fn call(&self, name: &'static str, target: &Target) -> Result<(), GatewayError> {
        let at = self.start.elapsed().as_millis();
        self.calls.lock().unwrap().push((name, target.function().to_owned(), at));
        sleep(Duration::from_millis(20)).await;
        let mut refusals = self.refusals.lock().unwrap();
        match refusals.pop_front_if(|it| it.0 == name) {
            None => Ok(()),
            Some((_, recovery)) => {
                let message = String::new();
                Err(GatewayError { recovery, status: None, code: None, message, request_id: None })
            }
        }
    }
}

impl PolicyReader for Lambda {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        let policy = LivePolicy { text: String::new(), revision: String::new() };
        self.call("read", target).await.map(|()| policy)
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        let policy = LivePolicy { text: String::new(), revision: String::new() };
        self.call("read resource", target).await.map(|()| policy)
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.call("exists", target).await
    }
}

impl PolicyGateway for Lambda {
    async fn add_permission(
        &self,
        target: &Target,
        _: &str,
        _: &Permission,
        _: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
        self.call("add", target).await.map(|()| Receipt::default())
    }

    async fn remove_permission(
        &self,
        target: &Target,
        _: &str,
        _: &str,
    ) -> Result<Receipt, GatewayError> {
        self.call("remove", target).await.map(|()| Receipt::default())
    }

    async fn put_policy(&self, target: &Target, _: &str, _: &str) -> Result<Put, GatewayError> {
        self.call("put", target).await.map(|()| Put::default())
    }

    async fn delete_policy(&self, target: &Target, _: &str) -> Result<Receipt, GatewayError> {
        self.call("delete", target).await.map(|()| Receipt::default())
    }
}

fn target(name: &str) -> Target {
    let defaults =
        Defaults { account: Some("123456789012".into()), region: Some("eu-west-1".into()) };
    Target::parse(name, None, &defaults).unwrap()
}

/// What is paced, with the calls that a conversation makes.
struct Pacing(Paced<Lambda>);

impl Pacing {
    fn new(reads: f64, control: f64) -> Self {
        let rate = |it| Rate::per_second(it).unwrap();
        let budgets = Budgets { get_policy: rate(reads), control: rate(control) };
        let (calls, refusals) = (Mutex::default(), Mutex::default());
        Self(Paced::new(Lambda { start: Instant::now(), calls, refusals }, budgets))
    }

    fn refuse(&self, name: &'static str, recovery: Recovery) {
        self.0.inner.refusals.lock().unwrap().push_back((name, recovery));
    }

    async fn read(&self, name: &str) {
        drop(self.0.get_policy(&target(name)).await);
    }

    async fn add(&self, name: &str) {
        let draft = Draft { sid: "s", principal: "s3.amazonaws.com", ..Draft::default() };
        let permission = draft.check("aws").unwrap();
        drop(self.0.add_permission(&target(name), "s", &permission, None).await);
    }

    async fn remove(&self, name: &str) {
        drop(self.0.remove_to_replace(&target(name), "s", "r").await);
    }

    async fn replace(&self, name: &str) {
        self.remove(name).await;
        self.read(name).await;
        self.add(name).await;
    }

    /// When the calls of one kind came: to one function, or to all.
    fn times(&self, kinds: &[&str], function: Option<&str>) -> Vec<u128> {
        let calls = self.0.inner.calls.lock().unwrap();
        let fits = calls
            .iter()
            .filter(|(kind, name, _)| kinds.contains(kind) && function.is_none_or(|it| it == name));
        fits.map(|(_, _, at)| *at).collect()
    }

    /// When f was without its permission.
    fn gap(&self) -> (u128, u128) {
        let at = |kind| *self.times(&[kind], Some("f")).last().unwrap();
        (at("remove"), at("add"))
    }
}

/// Calls of others that always wait for a turn, before and after.
async fn busy(pacing: &Pacing) {
    let adds = (0..4).map(async |_| {
        for _ in 0..15 {
            pacing.add("other").await;
        }
    });
    let reads = (0..4).map(async |_| {
        for _ in 0..40 {
            pacing.read("other").await;
        }
    });
    join(join_all(adds), join_all(reads)).await;
}

const CONTROL: &[&str] = &["remove", "add", "put"];

#[tokio::test(start_paused = true)]
async fn a_busy_bucket_does_not_stretch_the_gap_and_the_rate_is_kept() {
    let pacing = Pacing::new(10.0, 5.0);
    join(busy(&pacing), pacing.replace("f")).await;
    let (from, to) = pacing.gap();
    assert!(from > 1000, "it waited behind the others: {from}");
    assert_eq!(to - from, 2 * SLOW, "nothing but the calls themselves");
    for (kinds, n, spacing) in [(CONTROL, 62, 200), (&["read"], 161, 100)] {
        let times = pacing.times(kinds, None);
        assert_eq!(times.len(), n, "{kinds:?}");
        for (i, to) in times.iter().enumerate() {
            assert!(*to >= i as u128 * spacing, "{kinds:?}: call {i} after {to} ms");
            for (j, from) in times[..i].iter().enumerate() {
                let turns = (to - from) / spacing + 1;
                let calls = i - j + 1;
                assert!(calls as u128 <= turns + 1, "{kinds:?}: {calls} from {from} to {to} ms");
            }
        }
        assert_eq!(times[n - 1], (n as u128 - 1) * spacing, "no turn was lost");
    }

    let pacing = Pacing::new(10.0, 5.0);
    let unreserved = async {
        drop(pacing.0.remove_permission(&target("f"), "s", "r").await);
        pacing.read("f").await;
        pacing.add("f").await;
    };
    join(busy(&pacing), unreserved).await;
    let (from, to) = pacing.gap();
    assert!(to - from > 1000, "what this is for: {from} {to}");
}

#[tokio::test(start_paused = true)]
async fn a_429_to_somebody_else_does_not_stretch_the_gap() {
    let pacing = Pacing::new(10.0, 5.0);
    pacing.remove("f").await;
    let retry_after = Some(Duration::from_secs(30));
    pacing.refuse("add", Recovery::Throttled { retry_after });
    pacing.refuse("read", Recovery::Throttled { retry_after });
    pacing.add("other").await;
    pacing.read("other").await;
    let before = pacing.0.inner.start.elapsed().as_millis();
    pacing.read("f").await;
    pacing.add("f").await;
    assert_eq!(pacing.gap().1 - before, SLOW);
    pacing.add("f").await;
    pacing.read("f").await;
    assert!(pacing.gap().1 > 30_000, "once: the next waits as Lambda said");
    assert!(pacing.times(&["read"], Some("f"))[1] > 30_000);
}

#[tokio::test(start_paused = true)]
async fn no_gap_is_opened_while_lambda_refuses_calls() {
    for kind in ["add", "read"] {
        let pacing = Pacing::new(10.0, 5.0);
        let retry_after = Some(Duration::from_secs(30));
        pacing.refuse(kind, Recovery::Throttled { retry_after });
        let refused = async {
            if kind == "add" { pacing.add("other").await } else { pacing.read("other").await }
        };
        // Their turns are given before the refusal comes.
        join(refused, join(pacing.replace("f"), pacing.replace("g"))).await;
        let removals = pacing.times(&["remove"], None);
        assert!(removals[0] >= 30_000, "{kind}: {removals:?}");
        assert!(removals[1] - removals[0] >= 200, "{kind}: not all at once, {removals:?}");
        let (from, to) = pacing.gap();
        assert_eq!(to - from, 2 * SLOW, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_removed_has_nothing_reserved() {
    for (recovery, reserved) in [
        (None, true),
        (Some(Recovery::Unknown), true),
        (Some(Recovery::Absent), false),
        (Some(Recovery::Stale), false),
        (Some(Recovery::Taken), false),
        (Some(Recovery::Busy), false),
        (Some(Recovery::Throttled { retry_after: None }), false),
        (Some(Recovery::Denied), false),
        (Some(Recovery::Rejected), false),
        (Some(Recovery::TooLarge), false),
        (Some(Recovery::Unreachable), false),
    ] {
        let pacing = Pacing::new(1.0, 1.0);
        // Of an earlier one nothing is left either.
        pacing.remove("f").await;
        if let Some(it) = recovery {
            pacing.refuse("remove", it);
        }
        pacing.remove("f").await;
        pacing.read("other").await;
        let before = pacing.0.inner.start.elapsed().as_millis();
        pacing.read("f").await;
        let read = pacing.times(&["read"], Some("f"))[0];
        assert_eq!(read == before, reserved, "{recovery:?}: the read");
        pacing.add("other").await;
        let before = pacing.0.inner.start.elapsed().as_millis();
        pacing.add("f").await;
        assert_eq!(pacing.gap().1 == before, reserved, "{recovery:?}: the add");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reservation_is_for_one_target_and_one_use() {
    let pacing = Pacing::new(1.0, 1.0);
    pacing.remove("f").await;
    // The removal went at the turn of the add, after a second; so the next turn is after two.
    for name in ["f:live", "f", "f"] {
        pacing.read(name).await;
    }
    assert_eq!(pacing.times(&["read"], None), [1020, 1040, 2020]);
    for name in ["f:live", "f", "f"] {
        pacing.add(name).await;
    }
    assert_eq!(pacing.times(&["add"], None), [2040, 2060, 3040]);
    assert!(pacing.0.reserved.targets().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reservation_ends_after_a_minute() {
    for (wait, reserved) in [(59, true), (60, false)] {
        let pacing = Pacing::new(0.001, 0.001);
        pacing.remove("f").await;
        let removed = pacing.times(&["remove"], None)[0];
        pacing.read("other").await;
        advance(Duration::from_secs(wait)).await;
        join(pacing.read("f"), pacing.add("f")).await;
        let (read, add) = (pacing.times(&["read"], Some("f"))[0], pacing.gap().1);
        assert_eq!(read - removed < 61_000, reserved, "{wait} s: {read}");
        assert_eq!(add - removed < 61_000, reserved, "{wait} s: {add}");
    }
    // Nor is it kept for ever where nobody comes back.
    let pacing = Pacing::new(10.0, 10.0);
    pacing.remove("f").await;
    advance(Duration::from_mins(1)).await;
    pacing.remove("g").await;
    assert_eq!(pacing.0.reserved.targets().keys().collect::<Vec<_>>(), [&target("g")]);
}

#[tokio::test(start_paused = true)]
async fn unlimited_is_unlimited() {
    let (calls, refusals) = (Mutex::default(), Mutex::default());
    let lambda = Lambda { start: Instant::now(), calls, refusals };
    let pacing = Pacing(Paced::new(lambda, Budgets::UNLIMITED));
    join(pacing.replace("f"), pacing.replace("g")).await;
    assert_eq!(pacing.times(CONTROL, None), [0, 0, 40, 40]);
}
