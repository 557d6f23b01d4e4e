//! One target: everything about one that differs, and a line for one that does not. The daemon's page shows the
//! same.

use maud::{Markup, html};

use crate::drift::{
    diff::Kind,
    outcome::{Done, Outcome, StepResult, Trouble},
    plan::{Action, Change, Plan},
};
use crate::policy::{risk::Risk, size, statement::Statement};
use crate::report::{
    Subject,
    html::{code, plots::percent, sid, statement},
    palette::safe,
    sums::count,
    told::Told,
    words,
};

/// Everything about a target that is worth telling of.
pub fn target(told: &Told<'_>, subject: Subject, open: bool) -> Markup {
    let Told { outcome, plan } = told;
    let Outcome { target, state, trouble, done: writes, .. } = outcome;
    let changes = plan.map_or(&[][..], |it| &it.drift);
    let done: Vec<&Change> = done_of(told, subject);
    let kinds = kinds(&changes.iter().chain(done.iter().copied()));
    html! {
        article .target data-account=(target.account()) data-name=(target.arn().to_lowercase())
            data-kinds=(kinds.join(" ")) data-state=(state.name())
        {
            details open[open] {
                summary {
                    h3 { (target.short_name()) }
                    span .state .(state.name()) { (state.name()) }
                    span .soft { (sum(changes)) }
                    span .soft .place { (target.account()) " · " (target.region()) }
                }
                div .inside {
                    p .arn {
                        (target.arn())
                        @if let Some(it) = plan { " · " (percent(it.size)) " full (" (it.size) " of " (size::LIMIT) " bytes)" }
                    }
                    @if let Some(it) = plan.and_then(|it| it.saving) { p .soft { (words::saving(it)) } }
                    @if let Some(it) = trouble { (error(it)) }
                    @if !writes.is_empty() && subject == Subject::Applied { (deeds(writes)) }
                    @if !done.is_empty() {
                        h4 { "What was found and is not there any more" }
                        @for it in &done { (statement::change(it, target)) }
                    }
                    @if !done.is_empty() && !changes.is_empty() { h4 { "What is left" } }
                    @for it in changes { (statement::change(it, target)) }
                    @if let Some(it) = plan { (besides(it, subject)) }
                }
            }
        }
    }
}

/// A line for a target where nothing differs.
pub fn row(outcome: &Outcome, subject: Subject) -> Markup {
    let target = &outcome.target;
    let plan = subject.plan_of(outcome);
    let mut risks: Vec<Risk> =
        plan.map_or_else(Vec::new, |it| it.risks.iter().flat_map(|(_, it)| it.clone()).collect());
    risks.sort_unstable();
    risks.dedup();
    html! {
        tr data-account=(target.account()) data-name=(target.arn().to_lowercase()) {
            td { (target.short_name()) }
            td { (target.account()) }
            td { (target.region()) }
            td .number { @if let Some(it) = plan { (percent(it.size)) } }
            td .number { @if let Some(it) = plan { (it.foreign.len() + it.ignored.len()) } }
            td { @for it in risks { (it) " " } }
        }
    }
}

/// What was found, and is put right.
fn done_of<'a>(told: &Told<'a>, subject: Subject) -> Vec<&'a Change> {
    let found = told.outcome.found.as_deref().filter(|_| subject == Subject::Applied);
    let left = told.plan.map_or(&[][..], |it| &it.drift);
    let is_left = |it: &Change| {
        left.iter().any(|left| left.drift.sid == it.drift.sid && left.drift.kind == it.drift.kind)
    };
    // Without a last read nobody knows what is left of it.
    let found = found.filter(|_| told.plan.is_some()).map_or(&[][..], |it| &it.drift);
    found.iter().filter(|it| !is_left(it)).collect()
}

fn kinds<'a>(changes: &(impl Iterator<Item = &'a Change> + Clone)) -> Vec<&'static str> {
    let has = |kind: &Kind| changes.clone().any(|it| it.drift.kind == *kind);
    Kind::ALL.into_iter().filter(has).map(Kind::name).collect()
}

/// `2 missing, 1 changed`
fn sum(changes: &[Change]) -> String {
    let of = |kind: Kind| changes.iter().filter(|it| it.drift.kind == kind).count();
    let kinds = Kind::ALL.into_iter().filter(|it| of(*it) > 0);
    kinds.map(|it| format!("{} {}", of(it), it.name())).collect::<Vec<_>>().join(", ")
}

/// Why a target could not be read or put right.
pub fn error(it: &Trouble) -> Markup {
    html! {
        div .error {
            p { strong { (it.reason.name()) } ": " (safe(&it.message)) }
            @if let Some(hint) = &it.hint { p { "Hint: " (safe(hint)) } }
        }
    }
}

/// Every write, and what became of it.
fn deeds(done: &[Done]) -> Markup {
    html! {
        h4 { (count(done.len(), "write")) }
        ol .list {
            @for it in done {
                li {
                    @match &it.step.action {
                        Action::Add(permission) => { "add " (code(&it.step.sid)) ": " (words::permission(permission)) }
                        Action::Put(Some(terms)) => { "put " (code(&it.step.sid)) ": " (words::terms(terms)) }
                        Action::Remove | Action::Put(None) => { "remove " (code(&it.step.sid)) }
                    }
                    " – " strong { (it.result.name()) }
                    @match &it.result {
                        StepResult::Refused(text) | StepResult::Lost(text) => { ": " (code(text)) }
                        StepResult::Done | StepResult::PutBack => {}
                    }
                }
            }
        }
    }
}

/// What has to be known besides what differs.
fn besides(plan: &Plan, subject: Subject) -> Markup {
    let left_alone = |statements: &[Statement], what: &str| {
        html! {
            @if !statements.is_empty() {
                details .fold {
                    summary { (count(statements.len(), "statement")) " " (what) }
                    ul .list { @for it in statements { (statement::left_alone(it)) } }
                }
            }
        }
    };
    let risky = subject == Subject::Plan && !plan.risks.is_empty();
    html! {
        @if let Some(version) = &plan.version {
            p { "The policy is of Version " (code(version)) ": " code { "${…}" } " in it stands for itself." }
        }
        @if plan.size * 5 > size::LIMIT * 4 {
            p .error { "The policy is nearly full: " (percent(plan.size)) "." }
        }
        @if risky {
            h4 { "Risks of what is live" }
            ul .list {
                @for (name, risks) in &plan.risks {
                    li {
                        (sid(name.as_deref())) " "
                        @for (at, it) in risks.iter().enumerate() {
                            @if at > 0 { "; " }
                            a href=(format!("#{}", it.code())) { (it.code()) } ", " (it.title())
                        }
                    }
                }
            }
        }
        @if !plan.expiring.is_empty() {
            h4 { "Ends within 30 days" }
            ul .list { @for (name, at) in &plan.expiring { li { (code(name)) " at " (at) } } }
        }
        (left_alone(&plan.foreign, "in no file, left alone"))
        (left_alone(&plan.ignored, "left alone by an ignore rule"))
    }
}
