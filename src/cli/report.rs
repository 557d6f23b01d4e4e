//! `--output` and `--report`: the one place that knows in which forms a report is told, and where it goes.

use std::path::PathBuf;

use crate::cli::{
    args::{Output, ReportArgs},
    exit::Exit,
    plan::say,
    show::{Show, Stop},
    whole_file,
};
use crate::daemon::clock;
use crate::drift::{outcome::Outcome, undeclared::Undeclared};
use crate::report::{Subject, html, json, markdown, palette::Look, text, undeclared};

/// The endings of files, and what they mean.
const ENDINGS: &[(&str, Output)] = &[
    ("txt", Output::Text),
    ("json", Output::Json),
    ("md", Output::Markdown),
    ("markdown", Output::Markdown),
    ("html", Output::Html),
    ("htm", Output::Html),
];

/// Where the report of one command goes.
#[derive(Debug)]
pub(crate) struct Reports {
    asked: Option<Output>,
    allow_missing: bool,
    files: Vec<(PathBuf, Output)>,
    /// Policies that no file names.
    pub(crate) undeclared: Vec<Undeclared>,
}

/// Whether every file that was asked for is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a report that is not there is a failure"]
pub(crate) enum Written {
    All,
    NotAll,
}

impl Written {
    /// The end of the command, which fails without its reports.
    pub(crate) fn or_failure(self, exit: Exit) -> Exit {
        if self == Self::All { exit } else { Exit::Failure }
    }
}

impl Reports {
    /// Finds out before any call whether the files can be what they are to be.
    pub(crate) fn new(args: &ReportArgs) -> Result<Self, Stop> {
        let file = |path: &PathBuf| Ok((path.clone(), whole_file::form_of(path, ENDINGS)?));
        let files = args.reports.iter().map(file).collect::<Result<_, Stop>>()?;
        let ReportArgs { output: asked, allow_missing, reports: _ } = *args;
        Ok(Self { asked, allow_missing, files, undeclared: Vec::new() })
    }

    /// What goes to stdout.
    pub(crate) fn output(&self) -> Output {
        self.asked.unwrap_or_default()
    }

    /// A flag that was given, if one was.
    pub(crate) fn asked_for(&self) -> Option<&'static str> {
        let files = (!self.files.is_empty()).then_some("--report");
        let missing = self.allow_missing.then_some("--allow-missing");
        self.asked.map(|_| "--output").or(files).or(missing)
    }

    /// Writes the files. What cannot be written is told, and keeps nothing else from being written.
    pub(crate) fn write(&self, outcomes: &[Outcome], subject: Subject, show: Show) -> Written {
        let mut res = Written::All;
        for (path, form) in &self.files {
            let text = render(*form, outcomes, &self.undeclared, subject, Look::PLAIN);
            if let Err(error) = whole_file::write(path, &text, 0o666) {
                show.problem(&format!(
                    "error: cannot write the report to {}: {error}",
                    path.display()
                ));
                res = Written::NotAll;
            }
        }
        res
    }

    /// Says it on stdout.
    pub(crate) fn say(
        &self,
        outcomes: &[Outcome],
        subject: Subject,
        show: Show,
    ) -> Result<(), Stop> {
        let undeclared = &self.undeclared;
        say(&render(self.output(), outcomes, undeclared, subject, show.look()), show)
    }
}

fn render(
    form: Output,
    outcomes: &[Outcome],
    others: &[Undeclared],
    subject: Subject,
    look: Look,
) -> String {
    match (form, subject) {
        (Output::Text, Subject::Plan) => {
            text::plan(outcomes, look) + &undeclared::text(others, look)
        }
        (Output::Text, Subject::Applied) => {
            text::applied(outcomes, look) + &undeclared::text(others, look)
        }
        (Output::Json, _) => json::report_with(outcomes, others, subject),
        (Output::Markdown, _) => {
            markdown::report(outcomes, subject) + &undeclared::markdown(others)
        }
        (Output::Html, _) => html::report_with(outcomes, others, subject, clock::system()),
    }
}
