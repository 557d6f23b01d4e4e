//! What is right in the files, and somebody should look at nevertheless.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use crate::config::diagnostic::{self, Diagnostic, File, Files, Place, Span};
use crate::drift::{plan::SOON, wanted::Wanted};
use crate::policy::{
    grant::{Grant, Permission},
    risk::{self, Risk},
    source::Source,
};

/// All warnings about grants, by file and position. One that several functions share is told once.
pub fn warnings(files: &Files, wanted: &[Wanted], now: Timestamp) -> Vec<Diagnostic> {
    let places = Places::of(files);
    let mut found = Vec::new();
    for it in wanted {
        let permissions: Vec<(&str, &Permission)> =
            it.grants.iter().map(|it| (it.sid.as_str(), &it.permission)).collect();
        let risks = risk::of_permissions(&permissions);
        for grant in &it.grants {
            found.extend(expiry(&places, grant, now));
            let of_grant = risks.get(&grant.sid).into_iter().flatten();
            let open = of_grant.filter(|it| !grant.accept.contains(it));
            found.extend(open.map(|it| risky(&places, grant, *it)));
        }
    }
    diagnostic::sort(&mut found);
    found
}

/// For people: what is told of a risk once is not told again with the next statement that has it.
pub fn explain_once(found: &mut [Diagnostic]) {
    let mut told = BTreeSet::new();
    for it in found {
        if it.code.is_some_and(|risk| !told.insert(risk)) {
            it.help = None;
        }
    }
}

fn risky(places: &Places<'_>, grant: &Grant, risk: Risk) -> Diagnostic {
    let message = format!("the grant `{}` has the risk {risk}: {}", grant.sid, risk.title());
    let help = format!("{} See {}", risk.explanation(), risk.reference());
    Diagnostic { code: Some(risk), ..Diagnostic::warning(places.place_of(&grant.source), message) }
        .help(help)
}

fn expiry(places: &Places<'_>, grant: &Grant, now: Timestamp) -> Option<Diagnostic> {
    let (sid, at) = (&grant.sid, grant.expires?);
    let left = at.duration_since(now);
    if left > SOON {
        return None;
    }
    let place = places.place_of(&grant.source);
    Some(if left.is_positive() {
        let message = format!("the grant `{sid}` expires in {}, at {at}", roughly(left));
        let help = "from then on it is revoked; write a later `expires` if it is still needed";
        Diagnostic::warning(place, message).help(help)
    } else {
        let message = format!(
            "the grant `{sid}` expired {} ago, at {at}; it is revoked if it is live",
            roughly(left)
        );
        Diagnostic::warning(place, message).help("delete it from the file")
    })
}

/// `12 days`, `1 hour`: whole ones of the largest unit that there is one of, before or after.
fn roughly(span: SignedDuration) -> String {
    let seconds = span.unsigned_abs().as_secs();
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60)];
    let largest = units.into_iter().map(|(unit, size)| (unit, seconds / size)).find(|it| it.1 > 0);
    match largest {
        Some((unit, 1)) => format!("1 {unit}"),
        Some((unit, n)) => format!("{n} {unit}s"),
        None => "less than a minute".to_owned(),
    }
}

/// Finds in the texts what the domain kept of a place. Made once for all warnings: a file may have
/// thousands of them and megabytes.
struct Places<'f> {
    files: BTreeMap<&'f str, (&'f Arc<File>, Vec<usize>)>,
}

impl<'f> Places<'f> {
    fn of(files: &'f Files) -> Self {
        let entry = |it: &'f Arc<File>| (it.name.as_ref(), (it, line_starts(&it.text)));
        Self { files: files.files.iter().map(entry).collect() }
    }

    /// The first line of what stands at a source.
    fn place_of(&self, source: &Source) -> Place {
        let Some((file, starts)) = self.files.get(source.file.as_ref()) else {
            return Place::whole(&File::new(Arc::clone(&source.file), String::new()));
        };
        let line =
            starts.get((source.line as usize).saturating_sub(1)).copied().unwrap_or_default();
        let rest = file.text.get(line..).unwrap_or_default();
        let rest = rest.split(['\n', '\r']).next().unwrap_or_default();
        let before: usize =
            rest.chars().take((source.column as usize).saturating_sub(1)).map(char::len_utf8).sum();
        let start = line + before;
        let length = extent(rest.get(before..).unwrap_or_default());
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let (start, end) = (number(start), number(start + length));
        Place::at(file, Span { start, end, line: source.line, column: source.column })
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(at, it)| match **it {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
}

/// How much to underline: a map in braces up to its end, anything else up to the end of its line.
fn extent(line: &str) -> usize {
    let mut open = 0_usize;
    for (at, it) in line.char_indices() {
        match it {
            '{' => open += 1,
            '}' if open == 1 && line.starts_with('{') => return at + 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    line.trim_end().len()
}

#[cfg(test)]
mod tests;
