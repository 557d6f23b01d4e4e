//! What waits for people, and what was done lately.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::journal::{entry::Entry, pause::Pause};
use crate::observe::{
    board::{Offer, View},
    page::{ENTRIES, Facts, time},
};
use crate::report::{html::code, html::sid, palette::safe, sums::count, words};

/// So many of each are shown.
const MOST: usize = 20;
/// So many characters of a statement are shown.
const LONG: usize = 4_000;

/// What is held, and what is paused.
pub(super) fn waiting(view: &View, now: Timestamp) -> Markup {
    let pauses: Vec<&Pause> = view.pauses.iter().filter(|it| !it.is_over(now)).collect();
    html! {
        @if !view.offers.is_empty() {
            section .box aria-labelledby="held" {
                h2 #held { "Waits for your yes" }
                @for it in view.offers.iter().take(MOST) { (offer(it)) }
                (more(view.offers.len()))
            }
        }
        @if !pauses.is_empty() {
            section .box aria-labelledby="paused" {
                h2 #paused { "Paused" }
                ul .list { @for it in pauses.iter().take(MOST) { (pause(it)) } }
                (more(pauses.len()))
            }
        }
    }
}

fn more(n: usize) -> Markup {
    html! { @if n > MOST { p .soft { "and " (n - MOST) " more: " a href="/status" { "/status" } } } }
}

fn offer(it: &Offer) -> Markup {
    html! {
        p {
            (count(it.statements, "statement")) " of "
            @for (at, target) in it.targets.iter().take(5).enumerate() {
                @if at > 0 { ", " }
                (code(target))
            }
            @if it.targets.len() > 5 { " and " (it.targets.len() - 5) " more" }
            ", since " (time(it.at)) ". To allow it, after a look at the functions below:"
        }
        pre { code { (safe(&words::approve_daemon(&it.digest))) } }
    }
}

fn pause(it: &Pause) -> Markup {
    html! {
        li {
            @match &it.target { Some(it) => (code(it)), None => strong { "Everything" } }
            " since " (time(it.since)) ", "
            @match it.until { Some(it) => { "until " (time(it)) } None => "until somebody resumes it" }
            ": " (safe(&it.reason)) ". To go on: "
            code { "permitd resume" @if let Some(it) = &it.target { " " (safe(it)) } }
        }
    }
}

/// The last writes, the newest first.
pub(super) fn lately(facts: &Facts) -> Markup {
    html! {
        section aria-labelledby="lately" {
            h2 #lately { "Done lately" }
            @match &facts.entries {
                Err(why) => p .error { "The journal cannot be read: " (safe(why)) },
                Ok(entries) => {
                    @if entries.is_empty() { p { "Nothing was written yet." } }
                    @for it in entries.iter().rev().take(ENTRIES) { (entry(it)) }
                    @if !entries.is_empty() { p .soft { "All of it: " code { "permitd history" } } }
                }
            }
        }
    }
}

fn entry(it: &Entry) -> Markup {
    let text = |what: &str, text: &Option<String>| {
        html! {
            @match text {
                None => p .soft { (what) ": not there" },
                Some(it) => {
                    p .soft { (what) ":" }
                    pre { (safe(&it.chars().take(LONG).collect::<String>())) @if it.len() > LONG { "…" } }
                }
            }
        }
    };
    html! {
        details .fold .entry id=(format!("entry-{}", it.id)) {
            summary {
                (time(it.step.time)) " " (it.step.action.name()) " " (sid(it.step.sid.as_deref()))
                " " (code(&it.step.target)) ": " strong { (it.outcome.name()) }
            }
            p {
                "No. " (it.id) ", " (safe(&it.step.kind)) ", by " (safe(&it.step.actor)) ": " (safe(&it.step.reason))
                @if let Some(it) = &it.step.approval { "; approved with " (code(it)) }
                @if let Some(it) = &it.message { "; " (safe(it)) }
                @if let Some(it) = &it.request_id { "; request " (code(it)) }
                @if let Some(it) = it.step.caused_by() { "; changed by " (code(&it)) }
            }
            (text("Before", &it.step.before))
            (text("After", &it.step.after))
        }
    }
}
