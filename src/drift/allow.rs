//! Which steps are allowed and which become holds: mode, ownership, ignore rules, suspension.

use wildmatch::WildMatch;

/// What permitd may do. There is no default: a daemon will not start without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Look and tell; nothing is written.
    Observe,
    /// Only steps that widen access or leave it alone.
    Additive,
    /// Everything the files ask for.
    Enforce,
}

/// Which live statements belong to the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// All: the policy is exactly what is written.
    All,
    /// Those whose Sid starts with this, and those that are written.
    Prefix(String),
    /// Only the Sids that are written, as wanted or as absent.
    Declared,
}

impl Ownership {
    /// Whether an undeclared live Sid is ours.
    pub fn owns(&self, sid: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => sid.starts_with(prefix.as_str()),
            Self::Declared => false,
        }
    }
}

/// Exempts live statements that are in no file. Every pattern given has to match (`*` and `?`).
#[derive(Debug, Clone, PartialEq)]
pub struct IgnoreRule {
    /// Over the Sid.
    pub sid: Option<WildMatch>,
    /// Over the principal as AddPermission takes it, and over the ARN that Lambda makes of it.
    pub principal: Option<WildMatch>,
    /// Over the value of `AWS:SourceArn`.
    pub source_arn: Option<WildMatch>,
}
