//! The local socket: how a running daemon is told to approve, pause, resume or undo.
//!
//! One line of JSON each way over a Unix stream socket ([`protocol`]); who may speak is told by the kernel,
//! not by the line ([`server`]).

pub mod client;
pub mod protocol;
pub mod server;

use std::{io, path::PathBuf, time::Duration};

use crate::daemon::control::server::MOST_BYTES_OF_PATH;

/// What can be asked of a running daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Do once what is held, as far as it is in this approval.
    Approve {
        /// The beginning of the approval's digest, or all of it: lower-case hex.
        digest: String,
    },
    /// Change nothing.
    Pause {
        /// Only there; else everywhere.
        target: Option<String>,
        /// How long; else until it is told to resume.
        duration: Option<Duration>,
    },
    /// Change things again.
    Resume {
        /// Only there; else everywhere.
        target: Option<String>,
    },
    /// Bring back what an entry of the journal took away or changed.
    Undo {
        /// The entry.
        id: i64,
        /// What the asker was shown and said yes to: lower-case hex.
        digest: String,
    },
    /// How do things stand?
    Status,
}

impl Request {
    /// Its name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Approve { .. } => "approve",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::Undo { .. } => "undo",
            Self::Status => "status",
        }
    }
}

/// What the daemon says to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it was done.
    pub ok: bool,
    /// For people: what was done, or why not.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Answer {
    /// It was done.
    pub fn done(message: impl Into<String>) -> Self {
        Self { ok: true, message: message.into(), hint: None }
    }

    /// It was not done.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { ok: false, message: message.into(), hint: None }
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Why there is no socket, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The system has no room for it.
    #[error(
        "the path of the control socket is too long ({} bytes, at most {MOST_BYTES_OF_PATH}): {}",
        .path.as_os_str().len(),
        .path.display()
    )]
    TooLong {
        /// The socket.
        path: PathBuf,
    },
    /// Somebody is there already.
    #[error("another permitd listens on {}", .path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// Somebody else is at the same place in this moment.
    #[error("another program is setting up {} right now", .path.display())]
    Contended {
        /// The folder.
        path: PathBuf,
    },
    /// Something of another kind stands there; it is left alone.
    #[error("{} is there already, and is not a socket", .path.display())]
    NotASocket {
        /// The socket.
        path: PathBuf,
    },
    /// The socket could not be made.
    #[error("cannot listen on {}", .path.display())]
    Listen {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nobody to ask. Nothing was done.
    #[error("no permitd runs here (nobody listens on {})", .path.display())]
    Absent {
        /// The socket.
        path: PathBuf,
    },
    /// The asker is not let in. Nothing was done.
    #[error("you may not speak to the permitd that listens on {}", .path.display())]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// The request is longer than a daemon reads. Nothing was done.
    #[error("the request is too long")]
    Oversized,
    /// It may have been done.
    #[error("the permitd that listens on {} gave no answer within {}", .path.display(), humantime::format_duration(*.patience))]
    Slow {
        /// The socket.
        path: PathBuf,
        /// How long was waited.
        patience: Duration,
    },
    /// It may have been done.
    #[error("the permitd that listens on {} went away without an answer", .path.display())]
    Gone {
        /// The socket.
        path: PathBuf,
    },
    /// It may have been done.
    #[error("what listens on {} does not answer like a permitd: {what}", .path.display())]
    Garbled {
        /// The socket.
        path: PathBuf,
        /// What is wrong with the answer.
        what: String,
    },
    /// It may have been done.
    #[error("cannot speak to the permitd that listens on {}", .path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ControlError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooLong { .. } => {
                "name a shorter one with `--control`, or `control` of the settings"
            }
            Self::Taken { .. } => {
                "stop it, or give this one a socket of its own with `control` of the settings"
            }
            Self::Contended { .. } => "try again",
            Self::NotASocket { .. } => {
                "move it away, or name another path with `control` of the settings"
            }
            Self::Absent { .. } => {
                "start one with `permitd run`, or name the socket of one that runs elsewhere with `--control`"
            }
            Self::Denied { .. } => "only root and the user that it runs as may",
            Self::Slow { .. } | Self::Gone { .. } | Self::Garbled { .. } | Self::Broken { .. } => {
                "it may have been done, or be done yet: its log tells"
            }
            Self::Listen { .. } | Self::Oversized => return None,
        })
    }
}

#[cfg(test)]
mod tests;
