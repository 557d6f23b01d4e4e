//! What is said about functions that cannot be meant so.

use crate::config::resolve::Context;
use crate::config::tests::{check, check_all, context};

#[test]
fn entries_for_one_target_have_to_agree() {
    check_all(
        &[
            r"
functions:
  - {function: f, ownership: all, suspend: true, statements: [{sid: a, principal: s3.amazonaws.com}]}
  - {function: f, ownership: declared, suspend: false, absent: [a], statements: []}
  - {function: g, ownership: prefix, sid_prefix: x-, statements: []}
",
            r"
functions:
  - {function: g, ownership: prefix, sid_prefix: y-, statements: []}
  - {function: f, empty: true, statements: []}
",
        ],
        &context(),
        r"
error: `ownership` contradicts another entry for the same function
 --> a.yaml:3:30
  |
3 |   - {function: f, ownership: declared, suspend: false, absent: [a], statements: []}
  |                              ^^^^^^^^
  |
note: it stands here first
 --> a.yaml:2:30
  |
2 |   - {function: f, ownership: all, suspend: true, statements: [{sid: a, principal: s3.amazonaws.com}]}
  |                              ^^^
help: write it in one of them only, or the same in both

error: `suspend` contradicts another entry for the same function
 --> a.yaml:3:49
  |
3 |   - {function: f, ownership: declared, suspend: false, absent: [a], statements: []}
  |                                                 ^^^^^
  |
note: it stands here first
 --> a.yaml:2:44
  |
2 |   - {function: f, ownership: all, suspend: true, statements: [{sid: a, principal: s3.amazonaws.com}]}
  |                                            ^^^^
help: write it in one of them only, or the same in both

error: the sid `a` is both granted and `absent` in arn:aws:lambda:us-east-1:123456789012:function:f
 --> a.yaml:3:65
  |
3 |   - {function: f, ownership: declared, suspend: false, absent: [a], statements: []}
  |                                                                 ^
  |
note: it is granted here
 --> a.yaml:2:69
  |
2 |   - {function: f, ownership: all, suspend: true, statements: [{sid: a, principal: s3.amazonaws.com}]}
  |                                                                     ^
help: delete one of them

error: `ownership` contradicts another entry for the same function
 --> b.yaml:2:30
  |
2 |   - {function: g, ownership: prefix, sid_prefix: y-, statements: []}
  |                              ^^^^^^
  |
note: it stands here first
 --> a.yaml:4:30
  |
4 |   - {function: g, ownership: prefix, sid_prefix: x-, statements: []}
  |                              ^^^^^^
help: write it in one of them only, or the same in both

error: `empty: true`, but there are statements for arn:aws:lambda:us-east-1:123456789012:function:f
 --> b.yaml:3:26
  |
3 |   - {function: f, empty: true, statements: []}
  |                          ^^^^
  |
note: one of them
 --> a.yaml:2:69
  |
2 |   - {function: f, ownership: all, suspend: true, statements: [{sid: a, principal: s3.amazonaws.com}]}
  |                                                                     ^
help: delete `empty`, or the statements
",
    );
}

#[test]
fn entries_for_one_target_have_to_agree_on_replacing() {
    check(
        r"
functions:
  - {function: f, replace: direct, statements: [], absent: [a]}
  - {function: f, replace: bridge, statements: [], absent: [b]}
  - {function: f, replace: direct, statements: [], absent: [c]}
  - {function: g, replace: both, statements: []}
",
        r"
error: `replace` contradicts another entry for the same function
 --> a.yaml:3:28
  |
3 |   - {function: f, replace: bridge, statements: [], absent: [b]}
  |                            ^^^^^^
  |
note: it stands here first
 --> a.yaml:2:28
  |
2 |   - {function: f, replace: direct, statements: [], absent: [a]}
  |                            ^^^^^^
help: write it in one of them only, or the same in both

error: `both` is not a value of `replace`
 --> a.yaml:5:28
  |
5 |   - {function: g, replace: both, statements: []}
  |                            ^^^^
  |
help: it is `bridge` or `direct`
",
    );
}

#[test]
fn a_function_twice_in_one_list() {
    check(
        r#"
functions:
  - names: [f, g, "123456789012:function:f"]
    statements: []
"#,
        r#"
error: arn:aws:lambda:us-east-1:123456789012:function:f stands in this list twice
 --> a.yaml:2:19
  |
2 |   - names: [f, g, "123456789012:function:f"]
  |                   ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
note: it stands here first
 --> a.yaml:2:13
  |
2 |   - names: [f, g, "123456789012:function:f"]
  |             ^
"#,
    );
}

#[test]
fn names_that_are_no_targets() {
    check(
        r#"
functions:
  - {function: "a b", statements: []}
  - {function: "f:live", qualifier: blue, statements: []}
  - {function: "f:$LATEST", statements: []}
  - {function: g, qualifier: $LATEST, statements: []}
  - {function: g, qualifier: "a b", statements: []}
  - {names: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, ok], statements: []}
  - {function: "arn:aws-cn:lambda:us-east-1:123456789012:function:f", statements: []}
"#,
        r#"
error: `a b` is not a function name, partial ARN or ARN; write `name`, `name:alias`, `123456789012:function:name` or `arn:aws:lambda:REGION:ACCOUNT:function:NAME`
 --> a.yaml:2:16
  |
2 |   - {function: "a b", statements: []}
  |                ^^^^^

error: the name says `live` and the qualifier says `blue`; write one of them
 --> a.yaml:3:37
  |
3 |   - {function: "f:live", qualifier: blue, statements: []}
  |                                     ^^^^

error: `$LATEST` cannot carry a policy; leave the qualifier out for the unqualified function, or name an alias or a version
 --> a.yaml:4:16
  |
4 |   - {function: "f:$LATEST", statements: []}
  |                ^^^^^^^^^^^

error: `$LATEST` cannot carry a policy; leave the qualifier out for the unqualified function, or name an alias or a version
 --> a.yaml:5:30
  |
5 |   - {function: g, qualifier: $LATEST, statements: []}
  |                              ^^^^^^^

error: `a b` is not an alias or a version: letters, digits, `-` and `_`, at most 128
 --> a.yaml:6:30
  |
6 |   - {function: g, qualifier: "a b", statements: []}
  |                              ^^^^^

error: the function name `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` has 67 characters; Lambda allows 64
 --> a.yaml:7:14
  |
7 |   - {names: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, ok], statem…
  |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: partition `aws-cn` does not hold region `us-east-1`, which is in `aws`
 --> a.yaml:8:16
  |
8 |   - {function: "arn:aws-cn:lambda:us-east-1:123456789012:function:f", statements: []}
  |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    );
}

#[test]
fn account_and_region_of_a_file() {
    check(
        r#"
account: 12345678901
region: us-east
functions:
  - {function: f, statements: []}
  - {function: "arn:aws:lambda:us-east-1:123456789012:function:f", statements: []}
"#,
        r"
error: `12345678901` is not an account id: it has twelve digits
 --> a.yaml:1:10
  |
1 | account: 12345678901
  |          ^^^^^^^^^^^

error: `us-east` is not a region; one looks like us-east-1
 --> a.yaml:2:9
  |
2 | region: us-east
  |         ^^^^^^^
",
    );
}

#[test]
fn nobody_said_which_account_and_region() {
    check_all(
        &[r#"
functions:
  - {function: f, statements: []}
  - {function: "123456789012:g", statements: []}
"#],
        &Context::default(),
        r#"
error: no account for `f`; write `account:` at the top of the file, a full ARN, or pass --account
 --> a.yaml:2:16
  |
2 |   - {function: f, statements: []}
  |                ^

error: no region for `f`; write `region:` at the top of the file, a full ARN, pass --region, or set AWS_REGION
 --> a.yaml:2:16
  |
2 |   - {function: f, statements: []}
  |                ^

error: no region for `123456789012:g`; write `region:` at the top of the file, a full ARN, pass --region, or set AWS_REGION
 --> a.yaml:3:16
  |
3 |   - {function: "123456789012:g", statements: []}
  |                ^^^^^^^^^^^^^^^^
"#,
    );
}

#[test]
fn every_error_of_every_file() {
    check_all(
        &[
            r"
functions:
  - function: f
    statements:
      - sid: x
        principal: *
",
            r"
functions:
  - function: f
    statements:
      - {sid: x, principal: oops oops}
    colour: red
",
            r"
# empty
",
        ],
        &context(),
        r#"
error: an unquoted `*` begins a YAML alias
 --> a.yaml:5:20
  |
5 |         principal: *
  |                    ^
  |
help: for the text itself write it in quotes: "*"

error: `oops oops` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone
 --> b.yaml:4:29
  |
4 |       - {sid: x, principal: oops oops}
  |                             ^^^^^^^^^

error: `colour` is not a key of an item of `functions`
 --> b.yaml:5:5
  |
5 |     colour: red
  |     ^^^^^^
  |
help: its keys are `function`, `names`, `match`, `except`, `qualifier`, `ownership`, `sid_prefix`, `absent`, `suspend`, `replace`, `writer`, `compact`, `empty`, `statements`

error: this file has no functions in it
 --> c.yaml:1:1
  |
1 | # empty
  | ^
  |
help: write `functions:` and under it `- function: NAME` with its `statements:`
"#,
    );
}
