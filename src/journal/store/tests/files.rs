//! The file: who may see it, what is refused, and what a full disk does.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use rusqlite::Connection;

use super::{at, new_entry};
use crate::journal::entry::{Action, Filter, NewEntry, Outcome};
use crate::journal::error::JournalError;
use crate::journal::reader::Reader;
use crate::journal::store::{Journal, Options};

fn open(path: &Path) -> Result<Journal, JournalError> {
    Journal::open(path, Options::default(), at(0))
}

#[test]
fn what_is_made_is_for_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("some/where/journal.db");
    let journal = open(&path).unwrap();
    journal.begin(&new_entry(0, Action::Add, "a")).unwrap();
    let mode = |it: &str| {
        let path = dir.path().join(it);
        fs::metadata(&path).unwrap_or_else(|_| panic!("{it}")).permissions().mode() & 0o777
    };
    assert_eq!((mode("some"), mode("some/where")), (0o700, 0o700));
    for file in ["journal.db", "journal.db.lock", "journal.db-wal", "journal.db-shm"] {
        assert_eq!(mode(&format!("some/where/{file}")), 0o600, "{file}");
    }
}

#[test]
fn it_is_as_durable_as_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&dir.path().join("journal.db")).unwrap();
    let pragma = |name: &str| {
        let read = |it: &Connection| {
            it.query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| {
                row.get::<_, String>(0)
            })
        };
        journal.with(read).unwrap()
    };
    assert_eq!(pragma("journal_mode"), "wal");
    assert_eq!(pragma("synchronous"), "2");
    assert_eq!(pragma("foreign_keys"), "1");
}

#[test]
fn a_second_open_is_refused_until_the_last_clone_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let journal = open(&path).unwrap();
    let clone = journal.clone();
    drop(journal);
    let error = open(&path).unwrap_err();
    let own = std::process::id();
    assert_eq!(error, JournalError::Locked { path: path.clone(), pid: Some(own) });
    assert!(error.to_string().contains(&format!("(process {own})")), "{error}");
    drop(clone);
    open(&path).unwrap();
}

/// Refused, with these words, and not a byte of it or a file beside it changed.
#[track_caller]
fn check_refused(path: &Path, words: &str) {
    let before = fs::read(path).unwrap();
    let said = |it: Result<(), JournalError>| {
        let error = it.unwrap_err();
        assert!(matches!(&error, JournalError::NotOurs { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    };
    said(open(path).map(|_| ()));
    said(Reader::open(path).map(|_| ()));
    assert_eq!(fs::read(path).unwrap(), before, "it was changed");
    let names = fs::read_dir(path.parent().unwrap()).unwrap().map(|it| it.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["journal.db", "journal.db.lock"]);
}

#[test]
fn what_is_not_a_journal_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    for text in ["x", "statements: []\n", "SQLite format 3\0 but short", &"long ".repeat(1000)] {
        fs::write(&path, text).unwrap();
        check_refused(&path, "not an SQLite database");
    }
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE entry (id INTEGER)").unwrap();
    drop(other);
    check_refused(&path, "another program");
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    drop(open(&path).unwrap());
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 4).unwrap();
    drop(other);
    check_refused(&path, "newer permitd wrote it (version 4");
}

#[test]
fn a_journal_of_the_first_version_is_read_and_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let journal = open(&path).unwrap();
    let id = journal.begin(&new_entry(0, Action::Add, "a")).unwrap();
    journal.finish(id, Outcome::Done, None, None, at(1)).unwrap();
    let entry = journal.entry(id).unwrap();
    drop(journal);
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "ALTER TABLE entry DROP COLUMN caused_by; ALTER TABLE entry DROP COLUMN request_id",
        )
        .unwrap();
    other.pragma_update(None, "user_version", 1).unwrap();
    drop(other);
    let reader = Reader::open(&path).unwrap().unwrap();
    assert_eq!(reader.entry(id).unwrap(), entry);
    drop(reader);
    let journal = open(&path).unwrap();
    assert_eq!(journal.entry(id).unwrap(), entry);
    let new = NewEntry { caused_by: Some("{}".into()), ..new_entry(1, Action::Add, "b") };
    let id = journal.begin(&new).unwrap();
    journal.finish(id, Outcome::Done, None, Some("r-1"), at(2)).unwrap();
    let entry = journal.entry(id).unwrap().unwrap();
    assert_eq!((entry.step, entry.request_id.as_deref()), (new, Some("r-1")));
}

#[test]
fn a_damaged_journal_says_so_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let journal = open(&path).unwrap();
    for second in 0..100 {
        journal.begin(&new_entry(second, Action::Add, "a")).unwrap();
    }
    drop(journal);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(&error, JournalError::NotOurs { .. }), "{error:?}");
    let error = Reader::open(&path).unwrap_err();
    assert!(matches!(&error, JournalError::NotOurs { .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn an_empty_file_becomes_a_journal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    fs::write(&path, "").unwrap();
    assert!(Reader::open(&path).unwrap().is_none());
    open(&path).unwrap().begin(&new_entry(0, Action::Add, "a")).unwrap();
}

#[test]
fn where_nothing_can_be_made_it_says_where() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    let error = open(&dir.path().join("file/journal.db")).unwrap_err();
    assert!(matches!(&error, JournalError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("directory"), "{error}");
}

#[test]
fn a_full_journal_loses_nothing_and_goes_on_when_it_may_grow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let small = Options { max_size: Some(64 * 1024), ..Options::default() };
    let journal = Journal::open(&path, small, at(0)).unwrap();
    let mut n = 0;
    let error = loop {
        match journal.begin(&new_entry(n, Action::Remove, &"a".repeat(100))) {
            Ok(_) => n += 1,
            Err(error) => break error,
        }
        assert!(n < 1000, "it never was full");
    };
    assert!(n > 50, "{n}");
    assert!(matches!(&error, JournalError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("no room left"), "{error}");
    let readable = |it: &Journal| it.entries(&Filter::default()).unwrap().len();
    assert_eq!(i64::try_from(readable(&journal)), Ok(n));
    assert!(fs::metadata(&path).unwrap().len() <= 64 * 1024);
    drop(journal);
    let journal = Journal::open(&path, small, at(1)).unwrap();
    let unknown = journal.entries(&Filter::default()).unwrap();
    assert!(unknown.iter().all(|it| it.outcome == Outcome::Unknown));
    assert!(matches!(
        journal.begin(&new_entry(n, Action::Remove, &"a".repeat(100))),
        Err(JournalError::Full { .. })
    ));
    drop(journal);
    let large = Options { max_size: Some(1024 * 1024), ..Options::default() };
    let journal = Journal::open(&path, large, at(2)).unwrap();
    journal.begin(&new_entry(n, Action::Remove, &"a".repeat(100))).unwrap();
    assert_eq!(i64::try_from(readable(&journal)), Ok(n + 1));
}
