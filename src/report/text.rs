//! The report for a terminal.

use std::fmt::Write;

use crate::drift::{
    approval::Approval,
    diff::Kind,
    outcome::{Outcome, Trouble},
    plan::{Change, Plan},
};
use crate::policy::{risk::Risk, size, target::Target};
use crate::report::{
    Subject,
    palette::{Look, UNKNOWN, bold, safe},
    sums::{count, expiring, mark, others, risky, standing},
    told::{ALWAYS_TOLD, is_told},
    totals::Totals,
    words,
    wrap::{is_too_wide, wrap},
};

/// What would be done: only targets that differ or are unknown, then the sum.
pub fn plan(outcomes: &[Outcome], look: Look) -> String {
    let mut res = String::new();
    for outcome in outcomes {
        res.push_str(&target(outcome, outcome.found.as_deref(), Subject::Plan, look));
    }
    let totals = Totals::of_found(outcomes);
    let Totals { add, change, remove, held, .. } = totals;
    let sum = format!("Plan: {add} to add, {change} to change, {remove} to remove, {held} held.");
    let sum = format!("{} {}", bold(&sum, look.color), standing(&totals));
    for it in [sum, others(&totals), risky(outcomes), expiring(outcomes)] {
        line(&mut res, &wrap(&it, 2, look));
    }
    res.push_str(&asked(outcomes.iter().filter_map(|it| Some((&it.target, it.found.as_deref()?)))));
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
        outcomes.iter().map(|it| target(it, it.left.as_deref(), Subject::Applied, look)).collect();
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
    res.push_str(&asked(outcomes.iter().filter_map(|it| Some((&it.target, it.left.as_deref()?)))));
    res
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

/// `permitd check` tells them all.
const MAX_RISKY: usize = 5;

fn target(outcome: &Outcome, plan: Option<&Plan>, subject: Subject, look: Look) -> String {
    if !is_told(outcome, subject) {
        return String::new();
    }
    let changes = plan.map_or(&[][..], |it| &it.drift);
    // What was done is told without the risks of what is live.
    let told = plan.filter(|it| subject == Subject::Plan && !it.risks.is_empty());
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
    if let Some(it) = plan.and_then(|it| it.saving).filter(|_| subject == Subject::Plan) {
        line(&mut res, &wrap(&format!("    {}", words::saving(it)), 6, look));
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
    match before.permission().zip(after.terms.plain()) {
        Some((before, after)) => words::fields(before, after)
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
            format!("wanted: {}", words::terms(&after.terms)),
        ],
    }
}

fn line(res: &mut String, text: &str) {
    if !text.is_empty() {
        // Writing to a String cannot fail.
        writeln!(res, "{}", text.trim_end()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
