//! How full the policies are, and how the budgets are used.

use std::fmt::Write;

use maud::{Markup, html};

use crate::lambda::paced::BUCKETS;
use crate::observe::{
    board::View,
    usage::{Minute, Used},
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

pub(super) fn figures(view: &View, usage: &[Minute]) -> Markup {
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
                @for bucket in BUCKETS { (budget(bucket, usage)) }
            }
        }
    }
}

fn budget(bucket: &str, minutes: &[Minute]) -> Markup {
    let used: Vec<Used> = minutes.iter().map(|it| it.of(bucket)).collect();
    let sum = |of: fn(&Used) -> u64| used.iter().map(of).sum::<u64>();
    let waited: f64 = used.iter().map(|it| it.waited_seconds).sum();
    let most = used.iter().map(|it| it.calls).max().unwrap_or(1).max(1);
    let last = used.last().map_or(0, |it| it.calls);
    html! {
        figure {
            figcaption { "Calls a minute: " (bucket) }
            svg .spark viewBox=(format!("0 0 {} {HIGH}", used.len().max(1))) preserveAspectRatio="none" aria-hidden="true" {
                path .size d=(steps(&used, most, |it| it.calls)) {}
                path .full d=(steps(&used, most, |it| it.throttles)) {}
            }
            p .soft {
                (last) " in the last minute; in " (used.len()) " min " (sum(|it| it.calls)) " calls, "
                (sum(|it| it.throttles)) " throttled, " (format!("{waited:.1}")) " s waited"
            }
        }
    }
}

fn steps(used: &[Used], most: u64, of: fn(&Used) -> u64) -> String {
    let mut path = format!("M0 {HIGH}");
    for (at, it) in used.iter().enumerate() {
        let y = HIGH - of(it).min(most) * HIGH / most;
        // Writing to a String cannot fail.
        write!(path, "V{y}H{}", at + 1).unwrap_or_default();
    }
    write!(path, "V{HIGH}Z").unwrap_or_default();
    path
}
