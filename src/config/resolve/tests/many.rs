//! What is said about rules that cannot be meant so, and about values that differ from function to function.

use std::sync::Arc;

use crate::config::resolve::Context;
use crate::config::tests::{check_all, context, load};
use crate::policy::inventory::{Function, Inventory};
use crate::policy::target::AccountRegion;

/// One place, of which the settings know, with three functions.
fn three() -> Context {
    let place = AccountRegion { account: "123456789012".into(), region: "us-east-1".into() };
    let function = |name: &str| Function {
        name: name.to_owned(),
        aliases: Some(vec!["live".to_owned()]),
        ..Function::default()
    };
    let functions = ["orders.in", "orders-out", "orders-x"].map(function).into();
    let inventory = Inventory { places: [(place.clone(), functions)].into() };
    Context { inventory: Some(Arc::new(inventory)), places: vec![place], ..context() }
}

#[test]
fn what_is_wrong_with_a_rule() {
    check_all(
        &[r#"
functions:
  - match: orders-*
    statements: []
  - match: {}
    statements: []
  - match: {tags: {}, qualifiers: []}
    statements: []
  - match: {name: "", tag: x, tags: {team: [a]}, qualifier: live}
    statements: []
  - match: {name: {a: b}, tags: payments, qualifiers: live}
    statements: []
"#],
        &three(),
        r#"
error: `match` is a map of keys and values, not one value
 --> a.yaml:2:12
  |
2 |   - match: orders-*
  |            ^^^^^^^^
  |
help: write it like `match: {name: "orders-*"}`

error: `match` has neither `name` nor `tags`
 --> a.yaml:4:12
  |
4 |   - match: {}
  |            ^^
  |
help: write `match: {name: "orders-*"}`, or `match: {tags: {team: payments}}`

error: `tags` is empty
 --> a.yaml:6:19
  |
6 |   - match: {tags: {}, qualifiers: []}
  |                   ^^
  |
help: write `tags: {team: payments}`, or leave the key out

error: `qualifiers` is empty
 --> a.yaml:6:35
  |
6 |   - match: {tags: {}, qualifiers: []}
  |                                   ^^
  |
help: write `qualifiers: [unqualified, live]`, or leave the key out

error: the glob is empty
 --> a.yaml:8:19
  |
8 |   - match: {name: "", tag: x, tags: {team: [a]}, qualifier: live}
  |                   ^^
  |
help: the wildcards are `*` and `?`; the rest is the name of a function: letters, digits, `-`, `_`, `.`

error: `tag` is not a key of `match`
 --> a.yaml:8:23
  |
8 |   - match: {name: "", tag: x, tags: {team: [a]}, qualifier: live}
  |                       ^^^
  |
help: did you mean `tags`?

error: `team` takes one value, not a list
 --> a.yaml:8:44
  |
8 |   - match: {name: "", tag: x, tags: {team: [a]}, qualifier: live}
  |                                            ^^^
  |
help: write one value

error: `qualifier` is not a key of `match`
 --> a.yaml:8:50
  |
8 |   - match: {name: "", tag: x, tags: {team: [a]}, qualifier: live}
  |                                                  ^^^^^^^^^
  |
help: did you mean `qualifiers`?

error: `name` takes one value, not a map
  --> a.yaml:10:19
   |
10 |   - match: {name: {a: b}, tags: payments, qualifiers: live}
   |                   ^^^^^^

error: `tags` is a map of keys and values, not one value
  --> a.yaml:10:33
   |
10 |   - match: {name: {a: b}, tags: payments, qualifiers: live}
   |                                 ^^^^^^^^

error: `qualifiers` takes a list, not one value
  --> a.yaml:10:55
   |
10 |   - match: {name: {a: b}, tags: payments, qualifiers: live}
   |                                                       ^^^^
   |
help: write it like `qualifiers: [unqualified, live]`
"#,
    );
}

#[test]
fn globs_that_can_match_nothing() {
    check_all(
        &[r#"
functions:
  - match: {name: "arn:aws:lambda:us-east-1:123456789012:function:f"}
    statements: []
  - match: {name: "orders-${function}", qualifiers: [$LATEST, "a b", ""]}
    except: ["arn:aws:x", "a:b:c", "[ab]*", ""]
    statements: []
"#],
        &three(),
        r#"
error: `name` takes names of functions, and `arn:aws:lambda:us-east-1:123456789012:function:f` looks like an ARN
 --> a.yaml:2:19
  |
2 |   - match: {name: "arn:aws:lambda:us-east-1:123456789012:function:f"}
  |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write the name alone: the file says which accounts and regions, `qualifiers` which aliases

error: `$` may not stand in this glob
 --> a.yaml:4:19
  |
4 |   - match: {name: "orders-${function}", qualifiers: [$LATEST, "a b", ""]}
  |                   ^^^^^^^^^^^^^^^^^^^^
  |
help: the wildcards are `*` and `?`; the rest is the name of a function: letters, digits, `-`, `_`, `.`

error: `$LATEST` cannot carry a policy
 --> a.yaml:4:54
  |
4 |   - match: {name: "orders-${function}", qualifiers: [$LATEST, "a b", ""]}
  |                                                      ^^^^^^^
  |
help: write `unqualified` for the function itself

error: ` ` may not stand in this glob
 --> a.yaml:4:63
  |
4 |   - match: {name: "orders-${function}", qualifiers: [$LATEST, "a b", ""]}
  |                                                               ^^^^^
  |
help: the wildcards are `*` and `?`; the rest is an alias or a version: letters, digits, `-`, `_`

error: the glob is empty
 --> a.yaml:4:70
  |
4 |   - match: {name: "orders-${function}", qualifiers: [$LATEST, "a b", ""]}
  |                                                                      ^^
  |
help: the wildcards are `*` and `?`; the rest is an alias or a version: letters, digits, `-`, `_`

error: `except` takes names of functions, and `arn:aws:x` looks like an ARN
 --> a.yaml:5:14
  |
5 |     except: ["arn:aws:x", "a:b:c", "[ab]*", ""]
  |              ^^^^^^^^^^^
  |
help: write the name alone: the file says which accounts and regions, `qualifiers` which aliases

error: `:` may not stand in this glob
 --> a.yaml:5:27
  |
5 |     except: ["arn:aws:x", "a:b:c", "[ab]*", ""]
  |                           ^^^^^^^
  |
help: the wildcards are `*` and `?`; the rest is an alias or a version: letters, digits, `-`, `_`

error: `[` may not stand in this glob
 --> a.yaml:5:36
  |
5 |     except: ["arn:aws:x", "a:b:c", "[ab]*", ""]
  |                                    ^^^^^^^
  |
help: the wildcards are `*` and `?`; the rest is the name of a function: letters, digits, `-`, `_`, `.`

error: the glob is empty
 --> a.yaml:5:45
  |
5 |     except: ["arn:aws:x", "a:b:c", "[ab]*", ""]
  |                                             ^^
  |
help: the wildcards are `*` and `?`; the rest is the name of a function: letters, digits, `-`, `_`, `.`
"#,
    );
}

#[test]
fn keys_that_do_not_go_together() {
    check_all(
        &[r"
functions:
  - match: {name: x}
    qualifier: live
    statements: []
  - function: f
    match: {name: x}
    statements: []
  - names: [a]
    match: {name: x}
    except: f
    statements: []
  - function: f
    except: [g]
    statements: []
"],
        &three(),
        r#"
error: `match` and `qualifier` exclude each other
 --> a.yaml:3:5
  |
3 |     qualifier: live
  |     ^^^^^^^^^
  |
note: `match` stands here
 --> a.yaml:2:5
  |
2 |   - match: {name: x}
  |     ^^^^^
help: write `qualifiers: [live]` into `match`

error: `function` and `match` exclude each other
 --> a.yaml:6:5
  |
6 |     match: {name: x}
  |     ^^^^^
  |
note: `function` stands here
 --> a.yaml:5:5
  |
5 |   - function: f
  |     ^^^^^^^^
help: write an entry of its own for the rule

error: `names` and `match` exclude each other
 --> a.yaml:9:5
  |
9 |     match: {name: x}
  |     ^^^^^
  |
note: `names` stands here
 --> a.yaml:8:5
  |
8 |   - names: [a]
  |     ^^^^^
help: write an entry of its own for the rule

error: `except` takes a list, not one value
  --> a.yaml:10:13
   |
10 |     except: f
   |             ^
   |
help: write it like `except: [orders-legacy, "orders-*:old"]`

error: `except` goes with `match` only
  --> a.yaml:13:5
   |
13 |     except: [g]
   |     ^^^^^^
   |
help: write `match: {name: "orders-*"}` beside it, or delete it
"#,
    );
}

#[test]
fn a_document_says_one_or_several() {
    check_all(
        &[r#"
account: "123456789012"
accounts: ["123456789012"]
region: us-east-1
regions: all
functions: [{function: f, statements: []}]
"#],
        &three(),
        r#"
error: `account` and `accounts` exclude each other
 --> a.yaml:2:1
  |
2 | accounts: ["123456789012"]
  | ^^^^^^^^
  |
note: `account` stands here
 --> a.yaml:1:1
  |
1 | account: "123456789012"
  | ^^^^^^^
help: write all of them under `accounts`

error: `region` and `regions` exclude each other
 --> a.yaml:4:1
  |
4 | regions: all
  | ^^^^^^^
  |
note: `region` stands here
 --> a.yaml:3:1
  |
3 | region: us-east-1
  | ^^^^^^
help: write all of them under `regions`
"#,
    );
}

#[test]
fn lists_of_places() {
    check_all(
        &[r"
accounts: 123456789012
regions: []
functions: [{function: f, statements: []}]
"],
        &three(),
        r#"
error: `accounts` takes a list, or `all`
 --> a.yaml:1:11
  |
1 | accounts: 123456789012
  |           ^^^^^^^^^^^^
  |
help: write it like `accounts: ["123456789012"]`, or `accounts: all` for those of the settings

error: `regions` is empty
 --> a.yaml:2:10
  |
2 | regions: []
  |          ^^
  |
help: write it like `regions: [us-east-1, eu-west-1]`, or leave the key out
"#,
    );
}

#[test]
fn places_that_the_settings_do_not_name() {
    check_all(
        &[r#"
accounts: ["12", "999999999999", {a: b}]
regions: [us-east, eu-north-1]
functions: [{function: f, statements: []}]
"#],
        &three(),
        r#"
error: `12` is not an account id: it has twelve digits
 --> a.yaml:1:12
  |
1 | accounts: ["12", "999999999999", {a: b}]
  |            ^^^^

error: the settings do not name the account 999999999999
 --> a.yaml:1:18
  |
1 | accounts: ["12", "999999999999", {a: b}]
  |                  ^^^^^^^^^^^^^^
  |
help: `accounts` in the settings names 123456789012

error: `accounts` takes one value, not a map
 --> a.yaml:1:34
  |
1 | accounts: ["12", "999999999999", {a: b}]
  |                                  ^^^^^^

error: `us-east` is not a region; one looks like us-east-1
 --> a.yaml:2:11
  |
2 | regions: [us-east, eu-north-1]
  |           ^^^^^^^

error: the settings do not name the region eu-north-1
 --> a.yaml:2:20
  |
2 | regions: [us-east, eu-north-1]
  |                    ^^^^^^^^^^
  |
help: `accounts` in the settings names us-east-1
"#,
    );
}

#[test]
fn the_account_of_a_rule_is_one_of_the_settings() {
    check_all(
        &[r#"
account: "999999999999"
functions: [{match: {name: f}, statements: []}]
"#],
        &three(),
        r#"
error: the settings do not name the account 999999999999
 --> a.yaml:1:10
  |
1 | account: "999999999999"
  |          ^^^^^^^^^^^^^^
  |
help: `accounts` in the settings names 123456789012
"#,
    );
}

#[test]
fn what_is_wrong_with_values_is_told_once() {
    check_all(
        &[r#"
functions:
  - match: {name: "orders*"}
    absent: ["x-${qualifier}", "${oops}", "$${x"]
    statements:
      - {sid: "s-${function}", principal: "${partition}", source_arn: "arn:aws:s3:::${bucket}", source_account: "${account"}
      - {sid: "s-${function}", principal: s3.amazonaws.com}
      - {sid: "t-${qualifier}", principal: s3.amazonaws.com, event_source_token: "${function} x"}
      - {sid: "a-permitd-0123abcd", principal: s3.amazonaws.com, action: "${function}"}
      - {sid: "${function}-permitd-0123abcd", principal: s3.amazonaws.com}
"#],
        &three(),
        r#"
error: for arn:aws:lambda:us-east-1:123456789012:function:orders.in and 2 others: `${qualifier}` stands for nothing, for this is no alias and no version
 --> a.yaml:3:14
  |
3 |     absent: ["x-${qualifier}", "${oops}", "$${x"]
  |              ^^^^^^^^^^^^^^^^
  |
help: leave it out, or write the functions themselves and their aliases in entries of their own

error: `${oops}` is not a placeholder
 --> a.yaml:3:32
  |
3 |     absent: ["x-${qualifier}", "${oops}", "$${x"]
  |                                ^^^^^^^^^
  |
help: there are `${account}`, `${region}`, `${partition}`, `${function}`, `${qualifier}`; `$${` stands for `${` itself

error: `$` cannot stand in a sid
 --> a.yaml:3:43
  |
3 |     absent: ["x-${qualifier}", "${oops}", "$${x"]
  |                                           ^^^^^^

error: `${bucket}` is not a placeholder
 --> a.yaml:5:71
  |
5 |       - {sid: "s-${function}", principal: "${partition}", source_arn: "arn:aws:s3:::${bucket}", source_account: "${account"}
  |                                                                       ^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: there are `${account}`, `${region}`, `${partition}`, `${function}`, `${qualifier}`; `$${` stands for `${` itself

error: `${` has no `}` after it
 --> a.yaml:5:113
  |
  |
5 | …rincipal: "${partition}", source_arn: "arn:aws:s3:::${bucket}", source_account: "${account"}
  |                                                                                  ^^^^^^^^^^^
help: end it; or `$${` stands for `${` itself

error: for arn:aws:lambda:us-east-1:123456789012:function:orders.in: `.` may not stand in a sid; letters, digits, `-` and `_` may
 --> a.yaml:6:15
  |
6 |       - {sid: "s-${function}", principal: s3.amazonaws.com}
  |               ^^^^^^^^^^^^^^^

error: for arn:aws:lambda:us-east-1:123456789012:function:orders.in and 2 others: `${qualifier}` stands for nothing, for this is no alias and no version
 --> a.yaml:7:15
  |
7 |       - {sid: "t-${qualifier}", principal: s3.amazonaws.com, event_source_token: "${function} …
  |               ^^^^^^^^^^^^^^^^
  |
help: leave it out, or write the functions themselves and their aliases in entries of their own

error: the sid `a-permitd-0123abcd` is reserved for permitd's own bridges
 --> a.yaml:8:15
  |
8 |       - {sid: "a-permitd-0123abcd", principal: s3.amazonaws.com, action: "${function}"}
  |               ^^^^^^^^^^^^^^^^^^^^
  |
help: a sid may not end in `-permitd-` and eight hex digits; choose another

error: `${function}` is not an action of Lambda; one looks like lambda:InvokeFunction
 --> a.yaml:8:74
  |
8 |       - {sid: "a-permitd-0123abcd", principal: s3.amazonaws.com, action: "${function}"}
  |                                                                          ^^^^^^^^^^^^^

error: for arn:aws:lambda:us-east-1:123456789012:function:orders.in and 2 others: the sid `orders.in-permitd-0123abcd` is reserved for permitd's own bridges
 --> a.yaml:9:15
  |
9 |       - {sid: "${function}-permitd-0123abcd", principal: s3.amazonaws.com}
  |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: a sid may not end in `-permitd-` and eight hex digits; choose another

error: for arn:aws:lambda:us-east-1:123456789012:function:orders.in: `.` may not stand in a sid; letters, digits, `-` and `_` may
 --> a.yaml:9:15
  |
9 |       - {sid: "${function}-permitd-0123abcd", principal: s3.amazonaws.com}
  |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    );
}

#[test]
fn rules_and_entries_have_to_agree() {
    check_all(
        &[r#"
functions:
  - match: {name: "orders-*"}
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_account: "${account}"}
      - {sid: b, principal: s3.amazonaws.com}
  - match: {name: "*-out"}
    ownership: declared
    absent: [a]
    statements:
      - {sid: a, principal: s3.amazonaws.com}
      - {sid: b, principal: s3.amazonaws.com, description: same}
  - function: orders-x
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_account: "${account}", accept: [P003]}
      - {sid: b, principal: s3.amazonaws.com, expires: 2126-01-01T00:00:00Z}
"#],
        &three(),
        r#"
error: the sid `a` says two different things in arn:aws:lambda:us-east-1:123456789012:function:orders-x
  --> a.yaml:5:15
   |
 5 |       - {sid: a, principal: s3.amazonaws.com, source_account: "${account}"}
   |               ^
   |
note: this says another one
  --> a.yaml:15:15
   |
15 |       - {sid: a, principal: s3.amazonaws.com, source_account: "${account}", accept: [P003]}
   |               ^
help: choose another sid, write the same in both, or take the function out of the rule with `except`

error: the sid `b` says two different things in arn:aws:lambda:us-east-1:123456789012:function:orders-x
  --> a.yaml:6:15
   |
 6 |       - {sid: b, principal: s3.amazonaws.com}
   |               ^
   |
note: this says another one
  --> a.yaml:16:15
   |
16 |       - {sid: b, principal: s3.amazonaws.com, expires: 2126-01-01T00:00:00Z}
   |               ^
help: choose another sid, write the same in both, or take the function out of the rule with `except`

error: `ownership` contradicts another entry for the same function
 --> a.yaml:8:16
  |
8 |     ownership: declared
  |                ^^^^^^^^
  |
note: it stands here first
 --> a.yaml:3:16
  |
3 |     ownership: all
  |                ^^^
help: write it in one of them only, or the same in both

error: the sid `a` is both granted and `absent` in arn:aws:lambda:us-east-1:123456789012:function:orders-out
 --> a.yaml:9:14
  |
9 |     absent: [a]
  |              ^
  |
note: it is granted here
 --> a.yaml:5:15
  |
5 |       - {sid: a, principal: s3.amazonaws.com, source_account: "${account}"}
  |               ^
help: delete one of them

error: the sid `a` says two different things in arn:aws:lambda:us-east-1:123456789012:function:orders-out
  --> a.yaml:11:15
   |
11 |       - {sid: a, principal: s3.amazonaws.com}
   |               ^
   |
note: this says another one
  --> a.yaml:5:15
   |
 5 |       - {sid: a, principal: s3.amazonaws.com, source_account: "${account}"}
   |               ^
help: choose another sid, write the same in both, or take the function out of the rule with `except`
"#,
    );
}

#[test]
fn values_are_checked_although_nothing_matches() {
    check_all(
        &[r#"
functions:
  - match: {name: "none-*", qualifiers: [live]}
    statements:
      - {sid: "a-${qualifier}", principal: "${function}"}
  - match: {name: "none-*", qualifiers: [unqualified, live]}
    statements:
      - {sid: "a-${qualifier}", principal: s3.amazonaws.com}
"#],
        &three(),
        r#"
error: with example values: `f` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone; did you mean f.amazonaws.com?
 --> a.yaml:4:44
  |
4 |       - {sid: "a-${qualifier}", principal: "${function}"}
  |                                            ^^^^^^^^^^^^^

error: `${qualifier}` stands for nothing, for this is no alias and no version
 --> a.yaml:7:15
  |
7 |       - {sid: "a-${qualifier}", principal: s3.amazonaws.com}
  |               ^^^^^^^^^^^^^^^^
  |
help: leave it out, or write the functions themselves and their aliases in entries of their own
"#,
    );
}

#[test]
fn nobody_said_where_a_rule_looks() {
    let said = load(&["functions: [{match: {name: f}, statements: []}]"], &Context::default());
    let said = said.unwrap_err();
    let lines: Vec<&str> =
        said.lines().filter(|it| it.starts_with("error") || it.starts_with("help")).collect();
    assert_eq!(
        lines,
        [
            "error: no account for this rule",
            "help: write `account:`, or `accounts:` with a list or `all`, at the top of the file, or pass --account",
            "error: no region for this rule",
            "help: write `region:`, or `regions:` with a list or `all`, at the top of the file, or pass --region",
        ]
    );
}
