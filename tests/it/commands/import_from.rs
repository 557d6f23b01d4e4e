//! `permitd import --from`: permission files from other tools, offline.

use super::harness::{Lambda, Room, Said, service};
use serde_json::{Value, json};

const STATE: &str = include_str!("../import_from/terraform/terraform.tfstate");
const STATE_AS_FILE: &str = include_str!("../import_from/terraform/expected.yaml");
const TEMPLATE: &str = include_str!("../import_from/template.yaml");
const TEMPLATE_AS_FILE: &str = include_str!("../import_from/template.expected.yaml");
const CDK: &str = include_str!("../import_from/template.json");

/// Nothing in it could call AWS.
fn room() -> Room {
    let room =
        Room::new().without("AWS_REGION").without("AWS_ACCESS_KEY_ID").without("AWS_ENDPOINT_URL");
    room.write("terraform.tfstate", STATE);
    room.write("template.yaml", TEMPLATE);
    room.write("template.json", CDK);
    room
}

/// The template with everything that it needs.
const GIVEN: &str = "import --from cloudformation template.yaml --parameter Bucket=uploads --account 123456789012 \
                     --region eu-west-1";

#[track_caller]
fn refused(said: &Said, code: i32, error: &str) {
    assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{}", said.err);
    assert!(said.err.starts_with(&format!("error: {error}")), "{}", said.err);
}

#[test]
fn a_state_goes_to_the_standard_output_and_what_is_said_of_it_elsewhere() {
    let room = room();
    let said = room.permitd("import --from terraform-state terraform.tfstate");
    said.is(
        0,
        &STATE_AS_FILE.replace("From somewhere", "From the Terraform state terraform.tfstate"),
        "\
note: aws_lambda_permission.skill (terraform.tfstate:331:9): `event_source_token` is marked as sensitive, and written as it is
Imported 11 permissions of 2 functions; risks: P004 4, P007 2
hint: Terraform still keeps these permissions, too. Before permitd changes them, take them out of it: `removed` blocks with `destroy = false`, or `terraform state rm`
",
    );
    let piped = room.say_to("import --from terraform-state -", STATE);
    assert_eq!(piped.out, said.out.replace("terraform.tfstate", "<stdin>"));
    let quiet = room.permitd("-q import --from terraform-state terraform.tfstate");
    quiet.is(0, &said.out, "");
    let by_environment =
        room.with("PERMITD_FROM", "terraform-state").permitd("import terraform.tfstate");
    assert_eq!((by_environment.code, by_environment.out), (Some(0), said.out));
}

#[test]
fn a_template_is_listed_as_far_as_it_cannot_be_taken() {
    let room = room();
    let said = room.permitd(&format!("{GIVEN} --accept-risks --ownership all"));
    let expected = TEMPLATE_AS_FILE
        .replace("From somewhere", "From the CloudFormation template template.yaml");
    said.is(
        0,
        &expected,
        "\
left: AllowSkill (template.yaml:110:3): nobody can say whether it is created: the condition `HasSkill` is not known: it is the output of another stack (`Fn::ImportValue`)
left: AllowTopic (template.yaml:115:3): FunctionName: `Unnamed` has no FunctionName, so CloudFormation makes one up; give it with --parameter Unnamed=NAME; SourceArn: only the stack knows what `Topic` (AWS::SNS::Topic) is called; give it with --parameter Topic=VALUE
left: AllowTypo (template.yaml:123:3): permitd does not know its property `SourceARN`
note: AllowDev (template.yaml:105:3): its condition `IsDev` is false, so it is not created
Imported 6 permissions of 2 functions; left: 3, as listed above; risks accepted: P004 2
hint: CloudFormation still keeps these permissions, too. To hand them over, give them `DeletionPolicy: Retain`, and then take them out of the template
",
    );
}

#[test]
fn what_is_not_known_is_given_by_its_name() {
    let room = room();
    let said = room.permitd("import --from cloudformation template.json");
    assert!(said.err.starts_with("left: ApiANYApiPermission"), "{}", said.err);
    assert!(said.err.ends_with("Nothing was imported; left: 1, as listed above\n"), "{}", said.err);
    assert_eq!(said.code, Some(0));
    assert!(
        said.out.lines().all(|it| it.starts_with('#')) && said.out.contains("ApiANY"),
        "{}",
        said.out
    );
    let said = room.permitd(
        "import --from cloudformation template.json --account 123456789012 --region us-east-1 --parameter \
         Handler886CB40B=orders --parameter Api9EF6EEF1=a1b2c3 --parameter ApiDeploymentStageprod59E3B8CB=prod \
         --parameter ApiANYApiPermissionStackApiB23B3E4AANYE40B2C74=stack-ApiANY-1X",
    );
    said.is(
        0,
        "\
# From the CloudFormation template template.json.
account: \"123456789012\"
region: us-east-1
functions:
  - function: orders
    statements:
      # ApiANYApiPermissionStackApiB23B3E4AANYE40B2C74
      - sid: stack-ApiANY-1X
        principal: apigateway.amazonaws.com
        source_arn: arn:aws:execute-api:us-east-1:123456789012:a1b2c3/prod/*/
",
        "\
Imported 1 permission of 1 function
hint: CloudFormation still keeps these permissions, too. To hand them over, give them `DeletionPolicy: Retain`, and then take them out of the template
",
    );
}

#[test]
fn folders_and_files_are_written_as_an_import_writes_them() {
    let room = room();
    let said = room.permitd(&format!("{GIVEN} --out out"));
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    assert!(
        said.err.contains("Imported 6 permissions of 2 functions into out; left: 3"),
        "{}",
        said.err
    );
    let text = std::fs::read_to_string(room.path("out/thumbnail-prod.yaml")).unwrap();
    assert!(text.starts_with("# From the CloudFormation template template.yaml.\n"), "{text}");
    assert!(room.path("out/web.yaml").exists());
    let check = room.permitd("-q check out");
    assert_eq!((check.code, check.out.as_str()), (Some(0), "ok: 6 statements for 3 targets\n"));
    // The same again is no conflict, something else is one.
    assert_eq!(room.permitd(&format!("{GIVEN} --out out")).code, Some(0));
    room.write("out/web.yaml", "mine");
    let conflict = room.permitd(&format!("{GIVEN} --out out"));
    refused(&conflict, 1, "out/web.yaml exists and says something else");
    assert_eq!(room.permitd(&format!("{GIVEN} --out out --force")).code, Some(0));
    let file = room.permitd(&format!("{GIVEN} --out one.yaml"));
    assert_eq!((file.code, file.out.as_str()), (Some(0), ""));
    let text = std::fs::read_to_string(room.path("one.yaml")).unwrap();
    assert!(text.contains("# - AllowTypo (template.yaml:123:3): permitd does not know"), "{text}");
    refused(&room.permitd(&format!("{GIVEN} --out one.yaml")), 64, "one.yaml exists");
}

#[test]
fn several_files_and_some_of_their_functions() {
    let room = room();
    room.write("again.tfstate", STATE);
    let said = room.permitd(
        "import --from terraform-state terraform.tfstate again.tfstate --target thumbnail",
    );
    assert!(
        said.out.starts_with(
            "# From the Terraform state terraform.tfstate, again.tfstate.\n#\n# Not in this file:\n"
        ),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("function: thumbnail\n") && !said.out.contains("function: orders"),
        "{}",
        said.out
    );
    assert!(said.err.contains(
        "left: aws_lambda_permission.s3 (again.tfstate:300:9): the sid `s3-uploads` of thumbnail was taken from \
         aws_lambda_permission.s3 (terraform.tfstate:300:9) already\n"
    ), "{}", said.err);
    let arn = "arn:aws:lambda:eu-central-1:*";
    let said =
        room.permitd(&format!("import --from terraform-state terraform.tfstate --target {arn}"));
    assert!(
        said.out.contains("function: orders") && !said.out.contains("thumbnail"),
        "{}",
        said.out
    );
    let said = room.permitd("import --from terraform-state terraform.tfstate --target nothing");
    refused(&said, 1, "--target matches nothing");
}

#[test]
fn the_settings_hold_for_what_is_imported() {
    let room = room();
    room.write(
        "permitd.yaml",
        "permissions: [out]\ndefaults: {ownership: all}\nignore: [{sid: 'partner-*'}]\n",
    );
    let said = room.permitd("import --from terraform-state terraform.tfstate --out out");
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("left: aws_lambda_permission.partner[1] (terraform.tfstate:268:9): the settings ignore it\n"), "{}", said.err);
    let text = std::fs::read_to_string(room.path("out/thumbnail.yaml")).unwrap();
    assert!(text.contains("ownership: declared") && !text.contains("partner"), "{text}");
    assert_eq!(room.permitd("check").code, Some(0));
}

#[test]
fn a_state_without_permissions_gives_nothing() {
    let room = room();
    room.write("empty.tfstate", r#"{"version": 4, "resources": []}"#);
    let said = room.permitd("import --from terraform-state empty.tfstate --out out");
    said.is(
        0,
        "",
        "Nothing to import: the Terraform state empty.tfstate has no aws_lambda_permission\n",
    );
    assert!(!room.path("out").exists());
    room.permitd("-q import --from terraform-state empty.tfstate").is(0, "", "");
}

#[test]
fn an_account_that_is_not_told_is_left_to_the_plan() {
    let room = room();
    let resource = json!({
        "mode": "managed", "type": "aws_lambda_permission", "name": "x", "instances": [{"attributes": {
            "action": "lambda:InvokeFunction", "function_name": "f", "principal": "210987654321", "statement_id": "x",
        }}],
    });
    room.write("a.tfstate", &json!({"version": 4, "resources": [resource]}).to_string());
    let said = room.permitd("import --from terraform-state a.tfstate --accept-risks");
    assert!(
        said.out.starts_with("# From the Terraform state a.tfstate.\nfunctions:\n"),
        "{}",
        said.out
    );
    assert!(
        said.err.contains("does not tell the account and region of all functions"),
        "{}",
        said.err
    );
    let said = room.permitd(
        "import --from terraform-state a.tfstate --account 123456789012 --region eu-west-1",
    );
    assert!(said.out.contains("account: \"123456789012\"\nregion: eu-west-1\n"), "{}", said.out);
    assert!(!said.err.contains("does not tell"), "{}", said.err);
}

#[test]
fn a_plan_of_what_terraform_made_finds_no_drift() {
    let lambda = Lambda::new(&json!([{"name": "thumbnail"}]));
    let statement: Value = service("s3-uploads", "s3.amazonaws.com", "arn:aws:s3:::uploads");
    let state = json!({"version": 4, "resources": [{
        "mode": "managed", "type": "aws_lambda_permission", "name": "x", "instances": [{"attributes": {
            "action": "lambda:InvokeFunction", "function_name": "thumbnail", "principal": "s3.amazonaws.com",
            "statement_id": "s3-uploads", "source_arn": "arn:aws:s3:::uploads",
        }}],
    }]});
    let room = lambda.room("functions: []");
    room.write("a.tfstate", &state.to_string());
    assert_eq!(room.permitd("import --from terraform-state a.tfstate --out p.yaml").code, Some(0));
    assert_eq!(lambda.calls(), Vec::<String>::new(), "an import from a file calls nobody");
    let plan = "plan p.yaml --detailed-exitcode";
    assert_eq!(room.permitd(plan).code, Some(2), "{statement}");
    assert_eq!(room.permitd("apply p.yaml --mode additive --yes").code, Some(0));
    assert_eq!(room.permitd(plan).code, Some(0));
}

#[test]
fn what_cannot_be_read_is_wrong_configuration() {
    let room = room();
    let state =
        |file: &str| room.permitd(&format!("import --from terraform-state {file} --out out"));
    let template =
        |file: &str| room.permitd(&format!("import --from cloudformation {file} --out out"));
    room.write("old.tfstate", "{\"version\": 3}");
    room.write("empty", "");
    room.write("bad.yaml", "Resources:\n  A:\n   - !Ref [\n");
    std::fs::write(room.path("plan.out"), b"PK\x03\x04\x14\x00\x08\x00\xff\xfe").unwrap();
    std::fs::write(room.path("latin"), b"{\"version\": \"\xe9\"}").unwrap();
    refused(&state("nothing"), 78, "cannot read nothing: there is no such file");
    refused(&state("."), 78, "cannot read .: it is a directory");
    refused(&state("empty"), 78, "the state is empty");
    refused(
        &state("old.tfstate"),
        78,
        "this state has the format version 3; permitd reads version 4",
    );
    refused(&state("plan.out"), 78, "plan.out is an archive, as a saved plan of Terraform is one");
    refused(&state("latin"), 78, "the byte 0xe9 is not UTF-8");
    refused(
        &state("template.yaml"),
        78,
        "this is a CloudFormation template, not a Terraform state",
    );
    refused(
        &template("terraform.tfstate"),
        78,
        "this is a Terraform state, not a CloudFormation template",
    );
    refused(&template("empty"), 78, "the template is empty");
    refused(&template("bad.yaml"), 78, "this `[` is never closed");
    // All that is wrong with all files, and nothing is written.
    let said = state("old.tfstate empty terraform.tfstate");
    assert!(
        said.err.contains("the state is empty") && said.err.contains("version 3"),
        "{}",
        said.err
    );
    assert!(!room.path("out").exists());
}

#[test]
fn wrong_usage() {
    let room = room();
    let usage =
        |words: &str, error: &str| refused(&room.permitd(&format!("import {words}")), 64, error);
    usage("terraform.tfstate", "a file to import from needs --from");
    usage("--parameter A=b", "--parameter goes with --from cloudformation");
    usage("--from terraform-state", "nothing to import from: name a file");
    usage(
        "--from terraform-state terraform.tfstate --parameter A=b",
        "--parameter goes with --from cloudformation",
    );
    for flag in ["--all", "--function=f", "--qualifiers"] {
        let name = flag.split('=').next().unwrap();
        usage(
            &format!("--from terraform-state x {flag}"),
            &format!("--from and {name} exclude each other"),
        );
    }
    usage("--from helm x", "invalid value 'helm' for '--from <KIND>'");
    usage(
        "--from cloudformation template.yaml --parameter Bucket",
        "invalid value 'Bucket' for '--parameter",
    );
    usage(
        "--from cloudformation template.yaml --parameter Bucket=a --parameter Bucket=b",
        "--parameter gives `Bucket` twice",
    );
    usage(
        "--from cloudformation template.yaml --parameter bucket=a",
        "--parameter: the template has nothing that is called `bucket`",
    );
    usage("--from cloudformation template.yaml --account 1", "--account: `1` is not an account id");
}
