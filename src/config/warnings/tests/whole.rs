//! What only a whole policy shows, and what is told of it beside errors.

use super::*;
use crate::policy::size::LIMIT;

/// `id line: message` of everything that was found, errors included.
fn found(texts: &[&str]) -> Vec<String> {
    let named = texts.iter().zip(["a.yaml", "b.yaml"]);
    let files = named.map(|(text, name)| File::new(name, (*text).to_owned())).collect();
    let files = Files { files, diagnostics: Vec::new() };
    let examined = examine(permissions::parse(&files), &context());
    let warnings = warnings(&files, &examined, NOW.parse().unwrap());
    let tell = |it: &Diagnostic| {
        let at = it.place.source();
        format!("{} {}:{}: {}", it.rule, at.file, at.line, it.message)
    };
    examined.diagnostics.iter().chain(&warnings).map(tell).collect()
}

#[track_caller]
fn check(texts: &[&str], expected: &[&str]) {
    let found = found(texts);
    let fits = found.len() == expected.len()
        && found.iter().zip(expected).all(|(it, start)| it.starts_with(start));
    assert!(fits, "found {found:#?}\nexpected {expected:#?}");
}

#[test]
fn the_same_grant_twice_is_told_once_with_both_places() {
    let text = r#"
functions:
  - names: [f, g]
    statements:
      - {sid: b, principal: "210987654321", accept: [P004]}
      - {sid: a, principal: "arn:aws:iam::210987654321:root", action: lambda:invokefunction, accept: [P004]}
      - {sid: c, principal: "210987654321", action: lambda:GetFunction, accept: [P004]}
      - {sid: gone, principal: "210987654321", accept: [P004], expires: 2026-01-01T00:00:00Z}
  - function: f
    qualifier: live
    statements: [{sid: b, principal: "210987654321", accept: [P004]}]
"#;
    check(
        &[text],
        &[
            "duplicate-grant a.yaml:6: the grants `b` and `a` of 2 functions say the same",
            "expired a.yaml:8: the grant `gone` of 2 functions expired 165 days ago",
        ],
    );
    let files =
        Files { files: vec![File::new("a.yaml", text.to_owned())], diagnostics: Vec::new() };
    let examined = examine(permissions::parse(&files), &context());
    let found = warnings(&files, &examined, NOW.parse().unwrap());
    let (place, label) = found[0].other.as_deref().unwrap();
    assert_eq!((place.source().line, label.as_str()), (5, "`b` stands here"));
    assert_eq!(found[0].subject.as_ref().unwrap().name, "f/a");
}

/// A policy of statements that are as long as it takes.
fn of_size(size: usize) -> String {
    let statement = |n: usize, bucket: &str| {
        format!(
            "  - {{sid: s{n:03}, principal: s3.amazonaws.com, accept: [P003], \
             source_arn: 'arn:aws:s3:::{bucket}'}}\n"
        )
    };
    let written = r#"{"Version":"2012-10-17","Id":"default","Statement":[]}"#.len();
    let each = r#"{"Sid":"s000","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::"}}},"#.len();
    let mut left = size + 1 - written;
    let mut text = "functions: \n- function: f\n  statements:\n".to_owned();
    let mut n = 0;
    while left > 0 {
        let room = if left > 4 * each { 60 } else { left - each };
        text.push_str(&statement(n, &format!("b{n:03}{}", "x".repeat(room - 4))));
        left -= each + room;
        n += 1;
    }
    text
}

/// Both sides of every bound.
#[test]
fn how_full_the_policy_will_be() {
    let bound = LIMIT * 8 / 10;
    check(&[&of_size(bound)], &[]);
    check(
        &[&of_size(bound + 1)],
        &[
            "policy-nearly-full a.yaml:2: the policy of `f` will have at least 16385 of 20480 bytes (80%)",
        ],
    );
    check(
        &[&of_size(LIMIT)],
        &[
            "policy-nearly-full a.yaml:2: the policy of `f` will have at least 20480 of 20480 bytes (100%)",
        ],
    );
    check(
        &[&of_size(LIMIT + 1)],
        &[
            "policy-too-large a.yaml:2: the policy of `f` would have at least 20481 bytes, and Lambda allows 20480",
        ],
    );
}

/// What has ended takes no room any more.
#[test]
fn an_expired_grant_takes_no_room() {
    let text = of_size(LIMIT + 1).replacen("accept:", "expires: 2026-01-01T00:00:00Z, accept:", 1);
    let found = found(&[&text]);
    assert!(found.iter().any(|it| it.starts_with("policy-nearly-full")), "{found:?}");
}

#[test]
fn risks_are_told_although_there_is_an_error_elsewhere() {
    let text = r#"
functions:
  - function: f
    statements:
      - {sid: any, principal: s3.amazonaws.com}
      - {sid: bad sid, principal: "*"}
      - {sid: late, principal: "*", accept: [P002], expires: 2026-01-01T00:00:00Z}
  - function: "not a name"
    statements:
      - {sid: c, principal: "210987654321"}
"#;
    check(
        &[
            text,
            "functions:\n- function: g\n  statements:\n  - {sid: a, principal: \"*\"}\n  - {sid: b",
        ],
        &[
            "invalid a.yaml:6: ",
            "invalid a.yaml:8: ",
            "syntax b.yaml:",
            "P001 a.yaml:5: ",
            "expired a.yaml:7: ",
            "P004 a.yaml:10: the grant `c` has the risk P004",
        ],
    );
}

/// Half of a function URL, and the other half is wrong, missing, or has expired.
#[test]
fn a_half_is_only_told_of_a_policy_that_is_known_as_a_whole() {
    let with = |other: &str| {
        format!(
            "functions:\n- function: f\n  statements:\n  - {{sid: url, principal: \"210987654321\", accept: [P004], \
             action: lambda:InvokeFunctionUrl, function_url_auth_type: AWS_IAM}}\n{other}"
        )
    };
    let half = "P007 a.yaml:4: ";
    check(&[&with("")], &[half]);
    let other =
        "  - {sid: b, principal: \"210987654321\", invoked_via_function_url: true, accept: [P004]";
    check(&[&with(&format!("{other}}}\n"))], &[]);
    check(&[&with(&format!("{other}, bogus: 1}}\n"))], &["invalid a.yaml:5: "]);
    let wrong = other.replace("sid: b,", "sid: b b,");
    check(&[&with(&format!("{wrong}}}\n"))], &["invalid a.yaml:5: "]);
    check(
        &[&with(&format!("{other}, expires: 2026-01-01T00:00:00Z}}\n"))],
        &[half, "expired a.yaml:5: "],
    );
    check(
        &[&with(&format!(
            "{other}}}\n  - {{sid: url, principal: s3.amazonaws.com, accept: [P001]}}\n"
        ))],
        &["invalid a.yaml:6: "],
    );
    check(
        &[&with("- function: g\n  statements: [{sid: a, principal: 1}]\n")],
        &["invalid a.yaml:6: ", half],
    );
    check(&[&with("- function: g\n  statements: [\n")], &["syntax a.yaml:"]);
}

/// Lists are as risky as their riskiest member, the order in them is nothing, and a Deny risks nothing.
#[test]
fn lists_and_conditions_are_warned_of_as_plain_grants() {
    let text = r#"
functions:
  - function: f
    writer: document
    statements:
      - {sid: a, principals: [s3.amazonaws.com, "210987654321"], conditions: {StringLike: {aws:a: [x, y]}}}
      - {sid: b, principals: ["arn:aws:iam::210987654321:root", s3.amazonaws.com], conditions: {StringLike: {AWS:A: [y, x]}}}
      - {sid: c, principal: sns.amazonaws.com, source_arns: ["arn:aws:sns:*:*:t", "arn:aws:sqs:::q"]}
      - {sid: d, principal: "*", actions: [lambda:InvokeFunction, lambda:Get*]}
      - {sid: e, principal: "*", actions: [lambda:InvokeFunction, lambda:Get*], effect: deny}
      - {sid: f, principal: "*", actions: [lambda:InvokeFunction, lambda:Get*], accept: [P002, P005], expires: 2026-06-16T00:00:00Z}
"#;
    check(
        &[text],
        &[
            "P001 a.yaml:6: the grant `a` has",
            "P004 a.yaml:6: the grant `a` has",
            "P001 a.yaml:7: the grant `b` has",
            "P004 a.yaml:7: the grant `b` has",
            "duplicate-grant a.yaml:7: the grants `a` and `b` say the same",
            "P006 a.yaml:8: the grant `c` has",
            "P008 a.yaml:8: the grant `c` has",
            "P002 a.yaml:9: the grant `d` has",
            "P005 a.yaml:9: the grant `d` has",
            "expires-soon a.yaml:11: the grant `f`",
            "duplicate-grant a.yaml:11: the grants `d` and `f` say the same",
        ],
    );
}

#[test]
fn lists_count_with_all_their_bytes() {
    let of = |n: usize| {
        let arns: Vec<String> = (0..n).map(|it| format!("'arn:aws:s3:::b-{it:04}'")).collect();
        format!(
            "functions: [{{function: f, writer: auto, statements: [{{sid: s, principal: s3.amazonaws.com, \
             source_account: 123456789012, source_arns: [{}]}}]}}]\n",
            arns.join(", ")
        )
    };
    check(&[&of(600)], &[]);
    check(&[&of(850)], &["policy-nearly-full a.yaml:1: the policy of `f` will have at least 1"]);
}
