//! Live statements that AddPermission cannot have made.

use super::*;

/// An Allow of `lambda:InvokeFunction` without a Sid, with these members put in.
#[track_caller]
fn check_live(members: &str, expected: &str) {
    let action = r#""Action":"lambda:InvokeFunction","#;
    let action = if members.contains("Action\"") { "" } else { action };
    let effect = if members.contains("Effect\"") { "" } else { r#""Effect":"Allow","# };
    let text = format!(r#"{{{effect}{action}"Resource":"{FN}",{members}}}"#);
    let statement = Statement::read(&text, &target());
    assert!(matches!(statement.class(), Class::Fixed(_)), "{statement:?}");
    assert_eq!(codes(&of_statement(&statement, &target())), expected, "{text}");
}

/// The same for an S3 principal and a condition.
#[track_caller]
fn check_condition(condition: &str, expected: &str) {
    let s3 = r#""Principal":{"Service":"s3.amazonaws.com"}"#;
    check_live(&format!(r#"{s3},"Condition":{condition}"#), expected);
}

#[test]
fn what_grants_nothing_has_no_risk() {
    check_live(r#""Effect":"Deny","Principal":"*","Action":"*""#, "");
    check_live(r#""Effect":"allow","Principal":"*""#, "");
    check_live(r#""Effect":"Allow","Effect":"Deny","Principal":"*""#, "");
    check_live(r#""Principal":{"AWS":"AROASNV5YASAZHWFURF3I"},"Action":"lambda:*""#, "");
    let text = format!(
        r#"{{"Sid":"o","Effect":"Allow","Principal":{{"AWS":"AIDASNV5YASAZHWFURF3I"}},"Action":"lambda:*","Resource":"{FN}"}}"#
    );
    let orphaned = Statement::read(&text, &target());
    assert!(matches!(orphaned.class(), Class::Orphaned(_)));
    assert_eq!(of_statement(&orphaned, &target()), []);
    assert_eq!(of_terms(&orphaned.permission().unwrap().clone().into()), []);
    for text in ["", "null", "[]", r#"{"Principal":"*"}"#] {
        assert_eq!(of_statement(&Statement::read(text, &target()), &target()), [], "{text}");
    }
}

#[test]
fn a_list_is_as_risky_as_its_riskiest_member() {
    let role = "arn:aws:iam::123456789012:role/r";
    check_live(&format!(r#""Principal":{{"AWS":"{role}"}}"#), "");
    check_live(&format!(r#""Principal":{{"AWS":["{role}","*"]}}"#), "P002");
    check_live(&format!(r#""Principal":{{"AWS":["{role}","210987654321"]}}"#), "P004");
    check_live(&format!(r#""Principal":{{"AWS":["{role}","AROASNV5YASAZHWFURF3I"]}}"#), "");
    check_live(r#""Principal":{"AWS":"arn:aws-cn:iam::210987654321:root"}"#, "P004");
    check_live(&format!(r#""Principal":{{"Service":"sns.amazonaws.com","AWS":"{role}"}}"#), "P001");
    check_live(
        &format!(r#""Principal":{{"AWS":"{role}"}},"Action":["lambda:GetFunction","lambda:*"]"#),
        "P005",
    );
    check_condition(
        r#"{"ArnLike":{"aws:SourceArn":["arn:aws:s3:us-east-1:123456789012:accesspoint/a","arn:aws:s3:::*"]}}"#,
        "P003 P006",
    );
}

#[test]
fn all_but_a_few_are_as_good_as_all() {
    check_live(r#""NotPrincipal":{"AWS":"123456789012"}"#, "P002");
    check_live(
        r#""NotPrincipal":{"AWS":"123456789012"},"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
        "",
    );
    check_live(r#""Principal":"*","NotAction":"lambda:DeleteFunction""#, "P002 P005");
    check_live(
        r#""Principal":{"AWS":"arn:aws:iam::1:role/r"},"Action":"lambda:Get?unction""#,
        "P005",
    );
    // Lambda@Edge wants it with the asterisk.
    check_live(
        r#""Principal":{"AWS":"arn:aws:iam::123456789012:role/r"},"Action":"lambda:EnableReplication*""#,
        "",
    );
}

#[test]
fn every_condition_is_one() {
    for condition in [
        r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
        r#"{"x":{"y":[]}}"#,
        r#""not understood""#,
        r#"{"x":"not understood"}"#,
    ] {
        check_live(&format!(r#""Principal":"*","Condition":{condition}"#), "");
        check_condition(condition, "P001");
    }
    for condition in ["{}", r#"{"StringEquals":{}}"#] {
        check_live(&format!(r#""Principal":"*","Condition":{condition}"#), "P002");
    }
}

#[test]
fn every_operator_on_a_source_is_one() {
    for key in ["SourceAccount", "SourceOrgID", "SourceOrgPaths"] {
        for operator in ["StringEquals", "StringLike", "ForAnyValue:StringLike", "StringNotEquals"]
        {
            check_condition(&format!(r#"{{"{operator}":{{"AWS:{key}":"x"}}}}"#), "");
        }
    }
    check_condition(r#"{"StringLike":{"lambda:EventSourceToken":"x*"}}"#, "");
    check_condition(r#"{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}"#, "P001");
    // What must not match is no source to judge.
    check_condition(r#"{"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:*:*:*"}}"#, "");
    // Two spellings of one key are not understood otherwise, and count here.
    check_condition(
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"},"ArnEquals":{"AWS:SourceARN":"arn:aws:s3:::b"}}"#,
        "P003",
    );
}

#[test]
fn the_owner_of_a_source_may_be_an_organization() {
    let arn = r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}"#;
    check_condition(&format!("{{{arn}}}"), "P003 P006");
    check_condition(
        &format!(r#"{{{arn},"StringEquals":{{"aws:SourceOrgID":"o-a1b2c3d4e5"}}}}"#),
        "",
    );
    check_condition(
        &format!(r#"{{{arn},"ForAnyValue:StringLike":{{"aws:PrincipalOrgPaths":"o-a/*"}}}}"#),
        "P003",
    );
}

#[test]
fn wildcards_count_where_the_operator_knows_them() {
    let check = |operator: &str, arn: &str, expected: &str| {
        check_condition(&format!(r#"{{"{operator}":{{"aws:SourceArn":"{arn}"}}}}"#), expected);
    };
    check("ArnLikeIfExists", "arn:aws:s3:::*", "P003 P006");
    check("StringLike", "arn:aws:s3:::*", "P003 P006");
    check("StringEquals", "arn:aws:s3:::*", "P003");
    // A wildcard as account matches every account, whatever the resource; this one is Lambda's to refuse in a grant.
    check("ArnLike", "arn:aws:s3:*:*:b", "P003 P006");
    check("ArnLike", "arn:aws:s3:us-east-1:12345678901?:accesspoint/a", "P003 P006");
    check("StringLike", "arn:aws:s3*", "P006");
    check("StringLike", "*", "P006");
    check("StringLike", "arn:aws:*:*:123456789012:*", "");
    check("ArnLike", "arn:aws:s?:::b", "P003");
    check("ArnLike", "arn:aws:*:::b", "P003");
}

#[test]
fn with_several_services_each_needs_its_source_and_each_source_its_service() {
    let check = |services: &str, sources: &str, expected: &str| {
        let condition = format!(r#""Condition":{{"ArnLike":{{"aws:SourceArn":[{sources}]}}}}"#);
        check_live(&format!(r#""Principal":{{"Service":[{services}]}},{condition}"#), expected);
    };
    let (sns, sqs) = (r#""sns.amazonaws.com""#, r#""sqs.amazonaws.com""#);
    let topic = r#""arn:aws:sns:us-east-1:123456789012:t""#;
    let queue = r#""arn:aws:sqs:us-east-1:123456789012:q""#;
    check(&format!("{sns},{sqs}"), &format!("{topic},{queue}"), "");
    check(&format!("{sns},{sqs}"), topic, "P008");
    check(sns, &format!("{topic},{queue}"), "P008");
    check(r#""unknown.example.org""#, topic, "");
    check(r#""*""#, topic, "");
}
