//! What is gathered, how it is written, and that it is known again.

use super::*;
use crate::policy::{grant::Draft, statement::Statement, target::Defaults};

fn target() -> Target {
    Target::parse(
        "f",
        None,
        &Defaults { account: Some("123456789012".into()), region: Some("us-east-1".into()) },
    )
    .unwrap()
}

fn s3(bucket: &str) -> Permission {
    let arn = format!("arn:aws:s3:::{bucket}");
    let draft = Draft {
        sid: "x",
        principal: "s3.amazonaws.com",
        source_arn: Some(&arn),
        ..Draft::default()
    };
    draft.check("aws").unwrap()
}

fn of(principal: &str, account: Option<&str>) -> Permission {
    Draft { sid: "x", principal, source_account: account, ..Draft::default() }.check("aws").unwrap()
}

fn gathered(permissions: &[Permission]) -> Vec<Option<Dimension>> {
    let all: Vec<&Permission> = permissions.iter().collect();
    places(&all, &target(), "").into_iter().map(|it| it.map(|it| it.dimension)).collect()
}

#[test]
fn what_differs_in_one_thing_is_gathered() {
    use Dimension::{Principal as P, SourceAccount, SourceArn};
    let (a, b) = (s3("a"), s3("b"));
    assert_eq!(gathered(&[a.clone(), b.clone()]), [Some(SourceArn), Some(SourceArn)]);
    let (one, two) = ("123456789012", "210987654321");
    let sns = "sns.amazonaws.com";
    let of_accounts = [of(sns, Some(one)), of(sns, Some(two))];
    assert_eq!(gathered(&of_accounts), [Some(SourceAccount); 2]);
    assert_eq!(gathered(&[of(one, None), of(two, None)]), [Some(P); 2]);
    assert_eq!(gathered(&[of(sns, None), of("s3.amazonaws.com", None)]), [Some(P); 2]);
    // A service and an account are no alternatives of one list, anyone is more than all of them, and one is no list.
    assert_eq!(gathered(&[of(sns, None), of(one, None)]), [None, None]);
    assert_eq!(gathered(&[of("*", None), of(one, None)]), [None, None]);
    assert_eq!(gathered(&[a.clone(), a.clone()]), [None, None]);
    let other =
        Permission { action: crate::policy::grant::Action("lambda:GetFunction".into()), ..b };
    assert_eq!(gathered(&[a, other]), [None, None]);
}

#[test]
fn a_list_is_one_statement_and_is_known_again() {
    let (a, b) = (s3("a"), s3("b"));
    let all = [&b, &a];
    let place = places(&all, &target(), "")[0].clone().unwrap();
    let text = statement_text(&place, &all, &target());
    let expected = r#"{"Sid":"SID","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Condition":{"ArnLike":{"AWS:SourceArn":["arn:aws:s3:::a","arn:aws:s3:::b"]}}}"#;
    assert_eq!(text, expected.replace("SID", &place.sid));
    let list = read(&place.sid, &text, &target()).unwrap();
    assert_eq!(list.members, [a.clone(), b]);
    // The Sid says what its members share, not which they are; and one member is a list as well.
    let one = statement_text(&place, &[&a], &target());
    assert_eq!(read(&place.sid, &one, &target()).unwrap().members, [a]);
    // Somebody else's list, and one of another function.
    assert_eq!(read("mine", &text, &target()), None);
    assert_eq!(read("compact-permitd-00000000", &text, &target()), None);
    let changed = text.replace("s3.amazonaws.com", "sns.amazonaws.com");
    assert_eq!(read(&place.sid, &changed, &target()), None);
    assert!(matches!(Statement::read(&text, &target()).class(), Class::Inexpressible(_)));
}

#[test]
fn every_dimension_is_read_back() {
    let pairs = [
        [
            of("sns.amazonaws.com", Some("123456789012")),
            of("sns.amazonaws.com", Some("210987654321")),
        ],
        [of("123456789012", None), of("210987654321", None)],
        [of("arn:aws:iam::123456789012:role/a", None), of("123456789012", None)],
        [of("sns.amazonaws.com", None), of("s3.amazonaws.com", None)],
    ];
    for pair in pairs {
        let all: Vec<&Permission> = pair.iter().collect();
        let place = places(&all, &target(), "x-")[0].clone().unwrap();
        assert!(place.sid.starts_with("x-compact-permitd-"), "{place:?}");
        let text = statement_text(&place, &all, &target());
        let mut members = read(&place.sid, &text, &target()).unwrap().members;
        members.sort_by_key(|it| format!("{it:?}"));
        let mut expected = pair.to_vec();
        expected.sort_by_key(|it| format!("{it:?}"));
        assert_eq!(members, expected, "{text}");
    }
}
