//! From a journal entry to what brings its target back to where it was before.
//!
//! | entry | to undo it |
//! |---|---|
//! | `remove` of what AddPermission can make | grant it again |
//! | `remove` of anything else | put the statement back whole |
//! | `add` | take the statement away, if it still says what we wrote |
//! | `put` | put back what it took away, and take away what it brought, in the document as it is now |
//! | `put` that left nothing | grant again what was in the document |
//! | a step of a replacement | the removal of the old statement stands for all of them |
//!
//! A statement is brought back without the `expires` that a file may have said: the journal has what Lambda had.

use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::drift::bridge;
use crate::journal::entry::{Action, Entry, Outcome};
use crate::policy::{
    document::Document,
    grant::Grant,
    principal::is_unique_id,
    source::Source,
    statement::{Class, Statement},
    target::Target,
    terms::Terms,
};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Grant this, in place of what may be under its Sid now.
    Grant(Box<Grant>),
    /// Grant all of this again, where no policy was left.
    Grants(Vec<Grant>),
    /// Take this statement away.
    Remove {
        /// Its Sid.
        sid: String,
        /// What we wrote under it; where it says something else now, somebody changed it since.
        expected: String,
    },
    /// Put this statement, which AddPermission cannot make, into the document as it is.
    Put {
        /// The whole statement.
        statement: String,
    },
    /// Put this document in place of the policy.
    Document {
        /// The whole document; none where there was no policy.
        before: Option<String>,
    },
}

/// Why an entry cannot be undone, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUndoable {
    /// It changed nothing, as far as is known.
    #[error("entry {id} changed nothing (it is `{}`), so there is nothing to undo", .outcome.name())]
    NothingDone {
        /// The entry.
        id: i64,
        /// What became of it.
        outcome: Outcome,
    },
    /// Its answer is still awaited.
    #[error(
        "entry {id} is still under way; wait until `permitd history` shows what became of it, \
         then try again"
    )]
    UnderWay {
        /// The entry.
        id: i64,
    },
    /// The removal of the old statement stands for the replacement.
    #[error("entry {id} is one step of the replacement of `{sid}`; {}", instead_of(*.instead, .sid))]
    Replacement {
        /// The entry.
        id: i64,
        /// The Sid that was replaced.
        sid: String,
        /// The entry to undo instead.
        instead: Option<i64>,
    },
    /// A bridge that belongs to no replacement in the journal.
    #[error(
        "entry {id} is about `{sid}`, a temporary statement of permitd's own; find what it stood \
         for with `permitd history`, or write the permission into a file under a sid of its own"
    )]
    Bridge {
        /// The entry.
        id: i64,
        /// The bridge's Sid.
        sid: String,
    },
    /// Nobody can have it any more.
    #[error(
        "the principal of the statement in entry {id} was deleted ({principal}), and Lambda takes \
         it from nobody; if there is a new one, grant it to that in a permission file"
    )]
    PrincipalDeleted {
        /// The entry.
        id: i64,
        /// What was left of the principal.
        principal: String,
    },
    /// The entry does not say what was there.
    #[error(
        "entry {id} does not say what was there, so it cannot be brought back from the journal; \
         write the permission into a permission file"
    )]
    NothingRecorded {
        /// The entry.
        id: i64,
    },
    /// What is recorded is not a statement.
    #[error(
        "what entry {id} has recorded is not a statement, so Lambda would not take it; see it \
         with `permitd history --output json`"
    )]
    Unreadable {
        /// The entry.
        id: i64,
    },
    /// The caller's mistake, which would write into the wrong policy.
    #[error("entry {id} is about {of}, not about {asked}; ask for it there")]
    OtherTarget {
        /// The entry.
        id: i64,
        /// The entry's target.
        of: String,
        /// The one that was asked for.
        asked: String,
    },
}

/// What undoes an entry of `target`'s policy. An `unknown` one may have been done, and undoing it does no harm.
pub fn undo(entry: &Entry, target: &Target) -> Result<Undo, NotUndoable> {
    let Entry { id, ref step, outcome, message: _, finished: _, request_id: _, instead } = *entry;
    match outcome {
        Outcome::Refused | Outcome::NotDone => {
            return Err(NotUndoable::NothingDone { id, outcome });
        }
        Outcome::Pending => return Err(NotUndoable::UnderWay { id }),
        Outcome::Done | Outcome::Unknown => {}
    }
    if step.target != target.arn() {
        let (of, asked) = (step.target.clone(), target.arn());
        return Err(NotUndoable::OtherTarget { id, of, asked });
    }
    if let Some(sid) = &step.replaces {
        let is_removal = step.action == Action::Remove && step.sid.as_ref() == Some(sid);
        if !is_removal && step.action != Action::Put {
            return Err(NotUndoable::Replacement { id, sid: sid.clone(), instead });
        }
    }
    if let Some(sid) = step.sid.clone().filter(|it| bridge::is_reserved(it)) {
        return Err(NotUndoable::Bridge { id, sid });
    }
    let nothing = NotUndoable::NothingRecorded { id };
    match step.action {
        Action::Remove => bring_back(id, step.before.as_deref().ok_or(nothing)?, target),
        Action::Add => {
            let (sid, expected) = step.sid.clone().zip(step.after.clone()).ok_or(nothing)?;
            Ok(Undo::Remove { sid, expected })
        }
        Action::Put => match (&step.before, &step.after) {
            (None, None) => Err(nothing),
            (Some(before), None) => everything(id, before, target),
            (_, Some(_)) => Ok(Undo::Document { before: step.before.clone() }),
        },
    }
}

fn bring_back(id: i64, text: &str, target: &Target) -> Result<Undo, NotUndoable> {
    let is_object = text.trim_start().starts_with('{');
    if !is_object || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Err(NotUndoable::Unreadable { id });
    }
    let statement = Statement::read(text, target);
    if statement.blocks_adding() {
        let deleted = statement.principals().into_iter().find(|it| is_unique_id(it));
        let principal = deleted.unwrap_or_default().to_owned();
        return Err(NotUndoable::PrincipalDeleted { id, principal });
    }
    let source = Source { file: Arc::from(format!("journal entry {id}")), line: 1, column: 1 };
    Ok(match grant(&statement, source, target) {
        Some(grant) => Undo::Grant(Box::new(grant)),
        None => Undo::Put { statement: text.to_owned() },
    })
}

/// What was in a document of which nothing was left.
fn everything(id: i64, text: &str, target: &Target) -> Result<Undo, NotUndoable> {
    let unreadable = NotUndoable::Unreadable { id };
    let Ok(document) = Document::parse(text.to_owned(), String::new(), target) else {
        return Err(unreadable);
    };
    let source = Source { file: Arc::from(format!("journal entry {id}")), line: 1, column: 1 };
    let of_statement = |it: &Statement| {
        Some(Grant {
            sid: it.sid()?.to_owned(),
            terms: Terms::of_statement(it, target)?,
            expires: None,
            accept: Vec::new(),
            description: None,
            source: source.clone(),
            rule: None,
        })
    };
    let grants: Option<Vec<Grant>> = document.statements().iter().map(of_statement).collect();
    let mut grants = grants.filter(|it| !it.is_empty()).ok_or(unreadable)?;
    grants.sort_by(|a, b| a.sid.cmp(&b.sid));
    Ok(Undo::Grants(grants))
}

/// The grant that makes this very statement, if a file can say it and AddPermission takes it.
pub fn grant(statement: &Statement, source: Source, target: &Target) -> Option<Grant> {
    let Class::Expressible(permission) = statement.class() else { return None };
    let sid = statement.sid()?.to_owned();
    let checked = permission.draft(&sid).check(target.partition()).ok();
    let permission = checked.filter(|it| it == permission)?;
    Some(Grant {
        sid,
        terms: permission.into(),
        expires: None,
        accept: Vec::new(),
        description: None,
        source,
        rule: None,
    })
}

fn instead_of(instead: Option<i64>, sid: &str) -> String {
    match instead {
        Some(id) => format!("`permitd undo {id}` brings back the statement that was replaced"),
        None => format!(
            "the removal that it belongs to is not in the journal; `permitd history` shows what is \
             there of `{sid}`"
        ),
    }
}

#[cfg(test)]
mod tests;
