//! The loop of the daemon: one `select!` over a closed set of events, and the order of shutdown.
//!
//! Every account and region has full passes of its own. Beside them run small passes, for the targets that
//! something says should be looked at now: an expiry, a change of the files, an orphan whose grace is over, a yes.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::daemon::{
    cadence::Cadence,
    clock::Clock,
    control::{Request, server::Reply, server::Server},
    events::Batch,
    mind::Mind,
    scribe::Scribe,
    systemd::Systemd,
    watch::Heard,
};
use crate::drift::{allow::Rules, outcome::Outcome, wanted::Wanted};
use crate::lambda::{gateway::PolicyGateway, tenure::Tenure};
use crate::observe::monitor::Monitor;
use crate::policy::target::{AccountRegion, Target};

mod hearsay;
mod leading;
mod orders;
mod passes;
mod reminders;
mod renew;

use hearsay::Hearsay;
use passes::Ended;
use reminders::Reminders;

/// A configuration that is in force.
#[derive(Debug)]
pub struct Loaded {
    /// Sorted by target.
    pub wanted: Vec<Wanted>,
    /// What may be done.
    pub rules: Rules,
    /// How often.
    pub cadence: Cadence,
    /// How many targets the files have, also beside the ones that were asked for.
    pub n_targets: usize,
}

/// What the daemon works with.
#[derive(Debug)]
pub struct Daemon<'a, G> {
    /// Lambda.
    pub gateway: &'a G,
    /// What time it is.
    pub clock: Clock,
    /// Where every write is taken down before it leaves.
    pub scribe: &'a Scribe,
    /// From pass to pass.
    pub mind: &'a Mind,
    /// Ends it, after what is in flight.
    pub stop: &'a CancellationToken,
    /// Who watches it.
    pub monitor: &'a Monitor,
    /// Who starts, stops and restarts it.
    pub systemd: &'a Systemd,
    /// Passes are made while this lasts; none: always.
    pub tenure: Option<&'a Tenure>,
}

impl<G> Daemon<'_, G> {
    /// This one acts, and does not stand by for another.
    fn leads(&self) -> bool {
        self.tenure.is_none_or(Tenure::is_held)
    }

    /// Waits until it acts, or does not any more. Cancel-safe.
    async fn leads_otherwise(&self, than: bool) {
        match self.tenure {
            Some(it) => it.changes_from(than).await,
            None => std::future::pending().await,
        }
    }

    /// The loop is alive.
    fn beat(&self) {
        self.monitor.beat();
        self.systemd.alive();
    }

    /// The loop stays alive beside something that may take long, and that comes to an end by its own bounds.
    async fn beat_beside<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let limit = Instant::now() + LONGEST_WORK;
        loop {
            tokio::select! {
                it = &mut work => return it,
                () = sleep(self.systemd.pulse(LONGEST_SLEEP)), if Instant::now() < limit => self.beat(),
            }
        }
    }
}

/// Everything that can happen.
enum Event {
    /// Something on the agenda is due.
    Due,
    /// A pass is through.
    Through(Ended),
    /// A SIGHUP, something about the files, or an order.
    Called(Call),
    /// Somebody says something over the control socket.
    Asked(Request, Reply),
    /// It acts from now on, or stands by.
    Led,
    Stop,
}

/// What is said to who wants something of a daemon that ends.
const STOPPING: &str = "the daemon is stopping";
/// Why a target is looked at when one of its grants expires.
const EXPIRY: &str = "expiry";
/// Why one is looked at when its files have changed.
const FILES: &str = "the files changed";
/// How long a wake-up may be late where the wall clock was set meanwhile, and how often the loop shows that it lives.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);
/// What finishes its writes may take long: a gap that was opened is closed through ten throttles of a minute each.
/// What takes longer than this hangs, and then nobody says any more that the loop is alive.
const LONGEST_WORK: Duration = Duration::from_mins(15);
/// What makes the daemon do something out of turn.
#[derive(Debug)]
pub enum Call {
    /// Something about the files.
    Files(Heard),
    /// Which functions there are has changed, and with that what the rules cover.
    Listed,
    /// Somebody wants them to be loaded now, and hears what came of it.
    Reload(Back),
    /// Somebody wants a full pass now.
    Pass(Back),
    /// What others changed, as events tell.
    Events(Batch),
}

/// The way back to who called, in one line. Whoever has gone meanwhile is not told.
pub type Back = oneshot::Sender<Result<String, String>>;

/// Runs until it is stopped. `reload` reads the configuration anew, or tells in one line why it is not usable.
/// `called` tells when to: a signal, or files that have changed.
pub async fn run<G: PolicyGateway>(
    daemon: &Daemon<'_, G>,
    loaded: Loaded,
    mut reload: impl AsyncFnMut() -> Result<Loaded, String>,
    mut called: impl AsyncFnMut() -> Call,
    mut server: Option<Server>,
) {
    let mut work = Work::new(daemon, Arc::new(loaded));
    daemon.systemd.ready(|| daemon.monitor.board.view());
    loop {
        daemon.beat();
        work.start_what_is_due();
        work.remind();
        work.see_whether_events_come();
        let wake = work.next_wake();
        // Each arm is cancel-safe: a timer, levels, a stream, a signal and requests that are kept until taken.
        let event = tokio::select! {
            () = daemon.stop.cancelled() => Event::Stop,
            Some(it) = work.passes.next(), if !work.passes.is_empty() => Event::Through(it),
            (request, reply) = next_request(&mut server) => Event::Asked(request, reply),
            it = called() => Event::Called(it),
            () = daemon.leads_otherwise(work.leads) => Event::Led,
            () = sleep_until(wake) => Event::Due,
        };
        match event {
            Event::Due => {}
            Event::Through(ended) => work.through(ended),
            Event::Asked(request, reply) => {
                daemon.beat_beside(work.asked(request, reply)).await;
                work.tell_what_waits();
            }
            Event::Led => daemon.beat_beside(work.led()).await,
            Event::Called(Call::Files(Heard::Settled)) => work.settled(),
            Event::Called(Call::Files(Heard::New { whole })) => {
                work.reload(reload(), Some(whole), None).await;
            }
            // Who says so knows that all of it is there.
            Event::Called(Call::Reload(back)) => {
                work.reload(reload(), Some(true), Some(back)).await;
            }
            Event::Called(Call::Listed) => work.reload(reload(), None, None).await,
            Event::Called(Call::Pass(back)) => work.pass_now(back),
            Event::Called(Call::Events(batch)) => work.heard(batch),
            Event::Stop => break,
        }
    }
    daemon.systemd.stopping();
    // What is in flight is finished; nothing else is started, for every pass knows that it is to stop.
    daemon.beat_beside(work.finish_passes()).await;
    if let Some(server) = server {
        server.close().await;
    }
}

async fn next_request(server: &mut Option<Server>) -> (Request, Reply) {
    match server {
        Some(server) => server.next().await,
        None => std::future::pending().await,
    }
}

/// What is going on, and what is to be done when.
struct Work<'a, G> {
    daemon: &'a Daemon<'a, G>,
    loaded: Arc<Loaded>,
    /// The indices of the targets of each account and region, and when their next full pass starts.
    places: BTreeMap<AccountRegion, Place>,
    /// Targets to look at, and why.
    agenda: BTreeMap<Timestamp, BTreeMap<Target, &'static str>>,
    passes: FuturesUnordered<LocalBoxFuture<'a, Ended>>,
    /// Ends the passes of a configuration that is replaced.
    passing: CancellationToken,
    /// Targets where something is held until the files have settled.
    waiting_for_files: BTreeSet<Target>,
    reminders: Reminders,
    hearsay: Hearsay,
    /// How many passes were started.
    n_passes: u64,
    /// It makes passes.
    leads: bool,
}

struct Place {
    indices: Vec<usize>,
    next_full: Instant,
    /// So much later is early enough while events come.
    spare: Duration,
    running: bool,
    /// A full pass that a reload has ended, to be gone on with.
    rest: Option<Rest>,
}

/// What a full pass had done when a reload ended it.
struct Rest {
    start: Instant,
    calls: u64,
    outcomes: Vec<Outcome>,
}

impl<'a, G: PolicyGateway> Work<'a, G> {
    fn new(daemon: &'a Daemon<'a, G>, loaded: Arc<Loaded>) -> Self {
        let mut res = Self {
            daemon,
            places: places(&loaded, Instant::now(), BTreeMap::new()),
            loaded,
            agenda: BTreeMap::new(),
            passes: FuturesUnordered::new(),
            passing: daemon.stop.child_token(),
            waiting_for_files: BTreeSet::new(),
            reminders: Reminders::default(),
            hearsay: Hearsay::default(),
            n_passes: 0,
            leads: daemon.leads(),
        };
        res.daemon.monitor.configured(&res.loaded.wanted, res.loaded.rules.mode, res.now());
        res.schedule_what_time_brings();
        res.tell_what_waits();
        res
    }

    fn now(&self) -> Timestamp {
        (self.daemon.clock)()
    }

    /// Every grant that is to be taken back at a moment to come, and the end of every pause that has one.
    fn schedule_what_time_brings(&mut self) {
        let now = self.now();
        self.daemon.scribe.end_pauses_of_old_files(self.daemon.mind, &self.loaded.wanted);
        for pause in self.daemon.mind.pauses(now) {
            if let Some(until) = pause.until {
                self.note_all(until, pause.target.as_deref());
            }
        }
        let loaded = Arc::clone(&self.loaded);
        for wanted in &loaded.wanted {
            for expires in wanted.grants.iter().filter_map(|it| it.expires).filter(|it| *it > now) {
                self.note(expires, wanted.target.clone(), EXPIRY);
            }
        }
    }

    fn note(&mut self, at: Timestamp, target: Target, why: &'static str) {
        let board = &self.daemon.monitor.board;
        board.next_look(&target, |known| Some(known.map_or(at, |it| it.min(at))));
        self.agenda.entry(at).or_default().insert(target, why);
    }

    /// Full passes everywhere, also where one runs: after that.
    fn pass_now(&mut self, back: Back) {
        if !self.leads {
            drop(back.send(Err(self.stands_by().0)));
            return;
        }
        let now = Instant::now();
        for it in self.places.values_mut() {
            (it.next_full, it.spare) = (now, Duration::ZERO);
        }
        let targets = self.loaded.wanted.len();
        drop(back.send(Ok(format!("started; {targets} targets"))));
    }

    /// What waits for people, for who watches.
    fn tell_what_waits(&self) {
        let now = self.now();
        let mind = self.daemon.mind;
        let offers = if self.leads { mind.offers(now) } else { Vec::new() };
        self.daemon.monitor.waiting(offers, mind.pauses(now));
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let latest = now + self.daemon.systemd.pulse(LONGEST_SLEEP);
        if !self.leads {
            return latest;
        }
        if self.places.values().any(|it| !it.running && it.rest.is_some()) {
            return now;
        }
        let idle = self.places.values().filter(|it| !it.running);
        let mut wake = idle.map(|it| self.due(it)).min().map_or(latest, |it| it.min(latest));
        if let Some(at) = self.reminders.next() {
            wake = wake.min(at);
        }
        if let Some(at) = self.agenda.keys().next() {
            let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
            wake = wake.min(now + left);
        }
        wake
    }
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// The targets by account and region. A place that was there keeps its time.
fn places(
    loaded: &Loaded,
    now: Instant,
    mut before: BTreeMap<AccountRegion, Place>,
) -> BTreeMap<AccountRegion, Place> {
    let mut res: BTreeMap<AccountRegion, Place> = BTreeMap::new();
    for (at, wanted) in loaded.wanted.iter().enumerate() {
        let key = wanted.target.account_region();
        let known = before.remove(&key);
        let next_full = known.as_ref().map_or(now, |it| it.next_full);
        let spare = known.as_ref().map_or(Duration::ZERO, |it| it.spare);
        let rest = known.and_then(|it| it.rest);
        let place = res.entry(key).or_insert_with(|| Place {
            indices: Vec::new(),
            next_full,
            spare,
            running: false,
            rest,
        });
        place.indices.push(at);
    }
    res
}

#[cfg(test)]
mod tests;
