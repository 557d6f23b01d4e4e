//! What is said about values of the wrong form.

use crate::config::tests::check;

#[test]
fn one_value_is_not_a_list() {
    check(
        r"
functions:
  - function: f
    statements:
      - sid: x
        principal: [s3.amazonaws.com, sns.amazonaws.com]
        action: {a: b}
  - function: [f, g]
    statements: []
  - names: f
    absent: x
    statements: {sid: y}
",
        r"
error: `principal` takes one value, not a list
 --> a.yaml:5:20
  |
5 |         principal: [s3.amazonaws.com, sns.amazonaws.com]
  |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write one statement for each value, or the list under `principals`, which needs `writer: document` or `auto`

error: `action` takes one value, not a map
 --> a.yaml:6:17
  |
6 |         action: {a: b}
  |                 ^^^^^^

error: `function` takes one value, not a list
 --> a.yaml:7:15
  |
7 |   - function: [f, g]
  |               ^^^^^^
  |
help: `names: [one, other]` gives the same statements to several functions

error: `names` takes a list, not one value
 --> a.yaml:9:12
  |
9 |   - names: f
  |            ^
  |
help: write it like `names: [one, other]`

error: `absent` takes a list, not one value
  --> a.yaml:10:13
   |
10 |     absent: x
   |             ^
   |
help: write it like `absent: [old-sid]`

error: `statements` takes a list, not a map
  --> a.yaml:11:17
   |
11 |     statements: {sid: y}
   |                 ^^^^^^^^
   |
help: write it like `statements: [{sid: x, principal: s3.amazonaws.com}]`
",
    );
}

#[test]
fn nothing_is_not_a_value() {
    check(
        r#"
functions:
  - function: f
    statements:
      - sid:
        principal: ~
      - sid: null
        principal: "null"
  - function: g
    statements:
    suspend:
"#,
        r#"
error: `sid` has no value
 --> a.yaml:4:9
  |
4 |       - sid:
  |         ^^^
  |
help: write one, or leave the key out

error: `principal` is null
 --> a.yaml:5:20
  |
5 |         principal: ~
  |                    ^
  |
help: for the text itself write it in quotes; for no value leave the key out

error: `sid` is null
 --> a.yaml:6:14
  |
6 |       - sid: null
  |              ^^^^
  |
help: for the text itself write it in quotes; for no value leave the key out

error: `null` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone; did you mean null.amazonaws.com?
 --> a.yaml:7:20
  |
7 |         principal: "null"
  |                    ^^^^^^

error: `statements` takes a list, not nothing
 --> a.yaml:9:5
  |
9 |     statements:
  |     ^^^^^^^^^^
  |
help: write it like `statements: [{sid: x, principal: s3.amazonaws.com}]`

error: `suspend` takes true or false
  --> a.yaml:10:5
   |
10 |     suspend:
   |     ^^^^^^^
   |
help: write `suspend: true` or `suspend: false`, without quotes
"#,
    );
}

#[test]
fn ownership_and_its_prefix() {
    check(
        r#"
functions:
  - {function: a, ownership: prefix, statements: []}
  - {function: b, sid_prefix: x-, statements: []}
  - {function: c, ownership: all, sid_prefix: x-, empty: true, statements: []}
  - {function: d, ownership: al, statements: []}
  - {function: e, ownership: prefix, sid_prefix: "x ", statements: []}
  - {function: f, ownership: everything, sid_prefix: x-, statements: []}
"#,
        r#"
error: `ownership: prefix` needs a `sid_prefix`
 --> a.yaml:2:30
  |
2 |   - {function: a, ownership: prefix, statements: []}
  |                              ^^^^^^
  |
help: write `sid_prefix: x-` beside it

error: `sid_prefix` goes with `ownership: prefix` only
 --> a.yaml:3:19
  |
3 |   - {function: b, sid_prefix: x-, statements: []}
  |                   ^^^^^^^^^^
  |
help: write `ownership: prefix` beside it, or delete it

error: `sid_prefix` goes with `ownership: prefix` only
 --> a.yaml:4:35
  |
4 |   - {function: c, ownership: all, sid_prefix: x-, empty: true, statements: []}
  |                                   ^^^^^^^^^^
  |
help: write `ownership: prefix` beside it, or delete it

error: `al` is not a value of `ownership`
 --> a.yaml:5:30
  |
5 |   - {function: d, ownership: al, statements: []}
  |                              ^^
  |
help: did you mean `all`?

error: ` ` may not stand in a prefix; letters, digits, `-` and `_` may
 --> a.yaml:6:50
  |
6 |   - {function: e, ownership: prefix, sid_prefix: "x ", statements: []}
  |                                                  ^^^^

error: `everything` is not a value of `ownership`
 --> a.yaml:7:30
  |
7 |   - {function: f, ownership: everything, sid_prefix: x-, statements: []}
  |                              ^^^^^^^^^^
  |
help: it is `all`, `prefix` or `declared`
"#,
    );
}

#[test]
fn emptying_a_policy_needs_two_words() {
    check(
        r"
functions:
  - {function: a, ownership: all, statements: []}
  - {function: b, ownership: all, absent: [x]}
  - function: c
    empty: true
    statements:
      - {sid: x, principal: s3.amazonaws.com}
",
        r"
error: `ownership: all` without statements takes back everything
 --> a.yaml:2:35
  |
2 |   - {function: a, ownership: all, statements: []}
  |                                   ^^^^^^^^^^
  |
help: write `empty: true` beside it if that is meant

error: `ownership: all` without statements takes back everything
 --> a.yaml:3:5
  |
3 |   - {function: b, ownership: all, absent: [x]}
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write `empty: true` beside it if that is meant

error: `empty: true` goes with `statements: []` only
 --> a.yaml:5:12
  |
5 |     empty: true
  |            ^^^^
  |
help: delete `empty`, or the statements
",
    );
}

#[test]
fn booleans_are_not_guessed() {
    check(
        r#"
functions:
  - {function: a, suspend: yes, statements: []}
  - {function: b, suspend: "true", statements: []}
  - {function: c, suspend: on, statements: []}
"#,
        r#"
error: `suspend` takes true or false
 --> a.yaml:2:28
  |
2 |   - {function: a, suspend: yes, statements: []}
  |                            ^^^
  |
help: write `suspend: true` or `suspend: false`, without quotes

error: `suspend` takes true or false
 --> a.yaml:3:28
  |
3 |   - {function: b, suspend: "true", statements: []}
  |                            ^^^^^^
  |
help: write `suspend: true` or `suspend: false`, without quotes

error: `suspend` takes true or false
 --> a.yaml:4:28
  |
4 |   - {function: c, suspend: on, statements: []}
  |                            ^^
  |
help: write `suspend: true` or `suspend: false`, without quotes
"#,
    );
}

#[test]
fn an_expiry_is_a_point_in_time() {
    check(
        r"
functions:
  - function: f
    statements:
      - {sid: a, principal: s3.amazonaws.com, expires: 2026-12-31}
      - {sid: b, principal: s3.amazonaws.com, expires: 2026-12-31T00:00:00}
      - {sid: c, principal: s3.amazonaws.com, expires: 2026-02-30T00:00:00Z}
",
        r"
error: `2026-12-31` is not a point in time
 --> a.yaml:4:56
  |
4 |       - {sid: a, principal: s3.amazonaws.com, expires: 2026-12-31}
  |                                                        ^^^^^^^^^^
  |
help: write date, time and offset: 2026-12-31T00:00:00Z

error: `2026-12-31T00:00:00` is not a point in time
 --> a.yaml:5:56
  |
5 |       - {sid: b, principal: s3.amazonaws.com, expires: 2026-12-31T00:00:00}
  |                                                        ^^^^^^^^^^^^^^^^^^^
  |
help: write date, time and offset: 2026-12-31T00:00:00Z

error: `2026-02-30T00:00:00Z` is not a point in time
 --> a.yaml:6:56
  |
6 |       - {sid: c, principal: s3.amazonaws.com, expires: 2026-02-30T00:00:00Z}
  |                                                        ^^^^^^^^^^^^^^^^^^^^
  |
help: write date, time and offset: 2026-12-31T00:00:00Z
",
    );
}

#[test]
fn a_risk_has_to_be_known() {
    check(
        r"
functions:
  - function: f
    statements:
      - {sid: a, principal: s3.amazonaws.com, accept: [P004, P009, p001]}
      - {sid: b, principal: s3.amazonaws.com, accept: P001}
",
        r"
error: `P009` is not a risk
 --> a.yaml:4:62
  |
4 |       - {sid: a, principal: s3.amazonaws.com, accept: [P004, P009, p001]}
  |                                                              ^^^^
  |
help: risks are P001 to P008

error: `p001` is not a risk
 --> a.yaml:4:68
  |
4 |       - {sid: a, principal: s3.amazonaws.com, accept: [P004, P009, p001]}
  |                                                                    ^^^^
  |
help: risks are P001 to P008

error: `accept` takes a list, not one value
 --> a.yaml:5:55
  |
5 |       - {sid: b, principal: s3.amazonaws.com, accept: P001}
  |                                                       ^^^^
  |
help: write it like `accept: [P004]`
",
    );
}
