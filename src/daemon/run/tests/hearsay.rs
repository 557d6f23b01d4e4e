//! What others change is seen when an event tells of it, with a paused clock and a queue that behaves like SQS.

use super::*;
use crate::daemon::events::{
    Batch, Listener,
    tests::{FakeQueue, denied, event},
};
use crate::journal::{entry::Filter, store::Journal};
use crate::observe::status;

const EVE: &str = "arn:aws:iam::123456789012:user/eve from 192.0.2.7";

struct World {
    simulator: Simulator,
    queue: FakeQueue,
    monitor: Monitor,
    scribe: Scribe,
    mind: Mind,
}

impl World {
    fn new(simulator: Simulator) -> Self {
        let scribe = Scribe::new(Journal::in_memory().unwrap(), "permitd".to_owned());
        let (queue, monitor, mind) = (FakeQueue::default(), Monitor::default(), Mind::default());
        Self { simulator, queue, monitor, scribe, mind }
    }

    async fn run(&self, first: Loaded, story: impl Future<Output = ()>) {
        let Self { simulator, queue, monitor, scribe, mind } = self;
        let (gateway, stop) = (simulator.direct(), CancellationToken::new());
        let daemon = Daemon::<Direct> {
            gateway: &gateway,
            clock,
            scribe,
            mind,
            stop: &stop,
            monitor,
            systemd: &Systemd::default(),
            tenure: None,
        };
        let (to, mut from) = mpsc::channel::<Batch>(1);
        let reload = async || Err("p.yaml:1:1: bad".to_owned());
        let called = async || match from.recv().await {
            Some(it) => Call::Events(it),
            None => std::future::pending().await,
        };
        let story = async {
            story.await;
            stop.cancel();
        };
        let listener = Listener::new(queue, monitor, clock);
        let run = Box::pin(run(&daemon, first, reload, called, None));
        tokio::join!(run, listener.listen(to, &stop), story);
    }

    /// Somebody takes all statements of `f` away.
    fn tamper(&self) {
        let functions = json!([{"name": "f"}, function("g", &[statement("g", "a", "a")])]);
        let account = json!({"id": "123456789012", "region": "us-east-1", "functions": functions});
        self.simulator.put_state(&json!({ "accounts": [account] })).unwrap();
    }

    fn send(&self, id: &str, function: &str) {
        self.queue.send(&event(id, function, "a", clock()).to_string());
    }

    fn counted(&self, series: &str) -> String {
        let now = clock();
        let text = self.monitor.metrics.text(&self.monitor.board.view(), now, now);
        let text = String::from_utf8(text).unwrap();
        let value = text.lines().find_map(|it| it.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {series}")).to_owned()
    }
}

fn reads(simulator: &Simulator) -> usize {
    calls(simulator).iter().filter(|it| it.starts_with("GetPolicy")).count()
}

#[tokio::test(start_paused = true)]
async fn what_an_event_tells_of_is_repaired_within_three_seconds_and_its_actor_is_named() {
    let heard = Lines::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let world = World::new(two_in_sync());
    world
        .run(loaded(TWO), async {
            sleep(100.0).await;
            calls(&world.simulator);
            world.tamper();
            world.send("e", "f");
            sleep(3.0).await;
            let calls = calls(&world.simulator);
            assert_eq!(calls, ["AddPermission f", "GetFunction f", "GetPolicy f", "GetPolicy f"]);
            assert_eq!(world.queue.left(), 0);
        })
        .await;
    let told = heard.lines("somebody changed a policy");
    assert!(told[0].contains("user/eve") && told[0].contains("aws-cli/2"), "{told:?}");
    let found = heard.lines("drift found");
    assert!(found[0].contains(&format!("by {EVE}")), "{found:?}");
    let entries = world.scribe.lately(10).unwrap();
    let by: Value = serde_json::from_str(entries[0].step.caused_by.as_ref().unwrap()).unwrap();
    assert_eq!(by["arn"], "arn:aws:iam::123456789012:user/eve");
    assert_eq!(by["request_id"], "r-e");
    assert!(entries[0].step.reason.starts_with("event: missing"), "{}", entries[0].step.reason);
    let drift = "permitd_drift_detected_total{kind=\"missing\",trigger=\"event\"}";
    assert_eq!(world.counted(drift), "1");
    assert_eq!(world.counted("permitd_events_received_total{result=\"ok\"}"), "1");
    assert_eq!(world.counted("permitd_event_queue_up"), "1");
}

/// Of what came a while ago nobody is told as if it were news, and the lag is that of the last event.
#[tokio::test(start_paused = true)]
async fn the_lag_is_how_late_an_event_comes() {
    let world = World::new(two_in_sync());
    world
        .run(loaded(TWO), async {
            sleep(100.0).await;
            let late = clock() - SignedDuration::from_secs(90);
            world.queue.send(&event("e", "f", "a", late).to_string());
            sleep(3.0).await;
            assert_eq!(world.counted("permitd_event_lag_seconds"), "90");
        })
        .await;
}

/// A difference was put right before the event came that explains it: the next one is somebody else's.
#[tokio::test(start_paused = true)]
async fn nobody_is_blamed_for_what_came_after_his_doing_was_undone() {
    let heard = Lines::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let world = World::new(two_in_sync());
    let mut loaded = loaded(TWO);
    loaded.cadence.interval = Duration::from_mins(5);
    loaded.cadence.with_events = loaded.cadence.interval;
    world
        .run(loaded, async {
            sleep(200.0).await;
            let at = clock();
            world.tamper();
            sleep(210.0).await;
            assert_eq!(heard.lines("repaired").len(), 1);
            world.tamper();
            world.queue.send(&event("late", "f", "a", at).to_string());
            sleep(3.0).await;
            let found = heard.lines("drift found");
            assert_eq!(found.len(), 2);
            assert!(!found.iter().any(|it| it.contains("changed by")), "{found:?}");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_burst_on_one_target_is_one_small_pass() {
    let world = World::new(two_in_sync());
    world
        .run(loaded(TWO), async {
            sleep(100.0).await;
            calls(&world.simulator);
            for n in 0..50 {
                world.send(&n.to_string(), "f");
                sleep(0.01).await;
            }
            sleep(3.0).await;
            assert_eq!(calls(&world.simulator), ["GetPolicy f"]);
            assert_eq!(world.queue.left(), 0);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn our_own_echo_costs_nothing_and_an_unknown_one_a_read() {
    let world = World::new(two_in_sync());
    world
        .run(loaded(TWO), async {
            sleep(100.0).await;
            calls(&world.simulator);
            world.scribe.sent(Some(&"r-mine".to_owned()));
            world.send("mine", "f");
            sleep(5.0).await;
            assert_eq!(reads(&world.simulator), 0);
            assert_eq!(world.counted("permitd_events_received_total{result=\"own\"}"), "1");
            world.send("lost", "f");
            sleep(60.0).await;
            assert_eq!(reads(&world.simulator), 1);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn nobody_looks_at_what_is_in_no_file_and_a_function_means_all_of_its_policies() {
    let files = TWO.replacen(
        "functions:\n",
        "functions:\n  - {function: 'f:live', statements: [{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::a'}]}\n",
        1,
    );
    let world = World::new(two_in_sync());
    world
        .run(loaded(&files), async {
            sleep(100.0).await;
            calls(&world.simulator);
            world.send("1", "ff");
            world.send("2", "g:live");
            sleep(3.0).await;
            assert_eq!(calls(&world.simulator), Vec::<String>::new());
            assert_eq!(world.counted("permitd_events_received_total{result=\"foreign\"}"), "2");
            let mut created = event("3", "f", "", clock());
            created["detail"]["eventName"] = json!("CreateFunction20150331");
            world.queue.send(&created.to_string());
            sleep(1.5).await;
            let mut calls = calls(&world.simulator);
            calls.retain(|it| it.starts_with("GetPolicy"));
            assert_eq!(calls, ["GetPolicy f", "GetPolicy live"]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_tells_too_little_is_a_full_pass_there_and_not_more_than_one() {
    let world = World::new(two_in_sync());
    world
        .run(loaded(TWO), async {
            sleep(100.0).await;
            calls(&world.simulator);
            let mut unclear = event("1", "f", "a", clock());
            unclear["detail"]["requestParameters"] = json!(null);
            for n in 0..5 {
                unclear["detail"]["eventID"] = json!(n.to_string());
                world.queue.send(&unclear.to_string());
                sleep(10.0).await;
            }
            assert_eq!(calls(&world.simulator), ["GetPolicy f", "GetPolicy g"]);
            assert_eq!(world.queue.left(), 0);
            unclear["detail"]["recipientAccountId"] = json!("210987654321");
            unclear["detail"]["eventID"] = json!("elsewhere");
            sleep(300.0).await;
            world.queue.send(&unclear.to_string());
            sleep(10.0).await;
            assert_eq!(calls(&world.simulator), Vec::<String>::new());
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn full_passes_are_rarer_while_events_come_and_as_often_as_ever_when_they_do_not() {
    let world = World::new(two_in_sync());
    let mut loaded = loaded(TWO);
    loaded.cadence.interval = Duration::from_mins(5);
    loaded.cadence.with_events = Duration::from_hours(1);
    let next = || {
        let view = world.monitor.board.view();
        let next = view.places.values().next().unwrap().next_full.unwrap();
        next.duration_since(clock()).as_secs()
    };
    world
        .run(loaded, async {
            sleep(30.0).await;
            assert_eq!(reads(&world.simulator), 2, "the first one");
            assert_eq!(next(), 3600 - 30);
            sleep(3500.0).await;
            assert_eq!(reads(&world.simulator), 0);
            sleep(80.0).await;
            assert_eq!(reads(&world.simulator), 2, "an hour later");
            world.queue.broken(Some(denied()));
            sleep(900.0).await;
            let n = reads(&world.simulator);
            assert!((4..=6).contains(&n), "one at once or soon, and then each five minutes: {n}");
            assert!(next() <= 300);
            world.queue.broken(None);
            sleep(100.0).await;
            calls(&world.simulator);
            sleep(1800.0).await;
            assert_eq!(reads(&world.simulator), 0, "events come again");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_of_others_stretches_nothing() {
    let world = World::new(two_in_sync());
    let mut loaded = loaded(TWO);
    loaded.cadence.interval = Duration::from_mins(5);
    loaded.cadence.with_events = Duration::from_hours(1);
    for n in 0..2000 {
        world.queue.send(&json!({"source": "aws.s3", "detail": {"n": n}}).to_string());
    }
    world
        .run(loaded, async {
            sleep(3000.0).await;
            assert!(reads(&world.simulator) >= 18);
        })
        .await;
}

/// The fight is named with its other side, and is not fought faster for being heard of.
#[tokio::test(start_paused = true)]
async fn who_undoes_it_again_and_again_is_named_and_small_passes_end() {
    let heard = Lines::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let world = World::new(two_in_sync());
    world
        .run(loaded(TWO), async {
            sleep(100.0).await;
            for n in 0..10 {
                world.tamper();
                world.send(&n.to_string(), "f");
                sleep(20.0).await;
            }
        })
        .await;
    let writes = world.scribe.journal().unwrap().entries(&Filter::default()).unwrap();
    assert_eq!(writes.len(), 3);
    let told = heard.lines("contended");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("undone by {EVE}")), "{told:?}");
}

/// What is wrong with the queue is told when it begins and once an hour, and nothing else suffers.
#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_queue_is_told_once_an_hour() {
    let heard = Lines::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let world = World::new(two_in_sync());
    world.queue.without_dead_letters();
    world.queue.send("poison");
    world.queue.send(&json!({"source": "aws.s3"}).to_string());
    let n = |message: &str| heard.lines(message).len();
    world
        .run(loaded(TWO), async {
            sleep(3500.0).await;
            assert_eq!(n("the queue of events has no dead letters"), 1);
            assert_eq!(n("the queue of events has a message that is no event"), 1);
            assert_eq!(n("the queue of events has events of another service"), 1);
            sleep(3600.0).await;
            assert_eq!(n("the queue of events has a message that is no event"), 2);
            assert_eq!(n("the queue of events has no dead letters"), 1);
            world.queue.broken(Some(denied()));
            sleep(7000.0).await;
            let told = heard.lines("the queue of events does not work");
            assert_eq!(told.len(), 2, "{told:?}");
            assert!(told[0].contains("hint=\"allow sqs:ReceiveMessage"), "{told:?}");
            world.queue.broken(None);
            sleep(100.0).await;
            assert_eq!(n("the queue of events works again"), 1);
        })
        .await;
    assert_eq!(n("pass done"), 4, "full passes came by the interval");
}

/// Who did it stays beside the difference for as long as that is there, wherever it is shown.
#[tokio::test(start_paused = true)]
async fn who_did_it_stands_beside_what_differs() {
    let world = World::new(two_in_sync());
    let mut loaded = loaded(TWO);
    loaded.rules.mode = Mode::Observe;
    loaded.cadence.interval = Duration::from_mins(5);
    let status = || -> Value {
        let text = status::status(&world.monitor.board.view(), start(), clock());
        serde_json::from_slice(&text).unwrap()
    };
    world
        .run(loaded, async {
            sleep(100.0).await;
            assert_eq!(status()["targets"][0]["drift"], json!([]));
            world.tamper();
            world.send("e", "f");
            sleep(3.0).await;
            for _ in 0..30 {
                let by = &status()["targets"][0]["drift"][0]["by"];
                assert_eq!(by["arn"], "arn:aws:iam::123456789012:user/eve");
                assert_eq!(by["source_address"], "192.0.2.7");
                sleep(300.0).await;
            }
            let last = status()["targets"][0]["last_outcomes"][1].clone();
            assert_eq!(
                (&last["state"], &last["by"]["user_agent"]),
                (&json!("drifted"), &json!("aws-cli/2"))
            );
            let events = &status()["events"];
            assert!(events["last_answer"].is_string() && events["trouble"].is_null(), "{events}");
            world.queue.broken(Some(denied()));
            sleep(100.0).await;
            let why = status()["events"]["trouble"]["message"].clone();
            assert_eq!(why, denied().to_string());
        })
        .await;
}
