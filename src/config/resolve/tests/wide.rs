//! What is said about lists, conditions and Deny that cannot be meant so, and what becomes of good ones.

use crate::config::tests::check;

#[test]
fn each_item_is_checked_like_the_single_key() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        principals: [s3, 12345, AROAEXAMPLEEXAMPLE123, s3.amazonaws.com]
        actions: [InvokeFunction, "s3:*", lambda:Get*, lambda:]
        source_arns: [bucket, "arn:aws:s3:::b", "arn:aws:sns:eu:1:t", "arn:aws:sns:*:123:t"]
        source_accounts: [1, "123456789012"]
        principal_org_id: o-1
      - sid: b
        principal: s3
        action: lambda:Get*
        source_arn: arn:aws:sns:*:123456789012:t
        effect: deny
"#,
        r#"
error: `s3` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone; did you mean s3.amazonaws.com?
 --> a.yaml:6:22
  |
6 |         principals: [s3, 12345, AROAEXAMPLEEXAMPLE123, s3.amazonaws.com]
  |                      ^^

error: `12345` is not an account id: it has 5 digits and not twelve; if a leading zero was lost, write the id with its zero, in quotes
 --> a.yaml:6:26
  |
6 |         principals: [s3, 12345, AROAEXAMPLEEXAMPLE123, s3.amazonaws.com]
  |                          ^^^^^

error: `AROAEXAMPLEEXAMPLE123` is a unique id, which Lambda refuses; write the ARN of the role or user
 --> a.yaml:6:33
  |
6 |         principals: [s3, 12345, AROAEXAMPLEEXAMPLE123, s3.amazonaws.com]
  |                                 ^^^^^^^^^^^^^^^^^^^^^

error: `InvokeFunction` is not an action of Lambda; one looks like lambda:InvokeFunction or lambda:Get*
 --> a.yaml:7:19
  |
7 |         actions: [InvokeFunction, "s3:*", lambda:Get*, lambda:]
  |                   ^^^^^^^^^^^^^^

error: `s3:*` is not an action of Lambda; one looks like lambda:InvokeFunction or lambda:Get*
 --> a.yaml:7:35
  |
7 |         actions: [InvokeFunction, "s3:*", lambda:Get*, lambda:]
  |                                   ^^^^^^

error: `actions` takes one value, not a map
 --> a.yaml:7:56
  |
7 |         actions: [InvokeFunction, "s3:*", lambda:Get*, lambda:]
  |                                                        ^^^^^^^

error: `bucket` is not a source ARN: it has to start with arn:
 --> a.yaml:8:23
  |
8 |         source_arns: [bucket, "arn:aws:s3:::b", "arn:aws:sns:eu:1:t", "arn:aws:sns:*:123:t"]
  |                       ^^^^^^

error: `arn:aws:sns:eu:1:t` is not a source ARN: its account is not empty, has not twelve digits and no wildcard
 --> a.yaml:8:49
  |
8 |         source_arns: [bucket, "arn:aws:s3:::b", "arn:aws:sns:eu:1:t", "arn:aws:sns:*:123:t"]
  |                                                 ^^^^^^^^^^^^^^^^^^^^

error: `arn:aws:sns:*:123:t` is not a source ARN: its account is not empty, has not twelve digits and no wildcard
 --> a.yaml:8:71
  |
8 |         source_arns: [bucket, "arn:aws:s3:::b", "arn:aws:sns:eu:1:t", "arn:aws:sns:*:123:t"]
  |                                                                       ^^^^^^^^^^^^^^^^^^^^^

error: `1` is not an account id: it has twelve digits
 --> a.yaml:9:27
  |
9 |         source_accounts: [1, "123456789012"]
  |                           ^

error: `o-1` is not an organization id; one looks like o-a1b2c3d4e5
  --> a.yaml:10:27
   |
10 |         principal_org_id: o-1
   |                           ^^^

error: `s3` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone; did you mean s3.amazonaws.com?
  --> a.yaml:12:20
   |
12 |         principal: s3
   |                    ^^

error: AddPermission takes no pattern like `lambda:Get*`; write `actions: ["lambda:Get*"]`
  --> a.yaml:13:17
   |
13 |         action: lambda:Get*
   |                 ^^^^^^^^^^^

error: `arn:aws:sns:*:123456789012:t` is not a source ARN that Lambda takes: AddPermission takes no wildcard in the region; write one statement for each region, or the ARN under `source_arns`
  --> a.yaml:14:21
   |
14 |         source_arn: arn:aws:sns:*:123456789012:t
   |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    );
}

#[test]
fn nothing_stands_in_a_list_twice() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        principals: ["123456789012", s3.amazonaws.com, "arn:aws:iam::123456789012:root"]
        actions: [lambda:InvokeFunction, lambda:invokefunction]
        source_arns: [arn:aws:s3:::b, arn:aws:s3:::c, arn:aws:s3:::b]
        source_accounts: ["123456789012", 123456789012]
        conditions:
          Bool: {aws:SecureTransport: ["true", true]}
      - sid: b
        principals: ["*", s3.amazonaws.com]
"#,
        r#"
error: `arn:aws:iam::123456789012:root` stands in `principals` twice
 --> a.yaml:6:56
  |
6 |         principals: ["123456789012", s3.amazonaws.com, "arn:aws:iam::123456789012:root"]
  |                                                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
note: it stands here first
 --> a.yaml:6:22
  |
6 |         principals: ["123456789012", s3.amazonaws.com, "arn:aws:iam::123456789012:root"]
  |                      ^^^^^^^^^^^^^^

error: `lambda:invokefunction` stands in `actions` twice
 --> a.yaml:7:42
  |
7 |         actions: [lambda:InvokeFunction, lambda:invokefunction]
  |                                          ^^^^^^^^^^^^^^^^^^^^^
  |
note: it stands here first
 --> a.yaml:7:19
  |
7 |         actions: [lambda:InvokeFunction, lambda:invokefunction]
  |                   ^^^^^^^^^^^^^^^^^^^^^

error: `arn:aws:s3:::b` stands in `source_arns` twice
 --> a.yaml:8:55
  |
8 |         source_arns: [arn:aws:s3:::b, arn:aws:s3:::c, arn:aws:s3:::b]
  |                                                       ^^^^^^^^^^^^^^
  |
note: it stands here first
 --> a.yaml:8:23
  |
8 |         source_arns: [arn:aws:s3:::b, arn:aws:s3:::c, arn:aws:s3:::b]
  |                       ^^^^^^^^^^^^^^

error: `123456789012` stands in `source_accounts` twice
 --> a.yaml:9:43
  |
9 |         source_accounts: ["123456789012", 123456789012]
  |                                           ^^^^^^^^^^^^
  |
note: it stands here first
 --> a.yaml:9:27
  |
9 |         source_accounts: ["123456789012", 123456789012]
  |                           ^^^^^^^^^^^^^^

error: the same value stands under `aws:SecureTransport` twice
  --> a.yaml:11:48
   |
11 |           Bool: {aws:SecureTransport: ["true", true]}
   |                                                ^^^^
   |
note: it stands here first
  --> a.yaml:11:40
   |
11 |           Bool: {aws:SecureTransport: ["true", true]}
   |                                        ^^^^^^

error: `*` is anyone, so nobody can stand beside it
  --> a.yaml:13:22
   |
13 |         principals: ["*", s3.amazonaws.com]
   |                      ^^^
"#,
    );
}

#[test]
fn values_of_conditions_are_of_their_kind() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        principal: "*"
        conditions:
          Bool: {aws:SecureTransport: yes}
          "Null": {aws:SourceArn: [true, maybe]}
          NumericLessThan: {aws:MultiFactorAuthAge: 1h}
          DateGreaterThan: {aws:CurrentTime: tomorrow}
          NotIpAddress: {aws:SourceIp: [10.0.0.0/8, 10.0.0.0/40]}
          ArnLikeIfExists: {aws:SourceArn: [my-bucket, "arn:aws:s3:::*"]}
"#,
        r#"
error: `yes` is not true or false, and Bool compares nothing else
 --> a.yaml:8:39
  |
8 |           Bool: {aws:SecureTransport: yes}
  |                                       ^^^

error: `maybe` is not true or false, and Null compares nothing else
 --> a.yaml:9:42
  |
9 |           "Null": {aws:SourceArn: [true, maybe]}
  |                                          ^^^^^

error: `1h` is not a number, and NumericLessThan compares nothing else
  --> a.yaml:10:53
   |
10 |           NumericLessThan: {aws:MultiFactorAuthAge: 1h}
   |                                                     ^^

error: `tomorrow` is not a date, as in 2026-12-31T00:00:00Z, and DateGreaterThan compares nothing else
  --> a.yaml:11:46
   |
11 |           DateGreaterThan: {aws:CurrentTime: tomorrow}
   |                                              ^^^^^^^^

error: `10.0.0.0/40` is not an IP address or a range, as in 203.0.113.0/24, and NotIpAddress compares nothing else
  --> a.yaml:12:53
   |
12 |           NotIpAddress: {aws:SourceIp: [10.0.0.0/8, 10.0.0.0/40]}
   |                                                     ^^^^^^^^^^^

error: `my-bucket` is not an ARN, which has six parts, as in arn:aws:s3:::my-bucket, and ArnLikeIfExists compares nothing else
  --> a.yaml:13:45
   |
13 |           ArnLikeIfExists: {aws:SourceArn: [my-bucket, "arn:aws:s3:::*"]}
   |                                             ^^^^^^^^^
"#,
    );
}

#[test]
fn one_condition_has_one_place() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        principal: s3.amazonaws.com
        source_account: "123456789012"
        source_arns: [arn:aws:s3:::a, arn:aws:s3:::b]
        conditions:
          StringEquals: {aws:SourceAccount: "210987654321"}
          ArnEquals: {AWS:SourceArn: arn:aws:s3:::c}
      - sid: b
        principal: "*"
        conditions:
          StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5, AWS:PrincipalOrgId: o-a1b2c3d4e6}
          StringLike: {aws:PrincipalOrgID: o-a*}
"#,
        r#"
error: `source_account` and `StringEquals: aws:SourceAccount` are the same condition, which a statement can have once; write all values in one of them
  --> a.yaml:10:26
   |
10 |           StringEquals: {aws:SourceAccount: "210987654321"}
   |                          ^^^^^^^^^^^^^^^^^
   |
note: it stands here first
  --> a.yaml:7:25
   |
 7 |         source_account: "123456789012"
   |                         ^^^^^^^^^^^^^^

error: `source_arns` and `ArnEquals: AWS:SourceArn` are the same condition, which a statement can have once; write all values in one of them
  --> a.yaml:11:23
   |
11 |           ArnEquals: {AWS:SourceArn: arn:aws:s3:::c}
   |                       ^^^^^^^^^^^^^
   |
note: it stands here first
  --> a.yaml:8:22
   |
 8 |         source_arns: [arn:aws:s3:::a, arn:aws:s3:::b]
   |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: `StringEquals: aws:PrincipalOrgID` and `StringEquals: AWS:PrincipalOrgId` are the same condition, which a statement can have once; write all values in one of them
  --> a.yaml:15:60
   |
15 |           StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5, AWS:PrincipalOrgId: o-a1b2c3d4e6}
   |                                                            ^^^^^^^^^^^^^^^^^^
   |
note: it stands here first
  --> a.yaml:15:26
   |
15 |           StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5, AWS:PrincipalOrgId: o-a1b2c3d4e6}
   |                          ^^^^^^^^^^^^^^^^^^
"#,
    );
}

#[test]
fn keys_of_a_call_go_with_its_actions() {
    check(
        r#"
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        principals: ["123456789012", "210987654321"]
        actions: [lambda:InvokeFunctionUrl, lambda:InvokeFunction]
        function_url_auth_type: AWS_IAM
      - sid: b
        principals: ["123456789012", "210987654321"]
        actions: [lambda:InvokeFunction, lambda:GetFunction]
        invoked_via_function_url: true
      - sid: c
        principal: "*"
        effect: deny
        invoked_via_function_url: false
      - sid: d
        principal: "*"
        conditions: {StringEquals: {lambda:FunctionUrlAuthType: NONE}}
"#,
        r"
error: function_url_auth_type goes with `action: lambda:InvokeFunctionUrl` only; this is `lambda:InvokeFunction`
 --> a.yaml:8:33
  |
8 |         function_url_auth_type: AWS_IAM
  |                                 ^^^^^^^

error: invoked_via_function_url goes with `action: lambda:InvokeFunction` only; this is `lambda:GetFunction`
  --> a.yaml:12:35
   |
12 |         invoked_via_function_url: true
   |                                   ^^^^

error: false is not a condition that Lambda is known to write; leave the key out
  --> a.yaml:16:35
   |
16 |         invoked_via_function_url: false
   |                                   ^^^^^

error: for arn:aws:lambda:us-east-1:123456789012:function:f: function_url_auth_type goes with `action: lambda:InvokeFunctionUrl` only; this is `lambda:InvokeFunction`
  --> a.yaml:19:37
   |
19 |         conditions: {StringEquals: {lambda:FunctionUrlAuthType: NONE}}
   |                                     ^^^^^^^^^^^^^^^^^^^^^^^^^^
",
    );
}

#[test]
fn writers_of_statements_refuse_what_they_cannot_say() {
    check(
        r#"
functions:
  - function: f
    statements:
      - {sid: a, principal: "*", effect: deny}
      - {sid: b, principals: [s3.amazonaws.com, sns.amazonaws.com]}
      - {sid: c, principal: "*", actions: [lambda:Get*]}
      - {sid: d, principal: s3.amazonaws.com, source_arns: ["arn:aws:s3:::a", "arn:aws:s3:::b"]}
      - {sid: e, principal: sns.amazonaws.com, source_arns: ["arn:aws:sns:*:123456789012:t"]}
      - {sid: f, principal: s3.amazonaws.com, source_accounts: ["123456789012", "210987654321"]}
      - {sid: g, principal: "*", conditions: {Bool: {aws:SecureTransport: true}}}
      - {sid: h, principals: [s3.amazonaws.com], conditions: {StringLike: {"aws:SourceArn": "*"}}}
"#,
        r#"
error: `effect: deny` needs a writer that writes whole documents; AddPermission cannot say it
 --> a.yaml:4:42
  |
4 |       - {sid: a, principal: "*", effect: deny}
  |                                          ^^^^
  |
help: write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` in the settings

error: what `principals` says needs a writer that writes whole documents; AddPermission cannot say it
 --> a.yaml:5:30
  |
5 |       - {sid: b, principals: [s3.amazonaws.com, sns.amazonaws.com]}
  |                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` in the settings

error: what `actions` says needs a writer that writes whole documents; AddPermission cannot say it
 --> a.yaml:6:43
  |
6 |       - {sid: c, principal: "*", actions: [lambda:Get*]}
  |                                           ^^^^^^^^^^^^^
  |
help: write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` in the settings

error: what `source_arns` says needs a writer that writes whole documents; AddPermission cannot say it
 --> a.yaml:7:60
  |
7 |       - {sid: d, principal: s3.amazonaws.com, source_arns: ["arn:aws:s3:::a", "arn:aws:s3:::b"]}
  |                                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` in the settings

error: what `source_arns` says needs a writer that writes whole documents; AddPermission cannot say it
 --> a.yaml:8:61
  |
8 |       - {sid: e, principal: sns.amazonaws.com, source_arns: ["arn:aws:sns:*:123456789012:t"]}
  |                                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` in the settings

error: what `source_accounts` says needs a writer that writes whole documents; AddPermission cannot say it
 --> a.yaml:9:64
  |
9 |       - {sid: f, principal: s3.amazonaws.com, source_accounts: ["123456789012", "210987654321"]}
  |                                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` in the settings

error: what `conditions` says needs a writer that writes whole documents; AddPermission cannot say it
  --> a.yaml:10:54
   |
10 |       - {sid: g, principal: "*", conditions: {Bool: {aws:SecureTransport: true}}}
   |                                                      ^^^^^^^^^^^^^^^^^^^
   |
help: write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` in the settings

error: what `conditions` says needs a writer that writes whole documents; AddPermission cannot say it
  --> a.yaml:11:76
   |
11 |       - {sid: h, principals: [s3.amazonaws.com], conditions: {StringLike: {"aws:SourceArn": "*"}}}
   |                                                                            ^^^^^^^^^^^^^^^
   |
help: write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` in the settings
"#,
    );
}
