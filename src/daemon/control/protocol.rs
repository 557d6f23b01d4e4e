//! The language of the control socket: one line of JSON each way.
//!
//! | line | |
//! |---|---|
//! | `{"version":1,"request":"approve","digest":"0123abcd"}` | |
//! | `{"version":1,"request":"pause","target":"f:live","for_seconds":3600}` | both may be left out |
//! | `{"version":1,"request":"resume","target":"f:live"}` | it may be left out |
//! | `{"version":1,"request":"undo","id":7,"digest":"0123abcd"}` | |
//! | `{"version":1,"request":"status"}` | |
//! | `{"ok":true,"message":"…"}` | what was done |
//! | `{"ok":false,"error":"…","hint":"…"}` | why not, and perhaps what to do about it |
//!
//! A daemon refuses what it does not know: a field left unread could be the one that limits what is done.
//! A client passes over fields of the answer that it does not know.

use std::{io, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::daemon::control::{Answer, Request};

/// Raised when a request means something else than it did, not for a new kind of request.
pub const VERSION: u64 = 1;

/// The longest request is a target and a digest: some hundred bytes.
pub const LONGEST_REQUEST: usize = 64 * 1024;

/// An answer may list what is held at every target.
pub const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Who means longer than this means until further notice. It also keeps sums of times in bounds.
const LONGEST_PAUSE: Duration = Duration::from_hours(366 * 24);

const KNOWN: &[&str] = &["approve", "pause", "resume", "undo", "status"];
const OTHER_VERSION: &str = "use the `permitd` that the daemon was started from";

#[derive(Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "lowercase", deny_unknown_fields)]
enum Wire {
    Approve {
        digest: String,
    },
    Pause {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_seconds: Option<u64>,
    },
    Resume {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
    },
    Undo {
        id: i64,
        digest: String,
    },
    // Serde passes over unknown fields of a variant without braces.
    Status {},
}

#[derive(Serialize)]
struct Versioned {
    version: u64,
    #[serde(flatten)]
    wire: Wire,
}

/// A digest, or the beginning of one that is long enough not to be met by chance, in lower case.
pub fn digest(text: &str) -> Result<String, String> {
    let hex = text.bytes().all(|it| it.is_ascii_hexdigit());
    if hex && (8..=64).contains(&text.len()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a digest is 8 to 64 hex digits".to_owned())
    }
}

/// How long a pause may be.
pub fn pause(duration: Duration) -> Result<Duration, String> {
    match duration {
        Duration::ZERO => Err("a pause takes some time".to_owned()),
        it if it > LONGEST_PAUSE => {
            Err("a pause takes at most a year; without a time it lasts until it is told to resume"
                .to_owned())
        }
        // The wire has whole seconds; a pause is rather too long than too short.
        it => Ok(Duration::from_secs(it.as_secs() + u64::from(it.subsec_nanos() > 0))),
    }
}

/// A target as typed; which ones it means is for the daemon to say.
pub fn target(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("the target is empty".to_owned()) } else { Ok(text.to_owned()) }
}

impl Request {
    /// The line, with its end.
    pub(crate) fn line(&self) -> String {
        let wire = match self.clone() {
            Self::Approve { digest } => Wire::Approve { digest },
            Self::Pause { target, duration } => {
                Wire::Pause { target, for_seconds: duration.map(|it| it.as_secs()) }
            }
            Self::Resume { target } => Wire::Resume { target },
            Self::Undo { id, digest } => Wire::Undo { id, digest },
            Self::Status => Wire::Status {},
        };
        // Strings and numbers under fixed keys cannot fail.
        let text = serde_json::to_string(&Versioned { version: VERSION, wire }).unwrap_or_default();
        text + "\n"
    }

    /// What a line asks; else the answer to it.
    pub(crate) fn of_line(line: &[u8]) -> Result<Self, Answer> {
        let mut fields: Map<String, Value> = serde_json::from_slice(line).map_err(|_| {
            Answer::refused("the request is not a line of JSON with an object")
                .hint(r#"an example: {"version":1,"request":"status"}"#)
        })?;
        match fields.shift_remove("version") {
            Some(it) if it.as_u64() == Some(VERSION) => {}
            Some(it) => {
                let message =
                    format!("the request is of version {it}, and this permitd knows {VERSION}");
                return Err(Answer::refused(message).hint(OTHER_VERSION));
            }
            None => return Err(Answer::refused("the request has no `version`")),
        }
        let name = match fields.get("request") {
            Some(Value::String(it)) => it.clone(),
            Some(_) | None => {
                return Err(Answer::refused("the request does not say what it asks: no `request`"));
            }
        };
        if !KNOWN.contains(&name.as_str()) {
            let message = format!("this permitd does not know the request {}", json!(name));
            return Err(Answer::refused(message).hint(OTHER_VERSION));
        }
        let wire: Wire = serde_json::from_value(Value::Object(fields)).map_err(|it| {
            Answer::refused(format!("the request `{name}` is not understood: {it}"))
                .hint(OTHER_VERSION)
        })?;
        Self::of_wire(wire).map_err(|it| Answer::refused(format!("the request `{name}`: {it}")))
    }

    fn of_wire(wire: Wire) -> Result<Self, String> {
        let checked = |it: Option<String>| it.map(|it| target(&it)).transpose();
        Ok(match wire {
            Wire::Approve { digest: it } => Self::Approve { digest: digest(&it)? },
            Wire::Pause { target, for_seconds } => Self::Pause {
                target: checked(target)?,
                duration: for_seconds.map(Duration::from_secs).map(pause).transpose()?,
            },
            Wire::Resume { target } => Self::Resume { target: checked(target)? },
            Wire::Undo { id, digest: it } => Self::Undo { id, digest: digest(&it)? },
            Wire::Status {} => Self::Status,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct AnswerWire {
    ok: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Answer {
    /// The line, with its end.
    pub(crate) fn line(&self) -> String {
        let Self { ok, message, hint } = self.clone();
        let (message, error) = if ok { (Some(message), None) } else { (None, Some(message)) };
        let wire = AnswerWire { ok, message, error, hint };
        // Strings under fixed keys cannot fail.
        serde_json::to_string(&wire).unwrap_or_default() + "\n"
    }

    /// What a line says; else what is wrong with it.
    pub(crate) fn of_line(line: &[u8]) -> Result<Self, String> {
        let AnswerWire { ok, message, error, hint } =
            serde_json::from_slice(line).map_err(|it| it.to_string())?;
        let (said, name) = if ok { (message, "message") } else { (error, "error") };
        let message = said.ok_or_else(|| format!("no `{name}`"))?;
        Ok(Self { ok, message, hint })
    }
}

/// What came up to the end of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The line. The last one may lack its end: JSON tells by itself whether it is whole.
    Whole(Vec<u8>),
    /// More bytes than allowed, without an end.
    TooLong,
    /// Nothing at all.
    Nothing,
}

/// Reads one line; what comes after it is not looked at.
pub(crate) async fn read_line(from: impl AsyncRead + Unpin, longest: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    // One more, to tell a line that fits from one that does not.
    let limit = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    BufReader::new(from.take(limit)).read_until(b'\n', &mut line).await?;
    let ended = line.last() == Some(&b'\n');
    Ok(match line.len() {
        0 => Line::Nothing,
        it if it > longest && !ended => Line::TooLong,
        _ => Line::Whole(line),
    })
}

#[cfg(test)]
mod tests;
