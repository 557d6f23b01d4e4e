//! Opens the journal for a command that writes, and says so where it cannot be.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cli::{
    args::SourceArgs,
    places,
    setup::Found,
    show::{Show, Stop},
};
use crate::config::settings::Cap;
use crate::daemon::{clock, mind::Mind, scribe::Scribe};
use crate::journal::{
    error::JournalError,
    reader::Reader,
    store::{Journal, Options},
};

/// Another command is through with it by then; a daemon is not.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much the settings keep.
pub(crate) fn options(found: &Found) -> Options {
    let journal = &found.settings.journal;
    let max_size: Cap<u64> = journal.max_size;
    Options { max_size: max_size.bound(), retention: journal.retention.bound() }
}

/// For a command that is through soon: it waits for another one that is.
pub(crate) async fn open(
    args: &SourceArgs,
    found: &Found,
    command: &str,
    show: Show,
) -> Result<Scribe, Stop> {
    let path = places::journal_path(args, found)?;
    let start = Instant::now();
    loop {
        match Journal::open(&path, options(found), clock::system()) {
            Ok(journal) => return Ok(Scribe::new(journal, actor(command))),
            Err(JournalError::Locked { .. }) if start.elapsed() < PATIENCE => {
                sleep(Duration::from_millis(100)).await;
            }
            Err(error) => {
                show.problem(&format!(
                    "warning: {error}; nothing is removed or replaced without it"
                ));
                return Ok(Scribe::without(error.to_string(), actor(command)));
            }
        }
    }
}

/// For a daemon: it tries again in every pass.
pub(crate) fn open_for_good(args: &SourceArgs, found: &Found) -> Result<Scribe, Stop> {
    let path = places::journal_path(args, found)?;
    let scribe = Scribe::open(path, options(found), actor("run"), clock::system());
    if let Some(why) = scribe.why_not() {
        tracing::error!(
            error = why,
            "there is no journal; nothing is removed or replaced without it"
        );
    }
    Ok(scribe)
}

/// With the pauses that stand in the journal.
pub(crate) fn mind(scribe: &Scribe) -> Mind {
    match scribe.journal().map(|it| it.pauses()) {
        Some(Ok(pauses)) => Mind::new(pauses),
        Some(Err(error)) => {
            tracing::error!(%error, "the pauses cannot be read");
            Mind::default()
        }
        None => Mind::default(),
    }
}

/// The same for who only looks: a journal that cannot be read has nothing to say.
pub(crate) fn paused(args: &SourceArgs, found: &Found) -> Mind {
    let reader = places::journal_path(args, found).ok().and_then(|it| Reader::open(&it).ok());
    let pauses = reader.flatten().and_then(|it| it.pauses().ok());
    pauses.map_or_else(Mind::default, Mind::new)
}

/// Who writes, for the journal.
pub(crate) fn actor(command: &str) -> String {
    let uid = rustix::process::geteuid().as_raw();
    format!("permitd {command}, uid {uid}, pid {}", std::process::id())
}
