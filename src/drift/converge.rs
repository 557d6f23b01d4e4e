//! One target's conversation with Lambda, as a state machine without IO: an answer in, the next request out.
//!
//! Read, plan, do the first allowed step, read again. So a crash, a lost answer and another writer need no
//! path of their own: the next read tells where things stand. What it keeps between the steps only saves
//! calls or makes it more careful.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::drift::{
    allow::Rules,
    approval::Entry,
    dialogue::{Answer, Failure, Request, Write},
    limits::Used,
    memory::TargetMemory,
    outcome::{Done, Trouble, TroubleReason},
    plan::{Action, Decisions, Memory, Plan, Step},
    wanted::Wanted,
};
use crate::policy::{document::Document, statement::Statement};

mod ending;
mod putting;
mod reading;
mod writing;

/// How often each kind of trouble is borne before the conversation is given up.
///
/// The next pass starts a new one, so these only bound how long one target keeps its place.
const MAX_CONFLICTS: u32 = 5;
/// While a statement is away, giving up costs more: deployments hold a function for minutes.
const MAX_CONFLICTS_IN_GAP: u32 = 20;
/// Answers of 429.
pub const MAX_THROTTLES: u32 = 10;
/// Reads without a usable answer.
pub const MAX_FAILURES: u32 = 4;
/// Reads are eventually consistent within seconds (`lambda-semantics.md`, 7); eight waits are about half a minute.
const MAX_STALE: u32 = 8;
/// Writes per conversation beyond three for each step of the first plan: somebody else keeps changing things.
const SPARE_WRITES: usize = 10;
const OTHER_WRITER: &str = "look for another tool that writes this policy (CloudTrail: AddPermission, RemovePermission, \
     PutResourcePolicy)";
/// `Retry-After` is honoured up to here.
pub const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

/// The conversation.
#[derive(Debug, Clone)]
pub struct Converge<'a> {
    wanted: &'a Wanted,
    rules: &'a Rules,
    expecting: Expecting,
    /// From earlier conversations, and for later ones.
    known: TargetMemory,
    known_to_exist: bool,
    /// We took the last statement away, so no policy is no surprise.
    emptied: bool,
    live: Option<Document>,
    memory: Memory,
    gap: Option<Gap>,
    /// What our last write of a whole document made of it, and the revision that the answer gave.
    put: Option<(Vec<Named>, String)>,
    /// Such a write was refused for its revision; the next read tells whether something had changed.
    wants_other_revision: bool,
    /// How often in a row that was so although nothing had changed.
    refused_fresh: u32,
    /// The write that waits for its answer.
    in_flight: Option<InFlight>,
    /// A write whose answer was lost, until a read of another revision tells what became of it.
    doubtful: Option<InFlight>,
    /// Why no further write is tried; one last read tells where things stand.
    last_words: Option<Failure>,
    /// The id of the call that failed last; none once another one was answered.
    failed_call: Option<String>,
    trouble: Option<Trouble>,
    /// The first write that was refused for good.
    refusal: Option<Trouble>,
    found: Option<Arc<Plan>>,
    left: Option<Arc<Plan>>,
    done: Vec<Done>,
    /// How many of them the last read shows.
    done_at_read: usize,
    writes_left: usize,
    counts: Counts,
}

#[derive(Debug, Clone, PartialEq)]
enum Expecting {
    Policy,
    Exists,
    Resource,
    Proceed,
    Judgement,
    Written,
    WaitThen(Box<Request>),
    Nothing,
}

/// A write that was asked for, and the statement that it takes away to replace it.
#[derive(Debug, Clone)]
struct InFlight {
    write: Write,
    replaced: Option<Statement>,
    /// One, or every step of a write of the whole document.
    parts: Vec<Part>,
}

/// One step, what it makes of the Sids of its change, and whether the limits were asked about it: about taking
/// something away, and about a rule for many functions.
#[derive(Debug, Clone)]
struct Part {
    step: Step,
    before: Option<Statement>,
    entries: Vec<Entry>,
    limited: bool,
    by_rule: bool,
}

/// A statement as it is compared between two reads: its Sid, and what it says.
type Named = (Option<String>, String);

/// A statement that we took away to replace it.
#[derive(Debug, Clone)]
struct Gap {
    sid: String,
    old: Statement,
    /// The new one was refused: the old one is to come back.
    restoring: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    conflicts: u32,
    throttles: u32,
    failures: u32,
    stale: u32,
}

impl<'a> Converge<'a> {
    /// A new conversation; [`Converge::start`] gives its first request.
    pub fn new(wanted: &'a Wanted, rules: &'a Rules) -> Self {
        Self {
            wanted,
            rules,
            expecting: Expecting::Nothing,
            known: TargetMemory::default(),
            known_to_exist: false,
            emptied: false,
            live: None,
            memory: Memory::default(),
            gap: None,
            put: None,
            wants_other_revision: false,
            refused_fresh: 0,
            in_flight: None,
            doubtful: None,
            last_words: None,
            failed_call: None,
            trouble: None,
            refusal: None,
            found: None,
            left: None,
            done: Vec::new(),
            done_at_read: 0,
            writes_left: 0,
            counts: Counts::default(),
        }
    }

    /// Knows what earlier conversations about the same target found out.
    #[must_use]
    pub fn remembering(mut self, known: TargetMemory) -> Self {
        self.known = known;
        self
    }

    /// Keeps to what was decided elsewhere.
    #[must_use]
    pub fn deciding(mut self, decisions: Decisions) -> Self {
        self.memory.decisions = decisions;
        self
    }

    /// The first request.
    pub fn start(&mut self) -> Request {
        self.read()
    }

    /// What the policy as last read asks for.
    pub fn plan(&self) -> Option<&Plan> {
        self.left.as_deref()
    }

    /// The policy as last read.
    pub fn live(&self) -> Option<&Document> {
        self.live.as_ref()
    }

    /// A write was sent whose answer was lost, and no read has told yet what became of it.
    pub fn is_in_doubt(&self) -> bool {
        self.doubtful.is_some()
    }

    /// What the limits were asked about, of a write that no read has told of: it may have been done.
    pub fn used_in_doubt(&self) -> Used {
        let parts = || self.doubtful.iter().flat_map(|it| &it.parts);
        Used {
            narrowing: parts().filter(|it| it.limited).count(),
            by_rules: parts().filter(|it| it.by_rule).count(),
        }
    }

    /// The writes so far.
    pub fn done(&self) -> &[Done] {
        &self.done
    }

    /// What was decided so far.
    pub fn decisions(&self) -> &Decisions {
        &self.memory.decisions
    }

    /// Decides anew; the plan changes with it, and nothing is asked.
    pub fn decide(&mut self, decisions: Decisions, now: Timestamp) {
        self.memory.decisions = decisions;
        if self.left.is_some() {
            let untouched = self.done.is_empty();
            self.left = Some(Arc::new(self.make_plan(now)));
            if untouched {
                self.found.clone_from(&self.left);
            }
        }
    }

    /// Goes on from [`Request::Planned`] or [`Request::Judge`].
    pub fn proceed(&mut self, now: Timestamp) -> Request {
        if !matches!(self.expecting, Expecting::Proceed | Expecting::Judgement) {
            return Request::Done;
        }
        self.left = Some(Arc::new(self.make_plan(now)));
        self.writes_left = self.left.as_deref().map_or(0, |it| it.steps.len() * 3 + SPARE_WRITES);
        self.act()
    }

    /// A statement was taken away to be replaced, or perhaps was, and is not back yet.
    pub fn is_in_gap(&self) -> bool {
        self.gap.is_some() || self.doubtful.as_ref().is_some_and(|it| it.replaced.is_some())
    }

    /// No further write is started; the outcome says so if something was left.
    pub fn interrupt(&mut self) -> Request {
        self.count_as_done();
        let waits = |it: &Plan| it.drift.iter().any(|it| it.held.is_none());
        let to_do = self.left.as_deref().is_none_or(waits);
        if to_do || self.doubtful.is_some() {
            self.give_up(TroubleReason::Interrupted, "it was stopped before it was through", None)
        } else {
            self.finish()
        }
    }

    /// Takes the answer to the last request and gives the next one.
    pub fn answer(&mut self, answer: Answer, now: Timestamp) -> Request {
        let expecting = std::mem::replace(&mut self.expecting, Expecting::Nothing);
        self.hear_of_failure(&answer);
        match (expecting, answer) {
            (Expecting::Policy, Answer::Policy(Ok(it))) => self.has_read(it, now),
            (Expecting::Policy, Answer::Policy(Err(failure))) => {
                self.not_read(failure, Request::Read)
            }
            (Expecting::Exists, Answer::Exists(Ok(true))) => {
                self.known_to_exist = true;
                self.planned(now)
            }
            (Expecting::Exists, Answer::Exists(Ok(false))) => self.function_missing(),
            (Expecting::Exists, Answer::Exists(Err(failure))) => {
                self.not_read(failure, Request::Exists)
            }
            (Expecting::Resource, Answer::Resource(result)) => self.has_read_resource(result),
            (Expecting::Written, Answer::Written(result)) => {
                match (self.in_flight.take(), result) {
                    (Some(done), Ok(revision)) => {
                        self.known.wrote(done.write.revision.as_deref(), done.write.adds(), now);
                        self.has_put(&done.write, revision);
                        self.has_written(done);
                        self.read()
                    }
                    (Some(it), Err(failure)) => self.not_written(it, failure, now),
                    (None, _) => self.read(),
                }
            }
            (Expecting::WaitThen(request), Answer::Waited) => match *request {
                // It was not done, so what was read still stands; but a grant may have expired meanwhile.
                Request::Write(_) => self.planned(now),
                request @ (Request::Read
                | Request::ReadResource
                | Request::Exists
                | Request::Wait { .. }
                | Request::Planned
                | Request::Judge
                | Request::Done) => self.ask(request),
            },
            // An answer to a question that was not asked changes nothing.
            (expecting, _) => {
                self.expecting = expecting;
                Request::Done
            }
        }
    }

    fn hear_of_failure(&mut self, answer: &Answer) {
        let failure = match answer {
            Answer::Waited => return,
            Answer::Policy(it) | Answer::Resource(it) => it.as_ref().err(),
            Answer::Exists(it) => it.as_ref().err(),
            Answer::Written(it) => it.as_ref().err(),
        };
        self.failed_call = failure.and_then(|it| it.request_id.clone());
    }

    fn ask(&mut self, request: Request) -> Request {
        self.expecting = match &request {
            Request::Read => Expecting::Policy,
            Request::Exists => Expecting::Exists,
            Request::ReadResource => Expecting::Resource,
            Request::Write(_) => Expecting::Written,
            Request::Planned => Expecting::Proceed,
            Request::Judge => Expecting::Judgement,
            Request::Wait { .. } | Request::Done => Expecting::Nothing,
        };
        request
    }

    fn read(&mut self) -> Request {
        self.ask(Request::Read)
    }

    fn wait(&mut self, attempt: u32, at_least: Duration, then: Request) -> Request {
        self.expecting = Expecting::WaitThen(Box::new(then));
        Request::Wait { attempt, at_least: at_least.min(MAX_RETRY_AFTER) }
    }

    fn finish(&mut self) -> Request {
        self.expecting = Expecting::Nothing;
        Request::Done
    }

    fn give_up(
        &mut self,
        reason: TroubleReason,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Request {
        let mut message = message.into();
        let mut reason = reason;
        let mut tell = |text: String| message.push_str(&text);
        if let Some(Gap { sid, old, .. }) = &self.gap {
            reason = TroubleReason::GapOpen;
            let old = old.text();
            tell(format!("; {sid} was taken away to be replaced and is not back; it was {old}"));
        }
        if let Some(InFlight { write, replaced, .. }) = &self.doubtful {
            let what = match write.step.action {
                Action::Remove => format!("the removal of {}", write.step.sid),
                Action::Add(_) => format!("the addition of {}", write.step.sid),
                Action::Put(_) => "the write of the whole document".to_owned(),
            };
            tell(format!("; whether {what} was done is not known"));
            if let Some(old) = replaced {
                tell(format!("; it was {}", old.text()));
            }
        }
        let request_id = self.failed_call.take();
        self.trouble = Some(Trouble { reason, message, hint, request_id });
        self.expecting = Expecting::Nothing;
        Request::Done
    }
}
