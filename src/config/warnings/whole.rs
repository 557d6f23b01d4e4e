//! What only a whole policy shows: the same grant twice, and how full the policy will be.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::diagnostic::{Diagnostic, Subject};
use crate::config::rules::Rule;
use crate::config::warnings::places::Places;
use crate::drift::wanted::Wanted;
use crate::policy::{
    canonical::Canonical,
    grant::Grant,
    size::{self, LIMIT},
    source::Source,
    target::Target,
};

/// Over this share of the limit a policy is nearly full, in percent.
const NEARLY_FULL: usize = 80;
/// What Lambda counts was seen to be so much more than the text, in tenths of a percent
/// (`lambda-semantics.md`, 2.5): from there on nobody can promise that it fits.
const UNCERTAIN: usize = 15;

/// Grants that say the same as one before them in the files, each with the first that says so.
pub(super) fn duplicates<'a>(target: &Target, grants: &[&'a Grant]) -> Vec<(&'a Grant, &'a Grant)> {
    // What is equal has the same principal and source; few grants share both, and only they are spelled out.
    let mut alike: BTreeMap<_, Vec<&'a Grant>> = BTreeMap::new();
    for grant in grants {
        let (mut who, mut from) = (grant.terms.principals(), grant.terms.source_arns());
        who.sort_unstable();
        from.sort_unstable();
        let key = (who, from);
        alike.entry(key).or_default().push(grant);
    }
    let mut res = Vec::new();
    for group in alike.values_mut().filter(|it| it.len() > 1) {
        group.sort_by(|a, b| a.source.cmp(&b.source));
        let mut first: BTreeMap<Canonical, &'a Grant> = BTreeMap::new();
        for grant in group {
            let text = grant.terms.statement_text(&grant.sid, target);
            let content = Canonical::of_text(&text, target.partition());
            match first.get(&content) {
                Some(it) => res.push((*it, *grant)),
                None => drop(first.insert(content, grant)),
            }
        }
    }
    res
}

/// A policy that is nearly full, or does not fit.
pub(super) struct Full<'a> {
    target: &'a Target,
    size: usize,
    /// The same with lists.
    compact: usize,
}

/// How full the policy will be, if somebody should know. Never more than Lambda counts: it is at least as full.
pub(super) fn size(wanted: &Wanted, now: Timestamp) -> Option<Full<'_>> {
    let of = |compact| {
        let texts = wanted.texts(compact, now);
        texts.iter().map(|it| size::of_statement(it)).fold(0, size::with)
    };
    let size = of(wanted.compact);
    let full = size * 100 > LIMIT * NEARLY_FULL;
    full.then(|| Full { target: &wanted.target, size, compact: of(true) })
}

impl Full<'_> {
    pub(super) fn tell(&self, places: &Places<'_>, source: &Source) -> Diagnostic {
        let Self { target, size, compact } = self;
        let name = target.short_name();
        let (rule, message, help) = if *size > LIMIT {
            let message = format!(
                "the policy of `{name}` would have at least {size} bytes, and Lambda allows {LIMIT}"
            );
            let help = "grant several sources by one wildcard, delete what nobody needs, or give \
                        callers an alias, which has a policy of its own";
            (Rule::PolicyTooLarge, message, help)
        } else {
            let percent = size * 100 / LIMIT;
            let message = format!(
                "the policy of `{name}` will have at least {size} of {LIMIT} bytes ({percent}%)"
            );
            let help = if size * (1000 + UNCERTAIN) > LIMIT * 1000 {
                "Lambda counts a little more than the text, so it may refuse the last statement; \
                 grant several sources by one wildcard, or delete what nobody needs"
            } else {
                "what is live and in no file takes room besides; grant several sources by one \
                 wildcard, or delete what nobody needs"
            };
            (Rule::PolicyNearlyFull, message, help)
        };
        let help = if compact < size {
            format!(
                "{help}; with `compact: true` and `writer: document` it would have {compact} bytes"
            )
        } else {
            help.to_owned()
        };
        Diagnostic {
            subject: Some(Box::new(Subject { name, functions: 1 })),
            ..Diagnostic::of(rule, places.place_of(source), message).help(help)
        }
    }
}
