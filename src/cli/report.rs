//! `--output` and `--report`: the one place that knows in which forms a report is told, and where it goes.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use crate::cli::{
    args::{Output, ReportArgs},
    exit::Exit,
    plan::say,
    show::{Show, Stop},
};
use crate::daemon::clock;
use crate::drift::outcome::Outcome;
use crate::report::{Subject, html, json, markdown, palette::Look, text};

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
    files: Vec<(PathBuf, Output)>,
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
        let file = |path: &PathBuf| Ok((path.clone(), form_of(path)?));
        let files = args.reports.iter().map(file).collect::<Result<_, Stop>>()?;
        Ok(Self { asked: args.output, files })
    }

    /// What goes to stdout.
    pub(crate) fn output(&self) -> Output {
        self.asked.unwrap_or_default()
    }

    /// A flag that was given, if one was.
    pub(crate) fn asked_for(&self) -> Option<&'static str> {
        let files = (!self.files.is_empty()).then_some("--report");
        self.asked.map(|_| "--output").or(files)
    }

    /// Writes the files. What cannot be written is told, and keeps nothing else from being written.
    pub(crate) fn write(&self, outcomes: &[Outcome], subject: Subject, show: Show) -> Written {
        let mut res = Written::All;
        for (path, form) in &self.files {
            let text = render(*form, outcomes, subject, Look::PLAIN);
            if let Err(error) = replace(path, &text) {
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
        say(&render(self.output(), outcomes, subject, show.look()), show)
    }
}

fn render(form: Output, outcomes: &[Outcome], subject: Subject, look: Look) -> String {
    match (form, subject) {
        (Output::Text, Subject::Plan) => text::plan(outcomes, look),
        (Output::Text, Subject::Applied) => text::applied(outcomes, look),
        (Output::Json, _) => json::report(outcomes, subject),
        (Output::Markdown, _) => markdown::report(outcomes, subject),
        (Output::Html, _) => html::report(outcomes, subject, clock::system()),
    }
}

fn form_of(path: &Path) -> Result<Output, Stop> {
    let shown = path.display();
    let stop =
        |message: String, hint: &str| Stop::Said(Exit::Usage, message, Some(hint.to_owned()));
    if path.as_os_str() == "-" {
        let hint = "`--output` says in which form the report goes to stdout";
        return Err(stop("--report takes the name of a file, not `-`".to_owned(), hint));
    }
    let ending = path.extension().map(|it| it.to_string_lossy().to_lowercase());
    let known = ENDINGS.iter().find(|(it, _)| Some(*it) == ending.as_deref());
    let Some((_, form)) = known else {
        let all: Vec<String> = ENDINGS.iter().map(|(it, _)| format!(".{it}")).collect();
        let hint = format!("the ending says the form of the report: {}", all.join(", "));
        return Err(stop(format!("--report {shown}: the ending says no form of a report"), &hint));
    };
    let folder = folder_of(path);
    if !folder.is_dir() {
        let message = format!("--report {shown}: there is no folder {}", folder.display());
        return Err(stop(message, "create it first"));
    }
    if path.is_dir() {
        return Err(stop(format!("--report {shown}: this is a folder"), "name a file in it"));
    }
    Ok(*form)
}

fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Whole or not at all: whoever reads the file while it is written reads the old one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = folder_of(path).join(format!(".permitd-{}.tmp", uuid::Uuid::new_v4()));
    let written = File::create_new(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&beside, path));
    if moved.is_err() {
        // What is left of it is of no use to anybody.
        drop(std::fs::remove_file(&beside));
    }
    moved
}
