//! The socket of systemd's journal, in its native protocol: a datagram an event.

use std::{
    io,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    sync::Arc,
};

use tracing_subscriber::fmt::MakeWriter;

use crate::cli::progress::to_stderr;

/// Where it is, on every machine with systemd.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";

/// Sends to the journal. The socket is not connected, so that a journal that was restarted is found again.
#[derive(Debug, Clone)]
pub(super) struct Journal(Arc<(UnixDatagram, PathBuf)>);

impl Journal {
    /// Fails where nobody listens.
    pub(super) fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        let (socket, path) = (UnixDatagram::unbound()?, path.as_ref().to_owned());
        // The journal ignores what is empty.
        socket.send_to(&[], &path)?;
        Ok(Self(Arc::new((socket, path))))
    }
}

impl io::Write for Journal {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        let (socket, path) = &*self.0;
        match socket.send_to(entry, path) {
            Ok(_) => Ok(entry.len()),
            // It is too long, or nobody listens now: stderr goes to the journal as well, without the fields.
            Err(_) => to_stderr(message(entry)).map(|()| entry.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line of an entry that is for people, with its end.
fn message(entry: &[u8]) -> &[u8] {
    let mut lines = entry.split_inclusive(|it| *it == b'\n');
    lines.find_map(|it| it.strip_prefix(b"MESSAGE=")).unwrap_or_default()
}

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn an_entry_is_a_datagram() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        assert!(Journal::connect(&path).is_err(), "nobody listens yet");
        let server = UnixDatagram::bind(&path).unwrap();
        let mut journal = Journal::connect(&path).unwrap();
        let mut buffer = [0; 100];
        assert_eq!(server.recv(&mut buffer).unwrap(), 0);
        let entry = b"PRIORITY=6\nMESSAGE=m\n";
        journal.write_all(entry).unwrap();
        let n = server.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], entry);

        // A new one in the same place is spoken to, and where there is none nothing fails.
        drop(server);
        std::fs::remove_file(&path).unwrap();
        journal.write_all(entry).unwrap();
        let server = UnixDatagram::bind(&path).unwrap();
        journal.write_all(entry).unwrap();
        assert_eq!(server.recv(&mut buffer).unwrap(), entry.len());
    }

    #[test]
    fn what_cannot_be_sent_is_told_without_its_fields() {
        assert_eq!(
            message(b"PRIORITY=6\nMESSAGE=pass done n=1\nPERMITD_N=1\n"),
            b"pass done n=1\n"
        );
    }
}
