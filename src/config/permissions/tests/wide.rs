//! What is said about lists, effects and conditions of the wrong form.

use crate::config::tests::check;

#[test]
fn one_value_and_a_list_of_them_exclude_each_other() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        principals: [s3.amazonaws.com]
        principal: sns.amazonaws.com
        action: lambda:GetFunction
        actions: [lambda:InvokeFunction]
      - sid: b
        principal: s3.amazonaws.com
        source_arn: arn:aws:s3:::a
        source_arns: [arn:aws:s3:::b]
        source_account: "123456789012"
        source_accounts: ["123456789012"]
"#,
        r#"
error: `principal` and `principals` exclude each other
 --> a.yaml:6:9
  |
6 |         principals: [s3.amazonaws.com]
  |         ^^^^^^^^^^
  |
note: `principal` stands here
 --> a.yaml:7:9
  |
7 |         principal: sns.amazonaws.com
  |         ^^^^^^^^^
help: write all of them under `principals`, or the one under `principal`

error: `action` and `actions` exclude each other
 --> a.yaml:9:9
  |
9 |         actions: [lambda:InvokeFunction]
  |         ^^^^^^^
  |
note: `action` stands here
 --> a.yaml:8:9
  |
8 |         action: lambda:GetFunction
  |         ^^^^^^
help: write all of them under `actions`, or the one under `action`

error: `source_arn` and `source_arns` exclude each other
  --> a.yaml:13:9
   |
13 |         source_arns: [arn:aws:s3:::b]
   |         ^^^^^^^^^^^
   |
note: `source_arn` stands here
  --> a.yaml:12:9
   |
12 |         source_arn: arn:aws:s3:::a
   |         ^^^^^^^^^^
help: write all of them under `source_arns`, or the one under `source_arn`

error: `source_account` and `source_accounts` exclude each other
  --> a.yaml:15:9
   |
15 |         source_accounts: ["123456789012"]
   |         ^^^^^^^^^^^^^^^
   |
note: `source_account` stands here
  --> a.yaml:14:9
   |
14 |         source_account: "123456789012"
   |         ^^^^^^^^^^^^^^
help: write all of them under `source_accounts`, or the one under `source_account`
"#,
    );
}

#[test]
fn an_empty_list_is_none() {
    check(
        r"
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        principals: []
        actions: []
        source_arns: []
        source_accounts: []
",
        r#"
error: `principals` is empty
 --> a.yaml:6:21
  |
6 |         principals: []
  |                     ^^
  |
help: write it like `principals: [s3.amazonaws.com, "210987654321"]`, or leave the key out

error: `actions` is empty
 --> a.yaml:7:18
  |
7 |         actions: []
  |                  ^^
  |
help: write it like `actions: [lambda:InvokeFunction, lambda:GetFunction]`, or leave the key out

error: `source_arns` is empty
 --> a.yaml:8:22
  |
8 |         source_arns: []
  |                      ^^
  |
help: write it like `source_arns: [arn:aws:s3:::one, arn:aws:s3:::other]`, or leave the key out

error: `source_accounts` is empty
 --> a.yaml:9:26
  |
9 |         source_accounts: []
  |                          ^^
  |
help: write it like `source_accounts: ["123456789012", "210987654321"]`, or leave the key out
"#,
    );
}

#[test]
fn lists_are_lists_of_texts() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: b
        principals: s3.amazonaws.com
        actions: {a: b}
        source_arns:
        source_accounts: [["123456789012"], ~]
      - sid: c
        principal: [s3.amazonaws.com]
        effect: Deny
      - sid: d
        effect: refuse
"#,
        r#"
error: `principals` takes a list, not one value
 --> a.yaml:6:21
  |
6 |         principals: s3.amazonaws.com
  |                     ^^^^^^^^^^^^^^^^
  |
help: write it like `principals: [s3.amazonaws.com, "210987654321"]`

error: `actions` takes a list, not a map
 --> a.yaml:7:18
  |
7 |         actions: {a: b}
  |                  ^^^^^^
  |
help: write it like `actions: [lambda:InvokeFunction, lambda:GetFunction]`

error: `source_arns` takes a list, not nothing
 --> a.yaml:8:9
  |
8 |         source_arns:
  |         ^^^^^^^^^^^
  |
help: write it like `source_arns: [arn:aws:s3:::one, arn:aws:s3:::other]`

error: `source_accounts` takes one value, not a list
 --> a.yaml:9:27
  |
9 |         source_accounts: [["123456789012"], ~]
  |                           ^^^^^^^^^^^^^^^^
  |
help: write one value

error: `source_accounts` is null
 --> a.yaml:9:45
  |
9 |         source_accounts: [["123456789012"], ~]
  |                                             ^
  |
help: for the text itself write it in quotes; for no value leave the key out

error: `principal` takes one value, not a list
  --> a.yaml:11:20
   |
11 |         principal: [s3.amazonaws.com]
   |                    ^^^^^^^^^^^^^^^^^^
   |
help: write one statement for each value, or the list under `principals`, which needs `writer: document` or `auto`

error: `Deny` is not a value of `effect`
  --> a.yaml:12:17
   |
12 |         effect: Deny
   |                 ^^^^
   |
help: did you mean `deny`?

error: `principal` is missing in this statement
  --> a.yaml:13:9
   |
13 |       - sid: d
   |         ^^^^^^
   |
help: write `principal: s3.amazonaws.com`

error: `refuse` is not a value of `effect`
  --> a.yaml:14:17
   |
14 |         effect: refuse
   |                 ^^^^^^
   |
help: it is `allow` or `deny`
"#,
    );
}

#[test]
fn conditions_have_operators_keys_and_values() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - {sid: a, principal: "*", conditions: true}
      - {sid: b, principal: "*", conditions: {}}
      - {sid: c, principal: "*", conditions: [StringEquals]}
      - {sid: d, principal: "*", conditions: {StringEquals: aws:PrincipalOrgID}}
      - {sid: e, principal: "*", conditions: {StringEquals: {}}}
      - {sid: f, principal: "*", conditions: {StringEquals: {aws:PrincipalOrgID: }}}
      - {sid: g, principal: "*", conditions: {StringEquals: {aws:PrincipalOrgID: []}}}
      - {sid: h, principal: "*", conditions: {StringEquals: {aws:PrincipalOrgID: {a: b}}}}
      - {sid: i, principal: "*", conditions: {StringEquals: {aws:PrincipalOrgID: [[a]]}}}
"#,
        r#"
error: `conditions` is a map of keys and values, not one value
 --> a.yaml:5:46
  |
5 |       - {sid: a, principal: "*", conditions: true}
  |                                              ^^^^

error: `conditions` is empty
 --> a.yaml:6:46
  |
6 |       - {sid: b, principal: "*", conditions: {}}
  |                                              ^^
  |
help: write it like `conditions: {StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5}}`, or leave it out

error: `conditions` is a map of keys and values, not a list
 --> a.yaml:7:46
  |
7 |       - {sid: c, principal: "*", conditions: [StringEquals]}
  |                                              ^^^^^^^^^^^^^^

error: an operator of `conditions` is a map of keys and values, not one value
 --> a.yaml:8:61
  |
8 |       - {sid: d, principal: "*", conditions: {StringEquals: aws:PrincipalOrgID}}
  |                                                             ^^^^^^^^^^^^^^^^^^

error: `StringEquals` is empty
 --> a.yaml:9:61
  |
9 |       - {sid: e, principal: "*", conditions: {StringEquals: {}}}
  |                                                             ^^
  |
help: write it like `conditions: {StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5}}`, or leave it out

error: `aws:PrincipalOrgID` has no value
  --> a.yaml:10:62
   |
10 |       - {sid: f, principal: "*", conditions: {StringEquals: {aws:PrincipalOrgID: }}}
   |                                                              ^^^^^^^^^^^^^^^^^^
   |
help: write one, or leave the key out

error: `aws:PrincipalOrgID` is empty
  --> a.yaml:11:82
   |
   |
11 | …     - {sid: g, principal: "*", conditions: {StringEquals: {aws:PrincipalOrgID: []}}}
   |                                                                                  ^^
help: write a value, or a list of them

error: `aws:PrincipalOrgID` takes one value, not a map
  --> a.yaml:12:82
   |
   |
12 | …     - {sid: h, principal: "*", conditions: {StringEquals: {aws:PrincipalOrgID: {a: b}}}}
   |                                                                                  ^^^^^^

error: `aws:PrincipalOrgID` takes one value, not a list
  --> a.yaml:13:83
   |
   |
13 | …    - {sid: i, principal: "*", conditions: {StringEquals: {aws:PrincipalOrgID: [[a]]}}}
   |                                                                                  ^^^
help: write one value
"#,
    );
}

#[test]
fn operators_are_those_of_iam() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        principal: "*"
        conditions:
          stringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5}
          StringEqual: {aws:PrincipalOrgID: o-a1b2c3d4e5}
          ForAnyValues:StringLike: {aws:PrincipalOrgPaths: o-a1b2c3d4e5/*}
          NullIfExists: {aws:SourceArn: "true"}
          Whatever: {aws:SourceArn: "true"}
          ArnLike: {SourceArn: "arn:aws:s3:::a", "aws:": a, "aws:PrincipalTag/${function}": b}
"#,
        r#"
error: `stringEquals` is not an operator of IAM's conditions
 --> a.yaml:8:11
  |
8 |           stringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5}
  |           ^^^^^^^^^^^^
  |
help: did you mean `StringEquals`?

error: `StringEqual` is not an operator of IAM's conditions
 --> a.yaml:9:11
  |
9 |           StringEqual: {aws:PrincipalOrgID: o-a1b2c3d4e5}
  |           ^^^^^^^^^^^
  |
help: did you mean `StringEquals`?

error: `ForAnyValues:StringLike` is not an operator of IAM's conditions
  --> a.yaml:10:11
   |
10 |           ForAnyValues:StringLike: {aws:PrincipalOrgPaths: o-a1b2c3d4e5/*}
   |           ^^^^^^^^^^^^^^^^^^^^^^^
   |
help: did you mean `ForAnyValue:StringLike`?

error: `NullIfExists` is not an operator of IAM's conditions
  --> a.yaml:11:11
   |
11 |           NullIfExists: {aws:SourceArn: "true"}
   |           ^^^^^^^^^^^^
   |
help: did you mean `Null`?

error: `Whatever` is not an operator of IAM's conditions
  --> a.yaml:12:11
   |
12 |           Whatever: {aws:SourceArn: "true"}
   |           ^^^^^^^^
   |
help: write it like `conditions: {StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5}}`; others are StringLike, ArnLike, Bool

error: `SourceArn` is not a condition key
  --> a.yaml:13:21
   |
13 |           ArnLike: {SourceArn: "arn:aws:s3:::a", "aws:": a, "aws:PrincipalTag/${function}": b}
   |                     ^^^^^^^^^
   |
help: one has a colon, as in aws:SourceArn or lambda:FunctionUrlAuthType

error: `aws:` is not a condition key
  --> a.yaml:13:50
   |
13 |           ArnLike: {SourceArn: "arn:aws:s3:::a", "aws:": a, "aws:PrincipalTag/${function}": b}
   |                                                  ^^^^^^
   |
help: one has a colon, as in aws:SourceArn or lambda:FunctionUrlAuthType

error: `aws:PrincipalTag/${function}` is not a condition key
  --> a.yaml:13:61
   |
13 |           ArnLike: {SourceArn: "arn:aws:s3:::a", "aws:": a, "aws:PrincipalTag/${function}": b}
   |                                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |
help: one has a colon, as in aws:SourceArn or lambda:FunctionUrlAuthType
"#,
    );
}
