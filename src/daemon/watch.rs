//! Whether the files have changed. Truth is their content: they are read every poll, and what counts is whether they
//! say something else than before. Events of the file system only wake this up earlier; without them, or where they
//! get lost (network mounts, a watched folder that was replaced), nothing is missed but some seconds.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

/// After an event, until nothing has happened for so long: an editor or a copy makes many of them.
const QUIET: Duration = Duration::from_millis(200);
/// But not longer than this.
const IMPATIENT: Duration = Duration::from_secs(2);

/// What the files say, in short, and where they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Print {
    /// The same content at the same real paths has the same hash.
    pub hash: Vec<u8>,
    /// The folders in which something may change.
    pub folders: BTreeSet<PathBuf>,
}

/// What the files said when they were last read, by a watch or by whoever else read them: what one has seen is no
/// news for the other.
pub type Known = Arc<Mutex<Print>>;

/// Reads the files, and may block.
pub type Read = Arc<dyn Fn() -> Print + Send + Sync>;

/// Watches the files.
pub struct Watch {
    read: Read,
    poll: Duration,
    known: Known,
    next: Instant,
    reading: Option<JoinHandle<Print>>,
    woken: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("poll", &self.poll)
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

impl Watch {
    /// From what is known now on.
    pub fn new(read: Read, poll: Duration, known: Known) -> Self {
        let woken = Arc::new(Notify::new());
        let watcher = watcher(&lock(&known).folders, &woken);
        Self { read, poll, known, next: Instant::now() + poll, reading: None, woken, watcher }
    }

    /// Waits until the files say something else than when they were last asked. Cancel-safe: what was begun is gone
    /// on with at the next call.
    pub async fn changed(&mut self) {
        loop {
            if self.reading.is_none() {
                tokio::select! {
                    () = sleep_until(self.next) => {}
                    () = self.woken.notified() => {
                        // Who drops this while it settles has been woken nevertheless.
                        self.next = Instant::now();
                        self.settle().await;
                    }
                }
                self.next = Instant::now() + self.poll;
                let read = Arc::clone(&self.read);
                self.reading = Some(tokio::task::spawn_blocking(move || read()));
            }
            let Some(reading) = &mut self.reading else { continue };
            let print = reading.await;
            self.reading = None;
            // A reading that panicked has said so; the next poll reads again.
            let Ok(print) = print else { continue };
            let known = std::mem::replace(&mut *lock(&self.known), print.clone());
            let is_new = print.hash != known.hash;
            if is_new || print.folders != known.folders || self.watcher.is_none() {
                // Also where a folder was replaced by one of the same name: its watch has died with it.
                self.watcher = watcher(&print.folders, &self.woken);
            }
            if is_new {
                return;
            }
        }
    }

    /// Until the events come to rest.
    async fn settle(&self) {
        let rest = async { while timeout(QUIET, self.woken.notified()).await.is_ok() {} };
        tokio::select! {
            () = rest => {}
            () = sleep(IMPATIENT) => {}
        }
    }
}

fn lock(known: &Known) -> MutexGuard<'_, Print> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// None where there is nothing that watches: then there are the polls.
fn watcher(folders: &BTreeSet<PathBuf>, woken: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let woken = Arc::clone(woken);
    let told = move |event: notify::Result<notify::Event>| {
        // Reading the files must not wake who reads them.
        if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
            woken.notify_one();
        }
    };
    let mut res = notify::recommended_watcher(told).ok()?;
    for folder in folders {
        if let Err(error) = res.watch(folder, RecursiveMode::NonRecursive) {
            tracing::debug!(folder = %folder.display(), %error, "changes here are seen by the next poll only");
        }
    }
    Some(res)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(folder: Option<PathBuf>, poll: Duration) -> (Watch, Arc<Mutex<String>>) {
        let text = Arc::new(Mutex::new("a".to_owned()));
        let folders: BTreeSet<PathBuf> = folder.into_iter().collect();
        let seen = Arc::clone(&text);
        let known = Print { hash: b"a".to_vec(), folders: folders.clone() };
        let known = Arc::new(Mutex::new(known));
        let read = move || Print {
            hash: seen.lock().unwrap().clone().into_bytes(),
            folders: folders.clone(),
        };
        (Watch::new(Arc::new(read), poll, known), text)
    }

    #[tokio::test(start_paused = true)]
    async fn only_another_content_counts_and_it_counts_once() {
        let (mut watch, text) = watch(None, Duration::from_secs(15));
        assert!(timeout(Duration::from_mins(2), watch.changed()).await.is_err());
        *text.lock().unwrap() = "b".to_owned();
        let start = Instant::now();
        watch.changed().await;
        assert!(start.elapsed() <= Duration::from_secs(15), "{:?}", start.elapsed());
        assert!(timeout(Duration::from_mins(2), watch.changed()).await.is_err());
        *text.lock().unwrap() = "a".to_owned();
        watch.changed().await;
    }

    /// A SIGHUP has read the files: they have not changed for the watch.
    #[tokio::test(start_paused = true)]
    async fn what_somebody_else_has_read_is_no_news() {
        let (mut watch, text) = watch(None, Duration::from_secs(15));
        *text.lock().unwrap() = "b".to_owned();
        watch.known.lock().unwrap().hash = b"b".to_vec();
        assert!(timeout(Duration::from_mins(2), watch.changed()).await.is_err());
    }

    /// The loop drops the future at every other event, however often they come.
    #[tokio::test(start_paused = true)]
    async fn who_is_interrupted_again_and_again_still_polls() {
        let (mut watch, text) = watch(None, Duration::from_secs(15));
        *text.lock().unwrap() = "b".to_owned();
        let mut n = 0;
        while timeout(Duration::from_secs(1), watch.changed()).await.is_err() {
            n += 1;
            assert!(n < 20);
        }
    }

    /// With an hour between polls, only the event can have told.
    #[tokio::test]
    async fn an_event_wakes_it_early_and_reading_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (mut watch, text) = watch(Some(folder.path().to_owned()), Duration::from_hours(1));
        std::fs::write(folder.path().join("x"), "1").unwrap();
        assert!(timeout(Duration::from_millis(600), watch.changed()).await.is_err());
        *text.lock().unwrap() = "b".to_owned();
        std::fs::write(folder.path().join("x"), "2").unwrap();
        timeout(Duration::from_mins(1), watch.changed()).await.unwrap();
    }
}
