//! P007, which only the whole policy shows.

use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/r";

fn to_url(principal: &str) -> Draft<'_> {
    let (action, auth) = (Some("lambda:InvokeFunctionUrl"), Some("AWS_IAM"));
    Draft { action, function_url_auth_type: auth, ..draft(principal) }
}

fn to_function(principal: &str) -> Draft<'_> {
    Draft { invoked_via_function_url: Some(true), ..draft(principal) }
}

fn with_action<'a>(principal: &'a str, action: &'a str) -> Draft<'a> {
    Draft { action: Some(action), ..draft(principal) }
}

/// The drafts as statements `0`, `1`, …, wanted and live; expected are those with P007.
#[track_caller]
fn check_halves(drafts: &[Draft<'_>], expected: &[usize]) {
    let permissions: Vec<Permission> = drafts.iter().map(permission).collect();
    let sids: Vec<String> = (0..drafts.len()).map(|it| it.to_string()).collect();
    let all: Vec<(&str, &Permission)> = sids.iter().map(String::as_str).zip(&permissions).collect();
    let wanted = of_permissions(&all);
    let found: Vec<String> = wanted
        .iter()
        .filter(|(_, it)| it.contains(&Risk::P007))
        .map(|(sid, _)| sid.clone())
        .collect();
    let expected_sids: Vec<String> = expected.iter().map(usize::to_string).collect();
    assert_eq!(found, expected_sids, "{drafts:?}");
    assert!(wanted.values().all(|it| !it.is_empty() && it.is_sorted()));

    let text = |(sid, it): &(&str, &Permission)| it.statement_text(sid, &target());
    let live = of_document(&document(&all.iter().map(text).collect::<Vec<_>>()), &target());
    let live: BTreeMap<String, Vec<Risk>> =
        live.into_iter().map(|(at, risks)| (at.to_string(), risks)).collect();
    assert_eq!(live, wanted, "what is live is as risky as what is wanted");
}

fn document(statements: &[String]) -> Document {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    Document::parse(text, "r".into(), &target()).unwrap()
}

#[test]
fn half_a_url_is_told() {
    check_halves(&[to_url(ROLE)], &[0]);
    check_halves(&[to_function(ROLE)], &[0]);
    check_halves(&[to_function(ROLE), draft("*"), to_function(ROLE)], &[0, 2]);
    check_halves(&[to_url(ROLE), to_function("*")], &[0, 1]);
    check_halves(&[to_url(ROLE), with_action(ROLE, "lambda:GetFunction")], &[0]);
    // Without the condition it may have been meant for calls past the URL, but not as the first half.
    check_halves(&[draft(ROLE), to_function(ROLE)], &[1]);
}

#[test]
fn a_whole_url_has_no_such_risk() {
    check_halves(&[], &[]);
    check_halves(&[to_url(ROLE), to_function(ROLE)], &[]);
    check_halves(&[to_function("*"), to_url("*")], &[]);
    check_halves(&[to_url(ROLE), draft(ROLE)], &[]);
    check_halves(&[to_url(ROLE), with_action(ROLE, "lambda:*")], &[]);
    check_halves(&[with_action(ROLE, "*"), to_function(ROLE)], &[]);
    check_halves(&[with_action(ROLE, "lambda:*")], &[]);
    check_halves(&[draft(ROLE)], &[]);
    check_halves(&[with_action(ROLE, "lambda:invokefunctionurl"), to_function(ROLE)], &[]);
    let root = to_function("arn:aws:iam::210987654321:root");
    check_halves(&[to_url("210987654321"), root], &[]);
}

#[test]
fn it_stands_among_the_other_risks() {
    let half = permission(&with_action("210987654321", "lambda:InvokeFunctionUrl"));
    let safe = permission(&draft(ROLE));
    let found = of_permissions(&[("half", &half), ("safe", &safe)]);
    assert_eq!(found, BTreeMap::from([("half".to_owned(), vec![Risk::P004, Risk::P007])]));
    assert_eq!(of_terms(&half.clone().into()), [Risk::P004]);
}

#[test]
fn odd_statements_are_halves_and_complete_others() {
    let check = |statements: &[&str], expected: &[usize]| {
        let statement = |it: &&str| format!(r#"{{"Effect":"Allow","Resource":"{FN}",{it}}}"#);
        let document = document(&statements.iter().map(statement).collect::<Vec<_>>());
        let found = of_document(&document, &target()).into_iter();
        let found: Vec<usize> =
            found.filter(|(_, it)| it.contains(&Risk::P007)).map(|(at, _)| at).collect();
        assert_eq!(found, expected, "{statements:?}");
    };
    let url = r#""Sid":"u","Principal":{"AWS":["arn:aws:iam::123456789012:role/r","arn:aws:iam::123456789012:role/s"]},"Action":"lambda:InvokeFunctionUrl""#;
    let r = r#""Principal":{"AWS":"arn:aws:iam::123456789012:role/r"},"Action":["lambda:InvokeFunction"]"#;
    let s = r#""Principal":{"AWS":"arn:aws:iam::123456789012:role/s"},"Action":"lambda:Invoke*""#;
    let via = r#""Principal":{"AWS":"210987654321"},"Action":"lambda:InvokeFunction","Condition":{"BoolIfExists":{"lambda:invokedViaFunctionUrl":[true]}}"#;
    let account =
        r#""Principal":{"AWS":"arn:aws:iam::210987654321:root"},"NotAction":"lambda:GetFunction""#;
    check(&[url], &[0]);
    check(&[url, r], &[0]);
    check(&[url, r, s], &[]);
    check(&[via], &[0]);
    check(&[via, account], &[]);
    check(&[&format!(r#""Effect":"Deny",{url}"#)], &[]);
    // A deleted principal neither needs the other half nor is one.
    check(
        &[
            r#""Sid":"o","Principal":{"AWS":"AROASNV5YASAZHWFURF3I"},"Action":"lambda:InvokeFunctionUrl""#,
        ],
        &[],
    );
}
