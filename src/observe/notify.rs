//! Webhooks: people and programs are told what is new, once, without anybody waiting for them.
//!
//! Each receiver has a bounded queue and a task of its own. A pass puts its message into the queues, and goes on.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::{sync::Notify as Bell, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::config::settings::notify::Format;
use crate::observe::{monitor::Passed, news::News};

pub mod message;
#[cfg(feature = "aws")]
pub mod post;
mod send;
pub mod sign;

/// So many messages wait for one receiver; then the oldest is dropped.
const QUEUE: usize = 100;
/// How long what is left may take when the daemon stops.
const LAST: Duration = Duration::from_secs(5);

/// Who is told.
#[derive(Clone)]
pub struct Receiver {
    /// Where to; never shown.
    pub url: String,
    /// In which form.
    pub format: Format,
    /// What messages are signed with; never shown.
    pub secret: Option<Vec<u8>>,
    /// What is told.
    pub events: Vec<News>,
    /// How long one attempt may take.
    pub timeout: Duration,
}

impl Receiver {
    /// Scheme and host: what may be shown of the URL.
    pub fn name(&self) -> &str {
        let path = self.url.find("://").map_or(0, |it| it + 3);
        let rest = self.url.get(path..).unwrap_or_default();
        let end = rest.find(['/', '?', '#']).map_or(self.url.len(), |it| path + it);
        self.url.get(..end).unwrap_or_default()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("url", &self.name()).finish_non_exhaustive()
    }
}

/// A message on its way.
pub struct Request {
    /// Where to.
    pub url: String,
    /// Besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
    /// How long it may take.
    pub timeout: Duration,
}

/// What the receiver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long to wait before the next attempt, if it says so.
    pub retry_after: Option<Duration>,
}

/// What carries messages. An error is told without the URL.
pub trait Post: fmt::Debug + Send + Sync + 'static {
    /// One attempt.
    fn post(&self, request: Request) -> BoxFuture<'_, Result<Answer, String>>;
}

/// All receivers.
#[derive(Debug)]
pub struct Notifier {
    queues: Vec<Arc<Queue>>,
    tasks: tokio::sync::Mutex<JoinSet<()>>,
    closing: CancellationToken,
}

/// What waits for one receiver.
#[derive(Debug)]
struct Queue {
    receiver: Receiver,
    waiting: Mutex<VecDeque<Waiting>>,
    bell: Bell,
}

/// A message that waits. Its id stays over all attempts.
#[derive(Debug, Clone)]
struct Waiting {
    id: String,
    body: String,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, it: Waiting) {
        let mut waiting = self.waiting();
        if waiting.len() >= QUEUE {
            waiting.pop_front();
            let receiver = self.receiver.name();
            tracing::warn!(receiver, "notification dropped, for too many wait");
        }
        waiting.push_back(it);
        drop(waiting);
        self.bell.notify_one();
    }
}

impl Notifier {
    /// Begins to wait for messages.
    pub fn start(receivers: Vec<Receiver>, post: &Arc<dyn Post>, clock: fn() -> Timestamp) -> Self {
        let closing = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let queue = |receiver| {
            let (waiting, bell) = (Mutex::default(), Bell::new());
            Arc::new(Queue { receiver, waiting, bell })
        };
        let queues: Vec<Arc<Queue>> = receivers.into_iter().map(queue).collect();
        for queue in &queues {
            let (queue, post, closing) = (Arc::clone(queue), Arc::clone(post), closing.clone());
            tasks.spawn(async move { send::all(&queue, post.as_ref(), clock, &closing).await });
        }
        Self { queues, tasks: tokio::sync::Mutex::new(tasks), closing }
    }

    /// Tells what a pass found to be new. Waits for nobody.
    pub fn passed(&self, passed: &Passed<'_>, now: Timestamp) {
        for queue in &self.queues {
            let receiver = &queue.receiver;
            let edges: Vec<_> =
                passed.edges.iter().filter(|it| receiver.events.contains(&it.news)).collect();
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
        let mut tasks = self.tasks.lock().await;
        let all = async { while tasks.join_next().await.is_some() {} };
        if timeout(LAST, all).await.is_err() {
            tasks.abort_all();
            for queue in &self.queues {
                let (receiver, waiting) = (queue.receiver.name(), queue.waiting().len());
                if waiting > 0 {
                    tracing::warn!(receiver, waiting, "notifications not sent before the end");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
