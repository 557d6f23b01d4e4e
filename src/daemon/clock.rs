//! The one place that asks what time it is.

use jiff::Timestamp;

/// A clock; the real one is [`system`].
pub type Clock = fn() -> Timestamp;

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "everybody else takes `now` as a parameter")]
pub fn system() -> Timestamp {
    Timestamp::now()
}
