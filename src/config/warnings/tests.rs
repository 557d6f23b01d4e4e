//! Warnings as a terminal shows them.

use super::*;
use crate::config::diagnostic::File;
use crate::config::permissions;
use crate::config::resolve::examine;
use crate::config::tests::context;

mod rules;
mod slow;
mod whole;

const NOW: &str = "2026-06-15T12:00:00Z";

fn say(texts: &[&str]) -> String {
    let named = texts.iter().zip(["a.yaml", "b.yaml"]);
    let files = named.map(|(text, name)| File::new(name, (*text).to_owned())).collect();
    let files = Files { files, diagnostics: Vec::new() };
    let examined = examine(permissions::parse(&files), &context());
    assert!(examined.diagnostics.is_empty(), "{:?}", examined.diagnostics);
    let mut found = warnings(&files, &examined, NOW.parse().unwrap());
    // Of risks, other tests tell.
    found.retain(|it| !matches!(it.rule, Rule::Risk(_)));
    diagnostic::render_all(&found, false)
}

#[test]
fn risks_are_told_with_their_place_unless_they_are_accepted() {
    let text = r#"
account: "123456789012"
region: us-east-1
functions:
  - function: f
    statements:
      - {sid: a, principal: s3.amazonaws.com}
      - {sid: b, principal: "*", accept: [P002]}
      - {sid: c, principal: "210987654321"}
      - sid: url
        principal: "*"
        action: lambda:InvokeFunctionUrl
        function_url_auth_type: NONE
      - {sid: d, principal: sns.amazonaws.com}
"#;
    let files = Files { files: vec![File::new("p.yaml", text.into())], diagnostics: Vec::new() };
    let examined = examine(permissions::parse(&files), &context());
    let mut found = warnings(&files, &examined, NOW.parse().unwrap());
    let told: Vec<(&str, u32)> =
        found.iter().map(|it| (it.rule.id(), it.place.source().line)).collect();
    assert_eq!(told, [("P001", 7), ("P004", 9), ("P001", 14)]);
    assert!(found.iter().all(|it| it.help.as_ref().unwrap().contains("https://docs.aws")));
    explain_once(&mut found);
    let explained: Vec<bool> = found.iter().map(|it| it.help.is_some()).collect();
    assert_eq!(explained, [true, true, false]);
}

#[track_caller]
fn check(texts: &[&str], expected: &str) {
    let texts: Vec<&str> = texts.iter().map(|it| it.strip_prefix('\n').unwrap()).collect();
    let said = say(&texts);
    assert_eq!(format!("\n{said}"), expected, "it said:\n{said}");
}

#[test]
fn grants_that_expire_soon_or_have_expired() {
    check(
        &[
            r#"
functions:
  - names: [f, g]
    statements:
      - {sid: b, principal: "*", expires: 2026-06-27T12:00:00Z} # soon
      - principal: s3.amazonaws.com
        sid: a
        expires: 2026-06-12T12:00:00+02:00
      - {sid: c, principal: sns.amazonaws.com, expires: 2026-07-15T12:00:01Z}
"#,
            r#"
functions: [{function: h, statements: [
  {sid: z, principal: "*", description: ключ}, {sid: a, principal: "*", expires: 2026-06-15T12:00:00Z}]}]
"#,
        ],
        r#"
warning[expires-soon]: the grant `b` of 2 functions expires in 12 days, at 2026-06-27T12:00:00Z
 --> a.yaml:4:9
  |
4 |       - {sid: b, principal: "*", expires: 2026-06-27T12:00:00Z} # soon
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: from then on it is revoked; write a later `expires` if it is still needed

warning[expired]: the grant `a` of 2 functions expired 3 days ago, at 2026-06-12T10:00:00Z; it is revoked if it is live
 --> a.yaml:5:9
  |
5 |       - principal: s3.amazonaws.com
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: delete it from the file

warning[expired]: the grant `a` expired less than a minute ago, at 2026-06-15T12:00:00Z; it is revoked if it is live
 --> b.yaml:2:48
  |
2 |   {sid: z, principal: "*", description: ключ}, {sid: a, principal: "*", expires: 2026-06-15T12:00:00Z}]}]
  |                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: delete it from the file
"#,
    );
}

/// Both sides of every bound.
#[test]
fn how_long_it_is() {
    #[track_caller]
    fn check(expires: &str, expected: &str) {
        let text = format!(
            "functions: [{{function: f, statements: [{{sid: a, principal: \"*\", expires: {expires}}}]}}]"
        );
        let said = say(&[&text]);
        let message = said.lines().next().unwrap_or_default();
        let message = message.split_once("the grant `a` ").map_or(message, |(_, it)| it);
        assert_eq!(message.split(", at ").next().unwrap(), expected, "{said}");
    }
    check("2026-07-15T12:00:00.001Z", "");
    check("2026-07-15T12:00:00Z", "expires in 30 days");
    check("2026-06-17T11:59:59Z", "expires in 1 day");
    check("2026-06-16T11:59:59Z", "expires in 23 hours");
    check("2026-06-15T13:00:00Z", "expires in 1 hour");
    check("2026-06-15T12:59:59Z", "expires in 59 minutes");
    check("2026-06-15T12:00:59Z", "expires in less than a minute");
    check("2026-06-15T12:00:00.5Z", "expires in less than a minute");
    check("2026-06-15T12:00:00Z", "expired less than a minute ago");
    check("2026-06-15T11:58:00Z", "expired 2 minutes ago");
    check("2026-06-12T12:00:00Z", "expired 3 days ago");
    check("0001-01-01T00:00:00Z", "expired 739781 days ago");
}

#[test]
fn a_place_is_found_again() {
    #[track_caller]
    fn check(text: &str, line: u32, column: u32, expected: &str) {
        let files = Files { files: vec![File::new("a.yaml", text.to_owned())], ..Files::default() };
        let source = Source { file: "a.yaml".into(), line, column };
        let place = Places::of(&files).place_of(&source);
        assert_eq!(place.source(), source);
        let span = place.span.unwrap();
        assert_eq!(&place.file.text[span.start as usize..span.end as usize], expected, "{text:?}");
    }
    check("one\ntwo  \n", 1, 1, "one");
    check("one\ntwo  \n", 2, 2, "wo");
    check("\u{feff}one\r\ntwo\rthree", 3, 3, "ree");
    check("ключ: {a: {b: c}, d: e}]", 1, 7, "{a: {b: c}, d: e}");
    check("{a: b\n}", 1, 1, "{a: b");
    check("a: {b}, {c}", 1, 1, "a: {b}, {c}");
    check("a}", 1, 1, "a}");
    // A place that is not there is no reason to panic.
    check("one\n", 2, 5, "");
    check("one\n", 9, 1, "one");
    let nowhere = Source { file: "b.yaml".into(), line: 3, column: 1 };
    assert_eq!(Places::of(&Files::default()).place_of(&nowhere).span, None);
}
