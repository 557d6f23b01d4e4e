//! Everything that watches the daemon, in one hand: the loop tells it, and it tells the board, the counters and the
//! people.

use std::collections::BTreeMap;
use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::drift::{allow::Mode, outcome::Outcome, undeclared::Undeclared, wanted::Wanted};
use crate::observe::{
    board::{Board, Offer, PassView},
    metrics::{Metrics, succeeded},
    news::Edge,
    notify::Notifier,
    standing::Stage,
};
use crate::policy::target::AccountRegion;

/// A heartbeat older than this means that the loop is stuck.
const YOUNG: Duration = Duration::from_mins(1);

/// Everything that watches the daemon.
#[derive(Debug)]
pub struct Monitor {
    /// How everything stands.
    pub board: Board,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    heart: Mutex<Instant>,
    ready: AtomicBool,
    notifier: OnceLock<Notifier>,
}

/// A pass that is through.
#[derive(Debug)]
pub struct Passed<'a> {
    /// Where.
    pub place: &'a AccountRegion,
    /// Of all targets there.
    pub full: bool,
    /// It was ended before it was through, for a new configuration.
    pub cut_short: bool,
    /// What set it off.
    pub trigger: &'a str,
    /// What came of it.
    pub outcomes: &'a [Outcome],
    /// How long it took.
    pub time: Duration,
    /// Calls of Lambda that it made.
    pub calls: u64,
    /// What it found to be new, in the order in which it was found.
    pub edges: &'a [Edge],
}

impl Default for Monitor {
    fn default() -> Self {
        Self {
            board: Board::default(),
            metrics: Arc::default(),
            heart: Mutex::new(Instant::now()),
            ready: AtomicBool::new(false),
            notifier: OnceLock::new(),
        }
    }
}

impl Monitor {
    /// Tells receivers as well: the first one that is given, for good.
    pub fn with_notifier(&self, notifier: impl FnOnce() -> Notifier) -> &Notifier {
        self.notifier.get_or_init(notifier)
    }

    /// Sends what is left to tell.
    pub async fn close(&self) {
        if let Some(it) = self.notifier.get() {
            it.close().await;
        }
    }

    /// The loop is alive.
    pub fn beat(&self) {
        *self.heart.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The loop was alive not long ago.
    pub fn is_alive(&self) -> bool {
        self.heart.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < YOUNG
    }

    /// A valid configuration is loaded and the listener is bound: ready for good.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// Whether that was so once.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// A configuration is in force.
    pub fn configured(&self, wanted: &[Wanted], mode: Mode, now: Timestamp) {
        self.board.configured(wanted, mode, now);
    }

    /// A configuration was not usable, and the old one stays.
    pub fn refused(&self, why: String, now: Timestamp) {
        self.board.refused(why, now);
    }

    /// Something was found out about a target; tells what is new.
    pub fn take(&self, outcome: &Outcome, stage: Stage, now: Timestamp) -> Vec<Edge> {
        self.board.take(outcome, stage, now)
    }

    /// What is known of functions that no file names.
    pub fn discovered(
        &self,
        undeclared: Vec<Undeclared>,
        unlisted: BTreeMap<AccountRegion, String>,
    ) {
        self.board.discovered(undeclared, unlisted);
    }

    /// A full pass of a place has started, and when the next one will.
    pub fn started(&self, place: &AccountRegion, now: Timestamp, next: Timestamp) {
        self.board.full_pass_started(place, now, next);
    }

    /// The queue of events answered, or this is why it did not.
    pub fn events(&self, trouble: Option<String>, now: Timestamp) {
        self.board.events(trouble, now);
    }

    /// A pass is through.
    pub fn passed(&self, passed: &Passed<'_>, now: Timestamp) {
        let Passed { place, full, cut_short, trigger, outcomes, time, calls, edges } = *passed;
        if let Some(it) = self.notifier.get() {
            it.passed(passed, now);
        }
        self.metrics.passed(passed);
        for it in edges {
            self.metrics.edge(it, trigger);
        }
        if !full || cut_short {
            return;
        }
        let successful = outcomes.iter().all(succeeded);
        let (seconds, targets) = (time.as_secs_f64(), outcomes.len());
        let pass = PassView { at: now, seconds, targets, calls, successful };
        self.board.full_pass_done(place, pass);
    }

    /// What waits for people now.
    pub fn waiting(&self, offers: Vec<Offer>, pauses: Vec<crate::journal::pause::Pause>) {
        self.board.waiting(offers, pauses);
    }
}
