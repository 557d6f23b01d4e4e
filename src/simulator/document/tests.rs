//! Documents keep what they were given.

use super::*;

#[test]
fn white_space_goes_only_between_values() {
    let text = "{ \"a b\\\" c\" : [ 1 , \"x\\\\\" , 1.50e3 ]\n}";
    assert_eq!(compact(text), "{\"a b\\\" c\":[1,\"x\\\\\",1.50e3]}");
}

#[test]
fn a_text_comes_back_verbatim_until_the_next_change() {
    let text = "{ \"Statement\": [ {\"Sid\": \"a\", \"x\": 1.50} ], \"Version\": \"2012-10-17\" }";
    let mut document = Document::parse(text).unwrap();
    assert_eq!(document.text(), text);
    document.push("{\"Sid\":\"b\"}".to_owned());
    let expected = concat!(
        r#"{"Statement":[{"Sid":"a","x":1.50},{"Sid":"b"}],"#,
        r#""Version":"2012-10-17"}"#
    );
    assert_eq!(document.text(), expected);
}

#[test]
fn one_statement_may_stand_without_a_list() {
    let document = Document::parse(r#"{"Statement":{"Sid":"a"}}"#).unwrap();
    assert_eq!(document.statements(), [r#"{"Sid":"a"}"#]);
    assert_eq!(document.position("a"), Some(0));
    assert_eq!(document.text(), r#"{"Statement":{"Sid":"a"}}"#);
}

#[test]
fn what_is_no_document_says_why() {
    for (text, expected) in [
        ("[]", "JSON object"),
        ("{", "EOF"),
        ("{}", "Statement is missing"),
        (r#"{"Statement":[1]}"#, "not an object"),
        (r#"{"Statement":[],"Id":"a","Id":"b"}"#, "Id stands there twice"),
    ] {
        let error = Document::parse(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn principals_are_renamed_in_strings_and_lists() {
    let text = r#"{"Statement":[{"Principal":{"AWS":["x","y"]}},{"Principal":{"AWS":"x"}}]}"#;
    let mut document = Document::parse(text).unwrap();
    assert!(document.rename_principal("x", "AROA1"));
    assert!(!document.rename_principal("x", "AROA1"));
    assert_eq!(document.text(), text.replace("\"x\"", "\"AROA1\""));
}
