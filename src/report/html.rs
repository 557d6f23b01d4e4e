//! The report as one file for a browser: it asks nobody for anything, and can be read without its script.
//!
//! Everything that AWS or a file gave goes through `safe` (what is not seen, or turns the order around) and then
//! through maud (tags). The policy in the head of the page lets no other script run and nothing be loaded.

pub mod assets;
mod notes;
pub mod plots;
pub mod statement;
mod summary;
pub mod target;

use std::collections::BTreeSet;

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

use crate::drift::{
    diff::Kind,
    outcome::{Outcome, State},
    undeclared::Undeclared,
};
use crate::report::{
    Subject,
    palette::safe,
    sums::{count, digest, verdict},
    told::{Told, is_shown, shown},
    undeclared,
};

/// From so many targets on they are closed at first.
const MANY: usize = 20;

/// The report on one or the other, made at this time.
pub fn report(outcomes: &[Outcome], subject: Subject, made: Timestamp) -> String {
    report_with(outcomes, &[], subject, made)
}

/// The same with what is in no file.
pub fn report_with(
    outcomes: &[Outcome],
    others: &[Undeclared],
    subject: Subject,
    made: Timestamp,
) -> String {
    let totals = subject.totals(outcomes);
    let told = shown(outcomes, subject);
    let title = format!("permitd {}: {}", subject.name(), verdict(subject, &totals));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(assets::policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) }
                // Without it a browser asks for /favicon.ico.
                link rel="icon" href="data:,";
                (assets::style())
            }
            body {
                a .skip href="#functions" { "Skip to the functions" }
                header {
                    (summary::summary(outcomes, subject, &totals))
                    (ways(outcomes, told.len(), subject))
                }
                main {
                    (plots::plots(outcomes, subject))
                    (targets(outcomes, &told, subject))
                    (undeclared::markup(others))
                    (as_written(outcomes, subject))
                    @if subject == Subject::Plan {
                        (notes::expiring(outcomes))
                        (notes::risks(outcomes))
                    }
                }
                footer {
                    p {
                        "Made by permitd " (env!("CARGO_PKG_VERSION")) " at "
                        time datetime=(made) { (made.strftime("%Y-%m-%d %H:%M:%S UTC")) } "."
                    }
                    @if let Some(it) = digest(outcomes, subject) { p { "Digest: " code { (it) } } }
                }
                (assets::script())
            }
        }
    };
    let mut res = page.into_string();
    res.push('\n');
    res
}

/// Past the plots, for who has a small screen.
fn ways(outcomes: &[Outcome], n: usize, subject: Subject) -> Markup {
    let plans = || outcomes.iter().filter_map(|it| subject.plan_of(it));
    let is_plan = subject == Subject::Plan;
    html! {
        nav aria-label="On this page" {
            ul {
                @if n > 0 { li { a href="#functions" { (count(n, "function")) " to look at" } } }
                @if n < outcomes.len() { li { a href="#as-written" { (outcomes.len() - n) " as written" } } }
                @if is_plan && plans().any(|it| !it.expiring.is_empty()) {
                    li { a href="#expiring" { "Ends soon" } }
                }
                @if is_plan && plans().any(|it| !it.risks.is_empty()) {
                    li { a href="#risks" { "Risks" } }
                }
            }
        }
    }
}

fn targets(outcomes: &[Outcome], told: &[Told<'_>], subject: Subject) -> Markup {
    html! {
        section .many[told.len() > MANY] aria-labelledby="functions" {
            h2 #functions tabindex="-1" {
                @if told.is_empty() { "Functions" } @else { (count(told.len(), "function")) " to look at" }
            }
            (filter(outcomes, subject))
            @if told.is_empty() { p { "Nothing differs." } }
            @for it in told { (target::target(it, subject, told.len() <= MANY)) }
        }
    }
}

/// Shown by the script, for without it there is nothing that filters.
fn filter(outcomes: &[Outcome], subject: Subject) -> Markup {
    let accounts: BTreeSet<&str> = outcomes.iter().map(|it| it.target.account()).collect();
    let states: BTreeSet<State> = outcomes.iter().map(|it| it.state).collect();
    // What was found and put right is shown, too.
    let plans = || outcomes.iter().flat_map(|it| [it.found.as_deref(), subject.plan_of(it)]);
    let changes = || plans().flatten().flat_map(|it| &it.drift);
    let has = |kind: &Kind| changes().any(|it| it.drift.kind == *kind);
    html! {
        form #filter role="search" aria-label="Filter the functions" hidden {
            label {
                "Account"
                select #by-account {
                    option value="" { "all" }
                    @for it in accounts { option { (it) } }
                }
            }
            label {
                "Function"
                input #by-name type="search" placeholder="part of its name" autocomplete="off" spellcheck="false";
            }
            label {
                "Kind of drift"
                select #by-kind {
                    option value="" { "all" }
                    @for it in Kind::ALL.iter().filter(|it| has(it)) { option { (it.name()) } }
                }
            }
            label {
                "State"
                select #by-state {
                    option value="" { "all" }
                    @for it in states { option { (it.name()) } }
                }
            }
            button type="reset" { "Show all" }
            button #open-all type="button" { "Open all" }
            button #close-all type="button" { "Close all" }
            p #count role="status" aria-live="polite" {}
        }
    }
}

/// The rest, in a line each.
fn as_written(outcomes: &[Outcome], subject: Subject) -> Markup {
    let rest = || outcomes.iter().filter(|it| !is_shown(it, subject));
    let n = rest().count();
    html! {
        @if n > 0 {
            section #as-written aria-label="As written" {
                details .fold open[n == outcomes.len() && n <= MANY] {
                    summary {
                        h2 {
                            span #as-written-count { (n) } " "
                            @if n == 1 { "function is as written" } @else { "functions are as written" }
                        }
                    }
                    div .wide {
                        table .rows {
                            thead {
                                tr {
                                    th scope="col" { "Function" }
                                    th scope="col" { "Account" }
                                    th scope="col" { "Region" }
                                    th scope="col" .number { "Full" }
                                    th scope="col" .number { "Left alone" }
                                    th scope="col" { "Risks" }
                                }
                            }
                            tbody { @for it in rest() { (target::row(it, subject)) } }
                        }
                    }
                }
            }
        }
    }
}

/// A text that AWS or a file gave, as code.
pub fn code(text: &str) -> Markup {
    html! { code { (safe(text)) } }
}

/// The name of a statement.
pub fn sid(sid: Option<&str>) -> Markup {
    html! { @match sid { Some(it) => (code(it)), None => "(no Sid)" } }
}

#[cfg(test)]
mod tests;
