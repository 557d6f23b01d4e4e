//! What systemd hears, at a socket of the test.

use std::{ffi::OsString, os::unix::net::UnixDatagram, sync::Arc};

use super::*;
use crate::config::diagnostic::{File, Files};
use crate::config::permissions;
use crate::config::resolve::{Context, resolve};
use crate::drift::diff::Kind;
use crate::observe::board::{Board, PassView};
use crate::observe::standing::Open;

const TWO: &str = "\
account: '123456789012'
region: us-east-1
functions:
  - {function: f, statements: [{sid: a, principal: s3.amazonaws.com}]}
  - {function: g, statements: [{sid: a, principal: s3.amazonaws.com}]}
";

fn board() -> Board {
    let files = Files { files: vec![File::new("p.yaml", TWO.to_owned())], diagnostics: Vec::new() };
    let wanted = resolve(permissions::parse(&files), &Context::default()).unwrap().wanted;
    let board = Board::default();
    board.configured(&wanted, Mode::Enforce, "2026-06-01T10:00:00Z".parse().unwrap());
    board
}

fn passed(board: &Board) {
    let place = board.view().targets[0].target.account_region();
    let at = "2026-06-01T10:02:11Z".parse().unwrap();
    let pass = PassView { at, seconds: 3.123, targets: 2, calls: 2, successful: true };
    board.full_pass_done(&place, pass);
}

/// A socket that waits no longer than a moment.
fn bound(address: &SocketAddr) -> UnixDatagram {
    let socket = UnixDatagram::bind_addr(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn heard(socket: &UnixDatagram) -> Vec<String> {
    let mut bytes = [0; 8192];
    let mut res = Vec::new();
    while let Ok(n) = socket.recv(&mut bytes) {
        res.push(String::from_utf8(bytes[..n].to_vec()).unwrap());
    }
    res
}

#[test]
fn the_line_says_what_is_wrong_and_how_everything_stands() {
    let board = board();
    assert_eq!(line(&board.view()), "2 targets, enforce; no pass is through yet");
    passed(&board);
    let stands = "0 of 2 targets differ, 0 held, 2 unknown; last pass 10:02:11 UTC, 3.1 s";
    assert_eq!(line(&board.view()), stands);
    let mut view = board.view();
    let target = Arc::make_mut(&mut view.targets[0]);
    target.state = State::Failed;
    let held = |held| Open { sid: None, kind: Kind::Missing, held, since: target.since, by: None };
    target.open = vec![held(None), held(Some("last_allow"))];
    let differs = "1 of 2 targets differs, 1 held, 1 unknown, 1 failed; last pass ";
    assert!(line(&view).starts_with(differs), "{}", line(&view));
    let at = "2026-06-01T10:03:00Z".parse().unwrap();
    board.refused("p.yaml:1:1: bad\nREADY=1".to_owned(), at);
    let refused =
        "the new configuration is refused, the old one stays: p.yaml:1:1: bad\\u{a}READY=1; ";
    assert_eq!(line(&board.view()), format!("{refused}{stands}"));
}

#[test]
fn a_long_line_loses_its_middle() {
    let board = board();
    board.refused("ü".repeat(4000), "2026-06-01T10:03:00Z".parse().unwrap());
    let line = line(&board.view());
    assert!(line.len() <= LONGEST_STATUS && line.len() > LONGEST_STATUS - 8, "{}", line.len());
    assert!(line.starts_with("the new configuration is refused"), "{line}");
    assert!(line.ends_with("no pass is through yet"), "{line}");
}

#[test]
fn a_path_and_an_abstract_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify").into_os_string();
    let mut names = vec![path];
    if cfg!(target_os = "linux") {
        names.push(OsString::from(format!("@permitd-test-{}", std::process::id())));
    }
    for name in names {
        let socket = bound(&address(&name).unwrap());
        let systemd = Systemd::new(Some(&name), None);
        let board = board();
        systemd.waits("AWS is\nREADY=1");
        systemd.ready(|| board.view());
        systemd.status(|| board.view());
        passed(&board);
        systemd.status(|| board.view());
        systemd.reloading();
        // Without a watchdog nobody asks.
        systemd.alive();
        systemd.stopping();
        systemd.alive();
        let mut heard = heard(&socket);
        let waits = "READY=1\nSTATUS=nothing is managed yet: AWS is\\u{a}READY=1\n";
        assert_eq!(heard.remove(0), waits);
        assert_eq!(
            heard[0], "READY=1\nSTATUS=2 targets, enforce; no pass is through yet\n",
            "{name:?}"
        );
        assert!(heard[1].starts_with("STATUS=0 of 2 targets differ, "), "{heard:?}");
        let time = heard[2].strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(time.trim_end().parse::<u64>().unwrap() > 0);
        assert!(heard[3].starts_with("STOPPING=1\nSTATUS=stopping"), "{heard:?}");
        assert!(heard[3].ends_with("\nEXTEND_TIMEOUT_USEC=60000000\n"), "{heard:?}");
        assert_eq!(heard[4..], ["EXTEND_TIMEOUT_USEC=60000000\n"]);
    }
}

/// The loop has better things to do than to wait for somebody who does not listen.
#[test]
fn a_watchdog_that_finds_no_room_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = bound(&SocketAddr::from_pathname(&path).unwrap());
    let systemd = Systemd::new(Some(path.as_os_str()), Some(Duration::from_secs(30)));
    for _ in 0..10_000 {
        systemd.alive();
    }
    let heard = heard(&socket);
    assert!(heard.len() < 10_000, "the socket has no end");
    assert!(heard.iter().all(|it| it == "WATCHDOG=1\n"));
    assert!(!systemd.is_deaf.load(Ordering::Relaxed));
}

#[test]
fn nobody_and_somebody_who_is_gone() {
    let nobody = Systemd::default();
    nobody.ready(|| panic!("nobody asks"));
    nobody.status(|| panic!("nobody asks"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone").into_os_string();
    for name in [path, OsString::from("x".repeat(200))] {
        let gone = Systemd::new(Some(&name), Some(Duration::from_secs(30)));
        gone.ready(|| board().view());
        gone.alive();
        gone.stopping();
        assert!(gone.is_deaf.load(Ordering::Relaxed));
    }
}

#[test]
fn the_loop_says_three_times_as_often_as_it_has_to_that_it_is_alive() {
    let usual = Duration::from_secs(10);
    let pulse = |watchdog| Systemd::new(None, watchdog).pulse(usual);
    assert_eq!(pulse(None), usual);
    assert_eq!(pulse(Some(Duration::ZERO)), usual);
    assert_eq!(pulse(Some(Duration::from_mins(1))), usual);
    assert_eq!(pulse(Some(Duration::from_secs(3))), Duration::from_secs(1));
    assert_eq!(pulse(Some(Duration::from_micros(1))), Duration::from_millis(10));
}
