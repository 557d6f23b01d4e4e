//! The daemon's end of the control socket: who may ask, what is bounded, and where the file goes.
//!
//! One task accepts and owns one task for each connection; requests come to the daemon's loop through a channel, so
//! that a client that is slow, silent or gone is nobody's trouble but its own.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixStream as Probe,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::{UnixListener, UnixStream, unix::UCred},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::daemon::control::{
    Answer, ControlError, Request,
    protocol::{LONGEST_REQUEST, Line, read_line},
};

/// `sun_path` of Linux is 108 bytes, the last one zero.
pub const MOST_BYTES_OF_PATH: usize = 107;

/// People ask, one or two at a time; the next ones wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 16;

/// A request is written at once; this is for a machine that swaps.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was answered is on its way already; nobody waits longer for a client when the daemon stops.
const GOODBYE: Duration = Duration::from_secs(1);

/// Accepting fails when there are no file descriptors left; trying again at once would be a hot loop.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_secs(1);

/// The socket, and those who speak to it.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    /// Device and inode of the file, until it is removed. Its inode is not given to another file while we listen.
    file: Option<(u64, u64)>,
    asked: mpsc::Receiver<(Request, Reply)>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// The way back to the one who asked; dropped without an answer, it tells that the daemon is stopping.
#[derive(Debug)]
pub struct Reply(oneshot::Sender<Answer>);

impl Reply {
    /// Answers. Whoever asked may be gone by now, and then nobody is told.
    pub fn send(self, answer: Answer) {
        drop(self.0.send(answer));
    }
}

impl Server {
    /// Listens; to be called within a runtime.
    ///
    /// The folder is made if it is missing. A socket that nobody listens on is left from a daemon that was killed:
    /// it is replaced. Anything else that stands there is an error.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        check_length(path)?;
        let failed = |source| ControlError::Listen { path: path.to_owned(), source };
        let folder = match path.parent() {
            Some(it) if !it.as_os_str().is_empty() => it,
            Some(_) | None => Path::new("."),
        };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        // Of two daemons that start at once, the second must not take the first one's socket for a stale one.
        let lock = File::open(folder).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ControlError::Contended { path: folder.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        clear(path)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        let made = fs::symlink_metadata(path).map_err(failed)?;
        let (asked_in, asked) = mpsc::channel(MOST_CONNECTIONS);
        let stop = CancellationToken::new();
        // From here on the file goes away with the server, also if what follows fails.
        let mut res = Self {
            path: path.to_owned(),
            file: Some((made.dev(), made.ino())),
            asked,
            tasks: JoinSet::new(),
            stop: stop.clone(),
        };
        // Until this is done, who asks is only held off by the check of the asker.
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        let own_uid = rustix::process::geteuid().as_raw();
        res.tasks.spawn(accept(listener, own_uid, asked_in, stop));
        Ok(res)
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next request, and the way to answer it.
    ///
    /// Cancel-safe: a request stays in the channel until it is taken.
    pub async fn next(&mut self) -> (Request, Reply) {
        match self.asked.recv().await {
            Some(it) => it,
            // The task that accepts is gone: a daemon that cannot be asked still does its work.
            None => std::future::pending().await,
        }
    }

    /// Stops listening, lets answers go out that were given already, and tells the rest that the daemon is stopping.
    ///
    /// Dropping the server stops at once; whoever waits then sees the connection end.
    pub async fn close(mut self) {
        self.remove_file();
        self.stop.cancel();
        self.asked.close();
        while let Some((request, reply)) = self.asked.recv().await {
            reply.send(not_done(&request));
        }
        if timeout(GOODBYE, self.tasks.join_next()).await.is_err() {
            tracing::debug!("somebody at the control socket did not take the answer");
        }
    }

    fn remove_file(&mut self) {
        let Some(file) = self.file.take() else { return };
        let ours = |it: &fs::Metadata| (it.dev(), it.ino()) == file;
        if fs::symlink_metadata(&self.path).is_ok_and(|it| ours(&it))
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the control socket");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.remove_file();
    }
}

/// Whether somebody may tell this daemon what to do: root and the daemon's own user could do worse without asking.
pub fn may_control(peer_uid: u32, own_uid: u32) -> bool {
    peer_uid == 0 || peer_uid == own_uid
}

pub(crate) fn check_length(path: &Path) -> Result<(), ControlError> {
    if path.as_os_str().as_bytes().len() > MOST_BYTES_OF_PATH {
        return Err(ControlError::TooLong { path: path.to_owned() });
    }
    Ok(())
}

/// Takes away what a daemon that was killed left behind, and nothing else.
fn clear(path: &Path) -> Result<(), ControlError> {
    let owned = || path.to_owned();
    let failed = |source| ControlError::Listen { path: owned(), source };
    match fs::symlink_metadata(path) {
        Err(it) if it.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(source)),
        Ok(it) if !it.file_type().is_socket() => {
            return Err(ControlError::NotASocket { path: owned() });
        }
        Ok(_) => {}
    }
    match Probe::connect(path) {
        Ok(_) => Err(ControlError::Taken { path: owned() }),
        Err(it) if it.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(source) => Err(failed(source)),
    }
}

async fn accept(
    listener: UnixListener,
    own_uid: u32,
    asked: mpsc::Sender<(Request, Reply)>,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        // Each arm is cancel-safe: a level, a task that stays in the set, a connection that stays in the queue.
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a conversation over the control socket broke down");
                }
            }
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, own_uid, asked.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection to the control socket");
                    sleep(AFTER_FAILED_ACCEPT).await;
                }
            }
        }
    }
    drop((listener, asked));
    while connections.join_next().await.is_some() {}
}

async fn converse(mut stream: UnixStream, own_uid: u32, asked: mpsc::Sender<(Request, Reply)>) {
    let answer = match stream.peer_cred() {
        Ok(peer) if may_control(peer.uid(), own_uid) => hear(&mut stream, peer, asked).await,
        Ok(peer) => {
            tracing::warn!(uid = peer.uid(), pid = peer.pid(), "refused at the control socket");
            let only =
                if own_uid == 0 { "root".to_owned() } else { format!("root and uid {own_uid}") };
            Some(Answer::refused(format!("only {only} may do this")))
        }
        Err(error) => {
            tracing::warn!(%error, "refused at the control socket, for the system does not tell who asks");
            Some(Answer::refused("the system does not tell who asks"))
        }
    };
    let Some(answer) = answer else { return };
    match timeout(PATIENCE, stream.write_all(answer.line().as_bytes())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "whoever asked is gone"),
        Err(_) => tracing::debug!("whoever asked does not read the answer"),
    }
}

/// What to answer; nothing to those who said nothing.
async fn hear(
    stream: &mut UnixStream,
    peer: UCred,
    asked: mpsc::Sender<(Request, Reply)>,
) -> Option<Answer> {
    let line = match timeout(PATIENCE, read_line(&mut *stream, LONGEST_REQUEST)).await {
        Ok(Ok(Line::Whole(it))) => it,
        Ok(Ok(Line::Nothing)) => return None,
        Ok(Ok(Line::TooLong)) => {
            let most = LONGEST_REQUEST / 1024;
            return Some(Answer::refused(format!("a request is a line of at most {most} KiB")));
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "whoever asked is gone");
            return None;
        }
        Err(_) => {
            let within = PATIENCE.as_secs();
            return Some(Answer::refused(format!("no request came within {within} seconds")));
        }
    };
    let request = match Request::of_line(&line) {
        Ok(it) => it,
        Err(answer) => return Some(answer),
    };
    let name = request.name();
    tracing::info!(
        request = name,
        uid = peer.uid(),
        pid = peer.pid(),
        "asked at the control socket"
    );
    let (reply, answer) = oneshot::channel();
    if let Err(mpsc::error::SendError((request, _))) = asked.send((request, Reply(reply))).await {
        return Some(not_done(&request));
    }
    // No time limit: how long it takes is for the daemon to know, and how long to wait for the client.
    let unanswered = |_| {
        Answer::refused(format!(
            "permitd is stopping, and did not tell what became of this: {name}"
        ))
        .hint("it may have been done: its log tells")
    };
    Some(answer.await.unwrap_or_else(unanswered))
}

fn not_done(request: &Request) -> Answer {
    Answer::refused(format!("permitd is stopping, and did not do this: {}", request.name()))
}
