//! The only place that knows which spellings of a statement mean the same.
//!
//! The rules are those of `lambda-semantics.md`, section 5; `golden/equality.json` has a case for each.
//! The Sid is not part of it: it is a statement's identity, and the same content under another Sid is a rename.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::policy::json::Json;

/// What a statement says, in the one spelling that equal statements share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Canonical {
    /// Read and normalised.
    Plain(Box<Plain>),
    /// Not normalisable: compared as sorted JSON, so never equal to a grant.
    Opaque(String),
}

/// A normalised statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Plain {
    /// Exact: `allow` is not `Allow`.
    pub effect: String,
    /// Who, by kind: `AWS`, `Service`, …; a bare `*` stands under `AWS` where the effect is Allow, else under `*`.
    pub principal: Option<BTreeMap<String, BTreeSet<String>>>,
    /// The same for `NotPrincipal`.
    pub not_principal: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Lower case; action names are compared without it.
    pub action: Option<BTreeSet<String>>,
    /// The same for `NotAction`.
    pub not_action: Option<BTreeSet<String>>,
    /// Exact.
    pub resource: Option<BTreeSet<String>>,
    /// The same for `NotResource`.
    pub not_resource: Option<BTreeSet<String>>,
    /// Operator, key, values: the first two in lower case, `ArnEquals` as `ArnLike`.
    pub condition: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Canonical {
    /// `partition` is the function's own: there an account id means the root of that account.
    pub(crate) fn of(statement: &Json, partition: &str) -> Self {
        match plain(statement, partition) {
            Some(it) => Self::Plain(Box::new(it)),
            None => Self::Opaque(without_sid(statement).sorted_text()),
        }
    }

    /// The content of one statement given as JSON text. Text that is not JSON is opaque.
    pub fn of_text(statement: &str, partition: &str) -> Self {
        match Json::parse(statement) {
            Some(it) => Self::of(&it, partition),
            None => Self::Opaque(statement.to_owned()),
        }
    }

    /// One line that is the same for equal statements, for digests.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What was normalised, if it could be.
    pub fn plain(&self) -> Option<&Plain> {
        match self {
            Self::Plain(it) => Some(it),
            Self::Opaque(_) => None,
        }
    }
}

fn without_sid(statement: &Json) -> Json {
    match statement {
        Json::Object(members) => {
            Json::Object(members.iter().filter(|(key, _)| key != "Sid").cloned().collect())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            statement.clone()
        }
    }
}

/// None where a member stands twice, is unknown, or is of a shape that IAM does not have.
fn plain(statement: &Json, partition: &str) -> Option<Plain> {
    let Json::Object(members) = statement else { return None };
    let mut res = Plain {
        effect: String::new(),
        principal: None,
        not_principal: None,
        action: None,
        not_action: None,
        resource: None,
        not_resource: None,
        condition: BTreeMap::new(),
    };
    let allow = members.iter().any(|(key, it)| key == "Effect" && it.string() == Some("Allow"));
    for (at, (key, value)) in members.iter().enumerate() {
        if members.iter().take(at).any(|(it, _)| it == key) {
            return None;
        }
        match key.as_str() {
            "Sid" => {
                value.string()?;
            }
            "Effect" => value.string()?.clone_into(&mut res.effect),
            "Principal" => res.principal = Some(principals(value, partition, allow)?),
            "NotPrincipal" => res.not_principal = Some(principals(value, partition, false)?),
            "Action" => res.action = Some(strings(value, str::to_ascii_lowercase)?),
            "NotAction" => res.not_action = Some(strings(value, str::to_ascii_lowercase)?),
            "Resource" => res.resource = Some(strings(value, str::to_owned)?),
            "NotResource" => res.not_resource = Some(strings(value, str::to_owned)?),
            "Condition" => res.condition = conditions(value)?,
            _ => return None,
        }
    }
    (!res.effect.is_empty()).then_some(res)
}

/// Lists are sets, and a scalar is a list of one.
fn strings(value: &Json, fold: fn(&str) -> String) -> Option<BTreeSet<String>> {
    value.as_list().iter().map(|it| it.string().map(fold)).collect()
}

fn principals(
    value: &Json,
    partition: &str,
    star_is_aws: bool,
) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let mut res: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let Json::Object(kinds) = value else {
        let kind = if star_is_aws { "AWS" } else { "*" };
        let anyone = value.string().filter(|it| *it == "*")?;
        res.entry(kind.into()).or_default().insert(anyone.into());
        return Some(res);
    };
    for (kind, value) in kinds {
        let fold = |it: &str| match kind.as_str() {
            "AWS" if it.len() == 12 && it.bytes().all(|it| it.is_ascii_digit()) => {
                format!("arn:{partition}:iam::{it}:root")
            }
            _ => it.to_owned(),
        };
        let values: Option<BTreeSet<String>> =
            value.as_list().iter().map(|it| it.scalar().map(|it| fold(&it))).collect();
        if res.insert(kind.clone(), values?).is_some() {
            return None;
        }
    }
    Some(res)
}

fn conditions(value: &Json) -> Option<BTreeMap<String, BTreeMap<String, BTreeSet<String>>>> {
    let Json::Object(operators) = value else { return None };
    let mut res: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (operator, keys) in operators {
        let Json::Object(keys) = keys else { return None };
        let operator = operator_name(operator);
        let is_bool = operator.contains("bool");
        for (key, values) in keys {
            let fold = |it: &Json| {
                let text = it.scalar()?;
                Some(if is_bool { text.to_ascii_lowercase() } else { text })
            };
            let values: Option<BTreeSet<String>> = values.as_list().iter().map(fold).collect();
            let known = res.entry(operator.clone()).or_default();
            // Two spellings of one key have to hold both, one list of values only one of them.
            if known.insert(key.to_ascii_lowercase(), values?).is_some() {
                return None;
            }
        }
    }
    Some(res)
}

/// Operators are compared without case; `ArnEquals` does what `ArnLike` does.
/// `…IfExists`, `ForAllValues:` and `ForAnyValue:` are part of the operator.
pub(crate) fn operator_name(operator: &str) -> String {
    let lower = operator.to_ascii_lowercase();
    let (prefix, base) = match lower.rsplit_once(':') {
        Some((prefix, base)) => (format!("{prefix}:"), base),
        None => (String::new(), lower.as_str()),
    };
    let (base, suffix) = match base.strip_suffix("ifexists") {
        Some(base) => (base, "ifexists"),
        None => (base, ""),
    };
    let base = match base {
        "arnequals" => "arnlike",
        "arnnotequals" => "arnnotlike",
        it => it,
    };
    format!("{prefix}{base}{suffix}")
}
