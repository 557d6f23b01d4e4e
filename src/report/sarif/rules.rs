//! The rules as code scanning shows them.

use serde::Serialize;

use super::Message;
use crate::config::rules::Rule;
use crate::policy::risk::Risk;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    id: &'static str,
    name: &'static str,
    short_description: Message,
    full_description: Message,
    help_uri: &'static str,
    help: Help,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties {
    tags: Vec<&'static str>,
    precision: &'static str,
    /// GitHub's scale of 0 to 10, and only for what is tagged `security`.
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<&'static str>,
    #[serde(rename = "problem.severity", skip_serializing_if = "Option::is_none")]
    problem_severity: Option<&'static str>,
}

pub(super) fn descriptor(rule: Rule) -> Descriptor {
    let (text, page) = (rule.explanation(), rule.reference());
    let severity = security_severity(rule);
    let kind = if severity.is_some() { "security" } else { "correctness" };
    Descriptor {
        id: rule.id(),
        name: name(rule),
        short_description: Message { text: rule.title().to_owned() },
        full_description: Message { text: text.to_owned() },
        help_uri: page,
        help: Help {
            text: format!("{text} See {page}"),
            markdown: format!("{text}\n\nSee <{page}>."),
        },
        default_configuration: Configuration { level: rule.severity().name() },
        properties: Properties {
            tags: vec![kind, "aws", "lambda"],
            precision: "very-high",
            security_severity: severity,
            problem_severity: severity.is_none().then(|| rule.severity().name()),
        },
    }
}

/// SARIF wants a name that people can read, in one word (3.49.7).
fn name(rule: Rule) -> &'static str {
    match rule {
        Rule::Risk(Risk::P001) => "ServiceWithoutSource",
        Rule::Risk(Risk::P002) => "AnyoneWithoutCondition",
        Rule::Risk(Risk::P003) => "S3SourceWithoutAccount",
        Rule::Risk(Risk::P004) => "WholeAccount",
        Rule::Risk(Risk::P005) => "WildcardAction",
        Rule::Risk(Risk::P006) => "SourceOfOtherAccounts",
        Rule::Risk(Risk::P007) => "HalfOfFunctionUrl",
        Rule::Risk(Risk::P008) => "SourceOfOtherService",
        Rule::ExpiresSoon => "ExpiresSoon",
        Rule::Expired => "Expired",
        Rule::DuplicateGrant => "DuplicateGrant",
        Rule::PolicyNearlyFull => "PolicyNearlyFull",
        Rule::PolicyTooLarge => "PolicyTooLarge",
        Rule::RuleMatchesNothing => "RuleMatchesNothing",
        Rule::SlowPass => "SlowPass",
        Rule::Invalid => "InvalidPermissionFile",
        Rule::Syntax => "SyntaxOfPermissionFile",
        Rule::Unreadable => "UnreadablePermissionFile",
    }
}

/// How much access somebody has who should perhaps not have it. GitHub calls 9 critical, 7 high, 4 medium.
fn security_severity(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::Risk(Risk::P002) => Some("9.1"),
        Rule::Risk(Risk::P005) => Some("8.0"),
        Rule::Risk(Risk::P001 | Risk::P006) => Some("7.0"),
        Rule::Risk(Risk::P003) => Some("6.0"),
        Rule::Risk(Risk::P004) => Some("4.0"),
        // They keep somebody out, or tell of what is wrong with a file.
        Rule::Risk(Risk::P007 | Risk::P008)
        | Rule::ExpiresSoon
        | Rule::Expired
        | Rule::DuplicateGrant
        | Rule::PolicyNearlyFull
        | Rule::PolicyTooLarge
        | Rule::RuleMatchesNothing
        | Rule::SlowPass
        | Rule::Invalid
        | Rule::Syntax
        | Rule::Unreadable => None,
    }
}
