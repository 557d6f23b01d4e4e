//! One key under one operator of `Condition`.

use super::{
    Why,
    pattern::{Pattern, pattern},
    request::{Identity, Key, Request, Value},
};
use crate::policy::json::Json;

/// Whether a condition holds.
#[derive(Debug)]
pub(super) enum Held {
    Yes,
    /// Only because the call has no such key.
    Without,
    /// What the call has, if it has anything.
    No(Option<String>),
    Unknown(Why),
}

/// An operator by its parts (`reference_policies_elements_condition_operators.html`).
#[derive(Debug, Clone, Copy)]
struct Operator {
    set: Option<Set>,
    test: Test,
    /// All but the values.
    not: bool,
    if_exists: bool,
}

/// How several values of a call are taken together (`reference_policies_condition-single-vs-multi-valued-context-keys.html`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    All,
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Bool,
    Null,
}

/// The operators that are evaluated, in lower case: they are compared without it. ArnEquals does what ArnLike does.
const TESTS: &[(&str, Test, bool)] = &[
    ("stringequals", Test::Equals, false),
    ("stringnotequals", Test::Equals, true),
    ("stringequalsignorecase", Test::EqualsIgnoreCase, false),
    ("stringnotequalsignorecase", Test::EqualsIgnoreCase, true),
    ("stringlike", Test::Like, false),
    ("stringnotlike", Test::Like, true),
    ("arnequals", Test::Arn, false),
    ("arnlike", Test::Arn, false),
    ("arnnotequals", Test::Arn, true),
    ("arnnotlike", Test::Arn, true),
    ("bool", Test::Bool, false),
    ("null", Test::Null, false),
];

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (set, base) = match lower.split_once(':') {
            Some(("forallvalues", base)) => (Some(Set::All), base),
            Some(("foranyvalue", base)) => (Some(Set::Any), base),
            Some(_) => return None,
            None => (None, lower.as_str()),
        };
        let (base, if_exists) = match base.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (base, false),
        };
        let (_, test, not) = *TESTS.iter().find(|(known, ..)| *known == base)?;
        // "You can add IfExists to the end of any condition operator name except the Null condition."
        let plain = set.is_none() && !if_exists;
        (test != Test::Null || plain).then_some(Self { set, test, not, if_exists })
    }

    /// Whether it holds for a call that does not have the key: a plain operator does not, a negated one does.
    /// `ForAllValues` holds, `ForAnyValue` does not, and `…IfExists` does whatever else it says.
    fn holds_without(self) -> bool {
        self.if_exists
            || match self.set {
                Some(Set::All) => true,
                Some(Set::Any) => false,
                None => self.not,
            }
    }
}

/// It is for all but the values that stand there; what is not known is not.
pub(super) fn is_negated(operator: &str) -> bool {
    Operator::parse(operator).is_some_and(|it| it.not)
}

/// Whether it holds. `variables` where the policy's version has them.
pub(super) fn holds(
    operator: &str,
    key: &str,
    values: &Json,
    request: &Request,
    variables: bool,
) -> Held {
    let Some(parsed) = Operator::parse(operator) else {
        return Held::Unknown(Why::Operator(operator.to_owned()));
    };
    let Some(known) = Key::of(key) else { return Held::Unknown(Why::Key(key.to_owned())) };
    let Some(values) = scalars(values) else {
        return Held::Unknown(Why::Form("its values are of a form that permitd does not know"));
    };
    let given = request.value(known);
    if parsed.test == Test::Null {
        return null(&given, &values);
    }
    let given = match given {
        Value::Absent if parsed.holds_without() => return Held::Without,
        Value::Absent => return Held::No(None),
        Value::Hidden(why) => return Held::Unknown(Why::Caller(why)),
        // "… or if the key values resolve to a null data set, such as an empty string."
        Value::Text(it) if it.is_empty() && parsed.set == Some(Set::All) => return Held::Without,
        Value::Text(it) if it.is_empty() && parsed.set == Some(Set::Any) => return Held::No(None),
        Value::Text(it) => Given::Text(it),
        Value::RoleOf(it) => Given::RoleOf(it),
    };
    let variables = variables.then_some(request);
    match any(parsed.test, &values, &given, variables) {
        Ok(it) if it != parsed.not => Held::Yes,
        Ok(_) => Held::No(Some(given.shown())),
        Err(why) => Held::Unknown(why),
    }
}

/// The values as texts; none where one is no scalar, or there is none at all.
pub(super) fn scalars(values: &Json) -> Option<Vec<String>> {
    let res: Option<Vec<String>> = values.as_list().iter().map(Json::scalar).collect();
    res.filter(|it| !it.is_empty())
}

/// `true`: the key is not there; `false`: it is.
fn null(given: &Value<'_>, values: &[String]) -> Held {
    let wants = |text: &str| values.iter().any(|it| it.eq_ignore_ascii_case(text));
    let known = |it: &String| it.eq_ignore_ascii_case("true") || it.eq_ignore_ascii_case("false");
    if !values.iter().all(known) {
        return Held::Unknown(Why::Form("a value of Null is neither true nor false"));
    }
    match given {
        Value::Absent if wants("true") => Held::Without,
        Value::Absent => Held::No(None),
        // Whatever it is, it is there.
        Value::Text(_) | Value::RoleOf(_) | Value::Hidden(_) if wants("false") => Held::Yes,
        Value::Text(it) => Held::No(Some(it.clone())),
        Value::RoleOf(it) => Held::No(Some(it.role_arn())),
        Value::Hidden(why) => Held::Unknown(Why::Caller(why)),
    }
}

enum Given<'a> {
    Text(String),
    RoleOf(&'a Identity),
}

impl Given<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Text(it) => it.clone(),
            Self::RoleOf(it) => it.role_arn(),
        }
    }
}

/// One of the values is enough. One that matches is, too, where of another it cannot be told.
fn any(
    test: Test,
    values: &[String],
    given: &Given<'_>,
    variables: Option<&Request>,
) -> Result<bool, Why> {
    let mut unknown = None;
    for value in values {
        match one(test, value, given, variables) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.map_or(Ok(false), Err)
}

fn one(
    test: Test,
    value: &str,
    given: &Given<'_>,
    variables: Option<&Request>,
) -> Result<bool, Why> {
    let wildcards = matches!(test, Test::Like | Test::Arn);
    let pattern = pattern(value, wildcards, variables)?;
    let identity = match given {
        Given::Text(it) => return compare(test, &pattern, it),
        Given::RoleOf(it) => it,
    };
    let arn = identity.role_arn();
    if compare(test, &pattern, &arn)? {
        return Ok(true);
    }
    if pattern.may_match_in_a_path(&arn, identity.name()) {
        let why = "a session does not tell the path of its role; give the ARN of the role";
        return Err(Why::Caller(why));
    }
    Ok(false)
}

/// Values are compared with case, but for `…IgnoreCase` and Bool.
fn compare(test: Test, pattern: &Pattern, given: &str) -> Result<bool, Why> {
    match test {
        Test::Equals | Test::Like => Ok(pattern.matches(given)),
        Test::EqualsIgnoreCase | Test::Bool => Ok(pattern.matches_ignoring_case(given)),
        Test::Arn => pattern.matches_arn(given),
        // It is decided before anything is compared.
        Test::Null => Ok(false),
    }
}
