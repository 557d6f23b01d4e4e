//! Which functions there are: what was listed in each account and region, for the rules that cover many of them.

use std::collections::BTreeMap;

use crate::policy::target::AccountRegion;

/// What was listed, by account and region. A place that is not in it was not listed, which is not the same as empty:
/// who looks for functions there knows nothing of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The functions of each place, in any order.
    pub places: BTreeMap<AccountRegion, Vec<Function>>,
}

/// One function, and what was listed of it. What is `None` was not listed; an empty list was, and there was nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Function {
    /// The bare name.
    pub name: String,
    /// The names of its aliases.
    pub aliases: Option<Vec<String>>,
    /// Its published versions, without `$LATEST`.
    pub versions: Option<Vec<String>>,
    /// Its tags.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Inventory {
    /// The functions of one place; none if it was not listed.
    pub fn functions(&self, place: &AccountRegion) -> Option<&[Function]> {
        self.places.get(place).map(Vec::as_slice)
    }
}
