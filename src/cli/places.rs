//! Where the journal and the control socket are: by flag, by the settings, or where the system keeps such.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::cli::{args::SourceArgs, setup::Found, show::Stop};

const JOURNAL: &str = "journal.db";
const CONTROL: &str = "control.sock";

/// The journal's file. Nothing is made or opened.
pub(crate) fn journal_path(args: &SourceArgs, found: &Found) -> Result<PathBuf, Stop> {
    let written = found.settings.journal.path.as_deref();
    let named = named(args.journal.as_deref(), written, &found.base);
    named.or_else(|| usual_journal(variable)).ok_or_else(|| {
        Stop::config(
            "no place for the journal: HOME is not set",
            "set `journal:` in the settings file, or pass --journal",
        )
    })
}

/// The socket on which the daemon is spoken to. A daemon can do without one; who speaks to it cannot.
pub(crate) fn control_path(args: &SourceArgs, found: &Found) -> Result<PathBuf, Stop> {
    let written = found.settings.control.as_deref();
    let named = named(args.control.as_deref(), written, &found.base);
    let is_root = rustix::process::geteuid().is_root();
    named.or_else(|| usual_control(variable, is_root)).ok_or_else(|| {
        Stop::config(
            "no place for the control socket: XDG_RUNTIME_DIR is not set",
            "set `control:` in the settings file, or pass --control",
        )
    })
}

/// A flag is relative to where one is, the settings to their file.
fn named(flag: Option<&Path>, written: Option<&Path>, base: &Path) -> Option<PathBuf> {
    flag.map(Path::to_owned).or_else(|| written.map(|it| base.join(it)))
}

fn usual_journal(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let of_service = of_systemd(variable("STATE_DIRECTORY"));
    let of_user = || {
        let state = absolute(variable("XDG_STATE_HOME"));
        let home = || Some(absolute(variable("HOME"))?.join(".local/state"));
        Some(state.or_else(home)?.join("permitd"))
    };
    Some(of_service.or_else(of_user)?.join(JOURNAL))
}

fn usual_control(variable: impl Fn(&str) -> Option<OsString>, is_root: bool) -> Option<PathBuf> {
    let of_service = of_systemd(variable("RUNTIME_DIRECTORY"));
    let of_user = || Some(absolute(variable("XDG_RUNTIME_DIR"))?.join("permitd"));
    let of_root = || is_root.then(|| PathBuf::from("/run/permitd"));
    Some(of_service.or_else(of_user).or_else(of_root)?.join(CONTROL))
}

/// systemd separates the directories of a service by colons; the first is the one named first in the unit.
fn of_systemd(value: Option<OsString>) -> Option<PathBuf> {
    std::env::split_paths(&value?).find(|it| !it.as_os_str().is_empty())
}

/// A relative path in one of these is to be ignored (XDG Base Directory Specification), and an empty one is none.
fn absolute(value: Option<OsString>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|it| it.is_absolute())
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests;
