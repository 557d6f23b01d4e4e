//! The tree: places, spellings, aliases and merge keys.

use std::fmt::Write as _;

use super::*;

mod refused;
mod syntax;
mod templates;

/// Every scalar and collection with its place, one in a line.
fn draw(text: &str) -> String {
    draw_with(parse, text)
}

/// The same, read by `parse`.
fn draw_with(parse: fn(&Arc<File>) -> Tree<'_>, text: &str) -> String {
    fn node(out: &mut String, depth: usize, label: &str, it: &Node<'_>) {
        let Span { line, column, .. } = it.span;
        let used = it.used.map_or(String::new(), |it| format!(" used {}:{}", it.line, it.column));
        let (what, items): (String, Vec<(String, &Node<'_>)>) = match &it.value {
            Value::Null => ("null".to_owned(), Vec::new()),
            Value::Plain(text) => (format!("plain {text:?}"), Vec::new()),
            Value::Quoted(text) => (format!("quoted {text:?}"), Vec::new()),
            Value::Bad => ("bad".to_owned(), Vec::new()),
            Value::Seq(items) => {
                ("list".to_owned(), items.iter().map(|it| ("- ".to_owned(), it)).collect())
            }
            Value::Map(entries) => {
                let name = |it: &Entry<'_>| {
                    format!("{} @{}:{}: ", it.key, it.key_span.line, it.key_span.column)
                };
                ("map".to_owned(), entries.iter().map(|it| (name(it), &it.node)).collect())
            }
        };
        let indent = depth * 2;
        writeln!(out, "{:indent$}{label}{what} @{line}:{column}{used}", "").unwrap();
        for (label, it) in items {
            node(out, depth + 1, &label, it);
        }
    }
    let file = File::new("a.yaml", text.to_owned());
    let tree = parse(&file);
    assert_eq!(tree.diagnostics, []);
    let mut out = String::new();
    for it in &tree.documents {
        node(&mut out, 0, "", it);
    }
    out
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let drawn = draw(text);
    assert_eq!(drawn.trim_end(), expected.trim(), "it is:\n{drawn}");
}

#[test]
fn scalars_stay_as_written() {
    let spellings = [
        "012345678901",
        "123456789012",
        "on",
        "no",
        "yes",
        "true",
        "1",
        "-1",
        "1e3",
        "0x1F",
        "0o17",
        "1_000",
        "1.0",
        ".inf",
        ".nan",
        "2026-12-31T00:00:00Z",
        "2026-12-31",
        "1:30",
        "=",
        "a b",
        "arn:aws:s3:::x",
        "$LATEST",
        "10%",
        "10/s",
        "<",
        "é",
        "\u{1f600}",
    ];
    for it in spellings {
        check(it, &format!("plain {it:?} @1:1"));
        check(&format!("\"{it}\""), &format!("quoted {it:?} @1:1"));
        check(&format!("'{it}'"), &format!("quoted {it:?} @1:1"));
        check(&format!("!!str {it}"), &format!("quoted {it:?} @1:7"));
    }
}

#[test]
fn null_is_no_text_unless_it_is_quoted() {
    for it in ["~", "null", "Null", "NULL"] {
        check(it, "null @1:1");
        check(&format!("'{it}'"), &format!("quoted {it:?} @1:1"));
    }
    check("a:\nb: \"\"", "map @1:1\n  a @1:1: null @1:2\n  b @2:1: quoted \"\" @2:4");
}

#[test]
fn texts_over_several_lines() {
    check(
        "a: >-\n  one\n  two\nb: |\n  one\n  two\nc: one\n  two\n",
        "map @1:1
  a @1:1: quoted \"one two\" @2:3
  b @4:1: quoted \"one\\ntwo\\n\" @5:3
  c @7:1: plain \"one two\" @7:4",
    );
}

#[test]
fn places_count_characters_and_know_line_ends() {
    let expected = "map @1:1
  é @1:1: list @1:4
    - plain \"ü\" @1:5
    - quoted \"\u{1f600}\" @1:8
  k @2:1: plain \"v\" @2:6";
    check("é: [ü, '\u{1f600}']\nk:   v\n", expected);
    check("é: [ü, '\u{1f600}']\r\nk:   v\r\n", expected);
    check("\u{feff}é: [ü, '\u{1f600}']\nk:   v", expected);
}

#[test]
fn all_documents_are_read() {
    check(
        "a\n---\nb\n...\n---\n# c\n---\nd",
        "plain \"a\" @1:1\nplain \"b\" @3:1\nnull @5:4\nplain \"d\" @8:1",
    );
    check("", "");
    check("# nothing", "");
}

#[test]
fn an_alias_knows_where_it_is_and_what_it_stands_for() {
    check(
        "a: &x {k: v}\nb: *x\nc: [*x]\n",
        "map @1:1
  a @1:1: map @1:7
    k @1:8: plain \"v\" @1:11
  b @2:1: map @1:7 used 2:4
    k @1:8: plain \"v\" @1:11
  c @3:1: list @3:4
    - map @1:7 used 3:5
      k @1:8: plain \"v\" @1:11",
    );
}

#[test]
fn merged_keys_do_not_replace_those_that_are_there() {
    check(
        "- &x {a: 1, b: 1}\n- &y {b: 2, c: 2}\n- {b: 3, <<: [*x, *y], d: 3}\n- <<: *x\n",
        "list @1:1
  - map @1:6
    a @1:7: plain \"1\" @1:10
    b @1:13: plain \"1\" @1:16
  - map @2:6
    b @2:7: plain \"2\" @2:10
    c @2:13: plain \"2\" @2:16
  - map @3:3
    b @3:4: plain \"3\" @3:7
    d @3:24: plain \"3\" @3:27
    a @1:7: plain \"1\" @1:10 used 3:15
    c @2:13: plain \"2\" @2:16 used 3:19
  - map @4:3
    a @1:7: plain \"1\" @1:10 used 4:7
    b @1:13: plain \"1\" @1:16 used 4:7",
    );
}

#[test]
fn a_quoted_merge_key_is_a_key() {
    check("{'<<': a}", "map @1:1\n  << @1:2: plain \"a\" @1:8");
}

#[test]
fn large_maps_are_checked_as_small_ones() {
    let keys: Vec<String> = (0..100).map(|it| format!("k{it}: {it}")).collect();
    let text = format!("x: &x {{{0}}}\ny: {{<<: *x, k5: 9}}\nz: {{{0}, k7: 9}}\n", keys.join(", "));
    let file = File::new("a.yaml", text);
    let tree = parse(&file);
    let messages: Vec<&str> = tree.diagnostics.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(messages, ["the key `k7` stands here twice"]);
    let Value::Map(top) = &tree.documents[0].value else { panic!() };
    let Value::Map(merged) = &top[1].node.value else { panic!() };
    assert_eq!(merged.len(), 100);
    let k5 = merged.iter().find(|it| it.key == "k5").unwrap();
    assert!(matches!(&k5.node.value, Value::Plain(it) if it == "9"));
}
