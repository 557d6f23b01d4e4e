//! Looking into a journal, also while another process writes it or after that one was killed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use backon::{BlockingRetryable, ConstantBuilder};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::journal::entry::{Entry, Filter};
use crate::journal::error::JournalError;
use crate::journal::pause::Pause;
use crate::journal::{
    query,
    schema::{self, Found},
    store,
};

/// A writer that comes or goes makes the log and its index, or takes them along. In between there is nothing to open.
const AGAIN: Duration = Duration::from_millis(50);
const TRIES: usize = 5;

/// A journal, to read only; it takes no lock.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the journal at `path`; none where there is no journal yet.
    ///
    /// SQLite reads a write-ahead log through an index in shared memory, the file `-shm` beside the journal, and
    /// makes it where the last writer took it away. Who may not write there cannot read; reading past the log
    /// instead would show old entries as if they were the newest.
    pub fn open(path: &Path) -> Result<Option<Self>, JournalError> {
        match schema::look(path)? {
            Found::Nothing | Found::Empty => return Ok(None),
            Found::Journal => {}
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = store::connect(path, flags)?;
        let reader = Self { connection, path: path.to_owned() };
        let probe = "SELECT count(*) FROM sqlite_schema";
        reader.with(|it| it.query_row(probe, [], |row| row.get::<_, i64>(0)))?;
        let is_made = schema::is_made(&reader.connection, path)?;
        Ok(is_made.then_some(reader))
    }

    /// Those that match, newest last.
    pub fn entries(&self, filter: &Filter) -> Result<Vec<Entry>, JournalError> {
        self.with(|it| query::entries(it, filter))
    }

    /// The one with this id.
    pub fn entry(&self, id: i64) -> Result<Option<Entry>, JournalError> {
        self.with(|it| query::entry(it, id))
    }

    /// As they were taken down, also those whose time is over: that of everything first, then by target.
    pub fn pauses(&self) -> Result<Vec<Pause>, JournalError> {
        self.with(query::pauses)
    }

    fn with<T>(
        &self,
        read: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        use ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
        let pauses = ConstantBuilder::default().with_delay(AGAIN).with_max_times(TRIES);
        let is_for_now =
            |it: &rusqlite::Error| matches!(it.sqlite_error_code(), Some(CannotOpen | ReadOnly));
        let done = (|| read(&self.connection)).retry(pauses).when(is_for_now).call();
        done.map_err(|error| match error.sqlite_error_code() {
            Some(CannotOpen | ReadOnly | PermissionDenied) => {
                let why = "reading it needs the right to write the files -wal and -shm beside it; \
                           run this as the user that permitd runs as"
                    .to_owned();
                JournalError::Unavailable { path: self.path.clone(), why }
            }
            Some(_) | None => JournalError::of_sqlite(&self.path, &error),
        })
    }
}

#[cfg(test)]
mod tests;
