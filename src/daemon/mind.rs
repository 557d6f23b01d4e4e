//! What a process keeps in mind from pass to pass: about targets, limits, approvals and pauses.
//!
//! None of it is needed for a write to be right. Pauses also stand in the journal, for they outlive a restart.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::drift::{
    actor::{Actor, Actors},
    approval::{Approval, Entry},
    limits::{Ledger, Limits, Used},
    memory::TargetMemory,
    outcome::{Outcome, StepResult},
    plan::{Change, Decisions, Judgement, Plan, sids_of},
    wanted::Wanted,
};
use crate::journal::pause::Pause;
use crate::observe::board::Offer;
use crate::policy::target::{AccountRegion, Target};

/// A yes is used once, or gone after a day; what it could be said to is remembered as long.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So long it is not tried again to write whole documents where Lambda does not take them.
const NO_PUT: SignedDuration = SignedDuration::from_hours(1);
/// Shorter beginnings of a digest are easily mistaken for each other.
pub const LEAST_DIGEST: usize = 8;

/// What a process keeps in mind. Shared by the passes that run beside each other.
#[derive(Debug, Default)]
pub struct Mind {
    inner: Mutex<Inner>,
    /// One writer at a time in each function: Lambda loses additions that run in parallel
    /// (`lambda-semantics.md`, 7).
    functions: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Debug, Default)]
struct Inner {
    targets: BTreeMap<Target, Known>,
    ledger: Ledger,
    approvals: Vec<Dated>,
    offers: Vec<Dated>,
    pauses: Vec<Pause>,
    /// Targets whose files may not be whole yet.
    settling: BTreeSet<Target>,
    /// Who changed which policy lately, as events told.
    actors: BTreeMap<Target, Actors>,
    /// Where Lambda takes no whole document from us, with its answer.
    no_put: BTreeMap<AccountRegion, (String, Timestamp)>,
}

/// What is known of a target.
#[derive(Debug, Default)]
struct Known {
    memory: TargetMemory,
    /// The plan of the last conversation, where it was quiet. The next one is mostly the same.
    quiet: Option<Arc<Plan>>,
}

/// An approval, or what could become one.
#[derive(Debug, Clone)]
struct Dated {
    digest: String,
    approval: Approval,
    at: Timestamp,
    /// When it was told for the first time.
    since: Timestamp,
}

/// Why a digest was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoOffer {
    /// Nothing that is held has it; these are held.
    Unknown(Vec<String>),
    /// It is the beginning of several.
    Ambiguous(Vec<String>),
}

impl Mind {
    /// With the pauses that an earlier process left.
    pub fn new(pauses: Vec<Pause>) -> Self {
        let inner = Inner { pauses, ..Inner::default() };
        Self { inner: Mutex::new(inner), functions: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a target.
    pub fn memory_of(&self, target: &Target) -> TargetMemory {
        let inner = self.inner();
        inner.targets.get(target).map(|it| it.memory.clone()).unwrap_or_default()
    }

    /// Takes over what a conversation found out.
    pub fn learn(&self, target: &Target, memory: TargetMemory) {
        self.inner().learn(target, memory);
    }

    /// The same with its end. A quiet plan that is the same as the last one is given up for that: what is kept for long
    /// stays where it is in memory, and what is freed is what was just made.
    pub fn conclude(&self, memory: TargetMemory, outcome: &mut Outcome) {
        let Outcome { target, found, left, done, .. } = outcome;
        let mut inner = self.inner();
        let Some(known) = inner.learn(target, memory) else { return };
        let (Some(first), Some(last)) = (&found, &left) else { return };
        let quiet = Arc::ptr_eq(first, last) && done.is_empty() && last.is_quiet();
        match &known.quiet {
            Some(same) if quiet && same == last => {
                (*found, *left) = (known.quiet.clone(), known.quiet.clone());
            }
            _ => known.quiet = quiet.then(|| Arc::clone(last)),
        }
    }

    /// What was decided about a target so far.
    pub fn decisions(
        &self,
        wanted: &Wanted,
        no_journal: Option<&str>,
        now: Timestamp,
    ) -> Decisions {
        let mut inner = self.inner();
        inner.approvals.retain(|it| now.duration_since(it.at) < DAY);
        Decisions {
            approved: inner.approvals.iter().map(|it| it.approval.clone()).collect(),
            paused: inner.paused(wanted, now),
            settling: inner.settling.contains(&wanted.target),
            may_not_put: inner.no_put_in(&wanted.target.account_region(), now),
            no_journal: no_journal.map(str::to_owned),
            actors: inner.actors_of(&wanted.target, now),
            ..Decisions::default()
        }
    }

    /// Why nothing is to be done about a target now, if somebody paused it.
    pub fn paused(&self, wanted: &Wanted, now: Timestamp) -> Option<String> {
        self.inner().paused(wanted, now)
    }

    /// The files of these targets have changed, and may not be whole yet: nothing is taken away there.
    pub fn settle_first(&self, targets: impl IntoIterator<Item = Target>) {
        self.inner().settling.extend(targets);
    }

    /// Whether that still holds.
    pub fn is_settling(&self, target: &Target) -> bool {
        self.inner().settling.contains(target)
    }

    /// All files are whole; gives the targets that have waited for it.
    pub fn settled(&self) -> BTreeSet<Target> {
        std::mem::take(&mut self.inner().settling)
    }

    /// Judges the narrowing of a pass together with what was done in the hour before.
    pub fn judge<'a>(
        &self,
        plans: impl Iterator<Item = (&'a Target, &'a Plan, &'a Decisions)>,
        limits: &Limits,
        n_targets: usize,
        now: Timestamp,
    ) -> Judgement {
        self.inner().ledger.judge(plans, limits, n_targets, now)
    }

    /// A conversation is over: what it did counts, and what it perhaps did; and a yes that it used is used.
    pub fn settle(&self, outcome: &Outcome, pass: u64, in_doubt: Used, now: Timestamp) {
        let mut inner = self.inner();
        inner.explain(outcome, now);
        let done = outcome.done.iter().filter(|it| it.result == StepResult::Done);
        let used = Used {
            narrowing: done.clone().filter(|it| it.limited).count() + in_doubt.narrowing,
            by_rules: done.clone().filter(|it| it.by_rule).count() + in_doubt.by_rules,
        };
        inner.ledger.settle(&outcome.target, pass, used, now);
        for it in done {
            for dated in &mut inner.approvals {
                dated.approval = dated.approval.without(&it.entries);
            }
        }
        inner.approvals.retain(|it| !it.approval.is_empty());
    }

    /// What is held until somebody says yes; gives the digest to say it with.
    pub fn offer(&self, approval: Approval, now: Timestamp) -> Option<String> {
        if approval.is_empty() {
            return None;
        }
        let mut inner = self.inner();
        let digest = approval.digest();
        let known = inner.offers.iter().find(|it| it.digest == digest);
        let since = known.map_or(now, |it| it.since);
        inner.offers.retain(|it| it.digest != digest && now.duration_since(it.at) < DAY);
        inner.offers.push(Dated { digest: digest.clone(), approval, at: now, since });
        Some(digest)
    }

    /// These targets were looked at, and this is what is held there now: nobody is asked about anything else there.
    pub fn only_held(&self, looked_at: &[Outcome], held: &Approval) {
        // What could not be read now is held as it was.
        let read = looked_at.iter().filter(|it| it.left.is_some());
        let arns: BTreeSet<String> = read.map(|it| it.target.arn()).collect();
        let held: BTreeSet<&Entry> = held.entries().collect();
        let still = |it: &Entry| !arns.contains(&it.target) || held.contains(it);
        let mut inner = self.inner();
        // Most offers are about other places, and may be long.
        for offer in inner.offers.iter_mut().filter(|it| !it.approval.entries().all(still)) {
            offer.approval = offer.approval.only(still);
        }
        inner.offers.retain(|it| !it.approval.is_empty());
    }

    /// Whether that is held, or was within a day.
    pub fn is_offered(&self, digest: &str, now: Timestamp) -> bool {
        let inner = self.inner();
        inner.offers.iter().any(|it| it.digest == digest && now.duration_since(it.at) < DAY)
    }

    /// What is held, or was within a day: the digests, and what each is about.
    pub fn offers(&self, now: Timestamp) -> Vec<Offer> {
        let inner = self.inner();
        let fresh = inner.offers.iter().filter(|it| now.duration_since(it.at) < DAY);
        let offer = |it: &Dated| {
            let mut targets: Vec<String> =
                it.approval.entries().map(|it| it.target.clone()).collect();
            targets.sort_unstable();
            targets.dedup();
            let (digest, statements) = (it.digest.clone(), it.approval.len());
            Offer { digest, statements, targets, at: it.since }
        };
        fresh.map(offer).collect()
    }

    /// Somebody says yes to what has this digest, or begins like this.
    pub fn approve(&self, digest: &str, now: Timestamp) -> Result<Approval, NoOffer> {
        let mut inner = self.inner();
        let digests = |it: &[Dated]| it.iter().map(|it| it.digest.clone()).collect::<Vec<_>>();
        inner.offers.retain(|it| now.duration_since(it.at) < DAY);
        let found: Vec<Dated> =
            inner.offers.iter().filter(|it| it.digest.starts_with(digest)).cloned().collect();
        match found.as_slice() {
            [only] => {
                let approval = only.approval.clone();
                inner.approvals.push(Dated { at: now, ..only.clone() });
                inner.offers.retain(|it| it.digest != only.digest);
                Ok(approval)
            }
            [] => Err(NoOffer::Unknown(digests(&inner.offers))),
            several => Err(NoOffer::Ambiguous(digests(several))),
        }
    }

    /// Leaves a target, or everything, alone.
    pub fn pause(&self, pause: Pause) {
        let mut inner = self.inner();
        inner.pauses.retain(|it| it.target != pause.target);
        inner.pauses.push(pause);
    }

    /// Ends the pause of a target, or all of them; true if there was one.
    pub fn resume(&self, target: Option<&str>) -> bool {
        let mut inner = self.inner();
        let before = inner.pauses.len();
        match target {
            Some(arn) => inner.pauses.retain(|it| it.target.as_deref() != Some(arn)),
            None => inner.pauses.clear(),
        }
        inner.pauses.len() < before
    }

    /// Ends the pauses that were to last until the files change, where they have; gives what they were about.
    pub fn end_pauses_of_old_files(&self, wanted: &[Wanted]) -> Vec<String> {
        let mut ended = Vec::new();
        self.inner().pauses.retain(|pause| {
            let (Some(arn), Some(of)) = (&pause.target, &pause.wanted) else { return true };
            let now = wanted.iter().find(|it| it.target.arn() == *arn);
            let changed = now.is_some_and(|it| it.fingerprint() != *of);
            ended.extend(changed.then(|| arn.clone()));
            !changed
        });
        ended
    }

    /// Those that still hold.
    pub fn pauses(&self, now: Timestamp) -> Vec<Pause> {
        let mut inner = self.inner();
        inner.pauses.retain(|it| !it.is_over(now));
        inner.pauses.clone()
    }

    /// When the next pause ends by itself.
    pub fn next_resume(&self, now: Timestamp) -> Option<Timestamp> {
        self.pauses(now).iter().filter_map(|it| it.until).min()
    }

    /// The turn to write in a function.
    pub fn turn(&self, function_arn: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(functions.entry(function_arn.to_owned()).or_default())
    }

    /// An event has told who changed a policy. Where it `is_past`, that was put right before the event came.
    pub fn heard(&self, target: &Target, actor: Actor, is_past: bool, now: Timestamp) {
        self.inner().actors.entry(target.clone()).or_default().note(actor, is_past, now);
    }

    /// Forgets what is not managed any more.
    pub fn keep_only(&self, managed: &[Wanted]) {
        let is_managed =
            |target: &Target| managed.binary_search_by(|it| it.target.cmp(target)).is_ok();
        let mut inner = self.inner();
        inner.targets.retain(|target, _| is_managed(target));
        inner.settling.retain(is_managed);
        inner.actors.retain(|target, _| is_managed(target));
        drop(inner);
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        functions.retain(|_, it| Arc::strong_count(it) > 1);
    }
}

impl Inner {
    fn learn(&mut self, target: &Target, mut memory: TargetMemory) -> Option<&mut Known> {
        if let Some((answer, at)) = memory.take_no_put() {
            self.note_no_put(target.account_region(), answer, at);
        }
        if !memory.is_empty() && !self.targets.contains_key(target) {
            self.targets.insert(target.clone(), Known { memory, quiet: None });
            return self.targets.get_mut(target);
        }
        let known = self.targets.get_mut(target)?;
        // Mostly nothing is new.
        if known.memory != memory {
            known.memory.merge(memory);
        }
        Some(known)
    }

    fn note_no_put(&mut self, place: AccountRegion, answer: String, at: Timestamp) {
        if self.no_put_in(&place, at).is_none() {
            tracing::warn!(%place, error = answer, "lambda takes no whole documents from us here");
            self.no_put.insert(place, (answer, at));
        }
    }

    /// A right may be given, and a region may get the call: it is tried again now and then.
    fn no_put_in(&self, place: &AccountRegion, now: Timestamp) -> Option<String> {
        let known = self.no_put.get(place).filter(|(_, at)| now.duration_since(*at) < NO_PUT);
        known.map(|(answer, _)| answer.clone())
    }

    fn actors_of(&mut self, target: &Target, now: Timestamp) -> Actors {
        let Some(actors) = self.actors.get_mut(target) else { return Actors::default() };
        actors.forget(now);
        let res = actors.clone();
        if res.is_empty() {
            self.actors.remove(target);
        }
        res
    }

    /// Who did what is not there any more has nothing to do with what will differ next.
    fn explain(&mut self, outcome: &Outcome, now: Timestamp) {
        let (Some(actors), Some(left)) = (self.actors.get_mut(&outcome.target), &outcome.left)
        else {
            return;
        };
        let differs: Vec<&str> = left.drift.iter().flat_map(sids_of_change).collect();
        let done = outcome.done.iter().filter(|it| it.result == StepResult::Done);
        let written: Vec<&str> = done
            .flat_map(|it| [Some(&it.step.sid), it.step.replaces.as_ref()])
            .flatten()
            .map(String::as_str)
            .collect();
        actors.saw(&differs, &written, now);
    }

    fn paused(&self, wanted: &Wanted, now: Timestamp) -> Option<String> {
        if self.pauses.is_empty() {
            return None;
        }
        let arn = wanted.target.arn();
        let holds = |it: &&Pause| {
            let here = it.target.as_ref().is_none_or(|it| *it == arn);
            let same = || it.wanted.as_ref().is_none_or(|it| *it == wanted.fingerprint());
            here && !it.is_over(now) && same()
        };
        let pause = self.pauses.iter().find(holds)?;
        Some(match (pause.until, &pause.wanted) {
            (Some(until), _) => format!("{}, until {until}", pause.reason),
            (None, Some(_)) => format!("{}, until its files change", pause.reason),
            (None, None) => format!("{}, until somebody resumes it", pause.reason),
        })
    }
}

fn sids_of_change(change: &Change) -> Vec<&str> {
    sids_of(&change.drift)
}

#[cfg(test)]
mod tests;
