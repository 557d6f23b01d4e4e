//! The search: every state that any order of events leads to, breadth first, each once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use permitd::drift::{
    allow::{Ownership, Rules},
    wanted::Wanted,
};
use tokio::time::Instant;

use super::{
    carry::{self, Bug},
    checks::{self, Violation},
    lambda::{Policy, Reply, Sent, Version, What, apply},
    report::{Report, longest},
    talk::{Ask, FRESH, Heard, Id, Talk},
    worlds::World,
};

/// How much may go wrong on one way through a world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Lost answers, lost and late requests, stale reads, throttled writes and crashes, taken together.
    pub(super) faults: u8,
    /// Writes of somebody else.
    pub(super) others: u8,
    /// Conversations of each instance, besides those after a crash.
    pub(super) passes: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Instance {
    talk: Id,
    /// The answer to a write was lost, and it has not read since.
    unsure: bool,
    passes: u8,
}

/// An instance that is through.
const THROUGH: Id = Id::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    live: Version,
    /// The version before, for stale reads.
    old: Version,
    /// Sorted: the two are alike.
    instances: [Instance; 2],
    /// A request that its sender has given up, and that may still arrive.
    late: Option<Sent>,
    faults: u8,
    others: u8,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Start,
    Read,
    StaleRead,
    NextPass,
    Write(Fate),
    Crash,
    LateRequestArrives,
    OtherRemoves,
    OtherPuts,
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered(Reply),
    /// Done by Lambda, and its sender does not hear it.
    AnswerLost,
    /// Done by Lambda, and its sender is no more.
    CrashedMeanwhile,
    RequestLost,
    /// Its sender hears nothing, and it arrives at any time later, or never.
    Late,
    CrashedAndLate,
    Throttled,
}

/// A violation, and the shortest way to it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) violation: Violation,
    pub(super) way: String,
}

/// Enough for the deep walk; more means that something goes on and on.
const MOST_STATES: usize = 20_000_000;

struct Walk<'w> {
    world: &'w World,
    bug: Option<Bug>,
    budget: Budget,
    talk: Talk<'w>,
    states: Vec<State>,
    numbers: BTreeMap<State, u32>,
    /// From where, and how.
    came: Vec<(u32, Move)>,
    edges: Vec<(u32, u32)>,
    settled: BTreeSet<Policy>,
}

pub(super) fn walk(world: &World, bug: Option<Bug>, budget: Budget) -> Result<Report, Found> {
    let started = Instant::now();
    let rules = Rules::default();
    let ownership = match bug {
        Some(Bug::OwnsEverything) => Ownership::All,
        _ => world.wanted.ownership.clone(),
    };
    let wanted = Wanted { ownership, ..world.wanted.clone() };
    let mut walk = Walk {
        world,
        bug,
        budget,
        talk: Talk::new(world, &wanted, &rules),
        states: Vec::new(),
        numbers: BTreeMap::new(),
        came: Vec::new(),
        edges: Vec::new(),
        settled: BTreeSet::new(),
    };
    let live = Version { policy: world.first, revision: 0 };
    let instance = Instance { talk: FRESH, unsure: false, passes: budget.passes - 1 };
    let Budget { faults, others, .. } = budget;
    walk.reach(
        0,
        Move::Start,
        State { live, old: live, instances: [instance; 2], late: None, faults, others },
    );
    let mut depth = 0;
    let mut level_ends = 1;
    let mut at = 0;
    while let Some(state) = walk.states.get(at).copied() {
        if at == level_ends {
            depth += 1;
            level_ends = walk.states.len();
        }
        let from = u32::try_from(at).unwrap();
        if let Err(violation) = walk.look_at(from, &state) {
            return Err(Found { way: walk.way_to(from, &violation), violation });
        }
        assert!(walk.states.len() < MOST_STATES, "{}: no end in sight", world.name);
        at += 1;
    }
    let Some(longest) = longest(walk.states.len(), &walk.edges) else {
        let violation = Violation::Endless;
        return Err(Found { way: String::new(), violation });
    };
    Ok(Report {
        world: world.name,
        budget,
        states: walk.states.len(),
        moves: walk.edges.len(),
        depth,
        longest,
        conversations: walk.talk.len(),
        policies: walk.settled.len(),
        time: started.elapsed(),
    })
}

impl Walk<'_> {
    fn look_at(&mut self, from: u32, state: &State) -> Result<(), Violation> {
        let policy = state.live.policy;
        if self.settled.insert(policy) {
            checks::settles(self.bug, self.world, &mut self.talk, policy)?;
        }
        let through = state.instances.iter().all(|it| it.talk == THROUGH);
        let undisturbed = state.others == self.budget.others;
        if through && undisturbed && !self.world.is_right(policy) {
            return Err(Violation::LeftUndone(policy));
        }
        let [one, two] = state.instances;
        self.moves_of(from, state, 0)?;
        if one != two {
            self.moves_of(from, state, 1)?;
        }
        if let Some(write) = state.late {
            let (live, reply) = apply(&state.live, &write);
            if reply == Reply::Done {
                checks::done(self.world, policy, &write)?;
            }
            let next = State { late: None, ..changed(state, live) };
            self.reach(from, Move::LateRequestArrives, next);
        }
        if state.others > 0 {
            self.moves_of_others(from, state);
        }
        Ok(())
    }

    fn moves_of(&mut self, from: u32, state: &State, who: usize) -> Result<(), Violation> {
        let me = state.instances[who];
        if me.talk == THROUGH {
            return Ok(());
        }
        let ask = self.talk.ask(me.talk).clone();
        match ask {
            Ask::Read => {
                self.reads(from, state, who, &state.live, Move::Read)?;
                if state.faults > 0 && state.old.shown() != state.live.shown() {
                    let less = State { faults: state.faults - 1, ..*state };
                    self.reads(from, &less, who, &state.old, Move::StaleRead)?;
                }
            }
            Ask::Write(write, replaces) => self.writes(from, state, who, (write, replaces))?,
            Ask::Done { .. } => {
                let talk = self.talk.hear(me.talk, Heard::NextPass);
                let me = Instance { talk, passes: me.passes - 1, ..me };
                self.reach(from, Move::NextPass, with(state, who, me));
            }
        }
        if state.faults > 0 && me.talk != FRESH {
            let less = State { faults: state.faults - 1, ..*state };
            self.reach(from, Move::Crash, with(&less, who, crashed(me)));
        }
        Ok(())
    }

    fn reads(
        &mut self,
        from: u32,
        state: &State,
        who: usize,
        seen: &Version,
        how: Move,
    ) -> Result<(), Violation> {
        let me = state.instances[who];
        let talk = self.talk.hear(me.talk, Heard::Policy(seen.policy, seen.shown()));
        checks::read(self.world, seen.policy, self.talk.ask(talk))?;
        self.reach(from, how, with(state, who, Instance { talk, unsure: false, ..me }));
        Ok(())
    }

    fn writes(
        &mut self,
        from: u32,
        state: &State,
        who: usize,
        asked: (Sent, Option<u8>),
    ) -> Result<(), Violation> {
        let me = state.instances[who];
        let policy = state.live.policy;
        let Some(write) = carry::leaves(self.bug, self.world, policy, asked) else {
            let talk = self.talk.hear(me.talk, Heard::Reply(Reply::Done));
            let fate = Fate::Answered(Reply::Done);
            self.reach(from, Move::Write(fate), with(state, who, Instance { talk, ..me }));
            return Ok(());
        };
        checks::sent(self.bug, &write, me.unsure)?;
        let (live, reply) = apply(&state.live, &write);
        if reply == Reply::Done {
            checks::done(self.world, policy, &write)?;
        }
        let talk = self.talk.hear(me.talk, Heard::Reply(reply));
        let after = changed(state, live);
        let answered = with(&after, who, Instance { talk, ..me });
        self.reach(from, Move::Write(Fate::Answered(reply)), answered);
        if state.faults == 0 {
            return Ok(());
        }
        let repeats = self.bug == Some(Bug::RepeatsWhatMayBeDone);
        let unsure = if repeats { me.talk } else { self.talk.hear(me.talk, Heard::Unsure) };
        let unsure = Instance { talk: unsure, unsure: true, ..me };
        let throttled = self.talk.hear(me.talk, Heard::Throttled);
        let throttled = Instance { talk: throttled, ..me };
        let late = state.late.is_none().then_some(State { late: Some(write), ..*state });
        let fates = [
            (Fate::AnswerLost, Some(after), unsure),
            (Fate::CrashedMeanwhile, Some(after), crashed(me)),
            (Fate::RequestLost, Some(*state), unsure),
            (Fate::Throttled, Some(*state), throttled),
            (Fate::Late, late, unsure),
            (Fate::CrashedAndLate, late, crashed(me)),
        ];
        for (fate, then, me) in fates {
            let Some(then) = then else { continue };
            let less = State { faults: state.faults - 1, ..then };
            self.reach(from, Move::Write(fate), with(&less, who, me));
        }
        Ok(())
    }

    /// Somebody else removes any statement, spoils or puts back any, or adds one of his own.
    fn moves_of_others(&mut self, from: u32, state: &State) {
        let World { first, foreign, odd, .. } = *self.world;
        let policy = state.live.policy;
        let less = State { others: state.others - 1, ..*state };
        for (sid, _) in policy.iter() {
            let live = state.live.then(policy.without(sid));
            self.reach(from, Move::OtherRemoves, changed(&less, live));
        }
        let spoilt = policy.iter().map(|it| (it.0, odd));
        for (sid, content) in spoilt.chain(first.iter()).chain([(foreign, odd)]) {
            if policy.under(sid) != Some(content) {
                let live = state.live.then(policy.without(sid).with(sid, content));
                self.reach(from, Move::OtherPuts, changed(&less, live));
            }
        }
    }

    fn reach(&mut self, from: u32, how: Move, mut state: State) {
        for it in &mut state.instances {
            let is_done = it.talk != THROUGH
                && it.passes == 0
                && matches!(self.talk.ask(it.talk), Ask::Done { .. });
            if is_done {
                it.talk = THROUGH;
            }
        }
        state.instances.sort_unstable();
        // It cannot be done any more: revisions do not come back.
        state.late =
            state.late.filter(|it| it.revision.is_none() || it.revision == state.live.shown());
        if state.faults == 0 {
            // No read is stale any more.
            state.old = state.live;
        }
        let new = u32::try_from(self.states.len()).unwrap();
        let number = *self.numbers.entry(state).or_insert(new);
        if number == new {
            self.states.push(state);
            self.came.push((from, how));
        }
        if !matches!(how, Move::Start) {
            self.edges.push((from, number));
        }
    }

    fn way_to(&self, state: u32, violation: &Violation) -> String {
        let at = |it: u32| usize::try_from(it).unwrap();
        let mut way = vec![format!("{violation:?}")];
        let mut here = state;
        loop {
            let (from, how) = self.came[at(here)];
            let State { live, instances, .. } = &self.states[at(here)];
            let asks = instances.map(|it| match it.talk {
                THROUGH => "through".to_owned(),
                id => format!("{id} {}", self.show(self.talk.ask(id))),
            });
            let policy = self.world.show(live.policy);
            way.push(format!("{how}: r{} {policy} {}", live.revision, asks.join(" | ")));
            if matches!(how, Move::Start) {
                break;
            }
            here = from;
        }
        way.reverse();
        format!("{}:\n{}", self.world.name, way.join("\n"))
    }

    fn show(&self, ask: &Ask) -> String {
        match ask {
            Ask::Read => "reads".to_owned(),
            Ask::Done { in_sync } => format!("done, in sync: {in_sync}"),
            Ask::Write(Sent { sid, what, revision, .. }, _) => {
                let sid = self.world.sid(*sid);
                let what = match what {
                    What::Add(content) => format!("adds {}", char::from(b'A' + content)),
                    What::Remove => "removes".to_owned(),
                };
                format!("{what} {sid} from {revision:?}")
            }
        }
    }
}

fn changed(state: &State, live: Version) -> State {
    if live == state.live { *state } else { State { live, old: state.live, ..*state } }
}

fn with(state: &State, who: usize, me: Instance) -> State {
    let mut res = *state;
    res.instances[who] = me;
    res
}

/// Started anew: it knows nothing.
fn crashed(me: Instance) -> Instance {
    Instance { talk: FRESH, unsure: false, ..me }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Write(fate) = self {
            return match fate {
                Fate::Answered(reply) => write!(f, "Write, {reply:?}"),
                Fate::AnswerLost
                | Fate::CrashedMeanwhile
                | Fate::RequestLost
                | Fate::Late
                | Fate::CrashedAndLate
                | Fate::Throttled => write!(f, "Write, {fate:?}"),
            };
        }
        write!(f, "{self:?}")
    }
}
