//! Pauses: what was told to leave a target alone. They stand in the journal's file, for they outlive a restart.

use jiff::Timestamp;

use crate::journal::{error::JournalError, query, store::Journal};

/// Nothing is written to a target, or to any, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The target's full ARN; none for everything.
    pub target: Option<String>,
    /// From when on.
    pub since: Timestamp,
    /// Until when; none until somebody resumes it.
    pub until: Option<Timestamp>,
    /// A hash of what the files wanted of the target when an undo paused it: once they want something else, the
    /// pause is over.
    pub wanted: Option<String>,
    /// Why, for people.
    pub reason: String,
}

impl Pause {
    /// Its time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|it| it <= now)
    }
}

impl Journal {
    /// Takes down a pause, in place of one of the same target.
    pub fn pause(&self, pause: &Pause) -> Result<(), JournalError> {
        let Pause { target, since, until, wanted, reason } = pause;
        self.with(|connection| {
            let write = "INSERT OR REPLACE INTO pause (target, since, until, wanted, reason)
                VALUES (?1, ?2, ?3, ?4, ?5)";
            let target = target.as_deref().unwrap_or_default();
            let until = until.map(query::nanoseconds);
            connection.execute(write, (target, query::nanoseconds(*since), until, wanted, reason))
        })?;
        Ok(())
    }

    /// Ends the pause of one target, or with none that of everything; true if there was one.
    pub fn resume(&self, target: Option<&str>) -> Result<bool, JournalError> {
        let target = target.unwrap_or_default();
        self.with(|it| it.execute("DELETE FROM pause WHERE target = ?1", [target])).map(|it| it > 0)
    }

    /// Ends all of them; how many there were.
    pub fn resume_all(&self) -> Result<usize, JournalError> {
        self.with(|it| it.execute("DELETE FROM pause", []))
    }

    /// As they were taken down, also those whose time is over: that of everything first, then by target.
    pub fn pauses(&self) -> Result<Vec<Pause>, JournalError> {
        self.with(query::pauses)
    }
}
