//! Two statements side by side, field by field.
//!
//! A statement is shown as Lambda gave it, and fields that mean the same are not marked as different, however
//! they are spelled (`lambda-semantics.md`, section 5).

use std::borrow::Cow;

use crate::policy::json::Json;

/// One field of a statement, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its path, for example `Condition.ArnLike.AWS:SourceArn`. Not escaped for any place.
    pub path: String,
    /// The value before; none where the field or the statement is not there. Not escaped for any place.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
    /// Both statements are there, and they differ in this field.
    pub differs: bool,
}

/// The fields of both in the order in which AWS writes them. What is not a JSON object is one field without a name.
pub fn rows(before: Option<&str>, after: Option<&str>) -> Vec<Row> {
    let both = before.is_some() && after.is_some();
    let mut after: Vec<Option<Field>> =
        after.map(fields).unwrap_or_default().into_iter().map(Some).collect();
    let mut res: Vec<(usize, Row)> = Vec::new();
    for field in before.map(fields).unwrap_or_default() {
        let twin = after.iter_mut().find(|it| it.as_ref().is_some_and(|it| it.key == field.key));
        let twin = twin.and_then(Option::take);
        let same = twin.as_ref().is_some_and(|it| it.means == field.means);
        let row = Row {
            path: field.path,
            before: Some(field.value),
            after: twin.map(|it| it.value),
            differs: both && !same,
        };
        res.push((field.rank, row));
    }
    for Field { rank, path, value, .. } in after.into_iter().flatten() {
        res.push((rank, Row { path, before: None, after: Some(value), differs: both }));
    }
    res.sort_by_key(|(rank, _)| *rank);
    res.into_iter().map(|(_, it)| it).collect()
}

/// In this order AddPermission writes them.
const ORDER: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

struct Field {
    rank: usize,
    path: String,
    value: String,
    /// The same for two spellings of one field.
    key: String,
    /// The same for two spellings of one value.
    means: String,
}

fn fields(text: &str) -> Vec<Field> {
    let mut res = Vec::new();
    if let Some(Json::Object(members)) = Json::parse(text) {
        for (name, value) in members {
            let rank = ORDER.iter().position(|it| *it == name).unwrap_or(ORDER.len());
            flatten(rank, name.into_owned(), &value, &mut res);
        }
    } else {
        let (value, means) = (text.to_owned(), text.to_owned());
        res.push(Field { rank: 0, path: String::new(), value, key: String::new(), means });
    }
    res
}

fn flatten(rank: usize, path: String, value: &Json<'_>, res: &mut Vec<Field>) {
    match value {
        Json::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                flatten(rank, format!("{path}.{name}"), value, res);
            }
        }
        // A list of one means the one.
        Json::Array(items) if items.len() == 1 => {
            for it in items {
                flatten(rank, path.clone(), it, res);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                flatten(rank, format!("{path}[{at}]"), value, res);
            }
        }
        Json::Null
        | Json::Bool(_)
        | Json::Number(_)
        | Json::String(_)
        | Json::Array(_)
        | Json::Object(_) => {
            let value = shown(value);
            let (key, means) = meaning(&path, &value);
            res.push(Field { rank, path, value, key, means });
        }
    }
}

/// The text that IAM compares: a string without its quotes.
fn shown(value: &Json<'_>) -> String {
    value.scalar().map_or_else(|| value.sorted_text(), Cow::into_owned)
}

fn meaning(path: &str, value: &str) -> (String, String) {
    let same = (path.to_owned(), value.to_owned());
    if path.starts_with("Condition.") {
        let lower = path.to_ascii_lowercase();
        (lower.replacen("condition.arnequals.", "condition.arnlike.", 1), same.1)
    } else if path.starts_with("Action") {
        (same.0, value.to_ascii_lowercase())
    } else if path == "Principal" && value == "*" {
        ("Principal.AWS".to_owned(), same.1)
    } else if path.starts_with("Principal.AWS") {
        (same.0, account_of(value).to_owned())
    } else {
        same
    }
}

/// An account and the root of it are the same principal.
fn account_of(principal: &str) -> &str {
    let root = principal.strip_prefix("arn:aws").and_then(|it| it.split_once(":iam::"));
    root.and_then(|(_, it)| it.strip_suffix(":root")).unwrap_or(principal)
}

#[cfg(test)]
mod tests;
