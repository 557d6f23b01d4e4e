//! The tables, and whether a file has them.
//!
//! A file is looked at before SQLite gets it, for SQLite changes what it opens: it rolls back, checkpoints, and
//! leaves files beside it. The header is enough: the first migration is committed before write-ahead logging is
//! turned on, so the mark of a journal stands in the file itself from the beginning.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use rusqlite::Connection;

use crate::journal::error::JournalError;

/// `perm` in ASCII: `application_id` of every journal, so that another program's database is told apart.
const APPLICATION: u32 = 0x7065_726d;
/// How every SQLite database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where `user_version` and `application_id` stand (sqlite.org/fileformat2.html, 1.3).
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// One for each version, in their order; the n-th leads from version n to n + 1. They are never changed, only added to.
///
/// Times are nanoseconds since 1970, so that they compare. Ids are never given twice (AUTOINCREMENT), for people
/// write them down. There is no reference from `undoes` to `id`: what is undone may be pruned first.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL,
        target TEXT NOT NULL,
        action TEXT NOT NULL,
        sid TEXT,
        kind TEXT NOT NULL,
        before TEXT,
        after TEXT,
        revision TEXT,
        actor TEXT NOT NULL,
        reason TEXT NOT NULL,
        approval TEXT,
        undoes INTEGER,
        replaces TEXT,
        outcome TEXT NOT NULL,
        message TEXT,
        finished INTEGER
    ) STRICT;
    CREATE INDEX entry_by_time ON entry (time);
    CREATE INDEX entry_by_replacement ON entry (target, replaces) WHERE replaces IS NOT NULL;
    CREATE INDEX entry_pending ON entry (id) WHERE outcome = 'pending';
    CREATE TABLE pause (
        target TEXT NOT NULL PRIMARY KEY, -- empty: everything
        since INTEGER NOT NULL,
        until INTEGER,
        wanted TEXT,
        reason TEXT NOT NULL
    ) STRICT;
",
    "
    ALTER TABLE entry ADD COLUMN caused_by TEXT; -- JSON
",
    "
    ALTER TABLE entry ADD COLUMN request_id TEXT;
",
];

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No file.
    Nothing,
    /// A file that is still to become a journal.
    Empty,
    /// A journal.
    Journal,
}

/// Looks without touching.
pub(super) fn look(path: &Path) -> Result<Found, JournalError> {
    let fail = |error| JournalError::of_io(path, "it cannot be read", &error);
    let not_ours = |why: &str| JournalError::NotOurs { path: path.to_owned(), why: why.to_owned() };
    let mut file = match File::open(path) {
        Ok(it) => it,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(fail(error)),
    };
    if !file.metadata().map_err(fail)?.is_file() {
        return Err(not_ours("it is not a file"));
    }
    let mut header = Vec::new();
    file.by_ref().take(100).read_to_end(&mut header).map_err(fail)?;
    if header.is_empty() {
        return Ok(Found::Empty);
    }
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|it| <[u8; 4]>::try_from(it).ok());
        bytes.map(u32::from_be_bytes)
    };
    match (header.starts_with(MAGIC), number(APPLICATION_AT), number(VERSION_AT)) {
        (false, _, _) | (_, None, _) | (_, _, None) => {
            Err(not_ours("it is not an SQLite database"))
        }
        (true, Some(APPLICATION), Some(version)) => check_version(path, i64::from(version)),
        (true, Some(_), Some(_)) => Err(not_ours("it is a database of another program")),
    }
}

/// Brings a journal to the newest version.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let fail = |error| JournalError::of_sqlite(path, &error);
    let version = version(connection).map_err(fail)?;
    check_version(path, version)?;
    for (from, migration) in (0_i64..).zip(MIGRATIONS).filter(|(from, _)| *from >= version) {
        let transaction = connection.transaction().map_err(fail)?;
        transaction.execute_batch(migration).map_err(fail)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(fail)?;
        transaction.pragma_update(None, "user_version", from + 1).map_err(fail)?;
        transaction.commit().map_err(fail)?;
    }
    Ok(())
}

/// Whether there are tables yet, for a reader that came just after the writer.
pub(super) fn is_made(connection: &Connection, path: &Path) -> Result<bool, JournalError> {
    let version = version(connection).map_err(|error| JournalError::of_sqlite(path, &error))?;
    check_version(path, version)?;
    Ok(version > 0)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn check_version(path: &Path, version: i64) -> Result<Found, JournalError> {
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version <= newest {
        return Ok(Found::Journal);
    }
    let why = format!(
        "a newer permitd wrote it (version {version}; this one knows {newest}), so use that one"
    );
    Err(JournalError::NotOurs { path: path.to_owned(), why })
}
