//! The report as a comment on a pull request.
//!
//! GitHub takes 65,536 characters (GitLab a million), so what does not fit is counted, and the most important
//! stands first. Nothing in it changes from run to run unless the findings do.

mod escape;
pub(super) use escape::code;
mod section;

use std::fmt::Write;

use crate::drift::{
    approval::Approval,
    outcome::{Outcome, State},
    plan::Plan,
};
use crate::policy::target::Target;
use crate::report::{
    Subject,
    markdown::{
        escape::{block, cut},
        section::Form,
    },
    palette::safe,
    sums::{count, digest, expiring, others, risky, verdict},
    told::{Told, told},
    totals::Totals,
    words,
};

/// It is never longer than this, in bytes.
pub const MAX: usize = 60_000;
/// From here on targets are told of in short.
const FULL: usize = 44_000;
/// What may follow the targets.
const TAIL: usize = 4_000;
/// So many lines of what was done.
const MAX_DEEDS: usize = 60;
/// So many characters of a line of what was done.
const MAX_DEED: usize = 300;
/// From so many lines on something is folded.
const FOLD: usize = 12;
/// From so many targets on each is folded.
const FOLD_TARGETS: usize = 6;

/// What would be done.
pub fn plan(outcomes: &[Outcome]) -> String {
    report(outcomes, Subject::Plan)
}

/// What was done, and what is left.
pub fn applied(outcomes: &[Outcome]) -> String {
    report(outcomes, Subject::Applied)
}

/// The first line: a comment that nobody sees, by which a program finds its comment again.
pub fn marker(subject: Subject) -> String {
    format!("<!-- permitd {} -->", subject.name())
}

/// The report on one or the other.
pub fn report(outcomes: &[Outcome], subject: Subject) -> String {
    let totals = subject.totals(outcomes);
    let told = told(outcomes, subject);
    let mut res = format!("{}\n", marker(subject));
    let title = format!("## permitd {}: {}\n\n", subject.name(), verdict(subject, &totals));
    res.push_str(&title);
    if told.is_empty() && totals.is_clean() {
        let are = if totals.targets == 1 { "is" } else { "are" };
        line(&mut res, &format!("{} {are} as written.", count(totals.targets, "function")));
    } else {
        res.push_str(&table(outcomes, subject, &totals));
    }
    res.push_str(&asked(outcomes, subject));
    if subject == Subject::Applied {
        res.push_str(&deeds(outcomes));
    }
    let left_out = sections(&mut res, &told, subject);
    res.push_str(&not_told(&left_out));
    res.push_str(&foot(outcomes, subject, &totals));
    res
}

fn table(outcomes: &[Outcome], subject: Subject, totals: &Totals) -> String {
    let Totals { targets, in_sync, add, change, remove, held, written, .. } = *totals;
    let mut cells = vec![("functions".to_owned(), targets), ("as written".to_owned(), in_sync)];
    for state in State::ALL.into_iter().filter(|it| *it != State::InSync) {
        let n = outcomes.iter().filter(|it| it.state == state).count();
        let always = state == State::Drifted || state == State::Unknown;
        if n > 0 || always {
            cells.push((state.name().to_owned(), n));
        }
    }
    if subject == Subject::Applied {
        cells.push(("writes done".to_owned(), written));
    }
    let statements = [
        ("`+` to add", add),
        ("`~` to change", change),
        ("`-` to remove", remove),
        ("`!` held", held),
    ];
    cells.extend(statements.map(|(name, n)| (name.to_owned(), n)));
    let row = |of: &dyn Fn(&(String, usize)) -> String| {
        format!("| {} |\n", cells.iter().map(of).collect::<Vec<_>>().join(" | "))
    };
    format!(
        "{}{}{}\n",
        row(&|it| it.0.clone()),
        row(&|_| "---:".to_owned()),
        row(&|it| it.1.to_string())
    )
}

fn plans(outcomes: &[Outcome], subject: Subject) -> impl Iterator<Item = (&Target, &Plan)> + Clone {
    outcomes.iter().filter_map(move |it| Some((&it.target, subject.plan_of(it)?)))
}

/// What is done once somebody says yes, and how to say it.
fn asked(outcomes: &[Outcome], subject: Subject) -> String {
    let held = Approval::of_held(plans(outcomes, subject));
    if held.is_empty() {
        return String::new();
    }
    let it = if held.len() == 1 { "it is" } else { "they are" };
    let digest = held.digest();
    let commands = block("sh", &[words::approve_command(&digest)]);
    format!(
        "**{} held by a limit or a risk**; {it} done with\n\n{commands}\nor, where permitd runs, with `{}`.\n\n",
        count(held.len(), "statement"),
        words::approve_daemon(&digest)
    )
}

/// What was done, as the terminal shows it.
fn deeds(outcomes: &[Outcome]) -> String {
    let all: Vec<String> =
        outcomes.iter().flat_map(words::deeds).map(|it| cut(&it, MAX_DEED)).collect();
    if all.is_empty() {
        return String::new();
    }
    let mut lines: Vec<String> = all.iter().take(MAX_DEEDS).cloned().collect();
    if let Some(more) = all.len().checked_sub(MAX_DEEDS).filter(|it| *it > 0) {
        lines.push(format!("… and {more} more"));
    }
    let text = block("text", &lines);
    if lines.len() < FOLD { format!("### Done\n\n{text}\n") } else { fold("Done", &text) }
}

fn fold(summary: &str, text: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{text}\n</details>\n\n")
}

/// As many targets as there is room for, and those that are left out.
fn sections<'a>(res: &mut String, told: &'a [Told<'a>], subject: Subject) -> Vec<&'a Told<'a>> {
    let folded = told.len() > FOLD_TARGETS;
    let mut left_out = Vec::new();
    for it in told {
        let fits = |text: &String, most: usize| res.len() + text.len() <= most;
        let full = section::section(it, subject, if folded { Form::Folded } else { Form::Open });
        if fits(&full, FULL) {
            res.push_str(&full);
            continue;
        }
        let short = section::section(it, subject, Form::Short);
        if fits(&short, MAX - TAIL) {
            res.push_str(&short);
        } else {
            left_out.push(it);
        }
    }
    if !res.ends_with("\n\n") {
        res.push('\n');
    }
    left_out
}

/// `12 more functions are not shown here: 10 drifted, 2 unknown.`
fn not_told(left_out: &[&Told<'_>]) -> String {
    if left_out.is_empty() {
        return String::new();
    }
    let states = State::ALL.into_iter().filter_map(|state| {
        let n = left_out.iter().filter(|it| it.outcome.state == state).count();
        (n > 0).then(|| format!("{n} {}", state.name()))
    });
    let states: Vec<String> = states.collect();
    let (are, more) = if left_out.len() == 1 { ("is", "1 more function") } else { ("are", "") };
    let more =
        if more.is_empty() { format!("{} more functions", left_out.len()) } else { more.into() };
    format!(
        "**{more} {are} not shown here, for a comment has no room for all**: {}. \
         `--report report.html` has all of it.\n\n",
        states.join(", ")
    )
}

fn foot(outcomes: &[Outcome], subject: Subject, totals: &Totals) -> String {
    let mut res = String::new();
    line(&mut res, &others(totals));
    if subject == Subject::Plan {
        line(&mut res, &risky(outcomes));
        // Names of functions and Sids of files: nothing in them but letters, digits, `-` and `_`.
        line(&mut res, &cut(&safe(&expiring(outcomes)).replace('_', "\\_"), 2_000));
    }
    if let Some(it) = digest(outcomes, subject) {
        line(&mut res, &format!("Digest: `{it}`"));
    }
    res
}

fn line(res: &mut String, text: &str) {
    if !text.is_empty() {
        // Writing to a String cannot fail.
        write!(res, "{text}\n\n").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
