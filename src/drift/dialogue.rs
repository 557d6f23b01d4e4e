//! What is said in a conversation with Lambda: requests one way, answers the other.

use std::{sync::Arc, time::Duration};

use crate::drift::{actor::Actor, plan::Step};

/// What is to be asked next. Whoever carries it decides nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// GetPolicy.
    Read,
    /// GetFunction with the qualifier: is it there at all?
    Exists,
    /// Wait for a random time that grows with `attempt`, and at least for this long.
    Wait {
        /// Counted from 1.
        attempt: u32,
        /// What Lambda asked for.
        at_least: Duration,
    },
    /// A plan was made for the first time. The conversation goes on from it once it is told to.
    Planned,
    /// Nothing is left but what waits for the judgement of the whole pass.
    Judge,
    /// GetResourcePolicy, for a revision that PutResourcePolicy takes.
    ReadResource,
    /// One guarded write.
    Write(Write),
    /// The end; the outcome tells it.
    Done,
}

/// One write, complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// What to do.
    pub step: Step,
    /// From the read that it was planned from; none only for the first statement of a target.
    pub revision: Option<String>,
    /// The statement that it takes away, as it was read.
    pub before: Option<String>,
    /// The statement that it asks for, as Lambda will write it.
    pub after: Option<String>,
    /// The digest of what somebody said yes to, if this was in it.
    pub approval: Option<String>,
    /// The new statement comes under the same Sid, and until then it is away.
    pub opens_gap: bool,
    /// Who made the difference that it puts right, where an event told.
    pub by: Option<Arc<Actor>>,
    /// It writes the whole document; `before` and `after` are documents then.
    pub whole: bool,
    /// The Sids of everything that it does.
    pub sids: Vec<String>,
    /// Something that stands there is not there afterwards.
    pub takes_away: bool,
}

impl Write {
    /// It adds a statement.
    pub fn adds(&self) -> bool {
        if self.whole { self.after.is_some() } else { !self.step.action.takes_away() }
    }

    /// What it does, in one word.
    pub fn action_name(&self) -> &'static str {
        self.step.action.name()
    }
}

/// What Lambda said. A failure tells how to go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To [`Request::Read`]: text and revision, or none for a 404.
    Policy(Result<Option<(String, String)>, Failure>),
    /// To [`Request::Exists`].
    Exists(Result<bool, Failure>),
    /// To [`Request::ReadResource`], likewise.
    Resource(Result<Option<(String, String)>, Failure>),
    /// To [`Request::Write`]: the new revision, where the answer tells it.
    Written(Result<Option<String>, Failure>),
    /// To [`Request::Wait`].
    Waited,
}

/// A call that failed, as far as it matters for going on.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The way to go on.
    pub kind: FailureKind,
    /// The cause, in one line.
    pub message: String,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// The id that AWS gave it.
    pub request_id: Option<String>,
}

/// The ways to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// What was written about is gone: read again.
    Gone,
    /// Somebody wrote in between: read again.
    Conflict,
    /// Not done; wait at least so long.
    Throttled(Duration),
    /// Not done, for lack of a right; final.
    Denied,
    /// Not done; final.
    Refused,
    /// Not done: the policy would be too long.
    TooLarge,
    /// Not done: Lambda does not have that call here.
    NotOffered,
    /// Not sent: the journal could not be written.
    NotJournalled,
    /// Not sent.
    Unreachable,
    /// Perhaps done.
    Unsure,
    /// An answer that is not Lambda's; perhaps done.
    BadAnswer,
}

impl FailureKind {
    /// The write may have been done.
    pub fn is_unsure(self) -> bool {
        matches!(self, Self::Unsure | Self::BadAnswer)
    }
}
