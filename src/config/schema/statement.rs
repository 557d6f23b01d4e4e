//! The schema of one statement of a permission file.

use serde_json::{Value, json};

use super::parts::{any_case, filled, if_there, object, part, text, with, words};
use crate::config::permissions::{EFFECTS, EXPIRES, STATEMENT_KEYS};
use crate::policy::{
    grant::{DEFAULT_ACTION, INVOKE_URL, MAX_SOURCE_ARN, UrlAuthType},
    patterns,
    principal::{self, MAX_LENGTH},
    terms::operator_pattern,
};

/// One item of `statements`.
pub(super) fn statement() -> Value {
    let rules = [
        json!({"required": ["sid"]}),
        json!({
            "if": {"required": ["principals"]},
            "then": {"properties": {"principal": false}},
            "else": {"required": ["principal"]},
        }),
        if_there(&["actions"], &json!({"properties": {"action": false}})),
        if_there(&["source_arns"], &json!({"properties": {"source_arn": false}})),
        if_there(&["source_accounts"], &json!({"properties": {"source_account": false}})),
        if_there(
            &["function_url_auth_type"],
            &with(
                of_action(INVOKE_URL),
                json!({
                    "if": {"required": ["actions"]},
                    "else": {"required": ["action"]},
                }),
            ),
        ),
        if_there(&["invoked_via_function_url"], &of_action(DEFAULT_ACTION)),
    ];
    object(STATEMENT_KEYS, of_statement, &rules)
}

/// Every action is this one.
fn of_action(action: &str) -> Value {
    let pattern = json!({"pattern": format!("^{}$", any_case(action))});
    json!({"properties": {"action": pattern, "actions": {"items": pattern}}})
}

fn of_statement(key: &str) -> Value {
    match key {
        "effect" => with(
            words(EFFECTS),
            json!({
                "description": format!("Whether it lets in or keeps out whoever else lets in. {WIDE}"),
                "default": "allow",
            }),
        ),
        "principals" => with(
            list("Several, instead of `principal`.", &filled(WHO, &who())),
            json!({
                "if": {"minItems": 2},
                "then": {"items": {"not": {"const": "*"}}},
                "examples": [["s3.amazonaws.com", "210987654321"]],
            }),
        ),
        "actions" => with(
            list(
                "Several, instead of `action`; a pattern, too.",
                &json!({
                    "type": "string",
                    "pattern": patterns::WIDE_ACTION,
                }),
            ),
            json!({"examples": [[DEFAULT_ACTION, "lambda:Get*"]]}),
        ),
        "source_arns" => with(
            list(
                "Several, instead of `source_arn`; each part may have * and ?.",
                &filled(
                    "A source ARN.",
                    &json!({
                        "type": "string",
                        "pattern": patterns::WIDE_SOURCE_ARN,
                        "maxLength": MAX_SOURCE_ARN,
                    }),
                ),
            ),
            json!({"examples": [["arn:aws:s3:::one", "arn:aws:s3:::other"]]}),
        ),
        "source_accounts" => with(
            list(
                "Several, instead of `source_account`.",
                &filled("An account.", &json!({"$ref": "#/$defs/account"})),
            ),
            json!({"examples": [["123456789012", "210987654321"]]}),
        ),
        "conditions" => conditions(),
        _ => of_plain(key),
    }
}

/// A list of at least one, none twice.
fn list(description: &str, items: &Value) -> Value {
    json!({
        "description": format!("{description} {WIDE}"),
        "type": "array",
        "items": items,
        "minItems": 1,
        "uniqueItems": true,
    })
}

/// As IAM has them: operator, key, value or values.
fn conditions() -> Value {
    let one_or_more = json!({
        "description": "A value, or a list of which one has to match.",
        "if": {"type": "array"},
        "then": {"items": {"$ref": "#/$defs/text"}, "minItems": 1},
        "else": {"$ref": "#/$defs/text"},
    });
    let map = |names: &str, values: &Value| {
        json!({
            "type": "object",
            "patternProperties": {"^<<$": {"$ref": "#/$defs/merge"}, names: values},
            "additionalProperties": false,
            "minProperties": 1,
        })
    };
    let keys = map(patterns::CONDITION_KEY, &one_or_more);
    with(
        map(&operator_pattern(), &keys),
        json!({
            "description": format!("Conditions of any kind, as IAM writes them: operator, key, value or list of values. {WIDE}"),
            "examples": [{
                "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
                "ArnLike": {"aws:SourceArn": ["arn:aws:s3:::one", "arn:aws:s3:::other"]},
                "Bool": {"aws:SecureTransport": "true"},
            }],
        }),
    )
}

const WIDE: &str = "Needs writer: document or auto where AddPermission cannot say it.";
const WHO: &str =
    "Who may invoke: a service, an account id, the ARN of a role or user, or \"*\" for anyone.";

fn who() -> Value {
    json!({
        "type": ["string", "integer"],
        "pattern": principal::pattern(),
        "maxLength": MAX_LENGTH,
        "minimum": 0,
        "maximum": 999_999_999_999_u64,
    })
}

fn of_plain(key: &str) -> Value {
    match key {
        "sid" => filled(
            "The statement id, unique in one policy: letters, digits, - and _, at most 100.",
            &json!({"$ref": "#/$defs/sid"}),
        ),
        "principal" => with(
            filled(WHO, &who()),
            json!({
                "examples": ["s3.amazonaws.com", "210987654321", "arn:aws:iam::210987654321:role/caller", "*"],
            }),
        ),
        "action" => json!({
            "description": "What may be done.",
            "type": "string",
            "pattern": patterns::ACTION,
            "default": DEFAULT_ACTION,
            "examples": [DEFAULT_ACTION, INVOKE_URL],
        }),
        "source_arn" => with(
            filled(
                "The resource on whose behalf the service calls; * and ? in its last part only.",
                &json!({"type": "string", "pattern": patterns::SOURCE_ARN, "maxLength": MAX_SOURCE_ARN}),
            ),
            json!({"examples": ["arn:aws:s3:::my-bucket"]}),
        ),
        "source_account" => filled(
            "The account that owns the source; ${account} is that of the function.",
            &json!({"$ref": "#/$defs/account"}),
        ),
        "principal_org_id" => json!({
            "description": "Only principals of this organization.",
            "type": "string",
            "pattern": patterns::ORG_ID,
            "examples": ["o-a1b2c3d4e5"],
        }),
        "event_source_token" => filled(
            "The token that the source sends, for example the id of an Alexa skill.",
            &text(patterns::TOKEN),
        ),
        "function_url_auth_type" => json!({
            "description": format!("How the function URL authenticates; goes with `action: {INVOKE_URL}` only."),
            "type": "string",
            "enum": UrlAuthType::ALL.map(UrlAuthType::as_str),
        }),
        "invoked_via_function_url" => json!({
            "description": format!("Only calls by way of the function URL; goes with `action: {DEFAULT_ACTION}` only."),
            "type": "boolean",
            "const": true,
        }),
        "expires" => json!({
            "description": "From this point in time on the permission is taken back: date, time and offset.",
            "type": "string",
            "pattern": EXPIRES,
            "examples": ["2026-12-31T00:00:00Z"],
        }),
        "accept" => json!({
            "description": "Risks of this statement that are known and accepted.",
            "type": "array",
            "items": {"$ref": "#/$defs/risk"},
        }),
        "description" => part("text", "For people: why this is there. It is never sent."),
        _ => Value::Bool(false),
    }
}
