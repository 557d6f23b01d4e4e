//! The functions: those first that differ, a page at a time.

use std::sync::Arc;

use maud::{Markup, html};

use crate::drift::{actor::Actor, outcome::State, plan::Change};
use crate::observe::{
    board::View,
    page::{Query, health::name, time, time_or},
    standing::{Open, Standing},
    status::next_attempt,
};
use crate::policy::size;
use crate::report::{
    html::{code, plots::percent, sid, statement, target as report},
    palette::safe,
    sums::count,
};

/// Functions on a page.
const PAGE: usize = 100;
/// Differences that are shown with both sides, on a page; the others only by name.
const CHANGES: usize = 100;
/// Differences that are shown of one function.
const OF_ONE: usize = 20;

pub(super) fn targets(view: &View, query: &Query) -> Markup {
    let lower = query.text.to_lowercase();
    let mut found: Vec<&Arc<Standing>> =
        view.targets.iter().filter(|it| query.fits(it, &lower)).collect();
    found.sort_by_key(|it| rank(it.state));
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = query.page.clamp(1, pages);
    let first = (page - 1) * PAGE;
    let shown = || found.iter().skip(first).take(PAGE);
    let mut room = CHANGES;
    html! {
        section aria-labelledby="functions" {
            h2 #functions tabindex="-1" { "Functions" }
            (search(query))
            p {
                @if found.is_empty() {
                    @if query.is_usual() { "There is no function in the configuration." }
                    @else { "No function fits. " a href="/" { "Show all" } }
                } @else {
                    (first + 1) " to " (first + shown().count()) " of " (count(found.len(), "function"))
                    @if found.len() < view.targets.len() { " that fit, of " (view.targets.len()) }
                    ", those first that need somebody"
                }
            }
            @for it in shown() { (target(it, view, &mut room)) }
            @if pages > 1 {
                nav .pages aria-label="Pages" {
                    @if page > 1 { a href=(query.link(page - 1)) rel="prev" { "Page " (page - 1) } }
                    span aria-current="page" { "Page " (page) " of " (pages) }
                    @if page < pages { a href=(query.link(page + 1)) rel="next" { "Page " (page + 1) } }
                }
            }
        }
    }
}

/// What needs a person stands first.
fn rank(it: State) -> u8 {
    match it {
        State::Failed => 0,
        State::Unknown => 1,
        State::Contended => 2,
        State::Held => 3,
        State::Drifted => 4,
        State::Paused => 5,
        State::Suspended => 6,
        State::InSync => 7,
    }
}

fn search(query: &Query) -> Markup {
    html! {
        form #filter role="search" action="/" method="get" aria-label="Search the functions" {
            label {
                "Function"
                input #by-name type="search" name="q" value=(safe(&query.text)) placeholder="part of its ARN"
                    maxlength="256" autocomplete="off" spellcheck="false";
            }
            label {
                "State"
                select #by-state name="state" {
                    option value="" { "all" }
                    @for it in State::ALL {
                        option value=(it.name()) selected[query.state == Some(it)] { (name(it)) }
                    }
                }
            }
            button type="submit" { "Search" }
        }
    }
}

fn target(it: &Standing, view: &View, room: &mut usize) -> Markup {
    let arn = it.target.arn();
    let left = it.outcome.as_ref().and_then(|it| it.left.as_deref());
    let changes = left.map_or(&[][..], |it| &it.drift);
    let shown = changes.len().min(OF_ONE).min(*room);
    *room -= shown;
    let trouble = it.outcome.as_ref().and_then(|it| it.trouble.as_ref());
    html! {
        article .target id=(format!("at:{arn}")) {
            details {
                summary {
                    h3 { (it.target.short_name()) }
                    span .state .(it.state.name()) { (name(it.state)) }
                    @if it.state != State::InSync {
                        span .soft { (it.reason) @if !it.open.is_empty() { ", " (count(it.open.len(), "difference")) } }
                    }
                    span .soft { "since " (time(it.since)) }
                    span .soft .place { (it.target.account()) " · " (it.target.region()) }
                }
                div .inside {
                    p .arn { (arn) }
                    @if let Some(it) = trouble { (report::error(it)) }
                    (facts(it, view))
                    @if !it.open.is_empty() { (open(&it.open)) }
                    (differences(changes, shown, it))
                    @if !it.lately.is_empty() {
                        h4 { "What happened lately" }
                        ul .list {
                            @for it in it.lately.iter().rev() {
                                li { (time(it.at)) ": " (name(it.state)) @if it.state != State::InSync { ", " (it.reason) } @if it.writes > 0 { ", " (count(it.writes, "write")) }
                                    @if it.by.is_some() { ", changed by: " (by(it.by.as_deref())) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn facts(it: &Standing, view: &View) -> Markup {
    html! {
        dl .facts {
            dt { "Last read" } dd { (time_or(it.last_read, "never")) }
            @if it.last_attempt != it.last_read { dt { "Last attempt" } dd { (time_or(it.last_attempt, "none yet")) } }
            dt { "Next attempt" } dd { (time_or(next_attempt(it, view), "not known")) }
            dt { "Revision" } dd { @match &it.revision { Some(it) => code { (safe(it)) }, None => "there is no policy, or it was not read" } }
            dt { "Size" }
            dd { @match it.size { Some(size) => { (percent(size)) " full (" (size) " of " (size::LIMIT) " bytes)" } None => "not known" } }
            dt { "Statements" }
            dd { (it.grants) " in the files, " (it.foreign) " foreign, " (it.ignored) " ignored" }
        }
    }
}

fn open(open: &[Open]) -> Markup {
    html! {
        h4 { "What differs" }
        ul .list {
            @for it in open.iter().take(OF_ONE) {
                li {
                    (sid(it.sid.as_deref())) ": " (it.kind.name()) " since " (time(it.since))
                    ", changed by: " (by(it.by.as_deref()))
                    @if let Some(why) = it.held { ", held: " (why) }
                }
            }
            @if open.len() > OF_ONE { li { "and " (open.len() - OF_ONE) " more" } }
        }
    }
}

/// Who made a difference.
fn by(it: Option<&Actor>) -> Markup {
    html! {
        @match it {
            None => "not known",
            Some(Actor { arn, role_arn: _, source_address, user_agent, time: at, event, request_id, sid: _ }) => {
                (code(arn))
                @if let Some(it) = source_address { " from " (code(it)) }
                @if let Some(it) = user_agent { " with " (code(it)) }
                " at " (time(*at)) " (" (safe(event))
                @if let Some(it) = request_id { ", request " (safe(it)) }
                ")"
            }
        }
    }
}

fn differences(changes: &[Change], shown: usize, it: &Standing) -> Markup {
    html! {
        @for change in changes.iter().take(shown) { (statement::change(change, &it.target)) }
        @if shown < changes.len() {
            p .soft { (changes.len() - shown) " more: search for this function, or " code { "permitd plan" } " shows them all." }
        }
    }
}
