//! The seam to Lambda: what is asked of it, and every way it can fail as a way to go on.

use std::{collections::BTreeMap, fmt, future::Future, time::Duration};

use crate::policy::{
    grant::Permission,
    target::{AccountRegion, Target},
};

/// A policy as GetPolicy gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePolicy {
    /// The JSON text of the document, untouched.
    pub text: String,
    /// Guards the next write; spent by it.
    pub revision: String,
}

/// What a write that was done is known by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The request id of AWS.
    pub request_id: Option<String>,
}

/// What PutResourcePolicy answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Put {
    /// Of the document as it is now: the next write goes on from it.
    pub revision: String,
    /// What the write is known by.
    pub receipt: Receipt,
}

/// How urgent a call is: what stands first here goes first where calls have to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A write, and a read that a write waits for.
    Write,
    /// A read of a repair that goes on, or of a target that something says to look at now.
    Repair,
    /// A read of a full pass.
    Sweep,
    /// What finds out which functions there are, and what those say that are in no file.
    Discovery,
}

/// What only looks. A dry run is handed this, so that it has nothing to write with.
pub trait PolicyReader: Send + Sync {
    /// GetPolicy. [`Recovery::Absent`] where there is no policy, or no function:
    /// Lambda's answer does not tell which (`lambda-semantics.md`, 0.3).
    fn get_policy(
        &self,
        target: &Target,
    ) -> impl Future<Output = Result<LivePolicy, GatewayError>> + Send;

    /// The same, with how urgent it is. Only who makes calls wait has to tell them apart.
    fn get_policy_as(
        &self,
        target: &Target,
        urgency: Urgency,
    ) -> impl Future<Output = Result<LivePolicy, GatewayError>> + Send {
        let _ = urgency;
        self.get_policy(target)
    }

    /// GetResourcePolicy: the same document as GetPolicy, with the revision that PutResourcePolicy takes, should those
    /// two ever differ (`lambda-semantics.md`, 3). [`Recovery::Absent`] where there is no policy.
    fn get_resource_policy(
        &self,
        target: &Target,
    ) -> impl Future<Output = Result<LivePolicy, GatewayError>> + Send;

    /// GetFunction with the qualifier. [`Recovery::Absent`] where function, alias or version is not there.
    fn function_exists(
        &self,
        target: &Target,
    ) -> impl Future<Output = Result<(), GatewayError>> + Send;
}

/// What finds out which functions there are. Like [`PolicyReader`], it has nothing to write with.
pub trait FunctionLister: Send + Sync {
    /// One page of ListFunctions, at most 50: the ARNs of functions, without a qualifier.
    fn list_functions(
        &self,
        place: &AccountRegion,
        marker: Option<&str>,
    ) -> impl Future<Output = Result<Page, GatewayError>> + Send;

    /// One page of ListAliases: names. [`Recovery::Absent`] where the function is not there.
    fn list_aliases(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> impl Future<Output = Result<Page, GatewayError>> + Send;

    /// One page of ListVersionsByFunction: numbers, and `$LATEST`, which carries no policy.
    /// [`Recovery::Absent`] where the function is not there.
    fn list_versions(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> impl Future<Output = Result<Page, GatewayError>> + Send;

    /// ListTags of a function, without a qualifier. [`Recovery::Absent`] where it is not there.
    fn list_tags(
        &self,
        function: &Target,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, GatewayError>> + Send;
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In Lambda's order.
    pub names: Vec<String>,
    /// What to ask for the next page with; none after the last.
    pub next: Option<String>,
}

/// What also writes: one statement at a time, or the whole document.
pub trait PolicyGateway: PolicyReader {
    /// AddPermission. Without a revision only for the first statement of a target that has no policy.
    fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> impl Future<Output = Result<Receipt, GatewayError>> + Send;

    /// RemovePermission.
    fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> impl Future<Output = Result<Receipt, GatewayError>> + Send;

    /// RemovePermission of a statement that is added again, changed, right after it was read that it is gone.
    /// Until then access is interrupted, so a gateway that makes calls wait does so here, for all three.
    fn remove_to_replace(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> impl Future<Output = Result<Receipt, GatewayError>> + Send {
        self.remove_permission(target, sid, revision)
    }

    /// PutResourcePolicy. Gives the new revision, so that nothing has to be read to go on. Never without a
    /// revision: it would replace whatever somebody else has just written.
    fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> impl Future<Output = Result<Put, GatewayError>> + Send;

    /// DeleteResourcePolicy: every statement at once. Never without a revision, likewise.
    fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> impl Future<Output = Result<Receipt, GatewayError>> + Send;
}

/// Codes of errors that are not AWS's, for what happens before a call leaves.
pub mod codes {
    /// There are no credentials, or they cannot be loaded.
    pub const NO_CREDENTIALS: &str = "NoCredentials";
    /// A role that could not be assumed.
    pub const NO_ROLE: &str = "CannotAssumeRole";
    /// A profile without credentials.
    pub const NO_PROFILE: &str = "NoProfile";
    /// Credentials that are another account's.
    pub const WRONG_ACCOUNT: &str = "WrongAccount";
    /// A write that another replica has to make, for it leads now.
    pub const NOT_LEADING: &str = "NotLeading";
}

/// A call that failed: how to go on, and what to tell people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayError {
    /// What the caller can do about it.
    pub recovery: Recovery,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The error code, for example `PreconditionFailedException`.
    pub code: Option<String>,
    /// One line for people.
    pub message: String,
    /// The request id of AWS.
    pub request_id: Option<String>,
}

/// The ways to go on after a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// 404: there is no such policy, statement, function, alias or version.
    Absent,
    /// 412: somebody else wrote in between. Read and plan again.
    Stale,
    /// 409: the Sid is there already. Read and plan again.
    Taken,
    /// 409: another operation is in progress. Wait, read and plan again.
    Busy,
    /// 429: not done. Wait, at least as long as Lambda says.
    Throttled {
        /// From `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// 401 or 403, or no credentials: not done, and the same again will not help.
    Denied,
    /// Another 4xx: not done, and the same again will not help.
    Rejected,
    /// The policy would be longer than 20,480 bytes: not done.
    TooLarge,
    /// There is no such call in this region or behind this endpoint: not done.
    NotOffered,
    /// Not sent, or refused before it was read.
    Unreachable,
    /// Perhaps done, perhaps not: read before deciding anything.
    Unknown,
}

impl Recovery {
    /// Sorts an error answer by status and code (`lambda-semantics.md`, 2.4 and 6); `said` is its message.
    pub fn of_answer(
        status: u16,
        code: Option<&str>,
        said: &str,
        retry_after: Option<Duration>,
    ) -> Self {
        match (status, code) {
            (_, Some("TooManyRequestsException" | "ThrottlingException" | "Throttling"))
            | (429, _) => Self::Throttled { retry_after },
            (_, Some("PolicyLengthExceededException")) | (413, _) => Self::TooLarge,
            (_, Some("ExpiredTokenException" | "ExpiredToken" | "UnrecognizedClientException")) => {
                Self::Denied
            }
            // A page of a proxy is not Lambda's word that something is not there.
            (404, None) | (408, _) => Self::Unknown,
            // Nor is `UnknownOperationException`: then it is the operation that is not there.
            (404, Some("ResourceNotFoundException")) => Self::Absent,
            (409, _) if said.contains("already exists") && said.contains("statement id") => {
                Self::Taken
            }
            (409, _) => Self::Busy,
            (412, _) => Self::Stale,
            (401 | 403 | 407, _) => Self::Denied,
            (400..=499, _) => Self::Rejected,
            (_, _) => Self::Unknown,
        }
    }
}

impl GatewayError {
    /// The same, as the answer to a call of PutResourcePolicy's family, which not every region and endpoint has.
    #[must_use]
    pub fn of_document_call(self) -> Self {
        let code = self.code.as_deref();
        let missing = match self.status {
            Some(404) => code != Some("ResourceNotFoundException"),
            Some(405 | 501) => true,
            Some(_) | None => code == Some("UnknownOperationException"),
        };
        let recovery = if missing { Recovery::NotOffered } else { self.recovery };
        Self { recovery, ..self }
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for GatewayError {}
