//! One target's conversation with Lambda, as a state machine without IO: an answer in, the next request out.
//!
//! Read, plan, do the first allowed step, read again. So a crash, a lost answer and another writer need no
//! path of their own: the next read tells where things stand. What it keeps between the steps only saves
//! calls or makes it more careful.

use std::time::Duration;

use jiff::Timestamp;

use crate::drift::{
    allow::{Reason, Rules},
    approval::{Approval, Entry, entries_of},
    bridge,
    dialogue::{Answer, Failure, FailureKind, Request, Write},
    diff::Kind,
    memory::TargetMemory,
    outcome::{Done, Outcome, State, StepResult, Trouble, TroubleReason},
    plan::{Action, Change, Clearance, Decisions, Effect, How, Memory, Plan, Step, plan},
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
    expecting: Expecting,
    /// From earlier conversations, and for later ones.
    known: TargetMemory,
    known_to_exist: bool,
    /// We took the last statement away, so no policy is no surprise.
    emptied: bool,
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
    /// How many of them the last read shows.
    done_at_read: usize,
    writes_left: usize,
    counts: Counts,
}

#[derive(Debug, Clone, PartialEq)]
enum Expecting {
    Policy,
    Exists,
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
    /// What it makes of the Sids of its change, and whether the limits were asked about it.
    entries: Vec<Entry>,
    limited: bool,
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
            expecting: Expecting::Nothing,
            known: TargetMemory::default(),
            known_to_exist: false,
            emptied: false,
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
        self.left.as_ref()
    }

    /// The policy as last read.
    pub fn live(&self) -> Option<&Document> {
        self.live.as_ref()
    }

    /// A write was sent whose answer was lost, and no read has told yet what became of it.
    pub fn is_in_doubt(&self) -> bool {
        self.doubtful.is_some()
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
            self.left = Some(self.make_plan(now));
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
        self.left = Some(self.make_plan(now));
        self.writes_left = self.left.as_ref().map_or(0, |it| it.steps.len() * 3 + SPARE_WRITES);
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
        let to_do = self.left.as_ref().is_none_or(waits);
        if to_do || self.doubtful.is_some() {
            self.give_up(TroubleReason::Interrupted, "it was stopped before it was through", None)
        } else {
            self.finish()
        }
    }

    /// What was done since the last read is not left to do, though no read has shown it.
    fn count_as_done(&mut self) {
        let since = self.done.get(self.done_at_read..).unwrap_or_default();
        let Some(left) = &mut self.left else { return };
        for it in since.iter().filter(|it| it.result == StepResult::Done) {
            let sid = Some(it.step.sid.as_str());
            let adds = it.step.action != Action::Remove;
            left.drift.retain(|change| {
                let drift = &change.drift;
                let added = adds && change.adds() && drift.kind != Kind::Renamed;
                let removed = !adds && !change.adds();
                let gone = removed && drift.before.as_ref().and_then(Statement::sid) == sid;
                !(gone || (added && drift.sid.as_deref() == sid))
            });
        }
        if left.drift.is_empty() {
            left.steps.clear();
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
                        self.known.wrote(done.write.revision.as_deref(), done.write.adds(), now);
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

    /// How it ended, and what to remember of it.
    pub fn into_parts(mut self, now: Timestamp) -> (Outcome, TargetMemory) {
        self.remember(now);
        let known = std::mem::take(&mut self.known);
        let contended: Vec<String> = known.contended(now).into_iter().map(str::to_owned).collect();
        (self.outcome(&contended), known)
    }

    /// How it stands.
    pub fn into_outcome(self, now: Timestamp) -> Outcome {
        self.into_parts(now).0
    }

    fn outcome(mut self, contended: &[String]) -> Outcome {
        self.trouble = self.what_went_wrong();
        let gap_open = self.trouble.as_ref().is_some_and(|it| it.reason == TroubleReason::GapOpen);
        let state = match (&self.trouble, &self.left) {
            (Some(_), Some(_)) => State::Failed,
            (Some(_), None) if gap_open => State::Failed,
            (None, Some(_)) if !contended.is_empty() => State::Contended,
            (None, Some(plan)) => State::of(plan),
            (_, None) => State::Unknown,
        };
        let fight = || Trouble {
            reason: TroubleReason::Contended,
            message: format!("put right three times within an hour: {}", contended.join(", ")),
            hint: Some(OTHER_WRITER.to_owned()),
        };
        let trouble = self.trouble.or_else(|| (state == State::Contended).then(fight));
        Outcome {
            target: self.wanted.target.clone(),
            state,
            trouble,
            found: self.found,
            left: self.left,
            done: self.done,
        }
    }

    /// What was done is remembered as a repair, what came to nothing as a refusal.
    fn remember(&mut self, now: Timestamp) {
        let mut sids: Vec<&str> = self
            .done
            .iter()
            .filter(|it| it.result == StepResult::Done && !bridge::is_reserved(&it.step.sid))
            .map(|it| it.step.sid.as_str())
            .collect();
        sids.sort_unstable();
        sids.dedup();
        for sid in sids {
            self.known.repaired(sid, self.text_of(sid).unwrap_or_default(), now);
        }
        for (change, reason) in self.left.iter().flat_map(Plan::holds) {
            let answer = if let Reason::Refused(answer) = reason {
                answer.clone()
            } else if *reason == Reason::Contended {
                reason.to_string()
            } else {
                continue;
            };
            let Some(sid) = &change.drift.sid else { continue };
            // What was only held, and not tried, is known already.
            let tried = self.done.iter().any(|it| {
                it.step.sid == *sid && it.step.replaces.as_ref() == Some(sid) && it.opened_gap
            });
            if let (true, Some(text)) = (tried, self.text_of(sid)) {
                self.known.refused(sid, text, answer, now);
            }
        }
    }

    /// The statement that is wanted under this Sid.
    fn text_of(&self, sid: &str) -> Option<String> {
        let grant = self.wanted.grants.iter().find(|it| it.sid == sid)?;
        Some(grant.permission.statement_text(sid, &self.wanted.target))
    }

    fn ask(&mut self, request: Request) -> Request {
        self.expecting = match &request {
            Request::Read => Expecting::Policy,
            Request::Exists => Expecting::Exists,
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

    /// What went wrong, also where nothing was given up.
    fn what_went_wrong(&mut self) -> Option<Trouble> {
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
        self.trouble.take().or_else(|| self.refusal.take()).or_else(contended)
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
        // A removal whose answer was lost may have been that of the last statement.
        let removal_in_doubt =
            self.doubtful.as_ref().is_some_and(|it| it.write.step.action == Action::Remove);
        if policy.is_none() && removal_in_doubt {
            self.known.expect_nothing();
        }
        if !self.known.believes(policy.as_ref().map(|(_, it)| it.as_str()), now) {
            return self.stale();
        }
        let emptied = std::mem::take(&mut self.emptied) || removal_in_doubt;
        if policy.is_none() && self.live.is_some() && !emptied {
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
        self.done_at_read = self.done.len();
        self.known.saw(self.live.as_ref(), now);
        self.settle_doubt(now);
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
    fn settle_doubt(&mut self, now: Timestamp) {
        let revision = self.live.as_ref().map(Document::revision);
        if let Some(it) = self.doubtful.take_if(|it| it.write.revision.as_deref() != revision)
            && self.was_applied(&it.write.step)
        {
            self.known.seems_to_have_written(it.write.adds(), now);
            self.has_written(it);
        }
    }

    fn stale(&mut self) -> Request {
        self.counts.stale += 1;
        if self.counts.stale > MAX_STALE {
            self.left = None;
            self.known.doubt();
            let message = "GetPolicy keeps giving a policy that was replaced already";
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
            FailureKind::Refused
            | FailureKind::TooLarge
            | FailureKind::NotJournalled
            | FailureKind::Gone
            | FailureKind::Conflict => TroubleReason::Refused,
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
        self.known.expect_nothing();
        self.give_up(TroubleReason::FunctionMissing, message, Some(hint))
    }

    fn make_plan(&mut self, now: Timestamp) -> Plan {
        let live = self.live.as_ref();
        let statements = live.map_or(&[][..], Document::statements);
        let sure = |it: &&Statement| self.known.confirms(it, self.rules.orphan_grace, now);
        self.memory.confirmed =
            statements.iter().filter(sure).map(|it| it.text().to_owned()).collect();
        let refusals = self.wanted.grants.iter().filter_map(|it| {
            let text = it.permission.statement_text(&it.sid, &self.wanted.target);
            let answer = self.known.refusal(&it.sid, &text, now)?;
            Some((it.sid.clone(), answer.to_owned()))
        });
        self.memory.not_replaceable =
            if self.known.has_refusals() { refusals.collect() } else { Vec::new() };
        plan(self.wanted, live, self.rules, &self.memory, now)
    }

    fn planned(&mut self, now: Timestamp) -> Request {
        self.left = Some(self.make_plan(now));
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
        let pending = self.memory.decisions.clearance == Clearance::Pending;
        let steps = self.left.as_ref().map_or(&[][..], |it| &it.steps);
        let Some(step) = steps.iter().find(|it| !(pending && it.late)).cloned() else {
            if !steps.is_empty() {
                return self.ask(Request::Judge);
            }
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
        let cost = self.cost_of(&step, replaced.as_ref());
        let Some(left) = self.writes_left.checked_sub(cost) else {
            let message = "the policy keeps changing while it is put right";
            return self.give_up(TroubleReason::Conflict, message, Some(OTHER_WRITER.to_owned()));
        };
        self.writes_left = left;
        self.write(step, replaced)
    }

    /// A replacement is only begun if both of its writes are left; its second one is paid for by then.
    fn cost_of(&self, step: &Step, replaced: Option<&Statement>) -> usize {
        match (&self.memory.open_gap, replaced) {
            (Some(open), _) if *open == step.sid => 0,
            (_, Some(_)) => 2,
            (_, None) => 1,
        }
    }

    /// The live statement that this step takes away for a new one, where it is away until that comes.
    fn replaced_by(&self, step: &Step) -> Option<Statement> {
        let change = self.change_of(step)?;
        let opens = change.how == How::Gap && step.action == Action::Remove;
        change.drift.before.clone().filter(|_| opens)
    }

    fn change_of(&self, step: &Step) -> Option<&Change> {
        self.left.as_ref().and_then(|it| it.drift.get(step.change))
    }

    fn write(&mut self, step: Step, replaced: Option<Statement>) -> Request {
        let revision = self.live.as_ref().map(|it| it.revision().to_owned());
        let statements = self.live.as_ref().map_or(&[][..], Document::statements);
        let (before, after) = match &step.action {
            Action::Add(it) => (None, Some(it.statement_text(&step.sid, &self.wanted.target))),
            Action::Remove => {
                let old = statements.iter().find(|it| it.sid() == Some(step.sid.as_str()));
                (old.map(|it| it.text().to_owned()), None)
            }
        };
        let target = &self.wanted.target;
        let decisions = &self.memory.decisions;
        let change = self.change_of(&step);
        let entries = change.map(|it| entries_of(target, it)).unwrap_or_default();
        let approval = change.and_then(|it| decisions.approval_of(target, it));
        // A replacement over a bridge counts when it is begun, for what follows asks no limit any more.
        let limited = (step.effect == Effect::Narrows || builds_bridge(&step))
            && decisions.clearance != Clearance::Free
            && approval.is_none()
            && change.is_some_and(Change::is_judged);
        let approval = approval.map(Approval::digest);
        let opens_gap = replaced.is_some();
        let write = Write { step, revision, before, after, approval, opens_gap };
        self.in_flight = Some(InFlight { write: write.clone(), replaced, entries, limited });
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
            replaces: Some(gap.sid.clone()),
            late: false,
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
        let InFlight { write, replaced, entries, limited } = done;
        let added = write.adds();
        let Write { step, opens_gap, .. } = write;
        self.doubtful.take_if(|it| it.write.step == step);
        self.emptied = !added && self.live.as_ref().is_some_and(|it| it.statements().len() == 1);
        self.counts = Counts::default();
        let in_gap = self.gap.as_ref().filter(|it| it.sid == step.sid);
        let result = match in_gap {
            Some(gap) if gap.restoring => StepResult::PutBack,
            Some(_) | None => StepResult::Done,
        };
        if result == StepResult::Done && added {
            self.memory.added.push(step.sid.clone());
        }
        if in_gap.is_some() {
            self.close_gap();
        }
        if let Some(old) = replaced {
            self.memory.open_gap = Some(step.sid.clone());
            self.gap = Some(Gap { sid: step.sid.clone(), old, restoring: false });
        }
        self.done.push(Done { step, result, entries, limited, opened_gap: opens_gap });
    }

    fn not_written(&mut self, it: InFlight, failure: Failure, now: Timestamp) -> Request {
        let Failure { kind, message, hint } = failure;
        match kind {
            FailureKind::Gone | FailureKind::Conflict => {
                self.known_to_exist &= kind != FailureKind::Gone;
                if kind == FailureKind::Gone {
                    self.known.expect_nothing();
                }
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
                self.writes_left += self.cost_of(&it.write.step, it.replaced.as_ref());
                self.wait(self.counts.throttles, at_least, Request::Write(it.write))
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
            FailureKind::NotJournalled => {
                // Nothing was sent, so what was read still stands.
                self.memory.decisions.no_journal = Some(message);
                self.planned(now)
            }
            FailureKind::TooLarge if builds_bridge(&it.write.step) => {
                // It says there is no room for both: then there is a gap.
                self.memory.unbridgeable.extend(it.write.step.replaces);
                self.planned(now)
            }
            FailureKind::Denied | FailureKind::Refused | FailureKind::TooLarge => {
                if kind == FailureKind::Denied && it.write.step.action != Action::Remove {
                    self.memory.decisions.may_not_add = Some(message.clone());
                }
                self.refused(it, Failure { kind, message, hint }, now)
            }
        }
    }

    /// A write that failed changed nothing, so the policy as read still stands.
    fn refused(&mut self, it: InFlight, failure: Failure, now: Timestamp) -> Request {
        let Failure { kind, message, hint } = failure;
        let InFlight { write: Write { step, opens_gap, .. }, entries, limited, .. } = it;
        let done = |step: Step, result: StepResult| Done {
            step,
            result,
            entries,
            limited,
            opened_gap: opens_gap,
        };
        if let Some(gap) = self.gap.as_mut().filter(|it| it.sid == step.sid) {
            if gap.restoring {
                let old = gap.old.text().to_owned();
                self.done.push(done(step, StepResult::Lost(old)));
                let message = format!("the old statement was refused as well: {message}");
                return self.give_up(TroubleReason::GapOpen, message, None);
            }
            gap.restoring = true;
        }
        // Where the bridge is refused, the statement is not replaced.
        let about = if builds_bridge(&step) { step.replaces.clone() } else { None };
        let about = about.unwrap_or_else(|| step.sid.clone());
        self.memory.refused.push((about.clone(), message.clone()));
        let reason = match kind {
            FailureKind::Denied => TroubleReason::AccessDenied,
            FailureKind::Gone
            | FailureKind::Conflict
            | FailureKind::Throttled(_)
            | FailureKind::Refused
            | FailureKind::TooLarge
            | FailureKind::NotJournalled
            | FailureKind::Unreachable
            | FailureKind::Unsure
            | FailureKind::BadAnswer => TroubleReason::Refused,
        };
        let named = format!("{about}: {message}");
        self.refusal.get_or_insert(Trouble { reason, message: named, hint });
        self.done.push(done(step, StepResult::Refused(message)));
        self.planned(now)
    }
}

/// The new content under a temporary Sid.
fn builds_bridge(step: &Step) -> bool {
    step.replaces.is_some() && bridge::is_reserved(&step.sid) && step.action != Action::Remove
}

fn has_sid(document: &Document, sid: &str) -> bool {
    document.statements().iter().any(|it| it.sid() == Some(sid))
}
