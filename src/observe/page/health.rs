//! Is it working: the first thing on the page.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::drift::{allow::Mode, outcome::State};
use crate::observe::{
    board::{EventsView, LeaseView, PlaceView, View},
    page::{Facts, time, time_or},
};
use crate::report::{palette::safe, sums::count};

/// It in one line.
pub(super) struct Verdict {
    pub text: String,
    class: &'static str,
}

/// How many targets are in which state.
pub(super) fn states(view: &View) -> BTreeMap<State, usize> {
    let mut res = BTreeMap::new();
    for it in &view.targets {
        *res.entry(it.state).or_default() += 1;
    }
    res
}

pub(super) fn verdict(view: &View, facts: &Facts) -> Verdict {
    let states = states(view);
    let n = |it: &[State]| it.iter().filter_map(|it| states.get(it)).sum::<usize>();
    let of = |class: &'static str, text: String| Verdict { text, class };
    let unread = view.targets.iter().filter(|it| it.last_attempt.is_none()).count();
    let bad = n(&[State::Unknown, State::Failed, State::Contended]).saturating_sub(unread);
    let differs = n(&[State::Drifted, State::Held, State::Paused, State::Suspended]);
    let functions = |n: usize| count(n, "function");
    if !facts.alive {
        of("bad", "the loop has stopped: nothing is looked at".to_owned())
    } else if view.config.mode.is_none() {
        of("bad", "no valid configuration is loaded yet".to_owned())
    } else if view.config.refused.is_some() {
        of("bad", "the new configuration was refused, the old one is in force".to_owned())
    } else if view.stands_by() {
        of("drift", "stands by: another permitd acts".to_owned())
    } else if bad > 0 {
        of("bad", format!("{} in trouble", functions(bad)))
    } else if !view.offers.is_empty() {
        of("held", format!("waits for an approval; {}", differing(differs)))
    } else if differs > 0 {
        of("drift", differing(differs))
    } else if unread > 0 {
        of("drift", format!("{} not read yet", functions(unread)))
    } else {
        of("good", format!("all is as written ({})", functions(view.targets.len())))
    }
}

fn differing(n: usize) -> String {
    if n == 1 { "1 function differs".to_owned() } else { format!("{n} functions differ") }
}

pub(super) fn health(view: &View, facts: &Facts, verdict: &Verdict) -> Markup {
    let states = states(view);
    html! {
        div .verdict .(verdict.class) {
            h1 { "permitd: " (verdict.text) }
            p .soft {
                @match view.config.mode {
                    Some(it) => { "Mode " (it.name()) @if it == Mode::Observe { ": it looks, and changes nothing" } "." }
                    None => "It has no configuration.",
                }
            }
        }
        ul .tiles aria-label="Functions by state" {
            li { b { (view.targets.len()) } "functions" }
            @for it in State::ALL {
                @let n = states.get(&it).copied().unwrap_or_default();
                li .zero[n == 0] {
                    b { (n) }
                    @if n > 0 { a href=(format!("/?state={}", it.name())) { (name(it)) } } @else { (name(it)) }
                }
            }
        }
        section aria-labelledby="working" {
            h2 #working { "Is it working" }
            dl .facts {
                dt { "Loop" }
                dd {
                    @if facts.alive { "alive" } @else { span .alarm { "stopped: restart permitd" } }
                    ", the process since " (time(facts.started))
                }
                (configuration(view))
                @if let Some(it) = &view.lease { dt { "Lease" } dd { (lease(it)) } }
                dt { "Journal" }
                dd {
                    @match &facts.entries {
                        Ok(_) => "can be read",
                        Err(why) => span .alarm { (safe(why)) },
                    }
                }
                @if let Some(it) = &view.events { dt { "Events" } dd { (events(it)) } }
                @for (place, it) in &view.places {
                    dt { "Passes of " (place.account) " in " (place.region) }
                    dd { (passes(it)) }
                }
                @for (place, why) in &view.unlisted {
                    dt { "Functions of " (place.account) " in " (place.region) }
                    dd { span .alarm { "not known" } ": " (safe(why)) }
                }
                @if view.places.is_empty() { dt { "Passes" } dd { "none yet" } }
            }
        }
    }
}

/// As people say it.
pub(super) fn name(it: State) -> &'static str {
    if it == State::InSync { "as written" } else { it.name() }
}

fn configuration(view: &View) -> Markup {
    html! {
        dt { "Configuration" }
        dd {
            "loaded " (time_or(view.config.loaded_at, "never"))
            @if let Some((at, why)) = &view.config.refused {
                div .error {
                    p { strong .alarm { "Refused" } " at " (time(*at)) ": " (safe(why)) }
                    p { "Hint: mend the file. It is loaded by itself." }
                }
            }
        }
    }
}

fn events(it: &EventsView) -> Markup {
    html! {
        @match &it.trouble {
            None => { "the queue answered " (time_or(it.answered_at, "never")) }
            Some((at, why)) => {
                span .alarm { "the queue cannot be read" } " since " (time(*at)) ": " (safe(why))
                "; full passes go on"
            }
        }
    }
}

fn lease(it: &LeaseView) -> Markup {
    html! {
        (it.lease) ": this one, " (it.identity) ", "
        @if it.leads { "leads" } @else { "stands by" } " since " (time(it.since))
        @if !it.leads {
            "; "
            @match &it.holder { Some(who) => { (safe(who)) " leads" } None => "nobody is known to lead" }
        }
        @if let Some(why) = &it.trouble { "; " span .alarm { "the lease cannot be read or written" } ": " (safe(why)) }
    }
}

fn passes(it: &PlaceView) -> Markup {
    html! {
        @match &it.last_full {
            None => "none is through yet",
            Some(pass) => {
                "last " (time(pass.at)) ", "
                @if pass.successful { "successful" } @else { span .alarm { "not successful" } }
                ": " (count(pass.targets, "function")) " in " (format!("{:.1}", pass.seconds)) " s with "
                (count(usize::try_from(pass.calls).unwrap_or(usize::MAX), "call"))
            }
        }
        @if let Some(at) = it.running_since { "; one is under way since " (time(at)) }
        "; next " (time_or(it.next_full, "not known"))
    }
}
