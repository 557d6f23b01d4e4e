//! One target's conversation with Lambda, as a state machine without IO: an answer in, the next request out.
//!
//! Read, plan, do the first allowed step, read again. So a crash, a lost answer and another writer need no
//! path of their own: the next read tells where things stand. What it keeps between the steps only saves
//! calls or makes it more careful.

use std::time::Duration;

use jiff::Timestamp;

use crate::drift::{
    allow::{Reason, Rules},
    approval::Approval,
    dialogue::{Answer, Failure, FailureKind, Request, Write},
    diff::Kind,
    outcome::{Done, Outcome, State, StepResult, Trouble, TroubleReason},
    plan::{Action, Effect, Memory, Plan, Step, plan},
    wanted::Wanted,
};
use crate::policy::{document::Document, grant::Permission, statement::Statement};

/// How often each kind of trouble is borne before the conversation is given up.
///
/// The next pass starts a new one, so these only bound how long one target keeps its place.
const MAX_CONFLICTS: u32 = 5;
/// While a statement is away, giving up costs more: deployments hold a function for minutes.
const MAX_CONFLICTS_IN_GAP: u32 = 20;
const MAX_THROTTLES: u32 = 10;
const MAX_FAILURES: u32 = 4;
/// Reads are eventually consistent within seconds (`lambda-semantics.md`, 7); eight waits are about half a minute.
const MAX_STALE: u32 = 8;
/// Writes per conversation beyond three for each step of the first plan: somebody else keeps changing things.
const SPARE_WRITES: usize = 10;
const OTHER_WRITER: &str =
    "look for another tool that writes this policy (CloudTrail: AddPermission, RemovePermission)";
/// `Retry-After` is honoured up to here.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

/// The conversation.
#[derive(Debug, Clone)]
pub struct Converge<'a> {
    wanted: &'a Wanted,
    rules: &'a Rules,
    approval: Option<Approval>,
    expecting: Expecting,
    /// Revisions that our own writes replaced: a read that shows one is stale.
    spent: Vec<String>,
    /// The last write was an addition, so there has to be a policy.
    policy_expected: bool,
    known_to_exist: bool,
    live: Option<Document>,
    memory: Memory,
    gap: Option<Gap>,
    /// The write that waits for its answer.
    in_flight: Option<InFlight>,
    /// A write whose answer was lost, until a read of another revision tells what became of it.
    doubtful: Option<InFlight>,
    /// Why no further write is tried; one last read tells where things stand.
    last_words: Option<(String, Option<String>)>,
    trouble: Option<Trouble>,
    /// The first write that was refused for good.
    refusal: Option<Trouble>,
    found: Option<Plan>,
    left: Option<Plan>,
    done: Vec<Done>,
    writes_left: usize,
    counts: Counts,
}

#[derive(Debug, Clone, PartialEq)]
enum Expecting {
    Policy,
    Exists,
    Proceed,
    Written,
    WaitThen(Box<Request>),
    Nothing,
}

/// A write that was asked for, and the statement that it takes away to replace it.
#[derive(Debug, Clone)]
struct InFlight {
    write: Write,
    replaced: Option<Statement>,
}

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
            approval: None,
            expecting: Expecting::Nothing,
            spent: Vec::new(),
            policy_expected: false,
            known_to_exist: false,
            live: None,
            memory: Memory::default(),
            gap: None,
            in_flight: None,
            doubtful: None,
            last_words: None,
            trouble: None,
            refusal: None,
            found: None,
            left: None,
            done: Vec::new(),
            writes_left: 0,
            counts: Counts::default(),
        }
    }

    /// Knows from earlier conversations which replacements Lambda refuses: Sid and answer.
    #[must_use]
    pub fn remembering(mut self, not_replaceable: Vec<(String, String)>) -> Self {
        self.memory.not_replaceable = not_replaceable;
        self
    }

    /// The first request.
    pub fn start(&mut self) -> Request {
        self.read()
    }

    /// What the policy as last read asks for.
    pub fn plan(&self) -> Option<&Plan> {
        self.left.as_ref()
    }

    /// Goes on from [`Request::Planned`]. With an approval, nothing but what is in it is done.
    /// `may_not_add` is Lambda's word, heard elsewhere, that a statement that is taken away cannot be brought
    /// back: then none is replaced.
    pub fn proceed(
        &mut self,
        approval: Option<Approval>,
        may_not_add: Option<String>,
        now: Timestamp,
    ) -> Request {
        if self.expecting != Expecting::Proceed {
            return Request::Done;
        }
        self.approval = approval;
        self.memory.may_not_add = may_not_add;
        self.writes_left = self.left.as_ref().map_or(0, |it| it.steps.len() * 3 + SPARE_WRITES);
        if self.memory.may_not_add.is_some() { self.planned(now) } else { self.act() }
    }

    /// A statement was taken away to be replaced, or perhaps was, and is not back yet.
    pub fn is_in_gap(&self) -> bool {
        self.gap.is_some() || self.doubtful.as_ref().is_some_and(|it| it.replaced.is_some())
    }

    /// No further write is started; the outcome says so if something was left.
    pub fn interrupt(&mut self) -> Request {
        let to_do = self.left.as_ref().is_none_or(|it| !it.steps.is_empty());
        if to_do || self.doubtful.is_some() {
            self.give_up(TroubleReason::Interrupted, "it was stopped before it was through", None)
        } else {
            self.finish()
        }
    }

    /// Takes the answer to the last request and gives the next one.
    pub fn answer(&mut self, answer: Answer, now: Timestamp) -> Request {
        let expecting = std::mem::replace(&mut self.expecting, Expecting::Nothing);
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
            (Expecting::Written, Answer::Written(result)) => {
                match (self.in_flight.take(), result) {
                    (Some(done), Ok(())) => {
                        self.has_written(done);
                        self.read()
                    }
                    (Some(it), Err(failure)) => self.not_written(it, failure, now),
                    (None, _) => self.read(),
                }
            }
            (Expecting::WaitThen(request), Answer::Waited) => self.ask(*request),
            // An answer to a question that was not asked changes nothing.
            (expecting, _) => {
                self.expecting = expecting;
                Request::Done
            }
        }
    }

    /// How it ended.
    pub fn outcome(self) -> Outcome {
        let gap_open = self.trouble.as_ref().is_some_and(|it| it.reason == TroubleReason::GapOpen);
        let state = match (&self.trouble, &self.left) {
            (Some(_), Some(_)) => State::Failed,
            (Some(_), None) if gap_open => State::Failed,
            (None, Some(plan)) => State::of(plan),
            (_, None) => State::Unknown,
        };
        Outcome {
            target: self.wanted.target.clone(),
            state,
            trouble: self.trouble,
            found: self.found,
            left: self.left,
            done: self.done,
        }
    }

    fn ask(&mut self, request: Request) -> Request {
        self.expecting = match &request {
            Request::Read => Expecting::Policy,
            Request::Exists => Expecting::Exists,
            Request::Write(_) => Expecting::Written,
            Request::Planned => Expecting::Proceed,
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
        let contended = || {
            let mut holds = self.left.iter().flat_map(Plan::holds);
            let (change, reason) = holds.find(|(_, it)| **it == Reason::Contended)?;
            let sid = change.drift.sid.as_deref().unwrap_or_default();
            Some(Trouble {
                reason: TroubleReason::Conflict,
                message: format!("{sid}: {reason}"),
                hint: Some(OTHER_WRITER.to_owned()),
            })
        };
        self.trouble = self.refusal.take().or_else(contended);
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
        if let Some(InFlight { write, replaced }) = &self.doubtful {
            let what = match write.step.action {
                Action::Remove => "removal",
                Action::Add(_) => "addition",
            };
            tell(format!("; whether the {what} of {} was done is not known", write.step.sid));
            if let Some(old) = replaced {
                tell(format!("; it was {}", old.text()));
            }
        }
        self.trouble = Some(Trouble { reason, message, hint });
        self.expecting = Expecting::Nothing;
        Request::Done
    }

    fn has_read(&mut self, policy: Option<(String, String)>, now: Timestamp) -> Request {
        let removal_in_doubt =
            self.doubtful.as_ref().is_some_and(|it| it.write.step.action == Action::Remove);
        let is_stale = match &policy {
            None => self.policy_expected && !removal_in_doubt && self.counts.stale < MAX_STALE,
            Some((_, revision)) => self.spent.contains(revision),
        };
        if is_stale {
            return self.stale();
        }
        if policy.is_none() && self.policy_expected {
            self.policy_expected = false;
            self.known_to_exist = false;
        }
        let live = match policy {
            None => None,
            Some((text, revision)) => match Document::parse(text, revision, &self.wanted.target) {
                Ok(it) => Some(it),
                Err(error) => {
                    self.left = None;
                    let hint = "look at it with `aws lambda get-policy`".to_owned();
                    let message = error.to_string();
                    return self.give_up(TroubleReason::MalformedPolicy, message, Some(hint));
                }
            },
        };
        self.known_to_exist |= live.is_some();
        self.live = live;
        self.settle_doubt();
        let back = self
            .live
            .as_ref()
            .zip(self.gap.as_ref())
            .is_some_and(|(it, gap)| has_sid(it, &gap.sid));
        if back {
            self.close_gap();
        }
        if self.known_to_exist { self.planned(now) } else { self.ask(Request::Exists) }
    }

    /// A read of another revision tells what became of a write whose answer was lost. One of the same revision
    /// does not: it may be from before the write, and if it is not, the same write goes out again, guarded.
    fn settle_doubt(&mut self) {
        let revision = self.live.as_ref().map(Document::revision);
        if let Some(it) = self.doubtful.take_if(|it| it.write.revision.as_deref() != revision)
            && self.was_applied(&it.write.step)
        {
            self.has_written(it);
        }
    }

    fn stale(&mut self) -> Request {
        self.counts.stale += 1;
        if self.counts.stale > MAX_STALE {
            self.left = None;
            let message = "GetPolicy keeps giving a policy that our own write replaced";
            return self.give_up(TroubleReason::StaleRead, message, Some(OTHER_WRITER.to_owned()));
        }
        self.wait(self.counts.stale, Duration::ZERO, Request::Read)
    }

    fn not_read(&mut self, failure: Failure, again: Request) -> Request {
        let Failure { kind, message, hint } = failure;
        let reason = match kind {
            FailureKind::Throttled(at_least) => {
                self.counts.throttles += 1;
                if self.counts.throttles <= MAX_THROTTLES {
                    return self.wait(self.counts.throttles, at_least, again);
                }
                TroubleReason::Throttled
            }
            FailureKind::Unreachable | FailureKind::Unsure | FailureKind::BadAnswer => {
                self.counts.failures += 1;
                if self.counts.failures < MAX_FAILURES {
                    return self.wait(self.counts.failures, Duration::ZERO, again);
                }
                if kind == FailureKind::BadAnswer {
                    TroubleReason::BadAnswer
                } else {
                    TroubleReason::Unreachable
                }
            }
            FailureKind::Denied => TroubleReason::AccessDenied,
            FailureKind::Refused | FailureKind::Gone | FailureKind::Conflict => {
                TroubleReason::Refused
            }
        };
        self.left = None;
        self.give_up(reason, message, hint)
    }

    fn function_missing(&mut self) -> Request {
        let target = &self.wanted.target;
        let what = match target.qualifier() {
            Some(qualifier) => format!("{} or its alias or version {qualifier}", target.function()),
            None => target.function().to_owned(),
        };
        let message = format!("function {what} does not exist in {}", target.account_region());
        let hint = format!("create it, or take the entry at {} out", self.wanted.source);
        self.left = None;
        self.give_up(TroubleReason::FunctionMissing, message, Some(hint))
    }

    fn planned(&mut self, now: Timestamp) -> Request {
        let mut plan = plan(self.wanted, self.live.as_ref(), self.rules, &self.memory, now);
        if let Some(approval) = &self.approval {
            restrict(&mut plan, approval, self.wanted, &self.memory);
        }
        self.left = Some(plan);
        if self.found.is_none() {
            self.found.clone_from(&self.left);
            return self.ask(Request::Planned);
        }
        self.act()
    }

    /// The next write, from the policy as read.
    fn act(&mut self) -> Request {
        if let Some(gap) = self.gap.clone().filter(|it| it.restoring) {
            return self.put_back(&gap);
        }
        let Some(step) = self.left.as_ref().and_then(|it| it.steps.first()).cloned() else {
            let gap = self.gap.as_ref().map(|it| it.sid.clone());
            let mut holds = self.left.iter().flat_map(Plan::holds);
            let held = holds.find(|(it, _)| gap.is_some() && it.drift.sid == gap);
            let reason = held.map(|(_, reason)| reason.to_string());
            drop(holds);
            return match reason {
                Some(reason) => self.give_up(TroubleReason::GapOpen, reason, None),
                None => self.finish(),
            };
        };
        if let Some((message, hint)) = self.last_words.take() {
            return self.give_up(TroubleReason::Unreachable, message, hint);
        }
        let replaced = self.replaced_by(&step);
        // A replacement is only begun if both of its writes are left; its second one is paid for by then.
        let cost = match (&self.memory.open_gap, &replaced) {
            (Some(open), _) if *open == step.sid => 0,
            (_, Some(_)) => 2,
            (_, None) => 1,
        };
        let Some(left) = self.writes_left.checked_sub(cost) else {
            let message = "the policy keeps changing while it is put right";
            return self.give_up(TroubleReason::Conflict, message, Some(OTHER_WRITER.to_owned()));
        };
        self.writes_left = left;
        self.write(step, replaced)
    }

    /// The live statement that this step takes away for a new one.
    fn replaced_by(&self, step: &Step) -> Option<Statement> {
        let change = self.left.as_ref().and_then(|it| it.drift.get(step.change))?;
        let replaces = step.kind == Kind::Changed && step.action == Action::Remove;
        change.drift.before.clone().filter(|_| replaces)
    }

    fn write(&mut self, step: Step, replaced: Option<Statement>) -> Request {
        let revision = self.live.as_ref().map(|it| it.revision().to_owned());
        let write = Write { step, revision };
        self.in_flight = Some(InFlight { write: write.clone(), replaced });
        self.ask(Request::Write(write))
    }

    /// Makes the statement again that was taken away, unless somebody else put something there.
    fn put_back(&mut self, gap: &Gap) -> Request {
        let there = self.live.as_ref().is_some_and(|it| has_sid(it, &gap.sid));
        let step = |permission: Permission| Step {
            sid: gap.sid.clone(),
            action: Action::Add(Box::new(permission)),
            effect: Effect::Widens,
            kind: Kind::Changed,
            change: usize::MAX,
        };
        match gap.old.permission() {
            _ if there => {
                self.close_gap();
                self.read()
            }
            Some(permission) => self.write(step(permission.clone()), None),
            None => {
                let refusal = "the new statement was refused, and the old one is not one that \
                               AddPermission can make";
                self.give_up(TroubleReason::GapOpen, refusal, None)
            }
        }
    }

    fn close_gap(&mut self) {
        self.gap = None;
        self.memory.open_gap = None;
    }

    fn was_applied(&self, step: &Step) -> bool {
        let statements = self.live.as_ref().map_or(&[][..], Document::statements);
        let mut same = statements.iter().filter(|it| it.sid() == Some(step.sid.as_str()));
        match &step.action {
            Action::Add(permission) => same.any(|it| it.says(permission)),
            Action::Remove => same.next().is_none(),
        }
    }

    fn has_written(&mut self, done: InFlight) {
        let InFlight { write: Write { step, revision }, replaced } = done;
        self.doubtful.take_if(|it| it.write.step == step);
        self.policy_expected = matches!(step.action, Action::Add(_));
        self.spent.extend(revision);
        self.counts = Counts::default();
        let in_gap = self.gap.as_ref().filter(|it| it.sid == step.sid);
        let result = match in_gap {
            Some(gap) if gap.restoring => StepResult::PutBack,
            Some(_) | None => StepResult::Done,
        };
        if result == StepResult::Done && self.policy_expected {
            self.memory.added.push(step.sid.clone());
        }
        if in_gap.is_some() {
            self.close_gap();
        }
        if let Some(old) = replaced {
            self.memory.open_gap = Some(step.sid.clone());
            self.gap = Some(Gap { sid: step.sid.clone(), old, restoring: false });
        }
        self.done.push(Done { step, result });
    }

    fn not_written(&mut self, it: InFlight, failure: Failure, now: Timestamp) -> Request {
        let Failure { kind, message, hint } = failure;
        match kind {
            FailureKind::Gone | FailureKind::Conflict => {
                self.known_to_exist &= kind != FailureKind::Gone;
                self.policy_expected &= kind != FailureKind::Gone;
                self.counts.conflicts += 1;
                let most = if self.is_in_gap() { MAX_CONFLICTS_IN_GAP } else { MAX_CONFLICTS };
                if self.counts.conflicts > most {
                    return self.give_up(TroubleReason::Conflict, message, hint);
                }
                self.wait(self.counts.conflicts, Duration::ZERO, Request::Read)
            }
            FailureKind::Throttled(at_least) => {
                self.counts.throttles += 1;
                if self.counts.throttles > MAX_THROTTLES {
                    return self.give_up(TroubleReason::Throttled, message, hint);
                }
                let again = Request::Write(it.write.clone());
                self.in_flight = Some(it);
                self.wait(self.counts.throttles, at_least, again)
            }
            FailureKind::Unreachable | FailureKind::Unsure | FailureKind::BadAnswer => {
                if kind != FailureKind::Unreachable {
                    self.doubtful = Some(it);
                }
                self.counts.failures += 1;
                if self.counts.failures >= MAX_FAILURES {
                    self.last_words = Some((message, hint));
                }
                self.wait(self.counts.failures, Duration::ZERO, Request::Read)
            }
            FailureKind::Denied | FailureKind::Refused => {
                let step = it.write.step;
                if kind == FailureKind::Denied && step.action != Action::Remove {
                    self.memory.may_not_add = Some(message.clone());
                }
                self.refused(step, Failure { kind, message, hint }, now)
            }
        }
    }

    /// A write that failed changed nothing, so the policy as read still stands.
    fn refused(&mut self, step: Step, failure: Failure, now: Timestamp) -> Request {
        let Failure { kind, message, hint } = failure;
        if let Some(gap) = self.gap.as_mut().filter(|it| it.sid == step.sid) {
            if gap.restoring {
                let old = gap.old.text().to_owned();
                self.done.push(Done { step, result: StepResult::Lost(old) });
                let message = format!("the old statement was refused as well: {message}");
                return self.give_up(TroubleReason::GapOpen, message, None);
            }
            gap.restoring = true;
        }
        self.memory.refused.push((step.sid.clone(), message.clone()));
        let reason = match kind {
            FailureKind::Denied => TroubleReason::AccessDenied,
            FailureKind::Gone
            | FailureKind::Conflict
            | FailureKind::Throttled(_)
            | FailureKind::Refused
            | FailureKind::Unreachable
            | FailureKind::Unsure
            | FailureKind::BadAnswer => TroubleReason::Refused,
        };
        let named = format!("{}: {message}", step.sid);
        self.refusal.get_or_insert(Trouble { reason, message: named, hint });
        self.done.push(Done { step, result: StepResult::Refused(message) });
        self.planned(now)
    }
}

fn has_sid(document: &Document, sid: &str) -> bool {
    document.statements().iter().any(|it| it.sid() == Some(sid))
}

/// What was not said yes to becomes a hold; a replacement once begun is finished.
fn restrict(plan: &mut Plan, approval: &Approval, wanted: &Wanted, memory: &Memory) {
    for change in &mut plan.drift {
        let begun = memory.open_gap.is_some() && change.drift.sid == memory.open_gap;
        if change.held.is_none() && !begun && !approval.covers(&wanted.target, change) {
            change.held = Some(Reason::NotApproved);
        }
    }
    let drift = &plan.drift;
    plan.steps.retain(|it| drift.get(it.change).is_some_and(|it| it.held.is_none()));
}
