//! The report as one file for a browser.

use jiff::Timestamp;

use crate::drift::outcome::Outcome;
use crate::report::Subject;

/// The report on one or the other.
pub fn report(_outcomes: &[Outcome], _subject: Subject, _made: Timestamp) -> String {
    String::new()
}
