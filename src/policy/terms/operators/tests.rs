//! Which operators there are, and what their values may be.

use super::*;

#[test]
fn the_list_is_closed() {
    let all: Vec<String> = operators().collect();
    assert_eq!(all.len(), 26 * 6 + 1);
    let pattern = regex::Regex::new(&operator_pattern()).unwrap();
    for it in &all {
        assert!(is_operator(it) && pattern.is_match(it), "{it}");
        assert_eq!(spelled(&it.to_ascii_uppercase()).as_ref(), Some(it));
    }
    for it in [
        "",
        "stringEquals",
        "StringEqual",
        "NullIfExists",
        "ForAllValues:Null",
        "ForAllValues:",
        "ForAllValues:ForAnyValue:StringLike",
        "ForSomeValues:StringLike",
        "IfExists",
        "StringLikeIfExistsIfExists",
        "ArnLike ",
    ] {
        assert!(!is_operator(it) && !pattern.is_match(it), "{it}");
    }
    assert_eq!(spelled("StringMatches"), None);
}

#[test]
fn values_are_what_the_operator_compares() {
    #[track_caller]
    fn check(operator: &str, good: &[&str], bad: &[&str]) {
        for it in good {
            assert_eq!(problem_of(operator, it), None, "{operator} {it}");
        }
        for it in bad {
            let said = problem_of(operator, it).unwrap_or_default();
            assert!(said.starts_with(&format!("`{it}` is not ")), "{operator} {it}: {said}");
        }
    }
    check("StringEquals", &["", "anything", "é"], &[]);
    check("BinaryEquals", &["QmluYXJ5"], &[]);
    check("Bool", &["true", "False", "${aws:x}"], &["", "yes", "1"]);
    check("Null", &["true", "false"], &["null"]);
    check("NumericLessThanIfExists", &["1", "-1.5", "007"], &["", "1e3", "ten", "1.", ".5", "--1"]);
    check(
        "DateLessThan",
        &["2026-12-31", "2026-12-31T00:00:00Z", "1798675200"],
        &["", "tomorrow", "31.12.2026", "-1"],
    );
    check(
        "ForAnyValue:NotIpAddress",
        &["10.0.0.0/8", "203.0.113.7", "2001:db8::/32", "::1/128"],
        &["10.0.0.0/33", "10.0.0", "::/129", "10.0.0.0/x", "any", "10.0.0.0/-1"],
    );
    check(
        "ArnNotLike",
        &["arn:aws:s3:::b", "arn:aws:sns:*:*:t", "*", "arn:aws:*"],
        &["", "bucket", "arn:aws:s3", "aws:arn:s3:::b"],
    );
}
