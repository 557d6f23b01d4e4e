//! The plots: drift by kind, and how full each policy is.
//!
//! The words beside the bars are a table, so that they keep their size on every screen and can be read aloud; only
//! the bars are drawn.

use std::fmt::Write;

use maud::{Markup, html};

use crate::drift::{diff::Kind, outcome::Outcome, plan::Plan};
use crate::policy::size;
use crate::report::Subject;

/// So many policies get a bar each.
const FEW: usize = 25;
/// Of more than that, the fullest.
const FULLEST: usize = 10;
/// The curve over all policies has so many points at most.
const POINTS: usize = 400;

pub(super) fn plots(outcomes: &[Outcome], subject: Subject) -> Markup {
    let plans: Vec<(&Outcome, &Plan)> =
        outcomes.iter().filter_map(|it| Some((it, subject.plan_of(it)?))).collect();
    html! {
        section aria-labelledby="figures" {
            h2 #figures { "In figures" }
            div .plots { (by_kind(&plans, subject)) (by_size(&plans)) }
        }
    }
}

fn by_kind(plans: &[(&Outcome, &Plan)], subject: Subject) -> Markup {
    let changes = || plans.iter().flat_map(|(_, it)| &it.drift);
    let kinds: Vec<(Kind, usize, usize)> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let of = || changes().filter(|it| it.drift.kind == kind);
            (kind, of().count(), of().filter(|it| it.held.is_some()).count())
        })
        .filter(|(_, all, _)| *all > 0)
        .collect();
    let most = kinds.iter().map(|(_, all, _)| *all).max().unwrap_or(1);
    let held = kinds.iter().any(|(_, _, held)| *held > 0);
    html! {
        figure {
            figcaption {
                @match subject {
                    Subject::Plan => "Drift by kind",
                    Subject::Applied => "What is left, by kind of drift",
                }
            }
            @if kinds.is_empty() {
                p .soft { "Nothing differs." }
            } @else {
                table .bars {
                    @for (kind, all, held) in kinds {
                        tr {
                            th scope="row" { (kind.name()) }
                            td {
                                svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                                    rect .do width=(share(all - held, most)) height="10" {}
                                    rect .hold x=(share(all - held, most)) width=(share(held, most)) height="10" {}
                                }
                            }
                            td { (all) @if held > 0 { span .soft { " (" (held) " held)" } } }
                        }
                    }
                }
                @if held {
                    p .soft { span .key .do {} "put right " span .key .hold {} "held" }
                }
            }
        }
    }
}

fn by_size(plans: &[(&Outcome, &Plan)]) -> Markup {
    let mut sizes: Vec<(usize, String)> =
        plans.iter().map(|(it, plan)| (plan.size, it.target.short_name())).collect();
    sizes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let many = sizes.len() > FEW;
    let shown = if many { FULLEST } else { FEW };
    html! {
        figure {
            figcaption { "How full each policy is" }
            @if sizes.is_empty() { p .soft { "No policy was read." } }
            @if many {
                (curve(&sizes))
                p .soft {
                    "All " (sizes.len()) " policies, the fullest at the left; the dashed lines are at 80% and 100% of "
                    (size::LIMIT) " bytes."
                }
                (histogram(&sizes))
                p { strong { "The fullest" } }
            }
            table .bars {
                @for (bytes, name) in sizes.iter().take(shown) {
                    tr {
                        th scope="row" { (name) }
                        td { (bar(*bytes, size::LIMIT, *bytes * 5 > size::LIMIT * 4)) }
                        td { (percent(*bytes)) }
                    }
                }
            }
            @if !many && !sizes.is_empty() { p .soft { "Of the " (size::LIMIT) " bytes that Lambda allows." } }
        }
    }
}

/// How many policies are how full, a line for each ten percent.
fn histogram(sizes: &[(usize, String)]) -> Markup {
    let tenth = |bytes: usize| (bytes * 10 / size::LIMIT).min(10);
    let bins: Vec<usize> =
        (0..=10).map(|it| sizes.iter().filter(|(bytes, _)| tenth(*bytes) == it).count()).collect();
    let last = bins.iter().rposition(|it| *it > 0).unwrap_or_default();
    let most = bins.iter().copied().max().unwrap_or(1);
    html! {
        table .bars {
            @for (at, n) in bins.iter().enumerate().take(last + 1) {
                tr {
                    th scope="row" {
                        @if at == 10 { "100% and more" } @else { (at * 10) " to " (at * 10 + 10) "%" }
                    }
                    td { (bar(*n, most, at >= 8)) }
                    td { (n) }
                }
            }
        }
    }
}

/// Every policy, sorted; where there are more than points, the fullest of its neighbours stands for them.
fn curve(sizes: &[(usize, String)]) -> Markup {
    let step = sizes.len().div_ceil(POINTS).max(1);
    let points: Vec<usize> =
        sizes.chunks(step).filter_map(|it| it.first()).map(|(bytes, _)| *bytes).collect();
    // 1200 high, so that what is over the limit stands above its line.
    let height = |bytes: usize| 1200 - share(bytes, size::LIMIT).min(1200);
    let mut path = "M0 1200".to_owned();
    for (at, bytes) in points.iter().enumerate() {
        let y = height(*bytes);
        // Writing to a String cannot fail.
        write!(path, "L{at} {y}H{}", at + 1).unwrap_or_default();
    }
    write!(path, "L{} 1200Z", points.len()).unwrap_or_default();
    let width = points.len();
    html! {
        svg .curve viewBox=(format!("0 0 {width} 1200")) preserveAspectRatio="none" aria-hidden="true" {
            path .size d=(path) {}
            line .limit x1="0" x2=(width) y1="400" y2="400" {}
            line .limit x1="0" x2=(width) y1="200" y2="200" {}
        }
    }
}

/// A bar of so much of the most.
pub fn bar(value: usize, most: usize, alarming: bool) -> Markup {
    html! {
        svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
            rect .track width="1000" height="10" {}
            rect .size[!alarming] .full[alarming] width=(share(value, most).min(1000)) height="10" {}
        }
    }
}

/// In thousandths; what is there is seen.
fn share(value: usize, most: usize) -> usize {
    match value {
        0 => 0,
        _ => (value * 1000 / most.max(1)).max(4),
    }
}

/// How full, to the tenth of a percent.
pub fn percent(bytes: usize) -> String {
    let tenths = bytes * 1000 / size::LIMIT;
    format!("{}.{}%", tenths / 10, tenths % 10)
}
