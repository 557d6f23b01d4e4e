//! What became of a target: its state with the reason, what was found, and what was done.

use std::{fmt, sync::Arc};

use crate::drift::{
    allow::Reason,
    approval::Entry,
    plan::{Plan, Step},
};
use crate::policy::target::Target;

/// The end of one conversation about one target.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an unread outcome helps nobody"]
pub struct Outcome {
    /// Which policy.
    pub target: Target,
    /// How it stands now.
    pub state: State,
    /// Why, where the state alone does not say it.
    pub trouble: Option<Trouble>,
    /// What the first read found; none where it could not be read.
    pub found: Option<Arc<Plan>>,
    /// What the last read left to do.
    pub left: Option<Arc<Plan>>,
    /// Every write, in order.
    pub done: Vec<Done>,
}

/// How a target stands. Unknown is never in sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Live is as written.
    InSync,
    /// Something differs, and would be put right.
    Drifted,
    /// Something differs, and all of it is held.
    Held,
    /// Somebody else undoes again and again what is put right.
    Contended,
    /// Something differs, and the file says to watch only.
    Suspended,
    /// Something differs, and somebody paused it.
    Paused,
    /// A write was refused, or did not come through.
    Failed,
    /// It could not be read.
    Unknown,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::InSync,
        Self::Drifted,
        Self::Held,
        Self::Contended,
        Self::Suspended,
        Self::Paused,
        Self::Failed,
        Self::Unknown,
    ];

    /// The name in reports, metrics and `/status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Drifted => "drifted",
            Self::Held => "held",
            Self::Contended => "contended",
            Self::Suspended => "suspended",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Of a policy that was read, from what its plan leaves to do.
    pub fn of(plan: &Plan) -> Self {
        let refused =
            |it: &Reason| matches!(it, Reason::Refused(_) | Reason::Contended | Reason::NoPut(_));
        let all = |it: fn(&Reason) -> bool| plan.holds().all(|(_, reason)| it(reason));
        if plan.is_in_sync() {
            Self::InSync
        } else if plan.holds().any(|(_, it)| refused(it)) {
            Self::Failed
        } else if !plan.steps.is_empty() {
            Self::Drifted
        } else if all(|it| matches!(it, Reason::Suspended)) {
            Self::Suspended
        } else if all(|it| matches!(it, Reason::Paused(_))) {
            Self::Paused
        } else {
            Self::Held
        }
    }
}

/// Why a target could not be read or put right, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// From a closed set, for programs.
    pub reason: TroubleReason,
    /// The cause, in one line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The id that AWS gave the call that failed.
    pub request_id: Option<String>,
}

/// The closed set of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TroubleReason {
    /// There is no such function, alias or version.
    FunctionMissing,
    /// No permission, or credentials that are missing, wrong or expired.
    AccessDenied,
    /// Lambda did not let us through in time.
    Throttled,
    /// No answer.
    Unreachable,
    /// An answer that is not Lambda's.
    BadAnswer,
    /// GetPolicy's text is not a policy document.
    MalformedPolicy,
    /// Reads kept giving a policy that was replaced already.
    StaleRead,
    /// Lambda refused the call.
    Refused,
    /// Others kept writing in between.
    Conflict,
    /// A statement was taken away, and neither the new one nor the old one could be added.
    GapOpen,
    /// The same Sid was put right three times within an hour.
    Contended,
    /// It was stopped before it was through.
    Interrupted,
}

impl TroubleReason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::FunctionMissing,
        Self::AccessDenied,
        Self::Throttled,
        Self::Unreachable,
        Self::BadAnswer,
        Self::MalformedPolicy,
        Self::StaleRead,
        Self::Refused,
        Self::Conflict,
        Self::GapOpen,
        Self::Contended,
        Self::Interrupted,
    ];

    /// The name in reports, metrics and `/status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FunctionMissing => "function_missing",
            Self::AccessDenied => "access_denied",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::BadAnswer => "bad_answer",
            Self::MalformedPolicy => "malformed_policy",
            Self::StaleRead => "stale_read",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::GapOpen => "gap_open",
            Self::Contended => "contended",
            Self::Interrupted => "interrupted",
        }
    }
}

impl Outcome {
    /// There is no such function, alias or version.
    pub fn is_function_missing(&self) -> bool {
        self.trouble.as_ref().is_some_and(|it| it.reason == TroubleReason::FunctionMissing)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.name(), self.message)
    }
}

/// One write and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Done {
    /// The write.
    pub step: Step,
    /// What became of it.
    pub result: StepResult,
    /// What its change makes of the Sids that it is about.
    pub entries: Vec<Entry>,
    /// It took access away, and the limits were asked about it.
    pub limited: bool,
    /// A rule for many functions asked for it, and the limits were asked about that.
    pub by_rule: bool,
    /// The statement was taken away before the new one could stand.
    pub opened_gap: bool,
    /// It went out in the same write as the one before it.
    pub with_last: bool,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// Lambda said so, or the next read showed it.
    Done,
    /// The old statement stands again, because the new one was refused.
    PutBack,
    /// Refused for good; the text is Lambda's answer.
    Refused(String),
    /// The old statement could not be put back; the text is the statement.
    Lost(String),
}

impl StepResult {
    /// Every name.
    pub const NAMES: [&str; 4] = ["done", "put_back", "refused", "lost"];

    /// The name in reports and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::PutBack => "put_back",
            Self::Refused(_) => "refused",
            Self::Lost(_) => "lost",
        }
    }
}
