//! Who may call: an account, a role or user, a service, anyone, or a principal that was deleted.

use std::{fmt, sync::LazyLock};

use regex::Regex;

use crate::policy::patterns::{self, IAM_ARN};

/// Who a permission is for.
///
/// AddPermission takes each as one string, except `Deleted`, which only Lambda writes
/// (`lambda-semantics.md`, 1.2 and 4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// `*`: everybody, signed in or not.
    Anyone,
    /// A whole account of the function's own partition, by its twelve digits.
    /// Lambda writes it as the ARN of the account's root.
    Account(String),
    /// An IAM role or user by its ARN, or the root of an account in another partition.
    Iam(String),
    /// A service, global (`s3.amazonaws.com`) or regional (`logs.us-east-1.amazonaws.com`).
    Service(String),
    /// What is left of a role or user that was deleted: `AROA…` or `AIDA…`. Grants to nobody,
    /// and keeps AddPermission from working on its policy.
    Deleted(String),
}

/// Why a text is not a principal that AddPermission takes. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// Nothing there.
    #[error(
        "the principal is empty; write a service (`s3.amazonaws.com`), an account id, \
         the ARN of a role or user, or \"*\" for anyone"
    )]
    Empty,
    /// Digits, but not twelve.
    #[error("`{0}` is not an account id: it has {1} digits and not twelve{2}")]
    BadAccount(String, usize, &'static str),
    /// An ARN of STS.
    #[error("`{0}` is a session; Lambda takes the ARN of its role: arn:aws:iam::ACCOUNT:role/NAME")]
    Session(String),
    /// An ARN, but not of a role, a user or an account.
    #[error(
        "`{0}` is not the ARN of a role, a user or an account; \
         one looks like arn:aws:iam::123456789012:role/NAME (mind the two colons)"
    )]
    BadArn(String),
    /// The unique id of a role or user.
    #[error("`{0}` is a unique id, which Lambda refuses; write the ARN of the role or user")]
    UniqueId(String),
    /// Everything else.
    #[error(
        "`{0}` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), \
         an account id, the ARN of a role or user, or \"*\" for anyone{1}"
    )]
    Unknown(String, String),
}

/// How long a principal may be, in bytes.
pub const MAX_LENGTH: usize = 2048;
const SERVICE_SUFFIXES: &[&str] = &[
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".amazon.com",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
];

/// What [`Principal::parse`] takes, of any partition, as a regular expression for schemas.
pub fn pattern() -> String {
    patterns::principal(SERVICE_SUFFIXES)
}

impl Principal {
    /// Reads what stands in a permission file. `partition` is the function's own.
    pub fn parse(text: &str, partition: &str) -> Result<Self, PrincipalError> {
        if text.is_empty() {
            return Err(PrincipalError::Empty);
        }
        if text == "*" {
            return Ok(Self::Anyone);
        }
        if text.bytes().all(|it| it.is_ascii_digit()) {
            let hint = if text.len() < 12 {
                "; if a leading zero was lost, write the id with its zero, in quotes"
            } else {
                ""
            };
            return if text.len() == 12 {
                Ok(Self::Account(text.to_owned()))
            } else {
                Err(PrincipalError::BadAccount(text.to_owned(), text.len(), hint))
            };
        }
        if text.starts_with("arn:") {
            return Self::of_arn(text, partition).ok_or_else(|| {
                let session = text.split(':').nth(2) == Some("sts");
                let text = text.to_owned();
                if session { PrincipalError::Session(text) } else { PrincipalError::BadArn(text) }
            });
        }
        if is_unique_id(text) {
            return Err(PrincipalError::UniqueId(text.to_owned()));
        }
        if is_service(text) {
            return Ok(Self::Service(text.to_owned()));
        }
        Err(PrincipalError::Unknown(text.to_owned(), service_hint(text)))
    }

    /// A principal of kind `AWS` in a live statement, if it is one that can stand alone in a grant
    /// or a deleted one.
    pub fn of_aws(text: &str, partition: &str) -> Option<Self> {
        match text {
            "*" => Some(Self::Anyone),
            it if it.len() == 12 && it.bytes().all(|it| it.is_ascii_digit()) => {
                Some(Self::Account(it.to_owned()))
            }
            it if is_unique_id(it) => Some(Self::Deleted(it.to_owned())),
            it => Self::of_arn(it, partition),
        }
    }

    /// A principal of kind `Service` in a live statement, if AddPermission could have written it.
    pub fn of_service(text: &str) -> Option<Self> {
        is_service(text).then(|| Self::Service(text.to_owned()))
    }

    fn of_arn(text: &str, partition: &str) -> Option<Self> {
        static IAM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(IAM_ARN).ok());
        let found = IAM.as_ref()?.captures(text)?;
        let root = found.get(3)?.as_str() == "root" && found.get(1)?.as_str() == partition;
        if text.len() > MAX_LENGTH {
            None
        } else if root {
            Some(Self::Account(found.get(2)?.as_str().to_owned()))
        } else {
            Some(Self::Iam(text.to_owned()))
        }
    }

    /// What AddPermission gets as `Principal`.
    pub fn parameter(&self) -> &str {
        match self {
            Self::Anyone => "*",
            Self::Account(it) | Self::Iam(it) | Self::Service(it) | Self::Deleted(it) => it,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.parameter())
    }
}

/// The id that IAM leaves behind for a deleted role (`AROA…`) or user (`AIDA…`).
pub fn is_unique_id(text: &str) -> bool {
    let prefix = text.starts_with("AROA") || text.starts_with("AIDA");
    let rest = text.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
    prefix && rest && (16..=128).contains(&text.len())
}

/// What stands before the suffix of a service principal: `s3`, `logs.us-east-1`, `delivery.logs`.
pub(crate) fn service_name(text: &str) -> Option<&str> {
    SERVICE_SUFFIXES.iter().find_map(|it| text.strip_suffix(it))
}

fn is_service(text: &str) -> bool {
    let letters = text
        .bytes()
        .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b".-".contains(&it));
    let named =
        service_name(text).is_some_and(|it| it.starts_with(|it: char| it.is_ascii_alphanumeric()));
    letters && named && text.len() <= MAX_LENGTH
}

/// A near miss of a service: `s3`, `S3.amazonaws.com`, `s3.amazonaws.co`.
fn service_hint(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let name = lower.split('.').next().unwrap_or_default();
    let near = strsim::jaro_winkler(&lower, &format!("{name}.amazonaws.com")) > 0.9;
    let bare = lower == name && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    if !name.is_empty() && name.len() <= 32 && (near || bare) {
        format!("; did you mean {name}.amazonaws.com?")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests;
