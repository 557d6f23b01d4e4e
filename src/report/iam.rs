//! The least IAM policy: what permitd can call for these files in this mode, and nothing else.
//!
//! | call | for which targets |
//! |---|---|
//! | `GetPolicy` | all: every look begins with it |
//! | `GetFunction` | all: where there is no policy, it tells whether there is a function |
//! | `AddPermission` | with a grant that has not expired |
//! | `RemovePermission` | with a grant or an `absent`, or that own more than what they declare |
//! | `ReceiveMessage`, `DeleteMessage`, `GetQueueAttributes` of SQS | the queue of `events`, where there is one |
//!
//! Mode `observe` and `suspend: true` leave the reads. Mode `additive` writes the same calls as `enforce`: it, too,
//! takes away what lets in nobody, or nobody who is not let in elsewhere (`drift/plan.rs`, the neutral effects):
//! a statement whose principal was deleted, a duplicate, a renamed one, a bridge that was left behind.
//!
//! The resource is the ARN with the qualifier, for every call is made with the qualifier: since January 2022 Lambda
//! "requires IAM or VPC endpoint policies to specify the fully qualified ARN in the Resource element when
//! authorizing API calls that use an unqualified ARN with a qualifier parameter" (AWS's notice to its customers,
//! quoted in juanjoDiaz/serverless-plugin-warmup#304 and #308, and what aws/aws-cdk#19318 answers to). The developer
//! guide, "Fine-tuning the Resources and Conditions sections of policies": function actions "can be restricted to a
//! specific function by function, version, or alias ARN".

use jiff::Timestamp;
use serde::Serialize;

use crate::drift::{
    allow::{Mode, Ownership},
    diff::is_live,
    wanted::Wanted,
};

/// So many characters IAM allows in a managed policy, white space not counted ("IAM and AWS STS quotas").
pub const MANAGED_LIMIT: usize = 6_144;
/// So many it allows in all inline policies of a role together.
pub const ROLE_LIMIT: usize = 10_240;

const VERSION: &str = "2012-10-17";

/// A policy, as a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    /// Sorted.
    action: &'static [&'static str],
    /// Sorted, each once.
    resource: Vec<String>,
}

const READ: &[&str] = &["lambda:GetFunction", "lambda:GetPolicy"];
const WRITE: &[&str] = &["lambda:AddPermission", "lambda:RemovePermission"];
const REMOVE: &[&str] = &["lambda:RemovePermission"];
const EVENTS: &[&str] = &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
const UNDO: &[&str] =
    &["lambda:AddPermission", "lambda:PutResourcePolicy", "lambda:RemovePermission"];

/// What permitd needs for these targets. With `undo` also what `permitd undo` may call: it puts back what only a
/// whole document can hold, and also where nothing is granted any more.
pub fn policy(wanted: &[Wanted], mode: Mode, undo: bool, now: Timestamp) -> Policy {
    let statement = |sid, action, fits: &dyn Fn(&Wanted) -> bool| {
        let mut resource: Vec<String> =
            wanted.iter().filter(|it| fits(it)).map(|it| it.target.arn()).collect();
        resource.sort_unstable();
        resource.dedup();
        (!resource.is_empty()).then_some(Statement { sid, effect: "Allow", action, resource })
    };
    let adds = |it: &Wanted| writes(it, mode) && it.grants.iter().any(|it| is_live(it, now));
    let removes = |it: &Wanted| writes(it, mode) && has_something_to_remove(it);
    let statements = [
        statement("PermitdRead", READ, &|_| true),
        statement("PermitdWrite", WRITE, &|it| !undo && adds(it)),
        statement("PermitdRemove", REMOVE, &|it| !undo && removes(it) && !adds(it)),
        statement("PermitdUndo", UNDO, &|_| undo),
    ];
    Policy { version: VERSION, statement: statements.into_iter().flatten().collect() }
}

/// A grant that is wanted can be found changed, orphaned or bridged, so whatever is added is removed, too.
fn has_something_to_remove(wanted: &Wanted) -> bool {
    let Wanted { ownership, grants, absent, .. } = wanted;
    let owns_more = match ownership {
        Ownership::All | Ownership::Prefix(_) => true,
        Ownership::Declared => false,
    };
    owns_more || !grants.is_empty() || !absent.is_empty()
}

fn writes(wanted: &Wanted, mode: Mode) -> bool {
    match mode {
        Mode::Observe => false,
        Mode::Additive | Mode::Enforce => !wanted.suspend,
    }
}

impl Policy {
    /// The same, and what it takes to read the queue of events with this ARN.
    #[must_use]
    pub fn with_queue(mut self, arn: String) -> Self {
        let (sid, effect) = ("PermitdEvents", "Allow");
        self.statement.push(Statement { sid, effect, action: EVENTS, resource: vec![arn] });
        self
    }

    /// As people read it and IAM takes it.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// How many characters IAM counts.
    pub fn length(&self) -> usize {
        // There is no white space in names, ARNs and actions.
        serde_json::to_string(self).unwrap_or_default().len()
    }
}

#[cfg(test)]
mod tests;
