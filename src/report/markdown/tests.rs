//! The escapes of Markdown.

use super::escape::*;

#[test]
fn code_is_code_whatever_is_in_it() {
    assert_eq!(code("plain", 99), "`plain`");
    assert_eq!(code("a`b", 99), "``a`b``");
    assert_eq!(code("`x``", 99), "``` `x`` ```");
    assert_eq!(code(" x ", 99), "`  x  `");
    assert_eq!(code("", 99), "(empty)");
    assert_eq!(code("a\nb\u{202e}c", 99), "`a\\u{a}b\\u{202e}c`");
    assert_eq!(code("abcdef", 4), "`abcd… (2 more characters)`");
}

#[test]
fn a_block_has_a_longer_fence_than_anything_in_it() {
    assert_eq!(block("diff", &["+ a".to_owned()]), "```diff\n+ a\n```\n");
    assert_eq!(block("", &["````".to_owned(), "x".to_owned()]), "`````\n````\nx\n`````\n");
}

#[test]
fn html_has_no_tags() {
    assert_eq!(html("<b>&\"\u{7}"), "&lt;b&gt;&amp;&quot;\\u{7}");
}
