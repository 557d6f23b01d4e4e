//! What is said about statements that cannot be meant so.

use super::rules;
use crate::config::resolve::Context;
use crate::config::tests::{check, check_all, context};

#[test]
fn numbers_stay_as_written_and_are_checked() {
    check(
        r"
functions:
  - function: f
    statements:
      - {sid: on, principal: 012345678901}
      - {sid: no, principal: 12345678901}
      - {sid: 1e3, principal: s3}
      - {sid: 1.5, principal: 1_000}
",
        r#"
error: `12345678901` is not an account id: it has 11 digits and not twelve; if a leading zero was lost, write the id with its zero, in quotes
 --> a.yaml:5:30
  |
5 |       - {sid: no, principal: 12345678901}
  |                              ^^^^^^^^^^^

error: `s3` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone; did you mean s3.amazonaws.com?
 --> a.yaml:6:31
  |
6 |       - {sid: 1e3, principal: s3}
  |                               ^^

error: `.` may not stand in a sid; letters, digits, `-` and `_` may
 --> a.yaml:7:15
  |
7 |       - {sid: 1.5, principal: 1_000}
  |               ^^^

error: `1_000` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone
 --> a.yaml:7:31
  |
7 |       - {sid: 1.5, principal: 1_000}
  |                               ^^^^^
"#,
    );
}

#[test]
fn what_lambda_refuses_is_told_at_its_key() {
    check(
        r#"
functions:
  - function: f
    statements:
      - sid: with blank
        principal: s3.amazonaws.com
        action: s3:GetObject
      - sid: b
        principal: s3.amazonaws.com
        source_arn: arn:aws:s3:*::x
        source_account: 1
        principal_org_id: o-1
        event_source_token: "a b"
      - sid: c
        principal: "*"
        action: lambda:InvokeFunction
        function_url_auth_type: NONE
      - sid: d
        principal: "*"
        action: lambda:InvokeFunctionUrl
        function_url_auth_type: none
        invoked_via_function_url: true
      - sid: e
        principal: s3.amazonaws.com
        invoked_via_function_url: false
"#,
        r#"
error: ` ` may not stand in a sid; letters, digits, `-` and `_` may
 --> a.yaml:4:14
  |
4 |       - sid: with blank
  |              ^^^^^^^^^^

error: `s3:GetObject` is not an action of Lambda; one looks like lambda:InvokeFunction
 --> a.yaml:6:17
  |
6 |         action: s3:GetObject
  |                 ^^^^^^^^^^^^

error: `arn:aws:s3:*::x` is not a source ARN that Lambda takes: AddPermission takes no wildcard in the region; write one statement for each region, or the ARN under `source_arns`
 --> a.yaml:9:21
  |
9 |         source_arn: arn:aws:s3:*::x
  |                     ^^^^^^^^^^^^^^^

error: `1` is not an account id: it has twelve digits
  --> a.yaml:10:25
   |
10 |         source_account: 1
   |                         ^

error: `o-1` is not an organization id; one looks like o-a1b2c3d4e5
  --> a.yaml:11:27
   |
11 |         principal_org_id: o-1
   |                           ^^^

error: `a b` is not a token: letters, digits, `.`, `_` and `-`, at most 256
  --> a.yaml:12:29
   |
12 |         event_source_token: "a b"
   |                             ^^^^^

error: function_url_auth_type goes with `action: lambda:InvokeFunctionUrl` only; this is `lambda:InvokeFunction`
  --> a.yaml:16:33
   |
16 |         function_url_auth_type: NONE
   |                                 ^^^^

error: `none` is not NONE or AWS_IAM
  --> a.yaml:20:33
   |
20 |         function_url_auth_type: none
   |                                 ^^^^

error: invoked_via_function_url goes with `action: lambda:InvokeFunction` only; this is `lambda:InvokeFunctionUrl`
  --> a.yaml:21:35
   |
21 |         invoked_via_function_url: true
   |                                   ^^^^

error: false is not a condition that Lambda is known to write; leave the key out
  --> a.yaml:24:35
   |
24 |         invoked_via_function_url: false
   |                                   ^^^^^
"#,
    );
}

#[test]
fn an_error_behind_an_alias_is_told_where_it_is_written() {
    check(
        r"
x-base: &base
  principal: s3.amazon
  source_account: 1
functions:
  - function: f
    statements:
      - &s {sid: x, <<: *base}
  - function: g
    statements:
      - *s
  - function: h
    statements: &list
      - {sid: y, principal: é, source_arn: x}
  - function: i
    statements: *list
",
        r#"
error: `s3.amazon` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone; did you mean s3.amazonaws.com?
 --> a.yaml:2:14
  |
2 |   principal: s3.amazon
  |              ^^^^^^^^^
  |
note: it is used here
 --> a.yaml:7:25
  |
7 |       - &s {sid: x, <<: *base}
  |                         ^^^^^

error: `1` is not an account id: it has twelve digits
 --> a.yaml:3:19
  |
3 |   source_account: 1
  |                   ^
  |
note: it is used here
 --> a.yaml:7:25
  |
7 |       - &s {sid: x, <<: *base}
  |                         ^^^^^

error: `é` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone
  --> a.yaml:13:29
   |
13 |       - {sid: y, principal: é, source_arn: x}
   |                             ^

error: `x` is not a source ARN that Lambda takes: it has to start with arn:
  --> a.yaml:13:44
   |
13 |       - {sid: y, principal: é, source_arn: x}
   |                                            ^
"#,
    );
}

#[test]
fn a_sid_twice_names_both_files() {
    check_all(
        &[
            r"
functions:
  - function: f
    statements:
      - {sid: x, principal: s3.amazonaws.com}
",
            r"
functions:
  - function: arn:aws:lambda:us-east-1:123456789012:function:f
    statements:
      - {sid: y, principal: s3.amazonaws.com}
      - sid: x
        principal: s3.amazonaws.com
",
        ],
        &context(),
        r"
error: the sid `x` stands twice in arn:aws:lambda:us-east-1:123456789012:function:f
 --> b.yaml:5:14
  |
5 |       - sid: x
  |              ^
  |
note: it stands here first
 --> a.yaml:4:15
  |
4 |       - {sid: x, principal: s3.amazonaws.com}
  |               ^
help: a sid is unique in one policy; choose another, or delete one of them
",
    );
}

#[test]
fn a_sid_twice_through_an_alias_names_the_aliases() {
    check(
        r"
functions:
  - function: f
    statements:
      - &s {sid: x, principal: s3.amazonaws.com}
  - function: g
    statements:
      - *s
      - *s
",
        r"
error: the sid `x` stands twice in arn:aws:lambda:us-east-1:123456789012:function:g
 --> a.yaml:8:9
  |
8 |       - *s
  |         ^^
  |
note: it stands here first
 --> a.yaml:7:9
  |
7 |       - *s
  |         ^^
help: a sid is unique in one policy; choose another, or delete one of them
",
    );
}

#[test]
fn a_sid_twice_is_told_even_if_one_of_them_is_wrong() {
    check(
        r"
functions:
  - function: f
    statements:
      - {sid: x, principal: s3.amazonaws.com}
      - {sid: x, principal: nobody at all}
",
        r#"
error: the sid `x` stands twice in arn:aws:lambda:us-east-1:123456789012:function:f
 --> a.yaml:5:15
  |
5 |       - {sid: x, principal: nobody at all}
  |               ^
  |
note: it stands here first
 --> a.yaml:4:15
  |
4 |       - {sid: x, principal: s3.amazonaws.com}
  |               ^
help: a sid is unique in one policy; choose another, or delete one of them

error: `nobody at all` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone
 --> a.yaml:5:29
  |
5 |       - {sid: x, principal: nobody at all}
  |                             ^^^^^^^^^^^^^
"#,
    );
}

#[test]
fn bridges_are_ours() {
    check(
        r#"
functions:
  - function: f
    statements:
      - {sid: x-permitd-0123abcd, principal: s3.amazonaws.com}
      - {sid: x-permitd-0123abc, principal: s3.amazonaws.com}
    absent: [y-permitd-01234567, "a b", "with.dot"]
"#,
        r#"
error: the sid `x-permitd-0123abcd` is reserved for permitd's own bridges
 --> a.yaml:4:15
  |
4 |       - {sid: x-permitd-0123abcd, principal: s3.amazonaws.com}
  |               ^^^^^^^^^^^^^^^^^^
  |
help: a sid may not end in `-permitd-` and eight hex digits; choose another

error: the sid `y-permitd-01234567` is reserved for permitd's own bridges
 --> a.yaml:6:14
  |
6 |     absent: [y-permitd-01234567, "a b", "with.dot"]
  |              ^^^^^^^^^^^^^^^^^^
  |
help: name the sid that it stands for; the bridge goes with it

error: ` ` cannot stand in a sid
 --> a.yaml:6:34
  |
6 |     absent: [y-permitd-01234567, "a b", "with.dot"]
  |                                  ^^^^^
"#,
    );
}

#[test]
fn what_is_ignored_cannot_be_granted() {
    check_all(
        &[r#"
functions:
  - function: f
    statements:
      - {sid: Console-1, principal: s3.amazonaws.com}
      - {sid: b, principal: "210987654321", source_arn: arn:aws:s3:::x}
      - {sid: c, principal: "210987654321", source_arn: arn:aws:s3:::y}
"#],
        &Context { ignore: rules(), ..context() },
        r#"
error: the settings ignore this grant (sid: Console-*)
 --> a.yaml:4:15
  |
4 |       - {sid: Console-1, principal: s3.amazonaws.com}
  |               ^^^^^^^^^
  |
help: what is in a file cannot be ignored; change the rule, or delete the grant

error: the settings ignore this grant (principal: arn:aws:iam::210987654321:root, source_arn: *x*)
 --> a.yaml:5:15
  |
5 |       - {sid: b, principal: "210987654321", source_arn: arn:aws:s3:::x}
  |               ^
  |
help: what is in a file cannot be ignored; change the rule, or delete the grant
"#,
    );
}
