//! Live documents of any shape: what they are taken for, and that nothing of them is lost.

use permitd::policy::{
    document::Document,
    principal::Principal,
    size,
    statement::{Class, Statement},
    target::{Defaults, Target},
};

const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:my-function";

fn target() -> Target {
    Target::parse(FN, None, &Defaults::default()).unwrap()
}

/// `statement` with the members given in `patch` put in (or, if null, taken out).
fn read(patch: &str) -> Statement {
    let mut statement = serde_json::json!({
        "Sid": "s", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": FN,
    });
    let patch: serde_json::Value = serde_json::from_str(patch).unwrap();
    for (key, value) in patch.as_object().unwrap() {
        if value.is_null() {
            statement.as_object_mut().unwrap().remove(key);
        } else {
            statement[key] = value.clone();
        }
    }
    Statement::read(&statement.to_string(), &target())
}

#[track_caller]
fn expressible(patch: &str) -> Statement {
    let statement = read(patch);
    assert!(matches!(statement.class(), Class::Expressible(_)), "{:?}", statement.class());
    statement
}

#[track_caller]
fn odd(patch: &str, expected: &str) {
    let statement = read(patch);
    let Class::Inexpressible(odd) = statement.class() else { panic!("{:?}", statement.class()) };
    assert_eq!(odd.why, expected);
}

#[track_caller]
fn fixed(patch: &str, expected: &str) {
    let statement = read(patch);
    let Class::Fixed(odd) = statement.class() else { panic!("{:?}", statement.class()) };
    assert_eq!(odd.why, expected);
}

#[test]
fn what_add_permission_makes_is_expressible_in_every_spelling() {
    expressible("{}");
    expressible(r#"{"Action": ["lambda:InvokeFunction"]}"#);
    expressible(r#"{"Principal": "*"}"#);
    expressible(r#"{"Principal": {"AWS": "*"}}"#);
    expressible(r#"{"Condition": {}}"#);
    expressible(r#"{"Condition": {"ArnEquals": {"aws:sourcearn": ["arn:aws:s3:::b"]}}}"#);
    expressible(r#"{"Condition": {"StringEquals": {"aws:SourceAccount": 123456789012}}}"#);
    expressible(r#"{"Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": true}}}"#);
    let lower = expressible(r#"{"Action": "lambda:invokefunction"}"#);
    assert_eq!(lower.permission().unwrap().action.0, "lambda:invokefunction", "kept as written");
    let root = expressible(r#"{"Principal": {"AWS": "arn:aws:iam::210987654321:root"}}"#);
    let account = Principal::Account("210987654321".into());
    assert_eq!(root.permission().unwrap().principal, account);
}

#[test]
fn the_rest_is_kept_with_the_reason() {
    odd(r#"{"Effect": "Deny"}"#, "it denies");
    odd(r#"{"Effect": "allow"}"#, "its effect is unknown");
    odd(r#"{"Action": ["lambda:InvokeFunction", "lambda:GetFunction"]}"#, "it has several actions");
    odd(r#"{"Action": "s3:GetObject"}"#, "its action is not one of Lambda");
    odd(r#"{"Action": null, "NotAction": "x"}"#, "it has a NotPrincipal, NotAction or NotResource");
    odd(
        r#"{"Principal": {"Service": ["a.amazonaws.com", "b.amazonaws.com"]}}"#,
        "it has several principals",
    );
    odd(
        r#"{"Principal": {"Service": "s3.amazonaws.com", "AWS": "123456789012"}}"#,
        "it has several kinds of principals",
    );
    odd(
        r#"{"Principal": {"Federated": "x"}}"#,
        "its principal is not one that AddPermission takes",
    );
    odd(
        r#"{"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/a/b"}}"#,
        "its principal is not one that AddPermission takes",
    );
    odd(
        r#"{"Resource": "arn:aws:lambda:us-east-1:123456789012:function:other"}"#,
        "its resource is not this function",
    );
    odd(&format!(r#"{{"Resource": ["{FN}", "{FN}:*"]}}"#), "it has several resources");
    let condition = "it has a condition that AddPermission does not write";
    odd(r#"{"Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:s3:::b"}}}"#, condition);
    odd(r#"{"Condition": {"StringLike": {"AWS:SourceAccount": "123456789012"}}}"#, condition);
    odd(r#"{"Condition": {"ArnLikeIfExists": {"AWS:SourceArn": "arn:aws:s3:::b"}}}"#, condition);
    odd(r#"{"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}"#, condition);
    odd(r#"{"Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "false"}}}"#, condition);
    odd(r#"{"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:*:*:b"}}}"#, condition);
    odd(
        r#"{"Condition": {"ArnLike": {"AWS:SourceArn": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}}}"#,
        "a condition has several values",
    );
    let unknown = "it is of a form that permitd does not know";
    odd(r#"{"Extra": 1}"#, unknown);
    odd(r#"{"Condition": "x"}"#, unknown);
    odd(r#"{"Action": 7}"#, unknown);
    odd(r#"{"Principal": "arn:aws:iam::123456789012:role/x"}"#, unknown);
    odd(
        r#"{"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}, "ArnEquals": {"aws:SourceArn": "arn:aws:s3:::b"}}}"#,
        unknown,
    );
    odd(r#"{"Sid": "a.b"}"#, "AddPermission takes no Sid with a dot");
    fixed(r#"{"Sid": null}"#, "it has no Sid");
    fixed(r#"{"Sid": ""}"#, "it has no Sid");
    fixed(r#"{"Sid": 3}"#, "it has no Sid");
    fixed(r#"{"Sid": "a b"}"#, "its Sid is not one that RemovePermission takes");
}

#[test]
fn a_member_that_stands_twice_is_never_taken_for_one() {
    let text = format!(
        r#"{{"Sid":"s","Effect":"Allow","Principal":"*","Principal":{{"Service":"s3.amazonaws.com"}},"Action":"lambda:InvokeFunction","Resource":"{FN}"}}"#
    );
    let statement = Statement::read(&text, &target());
    assert!(matches!(statement.class(), Class::Inexpressible(_)));
    assert_eq!(statement.text(), text);
}

#[test]
fn a_deleted_principal_is_an_orphan_and_blocks_adding() {
    for id in ["AROASNV5YASAZHWFURF3I", "AIDACKCEVSQ6C2EXAMPLE"] {
        let statement = read(&format!(r#"{{"Principal": {{"AWS": "{id}"}}}}"#));
        assert!(matches!(statement.class(), Class::Orphaned(_)), "{id}");
        assert!(statement.blocks_adding());
    }
    let mixed = r#"{"Principal": {"AWS": ["AROASNV5YASAZHWFURF3I", "123456789012"]}}"#;
    assert!(matches!(read(mixed).class(), Class::Inexpressible(_)));
    assert!(read(mixed).blocks_adding());
    assert!(!read("{}").blocks_adding());
}

#[test]
fn statements_of_2015_in_another_member_order_are_the_same() {
    let old = format!(
        r#"{{"Condition":{{"ArnLike":{{"AWS:SourceArn":"arn:aws:s3:::b"}}}},"Action":"lambda:InvokeFunction","Resource":"{FN}","Effect":"Allow","Principal":{{"Service":"s3.amazonaws.com"}},"Sid":"s"}}"#
    );
    let new = read(r#"{"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}}"#);
    let old = Statement::read(&old, &target());
    assert_eq!(old.class(), new.class());
    assert_eq!(old.canonical(&target()), new.canonical(&target()));
}

#[track_caller]
fn document(text: &str) -> Document {
    let document = Document::parse(text.to_owned(), "r".into(), &target()).unwrap();
    assert_eq!(document.text(), text);
    document
}

#[test]
fn one_odd_statement_never_spoils_the_rest() {
    let good = format!(
        r#"{{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"{FN}"}}"#
    );
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let odd = ["7", "null", r#""text""#, "[]", "{}", "1e999", deep.as_str()];
    for odd in odd {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{odd}, {good} ]}}"#);
        let document = document(&text);
        assert_eq!(document.statements().len(), 2, "{odd}");
        assert!(matches!(document.statements()[0].class(), Class::Fixed(_)), "{odd}");
        assert_eq!(document.statements()[0].text(), odd);
        assert!(matches!(document.statements()[1].class(), Class::Expressible(_)));
    }
    assert_eq!(document(&format!(r#"{{"Statement": {good}}}"#)).statements().len(), 1);
    assert_eq!(
        document(r#"{"Version":"2008-10-17","Statement":[]}"#).version(),
        Some("2008-10-17")
    );
}

#[test]
fn what_is_not_a_policy_document_is_refused() {
    for text in [
        "",
        "{}",
        "null",
        "[]",
        "7",
        "<html>",
        r#"{"Statement": 7}"#,
        r#"{"Statement":[],"Statement":[]}"#,
    ] {
        assert!(Document::parse(text.into(), "r".into(), &target()).is_err(), "{text}");
    }
}

#[test]
fn the_size_is_that_of_the_compact_text() {
    let one = format!(
        r#"{{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"{FN}"}}"#
    );
    let policy = |n: usize| {
        let statements = vec![one.clone(); n].join(",");
        format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{statements}]}}"#)
    };
    for n in [1, 2, 7] {
        let now = size::of_document(Some(&document(&policy(n))));
        assert_eq!(now, policy(n).len());
        assert_eq!(size::with(now, size::of_statement(&one)), policy(n + 1).len());
    }
    assert_eq!(size::with(size::of_document(None), size::of_statement(&one)), policy(1).len());
}

#[test]
fn what_is_not_understood_still_shows_what_keeps_it_from_being_touched() {
    let twice = r#""Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b", "aws:SourceArn": "arn:aws:s3:::c"}}"#;
    let statement = read(&format!(
        r#"{{"Effect": "Deny", "Principal": {{"AWS": ["AROASNV5YASAZHWFURF3I"]}}, {twice}}}"#
    ));
    assert!(matches!(statement.class(), Class::Inexpressible(_)));
    assert!(statement.blocks_adding() && statement.denies());
    assert_eq!(statement.source_arns(), ["arn:aws:s3:::b", "arn:aws:s3:::c"]);
}

#[test]
fn an_action_that_add_permission_would_refuse_is_put_back_in_its_own_spelling() {
    let statement = expressible(r#"{"Action": "Lambda:invokeFunction"}"#);
    assert_eq!(statement.permission().unwrap().action.0, "lambda:invokeFunction");
}

#[test]
fn another_version_of_the_language_takes_variables_for_text() {
    let statement = |version: &str, arn: &str| {
        let text = format!(
            r#"{{{version}"Statement":[{{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"{FN}","Condition":{{"ArnLike":{{"AWS:SourceArn":"{arn}"}}}}}}]}}"#
        );
        document(&text).statements()[0].clone()
    };
    let (usual, old) = (r#""Version":"2012-10-17","#, r#""Version":"2008-10-17","#);
    let variable = "arn:aws:s3:::${aws:PrincipalTag/team}";
    assert!(matches!(statement(usual, variable).class(), Class::Expressible(_)));
    assert!(matches!(statement(old, "arn:aws:s3:::b").class(), Class::Expressible(_)));
    for version in [old, ""] {
        assert!(matches!(statement(version, variable).class(), Class::Inexpressible(_)));
    }
}
