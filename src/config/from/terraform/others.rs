//! Resources beside `aws_lambda_permission` that change who may call a function.

use super::super::{Found, Remark};
use super::{Instance, Resource};

/// Whether a resource says something about the policy of a function.
pub(super) fn is_of_interest(resource: &Resource<'_>) -> bool {
    let kinds = [
        "aws_lambda_permission",
        "aws_lambda_resource_policy",
        "aws_lambda_function_url",
        "aws_lambda_layer_version_permission",
        "awscc_lambda_permission",
        "awscc_lambda_resource_policy",
        "awscc_lambda_layer_version_permission",
        "aws_cloudformation_stack",
    ];
    resource.mode == "managed" && kinds.contains(&resource.kind.as_str())
}

/// Says what it is and what to do about it, if anything has to be.
pub(super) fn tell(
    resource: &Resource<'_>,
    instance: &Instance,
    remark: impl Fn(String) -> Remark,
    found: &mut Found,
) {
    let text = |key: &str| instance.text(key).ok().flatten().unwrap_or_default();
    match resource.kind.as_str() {
        "aws_lambda_resource_policy" | "awscc_lambda_resource_policy" => {
            let text = "it is a whole policy as a document; `permitd import --function NAME` takes from Lambda \
                        what a permission file can say of it";
            found.left.push(remark(text.to_owned()));
        }
        "awscc_lambda_permission" => {
            let text = "it is of the provider awscc; `permitd import --function NAME` takes the live statement \
                        from Lambda";
            found.left.push(remark(text.to_owned()));
        }
        "aws_lambda_function_url" if text("authorization_type") == "NONE" => {
            let text = format!(
                "it lets anyone invoke the URL of {}, by a statement FunctionURLAllowPublicAccess that is no \
                 resource of its own; `permitd import --function NAME` takes it from Lambda",
                text("function_name")
            );
            found.left.push(remark(text));
        }
        "aws_lambda_layer_version_permission" | "awscc_lambda_layer_version_permission" => {
            let text = "it is about a layer, and permitd keeps the policies of functions";
            found.notes.push(remark(text.to_owned()));
        }
        "aws_cloudformation_stack" => {
            let text = "permissions of its template are not in this state; read the template with \
                        `--from cloudformation`";
            found.notes.push(remark(text.to_owned()));
        }
        _ => {}
    }
}
