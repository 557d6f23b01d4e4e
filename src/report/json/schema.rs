//! The closed sets of the report, and its JSON Schema.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;

use crate::drift::{
    allow::Reason,
    diff::Kind,
    outcome::{State, StepResult, TroubleReason},
    plan::Effect,
};
use crate::policy::risk::Risk;
use crate::report::json::{FORMAT_VERSION, shape::Report};

/// The JSON Schema (2020-12) of the report. `config/schema/report.json` is a copy of it, and a test keeps it one.
pub fn schema() -> Value {
    let mut res = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Report<'static>>();
    let id = format!("urn:permitd:schema:report:{FORMAT_VERSION}");
    // They are read first, so they stand first.
    let mut all = serde_json::Map::new();
    all.insert("$schema".into(), res.remove("$schema").unwrap_or_default());
    all.insert("$id".into(), id.into());
    all.insert("title".into(), res.remove("title").unwrap_or_default());
    all.insert("description".into(), res.remove("description").unwrap_or_default());
    all.insert("version".into(), FORMAT_VERSION.into());
    all.extend(std::mem::take(res.ensure_object()));
    let mut res = Value::Object(all);
    tidy(&mut res);
    res
}

/// Lines of a comment become one text, and formats that only Rust knows go.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("format").and_then(Value::as_str) == Some("uint") {
                members.shift_remove("format");
            }
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace("\n\n", "\u{0}").replace('\n', " ").replace('\u{0}', "\n\n");
            }
            members.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn closed<'a>(names: impl IntoIterator<Item = &'a str>) -> Schema {
    let names: Vec<&str> = names.into_iter().collect();
    json_schema!({ "type": "string", "enum": names })
}

fn or_null<'a>(names: impl IntoIterator<Item = &'a str>) -> Schema {
    let mut names: Vec<Value> = names.into_iter().map(Value::from).collect();
    names.push(Value::Null);
    json_schema!({ "type": ["string", "null"], "enum": names })
}

pub(super) fn state(_: &mut SchemaGenerator) -> Schema {
    closed(State::ALL.map(State::name))
}

pub(super) fn kind(_: &mut SchemaGenerator) -> Schema {
    closed(Kind::ALL.map(Kind::name))
}

pub(super) fn risk(_: &mut SchemaGenerator) -> Schema {
    closed(Risk::ALL.map(Risk::code))
}

pub(super) fn trouble(_: &mut SchemaGenerator) -> Schema {
    closed(TroubleReason::ALL.map(TroubleReason::name))
}

pub(super) fn effect(_: &mut SchemaGenerator) -> Schema {
    closed(Effect::ALL.map(Effect::name))
}

pub(super) fn effect_or_null(_: &mut SchemaGenerator) -> Schema {
    or_null(Effect::ALL.map(Effect::name))
}

pub(super) fn hold_reason(_: &mut SchemaGenerator) -> Schema {
    closed(Reason::NAMES)
}

pub(super) fn hold_reason_or_null(_: &mut SchemaGenerator) -> Schema {
    or_null(Reason::NAMES)
}

pub(super) fn any_reason(_: &mut SchemaGenerator) -> Schema {
    let mut names: Vec<&str> = TroubleReason::ALL.map(TroubleReason::name).to_vec();
    names
        .extend(Reason::NAMES.iter().filter(|it| !names.contains(it)).copied().collect::<Vec<_>>());
    or_null(names)
}

pub(super) fn action(_: &mut SchemaGenerator) -> Schema {
    closed(["create", "delete"])
}

pub(super) fn actions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "enum": ["create", "delete"] },
        "uniqueItems": true,
    })
}

pub(super) fn result(_: &mut SchemaGenerator) -> Schema {
    closed(StepResult::NAMES)
}
