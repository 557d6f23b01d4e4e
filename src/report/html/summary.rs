//! The head of the page: how things stand, and what waits for an answer.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::drift::{
    allow::Reason,
    approval::Approval,
    outcome::{Outcome, State},
};
use crate::report::{
    Subject,
    sums::{count, others, verdict},
    totals::Totals,
    words,
};

pub(super) fn summary(outcomes: &[Outcome], subject: Subject, totals: &Totals) -> Markup {
    let class = match totals {
        it if it.failed + it.unknown > 0 => "bad",
        it if it.asked > 0 => "held",
        it if !it.is_clean() => "drift",
        _ => "good",
    };
    html! {
        div .verdict .(class) {
            h1 { "permitd " (subject.name()) ": " (verdict(subject, totals)) }
            p .soft {
                @match subject {
                    Subject::Plan => "What would be done, and what is held.",
                    Subject::Applied => "What was done, and what is left.",
                }
            }
        }
        (tiles(outcomes, subject, totals))
        @let left_alone = others(totals);
        @if !left_alone.is_empty() { p { (left_alone) } }
        (asked(outcomes, subject))
    }
}

fn tiles(outcomes: &[Outcome], subject: Subject, totals: &Totals) -> Markup {
    let Totals { targets, add, change, remove, held, written, .. } = *totals;
    let mut tiles = vec![("functions", targets)];
    for state in State::ALL {
        let n = outcomes.iter().filter(|it| it.state == state).count();
        let always = matches!(state, State::InSync | State::Drifted | State::Unknown);
        if n > 0 || always {
            let name = if state == State::InSync { "as written" } else { state.name() };
            tiles.push((name, n));
        }
    }
    let mut statements =
        vec![("to add", add), ("to change", change), ("to remove", remove), ("held", held)];
    if subject == Subject::Applied {
        statements.insert(0, ("writes done", written));
    }
    let list = |label: &str, tiles: &[(&str, usize)]| {
        html! {
            ul .tiles aria-label=(label) {
                @for (name, n) in tiles {
                    li .zero[*n == 0] { b { (n) } " " (name) }
                }
            }
        }
    };
    html! { (list("Functions", &tiles)) (list("Statements", &statements)) }
}

/// What is done once somebody says yes, and how to say it.
fn asked(outcomes: &[Outcome], subject: Subject) -> Markup {
    let plans = outcomes.iter().filter_map(|it| Some((&it.target, subject.plan_of(it)?)));
    let held = Approval::of_held(plans.clone());
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (_, reason) in plans.flat_map(|(_, it)| it.holds()) {
        if Reason::is_approvable(reason) {
            *reasons.entry(reason.name()).or_default() += 1;
        }
    }
    let reasons: Vec<String> = reasons.iter().map(|(name, n)| format!("{n} {name}")).collect();
    html! {
        @if !held.is_empty() {
            section .box aria-label="Waiting for an answer" {
                p {
                    strong { (count(held.len(), "statement")) " held by a limit or a risk" }
                    " (" (reasons.join(", ")) "). "
                    @if held.len() == 1 { "It is done with" } @else { "They are done with" }
                }
                pre { (words::approve_command(&held.digest())) }
                p { "or, where permitd runs, with" }
                pre { (words::approve_daemon(&held.digest())) }
            }
        }
    }
}
