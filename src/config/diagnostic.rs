//! One thing that is wrong in a file: where, what, and what to do about it.

use std::{cmp::Ordering, sync::Arc};

use crate::config::render;
use crate::policy::{risk::Risk, source::Source};

/// More than this many diagnostics help nobody; the rest is counted.
const MAX_PRINTED: usize = 100;

/// A file that was read, as the user named it.
#[derive(Debug, PartialEq, Eq)]
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
    /// The risk that it is about, if it is one.
    pub code: Option<Risk>,
    /// Another place that has to do with it, and in what way. Boxed, for most have none.
    pub other: Option<Box<(Place, String)>>,
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
            code: None,
            other: None,
        }
    }

    /// A warning about a place.
    pub fn warning(place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, message) }
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
