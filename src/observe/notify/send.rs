//! One receiver's messages, one after the other, each again and again until it is taken or nothing helps.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Answer, Post, Queue, Request, Waiting, sign};

/// Attempts of one message after the first: the last is made about twenty minutes after it.
const AGAIN: usize = 12;
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_mins(5);

/// Until the daemon stops, and then what is left.
pub(super) async fn all(
    queue: &Queue,
    post: &dyn Post,
    clock: fn() -> Timestamp,
    closing: &CancellationToken,
) {
    loop {
        // It stays in the queue until it is through, so that what is not sent in the end is counted.
        let next = queue.waiting().front().cloned();
        if let Some(it) = next {
            deliver(queue, &it, post, clock).await;
            queue.waiting().retain(|known| known.id != it.id);
            continue;
        }
        if closing.is_cancelled() {
            return;
        }
        tokio::select! {
            () = queue.bell.notified() => {}
            () = closing.cancelled() => {}
        }
    }
}

async fn deliver(queue: &Queue, waiting: &Waiting, post: &dyn Post, clock: fn() -> Timestamp) {
    let (receiver, delivery) = (queue.receiver.name(), waiting.id.as_str());
    let backoff = ExponentialBuilder::default()
        .with_min_delay(LEAST)
        .with_max_delay(MOST)
        .with_factor(2.0)
        .with_max_times(AGAIN)
        .build();
    let mut pauses = backoff.into_iter();
    let mut told = false;
    loop {
        let limit = queue.receiver.timeout;
        let result = timeout(limit, post.post(request(queue, waiting, clock()))).await;
        let (error, asked) = match result {
            Ok(Ok(Answer { status: 200..=299, .. })) => {
                tracing::debug!(receiver, delivery, "notification sent");
                return;
            }
            Ok(Ok(Answer { status, retry_after })) => {
                let error = format!("it answers with status {status}");
                if status != 429 && status != 408 && status < 500 {
                    let hint = "check the URL of this receiver and what it takes";
                    tracing::error!(receiver, delivery, error, hint, "notification refused");
                    return;
                }
                (error, retry_after)
            }
            Ok(Err(error)) => (error, None),
            Err(_) => (format!("no answer within {} s", limit.as_secs()), None),
        };
        let Some(pause) = pauses.next() else {
            tracing::error!(receiver, delivery, error, "notification given up");
            return;
        };
        let pause = asked.map_or(pause, |it| it.clamp(LEAST, MOST));
        if !told {
            told = true;
            tracing::warn!(receiver, delivery, error, "notification not sent yet, will try again");
        }
        sleep(pause).await;
    }
}

/// Signed for this attempt, so that a receiver can refuse what is old.
fn request(queue: &Queue, waiting: &Waiting, now: Timestamp) -> Request {
    let receiver = &queue.receiver;
    let timestamp = now.as_second().to_string();
    let mut headers = vec![(sign::DELIVERY, waiting.id.clone())];
    let key = receiver.secret.as_deref();
    if let Some(it) = key.and_then(|it| sign::signature(it, &timestamp, &waiting.body)) {
        headers.push((sign::SIGNATURE, it));
    }
    headers.push((sign::TIMESTAMP, timestamp));
    let (url, body, timeout) = (receiver.url.clone(), waiting.body.clone(), receiver.timeout);
    Request { url, headers, body, timeout }
}
