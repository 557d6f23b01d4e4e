//! Who could use a permission that perhaps should not.

/// A reason to look twice at a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// A service principal without a source: a confused deputy.
    P001,
    /// Anyone, without a condition.
    P002,
    /// An S3 source without its account.
    P003,
    /// A whole account.
    P004,
    /// A wildcard as action.
    P005,
    /// A source ARN that matches the resources of other accounts.
    P006,
    /// A function URL with only one of its two statements.
    P007,
    /// A source ARN of another service than the principal.
    P008,
}
