//! What is new about a target: the edges of which logs, notifications and counters tell once.

use std::sync::Arc;

use jiff::Timestamp;

use crate::drift::{
    actor::Actor,
    diff::Kind,
    outcome::{Outcome, State, StepResult},
    plan::Change,
};
use crate::observe::standing::{Open, Stage, Standing, is_same, matter, reason};
use crate::policy::target::Target;

/// The closed set of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// Something differs that did not differ before.
    DriftFound,
    /// It was put right.
    Repaired,
    /// Nothing is done about it, for a reason that was not there before.
    Held,
    /// Somebody else undoes again and again what is put right.
    Contended,
    /// It could not be read or written.
    Failed,
    /// All is as written again.
    BackToNormal,
}

impl News {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::DriftFound,
        Self::Repaired,
        Self::Held,
        Self::Contended,
        Self::Failed,
        Self::BackToNormal,
    ];

    /// The name in logs, notifications and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::DriftFound => "drift_found",
            Self::Repaired => "repaired",
            Self::Held => "held",
            Self::Contended => "contended",
            Self::Failed => "failed",
            Self::BackToNormal => "back_to_normal",
        }
    }

    /// What an outcome says that the standing before it did not.
    pub(super) fn between(
        before: &Standing,
        outcome: &Outcome,
        stage: Stage,
    ) -> Vec<(Self, Vec<Matter>)> {
        let through = stage != Stage::First;
        let mut res = Vec::new();
        let mut add = |news: Self, matters: Vec<Matter>| res.push((news, matters));
        let known = |it: &&Change| before.open.iter().any(|open| is_same(open, it));
        let found = outcome.found.iter().flat_map(|it| &it.drift);
        let left = || outcome.left.iter().flat_map(|it| &it.drift);
        // What another writer brought while we were at it was not found by the first read.
        let later = left().filter(|it| !found.clone().any(|found| found.drift == it.drift));
        let new: Vec<Matter> =
            found.clone().chain(later).filter(|it| !known(it)).map(matter).collect();
        if !new.is_empty() {
            add(Self::DriftFound, new);
        }
        let is_left = |it: &&Change| {
            left().any(|left| (&left.drift.sid, left.drift.kind) == (&it.drift.sid, it.drift.kind))
        };
        let wrote = outcome.done.iter().any(|it| it.result == StepResult::Done);
        if wrote && outcome.left.is_some() && through {
            let repaired: Vec<Matter> = found.filter(|it| !is_left(it)).map(matter).collect();
            if !repaired.is_empty() {
                add(Self::Repaired, repaired);
            }
        }
        if through {
            let held: Vec<Matter> = outcome
                .left
                .iter()
                .flat_map(|it| it.holds())
                // What ends by itself within a minute needs nobody.
                .filter(|(_, why)| !why.passes())
                .filter(|(change, why)| {
                    let was = |it: &Open| is_same(it, change) && it.held == Some(why.name());
                    !before.open.iter().any(was)
                })
                .map(|(change, _)| matter(change))
                .collect();
            if !held.is_empty() {
                add(Self::Held, held);
            }
        }
        let turned = (before.state, before.reason) != (outcome.state, reason(outcome));
        match outcome.state {
            State::Contended if through && before.state != State::Contended => {
                add(Self::Contended, left().map(matter).collect());
            }
            State::Failed | State::Unknown if through && turned => {
                add(Self::Failed, left().map(matter).collect());
            }
            State::InSync if before.last_attempt.is_some() && before.state != State::InSync => {
                add(Self::BackToNormal, Vec::new());
            }
            State::InSync
            | State::Drifted
            | State::Held
            | State::Contended
            | State::Suspended
            | State::Paused
            | State::Failed
            | State::Unknown => {}
        }
        res
    }
}

/// Something that is new about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// What.
    pub news: News,
    /// Where.
    pub target: Target,
    /// When.
    pub at: Timestamp,
    /// How the target stands now.
    pub state: State,
    /// Why, from a closed set.
    pub reason: &'static str,
    /// The statements that it is about.
    pub matters: Vec<Matter>,
    /// What went wrong, in one line.
    pub message: Option<String>,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// How the target stood before.
    pub before: State,
    /// Since when it stood like that.
    pub since: Timestamp,
}

/// A statement that an edge is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// None where it has no Sid.
    pub sid: Option<String>,
    /// What kind of difference.
    pub kind: Kind,
    /// The same in words.
    pub detail: String,
    /// The name of the reason why nothing is done about it.
    pub held: Option<&'static str>,
    /// Who made it, where an event told.
    pub by: Option<Arc<Actor>>,
}
