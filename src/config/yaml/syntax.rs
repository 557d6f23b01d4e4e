//! The parser's places and errors in our own words.

use std::sync::Arc;

use granit_parser::{ErrorKind, Marker, ScanError};

use super::{Dialect, MAX_TEMPLATE_DEPTH};
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

pub(super) fn too_deep(place: Place, dialect: Dialect) -> Diagnostic {
    let help = match dialect {
        Dialect::Own => "the files that permitd reads need no more than seven levels".to_owned(),
        Dialect::Template => {
            format!("a template may have {MAX_TEMPLATE_DEPTH} levels, its aliases expanded")
        }
    };
    Diagnostic::error(place, "nested too deeply").help(help)
}

/// What the parser stumbled over, and what to do about it.
pub(super) fn explain(file: &Arc<File>, error: &ScanError, dialect: Dialect) -> Diagnostic {
    let at = point(error.marker());
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(Place::at(file, at), dialect);
    }
    let rest = file.text.get(at.start as usize..).unwrap_or_default();
    let at = if is_tab(error.kind()) { next_tab(&file.text, at) } else { at };
    match words(error.kind(), rest) {
        Some((message, help)) => Diagnostic::error(Place::at(file, at), message).help(help),
        None => {
            Diagnostic::error(Place::at(file, at), format!("this is not YAML: {}", error.info()))
        }
    }
}

fn is_tab(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar
    )
}

/// The message and the help; none where the parser's own words are as good as ours.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's enum is non_exhaustive")]
fn words(kind: &ErrorKind, rest: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        it if is_tab(it) => ("YAML cannot be indented with a tab", "write spaces instead"),
        ErrorKind::MissingAnchorOrAliasName if rest.starts_with('*') => {
            ("an unquoted `*` begins a YAML alias", "for the text itself write it in quotes: \"*\"")
        }
        ErrorKind::MissingAnchorOrAliasName => {
            ("an unquoted `&` begins a YAML anchor", "for the text itself write it in quotes")
        }
        ErrorKind::UnclosedQuotedScalar => {
            ("this quote is never closed", "write the closing quote")
        }
        ErrorKind::InvalidQuotedScalarIndent => (
            "this line is not indented, and belongs to a quoted text that began above",
            "close the quote above, or indent the line",
        ),
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
        _ => return None,
    })
}

/// The parser points at the value that the line with the tab would belong to.
fn next_tab(text: &str, at: Span) -> Span {
    let rest = text.get(at.start as usize..).unwrap_or_default();
    let Some(tab) = rest.find('\t') else { return at };
    let skipped = rest.get(..tab).unwrap_or_default();
    let last = skipped.rsplit('\n').next().unwrap_or_default();
    let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    let lines = number(skipped.matches('\n').count());
    let columns = number(last.chars().count());
    let start = at.start.saturating_add(number(tab));
    Span {
        start,
        end: start.saturating_add(1),
        line: at.line + lines,
        column: if lines == 0 { at.column + columns } else { columns + 1 },
    }
}
