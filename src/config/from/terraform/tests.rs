//! States of Terraform: what is taken, what is left, and what is no state.

use serde_json::json;

use super::*;
use crate::config::from::tests::{check_found, check_refused};

fn found(text: &str) -> Found {
    find(&File::new("terraform.tfstate", text.to_owned()), &Defaults::default()).unwrap()
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let file = File::new("terraform.tfstate", text.to_owned());
    let error = find(&file, &Defaults::default()).unwrap_err();
    check_refused(&[error], expected);
}

/// A state of one line with these resources.
fn state(resources: &[Value]) -> String {
    json!({"version": 4, "terraform_version": "1.11.4", "resources": resources}).to_string()
}

/// A resource of one instance with these attributes beside those that are always there.
fn permission(name: &str, attributes: &Value) -> Value {
    let mut all = json!({
        "action": "lambda:InvokeFunction", "function_name": "thumbnail", "principal": "s3.amazonaws.com",
        "statement_id": name, "id": name, "source_arn": null, "qualifier": "", "statement_id_prefix": "",
    });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    json!({
        "mode": "managed", "type": "aws_lambda_permission", "name": name,
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{"schema_version": 0, "attributes": all, "sensitive_attributes": []}],
    })
}

#[track_caller]
fn check_one(attributes: &Value, expected: &str) {
    check_found(&found(&state(&[permission("p", attributes)])), expected);
}

/// Made by Terraform 1.11.4 and version 5.100.0 of the provider, from `main.tf` beside it, against the simulator.
const REAL: &str = include_str!("../../../../tests/it/import_from/terraform/terraform.tfstate");

#[test]
fn a_state_that_terraform_wrote() {
    check_found(
        &found(REAL),
        r#"
+ aws_lambda_permission.org 214: 123456789012/us-east-1 thumbnail org: * lambda:InvokeFunction o-a1b2c3d4e5
+ aws_lambda_permission.partner[0] 244: 123456789012/us-east-1 thumbnail:live partner-0: 210987654320 lambda:InvokeFunction
+ aws_lambda_permission.partner[1] 268: 123456789012/us-east-1 thumbnail:live partner-1: 210987654321 lambda:InvokeFunction
+ aws_lambda_permission.s3 300: 123456789012/us-east-1 thumbnail s3-uploads: s3.amazonaws.com lambda:InvokeFunction arn:aws:s3:::uploads 123456789012
+ aws_lambda_permission.skill 331: 123456789012/us-east-1 thumbnail alexa-20261125025711093600000001: alexa-appkit.amazon.com lambda:InvokeFunction amzn1.ask.skill.1234
+ module.topics["in \"quotes\""].aws_lambda_permission.sns["a"] 369: 123456789012/eu-central-1 orders sns-11-a: sns.amazonaws.com lambda:InvokeFunction arn:aws:sns:eu-central-1:123456789012:orders-a
+ module.topics["in \"quotes\""].aws_lambda_permission.sns["b"] 392: 123456789012/eu-central-1 orders sns-11-b: sns.amazonaws.com lambda:InvokeFunction arn:aws:sns:eu-central-1:123456789012:orders-b
+ module.topics["in \"quotes\""].aws_lambda_permission.url 424: 123456789012/eu-central-1 orders url-11: 123456789012 lambda:InvokeFunctionUrl AWS_IAM
+ module.topics["orders"].aws_lambda_permission.sns["a"] 455: 123456789012/eu-central-1 orders sns-6-a: sns.amazonaws.com lambda:InvokeFunction arn:aws:sns:eu-central-1:123456789012:orders-a
+ module.topics["orders"].aws_lambda_permission.sns["b"] 478: 123456789012/eu-central-1 orders sns-6-b: sns.amazonaws.com lambda:InvokeFunction arn:aws:sns:eu-central-1:123456789012:orders-b
+ module.topics["orders"].aws_lambda_permission.url 510: 123456789012/eu-central-1 orders url-6: 123456789012 lambda:InvokeFunctionUrl AWS_IAM
? aws_lambda_permission.skill 331: `event_source_token` is marked as sensitive, and written as it is"#,
    );
}

#[test]
fn every_attribute_is_taken() {
    let all = json!({
        "function_name": "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live",
        "qualifier": "live", "principal": "*", "action": "lambda:*",
        "source_arn": "arn:aws:s3:::uploads", "source_account": "123456789012",
        "principal_org_id": "o-a1b2c3d4e5", "event_source_token": "token", "region": "eu-west-1",
        "invoked_via_function_url": false, "timeouts": null,
    });
    check_one(
        &all,
        "+ aws_lambda_permission.p 1: 123456789012/eu-west-1 thumbnail:live p: * lambda:* arn:aws:s3:::uploads \
         123456789012 o-a1b2c3d4e5 token",
    );
    check_one(
        &json!({"action": "lambda:InvokeFunctionUrl", "function_url_auth_type": "NONE", "principal": "*"}),
        "+ aws_lambda_permission.p 1: -/- thumbnail p: * lambda:InvokeFunctionUrl NONE",
    );
    check_one(
        &json!({"invoked_via_function_url": true, "region": "eu-west-1"}),
        "+ aws_lambda_permission.p 1: -/eu-west-1 thumbnail p: s3.amazonaws.com lambda:InvokeFunction via_url",
    );
}

#[test]
fn what_a_permission_file_cannot_say_is_left_with_all_reasons() {
    check_one(
        &json!({"principal": "AIDA1234567890123456", "qualifier": "$LATEST"}),
        "- aws_lambda_permission.p 1: `$LATEST` cannot carry a policy; leave the qualifier out for the \
         unqualified function, or name an alias or a version; `AIDA1234567890123456` is a unique id, which \
         Lambda refuses; write the ARN of the role or user",
    );
    check_one(
        &json!({"source_arn": ["arn:aws:s3:::uploads"], "invoked_via_function_url": "perhaps"}),
        "- aws_lambda_permission.p 1: `source_arn` is not a text; `invoked_via_function_url` is not true or false",
    );
    check_one(
        &json!({"function_name": null, "action": ""}),
        "- aws_lambda_permission.p 1: the state has no `action` of it; the state has no `function_name` of it",
    );
    check_one(
        &json!({"function_name": "thumbnail:live", "qualifier": "blue"}),
        "- aws_lambda_permission.p 1: the name says `live` and the qualifier says `blue`; write one of them",
    );
}

#[test]
fn a_condition_that_nobody_knows_yet_is_never_lost() {
    check_one(
        &json!({"source_vpc": "vpc-1", "new_list": [], "new_text": "", "new_flag": false}),
        "- aws_lambda_permission.p 1: permitd does not know its attribute `source_vpc`",
    );
}

#[test]
fn instances_that_are_not_there_to_stay_are_told() {
    let mut tainted = permission("tainted", &json!({}));
    tainted["instances"][0]["status"] = json!("tainted");
    let mut deposed = permission("deposed", &json!({}));
    deposed["instances"][0]["deposed"] = json!("6f8a5c2d");
    let mut empty = permission("empty", &json!({}));
    empty["instances"] = json!([{"schema_version": 0}, {"attributes": null, "index_key": 1}]);
    let mut secret = permission("secret", &json!({"event_source_token": "token"}));
    secret["instances"][0]["sensitive_attributes"] = json!([
        [{"type": "get_attr", "value": "event_source_token"}], [{"type": "get_attr", "value": "source_arn"}],
    ]);
    check_found(
        &found(&state(&[tainted, deposed, empty, secret])),
        "
+ aws_lambda_permission.tainted 1: -/- thumbnail tainted: s3.amazonaws.com lambda:InvokeFunction
+ aws_lambda_permission.secret 1: -/- thumbnail secret: s3.amazonaws.com lambda:InvokeFunction token
- aws_lambda_permission.empty 1: the state has no attributes of it
- aws_lambda_permission.empty[1] 1: the state has no attributes of it
? aws_lambda_permission.tainted 1: it is tainted: Terraform replaces it at the next apply
? aws_lambda_permission.deposed 1: it is a deposed object (6f8a5c2d), which Terraform deletes at the next apply
? aws_lambda_permission.secret 1: `event_source_token`, `source_arn` are marked as sensitive, and written as they are",
    );
}

#[test]
fn attributes_of_terraform_0_11_are_read() {
    let mut old = permission("old", &json!({}));
    let attributes = old["instances"][0]["attributes"].take();
    old["instances"][0] = json!({"schema_version": 0, "attributes_flat": attributes});
    old["instances"][0]["attributes_flat"]["invoked_via_function_url"] = json!("true");
    check_found(
        &found(&state(&[old])),
        "+ aws_lambda_permission.old 1: -/- thumbnail old: s3.amazonaws.com lambda:InvokeFunction via_url",
    );
}

#[test]
fn what_else_says_who_may_call_is_told() {
    let of = |mode: &str, kind: &str, attributes: Value| {
        let instances = json!([{"attributes": attributes}]);
        json!({"mode": mode, "type": kind, "name": "x", "module": "module.m[0]", "instances": instances})
    };
    let resources = [
        of("managed", "aws_lambda_resource_policy", json!({})),
        of(
            "managed",
            "aws_lambda_function_url",
            json!({"authorization_type": "NONE", "function_name": "web"}),
        ),
        of(
            "managed",
            "aws_lambda_function_url",
            json!({"authorization_type": "AWS_IAM", "function_name": "web"}),
        ),
        of("managed", "awscc_lambda_permission", json!({})),
        of("managed", "aws_lambda_layer_version_permission", json!({})),
        of("managed", "aws_cloudformation_stack", json!({})),
        of("managed", "aws_s3_bucket", json!({})),
        of("data", "aws_lambda_permission", json!({})),
    ];
    check_found(
        &found(&state(&resources)),
        "
- module.m[0].aws_lambda_resource_policy.x 1: it is a whole policy as a document; `permitd import --function NAME` takes from Lambda what a permission file can say of it
- module.m[0].aws_lambda_function_url.x 1: it lets anyone invoke the URL of web, by a statement FunctionURLAllowPublicAccess that is no resource of its own; `permitd import --function NAME` takes it from Lambda
- module.m[0].awscc_lambda_permission.x 1: it is of the provider awscc; `permitd import --function NAME` takes the live statement from Lambda
? module.m[0].aws_lambda_layer_version_permission.x 1: it is about a layer, and permitd keeps the policies of functions
? module.m[0].aws_cloudformation_stack.x 1: permissions of its template are not in this state; read the template with `--from cloudformation`",
    );
}

#[test]
fn a_bare_name_is_where_its_provider_is() {
    let function = |provider: &str, arn: &str, region: Value| {
        let attributes = json!({"arn": arn, "region": region});
        json!({
            "mode": "managed", "type": "aws_lambda_function", "name": "f", "provider": provider,
            "instances": [{"attributes": attributes}],
        })
    };
    let at = |provider: &str, name: &str, attributes: Value| {
        let mut it = permission(name, &attributes);
        it["provider"] = json!(provider);
        it
    };
    let arn =
        |region: &str, name: &str| format!("arn:aws:lambda:{region}:123456789012:function:{name}");
    let resources = [
        function("v5", &arn("us-east-1", "thumbnail"), Value::Null),
        function("v6", &arn("us-east-1", "thumbnail"), json!("us-east-1")),
        function("v6", &arn("eu-west-1", "orders"), json!("eu-west-1")),
        at("v5", "known", json!({})),
        at("v5", "other", json!({"function_name": "other"})),
        at("v6", "by-name", json!({"function_name": "orders:live"})),
        at("v6", "by-region", json!({"function_name": "orders", "region": "eu-north-1"})),
        at("v6", "nowhere", json!({"function_name": "elsewhere"})),
        at("none", "unknown", json!({})),
    ];
    check_found(
        &found(&state(&resources)),
        "
+ aws_lambda_permission.known 1: 123456789012/us-east-1 thumbnail known: s3.amazonaws.com lambda:InvokeFunction
+ aws_lambda_permission.other 1: 123456789012/us-east-1 other other: s3.amazonaws.com lambda:InvokeFunction
+ aws_lambda_permission.by-name 1: 123456789012/eu-west-1 orders:live by-name: s3.amazonaws.com lambda:InvokeFunction
+ aws_lambda_permission.by-region 1: 123456789012/eu-north-1 orders by-region: s3.amazonaws.com lambda:InvokeFunction
+ aws_lambda_permission.nowhere 1: 123456789012/- elsewhere nowhere: s3.amazonaws.com lambda:InvokeFunction
+ aws_lambda_permission.unknown 1: -/- thumbnail unknown: s3.amazonaws.com lambda:InvokeFunction",
    );
}

#[test]
fn a_state_without_permissions_is_one() {
    check_found(&found(&state(&[])), "");
    check_found(&found(r#"{"version": 4}"#), "");
    check_found(&found(r#"{"version": 4, "resources": null}"#), "");
}

#[test]
fn what_is_no_state_is_told_what_it_is() {
    const HELP: &str =
        "help: write it with `terraform state pull > terraform.tfstate`, and name that file";
    let at_start = |text: &str, message: &str| {
        refused(text, &format!("error: {message}\n--> terraform.tfstate:1:1\n{HELP}"));
    };
    at_start("", "the state is empty");
    at_start(" \n", "the state is empty");
    at_start("{}", "this is not a Terraform state: it has no `version`");
    at_start(
        r#"{"format_version": "1.2", "planned_values": {}}"#,
        "this is a plan of Terraform, not a state",
    );
    at_start(
        r#"{"format_version": "1.0", "values": {}}"#,
        "this is the output of `terraform show -json`, not a state",
    );
    refused(
        r#"{"encrypted_data": "x", "encryption_version": "v0"}"#,
        "error: this state is encrypted
--> terraform.tfstate:1:1
help: write it with `tofu state pull > terraform.tfstate`, and name that file",
    );
    refused(
        r#"{"Resources": {}}"#,
        "error: this is a CloudFormation template, not a Terraform state
--> terraform.tfstate:1:1
help: read it with `--from cloudformation`",
    );
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    const HELP: &str =
        "help: write it with `terraform state pull > terraform.tfstate`, and name that file";
    let told = |text: &str, message: &str, place: &str| {
        refused(text, &format!("error: {message}\n--> terraform.tfstate:{place}\n{HELP}"));
    };
    told("resource \"x\" {\n", "this is not a Terraform state: expected value", "1:1");
    told("{\n  \"é\": 4,\n  \"é\" 5}", "this is not a Terraform state: expected `:`", "3:7");
    told("[]", "this is not a Terraform state: invalid type: sequence, expected a map", "1:1");
    told(
        "{\n\"version\": 3}",
        "this state has the format version 3; permitd reads version 4 (Terraform 0.12 and later, OpenTofu)",
        "2:12",
    );
    told(
        r#"{"version": "4"}"#,
        r#"this state has the format version "4"; permitd reads version 4 (Terraform 0.12 and later, OpenTofu)"#,
        "1:13",
    );
    told("{\"version\": 4,\n\"resources\": {}}", "`resources` is not a list", "2:14");
    told(
        "{\"version\": 4,\n\"resources\": [\n7]}",
        "this is not a resource of a state: invalid type: integer `7`, expected struct Resource",
        "3:1",
    );
    told(
        "{\"version\": 4, \"resources\": [{\"mode\": \"managed\", \"type\": \"aws_lambda_permission\",\n\
         \"name\": \"x\", \"instances\": [\n  7]}]}",
        "an instance of aws_lambda_permission cannot be read: invalid type: integer `7`, expected struct Instance",
        "3:3",
    );
}
