//! The shape of what a client sends: Lambda's patterns and limits, and the texts about them.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::simulator::refusal::Refusal;

/// A pattern as Lambda prints it, and as it is matched: always as a whole.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: &'static str,
    compiled: LazyLock<Option<Regex>>,
}

fn compile(text: &str) -> Option<Regex> {
    // Java's \d is ASCII only; its lookahead, which `regex` has not, is checked by hand.
    let text = text.replace(r"\d", "[0-9]").replace("(?!^[0-9]+$)", "");
    Regex::new(&format!(r"\A(?:{text})\z")).ok()
}

impl Pattern {
    pub(crate) fn matches(&self, value: &str) -> bool {
        let number = !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit());
        let barred = self.text.starts_with("(?!^[0-9]+$)") && number;
        !barred && self.compiled.as_ref().is_some_and(|it| it.is_match(value))
    }
}

macro_rules! patterns {
    ($($name:ident = $text:literal;)*) => {
        $(pub(crate) static $name: Pattern =
            Pattern { text: $text, compiled: LazyLock::new(|| compile($text)) };)*
    };
}

patterns! {
    FUNCTION_NAME = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";
    QUALIFIER = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";
    STATEMENT_ID = r"([a-zA-Z0-9-_]+)";
    STATEMENT_ID_REMOVE = r"([a-zA-Z0-9-_.]+)";
    ACTION = r"(lambda:[*]|lambda:[a-zA-Z]+|[*])";
    PRINCIPAL = r"[^\s]+";
    SOURCE_ARN = r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)";
    SOURCE_ACCOUNT = r"\d{12}";
    EVENT_SOURCE_TOKEN = r"[a-zA-Z0-9._\-]+";
    PRINCIPAL_ORG_ID = r"o-[a-z0-9]{10,32}";
    REVISION_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    POLICY = r"[\s\S]+";
    POLICY_RESOURCE_ARN = r"arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_])+)?|runtime/[a-zA-Z0-9-_./]+)";
    TAGGABLE_ARN = r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})";
    ALIAS = r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)";
    VERSION = r"(\$LATEST(\.PUBLISHED)?|[0-9]+)";
    ROLE = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
}

/// What the API takes in one field.
#[derive(Debug)]
pub(crate) struct Rule {
    field: &'static str,
    min: usize,
    max: usize,
    pattern: &'static Pattern,
}

macro_rules! rules {
    ($($name:ident = $field:literal, $min:literal, $max:literal, $pattern:ident;)*) => {
        $(pub(crate) const $name: Rule =
            Rule { field: $field, min: $min, max: $max, pattern: &$pattern };)*
    };
}

rules! {
    A_FUNCTION_NAME = "functionName", 1, 256, FUNCTION_NAME;
    A_QUALIFIER = "qualifier", 1, 128, QUALIFIER;
    A_STATEMENT_ID = "statementId", 1, 100, STATEMENT_ID;
    A_REMOVED_STATEMENT_ID = "statementId", 1, 100, STATEMENT_ID_REMOVE;
    AN_ACTION = "action", 0, 10000, ACTION;
    A_PRINCIPAL = "principal", 0, 2048, PRINCIPAL;
    A_SOURCE_ARN = "sourceArn", 0, 10000, SOURCE_ARN;
    A_SOURCE_ACCOUNT = "sourceAccount", 0, 12, SOURCE_ACCOUNT;
    AN_EVENT_SOURCE_TOKEN = "eventSourceToken", 0, 256, EVENT_SOURCE_TOKEN;
    AN_ORG_ID = "principalOrgID", 12, 34, PRINCIPAL_ORG_ID;
    A_REVISION_ID = "revisionId", 36, 36, REVISION_ID;
    A_POLICY = "policy", 1, 20480, POLICY;
    A_RESOURCE_ARN = "resourceArn", 0, 512, POLICY_RESOURCE_ARN;
    A_TAGGABLE_ARN = "resource", 1, 10000, TAGGABLE_ARN;
    AN_ALIAS = "name", 1, 128, ALIAS;
    A_VERSION = "functionVersion", 1, 1024, VERSION;
    A_ROLE = "role", 0, 10000, ROLE;
}

/// Collects every constraint that is not met, for one answer.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<String>);

impl Checks {
    /// A value against its rule.
    pub(crate) fn text(&mut self, rule: &Rule, value: &str) {
        let Rule { field, min, max, pattern } = rule;
        if !pattern.matches(value) {
            let text = pattern.text;
            self.fail(value, field, &format!("satisfy regular expression pattern: {text}"));
        }
        let length = value.encode_utf16().count();
        if length > *max {
            self.fail(value, field, &format!("have length less than or equal to {max}"));
        }
        if length < *min {
            self.fail(value, field, &format!("have length greater than or equal to {min}"));
        }
    }

    /// A value that need not be there.
    pub(crate) fn optional(&mut self, rule: &Rule, value: Option<&str>) {
        if let Some(it) = value {
            self.text(rule, it);
        }
    }

    /// A value that has to be there.
    pub(crate) fn required(&mut self, rule: &Rule, value: Option<&str>) {
        match value {
            Some(it) => self.text(rule, it),
            None => self.missing(rule.field),
        }
    }

    /// Nothing where something has to be.
    pub(crate) fn missing(&mut self, field: &str) {
        self.0.push(format!(
            "Value null at '{field}' failed to satisfy constraint: Member must not be null"
        ));
    }

    /// One of a set.
    pub(crate) fn one_of(&mut self, field: &str, set: &[&str], value: Option<&str>) {
        if let Some(it) = value.filter(|it| !set.contains(it)) {
            let set = set.join(", ");
            self.fail(it, field, &format!("satisfy enum value set: [{set}]"));
        }
    }

    /// A number of a range.
    pub(crate) fn range(&mut self, field: &str, min: i64, max: i64, value: i64) {
        if value > max {
            let constraint = format!("have value less than or equal to {max}");
            self.fail(&value.to_string(), field, &constraint);
        }
        if value < min {
            let constraint = format!("have value greater than or equal to {min}");
            self.fail(&value.to_string(), field, &constraint);
        }
    }

    fn fail(&mut self, value: &str, field: &str, constraint: &str) {
        self.0.push(format!(
            "Value '{value}' at '{field}' failed to satisfy constraint: Member must {constraint}"
        ));
    }

    /// Refuses, if anything was found.
    pub(crate) fn done(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::validation(&self.0)) }
    }
}

/// The members of a JSON body; an empty body has none.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(it)) => Ok(it),
        Ok(_) => Err(Refusal::serialization(
            "Could not parse request body into json: the body is not an object",
        )),
        Err(error) => {
            Err(Refusal::serialization(format!("Could not parse request body into json: {error}")))
        }
    }
}

/// A member that is a string; `null` is as good as absent.
pub(crate) fn text<'a>(
    body: &'a Map<String, Value>,
    key: &str,
) -> Result<Option<&'a str>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(it)) => Ok(Some(it)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::serialization(format!("{key} is not a string")))
        }
    }
}

/// A member that is true or false.
pub(crate) fn flag(body: &Map<String, Value>, key: &str) -> Result<Option<bool>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(it)) => Ok(Some(*it)),
        Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::serialization(format!("{key} is not true or false")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: &Rule, value: &str, expected: &str) {
        let mut checks = Checks::default();
        checks.text(rule, value);
        let found = checks.done().err().and_then(|it| it.message).unwrap_or_default();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_pattern_compiles() {
        for it in [
            &FUNCTION_NAME,
            &QUALIFIER,
            &STATEMENT_ID,
            &STATEMENT_ID_REMOVE,
            &ACTION,
            &PRINCIPAL,
            &SOURCE_ARN,
            &SOURCE_ACCOUNT,
            &EVENT_SOURCE_TOKEN,
            &PRINCIPAL_ORG_ID,
            &REVISION_ID,
            &POLICY,
            &POLICY_RESOURCE_ARN,
            &TAGGABLE_ARN,
            &ALIAS,
            &VERSION,
            &ROLE,
        ] {
            assert!(it.compiled.is_some(), "{}", it.text);
        }
    }

    #[test]
    fn values_are_matched_as_a_whole() {
        check(&A_SOURCE_ACCOUNT, "123456789012", "");
        check(&A_STATEMENT_ID, "a-b_9", "");
        check(&AN_ALIAS, "v1", "");
        check(
            &AN_ALIAS,
            "2024",
            "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        );
        check(
            &A_SOURCE_ACCOUNT,
            "1234567890123",
            "2 validation errors detected: Value '1234567890123' at 'sourceAccount' failed to \
             satisfy constraint: Member must satisfy regular expression pattern: \\d{12}; \
             Value '1234567890123' at 'sourceAccount' failed to satisfy constraint: \
             Member must have length less than or equal to 12",
        );
    }

    #[test]
    fn a_star_for_the_region_of_a_source_arn_is_refused() {
        let matches = |it| SOURCE_ARN.matches(it);
        assert!(matches("arn:aws:execute-api:ap-southeast-1::*"));
        assert!(matches("arn:aws:s3:::bucket"));
        assert!(!matches("arn:aws:events:*:123456789012:rule/x"));
        assert!(!matches("arn:aws:iam::*:role/x"));
    }
}
