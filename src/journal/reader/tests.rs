//! Looking in, beside a writer and without one.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
};

use super::Reader;
use crate::journal::entry::{Action, Filter, Outcome};
use crate::journal::pause::Pause;
use crate::journal::store::tests::{ARN, at, new_entry};
use crate::journal::{
    error::JournalError,
    store::{Journal, Options},
};

#[test]
fn there_may_be_no_journal_yet() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["journal.db", "no/such/directory/journal.db"] {
        assert!(Reader::open(&dir.path().join(name)).unwrap().is_none());
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "looking makes nothing");
}

#[test]
fn it_sees_what_the_writer_writes_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let journal = Journal::open(&path, Options::default(), at(0)).unwrap();
    let reader = Reader::open(&path).unwrap().unwrap();
    assert_eq!(reader.entries(&Filter::default()), Ok(vec![]));
    for second in 0..3 {
        let id = journal.begin(&new_entry(second, Action::Add, "a")).unwrap();
        assert_eq!(reader.entry(id), journal.entry(id));
        journal.finish(id, Outcome::Done, None, None, at(9)).unwrap();
    }
    let pause = Pause {
        target: Some(ARN.into()),
        since: at(0),
        until: None,
        wanted: None,
        reason: "by hand".into(),
    };
    journal.pause(&pause).unwrap();
    assert_eq!(reader.pauses(), Ok(vec![pause]));
    let newest = Filter { limit: Some(2), ..Filter::default() };
    assert_eq!(reader.entries(&newest), journal.entries(&newest));
    assert_eq!(reader.entries(&newest).unwrap().len(), 2);

    drop(journal);
    assert_eq!(reader.entries(&Filter::default()).unwrap().len(), 3, "it outlives the writer");
    drop(reader);
    let reader = Reader::open(&path).unwrap().unwrap();
    assert_eq!(reader.entries(&Filter::default()).unwrap().len(), 3);
    let journal = Journal::open(&path, Options::default(), at(0));
    assert!(journal.is_ok(), "a reader takes no lock");
}

/// The last one who closes it takes the log and its index along.
#[test]
fn it_reads_while_writers_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    drop(Journal::open(&path, Options::default(), at(0)).unwrap());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let journal = Journal::open(&path, Options::default(), at(0)).unwrap();
                let id = journal.begin(&new_entry(1, Action::Add, "a")).unwrap();
                journal.finish(id, Outcome::Done, None, None, at(9)).unwrap();
            }
        });
        let read = (0..200).try_for_each(|_| {
            Reader::open(&path)?.map_or(Ok(Vec::new()), |it| it.entries(&Filter::default()))?;
            Ok::<_, JournalError>(())
        });
        done.store(true, Ordering::Relaxed);
        assert_eq!(read, Ok(()));
    });
}

#[test]
fn without_the_right_to_read_the_log_it_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    drop(Journal::open(&path, Options::default(), at(0)).unwrap());
    // Rights do not stop the root user, who may run this; a link in its place does.
    symlink("elsewhere", dir.path().join("journal.db-shm")).unwrap();
    let error = Reader::open(&path).unwrap_err();
    assert!(matches!(&error, JournalError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("run this as the user that permitd runs as"), "{error}");
}
