//! Each risk both ways: what has it, and what is close to it and has it not.

use super::*;
use crate::policy::{grant::Draft, target::Defaults};

mod live;
mod sets;

const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
const BUCKET: &str = "arn:aws:s3:::b";
const OWNER: Option<&str> = Some("123456789012");

fn target() -> Target {
    Target::parse(FN, None, &Defaults::default()).unwrap()
}

fn draft(principal: &str) -> Draft<'_> {
    Draft { sid: "s", principal, ..Draft::default() }
}

fn permission(draft: &Draft<'_>) -> Permission {
    draft.check("aws").unwrap_or_else(|it| panic!("{draft:?}: {it:?}"))
}

fn codes(risks: &[Risk]) -> String {
    let codes: Vec<&str> = risks.iter().map(|it| it.code()).collect();
    codes.join(" ")
}

/// As wanted, as live, and as live with a Sid that makes it odd: always the same risks.
#[track_caller]
fn check(draft: Draft<'_>, expected: &str) {
    let permission = permission(&draft);
    assert_eq!(codes(&of_terms(&permission.clone().into())), expected, "{draft:?}");
    for sid in ["s", "s.odd", "not/removable"] {
        let text = permission.statement_text(sid, &target());
        let statement = Statement::read(&text, &target());
        assert_eq!(codes(&of_statement(&statement, &target())), expected, "{text}");
    }
}

/// A service with a source.
#[track_caller]
fn check_source(principal: &str, source_arn: &str, expected: &str) {
    let source_arn = Some(source_arn);
    check(Draft { source_arn, ..draft(principal) }, expected);
}

#[test]
fn codes_go_both_ways() {
    for risk in Risk::ALL {
        assert_eq!(Risk::parse(risk.code()), Some(risk));
        assert_eq!(risk.to_string(), risk.code());
        assert_eq!(format!("{risk:?}"), risk.code());
    }
    assert!(Risk::ALL.is_sorted());
    for it in ["", "P000", "P009", "p001", "P001 "] {
        assert_eq!(Risk::parse(it), None);
    }
}

#[test]
fn every_risk_is_explained() {
    for risk in Risk::ALL {
        let (title, text) = (risk.title(), risk.explanation());
        assert!((5..60).contains(&title.len()) && !title.ends_with('.'), "{title}");
        assert!(text.contains(&format!("`accept: [{risk}]`")), "{text}");
        assert!(text.ends_with('.') && !text.contains("  ") && !text.contains('\n'), "{text}");
        assert!(risk.reference().starts_with("https://docs.aws.amazon.com/"));
    }
}

#[test]
fn p001_a_service_without_a_source() {
    let service = draft("sns.amazonaws.com");
    check(service, "P001");
    check(draft("logs.us-east-1.amazonaws.com"), "P001");
    check(draft("alexa-appkit.amazon.com"), "P001");
    // The organization of the caller says nothing about a service.
    check(Draft { principal_org_id: Some("o-a1b2c3d4e5"), ..service }, "P001");
    let via = Some(true);
    check(Draft { invoked_via_function_url: via, ..draft("cloudfront.amazonaws.com") }, "P001");

    check(Draft { source_account: OWNER, ..service }, "");
    check_source("sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:t", "");
    let token = Some("amzn1.ask.skill.1");
    check(Draft { event_source_token: token, ..draft("alexa-appkit.amazon.com") }, "");
    check(draft("arn:aws:iam::123456789012:role/r"), "");
}

#[test]
fn p002_anyone_without_a_condition() {
    let anyone = draft("*");
    check(anyone, "P002");
    check(Draft { action: Some("lambda:InvokeFunctionUrl"), ..anyone }, "P002");

    check(Draft { source_account: OWNER, ..anyone }, "");
    check(Draft { source_arn: Some("arn:aws:sns:us-east-1:123456789012:t"), ..anyone }, "");
    check(Draft { principal_org_id: Some("o-a1b2c3d4e5"), ..anyone }, "");
    check(Draft { event_source_token: Some("t"), ..anyone }, "");
    check(Draft { invoked_via_function_url: Some(true), ..anyone }, "");
    let url = Some("lambda:InvokeFunctionUrl");
    check(Draft { action: url, function_url_auth_type: Some("NONE"), ..anyone }, "");
}

#[test]
fn p003_a_bucket_without_its_owner() {
    check_source("s3.amazonaws.com", BUCKET, "P003");
    check_source("s3.amazonaws.com", "arn:aws-cn:s3:::b", "P003");
    check(Draft { source_arn: Some(BUCKET), ..draft("*") }, "P003");

    let s3 = draft("s3.amazonaws.com");
    check(Draft { source_arn: Some(BUCKET), source_account: OWNER, ..s3 }, "");
    check(Draft { source_account: OWNER, ..s3 }, "");
    check_source("s3.amazonaws.com", "arn:aws:s3:us-east-1:123456789012:accesspoint/a", "");
    // Not S3, and no account inside either.
    check_source("apigateway.amazonaws.com", "arn:aws:apigateway:us-east-1::/restapis/r", "");
}

#[test]
fn p004_a_whole_account() {
    check(draft("210987654321"), "P004");
    check(draft("arn:aws:iam::210987654321:root"), "P004");
    check(draft("arn:aws-cn:iam::210987654321:root"), "P004");
    check(Draft { principal_org_id: Some("o-a1b2c3d4e5"), ..draft("210987654321") }, "P004");

    check(draft("arn:aws:iam::210987654321:role/root"), "");
    check(draft("arn:aws:iam::210987654321:user/u"), "");
}

#[test]
fn p005_a_wildcard_action() {
    let role = draft("arn:aws:iam::210987654321:role/r");
    check(Draft { action: Some("lambda:*"), ..role }, "P005");
    check(Draft { action: Some("*"), ..role }, "P005");
    check(Draft { action: Some("*"), ..draft("*") }, "P002 P005");

    check(role, "");
    check(Draft { action: Some("lambda:UpdateFunctionCode"), ..role }, "");
}

#[test]
fn p006_sources_in_other_accounts() {
    check_source("s3.amazonaws.com", "arn:aws:s3:::b-*", "P003 P006");
    check_source("s3.amazonaws.com", "arn:aws:s3:::b-?", "P003 P006");
    check_source("apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1::*", "P006");
    check(Draft { source_arn: Some("arn:aws:sns:::*"), ..draft("*") }, "P006");

    check_source("s3.amazonaws.com", BUCKET, "P003");
    check_source("events.amazonaws.com", "arn:aws:events:us-east-1:123456789012:rule/*", "");
    let s3 = Draft { source_arn: Some("arn:aws:s3:::b-*"), ..draft("s3.amazonaws.com") };
    check(Draft { source_account: OWNER, ..s3 }, "");
    check(Draft { principal_org_id: Some("o-a1b2c3d4e5"), ..s3 }, "P003");
}

#[test]
fn p008_sources_of_another_service() {
    for (principal, service) in [
        ("sqs.amazonaws.com", "sns"),
        ("events.amazonaws.com", "scheduler"),
        ("s3.us-east-1.amazonaws.com", "sns"),
        ("apigateway.amazonaws.com", "elasticloadbalancing"),
        ("delivery.logs.amazonaws.com", "delivery"),
        ("lambda.alarms.cloudwatch.amazonaws.com", "lambda"),
        ("lex.amazonaws.com", "lexv2"),
        ("alexa-appkit.amazon.com", "lambda"),
        ("alexa-connectedhome.amazon.com", "events"),
    ] {
        let arn = format!("arn:aws:{service}:us-east-1:123456789012:x");
        check_source(principal, &arn, "P008");
        check(Draft { source_account: OWNER, source_arn: Some(&arn), ..draft(principal) }, "P008");
    }
    for (principal, service) in [
        ("sns.amazonaws.com", "sns"),
        ("logs.amazonaws.com", "logs"),
        ("logs.us-east-1.amazonaws.com", "logs"),
        ("logs.us-gov-west-1.amazonaws.com", "logs"),
        ("logs.cn-north-1.amazonaws.com.cn", "logs"),
        ("logs.eusc-de-east-1.amazonaws.eu", "logs"),
        ("delivery.logs.amazonaws.com", "logs"),
        ("lambda.alarms.cloudwatch.amazonaws.com", "cloudwatch"),
        ("apigateway.amazonaws.com", "execute-api"),
        ("apigateway.amazonaws.com", "apigateway"),
        ("cognito-idp.amazonaws.com", "cognito-idp"),
        ("cognito-sync.amazonaws.com", "cognito-identity"),
        ("config.amazonaws.com", "config"),
        ("config-conforms.amazonaws.com", "config"),
        ("config-multiaccountsetup.amazonaws.com", "config"),
        ("edgelambda.amazonaws.com", "cloudfront"),
        ("edgelambda.amazonaws.com", "lambda"),
        ("replicator.lambda.amazonaws.com", "cloudfront"),
        ("replicator.lambda.amazonaws.com", "lambda"),
        ("elasticloadbalancing.amazonaws.com", "elasticloadbalancing"),
        ("elasticmapreduce.amazonaws.com", "elasticmapreduce"),
        ("email.amazonaws.com", "ses"),
        ("ses.amazonaws.com", "ses"),
        ("lex.amazonaws.com", "lex"),
        ("lexv2.amazonaws.com", "lex"),
        ("opensearchservice.amazonaws.com", "es"),
        ("pinpoint.us-east-1.amazonaws.com", "mobiletargeting"),
        ("servicecatalog.amazonaws.com", "catalog"),
        ("voiceconnector.chime.amazonaws.com", "voiceconnector"),
        ("voiceconnector.chime.amazonaws.com", "chime"),
    ] {
        check_source(principal, &format!("arn:aws:{service}:us-east-1:123456789012:x"), "");
    }
    // Only services call on behalf of something.
    for principal in ["*", "arn:aws:iam::123456789012:role/r"] {
        check_source(principal, "arn:aws:sns:us-east-1:123456789012:x", "");
    }
}

#[test]
fn several_risks_are_sorted() {
    let action = Some("lambda:*");
    let source_arn = Some("arn:aws:s3:::*");
    check(Draft { action, source_arn, ..draft("sns.amazonaws.com") }, "P003 P005 P006 P008");
}
