//! Which functions there are: for rules that cover many of them, and for whoever wants to hear of policies that no
//! file names.
//!
//! What was listed is good for an hour. A list that fails is gone on with where it stopped, and until it is through,
//! what the one before it found stays: a function does not leave a rule because Lambda did not answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream};
use tokio::time::Instant;

use crate::config::resolve::{Listing, Needs};
use crate::daemon::clock::Clock;
use crate::drift::undeclared::Undeclared;
use crate::lambda::gateway::{FunctionLister, PolicyReader};
use crate::policy::{
    inventory::{Function, Inventory},
    target::{AccountRegion, Target},
};

mod listing;
mod undeclared;

use listing::Pages;

/// How long a list is good for. Each costs calls of a budget that deployments share.
pub const GOOD_FOR: Duration = Duration::from_hours(1);
/// After this time a list that failed is gone on with.
const AGAIN: Duration = Duration::from_mins(5);

/// What somebody wants to know.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    /// What rules look for.
    pub needs: Needs,
    /// Where every policy is to be known, also those that no file names.
    pub discover: BTreeSet<AccountRegion>,
    /// What the files name.
    pub declared: Arc<BTreeSet<Target>>,
}

/// What could not be listed or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlisted {
    /// Where.
    pub place: AccountRegion,
    /// Why, in one line.
    pub message: String,
    /// What a person can do about it.
    pub hint: Option<String>,
}

/// What there is, as far as it was listed.
#[derive(Debug, Default)]
pub struct Discovery {
    places: Mutex<BTreeMap<AccountRegion, Arc<tokio::sync::Mutex<Place>>>>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    inventory: Arc<Inventory>,
    undeclared: BTreeMap<AccountRegion, Vec<Undeclared>>,
    unlisted: BTreeMap<AccountRegion, Unlisted>,
}

impl Known {
    fn fails(&mut self, place: &AccountRegion, message: String, hint: Option<String>) {
        self.unlisted.insert(place.clone(), Unlisted { place: place.clone(), message, hint });
    }
}

/// One account and region.
#[derive(Debug, Default)]
struct Place {
    /// What a list is through with, and when that began.
    listed: Option<(Vec<Function>, Instant)>,
    under_way: Option<Pages>,
    failed_at: Option<Instant>,
    /// When the policies that no file names were read.
    swept: Option<Instant>,
}

impl Wants {
    /// Nothing.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty() && self.discover.is_empty()
    }

    /// Where something is to be listed.
    pub fn places(&self) -> BTreeSet<AccountRegion> {
        self.needs.places.keys().chain(&self.discover).cloned().collect()
    }

    fn of(&self, place: &AccountRegion) -> Want<'_> {
        Want { rules: self.needs.places.get(place), everything: self.discover.contains(place) }
    }
}

/// What is wanted of one place.
#[derive(Debug, Clone, Copy)]
struct Want<'a> {
    rules: Option<&'a Listing>,
    everything: bool,
}

impl Want<'_> {
    fn tags(&self, function: &Function) -> bool {
        function.tags.is_none() && self.rules.is_some_and(|it| it.needs_tags(&function.name))
    }

    fn aliases(&self, function: &Function) -> bool {
        let asked = self.rules.is_some_and(|it| it.needs_aliases(function));
        function.aliases.is_none() && (asked || self.everything)
    }

    fn versions(&self, function: &Function) -> bool {
        let asked = self.rules.is_some_and(|it| it.needs_versions(function));
        function.versions.is_none() && (asked || self.everything)
    }

    /// Nothing is missing about this one.
    fn is_met_by(&self, function: &Function) -> bool {
        !self.tags(function) && !self.aliases(function) && !self.versions(function)
    }
}

impl Discovery {
    /// What was listed so far.
    pub fn inventory(&self) -> Arc<Inventory> {
        Arc::clone(&self.known().inventory)
    }

    /// Where something could not be listed the last time.
    pub fn unlisted(&self) -> Vec<Unlisted> {
        self.known().unlisted.values().cloned().collect()
    }

    /// Policies that no file names, by target.
    pub fn undeclared(&self) -> Vec<Undeclared> {
        let mut res: Vec<Undeclared> =
            self.known().undeclared.values().flatten().cloned().collect();
        res.sort_by(|a, b| a.target.cmp(&b.target));
        res
    }

    /// Lists what is due, in all places at once. `news` hears of each where there is something new.
    pub async fn list<G: FunctionLister>(&self, gateway: &G, wants: &Wants, news: impl Fn()) {
        let news = &news;
        let lists = wants.places().into_iter().map(|place| async move {
            let slot = self.slot(&place);
            let mut slot = slot.lock().await;
            if self.list_one(gateway, &place, wants.of(&place), &mut slot).await {
                news();
            }
        });
        let lists: Vec<_> = lists.map(Box::pin).collect();
        stream::iter(lists).buffer_unordered(usize::MAX).collect::<Vec<()>>().await;
        let mut known = self.known();
        let places = wants.places();
        known.undeclared.retain(|it, _| places.contains(it));
        known.unlisted.retain(|it, _| places.contains(it));
    }

    /// When something is due again.
    pub async fn next(&self, wants: &Wants) -> Option<Instant> {
        let mut next = None;
        for place in wants.places() {
            let slot = self.slot(&place);
            let slot = slot.lock().await;
            let due = match (&slot.listed, slot.failed_at) {
                (_, Some(at)) => at + AGAIN,
                (Some((_, at)), None) => *at + GOOD_FOR,
                (None, None) => Instant::now(),
            };
            next = Some(next.map_or(due, |it: Instant| it.min(due)));
        }
        next
    }

    async fn list_one<G: FunctionLister>(
        &self,
        gateway: &G,
        place: &AccountRegion,
        want: Want<'_>,
        slot: &mut Place,
    ) -> bool {
        let now = Instant::now();
        if slot.failed_at.is_some_and(|it| now < it + AGAIN) {
            return false;
        }
        let begun = match (slot.under_way.take(), &slot.listed) {
            (Some(it), _) => it,
            (None, Some((functions, at))) if now < *at + GOOD_FOR => {
                if functions.iter().all(|it| want.is_met_by(it)) {
                    return false;
                }
                // A rule that is new may ask for more of the same functions.
                Pages::of(functions.clone(), *at)
            }
            (None, _) => Pages::new(now),
        };
        let (pages, result) = begun.go_on(gateway, place, want).await;
        let mut known = self.known();
        match result {
            Ok(()) => {
                let (functions, begun) = pages.into_functions();
                let is_new = known.inventory.functions(place) != Some(functions.as_slice());
                if is_new {
                    let mut inventory = (*known.inventory).clone();
                    inventory.places.insert(place.clone(), functions.clone());
                    known.inventory = Arc::new(inventory);
                }
                known.unlisted.remove(place);
                (slot.listed, slot.failed_at) = (Some((functions, begun)), None);
                is_new
            }
            Err((message, hint)) => {
                slot.under_way = Some(pages);
                slot.failed_at = Some(Instant::now());
                known.fails(place, message, hint);
                false
            }
        }
    }

    /// Reads the policies that no file names, where they are wanted and were not read since the last list.
    pub async fn sweep<G: PolicyReader>(&self, gateway: &G, wants: &Wants, clock: Clock) {
        let sweeps = wants.discover.iter().map(|place| async move {
            let (functions, begun) = {
                let slot = self.slot(place);
                let slot = slot.lock().await;
                match (&slot.listed, slot.swept) {
                    (Some((_, at)), Some(swept)) if swept >= *at => return,
                    (Some((functions, at)), _) => (functions.clone(), *at),
                    (None, _) => return,
                }
            };
            let targets = undeclared::candidates(place, &functions, &wants.declared);
            let (found, trouble) = undeclared::read(gateway, targets, clock).await;
            let slot = self.slot(place);
            slot.lock().await.swept = Some(begun.max(Instant::now()));
            let mut known = self.known();
            known.undeclared.insert(place.clone(), found);
            if let Some((message, hint)) = trouble {
                known.fails(place, message, hint);
            }
        });
        let sweeps: Vec<_> = sweeps.map(Box::pin).collect();
        stream::iter(sweeps).buffer_unordered(usize::MAX).collect::<Vec<()>>().await;
    }

    fn slot(&self, place: &AccountRegion) -> Arc<tokio::sync::Mutex<Place>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(place.clone()).or_default())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
