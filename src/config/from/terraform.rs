//! A Terraform state of format version 4: its `aws_lambda_permission` resources.
//!
//! The format: `internal/states/statefile/version4.go` of Terraform, the same in `OpenTofu`. Attributes of the
//! resource: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_permission>.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{Declared, Found, FunctionRef, Remark, check};
use crate::config::diagnostic::{Diagnostic, File, Place, Span};
use crate::policy::grant::{Draft, Grant};
use crate::policy::source::Source;
use crate::policy::target::Defaults;

mod address;
mod homes;
mod others;
mod places;

use homes::Homes;
use places::Places;

/// What is wanted of other functions of Terraform: the state as it is now, unencrypted, in format version 4.
const PULL: &str = "write it with `terraform state pull > terraform.tfstate`, and name that file";

/// What a template of the other kind is told.
const TEMPLATE: (&str, &str) = (
    "this is a CloudFormation template, not a Terraform state",
    "read it with `--from cloudformation`",
);

/// One resource of a state, its instances unread.
#[derive(Debug, Deserialize)]
struct Resource<'a> {
    #[serde(default)]
    module: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    provider: String,
    #[serde(borrow, default)]
    instances: Vec<&'a RawValue>,
}

/// One instance of a resource: of `count`, of `for_each`, or the only one.
#[derive(Debug, Deserialize)]
struct Instance {
    #[serde(default)]
    index_key: Option<Value>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(default)]
    attributes: Option<Map<String, Value>>,
    /// In a state that came from Terraform 0.11 and was not written since.
    #[serde(default)]
    attributes_flat: Option<Map<String, Value>>,
    #[serde(default)]
    sensitive_attributes: Option<Value>,
}

impl Instance {
    fn attributes(&self) -> Option<&Map<String, Value>> {
        self.attributes.as_ref().or(self.attributes_flat.as_ref())
    }

    /// An attribute that is a text; nothing where it is null or empty, which is the same to the provider.
    fn text(&self, key: &str) -> Result<Option<&str>, String> {
        match self.attributes().and_then(|it| it.get(key)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(it)) => Ok(Some(it.as_str()).filter(|it| !it.is_empty())),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(format!("`{key}` is not a text"))
            }
        }
    }
}

/// Finds the permissions of a state. `defaults` are for functions whose account and region the state does not
/// tell.
///
/// It fails when the file is not such a state, with what to do about it.
pub fn find(file: &Arc<File>, defaults: &Defaults) -> Result<Found, Diagnostic> {
    let places = Places::new(file);
    let resources = resources(&places)?;
    let mut instances = Vec::new();
    let mut homes = Homes::default();
    for resource in &resources {
        if !others::is_of_interest(resource) && !homes::is_of_interest(resource) {
            continue;
        }
        for raw in &resource.instances {
            let instance: Instance = serde_json::from_str(raw.get()).map_err(|it| {
                let message =
                    format!("an instance of {} cannot be read: {}", resource.kind, reason(&it));
                Diagnostic::error(places.of(raw.get()), message).help(PULL)
            })?;
            homes.learn(resource, &instance);
            if others::is_of_interest(resource) {
                instances.push((resource, instance, places.of(raw.get()).source()));
            }
        }
    }
    let mut found = Found::default();
    for (resource, instance, source) in &instances {
        let address = address::of(resource, instance);
        let remark =
            |text: String| Remark { address: address.clone(), source: source.clone(), text };
        if resource.kind != "aws_lambda_permission" {
            others::tell(resource, instance, remark, &mut found);
            continue;
        }
        if let Some(key) = &instance.deposed {
            let text = format!(
                "it is a deposed object ({key}), which Terraform deletes at the next apply"
            );
            found.notes.push(remark(text));
            continue;
        }
        match permission(resource, instance, &homes, defaults, source) {
            Ok((function, grant)) => {
                if instance.status.as_deref() == Some("tainted") {
                    let text = "it is tainted: Terraform replaces it at the next apply";
                    found.notes.push(remark(text.to_owned()));
                }
                found.notes.extend(sensitive(instance).map(remark));
                let address = address.clone();
                found.permissions.push(Declared {
                    address,
                    function,
                    grant,
                    sid_is_made_up: false,
                });
            }
            Err(problems) => found.left.push(remark(problems.join("; "))),
        }
    }
    Ok(found)
}

/// The attributes of `aws_lambda_permission` that are read here, or say nothing about access.
const KNOWN: &[&str] = &[
    "action",
    "event_source_token",
    "function_name",
    "function_url_auth_type",
    "id",
    "invoked_via_function_url",
    "principal",
    "principal_org_id",
    "qualifier",
    "region",
    "source_account",
    "source_arn",
    "statement_id",
    "statement_id_prefix",
    "timeouts",
];

fn permission(
    resource: &Resource<'_>,
    instance: &Instance,
    homes: &Homes,
    defaults: &Defaults,
    source: &Source,
) -> Result<(FunctionRef, Grant), Vec<String>> {
    let mut problems = Vec::new();
    if instance.attributes().is_none() {
        return Err(vec!["the state has no attributes of it".to_owned()]);
    }
    let mut text = |key: &str| {
        instance.text(key).unwrap_or_else(|problem| {
            problems.push(problem);
            None
        })
    };
    let (name, qualifier, region) = (text("function_name"), text("qualifier"), text("region"));
    let draft = Draft {
        sid: text("statement_id").or_else(|| text("id")).unwrap_or_default(),
        principal: text("principal").unwrap_or_default(),
        action: text("action"),
        source_arn: text("source_arn"),
        source_account: text("source_account"),
        principal_org_id: text("principal_org_id"),
        event_source_token: text("event_source_token"),
        function_url_auth_type: text("function_url_auth_type"),
        invoked_via_function_url: None,
    };
    let via_url = flag(instance, "invoked_via_function_url");
    problems.extend(via_url.as_ref().err().cloned());
    // The provider sends false to nobody, so it is no condition.
    let draft = Draft { invoked_via_function_url: via_url.ok().filter(|it| *it), ..draft };
    if draft.action.is_none() {
        problems.push("the state has no `action` of it".to_owned());
    }
    // A later provider may know a condition that we do not; without it the grant would allow more.
    for (key, value) in instance.attributes().into_iter().flatten() {
        if !KNOWN.contains(&key.as_str()) && !is_nothing(value) {
            problems.push(format!("permitd does not know its attribute `{key}`"));
        }
    }
    let Some(name) = name else {
        problems.push("the state has no `function_name` of it".to_owned());
        return Err(problems);
    };
    let defaults = homes.of(&resource.provider, name, region).or(defaults);
    let checked = check(name, qualifier, &defaults, &draft, source.clone());
    match checked {
        Ok(it) if problems.is_empty() => Ok(it),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    }
}

/// A boolean; `attributes_flat` has it as a text.
fn flag(instance: &Instance, key: &str) -> Result<bool, String> {
    match instance.attributes().and_then(|it| it.get(key)) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(it)) => Ok(*it),
        Some(Value::String(it)) if it == "true" => Ok(true),
        Some(Value::String(it)) if it == "false" || it.is_empty() => Ok(false),
        Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(format!("`{key}` is not true or false"))
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(it) => it.is_empty(),
        Value::Array(it) => it.is_empty(),
        Value::Object(it) => it.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// The attributes that Terraform would not show: `[[{"type": "get_attr", "value": "source_arn"}]]`.
fn sensitive(instance: &Instance) -> Option<String> {
    let paths = instance.sensitive_attributes.as_ref()?.as_array()?;
    let key = |path: &Value| path.as_array()?.first()?.get("value")?.as_str().map(str::to_owned);
    let keys: Vec<String> = paths.iter().filter_map(key).map(|it| format!("`{it}`")).collect();
    match keys.as_slice() {
        [] => None,
        [one] => Some(format!("{one} is marked as sensitive, and written as it is")),
        several => {
            Some(format!("{} are marked as sensitive, and written as they are", several.join(", ")))
        }
    }
}

/// The resources of a state, or why the file is none.
fn resources<'a>(places: &Places<'a>) -> Result<Vec<Resource<'a>>, Diagnostic> {
    let file = places.file;
    let at_start = Span { line: 1, column: 1, ..Span::default() };
    let refuse = |message: &str, help: &str| {
        Err(Diagnostic::error(Place::at(file, at_start), message).help(help))
    };
    if file.text.trim().is_empty() {
        return refuse("the state is empty", PULL);
    }
    let keys: BTreeMap<String, &RawValue> = match serde_json::from_str(&file.text) {
        Ok(it) => it,
        Err(_) if file.text.contains("Resources:") && file.text.contains("AWS::") => {
            return refuse(TEMPLATE.0, TEMPLATE.1);
        }
        Err(error) => {
            let message = format!("this is not a Terraform state: {}", reason(&error));
            let place = places.point(error.line(), error.column());
            return Err(Diagnostic::error(place, message).help(PULL));
        }
    };
    let has = |key: &str| keys.contains_key(key);
    if has("encrypted_data") {
        let help = "write it with `tofu state pull > terraform.tfstate`, and name that file";
        return refuse("this state is encrypted", help);
    }
    if has("planned_values") || has("resource_changes") {
        return refuse("this is a plan of Terraform, not a state", PULL);
    }
    if has("format_version") && !has("version") {
        return refuse("this is the output of `terraform show -json`, not a state", PULL);
    }
    if has("Resources") {
        return refuse(TEMPLATE.0, TEMPLATE.1);
    }
    let Some(version) = keys.get("version") else {
        return refuse("this is not a Terraform state: it has no `version`", PULL);
    };
    if version.get() != "4" {
        let message = format!(
            "this state has the format version {}; permitd reads version 4 (Terraform 0.12 and later, OpenTofu)",
            version.get().chars().take(20).collect::<String>()
        );
        return Err(Diagnostic::error(places.of(version.get()), message).help(PULL));
    }
    let Some(resources) = keys.get("resources").filter(|it| it.get() != "null") else {
        return Ok(Vec::new());
    };
    let raw: Vec<&RawValue> = serde_json::from_str(resources.get()).map_err(|_| {
        Diagnostic::error(places.of(resources.get()), "`resources` is not a list").help(PULL)
    })?;
    let read = |it: &'a RawValue| {
        serde_json::from_str(it.get()).map_err(|error| {
            let message = format!("this is not a resource of a state: {}", reason(&error));
            Diagnostic::error(places.of(it.get()), message).help(PULL)
        })
    };
    raw.into_iter().map(read).collect()
}

/// Why it is not what it should be; the place is told elsewhere.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
