//! How everything stands: what `/status`, the page and the gauges show. The loop writes it, everybody else reads it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::drift::{allow::Mode, outcome::Outcome, undeclared::Undeclared, wanted::Wanted};
use crate::journal::pause::Pause;
use crate::observe::{
    news::Edge,
    standing::{Stage, Standing},
};
use crate::policy::target::{AccountRegion, Target};

/// How everything stands.
#[derive(Debug, Default)]
pub struct Board {
    inner: Mutex<View>,
}

/// The same at one moment. Cheap to clone: the targets are shared.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Every target of the configuration in force, sorted.
    pub targets: Vec<Arc<Standing>>,
    /// The passes of each account and region.
    pub places: BTreeMap<AccountRegion, PlaceView>,
    /// The configuration.
    pub config: ConfigView,
    /// What waits for somebody's yes, the oldest first.
    pub offers: Vec<Offer>,
    /// What is left alone because somebody said so.
    pub pauses: Vec<Pause>,
    /// Policies that no file names, where they are looked for.
    pub undeclared: Arc<[Undeclared]>,
    /// Where it is not known which functions there are, and why.
    pub unlisted: BTreeMap<AccountRegion, String>,
    /// The queue of events, once it was asked.
    pub events: Option<EventsView>,
    /// The lease, where several replicas take turns.
    pub lease: Option<LeaseView>,
}

/// Which of several replicas leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// Its namespace and name.
    pub lease: String,
    /// What this process is called there.
    pub identity: String,
    /// This one leads.
    pub leads: bool,
    /// Who does, as far as is known.
    pub holder: Option<String>,
    /// Since when this one leads, or stands by.
    pub since: Timestamp,
    /// Why it cannot be read or written, in one line.
    pub trouble: Option<String>,
}

/// How the queue of events does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsView {
    /// When it answered last.
    pub answered_at: Option<Timestamp>,
    /// Since when it does not, and why, in one line.
    pub trouble: Option<(Timestamp, String)>,
}

/// The passes of one account and region.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlaceView {
    /// A full pass is under way, since then.
    pub running_since: Option<Timestamp>,
    /// When the next full pass starts.
    pub next_full: Option<Timestamp>,
    /// The last full pass.
    pub last_full: Option<PassView>,
    /// When the last one was through in which every target could be read and no write failed.
    pub last_success: Option<Timestamp>,
}

/// A pass that is through.
#[derive(Debug, Clone, PartialEq)]
pub struct PassView {
    /// When it was through.
    pub at: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// How many targets it looked at.
    pub targets: usize,
    /// How many calls of Lambda it made.
    pub calls: u64,
    /// Every target could be read, and no write failed.
    pub successful: bool,
}

/// The configuration in force, and what became of the last attempt to load one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigView {
    /// None before the first one was loaded.
    pub mode: Option<Mode>,
    /// When the one in force was loaded.
    pub loaded_at: Option<Timestamp>,
    /// Why the last attempt failed, in one line, and when; none if it did not.
    pub refused: Option<(Timestamp, String)>,
}

/// Something that is held until somebody says yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What to say yes with.
    pub digest: String,
    /// How many statements it is about.
    pub statements: usize,
    /// The ARNs of the targets it is about, sorted.
    pub targets: Vec<String>,
    /// When it was first told.
    pub at: Timestamp,
}

impl View {
    /// Another replica leads, or nobody does: what this one once saw says nothing any more.
    pub fn stands_by(&self) -> bool {
        self.lease.as_ref().is_some_and(|it| !it.leads)
    }

    /// The targets of one account and region.
    pub fn targets_of(&self, place: &AccountRegion) -> &[Arc<Standing>] {
        let of = |it: &Arc<Standing>| {
            let target = (it.target.account(), it.target.region());
            target.cmp(&(place.account.as_str(), place.region.as_str()))
        };
        let start = self.targets.partition_point(|it| of(it).is_lt());
        let end = self.targets.partition_point(|it| of(it).is_le());
        self.targets.get(start..end).unwrap_or_default()
    }
}

impl Board {
    fn inner(&self) -> MutexGuard<'_, View> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is now.
    pub fn view(&self) -> View {
        self.inner().clone()
    }

    /// How one target stands.
    pub fn standing(&self, target: &Target) -> Option<Arc<Standing>> {
        let inner = self.inner();
        let at = inner.targets.binary_search_by(|it| it.target.cmp(target)).ok()?;
        inner.targets.get(at).map(Arc::clone)
    }

    /// Whether that is so of any target of a place. Every pass asks: of the others nobody looks at one.
    pub fn is_any(&self, place: &AccountRegion, so: impl Fn(&Standing) -> bool) -> bool {
        self.inner().targets_of(place).iter().any(|it| so(it))
    }

    /// A configuration is in force. What is known of targets that were there before stays.
    pub fn configured(&self, wanted: &[Wanted], mode: Mode, now: Timestamp) {
        let mut inner = self.inner();
        let known = std::mem::take(&mut inner.targets);
        let standing = |it: &Wanted| {
            let at = known.binary_search_by(|known| known.target.cmp(&it.target));
            match at.ok().and_then(|at| known.get(at)) {
                Some(known) if known.grants == it.grants.len() => Arc::clone(known),
                Some(known) => {
                    Arc::new(Standing { grants: it.grants.len(), ..Standing::clone(known) })
                }
                None => Arc::new(Standing::new(it, now)),
            }
        };
        inner.targets = wanted.iter().map(standing).collect();
        // Of a place that left the files nobody expects a pass any more.
        let places: BTreeSet<AccountRegion> =
            wanted.iter().map(|it| it.target.account_region()).collect();
        inner.places.retain(|place, _| places.contains(place));
        inner.config = ConfigView { mode: Some(mode), loaded_at: Some(now), refused: None };
    }

    /// How the lease stands.
    pub fn lease(&self, lease: LeaseView) {
        self.inner().lease = Some(lease);
    }

    /// Another replica leads from now on: what was known here is over.
    pub fn forget(&self, wanted: &[Wanted], now: Timestamp) {
        let mut inner = self.inner();
        inner.targets = wanted.iter().map(|it| Arc::new(Standing::new(it, now))).collect();
        inner.places.clear();
        inner.offers.clear();
    }

    /// A configuration was not usable, and the old one stays.
    pub fn refused(&self, why: String, now: Timestamp) {
        self.inner().config.refused = Some((now, why));
    }

    /// Something was found out about a target; tells what is new.
    pub fn take(&self, outcome: &Outcome, stage: Stage, now: Timestamp) -> Vec<Edge> {
        let mut inner = self.inner();
        let at = inner.targets.binary_search_by(|it| it.target.cmp(&outcome.target));
        // What left the files since is nobody's business any more.
        let standing = at.ok().and_then(|at| inner.targets.get_mut(at));
        standing.map_or_else(Vec::new, |it| Arc::make_mut(it).take(outcome, stage, now))
    }

    /// Changes when a target is looked at before its next full pass; none if it is not.
    pub fn next_look(
        &self,
        target: &Target,
        change: impl FnOnce(Option<Timestamp>) -> Option<Timestamp>,
    ) {
        let mut inner = self.inner();
        let found = inner.targets.binary_search_by(|it| it.target.cmp(target));
        if let Some(it) = found.ok().and_then(|found| inner.targets.get_mut(found)) {
            let it = Arc::make_mut(it);
            it.next_look = change(it.next_look);
        }
    }

    /// A full pass of a place has started, and when the next one will.
    pub fn full_pass_started(&self, place: &AccountRegion, now: Timestamp, next: Timestamp) {
        let mut inner = self.inner();
        let it = inner.places.entry(place.clone()).or_default();
        it.running_since = Some(now);
        it.next_full = Some(next);
    }

    /// A full pass of a place is through.
    pub fn full_pass_done(&self, place: &AccountRegion, pass: PassView) {
        let mut inner = self.inner();
        let it = inner.places.entry(place.clone()).or_default();
        it.running_since = None;
        it.last_success = if pass.successful { Some(pass.at) } else { it.last_success };
        it.last_full = Some(pass);
    }

    /// What is known of functions that no file names.
    pub fn discovered(
        &self,
        undeclared: Vec<Undeclared>,
        unlisted: BTreeMap<AccountRegion, String>,
    ) {
        let mut inner = self.inner();
        (inner.undeclared, inner.unlisted) = (undeclared.into(), unlisted);
    }

    /// The queue of events answered, or this is why it did not.
    pub fn events(&self, trouble: Option<String>, now: Timestamp) {
        let mut inner = self.inner();
        let it = inner.events.get_or_insert_default();
        match trouble {
            None => *it = EventsView { answered_at: Some(now), trouble: None },
            Some(why) => {
                let since = it.trouble.as_ref().map_or(now, |(since, _)| *since);
                it.trouble = Some((since, why));
            }
        }
    }

    /// When the next full pass of a place starts is known better now.
    pub fn next_full(&self, place: &AccountRegion, next: Timestamp) {
        if let Some(it) = self.inner().places.get_mut(place) {
            it.next_full = Some(next);
        }
    }

    /// What waits for people now.
    pub fn waiting(&self, offers: Vec<Offer>, pauses: Vec<Pause>) {
        let mut inner = self.inner();
        (inner.offers, inner.pauses) = (offers, pauses);
    }
}
