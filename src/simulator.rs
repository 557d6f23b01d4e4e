//! Lambda without AWS: the rules of resource-based policies, over HTTP and as a gateway.
//!
//! ```text
//! HTTP --- wire ---+                       +--- faults: what goes wrong
//!                  +--> Simulator::call ---+--- account, policies, …: Lambda's rules
//! tests -- direct -+          |            +--- tamper: somebody else
//!                             +-- the log
//! ```
//!
//! It renders and validates by itself, from `lambda-semantics.md`, and shares no code with what it
//! judges. [`Simulator::serve`] answers AWS SDKs, the CLI and Terraform; [`Simulator::direct`] is
//! the same state as a `PolicyGateway`. [`HELP`] tells people of the control API.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use erased_serde::Deserializer;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    sync::{Notify, broadcast},
    time::Instant,
};

use crate::policy::target::AccountRegion;
use account::{Moment, World};
use call::Entry;
use faults::Weather;

mod account;
mod call;
mod control;
mod direct;
mod dispatch;
mod document;
mod faults;
mod functions;
mod help;
mod listener;
mod names;
mod policies;
mod principals;
mod refusal;
mod render;
mod request;
mod seed;
mod services;
mod span;
mod state;
mod sts;
mod switches;
mod tamper;
mod validate;
mod versions;
mod wire;

pub use call::LogEntry;
pub use direct::Direct;
pub use faults::{Bursty, Fault, Faults, Forever, Kind as FaultKind, Rate, Throttle, Times};
pub use help::HELP;
pub use listener::{Exposure, ServeError};
pub use seed::{AccountSeed, FunctionSeed, Seed, SeedError};
pub use span::Span;
pub use switches::{
    CheckOrderRemove, FirstAddRevision, GetPolicy404, PrincipalDirectory, PublishUnchanged,
    PutEcho, PutFamily, ReadLag, RevisionModel, ServiceDirectory, StatementRender, Switches,
};
pub use tamper::{Change, Edit, Tamper, TamperEvent};

/// A Lambda that exists only here. A handle: clones are the same simulator.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    start: Instant,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    events: broadcast::Sender<TamperEvent>,
    rescheduled: Notify,
}

struct Inner {
    seed: Seed,
    world: World,
    weather: Weather,
    log: VecDeque<Entry>,
    next_id: u64,
    tampers: Vec<Scheduled>,
}

struct Scheduled {
    tamper: Tamper,
    due: Duration,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}

impl Simulator {
    /// Starts from a seed, with the wall clock of this machine.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the simulator reads the wall clock"
    )]
    pub fn new(seed: Seed) -> Result<Self, SeedError> {
        Self::with_clock(seed, Timestamp::now)
    }

    /// Starts from a seed, with another wall clock. Throttling and delays follow tokio's clock.
    pub fn with_clock(
        seed: Seed,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, SeedError> {
        let home =
            AccountRegion { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        let inner = Inner {
            seed,
            world: World::new(home),
            weather: Weather::default(),
            log: VecDeque::new(),
            next_id: 0,
            tampers: Vec::new(),
        };
        let shared = Shared {
            inner: Mutex::new(inner),
            start: Instant::now(),
            clock: Box::new(clock),
            events: broadcast::channel(1024).0,
            rescheduled: Notify::new(),
        };
        let res = Self { shared: Arc::new(shared) };
        res.reset().map_err(SeedError)?;
        Ok(res)
    }

    /// The same state as a gateway, without HTTP.
    pub fn direct(&self) -> Direct {
        Direct::new(self.clone())
    }

    /// Back to the seed: state, switches, tampering; no faults, an empty log.
    pub fn reset(&self) -> Result<(), String> {
        let now = self.now();
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.weather.set(Faults::default());
        inner.log.clear();
        let seed = inner.seed.clone();
        let home =
            AccountRegion { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        let mut world = World::new(home);
        world.switches = seed.switches.clone().unwrap_or_default();
        world.load(seed.accounts.as_deref().unwrap_or_default(), now)?;
        world.load_sessions(&seed.sessions.clone().unwrap_or_default());
        inner.world = world;
        self.schedule(inner, seed.tamper.clone().unwrap_or_default(), now)
    }

    /// Everything, in the shape of a seed.
    pub fn state(&self) -> Seed {
        let now = self.now();
        let mut inner = self.lock();
        inner.world.catch_up(now.since_start);
        Seed {
            accounts: Some(inner.world.save()),
            switches: Some(inner.world.switches.clone()),
            tamper: Some(inner.tampers.iter().map(|it| it.tamper.clone()).collect()),
            sessions: Some(inner.world.save_sessions()),
        }
    }

    /// Takes over what is given and leaves the rest: `accounts` replaces all accounts, `tamper`
    /// all tampering; of `switches` those that are given change.
    pub fn put_state(&self, state: &Value) -> Result<(), String> {
        let now = self.now();
        let mut guard = self.lock();
        let inner = &mut *guard;
        let mut state = state.clone();
        if let Some(given) = state.get_mut("switches").and_then(Value::as_object_mut) {
            let current = serde_json::to_value(&inner.world.switches).unwrap_or_default();
            for (key, value) in current.as_object().into_iter().flatten() {
                given.entry(key).or_insert_with(|| value.clone());
            }
        }
        let seed = Seed::read(&mut <dyn Deserializer<'_>>::erase(state));
        let seed = seed.map_err(|it| it.to_string())?;
        seed.check()?;
        let mut world = inner.world.clone();
        world.switches = seed.switches.unwrap_or(world.switches);
        if let Some(it) = &seed.accounts {
            world.load(it, now)?;
        }
        if let Some(it) = &seed.sessions {
            world.load_sessions(it);
        }
        inner.world = world;
        match seed.tamper {
            Some(it) => self.schedule(inner, it, now),
            None => Ok(()),
        }
    }

    /// What goes wrong now, with what it has counted.
    pub fn faults(&self) -> Faults {
        self.lock().weather.faults.clone()
    }

    /// From now on this goes wrong, and nothing else.
    pub fn put_faults(&self, faults: Faults) -> Result<(), String> {
        faults.check()?;
        self.lock().weather.set(faults);
        Ok(())
    }

    /// The requests so far, oldest first.
    pub fn requests(&self) -> Vec<LogEntry> {
        self.lock().log.iter().map(|it| it.entry.clone()).collect()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.lock().log.clear();
    }

    /// Deletes and then creates IAM principals; one that stands in both is another one afterwards.
    pub fn change_principals(&self, create: &[String], delete: &[String]) -> Result<(), String> {
        let mut both = create.iter().chain(delete);
        if let Some(it) = both.find(|it| !principals::is_named(it)) {
            return Err(format!("`{it}` is not the ARN of a role or user"));
        }
        let now = self.now().since_start;
        let world = &mut self.lock().world;
        world.catch_up(now);
        for arn in delete {
            world.delete_principal(arn, now);
        }
        for arn in create {
            world.create_principal(arn, Some(now));
        }
        Ok(())
    }

    /// The IAM principals that exist.
    pub fn principals(&self) -> Vec<String> {
        self.lock().world.directory.living.keys().cloned().collect()
    }

    /// The ARNs that have a policy.
    pub fn policies(&self) -> Vec<String> {
        self.lock().world.arns()
    }

    /// Each thing that is done behind the daemon's back, as it is done.
    pub fn tamper_events(&self) -> broadcast::Receiver<TamperEvent> {
        self.shared.events.subscribe()
    }

    /// Does the tampering of the seed for as long as it is polled; [`Simulator::serve`] does it too.
    pub async fn tamper(&self) {
        loop {
            let next = self.lock().tampers.iter().map(|it| it.due).min();
            // Waiting again after a reschedule costs nothing, so both arms may be dropped.
            let Some(next) = next else {
                self.shared.rescheduled.notified().await;
                continue;
            };
            tokio::select! {
                () = self.shared.rescheduled.notified() => {}
                () = tokio::time::sleep_until(self.shared.start + next) => self.tamper_due(),
            }
        }
    }

    fn tamper_due(&self) {
        let now = self.now();
        let mut guard = self.lock();
        let inner = &mut *guard;
        let mut due: Vec<&mut Scheduled> =
            inner.tampers.iter_mut().filter(|it| it.due <= now.since_start).collect();
        due.sort_by_key(|it| it.due);
        for it in due {
            it.due = it.due.saturating_add(it.tamper.every.0).max(now.since_start);
            if let Some(event) = inner.world.tamper(&it.tamper, now) {
                // Nobody has to listen.
                let _listeners = self.shared.events.send(event);
            }
        }
    }

    fn schedule(&self, inner: &mut Inner, tampers: Vec<Tamper>, now: Moment) -> Result<(), String> {
        for (n, it) in tampers.iter().enumerate() {
            it.check().map_err(|why| format!("tamper[{n}]: {why}"))?;
        }
        let scheduled = tampers.into_iter().map(|tamper| Scheduled {
            due: now.since_start.saturating_add(tamper.first()),
            tamper,
        });
        inner.tampers = scheduled.collect();
        self.shared.rescheduled.notify_one();
        Ok(())
    }

    fn now(&self) -> Moment {
        Moment { since_start: self.shared.start.elapsed(), wall: (self.shared.clock)() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uuid(&self) -> String {
        self.lock().world.uuid()
    }
}
