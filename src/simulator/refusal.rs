//! Every way Lambda says no: status, code, exact text, and which key the text stands under.

use serde_json::{Map, Value, json};

use crate::simulator::switches::RevisionModel;

/// An error answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: Option<String>,
    pub(crate) retry_after: Option<u64>,
}

/// The codes whose text stands under `Message`; all others have it under `message`
/// (`lambda-semantics.md`, 8).
const CAPITAL: &[&str] = &[
    "ResourceNotFoundException",
    "ServiceException",
    "PublicPolicyException",
    "AccessDeniedException",
];
/// The codes whose body has no `Type`: the front end writes them, not Lambda.
const TYPELESS: &[&str] = &[
    "ValidationException",
    "AccessDeniedException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
    "ThrottlingException",
    "SerializationException",
    "UnknownOperationException",
];

impl Refusal {
    /// Any status, code and text.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: Some(message.into()), retry_after: None }
    }

    /// The shape of the request is wrong. One line for each constraint that is not met.
    pub(crate) fn validation(found: &[String]) -> Self {
        let n = found.len();
        let errors = if n == 1 { "error" } else { "errors" };
        let message = format!("{n} validation {errors} detected: {}", found.join("; "));
        Self::new(400, "ValidationException", message)
    }

    /// 400 with a text of Lambda's own.
    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterValueException", message)
    }

    /// 404 with a text of Lambda's own.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "ResourceNotFoundException", message)
    }

    /// 404 for a function, or for a version of it.
    pub(crate) fn no_function(arn: &str) -> Self {
        Self::not_found(format!("Function not found: {arn}"))
    }

    /// The text of GetPolicy for everything that is missing, since November 2025.
    pub(crate) fn no_resource() -> Self {
        Self::not_found("The resource you requested does not exist.")
    }

    /// Neither this principal nor one of those that are in the policy already may be unresolvable.
    pub(crate) fn principal() -> Self {
        Self::parameter(
            "The provided principal was invalid. Please check the principal and try again.",
        )
    }

    /// An ARN that IAM cannot even read.
    pub(crate) fn malformed_principal(principal: &str) -> Self {
        Self::parameter(format!(
            "The provided input'{principal}'was invalid. Member must satisfy expression: \
             [\\w+=,.@-]* Please check your input and try again."
        ))
    }

    /// 409.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "ResourceConflictException", message)
    }

    /// 412 of AddPermission, RemovePermission and the Put family.
    pub(crate) fn policy_revision(model: RevisionModel) -> Self {
        match model {
            RevisionModel::Separate => Self::new(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. \
                 Call the GetPolicy API to retrieve the latest Revision Id",
            ),
            RevisionModel::LegacyFunction => Self::resource_revision(),
        }
    }

    /// 412 of everything about functions and aliases themselves.
    pub(crate) fn resource_revision() -> Self {
        Self::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. \
             Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
        )
    }

    /// The policy would be too long.
    pub(crate) fn too_large(size: usize, limit: usize) -> Self {
        Self::new(
            400,
            "PolicyLengthExceededException",
            format!("The final policy size ({size}) is bigger than the limit ({limit})."),
        )
    }

    /// The account does not allow public policies. The real text is not known; this is the model's.
    pub(crate) fn public_policy() -> Self {
        Self::new(
            400,
            "PublicPolicyException",
            "The resource-based policy you tried to add to the Lambda resource would grant \
             public access to it, which isn't allowed.",
        )
    }

    /// 429.
    pub(crate) fn throttled(retry_after: Option<u64>) -> Self {
        Self { retry_after, ..Self::new(429, "TooManyRequestsException", "Rate exceeded") }
    }

    /// 403 for a function of another account.
    pub(crate) fn denied(caller: &str, operation: &str, arn: &str) -> Self {
        Self::new(
            403,
            "AccessDeniedException",
            format!(
                "User: {caller} is not authorized to perform: lambda:{operation} on resource: \
                 {arn} because no resource-based policy allows the lambda:{operation} action"
            ),
        )
    }

    /// No such method and path.
    pub(crate) fn unknown_operation() -> Self {
        Self { message: None, ..Self::new(404, "UnknownOperationException", "") }
    }

    /// The body is not the JSON that the operation takes.
    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// The JSON text of the body, members in Lambda's order.
    pub(crate) fn body(&self) -> String {
        let key = if CAPITAL.contains(&self.code.as_str()) { "Message" } else { "message" };
        let mut body = Map::new();
        if self.code == "TooManyRequestsException" {
            body.insert("Reason".to_owned(), json!("CallerRateLimitExceeded"));
        }
        if !TYPELESS.contains(&self.code.as_str()) {
            let fault = if self.status >= 500 { "Service" } else { "User" };
            body.insert("Type".to_owned(), json!(fault));
        }
        body.insert(key.to_owned(), self.message.as_deref().map_or(Value::Null, |it| json!(it)));
        Value::Object(body).to_string()
    }
}
