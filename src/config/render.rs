//! Draws a diagnostic: the message, its place, the line with a caret, and the help.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::config::{
    diagnostic::{Diagnostic, Place, Severity, Span},
    rules::Rule,
};

/// Of a long line so many characters are shown before the caret, and this many from it on.
const BEFORE: usize = 80;
const AFTER: usize = 80;
/// In a narrower terminal nothing can be read anyway.
const NARROWEST: usize = 40;
/// Beside a source line: its number, the bar, and what says that it is cut.
const MARGIN: usize = 14;

/// `width`: the columns of the terminal; none for a file or a pipe, whose lines are not broken.
pub(super) fn diagnostic(diagnostic: &Diagnostic, color: bool, width: Option<usize>) -> String {
    let Diagnostic { severity, place, message, help, rule, other, subject: _ } = diagnostic;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut report = Vec::new();
    let title = match rule {
        // Its id tells nothing that the message does not.
        Rule::Invalid | Rule::Syntax | Rule::Unreadable => {
            level.primary_title(fitting(message, "warning: ", width))
        }
        Rule::Risk(_)
        | Rule::ExpiresSoon
        | Rule::Expired
        | Rule::DuplicateGrant
        | Rule::PolicyNearlyFull
        | Rule::PolicyTooLarge
        | Rule::SlowPass
        | Rule::RuleMatchesNothing => {
            let id = rule.id();
            let title = fitting(message, &format!("warning[{id}]: "), width);
            level.primary_title(title).id(id)
        }
    };
    draw(&mut report, Group::with_title(title), place, width);
    if let Some((place, label)) = other.as_deref() {
        let title = Level::NOTE.secondary_title(fitting(label, "note: ", width));
        draw(&mut report, Group::with_title(title), place, width);
    }
    if let Some(help) = help {
        report.push(Group::with_title(Level::HELP.secondary_title(fitting(help, "help: ", width))));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(width.unwrap_or(BEFORE + AFTER + 60)).render(&report)
}

fn draw<'a>(report: &mut Vec<Group<'a>>, group: Group<'a>, place: &Place, width: Option<usize>) {
    let path = visible(&place.file.name);
    let Some(span) = place.span else {
        report.push(group.element(Origin::path(path)));
        return;
    };
    let (line, column) = (span.line as usize, span.column as usize);
    let Excerpt { text, start, end, cut } = Excerpt::of(&place.file.text, span, width);
    let annotation: Annotation<'a> = AnnotationKind::Primary.span(start..end);
    let source = Snippet::source(text).line_start(line).annotation(annotation);
    if cut {
        // With a path the renderer would count the column in what is left of the line, and in the
        // group of another path it would take the source for a second file.
        let origin = Origin::path(path).line(line).char_column(column);
        report.push(group.element(origin));
        report.push(Group::with_level(Level::NOTE).element(source));
    } else {
        report.push(group.element(source.path(path)));
    }
}

/// The part of one line that is shown, and what is underlined in it, in bytes.
struct Excerpt {
    text: String,
    start: usize,
    end: usize,
    /// Whether the beginning of the line is missing.
    cut: bool,
}

impl Excerpt {
    fn of(text: &str, span: Span, width: Option<usize>) -> Self {
        let room = width.map_or(BEFORE + AFTER, |it| it.max(NARROWEST) - MARGIN);
        let start = floor(text, span.start as usize);
        let end = floor(text, span.end as usize).max(start);
        let (head, tail) = text.split_at_checked(start).unwrap_or((text, ""));
        let line_tail = tail.split(['\n', '\r']).next().unwrap_or_default();
        let marked = line_tail.get(..end - start).unwrap_or(line_tail).trim_end();
        let most = BEFORE.min(room / 2);
        // From the back, so that a caret in a line of megabytes costs no more than any other.
        let mut before: Vec<char> =
            head.chars().rev().take_while(|it| !"\n\r".contains(*it)).take(most + 1).collect();
        let cut = before.len() > most;
        before.truncate(most);
        let after = AFTER.min(room - before.len());
        let n_marked = marked.chars().take(after).count();
        let mut shown = String::from(if cut { "…" } else { "" });
        shown.extend(before.into_iter().rev().map(visible_char));
        let start = shown.len();
        let mut end = start;
        for (n, it) in line_tail.chars().take(after).enumerate() {
            shown.push(visible_char(it));
            if n < n_marked {
                end = shown.len();
            }
        }
        if line_tail.chars().nth(after).is_some() {
            shown.push('…');
        }
        Self { text: shown, start, end, cut }
    }
}

/// The nearest boundary of a character at or before a byte.
fn floor(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(0)
}

/// Text behind a title of this length, broken at spaces: a value without spaces stays whole, to be copied.
fn fitting(text: &str, title: &str, width: Option<usize>) -> String {
    let text = visible(text);
    let Some(width) = width else { return text };
    let options = textwrap::Options::new(width.max(NARROWEST).saturating_sub(title.len()))
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    textwrap::fill(&text, options)
}

/// Without what would speak to a terminal, or turn the direction of what is shown.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|it| if it == '\n' { it } else { visible_char(it) }).collect()
}

/// Control and direction characters are shown as symbols: a file must not speak to the terminal.
fn visible_char(it: char) -> char {
    match it {
        '\t' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(it)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        it => it,
    }
}
