//! The events that were told already: a queue gives each at least once.

use std::collections::{BTreeSet, VecDeque};

/// A message comes again within its visibility timeout, in which no queue of ours has so many.
const MOST: usize = 4096;

/// The last ones, by id.
#[derive(Debug, Default)]
pub(super) struct Seen {
    order: VecDeque<String>,
    ids: BTreeSet<String>,
}

impl Seen {
    /// It was told.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// It is told now.
    pub(super) fn note(&mut self, id: String) {
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.ids.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_and_none_stands_twice() {
        let mut seen = Seen::default();
        for n in 0..MOST + 10 {
            seen.note(n.to_string());
            seen.note(n.to_string());
        }
        assert!(!seen.has("9") && seen.has("10"));
        assert_eq!((seen.order.len(), seen.ids.len()), (MOST, MOST));
    }
}
