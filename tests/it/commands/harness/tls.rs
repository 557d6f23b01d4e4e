//! TLS with an authority of our own, and a proxy.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use super::Room;

/// An authority, and what it says about `localhost`.
const CERTIFICATES: &str = "
set -e
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ours -keyout ca.key -out ca.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout leaf.key -out leaf.csr
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > leaf.ext
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -days 2 -extfile leaf.ext -out leaf.pem
";

/// Prints its port, and carries what comes over TLS to somebody who knows none.
const FRONT: &str = "
import socket, ssl, sys, threading
host, port = sys.argv[1].rsplit(':', 1)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('leaf.pem', 'leaf.key')
def pump(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    try:
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass
def serve(plain):
    try:
        there = context.wrap_socket(plain, server_side=True)
    except OSError:
        return
    here = socket.create_connection((host, int(port)))
    threading.Thread(target=pump, args=(there, here), daemon=True).start()
    pump(here, there)
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
while True:
    plain, _ = listener.accept()
    threading.Thread(target=serve, args=(plain,), daemon=True).start()
";

/// Makes an authority, `ca.pem`, and what it says about `localhost`; false where this machine lacks what it takes.
pub(crate) fn certificates(room: &Room) -> bool {
    let has = |program: &str, word: &str| {
        room.command(program).arg(word).output().is_ok_and(|it| it.status.success())
    };
    if !has("python3", "--version") || !has("openssl", "version") {
        let mut err = std::io::stderr();
        writeln!(err, "SKIPPED: no python3, or no openssl").unwrap();
        return false;
    }
    let made = room.command("sh").args(["-c", CERTIFICATES]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    true
}

/// TLS in front of a server, until it is dropped.
pub(crate) struct Front {
    child: Child,
    pub(crate) url: String,
}

impl Front {
    /// With the certificates in this room.
    pub(crate) fn of(endpoint: &str, room: &Room) -> Self {
        let mut command = room.command("python3");
        command.args(["-c", FRONT, endpoint.strip_prefix("http://").unwrap()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { child, url: format!("https://localhost:{}", port.trim()) }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A proxy that lets everybody through, and remembers where to.
pub(crate) fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let kept = Arc::clone(&kept);
            thread::spawn(move || tunnel(stream, &kept));
        }
    });
    (url, asked)
}

fn tunnel(mut stream: TcpStream, asked: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|it| it == 1) {
        head.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    asked.lock().unwrap().push(line.clone());
    let Some(port) = line.split(' ').nth(1).and_then(|it| it.split(':').nth(1)) else { return };
    let mut server = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let (mut there, mut back) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || drop(std::io::copy(&mut there, &mut back)));
    drop(std::io::copy(&mut server, &mut stream));
}
