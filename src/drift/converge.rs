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
const MAX_THROTTLES: u32 = 10;
const MAX_FAILURES: u32 = 4;
/// Reads are eventually consistent within seconds (`lambda-semantics.md`, 7); eight waits are about half a minute.
const MAX_STALE: u32 = 8;
/// Writes per conversation beyond three for each step of the first plan: somebody else keeps changing things.
const SPARE_WRITES: usize = 10;
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
    Written { write: Write, unsure: bool },
    WaitThen(Box<Request>),
    Nothing,
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
    pub fn proceed(&mut self, approval: Option<Approval>) -> Request {
        if self.expecting != Expecting::Proceed {
            return Request::Done;
        }
        self.approval = approval;
        self.writes_left = self.left.as_ref().map_or(0, |it| it.steps.len() * 3 + SPARE_WRITES);
        self.act()
    }

    /// A statement was taken away to be replaced, and is not back yet.
    pub fn is_in_gap(&self) -> bool {
        self.gap.is_some()
    }

    /// No further write is started; the outcome says so if something was left.
    pub fn interrupt(&mut self) -> Request {
        if self.left.as_ref().is_none_or(|it| !it.steps.is_empty()) {
            self.give_up(TroubleReason::Interrupted, "it was stopped before it was through", None)
        } else {
            self.finish()
        }
    }

    /// Takes the answer to the last request and gives the next one.
    pub fn answer(&mut self, answer: Answer, now: Timestamp) -> Request {
        let expecting = std::mem::replace(&mut self.expecting, Expecting::Nothing);
        match (expecting, answer) {
            (Expecting::Policy, Answer::Policy(Ok(it))) => self.has_read(it, None, now),
            (Expecting::Written { write, unsure: true }, Answer::Policy(Ok(it))) => {
                self.has_read(it, Some(write), now)
            }
            (Expecting::Policy, Answer::Policy(Err(failure))) => {
                self.not_read(failure, Request::Read)
            }
            (Expecting::Written { write, unsure: true }, Answer::Policy(Err(failure))) => {
                let request = self.not_read(failure, Request::Read);
                self.still_unsure(request, Some(write))
            }
            (Expecting::Written { write, unsure: true }, Answer::Waited) => {
                self.expecting = Expecting::Written { write, unsure: true };
                Request::Read
            }
            (Expecting::Exists, Answer::Exists(Ok(true))) => {
                self.known_to_exist = true;
                self.planned(now)
            }
            (Expecting::Exists, Answer::Exists(Ok(false))) => self.function_missing(),
            (Expecting::Exists, Answer::Exists(Err(failure))) => {
                self.not_read(failure, Request::Exists)
            }
            (Expecting::Written { write, unsure: false }, Answer::Written(Ok(()))) => {
                self.has_written(write);
                self.read()
            }
            (Expecting::Written { write, unsure: false }, Answer::Written(Err(failure))) => {
                self.not_written(write, failure, now)
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
            Request::Write(write) => Expecting::Written { write: write.clone(), unsure: false },
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
        self.trouble = self.refusal.take();
        self.expecting = Expecting::Nothing;
        Request::Done
    }

    fn give_up(
        &mut self,
        reason: TroubleReason,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Request {
        let (reason, message) = match &self.gap {
            Some(Gap { sid, old, .. }) => {
                let old = old.text();
                let gap =
                    format!("{sid} was taken away to be replaced and is not back; it was {old}");
                (TroubleReason::GapOpen, format!("{}; {gap}", message.into()))
            }
            None => (reason, message.into()),
        };
        self.trouble = Some(Trouble { reason, message, hint });
        self.expecting = Expecting::Nothing;
        Request::Done
    }

    fn has_read(
        &mut self,
        policy: Option<(String, String)>,
        unsure: Option<Write>,
        now: Timestamp,
    ) -> Request {
        let is_stale = match &policy {
            None => self.policy_expected && self.counts.stale < MAX_STALE,
            Some((_, revision)) => self.spent.contains(revision),
        };
        if is_stale {
            let request = self.stale();
            return self.still_unsure(request, unsure);
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
                    return self.give_up(
                        TroubleReason::MalformedPolicy,
                        error.to_string(),
                        Some(hint),
                    );
                }
            },
        };
        self.known_to_exist |= live.is_some();
        self.live = live;
        if let Some(write) = unsure.filter(|it| self.was_applied(&it.step)) {
            self.has_written(write);
        }
        if self.known_to_exist { self.planned(now) } else { self.ask(Request::Exists) }
    }

    /// The next read has to tell what became of a write; if there is none, nobody knows.
    fn still_unsure(&mut self, request: Request, unsure: Option<Write>) -> Request {
        if let Some(write) = unsure {
            if let Some(trouble) = self.trouble.as_mut().filter(|_| request == Request::Done) {
                let Step { sid, action, .. } = &write.step;
                let what = if *action == Action::Remove { "removal" } else { "addition" };
                let tail = format!("; whether the {what} of {sid} was done is not known");
                trouble.message.push_str(&tail);
            } else {
                self.expecting = Expecting::Written { write, unsure: true };
            }
        }
        request
    }

    fn stale(&mut self) -> Request {
        self.counts.stale += 1;
        if self.counts.stale > MAX_STALE {
            self.left = None;
            let message = "GetPolicy keeps giving a policy that our own write replaced";
            return self.give_up(TroubleReason::StaleRead, message, None);
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
            return self.finish();
        };
        let Some(left) = self.writes_left.checked_sub(1) else {
            let message = "the policy keeps changing while it is put right";
            return self.give_up(TroubleReason::Conflict, message, None);
        };
        self.writes_left = left;
        self.write(step)
    }

    fn write(&mut self, step: Step) -> Request {
        let revision = self.live.as_ref().map(|it| it.revision().to_owned());
        self.ask(Request::Write(Write { step, revision }))
    }

    /// Makes the statement again that was taken away, unless somebody else put something there.
    fn put_back(&mut self, gap: &Gap) -> Request {
        let there = self.live.as_ref().is_some_and(|it| has_sid(it, &gap.sid));
        let step = |permission: Permission| Step {
            sid: gap.sid.clone(),
            action: Action::Add(Box::new(permission)),
            effect: Effect::Widens,
            change: usize::MAX,
        };
        match gap.old.permission() {
            _ if there => {
                self.close_gap();
                self.read()
            }
            Some(permission) => self.write(step(permission.clone())),
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

    fn has_written(&mut self, write: Write) {
        let Write { step, revision } = write;
        let changed = self.left.as_ref().and_then(|it| it.drift.get(step.change));
        let replaced = changed
            .filter(|it| it.drift.kind == Kind::Changed && step.action == Action::Remove)
            .and_then(|it| it.drift.before.clone());
        self.policy_expected = matches!(step.action, Action::Add(_));
        self.spent.extend(revision);
        self.counts = Counts::default();
        let in_gap = self.gap.as_ref().filter(|it| it.sid == step.sid);
        let result = match in_gap {
            Some(gap) if gap.restoring => StepResult::PutBack,
            Some(_) | None => StepResult::Done,
        };
        if in_gap.is_some() {
            self.close_gap();
        }
        if let Some(old) = replaced {
            self.memory.open_gap = Some(step.sid.clone());
            self.gap = Some(Gap { sid: step.sid.clone(), old, restoring: false });
        }
        self.done.push(Done { step, result });
    }

    fn not_written(&mut self, write: Write, failure: Failure, now: Timestamp) -> Request {
        let Failure { kind, message, hint } = failure;
        match kind {
            FailureKind::Gone | FailureKind::Conflict => {
                self.known_to_exist &= kind != FailureKind::Gone;
                self.policy_expected &= kind != FailureKind::Gone;
                self.counts.conflicts += 1;
                if self.counts.conflicts > MAX_CONFLICTS {
                    return self.give_up(TroubleReason::Conflict, message, hint);
                }
                self.wait(self.counts.conflicts, Duration::ZERO, Request::Read)
            }
            FailureKind::Throttled(at_least) => {
                self.counts.throttles += 1;
                if self.counts.throttles > MAX_THROTTLES {
                    return self.give_up(TroubleReason::Throttled, message, hint);
                }
                self.wait(self.counts.throttles, at_least, Request::Write(write))
            }
            FailureKind::Unreachable | FailureKind::Unsure | FailureKind::BadAnswer => {
                self.counts.failures += 1;
                if self.counts.failures >= MAX_FAILURES {
                    return self.give_up(TroubleReason::Unreachable, message, hint);
                }
                self.expecting = Expecting::Written { write, unsure: true };
                Request::Wait { attempt: self.counts.failures, at_least: Duration::ZERO }
            }
            FailureKind::Denied | FailureKind::Refused => {
                if kind == FailureKind::Denied && write.step.action != Action::Remove {
                    self.memory.may_not_add = Some(message.clone());
                }
                self.refused(write.step, Failure { kind, message, hint }, now)
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
