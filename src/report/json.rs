//! The report for programs: `format_version` 1.0. Fields may be added; a breaking change raises the major version.

mod schema;
mod shape;

use std::io::{self, Write};

use serde_json::value::RawValue;

use crate::drift::{
    actor::Actor,
    approval::{Approval, digest_of},
    outcome::{Outcome, State},
    plan::{Change, How, Plan},
    undeclared::Undeclared,
};
use crate::policy::{size, statement::Statement, target::Target};
pub use crate::report::json::schema::schema;
use crate::report::{
    Subject,
    json::shape::{
        Approve, By, Changes, DoneReport, DriftReport, ErrorReport, Expiring, Foreign, Held,
        Report, RiskReport, Size, Summary, TargetReport, Targets,
    },
    totals::Totals,
    undeclared, words,
};

/// The version of the format. Fields may be added; a breaking change raises the first number.
pub(crate) const FORMAT_VERSION: &str = "1.0";

/// What would be done.
pub fn plan(outcomes: &[Outcome]) -> String {
    report(outcomes, Subject::Plan)
}

/// What was done (`done`), and what is left (`drift`).
pub fn applied(outcomes: &[Outcome]) -> String {
    report(outcomes, Subject::Applied)
}

/// The report on one or the other.
pub fn report(outcomes: &[Outcome], subject: Subject) -> String {
    report_with(outcomes, &[], subject)
}

/// The same with what is in no file.
pub fn report_with(outcomes: &[Outcome], undeclared: &[Undeclared], subject: Subject) -> String {
    let mut res = Vec::new();
    // Writing to memory cannot fail, and neither can these values.
    write(outcomes, undeclared, subject, &mut res).unwrap_or_default();
    String::from_utf8(res).unwrap_or_default()
}

/// Writes it piece by piece, with a line feed at its end.
fn write(
    outcomes: &[Outcome],
    others: &[Undeclared],
    subject: Subject,
    to: &mut impl Write,
) -> io::Result<()> {
    let plans: Vec<(&Target, &Plan)> = outcomes
        .iter()
        .filter_map(|it| subject.plan_of(it).map(|plan| (&it.target, plan)))
        .collect();
    let state = |state: State| outcomes.iter().filter(|it| it.state == state).count();
    let totals = subject.totals(outcomes);
    let Totals { add, change, remove, held, asked, foreign, ignored, targets, .. } = totals;
    let report = Report {
        format_version: FORMAT_VERSION,
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
        undeclared: undeclared::json(others),
        targets: Targets { outcomes, subject },
    };
    serde_json::to_writer_pretty(&mut *to, &report)?;
    to.write_all(b"\n")
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
                action: if it.step.action.takes_away() { "delete" } else { "create" },
                result: it.result.name(),
            })
            .collect(),
        size: plan.map(|it| Size {
            bytes: it.size,
            limit: size::LIMIT,
            compact: it.saving.map(|it| it.compact),
        }),
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
    let after = |it: &crate::policy::grant::Grant| it.terms.statement_text(&it.sid, target);
    DriftReport {
        sid: drift.sid.as_deref(),
        kind: drift.kind.name(),
        other_sid: drift.other.as_deref(),
        before: drift.before.as_ref().and_then(|it| raw(it.text())),
        after: drift.after.as_ref().and_then(|it| RawValue::from_string(after(it)).ok()),
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
        rule: drift.rule.as_deref(),
        by: it.by.as_deref().map(by),
    }
}

fn by(it: &Actor) -> By<'_> {
    let Actor { arn, role_arn, source_address, user_agent, time, event, request_id, sid: _ } = it;
    By {
        arn,
        role_arn: role_arn.as_deref(),
        source_address: source_address.as_deref(),
        user_agent: user_agent.as_deref(),
        time: time.to_string(),
        event,
        request_id: request_id.as_deref(),
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
fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}
