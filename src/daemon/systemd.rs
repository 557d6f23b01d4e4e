//! What systemd is told (`sd_notify(3)`). Where nobody listens, all of it does nothing.
//!
//! The datagrams are worded by `sd-notify` and sent from here: that crate knows no abstract sockets, and may wait
//! for a reader for ever.

use std::{
    ffi::OsStr,
    io,
    os::unix::net::{SocketAddr, UnixDatagram},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sd_notify::NotifyState;

use crate::drift::{allow::Mode, outcome::State};
use crate::observe::board::View;
use crate::report::palette::safe;

/// How long somebody who does not listen may hold up what has to be heard.
const PATIENCE: Duration = Duration::from_secs(5);
/// While it stops, it says again and again that it is at work, and has so much time from then on.
const EXTENSION: Duration = Duration::from_mins(1);
/// systemd drops a datagram of more than 4096 bytes, whatever else it says.
const LONGEST_STATUS: usize = 1000;

/// The way to systemd.
#[derive(Debug, Default)]
pub struct Systemd {
    socket: Option<SocketAddr>,
    watchdog: Option<Duration>,
    stopping: AtomicBool,
    is_deaf: AtomicBool,
    status: Mutex<String>,
}

impl Systemd {
    /// As the environment has it.
    pub fn from_environment() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|it| !it.is_empty());
        Self::new(socket.as_deref(), sd_notify::watchdog_enabled())
    }

    /// To this socket, and with a watchdog that bites after so long.
    pub fn new(socket: Option<&OsStr>, watchdog: Option<Duration>) -> Self {
        let mut res = Self { watchdog: watchdog.filter(|it| !it.is_zero()), ..Self::default() };
        match socket.map(address).transpose() {
            Ok(it) => res.socket = it,
            Err(error) => res.is_not_heard(&error),
        }
        res
    }

    /// The configuration is in force, and everything that is served is bound. Also where a new configuration was
    /// refused: the old one goes on.
    pub fn ready(&self, view: impl FnOnce() -> View) {
        if self.socket.is_none() {
            return;
        }
        let status = line(&view());
        self.tell(&[NotifyState::Ready, NotifyState::Status(&status)], PATIENCE);
        self.is_new(status);
    }

    /// The files are good, and AWS has to answer first, as it does not for this reason. Nobody's start is held up by
    /// that.
    pub fn waits(&self, why: &str) {
        let status = shortened(format!("nothing is managed yet: {}", safe(why)));
        self.tell(&[NotifyState::Ready, NotifyState::Status(&status)], PATIENCE);
    }

    /// A configuration is being loaded; with the time in the same datagram, as `Type=notify-reload` asks for.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now], PATIENCE),
            Err(_) => self.tell(&[NotifyState::Reloading], PATIENCE),
        }
    }

    /// How everything stands, for `systemctl status`, if that is new.
    pub fn status(&self, view: impl FnOnce() -> View) {
        if self.socket.is_none() || self.stopping.load(Ordering::Relaxed) {
            return;
        }
        let status = line(&view());
        if self.is_new(status.clone()) {
            self.tell(&[NotifyState::Status(&status)], PATIENCE);
        }
    }

    /// The loop is alive. Only the loop says so: one that is stuck is to be restarted.
    pub fn alive(&self) {
        let mut states = Vec::new();
        if self.watchdog.is_some() {
            states.push(NotifyState::Watchdog);
        }
        if self.stopping.load(Ordering::Relaxed) {
            states.push(extension());
        }
        if !states.is_empty() {
            // One that finds no room is not waited for: the next one says the same.
            self.tell(&states, Duration::ZERO);
        }
    }

    /// It ends, once what is in flight is finished.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        let status = NotifyState::Status("stopping: finishing what is in flight");
        self.tell(&[NotifyState::Stopping, status, extension()], PATIENCE);
    }

    /// How often the loop has to say that it is alive, which otherwise does it so often.
    pub fn pulse(&self, usual: Duration) -> Duration {
        let watched = |it: Duration| usual.min(it / 3).max(Duration::from_millis(10));
        self.watchdog.map_or(usual, watched)
    }

    /// Whether this was not what was told last.
    fn is_new(&self, status: String) -> bool {
        let mut told = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *told != status;
        *told = status;
        is_new
    }

    fn tell(&self, states: &[NotifyState<'_>], patience: Duration) {
        let Some(socket) = &self.socket else { return };
        let lines: Vec<String> = states.iter().map(|it| format!("{it}\n")).collect();
        let text = lines.concat();
        match send(&text, socket, patience) {
            Err(error) if patience.is_zero() && error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => self.is_not_heard(&error),
            Ok(()) => {}
        }
    }

    /// Told once: nothing changes about it, and the daemon does its work without.
    fn is_not_heard(&self, error: &io::Error) {
        if !self.is_deaf.swap(true, Ordering::Relaxed) {
            let hint = "NOTIFY_SOCKET names no socket that systemd listens on";
            tracing::warn!(%error, hint, "systemd cannot be told how permitd does");
        }
    }
}

/// A path, or with an `@` in front a name in the abstract namespace of Linux.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_encoded_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}

fn send(text: &str, socket: &SocketAddr, patience: Duration) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    if patience.is_zero() {
        sender.set_nonblocking(true)?;
    } else {
        sender.set_write_timeout(Some(patience))?;
    }
    sender.send_to_addr(text.as_bytes(), socket).map(|_| ())
}

fn extension() -> NotifyState<'static> {
    NotifyState::ExtendTimeoutUsec(u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX))
}

/// Everything in one line: what is wrong, how everything stands, and since when that is known.
fn line(view: &View) -> String {
    let refused = view.config.refused.as_ref().map(|(_, why)| {
        format!("the new configuration is refused, the old one stays: {}", safe(why))
    });
    if let Some(lease) = view.lease.as_ref().filter(|it| !it.leads) {
        let who = lease.holder.as_deref().map_or("nobody".to_owned(), safe);
        let stands = format!("stands by, {who} leads; {}", targets(view));
        let trouble = lease.trouble.as_ref().map(|it| format!("the lease: {}", safe(it)));
        return shortened(
            refused.into_iter().chain(trouble).chain([stands]).collect::<Vec<_>>().join("; "),
        );
    }
    let last = view.places.values().filter_map(|it| it.last_full.as_ref()).max_by_key(|it| it.at);
    let (stands, passed) = if let Some(pass) = last {
        let at = pass.at.strftime("%H:%M:%S");
        (sum(view), format!("last pass {at} UTC, {:.1} s", pass.seconds))
    } else {
        let mode = view.config.mode.map_or("", Mode::name);
        (format!("{}, {mode}", targets(view)), "no pass is through yet".to_owned())
    };
    let parts: Vec<String> = refused.into_iter().chain([stands, passed]).collect();
    shortened(parts.join("; "))
}

fn sum(view: &View) -> String {
    let count = |state| view.targets.iter().filter(|it| it.state == state).count();
    let open = || view.targets.iter().map(|it| &it.open);
    let differ = open().filter(|it| !it.is_empty()).count();
    let held = open().flatten().filter(|it| it.held.is_some()).count();
    let (of, verb) = (targets(view), if differ == 1 { "differs" } else { "differ" });
    let unknown = count(State::Unknown);
    let failed = match count(State::Failed) {
        0 => String::new(),
        n => format!(", {n} failed"),
    };
    format!("{differ} of {of} {verb}, {held} held, {unknown} unknown{failed}")
}

fn targets(view: &View) -> String {
    let n = view.targets.len();
    format!("{n} target{}", if n == 1 { "" } else { "s" })
}

/// At most so many bytes. The end says how things stand, and the beginning what is wrong: the middle goes.
fn shortened(text: String) -> String {
    let Some(too_many) = text.len().checked_sub(LONGEST_STATUS).filter(|it| *it > 0) else {
        return text;
    };
    let middle = LONGEST_STATUS / 2;
    let head = text.floor_char_boundary(middle);
    let tail = text.ceil_char_boundary(middle + too_many + "…".len());
    format!("{}…{}", text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
