//! What is sent, to whom, how often, with a clock that stands still.

use std::collections::VecDeque;

use jiff::SignedDuration;

use super::*;
use crate::drift::{diff::Kind, outcome::State};
use crate::observe::{
    board::View,
    news::{Edge, Matter},
};
use crate::policy::target::{AccountRegion, Defaults, Target};

mod messages;
mod queues;
mod retries;
mod secrets;

/// The clock of the tests: it stands.
fn clock() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// Takes down what is sent, and says what it was told to, at last 200.
#[derive(Debug)]
struct Fake {
    start: Instant,
    answers: Mutex<VecDeque<Said>>,
    seen: Mutex<Vec<(u64, Request)>>,
}

/// What a receiver does.
#[derive(Debug, Clone)]
enum Said {
    Status(u16),
    Later(u16, u64),
    Broken,
    Hangs,
}

impl Fake {
    fn new(answers: &[Said]) -> Arc<Self> {
        let answers = Mutex::new(answers.iter().cloned().collect());
        Arc::new(Self { start: Instant::now(), answers, seen: Mutex::default() })
    }

    /// So many attempts were made: in which second, and with which body.
    async fn seen(&self, n: usize) -> Vec<(u64, String)> {
        // The clock goes on by itself as soon as nobody has anything to do.
        while self.seen.lock().unwrap().len() < n {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(at, it)| (*at, it.body.clone())).collect()
    }

    fn n_seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl Post for Fake {
    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, String>> {
        Box::pin(async move {
            self.seen.lock().unwrap().push((self.start.elapsed().as_secs(), request));
            let said = self.answers.lock().unwrap().pop_front();
            match said.unwrap_or(Said::Status(200)) {
                Said::Status(status) => Ok(Answer { status, retry_after: None }),
                Said::Later(status, seconds) => {
                    Ok(Answer { status, retry_after: Some(Duration::from_secs(seconds)) })
                }
                Said::Broken => Err("connection refused".to_owned()),
                Said::Hangs => std::future::pending().await,
            }
        })
    }
}

fn receiver(url: &str, events: &[News]) -> Receiver {
    Receiver {
        url: Kept::fixed(url),
        format: Format::Json,
        secret: None,
        events: events.to_vec(),
        timeout: Duration::from_secs(10),
    }
}

fn everything() -> Receiver {
    receiver("https://a.example/T0PSECRET", &News::ALL)
}

fn start(receivers: Vec<Receiver>, post: &Arc<Fake>) -> (Notifier, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    let post: Arc<dyn Post> = Arc::<Fake>::clone(post);
    let notifier = Notifier::new(post, Arc::clone(&metrics), clock);
    notifier.take_over(receivers);
    (notifier, metrics)
}

fn matter(sid: &str) -> Matter {
    let detail = "not in the files".to_owned();
    Matter { sid: Some(sid.to_owned()), kind: Kind::Unmanaged, detail, held: None, by: None }
}

fn edge(news: News, function: &str) -> Edge {
    let defaults =
        Defaults { account: Some("123456789012".into()), region: Some("us-east-1".into()) };
    Edge {
        news,
        target: Target::parse(function, None, &defaults).unwrap(),
        at: clock(),
        state: State::Drifted,
        reason: "differs",
        matters: vec![matter("rogue")],
        message: None,
        hint: None,
        before: State::InSync,
        since: clock() - SignedDuration::from_hours(1),
    }
}

/// A pass that found this to be new.
fn pass(notifier: &Notifier, edges: &[Edge]) {
    let place = AccountRegion { account: "123456789012".into(), region: "us-east-1".into() };
    let passed = Passed {
        place: &place,
        full: true,
        cut_short: false,
        trigger: "full pass",
        outcomes: &[],
        time: Duration::from_secs(1),
        calls: 1,
        edges,
    };
    notifier.passed(&passed, clock());
}

/// One message about a function.
fn tell(notifier: &Notifier, function: &str) {
    pass(notifier, &[edge(News::DriftFound, function)]);
}

/// The function that a message is about.
fn about(body: &str) -> String {
    let message: serde_json::Value = serde_json::from_str(body).unwrap();
    let arn = message["events"][0]["arn"].as_str().unwrap();
    arn.rsplit(':').next().unwrap().to_owned()
}

/// Sent, failed, dropped.
fn counted(metrics: &Metrics) -> [u64; 3] {
    let text = String::from_utf8(metrics.text(&View::default(), clock(), clock())).unwrap();
    ["sent", "failed", "dropped"].map(|it| {
        let name = format!("permitd_notifications_total{{result=\"{it}\"}} ");
        text.lines().find_map(|it| it.strip_prefix(&name)).unwrap().parse().unwrap()
    })
}
