//! The journal as its one writing process has it: every write stands in it before the request leaves.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, params};

use crate::journal::entry::{Entry, Filter, NewEntry, Outcome};
use crate::journal::error::JournalError;
use crate::journal::{lock::Lock, query, schema};

/// Readers never block the writer for longer than a checkpoint takes; this is for a stranger with a shell.
const PATIENCE: Duration = Duration::from_secs(5);

/// A journal that is open for writing; clones are the same journal.
#[derive(Debug, Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    // Closed before the lock is given back.
    connection: Mutex<Connection>,
    path: PathBuf,
    retention: Option<Duration>,
    _lock: Option<Lock>,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The most bytes that the file may have; none for as many as the disk has.
    pub max_size: Option<u64>,
    /// For how long entries are kept; none for ever.
    pub retention: Option<Duration>,
}

impl Journal {
    /// Opens the journal at `path`, and makes it where there is none.
    ///
    /// Writes that a process before this one left pending become `unknown`; what is older than the retention goes.
    pub fn open(path: &Path, options: Options, now: Timestamp) -> Result<Self, JournalError> {
        make_parent(path)?;
        let lock = Lock::take(path)?;
        if schema::look(path)? == schema::Found::Nothing {
            make_file(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(path, flags)?;
        // Before write-ahead logging is on, so that the file says what it is from its first byte (`schema`).
        schema::migrate(&mut connection, path)?;
        configure(&connection, options).map_err(|it| JournalError::of_sqlite(path, &it))?;
        let journal = Self::new(connection, path, options, Some(lock));
        // The word is as long as the one it replaces: this needs no room in a full journal.
        let left = "UPDATE entry SET outcome = 'unknown' WHERE outcome = 'pending'";
        journal.with(|it| it.execute(left, []))?;
        journal.prune(now)?;
        Ok(journal)
    }

    /// A journal that goes with its last clone, for tests.
    pub fn in_memory() -> Result<Self, JournalError> {
        let path = Path::new(":memory:");
        let mut connection =
            Connection::open_in_memory().map_err(|it| JournalError::of_sqlite(path, &it))?;
        schema::migrate(&mut connection, path)?;
        Ok(Self::new(connection, path, Options::default(), None))
    }

    /// Takes down what is about to be done. It is on the disk when this returns.
    pub fn begin(&self, entry: &NewEntry) -> Result<i64, JournalError> {
        let NewEntry {
            time,
            target,
            action,
            sid,
            kind,
            before,
            after,
            revision,
            actor,
            reason,
            approval,
            undoes,
            replaces,
            caused_by,
        } = entry;
        let time = query::nanoseconds(*time);
        let write = "INSERT INTO entry (time, target, action, sid, kind, before, after, revision,
                actor, reason, approval, undoes, replaces, caused_by, outcome)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
        let values = params![
            time,
            target,
            action.name(),
            sid,
            kind,
            before,
            after,
            revision,
            actor,
            reason,
            approval,
            undoes,
            replaces,
            caused_by,
            Outcome::Pending.name()
        ];
        self.with(|it| it.execute(write, values).map(|_| it.last_insert_rowid()))
    }

    /// Takes down what became of it. It may be said again, when a later read tells more: then the request stays
    /// the one that was answered.
    pub fn finish(
        &self,
        id: i64,
        outcome: Outcome,
        message: Option<&str>,
        request_id: Option<&str>,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let write = "UPDATE entry SET outcome = ?2, message = ?3, finished = ?4,
            request_id = coalesce(?5, request_id) WHERE id = ?1";
        let now = query::nanoseconds(now);
        match self.with(|it| it.execute(write, (id, outcome.name(), message, now, request_id)))? {
            0 => {
                let why = format!("there is no entry {id} in it");
                Err(JournalError::Unavailable { path: self.inner.path.clone(), why })
            }
            _ => Ok(()),
        }
    }

    /// Those that match, newest last.
    pub fn entries(&self, filter: &Filter) -> Result<Vec<Entry>, JournalError> {
        self.with(|it| query::entries(it, filter))
    }

    /// The one with this id.
    pub fn entry(&self, id: i64) -> Result<Option<Entry>, JournalError> {
        self.with(|it| query::entry(it, id))
    }

    /// Drops what is older than the retention, but not what is pending, and pauses that are over.
    /// How many entries went.
    pub fn prune(&self, now: Timestamp) -> Result<usize, JournalError> {
        // Nothing is older than the beginning of time.
        let horizon = self.inner.retention.and_then(|it| now.checked_sub(it).ok());
        self.with(|connection| {
            let over = "DELETE FROM pause WHERE until <= ?1";
            connection.execute(over, [query::nanoseconds(now)])?;
            let Some(horizon) = horizon.map(query::nanoseconds) else { return Ok(0) };
            let old = "DELETE FROM entry WHERE time < ?1 AND outcome <> 'pending'";
            connection.execute(old, [horizon])
        })
    }

    /// The one way to the database.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        // Every call is one statement or more that stand by themselves: a panic leaves nothing half done.
        let connection = self.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(|it| JournalError::of_sqlite(&self.inner.path, &it))
    }

    fn new(connection: Connection, path: &Path, options: Options, lock: Option<Lock>) -> Self {
        let inner = Inner {
            connection: Mutex::new(connection),
            path: path.to_owned(),
            retention: options.retention,
            _lock: lock,
        };
        Self { inner: Arc::new(inner) }
    }
}

/// Opens what is there; it never makes a file.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, JournalError> {
    // So that no name means something else to SQLite, as `:memory:` does.
    let plain = Path::new(".").join(path);
    let fail = |error: rusqlite::Error| JournalError::of_sqlite(path, &error);
    let connection = Connection::open_with_flags(plain, flags).map_err(fail)?;
    connection.busy_timeout(PATIENCE).map_err(fail)?;
    Ok(connection)
}

fn configure(connection: &Connection, options: Options) -> rusqlite::Result<()> {
    let ignore = |_: &rusqlite::Row<'_>| Ok(());
    connection.pragma_update_and_check(None, "journal_mode", "WAL", ignore)?;
    // Every commit is flushed: with NORMAL a power failure may lose the last ones.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    if let Some(size) = options.max_size {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        // Beyond SQLite's own most pages it takes that; below what is there already, what is there.
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let pages = (size / page).clamp(1, i64::from(u32::MAX - 1));
        connection.pragma_update_and_check(None, "max_page_count", pages, ignore)?;
    }
    Ok(())
}

/// The directories that are missing, for nobody else to see: statements tell who may call what.
fn make_parent(path: &Path) -> Result<(), JournalError> {
    let Some(parent) = path.parent().filter(|it| !it.as_os_str().is_empty()) else { return Ok(()) };
    let doing = format!("its directory {} cannot be made", parent.display());
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)
        .map_err(|it| JournalError::of_io(path, &doing, &it))
}

/// SQLite gives the files beside it the same mode.
fn make_file(path: &Path) -> Result<(), JournalError> {
    let make = || -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.sync_all()?;
        let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
        // The name is durable only once the directory is.
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    make().map_err(|it| JournalError::of_io(path, "it cannot be made", &it))
}

#[cfg(test)]
pub(super) mod tests;
