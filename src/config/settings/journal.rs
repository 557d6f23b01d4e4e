//! `journal`: a path, or a map with how long and how much.

use super::{Journal, path, scalar, set, values};
use crate::config::walk::{Item, Walker};
use crate::config::yaml::Value;

/// Of `journal`, where it is a map.
pub(in crate::config) const KEYS: &[&str] = &["path", "retention", "max_size"];

pub(super) fn read<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>, journal: &mut Journal) {
    if !matches!(root.node.value, Value::Map(_)) {
        journal.path = path(walker, root);
        return;
    }
    for item in walker.map(root, "`journal`").into_iter().flatten() {
        match item.key {
            "path" => journal.path = path(walker, item),
            "retention" => {
                set(&mut journal.retention, scalar(walker, item, values::parse_retention));
            }
            "max_size" => set(&mut journal.max_size, scalar(walker, item, values::parse_max_size)),
            _ => {
                walker.unknown(item, "`journal`", KEYS);
            }
        }
    }
}
