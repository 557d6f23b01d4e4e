//! Who hears of every call to Lambda: what it waited for, how long it took, and what came of it.

use std::{fmt::Debug, time::Duration};

use crate::lambda::gateway::GatewayError;

/// The budgets of an account and region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// GetPolicy.
    GetPolicy,
    /// GetFunction.
    GetFunction,
    /// The rest of the control plane.
    Control,
}

impl Bucket {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::GetPolicy, Self::GetFunction, Self::Control];

    /// The name in metrics and on the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::GetPolicy => "get_policy",
            Self::GetFunction => "get_function",
            Self::Control => "control",
        }
    }
}

/// One call that was answered, or was not.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The operation of Lambda.
    pub operation: &'static str,
    /// The budget that it was taken from.
    pub bucket: Bucket,
    /// How long it took, without the wait for the budget.
    pub time: Duration,
    /// Why it failed; none if it did not.
    pub error: Option<&'a GatewayError>,
}

/// Hears of every call. It must not block.
pub trait Witness: Debug + Send + Sync {
    /// A call waited so long for its turn.
    fn waited(&self, bucket: Bucket, time: Duration);
    /// A call is over.
    fn answered(&self, call: &Call<'_>);
}

/// Every operation that permitd calls, with its budget.
pub const OPERATIONS: [&str; 8] = [
    "GetPolicy",
    "GetFunction",
    "ListFunctions",
    "ListAliases",
    "ListVersionsByFunction",
    "AddPermission",
    "RemovePermission",
    "PutResourcePolicy",
];

/// The code of an answer, for metrics and logs.
pub fn code(error: Option<&GatewayError>) -> String {
    match error.map(|it| (&it.code, it.status)) {
        None => "OK".to_owned(),
        Some((Some(code), _)) => code.clone(),
        Some((None, Some(status))) => status.to_string(),
        Some((None, None)) => "NoAnswer".to_owned(),
    }
}
