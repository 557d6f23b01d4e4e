//! One write as the journal has it: what was about to be done, and what became of it.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A write that is about to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// When.
    pub time: Timestamp,
    /// The target's full ARN.
    pub target: String,
    /// The call.
    pub action: Action,
    /// Which statement; none for a whole document, or for a statement that has no Sid.
    pub sid: Option<String>,
    /// The name of the kind of drift that it puts right.
    pub kind: String,
    /// What is taken away, byte for byte: the statement, or for `put` the whole document.
    pub before: Option<String>,
    /// What is written, likewise.
    pub after: Option<String>,
    /// The revision that the write carries.
    pub revision: Option<String>,
    /// Who asked for it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The digest of the approval that allowed it.
    pub approval: Option<String>,
    /// The entry that this one takes back.
    pub undoes: Option<i64>,
    /// The Sid whose statement is being replaced, on every step of a replacement: on the removal of the old
    /// statement and the addition of the new one, and on both steps of a bridge, whose own Sid is another.
    pub replaces: Option<String>,
    /// Who made the difference that it puts right, as JSON, where an event told.
    pub caused_by: Option<String>,
}

/// A write as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counted up, and never given twice.
    pub id: i64,
    /// What was to be done.
    pub step: NewEntry,
    /// What became of it.
    pub outcome: Outcome,
    /// Lambda's answer, where there is something to say.
    pub message: Option<String>,
    /// When the outcome was known.
    pub finished: Option<Timestamp>,
    /// The request id of AWS, where there was an answer.
    pub request_id: Option<String>,
    /// Found, not stored: where this is a step of a replacement that is not undone by itself, the entry to undo
    /// instead. That is the removal of the old statement, which brings that one back.
    pub instead: Option<i64>,
}

/// The calls that change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// AddPermission.
    Add,
    /// RemovePermission.
    Remove,
    /// PutResourcePolicy, or its deletion.
    Put,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is under way.
    Pending,
    /// Lambda said so, or a later read showed it.
    Done,
    /// Lambda said no.
    Refused,
    /// It did not come to it, or a later read showed that it was not applied.
    NotDone,
    /// Nobody knows: the process ended before the answer came.
    Unknown,
}

/// Which entries. What is none does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A glob over the ARN, or over `name` or `name:qualifier`.
    pub target: Option<String>,
    /// A glob over the Sid; entries without one do not match.
    pub sid: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Not younger than this.
    pub until: Option<Timestamp>,
    /// Only so many, the newest.
    pub limit: Option<usize>,
}

/// What `permitd history --output json` prints.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct History<'a> {
    /// Newest last.
    pub entries: &'a [Entry],
}

impl NewEntry {
    /// Who made the difference, in a few words: the ARN, and where from.
    pub fn caused_by(&self) -> Option<String> {
        let by: serde_json::Value = serde_json::from_str(self.caused_by.as_deref()?).ok()?;
        let text = |key: &str| by.get(key).and_then(serde_json::Value::as_str);
        let arn = text("arn")?;
        Some(match text("source_address") {
            Some(from) => format!("{arn} from {from}"),
            None => arn.to_owned(),
        })
    }
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::Add, Self::Remove, Self::Put];

    /// The name in the journal and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Put => "put",
        }
    }
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Done, Self::Refused, Self::NotDone, Self::Unknown];

    /// The name in the journal and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotDone => "not_done",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, step, outcome, message, finished, request_id, instead } = self;
        let NewEntry {
            time,
            target,
            action,
            sid,
            kind,
            before,
            after,
            revision,
            actor,
            reason,
            approval,
            undoes,
            replaces,
            caused_by,
        } = step;
        let row = Row {
            id: *id,
            time: time.to_string(),
            target,
            action: *action,
            sid: sid.as_deref(),
            kind,
            before: before.as_deref().map(Text::of),
            after: after.as_deref().map(Text::of),
            outcome: *outcome,
            message: message.as_deref(),
            finished: finished.map(|it| it.to_string()),
            revision: revision.as_deref(),
            actor,
            reason,
            approval: approval.as_deref(),
            undoes: *undoes,
            replaces: replaces.as_deref(),
            instead: *instead,
            request_id: request_id.as_deref(),
            caused_by: caused_by.as_deref().map(Text::of),
        };
        row.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Row<'a> {
    id: i64,
    time: String,
    target: &'a str,
    action: Action,
    sid: Option<&'a str>,
    kind: &'a str,
    before: Option<Text<'a>>,
    after: Option<Text<'a>>,
    outcome: Outcome,
    message: Option<&'a str>,
    finished: Option<String>,
    revision: Option<&'a str>,
    actor: &'a str,
    reason: &'a str,
    approval: Option<&'a str>,
    undoes: Option<i64>,
    replaces: Option<&'a str>,
    instead: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caused_by: Option<Text<'a>>,
}

/// A statement as it is, and what is no JSON as a string.
#[derive(Serialize)]
#[serde(untagged)]
enum Text<'a> {
    Json(&'a RawValue),
    Plain(&'a str),
}

impl<'a> Text<'a> {
    fn of(text: &'a str) -> Self {
        serde_json::from_str(text).map_or(Self::Plain(text), Self::Json)
    }
}

#[cfg(test)]
mod tests;
