//! What keeps permitd from doing too much: `deny_risks` and `limits`.

use super::{scalar, set, values};
use crate::config::walk::{Item, Text, Walker};
use crate::config::yaml::Value;
use crate::drift::limits::Limits;
use crate::policy::risk::Risk;

const EXAMPLE: &str =
    "write `limits: {max_revocations: 10, max_changed_targets: 30%}`, or `limits: unlimited`";

/// Of `limits`.
pub(in crate::config) const KEYS: &[&str] = &["max_revocations", "max_changed_targets"];

/// An empty list is one, too: no risk holds a grant.
pub(super) fn risks<'a>(walker: &mut Walker<'a>, list: Item<'_, 'a>) -> Option<Vec<Risk>> {
    let mut risks = Vec::new();
    for item in walker.list(list, "deny_risks: [P002]")? {
        let Some(Text { text, spot }) = walker.text(item) else { continue };
        match Risk::parse(&text) {
            Some(it) => risks.push(it),
            None => {
                walker.advise(spot, format!("`{text}` is not a risk"), "risks are P001 to P008");
            }
        }
    }
    risks.sort_unstable();
    risks.dedup();
    Some(risks)
}

/// A limit that is not named keeps its default.
pub(super) fn limits<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>, limits: &mut Limits) {
    if let Value::Plain(text) | Value::Quoted(text) = &root.node.value {
        if text == "unlimited" {
            *limits = Limits::UNLIMITED;
        } else {
            let message = format!("`{text}` is not a value of `limits`");
            walker.advise(root.spot(), message, EXAMPLE);
        }
        return;
    }
    for item in walker.map(root, "`limits`").into_iter().flatten() {
        match item.key {
            "max_revocations" => {
                let cap = scalar(walker, item, values::parse_max_revocations);
                set(&mut limits.max_revocations, cap.map(super::Cap::bound));
            }
            "max_changed_targets" => {
                let cap = scalar(walker, item, values::parse_max_changed_targets);
                set(&mut limits.max_changed_targets, cap.map(super::Cap::bound));
            }
            _ => {
                walker.unknown(item, "`limits`", KEYS);
            }
        }
    }
}
