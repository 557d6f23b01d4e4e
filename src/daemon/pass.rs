//! The targets of one pass: all are read, then what may be done is done, never two writes at once in one function.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::{StreamExt, stream};

use crate::daemon::{carry::Carrier, refusals::Refusals};
use crate::drift::{
    allow::Rules,
    approval::Approval,
    converge::Converge,
    outcome::{Outcome, StepResult},
    plan::Plan,
    wanted::Wanted,
};
use crate::lambda::gateway::{PolicyGateway, PolicyReader};
use crate::policy::target::{AccountRegion, Target};

/// Requests in flight at once; the budgets bound how many that are in a second.
const CONCURRENCY: usize = 16;

/// What a first look found.
#[derive(Debug)]
pub enum Seen<'a> {
    /// There is something to do. The conversation can go on from here.
    ToDo(Box<(&'a Wanted, Converge<'a>)>),
    /// There is not.
    Settled(Box<Outcome>),
}

impl Seen<'_> {
    /// Which target, and its plan where it could be read.
    pub fn plan(&self) -> (&Target, Option<&Plan>) {
        match self {
            Self::ToDo(it) => (&it.0.target, it.1.plan()),
            Self::Settled(it) => (&it.target, it.found.as_ref()),
        }
    }

    /// As if nothing was done about it.
    pub fn into_outcome(self) -> Outcome {
        match self {
            Self::ToDo(it) => it.1.outcome(),
            Self::Settled(it) => *it,
        }
    }

    /// The same, and the conversation can still go on.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::ToDo(it) => it.1.clone().outcome(),
            Self::Settled(it) => (**it).clone(),
        }
    }
}

/// Reads every target once, in the order given. `progress` hears of each.
pub async fn look_at_all<'a, G: PolicyReader>(
    carrier: &Carrier<'_, G>,
    wanted: &'a [Wanted],
    rules: &'a Rules,
    refusals: &Refusals,
    progress: impl Fn(),
) -> Vec<Seen<'a>> {
    let look = |wanted: &'a Wanted| {
        let progress = &progress;
        async move {
            let known = refusals.of(wanted);
            let mut converge = Converge::new(wanted, rules).remembering(known);
            carrier.look(&wanted.target, &mut converge).await;
            progress();
            let to_do = converge.plan().is_some_and(|it| !it.steps.is_empty());
            if to_do {
                Seen::ToDo(Box::new((wanted, converge)))
            } else {
                Seen::Settled(Box::new(converge.outcome()))
            }
        }
    };
    stream::iter(wanted).map(look).buffered(CONCURRENCY).collect().await
}

/// Does what the looks found to do. `told` hears of each target that was worked on, as soon as it is through.
pub async fn act_on_all<'a, G: PolicyGateway>(
    carrier: &Carrier<'_, G>,
    seen: Vec<Seen<'a>>,
    approval: Option<&Approval>,
    told: impl Fn(&Outcome),
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut functions: BTreeMap<String, Vec<(&'a Wanted, Converge<'a>)>> = BTreeMap::new();
    for seen in seen {
        match seen {
            Seen::Settled(it) => outcomes.push(*it),
            Seen::ToDo(it) => {
                functions.entry(it.0.target.function_arn()).or_default().push(*it);
            }
        }
    }
    // A statement that could not be brought back in one place stops replacing in that account and region:
    // whoever may remove and not add would lose one statement after the other.
    let lost: Mutex<BTreeMap<AccountRegion, String>> = Mutex::default();
    // Lambda loses additions that run in parallel in one function (`lambda-semantics.md`, 7).
    let function = |group: Vec<(&'a Wanted, Converge<'a>)>| {
        let (told, lost) = (&told, &lost);
        async move {
            let mut res = Vec::new();
            for (wanted, mut converge) in group {
                let place = wanted.target.account_region();
                let heard =
                    lost.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
                carrier.act(&wanted.target, &mut converge, approval.cloned(), heard).await;
                let outcome = converge.outcome();
                if let Some(answer) = lost_for_good(&outcome) {
                    lost.lock().unwrap_or_else(PoisonError::into_inner).insert(place, answer);
                }
                told(&outcome);
                res.push(outcome);
            }
            res
        }
    };
    let mut through =
        stream::iter(functions.into_values()).map(function).buffer_unordered(CONCURRENCY);
    while let Some(group) = through.next().await {
        outcomes.extend(group);
    }
    outcomes.sort_by(|a, b| a.target.cmp(&b.target));
    outcomes
}

/// Why no other statement is replaced, where one was taken away and could not be brought back.
fn lost_for_good(outcome: &Outcome) -> Option<String> {
    let lost = outcome.done.iter().any(|it| matches!(it.result, StepResult::Lost(_)));
    lost.then(|| format!("not replaced, for {} lost a statement that way", outcome.target))
}
