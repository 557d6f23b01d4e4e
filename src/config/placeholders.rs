//! `${account}` and the like in the values of statements: what they stand for at each target.

use std::borrow::Cow;

use crate::config::walk::nearest;
use crate::policy::target::Target;

/// What may stand between the braces.
pub(super) const NAMES: &[&str] = &["account", "region", "partition", "function", "qualifier"];
/// The keys of a statement in whose values they mean something.
pub(super) const FILLED: &[&str] =
    &["sid", "principal", "source_arn", "source_account", "event_source_token", "description"];
/// The same of those that take a list. In the values of `conditions` they mean something, too.
pub(super) const FILLED_LISTS: &[&str] = &["principals", "source_arns", "source_accounts"];
const OPENING: &str = "${";
/// A literal `${`.
const ESCAPED: &str = "$${";

/// Why a text cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Nobody knows this name.
    Unknown(String),
    /// There is no brace to end it.
    Open,
    /// `${qualifier}` where there is none.
    NoQualifier,
}

/// What the names stand for at one target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'v> {
    pub account: &'v str,
    pub region: &'v str,
    pub partition: &'v str,
    pub function: &'v str,
    pub qualifier: Option<&'v str>,
}

impl<'v> From<&'v Target> for Values<'v> {
    fn from(target: &'v Target) -> Self {
        Self {
            account: target.account(),
            region: target.region(),
            partition: target.partition(),
            function: target.function(),
            qualifier: target.qualifier(),
        }
    }
}

/// Whether a text says something else than it spells.
pub(super) fn is_template(text: &str) -> bool {
    text.contains(OPENING)
}

/// The text that means this one.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if is_template(text) { text.replace(OPENING, ESCAPED).into() } else { text.into() }
}

/// Whether it can be filled at all, at a target with a qualifier.
pub(super) fn check(text: &str) -> Result<(), Wrong> {
    walk(text, |name| if NAMES.contains(&name) { Some("") } else { None }).map(drop)
}

/// What a text says at one target.
pub(super) fn fill<'t>(text: &'t str, values: Values<'_>) -> Result<Cow<'t, str>, Wrong> {
    if !is_template(text) {
        return Ok(text.into());
    }
    let Values { account, region, partition, function, qualifier } = values;
    let value = |name: &str| match name {
        "account" => Some(account),
        "region" => Some(region),
        "partition" => Some(partition),
        "function" => Some(function),
        "qualifier" => qualifier,
        _ => None,
    };
    walk(text, value).map(Cow::Owned)
}

fn walk<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, Wrong> {
    let mut res = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(OPENING) {
        let (before, from) = rest.split_at(at);
        let after = from.strip_prefix(OPENING).unwrap_or_default();
        if let Some(before) = before.strip_suffix('$') {
            res.extend([before, OPENING]);
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').ok_or(Wrong::Open)?;
        let Some(value) = value(name) else {
            let known = NAMES.contains(&name);
            return Err(if known { Wrong::NoQualifier } else { Wrong::Unknown(name.to_owned()) });
        };
        res.extend([before, value]);
        rest = after;
    }
    res.push_str(rest);
    Ok(res)
}

impl Wrong {
    /// What is wrong, and what to do.
    pub(super) fn told(&self) -> (String, String) {
        let literal = "`$${` stands for `${` itself";
        match self {
            Self::Unknown(name) => {
                let message = format!("`${{{}}}` is not a placeholder", name.escape_debug());
                let spelt = |it: &&str| format!("`${{{it}}}`");
                let help = if let Some(it) = nearest(name, NAMES) {
                    format!("did you mean {}? {literal}", spelt(&it))
                } else {
                    let names: Vec<String> = NAMES.iter().map(spelt).collect();
                    format!("there are {}; {literal}", names.join(", "))
                };
                (message, help)
            }
            Self::Open => ("`${` has no `}` after it".to_owned(), format!("end it; or {literal}")),
            Self::NoQualifier => (
                "`${qualifier}` stands for nothing, for this is no alias and no version".to_owned(),
                "leave it out, or write the functions themselves and their aliases in entries of \
                 their own"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
