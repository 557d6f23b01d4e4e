//! A policy's text and its statements: taken apart and put together without touching a value.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// A policy document. Values keep the bytes they came in; only white space between them may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// The members beside `Statement`, in order; the text of each value is compact.
    members: Vec<(String, String)>,
    /// At which of `members` the statements stand.
    place: usize,
    statements: Vec<String>,
    /// The text as PutResourcePolicy brought it; gone with the next change.
    verbatim: Option<String>,
}

impl Document {
    /// What the first AddPermission starts from.
    pub(crate) fn new() -> Self {
        let member = |key: &str, value: &str| (key.to_owned(), format!("\"{value}\""));
        Self {
            members: vec![member("Version", "2012-10-17"), member("Id", "default")],
            place: 2,
            statements: Vec::new(),
            verbatim: None,
        }
    }

    /// Takes a document apart. The error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Members(found) = serde_json::from_str(text).map_err(|it| it.to_string())?;
        let mut res = Self { place: usize::MAX, ..Self::new() };
        res.members.clear();
        for (n, (key, value)) in found.iter().enumerate() {
            if found.iter().take(n).any(|(it, _)| it == key) {
                return Err(format!("the member {key} stands there twice"));
            }
            if key == "Statement" {
                res.place = n;
                res.statements = statements_of(value.get())?;
            } else {
                res.members.push((key.clone(), compact(value.get())));
            }
        }
        if res.place == usize::MAX {
            return Err("the member Statement is missing".to_owned());
        }
        if compact(text) != text || res.text() != text {
            res.verbatim = Some(text.to_owned());
        }
        Ok(res)
    }

    /// Forgets the white space that it came with.
    pub(crate) fn tidy(&mut self) {
        self.verbatim = None;
    }

    /// The text as GetPolicy gives it.
    pub(crate) fn text(&self) -> String {
        self.verbatim.clone().unwrap_or_else(|| self.compact())
    }

    /// The text without any white space between the values.
    pub(crate) fn compact(&self) -> String {
        let statement = ("Statement".to_owned(), format!("[{}]", self.statements.join(",")));
        let (before, after) = self.members.split_at(self.place.min(self.members.len()));
        let members: Vec<String> = before
            .iter()
            .chain([&statement])
            .chain(after)
            .map(|(key, value)| format!("{}:{value}", Value::from(key.as_str())))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    /// The text of each statement.
    pub(crate) fn statements(&self) -> &[String] {
        &self.statements
    }

    /// Each statement as a value.
    pub(crate) fn values(&self) -> impl Iterator<Item = Value> {
        self.statements.iter().map(|it| serde_json::from_str(it).unwrap_or_default())
    }

    /// Where the statement of this Sid stands.
    pub(crate) fn position(&self, sid: &str) -> Option<usize> {
        self.values().position(|it| it.get("Sid").and_then(Value::as_str) == Some(sid))
    }

    /// Appends a statement.
    pub(crate) fn push(&mut self, statement: String) {
        self.verbatim = None;
        self.statements.push(statement);
    }

    /// Takes a statement out; the order of the others stays.
    pub(crate) fn remove(&mut self, position: usize) {
        if position < self.statements.len() {
            self.verbatim = None;
            self.statements.remove(position);
        }
    }

    /// Puts a statement in the place of another.
    pub(crate) fn replace(&mut self, position: usize, statement: String) {
        if let Some(it) = self.statements.get_mut(position) {
            self.verbatim = None;
            *it = statement;
        }
    }

    /// Replaces one IAM principal by another, wherever it stands. Whether it stood anywhere.
    pub(crate) fn rename_principal(&mut self, from: &str, to: &str) -> bool {
        let mut changed = false;
        for n in 0..self.statements.len() {
            let Some(text) = self.statements.get(n) else { break };
            let mut value: Value = serde_json::from_str(text).unwrap_or_default();
            if rename(&mut value, from, to) {
                changed = true;
                self.replace(n, value.to_string());
            }
        }
        changed
    }
}

/// All strings of kind `AWS` in `Principal` and `NotPrincipal`.
pub(crate) fn aws_principals(statement: &Value) -> Vec<String> {
    principals(statement, "AWS")
}

/// All strings of kind `Service`.
pub(crate) fn service_principals(statement: &Value) -> Vec<String> {
    principals(statement, "Service")
}

fn principals(statement: &Value, kind: &str) -> Vec<String> {
    let elements = ["Principal", "NotPrincipal"].into_iter().filter_map(|it| statement.get(it));
    elements.filter_map(|it| it.get(kind)).flat_map(strings).collect()
}

/// A string, or the strings of a list.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(it) => vec![it.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn rename(statement: &mut Value, from: &str, to: &str) -> bool {
    let mut changed = false;
    for element in ["Principal", "NotPrincipal"] {
        let Some(it) = statement.get_mut(element).and_then(|it| it.get_mut("AWS")) else {
            continue;
        };
        match it {
            Value::String(text) if text == from => {
                to.clone_into(text);
                changed = true;
            }
            Value::Array(list) => {
                for text in list.iter_mut().filter(|it| it.as_str() == Some(from)) {
                    *text = Value::from(to);
                    changed = true;
                }
            }
            Value::String(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Object(_) => {}
        }
    }
    changed
}

fn statements_of(text: &str) -> Result<Vec<String>, String> {
    let list: Vec<Box<RawValue>> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|it| it.to_string())?
    } else {
        vec![serde_json::from_str(text).map_err(|it| it.to_string())?]
    };
    let is_object = |it: &RawValue| it.get().starts_with('{');
    if list.iter().all(|it| is_object(it)) {
        Ok(list.iter().map(|it| compact(it.get())).collect())
    } else {
        Err("a Statement is not an object".to_owned())
    }
}

/// Takes out the white space between the values of a JSON text, and changes nothing else.
fn compact(text: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    text.chars()
        .filter(|it| {
            if inside {
                (inside, escaped) = (escaped || *it != '"', !escaped && *it == '\\');
                true
            } else {
                inside = *it == '"';
                !matches!(it, ' ' | '\n' | '\r' | '\t')
            }
        })
        .collect()
}

/// The members of an object, in order, with the text of each value.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy document, which is a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut res = Vec::new();
                while let Some(member) = map.next_entry()? {
                    res.push(member);
                }
                Ok(Members(res))
            }
        }

        from.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests;
