//! The loop, with a paused clock and the simulator.

use std::{
    cell::RefCell,
    fmt::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context as Place, SubscriberExt},
};

use super::*;
use crate::config::{
    diagnostic::{File, Files},
    permissions,
    resolve::{Context, resolve},
};
use crate::drift::allow::Mode;
use crate::simulator::{Direct, Seed, Simulator};

mod hearsay;
mod leading;
mod places;
mod stays_alive;
mod urgency;

thread_local! {
    static START: Instant = Instant::now();
}

/// Follows tokio's clock.
fn clock() -> Timestamp {
    let passed = START.with(Instant::elapsed);
    start() + SignedDuration::try_from(passed).unwrap()
}

fn start() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn statement(function: &str, sid: &str, bucket: &str) -> Value {
    json!({
        "Sid": sid, "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": format!("arn:aws:lambda:us-east-1:123456789012:function:{function}"),
        "Condition": {"ArnLike": {"AWS:SourceArn": format!("arn:aws:s3:::{bucket}")}},
    })
}

fn simulator(functions: &Value) -> Simulator {
    let account = json!({"id": "123456789012", "region": "us-east-1", "functions": functions});
    let seed = json!({ "accounts": [account] });
    let seed = Seed::parse(&seed.to_string(), Path::new("seed")).unwrap();
    Simulator::with_clock(seed, clock).unwrap()
}

fn function(name: &str, statements: &[Value]) -> Value {
    let policy = json!({"Version": "2012-10-17", "Id": "default", "Statement": statements});
    json!({"name": name, "policy": policy})
}

fn loaded(text: &str) -> Loaded {
    let head = "account: \"123456789012\"\nregion: us-east-1\n";
    let file = File::new("p.yaml", format!("{head}{text}"));
    let files = Files { files: vec![file], diagnostics: Vec::new() };
    let wanted = resolve(permissions::parse(&files), &Context::default()).unwrap().wanted;
    let rules = Rules { loaded_at: clock(), ..Rules::default() };
    let interval = Duration::from_hours(1);
    let cadence = Cadence { interval, with_events: interval, jitter: 0.0 };
    Loaded { n_targets: wanted.len(), wanted, rules, cadence }
}

/// Lets the daemon run beside a story; when that is told, the daemon is stopped.
async fn beside<F: Future<Output = ()>>(
    simulator: &Simulator,
    first: Loaded,
    next: Vec<Loaded>,
    story: impl FnOnce(mpsc::UnboundedSender<Heard>) -> F,
) {
    beside_watched(simulator, &Monitor::default(), first, next, story).await;
}

async fn beside_watched<F: Future<Output = ()>>(
    simulator: &Simulator,
    monitor: &Monitor,
    first: Loaded,
    next: Vec<Loaded>,
    story: impl FnOnce(mpsc::UnboundedSender<Heard>) -> F,
) {
    Box::pin(beside_gateway(&simulator.direct(), monitor, first, next, story)).await;
}

async fn beside_gateway<G: PolicyGateway, F: Future<Output = ()>>(
    gateway: &G,
    monitor: &Monitor,
    first: Loaded,
    next: Vec<Loaded>,
    story: impl FnOnce(mpsc::UnboundedSender<Heard>) -> F,
) {
    let (scribe, mind) = (Scribe::nobody(), Mind::default());
    let stop = CancellationToken::new();
    let daemon = Daemon::<G> {
        gateway,
        clock,
        scribe: &scribe,
        mind: &mind,
        stop: &stop,
        monitor,
        systemd: &Systemd::default(),
        tenure: None,
    };
    let (hangup, mut hangups) = mpsc::unbounded_channel();
    let next = RefCell::new(next.into_iter());
    let reload = async || next.borrow_mut().next().ok_or_else(|| "p.yaml:1:1: bad".to_owned());
    let hung_up = async || match hangups.recv().await {
        Some(it) => Call::Files(it),
        None => std::future::pending().await,
    };
    let story = async {
        story(hangup).await;
        stop.cancel();
    };
    tokio::join!(Box::pin(run(&daemon, first, reload, hung_up, None)), story);
}

const HANGUP: Heard = Heard::New { whole: true };
const IN_PLACE: Heard = Heard::New { whole: false };

async fn sleep(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

/// `GetPolicy f`, for each call since the last time.
fn calls(simulator: &Simulator) -> Vec<String> {
    let log = serde_json::to_value(simulator.requests()).unwrap();
    simulator.clear_requests();
    let name = |it: &Value| {
        let target = it["target"].as_str().unwrap_or_default();
        let function = target.rsplit(':').next().unwrap_or_default();
        format!("{} {function}", it["operation"].as_str().unwrap())
    };
    let mut res: Vec<String> = log.as_array().unwrap().iter().map(name).collect();
    res.sort();
    res
}

fn text(simulator: &Simulator) -> String {
    serde_json::to_string(&simulator.state()).unwrap()
}

const TWO: &str = r"
functions:
  - function: f
    statements: [{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::a'}]
  - function: g
    statements: [{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::a'}]
";

fn two_in_sync() -> Simulator {
    let policy = |name| function(name, &[statement(name, "a", "a")]);
    simulator(&json!([policy("f"), policy("g")]))
}

#[tokio::test(start_paused = true)]
async fn full_passes_come_by_the_interval_and_cost_one_read_a_target() {
    let simulator = two_in_sync();
    beside(&simulator, loaded(TWO), Vec::new(), async |_| {
        sleep(1.0).await;
        assert_eq!(calls(&simulator), ["GetPolicy f", "GetPolicy g"]);
        sleep(3590.0).await;
        assert_eq!(calls(&simulator), Vec::<String>::new());
        sleep(20.0).await;
        assert_eq!(calls(&simulator), ["GetPolicy f", "GetPolicy g"]);
    })
    .await;
}

/// Also where it is the last statement that allows anything: its end was written down.
#[tokio::test(start_paused = true)]
async fn a_grant_is_revoked_in_the_second_in_which_it_expires() {
    let expires = (clock() + SignedDuration::from_secs(90)).to_string();
    let policy = |name| function(name, &[statement(name, "a", "a")]);
    let simulator = simulator(&json!([policy("f"), policy("g")]));
    let files =
        TWO.replacen("'arn:aws:s3:::a'}", &format!("'arn:aws:s3:::a', expires: '{expires}'}}"), 1);
    beside(&simulator, loaded(&files), Vec::new(), async |_| {
        sleep(89.9).await;
        calls(&simulator);
        assert!(text(&simulator).matches("arn:aws:s3:::a").count() == 2);
        sleep(1.1).await;
        let gone = text(&simulator).matches("arn:aws:s3:::a").count();
        assert_eq!(gone, 1, "{}", text(&simulator));
        let calls = calls(&simulator);
        assert!(calls.iter().all(|it| it.ends_with(" f")), "a small pass: {calls:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_looks_only_at_what_changed() {
    let simulator = two_in_sync();
    let second = loaded(&TWO.replacen("a, principal", "b, principal", 1));
    beside(&simulator, loaded(TWO), vec![second], async |hangup| {
        sleep(10.0).await;
        calls(&simulator);
        hangup.send(HANGUP).unwrap();
        sleep(5.0).await;
        // Ownership is declared: the new Sid is added, and the old one is nobody's.
        assert_eq!(calls(&simulator), ["AddPermission f", "GetPolicy f", "GetPolicy f"]);
        // A reload that is not usable changes nothing.
        hangup.send(HANGUP).unwrap();
        sleep(5.0).await;
        assert_eq!(calls(&simulator), Vec::<String>::new());
        sleep(3590.0).await;
        assert_eq!(calls(&simulator), ["GetPolicy f", "GetPolicy g"], "the interval goes on");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_orphan_is_looked_at_again_when_its_grace_is_over() {
    let mut orphan = statement("f", "gone", "x");
    orphan["Principal"] = json!({"AWS": "AROASNV5YASAZHWFURF3I"});
    let simulator = simulator(&json!([function("f", &[statement("f", "a", "a"), orphan])]));
    let files = TWO.split("  - function: g").next().unwrap();
    let files = files.replace("- function: f", "- function: f\n    ownership: all");
    beside(&simulator, loaded(&files), Vec::new(), async |_| {
        sleep(59.0).await;
        assert!(text(&simulator).contains("AROA"));
        sleep(2.0).await;
        assert!(!text(&simulator).contains("AROA"), "{}", text(&simulator));
    })
    .await;
}

/// A full pass that is slow does not hold up what is due now.
#[tokio::test(start_paused = true)]
async fn an_expiry_does_not_wait_for_a_full_pass() {
    let expires = (clock() + SignedDuration::from_secs(30)).to_string();
    let policy = |name| function(name, &[statement(name, "a", "a")]);
    let simulator = simulator(&json!([policy("f"), policy("g")]));
    let slow = json!({"faults": [
        {"operation": "GetPolicy", "target": "*:g", "kind": "delay", "delay_ms": 600_000, "times": "forever"}
    ]});
    simulator.put_faults(serde_json::from_value(slow).unwrap()).unwrap();
    let files =
        TWO.replacen("'arn:aws:s3:::a'}", &format!("'arn:aws:s3:::a', expires: '{expires}'}}"), 1);
    beside(&simulator, loaded(&files), Vec::new(), async |_| {
        sleep(31.0).await;
        assert_eq!(text(&simulator).matches("arn:aws:s3:::a").count(), 1);
    })
    .await;
}

/// Hears every line of the log.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// The lines that begin like this.
    fn lines(&self, message: &str) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|it| it.starts_with(message)).cloned().collect()
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Place<'_, S>) {
        let mut line = String::new();
        let mut put = |field: &Field, value: &dyn fmt::Debug| match field.name() {
            "message" => line.insert_str(0, &format!("{value:?}")),
            name => write!(line, " {name}={value:?}").unwrap(),
        };
        event.record(&mut put);
        self.0.lock().unwrap().push(line);
    }
}

/// In every pass nobody would read it, and never again somebody would forget it.
#[tokio::test(start_paused = true)]
async fn what_stays_wrong_is_told_again_once_an_hour() {
    let heard = Lines::default();
    // Where there is only one in the process, tracing asks the thread that comes to a line first whether anybody
    // wants it, and that is one without.
    let _other = tracing::Dispatch::new(Registry::default());
    let _guard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
    let names: Vec<String> = (10..22).map(|it| format!("f{it}")).collect();
    let functions: Vec<Value> = names.iter().map(|it| function(it, &[])).collect();
    let simulator = simulator(&json!(functions));
    let entry = |it: &String| {
        format!(
            "  - {{function: {it}, statements: [{{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::a'}}]}}\n"
        )
    };
    let files = names.iter().map(entry).collect::<String>();
    let mut loaded = loaded(&format!("functions:\n{files}"));
    loaded.rules.mode = Mode::Observe;
    loaded.cadence.interval = Duration::from_mins(5);
    beside(&simulator, loaded, Vec::new(), async |_| {
        sleep(3590.0).await;
        assert_eq!(heard.lines("pass done").len(), 12);
        assert_eq!(heard.lines("drift found").len(), 12, "one for each target");
        assert_eq!(heard.lines("still not as written").len(), 0);
        sleep(20.0).await;
        let told = heard.lines("still not as written");
        assert_eq!(told.len(), 1, "{told:?}");
        for part in [
            "drifted=12 held=0 contended=0 failed=0 unknown=0",
            "since=2026-06-01T00:00:0",
            "targets=\"f10 (drifted: differs), f11",
            " more=2",
        ] {
            assert!(told[0].contains(part), "{told:?}");
        }
        sleep(7200.0).await;
        assert_eq!(heard.lines("still not as written").len(), 3);
        // Somebody puts it right.
        let fixed = |it: &String| function(it, &[statement(it, "a", "a")]);
        let functions: Vec<Value> = names.iter().map(fixed).collect();
        let account = json!({"id": "123456789012", "region": "us-east-1", "functions": functions});
        let state = json!({ "accounts": [account] });
        simulator.put_state(&state).unwrap();
        sleep(7200.0).await;
        assert_eq!(heard.lines("still not as written").len(), 3);
        assert_eq!(heard.lines("back to normal").len(), 12);
        assert_eq!(heard.lines("drift found").len(), 12);
    })
    .await;
}

/// A stop ends what waits, and what is in flight is finished.
#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_slow_read() {
    let simulator = two_in_sync();
    let slow = json!({"faults": [
        {"operation": "GetPolicy", "kind": "delay", "delay_ms": 600_000, "times": "forever"}
    ]});
    simulator.put_faults(serde_json::from_value(slow).unwrap()).unwrap();
    let start = Instant::now();
    beside(&simulator, loaded(TWO), Vec::new(), async |_| sleep(1.0).await).await;
    assert!(start.elapsed() < Duration::from_secs(2));
}

/// What a reload had begun to look at is looked at, also where the next reload comes in between.
#[tokio::test(start_paused = true)]
async fn a_reload_that_ends_a_small_pass_goes_on_with_it() {
    let simulator = two_in_sync();
    let changed = TWO.replacen("a, principal", "b, principal", 1);
    let next = vec![loaded(&changed), loaded(&changed)];
    beside(&simulator, loaded(TWO), next, async |hangup| {
        sleep(10.0).await;
        let slow = json!({"faults": [
            {"operation": "GetPolicy", "kind": "delay", "delay_ms": 5_000, "times": 1}
        ]});
        simulator.put_faults(serde_json::from_value(slow).unwrap()).unwrap();
        hangup.send(HANGUP).unwrap();
        sleep(1.0).await;
        hangup.send(HANGUP).unwrap();
        sleep(20.0).await;
        assert!(text(&simulator).contains("\"Sid\":\"b\""), "{}", text(&simulator));
    })
    .await;
}

/// What is changed in place may be half there: access is given at once, and taken away when the files have settled.
#[tokio::test(start_paused = true)]
async fn narrowing_waits_until_files_that_were_changed_in_place_have_settled() {
    let statements =
        |name| [statement(name, "a", "a"), statement(name, "b", "b"), statement(name, "z", "z")];
    let simulator =
        simulator(&json!([function("f", &statements("f")), function("g", &statements("g")),]));
    let all = TWO.replace("- function: f", "- function: f\n    ownership: all");
    let before = all.replacen("statements: [", "statements: [{sid: b, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}, {sid: z, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::z'}, ", 1);
    let after = all.replacen("statements: [", "statements: [{sid: c, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::c'}, {sid: z, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::z'}, ", 1);
    let monitor = Monitor::default();
    let reason = || monitor.board.view().targets[0].reason;
    let next = vec![loaded(&after), loaded(&all)];
    beside_watched(&simulator, &monitor, loaded(&before), next, async |files| {
        sleep(5.0).await;
        files.send(IN_PLACE).unwrap();
        sleep(5.0).await;
        assert!(text(&simulator).contains("arn:aws:s3:::c"), "{}", text(&simulator));
        assert!(text(&simulator).contains("\"Sid\":\"b\""));
        assert_eq!(reason(), "files_settling");
        calls(&simulator);
        sleep(60.0).await;
        assert_eq!(calls(&simulator), Vec::<String>::new(), "nobody asks again and again");
        files.send(Heard::Settled).unwrap();
        sleep(5.0).await;
        assert_eq!(calls(&simulator), ["GetPolicy f", "GetPolicy f", "RemovePermission f"]);
        assert_eq!(reason(), "as_written");
        assert_eq!(text(&simulator).matches("\"Sid\":\"z\"").count(), 2);
        // Somebody who says that all is there is believed.
        files.send(HANGUP).unwrap();
        sleep(5.0).await;
        assert_eq!(text(&simulator).matches("\"Sid\":\"z\"").count(), 1, "g is not all ours");
    })
    .await;
}

/// Reloads that come all the time do not keep a full pass from its end, and it looks at each target once.
#[tokio::test(start_paused = true)]
async fn a_full_pass_that_a_reload_ends_is_gone_on_with() {
    let functions: Vec<Value> = (0..100)
        .map(|n| function(&format!("f{n}"), &[statement(&format!("f{n}"), "a", "a")]))
        .collect();
    let simulator = simulator(&json!(functions));
    let slow = json!({"faults": [
        {"operation": "GetPolicy", "kind": "delay", "delay_ms": 1_000, "times": "forever"}
    ]});
    simulator.put_faults(serde_json::from_value(slow).unwrap()).unwrap();
    let files = |changed: usize| {
        let one = |n: usize| {
            let sid = if n == changed { "b" } else { "a" };
            format!(
                "  - function: f{n}\n    statements: [{{sid: {sid}, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::a'}}]\n"
            )
        };
        format!("functions:\n{}", (0..100).map(one).collect::<String>())
    };
    // The last one knows nothing of one that was read by then.
    let fewer = files(0).replacen("  - function: f1\n", "", 1);
    let line = fewer.lines().position(|it| it.contains("sid: a")).unwrap();
    let fewer: Vec<&str> =
        fewer.lines().enumerate().filter(|(at, _)| *at != line).map(|(_, it)| it).collect();
    let last = loaded(&format!("{}\n", fewer.join("\n")));
    let next = vec![loaded(&files(0)), loaded(&files(0)), loaded(&files(0)), last];
    let monitor = Monitor::default();
    beside_watched(&simulator, &monitor, loaded(&files(100)), next, async |hangup| {
        for _ in 0..4 {
            sleep(1.5).await;
            hangup.send(HANGUP).unwrap();
        }
        sleep(30.0).await;
        let pass = monitor.board.view().places.into_values().next().unwrap().last_full.unwrap();
        assert!(pass.successful && pass.targets == 99, "{pass:?}");
        // Each was read once, but for what was being read when a reload came, and what had changed.
        let n = calls(&simulator).iter().filter(|it| it.starts_with("GetPolicy")).count();
        assert!((100..=100 + 4 * 16 + 4).contains(&n), "{n}");
        assert!(text(&simulator).contains("\"Sid\":\"b\""));
    })
    .await;
}
