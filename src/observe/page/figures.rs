//! How full the policies are, and how the budgets are used.

use std::fmt::Write;

use maud::{Markup, html};

use crate::lambda::paced::BUCKETS;
use crate::observe::{
    board::View,
    page::Facts,
    usage::{Minute, Speed, Used},
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
/// How many minutes it shows at least: what is just one of them is no wall.
const WIDE: usize = 30;

pub(super) fn figures(view: &View, facts: &Facts) -> Markup {
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
                @for (bucket, speed) in BUCKETS.iter().zip(facts.speeds) { (budget(bucket, &facts.usage, speed)) }
            }
        }
    }
}

fn budget(bucket: &str, minutes: &[Minute], speed: Speed) -> Markup {
    let used: Vec<Used> = minutes.iter().map(|it| it.of(bucket)).collect();
    let sum = |of: fn(&Used) -> u64| used.iter().map(of).sum::<u64>();
    let waited: f64 = used.iter().map(|it| it.waited_seconds).sum();
    let (limit, rate) = (a_minute(speed.limit), a_minute(speed.rate));
    let most = used.iter().map(|it| it.calls).max().unwrap_or(1).max(limit).max(1);
    let width = used.len().max(WIDE);
    let last = used.last().map_or(0, |it| it.calls);
    html! {
        figure {
            figcaption { "Calls a minute: " (bucket) }
            svg .spark viewBox=(format!("0 0 {width} {HIGH}")) preserveAspectRatio="none" aria-hidden="true" {
                path .size d=(steps(&used, width, most, |it| it.calls)) {}
                path .full d=(steps(&used, width, most, |it| it.throttles)) {}
                @for (it, shown) in [(limit, limit > 0), (rate, rate < limit)] {
                    // Half its width inside, so that it is not cut off at the top.
                    @let y = height(it, most).max(HIGH / 100);
                    @if shown { line .limit x1="0" x2=(width) y1=(y) y2=(y) {} }
                }
            }
            p .soft {
                (last) " in the last minute; in " (used.len()) " min " (sum(|it| it.calls)) " calls, "
                (sum(|it| it.throttles)) " throttled, " (format!("{waited:.1}")) " s waited"
            }
            @if limit > 0 {
                p .soft {
                    "The dashed line: " (limit) " a minute are allowed" @if rate < limit { ", and the lower one: " (rate) " now, since Lambda refused calls" }
                }
            }
        }
    }
}

/// Where it ends, from the top. What is there is seen.
fn height(n: u64, most: u64) -> u64 {
    let share = n.min(most) * HIGH / most.max(1);
    HIGH - if n > 0 { share.max(HIGH / 50) } else { 0 }
}

fn a_minute(calls_per_second: f64) -> u64 {
    // Rates are positive and far from the limits of a number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
    let res = (calls_per_second * 60.0).round() as u64;
    res
}

/// The last minute is at the right.
fn steps(used: &[Used], width: usize, most: u64, of: fn(&Used) -> u64) -> String {
    let before = width - used.len();
    let mut path = format!("M{before} {HIGH}");
    for (at, it) in used.iter().enumerate() {
        let y = height(of(it), most);
        // Writing to a String cannot fail.
        write!(path, "V{y}H{}", before + at + 1).unwrap_or_default();
    }
    write!(path, "V{HIGH}Z").unwrap_or_default();
    path
}
