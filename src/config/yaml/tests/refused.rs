//! What is said about YAML that we do not take.

use crate::config::tests::check;

#[test]
fn an_unquoted_star_is_explained() {
    check(
        r"
functions:
  - function: f
    statements:
      - sid: x
        principal: *
",
        r#"
error: an unquoted `*` begins a YAML alias
 --> a.yaml:5:20
  |
5 |         principal: *
  |                    ^
  |
help: for the text itself write it in quotes: "*"
"#,
    );
}

#[test]
fn an_unquoted_star_before_a_word_is_explained_and_told_once() {
    check(
        r"
functions:
  - function: f
    statements:
      - sid: x
        principal: *.amazonaws.com
      - sid: y
        principal: oops oops
",
        r#"
error: `*.amazonaws.com` is a YAML alias, and nothing is anchored as `&.amazonaws.com`
 --> a.yaml:5:20
  |
5 |         principal: *.amazonaws.com
  |                    ^^^^^^^^^^^^^^^
  |
help: for the text itself write it in quotes: "*.amazonaws.com"

error: `oops oops` is not a principal: write a service (it ends in .amazonaws.com or .amazon.com), an account id, the ARN of a role or user, or "*" for anyone
 --> a.yaml:7:20
  |
7 |         principal: oops oops
  |                    ^^^^^^^^^
"#,
    );
}

#[test]
fn a_duplicate_key_names_both_places() {
    check(
        r"
functions:
  - function: f
    statements:
      - sid: x
        principal: s3.amazonaws.com
        sid: x
  - function: g
    statements: []
    statements: []
",
        r"
error: the key `sid` stands here twice
 --> a.yaml:6:9
  |
6 |         sid: x
  |         ^^^
  |
note: it stands here first
 --> a.yaml:4:9
  |
4 |       - sid: x
  |         ^^^

error: the key `statements` stands here twice
 --> a.yaml:9:5
  |
9 |     statements: []
  |     ^^^^^^^^^^
  |
note: it stands here first
 --> a.yaml:8:5
  |
8 |     statements: []
  |     ^^^^^^^^^^
",
    );
}

#[test]
fn tags_are_refused() {
    check(
        r"
functions:
  - function: f
    statements:
      - {sid: a, principal: !!binary aGFsbG8=}
      - {sid: !custom b, principal: s3.amazonaws.com}
      - {sid: !!str 1, principal: ! s3.amazonaws.com}
      - !!set {sid: c, principal: s3.amazonaws.com}
",
        r"
error: the YAML tag `!!binary` has no meaning here
 --> a.yaml:4:29
  |
4 |       - {sid: a, principal: !!binary aGFsbG8=}
  |                             ^^^^^^^^
  |
help: leave it out; values stay as they are written

error: the YAML tag `!custom` has no meaning here
 --> a.yaml:5:15
  |
5 |       - {sid: !custom b, principal: s3.amazonaws.com}
  |               ^^^^^^^
  |
help: leave it out; values stay as they are written

error: the YAML tag `!!set` has no meaning here
 --> a.yaml:7:9
  |
7 |       - !!set {sid: c, principal: s3.amazonaws.com}
  |         ^^^^^
  |
help: leave it out; values stay as they are written
",
    );
}

#[test]
fn a_key_is_one_word() {
    check(
        r"
functions:
  - function: f
    statements:
      - {sid: a, principal: s3.amazonaws.com, [x, y]: z, ~: z}
",
        r"
error: a key has to be one word
 --> a.yaml:4:47
  |
4 |       - {sid: a, principal: s3.amazonaws.com, [x, y]: z, ~: z}
  |                                               ^^^^^^

error: a key has to be one word
 --> a.yaml:4:58
  |
4 |       - {sid: a, principal: s3.amazonaws.com, [x, y]: z, ~: z}
  |                                                          ^
",
    );
}

#[test]
fn an_expansion_bomb_is_refused() {
    check(
        r"
a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]
",
        r"
error: this file has more than 1000000 values, its aliases expanded
 --> a.yaml:6:36
  |
6 | f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
  |                                    ^^
  |
help: split it into several files, or use fewer aliases
",
    );
}

#[test]
fn an_alias_of_itself_is_refused() {
    check(
        r"
a: &a [*a]
",
        r"
error: this alias stands inside of what it is an alias of
 --> a.yaml:1:8
  |
1 | a: &a [*a]
  |        ^^
",
    );
}

#[test]
fn deep_nesting_is_refused() {
    check(
        r"
[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
",
        r"
error: nested too deeply
 --> a.yaml:1:33
  |
1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
  |                                 ^
  |
help: the files that permitd reads need no more than seven levels
",
    );
}

#[test]
fn a_chain_of_aliases_is_nesting_too() {
    check(
        r"
a0: &a0 [x]
a1: &a1 [*a0]
a2: &a2 [*a1]
a3: &a3 [*a2]
a4: &a4 [*a3]
a5: &a5 [*a4]
a6: &a6 [*a5]
a7: &a7 [*a6]
a8: &a8 [*a7]
a9: &a9 [*a8]
a10: &a10 [*a9]
a11: &a11 [*a10]
a12: &a12 [*a11]
a13: &a13 [*a12]
a14: &a14 [*a13]
a15: &a15 [*a14]
a16: &a16 [*a15]
a17: &a17 [*a16]
a18: &a18 [*a17]
a19: &a19 [*a18]
a20: &a20 [*a19]
a21: &a21 [*a20]
a22: &a22 [*a21]
a23: &a23 [*a22]
a24: &a24 [*a23]
a25: &a25 [*a24]
a26: &a26 [*a25]
a27: &a27 [*a26]
a28: &a28 [*a27]
a29: &a29 [*a28]
a30: &a30 [*a29]
a31: &a31 [*a30]
a32: &a32 [*a31]
a33: &a33 [*a32]
a34: &a34 [*a33]
a35: &a35 [*a34]
a36: &a36 [*a35]
a37: &a37 [*a36]
a38: &a38 [*a37]
a39: &a39 [*a38]
",
        r"
error: nested too deeply
  --> a.yaml:32:12
   |
32 | a31: &a31 [*a30]
   |            ^^^^
   |
help: the files that permitd reads need no more than seven levels
",
    );
}

#[test]
fn what_is_merged_has_to_be_a_map() {
    check(
        r"
functions:
  - function: f
    statements:
      - &a [x]
      - {<<: *a, sid: x, principal: s3.amazonaws.com}
      - {<<: x, <<: y, sid: y, principal: s3.amazonaws.com}
",
        r"
error: an item of `statements` is a map of keys and values, not a list
 --> a.yaml:4:12
  |
4 |       - &a [x]
  |            ^^^

error: `<<` takes an alias of a map, or a list of such aliases
 --> a.yaml:5:10
  |
5 |       - {<<: *a, sid: x, principal: s3.amazonaws.com}
  |          ^^

error: `<<` takes an alias of a map, or a list of such aliases
 --> a.yaml:6:10
  |
6 |       - {<<: x, <<: y, sid: y, principal: s3.amazonaws.com}
  |          ^^

error: `<<` takes an alias of a map, or a list of such aliases
 --> a.yaml:6:17
  |
6 |       - {<<: x, <<: y, sid: y, principal: s3.amazonaws.com}
  |                 ^^

error: the key `<<` stands here twice
 --> a.yaml:6:17
  |
6 |       - {<<: x, <<: y, sid: y, principal: s3.amazonaws.com}
  |                 ^^
  |
note: it stands here first
 --> a.yaml:6:10
  |
6 |       - {<<: x, <<: y, sid: y, principal: s3.amazonaws.com}
  |          ^^
help: merge several maps with `<<: [*one, *other]`
",
    );
}
