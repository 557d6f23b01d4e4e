//! Asks a running daemon.

use std::{io, path::Path, time::Duration};

use tokio::{io::AsyncWriteExt, net::UnixStream, time::timeout};

use crate::daemon::control::{
    Answer, ControlError, Request,
    protocol::{LONGEST_ANSWER, LONGEST_REQUEST, Line, read_line},
    server::check_length,
};

/// The daemon answers between two steps; a step may wait for a write in flight, or for the budget.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks, and waits for the answer; an answer that says no is not an error.
pub async fn ask(
    path: &Path,
    request: &Request,
    patience: Duration,
) -> Result<Answer, ControlError> {
    check_length(path)?;
    let slow = || ControlError::Slow { path: path.to_owned(), patience };
    timeout(patience, converse(path, request)).await.unwrap_or_else(|_| Err(slow()))
}

async fn converse(path: &Path, request: &Request) -> Result<Answer, ControlError> {
    let line = request.line();
    if line.len() > LONGEST_REQUEST {
        return Err(ControlError::Oversized);
    }
    let owned = || path.to_owned();
    let mut stream = UnixStream::connect(path).await.map_err(|it| unreachable(path, it))?;
    // A daemon that refuses the asker answers without reading; its answer tells more than this error.
    let written = stream.write_all(line.as_bytes()).await;
    let answer = match read_line(&mut stream, LONGEST_ANSWER).await {
        Ok(it) => it,
        Err(source) if is_gone(&source) => Line::Nothing,
        Err(source) => return Err(ControlError::Broken { path: owned(), source }),
    };
    match (answer, written) {
        (Line::Whole(it), _) => {
            Answer::of_line(&it).map_err(|what| ControlError::Garbled { path: owned(), what })
        }
        (Line::TooLong, _) => {
            Err(ControlError::Garbled { path: owned(), what: "it does not end".to_owned() })
        }
        (Line::Nothing, Err(source)) if !is_gone(&source) => {
            Err(ControlError::Broken { path: owned(), source })
        }
        (Line::Nothing, _) => Err(ControlError::Gone { path: owned() }),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

fn unreachable(path: &Path, source: io::Error) -> ControlError {
    let path = path.to_owned();
    // What is not a socket refuses connections, too.
    let absent =
        [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory, io::ErrorKind::ConnectionRefused];
    if absent.contains(&source.kind()) {
        ControlError::Absent { path }
    } else if source.kind() == io::ErrorKind::PermissionDenied {
        ControlError::Denied { path }
    } else {
        ControlError::Broken { path, source }
    }
}
