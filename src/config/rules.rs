//! The rules of `permitd check`: one id for everything that can be found, and what people are told about it.
//!
//! Text, JSON, SARIF and the page `config/RULES.md` are all made from this one table. An id is never used for
//! anything else later, for it stands in pipelines (`--deny`) and in what code scanning remembers.

mod texts;

use std::fmt;

use crate::config::diagnostic::Severity;
use crate::policy::risk::Risk;

/// One kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A risk that its statement does not accept.
    Risk(Risk),
    /// A grant ends within thirty days.
    ExpiresSoon,
    /// A grant has ended.
    Expired,
    /// Two Sids of one policy say the same.
    DuplicateGrant,
    /// A policy takes more than 80 % of what Lambda allows.
    PolicyNearlyFull,
    /// A rule for many functions covers none.
    RuleMatchesNothing,
    /// A policy takes more than Lambda allows.
    PolicyTooLarge,
    /// A full pass takes longer than the interval, at the request budget that there is.
    SlowPass,
    /// What a file says makes no sense, contradicts itself, or would be refused by Lambda.
    Invalid,
    /// A file is not the YAML that is read here.
    Syntax,
    /// A file could not be read.
    Unreadable,
}

impl Rule {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 18] = [
        Self::Risk(Risk::P001),
        Self::Risk(Risk::P002),
        Self::Risk(Risk::P003),
        Self::Risk(Risk::P004),
        Self::Risk(Risk::P005),
        Self::Risk(Risk::P006),
        Self::Risk(Risk::P007),
        Self::Risk(Risk::P008),
        Self::ExpiresSoon,
        Self::Expired,
        Self::DuplicateGrant,
        Self::PolicyNearlyFull,
        Self::RuleMatchesNothing,
        Self::PolicyTooLarge,
        Self::SlowPass,
        Self::Invalid,
        Self::Syntax,
        Self::Unreadable,
    ];

    /// As flags and reports spell it: `P001`, `expires-soon`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Risk(risk) => risk.code(),
            Self::ExpiresSoon => "expires-soon",
            Self::Expired => "expired",
            Self::DuplicateGrant => "duplicate-grant",
            Self::PolicyNearlyFull => "policy-nearly-full",
            Self::RuleMatchesNothing => "rule-matches-nothing",
            Self::PolicyTooLarge => "policy-too-large",
            Self::SlowPass => "slow-pass",
            Self::Invalid => "invalid",
            Self::Syntax => "syntax",
            Self::Unreadable => "unreadable",
        }
    }

    /// From its id, spelt exactly.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.id() == text)
    }

    /// How bad it is where nobody says otherwise.
    pub fn severity(self) -> Severity {
        match self {
            Self::Risk(_)
            | Self::ExpiresSoon
            | Self::Expired
            | Self::DuplicateGrant
            | Self::PolicyNearlyFull
            | Self::SlowPass
            | Self::RuleMatchesNothing => Severity::Warning,
            Self::PolicyTooLarge | Self::Invalid | Self::Syntax | Self::Unreadable => {
                Severity::Error
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

#[cfg(test)]
mod tests;
