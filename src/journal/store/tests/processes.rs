//! Two processes and one journal, and a process that is killed.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{at, new_entry};
use crate::journal::entry::{Action, Filter, Outcome};
use crate::journal::error::JournalError;
use crate::journal::reader::Reader;
use crate::journal::store::{Journal, Options};

const VARIABLE: &str = "PERMITD_TEST_JOURNAL";

/// Another process that has written one entry to the end and begun a second one.
struct Writer(Child);

impl Writer {
    fn start(path: &Path) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["journal::store::tests::processes::writer", "--exact", "--nocapture"]);
        command.env(VARIABLE, path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|it| it.ends_with("begun")), "it did not begin");
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Not a test by itself: what the other process runs.
#[test]
fn writer() {
    let Some(path) = env::var_os(VARIABLE) else { return };
    let journal = Journal::open(Path::new(&path), Options::default(), at(0)).unwrap();
    let done = journal.begin(&new_entry(0, Action::Add, "done")).unwrap();
    journal.finish(done, Outcome::Done, None, None, at(1)).unwrap();
    journal.begin(&new_entry(2, Action::Remove, "begun")).unwrap();
    writeln!(std::io::stdout(), "begun").unwrap();
    // Until it is killed, or whoever started it is gone.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_killed_process_leaves_what_it_had_begun() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let writer = Writer::start(&path);
    let pid = writer.0.id();

    let error = Journal::open(&path, Options::default(), at(3)).unwrap_err();
    assert_eq!(error, JournalError::Locked { path: path.clone(), pid: Some(pid) });

    let outcomes = |reader: &Reader| {
        let entries = reader.entries(&Filter::default()).unwrap();
        entries.into_iter().map(|it| it.outcome).collect::<Vec<_>>()
    };
    let beside = Reader::open(&path).unwrap().unwrap();
    assert_eq!(outcomes(&beside), [Outcome::Done, Outcome::Pending]);
    drop(beside);

    writer.kill();
    assert!(dir.path().join("journal.db-wal").exists(), "nothing was left to recover");
    let after = Reader::open(&path).unwrap().unwrap();
    assert_eq!(outcomes(&after), [Outcome::Done, Outcome::Pending]);
    drop(after);

    let journal = Journal::open(&path, Options::default(), at(3)).unwrap();
    let entries = journal.entries(&Filter::default()).unwrap();
    assert_eq!(entries[0].outcome, Outcome::Done);
    assert_eq!(entries[1].outcome, Outcome::Unknown);
    assert_eq!(entries[1].step, new_entry(2, Action::Remove, "begun"));
    assert_eq!(entries.len(), 2);
}
