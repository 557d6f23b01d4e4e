//! The schema of permission files.

use serde_json::{Value, json};

use super::parts::{
    common, document, filled, if_there, object, part, reserved, root, text, with, words,
};
use super::statement::statement;
use crate::config::permissions::{
    ALL, DOCUMENT_KEYS, ENTRY_KEYS, MATCH_KEYS, NAME_GLOB, OWNERSHIPS, QUALIFIER_GLOB, REPLACES,
    UNQUALIFIED, WRITERS,
};
use crate::drift::allow::Replace;
use crate::policy::patterns;

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
