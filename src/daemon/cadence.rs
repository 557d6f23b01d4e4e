//! When the next pass is due: the interval with jitter, so that many daemons do not call together.

use std::time::Duration;

/// From the start of one pass to the start of the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cadence {
    /// The middle.
    pub interval: Duration,
    /// The same while events come.
    pub with_events: Duration,
    /// The share of the interval by which a pass may come earlier or later: 0 to 1.
    pub jitter: f64,
}

impl Cadence {
    /// One interval; `random` is between 0 and 1.
    pub fn next(self, random: f64) -> Duration {
        self.interval.mul_f64(self.share(random))
    }

    /// By how much a pass may come later while events come.
    pub fn spare(self, random: f64) -> Duration {
        self.with_events.saturating_sub(self.interval).mul_f64(self.share(random))
    }

    fn share(self, random: f64) -> f64 {
        1.0 + self.jitter.clamp(0.0, 1.0) * (random.clamp(0.0, 1.0) * 2.0 - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_goes_both_ways_and_never_below_zero() {
        let interval = Duration::from_secs(100);
        let cadence = |jitter| Cadence { interval, with_events: interval * 3, jitter };
        assert_eq!(cadence(0.1).next(0.0), Duration::from_secs(90));
        assert_eq!(cadence(0.1).next(0.5), Duration::from_secs(100));
        assert_eq!(cadence(0.1).next(1.0), Duration::from_secs(110));
        assert_eq!(cadence(0.0).next(0.0), Duration::from_secs(100));
        assert_eq!(cadence(7.0).next(-3.0), Duration::ZERO);
        assert_eq!(cadence(0.1).spare(0.0), Duration::from_mins(3));
    }
}
