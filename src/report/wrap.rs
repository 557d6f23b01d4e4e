//! Lines that fit a terminal, and values that can be copied all the same.
//!
//! Lines are broken at spaces only. A value without spaces, such as an ARN, stays whole however long it is: the
//! terminal wraps it by itself, and a copy of it is the value.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::report::palette::Look;

/// Narrower than this, nothing can be read anyway.
const NARROWEST: usize = 40;
/// Of what follows a deep indent there should be this much left in each line.
const LEAST_TEXT: usize = 30;
const SHALLOW: usize = 6;

/// One line of text, broken where the terminal ends; what follows the first line is indented so far.
pub fn wrap(text: &str, indent: usize, look: Look) -> String {
    let Some(width) = width(look) else { return text.to_owned() };
    let indent = if width < indent + LEAST_TEXT { SHALLOW } else { indent };
    let first: usize = text.len() - text.trim_start_matches(' ').len();
    let (first, rest) = (" ".repeat(first), " ".repeat(indent));
    let options = Options::new(width)
        .initial_indent(&first)
        .subsequent_indent(&rest)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::fill(text.trim_start_matches(' '), options)
}

/// Whether a line is wider than the terminal.
pub fn is_too_wide(text: &str, look: Look) -> bool {
    width(look).is_some_and(|it| textwrap::core::display_width(text) > it)
}

fn width(look: Look) -> Option<usize> {
    look.width.map(|it| it.max(NARROWEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Look = Look { color: false, width: Some(40) };

    #[test]
    fn without_a_width_nothing_is_broken() {
        let text = "  + sid                 missing; ".to_owned() + &"word ".repeat(40);
        assert_eq!(wrap(&text, 24, Look::PLAIN), text);
        assert!(!is_too_wide(&text, Look::PLAIN));
        assert!(is_too_wide(&text, NARROW));
    }

    #[test]
    fn lines_are_broken_at_spaces_and_indented() {
        let text = "    risks: one, two, three, four, five, six, seven, eight";
        let expected = "    risks: one, two, three, four, five,\n      six, seven, eight";
        assert_eq!(wrap(text, 6, NARROW), expected);
    }

    /// The columns after the Sid are kept where it stands in padding, and given up where they leave no room.
    #[test]
    fn a_deep_indent_is_kept_where_there_is_room_for_it() {
        let text = "  + sns                 missing; sns.amazonaws.com may invoke the URL of it";
        let wide = Look { width: Some(60), ..NARROW };
        assert_eq!(
            wrap(text, 24, wide),
            "  + sns                 missing; sns.amazonaws.com may\n                        invoke the URL of it"
        );
        assert_eq!(
            wrap(text, 24, NARROW),
            "  + sns                 missing;\n      sns.amazonaws.com may invoke the\n      URL of it"
        );
    }

    #[test]
    fn a_long_value_stays_whole() {
        let arn = format!("arn:aws:s3:::{}-and/more", "x".repeat(90));
        let wrapped = wrap(&format!("  + s3  missing, from {arn} in account 1"), 6, NARROW);
        assert!(wrapped.lines().any(|it| it.trim() == arn), "{wrapped}");
    }

    #[test]
    fn colours_take_no_room() {
        let text = "  \u{1b}[32m+\u{1b}[0m one two three four five six seven";
        assert!(!is_too_wide(text, NARROW));
        assert_eq!(wrap(text, 6, NARROW), text);
    }
}
