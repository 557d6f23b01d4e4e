//! How one target stands, since when, and what is new about it. Values only.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;

use crate::drift::{
    actor::Actor,
    allow::Reason,
    diff::Kind,
    outcome::{Outcome, State, StepResult, Trouble, TroubleReason},
    plan::{Change, Plan},
    wanted::Wanted,
};
use crate::observe::news::{Edge, Matter, News};
use crate::policy::target::Target;
use crate::report::words;

/// How many of the last things that happened to a target are kept.
const LATELY: usize = 5;

/// Why a target stands as it does, where neither a trouble nor a hold says so.
pub const AS_WRITTEN: &str = "as_written";
/// Something differs and would be put right: the mode is `observe`, or the pass is not through.
pub const DIFFERS: &str = "differs";
/// Nobody has looked yet.
pub const NOT_READ_YET: &str = "not_read_yet";

/// What is known of one target.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Which policy.
    pub target: Target,
    /// How it stands.
    pub state: State,
    /// Why: a name of `TroubleReason`, of a hold's `Reason`, or one of the three above.
    pub reason: &'static str,
    /// Since when state and reason are these.
    pub since: Timestamp,
    /// When it was last asked about, whatever came of it.
    pub last_attempt: Option<Timestamp>,
    /// When its policy was last read.
    pub last_read: Option<Timestamp>,
    /// When it will be looked at before its next full pass.
    pub next_look: Option<Timestamp>,
    /// How many statements the files want.
    pub grants: usize,
    /// The revision of that read; none where there is no policy.
    pub revision: Option<String>,
    /// The bytes of the policy, if it was ever read.
    pub size: Option<usize>,
    /// Live statements that are in no file and not owned.
    pub foreign: usize,
    /// Live statements that a rule exempts.
    pub ignored: usize,
    /// What differed at the last read.
    pub open: Vec<Open>,
    /// The last outcome, where it says more than that all is as written.
    pub outcome: Option<Arc<Outcome>>,
    /// The last things that happened, the newest last. What only repeats itself is not among them.
    pub lately: VecDeque<Event>,
}

/// A difference that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The statement; none where it has no Sid.
    pub sid: Option<String>,
    /// What kind of difference.
    pub kind: Kind,
    /// The name of the reason why nothing is done about it.
    pub held: Option<&'static str>,
    /// When it was first seen.
    pub since: Timestamp,
    /// Who made it, where an event told.
    pub by: Option<Arc<Actor>>,
}

/// How far a conversation is when its outcome is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// One look was all: nothing is to be done or decided.
    Settled,
    /// The first look of a conversation that goes on.
    First,
    /// Its end.
    Last,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// How the target stood afterwards.
    pub state: State,
    /// Why.
    pub reason: &'static str,
    /// How many writes were done.
    pub writes: usize,
    /// Who made the first difference that was found, where an event told.
    pub by: Option<Arc<Actor>>,
}

impl Standing {
    /// Of a target that was never looked at.
    pub fn new(wanted: &Wanted, now: Timestamp) -> Self {
        Self {
            target: wanted.target.clone(),
            state: State::Unknown,
            reason: NOT_READ_YET,
            since: now,
            last_attempt: None,
            last_read: None,
            next_look: None,
            grants: wanted.grants.len(),
            revision: None,
            size: None,
            foreign: 0,
            ignored: 0,
            open: Vec::new(),
            outcome: None,
            lately: VecDeque::new(),
        }
    }

    /// Takes over what was found, and tells what is new. What was cut short says nothing.
    pub fn take(&mut self, outcome: &Outcome, stage: Stage, now: Timestamp) -> Vec<Edge> {
        let interrupted = |it: &Trouble| it.reason == TroubleReason::Interrupted;
        if outcome.trouble.as_ref().is_some_and(interrupted) {
            return Vec::new();
        }
        let news = News::between(self, outcome, stage);
        let before = (self.state, self.since);
        // What was held is not called drifted for the moment in which the pass decides about it again.
        let decided = stage != Stage::First || matches!(self.state, State::InSync | State::Unknown);
        let reason = reason(outcome);
        if decided && (self.state, self.reason) != (outcome.state, reason) {
            (self.state, self.reason, self.since) = (outcome.state, reason, now);
        }
        let read_before = stage == Stage::Last && outcome.done.is_empty();
        if !read_before {
            self.last_attempt = Some(now);
            self.next_look = self.next_look.filter(|it| *it > now);
        }
        if let Some(plan) = &outcome.left {
            self.read(plan, stage, now);
            if !read_before {
                self.last_read = Some(now);
            }
        }
        let worth_keeping = outcome.state != State::InSync
            || outcome.trouble.is_some()
            || outcome
                .left
                .as_ref()
                .is_some_and(|it| !it.expiring.is_empty() || !it.risks.is_empty());
        self.outcome = worth_keeping.then(|| Arc::new(outcome.clone()));
        if stage != Stage::First {
            self.remember(outcome, now);
        }
        let edge = |(news, matters): (News, Vec<Matter>)| Edge {
            news,
            target: self.target.clone(),
            at: now,
            state: self.state,
            reason: self.reason,
            matters,
            message: outcome.trouble.as_ref().map(|it| it.message.clone()),
            hint: outcome.trouble.as_ref().and_then(|it| it.hint.clone()),
            before: before.0,
            since: before.1,
        };
        news.into_iter().map(edge).collect()
    }

    fn read(&mut self, plan: &Plan, stage: Stage, now: Timestamp) {
        self.revision.clone_from(&plan.revision);
        self.size = Some(plan.size);
        self.foreign = plan.foreign.len();
        self.ignored = plan.ignored.len();
        let before = std::mem::take(&mut self.open);
        let open = |it: &Change| {
            let known = before.iter().find(|was| is_same(was, it));
            Open {
                sid: it.drift.sid.clone(),
                kind: it.drift.kind,
                held: match stage {
                    Stage::First => known.and_then(|it| it.held),
                    Stage::Settled | Stage::Last => it.held.as_ref().map(Reason::name),
                },
                since: known.map_or(now, |it| it.since),
                by: it.by.clone().or_else(|| known.and_then(|it| it.by.clone())),
            }
        };
        self.open = plan.drift.iter().map(open).collect();
    }

    fn remember(&mut self, outcome: &Outcome, now: Timestamp) {
        let writes = outcome.done.iter().filter(|it| it.result == StepResult::Done).count();
        let same = |it: &Event| (it.state, it.reason) == (self.state, self.reason) && writes == 0;
        if self.lately.back().is_some_and(same) {
            return;
        }
        let (state, reason) = (self.state, self.reason);
        let by = outcome.found.iter().flat_map(|it| &it.drift).find_map(|it| it.by.clone());
        // Most have one event for a long time, and there may be a hundred thousand of them.
        self.lately.reserve_exact(1);
        self.lately.push_back(Event { at: now, state, reason, writes, by });
        while self.lately.len() > LATELY {
            self.lately.pop_front();
        }
    }
}

/// The same difference, seen again.
pub(super) fn is_same(open: &Open, change: &Change) -> bool {
    open.sid == change.drift.sid && open.kind == change.drift.kind
}

/// Why a target stands as it does, from a closed set.
pub fn reason(outcome: &Outcome) -> &'static str {
    let hold = || {
        let left = outcome.left.as_deref()?;
        left.holds().map(|(_, it)| it.name()).next()
    };
    let trouble = outcome.trouble.as_ref().map(|it| it.reason.name());
    match outcome.state {
        State::InSync => AS_WRITTEN,
        State::Drifted => DIFFERS,
        State::Held => hold().unwrap_or(DIFFERS),
        State::Suspended => "suspended",
        State::Paused => "paused",
        State::Contended => TroubleReason::Contended.name(),
        State::Failed | State::Unknown => trouble.or_else(hold).unwrap_or(NOT_READ_YET),
    }
}

/// What a difference is about, for people.
pub(super) fn matter(change: &Change) -> Matter {
    Matter {
        sid: change.drift.sid.clone(),
        kind: change.drift.kind,
        detail: words::change(change),
        held: change.held.as_ref().map(Reason::name),
        by: change.by.clone(),
    }
}
