//! What Lambda takes in each parameter, as regular expressions.
//!
//! They are what the checks of this folder decide by, or decide like (a property test keeps the two
//! together), written so that ECMA 262 and with it JSON Schema reads them as we do: no names of groups,
//! no classes beyond ASCII, no dot. Their source is the models of botocore (`lambda-semantics.md`, 2.1),
//! as far as no recorded case is stricter.

/// `StatementId`, of AddPermission.
pub const SID: &str = "^[A-Za-z0-9_-]{1,100}$";

/// `StatementId`, of RemovePermission, which takes dots, too.
pub const REMOVABLE_SID: &str = "^[A-Za-z0-9_.-]{1,100}$";

/// `Action`.
pub const ACTION: &str = r"^(\*|lambda:(\*|[A-Za-z]+))$";

/// An action in a policy document, where it may be a pattern.
pub const WIDE_ACTION: &str = r"^(\*|lambda:[A-Za-z*?]+)$";

/// The ARN of a role, a user or an account: its partition, its account, and what it is.
pub(crate) const IAM_ARN: &str =
    "^arn:(aws[a-zA-Z-]*):iam::([0-9]{12}):(root|(?:role|user)/[A-Za-z0-9_+=,.@/-]+)$";

/// `SourceArn`; at most 10,000 bytes.
pub const SOURCE_ARN: &str = concat!(
    r"^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9-])+:",
    r"((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-[0-9])?:([0-9]{12})?:([^\n]*)$"
);

/// The same in a policy document, where each part may be a pattern.
pub const WIDE_SOURCE_ARN: &str = concat!(
    r"^arn:(aws[a-zA-Z0-9-]*|[a-zA-Z0-9-]*[*?][a-zA-Z0-9*?-]*):[a-zA-Z0-9*?-]+:",
    r"((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-[0-9]|[a-z0-9-]*[*?][a-z0-9*?-]*)?:",
    r"([0-9]{12}|[0-9]*[*?][0-9*?]*)?:([^\n]*)$"
);

/// A condition key: what it is of, a colon, and its name.
pub const CONDITION_KEY: &str = r"^[A-Za-z0-9][A-Za-z0-9._/-]*:[^\n$]+$";

/// `SourceAccount`, and every other account id.
pub const ACCOUNT: &str = "^[0-9]{12}$";

/// `PrincipalOrgID`.
pub const ORG_ID: &str = "^o-[a-z0-9]{10,32}$";

/// `EventSourceToken`.
pub const TOKEN: &str = "^[A-Za-z0-9._-]{1,256}$";

/// A region, of any partition.
pub const REGION: &str = "^(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]$";

/// An alias or a version; `$LATEST` carries no policy.
pub const QUALIFIER: &str = "^[A-Za-z0-9_-]{1,128}$";

/// `FunctionName` with or without a qualifier: a name, a partial or a full ARN.
pub const FUNCTION: &str = concat!(
    "^(arn:aws[a-zA-Z-]*:lambda:(eusc-)?[a-z]{2}(-gov|-iso[a-z]?)?-[a-z]+-[0-9]:[0-9]{12}:function:",
    "|((eusc-)?[a-z]{2}(-gov|-iso[a-z]?)?-[a-z]+-[0-9]:)?([0-9]{12}:)?(function:)?)",
    "[a-zA-Z0-9_.-]{1,64}(:[a-zA-Z0-9_-]{1,128})?$"
);

/// `Principal`: anyone, an account, a role or user, or a service with one of these suffixes.
pub(crate) fn principal(service_suffixes: &[&str]) -> String {
    let suffixes: Vec<String> = service_suffixes.iter().map(|it| regex::escape(it)).collect();
    let iam = IAM_ARN.trim_matches(['^', '$']);
    format!(r"^(\*|[0-9]{{12}}|{iam}|[a-z0-9][a-z0-9.-]*({}))$", suffixes.join("|"))
}

#[cfg(test)]
mod tests;
