//! What stands in the report for programs. The JSON Schema is made from these, so each says what it means.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::drift::outcome::Outcome;
use crate::report::{
    Subject,
    json::{schema, target},
    undeclared::UndeclaredReport,
};

/// What `permitd plan`, `permitd apply` and `permitd run --once` found, did and left to do.
///
/// A member that is not described here is to be ignored: members are added with a new minor version of the format.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Report of permitd")]
pub(super) struct Report<'a> {
    /// The version of this format: a breaking change raises the first number.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    pub(super) format_version: &'static str,
    /// The version of permitd that wrote it.
    pub(super) permitd_version: &'static str,
    /// What it adds up to.
    pub(super) summary: Summary,
    /// Names what is held until somebody says yes, and where nothing is, all that would be done. SHA-256 in hex;
    /// the same changes have the same digest on every day.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub(super) digest: String,
    /// What is held by a limit or a risk, and how to say yes to it; null where nothing is.
    pub(super) approve: Option<Approve>,
    /// Policies that no file names, where `discover: true` looks for them; in the same order.
    pub(super) undeclared: Vec<UndeclaredReport>,
    /// Every target, in the order of account, region, function and qualifier.
    #[schemars(with = "Vec<TargetReport<'a>>")]
    pub(super) targets: Targets<'a>,
}

/// How many targets are in which state, and how many statements differ.
#[derive(Serialize, JsonSchema)]
pub(super) struct Summary {
    /// Targets looked at: one policy each.
    pub(super) targets: usize,
    /// Targets whose policy is as written.
    pub(super) in_sync: usize,
    /// Targets where something differs and would be put right.
    pub(super) drifted: usize,
    /// Targets where something differs and all of it is held.
    pub(super) held: usize,
    /// Targets where somebody else undoes again and again what is put right.
    pub(super) contended: usize,
    /// Targets where something differs and the file says to watch only.
    pub(super) suspended: usize,
    /// Targets where something differs and somebody paused it.
    pub(super) paused: usize,
    /// Targets where a write was refused or did not come through.
    pub(super) failed: usize,
    /// Targets that could not be read: nobody knows how they stand.
    pub(super) unknown: usize,
    /// Statements that differ.
    pub(super) changes: Changes,
    /// Live statements that are in no file and not owned: left alone.
    pub(super) foreign_statements: usize,
    /// Live statements that an ignore rule exempts: left alone.
    pub(super) ignored_statements: usize,
    /// Calls that changed something: 0 in a plan.
    pub(super) writes: usize,
}

/// What is held by a limit or a risk, and how to say yes to it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Approve {
    /// How many statements.
    pub(super) statements: usize,
    /// The command line that does it.
    pub(super) command: String,
}

/// Statements that differ, by what is to be done about them.
#[derive(Serialize, JsonSchema)]
pub(super) struct Changes {
    /// To be added.
    pub(super) add: usize,
    /// To be replaced or renamed.
    pub(super) change: usize,
    /// To be taken away.
    pub(super) remove: usize,
    /// Held, for whatever reason.
    pub(super) held: usize,
    /// Of the held ones, those that are done once somebody says yes.
    pub(super) asked: usize,
}

/// The targets, written one by one: thousands of them never stand in memory twice.
#[derive(Clone, Copy)]
pub(super) struct Targets<'a> {
    pub(super) outcomes: &'a [Outcome],
    pub(super) subject: Subject,
}

impl Serialize for Targets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { outcomes, subject } = *self;
        serializer.collect_seq(outcomes.iter().map(|it| target(it, subject.plan_of(it))))
    }
}

/// One resource policy: that of a function, or of one of its aliases or versions.
#[derive(Serialize, JsonSchema)]
pub(super) struct TargetReport<'a> {
    /// The full ARN, with the qualifier.
    pub(super) arn: String,
    /// The twelve digits of the account.
    #[schemars(regex(pattern = "^[0-9]{12}$"))]
    pub(super) account: &'a str,
    /// For example `us-east-1`.
    pub(super) region: &'a str,
    /// The name of the function.
    pub(super) function: &'a str,
    /// The alias or the version; null for the function itself.
    pub(super) qualifier: Option<&'a str>,
    /// How it stands. Unknown is never in sync.
    #[schemars(schema_with = "schema::state")]
    pub(super) state: &'static str,
    /// Why, where the state alone does not say it: the reason of the first of `errors`, else of the first of `held`.
    #[schemars(schema_with = "schema::any_reason")]
    pub(super) reason: Option<&'static str>,
    /// The RevisionId of the policy that this was found in; null where there is no policy, or it was not read.
    pub(super) revision_id: Option<&'a str>,
    /// Everything that differs. After `apply`, everything that still does.
    pub(super) drift: Vec<DriftReport<'a>>,
    /// The strongest effect that putting all of it right has on access; null where nothing differs.
    #[schemars(schema_with = "schema::effect_or_null")]
    pub(super) effect: Option<&'static str>,
    /// The differences that nothing is done about, and why.
    pub(super) held: Vec<Held<'a>>,
    /// Live statements that are in no file and not owned: left alone.
    pub(super) foreign: Vec<Foreign<'a>>,
    /// Live statements that an ignore rule exempts: left alone.
    pub(super) ignored: Vec<Foreign<'a>>,
    /// Risks of live statements, without what their grant accepts.
    pub(super) risks: Vec<RiskReport<'a>>,
    /// Grants that end within thirty days.
    pub(super) expiring: Vec<Expiring<'a>>,
    /// Why it could not be read or put right.
    pub(super) errors: Vec<ErrorReport<'a>>,
    /// Every write that was tried, in order; empty in a plan.
    pub(super) done: Vec<DoneReport<'a>>,
    /// How full the policy is; null where it was not read.
    pub(super) size: Option<Size>,
    /// The `Version` of the policy, where it is not 2012-10-17: `${…}` in such a policy stands for itself.
    pub(super) policy_version: Option<&'a str>,
}

/// One difference between the files and the policy.
#[derive(Serialize, JsonSchema)]
pub(super) struct DriftReport<'a> {
    /// The Sid that is wanted, or the live one; null for a statement without one.
    pub(super) sid: Option<&'a str>,
    /// What kind of difference.
    #[schemars(schema_with = "schema::kind")]
    pub(super) kind: &'static str,
    /// Where a renamed statement is now, what a duplicate is a duplicate of, what a leftover was made for.
    pub(super) other_sid: Option<&'a str>,
    /// The live statement, exactly as Lambda gave it: any JSON; null where there is none.
    #[schemars(with = "serde_json::Value")]
    pub(super) before: Option<&'a RawValue>,
    /// The statement as it is to be: any JSON; null where there is to be none.
    #[schemars(with = "serde_json::Value")]
    pub(super) after: Option<Box<RawValue>>,
    /// What is to be done with statements under this Sid; a replacement is both.
    #[schemars(schema_with = "schema::actions")]
    pub(super) actions: &'static [&'static str],
    /// What putting it right does to access.
    #[schemars(schema_with = "schema::effect")]
    pub(super) effect: &'static str,
    /// The statement is away for a moment while it is replaced.
    pub(super) gap: bool,
    /// The new content stands under a temporary Sid while the statement is replaced: no gap.
    pub(super) bridged: bool,
    /// Why nothing is done about it; null where something is.
    #[schemars(schema_with = "schema::hold_reason_or_null")]
    pub(super) reason: Option<&'static str>,
    /// In words, for people.
    pub(super) description: String,
    /// Where the files speak of it, as `file:line:column`; null where they do not.
    pub(super) source: Option<String>,
    /// The rule for many functions that grants it, as `name: orders-*, tags: team=payments`; null for an entry that
    /// names its function.
    pub(super) rule: Option<&'a str>,
    /// Who made it, where an event told; only a daemon hears of events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<By<'a>>,
}

/// Who changed a policy, as CloudTrail told it.
#[derive(Serialize, JsonSchema)]
pub(super) struct By<'a> {
    /// An IAM ARN, or the service that did it.
    pub(super) arn: &'a str,
    /// The role of an assumed role.
    pub(super) role_arn: Option<&'a str>,
    /// An IP address, or a service.
    pub(super) source_address: Option<&'a str>,
    /// With what.
    pub(super) user_agent: Option<&'a str>,
    /// RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub(super) time: String,
    /// Which call: `AddPermission20150331v2`.
    pub(super) event: &'a str,
    /// The id that AWS gave that call.
    pub(super) request_id: Option<&'a str>,
}

/// A difference that nothing is done about.
#[derive(Serialize, JsonSchema)]
pub(super) struct Held<'a> {
    /// As in `drift`.
    pub(super) sid: Option<&'a str>,
    /// As in `drift`.
    #[schemars(schema_with = "schema::kind")]
    pub(super) kind: &'static str,
    /// Why, for programs.
    #[schemars(schema_with = "schema::hold_reason")]
    pub(super) reason: &'static str,
    /// Why, for people.
    pub(super) message: String,
}

/// A live statement that is left alone.
#[derive(Serialize, JsonSchema)]
pub(super) struct Foreign<'a> {
    /// Null for a statement without one.
    pub(super) sid: Option<&'a str>,
    /// The statement, exactly as Lambda gave it: any JSON.
    #[schemars(with = "serde_json::Value")]
    pub(super) statement: Option<&'a RawValue>,
}

/// A grant that ends within thirty days.
#[derive(Serialize, JsonSchema)]
pub(super) struct Expiring<'a> {
    /// Which one.
    pub(super) sid: &'a str,
    /// From this moment on it is not wanted any more: RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub(super) expires: String,
}

/// A reason to look twice at a live statement.
#[derive(Serialize, JsonSchema)]
pub(super) struct RiskReport<'a> {
    /// Null for a statement without one.
    pub(super) sid: Option<&'a str>,
    /// Which risk.
    #[schemars(schema_with = "schema::risk")]
    pub(super) risk: &'static str,
    /// The same in a few words.
    pub(super) title: &'static str,
}

/// Why a target could not be read or put right.
#[derive(Serialize, JsonSchema)]
pub(super) struct ErrorReport<'a> {
    /// For programs.
    #[schemars(schema_with = "schema::trouble")]
    pub(super) reason: &'static str,
    /// The cause, in one line.
    pub(super) message: &'a str,
    /// What to do about it; null where nothing is known.
    pub(super) hint: Option<&'a str>,
}

/// One write and what became of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct DoneReport<'a> {
    /// Which statement.
    pub(super) sid: &'a str,
    /// What was asked of Lambda.
    #[schemars(schema_with = "schema::action")]
    pub(super) action: &'static str,
    /// What became of it.
    #[schemars(schema_with = "schema::result")]
    pub(super) result: &'static str,
}

/// How full a policy is.
#[derive(Serialize, JsonSchema)]
pub(super) struct Size {
    /// The bytes that it is known to take, a lower bound.
    pub(super) bytes: usize,
    /// The bytes that Lambda allows.
    pub(super) limit: usize,
    /// Where the policy is nearly full with all that is wanted in it: the bytes that it would have with
    /// `compact: true`.
    pub(super) compact: Option<usize>,
}
