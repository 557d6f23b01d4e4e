//! The operators of IAM's conditions: their names, and what their values may be.

use core::net::IpAddr;

/// What an operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Any text.
    Text,
    Number,
    Date,
    /// `true` or `false`.
    Bool,
    Ip,
    Arn,
}

/// Without what may stand before and after them (IAM user guide, condition operators).
const BASES: &[(&str, Kind)] = &[
    ("StringEquals", Kind::Text),
    ("StringNotEquals", Kind::Text),
    ("StringEqualsIgnoreCase", Kind::Text),
    ("StringNotEqualsIgnoreCase", Kind::Text),
    ("StringLike", Kind::Text),
    ("StringNotLike", Kind::Text),
    ("NumericEquals", Kind::Number),
    ("NumericNotEquals", Kind::Number),
    ("NumericLessThan", Kind::Number),
    ("NumericLessThanEquals", Kind::Number),
    ("NumericGreaterThan", Kind::Number),
    ("NumericGreaterThanEquals", Kind::Number),
    ("DateEquals", Kind::Date),
    ("DateNotEquals", Kind::Date),
    ("DateLessThan", Kind::Date),
    ("DateLessThanEquals", Kind::Date),
    ("DateGreaterThan", Kind::Date),
    ("DateGreaterThanEquals", Kind::Date),
    ("Bool", Kind::Bool),
    ("BinaryEquals", Kind::Text),
    ("IpAddress", Kind::Ip),
    ("NotIpAddress", Kind::Ip),
    ("ArnEquals", Kind::Arn),
    ("ArnLike", Kind::Arn),
    ("ArnNotEquals", Kind::Arn),
    ("ArnNotLike", Kind::Arn),
];
/// Whether a key is there at all; the only one without variants.
const NULL: &str = "Null";
const SETS: [&str; 3] = ["", "ForAllValues:", "ForAnyValue:"];
const IF_EXISTS: &str = "IfExists";

/// Every operator, as IAM spells it.
pub fn operators() -> impl Iterator<Item = String> {
    let variants = |base: &'static str| {
        SETS.into_iter().flat_map(move |set| ["", IF_EXISTS].map(|end| format!("{set}{base}{end}")))
    };
    BASES.iter().flat_map(move |(base, _)| variants(base)).chain([NULL.to_owned()])
}

/// Whether IAM has this operator, spelled so.
pub fn is_operator(text: &str) -> bool {
    kind_of(text).is_some()
}

/// Every operator, as a regular expression for schemas.
pub fn operator_pattern() -> String {
    let bases: Vec<&str> = BASES.iter().map(|(it, _)| *it).collect();
    format!("^({NULL}|(ForAllValues:|ForAnyValue:)?({})({IF_EXISTS})?)$", bases.join("|"))
}

/// IAM compares the names of operators without case: how it spells this one.
pub(super) fn spelled(text: &str) -> Option<String> {
    operators().find(|it| it.eq_ignore_ascii_case(text))
}

/// Why no request could ever be compared with this value. Policy variables may become anything.
pub(super) fn problem_of(operator: &str, value: &str) -> Option<String> {
    if value.contains("${") {
        return None;
    }
    let (good, what) = match kind_of(operator)? {
        Kind::Text => return None,
        Kind::Number => (is_number(value), "a number"),
        Kind::Date => (is_date(value), "a date, as in 2026-12-31T00:00:00Z"),
        Kind::Bool => (is_bool(value), "true or false"),
        Kind::Ip => (is_range(value), "an IP address or a range, as in 203.0.113.0/24"),
        Kind::Arn => (is_arn(value), "an ARN, which has six parts, as in arn:aws:s3:::my-bucket"),
    };
    (!good).then(|| format!("`{value}` is not {what}, and {operator} compares nothing else"))
}

fn kind_of(operator: &str) -> Option<Kind> {
    if operator == NULL {
        return Some(Kind::Bool);
    }
    let mut sets = SETS.iter().filter(|it| !it.is_empty());
    let base = sets.find_map(|it| operator.strip_prefix(it)).unwrap_or(operator);
    let base = base.strip_suffix(IF_EXISTS).unwrap_or(base);
    BASES.iter().find(|(it, _)| *it == base).map(|(_, kind)| *kind)
}

fn is_number(text: &str) -> bool {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, "0"));
    [whole, fraction].iter().all(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
}

/// One of the forms of ISO 8601, or seconds since 1970: which of them is left to IAM.
fn is_date(text: &str) -> bool {
    let letters = text.bytes().all(|it| it.is_ascii_digit() || b"TZtz:+-.".contains(&it));
    letters && text.len() >= 4 && text.bytes().take(4).all(|it| it.is_ascii_digit())
}

fn is_bool(text: &str) -> bool {
    ["true", "false"].iter().any(|it| text.eq_ignore_ascii_case(it))
}

fn is_range(text: &str) -> bool {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|it| it.parse::<u8>().is_ok_and(|it| it <= most))
}

/// Six parts, or a pattern that may be one.
fn is_arn(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or_default();
    text.contains(['*', '?']) || (scheme == "arn" && text.splitn(6, ':').count() == 6)
}

#[cfg(test)]
mod tests;
