//! Takes every write down in the journal before it leaves, and what became of it afterwards.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;

use crate::daemon::mind::Mind;
use crate::drift::{
    dialogue::Write,
    plan::{Action, Effect},
    wanted::Wanted,
};
use crate::journal::{
    entry::{self, Entry, Filter, NewEntry, Outcome},
    error::JournalError,
    store::{Journal, Options},
};
use crate::policy::target::Target;

/// Who writes, and where it is taken down. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Scribe {
    book: Arc<Mutex<Book>>,
    actor: String,
    failures: Arc<AtomicU64>,
    /// One entry at a time. The journal takes no more anyway, and every thread that waits for it would keep some
    /// megabytes for good.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The ids that AWS gave to our own writes, the newest last.
    sent: Arc<Mutex<VecDeque<String>>>,
}

/// So many are remembered: their events come back within minutes.
const MOST_SENT: usize = 4096;

#[derive(Debug, Clone)]
enum Book {
    /// Nothing is written, so nothing is taken down.
    Nothing,
    Open(Journal),
    /// It could not be opened; the text says why. It is tried again where it is known what to open.
    Closed(String, Option<(PathBuf, Options)>),
}

/// Why something is written, besides what the step says itself.
#[derive(Debug, Clone, Default)]
pub struct Occasion {
    /// What set it off: a pass, an expiry, an undo.
    pub trigger: String,
    /// The entry that is taken back.
    pub undoes: Option<i64>,
}

impl Occasion {
    /// Set off by this.
    pub fn of(trigger: &str) -> Self {
        Self { trigger: trigger.to_owned(), undoes: None }
    }
}

impl Scribe {
    /// For who only looks.
    pub fn nobody() -> Self {
        Self::with(Book::Nothing, String::new())
    }

    /// Writes into this journal.
    pub fn new(journal: Journal, actor: String) -> Self {
        Self::with(Book::Open(journal), actor)
    }

    /// There is no journal, so nothing is taken away.
    pub fn without(why: String, actor: String) -> Self {
        Self::with(Book::Closed(why, None), actor)
    }

    /// Opens the journal, or does without until it can be opened.
    pub fn open(path: PathBuf, options: Options, actor: String, now: Timestamp) -> Self {
        let closed = Book::Closed("it was not opened yet".to_owned(), Some((path, options)));
        let scribe = Self::with(closed, actor);
        scribe.reopen(now);
        scribe
    }

    fn with(book: Book, actor: String) -> Self {
        Self {
            book: Arc::new(Mutex::new(book)),
            actor,
            failures: Arc::default(),
            turn: Arc::default(),
            sent: Arc::default(),
        }
    }

    fn book(&self) -> Book {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries again to open what could not be opened. Drops what is too old of what is open.
    pub fn reopen(&self, now: Timestamp) {
        let next = match self.book() {
            Book::Closed(_, Some((path, options))) => match Journal::open(&path, options, now) {
                Ok(journal) => Book::Open(journal),
                Err(error) => Book::Closed(error.to_string(), Some((path, options))),
            },
            Book::Open(journal) => {
                if let Err(error) = journal.prune(now) {
                    tracing::error!(%error, "the journal could not be pruned");
                }
                return;
            }
            Book::Nothing | Book::Closed(_, None) => return,
        };
        *self.book.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// Why nothing can be taken down.
    pub fn why_not(&self) -> Option<String> {
        match self.book() {
            Book::Closed(why, _) => Some(why),
            Book::Nothing | Book::Open(_) => None,
        }
    }

    /// How many entries could not be written, or not be completed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// The journal, if it is open.
    pub fn journal(&self) -> Option<Journal> {
        match self.book() {
            Book::Open(journal) => Some(journal),
            Book::Nothing | Book::Closed(..) => None,
        }
    }

    /// The last so many writes, the newest last; or why they cannot be told.
    pub fn lately(&self, limit: usize) -> Result<Vec<Entry>, String> {
        match self.book() {
            Book::Nothing => Ok(Vec::new()),
            Book::Closed(why, _) => Err(why),
            Book::Open(journal) => {
                let filter = Filter { limit: Some(limit), ..Filter::default() };
                journal.entries(&filter).map_err(|it| it.to_string())
            }
        }
    }

    /// Takes down what is about to be asked for. It is on the disk when this returns.
    pub(super) async fn begin(
        &self,
        target: &Target,
        write: &Write,
        occasion: &Occasion,
        now: Timestamp,
    ) -> Result<Option<i64>, String> {
        let Write { step, revision, before, after, approval, by, whole, .. } = write;
        let entry = NewEntry {
            time: now,
            target: target.arn(),
            action: match step.action {
                Action::Add(_) => entry::Action::Add,
                Action::Remove => entry::Action::Remove,
                Action::Put(_) => entry::Action::Put,
            },
            sid: Some(step.sid.clone()).filter(|_| !whole),
            kind: step.kind.name().to_owned(),
            before: before.clone(),
            after: after.clone(),
            revision: revision.clone(),
            actor: self.actor.clone(),
            reason: reason(write, occasion),
            approval: approval.clone(),
            undoes: occasion.undoes,
            replaces: step.replaces.clone().filter(|_| !whole),
            caused_by: by.as_deref().and_then(|it| serde_json::to_string(it).ok()),
        };
        self.begin_entry(entry).await
    }

    /// The same for a write that is no step of a plan.
    pub(super) async fn begin_entry(&self, entry: NewEntry) -> Result<Option<i64>, String> {
        let journal = match self.book() {
            Book::Nothing => return Ok(None),
            Book::Closed(why, _) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                return Err(why);
            }
            Book::Open(journal) => journal,
        };
        let _turn = self.turn.lock().await;
        // A disk that is slow to say that it has it holds up nobody else.
        let taken = tokio::task::spawn_blocking(move || journal.begin(&entry)).await;
        let failure = match taken {
            Ok(Ok(id)) => return Ok(Some(id)),
            Ok(Err(error)) => error.to_string(),
            Err(error) => format!("the journal has stopped: {error}"),
        };
        self.failures.fetch_add(1, Ordering::Relaxed);
        Err(failure)
    }

    /// Takes down what became of it. If that fails, it stays pending, and is called unknown later.
    pub(super) async fn finish(
        &self,
        id: Option<i64>,
        outcome: Outcome,
        message: Option<String>,
        request_id: Option<String>,
        now: Timestamp,
    ) {
        let (Some(id), Some(journal)) = (id, self.journal()) else { return };
        let _turn = self.turn.lock().await;
        let finish = move || {
            let (message, request_id) = (message.as_deref(), request_id.as_deref());
            journal.finish(id, outcome, message, request_id, now)
        };
        let finished = match tokio::task::spawn_blocking(finish).await {
            Ok(finished) => finished.map_err(|it: JournalError| it.to_string()),
            Err(error) => Err(format!("the journal has stopped: {error}")),
        };
        if let Err(error) = finished {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::error!(entry = id, error, "what became of a write is not in the journal");
        }
    }

    /// A pause that was to last until the files change is over for good once they have: it does not come back
    /// when they say again what they said before.
    pub fn end_pauses_of_old_files(&self, mind: &Mind, wanted: &[Wanted]) {
        for arn in mind.end_pauses_of_old_files(wanted) {
            tracing::info!(arn, "not paused any more, for the files have changed");
            if let Some(Err(error)) = self.journal().map(|it| it.resume(Some(&arn))) {
                tracing::error!(%error, "the end of a pause could not be taken down");
            }
        }
    }

    /// A write of ours has this id at AWS.
    pub(super) fn sent(&self, request_id: Option<&String>) {
        let Some(id) = request_id else { return };
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push_back(id.clone());
        while sent.len() > MOST_SENT {
            sent.pop_front();
        }
    }

    /// Whether a write that an event tells of was ours.
    pub(super) fn has_sent(&self, request_id: &str) -> bool {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.iter().rev().any(|it| it == request_id)
    }

    /// Who writes.
    pub(super) fn actor(&self) -> String {
        self.actor.clone()
    }
}

fn reason(write: &Write, occasion: &Occasion) -> String {
    if write.whole {
        return format!("{}: the whole document, for {}", occasion.trigger, write.sids.join(", "));
    }
    let kind = write.step.kind.name();
    let effect = match write.step.effect {
        Effect::Neutral => "changes nothing for anybody",
        Effect::Widens => "widens access",
        Effect::Narrows => "narrows access",
    };
    format!("{}: {kind}, {effect}", occasion.trigger)
}
