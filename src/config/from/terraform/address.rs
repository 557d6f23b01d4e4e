//! The address of an instance, as `terraform state list` prints it.

use serde_json::Value;

use super::{Instance, Resource};

/// For example `module.api["eu"].aws_lambda_permission.gateway[0]`.
pub(super) fn of(resource: &Resource<'_>, instance: &Instance) -> String {
    let Resource { module, mode, kind, name, .. } = resource;
    let data = if mode == "data" { "data." } else { "" };
    let module = if module.is_empty() { String::new() } else { format!("{module}.") };
    let key = match &instance.index_key {
        None | Some(Value::Null) => String::new(),
        // Terraform quotes as JSON does.
        Some(key) => format!("[{key}]"),
    };
    format!("{module}{data}{kind}.{name}{key}")
}
