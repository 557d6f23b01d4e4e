//! Takes every write down in the journal before it leaves, and what became of it afterwards.

use jiff::Timestamp;

use crate::drift::{
    dialogue::Write,
    plan::{Action, Effect},
};
use crate::journal::{
    entry::{self, NewEntry, Outcome},
    store::Journal,
};
use crate::policy::target::Target;

/// Who writes, and where it is taken down.
#[derive(Debug, Clone)]
pub struct Scribe {
    book: Book,
    actor: String,
}

#[derive(Debug, Clone)]
enum Book {
    /// Nothing is written, so nothing is taken down.
    Nothing,
    Open(Journal),
    /// It could not be opened; the text says why.
    Closed(String),
}

/// Why something is written, besides what the step says itself.
#[derive(Debug, Clone, Default)]
pub struct Occasion {
    /// What set it off: a pass, an expiry, an undo.
    pub trigger: String,
    /// The entry that is taken back.
    pub undoes: Option<i64>,
}

impl Scribe {
    /// For who only looks.
    pub fn nobody() -> Self {
        Self { book: Book::Nothing, actor: String::new() }
    }

    /// Writes into this journal.
    pub fn new(journal: Journal, actor: String) -> Self {
        Self { book: Book::Open(journal), actor }
    }

    /// There is no journal, so nothing is taken away.
    pub fn without(why: String, actor: String) -> Self {
        Self { book: Book::Closed(why), actor }
    }

    /// Why nothing can be taken down.
    pub fn why_not(&self) -> Option<&str> {
        match &self.book {
            Book::Closed(why) => Some(why),
            Book::Nothing | Book::Open(_) => None,
        }
    }

    /// The journal, if it is open.
    pub fn journal(&self) -> Option<&Journal> {
        match &self.book {
            Book::Open(journal) => Some(journal),
            Book::Nothing | Book::Closed(_) => None,
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
        let journal = match &self.book {
            Book::Nothing => return Ok(None),
            Book::Closed(why) => return Err(why.clone()),
            Book::Open(journal) => journal.clone(),
        };
        let Write { step, revision, before, after, approval, opens_gap: _ } = write;
        let entry = NewEntry {
            time: now,
            target: target.arn(),
            action: match step.action {
                Action::Add(_) => entry::Action::Add,
                Action::Remove => entry::Action::Remove,
            },
            sid: Some(step.sid.clone()),
            kind: step.kind.name().to_owned(),
            before: before.clone(),
            after: after.clone(),
            revision: revision.clone(),
            actor: self.actor.clone(),
            reason: reason(write, occasion),
            approval: approval.clone(),
            undoes: occasion.undoes,
            replaces: step.replaces.clone(),
        };
        // A disk that is slow to say that it has it holds up nobody else.
        let taken = tokio::task::spawn_blocking(move || journal.begin(&entry)).await;
        match taken {
            Ok(Ok(id)) => Ok(Some(id)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(format!("the journal has stopped: {error}")),
        }
    }

    /// Takes down what became of it. If that fails, it stays pending, and is called unknown later.
    pub(super) async fn finish(
        &self,
        id: Option<i64>,
        outcome: Outcome,
        message: Option<String>,
        now: Timestamp,
    ) {
        let (Some(id), Some(journal)) = (id, self.journal().cloned()) else { return };
        let finish = move || journal.finish(id, outcome, message.as_deref(), now);
        match tokio::task::spawn_blocking(finish).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(entry = id, %error, "what became of a write could not be journalled");
            }
            Err(error) => {
                tracing::error!(entry = id, %error, "what became of a write could not be journalled");
            }
        }
    }
}

fn reason(write: &Write, occasion: &Occasion) -> String {
    let kind = write.step.kind.name();
    let effect = match write.step.effect {
        Effect::Neutral => "changes nothing for anybody",
        Effect::Widens => "widens access",
        Effect::Narrows => "narrows access",
    };
    format!("{}: {kind}, {effect}", occasion.trigger)
}
