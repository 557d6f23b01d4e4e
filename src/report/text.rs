//! The report for a terminal.

use std::{collections::BTreeMap, fmt::Write};

use crate::drift::{
    approval::Approval,
    diff::Kind,
    outcome::{Outcome, Trouble},
    plan::{Change, Plan},
};
use crate::policy::{risk::Risk, size, target::Target};
use crate::report::{
    palette::{ADD, CHANGE, HELD, Look, Mark, REMOVE, UNKNOWN, bold, safe},
    totals::Totals,
    words,
    wrap::{is_too_wide, wrap},
};

/// What would be done: only targets that differ or are unknown, then the sum.
pub fn plan(outcomes: &[Outcome], look: Look) -> String {
    let mut res = String::new();
    for outcome in outcomes {
        res.push_str(&target(outcome, outcome.found.as_ref(), Risks::Told, look));
    }
    let totals = Totals::of_found(outcomes);
    let Totals { add, change, remove, held, .. } = totals;
    let sum = format!("Plan: {add} to add, {change} to change, {remove} to remove, {held} held.");
    let sum = format!("{} {}", bold(&sum, look.color), standing(&totals));
    for it in [sum, others(&totals), risky(outcomes), expiring(outcomes)] {
        line(&mut res, &wrap(&it, 2, look));
    }
    res.push_str(&asked(outcomes.iter().filter_map(|it| Some((&it.target, it.found.as_ref()?)))));
    res
}

/// What is done once somebody says yes, and how to say it.
fn asked<'a>(plans: impl Iterator<Item = (&'a Target, &'a Plan)> + Clone) -> String {
    let held = Approval::of_held(plans);
    let mut res = String::new();
    if !held.is_empty() {
        let it = if held.len() == 1 { "it is" } else { "they are" };
        let what = count(held.len(), "statement");
        line(&mut res, &format!("{what} held by a limit or a risk; {it} done with"));
        line(&mut res, &format!("    {}", words::approve_command(&held.digest())));
    }
    res
}

/// What was done, and what is left.
pub fn applied(outcomes: &[Outcome], look: Look) -> String {
    let mut res = String::new();
    for outcome in outcomes {
        for deed in words::deeds(outcome) {
            line(&mut res, &wrap(&deed, 4, look));
        }
    }
    let left: String =
        outcomes.iter().map(|it| target(it, it.left.as_ref(), Risks::LeftOut, look)).collect();
    if !res.is_empty() && !left.is_empty() {
        res.push('\n');
    }
    res.push_str(&left);
    let totals = Totals::of_left(outcomes);
    let Totals { written, in_sync, targets, failed, unknown, held, .. } = totals;
    let sum = format!("Applied: {} done.", count(written, "write"));
    let rest = format!(
        "{in_sync} of {} as written; {held} held, {failed} failed, {unknown} unknown.",
        count(targets, "function")
    );
    line(&mut res, &wrap(&format!("{} {rest}", bold(&sum, look.color)), 2, look));
    line(&mut res, &wrap(&others(&totals), 2, look));
    res.push_str(&asked(outcomes.iter().filter_map(|it| Some((&it.target, it.left.as_ref()?)))));
    res
}

/// `1 of 120 functions differs; 0 unknown.`
fn standing(totals: &Totals) -> String {
    let Totals { differ, targets, unknown, .. } = totals;
    let verb = if *differ == 1 || *targets == 1 { "differs" } else { "differ" };
    format!("{differ} of {} {verb}; {unknown} unknown.", count(*targets, "function"))
}

fn others(totals: &Totals) -> String {
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
fn risky(outcomes: &[Outcome]) -> String {
    let mut counts: BTreeMap<Risk, usize> = BTreeMap::new();
    let plans = outcomes.iter().filter_map(|it| it.found.as_ref());
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
fn expiring(outcomes: &[Outcome]) -> String {
    let of_one = |outcome: &Outcome| {
        let name = outcome.target.short_name();
        let plan = outcome.found.as_ref();
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

/// `backdoor P002 (anyone, without a condition); s3 P003 (…); 12 more`, the worst first.
fn risks_of(plan: &Plan) -> String {
    let of_one = |(sid, risks): &(Option<String>, Vec<Risk>)| {
        let sid = sid.as_deref().map_or_else(|| "(no Sid)".to_owned(), safe);
        let risks: Vec<String> = risks.iter().map(|it| format!("{it} ({})", it.title())).collect();
        format!("{sid} {}", risks.join(", "))
    };
    let mut sorted: Vec<&(Option<String>, Vec<Risk>)> = plan.risks.iter().collect();
    sorted.sort_by_key(|(_, it)| !it.contains(&ALWAYS_TOLD));
    let mut res: Vec<String> = sorted.iter().take(MAX_RISKY).map(|it| of_one(it)).collect();
    if let Some(more) = sorted.len().checked_sub(MAX_RISKY).filter(|it| *it > 0) {
        res.push(format!("{more} more"));
    }
    res.join("; ")
}

/// Whether a report tells the risks of what is live.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Risks {
    /// One that lets anybody in is worth a line even where nothing differs.
    Told,
    LeftOut,
}

const ALWAYS_TOLD: Risk = Risk::P002;
/// `permitd check` tells them all.
const MAX_RISKY: usize = 5;

fn target(outcome: &Outcome, plan: Option<&Plan>, risks: Risks, look: Look) -> String {
    let changes = plan.map_or(&[][..], |it| &it.drift);
    let other_version = plan.is_some_and(|it| it.version.is_some());
    let told = plan.filter(|it| risks == Risks::Told && !it.risks.is_empty());
    let open = told.is_some_and(|it| it.risks.iter().any(|(_, it)| it.contains(&ALWAYS_TOLD)));
    if changes.is_empty() && outcome.trouble.is_none() && !other_version && !open {
        return String::new();
    }
    let mut res = String::new();
    line(&mut res, &bold(&outcome.target.to_string(), look.color));
    for it in changes {
        res.push_str(&change(it, look));
    }
    if let Some(it) = &outcome.trouble {
        res.push_str(&trouble(it, outcome, look));
    }
    if let Some(plan) = told {
        line(&mut res, &wrap(&format!("    risks: {}", risks_of(plan)), 6, look));
    }
    if let Some(version) = plan.and_then(|it| it.version.as_deref()) {
        let version = safe(version);
        let text =
            format!("    the policy is of Version {version}: ${{…}} in it stands for itself");
        line(&mut res, &wrap(&text, 6, look));
    }
    if let Some(plan) = plan.filter(|it| it.size * 5 > size::LIMIT * 4) {
        let percent = plan.size * 100 / size::LIMIT;
        line(
            &mut res,
            &format!("    the policy is {percent}% full: {} of {} bytes", plan.size, size::LIMIT),
        );
    }
    res.push('\n');
    res
}

fn trouble(it: &Trouble, outcome: &Outcome, look: Look) -> String {
    let mut res = String::new();
    let state = UNKNOWN.paint(outcome.state.name(), look.color);
    let text = format!("  {} {state}: {}", UNKNOWN.symbol, safe(&it.to_string()));
    line(&mut res, &wrap(&text, 6, look));
    if let Some(hint) = &it.hint {
        line(&mut res, &wrap(&format!("      {}", safe(hint)), 6, look));
    }
    res
}

fn change(it: &Change, look: Look) -> String {
    let mark = mark(it);
    let sid = it.drift.sid.as_deref().map_or_else(|| "(no Sid)".to_owned(), safe);
    let mut words = words::change(it);
    if let Some(held) = &it.held {
        let held = safe(&held.to_string());
        words = format!("{words}; held: {held}");
    }
    let mut res = String::new();
    let symbol = mark.paint(&mark.symbol.to_string(), look.color);
    line(&mut res, &wrap(&format!("  {symbol} {sid:<19} {words}"), WORDS_AT, look));
    if it.drift.kind == Kind::Changed || (it.drift.kind == Kind::Orphaned && it.adds()) {
        for detail in details(it, look) {
            line(&mut res, &format!("      {detail}"));
        }
    }
    res
}

/// Where the words stand that follow a Sid.
const WORDS_AT: usize = 24;

/// What differs, in lines that are not broken: a value is to be copied.
fn details(it: &Change, look: Look) -> Vec<String> {
    let (Some(before), Some(after)) = (&it.drift.before, &it.drift.after) else {
        return Vec::new();
    };
    match before.permission() {
        Some(permission) => words::fields(permission, &after.permission)
            .into_iter()
            .flat_map(|(key, before, after)| {
                let one_line = format!("{key}: {before} -> {after}");
                if is_too_wide(&format!("      {one_line}"), look) {
                    vec![format!("{key}:"), format!("     {before}"), format!("  -> {after}")]
                } else {
                    vec![one_line]
                }
            })
            .collect(),
        None => vec![
            format!("live:   {}", safe(before.text())),
            format!("wanted: {}", words::permission(&after.permission)),
        ],
    }
}

fn mark(it: &Change) -> Mark {
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

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn line(res: &mut String, text: &str) {
    if !text.is_empty() {
        // Writing to a String cannot fail.
        writeln!(res, "{}", text.trim_end()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
