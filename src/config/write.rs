//! Permission files as people would have written them: sorted, grouped, with comments beside what they are about.
//!
//! Where the entries come from does not matter here: live policies, the journal, or another tool's files.
//! serde-saphyr writes every value, on one line each; only what it cannot place, comments and what stands between
//! the items, is put together here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use serde_saphyr::FlowSeq;

use crate::config::placeholders::escape;
use crate::drift::allow::{Ownership, Writer};
use crate::policy::grant::{DEFAULT_ACTION, Grant, Permission, UrlAuthType, is_action};
use crate::policy::terms::{Parts, Terms};

mod comment;

pub use comment::{comment, on_one_line};

/// What a file says of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The account; none leaves it to whoever reads the file.
    pub account: Option<String>,
    /// The region; none leaves it to whoever reads the file.
    pub region: Option<String>,
    /// The bare name of the function.
    pub function: String,
    /// The alias or the version.
    pub qualifier: Option<String>,
    /// None leaves it to the settings.
    pub ownership: Option<Ownership>,
    /// None leaves it to the settings, unless a statement needs a writer of whole documents.
    pub writer: Option<Writer>,
    /// Sids to take back.
    pub absent: Vec<String>,
    /// What is wanted; none of it is written as `statements: []`, unless something is `absent`.
    pub statements: Vec<Item>,
    /// Comments above the entry, each of one line or more.
    pub above: Vec<String>,
    /// Comments below its statements.
    pub below: Vec<String>,
}

/// One statement, with the comments above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is wanted. Where it was written before does not matter.
    pub grant: Grant,
    /// Each of one line or more.
    pub above: Vec<String>,
}

/// A value that cannot stand in YAML.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be written as YAML: {0}")]
pub struct NotYaml(#[from] serde_saphyr::ser::Error);

/// More names than fit into a line of this many characters stand one below the other.
const WIDTH: usize = 80;

/// The text of one file: a YAML document for each account and region, sorted, and in it the entries by function,
/// the unqualified one first, and their statements by Sid.
///
/// Functions that want the very same share one entry with `names`, unless there is something to say about one of
/// them. No entries give no text.
pub fn text(entries: &[Entry]) -> Result<String, NotYaml> {
    let mut places: BTreeMap<(Option<&str>, Option<&str>), Vec<&Entry>> = BTreeMap::new();
    for it in entries {
        places.entry((it.account.as_deref(), it.region.as_deref())).or_default().push(it);
    }
    let mut documents = Vec::new();
    for ((account, region), entries) in places {
        let mut res = match (account, region) {
            (None, None) => String::new(),
            (account, region) => yaml(&Place { account, region })?,
        };
        res += "functions:\n";
        for it in grouped(entries)? {
            res += &it;
        }
        documents.push(res);
    }
    Ok(documents.join("---\n"))
}

/// The texts of the entries, those that say the same put together.
fn grouped(mut entries: Vec<&Entry>) -> Result<Vec<String>, NotYaml> {
    entries.sort_by_key(|it| (&it.function, &it.qualifier));
    let mut groups: Vec<(&Entry, Vec<&str>, String)> = Vec::new();
    let mut known: BTreeMap<(Option<&str>, String), usize> = BTreeMap::new();
    for entry in entries {
        let body = body(entry)?;
        let alone =
            entry.statements.is_empty() || !entry.above.is_empty() || !entry.below.is_empty();
        let key = (
            entry.qualifier.as_deref(),
            format!("{:?} {:?}\n{body}", entry.ownership, entry.writer),
        );
        let group = known.get(&key).filter(|_| !alone).and_then(|it| groups.get_mut(*it));
        if let Some((_, names, _)) = group {
            names.push(&entry.function);
            continue;
        }
        if !alone {
            known.insert(key, groups.len());
        }
        groups.push((entry, vec![&entry.function], body));
    }
    groups.iter().map(|(entry, names, body)| Ok(head(entry, names)? + body)).collect()
}

/// Comments, `function` or `names`, and what else is short.
fn head(entry: &Entry, names: &[&str]) -> Result<String, NotYaml> {
    let (function, names) = match names {
        [one] => (Some(*one), None),
        several if several.join(", ").len() <= WIDTH => {
            (None, Some(Names::Beside(FlowSeq(several))))
        }
        several => (None, Some(Names::Below(several))),
    };
    let (ownership, sid_prefix) = match &entry.ownership {
        None => (None, None),
        Some(Ownership::All) => (Some("all"), None),
        Some(Ownership::Declared) => (Some("declared"), None),
        Some(Ownership::Prefix(prefix)) => (Some("prefix"), Some(prefix.as_str())),
    };
    let is_wide = |it: &Item| matches!(it.grant.terms, Terms::Wide(_));
    let needed = entry.statements.iter().any(is_wide).then_some(Writer::Document);
    let writer = entry.writer.or(needed).map(|it| match it {
        Writer::Statements => "statements",
        Writer::Document => "document",
        Writer::Auto => "auto",
    });
    let absent = entry.absent.iter().map(|it| escape(it)).collect();
    let qualifier = entry.qualifier.as_deref();
    let head = Head { function, names, qualifier, ownership, sid_prefix, writer, absent };
    Ok(comments(&entry.above, 2) + &indented(&yaml(&[head])?, 2))
}

/// The statements, and what could not be one.
fn body(entry: &Entry) -> Result<String, NotYaml> {
    let mut res = String::new();
    if entry.statements.is_empty() && entry.absent.is_empty() {
        res += "    statements: []\n";
    } else if !entry.statements.is_empty() {
        res += "    statements:\n";
    }
    let mut items: Vec<&Item> = entry.statements.iter().collect();
    items.sort_by_key(|it| &it.grant.sid);
    for Item { grant, above } in items {
        res += &comments(above, 6);
        res += &indented(&yaml(&[statement(grant)])?, 6);
    }
    Ok(res + &comments(&entry.below, 4))
}

#[derive(Serialize)]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
}

/// In the order of keys in which people know it.
#[derive(Serialize)]
struct Head<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Names<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qualifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ownership: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid_prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    writer: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent: Vec<Cow<'a, str>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Names<'a> {
    Beside(FlowSeq<&'a [&'a str]>),
    Below(&'a [&'a str]),
}

#[derive(Default, Serialize)]
struct StatementItem<'a> {
    sid: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    principals: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_arn: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_account: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_org_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_token: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_url_auth_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoked_via_function_url: Option<bool>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    conditions: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accept: Option<FlowSeq<Vec<&'static str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
}

/// What reads like a placeholder is meant as it is written.
fn statement(grant: &Grant) -> StatementItem<'_> {
    let Grant { sid, terms, expires, accept, description, source: _, rule: _ } = grant;
    let codes: Vec<&'static str> = accept.iter().map(|it| it.code()).collect();
    let said = match terms {
        Terms::Plain(it) => plain(it),
        Terms::Wide(it) => wide(it.parts()),
    };
    StatementItem {
        sid: escape(sid),
        expires: expires.map(|it| it.to_string()),
        accept: (!codes.is_empty()).then_some(FlowSeq(codes)),
        description: description.as_deref().map(escape),
        ..said
    }
}

fn plain(permission: &Permission) -> StatementItem<'_> {
    let Permission {
        principal,
        action,
        source_arn,
        source_account,
        principal_org_id,
        event_source_token,
        function_url_auth_type,
        invoked_via_function_url,
    } = permission;
    StatementItem {
        principal: Some(escape(principal.parameter())),
        action: Some(action.0.as_str()).filter(|it| *it != DEFAULT_ACTION),
        source_arn: source_arn.as_deref().map(escape),
        source_account: source_account.as_deref().map(escape),
        principal_org_id: principal_org_id.as_deref(),
        event_source_token: event_source_token.as_deref().map(escape),
        function_url_auth_type: function_url_auth_type.map(UrlAuthType::as_str),
        invoked_via_function_url: invoked_via_function_url.then_some(true),
        ..StatementItem::default()
    }
}

/// Conditions are written in IAM's own form, whatever shorter key there is for one.
fn wide(parts: &Parts) -> StatementItem<'_> {
    let Parts { denies, principals, actions, conditions } = parts;
    let mut of_operators: Map<String, Value> = Map::new();
    for (operator, key, values) in conditions {
        let keys = of_operators.entry(operator.clone()).or_insert_with(|| Map::new().into());
        if let Some(keys) = keys.as_object_mut() {
            let mut values = values.iter().map(|it| Value::from(escape(it)));
            let value = match (values.next(), values.len()) {
                (Some(one), 0) => one,
                (first, _) => first.into_iter().chain(values).collect(),
            };
            keys.insert(key.clone(), value);
        }
    }
    let mut res = StatementItem {
        effect: denies.then_some("deny"),
        conditions: of_operators,
        ..StatementItem::default()
    };
    match principals.as_slice() {
        [one] => res.principal = Some(escape(one.parameter())),
        several => res.principals = several.iter().map(|it| escape(it.parameter())).collect(),
    }
    match actions.as_slice() {
        // A pattern stands in a list only.
        [one] if is_action(&one.0) => {
            res.action = Some(one.0.as_str()).filter(|it| *it != DEFAULT_ACTION);
        }
        several => res.actions = several.iter().map(|it| it.0.as_str()).collect(),
    }
    res
}

/// Values stay on one line, however long: an ARN that is folded is not one that people can search for, and a text
/// of several lines could not be indented.
fn yaml<T: Serialize>(value: &T) -> Result<String, NotYaml> {
    let options = serde_saphyr::ser_options! {
        compact_list_indent: false,
        prefer_block_scalars: false,
    };
    Ok(serde_saphyr::to_string_with_options(value, options)?)
}

fn comments(texts: &[String], indent: usize) -> String {
    texts.iter().map(|it| indented(&comment(it), indent)).collect()
}

fn indented(text: &str, by: usize) -> String {
    let space = " ".repeat(by);
    text.lines().flat_map(|it| [space.as_str(), it, "\n"]).collect()
}

#[cfg(test)]
mod tests;
