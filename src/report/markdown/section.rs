//! What the comment says of one target.

use std::fmt::Write;

use crate::drift::plan::{Change, Plan};
use crate::policy::{risk::Risk, size, target::Target};
use crate::report::{
    Subject,
    fields::{Row, rows},
    markdown::{
        FOLD,
        escape::{block, code, cut, html},
        fold,
    },
    palette::safe,
    sums::{count, mark},
    told::Told,
    words,
};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// All, with what is long folded.
    Open,
    /// All, folded.
    Folded,
    /// A line for each change, without the statements.
    Short,
}

/// So many characters of a value, a reason or a name.
const MAX_VALUE: usize = 400;
/// So many changes of one target are told one by one.
const MAX_CHANGES: usize = 40;
/// So many changes in short.
const MAX_SHORT: usize = 5;
/// So many Sids that share a risk.
const MAX_RISKY: usize = 8;

/// One target.
pub(super) fn section(told: &Told<'_>, subject: Subject, form: Form) -> String {
    let Told { outcome, plan } = told;
    let (name, state) = (outcome.target.short_name(), outcome.state.name());
    let changes = plan.map_or(&[][..], |it| &it.drift);
    let most = if form == Form::Short { MAX_SHORT } else { MAX_CHANGES };
    let mut body = String::new();
    if form != Form::Short {
        line(&mut body, &format!("`{}`\n", outcome.target));
    }
    if let Some(it) = &outcome.trouble {
        let mut lines = vec![cut(&safe(&it.to_string()), 4 * MAX_VALUE)];
        if let Some(hint) = &it.hint {
            lines.push(format!("hint: {}", cut(&safe(hint), MAX_VALUE)));
        }
        line(&mut body, &block("text", &lines));
    }
    for it in changes.iter().take(most) {
        line(&mut body, &change(it));
    }
    if let Some(more) = changes.len().checked_sub(most).filter(|it| *it > 0) {
        line(&mut body, &format!("- … and {}", count(more, "more change")));
    }
    if let (Some(plan), true) = (plan, form != Form::Short) {
        body.push('\n');
        let shown: Vec<&Change> = changes.iter().take(MAX_CHANGES).collect();
        body.push_str(&statements(&shown, &outcome.target));
        body.push_str(&notes(plan, subject));
    }
    match form {
        Form::Open => format!("### `{name}` {state}\n\n{}\n\n", body.trim_end()),
        Form::Short => format!("#### `{name}` {state}\n\n{}\n\n", body.trim_end()),
        Form::Folded => {
            let sum =
                if changes.is_empty() { String::new() } else { format!(": {}", sum(changes)) };
            fold(&format!("<code>{}</code> {state}{sum}", html(&name)), &body)
        }
    }
}

/// `2 missing, 1 changed`
fn sum(changes: &[Change]) -> String {
    use crate::drift::diff::Kind;
    let kinds = Kind::ALL.into_iter().filter_map(|kind| {
        let n = changes.iter().filter(|it| it.drift.kind == kind).count();
        (n > 0).then(|| format!("{n} {}", kind.name()))
    });
    kinds.collect::<Vec<_>>().join(", ")
}

/// One line of a list.
fn change(it: &Change) -> String {
    let symbol = mark(it).symbol;
    let sid = it.drift.sid.as_deref().map_or("(no Sid)".to_owned(), |it| code(it, MAX_VALUE));
    let (own, foreign) = words::change_parts(it);
    let mut res = format!("- `{symbol}` {sid} {own}");
    // Writing to a String cannot fail.
    if let Some(it) = foreign {
        write!(res, ": {}", code(&it, MAX_VALUE)).unwrap_or_default();
    }
    if let Some(it) = &it.held {
        write!(res, "; held: {}", code(&it.to_string(), MAX_VALUE)).unwrap_or_default();
    }
    res
}

/// The statements before and after.
fn statements(changes: &[&Change], target: &Target) -> String {
    let mut lines = Vec::new();
    for (at, it) in changes.iter().enumerate() {
        if at > 0 {
            lines.push(String::new());
        }
        let sid = it.drift.sid.as_deref().map_or_else(|| "(no Sid)".to_owned(), safe);
        lines.push(format!("@@ {} @@", cut(&sid, MAX_VALUE)));
        let before = it.drift.before.as_ref().map(|it| it.text().to_owned());
        let grant = it.drift.after.as_ref().filter(|_| it.adds());
        let after = grant.map(|it| it.terms.statement_text(&it.sid, target));
        for row in rows(before.as_deref(), after.as_deref()) {
            lines.extend(row_lines(&row));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let text = block("diff", &lines);
    if lines.len() <= FOLD { format!("{text}\n") } else { fold("Before and after", &text) }
}

fn row_lines(row: &Row) -> Vec<String> {
    let Row { path, before, after, differs } = row;
    let one = |mark: char, value: &str| {
        let text = if path.is_empty() { value.to_owned() } else { format!("{path}: {value}") };
        format!("{mark} {}", cut(&safe(&text), MAX_VALUE))
    };
    match (before, after) {
        (Some(_), Some(after)) if !differs => vec![one(' ', after)],
        (before, after) => {
            let before = before.iter().map(|it| one('-', it));
            before.chain(after.iter().map(|it| one('+', it))).collect()
        }
    }
}

/// What has to be known besides.
fn notes(plan: &Plan, subject: Subject) -> String {
    let mut res = String::new();
    if subject == Subject::Plan {
        for risk in Risk::ALL {
            let of = |it: &&(Option<String>, Vec<Risk>)| it.1.contains(&risk);
            let sids: Vec<&(Option<String>, Vec<Risk>)> = plan.risks.iter().filter(of).collect();
            if sids.is_empty() {
                continue;
            }
            let name = |it: &&(Option<String>, Vec<Risk>)| {
                it.0.as_deref().map_or("(no Sid)".to_owned(), |it| code(it, MAX_VALUE))
            };
            let mut names: Vec<String> = sids.iter().take(MAX_RISKY).map(name).collect();
            if let Some(more) = sids.len().checked_sub(MAX_RISKY).filter(|it| *it > 0) {
                names.push(format!("{more} more"));
            }
            let (title, page) = (risk.title(), risk.reference());
            line(&mut res, &format!("- risk [{risk}]({page}), {title}: {}", names.join(", ")));
        }
    }
    if let Some(version) = &plan.version {
        let version = code(version, MAX_VALUE);
        line(
            &mut res,
            &format!("- the policy is of Version {version}: `${{…}}` in it stands for itself"),
        );
    }
    if plan.size * 5 > size::LIMIT * 4 {
        let percent = plan.size * 100 / size::LIMIT;
        line(
            &mut res,
            &format!("- the policy is {percent}% full: {} of {} bytes", plan.size, size::LIMIT),
        );
    }
    if let Some(it) = plan.saving {
        line(&mut res, &format!("- {}", words::saving(it)));
    }
    for (n, what) in [
        (plan.foreign.len(), "in no file left alone"),
        (plan.ignored.len(), "left alone by an ignore rule"),
    ] {
        if n > 0 {
            line(&mut res, &format!("- {} {what}", count(n, "statement")));
        }
    }
    res
}

fn line(res: &mut String, text: &str) {
    // Writing to a String cannot fail.
    writeln!(res, "{text}").unwrap_or_default();
}
