//! What becomes of lists, conditions and Deny that are good.

use wildmatch::WildMatch;

use crate::config::resolve::Context;
use crate::config::tests::{check, check_all, context, load};
use crate::drift::allow::{IgnoreRule, Writer};
use crate::policy::inventory::{Function, Inventory};
use crate::policy::target::AccountRegion;
use crate::policy::terms::Terms;

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

fn documents() -> Context {
    Context { writer: Writer::Document, ..context() }
}

fn file(statement: &str) -> String {
    format!("functions: [{{function: f, statements: [{{sid: s, {statement}}}]}}]\n")
}

/// The statement after its Sid, with its function left out.
#[track_caller]
fn said(statement: &str) -> String {
    let loaded = load(&[&file(statement)], &documents()).unwrap();
    let [wanted] = loaded.wanted.as_slice() else { panic!("{loaded:?}") };
    let text = wanted.grants[0].terms.statement_text("s", &wanted.target);
    text.replace(r#"{"Sid":"s","#, "").replace(&format!(r#""Resource":"{ARN}""#), "")
}

#[test]
fn a_statement_with_everything_is_written_as_iam_has_it() {
    let text = said(
        r#"effect: deny, principals: ["210987654321", s3.amazonaws.com, "arn:aws:iam::210987654321:role/x"],
        actions: [lambda:InvokeFunction, "lambda:Get*", lambda:*],
        source_arns: ["arn:aws:s3:::a", "arn:aws:sns:*:*:t?"], source_accounts: [123456789012, "012345678901"],
        principal_org_id: o-a1b2c3d4e5, event_source_token: 1.5,
        conditions: {Bool: {aws:SecureTransport: false}, StringEquals: {aws:PrincipalTag/team x: [a, b]},
          NumericLessThanEquals: {s3:max-keys: 010}, ForAnyValue:StringLikeIfExists: {aws:PrincipalOrgPaths: "o-a/*"},
          "Null": {aws:TokenIssueTime: "true"}}"#,
    );
    assert_eq!(
        text,
        r#""Effect":"Deny","Principal":{"AWS":["arn:aws:iam::210987654321:root","arn:aws:iam::210987654321:role/x"],"Service":"s3.amazonaws.com"},"Action":["lambda:InvokeFunction","lambda:Get*","lambda:*"],,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5","lambda:EventSourceToken":"1.5","AWS:SourceAccount":["123456789012","012345678901"],"aws:PrincipalTag/team x":["a","b"]},"ArnLike":{"AWS:SourceArn":["arn:aws:s3:::a","arn:aws:sns:*:*:t?"]},"Bool":{"aws:SecureTransport":"false"},"NumericLessThanEquals":{"s3:max-keys":"010"},"ForAnyValue:StringLikeIfExists":{"aws:PrincipalOrgPaths":"o-a/*"},"Null":{"aws:TokenIssueTime":"true"}}}"#
    );
    let text = said(
        r#"effect: deny, principal: "*", action: lambda:InvokeFunctionUrl, function_url_auth_type: NONE"#,
    );
    assert_eq!(
        text,
        r#""Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunctionUrl",,"Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}"#
    );
    // As IAM's own key it needs no quotes either.
    assert!(
        said("principal: '*', conditions: {Null: {aws:SourceArn: true}}").contains(r#""Null""#)
    );
}

/// However it is written: what AddPermission can say is for every writer, and the same grant.
#[test]
fn what_addpermission_can_say_needs_no_document() {
    #[track_caller]
    fn check(wide: &str, plain: &str) {
        let terms = |statement: &str| {
            let loaded = load(&[&file(statement)], &context()).unwrap();
            loaded.wanted[0].grants[0].terms.clone()
        };
        assert!(matches!(terms(plain), Terms::Plain(_)), "{plain}");
        assert_eq!(terms(wide), terms(plain), "{wide}");
    }
    check("principals: [s3.amazonaws.com]", "principal: s3.amazonaws.com");
    check("principals: ['*'], effect: allow", "principal: '*'");
    check("principal: '*', actions: ['*']", "principal: '*', action: '*'");
    check(
        "principals: ['arn:aws:iam::123456789012:root'], actions: [lambda:GetFunction]",
        "principal: '123456789012', action: lambda:GetFunction",
    );
    check(
        "principal: s3.amazonaws.com, source_arns: ['arn:aws:s3:::b'], source_accounts: [123456789012]",
        "principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b', source_account: 123456789012",
    );
    check(
        "principal: s3.amazonaws.com, conditions: {ArnEquals: {aws:sourcearn: ['arn:aws:s3:::b']}}",
        "principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'",
    );
    check(
        "principal: '*', conditions: {Bool: {lambda:InvokedViaFunctionUrl: True}, StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5}}",
        "principal: '*', invoked_via_function_url: true, principal_org_id: o-a1b2c3d4e5",
    );
}

#[test]
fn the_writer_is_that_of_the_function_or_of_the_settings() {
    let deny =
        "functions:\n  - function: f\n    statements: [{sid: s, principal: '*', effect: deny}]\n";
    for writer in [Writer::Document, Writer::Auto] {
        let loaded = load(&[deny], &Context { writer, ..context() }).unwrap();
        assert!(loaded.wanted[0].grants[0].terms.denies());
    }
    // Another entry for the same function may say it.
    let elsewhere = "functions: [{function: f, writer: auto, statements: []}]\n";
    assert!(load(&[deny, elsewhere], &context()).is_ok());
    let statements = "functions: [{function: f, writer: statements, statements: []}]\n";
    let told = load(&[deny, statements], &documents()).unwrap_err();
    assert!(told.starts_with("error: `effect: deny` needs a writer"), "{told}");
    assert!(told.contains("a.yaml:3:51"), "{told}");
}

#[test]
fn placeholders_stand_in_lists_and_values() {
    let text = r#"
functions:
  - names: [f, "arn:aws-cn:lambda:cn-north-1:210987654321:function:g:live"]
    writer: document
    statements:
      - sid: s
        principals: [s3.amazonaws.com, "arn:${partition}:iam::${account}:role/x"]
        source_arns: ["arn:${partition}:s3:::${function}", "arn:${partition}:s3:${region}:${account}:$${x}"]
        source_accounts: ["${account}", "111111111111"]
        conditions: {StringLike: {aws:PrincipalTag/of: ["${function}-*", "$${aws:username}"]}}
"#;
    let loaded = load(&[text], &context()).unwrap();
    let said: Vec<String> =
        loaded.wanted.iter().map(|it| it.grants[0].terms.statement_text("s", &it.target)).collect();
    for (text, account, partition, region, function) in [
        (&said[0], "123456789012", "aws", "us-east-1", "f"),
        (&said[1], "210987654321", "aws-cn", "cn-north-1", "g"),
    ] {
        for part in [
            format!(r#""AWS":"arn:{partition}:iam::{account}:role/x""#),
            format!(
                r#"["arn:{partition}:s3:::{function}","arn:{partition}:s3:{region}:{account}:${{x}}"]"#
            ),
            format!(r#""AWS:SourceAccount":["{account}","111111111111"]"#),
            format!(r#"["{function}-*","${{aws:username}}"]"#),
        ] {
            assert!(text.contains(&part), "{part}\n{text}");
        }
    }
}

#[test]
fn placeholders_that_stand_for_nothing_are_told_where_they_stand() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: s
        principals: ["${acount}", "${qualifier}"]
        conditions: {StringLike: {aws:PrincipalTag/of: ["${x", "${account}"]}}
      - sid: t
        principals: ["${account}", "arn:aws:iam::123456789012:root", s3.amazonaws.com]
        source_arns: ["${function}", "arn:aws:s3:::a"]
        conditions: {StringLike: {aws:PrincipalTag/of: ["${account}", "123456789012"]}}
      - sid: u
        principals: ["${account}", "210987654321"]
        conditions: {StringLike: {aws:PrincipalTag/of: ["${qualifier}"]}}
"#,
        r#"
error: `${acount}` is not a placeholder
 --> a.yaml:6:22
  |
6 |         principals: ["${acount}", "${qualifier}"]
  |                      ^^^^^^^^^^^
  |
help: did you mean `${account}`? `$${` stands for `${` itself

error: `${` has no `}` after it
 --> a.yaml:7:57
  |
7 |         conditions: {StringLike: {aws:PrincipalTag/of: ["${x", "${account}"]}}
  |                                                         ^^^^^
  |
help: end it; or `$${` stands for `${` itself

error: for arn:aws:lambda:us-east-1:123456789012:function:f: `arn:aws:iam::123456789012:root` stands in `principals` twice
 --> a.yaml:9:36
  |
9 |         principals: ["${account}", "arn:aws:iam::123456789012:root", s3.amazonaws.com]
  |                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
note: it stands here first
 --> a.yaml:9:22
  |
9 |         principals: ["${account}", "arn:aws:iam::123456789012:root", s3.amazonaws.com]
  |                      ^^^^^^^^^^^^

error: for arn:aws:lambda:us-east-1:123456789012:function:f: `f` is not a source ARN: it has to start with arn:
  --> a.yaml:10:23
   |
10 |         source_arns: ["${function}", "arn:aws:s3:::a"]
   |                       ^^^^^^^^^^^^^

error: for arn:aws:lambda:us-east-1:123456789012:function:f: the same value stands under `aws:PrincipalTag/of` twice
  --> a.yaml:11:71
   |
11 |         conditions: {StringLike: {aws:PrincipalTag/of: ["${account}", "123456789012"]}}
   |                                                                       ^^^^^^^^^^^^^^
   |
note: it stands here first
  --> a.yaml:11:57
   |
11 |         conditions: {StringLike: {aws:PrincipalTag/of: ["${account}", "123456789012"]}}
   |                                                         ^^^^^^^^^^^^

error: for arn:aws:lambda:us-east-1:123456789012:function:f: `${qualifier}` stands for nothing, for this is no alias and no version
  --> a.yaml:14:57
   |
14 |         conditions: {StringLike: {aws:PrincipalTag/of: ["${qualifier}"]}}
   |                                                         ^^^^^^^^^^^^^^
   |
help: leave it out, or write the functions themselves and their aliases in entries of their own
"#,
    );
}

/// A policy of one statement that does not fit can never be written.
#[test]
fn a_statement_larger_than_a_policy_is_refused() {
    let arns = |n: usize| -> String {
        let all: Vec<String> =
            (0..n).map(|it| format!("\"arn:aws:s3:::bucket-{it:05}\"")).collect();
        file(&format!("principal: s3.amazonaws.com, source_arns: [{}]", all.join(", ")))
    };
    assert!(load(&[&arns(700)], &documents()).is_ok());
    let told = load(&[&arns(1000)], &documents()).unwrap_err();
    let start = format!("error: for {ARN}: a policy of this statement alone has 2");
    assert!(told.starts_with(&start) && told.contains("bytes, and Lambda allows 20480"), "{told}");
    assert!(told.contains("a.yaml:1:"), "{told}");
}

fn with_rules() -> Context {
    let function = |name: &str| Function {
        name: name.to_owned(),
        aliases: Some(vec!["live".to_owned()]),
        ..Function::default()
    };
    let place = AccountRegion { account: "123456789012".into(), region: "us-east-1".into() };
    let places = [(place, vec![function("orders-in"), function("orders-out")])].into();
    Context { inventory: Some(Inventory { places }.into()), ..context() }
}

#[test]
fn rules_give_lists_to_many_functions() {
    let rule = "functions:
  - match: {name: 'orders-*'}
    writer: auto
    statements:
      - {sid: a, principals: [s3.amazonaws.com, sns.amazonaws.com], source_arns: ['arn:aws:s3:::${function}', 'arn:aws:sns:*:*:t']}
      - {sid: b, principal: '*', effect: deny, conditions: {Bool: {aws:SecureTransport: false}}}
";
    let loaded = load(&[rule], &with_rules()).unwrap();
    let [first, second] = loaded.wanted.as_slice() else { panic!("{loaded:?}") };
    assert_eq!(
        first.grants[0].terms.source_arns(),
        ["arn:aws:s3:::orders-in", "arn:aws:sns:*:*:t"]
    );
    assert_eq!(second.grants[0].terms.source_arns()[0], "arn:aws:s3:::orders-out");
    assert!(second.grants[1].terms.denies());
    assert!(second.grants[1].rule.is_some());
}

/// Nobody waits for a function to come before hearing of it.
#[test]
fn a_rule_that_covers_nothing_is_checked_too() {
    let rule = |entry: &str, statement: &str| {
        format!(
            "functions:\n  - match: {{name: 'x-*'}}\n    {entry}statements: [{{sid: a, {statement}}}]\n"
        )
    };
    let said = |text: &str| load(&[text], &with_rules()).unwrap_err();
    let deny = "principal: '*', effect: deny";
    assert!(said(&rule("", deny)).starts_with("error: `effect: deny` needs a writer"));
    assert!(said(&rule("writer: statements\n    ", deny)).contains("needs a writer"));
    assert!(load(&[&rule("writer: document\n    ", deny)], &with_rules()).is_ok());
    let list = "principals: [s3, '${account}'], source_accounts: ['${account}', '${region}']";
    let told = said(&rule("writer: document\n    ", list));
    assert!(told.contains("error: with example values: `s3` is not a principal"), "{told}");
    assert!(
        told.contains("error: with example values: `us-east-1` is not an account id"),
        "{told}"
    );
}

#[test]
fn the_same_from_a_rule_and_from_elsewhere_is_one_grant() {
    let rule = "functions:
  - match: {name: 'orders-*'}
    writer: document
    statements:
      - {sid: a, principals: [s3.amazonaws.com, sns.amazonaws.com], conditions: {StringLike: {aws:PrincipalTag/a: [x, y]}}}
";
    let same = "functions:
  - function: orders-in
    statements:
      - {sid: a, principals: [sns.amazonaws.com, s3.amazonaws.com], conditions: {StringLike: {aws:principaltag/A: [y, x]}}}
";
    let loaded = load(&[rule, same], &with_rules()).unwrap();
    assert_eq!(loaded.wanted[0].grants.len(), 1);
    assert_eq!(loaded.wanted[0].grants[0].source.to_string(), "b.yaml:4:9");
    let other = same.replace("[y, x]", "[y, z]");
    check_all(
        &[&format!("\n{rule}"), &format!("\n{other}")],
        &with_rules(),
        r"
error: the sid `a` says two different things in arn:aws:lambda:us-east-1:123456789012:function:orders-in
 --> a.yaml:5:15
  |
5 |       - {sid: a, principals: [s3.amazonaws.com, sns.amazonaws.com], conditions: {StringLike: {…
  |               ^
  |
note: this says another one
 --> b.yaml:4:15
  |
4 |       - {sid: a, principals: [sns.amazonaws.com, s3.amazonaws.com], conditions: {StringLike: {…
  |               ^
help: choose another sid, write the same in both, or take the function out of the rule with `except`
",
    );
}

#[test]
fn what_the_settings_ignore_is_seen_in_lists() {
    let pattern = |it: &str| Some(WildMatch::new(it));
    let rule = IgnoreRule {
        sid: None,
        principal: pattern("arn:aws:iam::210987654321:root"),
        source_arn: pattern("*:t"),
    };
    let context = Context { ignore: vec![rule], ..documents() };
    let with = |arn: &str| {
        let statement = format!(
            "principals: [s3.amazonaws.com, '210987654321'], source_arns: ['arn:aws:s3:::b', '{arn}']"
        );
        load(&[&file(&statement)], &context)
    };
    assert!(with("arn:aws:sns:*:*:u").is_ok());
    let told = with("arn:aws:sns:*:*:t").unwrap_err();
    assert!(told.starts_with("error: the settings ignore this grant"), "{told}");
}
