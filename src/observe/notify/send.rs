//! One receiver's messages, one after the other, each again and again until it is taken or nothing helps.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Answer, Post, Request,
    queue::{Fate, Queue, Waiting},
    sign,
};

/// Attempts of one message after the first: the last is made about twenty minutes after it.
pub(super) const AGAIN: usize = 12;
const LEAST: Duration = Duration::from_secs(1);
pub(super) const LONGEST: Duration = Duration::from_mins(5);

/// Until the daemon stops, and then what is left, each once.
pub(super) async fn all(
    queue: &Queue,
    post: &dyn Post,
    clock: fn() -> Timestamp,
    closing: &CancellationToken,
) {
    loop {
        if let Some(it) = queue.next() {
            let fate = deliver(queue, &it, post, clock, closing).await;
            queue.done(fate);
        } else if closing.is_cancelled() {
            return;
        } else {
            tokio::select! {
                () = queue.rung() => {}
                () = closing.cancelled() => {}
            }
        }
    }
}

async fn deliver(
    queue: &Queue,
    waiting: &Waiting,
    post: &dyn Post,
    clock: fn() -> Timestamp,
    closing: &CancellationToken,
) -> Fate {
    let delivery = waiting.id.as_str();
    let backoff = ExponentialBuilder::default()
        .with_min_delay(LEAST)
        .with_max_delay(LONGEST)
        .with_factor(2.0)
        .with_max_times(AGAIN)
        .build();
    let mut pauses = backoff.into_iter();
    let mut told = false;
    loop {
        // Whoever is told may have changed since: a reload takes over what waits.
        let receiver = queue.receiver();
        let name = receiver.name();
        let attempt = async {
            let request = request(queue, waiting, clock).await;
            post.post(request).await
        };
        let (error, asked) = match timeout(receiver.timeout, attempt).await {
            Ok(Ok(Answer { status: 200..=299, .. })) => {
                tracing::debug!(receiver = name, delivery, "notification sent");
                return Fate::Sent;
            }
            Ok(Ok(Answer { status, retry_after })) => {
                let error = format!("it answers with status {status}");
                if !matches!(status, 408 | 425 | 429 | 500..) {
                    let hint = "check the URL of this receiver, and what it takes";
                    tracing::error!(receiver = name, delivery, error, hint, "notification refused");
                    return Fate::Failed;
                }
                (error, retry_after)
            }
            Ok(Err(error)) => (error, None),
            Err(_) => (format!("no answer within {} s", receiver.timeout.as_secs()), None),
        };
        let next = pauses.next().filter(|_| !closing.is_cancelled());
        let Some(pause) = next else {
            tracing::error!(receiver = name, delivery, error, "notification given up");
            return Fate::Failed;
        };
        let pause = asked.map_or(pause, |it| it.clamp(LEAST, LONGEST));
        if !told {
            told = true;
            tracing::warn!(
                receiver = name,
                delivery,
                error,
                "notification not sent yet; it is tried again"
            );
        }
        // At the end everything gets one more chance at once.
        tokio::select! {
            () = sleep(pause) => {}
            () = closing.cancelled() => {}
        }
    }
}

/// Signed for this attempt, so that a receiver can refuse what is old.
async fn request(queue: &Queue, waiting: &Waiting, clock: fn() -> Timestamp) -> Request {
    let receiver = queue.receiver();
    let url = String::from_utf8_lossy(&receiver.url.now().await).into_owned();
    let timestamp = clock().as_second().to_string();
    let mut headers = vec![(sign::DELIVERY, waiting.id.clone())];
    if let Some(secret) = &receiver.secret
        && let Some(it) = sign::signature(&secret.now().await, &timestamp, &waiting.body)
    {
        headers.push((sign::SIGNATURE, it));
    }
    headers.push((sign::TIMESTAMP, timestamp));
    Request { url, headers, body: waiting.body.clone() }
}
