//! What lists make of a policy, for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::policy::size::LIMIT;

/// One policy, as it would be without lists and with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// Which policy.
    pub arn: String,
    /// The document without lists.
    pub before: String,
    /// The document with them.
    pub after: String,
}

/// `ARN`, the sizes, and the document on a line of its own, so that it can be copied.
pub fn text(all: &[Compacted]) -> String {
    let mut res = String::new();
    for Compacted { arn, before, after } in all {
        let (long, short) = (before.len(), after.len());
        let fits = if short > LIMIT { "it does not fit" } else { "it fits" };
        let sizes = match short.cmp(&long) {
            std::cmp::Ordering::Less => format!("{short} bytes instead of {long}"),
            std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => {
                format!("{long} bytes; nothing is alike enough for a list")
            }
        };
        // Writing to a String cannot fail.
        writeln!(res, "{arn}\n  {sizes}, of {LIMIT}: {fits}\n{after}\n").unwrap_or_default();
    }
    res.truncate(res.trim_end().len());
    res.push('\n');
    res
}

/// The same as JSON; documents are values in it.
pub fn json(all: &[Compacted]) -> String {
    let document = |it: &str| serde_json::from_str::<Value>(it).unwrap_or_default();
    let one = |it: &Compacted| {
        let Compacted { arn, before, after } = it;
        json!({
            "arn": arn,
            "bytes": after.len(),
            "bytes_before": before.len(),
            "limit": LIMIT,
            "document": document(after),
        })
    };
    let targets: Vec<Value> = all.iter().map(one).collect();
    let res = json!({"format_version": "1.0", "targets": targets});
    format!("{}\n", serde_json::to_string_pretty(&res).unwrap_or_default())
}
