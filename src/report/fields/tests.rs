//! Which fields are told apart.

use super::*;

fn told(before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let one = |it: Row| {
        let mark = if it.differs { "!" } else { " " };
        let side = |it: Option<String>| it.unwrap_or_else(|| "-".to_owned());
        format!("{mark} {}: {} | {}", it.path, side(it.before), side(it.after))
    };
    rows(before, after).into_iter().map(one).collect()
}

#[test]
fn one_differs_and_the_order_is_that_of_aws() {
    let before = r#"{"Condition":{"ArnLike":{"AWS:SourceArn":"old"}},"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"}}"#;
    let after = r#"{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},"ArnLike":{"AWS:SourceArn":"new"}}}"#;
    assert_eq!(
        told(Some(before), Some(after)),
        [
            "  Sid: s | s",
            "  Effect: Allow | Allow",
            "  Principal.Service: s3.amazonaws.com | s3.amazonaws.com",
            "! Condition.ArnLike.AWS:SourceArn: old | new",
            "! Condition.StringEquals.AWS:SourceAccount: - | 123456789012",
        ]
    );
}

#[test]
fn other_spellings_are_not_marked() {
    for (before, after) in [
        (r#"{"Action":["lambda:invokefunction"]}"#, r#"{"Action":"lambda:InvokeFunction"}"#),
        (r#"{"Principal":"*"}"#, r#"{"Principal":{"AWS":"*"}}"#),
        (
            r#"{"Principal":{"AWS":"arn:aws-cn:iam::123456789012:root"}}"#,
            r#"{"Principal":{"AWS":"123456789012"}}"#,
        ),
        (
            r#"{"Condition":{"ArnEquals":{"aws:sourceArn":"a"}}}"#,
            r#"{"Condition":{"ArnLike":{"AWS:SourceArn":["a"]}}}"#,
        ),
    ] {
        let rows = rows(Some(before), Some(after));
        assert!(rows.len() == 1 && !rows[0].differs, "{before} {after} {rows:?}");
    }
}

#[test]
fn one_sided_is_all_of_it_and_nothing_differs() {
    let text = r#"{"Sid":"a","Action":["x","y"]}"#;
    assert_eq!(
        told(Some(text), None),
        ["  Sid: a | -", "  Action[0]: x | -", "  Action[1]: y | -"]
    );
    assert_eq!(told(None, Some(r#"{"Sid":"a"}"#)), ["  Sid: - | a"]);
}

#[test]
fn what_is_odd_is_shown_all_the_same() {
    let text = r#"{"Sid":"true","Sid":true,"X":{},"Y":[],"Z":null}"#;
    assert_eq!(
        told(Some(text), None),
        ["  Sid: true | -", "  Sid: true | -", "  X: {} | -", "  Y: [] | -", "  Z: null | -"]
    );
    assert_eq!(told(Some("[1]"), None), ["  : [1] | -"]);
    assert_eq!(told(Some("no JSON"), None), ["  : no JSON | -"]);
}
