//! The least IAM policy: what permitd can call for these files in this mode, and nothing else.
//!
//! | call | for which targets |
//! |---|---|
//! | `GetPolicy` | all: every look begins with it |
//! | `GetFunction` | all: where there is no policy, it tells whether there is a function |
//! | `AddPermission` | with a grant that has not expired |
//! | `RemovePermission` | with a grant or an `absent`, or that own more than what they declare |
//! | `ReceiveMessage`, `DeleteMessage`, `GetQueueAttributes` of SQS | the queue of `events`, where there is one |
//! | `PutResourcePolicy`, `DeleteResourcePolicy`, `GetResourcePolicy`, and both writes | all targets whose `writer` is `document` or `auto` |
//! | `ListFunctions` | `*`, where there is a rule for many functions: IAM knows no resource for it |
//! | `GetPolicy`, `ListAliases`, `ListVersionsByFunction` | all functions of the places of `discover: true`, and `ListFunctions` |
//! | `ListTags`, `ListAliases`, `ListVersionsByFunction` | the functions of rules that ask for tags, aliases, versions |
//!
//! What a rule covers is not known here and changes, so its resources are its own globs. IAM's `*` goes over colons,
//! too, so `function:orders-*` also allows the aliases of these functions.
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

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::resolve::{Asks, RuleUse};
use crate::drift::{
    allow::{Mode, Ownership, Writer},
    diff::is_live,
    wanted::Wanted,
};
use crate::policy::target::{AccountRegion, partition_of};

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
    action: Vec<&'static str>,
    /// Sorted, each once.
    resource: Vec<String>,
}

const READ: &[&str] = &["lambda:GetFunction", "lambda:GetPolicy"];
const WRITE: &[&str] = &["lambda:AddPermission", "lambda:RemovePermission"];
/// Lambda asks for the rights of the statement calls as well (`lambda-semantics.md`, 4.2).
const DOCUMENTS: &[&str] = &[
    "lambda:AddPermission",
    "lambda:DeleteResourcePolicy",
    "lambda:GetResourcePolicy",
    "lambda:PutResourcePolicy",
    "lambda:RemovePermission",
];
const REMOVE: &[&str] = &["lambda:RemovePermission"];
/// What the rules look into.
const LIST: &[&str] = &["lambda:ListFunctions"];
const TAGS: &[&str] = &["lambda:ListTags"];
const ALIASES: &[&str] = &["lambda:ListAliases"];
const VERSIONS: &[&str] = &["lambda:ListVersionsByFunction"];
const EVENTS: &[&str] = &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
/// What holds a policy, and what it says.
const DISCOVER: &[&str] =
    &["lambda:GetPolicy", "lambda:ListAliases", "lambda:ListVersionsByFunction"];
const UNDO: &[&str] =
    &["lambda:AddPermission", "lambda:PutResourcePolicy", "lambda:RemovePermission"];

/// What permitd needs for these targets and rules. With `undo` also what `permitd undo` may call: it puts back what
/// only a whole document can hold, and also where nothing is granted any more.
pub fn policy(
    wanted: &[Wanted],
    rules: &[RuleUse],
    mode: Mode,
    undo: bool,
    now: Timestamp,
) -> Policy {
    let statement = |sid, action: &[&'static str], mut resource: Vec<String>| {
        resource.sort_unstable();
        resource.dedup();
        let action = action.to_vec();
        (!resource.is_empty()).then_some(Statement { sid, effect: "Allow", action, resource })
    };
    let fitting = |fits: &dyn Fn(&Wanted) -> bool, suits: &dyn Fn(&RuleUse) -> bool| {
        let named = wanted.iter().filter(|it| fits(it)).map(|it| it.target.arn());
        let by_rules = rules.iter().filter(|it| suits(it)).flat_map(|it| it.arns.iter().cloned());
        named.chain(by_rules).collect::<Vec<String>>()
    };
    let whole = |it: &Wanted| it.writer != Writer::Statements;
    let adds =
        |it: &Wanted| writes(it, mode) && !whole(it) && it.grants.iter().any(|it| is_live(it, now));
    let removes = |it: &Wanted| writes(it, mode) && !whole(it) && has_something_to_remove(it);
    let puts = |it: &Wanted| writes(it, mode) && whole(it) && has_something_to_remove(it);
    let rule_adds = |it: &RuleUse| rule_writes(it, mode) && it.writes.adds && !it.writes.documents;
    let rule_removes =
        |it: &RuleUse| rule_writes(it, mode) && it.writes.removes && !it.writes.documents;
    let rule_puts =
        |it: &RuleUse| rule_writes(it, mode) && it.writes.removes && it.writes.documents;
    let statements = [
        statement("PermitdRead", READ, fitting(&|_| true, &|_| true)),
        statement(
            "PermitdWrite",
            WRITE,
            fitting(&|it| !undo && adds(it), &|it| !undo && rule_adds(it)),
        ),
        statement(
            "PermitdRemove",
            REMOVE,
            fitting(&|it| !undo && removes(it) && !adds(it), &|it| {
                !undo && rule_removes(it) && !rule_adds(it)
            }),
        ),
        statement("PermitdWriteDocuments", DOCUMENTS, fitting(&puts, &rule_puts)),
        statement("PermitdUndo", UNDO, fitting(&|_| undo, &|_| undo)),
        statement("PermitdList", LIST, rules.first().map(|_| "*".to_owned()).into_iter().collect()),
        statement("PermitdListTags", TAGS, functions(rules, |it| it.tags)),
        statement("PermitdListAliases", ALIASES, functions(rules, |it| it.aliases)),
        statement("PermitdListVersions", VERSIONS, functions(rules, |it| it.versions)),
    ];
    Policy { version: VERSION, statement: statements.into_iter().flatten().collect() }
}

/// The functions of the rules that ask for something, without their qualifiers.
fn functions(rules: &[RuleUse], ask: fn(Asks) -> bool) -> Vec<String> {
    let of = rules.iter().filter(|it| ask(it.asks)).flat_map(|it| &it.arns);
    // `arn:aws:lambda:us-east-1:123456789012:function:NAME`, and perhaps a qualifier.
    of.map(|it| it.splitn(8, ':').take(7).collect::<Vec<_>>().join(":")).collect()
}

fn rule_writes(rule: &RuleUse, mode: Mode) -> bool {
    match mode {
        Mode::Observe => false,
        Mode::Additive | Mode::Enforce => !rule.writes.suspended,
    }
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
        self.statement.push(Statement {
            sid,
            effect,
            action: EVENTS.to_vec(),
            resource: vec![arn],
        });
        self
    }

    /// The same, and what it takes to find the policies in these places that no file names.
    #[must_use]
    pub fn with_discovery(mut self, places: &BTreeSet<AccountRegion>) -> Self {
        let function = |it: &AccountRegion| {
            let AccountRegion { account, region } = it;
            format!("arn:{}:lambda:{region}:{account}:function:*", partition_of(region))
        };
        let resource: Vec<String> = places.iter().map(function).collect();
        let effect = "Allow";
        if !resource.is_empty() {
            if self.statement.iter().all(|it| it.action != LIST) {
                let (sid, resource) = ("PermitdList", vec!["*".to_owned()]);
                self.statement.push(Statement { sid, effect, action: LIST.to_vec(), resource });
            }
            let (sid, action) = ("PermitdDiscover", DISCOVER.to_vec());
            self.statement.push(Statement { sid, effect, action, resource });
        }
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
