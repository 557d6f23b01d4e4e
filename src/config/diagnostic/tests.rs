//! Diagnostics as a terminal shows them.

use super::*;

fn span(text: &str, what: &str) -> Span {
    let start = text.find(what).unwrap();
    let before = &text[..start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    let number = |it: usize| u32::try_from(it).unwrap();
    Span {
        start: number(start),
        end: number(start + what.len()),
        line: number(line),
        column: number(column),
    }
}

fn at(text: &str, what: &str) -> Diagnostic {
    let file = File::new("a.yaml", text.to_owned());
    Diagnostic::error(Place::at(&file, span(&file.text, what)), "no")
}

#[track_caller]
fn check(diagnostic: &Diagnostic, expected: &str) {
    let drawn = diagnostic.render(false);
    assert_eq!(format!("\n{drawn}"), expected, "it is:\n{drawn}");
}

#[test]
fn a_place_is_file_line_and_column() {
    check(
        &at("one\ntwo three\n", "three").help("do this"),
        "
error: no
 --> a.yaml:2:5
  |
2 | two three
  |     ^^^^^
  |
help: do this",
    );
}

#[test]
fn columns_count_characters() {
    check(
        &at("\u{feff}ключ: \u{1f600} bad\r\n", "bad"),
        "
error: no
 --> a.yaml:1:9
  |
1 | ключ: \u{1f600} bad
  |          ^^^",
    );
}

#[test]
fn a_tab_is_one_column() {
    check(
        &at("\ta\tbad", "bad"),
        "
error: no
 --> a.yaml:1:4
  |
1 |  a bad
  |    ^^^",
    );
}

#[test]
fn another_place_may_be_in_another_file() {
    let other = File::new("b.yaml", "first".to_owned());
    let place = Place::at(&other, span("first", "first"));
    check(
        &at("second", "second").also(place, "it stands here first").help("choose"),
        "
error: no
 --> a.yaml:1:1
  |
1 | second
  | ^^^^^^
  |
note: it stands here first
 --> b.yaml:1:1
  |
1 | first
  | ^^^^^
help: choose",
    );
}

#[test]
fn of_several_lines_the_first_is_shown() {
    check(
        &at("a: b\n  c\n  d", "b\n  c\n  d"),
        "
error: no
 --> a.yaml:1:4
  |
1 | a: b
  |    ^",
    );
}

#[test]
fn of_a_line_of_megabytes_a_part_is_shown() {
    let text = format!("{}bad{}", "ä".repeat(3_000_000), "z".repeat(3_000_000));
    let drawn = at(&text, "bad").render(false);
    assert!(drawn.contains("a.yaml:1:3000001"), "{drawn}");
    assert!(drawn.contains(&format!("…{}bad{}…", "ä".repeat(80), "z".repeat(77))), "{drawn}");
    assert!(drawn.contains(&format!("|{}^^^", " ".repeat(82))), "{drawn}");
    assert!(drawn.len() < 1000);
}

#[test]
fn files_do_not_speak_to_the_terminal() {
    let text = "a\u{1b}[31m\u{9b}31m\u{202e}\u{7f}\0bad\u{85}\u{2028}x";
    let mut diagnostic = at(text, "bad").help(text).also(at(text, "bad").place, text);
    text.clone_into(&mut diagnostic.message);
    diagnostic.place.file = File::new(text, text.to_owned());
    for color in [false, true] {
        let drawn = diagnostic.render(color);
        let own = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[1m\u{1b}[91m", "\u{1b}[1m\u{1b}[94m"];
        let rest = own.iter().fold(drawn.clone(), |rest, it| rest.replace(it, ""));
        let rest = rest
            .replace("\u{1b}[91m", "")
            .replace("\u{1b}[94m", "")
            .replace("\u{1b}[92m", "")
            .replace("\u{1b}[96m", "");
        let bad = rest
            .chars()
            .find(|it| (it.is_control() && *it != '\n') || matches!(*it, '\u{2028}' | '\u{202e}'));
        assert_eq!(bad, None, "{drawn:?}");
    }
}

#[test]
fn color_is_a_parameter() {
    let diagnostic = at("bad", "bad");
    assert!(!diagnostic.render(false).contains('\u{1b}'));
    assert!(diagnostic.render(true).contains("\u{1b}["));
}

#[test]
fn a_file_as_a_whole_has_no_line() {
    let file = File::new("a.yaml", String::new());
    check(&Diagnostic::error(Place::whole(&file), "no"), "\nerror: no\n--> a.yaml");
}

#[test]
fn more_than_a_hundred_are_counted() {
    let one = at("bad", "bad");
    let many = vec![one; 103];
    let drawn = render_all(&many, false);
    assert_eq!(drawn.matches("error: no").count(), 100);
    assert!(drawn.ends_with("\n\nand 3 more\n"), "{drawn}");
    assert_eq!(render_all(&[], false), "");
}

#[test]
fn they_are_sorted_by_file_and_place_and_told_once() {
    let place = |file: &str, start| {
        let file = File::new(file, "xxxxxxx".to_owned());
        Place::at(&file, Span { start, end: start + 1, line: 1, column: start + 1 })
    };
    let of = |file, start, message: &str| Diagnostic::error(place(file, start), message);
    let mut all =
        vec![of("b", 0, "x"), of("a", 3, "x"), of("a", 1, "y"), of("a", 1, "x"), of("a", 3, "x")];
    sort(&mut all);
    let told: Vec<String> =
        all.iter().map(|it| format!("{} {}", it.place.source(), it.message)).collect();
    assert_eq!(told, ["a:1:2 x", "a:1:2 y", "a:1:4 x", "b:1:1 x"]);
}

/// Prose is broken at spaces; a value stays whole, and of the source only so much is shown as fits.
#[test]
fn a_diagnostic_fits_its_terminal() {
    let line =
        format!("  - {{sid: a, principal: s3.amazonaws.com, source_arn: {}}}", "x".repeat(60));
    let url = format!("https://docs.aws.amazon.com/{}", "page/".repeat(12));
    let help =
        format!("Once the bucket is deleted, anybody can create one of the same name. See {url}");
    let diagnostic = at(&line, "sid").help(help);
    let drawn = render_for(&[diagnostic], false, Some(50));
    assert!(drawn.contains("{sid: a, principal: s3.amazonaws…"), "{drawn}");
    assert!(drawn.contains("anybody can\n"), "{drawn}");
    for it in drawn.lines() {
        assert!(it.chars().count() <= 50 || it.trim() == url, "{it}\n{drawn}");
    }
    assert!(drawn.contains(&url), "{drawn}");
}

#[test]
fn a_place_ends_after_its_last_character() {
    let end = |text: &str, what: &str| {
        let file = File::new("a.yaml", text.to_owned());
        Place::at(&file, span(text, what)).end().unwrap()
    };
    assert_eq!(end("one two", "two"), (1, 8));
    assert_eq!(end("one\n\u{1f600}ä x", "\u{1f600}ä"), (2, 3));
    assert_eq!(end("a: b\n  c\r\n  d\re", "b\n  c\r\n  d\re"), (4, 2));
    assert_eq!(Place::whole(&File::new("a", String::new())).end(), None);
}
