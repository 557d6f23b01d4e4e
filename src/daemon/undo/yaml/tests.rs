//! How an undo looks in a file.

use super::yaml;
use crate::journal::undo::{Undo, grant};
use crate::policy::{
    source::Source,
    statement::Statement,
    target::{Defaults, Target},
};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live";
const S3: &str = r#"{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live","Condition":{"StringEquals":{"AWS:SourceAccount":"012345678901"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::uploads"}}}"#;
const DENY: &str =
    r#"{"Sid":"no","Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"*"}"#;

fn target() -> Target {
    Target::parse(ARN, None, &Defaults::default()).unwrap()
}

#[track_caller]
fn check_yaml(undo: &Undo, expected: &str) {
    assert_eq!(yaml(undo, &target()), expected);
}

#[test]
fn a_grant_in_a_file() {
    let expected = "\
account: \"123456789012\"
region: us-east-1
functions:
  - function: thumbnail
    qualifier: live
    statements:
      - sid: s3
        principal: s3.amazonaws.com
        source_arn: arn:aws:s3:::uploads
        source_account: \"012345678901\"
";
    let source = Source { file: "journal".into(), line: 1, column: 1 };
    let grant = grant(&Statement::read(S3, &target()), source, &target()).unwrap();
    check_yaml(&Undo::Grant(Box::new(grant)), expected);
}

#[test]
fn a_removal_in_a_file() {
    let expected = "\
# Delete the statement with the sid s3 of arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live from the permission files.
# With `ownership: declared`, write this in its place:
account: \"123456789012\"
region: us-east-1
functions:
  - function: thumbnail
    qualifier: live
    absent:
      - s3
";
    check_yaml(&Undo::Remove { sid: "s3".into(), expected: S3.into() }, expected);
}

#[test]
fn what_a_file_cannot_say_stands_in_comments() {
    let statement = "{\"Sid\":\"no\",\n\"a\":\"\u{85}\u{2028}\u{1f600}\"}".to_owned();
    let expected = "\
# A permission file cannot say this statement of arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live:
# {\"Sid\":\"no\",
# \"a\":\"\\u0085\\u2028\u{1f600}\"}
";
    check_yaml(&Undo::Put { statement }, expected);
    let before = "There was no policy before";
    assert!(yaml(&Undo::Document { before: None }, &target()).starts_with(&format!("# {before}")));
    let broken = yaml(&Undo::Document { before: Some("{".into()) }, &target());
    assert!(broken.ends_with(":live:\n# {\n"), "{broken}");
    let both = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{S3},{DENY}]}}");
    let both = yaml(&Undo::Document { before: Some(both) }, &target());
    let (comments, rest) = both.split_once("account:").unwrap();
    assert!(comments.ends_with(&format!("# {DENY}\n")), "{both}");
    assert!(rest.contains("- sid: s3\n"), "{both}");
}
