//! What the daemon answers over HTTP, and what it does with who means harm.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use permitd::observe::{
    http::{self, Listening, Site},
    monitor::Monitor,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn clock() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

async fn start(hosts: &[&str]) -> (Arc<Monitor>, Listening) {
    let monitor = Arc::new(Monitor::default());
    let hosts = hosts.iter().map(ToString::to_string).collect();
    let site = Arc::new(Site::new(Arc::clone(&monitor), clock, hosts));
    let listener = http::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    (monitor, Listening::start_here(listener, site).unwrap())
}

/// Sends this, and reads until the connection is closed.
async fn say(server: &Listening, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // It may be closed before everything is written.
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(server: &Listening, path: &str, more: &str) -> String {
    let text = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n");
    say(server, text.as_bytes()).await
}

fn status_of(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn alive_at_once_and_ready_for_good_once_it_was() {
    let (monitor, server) = start(&[]).await;
    assert_eq!(status_of(&get(&server, "/livez", "").await), "200");
    assert_eq!(status_of(&get(&server, "/readyz", "").await), "503");
    monitor.set_ready();
    assert_eq!(status_of(&get(&server, "/readyz", "").await), "200");
    monitor.refused("permissions.yaml:1:1: nonsense".to_owned(), clock());
    assert_eq!(status_of(&get(&server, "/readyz", "").await), "200");
    assert_eq!(status_of(&get(&server, "/nothing", "").await), "404");
    server.close().await;
}

#[tokio::test]
async fn a_loop_that_is_stuck_is_not_alive() {
    let (monitor, server) = start(&[]).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(monitor.is_alive());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(!monitor.is_alive());
    tokio::time::resume();
    assert_eq!(status_of(&get(&server, "/livez", "").await), "503");
    monitor.beat();
    assert_eq!(status_of(&get(&server, "/livez", "").await), "200");
}

#[tokio::test]
async fn the_status_is_json_and_is_sent_once_to_who_keeps_it() {
    let (_monitor, server) = start(&[]).await;
    let answer = get(&server, "/status", "").await;
    assert_eq!(status_of(&answer), "200");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    for line in [
        "content-type: application/json",
        "x-content-type-options: nosniff",
        "cache-control: no-cache",
    ] {
        assert!(head.contains(line), "{head}");
    }
    let status: Value = serde_json::from_str(body).unwrap();
    assert_eq!(status["format_version"], "1.0");
    assert_eq!(status["summary"]["states"]["in_sync"], 0);
    assert_eq!(status["config"]["last_reload_successful"], false);
    let tag = head.lines().find_map(|it| it.strip_prefix("etag: ")).unwrap().to_owned();
    let again = get(&server, "/status", &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!(status_of(&again), "304");
}

#[tokio::test]
async fn nothing_is_changed_and_no_foreign_name_is_answered_to() {
    let (_monitor, server) = start(&["permitd.example.com"]).await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        for path in ["/status", "/-/reload", "/-/pass"] {
            let text = format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            );
            let answer = say(&server, text.as_bytes()).await;
            assert_eq!(status_of(&answer), "405", "{method} {path}");
        }
    }
    for (host, status) in [
        ("Host: evil.example\r\n", "421"),
        ("Host: permitd.example.com:9187\r\n", "200"),
        ("Host: [::1]:9187\r\n", "200"),
        ("", "400"),
    ] {
        let text = format!("GET /livez HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        assert_eq!(status_of(&say(&server, text.as_bytes()).await), status, "{host}");
    }
    assert_eq!(status_of(&say(&server, b"GET /livez HTTP/1.0\r\n\r\n").await), "200");
}

#[tokio::test]
async fn garbage_and_huge_heads_are_refused_and_harmless() {
    let (_monitor, server) = start(&[]).await;
    let huge = format!(
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Huge: {}\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let many: Vec<String> = (0..1000).map(|it| format!("X-{it}: a\r\n")).collect();
    let many = many.concat();
    let many = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    let garbage: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        huge.as_bytes(),
        many.as_bytes(),
    ];
    for bytes in garbage {
        let answer = say(&server, bytes).await;
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    assert_eq!(status_of(&get(&server, "/livez", "").await), "200");
}

/// It is answered on a thread of its own: here the only thread of the runtime waits for the answer, as a loop that
/// is busy would.
#[tokio::test(flavor = "current_thread")]
async fn a_busy_loop_holds_up_no_answer() {
    use std::io::{Read, Write};
    let (monitor, clock) = (Arc::new(Monitor::default()), clock as fn() -> Timestamp);
    let site = Arc::new(Site::new(monitor, clock, Vec::new()));
    let listener = http::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let server = Listening::start(listener, site).unwrap();
    for path in ["/livez", "/metrics", "/status", "/"] {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(status_of(&answer), "200", "{path}");
    }
    let address = server.address;
    server.close().await;
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens after that");
}

/// Who sends a head byte by byte, or nothing, is given up; everybody else is answered meanwhile.
#[tokio::test(flavor = "current_thread")]
async fn slow_clients_are_given_up() {
    let (_monitor, server) = start(&[]).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\nHo").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(status_of(&get(&server, "/livez", "").await), "200");
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(3)).await;
    tokio::time::resume();
    for mut stream in slow {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest));
        assert!(end.await.is_ok(), "a slow client is still connected");
    }
}
