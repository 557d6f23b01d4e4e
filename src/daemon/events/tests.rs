//! The listener, with a paused clock and a queue that behaves like SQS.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::{sync::Notify, time::Instant};

use super::*;
use crate::lambda::gateway::Recovery;

/// How long SQS hides a message that was received.
const HIDDEN: Duration = Duration::from_secs(30);
/// How long a receive waits for one.
const LONG_POLL: Duration = Duration::from_secs(20);

/// At least once, in no order, hidden for a while.
#[derive(Debug, Default)]
pub(crate) struct FakeQueue {
    inner: Mutex<Inner>,
    sent: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    messages: Vec<(Message, Instant)>,
    broken: Option<GatewayError>,
    undeletable: bool,
    no_dead_letters: bool,
    deleted: Vec<String>,
    receives: usize,
    n: usize,
}

impl FakeQueue {
    pub(crate) fn send(&self, body: &str) {
        let mut inner = self.inner.lock().unwrap();
        inner.n += 1;
        let (id, receipt) = (format!("m-{}", inner.n), String::new());
        let message = Message { id, receipt, body: body.to_owned() };
        inner.messages.push((message, Instant::now()));
        drop(inner);
        self.sent.notify_one();
    }

    pub(crate) fn broken(&self, error: Option<GatewayError>) {
        self.inner.lock().unwrap().broken = error;
        self.sent.notify_one();
    }

    pub(crate) fn without_dead_letters(&self) {
        self.inner.lock().unwrap().no_dead_letters = true;
    }

    pub(crate) fn undeletable(&self, it: bool) {
        self.inner.lock().unwrap().undeletable = it;
    }

    /// The ids of what was deleted, since the last time.
    pub(crate) fn deleted(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.lock().unwrap().deleted)
    }

    pub(crate) fn left(&self) -> usize {
        self.inner.lock().unwrap().messages.len()
    }

    pub(crate) fn receives(&self) -> usize {
        std::mem::take(&mut self.inner.lock().unwrap().receives)
    }

    fn take(&self) -> Result<Vec<Message>, GatewayError> {
        let mut inner = self.inner.lock().unwrap();
        if let Some(it) = &inner.broken {
            return Err(it.clone());
        }
        let now = Instant::now();
        let visible = inner.messages.iter_mut().filter(|(_, from)| *from <= now).take(10);
        let take = |(message, from): &mut (Message, Instant)| {
            *from = now + HIDDEN;
            message.clone()
        };
        Ok(visible.map(take).collect())
    }
}

impl Queue for FakeQueue {
    async fn receive(&self) -> Result<Vec<Message>, GatewayError> {
        self.inner.lock().unwrap().receives += 1;
        let end = Instant::now() + LONG_POLL;
        loop {
            let messages = self.take()?;
            if !messages.is_empty() || Instant::now() >= end {
                return Ok(messages);
            }
            let next = self.inner.lock().unwrap().messages.iter().map(|(_, from)| *from).min();
            let wake = next.map_or(end, |it| it.min(end));
            tokio::select! {
                () = self.sent.notified() => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    async fn delete(&self, messages: &[Message]) -> Result<(), GatewayError> {
        let mut inner = self.inner.lock().unwrap();
        if inner.undeletable {
            return Err(denied());
        }
        for it in messages {
            inner.messages.retain(|(message, _)| message.id != it.id);
            inner.deleted.push(it.id.clone());
        }
        Ok(())
    }

    async fn has_dead_letters(&self) -> Result<bool, GatewayError> {
        let inner = self.inner.lock().unwrap();
        inner.broken.clone().map_or(Ok(!inner.no_dead_letters), Err)
    }
}

pub(crate) fn denied() -> GatewayError {
    GatewayError {
        recovery: Recovery::Denied,
        status: Some(403),
        code: Some("AccessDeniedException".into()),
        message: "not authorized to perform: sqs:ReceiveMessage".into(),
        request_id: None,
    }
}

/// What EventBridge sends when somebody removes the statement `sid` of the policy of a function.
pub(crate) fn event(id: &str, function: &str, sid: &str, at: Timestamp) -> Value {
    json!({
        "id": format!("b-{id}"), "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda",
        "detail": {
            "eventSource": "lambda.amazonaws.com", "eventName": "RemovePermission20150331v2",
            "eventTime": at.to_string(), "awsRegion": "us-east-1",
            "recipientAccountId": "123456789012", "eventID": id, "requestID": format!("r-{id}"),
            "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2",
            "requestParameters": {"functionName": function, "statementId": sid},
            "userIdentity": {"arn": "arn:aws:iam::123456789012:user/eve"},
        },
    })
}

fn clock() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// Listens beside a story. What is heard is noted at once.
async fn beside<F: Future<Output = ()>>(
    queue: &FakeQueue,
    monitor: &Monitor,
    story: impl FnOnce(Arc<Mutex<Vec<Batch2>>>) -> F,
) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let stop = CancellationToken::new();
    let (to, mut from) = mpsc::channel::<Batch>(1);
    let note = async {
        while let Some(Batch { changes, unclear, flows, noted }) = from.recv().await {
            heard.lock().unwrap().push(Batch2 {
                changes: changes.len(),
                unclear: unclear.len(),
                flows,
            });
            noted.send(()).unwrap_or_default();
        }
    };
    let story = async {
        story(Arc::clone(&heard)).await;
        stop.cancel();
    };
    tokio::join!(Listener::new(queue, monitor, clock).listen(to, &stop), note, story);
}

/// How many of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Batch2 {
    changes: usize,
    unclear: usize,
    flows: bool,
}

async fn sleep(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn counted(monitor: &Monitor, result: &str) -> String {
    let text = monitor.metrics.text(&monitor.board.view(), clock(), clock());
    let text = String::from_utf8(text).unwrap();
    let begin = format!("permitd_events_received_total{{result=\"{result}\"}} ");
    text.lines().find_map(|it| it.strip_prefix(&begin)).unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_told_once_however_often_it_comes_and_then_deleted() {
    let (queue, monitor) = (FakeQueue::default(), Monitor::default());
    beside(&queue, &monitor, async |heard| {
        sleep(1).await;
        for _ in 0..3 {
            queue.send(&event("e", "f", "a", clock()).to_string());
        }
        sleep(1).await;
        queue.send(&event("e", "f", "a", clock()).to_string());
        sleep(1).await;
        let told: usize = heard.lock().unwrap().iter().map(|it| it.changes).sum();
        assert_eq!((told, queue.left()), (1, 0), "{heard:?}");
        assert_eq!(counted(&monitor, "duplicate"), "3");
    })
    .await;
}

/// A loop that ends before it has noted an event leaves it for the next process.
#[tokio::test(start_paused = true)]
async fn what_was_not_noted_is_not_deleted() {
    let (queue, monitor) = (FakeQueue::default(), Monitor::default());
    queue.send(&event("e", "f", "a", clock()).to_string());
    let stop = CancellationToken::new();
    let (to, mut from) = mpsc::channel::<Batch>(1);
    let forget = async {
        drop(from.recv().await);
    };
    tokio::join!(Listener::new(&queue, &monitor, clock).listen(to, &stop), forget);
    assert_eq!((queue.left(), queue.deleted().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_is_left_and_does_not_stand_in_the_way() {
    let (queue, monitor) = (FakeQueue::default(), Monitor::default());
    for n in 0..100 {
        let other = json!({"source": "aws.s3", "detail-type": "x", "detail": {"n": n}});
        queue.send(&other.to_string());
    }
    queue.send("poison");
    queue.send(&event("e", "f", "a", clock()).to_string());
    beside(&queue, &monitor, async |heard| {
        sleep(25).await;
        assert_eq!(heard.lock().unwrap().iter().map(|it| it.changes).sum::<usize>(), 1);
        assert_eq!((queue.left(), queue.deleted()), (101, vec!["m-102".to_owned()]));
        assert_eq!(counted(&monitor, "other_service"), "100");
        assert_eq!(counted(&monitor, "invalid"), "1");
        let flows = heard.lock().unwrap().iter().filter(|it| it.flows).count();
        assert_eq!(flows, 1, "a queue of others is of no use: {heard:?}");
        queue.receives();
        sleep(3600).await;
        assert!(queue.receives() <= 1800, "they are not hidden from their readers all the time");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn trouble_is_seen_and_tried_again_ever_more_rarely_and_ends() {
    let (queue, monitor) = (FakeQueue::default(), Monitor::default());
    let trouble = || monitor.board.view().events.and_then(|it| it.trouble);
    queue.broken(Some(denied()));
    beside(&queue, &monitor, async |heard| {
        sleep(3600).await;
        let n = queue.receives();
        assert!((60..=70).contains(&n), "{n} attempts");
        assert_eq!(trouble().unwrap().1, denied().to_string());
        assert!(heard.lock().unwrap().is_empty(), "nothing flows");
        queue.broken(None);
        sleep(60 + 20).await;
        assert_eq!(trouble(), None);
        queue.undeletable(true);
        queue.send(&event("e", "f", "a", clock()).to_string());
        sleep(1).await;
        assert!(trouble().is_some(), "it cannot be deleted");
        sleep(600).await;
        let told: usize = heard.lock().unwrap().iter().map(|it| it.changes).sum();
        assert_eq!(told, 1, "and is told once all the same");
        queue.undeletable(false);
        sleep(100).await;
        assert_eq!((trouble(), queue.left()), (None, 0));
    })
    .await;
}

#[test]
fn lag_is_never_negative() {
    let later = clock() + SignedDuration::from_secs(5);
    assert_eq!(lag(clock(), later), Duration::from_secs(5));
    assert_eq!(lag(later, clock()), Duration::ZERO);
}
