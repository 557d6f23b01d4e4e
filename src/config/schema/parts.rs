//! What both schemas are made of. Nothing here needs more of a validator than draft 7 had, besides
//! `$defs`: that is what the editors' language servers know for sure.

use serde_json::{Map, Value, json};

use crate::drift::bridge::reserved_pattern;
use crate::policy::{patterns, risk::Risk};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A whole schema: a document that is a map, and what its parts refer to.
pub(super) fn root(title: &str, description: &str, document: Value, defs: &Value) -> Value {
    let mut res = json!({"$schema": DRAFT, "title": title, "description": description});
    extend(&mut res, document);
    extend(&mut res, json!({ "$defs": defs }));
    res
}

/// A map with these keys and no others, except the merge key. `property` has the schema of each key.
///
/// Who resolves merge keys validates the result; who does not is not told that something is missing
/// which an anchor has. So the rules over several keys hold only where no merge key stands.
pub(super) fn object(keys: &[&str], property: fn(&str) -> Value, rules: &[Value]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|it| ((*it).to_owned(), property(it))).collect();
    let mut res = json!({
        "type": "object",
        "properties": properties,
        "patternProperties": {"^<<$": {"$ref": "#/$defs/merge"}},
        "additionalProperties": false,
    });
    if !rules.is_empty() {
        let whole = json!({"if": {"required": ["<<"]}, "else": {"allOf": rules}});
        extend(&mut res, whole);
    }
    res
}

/// The same, and `x-` keys for anchors, which the readers take at the top of a file only.
pub(super) fn document(keys: &[&str], property: fn(&str) -> Value, rules: &[Value]) -> Value {
    let mut res = object(keys, property, rules);
    let anything = json!({"description": "For anchors only; nobody reads what stands here."});
    if let Some(it) = res.pointer_mut("/patternProperties") {
        extend(it, json!({ "^x-": anything }));
    }
    res
}

/// The first schema with the members of the second.
pub(super) fn with(mut schema: Value, more: Value) -> Value {
    extend(&mut schema, more);
    schema
}

/// A part of `$defs`, and what is said about it here.
pub(super) fn part(name: &str, description: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}"), "description": description})
}

/// Parts that both schemas refer to.
pub(super) fn common() -> Value {
    let words: Vec<&str> = Risk::ALL.iter().map(|it| it.code()).collect();
    let risks: Vec<String> = Risk::ALL.iter().map(|it| format!("{it}: {}", it.title())).collect();
    json!({
        "merge": {
            "description": "Keys of an anchored map, as far as they do not stand here themselves.",
            "type": ["object", "array"],
            "items": {"type": "object"},
            "minItems": 1,
        },
        // Said like this and not as three types, so that no editor offers `true` and `false` for a name.
        "text": {
            "if": {"type": ["array", "object", "null"]},
            "then": {"type": "string"},
        },
        "account": {
            "description": "The twelve digits of an account. Quotes keep other tools from dropping a leading zero.",
            "type": ["string", "integer"],
            "pattern": patterns::ACCOUNT,
            "minimum": 0,
            "maximum": 999_999_999_999_u64,
            "examples": ["123456789012"],
        },
        "region": {
            "description": "A region.",
            "type": "string",
            "pattern": patterns::REGION,
            "examples": ["us-east-1"],
        },
        "sid": with(text(patterns::SID), json!({
            "description": "The statement id: letters, digits, - and _, at most 100.",
            "not": reserved(),
        })),
        "risk": {
            "description": risks.join("\n\n"),
            "type": "string",
            "enum": words,
        },
    })
}

/// Sids of this form are permitd's own bridges.
pub(super) fn reserved() -> Value {
    // A pattern alone holds for everything that is no text.
    json!({"type": "string", "pattern": reserved_pattern()})
}

/// One value, whatever YAML takes it for; as a text it has to match.
pub(super) fn text(pattern: &str) -> Value {
    json!({"$ref": "#/$defs/text", "pattern": pattern})
}

/// A value in which `${…}` stands for something else at each function: nobody can say what it will be.
pub(super) fn filled(description: &str, schema: &Value) -> Value {
    json!({
        "description": description,
        "if": {"type": "string", "pattern": r"\$\{"},
        "else": schema,
    })
}

/// One word of a few.
pub(super) fn words<T>(words: &[(&str, T)]) -> Value {
    let words: Vec<&str> = words.iter().map(|(it, _)| *it).collect();
    json!({"type": "string", "enum": words})
}

/// If these keys stand there, this holds.
pub(super) fn if_there(keys: &[&str], then: &Value) -> Value {
    json!({"if": {"required": keys}, "then": then})
}

/// A word in any case, as IAM takes the names of actions.
pub(super) fn any_case(text: &str) -> String {
    let letter = |it: char| {
        if it.is_ascii_alphabetic() {
            format!("[{}{}]", it.to_ascii_lowercase(), it.to_ascii_uppercase())
        } else {
            regex::escape(&it.to_string())
        }
    };
    text.chars().map(letter).collect()
}

fn extend(schema: &mut Value, more: Value) {
    if let (Value::Object(map), Value::Object(more)) = (schema, more) {
        map.extend(more);
    }
}
