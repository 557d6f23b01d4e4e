//! A JSON Schema as tables of keys.

use std::collections::VecDeque;
use std::fmt::Write;

use serde_json::{Map, Value};

use super::cell;
use crate::docs::markdown::slug;

/// A page with a section for each map of the file.
pub(super) fn page(head: &str, title: &str, schema: &Value) -> String {
    let mut reader = Reader { defs: &schema["$defs"], left: VecDeque::new(), seen: Vec::new() };
    let mut res = head.to_owned();
    reader.left.push_back((title.to_owned(), String::new(), schema.clone()));
    while let Some((title, path, map)) = reader.left.pop_front() {
        reader.section(&mut res, &title, &path, &map);
    }
    res
}

struct Reader<'a> {
    defs: &'a Value,
    /// Title, path and schema of the maps that have no section yet.
    left: VecDeque<(String, String, Value)>,
    seen: Vec<String>,
}

impl Reader<'_> {
    fn section(&mut self, res: &mut String, title: &str, path: &str, map: &Value) {
        writeln!(res, "\n## {title}\n").unwrap();
        let about = map["description"].as_str().unwrap_or_default();
        if !about.is_empty() {
            writeln!(res, "{}\n", cell(about)).unwrap();
        }
        writeln!(res, "| key | value | default | |\n|---|---|---|---|").unwrap();
        let needed = needed(map);
        for (key, schema) in map["properties"].as_object().unwrap() {
            let schema = self.resolved(schema);
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let value = self.value(&schema, &inner);
            let default = match schema.get("default") {
                Some(it) => format!("`{}`", plain(it)),
                None if needed.contains(&key.as_str()) => "required".to_owned(),
                None => String::new(),
            };
            let mut about = cell(schema["description"].as_str().unwrap_or_default());
            if let Some([example, ..]) = schema["examples"].as_array().map(Vec::as_slice) {
                write!(about, " Example: `{}`", plain(example)).unwrap();
            }
            writeln!(res, "| `{key}` | {} | {default} | {} |", cell(&value), about.trim()).unwrap();
        }
    }

    /// What it refers to, with what is said here about it.
    fn resolved(&self, schema: &Value) -> Value {
        let Some(name) = schema["$ref"].as_str() else { return schema.clone() };
        let def = &self.defs[name.trim_start_matches("#/$defs/")];
        let mut res: Map<String, Value> = self.resolved(def).as_object().unwrap().clone();
        let own = schema.as_object().unwrap().clone();
        res.extend(own.into_iter().filter(|(key, _)| key != "$ref"));
        Value::Object(res)
    }

    /// What may stand there, in words. A map gets a section of its own.
    fn value(&mut self, schema: &Value, path: &str) -> String {
        let it = self.resolved(schema);
        if let Some(words) = it["enum"].as_array() {
            let words: Vec<String> = words.iter().map(|it| format!("`{}`", plain(it))).collect();
            return words.join(", ");
        }
        if let Some(only) = it.get("const") {
            return format!("`{}`", plain(only));
        }
        match it["type"].clone() {
            Value::String(kind) => self.of_kind(&kind, &it, path),
            Value::Array(kinds) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                let kinds: Vec<String> = kinds.map(|kind| self.of_kind(kind, &it, path)).collect();
                kinds.join(" or ")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                self.either(&it, path)
            }
        }
    }

    fn of_kind(&mut self, kind: &str, it: &Value, path: &str) -> String {
        match kind {
            "array" => format!("list of: {}", self.value(&it["items"], &format!("{path}[]"))),
            "object" if it["properties"].is_object() => {
                let title = format!("`{path}`");
                if !self.seen.contains(&title) {
                    self.seen.push(title.clone());
                    self.left.push_back((title.clone(), path.to_owned(), it.clone()));
                }
                format!("map: [{title}](#{})", slug(&title))
            }
            "object" => "map".to_owned(),
            "string" => "text".to_owned(),
            "integer" => "number".to_owned(),
            "boolean" => "`true`, `false`".to_owned(),
            other => panic!("{path} is of the kind {other}"),
        }
    }

    /// A schema that asks first what stands there.
    fn either(&mut self, it: &Value, path: &str) -> String {
        let question = &it["if"];
        match question["type"].as_str() {
            Some("array") => {
                let mut list = it["then"].clone();
                list["type"] = "array".into();
                format!("{}; or {}", self.value(&list, path), self.value(&it["else"], path))
            }
            Some("object") => {
                format!("{}; or {}", self.value(&it["then"], path), self.value(&it["else"], path))
            }
            Some("string") => {
                assert_eq!(question["pattern"], r"\$\{", "{path}: {it}");
                format!("{}, also with `${{…}}`", self.value(&it["else"], path))
            }
            Some(other) => panic!("{path} asks for {other}"),
            // Any scalar, as it is written.
            None => "text".to_owned(),
        }
    }
}

/// What has to be there, whatever else is.
fn needed(map: &Value) -> Vec<&str> {
    let rules = map["else"]["allOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let alone = rules.iter().filter(|it| it.as_object().is_some_and(|it| it.len() == 1));
    let lists = alone.filter_map(|it| it["required"].as_array());
    lists.flatten().filter_map(Value::as_str).collect()
}

/// A value as YAML would have it in a line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(it) => it.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(k, v)| format!("{k}: {}", plain(v))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
