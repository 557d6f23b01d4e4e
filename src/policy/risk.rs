//! Who could use a permission that perhaps should not.
//!
//! A risk is a reason to look twice, not an error: AWS takes all of these, and each has its good uses.
//! Whoever means it writes `accept: [P004]` beside the statement. One function decides for what is wanted and
//! for what is live: both become a `Content`, and `Content::has` holds the definition of every risk but P007,
//! which only the whole policy shows.

mod content;
mod services;
mod texts;
mod url;

use std::{collections::BTreeMap, fmt};

use crate::policy::{
    document::Document,
    grant::{Grant, Permission},
    risk::{content::Content, url::halves},
    statement::{Class, Statement},
    target::Target,
    terms::Terms,
};

/// A reason to look twice at a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// A service principal without a source: a confused deputy.
    P001,
    /// Anyone, without a condition.
    P002,
    /// An S3 source without its account.
    P003,
    /// A whole account.
    P004,
    /// A wildcard as action.
    P005,
    /// A source ARN that matches the resources of other accounts.
    P006,
    /// A function URL with only one of its two statements.
    P007,
    /// A source ARN of another service than the principal.
    P008,
}

impl Risk {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::P001,
        Self::P002,
        Self::P003,
        Self::P004,
        Self::P005,
        Self::P006,
        Self::P007,
        Self::P008,
    ];

    /// As files and reports spell it: `P001`.
    pub fn code(self) -> &'static str {
        match self {
            Self::P001 => "P001",
            Self::P002 => "P002",
            Self::P003 => "P003",
            Self::P004 => "P004",
            Self::P005 => "P005",
            Self::P006 => "P006",
            Self::P007 => "P007",
            Self::P008 => "P008",
        }
    }

    /// From its code, which is in upper case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == text)
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// The risks of one permission, sorted; all but P007, which needs its neighbours.
pub fn of_terms(terms: &Terms) -> Vec<Risk> {
    risks(&Content::of_terms(terms))
}

/// The same for a live statement of any class, as far as it is understood.
///
/// A list is as risky as its riskiest member. What denies has no risk, and neither has what is left for a
/// deleted principal, for it grants to nobody.
pub fn of_statement(statement: &Statement, target: &Target) -> Vec<Risk> {
    risks(&content(statement, target))
}

/// The risks of all permissions of one target, with P007; by Sid, those without risk left out.
pub fn of_permissions(permissions: &[(&str, &Permission)]) -> BTreeMap<String, Vec<Risk>> {
    by_sid(permissions.iter().map(|(sid, it)| (*sid, Content::of(it))))
}

/// The same of what is wanted of one target.
pub fn of_grants<'a>(grants: impl IntoIterator<Item = &'a Grant>) -> BTreeMap<String, Vec<Risk>> {
    by_sid(grants.into_iter().map(|it| (it.sid.as_str(), Content::of_terms(&it.terms))))
}

fn by_sid<'a>(
    contents: impl Iterator<Item = (&'a str, Content<'a>)>,
) -> BTreeMap<String, Vec<Risk>> {
    let (sids, contents): (Vec<&str>, Vec<Content<'a>>) = contents.unzip();
    let sids = sids.into_iter().map(str::to_owned);
    sids.zip(of_policy(&contents)).filter(|(_, risks)| !risks.is_empty()).collect()
}

/// The risks of a live policy, with P007; by the statement's place in it, those without risk left out.
pub fn of_document(document: &Document, target: &Target) -> Vec<(usize, Vec<Risk>)> {
    let contents: Vec<Content<'_>> =
        document.statements().iter().map(|it| content(it, target)).collect();
    of_policy(&contents).into_iter().enumerate().filter(|(_, risks)| !risks.is_empty()).collect()
}

/// Statements that are odd are read again from their text: few are, and to keep more of each would cost all of them.
fn content<'a>(statement: &'a Statement, target: &Target) -> Content<'a> {
    match statement.class() {
        Class::Expressible(it) => Content::of(it),
        Class::Orphaned(_) => Content::default(),
        Class::Inexpressible(_) | Class::Fixed(_) => {
            Content::read(statement.text(), target.partition()).unwrap_or_default()
        }
    }
}

fn risks(content: &Content<'_>) -> Vec<Risk> {
    Risk::ALL.into_iter().filter(|it| content.has(*it)).collect()
}

fn of_policy(contents: &[Content<'_>]) -> Vec<Vec<Risk>> {
    let mut res: Vec<Vec<Risk>> = contents.iter().map(risks).collect();
    for (risks, half) in res.iter_mut().zip(halves(contents)) {
        if half {
            risks.push(Risk::P007);
            risks.sort_unstable();
        }
    }
    res
}

#[cfg(test)]
mod tests;
