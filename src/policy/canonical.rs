//! The only place that knows which spellings of a statement mean the same.
//!
//! The rules are those of `lambda-semantics.md`, section 5; `golden/equality.json` has a case for each.
//! The Sid is not part of it: it is a statement's identity, and the same content under another Sid is a rename.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::policy::json::Json;

/// What a statement says, in the one spelling that equal statements share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Canonical<'a> {
    /// Read and normalised.
    Plain(Box<Plain<'a>>),
    /// Not normalisable: compared as sorted JSON, so never equal to a grant.
    Opaque(String),
}

/// A normalised statement. What needed no other spelling is a part of its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Plain<'a> {
    /// Exact: `allow` is not `Allow`.
    pub effect: Cow<'a, str>,
    /// Who, by kind: `AWS`, `Service`, …; a bare `*` stands under `AWS` where the effect is Allow, else under `*`.
    pub principal: Option<Map<'a, Texts<'a>>>,
    /// The same for `NotPrincipal`.
    pub not_principal: Option<Map<'a, Texts<'a>>>,
    /// Lower case; action names are compared without it.
    pub action: Option<Texts<'a>>,
    /// The same for `NotAction`.
    pub not_action: Option<Texts<'a>>,
    /// Exact.
    pub resource: Option<Texts<'a>>,
    /// The same for `NotResource`.
    pub not_resource: Option<Texts<'a>>,
    /// Operator, key, values: the first two in lower case, `ArnEquals` as `ArnLike`.
    pub condition: Map<'a, Map<'a, Texts<'a>>>,
}

/// A set of texts: sorted, each once.
pub type Texts<'a> = Vec<Cow<'a, str>>;

/// Values by their names, sorted. Nearly all have one name in them, for which a tree is too much.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Map<'a, T>(Vec<(Cow<'a, str>, T)>);

impl<'a, T> Map<'a, T> {
    /// By name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.iter().find(|(it, _)| *it == name).map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The same with another value for this name; without it if it is not there.
    pub(crate) fn with(mut self, name: &str, value: T) -> Self {
        if let Some((_, old)) = self.0.iter_mut().find(|(it, _)| it == name) {
            *old = value;
        }
        self
    }

    /// One name and its value.
    pub(crate) fn single(name: Cow<'a, str>, value: T) -> Self {
        Self(vec![(name, value)])
    }

    /// The value of this name, which `new` makes where there is none.
    fn entry(&mut self, name: Cow<'a, str>, new: impl FnOnce() -> T) -> Option<&mut T> {
        let at = self.0.binary_search_by(|(it, _)| it.cmp(&name)).unwrap_or_else(|at| {
            self.0.insert(at, (name, new()));
            at
        });
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// None if there is such a name already.
    fn insert(&mut self, name: Cow<'a, str>, value: T) -> Option<()> {
        let at = self.0.binary_search_by(|(it, _)| it.cmp(&name)).err()?;
        self.0.insert(at, (name, value));
        Some(())
    }
}

impl<T> Default for Map<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Serialize> Serialize for Map<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'a> Canonical<'a> {
    /// `partition` is the function's own: there an account id means the root of that account.
    pub(crate) fn of(statement: &Json<'a>, partition: &str) -> Self {
        match plain(statement, partition) {
            Some(it) => Self::Plain(Box::new(it)),
            None => Self::Opaque(without_sid(statement).sorted_text()),
        }
    }

    /// The content of one statement given as JSON text. Text that is not JSON is opaque.
    pub fn of_text(statement: &'a str, partition: &str) -> Self {
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
    pub fn plain(&self) -> Option<&Plain<'a>> {
        match self {
            Self::Plain(it) => Some(it),
            Self::Opaque(_) => None,
        }
    }
}

fn without_sid<'a>(statement: &Json<'a>) -> Json<'a> {
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
fn plain<'a>(statement: &Json<'a>, partition: &str) -> Option<Plain<'a>> {
    let Json::Object(members) = statement else { return None };
    let mut res = Plain {
        effect: Cow::default(),
        principal: None,
        not_principal: None,
        action: None,
        not_action: None,
        resource: None,
        not_resource: None,
        condition: Map::default(),
    };
    let allow = members.iter().any(|(key, it)| key == "Effect" && it.string() == Some("Allow"));
    for (at, (key, value)) in members.iter().enumerate() {
        if members.iter().take(at).any(|(it, _)| it == key) {
            return None;
        }
        match key.as_ref() {
            "Sid" => {
                value.string()?;
            }
            "Effect" => res.effect = value.text()?,
            "Principal" => res.principal = Some(principals(value, partition, allow)?),
            "NotPrincipal" => res.not_principal = Some(principals(value, partition, false)?),
            "Action" => res.action = Some(texts(value, |it| it.text().map(lower))?),
            "NotAction" => res.not_action = Some(texts(value, |it| it.text().map(lower))?),
            "Resource" => res.resource = Some(texts(value, Json::text)?),
            "NotResource" => res.not_resource = Some(texts(value, Json::text)?),
            "Condition" => res.condition = conditions(value)?,
            _ => return None,
        }
    }
    (!res.effect.is_empty()).then_some(res)
}

/// Lists are sets, and a scalar is a list of one.
fn texts<'a>(
    value: &Json<'a>,
    of: impl Fn(&Json<'a>) -> Option<Cow<'a, str>>,
) -> Option<Texts<'a>> {
    let mut res: Texts<'a> = value.as_list().iter().map(of).collect::<Option<_>>()?;
    res.sort_unstable();
    res.dedup();
    Some(res)
}

fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|it| it.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text
    }
}

fn principals<'a>(
    value: &Json<'a>,
    partition: &str,
    star_is_aws: bool,
) -> Option<Map<'a, Texts<'a>>> {
    let mut res = Map::default();
    let Json::Object(kinds) = value else {
        let kind = if star_is_aws { "AWS" } else { "*" };
        let anyone = value.text().filter(|it| it == "*")?;
        res.insert(kind.into(), vec![anyone])?;
        return Some(res);
    };
    for (kind, value) in kinds {
        let fold = |it: &Json<'a>| match it.scalar()? {
            it if kind == "AWS" && it.len() == 12 && it.bytes().all(|it| it.is_ascii_digit()) => {
                Some(format!("arn:{partition}:iam::{it}:root").into())
            }
            it => Some(it),
        };
        res.insert(kind.clone(), texts(value, fold)?)?;
    }
    Some(res)
}

fn conditions<'a>(value: &Json<'a>) -> Option<Map<'a, Map<'a, Texts<'a>>>> {
    let Json::Object(operators) = value else { return None };
    let mut res: Map<'a, Map<'a, Texts<'a>>> = Map::default();
    for (operator, keys) in operators {
        let Json::Object(keys) = keys else { return None };
        let operator = operator_name(operator);
        let is_bool = operator.contains("bool");
        for (key, values) in keys {
            let fold = |it: &Json<'a>| {
                let text = it.scalar()?;
                Some(if is_bool { lower(text) } else { text })
            };
            let values = texts(values, fold)?;
            // Two spellings of one key have to hold both, one list of values only one of them.
            let known = res.entry(operator.clone().into(), Map::default)?;
            known.insert(lower(key.clone()), values)?;
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
