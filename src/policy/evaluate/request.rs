//! A call: who calls what, and what AWS tells of it beside that.

use std::fmt;

use crate::policy::principal::{Principal, PrincipalError};

/// A call of Lambda, as a policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who calls.
    pub caller: Caller,
    /// For example `lambda:InvokeFunction`.
    pub action: String,
    /// The ARN of what is called: the function with its qualifier, as it was named in the call.
    pub resource: String,
    /// `aws:SourceArn`: for which resource a service calls.
    pub source_arn: Option<String>,
    /// `aws:SourceAccount`: for which account a service calls.
    pub source_account: Option<String>,
    /// `aws:PrincipalOrgID`: the organization of the caller.
    pub org: Option<String>,
    /// `lambda:EventSourceToken`.
    pub event_source_token: Option<String>,
    /// `lambda:FunctionUrlAuthType`.
    pub function_url_auth_type: Option<String>,
    /// `lambda:InvokedViaFunctionUrl`.
    pub invoked_via_function_url: Option<bool>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A service of AWS, by its principal.
    Service(String),
    /// A user, a role or a session of one, by its ARN.
    Identity(Identity),
    /// A principal of this account, of which no more is said: one that no statement names by itself.
    Account {
        /// The twelve digits.
        id: String,
        /// Of the account.
        partition: String,
    },
    /// A signed-in principal of an organization, of an account that no statement names.
    Member,
    /// Somebody who did not sign in.
    Anonymous,
}

/// Who signed in, by the ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// As it was given.
    pub arn: String,
    /// What it is.
    pub kind: Kind,
}

/// What kind of ARN it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The root user of an account.
    Root,
    /// An IAM user.
    User,
    /// A role: any session of it.
    Role,
    /// One session of a role.
    Session,
    /// A session of a user that `GetFederationToken` gave.
    Federated,
}

impl Request {
    /// A call of which nothing else is known.
    pub fn new(caller: Caller, action: &str, resource: &str) -> Self {
        Self {
            caller,
            action: action.to_owned(),
            resource: resource.to_owned(),
            source_arn: None,
            source_account: None,
            org: None,
            event_source_token: None,
            function_url_auth_type: None,
            invoked_via_function_url: None,
        }
    }

    /// The partition of what is called: there an account id in a policy means an account.
    pub(super) fn partition(&self) -> &str {
        self.resource.split(':').nth(1).unwrap_or_default()
    }

    pub(super) fn value(&self, key: Key) -> Value<'_> {
        let given = |it: &'_ Option<String>| it.clone().map_or(Value::Absent, Value::Text);
        match key {
            Key::SourceArn => given(&self.source_arn),
            Key::SourceAccount => given(&self.source_account),
            Key::PrincipalOrgId => given(&self.org),
            Key::EventSourceToken => given(&self.event_source_token),
            Key::FunctionUrlAuthType => given(&self.function_url_auth_type),
            Key::InvokedViaFunctionUrl => self
                .invoked_via_function_url
                .map_or(Value::Absent, |it| Value::Text(it.to_string())),
            Key::PrincipalArn => self.caller.arn(),
            Key::PrincipalAccount => self.caller.account_value(),
            Key::PrincipalIsAwsService => match self.caller {
                Caller::Anonymous => Value::Absent,
                Caller::Service(_) => Value::Text("true".into()),
                Caller::Identity(_) | Caller::Account { .. } | Caller::Member => {
                    Value::Text("false".into())
                }
            },
            Key::PrincipalServiceName => match &self.caller {
                Caller::Service(it) => Value::Text(it.clone()),
                Caller::Identity(_)
                | Caller::Account { .. }
                | Caller::Member
                | Caller::Anonymous => Value::Absent,
            },
        }
    }
}

/// What a call has under a key.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// Nothing.
    Absent,
    Text(String),
    /// The ARN of the role of this session, whose path, if it has one, the session does not tell.
    RoleOf(&'a Identity),
    /// Something that is not known here.
    Hidden(&'static str),
}

/// The condition keys whose values are known (`reference_policies_condition-keys.html`, and Lambda's own in
/// the Service Authorization Reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `aws:SourceArn`
    SourceArn,
    /// `aws:SourceAccount`
    SourceAccount,
    /// `aws:PrincipalOrgID`
    PrincipalOrgId,
    /// `aws:PrincipalArn`
    PrincipalArn,
    /// `aws:PrincipalAccount`
    PrincipalAccount,
    /// `aws:PrincipalIsAWSService`
    PrincipalIsAwsService,
    /// `aws:PrincipalServiceName`
    PrincipalServiceName,
    /// `lambda:EventSourceToken`
    EventSourceToken,
    /// `lambda:FunctionUrlAuthType`
    FunctionUrlAuthType,
    /// `lambda:InvokedViaFunctionUrl`
    InvokedViaFunctionUrl,
}

impl Key {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::SourceArn,
        Self::SourceAccount,
        Self::PrincipalOrgId,
        Self::PrincipalArn,
        Self::PrincipalAccount,
        Self::PrincipalIsAwsService,
        Self::PrincipalServiceName,
        Self::EventSourceToken,
        Self::FunctionUrlAuthType,
        Self::InvokedViaFunctionUrl,
    ];

    /// As AWS spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SourceArn => "aws:SourceArn",
            Self::SourceAccount => "aws:SourceAccount",
            Self::PrincipalOrgId => "aws:PrincipalOrgID",
            Self::PrincipalArn => "aws:PrincipalArn",
            Self::PrincipalAccount => "aws:PrincipalAccount",
            Self::PrincipalIsAwsService => "aws:PrincipalIsAWSService",
            Self::PrincipalServiceName => "aws:PrincipalServiceName",
            Self::EventSourceToken => "lambda:EventSourceToken",
            Self::FunctionUrlAuthType => "lambda:FunctionUrlAuthType",
            Self::InvokedViaFunctionUrl => "lambda:InvokedViaFunctionUrl",
        }
    }

    /// Names of keys are compared without case (`reference_policies_elements_condition.html`).
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }
}

/// Why a text is not a caller. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallerError {
    /// Of STS, and no session.
    #[error(
        "`{0}` is not a session; one looks like arn:aws:sts::123456789012:assumed-role/ROLE/SESSION"
    )]
    BadSession(String),
    /// The same as in a permission file.
    #[error(transparent)]
    Principal(#[from] PrincipalError),
}

impl Caller {
    /// Reads who calls; `partition` is the function's own. `*` is somebody who did not sign in, or with an
    /// organization any member of it.
    pub fn parse(text: &str, partition: &str, of_org: bool) -> Result<Self, CallerError> {
        if let Some(it) = Identity::parse(text) {
            return Ok(Self::Identity(it));
        }
        if text.starts_with("arn:") && text.split(':').nth(2) == Some("sts") {
            return Err(CallerError::BadSession(text.to_owned()));
        }
        Ok(match Principal::parse(text, partition)? {
            Principal::Anyone if of_org => Self::Member,
            Principal::Anyone => Self::Anonymous,
            Principal::Account(id) => Self::Account { id, partition: partition.to_owned() },
            Principal::Service(it) => Self::Service(it),
            // Every ARN of a role or user was taken above, and the rest is refused.
            Principal::Iam(arn) | Principal::Deleted(arn) => {
                Self::Identity(Identity { arn, kind: Kind::User })
            }
        })
    }

    /// Partition and account, where they are known.
    pub fn account(&self) -> Option<(&str, &str)> {
        match self {
            Self::Identity(it) => Some((it.partition(), it.account())),
            Self::Account { id, partition } => Some((partition, id)),
            Self::Service(_) | Self::Member | Self::Anonymous => None,
        }
    }

    /// `aws:PrincipalArn` is in every signed call, and of a session it is the ARN of the role.
    fn arn(&self) -> Value<'_> {
        match self {
            Self::Identity(it) if it.kind == Kind::Session => Value::RoleOf(it),
            Self::Identity(it) => Value::Text(it.arn.clone()),
            Self::Account { .. } | Self::Member => {
                Value::Hidden("which role or user calls is not said; give its ARN as the principal")
            }
            Self::Service(_) => {
                Value::Hidden("AWS does not say what aws:PrincipalArn is where a service calls")
            }
            Self::Anonymous => Value::Absent,
        }
    }

    /// `aws:PrincipalAccount` is in every call.
    fn account_value(&self) -> Value<'_> {
        match self {
            Self::Identity(it) => Value::Text(it.account().to_owned()),
            Self::Account { id, .. } => Value::Text(id.clone()),
            Self::Member => {
                Value::Hidden("which account calls is not said; give it as the principal")
            }
            Self::Service(_) => {
                Value::Hidden("AWS does not say what aws:PrincipalAccount is where a service calls")
            }
            Self::Anonymous => Value::Text("anonymous".into()),
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(it) => f.write_str(it),
            Self::Identity(it) => f.write_str(&it.arn),
            Self::Account { id, .. } => f.write_str(id),
            Self::Member | Self::Anonymous => f.write_str("*"),
        }
    }
}

impl Identity {
    /// The ARN of a root user, a user, a role or a session; none for anything else.
    pub fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = parts.as_slice() else {
            return None;
        };
        let digits = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
        if !partition.starts_with("aws") || !digits {
            return None;
        }
        let segments: Vec<&str> = resource.split('/').collect();
        let kind = match (*service, segments.as_slice()) {
            ("iam", ["root"]) => Kind::Root,
            ("iam", ["user", .., name]) if !name.is_empty() => Kind::User,
            ("iam", ["role", .., name]) if !name.is_empty() => Kind::Role,
            ("sts", ["assumed-role", role, session]) if !role.is_empty() && !session.is_empty() => {
                Kind::Session
            }
            ("sts", ["federated-user", name]) if !name.is_empty() => Kind::Federated,
            _ => return None,
        };
        Some(Self { arn: arn.to_owned(), kind })
    }

    /// For example `aws`.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or_default()
    }

    /// The twelve digits.
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// The name of the role or user, without its path: it is unique in its account all the same
    /// (`reference_identifiers.html`).
    pub fn name(&self) -> &str {
        match self.kind {
            Kind::Session => self.arn.split('/').nth(1).unwrap_or_default(),
            Kind::Root | Kind::User | Kind::Role | Kind::Federated => {
                self.arn.rsplit('/').next().unwrap_or_default()
            }
        }
    }

    /// The ARN that the role of a session has if it has no path.
    pub fn role_arn(&self) -> String {
        format!("arn:{}:iam::{}:role/{}", self.partition(), self.account(), self.name())
    }
}
