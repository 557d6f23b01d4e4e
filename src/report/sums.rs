//! What a report adds up to, in words.

use std::collections::BTreeMap;

use crate::drift::{
    allow::Reason, approval::digest_of, diff::Kind, outcome::Outcome, plan::Change,
};
use crate::policy::risk::Risk;
use crate::report::{
    Subject,
    palette::{ADD, CHANGE, HELD, Mark, REMOVE},
    totals::Totals,
};

/// The whole report in one line: `1 of 9 functions unknown; 2 to add, 1 held`.
pub fn verdict(subject: Subject, totals: &Totals) -> String {
    let Totals { add, change, remove, held, in_sync, targets, unknown, failed, written, .. } =
        *totals;
    let numbers = |all: &[(usize, &str)]| {
        let some = all.iter().filter(|(n, _)| *n > 0);
        some.map(|(n, what)| format!("{n} {what}")).collect::<Vec<_>>().join(", ")
    };
    let functions = count(targets, "function");
    let bad = match (unknown, failed) {
        (0, 0) => String::new(),
        (0, failed) => format!("{failed} of {functions} failed"),
        (unknown, 0) => format!("{unknown} of {functions} unknown"),
        (unknown, failed) => format!("{unknown} of {functions} unknown, {failed} failed"),
    };
    let changes = [(add, "to add"), (change, "to change"), (remove, "to remove"), (held, "held")];
    let changes = numbers(&changes);
    let all = if in_sync == targets { "everything is as written" } else { "" };
    let done = match subject {
        Subject::Plan => String::new(),
        Subject::Applied => format!("{} done", count(written, "write")),
    };
    let parts = [done, bad, changes, all.to_owned()];
    parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Names what the report would do, or what it holds until somebody says yes; none where that is nothing.
pub fn digest(outcomes: &[Outcome], subject: Subject) -> Option<String> {
    let plans = outcomes.iter().filter_map(|it| Some((&it.target, subject.plan_of(it)?)));
    let counts = |it: &Change| it.held.as_ref().is_none_or(Reason::is_approvable);
    let any = plans.clone().any(|(_, it)| it.drift.iter().any(counts));
    any.then(|| digest_of(plans))
}

/// `1 of 120 functions differs; 0 unknown.`
pub fn standing(totals: &Totals) -> String {
    let Totals { differ, targets, unknown, .. } = totals;
    let verb = if *differ == 1 || *targets == 1 { "differs" } else { "differ" };
    format!("{differ} of {} {verb}; {unknown} unknown.", count(*targets, "function"))
}

/// What was left alone, and why; empty where nothing was.
pub fn others(totals: &Totals) -> String {
    match (totals.foreign, totals.ignored) {
        (0, 0) => String::new(),
        (foreign, 0) => format!("{} in no file left alone.", count(foreign, "statement")),
        (0, ignored) => format!("{} left alone by an ignore rule.", count(ignored, "statement")),
        (foreign, ignored) => format!(
            "{} in no file left alone, {ignored} more by an ignore rule.",
            count(foreign, "statement")
        ),
    }
}

/// `Live statements with risks: P001 12, P003 3.` Each risk counts by itself.
pub fn risky(outcomes: &[Outcome]) -> String {
    let mut counts: BTreeMap<Risk, usize> = BTreeMap::new();
    let plans = outcomes.iter().filter_map(|it| it.found.as_deref());
    for risk in plans.flat_map(|it| &it.risks).flat_map(|(_, risks)| risks) {
        *counts.entry(*risk).or_default() += 1;
    }
    if counts.is_empty() {
        return String::new();
    }
    let counts: Vec<String> = counts.iter().map(|(risk, n)| format!("{risk} {n}")).collect();
    format!("Live statements with risks: {}.", counts.join(", "))
}

/// More than these would be read by nobody; the first to end are told.
const MOST_EXPIRING: usize = 5;

/// `Expiring within 30 days: invoice partner (2026-12-31T00:00:00Z).`
pub fn expiring(outcomes: &[Outcome]) -> String {
    let of_one = |outcome: &Outcome| {
        let name = outcome.target.short_name();
        let plan = outcome.found.as_deref();
        let one =
            move |(sid, at): &(String, jiff::Timestamp)| (*at, format!("{name} {sid} ({at})"));
        plan.map_or_else(Vec::new, |it| it.expiring.iter().map(one).collect())
    };
    let mut all: Vec<(jiff::Timestamp, String)> = outcomes.iter().flat_map(of_one).collect();
    all.sort();
    let more = all.len().saturating_sub(MOST_EXPIRING);
    let mut told: Vec<String> = all.into_iter().take(MOST_EXPIRING).map(|(_, it)| it).collect();
    if told.is_empty() {
        return String::new();
    }
    if more > 0 {
        told.push(format!("{more} more"));
    }
    format!("Expiring within 30 days: {}.", told.join(", "))
}

/// The symbol and the colour of a difference: held wins over what would be done.
pub fn mark(it: &Change) -> Mark {
    match it.drift.kind {
        _ if it.held.is_some() => HELD,
        Kind::Missing => ADD,
        Kind::Changed | Kind::Renamed => CHANGE,
        Kind::Orphaned if it.adds() => CHANGE,
        Kind::Duplicate
        | Kind::Unmanaged
        | Kind::Absent
        | Kind::Orphaned
        | Kind::Expired
        | Kind::Leftover => REMOVE,
    }
}

/// `1 statement`, `2 statements`.
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
