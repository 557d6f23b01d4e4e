//! Whether a call is allowed by a resource policy, and which element of a statement says no.
//!
//! IAM's policy language as far as the policies of Lambda functions use it. What cannot be told (an operator, a key or
//! a variable that is not evaluated here) is said to be unknown, and never guessed. The rules are those of the IAM User
//! Guide; each stands with its page, by the name of its file under `docs.aws.amazon.com/IAM/latest/UserGuide/`.
//!
//! Only this one policy is looked at: not what the caller's own policies, its boundary or its organization say.

mod condition;
mod pattern;
mod principal;
pub mod request;
mod statement;

use std::fmt;

pub use principal::By;
pub use request::{Caller, Request};
pub use statement::statement;

/// What a policy as a whole says of a call.
///
/// An explicit Deny wins over every Allow, and without an Allow there is none
/// (`reference_policies_evaluation-logic.html`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement denies it, whatever others allow.
    Denied,
    /// No statement allows it.
    NotAllowed,
    /// What cannot be told could change the verdict.
    Unknown,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Allowed, Self::Denied, Self::NotAllowed, Self::Unknown];

    /// For reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::NotAllowed => "not_allowed",
            Self::Unknown => "unknown",
        }
    }
}

/// What a statement does where it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It gives access.
    Allow,
    /// It takes it, whoever gives it.
    Deny,
}

/// A policy and a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Over all statements.
    pub verdict: Verdict,
    /// One for each statement, in their order.
    pub findings: Vec<Finding>,
}

/// One statement and a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its identity, if it has one.
    pub sid: Option<String>,
    /// None where it is neither of the two.
    pub effect: Option<Effect>,
    /// Whether it matches.
    pub answer: Answer,
    /// As whom the caller is named, if it is.
    pub by: Option<By>,
    /// Conditions that hold only because the call does not have their key.
    pub without: Vec<Element>,
}

/// Whether a statement matches a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// In all of its elements.
    Matches,
    /// Each of these says no, whatever the others say.
    Differs(Vec<Difference>),
    /// None says no, and of these it cannot be told.
    Unknown(Vec<Doubt>),
}

/// An element of a statement that says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which one.
    pub element: Element,
    /// What stands in it.
    pub wanted: Vec<String>,
    /// What the call has; none where it has nothing.
    pub given: Option<String>,
}

/// An element of which it cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Which one; none where it is about the statement as a whole.
    pub element: Option<Element>,
    /// Why not.
    pub why: Why,
}

/// A part of a statement that a call has to meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// `Principal`; `not` for `NotPrincipal`.
    Principal {
        /// All but those that stand there.
        not: bool,
    },
    /// `Action`, `NotAction`.
    Action {
        /// All but those that stand there.
        not: bool,
    },
    /// `Resource`, `NotResource`.
    Resource {
        /// All but those that stand there.
        not: bool,
    },
    /// One key under one operator of `Condition`.
    Condition {
        /// As it is written.
        operator: String,
        /// As it is written.
        key: String,
        /// All but what stands there.
        not: bool,
    },
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal { not: false } => f.write_str("Principal"),
            Self::Principal { not: true } => f.write_str("NotPrincipal"),
            Self::Action { not: false } => f.write_str("Action"),
            Self::Action { not: true } => f.write_str("NotAction"),
            Self::Resource { not: false } => f.write_str("Resource"),
            Self::Resource { not: true } => f.write_str("NotResource"),
            Self::Condition { operator, key, .. } => write!(f, "Condition.{operator}.{key}"),
        }
    }
}

/// Why it cannot be told whether a statement matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Not an operator that is evaluated here.
    #[error("permitd does not evaluate the operator {0}")]
    Operator(String),
    /// Not a key whose value is known here.
    #[error("permitd does not know what {0} is in this call")]
    Key(String),
    /// A policy variable without a value here.
    #[error("permitd does not know what {0} stands for in this call")]
    Variable(String),
    /// What should be an ARN is none.
    #[error("{0} has not the six parts of an ARN")]
    NotAnArn(String),
    /// More would have to be known of the caller.
    #[error("{0}")]
    Caller(&'static str),
    /// Not a form of the policy language.
    #[error("{0}")]
    Form(&'static str),
}

/// What these statements, all of them of one policy, say of a call.
///
/// `version` is that of the policy: only in 2012-10-17 does `${…}` stand for something
/// (`reference_policies_variables.html`).
pub fn evaluate<'a>(
    statements: impl IntoIterator<Item = &'a str>,
    version: Option<&str>,
    request: &Request,
) -> Evaluation {
    let findings: Vec<Finding> =
        statements.into_iter().map(|it| statement(it, version, request)).collect();
    Evaluation { verdict: verdict(&findings), findings }
}

fn verdict(findings: &[Finding]) -> Verdict {
    let matches =
        |effect| findings.iter().any(|it| it.effect == effect && it.answer == Answer::Matches);
    let may = |other: Effect| {
        let unknown = |it: &&Finding| matches!(it.answer, Answer::Unknown(_));
        findings.iter().filter(unknown).any(|it| it.effect != Some(other))
    };
    if matches(Some(Effect::Deny)) {
        Verdict::Denied
    } else if may(Effect::Allow) {
        Verdict::Unknown
    } else if matches(Some(Effect::Allow)) {
        Verdict::Allowed
    } else if may(Effect::Deny) {
        Verdict::Unknown
    } else {
        Verdict::NotAllowed
    }
}

#[cfg(test)]
mod tests;
