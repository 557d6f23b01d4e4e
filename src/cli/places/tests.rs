//! Places in every kind of environment.

use super::*;
use crate::config::settings::Settings;

fn found(journal: Option<&str>, control: Option<&str>) -> Found {
    let mut settings = Settings { control: control.map(PathBuf::from), ..Settings::default() };
    settings.journal.path = journal.map(PathBuf::from);
    Found { path: None, file: None, settings, base: PathBuf::from("/etc/permitd") }
}

/// The environment as `NAME=value`, separated by blanks.
fn environment(text: &str) -> impl Fn(&str) -> Option<OsString> {
    move |name| {
        let pairs = text.split(' ').filter_map(|it| it.split_once('='));
        pairs.filter(|(it, _)| *it == name).map(|(_, it)| OsString::from(it)).next()
    }
}

#[test]
fn the_journal_is_where_the_environment_says() {
    for (text, expected) in [
        ("", None),
        ("HOME=", None),
        ("HOME=home", None),
        ("HOME=/home/me", Some("/home/me/.local/state/permitd/journal.db")),
        ("HOME=/home/me XDG_STATE_HOME=/state", Some("/state/permitd/journal.db")),
        ("XDG_STATE_HOME=/state", Some("/state/permitd/journal.db")),
        ("HOME=/home/me XDG_STATE_HOME=", Some("/home/me/.local/state/permitd/journal.db")),
        ("HOME=/home/me XDG_STATE_HOME=rel", Some("/home/me/.local/state/permitd/journal.db")),
        (
            "HOME=/home/me XDG_STATE_HOME=/state STATE_DIRECTORY=/var/lib/permitd",
            Some("/var/lib/permitd/journal.db"),
        ),
        ("STATE_DIRECTORY=/var/lib/a:/var/lib/b", Some("/var/lib/a/journal.db")),
        ("STATE_DIRECTORY= HOME=/root", Some("/root/.local/state/permitd/journal.db")),
    ] {
        assert_eq!(usual_journal(environment(text)), expected.map(PathBuf::from), "{text}");
    }
}

#[test]
fn the_socket_is_where_the_environment_says() {
    for (text, is_root, expected) in [
        ("", false, None),
        ("HOME=/home/me", false, None),
        ("", true, Some("/run/permitd/control.sock")),
        ("XDG_RUNTIME_DIR=/run/user/1000", false, Some("/run/user/1000/permitd/control.sock")),
        ("XDG_RUNTIME_DIR=/run/user/0", true, Some("/run/user/0/permitd/control.sock")),
        ("XDG_RUNTIME_DIR=rel", false, None),
        ("XDG_RUNTIME_DIR=rel", true, Some("/run/permitd/control.sock")),
        (
            "XDG_RUNTIME_DIR=/run/user/1000 RUNTIME_DIRECTORY=/run/permitd",
            false,
            Some("/run/permitd/control.sock"),
        ),
        ("RUNTIME_DIRECTORY=/run/a:/run/b", true, Some("/run/a/control.sock")),
        ("RUNTIME_DIRECTORY=", false, None),
    ] {
        let place = usual_control(environment(text), is_root);
        assert_eq!(place, expected.map(PathBuf::from), "{text} {is_root}");
    }
}

#[test]
fn flags_win_over_settings_and_settings_over_the_environment() {
    for (flag, written, expected) in [
        (None, Some("x"), "/etc/permitd/x"),
        (None, Some("../x"), "/etc/permitd/../x"),
        (None, Some("/var/x"), "/var/x"),
        (Some("y"), Some("/var/x"), "y"),
        (Some("/tmp/y"), None, "/tmp/y"),
    ] {
        let flag = flag.map(PathBuf::from);
        let args = SourceArgs { journal: flag.clone(), control: flag, ..SourceArgs::default() };
        let found = found(written, written);
        assert_eq!(journal_path(&args, &found).unwrap(), Path::new(expected));
        assert_eq!(control_path(&args, &found).unwrap(), Path::new(expected));
    }
}

#[test]
fn with_nothing_named_it_is_the_environment_of_the_process() {
    let (args, found) = (SourceArgs::default(), found(None, None));
    assert_eq!(journal_path(&args, &found).ok(), usual_journal(variable));
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(control_path(&args, &found).ok(), usual_control(variable, is_root));
}
