//! Permission files of what was found: their text, and what a plan of it says.

use std::sync::Arc;

use super::*;
use crate::config::from::{cloudformation, terraform};
use crate::config::write;
use crate::drift::allow::{IgnoreRule, Rules};
use crate::drift::diff::{Kind, diff};
use crate::policy::document::Document;
use crate::policy::source::Source;

const STATE: &str = include_str!("../../../../tests/it/import_from/terraform/terraform.tfstate");
const TEMPLATE: &str = include_str!("../../../../tests/it/import_from/template.yaml");

fn of_state() -> Found {
    let file = File::new("terraform.tfstate", STATE.to_owned());
    terraform::find(&file, &Defaults::default()).unwrap()
}

fn of_template() -> Found {
    let file = File::new("template.yaml", TEMPLATE.to_owned());
    let account = Some("123456789012".to_owned());
    let defaults = Defaults { account, region: Some("eu-west-1".to_owned()) };
    let parameters = [("Bucket".to_owned(), "uploads".to_owned())].into();
    let inputs = cloudformation::Inputs { defaults, parameters };
    cloudformation::parse(&file).unwrap().find(&inputs)
}

fn entries(found: Found, own_all: bool, accept_risks: bool, context: &Context) -> Entries {
    Entries::new(found, &Options { context, own_all, accept_risks })
}

fn text(entries: &Entries, what: &str) -> String {
    entries.header(what) + &write::text(&entries.entries).unwrap()
}

#[track_caller]
fn loads(text: &str) -> Vec<crate::drift::wanted::Wanted> {
    let file = File::new("permissions.yaml", text.to_owned());
    let files = Files { files: vec![file], diagnostics: Vec::new() };
    let loaded = resolve::resolve(permissions::parse(&files), &Context::default());
    loaded.unwrap_or_else(|it| panic!("{}\n{text}", render_all(&it, false))).wanted
}

#[track_caller]
fn check(found: Found, own_all: bool, accept_risks: bool, expected: &str) {
    let entries = entries(found, own_all, accept_risks, &Context::default());
    let text = text(&entries, "somewhere");
    assert_eq!(text.trim_end(), expected.trim(), "it is:\n{text}");
    assert_eq!(loads(&text).len(), entries.entries.len());
}

#[test]
fn a_state_as_a_permission_file() {
    let expected = include_str!("../../../../tests/it/import_from/terraform/expected.yaml");
    check(of_state(), false, false, expected);
    let owned = expected
        .replace("  - function: orders\n", "  - function: orders\n    ownership: all\n")
        .replace(
            "  - function: thumbnail\n    s",
            "  - function: thumbnail\n    ownership: all\n    s",
        )
        .replace("    qualifier: live\n", "    qualifier: live\n    ownership: all\n");
    check(of_state(), true, false, &owned);
}

#[test]
fn a_template_as_a_permission_file() {
    let expected = include_str!("../../../../tests/it/import_from/template.expected.yaml");
    check(of_template(), true, true, expected);
    let declared: Vec<&str> = expected.lines().filter(|it| !it.contains("ownership: ")).collect();
    let declared = declared.join("\n");
    check(of_template(), false, true, &declared);
}

#[test]
fn what_the_settings_ignore_is_left() {
    let rule = IgnoreRule {
        sid: Some(wildmatch::WildMatch::new("partner-*")),
        principal: None,
        source_arn: None,
    };
    let context = Context { ignore: vec![rule], ..Context::default() };
    let entries = entries(of_state(), false, false, &context);
    let left: Vec<String> = entries.left.iter().map(ToString::to_string).collect();
    assert_eq!(
        left,
        [
            "aws_lambda_permission.partner[0] (terraform.tfstate:244:9): the settings ignore it",
            "aws_lambda_permission.partner[1] (terraform.tfstate:268:9): the settings ignore it",
        ]
    );
    assert_eq!((entries.tally.statements, entries.tally.foreign), (9, 2));
}

#[test]
fn where_the_settings_own_more_the_file_says_what_it_owns() {
    let context = Context { ownership: Ownership::All, ..Context::default() };
    let entries = entries(of_state(), false, false, &context);
    assert!(entries.entries.iter().all(|it| it.ownership == Some(Ownership::Declared)));
}

#[test]
fn an_account_that_nobody_knows_is_left_to_the_reader() {
    let state = r#"{"version": 4, "resources": [{
        "mode": "managed", "type": "aws_lambda_permission", "name": "x", "instances": [{"attributes": {
            "action": "lambda:InvokeFunction", "function_name": "thumbnail", "principal": "s3.amazonaws.com",
            "statement_id": "x"}}]}]}"#;
    let found = terraform::find(&File::new("a", state.to_owned()), &Defaults::default()).unwrap();
    let entries = entries(found, false, false, &Context::default());
    assert_eq!(entries.lacks().into_iter().collect::<Vec<_>>(), ["account", "region"]);
    assert_eq!(
        write::text(&entries.entries).unwrap(),
        "functions:
  - function: thumbnail
    statements:
      # aws_lambda_permission.x
      # P001: a service, without a source
      - sid: x
        principal: s3.amazonaws.com
"
    );
}

/// The comments of the file say what a plan says, where CloudFormation made the Sids.
#[test]
fn a_made_up_sid_is_missing_or_renamed_as_the_file_says() {
    for (own_all, expected) in [(false, Kind::Missing), (true, Kind::Renamed)] {
        let found = Found { left: Vec::new(), ..of_template() };
        let entries = entries(found, own_all, false, &Context::default());
        let word = if own_all { "renamed" } else { "missing" };
        let text = text(&entries, "template.yaml");
        assert!(
            text.contains(&format!("# So a plan shows these permissions as {word}:")),
            "{text}"
        );
        for wanted in loads(&text) {
            let statements: Vec<String> = wanted
                .grants
                .iter()
                .map(|it| {
                    let sid = format!("stack-{}-1A2B3C4D5E6F", it.sid);
                    it.terms.statement_text(&sid, &wanted.target)
                })
                .collect();
            let json = format!(
                r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#,
                statements.join(",")
            );
            let live = Document::parse(json, "r".to_owned(), &wanted.target).unwrap();
            let found = diff(&wanted, Some(&live), &Rules::default(), jiff::Timestamp::UNIX_EPOCH);
            let kinds: Vec<Kind> = found.drift.iter().map(|it| it.kind).collect();
            assert_eq!(kinds, vec![expected; wanted.grants.len()]);
        }
    }
}

#[test]
fn hostile_names_stay_within_their_comments() {
    let source = Source { file: Arc::from("a\nfunctions: []"), line: 1, column: 1 };
    let remark = Remark {
        address: "x\u{2028}y\nfunctions: 1".to_owned(),
        source,
        text: "\u{1b}[31m\r\nz".to_owned(),
    };
    let found = Found { left: vec![remark.clone()], notes: vec![remark], ..of_state() };
    let entries = entries(found, false, false, &Context::default());
    let text = text(&entries, "a\nfunctions: []");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{2028}'), "{text}");
    loads(&text);
}
