//! One thing that is wrong in a file: where, what, and what to do about it.

use std::{cmp::Ordering, fmt, sync::Arc};

use crate::config::{render, rules::Rule};
use crate::policy::source::Source;

/// More than this many diagnostics help nobody; the rest is counted.
const MAX_PRINTED: usize = 100;

/// What stands for a file where the words on the command line are wrong.
pub const COMMAND_LINE: &str = "command line";
/// What stands for a file where all of them together are wrong.
pub const PERMISSION_FILES: &str = "permission files";
/// The name of the standard input.
pub const STDIN: &str = "<stdin>";

/// A file that was read, as the user named it.
#[derive(PartialEq, Eq)]
pub struct File {
    /// For people and for [`Source`].
    pub name: Arc<str>,
    /// Without a byte order mark.
    pub text: String,
}

/// The files that could be read, and why others could not.
#[derive(Debug, Default)]
pub struct Files {
    /// In the order in which they are read.
    pub files: Vec<Arc<File>>,
    /// One for each file that is missing here.
    pub diagnostics: Vec<Diagnostic>,
}

/// A range of a file, with the line and column of its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

/// A range of a certain file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which file.
    pub file: Arc<File>,
    /// Where in it; none for the file as a whole.
    pub span: Option<Span>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is not usable.
    Error,
    /// It is, but somebody should look.
    Warning,
}

impl Severity {
    /// The name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One finding about one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where it has to be put right.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// What kind of finding it is.
    pub rule: Rule,
    /// The grant or policy that it is about, if it is one. Boxed, for errors have none.
    pub subject: Option<Box<Subject>>,
    /// Another place that has to do with it, and in what way. Boxed, for most have none.
    pub other: Option<Box<(Place, String)>>,
}

/// What a finding is about, apart from where that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// In words that stay when lines move: `thumbnail:live/s3-uploads`.
    pub name: String,
    /// So many functions have it, by one entry for all of them; 0 where none is clear.
    pub functions: usize,
}

/// Settings may have something secret in them.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.name)
    }
}

impl File {
    /// A file of this name and text; a byte order mark is dropped.
    pub fn new(name: impl Into<Arc<str>>, text: String) -> Arc<Self> {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        Arc::new(Self { name: name.into(), text })
    }
}

impl Place {
    /// The file as a whole.
    pub fn whole(file: &Arc<File>) -> Self {
        Self { file: Arc::clone(file), span: None }
    }

    /// A part of the file.
    pub fn at(file: &Arc<File>, span: Span) -> Self {
        Self { file: Arc::clone(file), span: Some(span) }
    }

    /// Line and column after the last character; none for the whole file.
    ///
    /// A line ends where YAML ends one: after a line feed, a carriage return, or both.
    pub fn end(&self) -> Option<(u32, u32)> {
        let Span { start, end, mut line, mut column } = self.span?;
        let text = self.file.text.get(start as usize..end as usize).unwrap_or_default();
        let mut rest = text.chars().peekable();
        while let Some(it) = rest.next() {
            if it == '\n' || (it == '\r' && rest.peek() != Some(&'\n')) {
                (line, column) = (line.saturating_add(1), 1);
            } else {
                column = column.saturating_add(1);
            }
        }
        Some((line, column))
    }

    /// What the domain keeps of it. The whole file is its first character.
    pub fn source(&self) -> Source {
        let (line, column) = self.span.map_or((1, 1), |it| (it.line, it.column));
        Source { file: Arc::clone(&self.file.name), line, column }
    }
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            place,
            message: message.into(),
            help: None,
            rule: Rule::Invalid,
            subject: None,
            other: None,
        }
    }

    /// What a rule found at a place, as severe as the rule is.
    pub fn of(rule: Rule, place: Place, message: impl Into<String>) -> Self {
        Self { severity: rule.severity(), rule, ..Self::error(place, message) }
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Another place that has to do with it.
    #[must_use]
    pub fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.other = Some(Box::new((place, label.into())));
        self
    }

    /// As a terminal shows it: message, `file:line:column`, the line with a caret, help.
    pub fn render(&self, color: bool) -> String {
        render::diagnostic(self, color, None)
    }

    fn key(&self) -> (&str, Option<Span>, &str) {
        (&self.place.file.name, self.place.span, &self.message)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// By file and position; what was found twice through an alias is told once.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(Diagnostic::order);
    diagnostics.dedup_by(|later, kept| later.key() == kept.key());
}

/// All of them, one after the other, however many; for a terminal of so many columns.
pub fn render_each(diagnostics: &[Diagnostic], color: bool, width: Option<usize>) -> String {
    let mut res = String::new();
    for it in diagnostics {
        if !res.is_empty() {
            res.push('\n');
        }
        res.push_str(&render::diagnostic(it, color, width));
        res.push('\n');
    }
    res
}

/// All of them, one after the other, up to a hundred.
pub fn render_all(diagnostics: &[Diagnostic], color: bool) -> String {
    render_for(diagnostics, color, None)
}

/// The same for a terminal of so many columns.
pub fn render_for(diagnostics: &[Diagnostic], color: bool, width: Option<usize>) -> String {
    let render = |it| render::diagnostic(it, color, width);
    let shown: Vec<String> = diagnostics.iter().take(MAX_PRINTED).map(render).collect();
    let shown = shown.join("\n\n");
    match diagnostics.len() {
        0 => shown,
        1..=MAX_PRINTED => format!("{shown}\n"),
        more => format!("{shown}\n\nand {} more\n", more - MAX_PRINTED),
    }
}

#[cfg(test)]
mod tests;
