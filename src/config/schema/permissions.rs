//! The schema of permission files.

use serde_json::{Value, json};

use super::parts::{
    any_case, common, document, if_there, object, part, reserved, root, text, with, words,
};
use crate::config::permissions::{
    ALL, DOCUMENT_KEYS, ENTRY_KEYS, EXPIRES, MATCH_KEYS, NAME_GLOB, OWNERSHIPS, QUALIFIER_GLOB,
    REPLACES, STATEMENT_KEYS, UNQUALIFIED, WRITERS,
};
use crate::drift::allow::Replace;
use crate::policy::{
    grant::{DEFAULT_ACTION, INVOKE_URL, MAX_SOURCE_ARN, UrlAuthType},
    patterns,
    principal::{self, MAX_LENGTH},
};

/// JSON Schema 2020-12 of one document of a permission file.
pub fn permissions() -> Value {
    let about = "Who may invoke which functions of AWS Lambda, as permitd keeps it.";
    let rules = [
        json!({"required": ["functions"]}),
        if_there(&["accounts"], &json!({"properties": {"account": false}})),
        if_there(&["regions"], &json!({"properties": {"region": false}})),
    ];
    let own = json!({
        "function": with(text(patterns::FUNCTION), json!({
            "description": "A name, name:alias, a partial ARN or a full ARN.",
            "examples": ["my-function", "my-function:live"],
        })),
        "entry": entry(),
        "match": rule(),
        "statement": statement(),
    });
    let defs = with(common(), own);
    root("permitd permissions", about, document(DOCUMENT_KEYS, of_document, &rules), &defs)
}

fn of_document(key: &str) -> Value {
    match key {
        "account" => part(
            "account",
            "The account of functions that name none. Default: that of the settings or of the credentials.",
        ),
        "region" => part(
            "region",
            "The region of functions that name none. Default: that of the settings or of the AWS configuration.",
        ),
        "accounts" => several(
            "account",
            "Instead of `account`: in each of these accounts; all stands for those of the settings.",
        ),
        "regions" => several(
            "region",
            "Instead of `region`: in each of these regions; all stands for those of the settings.",
        ),
        "functions" => json!({
            "description": "The functions, and who may invoke them. Two entries for one function are put together.",
            "type": "array",
            "items": {"$ref": "#/$defs/entry"},
        }),
        _ => Value::Bool(false),
    }
}

/// A list, or the word for those of the settings.
fn several(item: &str, description: &str) -> Value {
    json!({
        "description": description,
        "if": {"type": "array"},
        "then": {"items": {"$ref": format!("#/$defs/{item}")}, "minItems": 1},
        "else": {"type": "string", "const": ALL},
    })
}

/// A value in which `${…}` stands for something else at each function: nobody can say what it will be.
fn filled(description: &str, schema: &Value) -> Value {
    json!({
        "description": description,
        "if": {"type": "string", "pattern": r"\$\{"},
        "else": schema,
    })
}

/// A rule for many functions.
fn rule() -> Value {
    object(
        MATCH_KEYS,
        of_match,
        &[json!({"anyOf": [{"required": ["name"]}, {"required": ["tags"]}]})],
    )
}

fn of_match(key: &str) -> Value {
    match key {
        "name" => with(
            text(NAME_GLOB),
            json!({
                "description": "A glob over the names of functions; the wildcards are * and ?.",
                "examples": ["orders-*"],
            }),
        ),
        "tags" => json!({
            "description": "Tags that a function has to have, all of them, with globs over their values.",
            "type": "object",
            "patternProperties": {"^<<$": {"$ref": "#/$defs/merge"}},
            "additionalProperties": {"$ref": "#/$defs/text"},
            "minProperties": 1,
            "examples": [{"team": "payments"}],
        }),
        "qualifiers" => json!({
            "description": format!(
                "{UNQUALIFIED} for the functions themselves, and globs over their aliases and versions, where there are such. Default: {UNQUALIFIED} alone."
            ),
            "type": "array",
            "items": text(QUALIFIER_GLOB),
            "minItems": 1,
            "examples": [[UNQUALIFIED, "live"]],
        }),
        _ => Value::Bool(false),
    }
}

fn entry() -> Value {
    let is_prefix =
        json!({"properties": {"ownership": {"const": "prefix"}}, "required": ["ownership"]});
    let rules = [
        json!({
            "if": {"required": ["names"]},
            "then": {"properties": {"function": false, "match": false}},
            "else": {
                "if": {"required": ["match"]},
                "then": {"properties": {"function": false, "qualifier": false}},
                "else": {"required": ["function"]},
            },
        }),
        if_there(&["except"], &json!({"required": ["match"]})),
        json!({"if": {"required": ["absent"]}, "else": {"required": ["statements"]}}),
        json!({
            "if": is_prefix,
            "then": {"required": ["sid_prefix"]},
            "else": {"properties": {"sid_prefix": false}},
        }),
        json!({
            "if": {"properties": {"empty": {"const": true}}, "required": ["empty"]},
            "then": {"properties": {"statements": {"maxItems": 0}}},
        }),
    ];
    object(ENTRY_KEYS, of_entry, &rules)
}

fn of_entry(key: &str) -> Value {
    match key {
        "function" => part(
            "function",
            "The function whose policy this is: a name, name:alias, a partial ARN or a full ARN.",
        ),
        "names" => json!({
            "description": "Several functions with the same statements, instead of `function`.",
            "type": "array",
            "items": {"$ref": "#/$defs/function"},
            "minItems": 1,
        }),
        "match" => part(
            "match",
            "A rule, instead of `function`: every function that matches now has the same statements.",
        ),
        "except" => json!({
            "description": "Beside `match`: globs over functions that the rule leaves out, name or name:qualifier.",
            "type": "array",
            "items": text(&excepted()),
            "examples": [["orders-legacy", "orders-*:old"]],
        }),
        "qualifier" => with(
            text(patterns::QUALIFIER),
            json!({
                "description": "An alias or a version, which has a policy of its own. Default: the unqualified function.",
                "examples": ["live"],
            }),
        ),
        "ownership" => with(
            ownership(),
            json!({"description": format!("{OWNERSHIP} Default: that of the settings.")}),
        ),
        "sid_prefix" => sid_prefix(),
        "absent" => json!({
            "description": "Sids to take back where ownership is declared.",
            "type": "array",
            "items": filled("A Sid.", &with(text(patterns::REMOVABLE_SID), json!({"not": reserved()}))),
        }),
        "suspend" => json!({
            "description": "Only watch: drift is reported, nothing is changed.",
            "type": "boolean",
            "default": false,
        }),
        "writer" => with(words(WRITERS), json!({"description": WRITER})),
        "compact" => json!({"type": "boolean", "description": COMPACT}),
        "replace" => with(
            replace(),
            json!({"description": format!("{REPLACE} Default: that of the settings.")}),
        ),
        "empty" => json!({
            "description": "Beside `ownership: all` and no statements: yes, everything is to be taken back.",
            "type": "boolean",
            "default": false,
        }),
        "statements" => json!({
            "description": "The permissions, one for each principal.",
            "type": "array",
            "items": {"$ref": "#/$defs/statement"},
        }),
        _ => Value::Bool(false),
    }
}

/// `name` or `name:qualifier`, as globs.
fn excepted() -> String {
    let inner = |it: &'static str| it.trim_start_matches('^').trim_end_matches('$');
    format!("^{}(:{})?$", inner(NAME_GLOB), inner(QUALIFIER_GLOB))
}

fn statement() -> Value {
    let action = |it: &str| json!({"action": {"pattern": format!("^{}$", any_case(it))}});
    let rules = [
        json!({"required": ["sid", "principal"]}),
        if_there(
            &["function_url_auth_type"],
            &json!({"required": ["action"], "properties": action(INVOKE_URL)}),
        ),
        if_there(&["invoked_via_function_url"], &json!({"properties": action(DEFAULT_ACTION)})),
    ];
    object(STATEMENT_KEYS, of_statement, &rules)
}

fn of_statement(key: &str) -> Value {
    match key {
        "sid" => filled(
            "The statement id, unique in one policy: letters, digits, - and _, at most 100.",
            &json!({"$ref": "#/$defs/sid"}),
        ),
        "principal" => with(
            filled(
                "Who may invoke: a service, an account id, the ARN of a role or user, or \"*\" for anyone.",
                &json!({
                    "type": ["string", "integer"],
                    "pattern": principal::pattern(),
                    "maxLength": MAX_LENGTH,
                    "minimum": 0,
                    "maximum": 999_999_999_999_u64,
                }),
            ),
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

/// What the words of `ownership` mean.
pub(super) const OWNERSHIP: &str = "Which live statements belong to the files. all: the policy is exactly what is \
     written here. prefix: what is written, and all Sids that begin with sid_prefix. declared: only what is \
     written, as statements or as absent.";
/// What the words of `replace` mean.
pub(super) const REPLACE: &str = "How a changed statement is replaced, for Lambda has no update. bridge: its new \
     content stands under another Sid meanwhile, so nobody is locked out. direct: it is removed, then added, \
     with half the calls and a moment without it.";

/// `ownership`; the settings have the same key.
pub(super) fn ownership() -> Value {
    words(OWNERSHIPS)
}

/// `replace`; the settings have the same key, with a default.
pub(super) fn replace() -> Value {
    words(REPLACES)
}

/// What the words of `writer` mean.
pub(super) const WRITER: &str = "By which calls a policy is written. statements: AddPermission and RemovePermission, one statement at a \
time, and the rest is not touched. document: PutResourcePolicy, all changes of a function at once, without a gap and \
without a bridge; the only one that can write Deny, lists and conditions of any kind. auto: document where it saves a \
gap, a bridge or space, or where nothing else can say what is wanted; else, and where Lambda does not take \
PutResourcePolicy, statements.";
/// What `compact` means.
const COMPACT: &str = "Write grants that differ only in source_arn (or source_account, or principal) as one statement with a list, \
under a Sid of permitd's own. Needs writer: document or auto.";

/// The word for a way to replace.
pub(super) fn name_of(replace: Replace) -> Option<&'static str> {
    REPLACES.iter().find(|(_, it)| *it == replace).map(|(word, _)| *word)
}

/// `sid_prefix`; the settings have the same key.
pub(super) fn sid_prefix() -> Value {
    with(
        text(patterns::SID),
        json!({
            "description": "Goes with `ownership: prefix`, and only with it: how the Sids begin that belong to the files.",
            "examples": ["media-"],
        }),
    )
}
