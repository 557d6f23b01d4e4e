//! Webhooks: people and programs are told what is new, once, without anybody waiting for them.
//!
//! Each receiver has a bounded queue and a task of its own. A pass puts its message into the queues, and goes on.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::observe::{metrics::Metrics, monitor::Passed, news::News};
use kept::Kept;
use queue::{Queue, Waiting};

pub mod kept;
pub mod message;
#[cfg(feature = "aws")]
pub mod post;
mod queue;
mod send;
pub mod sign;

/// How long what is left may take when the daemon stops.
const LAST: Duration = Duration::from_secs(5);

/// The form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For programs.
    Json,
    /// The text of an incoming webhook of Slack.
    Slack,
}

/// Who is told.
#[derive(Debug)]
pub struct Receiver {
    /// Where to; never shown.
    pub url: Kept,
    /// In which form.
    pub format: Format,
    /// What messages are signed with; never shown.
    pub secret: Option<Kept>,
    /// What is told.
    pub events: Vec<News>,
    /// How long one attempt may take.
    pub timeout: Duration,
}

impl Receiver {
    /// Scheme and host: what may be shown of the URL.
    pub fn name(&self) -> String {
        let url = String::from_utf8_lossy(&self.url.last()).into_owned();
        let Some((scheme, rest)) = url.split_once("://") else { return String::new() };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        format!("{scheme}://{host}")
    }

    /// What waits for the one is meant for the other.
    fn is_same(&self, other: &Self) -> bool {
        self.format == other.format && self.url.is_same(&other.url)
    }
}

/// A message on its way.
pub struct Request {
    /// Where to; never shown.
    pub url: String,
    /// Besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("body", &self.body).finish_non_exhaustive()
    }
}

/// What the receiver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long to wait before the next attempt, if it says so.
    pub retry_after: Option<Duration>,
}

/// What carries messages.
pub trait Post: fmt::Debug + Send + Sync + 'static {
    /// One attempt; an error is told without the URL. Who asks gives it up after a while.
    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, String>>;
}

/// All receivers.
#[derive(Debug)]
pub struct Notifier {
    post: Arc<dyn Post>,
    metrics: Arc<Metrics>,
    clock: fn() -> Timestamp,
    lines: Mutex<Vec<Line>>,
    closing: CancellationToken,
}

/// One receiver, and the task that sends.
#[derive(Debug)]
struct Line {
    queue: Arc<Queue>,
    task: JoinHandle<()>,
}

impl Notifier {
    /// Without receivers.
    pub fn new(post: Arc<dyn Post>, metrics: Arc<Metrics>, clock: fn() -> Timestamp) -> Self {
        let (lines, closing) = (Mutex::default(), CancellationToken::new());
        Self { post, metrics, clock, lines, closing }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on these are told. What waits for one that was there already stays.
    pub fn take_over(&self, receivers: Vec<Receiver>) {
        let mut lines = self.lines();
        let mut before = std::mem::take(&mut *lines);
        for receiver in receivers {
            match before.iter().position(|it| it.queue.receiver().is_same(&receiver)) {
                Some(at) => {
                    let known = before.swap_remove(at);
                    known.queue.set_receiver(receiver);
                    lines.push(known);
                }
                None => lines.push(self.start(receiver)),
            }
        }
        drop(lines);
        for Line { queue, task } in before {
            task.abort();
            queue.give_up("this receiver is not in the settings any more");
        }
    }

    fn start(&self, receiver: Receiver) -> Line {
        let queue = Arc::new(Queue::new(receiver, Arc::clone(&self.metrics)));
        let (line, post) = (Arc::clone(&queue), Arc::clone(&self.post));
        let (clock, closing) = (self.clock, self.closing.clone());
        let task =
            tokio::spawn(async move { send::all(&line, post.as_ref(), clock, &closing).await });
        Line { queue, task }
    }

    /// Tells what a pass found to be new. Waits for nobody.
    pub fn passed(&self, passed: &Passed<'_>, now: Timestamp) {
        if passed.edges.is_empty() {
            return;
        }
        for Line { queue, .. } in &*self.lines() {
            let receiver = queue.receiver();
            let told = passed.edges.iter().filter(|it| receiver.events.contains(&it.news));
            let edges: Vec<_> = told.collect();
            if edges.is_empty() {
                continue;
            }
            let id = uuid::Uuid::new_v4().to_string();
            let place = passed.place.to_string();
            let body = match receiver.format {
                Format::Json => message::json(&id, &place, passed.trigger, &edges, now),
                Format::Slack => message::slack(&place, &edges),
            };
            queue.push(Waiting { id, body });
        }
    }

    /// Sends what is left, as far as that is quick, and ends.
    pub async fn close(&self) {
        self.closing.cancel();
        let lines = std::mem::take(&mut *self.lines());
        let end = Instant::now() + LAST;
        for Line { queue, mut task } in lines {
            if timeout_at(end, &mut task).await.is_err() {
                task.abort();
            }
            queue.give_up("the daemon stops");
        }
    }
}

#[cfg(test)]
mod tests;
