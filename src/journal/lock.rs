//! One writing process: an exclusive lock on a file beside the journal, with the holder's process id in it.
//!
//! The lock is the kernel's, so it ends with the process however that ends; the file stays, and means nothing
//! by itself.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::journal::error::JournalError;

/// Held as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of the journal at `path`, or tells who has it.
    pub(super) fn take(path: &Path) -> Result<Self, JournalError> {
        let beside = file_of(path);
        let fail = |error| {
            let doing = format!("its lock file {} cannot be used", beside.display());
            JournalError::of_io(path, &doing, &error)
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&beside).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Who it is only makes the message better.
                let pid =
                    file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(JournalError::Locked { path: path.to_owned(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        // A full disk must not keep the journal from being opened: what is in it can still be read.
        let named = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        drop(named);
        Ok(Self { file })
    }
}

impl Drop for Lock {
    /// Closing is not enough: a process that is just being started shares the file for a moment, and with it the lock.
    fn drop(&mut self) {
        // Closing, which comes next, does what is left to do.
        self.file.unlock().unwrap_or_default();
    }
}

/// `journal.db.lock` for `journal.db`.
pub(super) fn file_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
