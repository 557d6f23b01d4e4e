//! A policy that no file names: told, never changed.

use jiff::Timestamp;

use crate::policy::{
    document::Document,
    risk::{self, Risk},
    target::Target,
};

/// A live policy of a target that is in no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undeclared {
    /// Which policy.
    pub target: Target,
    /// How many statements it has.
    pub n_statements: usize,
    /// What is risky about them: the Sid, where a statement has one, and the risks.
    pub risks: Vec<(Option<String>, Vec<Risk>)>,
    /// When it was read.
    pub read_at: Timestamp,
}

impl Undeclared {
    /// What this policy is.
    pub fn of(target: &Target, live: &Document, read_at: Timestamp) -> Self {
        let statements = live.statements();
        let sid = |at: usize| statements.get(at).and_then(|it| it.sid()).map(str::to_owned);
        let risks = risk::of_document(live, target);
        let risks = risks.into_iter().map(|(at, risks)| (sid(at), risks)).collect();
        Self { target: target.clone(), n_statements: statements.len(), risks, read_at }
    }
}
