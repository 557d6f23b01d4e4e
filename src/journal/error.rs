//! Why the journal did not do what it was asked for, sorted by what can be done about it.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

/// Each variant is another way to go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Another process writes it. Ask that one, or end it.
    #[error(
        "the journal {} is written by another permitd{}; stop that one, or choose another file \
         with `journal:`",
        .path.display(),
        process(*.pid)
    )]
    Locked {
        /// The journal.
        path: PathBuf,
        /// Who holds it, where it says so.
        pid: Option<u32>,
    },
    /// There is no room for more. Nothing that stands in it is lost.
    #[error(
        "the journal {} has no room left ({why}), and nothing is removed that it cannot record; \
         make room on its disk, let it grow, or keep less of it",
        .path.display()
    )]
    Full {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file is something else, damaged, or from a newer permitd. It was left as it is.
    #[error(
        "{} cannot be used as a journal: {why}; it was left as it is: move it away, or choose \
         another file with `journal:`",
        .path.display()
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// It could not be reached now.
    #[error("the journal {} is not available: {why}", .path.display())]
    Unavailable {
        /// The journal.
        path: PathBuf,
        /// What the system said, and what to do where that is known.
        why: String,
    },
}

impl JournalError {
    /// From a call to SQLite.
    pub(super) fn of_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let why = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => Self::Full { path, why },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::NotOurs { path, why }
            }
            // What stands in a column is not what we write there.
            None => Self::NotOurs { path, why },
            Some(_) => Self::Unavailable { path, why },
        }
    }

    /// From a call to the file system.
    pub(super) fn of_io(path: &Path, doing: &str, error: &io::Error) -> Self {
        let path = path.to_owned();
        let why = format!("{doing}: {error}");
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::Full { path, why }
        } else {
            Self::Unavailable { path, why }
        }
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map(|it| format!(" (process {it})")).unwrap_or_default()
}
