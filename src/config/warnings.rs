//! What is right in the files, and somebody should look at nevertheless.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::config::diagnostic::{self, Diagnostic, Files, Subject};
use crate::config::resolve::{Examined, Part, RuleUse};
use crate::config::rules::Rule;
use crate::drift::{diff::is_live, plan::SOON};
use crate::policy::{grant::Grant, risk, source::Source, target::Target};

mod places;
mod slow;
mod whole;

use places::Places;
pub use slow::{SlowPass, slow_passes};

/// All findings about grants and policies, by file and position. One that several functions share, for one entry
/// names them all, is told once.
///
/// What is wrong elsewhere does not matter. What only a whole policy shows (`whole.rs`) is left out where
/// something of that policy is wrong or missing, for nothing false is to be said.
pub fn warnings(files: &Files, examined: &Examined, now: Timestamp) -> Vec<Diagnostic> {
    let mut book = Book { now, found: BTreeMap::new() };
    let mut sizes = Vec::new();
    for Part { wanted, complete } in &examined.targets {
        let (target, grants) = (&wanted.target, wanted.grants.as_slice());
        for (grant, risks) in grants.iter().zip(risks(grants, *complete, now)) {
            book.grant(Some(target), grant, risks);
        }
        if *complete {
            let live: Vec<&Grant> = grants.iter().filter(|it| is_live(it, now)).collect();
            for (first, later) in whole::duplicates(target, &live) {
                book.note(Rule::DuplicateGrant, Some(target), later, Some(first));
            }
            sizes.extend(whole::size(wanted, now).map(|it| (it, &wanted.source)));
        }
    }
    for grant in &examined.loose {
        book.grant(None, grant, risk::of_terms(&grant.terms));
    }
    let places = Places::of(files);
    let mut found: Vec<Diagnostic> = book
        .found
        .iter()
        .map(|((source, rule, _), it)| it.tell(&places, source, *rule, now))
        .collect();
    found.extend(sizes.iter().map(|(it, source)| it.tell(&places, source)));
    found.extend(examined.rules.iter().filter_map(|it| idle(&places, it)));
    diagnostic::sort(&mut found);
    found
}

/// The rules for many functions that are known to cover none, by file and position.
pub fn idle_rules(files: &Files, rules: &[RuleUse]) -> Vec<Diagnostic> {
    let places = Places::of(files);
    let mut found: Vec<Diagnostic> = rules.iter().filter_map(|it| idle(&places, it)).collect();
    diagnostic::sort(&mut found);
    found
}

fn idle(places: &Places<'_>, rule: &RuleUse) -> Option<Diagnostic> {
    let RuleUse { source, text, n_targets, not_listed, .. } = rule;
    if *n_targets > 0 || !not_listed.is_empty() {
        return None;
    }
    let message = format!("no function matches the rule {text}");
    let subject = Some(Box::new(Subject { name: text.to_string(), functions: 0 }));
    let found = Diagnostic::of(Rule::RuleMatchesNothing, places.place_of(source), message);
    let help = "look for a misspelt name or tag, and at the accounts and regions of the file; a \
                function that is made later is found";
    Some(Diagnostic { subject, ..found.help(help) })
}

/// For people: what is told of a risk once is not told again with the next statement that has it.
pub fn explain_once(found: &mut [Diagnostic]) {
    let mut told = BTreeSet::new();
    for it in found {
        if matches!(it.rule, Rule::Risk(_)) && !told.insert(it.rule) {
            it.help = None;
        }
    }
}

/// The risks of each grant. P007 is only told of a policy that is known as a whole, and there what has expired
/// completes nothing.
fn risks(grants: &[Grant], complete: bool, now: Timestamp) -> Vec<Vec<risk::Risk>> {
    let live = grants.iter().filter(|it| complete && is_live(it, now));
    let mut together = risk::of_grants(live);
    let of_one = |it: &Grant| {
        if complete && is_live(it, now) {
            together.remove(&it.sid).unwrap_or_default()
        } else {
            risk::of_terms(&it.terms)
        }
    };
    grants.iter().map(of_one).collect()
}

/// What was found, by where it stands: a finding of several functions is one.
struct Book<'a> {
    now: Timestamp,
    found: BTreeMap<(&'a Source, Rule, Option<&'a Source>), Found<'a>>,
}

struct Found<'a> {
    grant: &'a Grant,
    /// The first function that has it; none where it is not clear.
    target: Option<&'a Target>,
    /// How many have it.
    functions: usize,
    /// For the same grant twice: the first one.
    first: Option<&'a Grant>,
}

impl<'a> Book<'a> {
    fn grant(&mut self, target: Option<&'a Target>, grant: &'a Grant, risks: Vec<risk::Risk>) {
        if let Some(at) = grant.expires.filter(|at| at.duration_since(self.now) <= SOON) {
            let rule = if at > self.now { Rule::ExpiresSoon } else { Rule::Expired };
            self.note(rule, target, grant, None);
        }
        for risk in risks.into_iter().filter(|it| !grant.accept.contains(it)) {
            self.note(Rule::Risk(risk), target, grant, None);
        }
    }

    fn note(
        &mut self,
        rule: Rule,
        target: Option<&'a Target>,
        grant: &'a Grant,
        first: Option<&'a Grant>,
    ) {
        let key = (&grant.source, rule, first.map(|it| &it.source));
        let found = self.found.entry(key);
        let found = found.or_insert(Found { grant, target, functions: 0, first });
        found.functions += usize::from(target.is_some());
    }
}

impl Found<'_> {
    fn tell(&self, places: &Places<'_>, source: &Source, rule: Rule, now: Timestamp) -> Diagnostic {
        let Self { grant, target, functions, first } = self;
        let of = match functions {
            0 | 1 => String::new(),
            n => format!(" of {n} functions"),
        };
        let sid = &grant.sid;
        let expires = grant.expires.unwrap_or(now);
        let left = expires.duration_since(now);
        let (message, help) = match rule {
            Rule::Risk(risk) => (
                format!("the grant `{sid}`{of} has the risk {risk}: {}", risk.title()),
                format!("{} See {}", risk.explanation(), risk.reference()),
            ),
            Rule::ExpiresSoon => (
                format!("the grant `{sid}`{of} expires in {}, at {expires}", roughly(left)),
                "from then on it is revoked; write a later `expires` if it is still needed".into(),
            ),
            Rule::Expired => (
                format!(
                    "the grant `{sid}`{of} expired {} ago, at {expires}; it is revoked if it is live",
                    roughly(left)
                ),
                "delete it from the file".into(),
            ),
            Rule::DuplicateGrant
            | Rule::PolicyNearlyFull
            | Rule::PolicyTooLarge
            | Rule::RuleMatchesNothing
            | Rule::SlowPass
            | Rule::Invalid
            | Rule::Syntax
            | Rule::Unreadable => {
                let other = first.map_or("", |it| it.sid.as_str());
                (
                    format!("the grants `{other}` and `{sid}`{of} say the same"),
                    "one of them is enough: delete the other".into(),
                )
            }
        };
        let name = match target {
            Some(target) => format!("{}/{sid}", target.short_name()),
            None => sid.clone(),
        };
        let found = Diagnostic {
            subject: Some(Box::new(Subject { name, functions: *functions })),
            ..Diagnostic::of(rule, places.place_of(source), message)
        };
        let found = found.help(help);
        match first {
            Some(it) => {
                found.also(places.place_of(&it.source), format!("`{}` stands here", it.sid))
            }
            None => found,
        }
    }
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

#[cfg(test)]
mod tests;
