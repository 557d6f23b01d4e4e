//! The narrowing steps of a pass, judged together.

/// How much access may be taken away before somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Narrowing steps in an hour, a replacement counted once; none for no limit.
    pub max_revocations: Option<u32>,
    /// The share of all managed targets that may lose something in an hour: 0 to 1; none for no limit.
    pub max_changed_targets: Option<f64>,
}

impl Default for Limits {
    /// Ten, and 30 %.
    fn default() -> Self {
        Self { max_revocations: Some(10), max_changed_targets: Some(0.3) }
    }
}

impl Limits {
    /// No limits at all.
    pub const UNLIMITED: Self = Self { max_revocations: None, max_changed_targets: None };
}
