//! Tables of conditions: operators, keys, ARNs and variables.

use super::*;
use crate::policy::evaluate::request::Key;

fn from_bucket(arn: &str) -> Request {
    Request { source_arn: Some(arn.into()), ..call("s3.amazonaws.com") }
}

/// With a source ARN, and without one.
#[test]
fn operators() {
    let a = from_bucket("arn:aws:s3:::a");
    let none = call("s3.amazonaws.com");
    for (operator, values, given, missing) in [
        ("StringEquals", r#""arn:aws:s3:::a""#, '+', '-'),
        ("StringEquals", r#"["arn:aws:s3:::b","arn:aws:s3:::a"]"#, '+', '-'),
        ("StringEquals", r#""arn:aws:s3:::A""#, '-', '-'),
        ("StringEquals", r#""arn:aws:s3:::*""#, '-', '-'),
        ("StringNotEquals", r#""arn:aws:s3:::b""#, '+', '+'),
        ("StringNotEquals", r#"["arn:aws:s3:::b","arn:aws:s3:::a"]"#, '-', '+'),
        ("StringEqualsIgnoreCase", r#""ARN:aws:s3:::A""#, '+', '-'),
        ("StringNotEqualsIgnoreCase", r#""ARN:aws:s3:::A""#, '-', '+'),
        ("StringLike", r#""arn:*:?""#, '+', '-'),
        ("StringLike", r#""arn:*:b""#, '-', '-'),
        ("StringNotLike", r#""arn:*:b""#, '+', '+'),
        ("StringNotLike", r#""arn:*""#, '-', '+'),
        ("ArnEquals", r#""arn:aws:s3:::?""#, '+', '-'),
        ("ArnLike", r#""arn:*:s3:*:*:a*""#, '+', '-'),
        ("ArnLike", r#""arn:aws:*:a""#, '?', '-'),
        ("ArnLike", r#"["arn:aws:*:a","arn:aws:s3:::a"]"#, '+', '-'),
        ("ArnLike", r#""arn:aws:s3:::A""#, '-', '-'),
        ("ArnNotEquals", r#""arn:aws:s3:::a""#, '-', '+'),
        ("ArnNotLike", r#""arn:aws:s3:::b*""#, '+', '+'),
        ("arnlike", r#""arn:aws:s3:::a""#, '+', '-'),
        ("Null", r#""true""#, '-', '+'),
        ("Null", "true", '-', '+'),
        ("Null", r#""false""#, '+', '-'),
        ("Null", r#""perhaps""#, '?', '?'),
        ("NullIfExists", r#""true""#, '?', '?'),
        ("StringEqualsIfExists", r#""arn:aws:s3:::b""#, '-', '+'),
        ("ArnLikeIfExists", r#""arn:aws:s3:::a""#, '+', '+'),
        ("ArnNotLikeIfExists", r#""arn:aws:s3:::a""#, '-', '+'),
        ("ForAnyValue:StringEquals", r#"["x","arn:aws:s3:::a"]"#, '+', '-'),
        ("ForAllValues:StringEquals", r#"["x","arn:aws:s3:::a"]"#, '+', '+'),
        ("ForAllValues:StringEquals", r#"["x"]"#, '-', '+'),
        ("ForAnyValue:StringNotEquals", r#"["x"]"#, '+', '-'),
        ("ForAnyValue:ArnLikeIfExists", r#""arn:aws:s3:::a""#, '+', '+'),
        ("ForEachValue:StringEquals", r#""x""#, '?', '?'),
        ("IpAddress", r#""10.0.0.0/8""#, '?', '?'),
        ("NumericEquals", "7", '?', '?'),
        ("DateLessThan", r#""2026-01-01T00:00:00Z""#, '?', '?'),
        ("StringEquals", "[]", '?', '?'),
        ("StringEquals", r#"{"a":"b"}"#, '?', '?'),
        ("StringEquals", "null", '?', '?'),
    ] {
        let condition = format!(r#""{operator}":{{"AWS:SourceArn":{values}}}"#);
        let text = of(S3, INVOKE, HERE, &condition);
        check(&text, &a, given);
        check(&text, &none, missing);
    }
}

/// A `*` stays in its part of the ARN, but in the last one, which goes to the end.
#[test]
fn arns_part_by_part() {
    for (pattern, arn, expected) in [
        (
            "arn:aws:logs:us-east-1:123456789012:log-group:*",
            "arn:aws:logs:us-east-1:123456789012:log-group:g:*",
            '+',
        ),
        (
            "arn:aws:execute-api:us-east-1:123456789012:api/*/GET/x",
            "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/x",
            '+',
        ),
        ("arn:aws:execute-api:us-east-1::*", "arn:aws:execute-api:us-east-1:123456789012:api", '-'),
        ("arn:aws:sns:*:t", "arn:aws:sns:us-east-1:123456789012:t", '?'),
        ("arn:aws:sns:*:123456789012:t", "arn:aws:sns:us-east-1:123456789012:t", '+'),
        ("arn:aws:sns:us-*:*:t", "arn:aws:sns:us-east-1:1:x:t", '-'),
        ("arn:aws:s?:::a", "arn:aws:s3:::a", '+'),
        ("arn:aws:s?:::a", "arn:aws:s:::a", '-'),
        ("arn:aws:s3:::a", "bucket a", '-'),
    ] {
        let condition = format!(r#""ArnLike":{{"aws:SourceArn":"{pattern}"}}"#);
        check(&of(S3, INVOKE, HERE, &condition), &from_bucket(arn), expected);
    }
}

#[test]
fn keys_and_what_they_are() {
    let with = |edit: fn(&mut Request)| {
        let mut res = call("s3.amazonaws.com");
        edit(&mut res);
        res
    };
    let member = Request { org: Some("o-a1b2c3d4e5".into()), ..call(ROLE) };
    for (request, condition, expected) in [
        (
            with(|it| it.source_account = Some("1".into())),
            r#""StringEquals":{"aws:sourceACCOUNT":"1"}"#,
            '+',
        ),
        (
            with(|it| it.source_account = Some("1".into())),
            r#""StringEquals":{"aws:SourceAccount":1}"#,
            '+',
        ),
        (
            with(|it| it.event_source_token = Some("t".into())),
            r#""StringEquals":{"lambda:EventSourceToken":"t"}"#,
            '+',
        ),
        (
            with(|it| it.function_url_auth_type = Some("NONE".into())),
            r#""StringEquals":{"lambda:FunctionUrlAuthType":"none"}"#,
            '-',
        ),
        (
            with(|it| it.invoked_via_function_url = Some(true)),
            r#""Bool":{"lambda:InvokedViaFunctionUrl":"TRUE"}"#,
            '+',
        ),
        (
            with(|it| it.invoked_via_function_url = Some(true)),
            r#""Bool":{"lambda:InvokedViaFunctionUrl":true}"#,
            '+',
        ),
        (
            with(|it| it.invoked_via_function_url = Some(false)),
            r#""Bool":{"lambda:InvokedViaFunctionUrl":"true"}"#,
            '-',
        ),
        (with(|_| ()), r#""Bool":{"lambda:InvokedViaFunctionUrl":"false"}"#, '-'),
        (with(|_| ()), r#""StringEquals":{"aws:SourceIp":"x"}"#, '?'),
        (with(|_| ()), r#""Bool":{"aws:SecureTransport":"true"}"#, '?'),
        (with(|_| ()), r#""Bool":{"aws:PrincipalIsAWSService":"true"}"#, '+'),
        (with(|_| ()), r#""StringEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com"}"#, '+'),
        (with(|_| ()), r#""StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#, '+'),
        (with(|_| ()), r#""StringEquals":{"aws:PrincipalAccount":"123456789012"}"#, '?'),
        (member.clone(), r#""StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#, '+'),
        (member, r#""ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}"#, '?'),
        (call(ROLE), r#""StringEquals":{"aws:PrincipalAccount":"123456789012"}"#, '+'),
        (call(ROLE), r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/app"}"#, '+'),
        (call(ROLE), r#""Bool":{"aws:PrincipalIsAWSService":"false"}"#, '+'),
        (call(ROLE), r#""Null":{"aws:PrincipalServiceName":"true"}"#, '+'),
        // Of a session it is the ARN of the role, and not its own.
        (
            call(SESSION),
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/app"}"#,
            '+',
        ),
        (
            call(SESSION),
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:sts::123456789012:assumed-role/app/*"}"#,
            '-',
        ),
        (
            call(SESSION),
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/x/*/a*"}"#,
            '?',
        ),
        (
            call(SESSION),
            r#""StringEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/x/app"}"#,
            '?',
        ),
        (
            call(SESSION),
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/other"}"#,
            '-',
        ),
        (
            call("123456789012"),
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/*"}"#,
            '?',
        ),
        (call("123456789012"), r#""StringEquals":{"aws:PrincipalAccount":"123456789012"}"#, '+'),
        (
            call("arn:aws:iam::123456789012:root"),
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:root"}"#,
            '+',
        ),
        (call("*"), r#""StringEquals":{"aws:PrincipalAccount":"anonymous"}"#, '+'),
        (call("*"), r#""Null":{"aws:PrincipalArn":"true"}"#, '+'),
        (call("* of org"), r#""StringEquals":{"aws:PrincipalAccount":"123456789012"}"#, '?'),
        (call("* of org"), r#""Null":{"aws:PrincipalArn":"false"}"#, '+'),
    ] {
        check(&of(r#""Principal":"*""#, INVOKE, HERE, condition), &request, expected);
    }
    for it in Key::ALL {
        assert_eq!(Key::of(&it.name().to_uppercase()), Some(it));
    }
}

/// "The variables are only recognized in version 2012-10-17"; elsewhere they are the characters.
#[test]
fn variables() {
    for (version, value, arn, expected) in [
        ("2012-10-17", "arn:aws:s3:::${aws:SourceAccount}-in", "arn:aws:s3:::111122223333-in", '+'),
        ("2012-10-17", "arn:aws:s3:::${aws:SourceAccount}-in", "arn:aws:s3:::222222222222-in", '-'),
        ("2012-10-17", "arn:aws:s3:::${aws:username}", "arn:aws:s3:::a", '?'),
        ("2012-10-17", "arn:aws:s3:::${aws:PrincipalOrgID}", "arn:aws:s3:::a", '?'),
        ("2012-10-17", "arn:aws:s3:::${aws:SourceAccount, 'x'}", "arn:aws:s3:::a", '?'),
        ("2012-10-17", "arn:aws:s3:::${aws:SourceAccount", "arn:aws:s3:::a", '?'),
        ("2012-10-17", "arn:aws:s3:::a${*}", "arn:aws:s3:::ab", '-'),
        ("2012-10-17", "arn:aws:s3:::a${*}", "arn:aws:s3:::a*", '+'),
        ("2012-10-17", "arn:aws:s3:::${$}{a}${?}", "arn:aws:s3:::${a}?", '+'),
        ("2008-10-17", "arn:aws:s3:::${aws:SourceAccount}-in", "arn:aws:s3:::111122223333-in", '-'),
        ("2008-10-17", "arn:aws:s3:::${aws:username}", "arn:aws:s3:::${aws:username}", '+'),
        ("2008-10-17", "arn:aws:s3:::a${*}", "arn:aws:s3:::a${bc}", '+'),
    ] {
        let condition = format!(r#""ArnLike":{{"aws:SourceArn":"{value}"}}"#);
        let text = of(S3, INVOKE, HERE, &condition);
        let mut request = from_bucket(arn);
        request.source_account = Some("111122223333".into());
        let found = statement(&text, Some(version), &request);
        assert_eq!(mark(&found), expected, "{version} {value} {arn}: {found:?}");
        if version == "2008-10-17" {
            assert_eq!(mark(&statement(&text, None, &request)), expected, "no version: {value}");
        }
    }
}

/// All operators and keys have to hold.
#[test]
fn conditions_are_taken_together() {
    let mut request = from_bucket("arn:aws:s3:::a");
    request.source_account = Some("1".into());
    for (condition, expected) in [
        (
            r#""ArnLike":{"AWS:SourceArn":"arn:aws:s3:::a"},"StringEquals":{"AWS:SourceAccount":"1"}"#,
            '+',
        ),
        (
            r#""ArnLike":{"AWS:SourceArn":"arn:aws:s3:::a"},"StringEquals":{"AWS:SourceAccount":"2"}"#,
            '-',
        ),
        (
            r#""ArnLike":{"AWS:SourceArn":"arn:aws:s3:::a"},"ArnNotEquals":{"AWS:SourceArn":"arn:aws:s3:::a"}"#,
            '-',
        ),
        // What says no for sure is enough, whatever else cannot be told.
        (
            r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"AWS:SourceAccount":"2"}"#,
            '-',
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"AWS:SourceAccount":"1"}"#,
            '?',
        ),
    ] {
        check(&of(S3, INVOKE, HERE, condition), &request, expected);
    }
}
