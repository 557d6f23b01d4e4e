//! `permitd man`: the manual, a page for permitd and one for each command.

use clap::Command;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use crate::cli::{
    args::{self, ManArgs},
    exit::Exit,
    folder,
    show::{Show, Stop},
};

const ENVIRONMENT: &[(&str, &str)] = &[
    ("PERMITD_...", "Every flag has a variable, which stands beside it; the flag wins."),
    (
        "AWS_...",
        "Credentials, region, profile and endpoint are found as every AWS tool finds them.",
    ),
    ("NO_COLOR", "No colours, unless --color always asks for them."),
];
const FILES: &[(&str, &str)] = &[
    ("./permitd.yaml", "The settings, unless --config or PERMITD_CONFIG names others."),
    ("/etc/permitd/permitd.yaml", "The settings, where there is no ./permitd.yaml."),
    (
        "~/.local/state/permitd/journal.db",
        "What was done, so that it can be undone, unless the settings name another place.",
    ),
];

/// Prints a page, or writes all of them into a directory.
pub(crate) fn man(args: &ManArgs, show: Show) -> Result<Exit, Stop> {
    let root = root();
    if let Some(dir) = &args.out {
        let wanted = |it: &&Command| args.page.as_deref().is_none_or(|page| page == it.get_name());
        let main = Some(&root).filter(|_| args.page.is_none());
        let pages = main.into_iter().chain(root.get_subcommands().filter(wanted));
        let files = pages.map(|it| (format!("{}.1", name(it)), page(it, &root)));
        return folder::write(dir, files, show);
    }
    let command = args.page.as_deref().and_then(|it| root.find_subcommand(it)).unwrap_or(&root);
    show.print(&page(command, &root))
}

/// With every flag that a command takes, and without `permitd help`, which has no page.
fn root() -> Command {
    let mut root = args::command().disable_help_subcommand(true);
    root.build();
    root
}

fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// One page, as `man` reads it. It has no date, so that the same program makes the same page.
fn page(command: &Command, root: &Command) -> String {
    let version = root.get_version().unwrap_or_default();
    let is_root = command.get_name() == root.get_name();
    let man =
        Man::new(command.clone()).source(format!("permitd {version}")).manual("permitd manual");
    let mut text = Vec::new();
    let sections = [Man::render_title, Man::render_name_section, Man::render_synopsis_section];
    let parts = [Man::render_description_section, Man::render_options_section];
    for render in sections.into_iter().chain(parts) {
        render(&man, &mut text).unwrap_or_default();
    }
    if is_root {
        man.render_subcommands_section(&mut text).unwrap_or_default();
    }
    let mut roff = Roff::new();
    if !is_root && let Some(notes) = command.get_after_help() {
        notes_section(&mut roff, &notes.to_string());
    }
    let exits: Vec<(String, &str)> =
        Exit::MEANINGS.iter().map(|(exit, it)| (exit.code().to_string(), *it)).collect();
    list(&mut roff, "EXIT STATUS", exits.iter().map(|(code, it)| (code.as_str(), *it)));
    list(&mut roff, "ENVIRONMENT", ENVIRONMENT.iter().copied());
    list(&mut roff, "FILES", FILES.iter().copied());
    roff.control("SH", ["SEE ALSO"]);
    let others = [root].into_iter().chain(root.get_subcommands());
    let others: Vec<String> = others
        .filter(|it| it.get_name() != command.get_name())
        .map(|it| format!("{}(1)", name(it)))
        .collect();
    roff.text([roman(others.join(", "))]);
    // Writing to memory cannot fail.
    roff.to_writer(&mut text).unwrap_or_default();
    String::from_utf8_lossy(&text).into_owned()
}

/// A sentence is filled; several lines are lines of a shell and stay as they are.
fn notes_section(roff: &mut Roff, notes: &str) {
    roff.control("SH", ["NOTES"]);
    let verbatim = notes.lines().count() > 1;
    if verbatim {
        roff.control("nf", []);
    }
    for line in notes.lines() {
        roff.text([roman(line)]);
    }
    if verbatim {
        roff.control("fi", []);
    }
}

fn list<'a>(roff: &mut Roff, title: &str, items: impl Iterator<Item = (&'a str, &'a str)>) {
    roff.control("SH", [title]);
    for (term, meaning) in items {
        roff.control("TP", []);
        roff.text([bold(term)]);
        roff.text([roman(meaning)]);
    }
}
