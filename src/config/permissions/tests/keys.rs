//! What is said about keys that are unknown, missing or exclude each other.

use crate::config::tests::check;

#[test]
fn a_file_without_anything() {
    check(
        r"
",
        r"
error: this file has no functions in it
 --> a.yaml:1:1
  |
1 |
  | ^
  |
help: write `functions:` and under it `- function: NAME` with its `statements:`
",
    );
}

#[test]
fn a_file_of_comments_only() {
    check(
        r"
# nothing
# here
",
        r"
error: this file has no functions in it
 --> a.yaml:1:1
  |
1 | # nothing
  | ^
  |
help: write `functions:` and under it `- function: NAME` with its `statements:`
",
    );
}

#[test]
fn empty_documents_only() {
    check(
        r"
---
---
~
",
        r"
error: this file has no functions in it
 --> a.yaml:1:1
  |
1 | ---
  | ^
  |
help: write `functions:` and under it `- function: NAME` with its `statements:`
",
    );
}

#[test]
fn a_file_that_is_no_map() {
    check(
        r"
foo
",
        r"
error: a permission file is a map of keys and values, not one value
 --> a.yaml:1:1
  |
1 | foo
  | ^^^
",
    );
}

#[test]
fn functions_are_missing() {
    check(
        r#"
account: "123456789012"
---
function: f
x-anything: [1]
"#,
        r#"
error: `functions` is missing
 --> a.yaml:1:1
  |
1 | account: "123456789012"
  | ^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write `functions:` and under it `- function: NAME` with its `statements:`

error: `function` is not a key of a permission file
 --> a.yaml:3:1
  |
3 | function: f
  | ^^^^^^^^
  |
help: did you mean `functions`?
"#,
    );
}

#[test]
fn no_function_in_the_list() {
    check(
        r"
functions: []
",
        r"
error: no function is named in any permission file
 --> a.yaml:1:1
  |
1 | functions: []
  | ^^^^^^^^^
  |
help: write `functions:` and under it `- function: NAME` with its `statements:`
",
    );
}

#[test]
fn functions_are_a_list() {
    check(
        r"
functions: {function: f}
",
        r"
error: `functions` takes a list, not a map
 --> a.yaml:1:12
  |
1 | functions: {function: f}
  |            ^^^^^^^^^^^^^
  |
help: write it like `functions: [{function: NAME, statements: [...]}]`
",
    );
}

#[test]
fn keys_as_the_api_spells_them() {
    check(
        r#"
functions:
  - function: f
    statements:
      - StatementId: x
        Principal: s3.amazonaws.com
        SourceArn: arn:aws:s3:::x
        sourceAccount: "123456789012"
        PrincipalOrgID: o-a1b2c3d4e5
      - sid: y
        principle: s3.amazonaws.com
        condition: x
        tags: x
"#,
        r#"
error: `StatementId` is not a key of a statement
 --> a.yaml:4:9
  |
4 |       - StatementId: x
  |         ^^^^^^^^^^^
  |
help: did you mean `sid`?

error: `Principal` is not a key of a statement
 --> a.yaml:5:9
  |
5 |         Principal: s3.amazonaws.com
  |         ^^^^^^^^^
  |
help: did you mean `principal`?

error: `SourceArn` is not a key of a statement
 --> a.yaml:6:9
  |
6 |         SourceArn: arn:aws:s3:::x
  |         ^^^^^^^^^
  |
help: did you mean `source_arn`?

error: `sourceAccount` is not a key of a statement
 --> a.yaml:7:9
  |
7 |         sourceAccount: "123456789012"
  |         ^^^^^^^^^^^^^
  |
help: did you mean `source_account`?

error: `PrincipalOrgID` is not a key of a statement
 --> a.yaml:8:9
  |
8 |         PrincipalOrgID: o-a1b2c3d4e5
  |         ^^^^^^^^^^^^^^
  |
help: did you mean `principal_org_id`?

error: `principle` is not a key of a statement
  --> a.yaml:10:9
   |
10 |         principle: s3.amazonaws.com
   |         ^^^^^^^^^
   |
help: did you mean `principal`?

error: `condition` is not a key of a statement
  --> a.yaml:11:9
   |
11 |         condition: x
   |         ^^^^^^^^^
   |
help: did you mean `conditions`?

error: `tags` is not a key of a statement
  --> a.yaml:12:9
   |
12 |         tags: x
   |         ^^^^
   |
help: its keys are `sid`, `effect`, `principal`, `principals`, `action`, `actions`, `source_arn`, `source_arns`, `source_account`, `source_accounts`, `principal_org_id`, `event_source_token`, `function_url_auth_type`, `invoked_via_function_url`, `conditions`, `expires`, `accept`, `description`
"#,
    );
}

#[test]
fn keys_of_an_entry_that_nobody_knows() {
    check(
        r"
functions:
  - FunctionName: f
    statments: []
    alias: live
    colour: red
",
        r"
error: `FunctionName` is not a key of an item of `functions`
 --> a.yaml:2:5
  |
2 |   - FunctionName: f
  |     ^^^^^^^^^^^^
  |
help: did you mean `function`?

error: `statments` is not a key of an item of `functions`
 --> a.yaml:3:5
  |
3 |     statments: []
  |     ^^^^^^^^^
  |
help: did you mean `statements`?

error: `alias` is not a key of an item of `functions`
 --> a.yaml:4:5
  |
4 |     alias: live
  |     ^^^^^
  |
help: did you mean `qualifier`?

error: `colour` is not a key of an item of `functions`
 --> a.yaml:5:5
  |
5 |     colour: red
  |     ^^^^^^
  |
help: its keys are `function`, `names`, `match`, `except`, `qualifier`, `ownership`, `sid_prefix`, `absent`, `suspend`, `replace`, `writer`, `compact`, `empty`, `statements`
",
    );
}

#[test]
fn keys_of_an_entry_that_are_missing() {
    check(
        r"
functions:
  - statements: []
  - function: f
  - names: []
    absent: [x]
  - just a text
",
        r"
error: `function` is missing
 --> a.yaml:2:5
  |
2 |   - statements: []
  |     ^^^^^^^^^^^^^^
  |
help: write `function: NAME`, `names: [one, other]` for several, or `match: {name: prefix-*}` for all whose name matches

error: `statements` is missing
 --> a.yaml:3:5
  |
3 |   - function: f
  |     ^^^^^^^^^^^
  |
help: write `statements:` with a list, or `absent:` with Sids to take back

error: `names` is empty
 --> a.yaml:4:12
  |
4 |   - names: []
  |            ^^
  |
help: name a function, or delete the entry

error: an item of `functions` is a map of keys and values, not one value
 --> a.yaml:6:5
  |
6 |   - just a text
  |     ^^^^^^^^^^^
",
    );
}

#[test]
fn function_and_names_exclude_each_other() {
    check(
        r"
functions:
  - function: f
    names: [g, h]
    statements: []
",
        r"
error: `function` and `names` exclude each other
 --> a.yaml:3:5
  |
3 |     names: [g, h]
  |     ^^^^^
  |
note: `function` stands here
 --> a.yaml:2:5
  |
2 |   - function: f
  |     ^^^^^^^^
help: put all of them under `names`
",
    );
}
