//! What is wrong. A rule covers thousands of functions, so what is wrong with all of them in the same way is told
//! once: with the first of them, and how many others there are.

use std::collections::BTreeMap;

use crate::config::diagnostic::Diagnostic;
use crate::policy::source::Source;
use crate::policy::target::Target;

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Diagnostic>,
    shared: BTreeMap<Key, Shared>,
    n_told: usize,
}

/// Where it stands, what it is about, and the other place.
type Key = (Source, &'static str, Option<Source>);

#[derive(Debug)]
struct Shared {
    first: Diagnostic,
    arn: String,
    others: usize,
}

impl Findings {
    pub(super) fn new(list: Vec<Diagnostic>) -> Self {
        Self { n_told: list.len(), list, shared: BTreeMap::new() }
    }

    pub(super) fn push(&mut self, it: Diagnostic) {
        self.n_told += 1;
        self.list.push(it);
    }

    /// Something about one target, whose ARN is the first in the message. `what` tells apart what is said of one place.
    pub(super) fn of_target(&mut self, target: &Target, what: &'static str, it: Diagnostic) {
        self.n_told += 1;
        let other = it.other.as_ref().map(|it| it.0.source());
        let key = (it.place.source(), what, other);
        if let Some(known) = self.shared.get_mut(&key) {
            known.others += 1;
        } else {
            let arn = target.arn();
            self.shared.insert(key, Shared { first: it, arn, others: 0 });
        }
    }

    /// How often something was told, to see whether it was again.
    pub(super) fn n_told(&self) -> usize {
        self.n_told
    }

    pub(super) fn is_empty(&self) -> bool {
        self.n_told == 0
    }

    pub(super) fn into_list(self) -> Vec<Diagnostic> {
        let Self { mut list, shared, n_told: _ } = self;
        list.extend(shared.into_values().map(Shared::told));
        list
    }
}

impl Shared {
    fn told(self) -> Diagnostic {
        let Self { mut first, arn, others } = self;
        let and = match others {
            0 => return first,
            1 => format!("{arn} and 1 other"),
            n => format!("{arn} and {n} others"),
        };
        first.message = first.message.replacen(&arn, &and, 1);
        first
    }
}
