//! What a service manager hears of `permitd run`, at a socket of the test.

use std::{
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    sync::{Arc, Mutex},
    thread,
};

use serde_json::json;

use super::harness::{Lambda, Room, eventually, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - {function: f, statements: [{sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}]}
";
const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1h
poll_interval: 1h
budgets: {get_policy: unlimited, control: unlimited}
";

fn lambda() -> Lambda {
    let live = [service("a", "s3.amazonaws.com", "arn:aws:s3:::b")];
    Lambda::new(&json!([{"name": "f", "policy": policy(&live)}, {"name": "g"}]))
}

fn room(lambda: &Lambda) -> Room {
    let room = lambda.room(WISHES);
    room.write("permitd.yaml", SETTINGS);
    room
}

/// Every datagram, in its order.
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn at(socket: UnixDatagram) -> Self {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = Arc::clone(&heard);
        // It ends with the process of the tests.
        thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(n) = socket.recv(&mut bytes) {
                sink.lock().unwrap().push(String::from_utf8(bytes[..n].to_vec()).unwrap());
            }
        });
        Self(heard)
    }

    fn in_room(room: &Room) -> (Self, String) {
        let path = room.path("notify");
        let name = path.to_str().unwrap().to_owned();
        (Self::at(UnixDatagram::bind(path).unwrap()), name)
    }

    /// Without what only says that it is alive.
    fn said(&self) -> Vec<String> {
        let all = self.0.lock().unwrap().clone();
        all.into_iter().filter(|it| !it.starts_with("WATCHDOG=1\n")).collect()
    }

    /// Waits for so many, and takes them.
    #[track_caller]
    fn next(&self, n: usize) -> Vec<String> {
        eventually(&format!("{n} datagrams"), || (self.said().len() >= n).then_some(()));
        let res = self.said();
        self.0.lock().unwrap().clear();
        assert_eq!(res.len(), n, "{res:?}");
        res
    }

    /// Waits for one that begins so, and takes all up to it. A file that was written just before SIGHUP may be seen by
    /// itself as well, and then there are two reloads.
    #[track_caller]
    fn until(&self, begins: &str) -> Vec<String> {
        let at = eventually(begins, || self.said().iter().position(|it| it.starts_with(begins)));
        let res = self.said().into_iter().take(at + 1).collect::<Vec<_>>();
        let mut taken = 0;
        self.0.lock().unwrap().retain(|it| {
            let goes = taken <= at && !it.starts_with("WATCHDOG=1\n");
            taken += usize::from(goes);
            !goes
        });
        res
    }

    fn pings(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|it| it.starts_with("WATCHDOG=1\n")).count()
    }
}

/// With the time in the same datagram, by the clock that systemd compares it with.
#[track_caller]
fn is_reloading(datagram: &str) {
    let told = datagram.strip_prefix("RELOADING=1\n").unwrap().trim_end().to_owned();
    let now = sd_notify::NotifyState::monotonic_usec_now().unwrap().to_string();
    let [told, now] = [told, now].map(|it| {
        let micros = it.strip_prefix("MONOTONIC_USEC=").unwrap();
        micros.parse::<u64>().unwrap()
    });
    assert!(told <= now && now - told < 120_000_000, "{told} {now}");
}

#[test]
fn it_hears_of_the_start_of_reloads_good_and_bad_and_of_the_end_in_this_order() {
    let lambda = lambda();
    let room = room(&lambda);
    let (heard, name) = Heard::in_room(&room);
    let room = room.with("NOTIFY_SOCKET", &name).with("WATCHDOG_USEC", "600000");
    let mut daemon = room.start("run");
    let start = heard.next(2);
    assert_eq!(start[0], "READY=1\nSTATUS=1 target, enforce; no pass is through yet\n");
    let passed = "0 of 1 target differ, 0 held, 0 unknown; last pass ";
    assert!(start[1].starts_with(&format!("STATUS={passed}")), "{start:?}");
    assert!(start[1].ends_with(" s\n"), "{start:?}");
    // With nothing to do for an hour it says several times a second that it is alive.
    eventually("pings", || (heard.pings() > 3).then_some(()));

    room.write("permissions.yaml", &format!("{WISHES}  - {{function: g, absent: [x]}}\n"));
    daemon.signal("HUP");
    // The new target is looked at by itself.
    let good = heard.until("STATUS=0 of 2 targets differ, 0 held, 0 unknown; ");
    is_reloading(&good[0]);
    let ready = "READY=1\nSTATUS=0 of 2 targets differ, 0 held, 1 unknown; last ";
    assert!(good[1].starts_with(ready), "{good:?}");

    room.write("permissions.yaml", "functions: [{function: f, statments: []}]\n");
    daemon.signal("HUP");
    let refused = "READY=1\nSTATUS=the new configuration is refused, the old one stays: ";
    let bad = heard.until(refused);
    let [.., before, last] = bad.as_slice() else { panic!("{bad:?}") };
    is_reloading(before);
    assert!(last.contains("permissions.yaml:1:27: "), "{bad:?}");
    assert!(last.contains("; 0 of 2 targets differ, "), "{bad:?}");

    room.write("permissions.yaml", WISHES);
    daemon.signal("HUP");
    let mended = heard.until(&format!("READY=1\nSTATUS={passed}"));
    let [.., before, _] = mended.as_slice() else { panic!("{mended:?}") };
    is_reloading(before);

    daemon.signal("TERM");
    assert_eq!(daemon.code(), Some(0), "{}", daemon.err());
    heard.until("STOPPING=1\nSTATUS=stopping: finishing what is in flight\nEXTEND_TIMEOUT_USEC=");
    assert!(!daemon.err().contains("systemd cannot be told"), "{}", daemon.err());
}

/// Where AWS has to tell the account first, and does not: nobody's start is held up by that.
#[test]
fn a_start_without_aws_is_one() {
    let without_account = WISHES.split_once('\n').unwrap().1;
    let room = Room::at("http://127.0.0.1:9", without_account);
    room.write("permitd.yaml", SETTINGS);
    let (heard, name) = Heard::in_room(&room);
    let room = room.with("NOTIFY_SOCKET", &name).with("WATCHDOG_USEC", "600000");
    let mut daemon = room.start("run");
    let waits =
        "READY=1\nSTATUS=nothing is managed yet: cannot tell the account of the credentials";
    let start = heard.next(1);
    assert!(start[0].starts_with(waits), "{start:?}");
    eventually("pings", || (heard.pings() > 3).then_some(()));
    heard.0.lock().unwrap().clear();
    daemon.signal("HUP");
    let reloaded = heard.next(2);
    is_reloading(&reloaded[0]);
    assert!(reloaded[1].starts_with(waits), "{reloaded:?}");
    daemon.stops();
    assert!(heard.next(1)[0].starts_with("STOPPING=1\n"));
}

/// Both the listener and the socket are there when it says that it is ready.
#[test]
fn ready_is_said_when_everything_is_bound() {
    let lambda = lambda();
    let room = room(&lambda);
    let (heard, name) = Heard::in_room(&room);
    let room = room.with("NOTIFY_SOCKET", &name);
    let mut daemon = room.start("run");
    eventually("READY", || heard.said().first().map(|it| assert!(it.starts_with("READY=1\n"))));
    assert!(room.path("permitd/control.sock").exists());
    assert!(daemon.err().contains("listening for /livez"), "{}", daemon.err());
    daemon.stops();
    // Nobody asked for pings.
    assert_eq!(heard.pings(), 0);
}

#[test]
fn a_write_in_flight_is_given_the_time_it_needs() {
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[])}]));
    let slow = json!({"operation": "AddPermission", "kind": "delay", "delay_ms": 2000});
    lambda.faults(&json!({ "faults": [slow] }));
    let room = room(&lambda);
    let (heard, name) = Heard::in_room(&room);
    let room = room.with("NOTIFY_SOCKET", &name).with("WATCHDOG_USEC", "600000");
    let mut daemon = room.start("run");
    eventually("the write to be in flight", || {
        lambda.requests().iter().any(|it| it["operation"] == "AddPermission").then_some(())
    });
    daemon.stops();
    let all = heard.0.lock().unwrap().clone();
    let at = all.iter().position(|it| it.starts_with("STOPPING=1\n")).unwrap();
    assert!(all.len() > at + 2, "{all:?}");
    let alive = |it: &String| it.starts_with("WATCHDOG=1\nEXTEND_TIMEOUT_USEC=");
    assert!(all[at + 1..].iter().all(alive), "{all:?}");
    assert_eq!(lambda.sids("f"), ["a"]);
}

#[test]
fn a_name_in_the_abstract_namespace() {
    let lambda = lambda();
    let name = format!("permitd-commands-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let heard = Heard::at(UnixDatagram::bind_addr(&address).unwrap());
    let room = room(&lambda).with("NOTIFY_SOCKET", &format!("@{name}"));
    let mut daemon = room.start("run");
    eventually("READY", || heard.said().first().map(|it| assert!(it.starts_with("READY=1\n"))));
    daemon.stops();
}

/// It does its work without, and says so once.
#[test]
fn a_socket_that_is_not_there() {
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[])}]));
    let room = room(&lambda);
    let room = room.with("NOTIFY_SOCKET", "vsock:2:1").with("WATCHDOG_USEC", "100000");
    let mut daemon = room.start("run");
    daemon.logs("systemd cannot be told how permitd does");
    lambda.converges("f", &["a"]);
    daemon.stops();
    assert_eq!(daemon.err().matches("systemd cannot").count(), 1, "{}", daemon.err());
}
