//! What a command may print: data to stdout, everything else to stderr.

use std::{
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::cli::{
    args::{ColorArg, OutputArgs},
    exit::Exit,
    progress,
};
use crate::config::diagnostic::{Diagnostic, render_each, render_for};
use crate::report::palette::Look;

/// A process has one stdout, and this is what became of it: whether its reader went away,
static READER_IS_GONE: AtomicBool = AtomicBool::new(false);
/// and why a line of data could not be written.
static LOST: OnceLock<String> = OnceLock::new();

/// Decided once from the flags, the environment and what the streams are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Show {
    out: Look,
    err: Look,
    quiet: bool,
}

#[expect(clippy::unused_self, reason = "who may print holds a Show; not every print depends on it")]
impl Show {
    pub(crate) fn new(args: &OutputArgs, terminal: Terminal) -> Self {
        let color = |is_terminal: bool| match args.color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            ColorArg::Auto => is_terminal && !terminal.no_color,
        };
        Self {
            out: Look {
                color: color(io::stdout().is_terminal()),
                width: width(&io::stdout(), terminal.columns),
            },
            err: Look {
                color: color(io::stderr().is_terminal()),
                width: width(&io::stderr(), terminal.columns),
            },
            quiet: args.quiet,
        }
    }

    /// What stdout can show.
    pub(crate) fn look(self) -> Look {
        self.out
    }

    /// What stderr can show.
    pub(crate) fn look_of_stderr(self) -> Look {
        self.err
    }

    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// The data. A reader that went away has seen enough: success.
    pub(crate) fn data(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                READER_IS_GONE.store(true, Ordering::Relaxed);
                Ok(())
            }
            it => it,
        }
    }

    /// Whether nobody reads stdout any more. Who goes on for nothing but that may end.
    pub(crate) fn is_unread(self) -> bool {
        READER_IS_GONE.load(Ordering::Relaxed)
    }

    /// All the data of a command that has no more to do.
    pub(crate) fn print(self, text: &str) -> Result<Exit, Stop> {
        let cannot = |it| Stop::failure(format!("cannot write to the standard output: {it}"));
        self.data(text).map(|()| Exit::Success).map_err(cannot)
    }

    /// One line of data that people watch as it comes. If it fails, [`Self::end`] tells.
    pub(crate) fn line(self, text: &str) {
        if let Err(error) = self.data(&format!("{text}\n")) {
            // Only the first cause is told.
            LOST.set(error.to_string()).unwrap_or_default();
        }
    }

    /// How a command ends whose data were written, or were not.
    pub(crate) fn end(self, exit: Exit) -> Exit {
        let Some(error) = LOST.get() else { return exit };
        self.problem(&format!("error: cannot write to the standard output: {error}"));
        match exit {
            Exit::Success | Exit::Drift | Exit::Held => Exit::Failure,
            Exit::Failure | Exit::Usage | Exit::Config | Exit::Interrupted(_) => exit,
        }
    }

    /// Something worth knowing, unless it is to be quiet.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.problem(text);
        }
    }

    /// Something that has to be said.
    pub(crate) fn problem(self, text: &str) {
        // If it fails, nobody is left to tell.
        progress::to_stderr(format!("{text}\n").as_bytes()).unwrap_or_default();
    }

    /// All findings of a check, however many.
    pub(crate) fn findings(self, found: &[Diagnostic]) {
        let Look { color, width } = self.err;
        self.problem(render_each(found, color, width).trim_end());
    }

    /// Every error of every file.
    pub(crate) fn diagnostics(self, found: &[Diagnostic]) {
        let Look { color, width } = self.err;
        self.problem(render_for(found, color, width).trim_end());
    }
}

/// What the environment says of the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terminal {
    /// No colour, unless `--color always` asks for it.
    pub(crate) no_color: bool,
    /// Its width, for who knows better than the terminal itself.
    pub(crate) columns: Option<usize>,
}

/// The columns of a terminal; none for a file or a pipe, whose lines are not broken.
fn width(stream: &(impl AsFd + IsTerminal), columns: Option<usize>) -> Option<usize> {
    let of_terminal = || terminal_size::terminal_size_of(stream).map(|(it, _)| usize::from(it.0));
    stream.is_terminal().then(|| columns.or_else(of_terminal)).flatten().filter(|it| *it > 0)
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

    /// The first of it, for who has one line.
    pub(crate) fn in_one_line(&self) -> String {
        match self {
            Self::Config(found) => found.first().map_or_else(String::new, |it| {
                let (file, span) = (&it.place.file, it.place.span);
                let at = span.map_or(String::new(), |it| format!(":{}:{}", it.line, it.column));
                format!("{}{at}: {}", file.name, it.message)
            }),
            Self::Said(_, message, _) => message.clone(),
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::Config(found) => found.first().and_then(|it| it.help.as_deref()),
            Self::Said(_, _, hint) => hint.as_deref(),
        }
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
