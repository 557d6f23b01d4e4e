//! Events from a queue: CloudTrail's records of who changed what, for the loop, which looks at it at once.
//!
//! A hint, and never more: what an event says is not believed, only looked at, and full passes go on without any. What
//! is read here is deleted when the loop has noted it. What is not ours, or no event at all, is left where it is: the
//! queue's redrive policy takes it to the dead-letter queue, and a queue that was named by mistake loses nothing.

pub mod record;
mod seen;
mod told;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::daemon::clock::Clock;
use crate::lambda::{
    gateway::GatewayError,
    queue::{Message, Queue},
};
use crate::observe::monitor::Monitor;
use crate::policy::target::AccountRegion;

use record::{Change, Record};
use seen::Seen;
use told::Told;

/// What a receive brought, for the loop.
#[derive(Debug)]
pub struct Batch {
    /// What was changed, each event once.
    pub changes: Vec<Change>,
    /// A policy was changed here, and which one cannot be told; none: not even where.
    pub unclear: Vec<Option<AccountRegion>>,
    /// The queue works: it is empty, or there are events of Lambda in it.
    pub flows: bool,
    /// To say that all of it was noted: then it is deleted.
    pub noted: oneshot::Sender<()>,
}

/// What is left of messages that are nothing to us.
#[derive(Debug, Default)]
struct Sorted {
    changes: Vec<Change>,
    unclear: Vec<Option<AccountRegion>>,
    /// Those that were dealt with once the loop has noted what they say.
    ours: Vec<Message>,
    /// The ids of what is told now for the first time.
    ids: Vec<String>,
    others: usize,
}

/// After a failure, and after messages of others.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
const MOST_PAUSE: Duration = Duration::from_mins(1);
/// Nobody else's messages are hidden from their readers faster than that; ours among them come none the later.
const PAUSE_FOR_OTHERS: Duration = Duration::from_secs(2);

/// Listens to a queue.
#[derive(Debug)]
pub struct Listener<'a, Q> {
    queue: &'a Q,
    monitor: &'a Monitor,
    clock: Clock,
    seen: Seen,
    told: Told,
}

impl<'a, Q: Queue> Listener<'a, Q> {
    /// To this queue.
    pub fn new(queue: &'a Q, monitor: &'a Monitor, clock: Clock) -> Self {
        Self { queue, monitor, clock, seen: Seen::default(), told: Told::default() }
    }

    /// Until it is stopped, or nobody wants to hear it any more. Trouble with the queue is told, and it goes on.
    pub async fn listen(mut self, to: mpsc::Sender<Batch>, stop: &CancellationToken) {
        let mut pauses = pauses();
        let mut asked = false;
        loop {
            let received = tokio::select! {
                it = self.queue.receive() => it,
                () = stop.cancelled() => return,
            };
            let pause = match received {
                Ok(messages) => {
                    if !std::mem::replace(&mut asked, true) {
                        self.see_where_dead_letters_go().await;
                    }
                    let sorted = self.sort(messages);
                    let (only_others, ours) = (sorted.is_of_others(), sorted.ours.clone());
                    let Some(()) = self.hand_over(sorted, &to, stop).await else { return };
                    match self.delete(&ours).await {
                        Ok(()) => {
                            self.told.works();
                            self.monitor.events(None, (self.clock)());
                            pauses = self::pauses();
                            only_others.then_some(PAUSE_FOR_OTHERS)
                        }
                        Err(error) => Some(self.trouble(&error, &mut pauses)),
                    }
                }
                Err(error) => Some(self.trouble(&error, &mut pauses)),
            };
            if let Some(pause) = pause {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = stop.cancelled() => return,
                }
            }
        }
    }

    /// The queue does not work: full passes go on, and it is tried again after this time.
    fn trouble(&mut self, error: &GatewayError, pauses: &mut ExponentialBackoff) -> Duration {
        self.told.trouble(error);
        self.monitor.events(Some(error.to_string()), (self.clock)());
        pauses.next().unwrap_or(MOST_PAUSE)
    }

    /// Who may not know needs not: it only leads to a warning.
    async fn see_where_dead_letters_go(&self) {
        match self.queue.has_dead_letters().await {
            Ok(true) => {}
            Ok(false) => told::no_dead_letters(),
            Err(error) => {
                tracing::debug!(%error, "whether the queue of events has dead letters is not known");
            }
        }
    }

    async fn delete(&self, messages: &[Message]) -> Result<(), GatewayError> {
        if messages.is_empty() { Ok(()) } else { self.queue.delete(messages).await }
    }

    /// None where it is to end.
    async fn hand_over(
        &mut self,
        sorted: Sorted,
        to: &mpsc::Sender<Batch>,
        stop: &CancellationToken,
    ) -> Option<()> {
        let flows = !sorted.is_of_others();
        let Sorted { changes, unclear, ids, .. } = sorted;
        let (noted, heard) = oneshot::channel();
        to.send(Batch { changes, unclear, flows, noted }).await.ok()?;
        tokio::select! {
            it = heard => it.ok()?,
            () = stop.cancelled() => return None,
        }
        for it in ids {
            self.seen.note(it);
        }
        Some(())
    }

    fn sort(&mut self, messages: Vec<Message>) -> Sorted {
        let count = |result: &str| self.monitor.metrics.event(result);
        let mut res = Sorted::default();
        for message in messages {
            match record::read(&message.body) {
                Record::Change(change) => {
                    if res.is_new(&self.seen, change.id.as_ref(), &message) {
                        res.changes.push(*change);
                    } else {
                        count("duplicate");
                    }
                    res.ours.push(message);
                }
                Record::Unclear { id, place, why } => {
                    if res.is_new(&self.seen, id.as_ref(), &message) {
                        count("unclear");
                        self.told.unclear(&why, place.as_ref());
                        res.unclear.push(place);
                    } else {
                        count("duplicate");
                    }
                    res.ours.push(message);
                }
                Record::Harmless => {
                    count("ignored");
                    res.ours.push(message);
                }
                Record::Other(source) => {
                    count("other_service");
                    self.told.other(&source);
                    res.others += 1;
                }
                Record::Unreadable(why) => {
                    count("invalid");
                    self.told.unreadable(&message.id, &why);
                    res.others += 1;
                }
            }
        }
        res
    }
}

impl Sorted {
    /// Nothing but what others are to read.
    fn is_of_others(&self) -> bool {
        self.others > 0 && self.ours.is_empty()
    }

    /// It was not told before, nor in this batch.
    fn is_new(&mut self, seen: &Seen, id: Option<&String>, message: &Message) -> bool {
        // One without an id is only known by that of its message.
        let id = id.unwrap_or(&message.id);
        let is_new = !seen.has(id) && !self.ids.contains(id);
        if is_new {
            self.ids.push(id.clone());
        }
        is_new
    }
}

/// How long ago it happened. Clocks differ: not less than nothing.
pub fn lag(happened: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(happened)).unwrap_or_default()
}

fn pauses() -> ExponentialBackoff {
    let backoff = ExponentialBuilder::default()
        .with_min_delay(LEAST_PAUSE)
        .with_max_delay(MOST_PAUSE)
        .with_factor(2.0)
        .without_max_times();
    backoff.build()
}

#[cfg(test)]
pub(crate) mod tests;
