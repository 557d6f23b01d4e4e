//! What is said about text that is not YAML.

use crate::config::tests::check;

#[test]
fn a_tab_cannot_indent() {
    check(
        r"
functions:
  - function: f
	statements: []
",
        r"
error: YAML cannot be indented with a tab
 --> a.yaml:3:1
  |
3 |  statements: []
  | ^
  |
help: write spaces instead
",
    );
}

#[test]
fn an_open_quote() {
    check(
        r#"
functions:
  - function: "f
    statements: []
"#,
        r"
error: this line is not indented, and belongs to a quoted text that began above
 --> a.yaml:3:5
  |
3 |     statements: []
  |     ^
  |
help: close the quote above, or indent the line
",
    );
}

#[test]
fn an_open_quote_to_the_end() {
    check(
        r#"
functions:
  - function: "f
        statements: []
"#,
        r"
error: this line is not indented, and belongs to a quoted text that began above
 --> a.yaml:4:1
  |
4 |
  | ^
  |
help: close the quote above, or indent the line
",
    );
}

#[test]
fn an_open_bracket() {
    check(
        r"
functions:
  - function: f
    statements: [{sid: a, principal: b}
",
        r"
error: this `[` is never closed
 --> a.yaml:3:17
  |
3 |     statements: [{sid: a, principal: b}
  |                 ^
  |
help: write the closing `]`
",
    );
}

#[test]
fn an_open_brace() {
    check(
        r"
functions:
  - function: f
    statements: {sid: a, principal: b
",
        r"
error: this `{` is never closed
 --> a.yaml:3:17
  |
3 |     statements: {sid: a, principal: b
  |                 ^
  |
help: write the closing `}`
",
    );
}

#[test]
fn a_line_out_of_line() {
    check(
        r"
functions:
  - function: f
   statements: []
",
        r"
error: this line is not indented as the ones before it
 --> a.yaml:3:4
  |
3 |    statements: []
  |    ^
  |
help: the keys of one map begin in one column, and so do the `-` of one list
",
    );
}

#[test]
fn a_colon_in_a_text() {
    check(
        r"
functions:
  - function: f: g
    statements: []
",
        r"
error: `:` begins a value where none can stand
 --> a.yaml:2:16
  |
2 |   - function: f: g
  |                ^
  |
help: a text that contains `: ` has to be in quotes; or the line is indented too far
",
    );
}

#[test]
fn an_at_sign() {
    check(
        r"
functions:
  - function: @f
    statements: []
",
        r"
error: no YAML value can begin with this character
 --> a.yaml:2:15
  |
2 |   - function: @f
  |               ^
  |
help: write the value in quotes
",
    );
}

#[test]
fn a_key_without_a_colon() {
    check(
        r"
functions:
  - function: f
    statements
    absent: []
",
        r"
error: a key needs a `:` after it, and a space
 --> a.yaml:3:5
  |
3 |     statements
  |     ^
  |
help: write `key: value`
",
    );
}

#[test]
fn an_anchor_without_a_name() {
    check(
        r"
functions:
  - function: &
",
        r"
error: an unquoted `&` begins a YAML anchor
 --> a.yaml:2:15
  |
2 |   - function: &
  |               ^
  |
help: for the text itself write it in quotes
",
    );
}

#[test]
fn an_unknown_escape() {
    check(
        r#"
functions:
  - function: "a\qb"
"#,
        r#"
error: this is not YAML: while parsing a quoted scalar, found unknown escape character
 --> a.yaml:2:15
  |
2 |   - function: "a\qb"
  |               ^
"#,
    );
}
