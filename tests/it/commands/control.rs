//! `approve`, `pause` and `resume`, said to somebody who answers like a daemon.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixListener,
    path::Path,
    thread::{self, JoinHandle},
};

use super::harness::{Room, Said};

/// Answers one line to one line, and gives what it was asked.
fn daemon(path: &Path, answer: &'static str) -> JoinHandle<String> {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = String::new();
        BufReader::new(&stream).read_line(&mut asked).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        asked
    })
}

fn room() -> Room {
    Room::new().with("PERMITD_CONTROL", "control.sock")
}

/// What was asked, and what the command said to this answer.
fn said(words: &str, answer: &'static str) -> (String, Said) {
    let room = room();
    let daemon = daemon(&room.path("control.sock"), answer);
    let said = room.permitd(words);
    (daemon.join().unwrap(), said)
}

#[test]
fn what_is_typed_is_what_is_asked() {
    for (words, expected) in [
        ("approve 0123ABCD", r#"{"version":1,"request":"approve","digest":"0123abcd"}"#),
        ("pause", r#"{"version":1,"request":"pause"}"#),
        (
            "pause f:live --for 1h",
            r#"{"version":1,"request":"pause","target":"f:live","for_seconds":3600}"#,
        ),
        ("pause --for 90s", r#"{"version":1,"request":"pause","for_seconds":90}"#),
        ("resume", r#"{"version":1,"request":"resume"}"#),
        ("resume f", r#"{"version":1,"request":"resume","target":"f"}"#),
    ] {
        let (asked, said) = said(words, "{\"ok\":true,\"message\":\"as you say\"}\n");
        assert_eq!(asked, format!("{expected}\n"), "{words}");
        said.is(0, "as you say\n", "");
    }
}

#[test]
fn a_no_is_told_with_its_hint() {
    let answer = "{\"ok\":false,\"error\":\"nothing is held under 0123abcd\",\"hint\":\"see `permitd plan`\"}\n";
    let (_, answered) = said("approve 0123abcd", answer);
    let expected = "error: nothing is held under 0123abcd\nhint: see `permitd plan`\n";
    answered.is(1, "", expected);
    let (_, answered) = said("resume", "{\"ok\":false,\"error\":\"only root may do this\"}\n");
    answered.is(1, "", "error: only root may do this\n");
}

#[test]
fn what_the_daemon_quotes_does_not_command_the_terminal() {
    let (_, said) = said("pause", "{\"ok\":true,\"message\":\"paused\\n  f\\u001b[2J\"}\n");
    said.is(0, "paused\n  f\\u{1b}[2J\n", "");
}

#[test]
fn nobody_to_ask() {
    let expected = "\
error: no permitd runs here (nobody listens on control.sock)
hint: start one with `permitd run`, or name the socket of one that runs elsewhere with `--control`
";
    for words in ["approve 0123abcd", "pause", "resume"] {
        room().permitd(words).is(1, "", expected);
    }
    // A daemon that was killed leaves its file.
    let room = room();
    drop(UnixListener::bind(room.path("control.sock")).unwrap());
    room.permitd("pause").is(1, "", expected);
}

#[test]
fn an_answer_that_is_none() {
    let hint = "hint: it may have been done, or be done yet: its log tells\n";
    let (_, answered) = said("pause", "");
    let cause = "the permitd that listens on control.sock went away without an answer";
    answered.is(1, "", &format!("error: {cause}\n{hint}"));
    let (_, answered) = said("pause", "{\"ok\":true}\n");
    let cause = "what listens on control.sock does not answer like a permitd: no `message`";
    answered.is(1, "", &format!("error: {cause}\n{hint}"));
}

#[test]
fn the_socket_is_found_without_being_named() {
    for (key, value, place) in [
        ("RUNTIME_DIRECTORY", "run", "run/control.sock"),
        ("XDG_RUNTIME_DIR", "user", "user/permitd/control.sock"),
    ] {
        let room = Room::new();
        let folder = room.path(value);
        let room = room.with(key, folder.to_str().unwrap());
        let daemon = daemon(&room.path(place), "{\"ok\":true,\"message\":\"found\"}\n");
        room.permitd("resume").is(0, "found\n", "");
        daemon.join().unwrap();
    }
}

#[test]
fn wrong_usage_asks_nobody() {
    let room = room();
    let listener = UnixListener::bind(room.path("control.sock")).unwrap();
    listener.set_nonblocking(true).unwrap();
    for (words, cause) in [
        ("approve", "<DIGEST>"),
        ("approve 0123abc", "a digest is 8 to 64 hex digits"),
        ("approve 0123abcx", "a digest is 8 to 64 hex digits"),
        (&format!("approve {}", "a".repeat(65)), "a digest is 8 to 64 hex digits"),
        ("pause --for 0s", "a pause takes some time"),
        ("pause --for 2years", "a pause takes at most a year"),
        ("pause --for soon", "invalid value 'soon' for '--for <TIME>'"),
        ("pause --for", "a value is required for '--for <TIME>'"),
        ("pause f g", "unexpected argument 'g'"),
        ("resume --for 1h", "unexpected argument '--for'"),
    ] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "`{words}`: {said:?}");
        assert!(said.err.contains(cause), "`{words}`: no `{cause}` in {said:?}");
    }
    let kind = listener.accept().unwrap_err().kind();
    assert_eq!(kind, std::io::ErrorKind::WouldBlock, "nobody was asked");
}
