//! Conversations as numbers: what one knows is kept once, and so is where each answer leads.
//!
//! `converge` is a function of its answers, so a state of the walk needs only the number of each conversation.
//! What concerns nobody else is run through at once: waits (a minute passes after a missing
//! policy, no time after anything else), the question whether
//! the function exists, and the two pauses, where everything is allowed. A crash there is a crash before the
//! next read.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use permitd::drift::{
    allow::Rules,
    converge::Converge,
    dialogue::{Answer, Failure, FailureKind, Request, Write},
    memory::TargetMemory,
    outcome::State,
    plan::{Action, Clearance},
    wanted::Wanted,
};

use permitd::policy::document::Document;

use super::key;
use super::lambda::{At, Policy, Reply, Sent, What};
use super::worlds::{World, content, now};

/// What an instance hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heard {
    /// To a read: the policy and its revision.
    Policy(Policy, Option<u8>),
    /// To a write.
    Reply(Reply),
    /// To a write: perhaps done.
    Unsure,
    /// To a write: not done, later perhaps.
    Throttled,
    /// After the end: the next pass.
    NextPass,
}

/// What it asks.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Read,
    /// With the Sid that it replaces, for the steps of a replacement.
    Write(Sent, Option<At>),
    /// The end, and whether it says that all is as it should be.
    Done {
        in_sync: bool,
    },
}

/// The number of a conversation as it stands.
pub(super) type Id = u32;

#[derive(Debug)]
struct Node<'w> {
    /// None after the end.
    converge: Option<Converge<'w>>,
    memory: TargetMemory,
    now: Timestamp,
    ask: Ask,
}

/// All conversations of one world so far.
#[derive(Debug)]
pub(super) struct Talk<'w> {
    world: &'w World,
    wanted: &'w Wanted,
    rules: &'w Rules,
    nodes: Vec<Node<'w>>,
    ids: BTreeMap<u64, Id>,
    next: BTreeMap<(Id, Heard), Id>,
}

/// Now, and how long a wait takes.
type Time = (Timestamp, Duration);

/// The first conversation of an instance that knows nothing.
pub(super) const FRESH: Id = 0;

impl<'w> Talk<'w> {
    pub(super) fn new(world: &'w World, wanted: &'w Wanted, rules: &'w Rules) -> Self {
        let (nodes, ids, next) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut res = Self { world, wanted, rules, nodes, ids, next };
        let id = res.start(TargetMemory::default(), now());
        assert_eq!(id, FRESH);
        res
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn ask(&self, id: Id) -> &Ask {
        &self.node(id).ask
    }

    fn node(&self, id: Id) -> &Node<'w> {
        &self.nodes[usize::try_from(id).unwrap()]
    }

    pub(super) fn hear(&mut self, id: Id, heard: Heard) -> Id {
        if let Some(known) = self.next.get(&(id, heard)) {
            return *known;
        }
        let Node { converge, memory, now, ask: _ } = self.node(id);
        let now = *now;
        let res = match (heard, converge.clone()) {
            (Heard::NextPass, None) => {
                let later = now.checked_add(Duration::from_mins(1)).unwrap();
                self.start(memory.clone(), later)
            }
            (Heard::Policy(policy, revision), Some(converge)) => {
                let text = revision.map(|it| (self.world.text(policy), format!("r{it}")));
                // Whether a missing policy is news depends on the time since our own addition; nothing else
                // here does.
                let pause = Duration::from_mins(u64::from(revision.is_none()));
                self.answer(converge, Answer::Policy(Ok(text)), (now, pause))
            }
            (Heard::Reply(reply), Some(converge)) => {
                let result = match reply {
                    Reply::Done => Ok(()),
                    Reply::Taken | Reply::Stale => Err(failure(FailureKind::Conflict)),
                    Reply::Gone => Err(failure(FailureKind::Gone)),
                };
                self.answer(converge, Answer::Written(result.map(|()| None)), (now, Duration::ZERO))
            }
            (Heard::Unsure, Some(converge)) => {
                let answer = Answer::Written(Err(failure(FailureKind::Unsure)));
                self.answer(converge, answer, (now, Duration::ZERO))
            }
            (Heard::Throttled, Some(converge)) => {
                let kind = FailureKind::Throttled(Duration::from_secs(1));
                self.answer(converge, Answer::Written(Err(failure(kind))), (now, Duration::ZERO))
            }
            (heard, converge) => panic!("{heard:?} to {converge:?}"),
        };
        self.next.insert((id, heard), res);
        res
    }

    fn start(&mut self, memory: TargetMemory, now: Timestamp) -> Id {
        let mut converge = Converge::new(self.wanted, self.rules).remembering(memory);
        let request = converge.start();
        self.go_on(converge, request, (now, Duration::ZERO))
    }

    fn answer(&mut self, mut converge: Converge<'w>, answer: Answer, time: Time) -> Id {
        let request = converge.answer(answer, time.0);
        self.go_on(converge, request, time)
    }

    /// To the next thing that concerns others.
    fn go_on(&mut self, mut converge: Converge<'w>, mut request: Request, time: Time) -> Id {
        let (mut now, pause) = time;
        let ask = loop {
            request = match request {
                Request::Planned => converge.proceed(now),
                Request::Judge => {
                    let mut decisions = converge.decisions().clone();
                    decisions.clearance = Clearance::Free;
                    converge.decide(decisions, now);
                    converge.proceed(now)
                }
                Request::Wait { .. } => {
                    now = now.checked_add(pause).unwrap();
                    converge.answer(Answer::Waited, now)
                }
                Request::Exists => converge.answer(Answer::Exists(Ok(true)), now),
                Request::ReadResource => panic!("nothing is written wholly here"),
                Request::Read => break Ask::Read,
                Request::Write(write) => break self.sent(&converge, &write),
                Request::Done => {
                    let (outcome, memory) = converge.into_parts(now);
                    let in_sync = outcome.state == State::InSync;
                    let ask = Ask::Done { in_sync };
                    return self.keep(Node { converge: None, memory, now, ask });
                }
            };
        };
        let memory = TargetMemory::default();
        self.keep(Node { converge: Some(converge), memory, now, ask })
    }

    fn keep(&mut self, node: Node<'w>) -> Id {
        let Node { converge, memory, now, ask } = &node;
        let rest = format!("{now} {ask:?}");
        let key = match converge {
            Some(it) => key::of_conversation(it, &rest),
            None => key::of_memory(memory, &rest),
        };
        let new = Id::try_from(self.nodes.len()).unwrap();
        let id = *self.ids.entry(key).or_insert(new);
        if id == new {
            self.nodes.push(node);
        }
        id
    }

    fn sent(&self, converge: &Converge<'_>, write: &Write) -> Ask {
        let Write { step, revision, before, .. } = write;
        let number = |it: &str| it.trim_start_matches('r').parse().unwrap();
        let live = converge.live();
        let text = |it: &String| {
            let statements = live.into_iter().flat_map(Document::statements);
            let found = statements.clone().find(|old| old.text() == it);
            content(found.unwrap().permission().unwrap())
        };
        let sent = Sent {
            sid: self.world.at(&step.sid),
            what: match &step.action {
                Action::Add(permission) => What::Add(content(permission)),
                Action::Remove => What::Remove,
                Action::Put(_) => panic!("nothing is written wholly here"),
            },
            revision: revision.as_deref().map(number),
            planned_from: live.map(|it| number(it.revision())),
            journal: before.as_ref().map(text),
        };
        Ask::Write(sent, step.replaces.as_ref().map(|it| self.world.at(it)))
    }
}

fn failure(kind: FailureKind) -> Failure {
    Failure { kind, message: "why".into(), hint: None, request_id: None }
}
