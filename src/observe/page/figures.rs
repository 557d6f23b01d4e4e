//! How full the policies are, and how the budgets are used.

use std::fmt::Write;

use maud::{Markup, html};

use crate::observe::{
    board::View,
    page::{Minute, Usage},
};
use crate::policy::size;
use crate::report::{
    html::plots::{bar, percent},
    palette::safe,
};

/// The fullest of the policies.
const FULLEST: usize = 10;
/// How high a plot is, in its own units.
const HIGH: u64 = 1_000;

pub(super) fn figures(view: &View, usage: &[Usage]) -> Markup {
    let mut sizes: Vec<(usize, String)> =
        view.targets.iter().filter_map(|it| Some((it.size?, it.target.short_name()))).collect();
    sizes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    html! {
        section aria-labelledby="figures" {
            h2 #figures { "In figures" }
            div .plots {
                figure {
                    figcaption { "How full the policies are" }
                    @if sizes.is_empty() { p .soft { "None was read yet." } }
                    table .bars {
                        @for (bytes, name) in sizes.iter().take(FULLEST) {
                            tr {
                                th scope="row" { (safe(name)) }
                                td { (bar(*bytes, size::LIMIT, *bytes * 5 > size::LIMIT * 4)) }
                                td { (percent(*bytes)) }
                            }
                        }
                    }
                    @if sizes.len() > FULLEST { p .soft { "The fullest of " (sizes.len()) "." } }
                    p .soft { "Of the " (size::LIMIT) " bytes that Lambda allows." }
                }
                @for it in usage { (budget(it)) }
            }
        }
    }
}

fn budget(it: &Usage) -> Markup {
    let sum = |of: fn(&Minute) -> u64| it.minutes.iter().map(of).sum::<u64>();
    let waited: f64 = it.minutes.iter().map(|it| it.waited_seconds).sum();
    let most = it.minutes.iter().map(|it| it.calls).chain(it.allowed).max().unwrap_or(1).max(1);
    let last = it.minutes.last().map_or(0, |it| it.calls);
    html! {
        figure {
            figcaption { "Calls a minute: " (safe(&it.bucket)) }
            svg .spark viewBox=(format!("0 0 {} {HIGH}", it.minutes.len().max(1))) preserveAspectRatio="none" aria-hidden="true" {
                path .size d=(steps(&it.minutes, most, |it| it.calls)) {}
                path .full d=(steps(&it.minutes, most, |it| it.throttled)) {}
                @if let Some(allowed) = it.allowed {
                    @let y = HIGH - allowed * HIGH / most;
                    line .limit x1="0" x2=(it.minutes.len().max(1)) y1=(y) y2=(y) {}
                }
            }
            p .soft {
                (last) " in the last minute"
                @if let Some(it) = it.allowed { " of " (it) }
                "; in " (it.minutes.len()) " min " (sum(|it| it.calls)) " calls, "
                (sum(|it| it.throttled)) " throttled, " (format!("{waited:.1}")) " s waited"
            }
        }
    }
}

fn steps(minutes: &[Minute], most: u64, of: fn(&Minute) -> u64) -> String {
    let mut path = format!("M0 {HIGH}");
    for (at, it) in minutes.iter().enumerate() {
        let y = HIGH - of(it).min(most) * HIGH / most;
        // Writing to a String cannot fail.
        write!(path, "V{y}H{}", at + 1).unwrap_or_default();
    }
    write!(path, "V{HIGH}Z").unwrap_or_default();
    path
}
