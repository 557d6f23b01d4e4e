//! A receiver of webhooks that says what it was told to, and remembers what it got.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use crate::commands::harness::eventually;

/// One on a port of its own, until the tests end.
pub(super) struct Receiver {
    pub(super) url: String,
    memory: Arc<Memory>,
}

#[derive(Default)]
struct Memory {
    answers: Mutex<Vec<String>>,
    got: Mutex<Vec<Got>>,
    raw: Mutex<Vec<u8>>,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: String,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    #[track_caller]
    pub(super) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|it| it.split_once(": "));
        let mut found = lines.filter(|(it, _)| it.eq_ignore_ascii_case(name));
        found.next().map_or_else(|| panic!("no {name}: {}", self.head), |(_, it)| it)
    }
}

impl Receiver {
    /// Answers with these, one after the other, and then with 200: a status, a status with how long to wait, `hang`.
    pub(super) fn new(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let memory = Arc::new(Memory::default());
        *memory.answers.lock().unwrap() = answers.iter().rev().map(ToString::to_string).collect();
        let kept = Arc::clone(&memory);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let memory = Arc::clone(&kept);
                thread::spawn(move || memory.serve(stream));
            }
        });
        Self { url, memory }
    }

    /// All requests, once there are so many.
    #[track_caller]
    pub(super) fn got(&self, n: usize) -> Vec<Got> {
        eventually(&format!("{n} requests"), || {
            let got = self.memory.got.lock().unwrap().clone();
            (got.len() >= n).then_some(got)
        })
    }

    /// The bytes that came first.
    pub(super) fn raw(&self) -> Vec<u8> {
        self.memory.raw.lock().unwrap().clone()
    }
}

impl Memory {
    fn serve(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(n) = stream.read(&mut buffer) {
            if n == 0 {
                return;
            }
            bytes.extend_from_slice(&buffer[..n]);
            self.raw.lock().unwrap().clone_from(&bytes);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.to_lowercase().lines().find_map(|it| {
                it.strip_prefix("content-length: ").and_then(|it| it.parse::<usize>().ok())
            });
            if body.len() < length.unwrap_or_default() {
                continue;
            }
            let (line, rest) = head.split_once("\r\n").unwrap();
            let got = Got { line: line.into(), head: rest.into(), body: body.into() };
            let answer = self.answers.lock().unwrap().pop().unwrap_or_else(|| "200".to_owned());
            self.got.lock().unwrap().push(got);
            if answer == "hang" {
                // Until the other side has enough.
                drop(stream.read(&mut buffer));
                return;
            }
            let (status, after) = answer.split_once(' ').unwrap_or((&answer, ""));
            let after =
                if after.is_empty() { String::new() } else { format!("retry-after: {after}\r\n") };
            let text = format!(
                "HTTP/1.1 {status} X\r\n{after}content-length: 0\r\nconnection: close\r\n\r\n"
            );
            drop(stream.write_all(text.as_bytes()));
            return;
        }
    }
}
