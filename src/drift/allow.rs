//! Which steps are allowed and which become holds: mode, ownership, ignore rules, suspension.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use wildmatch::WildMatch;

use crate::drift::limits::Limits;
use crate::policy::{risk::Risk, size::LIMIT, statement::Statement, target::Target};

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

impl Mode {
    /// As the settings have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Additive => "additive",
            Self::Enforce => "enforce",
        }
    }
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

impl Ownership {
    /// What the Sids of permitd's own statements begin with, so that those of others are not mixed with them.
    pub fn sid_prefix(&self) -> &str {
        match self {
            Self::Prefix(it) => it,
            Self::All | Self::Declared => "",
        }
    }
}

/// How a statement is replaced whose content changed. Lambda has no update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Replace {
    /// The new content stands under a temporary Sid while the old one goes: no gap.
    #[default]
    Bridge,
    /// Removed and added: half the calls, and a moment without it.
    Direct,
}

/// By which calls a policy is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Writer {
    /// AddPermission and RemovePermission: one statement at a time, and the rest is not touched.
    #[default]
    Statements,
    /// PutResourcePolicy: all changes of a target at once.
    Document,
    /// PutResourcePolicy where it saves a gap, a bridge or space, or where nothing else can say what is wanted;
    /// else statement by statement, also where Lambda does not take PutResourcePolicy.
    Auto,
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

/// What the settings allow, the same for every target.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// What permitd may do.
    pub mode: Mode,
    /// Live statements to leave alone.
    pub ignore: Vec<IgnoreRule>,
    /// Also take away what cannot be made again.
    pub remove_inexpressible: bool,
    /// Grants with one of these risks are held unless their statement accepts it.
    pub deny_risks: Vec<Risk>,
    /// How much may be taken away before somebody is asked.
    pub limits: Limits,
    /// How far apart two reads have to be that both show a principal as deleted before it is believed.
    pub orphan_grace: Duration,
    /// When the files were loaded: a grant that expires later is revoked without asking.
    pub loaded_at: Timestamp,
}

/// A live role was seen as a bare id for some seconds after it was made (`lambda-semantics.md`, 4).
pub const ORPHAN_GRACE: Duration = Duration::from_mins(1);

impl Default for Rules {
    /// As `plan` does without a settings file. Whatever has expired had expired before.
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            ignore: Vec::new(),
            remove_inexpressible: false,
            deny_risks: vec![Risk::P002],
            limits: Limits::default(),
            orphan_grace: ORPHAN_GRACE,
            loaded_at: Timestamp::MAX,
        }
    }
}

/// The principal of the statements that Lambda@Edge adds for itself when it replicates a function
/// (developer guide, "Setting IAM permissions and roles for Lambda@Edge").
const EDGE_REPLICATOR: &str = "replicator.lambda.amazonaws.com";

impl Rules {
    /// Whether a live statement that is in no file is to be left alone.
    pub fn ignores(&self, statement: &Statement, target: &Target) -> bool {
        let principals = statement.principals();
        let edge = principals.first() == Some(&EDGE_REPLICATOR) && principals.len() == 1;
        let root = |it: &str| match it.len() {
            12 => format!("arn:{}:iam::{it}:root", target.partition()),
            _ => it.to_owned(),
        };
        edge || self.ignore.iter().any(|rule| {
            let IgnoreRule { sid, principal, source_arn } = rule;
            let some_match = |pattern: &WildMatch, values: &[&str]| {
                values.iter().any(|it| pattern.matches(it) || pattern.matches(&root(it)))
            };
            let sids: Vec<&str> = statement.sid().into_iter().collect();
            let no_rule = sid.is_none() && principal.is_none() && source_arn.is_none();
            !no_rule
                && sid.as_ref().is_none_or(|it| some_match(it, &sids))
                && principal.as_ref().is_none_or(|it| some_match(it, &principals))
                && source_arn.as_ref().is_none_or(|it| some_match(it, &statement.source_arns()))
        })
    }
}

/// Why a step that is wanted is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// `suspend: true` on the target.
    Suspended,
    /// Somebody paused it; the text says until when or why.
    Paused(String),
    /// The mode is `additive`, and this takes access away.
    Additive,
    /// It could not be made again; the text says why.
    Inexpressible(&'static str),
    /// It has no Sid that RemovePermission takes; the text says which.
    Fixed(&'static str),
    /// Two live statements share the Sid, and RemovePermission cannot tell them apart.
    AmbiguousSid,
    /// An orphan is only touched when two reads, this far apart, show that its principal was deleted.
    OrphanUnconfirmed(Duration),
    /// A statement with a deleted principal is in the policy, so Lambda refuses every AddPermission.
    BlockedByOrphan {
        /// The Sid of that statement, or a stand-in where it has none.
        orphan: String,
        /// It is in no file and not owned.
        foreign: bool,
        /// It goes as soon as it is sure that its principal was deleted.
        passes: bool,
    },
    /// The policy would be longer than Lambda allows.
    TooLarge {
        /// The bytes it would have.
        size: usize,
    },
    /// Wanted access stands in no other statement yet.
    StillNeeded,
    /// The grant has a risk that the settings deny and its statement does not accept.
    Risk(Risk),
    /// More would be taken away within an hour than `max_revocations` allows.
    MaxRevocations {
        /// In this pass.
        wanted: usize,
        /// In the hour before.
        done: usize,
        /// Allowed.
        limit: u32,
    },
    /// More targets would lose something, or be changed by rules for many functions, within an hour than
    /// `max_changed_targets` allows.
    MaxChangedTargets {
        /// By rules, which also add.
        by_rules: bool,
        /// In this pass and in the hour before.
        changed: usize,
        /// Managed.
        targets: usize,
        /// Allowed, in percent.
        percent: u32,
    },
    /// Nobody could call the target any more.
    LastAllow,
    /// It was seen after the narrowing of this pass had been judged.
    NotJudged,
    /// The files that ask for it have just changed, and somebody may still be copying.
    FilesSettling,
    /// It is not in the plan that somebody said yes to.
    NotApproved,
    /// The journal cannot be written; the text says why.
    NoJournal(String),
    /// It was added twice in this conversation, and reads back as something else.
    Contended,
    /// Lambda refused it in this conversation; the text is its answer.
    Refused(String),
    /// Only a write of the whole document can do it, and there is none; the text says why.
    NoPut(String),
    /// Somebody's Deny would go, and no file names its Sid as unwanted.
    RemovesDeny,
}

impl Reason {
    /// Every name.
    pub const NAMES: [&str; 22] = [
        "suspended",
        "paused",
        "additive",
        "inexpressible",
        "no_sid",
        "ambiguous_sid",
        "orphan_unconfirmed",
        "blocked_by_orphan",
        "too_large",
        "still_needed",
        "denied_risk",
        "max_revocations",
        "max_changed_targets",
        "last_allow",
        "not_judged",
        "files_settling",
        "not_approved",
        "journal_unavailable",
        "contended",
        "refused",
        "put_unavailable",
        "removes_deny",
    ];

    /// The name in reports, metrics and `/status`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Paused(_) => "paused",
            Self::Additive => "additive",
            Self::Inexpressible(_) => "inexpressible",
            Self::Fixed(_) => "no_sid",
            Self::AmbiguousSid => "ambiguous_sid",
            Self::OrphanUnconfirmed(_) => "orphan_unconfirmed",
            Self::BlockedByOrphan { .. } => "blocked_by_orphan",
            Self::TooLarge { .. } => "too_large",
            Self::StillNeeded => "still_needed",
            Self::Risk(_) => "denied_risk",
            Self::MaxRevocations { .. } => "max_revocations",
            Self::MaxChangedTargets { .. } => "max_changed_targets",
            Self::LastAllow => "last_allow",
            Self::NotJudged => "not_judged",
            Self::FilesSettling => "files_settling",
            Self::NotApproved => "not_approved",
            Self::NoJournal(_) => "journal_unavailable",
            Self::Contended => "contended",
            Self::Refused(_) => "refused",
            Self::NoPut(_) => "put_unavailable",
            Self::RemovesDeny => "removes_deny",
        }
    }

    /// A limit or a risk: it is done once somebody says yes to it.
    pub fn is_approvable(&self) -> bool {
        matches!(
            self,
            Self::Risk(_)
                | Self::MaxRevocations { .. }
                | Self::MaxChangedTargets { .. }
                | Self::LastAllow
                | Self::RemovesDeny
        )
    }

    /// It ends by itself, within a minute or so.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::OrphanUnconfirmed(_)
                | Self::BlockedByOrphan { passes: true, .. }
                | Self::NotJudged
                | Self::FilesSettling
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Suspended | Self::Additive => Ok(()),
            Self::Inexpressible(why) | Self::Fixed(why) => write!(f, ", {why}"),
            Self::Paused(why) | Self::NoJournal(why) => write!(f, ", {why}"),
            Self::AmbiguousSid => f.write_str(", two statements share this Sid"),
            Self::OrphanUnconfirmed(grace) => {
                let grace = grace.as_secs();
                write!(f, ", until a read {grace} s later still shows its principal deleted")
            }
            Self::BlockedByOrphan { orphan, foreign, passes: _ } => {
                let whose = if *foreign { ", which is not ours" } else { "" };
                write!(f, ", Lambda adds nothing beside {orphan}{whose}")
            }
            Self::TooLarge { size } => write!(f, ", {size} bytes of {LIMIT}"),
            Self::StillNeeded => f.write_str(", wanted access stands nowhere else yet"),
            Self::Risk(risk) => write!(f, ", {risk}: {}", risk.title()),
            Self::MaxRevocations { wanted, done, limit } => {
                write!(f, ", {wanted} wanted and {done} done in the last hour; {limit} allowed")
            }
            Self::MaxChangedTargets { by_rules, changed, targets, percent } => {
                let what =
                    if *by_rules { "would be changed by rules" } else { "would lose something" };
                write!(f, ", {changed} of {targets} targets {what}; {percent}% allowed")
            }
            Self::LastAllow => f.write_str(", nothing would be allowed any more"),
            Self::NotJudged => {
                f.write_str(", seen after this pass was judged; the next one decides")
            }
            Self::FilesSettling => {
                f.write_str(", until a second poll shows that its files have stopped changing")
            }
            Self::NotApproved => f.write_str(", the policy changed after the plan was shown"),
            Self::Contended => f.write_str(", it was added twice and reads back as something else"),
            Self::Refused(answer) | Self::NoPut(answer) => write!(f, ", {answer}"),
            Self::RemovesDeny => f.write_str(", it denies, and whoever it keeps out could come in"),
        }
    }
}
