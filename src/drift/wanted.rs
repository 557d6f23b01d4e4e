//! What the files want of one target.

use crate::drift::allow::{Ownership, Replace};
use crate::policy::{grant::Grant, source::Source, target::Target};

/// Everything the files say about one target, merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which policy.
    pub target: Target,
    /// Which live statements are ours to change.
    pub ownership: Ownership,
    /// The statements wanted, sorted by Sid; no Sid twice.
    pub grants: Vec<Grant>,
    /// Sids to take back, sorted; none of them is also granted.
    pub absent: Vec<AbsentSid>,
    /// Only watch: report the drift, change nothing.
    pub suspend: bool,
    /// How a changed statement is replaced.
    pub replace: Replace,
    /// The first place that names this target.
    pub source: Source,
}

/// A Sid that is written down as unwanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentSid {
    /// The statement id.
    pub sid: String,
    /// Where it was written.
    pub source: Source,
}
