//! What waits for one receiver: so many messages and no more, the oldest first.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify as Bell;

use super::Receiver;
use crate::observe::metrics::Metrics;

/// So many messages wait for one receiver; then the oldest is dropped.
pub(super) const MOST: usize = 100;

/// A message that waits. Its id stays over all attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: String,
    pub(super) body: String,
}

/// What waits for one receiver.
#[derive(Debug)]
pub(super) struct Queue {
    line: Mutex<Line>,
    receiver: Mutex<Arc<Receiver>>,
    metrics: Arc<Metrics>,
    bell: Bell,
}

#[derive(Debug, Default)]
struct Line {
    /// The first one is on its way.
    under_way: bool,
    messages: VecDeque<Waiting>,
    /// That messages are dropped was told, and the line was not empty since.
    told: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Sent,
    Failed,
}

impl Queue {
    pub(super) fn new(receiver: Receiver, metrics: Arc<Metrics>) -> Self {
        let receiver = Mutex::new(Arc::new(receiver));
        Self { line: Mutex::default(), receiver, metrics, bell: Bell::new() }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the settings have it now.
    pub(super) fn receiver(&self) -> Arc<Receiver> {
        Arc::clone(&self.receiver.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_receiver(&self, receiver: Receiver) {
        *self.receiver.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(receiver);
    }

    /// Waits for nobody. In a full line the oldest makes room, except the one that is on its way.
    pub(super) fn push(&self, it: Waiting) {
        let mut line = self.line();
        let dropped = line.messages.len() >= MOST;
        let first = dropped && !std::mem::replace(&mut line.told, true);
        if dropped {
            let oldest = usize::from(line.under_way);
            line.messages.remove(oldest);
        }
        line.messages.push_back(it);
        drop(line);
        if dropped {
            self.metrics.notified("dropped", 1);
        }
        if first {
            let receiver = self.receiver();
            let receiver = receiver.name();
            tracing::warn!(receiver, "too many notifications wait, and the oldest are dropped");
        }
        self.bell.notify_one();
    }

    /// The oldest, which stays in the line until it is done.
    pub(super) fn next(&self) -> Option<Waiting> {
        let mut line = self.line();
        let next = line.messages.front().cloned();
        line.under_way = next.is_some();
        line.told &= next.is_some();
        next
    }

    /// The first one is through.
    pub(super) fn done(&self, fate: Fate) {
        let mut line = self.line();
        let there = line.messages.pop_front().is_some();
        line.under_way = false;
        drop(line);
        // Somebody gave it up meanwhile, and has counted it.
        if !there {
            return;
        }
        let result = match fate {
            Fate::Sent => "sent",
            Fate::Failed => "failed",
        };
        self.metrics.notified(result, 1);
    }

    /// Until there may be something new.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Nobody sends what is left.
    pub(super) fn give_up(&self, why: &str) {
        let left = std::mem::take(&mut *self.line()).messages.len();
        if left > 0 {
            self.metrics.notified("dropped", left as u64);
            let receiver = self.receiver();
            let receiver = receiver.name();
            tracing::warn!(receiver, left, why, "notifications are not sent");
        }
    }
}
