//! Webhooks over TLS, with an authority of our own: it is trusted where somebody says so, and a proxy is taken
//! where somebody names one.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use super::{events, lambda, receiver::Got, room};
use crate::commands::harness::{
    Room, account, eventually,
    tls::{certificates, proxy},
};

/// Prints its port, and then each request as one line of JSON.
const SERVER: &str = "
import http.server, json, ssl
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length'])).decode()
        print(json.dumps({'line': self.requestline, 'head': str(self.headers), 'body': body}), flush=True)
        self.send_response(200)
        self.send_header('content-length', '0')
        self.end_headers()
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Hook)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('leaf.pem', 'leaf.key')
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
server.serve_forever()
";

/// Until it is dropped.
struct Server {
    child: Child,
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// None where this machine lacks what it takes.
    fn start(room: &Room) -> Option<Self> {
        if !certificates(room) {
            return None;
        }
        let mut command: Command = room.command("python3");
        command.args(["-c", SERVER]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = out.next().unwrap().parse().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        thread::spawn(move || out.for_each(|it| kept.lock().unwrap().push(it)));
        Some(Self { child, port, lines })
    }

    #[track_caller]
    fn got(&self, n: usize) -> Vec<Got> {
        let lines = eventually(&format!("{n} requests"), || {
            let lines = self.lines.lock().unwrap().clone();
            (lines.len() >= n).then_some(lines)
        });
        let got = |it: &String| {
            let it: serde_json::Value = serde_json::from_str(it).unwrap();
            let part = |name: &str| it[name].as_str().unwrap().to_owned();
            Got { line: part("line"), head: part("head"), body: part("body") }
        };
        lines.iter().map(got).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn it_is_spoken_with_whom_the_authorities_name_and_through_the_proxy_of_the_environment() {
    let lambda = lambda(&[account("rogue", "210987654321")]);
    let room = room(&lambda, "[{url_file: hook.url}]");
    let Some(server) = Server::start(&room) else { return };
    room.write("hook.url", &format!("https://localhost:{}/T0P\n", server.port));
    // Nobody has said that it is to be trusted.
    let mut daemon = room.start("run");
    daemon.logs("notification not sent yet");
    assert!(daemon.err().contains("UnknownIssuer"), "{}", daemon.err());
    daemon.stops();
    let (proxy, asked) = proxy();
    let mut room = room.with("SSL_CERT_FILE", "ca.pem").with("HTTPS_PROXY", &proxy);
    // By the proxy, and not by the proxy.
    for (n, not_by) in [(1, ""), (2, "localhost")] {
        lambda.grant("f", "other", "210987654321");
        room = room.with("NO_PROXY", not_by);
        let mut daemon = room.start("run");
        let got = server.got(n).pop().unwrap();
        assert_eq!(got.line, "POST /T0P HTTP/1.1");
        assert_eq!(events(&got)[0], "drift_found other");
        daemon.stops();
        let asked = asked.lock().unwrap().clone();
        assert_eq!(asked, [format!("CONNECT localhost:{} HTTP/1.1", server.port)]);
        assert!(!daemon.err().contains("T0P"), "{}", daemon.err());
    }
}

/// What AWS is trusted by, receivers are, too.
#[test]
fn a_bundle_of_the_flag_is_for_receivers_too() {
    let lambda = lambda(&[account("rogue", "210987654321")]);
    let room = room(&lambda, "[{url_file: hook.url}]");
    let Some(server) = Server::start(&room) else { return };
    room.write("hook.url", &format!("https://localhost:{}/T0P\n", server.port));
    let mut daemon = room.start("run --ca-bundle ca.pem");
    assert_eq!(events(&server.got(1)[0])[0], "drift_found rogue");
    daemon.stops();
}
