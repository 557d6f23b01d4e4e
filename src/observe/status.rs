//! `/status`: how everything stands, as JSON for programs. Unknown fields are to be ignored; a breaking change
//! raises the major number of `format_version`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::drift::{actor::Actor, outcome::State};
use crate::observe::{
    board::{ConfigView, EventsView, LeaseView, Offer, PassView, PlaceView, View},
    standing::{Event, Open, Standing},
};
use crate::policy::size;
use crate::report::{
    palette::safe,
    undeclared::{self, UndeclaredReport},
    words,
};

/// The version of the document.
const FORMAT: &str = "1.0";

#[derive(Serialize)]
struct Status<'a> {
    format_version: &'static str,
    version: &'static str,
    time: Timestamp,
    started: Timestamp,
    mode: Option<&'static str>,
    config: Config<'a>,
    summary: Summary,
    places: Vec<Place<'a>>,
    /// None without a lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<Lease<'a>>,
    /// None where no queue is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Events<'a>>,
    held: Vec<Held<'a>>,
    paused: Vec<Paused<'a>>,
    /// Policies that no file names, where they are looked for.
    undeclared: Vec<UndeclaredReport>,
    /// Where it is not known which functions there are.
    unlisted: Vec<Unlisted<'a>>,
    targets: Vec<Target<'a>>,
}

#[derive(Serialize)]
struct Unlisted<'a> {
    account: &'a str,
    region: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Config<'a> {
    loaded_at: Option<Timestamp>,
    last_reload_successful: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused<'a>>,
}

#[derive(Serialize)]
struct Refused<'a> {
    at: Timestamp,
    message: &'a str,
}

#[derive(Serialize)]
struct Summary {
    targets: usize,
    states: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct Place<'a> {
    account: &'a str,
    region: &'a str,
    pass_running_since: Option<Timestamp>,
    next_full_pass: Option<Timestamp>,
    last_full_pass: Option<Pass>,
}

#[derive(Serialize)]
struct Pass {
    at: Timestamp,
    seconds: f64,
    targets: usize,
    calls: u64,
    successful: bool,
}

#[derive(Serialize)]
struct Events<'a> {
    last_answer: Option<Timestamp>,
    trouble: Option<Refused<'a>>,
}

#[derive(Serialize)]
struct Lease<'a> {
    name: &'a str,
    identity: &'a str,
    leader: bool,
    since: Timestamp,
    holder: Option<&'a str>,
    trouble: Option<&'a str>,
}

#[derive(Serialize)]
struct Held<'a> {
    digest: &'a str,
    statements: usize,
    targets: &'a [String],
    since: Timestamp,
    approve: String,
}

#[derive(Serialize)]
struct Paused<'a> {
    /// None: everything.
    target: Option<&'a str>,
    since: Timestamp,
    until: Option<Timestamp>,
    reason: &'a str,
}

#[derive(Serialize)]
struct Target<'a> {
    arn: String,
    state: &'static str,
    reason: &'static str,
    since: Timestamp,
    last_attempt: Option<Timestamp>,
    last_read: Option<Timestamp>,
    next_attempt: Option<Timestamp>,
    revision_id: Option<&'a str>,
    size: Option<Size>,
    statements: Statements,
    drift: Vec<Drift<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    last_outcomes: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Size {
    bytes: usize,
    limit: usize,
}

#[derive(Serialize)]
struct Statements {
    wanted: usize,
    foreign: usize,
    ignored: usize,
}

#[derive(Serialize)]
struct Drift<'a> {
    sid: Option<&'a str>,
    kind: &'static str,
    since: Timestamp,
    held: Option<&'static str>,
    /// Who made it, where an event told.
    by: Option<&'a Actor>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    at: Timestamp,
    state: &'static str,
    reason: &'static str,
    writes: usize,
    by: Option<&'a Actor>,
}

/// The document of this moment.
pub fn status(view: &View, started: Timestamp, now: Timestamp) -> Vec<u8> {
    let mut states: BTreeMap<&str, usize> = State::ALL.iter().map(|it| (it.name(), 0)).collect();
    for it in &view.targets {
        *states.entry(it.state.name()).or_default() += 1;
    }
    let ConfigView { mode, loaded_at, refused } = &view.config;
    let document = Status {
        format_version: FORMAT,
        version: env!("CARGO_PKG_VERSION"),
        time: now,
        started,
        mode: mode.map(crate::drift::allow::Mode::name),
        config: Config {
            loaded_at: *loaded_at,
            last_reload_successful: loaded_at.is_some() && refused.is_none(),
            refused: refused.as_ref().map(|(at, message)| Refused { at: *at, message }),
        },
        summary: Summary { targets: view.targets.len(), states },
        places: view
            .places
            .iter()
            .map(|(place, it)| of_place(&place.account, &place.region, it))
            .collect(),
        lease: view.lease.as_ref().map(lease),
        events: view.events.as_ref().map(events),
        held: view.offers.iter().map(held).collect(),
        paused: view
            .pauses
            .iter()
            .map(|it| Paused {
                target: it.target.as_deref(),
                since: it.since,
                until: it.until,
                reason: &it.reason,
            })
            .collect(),
        undeclared: undeclared::json(&view.undeclared),
        unlisted: view
            .unlisted
            .iter()
            .map(|(place, message)| Unlisted {
                account: &place.account,
                region: &place.region,
                message,
            })
            .collect(),
        targets: view.targets.iter().map(|it| target(it, view)).collect(),
    };
    // Maps with keys that are text, and numbers that are finite: it cannot fail.
    serde_json::to_vec(&document).unwrap_or_default()
}

fn lease(it: &LeaseView) -> Lease<'_> {
    Lease {
        name: &it.lease,
        identity: &it.identity,
        leader: it.leads,
        since: it.since,
        holder: it.holder.as_deref(),
        trouble: it.trouble.as_deref(),
    }
}

fn of_place<'a>(account: &'a str, region: &'a str, it: &PlaceView) -> Place<'a> {
    let pass = |it: &PassView| {
        let PassView { at, seconds, targets, calls, successful } = *it;
        Pass { at, seconds, targets, calls, successful }
    };
    Place {
        account,
        region,
        pass_running_since: it.running_since,
        next_full_pass: it.next_full,
        last_full_pass: it.last_full.as_ref().map(pass),
    }
}

fn events(it: &EventsView) -> Events<'_> {
    let trouble = it.trouble.as_ref().map(|(at, message)| Refused { at: *at, message });
    Events { last_answer: it.answered_at, trouble }
}

fn held(it: &Offer) -> Held<'_> {
    let Offer { digest, statements, targets, at } = it;
    let approve = words::approve_daemon(digest);
    Held { digest, statements: *statements, targets, since: *at, approve }
}

fn target<'a>(it: &'a Standing, view: &View) -> Target<'a> {
    let trouble = it.outcome.as_ref().and_then(|it| it.trouble.as_ref());
    let drift = |it: &'a Open| Drift {
        sid: it.sid.as_deref(),
        kind: it.kind.name(),
        since: it.since,
        held: it.held,
        by: it.by.as_deref(),
    };
    let outcome = |it: &'a Event| Outcome {
        at: it.at,
        state: it.state.name(),
        reason: it.reason,
        writes: it.writes,
        by: it.by.as_deref(),
    };
    Target {
        arn: it.target.arn(),
        state: it.state.name(),
        reason: it.reason,
        since: it.since,
        last_attempt: it.last_attempt,
        last_read: it.last_read,
        next_attempt: next_attempt(it, view),
        revision_id: it.revision.as_deref(),
        size: it.size.map(|bytes| Size { bytes, limit: size::LIMIT }),
        statements: Statements { wanted: it.grants, foreign: it.foreign, ignored: it.ignored },
        drift: it.open.iter().map(drift).collect(),
        message: trouble.map(|it| safe(&it.message)),
        hint: trouble.and_then(|it| it.hint.as_deref()).map(safe),
        last_outcomes: it.lately.iter().map(outcome).collect(),
    }
}

/// When a target is looked at next: for a reason of its own, or in the next full pass.
pub fn next_attempt(it: &Standing, view: &View) -> Option<Timestamp> {
    let full = view.places.get(&it.target.account_region()).and_then(|it| it.next_full);
    match (it.next_look, full) {
        (Some(own), Some(full)) => Some(own.min(full)),
        (own, full) => own.or(full),
    }
}
