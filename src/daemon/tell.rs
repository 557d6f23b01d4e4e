//! What a pass did and found, as log lines.

use tokio::time::Duration;

use crate::drift::{
    approval::Approval,
    outcome::{Outcome, TroubleReason},
    plan::Plan,
};
use crate::report::{totals::Totals, words};

/// Each write as it is done.
pub fn deeds(outcome: &Outcome) {
    for deed in words::deeds(outcome) {
        tracing::info!(arn = %outcome.target, "{deed}");
    }
}

/// What is wrong with a target after a pass. `by_others` is false if only the pass was cut short.
pub fn trouble(outcome: &Outcome, cut_short: bool) {
    let arn = &outcome.target;
    if let Some(trouble) = &outcome.trouble
        && !(cut_short && trouble.reason == TroubleReason::Interrupted)
    {
        let reason = trouble.reason.name();
        tracing::warn!(%arn, state = outcome.state.name(), reason, hint = trouble.hint, "{}", trouble.message);
    }
    // What is left to do is only looked at: the mode is observe.
    for change in outcome.left.iter().flat_map(|it| &it.drift).filter(|it| it.held.is_none()) {
        let sid = change.drift.sid.as_deref();
        tracing::warn!(%arn, sid, kind = change.drift.kind.name(), "drift: {}", words::change(change));
    }
    for (change, reason) in outcome.left.iter().flat_map(Plan::holds) {
        let sid = change.drift.sid.as_deref();
        tracing::warn!(%arn, sid, kind = change.drift.kind.name(), reason = reason.name(), "held: {reason}");
    }
}

/// What a limit or a risk holds, and how to say yes to it.
pub fn held(outcomes: &[Outcome], approval: &Approval) {
    if approval.is_empty() {
        return;
    }
    let digest = approval.digest();
    let approve = words::approve_daemon(&digest);
    let mut reasons: Vec<String> = outcomes
        .iter()
        .flat_map(|it| it.left.iter().flat_map(Plan::holds))
        .filter(|(_, it)| it.is_approvable())
        .map(|(_, it)| it.to_string())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    let why = reasons.join("; ");
    tracing::warn!(
        statements = approval.len(),
        digest,
        approve,
        "held until somebody says yes: {why}"
    );
}

/// The sum.
pub fn pass_done(outcomes: &[Outcome], place: &str, trigger: &str, calls: u64, time: Duration) {
    let Totals { targets, in_sync, differ, held, failed, unknown, written, .. } =
        Totals::of_left(outcomes);
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
        place,
        trigger,
        "pass done"
    );
}
