//! What the log says. Messages are constant, and what they are about stands in fields of the same names everywhere:
//! who counts or filters lines does so by message, and needs no pattern.

use jiff::Timestamp;
use tokio::time::Duration;
use tracing::Span;

use crate::drift::{
    actor::Actor,
    allow::Reason,
    approval::Approval,
    dialogue::{Failure, FailureKind, Write},
    outcome::{Outcome, State, StepResult, Trouble},
    plan::{Action, Change},
};
use crate::lambda::gateway::Receipt;
use crate::observe::{
    board::Offer,
    news::{Edge, Matter, News},
    standing::Standing,
};
use crate::policy::target::{AccountRegion, Target};
use crate::report::{totals::Totals, words};

/// Of so many targets a reminder tells the names.
const NAMED: usize = 10;

/// Around everything that is asked and done about a target. It is as loud as the loudest line in it: a span that the
/// level leaves out would leave its lines without their target.
pub fn span(target: &Target) -> Span {
    tracing::error_span!("target", arn = %target)
}

/// Around a pass, likewise.
pub(super) fn pass_span(pass: u64, place: &AccountRegion, trigger: &str) -> Span {
    tracing::error_span!("pass", pass, %place, trigger)
}

/// A write was answered, or was not. What ends in an edge is told there, once; here it is only traced.
pub(super) fn write(
    write: &Write,
    entry: Option<i64>,
    sent: &Result<(Receipt, Option<String>), Failure>,
) {
    let Write { step, approval, .. } = write;
    let (sid, kind, replaces) = (&step.sid, step.kind.name(), &step.replaces);
    match (sent, &step.action) {
        (Ok((Receipt { request_id }, _)), Action::Add(it)) => {
            let grants = words::permission(it);
            tracing::info!(
                sid,
                kind,
                replaces,
                grants,
                entry,
                approval,
                request_id,
                "statement added"
            );
        }
        (Ok((Receipt { request_id }, _)), Action::Remove) => {
            tracing::info!(sid, kind, replaces, entry, approval, request_id, "statement removed");
        }
        (Ok((Receipt { request_id }, _)), Action::Put(_)) => {
            let (sids, bytes) = (write.sids.join(" "), write.after.as_ref().map_or(0, String::len));
            tracing::info!(sids, bytes, entry, approval, request_id, "document written");
        }
        (Err(Failure { kind: failure, message, hint: _, request_id }), _) => {
            let action = step.action.name();
            if failure.is_unsure() {
                tracing::warn!(
                    sid,
                    kind,
                    action,
                    entry,
                    error = message,
                    request_id,
                    "a write was not answered"
                );
            } else if *failure != FailureKind::NotJournalled {
                tracing::debug!(
                    sid,
                    kind,
                    action,
                    entry,
                    error = message,
                    request_id,
                    "a write was not done"
                );
            }
        }
    }
}

/// What became of a write whose answer was lost.
pub(super) fn settled(write: &Write, entry: i64, was_done: bool) {
    let (sid, kind) = (&write.step.sid, write.step.kind.name());
    if was_done {
        tracing::info!(sid, kind, entry, "a write that was not answered was done");
    } else {
        tracing::info!(sid, kind, entry, "a write that was not answered was not done");
    }
}

/// Somebody changed the policy of a target, as an event tells.
pub(super) fn event(target: &Target, actor: &Actor) {
    let Actor { arn: by, role_arn, source_address, user_agent, time, event, request_id, sid } =
        actor;
    tracing::info!(
        arn = %target,
        by,
        role = role_arn,
        from = source_address,
        user_agent,
        event,
        sid,
        at = %time,
        request_id,
        "somebody changed a policy"
    );
}

/// What is new about a target, once.
pub(super) fn edges(outcome: &Outcome, edges: &[Edge]) {
    for edge in edges {
        let Edge { news, target: arn, state, reason, matters, before, since, .. } = edge;
        match news {
            News::DriftFound => {
                for Matter { sid, kind, detail, by, .. } in matters {
                    let request_id = by.as_ref().and_then(|it| it.request_id.as_deref());
                    let by = by.as_ref().map(|it| &it.arn);
                    let kind = kind.name();
                    tracing::warn!(%arn, sid, kind, detail, by, request_id, "drift found");
                }
            }
            News::Repaired => {
                for Matter { sid, kind, .. } in matters {
                    tracing::info!(%arn, sid, kind = kind.name(), "repaired");
                }
            }
            News::Held => {
                let is_new = |change: &Change| {
                    matters
                        .iter()
                        .any(|it| it.sid == change.drift.sid && it.kind == change.drift.kind)
                };
                holds(outcome, is_new);
            }
            News::Contended => {
                let (error, hint) = (&edge.message, &edge.hint);
                tracing::warn!(%arn, reason, error, hint, "contended");
            }
            News::Failed => failed(outcome, *state),
            News::BackToNormal => {
                tracing::info!(%arn, before = before.name(), %since, "back to normal");
            }
        }
    }
}

fn failed(outcome: &Outcome, state: State) {
    let (arn, state) = (&outcome.target, state.name());
    if let Some(Trouble { reason, message, hint, request_id }) = &outcome.trouble {
        let reason = reason.name();
        tracing::warn!(%arn, state, reason, error = message, hint, request_id, "failed");
    } else {
        tracing::warn!(%arn, state, "failed");
    }
}

fn holds(outcome: &Outcome, which: impl Fn(&Change) -> bool) {
    let arn = &outcome.target;
    let held = outcome.left.iter().flat_map(|it| it.holds()).filter(|(it, _)| which(it));
    for (change, reason) in held {
        let (sid, kind) = (&change.drift.sid, change.drift.kind.name());
        let why = reason.to_string();
        // Somebody wanted it so.
        if matches!(reason, Reason::Paused(_) | Reason::Suspended) {
            tracing::info!(%arn, sid, kind, reason = reason.name(), why, "held");
        } else {
            tracing::warn!(%arn, sid, kind, reason = reason.name(), why, "held");
        }
    }
}

/// What a replacement that was refused did to the statement that was there.
pub fn setbacks(outcome: &Outcome) {
    let arn = &outcome.target;
    for it in &outcome.done {
        let sid = &it.step.sid;
        match &it.result {
            StepResult::PutBack => tracing::warn!(%arn, sid, "the old statement was put back"),
            StepResult::Lost(before) => {
                tracing::error!(%arn, sid, before, "a statement was lost");
            }
            StepResult::Done | StepResult::Refused(_) => {}
        }
    }
}

/// What is wrong with a target after a pass that is the only one.
pub fn trouble(outcome: &Outcome) {
    if outcome.trouble.is_some() {
        failed(outcome, outcome.state);
    }
    // What is left to do is only looked at: the mode is observe.
    let arn = &outcome.target;
    for change in outcome.left.iter().flat_map(|it| &it.drift).filter(|it| it.held.is_none()) {
        let (sid, kind) = (&change.drift.sid, change.drift.kind.name());
        tracing::warn!(%arn, sid, kind, detail = words::change(change), "drift found");
    }
    holds(outcome, |_| true);
}

/// What a limit or a risk holds, and how to say yes to it.
pub(super) fn held(outcomes: &[Outcome], approval: &Approval, place: &AccountRegion) {
    let digest = approval.digest();
    let approve = words::approve_daemon(&digest);
    let mut reasons: Vec<String> = outcomes
        .iter()
        .flat_map(|it| it.left.iter().flat_map(|it| it.holds()))
        .filter(|(_, it)| it.is_approvable())
        .map(|(_, it)| it.to_string())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    let why = reasons.join("; ");
    let statements = approval.len();
    tracing::warn!(%place, statements, digest, approve, why, "held until somebody says yes");
}

/// What stands as it stood an hour ago: a line for a place, however many targets it is about.
pub(super) fn reminder<'a>(
    place: &AccountRegion,
    unwell: impl Iterator<Item = &'a Standing>,
    offers: &[Offer],
) {
    let mut unwell: Vec<&Standing> = unwell.collect();
    unwell.sort_by_key(|it| it.since);
    let count = |state: State| unwell.iter().filter(|it| it.state == state).count();
    let since: Option<Timestamp> = unwell.first().map(|it| it.since);
    let named = |it: &&Standing| {
        let (name, state) = (it.target.short_name(), it.state.name());
        if it.reason == state {
            format!("{name} ({state})")
        } else {
            format!("{name} ({state}: {})", it.reason)
        }
    };
    let targets: Vec<String> = unwell.iter().take(NAMED).map(named).collect();
    let here = |it: &&Offer| unwell.iter().any(|one| it.targets.contains(&one.target.arn()));
    let approve: Vec<String> =
        offers.iter().filter(here).map(|it| words::approve_daemon(&it.digest)).collect();
    tracing::warn!(
        %place,
        drifted = count(State::Drifted),
        held = count(State::Held),
        contended = count(State::Contended),
        failed = count(State::Failed),
        unknown = count(State::Unknown),
        since = since.map(tracing::field::display),
        targets = targets.join(", "),
        more = unwell.len().saturating_sub(NAMED),
        approve = (!approve.is_empty()).then(|| approve.join("; ")),
        "still not as written"
    );
}

/// A pass that is through.
#[derive(Debug, Clone, Copy)]
pub(super) struct PassDone<'a> {
    pub(super) pass: u64,
    pub(super) place: &'a AccountRegion,
    pub(super) trigger: &'a str,
    pub(super) calls: u64,
    pub(super) time: Duration,
}

/// The sum.
pub(super) fn pass_done(outcomes: &[Outcome], done: PassDone<'_>) {
    let Totals { targets, in_sync, differ, held, failed, unknown, written, .. } =
        Totals::of_left(outcomes);
    let PassDone { pass, place, trigger, calls, time } = done;
    let seconds = time.as_secs_f64();
    tracing::info!(
        targets,
        in_sync,
        differ,
        held,
        failed,
        unknown,
        written,
        calls,
        seconds,
        pass,
        %place,
        trigger,
        "pass done"
    );
}
