//! An undo as a person writes it into a permission file.
//!
//! Always a document of its own with its account and region, so that it means the same target in whatever file it
//! is pasted into after a `---`; the item under `functions` can be pasted by itself.

use std::fmt::Write;

use serde::Serialize;

use super::{Undo, grant};
use crate::policy::{
    document::Document,
    grant::{DEFAULT_ACTION, Grant, Permission, UrlAuthType},
    source::Source,
    target::Target,
};

/// What to paste, and as comments what cannot be pasted.
pub fn yaml(undo: &Undo, target: &Target) -> String {
    match undo {
        Undo::Grant(grant) => file(target, Content::Statements(vec![statement(grant)])),
        Undo::Remove { sid, expected: _ } => {
            let say = format!(
                "Delete the statement with the sid {sid} of {target} from the permission files.\n\
                 With `ownership: declared`, write this in its place:\n"
            );
            comment(&say) + &file(target, Content::Absent(vec![sid]))
        }
        Undo::Put { statement } => {
            comment(&format!("A permission file cannot say this statement of {target}:\n"))
                + &comment(statement)
        }
        Undo::Document { before: None } => comment(&format!(
            "There was no policy before: delete the statements of {target} from the permission files.\n"
        )),
        Undo::Document { before: Some(text) } => document(text, target),
    }
}

/// What a file can say of a document, and the rest as comments.
fn document(text: &str, target: &Target) -> String {
    let Ok(document) = Document::parse(text.to_owned(), String::new(), target) else {
        return comment(&format!("A permission file cannot say this policy of {target}:\n"))
            + &comment(text);
    };
    let source = Source { file: "journal".into(), line: 1, column: 1 };
    let mut grants = Vec::new();
    let mut res = String::new();
    for it in document.statements() {
        match grant(it, source.clone(), target) {
            Some(it) => grants.push(it),
            None => res += &comment(it.text()),
        }
    }
    if !res.is_empty() {
        let say = format!("A permission file cannot say these statements of {target}:\n");
        res.insert_str(0, &comment(&say));
    }
    if !grants.is_empty() {
        res += &file(target, Content::Statements(grants.iter().map(statement).collect()));
    }
    res
}

/// One permission file, in the order of keys in which people know it.
#[derive(Serialize)]
struct File<'a> {
    account: &'a str,
    region: &'a str,
    functions: [Item<'a>; 1],
}

#[derive(Serialize)]
struct Item<'a> {
    function: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    qualifier: Option<&'a str>,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Content<'a> {
    Statements(Vec<StatementItem<'a>>),
    Absent(Vec<&'a str>),
}

#[derive(Serialize)]
struct StatementItem<'a> {
    sid: &'a str,
    principal: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_org_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_url_auth_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoked_via_function_url: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accept: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

fn statement(grant: &Grant) -> StatementItem<'_> {
    let Grant { sid, permission, expires, accept, description, source: _ } = grant;
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
        sid,
        principal: principal.parameter(),
        action: Some(action.0.as_str()).filter(|it| *it != DEFAULT_ACTION),
        source_arn: source_arn.as_deref(),
        source_account: source_account.as_deref(),
        principal_org_id: principal_org_id.as_deref(),
        event_source_token: event_source_token.as_deref(),
        function_url_auth_type: function_url_auth_type.map(UrlAuthType::as_str),
        invoked_via_function_url: invoked_via_function_url.then_some(true),
        expires: expires.map(|it| it.to_string()),
        accept: accept.iter().map(|it| it.code()).collect(),
        description: description.as_deref(),
    }
}

fn file(target: &Target, content: Content<'_>) -> String {
    let function = Item { function: target.function(), qualifier: target.qualifier(), content };
    let file = File { account: target.account(), region: target.region(), functions: [function] };
    // Values stay on one line, however long: an ARN that is folded is not one that people can search for.
    let options = serde_saphyr::ser_options! {
        compact_list_indent: false,
        prefer_block_scalars: false,
    };
    serde_saphyr::to_string_with_options(&file, options)
        .unwrap_or_else(|error| comment(&format!("It cannot be written as YAML: {error}\n")))
}

/// Each line behind a `#`. What would end the comment, or is not to be seen, stands as JSON's escape for it.
fn comment(text: &str) -> String {
    let mut res = String::new();
    for line in text.lines() {
        res += "# ";
        for letter in line.chars() {
            let hidden = letter.is_control() && letter != '\t';
            let odd = ('\u{2028}'..='\u{202e}').contains(&letter) || letter == '\u{feff}';
            if hidden || odd {
                // Writing to a String cannot fail.
                write!(res, "\\u{:04x}", u32::from(letter)).unwrap_or_default();
            } else {
                res.push(letter);
            }
        }
        res.push('\n');
    }
    res
}
