//! The targets of one account and region: read, widened as soon as seen, narrowed after all were judged together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, stream};
use jiff::Timestamp;

use crate::daemon::{carry::Carrier, mind::Mind, scribe::Occasion};
use crate::drift::{
    allow::{Reason, Rules},
    approval::Approval,
    converge::Converge,
    outcome::{Outcome, StepResult},
    plan::{Clearance, Decisions, Judgement, Plan},
    wanted::Wanted,
};
use crate::lambda::gateway::{PolicyGateway, PolicyReader};
use crate::policy::{
    document::Document,
    target::{AccountRegion, Target},
};

/// Requests in flight at once; the budgets bound how many that are in a second.
pub(super) const CONCURRENCY: usize = 16;
/// How many altogether, as long as no place gets fewer than [`FEW`].
const ALTOGETHER: usize = 96;
/// At ten reads a second that is enough for answers that take 600 ms.
const FEW: usize = 6;

/// What a pass is made with.
#[derive(Debug)]
pub struct Worker<'a, G> {
    /// To Lambda and back.
    pub carrier: Carrier<'a, G>,
    /// From pass to pass.
    pub mind: &'a Mind,
    /// What may be done.
    pub rules: &'a Rules,
    /// How many targets are managed in all, also by other passes.
    pub n_targets: usize,
    /// What set it off.
    pub occasion: Occasion,
    /// Keeps conversations open with which nothing is to be done, for who wants to see their policies.
    pub keep: bool,
}

/// What a first look found.
#[derive(Debug)]
pub enum Seen<'a> {
    /// There is something to do, to ask or to wait for. The conversation can go on from here.
    Open(Box<(&'a Wanted, Converge<'a>)>),
    /// There is not.
    Settled(Outcome),
}

impl<'a> Seen<'a> {
    /// Which target, and its plan where it could be read.
    pub fn plan(&self) -> (&Target, Option<&Plan>) {
        match self {
            Self::Open(it) => (&it.0.target, it.1.plan()),
            Self::Settled(it) => (&it.target, it.left.as_deref()),
        }
    }

    /// The policy as read and its plan, where the conversation is still open.
    pub fn live_and_plan(&self) -> Option<(&Target, Option<&Document>, &Plan)> {
        match self {
            Self::Open(it) => Some((&it.0.target, it.1.live(), it.1.plan()?)),
            Self::Settled(_) => None,
        }
    }

    /// Something is to be done about it.
    pub fn has_steps(&self) -> bool {
        matches!(self, Self::Open(it) if it.1.plan().is_some_and(|it| !it.steps.is_empty()))
    }

    /// There is no such function, alias or version.
    pub fn is_function_missing(&self) -> bool {
        matches!(self, Self::Settled(it) if it.is_function_missing())
    }

    /// As if nothing more was done about it; the conversation can still go on.
    pub fn outcome(&self, now: Timestamp) -> Outcome {
        match self {
            Self::Open(it) => it.1.clone().into_outcome(now),
            Self::Settled(it) => it.clone(),
        }
    }

    /// For a second look, where the conversation is still open.
    pub fn wanted(&self) -> Option<&'a Wanted> {
        match self {
            Self::Open(it) => Some(it.0),
            Self::Settled(_) => None,
        }
    }

    fn decide(&mut self, now: Timestamp, decide: impl FnOnce(&mut Decisions)) {
        if let Self::Open(it) = self {
            let mut decisions = it.1.decisions().clone();
            decide(&mut decisions);
            it.1.decide(decisions, now);
        }
    }
}

impl<'a, G: PolicyReader> Worker<'a, G> {
    /// Reads one target.
    pub async fn look(&self, wanted: &'a Wanted) -> Seen<'a> {
        let now = (self.carrier.clock)();
        let no_journal = self.carrier.scribe.why_not();
        let decisions = self.mind.decisions(wanted, no_journal.as_deref(), now);
        let mut converge = Converge::new(wanted, self.rules)
            .remembering(self.mind.memory_of(&wanted.target))
            .deciding(decisions);
        self.carrier.look(&wanted.target, &mut converge).await;
        let asks = |it: &Plan| it.holds().any(|(_, it)| it.is_approvable() || it.passes());
        let open = |it: &Plan| self.keep || !it.steps.is_empty() || asks(it);
        if converge.plan().is_some_and(open) {
            Seen::Open(Box::new((wanted, converge)))
        } else {
            Seen::Settled(self.close(converge))
        }
    }

    /// Reads every target once. `progress` hears of each.
    pub async fn look_at_all(&self, wanted: &'a [Wanted], progress: impl Fn()) -> Vec<Seen<'a>> {
        let look = |wanted: &'a Wanted| {
            let progress = &progress;
            async move {
                let seen = self.look(wanted).await;
                progress();
                seen
            }
        };
        let mut seen = everywhere(wanted, |it| it.target.account_region(), look).await;
        seen.sort_by(|a: &Seen<'_>, b| a.plan().0.cmp(b.plan().0));
        seen
    }

    /// Judges all narrowing that was seen together. Without `why` to wait, the plans tell what came of it.
    pub fn judge(&self, seen: &mut [Seen<'a>]) {
        let now = (self.carrier.clock)();
        let plans = seen.iter().filter_map(|it| match it {
            Seen::Open(it) => Some((&it.0.target, it.1.plan()?, it.1.decisions())),
            Seen::Settled(_) => None,
        });
        let judgement = self.mind.judge(plans, &self.rules.limits, self.n_targets, now);
        let judgement: Arc<Judgement> = Arc::new(judgement);
        for it in seen {
            let clearance = Clearance::Judged(Arc::clone(&judgement));
            it.decide(now, |it| it.clearance = clearance);
        }
    }

    /// Somebody said yes to what was shown.
    pub fn approve(&self, seen: &mut [Seen<'a>], approval: &Approval) {
        let now = (self.carrier.clock)();
        for it in seen {
            it.decide(now, |it| it.approved.push(approval.clone()));
        }
    }

    /// Nothing but this is done.
    pub fn restrict(&self, seen: &mut [Seen<'a>], only: &Approval) {
        let now = (self.carrier.clock)();
        for it in seen {
            it.decide(now, |it| it.only = Some(only.clone()));
        }
    }

    /// Waits until an orphan of these targets can be confirmed, and says for how many seconds; false if there
    /// is nothing to wait for, or no time.
    pub async fn wait_for_grace(&self, wanted: &[&'a Wanted], say: impl FnOnce(u64)) -> bool {
        let now = (self.carrier.clock)();
        let grace = self.rules.orphan_grace;
        let due = |it: &&Wanted| self.mind.memory_of(&it.target).next_confirmation(grace, now);
        // All of them, so that one wait is enough.
        let Some(due) = wanted.iter().filter_map(due).max() else { return !wanted.is_empty() };
        let pause = std::time::Duration::try_from(due.duration_since(now)).unwrap_or_default();
        say(pause.as_secs() + u64::from(pause.subsec_nanos() > 0));
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.carrier.stop.cancelled() => false,
        }
    }

    /// A pass that only looks. `read` hears of each target as it was looked at, `told` of what was still open then.
    pub async fn watch(
        &self,
        wanted: &[&'a Wanted],
        read: impl Fn(&Seen<'a>),
        told: impl Fn(&Outcome),
    ) -> Vec<Outcome> {
        let look = |wanted: &'a Wanted| {
            let read = &read;
            async move {
                let seen = self.look(wanted).await;
                read(&seen);
                seen
            }
        };
        let all = wanted.iter().copied();
        let mut seen = everywhere(all, |it| it.target.account_region(), look).await;
        seen.sort_by(|a: &Seen<'_>, b| a.plan().0.cmp(b.plan().0));
        self.judge(&mut seen);
        let close = |seen| match seen {
            Seen::Settled(it) => it,
            Seen::Open(it) => {
                let outcome = self.close(it.1);
                told(&outcome);
                outcome
            }
        };
        seen.into_iter().map(close).collect()
    }

    /// The end of a conversation: what it found out is remembered.
    fn close(&self, converge: Converge<'_>) -> Outcome {
        let now = (self.carrier.clock)();
        let pass = converge.decisions().clearance.pass();
        let in_doubt = converge.used_in_doubt();
        let (mut outcome, memory) = converge.into_parts(now);
        self.mind.conclude(memory, &mut outcome);
        self.mind.settle(&outcome, pass, in_doubt, now);
        outcome
    }

    /// As if nothing more was done about any of it.
    pub fn close_all(&self, seen: Vec<Seen<'a>>) -> Vec<Outcome> {
        let close = |seen| match seen {
            Seen::Settled(it) => it,
            Seen::Open(it) => self.close(it.1),
        };
        seen.into_iter().map(close).collect()
    }
}

impl<'a, G: PolicyGateway> Worker<'a, G> {
    /// A whole pass: reads all, widens what is seen as soon as it is seen, judges, narrows. `read` hears of each
    /// target as it was looked at, `told` of what was still open then, as soon as it is through.
    pub async fn pass(
        &self,
        wanted: &[&'a Wanted],
        read: impl Fn(&Seen<'a>),
        told: impl Fn(&Outcome),
    ) -> Vec<Outcome> {
        let lost = Lost::default();
        let mut wanted = wanted.to_vec();
        wanted.sort_by(|a, b| a.target.cmp(&b.target));
        // Most targets are quiet, and there may be very many: each is a place in this, and nothing else.
        let seen = RefCell::new(Vec::with_capacity(wanted.len()));
        let look = |group: &[&'a Wanted]| {
            let (lost, read, all, group) = (&lost, &read, &seen, group.to_vec());
            async move {
                for wanted in group {
                    let seen = self.look(wanted).await;
                    read(&seen);
                    let seen = self.act(seen, lost, Clearance::Pending).await;
                    all.borrow_mut().push(seen);
                }
            }
        };
        let place = |group: &&[&'a Wanted]| group.first().map(|it| it.target.account_region());
        let functions = wanted.chunk_by(|a, b| a.target.is_of_the_function_of(&b.target));
        everywhere(functions, place, look).await;
        let mut seen = seen.into_inner();
        self.judge(&mut seen);
        self.through(seen, &lost, told).await
    }

    /// Does what the looks found to do, after it was judged: widening first, everywhere.
    pub async fn act_on_all(&self, seen: Vec<Seen<'a>>, told: impl Fn(&Outcome)) -> Vec<Outcome> {
        let lost = Lost::default();
        let widen = |(_, group): (String, Vec<Seen<'a>>)| {
            let lost = &lost;
            async move {
                let mut res = Vec::new();
                for seen in group {
                    res.push(self.act(seen, lost, Clearance::Pending).await);
                }
                res
            }
        };
        let judged = seen.iter().find_map(|it| match it {
            Seen::Open(it) => Some(it.1.decisions().clearance.clone()),
            Seen::Settled(_) => None,
        });
        let groups: Vec<Vec<Seen<'a>>> = everywhere(by_function(seen), place_of, widen).await;
        let mut seen: Vec<Seen<'a>> = groups.into_iter().flatten().collect();
        let now = (self.carrier.clock)();
        for it in &mut seen {
            it.decide(now, |it| it.clearance = judged.clone().unwrap_or_default());
        }
        self.through(seen, &lost, told).await
    }

    /// To the end of every conversation.
    async fn through(
        &self,
        seen: Vec<Seen<'a>>,
        lost: &Lost,
        told: impl Fn(&Outcome),
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(seen.len());
        let mut open = Vec::new();
        for it in seen {
            match it {
                Seen::Settled(it) => outcomes.push(it),
                Seen::Open(_) => open.push(it),
            }
        }
        let narrow = |(_, group): (String, Vec<Seen<'a>>)| {
            let told = &told;
            async move {
                let mut res = Vec::new();
                for seen in group {
                    let clearance = match &seen {
                        Seen::Open(it) => it.1.decisions().clearance.clone(),
                        Seen::Settled(_) => Clearance::Pending,
                    };
                    res.push(match self.act(seen, lost, clearance).await {
                        Seen::Settled(it) => it,
                        Seen::Open(it) => {
                            let outcome = self.close(it.1);
                            told(&outcome);
                            outcome
                        }
                    });
                }
                res
            }
        };
        let groups = everywhere(by_function(open), place_of, narrow).await;
        outcomes.extend(groups.into_iter().flatten());
        outcomes.sort_by(|a, b| a.target.cmp(&b.target));
        outcomes
    }

    /// Goes on with one conversation as far as it may.
    async fn act(&self, seen: Seen<'a>, lost: &Lost, clearance: Clearance) -> Seen<'a> {
        let Seen::Open(mut open) = seen else { return seen };
        let turn = self.mind.turn(&open.0.target.function_arn());
        let _turn = turn.lock().await;
        let (wanted, converge) = &mut *open;
        let place = wanted.target.account_region();
        let now = (self.carrier.clock)();
        let mut decisions = converge.decisions().clone();
        decisions.clearance = clearance;
        // Somebody may have paused it since it was looked at: an undo, for one.
        decisions.paused = self.mind.paused(wanted, now);
        decisions.settling = self.mind.is_settling(&wanted.target);
        decisions.may_not_add = decisions.may_not_add.or_else(|| lost.heard(&place));
        converge.decide(decisions, now);
        let may_go_on = converge.plan().is_some_and(|it| !it.steps.is_empty());
        if may_go_on {
            self.carrier.act(&wanted.target, converge, &self.occasion).await;
            lost.learn(place, converge);
        }
        Seen::Open(open)
    }
}

/// Does it for all of them, so many at once in each place: one whose budget is small, or that does not answer,
/// keeps no other from going on.
async fn everywhere<T, P: Ord, R, F: Future<Output = R>>(
    items: impl IntoIterator<Item = T>,
    place: impl Fn(&T) -> P,
    work: impl Fn(T) -> F,
) -> Vec<R> {
    let mut places: BTreeMap<P, Vec<T>> = BTreeMap::new();
    for it in items {
        places.entry(place(&it)).or_default().push(it);
    }
    let at_once = at_once(places.len());
    let of_place = |it| Box::pin(stream::iter(it).map(&work).buffer_unordered(at_once));
    stream::select_all(places.into_values().map(of_place)).collect().await
}

/// How many targets of one place are looked at at once, of so many places. What waits for its turn or its answer is
/// kept in memory and goes through the caches, and few are enough for the budget of a place.
fn at_once(places: usize) -> usize {
    (ALTOGETHER / places.max(1)).clamp(FEW, CONCURRENCY)
}

fn place_of(group: &(String, Vec<Seen<'_>>)) -> Option<AccountRegion> {
    group.1.first().map(|it| it.plan().0.account_region())
}

fn by_function(seen: Vec<Seen<'_>>) -> BTreeMap<String, Vec<Seen<'_>>> {
    let mut res: BTreeMap<String, Vec<Seen<'_>>> = BTreeMap::new();
    for it in seen {
        res.entry(it.plan().0.function_arn()).or_default().push(it);
    }
    res
}

/// A statement that could not be brought back in one place stops replacing in that account and region:
/// whoever may remove and not add would lose one statement after the other.
#[derive(Debug, Default)]
struct Lost(Mutex<BTreeMap<AccountRegion, String>>);

impl Lost {
    fn heard(&self, place: &AccountRegion) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    fn learn(&self, place: AccountRegion, converge: &Converge<'_>) {
        if converge.done().iter().any(|it| matches!(it.result, StepResult::Lost(_))) {
            let why = "not replaced, for a statement was lost that way in this pass".to_owned();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place, why);
        }
    }
}

/// What is held in these outcomes until somebody says yes.
pub fn held(outcomes: &[Outcome]) -> Approval {
    Approval::of_held(outcomes.iter().filter_map(|it| Some((&it.target, it.left.as_deref()?))))
}

/// What time will allow: an orphan that is confirmed by a second read, or what was seen too late to be judged.
pub fn waits(outcome: &Outcome) -> bool {
    // Of files that have to settle somebody tells.
    let by_time = |it: &Reason| it.passes() && *it != Reason::FilesSettling;
    outcome.left.iter().flat_map(|it| it.holds()).any(|(_, it)| by_time(it))
}

/// Two conversations about one target, one after the other, as one.
pub fn continued(first: Outcome, second: Outcome) -> Outcome {
    let mut done = first.done;
    done.extend(second.done);
    Outcome { found: first.found, done, ..second }
}
