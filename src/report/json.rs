//! The report for programs: `format_version` 1.0. Fields may be added; a breaking change raises the major version.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::drift::{
    approval::{Approval, digest_of},
    outcome::{Outcome, State},
    plan::{Action, Change, How, Plan},
};
use crate::policy::{size, statement::Statement, target::Target};
use crate::report::{totals::Totals, words};

#[derive(Serialize)]
struct Report<'a> {
    format_version: &'static str,
    permitd_version: &'static str,
    summary: Summary,
    digest: String,
    approve: Option<Approve>,
    targets: Vec<TargetReport<'a>>,
}

#[derive(Serialize)]
struct Summary {
    targets: usize,
    in_sync: usize,
    drifted: usize,
    held: usize,
    contended: usize,
    suspended: usize,
    paused: usize,
    failed: usize,
    unknown: usize,
    changes: Changes,
    foreign_statements: usize,
    ignored_statements: usize,
    writes: usize,
}

/// What is held by a limit or a risk, and how to say yes to it.
#[derive(Serialize)]
struct Approve {
    statements: usize,
    command: String,
}

#[derive(Serialize)]
struct Changes {
    add: usize,
    change: usize,
    remove: usize,
    held: usize,
    /// Of those, what is done once somebody says yes.
    asked: usize,
}

#[derive(Serialize)]
struct TargetReport<'a> {
    arn: String,
    account: &'a str,
    region: &'a str,
    function: &'a str,
    qualifier: Option<&'a str>,
    state: &'static str,
    reason: Option<&'static str>,
    revision_id: Option<&'a str>,
    drift: Vec<DriftReport<'a>>,
    effect: Option<&'static str>,
    held: Vec<Held<'a>>,
    foreign: Vec<Foreign<'a>>,
    ignored: Vec<Foreign<'a>>,
    /// Of live statements, without what their grant accepts.
    risks: Vec<RiskReport<'a>>,
    /// Grants that end within thirty days.
    expiring: Vec<Expiring<'a>>,
    errors: Vec<ErrorReport<'a>>,
    done: Vec<DoneReport<'a>>,
    size: Option<Size>,
    policy_version: Option<&'a str>,
}

#[derive(Serialize)]
struct DriftReport<'a> {
    sid: Option<&'a str>,
    kind: &'static str,
    other_sid: Option<&'a str>,
    before: Option<Box<RawValue>>,
    after: Option<Box<RawValue>>,
    actions: &'static [&'static str],
    effect: &'static str,
    gap: bool,
    bridged: bool,
    reason: Option<&'static str>,
    description: String,
    source: Option<String>,
}

#[derive(Serialize)]
struct Held<'a> {
    sid: Option<&'a str>,
    kind: &'static str,
    reason: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Foreign<'a> {
    sid: Option<&'a str>,
    statement: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Expiring<'a> {
    sid: &'a str,
    expires: String,
}

#[derive(Serialize)]
struct RiskReport<'a> {
    sid: Option<&'a str>,
    risk: &'static str,
    title: &'static str,
}

#[derive(Serialize)]
struct ErrorReport<'a> {
    reason: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct DoneReport<'a> {
    sid: &'a str,
    action: &'static str,
    result: &'static str,
}

#[derive(Serialize)]
struct Size {
    bytes: usize,
    limit: usize,
}

/// What would be done.
pub fn plan(outcomes: &[Outcome]) -> String {
    report(outcomes, |it| it.found.as_ref(), &Totals::of_found(outcomes))
}

/// What was done (`done`), and what is left (`drift`).
pub fn applied(outcomes: &[Outcome]) -> String {
    report(outcomes, |it| it.left.as_ref(), &Totals::of_left(outcomes))
}

fn report<'a>(
    outcomes: &'a [Outcome],
    plan_of: impl Fn(&'a Outcome) -> Option<&'a Plan>,
    totals: &Totals,
) -> String {
    let plans: Vec<(&Target, &Plan)> =
        outcomes.iter().filter_map(|it| plan_of(it).map(|plan| (&it.target, plan))).collect();
    let state = |state: State| outcomes.iter().filter(|it| it.state == state).count();
    let Totals { add, change, remove, held, asked, foreign, ignored, targets, .. } = *totals;
    let report = Report {
        format_version: "1.0",
        permitd_version: env!("CARGO_PKG_VERSION"),
        summary: Summary {
            targets,
            in_sync: state(State::InSync),
            drifted: state(State::Drifted),
            held: state(State::Held),
            contended: state(State::Contended),
            suspended: state(State::Suspended),
            paused: state(State::Paused),
            failed: state(State::Failed),
            unknown: state(State::Unknown),
            changes: Changes { add, change, remove, held, asked },
            foreign_statements: foreign,
            ignored_statements: ignored,
            writes: totals.written,
        },
        digest: digest_of(plans.iter().copied()),
        approve: Some(Approval::of_held(plans)).filter(|it| !it.is_empty()).map(|it| Approve {
            statements: it.len(),
            command: words::approve_command(&it.digest()),
        }),
        targets: outcomes.iter().map(|it| target(it, plan_of(it))).collect(),
    };
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn target<'a>(outcome: &'a Outcome, plan: Option<&'a Plan>) -> TargetReport<'a> {
    let Outcome { target, state, trouble, found: _, left: _, done } = outcome;
    let changes = plan.map_or(&[][..], |it| &it.drift);
    let first_hold = plan.and_then(|it| it.holds().next()).map(|(_, it)| it.name());
    let reason = match state {
        State::InSync | State::Drifted => None,
        State::Held
        | State::Contended
        | State::Suspended
        | State::Paused
        | State::Failed
        | State::Unknown => first_hold,
    };
    let foreign = |it: &'a [Statement]| -> Vec<Foreign<'a>> {
        let one = |it: &'a Statement| Foreign { sid: it.sid(), statement: raw(it.text()) };
        it.iter().map(one).collect()
    };
    TargetReport {
        arn: target.arn(),
        account: target.account(),
        region: target.region(),
        function: target.function(),
        qualifier: target.qualifier(),
        state: state.name(),
        reason: trouble.as_ref().map(|it| it.reason.name()).or(reason),
        revision_id: plan.and_then(|it| it.revision.as_deref()),
        drift: changes.iter().map(|it| drift(it, target)).collect(),
        effect: changes.iter().map(|it| it.effect).max().map(crate::drift::plan::Effect::name),
        held: plan.map_or_else(Vec::new, |it| it.holds().map(|(it, why)| held(it, why)).collect()),
        foreign: foreign(plan.map_or(&[][..], |it| &it.foreign)),
        ignored: foreign(plan.map_or(&[][..], |it| &it.ignored)),
        risks: plan.map_or_else(Vec::new, risks),
        expiring: plan.map_or_else(Vec::new, |it| {
            let one = |(sid, at): &'a (String, jiff::Timestamp)| Expiring {
                sid,
                expires: at.to_string(),
            };
            it.expiring.iter().map(one).collect()
        }),
        errors: trouble
            .iter()
            .map(|it| ErrorReport {
                reason: it.reason.name(),
                message: &it.message,
                hint: it.hint.as_deref(),
            })
            .collect(),
        done: done
            .iter()
            .map(|it| DoneReport {
                sid: &it.step.sid,
                action: if it.step.action == Action::Remove { "delete" } else { "create" },
                result: it.result.name(),
            })
            .collect(),
        size: plan.map(|it| Size { bytes: it.size, limit: size::LIMIT }),
        policy_version: plan.and_then(|it| it.version.as_deref()),
    }
}

fn risks(plan: &Plan) -> Vec<RiskReport<'_>> {
    plan.risks
        .iter()
        .flat_map(|(sid, risks)| {
            risks.iter().map(|it| RiskReport {
                sid: sid.as_deref(),
                risk: it.code(),
                title: it.title(),
            })
        })
        .collect()
}

fn drift<'a>(it: &'a Change, target: &Target) -> DriftReport<'a> {
    let drift = &it.drift;
    let after = |it: &crate::policy::grant::Grant| it.permission.statement_text(&it.sid, target);
    DriftReport {
        sid: drift.sid.as_deref(),
        kind: drift.kind.name(),
        other_sid: drift.other.as_deref(),
        before: drift.before.as_ref().and_then(|it| raw(it.text())),
        after: drift.after.as_ref().and_then(|it| raw(&after(it))),
        actions: match (it.adds(), it.removes()) {
            (true, true) => &["create", "delete"],
            (true, false) => &["create"],
            (false, true) => &["delete"],
            (false, false) => &[],
        },
        effect: it.effect.name(),
        gap: it.how == How::Gap,
        bridged: it.how == How::Bridged,
        reason: it.held.as_ref().map(crate::drift::allow::Reason::name),
        description: words::change(it),
        source: drift.source.as_ref().map(ToString::to_string),
    }
}

fn held<'a>(it: &'a Change, why: &crate::drift::allow::Reason) -> Held<'a> {
    Held {
        sid: it.drift.sid.as_deref(),
        kind: it.drift.kind.name(),
        reason: why.name(),
        message: why.to_string(),
    }
}

/// JSON as it is, without a second opinion on it.
fn raw(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}
