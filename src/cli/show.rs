//! What a command may print: data to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};

use crate::cli::{
    args::{ColorArg, OutputArgs},
    exit::Exit,
};
use crate::config::diagnostic::{Diagnostic, render_all, render_each};

/// Decided once from the flags, the environment and what the streams are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Show {
    color_out: bool,
    color_err: bool,
    quiet: bool,
}

#[expect(clippy::unused_self, reason = "who may print holds a Show; not every print depends on it")]
impl Show {
    pub(crate) fn new(args: &OutputArgs, no_color: bool) -> Self {
        let color = |is_terminal: bool| match args.color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            ColorArg::Auto => is_terminal && !no_color,
        };
        Self {
            color_out: color(io::stdout().is_terminal()),
            color_err: color(io::stderr().is_terminal()),
            quiet: args.quiet,
        }
    }

    pub(crate) fn color(self) -> bool {
        self.color_out
    }

    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// The data. A reader that went away has seen enough: success.
    pub(crate) fn data(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            it => it,
        }
    }

    /// One line of data that people watch as it comes.
    pub(crate) fn line(self, text: &str) {
        self.data(&format!("{text}\n")).unwrap_or_default();
    }

    /// Something worth knowing, unless it is to be quiet.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.problem(text);
        }
    }

    /// Something that has to be said.
    pub(crate) fn problem(self, text: &str) {
        let mut err = io::stderr().lock();
        // Nobody is left to tell.
        writeln!(err, "{text}").unwrap_or_default();
    }

    /// All findings of a check, however many.
    pub(crate) fn findings(self, found: &[Diagnostic]) {
        self.problem(render_each(found, self.color_err).trim_end());
    }

    /// Every error of every file.
    pub(crate) fn diagnostics(self, found: &[Diagnostic]) {
        self.problem(render_all(found, self.color_err).trim_end());
    }
}

/// A command that did not get to its work.
#[derive(Debug)]
pub(crate) enum Stop {
    /// What is wrong with the files, each in its place.
    Config(Vec<Diagnostic>),
    /// A line, what to do about it, and the code.
    Said(Exit, String, Option<String>),
}

impl Stop {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Said(Exit::Usage, message.into(), None)
    }

    pub(crate) fn config(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Said(Exit::Config, message.into(), Some(hint.into()))
    }

    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::Said(Exit::Failure, message.into(), None)
    }

    /// Tells it, and gives the code.
    pub(crate) fn tell(&self, show: Show) -> Exit {
        match self {
            Self::Config(found) => {
                show.diagnostics(found);
                Exit::Config
            }
            Self::Said(exit, message, hint) => {
                show.problem(&format!("error: {message}"));
                if let Some(hint) = hint {
                    show.problem(&format!("hint: {hint}"));
                }
                *exit
            }
        }
    }
}
