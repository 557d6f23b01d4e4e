//! The parser's places and errors in our own words.

use std::sync::Arc;

use granit_parser::{ErrorKind, Marker, ScanError};

use crate::config::diagnostic::{Diagnostic, File, Place, Span};

pub(super) fn span(span: &granit_parser::Span) -> Span {
    let end = offset(&span.end);
    Span { end, ..point(&span.start) }
}

fn point(marker: &Marker) -> Span {
    let start = offset(marker);
    let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    Span { start, end: start, line: number(marker.line()), column: number(marker.col() + 1) }
}

fn offset(marker: &Marker) -> u32 {
    // Files are far smaller than 4 GiB, and text input always has byte offsets.
    marker.byte_offset().and_then(|it| u32::try_from(it).ok()).unwrap_or_default()
}

pub(super) fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::error(place, "nested too deeply")
        .help("the files that permitd reads need no more than seven levels")
}

/// What the parser stumbled over, and what to do about it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's enum is non_exhaustive")]
pub(super) fn explain(file: &Arc<File>, error: &ScanError) -> Diagnostic {
    let at = point(error.marker());
    let rest = file.text.get(at.start as usize..).unwrap_or_default();
    let place = Place::at(file, at);
    let (message, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(place),
        ErrorKind::MissingAnchorOrAliasName if rest.starts_with('*') => {
            ("an unquoted `*` begins a YAML alias", "for the text itself write it in quotes: \"*\"")
        }
        ErrorKind::MissingAnchorOrAliasName => {
            ("an unquoted `&` begins a YAML anchor", "for the text itself write it in quotes")
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            ("YAML cannot be indented with a tab", "write spaces instead")
        }
        ErrorKind::UnclosedQuotedScalar => {
            ("this quote is never closed", "write the closing quote")
        }
        ErrorKind::UnclosedFlowCollection { open: '[' } | ErrorKind::UnexpectedEofFlowSequence => {
            ("this `[` is never closed", "write the closing `]`")
        }
        ErrorKind::UnclosedFlowCollection { .. } | ErrorKind::UnexpectedEofFlowMapping => {
            ("this `{` is never closed", "write the closing `}`")
        }
        ErrorKind::MappingValueNotAllowed => (
            "`:` begins a value where none can stand",
            "a text that contains `: ` has to be in quotes; or the line is indented too far",
        ),
        ErrorKind::UnexpectedCharacter { .. } => {
            ("no YAML value can begin with this character", "write the value in quotes")
        }
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry => (
            "this line is not indented as the ones before it",
            "the keys of one map begin in one column, and so do the `-` of one list",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("a key needs a `:` after it, and a space", "write `key: value`")
        }
        _ => {
            let message = format!("this is not YAML: {}", error.info());
            return Diagnostic::error(place, message);
        }
    };
    Diagnostic::error(place, message).help(help)
}
