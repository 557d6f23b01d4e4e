//! What a grant says: what one AddPermission can, or what only a write of the whole document can.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::policy::{
    canonical::Canonical,
    document,
    grant::{Action, Permission, UrlAuthType},
    patterns::CONDITION_KEY,
    principal::Principal,
    statement::{Class, Statement},
    target::Target,
};

mod draft;
mod operators;
mod read;

pub use draft::{Flaw, Part, WideDraft};
pub use operators::{is_operator, operator_pattern, operators};

/// The content of a grant. Whatever AddPermission can say is [`Terms::Plain`], however it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terms {
    /// One principal, one action, six conditions.
    Plain(Permission),
    /// A Deny, lists, conditions of any kind: PutResourcePolicy writes it, AddPermission cannot.
    Wide(Box<Wide>),
}

/// What only a write of the whole document can say, at one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wide {
    /// The members of the statement after its Sid, as JSON text without the braces.
    members: String,
    canonical: Canonical,
    partition: String,
    parts: Parts,
    principals: Vec<String>,
    source_arns: Vec<String>,
}

/// The parts of a statement beyond AddPermission, each of its values checked already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// Whether it denies.
    pub denies: bool,
    /// Who; at least one.
    pub principals: Vec<Principal>,
    /// What; at least one.
    pub actions: Vec<Action>,
    /// Operator, key, values, in IAM's words and in the order of the file; no operator twice with one key.
    pub conditions: Vec<(String, String, Vec<String>)>,
}

impl From<Permission> for Terms {
    fn from(it: Permission) -> Self {
        Self::Plain(it)
    }
}

impl Terms {
    /// Of these parts, at this target.
    pub fn of(parts: &Parts, target: &Target) -> Self {
        let members = members(parts, target);
        // What AddPermission could have made is told by the same rules as for a live statement.
        let probe = Statement::read(&format!(r#"{{"Sid":"x",{members}}}"#), target);
        if let Class::Expressible(it) = probe.class() {
            return Self::Plain(it.clone());
        }
        Self::Wide(Box::new(Wide {
            canonical: probe.canonical(target),
            partition: target.partition().to_owned(),
            principals: probe.principals().into_iter().map(str::to_owned).collect(),
            source_arns: probe.source_arns().into_iter().map(str::to_owned).collect(),
            parts: parts.clone(),
            members,
        }))
    }

    /// Of a live statement, byte for byte. None for one without a Sid, and for one whose principal was deleted.
    pub fn of_statement(statement: &Statement, target: &Target) -> Option<Self> {
        match statement.class() {
            Class::Expressible(it) => return Some(Self::Plain(it.clone())),
            Class::Inexpressible(_) if !statement.blocks_adding() => {}
            Class::Inexpressible(_) | Class::Orphaned(_) | Class::Fixed(_) => return None,
        }
        let members = document::members(statement.text())?;
        let rest = members.iter().filter(|(key, _)| key != "Sid");
        let texts: Vec<String> =
            rest.map(|(key, it)| format!("{}:{}", Value::from(key.as_str()), it.get())).collect();
        Some(Self::Wide(Box::new(Wide {
            members: texts.join(","),
            canonical: statement.canonical(target),
            partition: target.partition().to_owned(),
            parts: Parts { denies: statement.denies(), ..Parts::default() },
            principals: statement.principals().into_iter().map(str::to_owned).collect(),
            source_arns: statement.source_arns().into_iter().map(str::to_owned).collect(),
        })))
    }

    /// The statement for it: byte for byte as AddPermission writes it, where that can.
    pub fn statement_text(&self, sid: &str, target: &Target) -> String {
        match self {
            Self::Plain(it) => it.statement_text(sid, target),
            Self::Wide(it) => format!(r#"{{"Sid":{},{}}}"#, Value::from(sid), it.members),
        }
    }

    /// What AddPermission is asked for, where it can say this.
    pub fn plain(&self) -> Option<&Permission> {
        match self {
            Self::Plain(it) => Some(it),
            Self::Wide(_) => None,
        }
    }

    /// They say the same, in whatever order and spelling.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(a), Self::Plain(b)) => a == b,
            (Self::Wide(a), Self::Wide(b)) => a.canonical == b.canonical,
            (Self::Plain(_), Self::Wide(_)) | (Self::Wide(_), Self::Plain(_)) => false,
        }
    }

    /// It takes access away from whoever else lets in.
    pub fn denies(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Wide(it) => it.parts.denies,
        }
    }

    /// Every principal it names, as AddPermission takes it or, of lists, as the statement has it.
    pub fn principals(&self) -> Vec<&str> {
        match self {
            Self::Plain(it) => vec![it.principal.parameter()],
            Self::Wide(it) => it.principals.iter().map(String::as_str).collect(),
        }
    }

    /// Every source ARN it names.
    pub fn source_arns(&self) -> Vec<&str> {
        match self {
            Self::Plain(it) => it.source_arn.as_deref().into_iter().collect(),
            Self::Wide(it) => it.source_arns.iter().map(String::as_str).collect(),
        }
    }
}

impl Wide {
    /// What it was made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The statement without a Sid.
    pub(crate) fn text(&self) -> String {
        format!("{{{}}}", self.members)
    }

    /// The function's own.
    pub(crate) fn partition(&self) -> &str {
        &self.partition
    }

    /// A live statement with this text says the same.
    pub(crate) fn is_said_by(&self, text: &str) -> bool {
        Canonical::of_text(text, &self.partition) == self.canonical
    }
}

/// The key for `source_arn`, as Lambda spells it.
pub(crate) const SOURCE_ARN: &str = "AWS:SourceArn";
/// The key for `source_account`, likewise.
pub(crate) const SOURCE_ACCOUNT: &str = "AWS:SourceAccount";

impl Parts {
    /// Of what AddPermission can say, in the order in which Lambda writes it.
    pub fn of(permission: &Permission) -> Self {
        let Permission {
            principal,
            action,
            source_arn,
            source_account,
            principal_org_id,
            event_source_token,
            function_url_auth_type,
            invoked_via_function_url,
        } = permission;
        let auth = function_url_auth_type.map(UrlAuthType::as_str);
        let via_url = invoked_via_function_url.then_some("true");
        let all = [
            ("StringEquals", SOURCE_ACCOUNT, source_account.as_deref()),
            ("StringEquals", "lambda:FunctionUrlAuthType", auth),
            ("StringEquals", "aws:PrincipalOrgID", principal_org_id.as_deref()),
            ("StringEquals", "lambda:EventSourceToken", event_source_token.as_deref()),
            ("ArnLike", SOURCE_ARN, source_arn.as_deref()),
            ("Bool", "lambda:InvokedViaFunctionUrl", via_url),
        ];
        let condition = |(operator, key, value): (&str, &str, Option<&str>)| {
            Some((operator.to_owned(), key.to_owned(), vec![value?.to_owned()]))
        };
        Self {
            denies: false,
            principals: vec![principal.clone()],
            actions: vec![action.clone()],
            conditions: all.into_iter().filter_map(condition).collect(),
        }
    }
}

/// The statement under a Sid, whether AddPermission could make it or not.
pub(crate) fn text(parts: &Parts, sid: &str, target: &Target) -> String {
    format!(r#"{{"Sid":{},{}}}"#, Value::from(sid), members(parts, target))
}

/// A service, a colon and a name. `${` is left to values.
pub fn is_condition_key(text: &str) -> bool {
    static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(CONDITION_KEY).ok());
    KEY.as_ref().is_some_and(|it| it.is_match(text))
}

/// In the order of a statement that AddPermission writes.
fn members(parts: &Parts, target: &Target) -> String {
    let Parts { denies, principals, actions, conditions } = parts;
    let mut condition: Map<String, Value> = Map::new();
    for (operator, key, values) in conditions {
        let keys = condition.entry(operator.clone()).or_insert_with(|| json!({}));
        if let Some(keys) = keys.as_object_mut() {
            keys.insert(key.clone(), one_or_list(values));
        }
    }
    let actions: Vec<String> = actions.iter().map(|it| it.0.clone()).collect();
    let effect = Value::from(if *denies { "Deny" } else { "Allow" });
    let mut res = vec![
        format!(r#""Effect":{effect}"#),
        format!(r#""Principal":{}"#, principal_value(principals, target)),
        format!(r#""Action":{}"#, one_or_list(&actions)),
        format!(r#""Resource":{}"#, Value::from(target.arn())),
    ];
    if !condition.is_empty() {
        res.push(format!(r#""Condition":{}"#, Value::Object(condition)));
    }
    res.join(",")
}

fn principal_value(principals: &[Principal], target: &Target) -> Value {
    if principals == [Principal::Anyone] {
        return Value::from("*");
    }
    let (mut aws, mut services) = (Vec::new(), Vec::new());
    for it in principals {
        match it {
            Principal::Service(it) => services.push(it.clone()),
            Principal::Account(id) => {
                aws.push(format!("arn:{}:iam::{id}:root", target.partition()));
            }
            Principal::Anyone => aws.push("*".to_owned()),
            Principal::Iam(it) | Principal::Deleted(it) => aws.push(it.clone()),
        }
    }
    let mut kinds: Map<String, Value> = Map::new();
    for (kind, values) in [("AWS", aws), ("Service", services)] {
        if !values.is_empty() {
            kinds.insert(kind.to_owned(), one_or_list(&values));
        }
    }
    Value::Object(kinds)
}

fn one_or_list(values: &[String]) -> Value {
    match values {
        [one] => Value::from(one.as_str()),
        several => Value::from(several.to_vec()),
    }
}
