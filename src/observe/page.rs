//! The page at `/`, for who has to know at three in the morning: is it working, what differs, what waits for me.
//!
//! It needs no script and asks nobody for anything; with its script it keeps itself up to date. Everything that AWS
//! or a file gave goes through `safe` and then through maud, and the policy lets nothing but this style and this
//! script in. Of ten thousand targets it shows a page of a hundred, those first that differ.

mod figures;
mod health;
mod lately;
mod query;
mod targets;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::journal::entry::Entry;
use crate::lambda::paced::BUCKETS;
use crate::observe::{
    board::View,
    http,
    usage::{Minute, Speed},
};
use crate::report::{html::assets, undeclared};

pub use query::Query;

/// So many writes are shown.
pub const ENTRIES: usize = 20;
const SCRIPT: &str = include_str!("page/live.js");
static STYLE: LazyLock<String> =
    LazyLock::new(|| format!("{}{}", assets::STYLE, include_str!("page/live.css")));

/// The Content-Security-Policy: exactly this style and this script, and questions to nobody but the daemon.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        assets::hash(&STYLE),
        assets::hash(SCRIPT)
    )
});

/// What the page shows besides the board.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What time it is.
    pub now: Timestamp,
    /// When the process started.
    pub started: Timestamp,
    /// The loop was alive not long ago.
    pub alive: bool,
    /// The last writes, the newest last, or why they cannot be told.
    pub entries: Result<Vec<Entry>, String>,
    /// How the budgets were used, minute by minute, the newest last.
    pub usage: Vec<Minute>,
    /// How fast they go now.
    pub speeds: [Speed; BUCKETS.len()],
}

/// A page, and the name of what it says.
#[derive(Debug, Clone)]
pub struct Page {
    /// All of it.
    pub document: String,
    /// The entity tag. It does not change with the time alone.
    pub tag: String,
}

/// The page of this moment.
pub fn page(view: &View, query: &Query, facts: &Facts) -> Page {
    let verdict = health::verdict(view, facts);
    let title = format!("permitd: {}", verdict.text);
    let main = html! {
        (health::health(view, facts, &verdict))
        (lately::waiting(view, facts.now))
        (targets::targets(view, query))
        (undeclared::markup(&view.undeclared))
        (lately::lately(facts))
        (figures::figures(view, facts))
    };
    // Weak: another page of the same tag says the same, at another time.
    let tag = format!("W/{}", http::tag(main.0.as_bytes()));
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(in_the_page());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) }
                // Without it a browser asks for /favicon.ico.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE.as_str())) }
            }
            body {
                a .skip href="#functions" { "Skip to the functions" }
                p #silent role="alert" {}
                p #news .heard role="status" aria-live="polite" {}
                main { (main) }
                footer {
                    p {
                        "permitd " (env!("CARGO_PKG_VERSION")) ", as of "
                        time #made datetime=(seconds(facts.now)) { (absolute(facts.now)) }
                        ". The same for programs: " a href="/status" { "/status" } "."
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut document = document.into_string();
    document.push('\n');
    Page { document, tag }
}

/// The same without what only counts in a header.
fn in_the_page() -> &'static str {
    POLICY.split("; frame-ancestors").next().unwrap_or_default()
}

fn absolute(it: Timestamp) -> String {
    it.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// In whole ones, as the `Date` of an answer is, with which the script compares it.
fn seconds(it: Timestamp) -> String {
    it.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time, to which the script adds how long ago that was.
fn time(it: Timestamp) -> Markup {
    html! { time datetime=(seconds(it)) { (absolute(it)) } }
}

fn time_or(it: Option<Timestamp>, otherwise: &str) -> Markup {
    html! { @match it { Some(it) => (time(it)), None => (otherwise) } }
}
