//! Which policy: the account, region, function and qualifier, and every way to name them.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use regex::Regex;

use crate::policy::patterns::REGION;

/// One resource policy: that of a function, or of one of its aliases or versions.
///
/// Every qualifier has a policy of its own; Statement ids are unique in one policy only
/// (`lambda-semantics.md`, 2.4, recorded). It prints as its full ARN, with the qualifier.
/// Cheap to clone: whoever remembers something about a target names it, and all share one copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(Arc<Parts>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    account: String,
    region: String,
    function: String,
    qualifier: Option<String>,
    partition: String,
    /// The full ARN: whatever is asked or told about a target names it.
    arn: String,
}

/// An account and a region: what has its own client, budgets and failures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRegion {
    /// The twelve digits.
    pub account: String,
    /// For example `us-east-1`.
    pub region: String,
}

/// What a name leaves out: taken from the file, the settings or the credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The account of names that carry none.
    pub account: Option<String>,
    /// The region of names that carry none.
    pub region: Option<String>,
}

/// Why a name is not a target. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not of Lambda's pattern for `FunctionName`.
    #[error(
        "`{0}` is not a function name, partial ARN or ARN; write `name`, `name:alias`, \
         `123456789012:function:name` or `arn:aws:lambda:REGION:ACCOUNT:function:NAME`"
    )]
    Malformed(String),
    /// Longer than the 64 characters that Lambda allows.
    #[error("the function name `{0}` has {1} characters; Lambda allows 64")]
    TooLong(String, usize),
    /// `$LATEST` cannot carry a policy.
    #[error(
        "`$LATEST` cannot carry a policy; leave the qualifier out for the unqualified function, \
         or name an alias or a version"
    )]
    Latest,
    /// Not of Lambda's pattern for `Qualifier`.
    #[error("`{0}` is not an alias or a version: letters, digits, `-` and `_`, at most 128")]
    BadQualifier(String),
    /// `name:live` together with `qualifier: blue`.
    #[error("the name says `{0}` and the qualifier says `{1}`; write one of them")]
    QualifierMismatch(String, String),
    /// Nobody said which account.
    #[error(
        "no account for `{0}`; write `account:` at the top of the file, a full ARN, or pass --account"
    )]
    NoAccount(String),
    /// Nobody said which region.
    #[error(
        "no region for `{0}`; write `region:` at the top of the file, a full ARN, pass --region, \
         or set AWS_REGION"
    )]
    NoRegion(String),
    /// Not twelve digits.
    #[error("`{0}` is not an account id: it has twelve digits")]
    BadAccount(String),
    /// Not of the form of a region.
    #[error("`{0}` is not a region; one looks like us-east-1")]
    BadRegion(String),
    /// An ARN whose partition is not the region's.
    #[error("partition `{0}` does not hold region `{1}`, which is in `{2}`")]
    PartitionMismatch(String, String, String),
}

/// botocore's pattern for `FunctionName` (`lambda-semantics.md`, 2.1), with groups.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:arn:(?P<partition>aws[a-zA-Z-]*):lambda:)?",
        r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]):)?",
        r"(?:(?P<account>[0-9]{12}):)?(?P<function>function:)?(?P<name>[a-zA-Z0-9_.-]+)",
        r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?$"
    ))
    .ok()
});

impl Target {
    /// Reads any of Lambda's ways to name a function, with or without a qualifier in it.
    ///
    /// What the name leaves out comes from `qualifier` and `defaults`; what it says itself wins.
    pub fn parse(
        text: &str,
        qualifier: Option<&str>,
        defaults: &Defaults,
    ) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed(text.to_owned());
        // Nearly all names are bare, and to take them apart would cost more than all the rest.
        let found = if is_bare_name(text) {
            None
        } else {
            Some(NAME.as_ref().and_then(|it| it.captures(text)).ok_or_else(malformed)?)
        };
        let part = |group: &str| match &found {
            Some(it) => it.name(group).map(|it| it.as_str().to_owned()),
            None => (group == "name").then(|| text.to_owned()),
        };
        let is_arn = text.starts_with("arn:");
        let complete = ["region", "account", "function"].iter().all(|it| part(it).is_some());
        if is_arn && !complete {
            return Err(malformed());
        }
        let function = part("name").ok_or_else(malformed)?;
        let length = function.chars().count();
        if length > 64 {
            return Err(TargetError::TooLong(function, length));
        }
        let qualifier = match (part("qualifier"), qualifier) {
            (Some(inside), Some(beside)) if inside != beside => {
                return Err(TargetError::QualifierMismatch(inside, beside.to_owned()));
            }
            (inside, beside) => inside.or_else(|| beside.map(str::to_owned)),
        };
        if let Some(it) = &qualifier {
            check_qualifier(it)?;
        }
        let account = part("account")
            .or_else(|| defaults.account.clone())
            .ok_or_else(|| TargetError::NoAccount(text.to_owned()))?;
        let region = part("region")
            .or_else(|| defaults.region.clone())
            .ok_or_else(|| TargetError::NoRegion(text.to_owned()))?;
        check_account(&account)?;
        check_region(&region)?;
        let home = partition_of(&region);
        let partition = part("partition").unwrap_or_else(|| home.to_owned());
        if partition != home {
            return Err(TargetError::PartitionMismatch(partition, region, home.to_owned()));
        }
        let mut arn = format!("arn:{partition}:lambda:{region}:{account}:function:{function}");
        if let Some(qualifier) = &qualifier {
            arn.push(':');
            arn.push_str(qualifier);
        }
        Ok(Self(Arc::new(Parts { account, region, function, qualifier, partition, arn })))
    }

    /// The ARN of the function, without the qualifier.
    pub fn function_arn(&self) -> String {
        let Parts { arn, qualifier, .. } = &*self.0;
        let function =
            qualifier.as_ref().and_then(|it| arn.strip_suffix(it.as_str())?.strip_suffix(':'));
        function.unwrap_or(arn).to_owned()
    }

    /// The same function, whatever the qualifiers.
    pub fn is_of_the_function_of(&self, other: &Self) -> bool {
        let (a, b) = (&*self.0, &*other.0);
        a.function == b.function
            && (&a.account, &a.region, &a.partition) == (&b.account, &b.region, &b.partition)
    }

    /// The full ARN, with the qualifier: the `Resource` of every statement that Lambda writes here.
    pub fn arn(&self) -> String {
        self.0.arn.clone()
    }

    /// As people call it where account and region are clear: `name`, or `name:qualifier`.
    pub fn short_name(&self) -> String {
        match &self.0.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.0.function),
            None => self.0.function.clone(),
        }
    }

    /// Whether somebody who says this means it: the full ARN, `name`, or `name:qualifier`.
    pub fn is_called(&self, name: &str) -> bool {
        name == self.short_name() || name == self.arn()
    }

    /// The twelve digits.
    pub fn account(&self) -> &str {
        &self.0.account
    }

    /// For example `us-east-1`.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// The bare name of the function.
    pub fn function(&self) -> &str {
        &self.0.function
    }

    /// The alias or the version; none for the unqualified function.
    pub fn qualifier(&self) -> Option<&str> {
        self.0.qualifier.as_deref()
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        &self.0.partition
    }

    /// Where it lives.
    pub fn account_region(&self) -> AccountRegion {
        AccountRegion { account: self.0.account.clone(), region: self.0.region.clone() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.arn)
    }
}

impl fmt::Display for AccountRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// The partition a region belongs to.
pub fn partition_of(region: &str) -> &'static str {
    const PREFIXES: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-iso-", "aws-iso"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, it)| it)
}

/// Twelve digits, and nothing else.
pub fn check_account(text: &str) -> Result<(), TargetError> {
    let good = text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit());
    if good { Ok(()) } else { Err(TargetError::BadAccount(text.to_owned())) }
}

/// The form `aa-name-1`, as in botocore's pattern.
pub fn check_region(text: &str) -> Result<(), TargetError> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(REGION).ok());
    let good = FORM.as_ref().is_some_and(|it| it.is_match(text));
    if good { Ok(()) } else { Err(TargetError::BadRegion(text.to_owned())) }
}

/// A function name and nothing around it: the letters of [`NAME`]'s `name`.
fn is_bare_name(text: &str) -> bool {
    let letter = |it: u8| it.is_ascii_alphanumeric() || b"_.-".contains(&it);
    !text.is_empty() && text.bytes().all(letter)
}

fn check_qualifier(text: &str) -> Result<(), TargetError> {
    if text.starts_with("$LATEST") {
        return Err(TargetError::Latest);
    }
    let fits = (1..=128).contains(&text.len());
    let letters = text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it));
    if fits && letters { Ok(()) } else { Err(TargetError::BadQualifier(text.to_owned())) }
}

#[cfg(test)]
mod tests;
