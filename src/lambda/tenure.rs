//! Until when this process may write, where several of them take turns: no write is started whose time would pass that
//! end.
//!
//! Who takes turns how is none of this file's business: somebody sets the end, and the last thing that a write does
//! before it leaves, when it has waited for its budget, is to ask here. All of it is on the monotonic clock.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use crate::lambda::gateway::{GatewayError, Recovery, codes};

/// How long a write may take; Lambda answers one within a second, as a rule.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// A removal that opens a gap leaves time for the write that closes it.
pub const GAP_TIMEOUT: Duration = WRITE_TIMEOUT.saturating_mul(2);

/// Until when this process may write. Cheap to clone: all of them are the same.
#[derive(Debug, Clone)]
pub struct Tenure(Arc<watch::Sender<Option<Instant>>>);

impl Default for Tenure {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

/// Whether a write that takes so long at most may start now. `until` and `now` are of one clock that only goes forward.
pub fn may_start(until: Option<Duration>, now: Duration, needs: Duration) -> bool {
    until.is_some_and(|until| now + needs <= until)
}

impl Tenure {
    /// It lasts until then, if nobody says otherwise before; none: it is over.
    pub fn set(&self, until: Option<Instant>) {
        self.0.send_if_modified(|it| std::mem::replace(it, until) != until);
    }

    /// It has not ended.
    pub fn is_held(&self) -> bool {
        self.0.borrow().is_some_and(|it| Instant::now() < it)
    }

    /// Waits until it is held, if it is not, or has ended, if it is. Cancel-safe.
    pub async fn changes_from(&self, held: bool) {
        let mut end = self.0.subscribe();
        loop {
            let until = *end.borrow_and_update();
            if self.is_held() != held {
                return;
            }
            let ends = async {
                match until.filter(|_| held) {
                    Some(it) => sleep_until(it).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ends => {}
                // We hold the sender.
                _ = end.changed() => {}
            }
        }
    }

    /// Waits until a write may start that takes so long at most: where the time left is too short, until it was
    /// prolonged. An error once the tenure is over; nothing was sent then.
    pub async fn may_start(&self, needs: Duration) -> Result<(), GatewayError> {
        let mut end = self.0.subscribe();
        loop {
            let until = *end.borrow_and_update();
            let Some(until) = until.filter(|it| Instant::now() < *it) else { return Err(over()) };
            let left = until.saturating_duration_since(Instant::now());
            if may_start(Some(left), Duration::ZERO, needs) {
                return Ok(());
            }
            tokio::select! {
                () = sleep_until(until) => {}
                _ = end.changed() => {}
            }
        }
    }
}

/// A write that was let go, and the most that it may take. Whether it was done is not known when that is over.
pub async fn within<T>(
    call: impl Future<Output = Result<T, GatewayError>>,
) -> Result<T, GatewayError> {
    let late = || {
        let message = format!("no answer within {} s", WRITE_TIMEOUT.as_secs());
        Err(GatewayError {
            recovery: Recovery::Unknown,
            status: None,
            code: None,
            message,
            request_id: None,
        })
    };
    timeout(WRITE_TIMEOUT, call).await.unwrap_or_else(|_| late())
}

fn over() -> GatewayError {
    GatewayError {
        recovery: Recovery::Unreachable,
        status: None,
        code: Some(codes::NOT_LEADING.to_owned()),
        message: "not sent: this permitd does not lead any more".to_owned(),
        request_id: None,
    }
}

#[cfg(test)]
mod tests;
