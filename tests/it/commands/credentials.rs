//! Credentials as they come in the field: each way is gone by a process, against a server of ours in place of what
//! gives them.

mod containers;
mod fake;
mod profiles;
mod web_identity;

use super::harness::{Room, Said, eventually};
use fake::Fake;

const WISHES: &str = "\
account: '123456789012'
functions:
  - {function: f, ownership: all, statements: [{sid: a, principal: '210987654321'}]}
";
const HOUR: i64 = 3600;
/// permitd gets new ones a minute before the end: that is in two seconds.
const SOON_OVER: i64 = 62;

/// No keys anywhere; Lambda and STS are this server.
fn room(fake: &Fake) -> Room {
    let room = Room::at(&fake.url, WISHES);
    room.write("permitd.yaml", "{permissions: [permissions.yaml], mode: observe, interval: 1s}");
    let home = room.path("").to_str().unwrap().to_owned();
    room.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").with("HOME", &home)
}

#[track_caller]
fn plan(room: &Room) -> Said {
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

fn key(n: u32) -> (String, String) {
    (format!("KEY{n}"), format!("TOKEN{n}"))
}

/// A daemon whose credentials end soon asks for others, and goes on with them.
#[track_caller]
fn renews(room: &Room, fake: &Fake, least: usize) {
    let mut daemon = room.start("run");
    let readers = eventually("three sets of credentials", || {
        let readers = fake.readers();
        (readers.len() >= least).then_some(readers)
    });
    daemon.stops();
    let mut different = readers.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), readers.len(), "each set after the other: {readers:?}");
    let log = daemon.err();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    assert!(!log.contains("SECRET") && !log.contains("TOKEN"), "{log}");
}
