//! Templates of CloudFormation: what is taken, what is left, and what is no template.

use std::fmt::Write as _;

use super::*;
use crate::config::from::tests::{check_found, check_refused};

const YAML: &str = include_str!("../../../../tests/it/import_from/template.yaml");
/// As the CDK writes it.
const JSON: &str = include_str!("../../../../tests/it/import_from/template.json");

fn inputs(account: Option<&str>, region: Option<&str>, parameters: &[(&str, &str)]) -> Inputs {
    let owned = |it: &str| it.to_owned();
    Inputs {
        defaults: Defaults { account: account.map(owned), region: region.map(owned) },
        parameters: parameters.iter().map(|(key, it)| (owned(key), owned(it))).collect(),
    }
}

#[track_caller]
fn check_template(text: &str, inputs: &Inputs, expected: &str) {
    let file = File::new("template.yaml", text.to_owned());
    check_found(&parse(&file).unwrap().find(inputs), expected);
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let file = File::new("template.yaml", text.to_owned());
    check_refused(&parse(&file).unwrap_err(), expected);
}

/// A template with one permission, whose `SourceArn` is this.
fn source_arn(value: &str) -> String {
    format!(
        "Parameters:
  Bucket: {{Type: String, Default: uploads}}
  Names: {{Type: CommaDelimitedList, Default: 'a, b'}}
  Stored: {{Type: 'AWS::SSM::Parameter::Value<String>', Default: /bucket}}
  Given: {{Type: String}}
Mappings: {{M: {{a: {{b: uploads}}}}}}
Conditions:
  Yes: !Equals [a, a]
  No: !Equals [a, !Ref Bucket]
  Unknown: !Equals [a, !Ref Given]
  Both: !And [!Condition No, !Condition Unknown]
  Either: !Or [!Condition Yes, !Condition Unknown]
  Neither: !And [!Condition Yes, !Condition Unknown]
  Loop: !Not [!Condition Loop]
Resources:
  Loop: {{Type: 'AWS::Lambda::Function', Properties: {{FunctionName: !Ref Loop}}}}
  Named: {{Type: 'AWS::Lambda::Function', Properties: {{FunctionName: named}}}}
  Queue: {{Type: 'AWS::SQS::Queue'}}
  Version: {{Type: 'AWS::Lambda::Version', Properties: {{FunctionName: !Ref Named}}}}
  P:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: f
      Principal: s3.amazonaws.com
      SourceArn: {value}
"
    )
}

/// The value of a `SourceArn`, or why it is none.
#[track_caller]
fn computes(value: &str, expected: &str) {
    let text = source_arn(value);
    let file = File::new("template.yaml", text);
    let found = parse(&file).unwrap().find(&inputs(None, Some("cn-north-1"), &[]));
    let got = match (found.permissions.as_slice(), found.left.as_slice()) {
        ([one], []) => {
            one.grant.terms.plain().unwrap().source_arn.clone().unwrap_or_else(|| "none".to_owned())
        }
        ([], [one]) => one.text.clone(),
        both => panic!("{both:?}"),
    };
    assert_eq!(got, expected, "{value}");
}

#[test]
fn a_template_with_everything_given() {
    let inputs = inputs(Some("123456789012"), Some("eu-west-1"), &[("Bucket", "uploads")]);
    check_template(
        YAML,
        &inputs,
        "
+ AllowUploads 53: 123456789012/eu-west-1 thumbnail-prod made up: s3.amazonaws.com lambda:InvokeFunction arn:aws:s3:::uploads 123456789012
+ AllowRule 62: 123456789012/eu-west-1 thumbnail-prod made up: events.amazonaws.com lambda:InvokeFunction arn:aws:events:eu-west-1:123456789012:rule/nightly
+ AllowOwner 70: 123456789012/eu-west-1 thumbnail-prod:live made up: 222222222222 lambda:InvokeFunction
+ AllowPartner 78: 123456789012/eu-west-1 thumbnail-prod:live made up: 210987654321 lambda:InvokeFunction
+ AllowUrl 88: 123456789012/eu-west-1 web made up: * lambda:InvokeFunctionUrl NONE
+ AllowUrlInvoke 96: 123456789012/eu-west-1 web made up: * lambda:InvokeFunction via_url
- AllowSkill 110: nobody can say whether it is created: the condition `HasSkill` is not known: it is the output of another stack (`Fn::ImportValue`)
- AllowTopic 115: FunctionName: `Unnamed` has no FunctionName, so CloudFormation makes one up; give it with --parameter Unnamed=NAME; SourceArn: only the stack knows what `Topic` (AWS::SNS::Topic) is called; give it with --parameter Topic=VALUE
- AllowTypo 123: permitd does not know its property `SourceARN`
? AllowDev 105: its condition `IsDev` is false, so it is not created",
    );
}

#[test]
fn a_template_with_nothing_given() {
    check_template(
        YAML,
        &Inputs::default(),
        "
+ AllowOwner 70: -/- thumbnail-prod:live made up: 222222222222 lambda:InvokeFunction
+ AllowPartner 78: -/- thumbnail-prod:live made up: 210987654321 lambda:InvokeFunction
+ AllowUrl 88: 123456789012/- web made up: * lambda:InvokeFunctionUrl NONE
+ AllowUrlInvoke 96: 123456789012/- web made up: * lambda:InvokeFunction via_url
- AllowUploads 53: SourceArn: the parameter `Bucket` has no value; give it with --parameter Bucket=VALUE; SourceAccount: only the stack knows `AWS::AccountId`; give it with --account
- AllowRule 62: SourceArn: only the stack knows `AWS::Region`; give it with --region; only the stack knows `AWS::AccountId`; give it with --account
- AllowSkill 110: nobody can say whether it is created: the condition `HasSkill` is not known: it is the output of another stack (`Fn::ImportValue`)
- AllowTopic 115: FunctionName: `Unnamed` has no FunctionName, so CloudFormation makes one up; give it with --parameter Unnamed=NAME; SourceArn: only the stack knows what `Topic` (AWS::SNS::Topic) is called; give it with --parameter Topic=VALUE
- AllowTypo 123: permitd does not know its property `SourceARN`
? AllowDev 105: its condition `IsDev` is false, so it is not created",
    );
}

#[test]
fn a_template_of_the_cdk() {
    check_template(
        JSON,
        &inputs(Some("123456789012"), Some("us-east-1"), &[]),
        "
- ApiANYApiPermissionStackApiB23B3E4AANYE40B2C74 17: FunctionName: `Handler886CB40B` has no FunctionName, so CloudFormation makes one up; give it with --parameter Handler886CB40B=NAME; SourceArn: only the stack knows what `Api9EF6EEF1` (AWS::ApiGateway::RestApi) is called; give it with --parameter Api9EF6EEF1=VALUE; only the stack knows what `ApiDeploymentStageprod59E3B8CB` (AWS::ApiGateway::Stage) is called; give it with --parameter ApiDeploymentStageprod59E3B8CB=VALUE",
    );
    let given = [
        (
            "Handler886CB40B.Arn",
            "arn:aws:lambda:us-east-1:123456789012:function:Stack-Handler886CB40B-x1",
        ),
        ("Api9EF6EEF1", "a1b2c3"),
        ("ApiDeploymentStageprod59E3B8CB", "prod"),
        ("ApiANYApiPermissionStackApiB23B3E4AANYE40B2C74", "Stack-ApiANY-x1"),
    ];
    check_template(
        JSON,
        &inputs(Some("123456789012"), Some("us-east-1"), &given),
        "
+ ApiANYApiPermissionStackApiB23B3E4AANYE40B2C74 17: 123456789012/us-east-1 Stack-Handler886CB40B-x1 Stack-ApiANY-x1: apigateway.amazonaws.com lambda:InvokeFunction arn:aws:execute-api:us-east-1:123456789012:a1b2c3/prod/*/",
    );
}

#[test]
fn functions_that_need_only_the_template() {
    computes("arn:aws:s3:::uploads", "arn:aws:s3:::uploads");
    computes("!Sub 'arn:aws:s3:::${Bucket}'", "arn:aws:s3:::uploads");
    computes("{'Fn::Sub': 'arn:aws:s3:::${Bucket}'}", "arn:aws:s3:::uploads");
    computes("!Sub ['arn:aws:s3:::${x}', {x: !Ref Bucket}]", "arn:aws:s3:::uploads");
    computes("!Sub ['arn:aws:s3:::${Bucket}', {Bucket: mine}]", "arn:aws:s3:::mine");
    computes("!Sub 'arn:aws:s3:::${!Bucket}'", "arn:aws:s3:::${Bucket}");
    computes("!Join [':', [arn, aws, s3, '', '', !Ref Bucket]]", "arn:aws:s3:::uploads");
    computes("!Join ['', ['arn:aws:s3:::', !Join ['-', !Ref Names]]]", "arn:aws:s3:::a-b");
    computes("!Join ['', ['arn:aws:s3:::x', !Ref 'AWS::NoValue']]", "arn:aws:s3:::x");
    computes("!Sub ['arn:aws:s3:::${x}', {x: !Select [1, !Ref Names]}]", "arn:aws:s3:::b");
    computes("!Select ['1', !Split ['|', 'x|arn:aws:s3:::y']]", "arn:aws:s3:::y");
    computes("!Sub ['arn:aws:s3:::${x}', {x: !FindInMap [M, a, b]}]", "arn:aws:s3:::uploads");
    computes("!If [Yes, 'arn:aws:s3:::yes', !Ref Given]", "arn:aws:s3:::yes");
    computes("!If [No, !Ref Given, !Ref 'AWS::NoValue']", "none");
    computes("!If [Both, x, 'arn:aws:s3:::no']", "arn:aws:s3:::no");
    computes("!If [Either, 'arn:aws:s3:::yes', x]", "arn:aws:s3:::yes");
    computes(
        "!Sub 'arn:${AWS::Partition}:s3:::${AWS::Region}.${AWS::URLSuffix}'",
        "arn:aws-cn:s3:::cn-north-1.amazonaws.com.cn",
    );
}

#[test]
fn what_only_a_stack_knows_is_told_with_the_way_to_give_it() {
    computes(
        "!Ref Given",
        "SourceArn: the parameter `Given` has no value; give it with --parameter Given=VALUE",
    );
    computes(
        "!Ref Stored",
        "SourceArn: the value of `Stored` is in the Parameter Store; give it with --parameter Stored=VALUE",
    );
    computes(
        "!GetAtt Queue.Arn",
        "SourceArn: only the stack knows `Queue.Arn` (AWS::SQS::Queue); give it with --parameter Queue.Arn=VALUE",
    );
    computes(
        "!Sub 'arn:aws:s3:::${Queue.QueueName}'",
        "SourceArn: only the stack knows `Queue.QueueName` (AWS::SQS::Queue); give it with --parameter \
         Queue.QueueName=VALUE",
    );
    computes(
        "!Ref Queue",
        "SourceArn: only the stack knows what `Queue` (AWS::SQS::Queue) is called; give it with --parameter \
         Queue=VALUE",
    );
    computes(
        "!Ref 'AWS::AccountId'",
        "SourceArn: only the stack knows `AWS::AccountId`; give it with --account",
    );
    computes(
        "!Ref 'AWS::StackName'",
        "SourceArn: only the stack knows `AWS::StackName`; give it with --parameter AWS::StackName=VALUE",
    );
    computes(
        "!GetAtt Named.Arn",
        "SourceArn: the ARN of `named` needs the account and the region; give them with --account and --region, \
         or it with --parameter Named.Arn=ARN",
    );
    computes(
        "!If [Neither, x, y]",
        "SourceArn: the condition `Neither` is not known: the condition `Unknown` is not known: the parameter \
         `Given` has no value; give it with --parameter Given=VALUE",
    );
    computes(
        "!Sub '${Given}/${Queue}/${Given}'",
        "SourceArn: the parameter `Given` has no value; give it with --parameter Given=VALUE; only the stack knows \
         what `Queue` (AWS::SQS::Queue) is called; give it with --parameter Queue=VALUE",
    );
    computes("!ImportValue x", "SourceArn: it is the output of another stack (`Fn::ImportValue`)");
    computes("!Base64 x", "SourceArn: `Fn::Base64` is not computed here");
}

#[test]
fn what_is_wrong_with_a_function_is_told() {
    computes(
        "!Ref Missing",
        "SourceArn: `Missing` is no parameter and no resource of this template",
    );
    computes("!GetAtt Missing.Arn", "SourceArn: `Missing` is no resource of this template");
    computes("!GetAtt Missing", "SourceArn: `Fn::GetAtt` takes a resource and an attribute");
    computes("!Ref", "SourceArn: `Ref` takes the name of a parameter or a resource");
    computes("!Sub 'arn:${Bucket'", "SourceArn: in its `Fn::Sub` a `${` is never closed");
    computes(
        "!Sub [x]",
        "SourceArn: `Fn::Sub` takes a text, or a list of a text and a map of names",
    );
    computes("!Sub 'x${AWS::NoValue}'", "SourceArn: `${AWS::NoValue}` stands for nothing");
    computes("!Join [x]", "SourceArn: `Fn::Join` takes a delimiter and a list");
    computes("!Select [5, [a]]", "SourceArn: `Fn::Select` asks for item 5 of a list of 1");
    computes("!FindInMap [M, a, c]", "SourceArn: the mapping `M` has no `a`, `c`");
    computes("!If [Missing, a, b]", "SourceArn: `Missing` is no condition of this template");
    computes("[a]", "SourceArn: it is a list, and takes one value");
    computes("{a: b}", "SourceArn: it is a map, and takes one value");
    computes("", "SourceArn: it has no value");
}

#[test]
fn what_refers_to_itself_ends() {
    let text = source_arn("x").replace("FunctionName: f\n", "FunctionName: !Ref Loop\n");
    let file = File::new("template.yaml", text);
    let found = parse(&file).unwrap().find(&Inputs::default());
    assert!(
        found.left[0].text.ends_with("it refers to itself, or to too many others"),
        "{found:?}"
    );
    let file = File::new("template.yaml", source_arn("!If [Loop, a, b]"));
    let found = parse(&file).unwrap().find(&Inputs::default());
    assert!(
        found.left[0].text.ends_with("it refers to itself, or to too many others"),
        "{found:?}"
    );
    // Each name asks for the next one twice.
    let mut text = "Resources:\n".to_owned();
    for n in 0..60 {
        let next = n + 1;
        writeln!(
            text,
            "  F{n}: {{Type: 'AWS::Lambda::Function', Properties: {{FunctionName: \
             !Join ['', [!Ref F{next}, !Ref F{next}]]}}}}"
        )
        .unwrap();
    }
    text += "  F60: {Type: 'AWS::Lambda::Function', Properties: {FunctionName: ''}}
  P: {Type: 'AWS::Lambda::Permission', Properties: {FunctionName: !Ref F0, Action: '*', Principal: '*'}}\n";
    let file = File::new("template.yaml", text);
    let found = parse(&file).unwrap().find(&Inputs::default());
    assert!(
        found.left[0].text.ends_with("it refers to itself, or to too many others"),
        "{found:?}"
    );
}

#[test]
fn properties_that_are_missing_or_not_known() {
    let of = |properties: &str| {
        format!("Resources: {{P: {{Type: 'AWS::Lambda::Permission', {properties}}}}}")
    };
    let check = |properties: &str, expected: &str| {
        check_template(&of(properties), &Inputs::default(), expected);
    };
    check("DependsOn: x", "- P 1: it has no `Properties`");
    check("Properties: {}", "- P 1: it has no FunctionName; it has no Action; it has no Principal");
    check(
        "Properties: {FunctionName: !Ref 'AWS::NoValue', Action: '*', Principal: '*'}",
        "- P 1: it has no FunctionName",
    );
    check(
        "Properties: {FunctionName: f, Action: '*', Principal: '*', SourceVpc: x}",
        "- P 1: permitd does not know its property `SourceVpc`",
    );
    check(
        "Properties: {FunctionName: f, Action: lambda:InvokeFunction, Principal: 012345678901}",
        "+ P 1: -/- f made up: 012345678901 lambda:InvokeFunction",
    );
    check(
        "Properties: {FunctionName: f, Action: lambda:InvokeFunction, Principal: '*', InvokedViaFunctionUrl: false}",
        "- P 1: false is not a condition that Lambda is known to write; leave the key out",
    );
    check(
        "Properties: {FunctionName: f, Action: lambda:InvokeFunction, Principal: '*', InvokedViaFunctionUrl: 1}",
        "- P 1: InvokedViaFunctionUrl: `1` is not true or false",
    );
}

#[test]
fn what_else_says_who_may_call_is_told() {
    check_template(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Function
    Properties:
      Events: {One: {Type: Api}, Two: {Type: S3}}
      FunctionUrlConfig: {AuthType: NONE}
  Quiet: {Type: AWS::Serverless::Function, Properties: {Handler: x}}
  Policy: {Type: AWS::Lambda::ResourcePolicy}
  Layer: {Type: AWS::Lambda::LayerVersionPermission}
  Nested: {Type: AWS::CloudFormation::Stack}
  Module: {Type: 'My::Own::Thing::MODULE'}
  Fn::ForEach::Topics:
    - Topic
    - [a, b]
    - 'Allow${Topic}': {Type: AWS::Lambda::Permission}
  Fn::ForEach::Buckets:
    - Bucket
    - [a, b]
    - 'Bucket${Bucket}': {Type: AWS::S3::Bucket}
",
        &Inputs::default(),
        "
- Policy 9: it is a whole policy as a document; `permitd import --function NAME` takes from Lambda what a permission file can say of it
- Fn::ForEach::Topics 13: it makes permissions in a loop, which is not unrolled here; get the template with `aws cloudformation get-template --template-stage Processed`
? Api 3: SAM makes permissions of its 2 events and its FunctionUrlConfig, which are not in this template; get the one that has them with `aws cloudformation get-template --template-stage Processed`
? Layer 10: it is about a layer, and permitd keeps the policies of functions
? Nested 11: permissions of this nested template are not looked at; name it as a file, too
? Module 12: permissions of the module My::Own::Thing::MODULE are not looked at",
    );
}

#[test]
fn what_is_no_template_is_told_what_it_is() {
    const HELP: &str = "help: a template has `Resources:`, and under it resources with a `Type:`";
    let told = |text: &str, message: &str, place: &str| {
        refused(text, &format!("error: {message}\n--> template.yaml:{place}\n{HELP}"));
    };
    told("", "the template is empty", "1:1");
    told("# nothing\n", "the template is empty", "1:1");
    told("- a\n", "this is not a CloudFormation template", "1:1");
    told("functions: []\n", "this is not a CloudFormation template: it has no `Resources`", "1:1");
    refused(
        "Resources: []\nParameters: x\nConditions:\n",
        "error: `Resources` is a map of names to what they stand for
--> template.yaml:1:1
error: `Parameters` is a map of names to what they stand for
--> template.yaml:2:1",
    );
    refused(
        r#"{"version": 4, "terraform_version": "1.11.4"}"#,
        "error: this is a Terraform state, not a CloudFormation template
--> template.yaml:1:1
help: read it with `--from terraform-state`",
    );
    refused(
        "Resources: {}\n---\nResources: {}\n",
        "error: a template is one document, and here begins a second one\n--> template.yaml:3:1",
    );
    refused(
        "Resources:\n  A: [\n",
        "error: this `[` is never closed\n--> template.yaml:2:6\nhelp: write the closing `]`",
    );
}

#[test]
fn names_that_parameters_may_have() {
    let file = File::new("template.yaml", YAML.to_owned());
    let template = parse(&file).unwrap();
    for it in ["Bucket", "Thumbnail", "Thumbnail.Arn", "AWS::StackName", "AllowTopic"] {
        assert!(template.takes(it), "{it}");
    }
    for it in ["bucket", "Missing", "Missing.Arn", "Bucket.Arn"] {
        assert!(!template.takes(it), "{it}");
    }
    assert_eq!(template.parameters(), ["Stage", "Bucket", "PartnerAccounts"]);
}
