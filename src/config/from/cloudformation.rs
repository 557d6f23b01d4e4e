//! A CloudFormation template, in YAML or JSON: its `AWS::Lambda::Permission` resources.
//!
//! Properties:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html>.
//! A template says less than what is deployed: values that only a stack has are given by parameters, or the
//! permission is left.

use std::{collections::BTreeMap, sync::Arc};

use super::{Declared, Found, Remark, check};
use crate::config::diagnostic::{Diagnostic, File, Place, Span};
use crate::config::yaml::{self, Node, Value};
use crate::policy::grant::Draft;
use crate::policy::source::Source;
use crate::policy::target::Defaults;

mod conditions;
mod functions;
mod others;
mod references;

use references::Scope;

/// The resource that this is about.
const PERMISSION: &str = "AWS::Lambda::Permission";

/// What the template does not say itself.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The account and the region of the stack.
    pub defaults: Defaults,
    /// Values by the name of a parameter, or of anything else that a template refers to: `Bucket`,
    /// `Thumbnail.Arn`, `AWS::StackName`.
    pub parameters: BTreeMap<String, String>,
}

/// A template that was read, its values not yet computed.
#[derive(Debug)]
pub struct Template<'a> {
    file: &'a Arc<File>,
    /// Resources, parameters, mappings and conditions; each a map by name.
    sections: BTreeMap<&'a str, Node<'a>>,
}

/// Reads a template. It fails with everything that is wrong with it as a template.
pub fn parse(file: &Arc<File>) -> Result<Template<'_>, Vec<Diagnostic>> {
    const HELP: &str = "a template has `Resources:`, and under it resources with a `Type:`";
    let tree = yaml::parse_template(file);
    if !tree.diagnostics.is_empty() {
        return Err(tree.diagnostics);
    }
    let at = |span: Span| Place::at(file, span);
    let start = Span { line: 1, column: 1, ..Span::default() };
    let documents: Vec<&Node<'_>> =
        tree.documents.iter().filter(|it| !matches!(it.value, Value::Null)).collect();
    let root = match documents.as_slice() {
        [one] => *one,
        [] => {
            return Err(vec![Diagnostic::error(at(start), "the template is empty").help(HELP)]);
        }
        [_, second, ..] => {
            let message = "a template is one document, and here begins a second one";
            return Err(vec![Diagnostic::error(at(second.span), message)]);
        }
    };
    let Value::Map(entries) = &root.value else {
        let message = "this is not a CloudFormation template";
        return Err(vec![Diagnostic::error(at(root.span), message).help(HELP)]);
    };
    let mut sections = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for entry in entries.iter() {
        let names = ["Resources", "Parameters", "Mappings", "Conditions"];
        let Some(name) = names.into_iter().find(|it| *it == entry.key) else { continue };
        match &entry.node.value {
            Value::Map(_) => {
                sections.insert(name, entry.node.clone());
            }
            Value::Null if name != "Resources" => {}
            Value::Null | Value::Plain(_) | Value::Quoted(_) | Value::Seq(_) | Value::Bad => {
                let message = format!("`{name}` is a map of names to what they stand for");
                diagnostics.push(Diagnostic::error(at(entry.key_span), message));
            }
        }
    }
    let has = |key: &str| entries.iter().any(|it| it.key == key);
    if !has("Resources") {
        let error = if has("terraform_version") || has("lineage") {
            let message = "this is a Terraform state, not a CloudFormation template";
            Diagnostic::error(at(root.span), message).help("read it with `--from terraform-state`")
        } else {
            let message = "this is not a CloudFormation template: it has no `Resources`";
            Diagnostic::error(at(root.span), message).help(HELP)
        };
        diagnostics.push(error);
    }
    if diagnostics.is_empty() { Ok(Template { file, sections }) } else { Err(diagnostics) }
}

impl<'a> Template<'a> {
    /// Whether `--parameter NAME=…` can mean something to this template.
    pub fn takes(&self, name: &str) -> bool {
        let logical_id = name.split('.').next().unwrap_or_default();
        name.starts_with("AWS::")
            || self.entry("Parameters", name).is_some()
            || self.entry("Resources", logical_id).is_some()
    }

    /// The names of its parameters, for who mistyped one.
    pub fn parameters(&self) -> Vec<&str> {
        self.entries("Parameters").iter().map(|it| it.key.as_ref()).collect()
    }

    /// Finds its permissions, with the values that `inputs` gives.
    pub fn find(&self, inputs: &Inputs) -> Found {
        let scope = Scope::new(self, inputs);
        let mut found = Found::default();
        for entry in self.entries("Resources") {
            let Span { line, column, .. } = entry.key_span;
            let source = Source { file: Arc::clone(&self.file.name), line, column };
            let remark = |text: String| Remark {
                address: entry.key.to_string(),
                source: source.clone(),
                text,
            };
            if type_of(&entry.node) != Some(PERMISSION) {
                let text = self.text(entry.node.span);
                others::tell(&entry.key, &entry.node, text, remark, &mut found);
                continue;
            }
            match condition(&scope, &entry.node) {
                Ok(None | Some((true, _))) => {}
                Ok(Some((false, name))) => {
                    let text = format!("its condition `{name}` is false, so it is not created");
                    found.notes.push(remark(text));
                    continue;
                }
                Err(why) => {
                    found.left.push(remark(format!("nobody can say whether it is created: {why}")));
                    continue;
                }
            }
            match permission(&scope, &entry.key, &entry.node, source.clone()) {
                Ok(it) => found.permissions.push(it),
                Err(problems) => found.left.push(remark(problems.join("; "))),
            }
        }
        found
    }

    /// The entries of one section.
    fn entries(&self, section: &str) -> &[yaml::Entry<'a>] {
        match self.sections.get(section).map(|it| &it.value) {
            Some(Value::Map(entries)) => entries,
            Some(Value::Null | Value::Plain(_) | Value::Quoted(_) | Value::Seq(_) | Value::Bad)
            | None => &[],
        }
    }

    fn entry(&self, section: &str, name: &str) -> Option<&Node<'a>> {
        self.sections.get(section).and_then(|it| get(it, name))
    }

    fn text(&self, span: Span) -> &str {
        self.file.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// Whether the condition of a resource holds, and the name of it; none without a condition.
fn condition(scope: &Scope<'_, '_>, resource: &Node<'_>) -> Result<Option<(bool, String)>, String> {
    let Some(condition) = get(resource, "Condition") else { return Ok(None) };
    let (Value::Plain(name) | Value::Quoted(name)) = &condition.value else {
        return Err("its `Condition` is not a name".to_owned());
    };
    Ok(Some((scope.condition(name)?, name.to_string())))
}

/// The value of a key of a map.
fn get<'t, 'a>(node: &'t Node<'a>, key: &str) -> Option<&'t Node<'a>> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|it| it.key == key).map(|it| &it.node)
}

/// The type of a resource, if it is a literal.
fn type_of<'t>(node: &'t Node<'_>) -> Option<&'t str> {
    match &get(node, "Type")?.value {
        Value::Plain(it) | Value::Quoted(it) => Some(it),
        Value::Null | Value::Seq(_) | Value::Map(_) | Value::Bad => None,
    }
}

/// One permission, or everything that keeps it from being taken.
fn permission(
    scope: &Scope<'_, '_>,
    logical_id: &str,
    node: &Node<'_>,
    source: Source,
) -> Result<Declared, Vec<String>> {
    const KNOWN: &[&str] = &[
        "FunctionName",
        "Action",
        "Principal",
        "SourceArn",
        "SourceAccount",
        "PrincipalOrgID",
        "EventSourceToken",
        "FunctionUrlAuthType",
        "InvokedViaFunctionUrl",
    ];
    let mut problems = Vec::new();
    let Some(Node { value: Value::Map(properties), .. }) = get(node, "Properties") else {
        return Err(vec!["it has no `Properties`".to_owned()]);
    };
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    for property in properties.iter() {
        let key = property.key.as_ref();
        // A property that we do not know may be a condition; without it the grant would allow more.
        let Some(known) = KNOWN.iter().find(|it| **it == key) else {
            problems.push(format!("permitd does not know its property `{key}`"));
            continue;
        };
        let value = match key {
            "FunctionName" => scope.function_name(&property.node),
            _ => scope.text(&property.node),
        };
        match value {
            Ok(Some(value)) => {
                values.insert(known, value);
            }
            Ok(None) => {}
            Err(why) => problems.push(format!("{key}: {why}")),
        }
    }
    for required in ["FunctionName", "Action", "Principal"] {
        let is_there = properties.iter().any(|it| it.key == required);
        if !is_there || (!values.contains_key(required) && problems.is_empty()) {
            problems.push(format!("it has no {required}"));
        }
    }
    let text = |key: &str| values.get(key).map(String::as_str);
    let via_url = match text("InvokedViaFunctionUrl") {
        None => None,
        Some("true" | "True" | "TRUE") => Some(true),
        Some("false" | "False" | "FALSE") => Some(false),
        Some(it) => {
            problems.push(format!("InvokedViaFunctionUrl: `{it}` is not true or false"));
            None
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let given = scope.given(logical_id);
    let draft = Draft {
        sid: given.unwrap_or(logical_id),
        principal: text("Principal").unwrap_or_default(),
        action: text("Action"),
        source_arn: text("SourceArn"),
        source_account: text("SourceAccount"),
        principal_org_id: text("PrincipalOrgID"),
        event_source_token: text("EventSourceToken"),
        function_url_auth_type: text("FunctionUrlAuthType"),
        invoked_via_function_url: via_url,
    };
    let name = text("FunctionName").unwrap_or_default();
    let (function, grant) = check(name, None, scope.defaults(), &draft, source)?;
    let address = logical_id.to_owned();
    Ok(Declared { address, function, grant, sid_is_made_up: given.is_none() })
}

#[cfg(test)]
mod tests;
