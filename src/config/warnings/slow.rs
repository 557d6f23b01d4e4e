//! What no daemon can do in time: a full pass that takes longer than the interval.

use std::{collections::BTreeMap, time::Duration};

use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::rules::Rule;
use crate::policy::target::{AccountRegion, Target};

/// What Lambda allows in an account and region, for all tools together (quotas page).
const ALLOWED: f64 = 15.0;
const MINUTE: u64 = 60;

/// A full pass that does not fit into the interval.
#[derive(Debug, Clone, PartialEq)]
pub struct SlowPass {
    /// The account and region.
    pub place: AccountRegion,
    /// How many targets there are.
    pub targets: usize,
    /// How many of them may be read in a second.
    pub calls_per_second: f64,
    /// How long that takes.
    pub seconds: u64,
    /// From the start of one pass to the start of the next.
    pub interval: Duration,
}

/// The full passes that do not fit into the interval, one read for each target. Without a limit all of them do.
pub fn slow_passes<'a>(
    targets: impl Iterator<Item = &'a Target>,
    calls_per_second: Option<f64>,
    interval: Duration,
) -> Vec<SlowPass> {
    let Some(calls_per_second) = calls_per_second else { return Vec::new() };
    let mut places: BTreeMap<AccountRegion, usize> = BTreeMap::new();
    for it in targets {
        *places.entry(it.account_region()).or_default() += 1;
    }
    let slow = |(place, targets)| {
        let seconds = whole(number(targets) / calls_per_second);
        let it = SlowPass { place, targets, calls_per_second, seconds, interval };
        (Duration::from_secs(seconds) > interval).then_some(it)
    };
    places.into_iter().filter_map(slow).collect()
}

impl SlowPass {
    /// The finding, at this place of the files.
    pub fn tell(&self, place: Place) -> Diagnostic {
        Diagnostic::of(Rule::SlowPass, place, self.message()).help(self.help())
    }

    fn message(&self) -> String {
        let Self { place, targets, calls_per_second, seconds, interval } = self;
        let interval = humantime::format_duration(*interval);
        format!(
            "a full pass over {place} takes at least {seconds} s, and the next one is due after {interval}: \
             {targets} targets at {calls_per_second}/s"
        )
    }

    /// What can be changed, with numbers that fit.
    pub fn help(&self) -> String {
        let minutes = self.seconds.div_ceil(MINUTE);
        let longer = format!("write `interval: {minutes}m` or more");
        let needed = whole(number(self.targets) / self.interval.as_secs_f64());
        if number(usize::try_from(needed).unwrap_or(usize::MAX)) <= ALLOWED {
            format!(
                "{longer}, or `budgets: {{get_policy: {needed}/s}}` if no other tool needs the rest of the \
                 {ALLOWED}/s that Lambda allows"
            )
        } else {
            format!("{longer}; a larger budget is not enough, for Lambda allows {ALLOWED}/s")
        }
    }
}

/// Numbers of targets are far below where a float is not exact.
#[expect(clippy::cast_precision_loss, reason = "a number of targets")]
fn number(n: usize) -> f64 {
    n as f64
}

/// Rounded up. It is positive, and what is too large becomes the largest number that there is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number")]
fn whole(it: f64) -> u64 {
    it.ceil() as u64
}
