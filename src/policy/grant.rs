//! What is wanted: one permission under one Sid, checked against what Lambda takes.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use regex::Regex;

use crate::policy::{
    patterns::{SOURCE_ARN, WIDE_ACTION, WIDE_SOURCE_ARN},
    principal::Principal,
    risk::Risk,
    source::Source,
    target::check_account,
    terms::Terms,
};

/// The action of a grant that names none.
pub const DEFAULT_ACTION: &str = "lambda:InvokeFunction";
/// The action that goes with `function_url_auth_type`.
pub const INVOKE_URL: &str = "lambda:InvokeFunctionUrl";
/// How long a `SourceArn` may be, in bytes.
pub const MAX_SOURCE_ARN: usize = 10_000;

/// One permission that the operator wants, as a file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The statement id: its identity in one policy.
    pub sid: String,
    /// What it says.
    pub terms: Terms,
    /// From this moment on it is not wanted any more.
    pub expires: Option<Timestamp>,
    /// Risks that are known and accepted.
    pub accept: Vec<Risk>,
    /// For people; never sent.
    pub description: Option<String>,
    /// Where it was written.
    pub source: Source,
    /// The rule for many functions that it comes from, as people call it; none for one that names its function.
    pub rule: Option<Arc<str>>,
}

/// What one AddPermission can allow: one principal, one action, up to six conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Who.
    pub principal: Principal,
    /// What; compared without case, kept as written.
    pub action: Action,
    /// `AWS:SourceArn`, under `ArnLike`.
    pub source_arn: Option<String>,
    /// `AWS:SourceAccount`.
    pub source_account: Option<String>,
    /// `aws:PrincipalOrgID`.
    pub principal_org_id: Option<String>,
    /// `lambda:EventSourceToken`.
    pub event_source_token: Option<String>,
    /// `lambda:FunctionUrlAuthType`.
    pub function_url_auth_type: Option<UrlAuthType>,
    /// `lambda:InvokedViaFunctionUrl`; false is never sent, for nobody knows what Lambda makes of it.
    pub invoked_via_function_url: bool,
}

/// An action, for example `lambda:InvokeFunction`. IAM ignores the case of action names.
#[derive(Debug, Clone, Eq)]
pub struct Action(pub String);

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

/// How a function URL authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UrlAuthType {
    /// Nobody is asked.
    None,
    /// By IAM.
    AwsIam,
}

impl UrlAuthType {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::None, Self::AwsIam];

    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::AwsIam => "AWS_IAM",
        }
    }

    /// From the API's spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// A statement as a file has it, before anything was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Draft<'a> {
    /// `sid`
    pub sid: &'a str,
    /// `principal`
    pub principal: &'a str,
    /// `action`; the default is [`DEFAULT_ACTION`].
    pub action: Option<&'a str>,
    /// `source_arn`
    pub source_arn: Option<&'a str>,
    /// `source_account`
    pub source_account: Option<&'a str>,
    /// `principal_org_id`
    pub principal_org_id: Option<&'a str>,
    /// `event_source_token`
    pub event_source_token: Option<&'a str>,
    /// `function_url_auth_type`
    pub function_url_auth_type: Option<&'a str>,
    /// `invoked_via_function_url`
    pub invoked_via_function_url: Option<bool>,
}

/// One thing that Lambda would refuse in a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key of the permission file that it is about.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl Permission {
    /// Whoever `principal` is, from anywhere.
    pub fn of(principal: Principal, action: Action) -> Self {
        Self {
            principal,
            action,
            source_arn: None,
            source_account: None,
            principal_org_id: None,
            event_source_token: None,
            function_url_auth_type: None,
            invoked_via_function_url: false,
        }
    }

    /// The statement of a file that asks for exactly this.
    pub fn draft<'a>(&'a self, sid: &'a str) -> Draft<'a> {
        let Self {
            principal,
            action,
            source_arn,
            source_account,
            principal_org_id,
            event_source_token,
            function_url_auth_type,
            invoked_via_function_url,
        } = self;
        Draft {
            sid,
            principal: principal.parameter(),
            action: Some(&action.0),
            source_arn: source_arn.as_deref(),
            source_account: source_account.as_deref(),
            principal_org_id: principal_org_id.as_deref(),
            event_source_token: event_source_token.as_deref(),
            function_url_auth_type: function_url_auth_type.map(UrlAuthType::as_str),
            invoked_via_function_url: invoked_via_function_url.then_some(true),
        }
    }
}

impl Draft<'_> {
    /// Checks everything against Lambda's patterns, limits and forbidden combinations
    /// (`lambda-semantics.md`, 2.1 and 2.4), and finds every problem, not the first.
    pub fn check(&self, partition: &str) -> Result<Permission, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut report = |field: &'static str, message: String| {
            problems.push(Problem { field, message });
        };
        if let Err(message) = check_sid(self.sid) {
            report("sid", message);
        }
        let principal = Principal::parse(self.principal, partition)
            .map_err(|it| report("principal", it.to_string()))
            .ok();
        let action = self.action.unwrap_or(DEFAULT_ACTION);
        if !is_action(action) {
            report("action", action_problem(action));
        }
        if let Some(it) = self.source_arn.filter(|it| !is_source_arn(it)) {
            report("source_arn", source_arn_problem(it));
        }
        if let Some(Err(error)) = self.source_account.map(check_account) {
            report("source_account", error.to_string());
        }
        if let Some(it) = self.principal_org_id.filter(|it| !is_org_id(it)) {
            report(
                "principal_org_id",
                format!("`{it}` is not an organization id; one looks like o-a1b2c3d4e5"),
            );
        }
        if let Some(it) = self.event_source_token.filter(|it| !is_token(it)) {
            report(
                "event_source_token",
                format!("`{it}` is not a token: letters, digits, `.`, `_` and `-`, at most 256"),
            );
        }
        let auth = self.function_url_auth_type.map(|it| (it, UrlAuthType::parse(it)));
        if let Some((text, None)) = auth {
            report("function_url_auth_type", format!("`{text}` is not NONE or AWS_IAM"));
        }
        if auth.is_some() && !action.eq_ignore_ascii_case(INVOKE_URL) {
            let message = format!(
                "function_url_auth_type goes with `action: {INVOKE_URL}` only; this is `{action}`"
            );
            report("function_url_auth_type", message);
        }
        match self.invoked_via_function_url {
            Some(true) if !action.eq_ignore_ascii_case(DEFAULT_ACTION) => report(
                "invoked_via_function_url",
                format!(
                    "invoked_via_function_url goes with `action: {DEFAULT_ACTION}` only; \
                     this is `{action}`"
                ),
            ),
            Some(false) => report(
                "invoked_via_function_url",
                "false is not a condition that Lambda is known to write; leave the key out".into(),
            ),
            Some(true) | None => {}
        }
        match principal {
            Some(principal) if problems.is_empty() => Ok(Permission {
                principal,
                action: Action(action.to_owned()),
                source_arn: self.source_arn.map(str::to_owned),
                source_account: self.source_account.map(str::to_owned),
                principal_org_id: self.principal_org_id.map(str::to_owned),
                event_source_token: self.event_source_token.map(str::to_owned),
                function_url_auth_type: auth.and_then(|(_, it)| it),
                invoked_via_function_url: self.invoked_via_function_url == Some(true),
            }),
            Some(_) | None => Err(problems),
        }
    }
}

/// What AddPermission takes as `StatementId`.
pub fn check_sid(sid: &str) -> Result<(), String> {
    let bad = sid.chars().find(|it| !(it.is_ascii_alphanumeric() || "-_".contains(*it)));
    match (sid.len(), bad) {
        (0, _) => Err("the sid is empty; letters, digits, `-` and `_`".into()),
        (_, Some(it)) => Err(format!(
            "`{}` may not stand in a sid; letters, digits, `-` and `_` may",
            it.escape_default()
        )),
        (101.., None) => Err(format!("the sid has {} characters; Lambda allows 100", sid.len())),
        (_, None) => Ok(()),
    }
}

/// `lambda:*`, `lambda:` and letters, or `*`.
pub fn is_action(text: &str) -> bool {
    let name = text.strip_prefix("lambda:");
    let letters = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphabetic());
    text == "*" || name.is_some_and(|it| it == "*" || letters(it))
}

/// The same in a policy document: `lambda:` and a pattern, too.
pub fn is_wide_action(text: &str) -> bool {
    static ACTION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(WIDE_ACTION).ok());
    ACTION.as_ref().is_some_and(|it| it.is_match(text))
}

/// IAM ignores the case of the service, too; files have it in lower case.
pub(crate) fn as_lambda_action(text: &str) -> String {
    match text.split_once(':') {
        Some((service, name)) if service.eq_ignore_ascii_case("lambda") => format!("lambda:{name}"),
        Some(_) | None => text.to_owned(),
    }
}

fn action_problem(text: &str) -> String {
    if is_wide_action(text) {
        format!("AddPermission takes no pattern like `{text}`; write `actions: [\"{text}\"]`")
    } else {
        format!("`{text}` is not an action of Lambda; one looks like {DEFAULT_ACTION}")
    }
}

/// botocore's pattern for `SourceArn`.
pub fn is_source_arn(text: &str) -> bool {
    static ARN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SOURCE_ARN).ok());
    text.len() <= MAX_SOURCE_ARN && ARN.as_ref().is_some_and(|it| it.is_match(text))
}

/// A source ARN in a policy document, where each part may be a pattern.
pub fn is_wide_source_arn(text: &str) -> bool {
    static ARN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(WIDE_SOURCE_ARN).ok());
    text.len() <= MAX_SOURCE_ARN && ARN.as_ref().is_some_and(|it| it.is_match(text))
}

/// What of one is wrong.
pub(crate) fn wide_source_arn_problem(text: &str) -> String {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let why = match parts.as_slice() {
        [arn, ..] if *arn != "arn" => "it has to start with arn:",
        [_, _, _, _, account, _]
            if !account.is_empty()
                && !account.contains(['*', '?'])
                && check_account(account).is_err() =>
        {
            "its account is not empty, has not twelve digits and no wildcard"
        }
        [_, _, _, _, _, _] if text.len() > MAX_SOURCE_ARN => "it is longer than 10,000 bytes",
        [_, _, _, _, _, _] => "its partition, service or region is not of the form of an ARN",
        _ => "an ARN has six parts, as in arn:aws:s3:::my-bucket",
    };
    format!("`{text}` is not a source ARN: {why}")
}

fn source_arn_problem(text: &str) -> String {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let why = match parts.as_slice() {
        [arn, ..] if *arn != "arn" => "it has to start with arn:",
        [_, _, _, region, _, _] if region.contains('*') => {
            "AddPermission takes no wildcard in the region; write one statement for each region, or \
             the ARN under `source_arns`"
        }
        [_, _, _, _, account, _] if account.contains('*') => {
            "AddPermission takes no wildcard in the account; leave it empty, write twelve digits, or \
             the ARN under `source_arns`"
        }
        [_, _, _, _, account, _] if !account.is_empty() && check_account(account).is_err() => {
            "its account is not empty and has not twelve digits"
        }
        [_, _, _, _, _, _] => "its partition, service or region is not of the form of an ARN",
        _ => "an ARN has six parts, as in arn:aws:s3:::my-bucket",
    };
    format!("`{text}` is not a source ARN that Lambda takes: {why}")
}

/// botocore's pattern for `PrincipalOrgID`.
pub fn is_org_id(text: &str) -> bool {
    let lower = |it: &str| it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    text.strip_prefix("o-").is_some_and(|it| lower(it) && (10..=32).contains(&it.len()))
}

/// botocore's pattern for `EventSourceToken`.
pub fn is_token(text: &str) -> bool {
    let letters = text.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it));
    letters && (1..=256).contains(&text.len())
}
