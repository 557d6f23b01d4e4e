//! The end of a command by a signal.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Exit, Signal};

/// Listens for SIGINT and SIGTERM: the first lets the write in flight finish, the second ends at once.
pub(crate) fn stop_on_signals() -> Stopping {
    let stopping = Stopping { token: CancellationToken::new(), signal: Arc::default() };
    let (token, slot) = (stopping.token.clone(), Arc::clone(&stopping.signal));
    // From here on, and not only from when the task below first runs.
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return stopping;
    };
    tokio::spawn(async move {
        loop {
            // Both are cancel-safe: a signal that was not taken is given again.
            let signal = tokio::select! {
                Some(()) = interrupt.recv() => Signal::Interrupt,
                Some(()) = terminate.recv() => Signal::Terminate,
                else => return,
            };
            if token.is_cancelled() {
                abort(signal);
            }
            let name = if signal == Signal::Interrupt { "SIGINT" } else { "SIGTERM" };
            tracing::info!("{name}: finishing what is in flight; a second one ends at once");
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(signal);
            token.cancel();
        }
    });
    stopping
}

#[expect(clippy::exit, reason = "a second signal means now, whatever is in flight")]
fn abort(signal: Signal) {
    std::process::exit(i32::from(Exit::Interrupted(signal).code()));
}

/// What a signal sets.
#[derive(Debug, Clone)]
pub(crate) struct Stopping {
    /// Cancelled by the first signal.
    pub(crate) token: CancellationToken,
    signal: Arc<Mutex<Option<Signal>>>,
}

impl Stopping {
    /// The signal that came, if one did.
    pub(crate) fn signal(&self) -> Option<Signal> {
        *self.signal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
