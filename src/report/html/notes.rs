//! What all targets have in common: grants that end soon, and what the risks mean.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::drift::outcome::Outcome;
use crate::policy::risk::Risk;
use crate::report::{html::code, sums::count};

/// From so many on the list is closed at first.
const MANY: usize = 10;

/// Grants that end within thirty days, the first first.
pub(super) fn expiring(outcomes: &[Outcome]) -> Markup {
    let of_one = |it: &'_ Outcome| -> Vec<(Timestamp, String, String)> {
        let plan = it.found.as_deref();
        let name = it.target.short_name();
        let one = |(sid, at): &(String, Timestamp)| (*at, name.clone(), sid.clone());
        plan.map_or_else(Vec::new, |it| it.expiring.iter().map(one).collect())
    };
    let mut all: Vec<(Timestamp, String, String)> = outcomes.iter().flat_map(of_one).collect();
    all.sort();
    html! {
        @if !all.is_empty() {
            section #expiring aria-label="Grants that end soon" {
                details .fold open[all.len() <= MANY] {
                    summary { h2 { (count(all.len(), "grant")) @if all.len() == 1 { " ends" } @else { " end" } " within 30 days" } }
                    ul .list {
                        @for (at, name, sid) in &all {
                            li { time datetime=(at) { (at) } ": " (code(sid)) " of " (name) }
                        }
                    }
                }
            }
        }
    }
}

/// A text of ours, in which code stands between backticks.
fn with_code(text: &str) -> Markup {
    html! {
        @for (at, it) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (it) } } @else { (it) }
        }
    }
}

/// What each risk that was found means.
pub(super) fn risks(outcomes: &[Outcome]) -> Markup {
    let of = |risk: Risk| {
        let plans = outcomes.iter().filter_map(|it| it.found.as_deref()).flat_map(|it| &it.risks);
        plans.filter(|(_, it)| it.contains(&risk)).count()
    };
    let found: Vec<(Risk, usize)> =
        Risk::ALL.into_iter().map(|it| (it, of(it))).filter(|(_, n)| *n > 0).collect();
    html! {
        @if !found.is_empty() {
            section aria-labelledby="risks" {
                h2 #risks { "Risks of what is live" }
                @for (risk, n) in found {
                    div #(risk.code()) tabindex="-1" {
                        h3 { (risk.code()) ", " (risk.title()) ": " (count(n, "statement")) }
                        p { (with_code(risk.explanation())) }
                        p { a href=(risk.reference()) rel="noreferrer" { "What AWS says" } }
                    }
                }
            }
        }
    }
}
