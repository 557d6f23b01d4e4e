//! Full passes that do not fit into the interval: the operator hears of it at the start, with the numbers.

use std::{cell::RefCell, time::Duration};

use crate::config::warnings::{SlowPass, slow_passes};
use crate::drift::wanted::Wanted;
use crate::lambda::paced::Budgets;

/// What was said of it.
#[derive(Debug)]
pub(super) struct Slow {
    /// They do not change while the daemon runs.
    budgets: Budgets,
    told: RefCell<Vec<SlowPass>>,
}

impl Slow {
    pub(super) fn new(budgets: Budgets) -> Self {
        Self { budgets, told: RefCell::default() }
    }

    /// Says it once for each place, until its numbers are others.
    pub(super) fn tell(&self, wanted: &[Wanted], interval: Duration) {
        let calls = self.budgets.get_policy.calls_per_second();
        let found = slow_passes(wanted.iter().map(|it| &it.target), calls, interval);
        let before = self.told.replace(found.clone());
        for it in found.iter().filter(|it| !before.contains(it)) {
            let SlowPass { place, targets, calls_per_second, seconds, interval } = it;
            tracing::warn!(
                %place,
                targets,
                calls_per_second,
                seconds,
                interval = interval.as_secs(),
                hint = it.help(),
                "a full pass does not fit into the interval"
            );
        }
    }
}
