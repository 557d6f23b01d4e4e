//! Whether the files have changed. Truth is their content: they are read every poll, and what counts is whether they
//! say something else than before. Events of the file system only wake this up earlier; without them, or where they
//! get lost (network mounts, a watched folder that was replaced), nothing is missed but some seconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
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
    /// Each file by its name: where it really is, and the hash of what it says.
    pub files: BTreeMap<PathBuf, (PathBuf, Vec<u8>)>,
    /// The folders that lead to them by name, and where each really is.
    pub ways: BTreeMap<PathBuf, PathBuf>,
}

impl Print {
    /// It came in one step, as a `ConfigMap` or git-sync puts it in place by turning a link: no file says something
    /// else where it was, and none came or went but under a folder whose link was turned.
    fn came_at_once(&self, before: &Self) -> bool {
        let turned = |file: &Path| {
            let moved = |it: &Path| matches!((self.ways.get(it), before.ways.get(it)), (Some(a), Some(b)) if a != b);
            file.ancestors().skip(1).any(moved)
        };
        let names: BTreeSet<&PathBuf> = self.files.keys().chain(before.files.keys()).collect();
        names.into_iter().all(|it| match (self.files.get(it), before.files.get(it)) {
            (Some(now), Some(then)) => now == then || now.0 != then.0,
            (None, _) | (_, None) => turned(it),
        })
    }
}

/// What is to be heard of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// They say something else. Not `whole`: somebody may still be copying.
    New {
        /// It was put in place in one step, or somebody says that all of it is there.
        whole: bool,
    },
    /// What was not known to be whole has stayed as it was for a poll.
    Settled,
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
    /// Until when what was not known to be whole has to stay as it is.
    settles: Option<Instant>,
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
        Self {
            read,
            poll,
            known,
            next: Instant::now() + poll,
            settles: None,
            reading: None,
            woken,
            watcher,
        }
    }

    /// Looks that often from the next time on.
    pub fn poll_every(&mut self, poll: Duration) {
        self.poll = poll;
    }

    /// Waits until the files say something else than when they were last asked, or have said the same for long
    /// enough. Cancel-safe: what was begun is gone on with at the next call.
    pub async fn heard(&mut self) -> Heard {
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
                // The second look is a whole poll after the first, however often it is woken in between.
                if let Some(at) = self.settles.filter(|it| *it > Instant::now()) {
                    self.next = self.next.min(at);
                }
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
                // What was changed in place before has to settle all the same.
                let whole = self.settles.is_none() && print.came_at_once(&known);
                self.settles = (!whole).then(|| Instant::now() + self.poll);
                if let Some(at) = self.settles {
                    self.next = at;
                }
                return Heard::New { whole };
            }
            if self.settles.is_some_and(|it| it <= Instant::now()) {
                self.settles = None;
                return Heard::Settled;
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
        let file = |text: &[u8]| {
            BTreeMap::from([(PathBuf::from("a"), (PathBuf::from("/a"), text.to_vec()))])
        };
        let print = move |text: &[u8]| Print {
            hash: text.to_vec(),
            folders: folders.clone(),
            files: file(text),
            ..Print::default()
        };
        let known = print(b"a");
        let known = Arc::new(Mutex::new(known));
        let read = move || print(seen.lock().unwrap().as_bytes());
        (Watch::new(Arc::new(read), poll, known), text)
    }

    /// The next time that the files say something else.
    async fn next(watch: &mut Watch) {
        while watch.heard().await == Heard::Settled {}
    }

    #[tokio::test(start_paused = true)]
    async fn only_another_content_counts_and_it_counts_once() {
        let (mut watch, text) = watch(None, Duration::from_secs(15));
        assert!(timeout(Duration::from_mins(2), next(&mut watch)).await.is_err());
        *text.lock().unwrap() = "b".to_owned();
        let start = Instant::now();
        next(&mut watch).await;
        assert!(start.elapsed() <= Duration::from_secs(15), "{:?}", start.elapsed());
        assert!(timeout(Duration::from_mins(2), next(&mut watch)).await.is_err());
        *text.lock().unwrap() = "a".to_owned();
        next(&mut watch).await;
    }

    /// A SIGHUP has read the files: they have not changed for the watch.
    #[tokio::test(start_paused = true)]
    async fn what_somebody_else_has_read_is_no_news() {
        let (mut watch, text) = watch(None, Duration::from_secs(15));
        *text.lock().unwrap() = "b".to_owned();
        watch.known.lock().unwrap().hash = b"b".to_vec();
        assert!(timeout(Duration::from_mins(2), next(&mut watch)).await.is_err());
    }

    /// The loop drops the future at every other event, however often they come.
    #[tokio::test(start_paused = true)]
    async fn who_is_interrupted_again_and_again_still_polls() {
        let (mut watch, text) = watch(None, Duration::from_secs(15));
        *text.lock().unwrap() = "b".to_owned();
        let mut n = 0;
        while timeout(Duration::from_secs(1), next(&mut watch)).await.is_err() {
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
        assert!(timeout(Duration::from_millis(600), next(&mut watch)).await.is_err());
        *text.lock().unwrap() = "b".to_owned();
        std::fs::write(folder.path().join("x"), "2").unwrap();
        timeout(Duration::from_mins(1), next(&mut watch)).await.unwrap();
    }

    /// However often it is woken meanwhile, and anew with every change.
    #[tokio::test(start_paused = true)]
    async fn what_is_changed_in_place_is_whole_when_it_has_stayed_for_a_poll() {
        let poll = Duration::from_secs(15);
        let (mut watch, text) = watch(None, poll);
        for content in ["b", "c"] {
            *text.lock().unwrap() = content.to_owned();
            assert_eq!(watch.heard().await, Heard::New { whole: false });
            let waker = Arc::clone(&watch.woken);
            let waking = async {
                for _ in 0..10 {
                    sleep(Duration::from_secs(1)).await;
                    waker.notify_one();
                }
            };
            tokio::select! {
                heard = watch.heard() => panic!("{heard:?}"),
                () = waking => {}
            }
        }
        let start = Instant::now();
        assert_eq!(watch.heard().await, Heard::Settled);
        assert!(start.elapsed() <= poll, "{:?}", start.elapsed());
        assert!(timeout(Duration::from_mins(2), watch.heard()).await.is_err(), "told once");
    }

    #[test]
    fn only_a_link_that_is_turned_brings_files_in_one_step() {
        let print = |ways: &[(&str, &str)], files: &[(&str, &str, &str)]| Print {
            files: files
                .iter()
                .map(|(name, real, text)| {
                    ((*name).into(), ((*real).into(), text.as_bytes().to_vec()))
                })
                .collect(),
            ways: ways.iter().map(|(name, real)| ((*name).into(), (*real).into())).collect(),
            ..Print::default()
        };
        let plain = |files: &[(&str, &str)]| {
            let files: Vec<_> = files.iter().map(|(name, text)| (*name, *name, *text)).collect();
            print(&[("/p", "/p")], &files)
        };
        let map = |generation: &str, names: &[&str]| {
            let real: Vec<String> =
                names.iter().map(|it| format!("/m/..{generation}/{it}")).collect();
            let named: Vec<String> = names.iter().map(|it| format!("/m/{it}")).collect();
            let files: Vec<_> = named
                .iter()
                .zip(&real)
                .map(|(name, real)| (&**name, &**real, generation))
                .collect();
            print(&[("/m", "/m")], &files)
        };
        let sync = |generation: &str, files: &[&str]| {
            let real = |it: &str| format!("/git/{generation}/{it}");
            let named: Vec<String> = files.iter().map(|it| format!("/git/now/{it}")).collect();
            let reals: Vec<String> = files.iter().map(|it| real(it)).collect();
            let files: Vec<_> = named
                .iter()
                .zip(&reals)
                .map(|(name, real)| (&**name, &**real, generation))
                .collect();
            print(&[("/git", "/git"), ("/git/now", &format!("/git/{generation}"))], &files)
        };
        for (before, after, whole) in [
            (plain(&[("/p/a", "1")]), plain(&[("/p/a", "2")]), false),
            (plain(&[("/p/a", "1")]), plain(&[("/p/a", "1"), ("/p/b", "1")]), false),
            (plain(&[("/p/a", "1"), ("/p/b", "1")]), plain(&[("/p/a", "1")]), false),
            (plain(&[("/p/a", "1")]), plain(&[("/p/b/a", "1")]), false),
            (map("1", &["a", "b"]), map("2", &["a", "b"]), true),
            // kubelet makes new names after it has turned the link.
            (map("1", &["a"]), map("2", &["a", "b"]), false),
            (sync("1", &["a", "b"]), sync("2", &["a", "c", "d/e"]), true),
            (sync("1", &["a"]), sync("1", &["a", "b"]), false),
        ] {
            assert_eq!(after.came_at_once(&before), whole, "{before:?} {after:?}");
        }
    }
}
