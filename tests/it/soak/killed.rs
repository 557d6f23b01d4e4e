//! A daemon that is killed at random moments, again and again, while somebody else changes the same policies.

use std::{os::unix::process::ExitStatusExt, thread, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::commands::harness::{Lambda, Room, eventually};
use crate::soak::{
    figures::{Figures, arrived, calls, check, faults, journal},
    is_asked_for, say, seed,
    world::{TARGETS, is_as_wanted, lambda, room},
    writer::Writer,
};

#[test]
fn ten_times() {
    soak(10);
}

#[test]
fn two_hundred_times() {
    if is_asked_for() {
        soak(200);
    }
}

struct Killer {
    lambda: Lambda,
    room: Room,
    writer: Writer,
    /// As the journal was last read.
    journal: Vec<Value>,
    /// Kills that left a write in the journal of which nobody knew what became.
    in_a_write: usize,
    before_any_call: usize,
}

fn soak(kills: usize) {
    let start = Instant::now();
    let lambda = lambda();
    let mut killer = Killer {
        room: room(&lambda),
        writer: Writer::new(seed()),
        journal: Vec::new(),
        in_a_write: 0,
        before_any_call: 0,
        lambda,
    };
    for _ in 0..kills {
        killer.kill();
    }
    killer.end();
    let Killer { lambda, writer, journal, in_a_write, before_any_call, .. } = killer;
    let unknown = journal.iter().filter(|it| it["outcome"] == "unknown").count();
    say(&format!(
        "{kills} kills ({in_a_write} with a write under way, {before_any_call} before any call); {} changes ({} more came too late), seen at {} looks; {}; entries in the journal: {}, {unknown} of them unknown; {:.1} s",
        writer.changes,
        writer.beaten,
        writer.looks,
        Figures::of(&calls(&lambda)),
        journal.len(),
        start.elapsed().as_secs_f64(),
    ));
}

impl Killer {
    /// Some changes, a daemon, and its end.
    fn kill(&mut self) {
        let Self { lambda, room, writer, .. } = self;
        for _ in 0..writer.rng.usize(1..=4) {
            let target = writer.pick();
            writer.change(lambda, target);
        }
        // With a slow Lambda most of the time is between a request and its answer.
        let latency = *writer.rng.choice(&[0, 0, 5, 20]).unwrap();
        lambda.faults(&faults(latency, 0, &[]));
        let mut daemon = room.start("run");
        // A process takes a while to begin. Most are killed after their first call, some before.
        if writer.rng.u8(..4) > 0 {
            eventually("a first call", || (arrived(lambda) > 0).then_some(()));
        }
        if writer.rng.u8(..3) == 0 {
            let target = writer.pick();
            writer.change(lambda, target);
        }
        thread::sleep(Duration::from_millis(writer.rng.u64(0..=150)));
        let meanwhile = (writer.rng.u8(..10) == 0).then(|| journal(room));
        daemon.signal("KILL");
        assert_eq!(daemon.end().signal(), Some(9), "{}", daemon.err());
        let log = daemon.err();
        for trouble in ["without it", "cannot be said", "not in the journal", "is not back"] {
            assert!(!log.contains(trouble), "{log}");
        }
        // What a killed process leaves behind stays as it is until the next one, so nothing escapes these looks.
        for target in TARGETS {
            writer.look(lambda, target);
        }
        self.before_any_call += usize::from(arrived(lambda) == 0);
        if let Some(it) = meanwhile {
            self.has_grown(it);
        }
        let after = journal(&self.room);
        self.in_a_write += usize::from(after.iter().any(|it| it["outcome"] == "pending"));
        self.has_grown(after);
    }

    /// Nothing that stood in the journal is gone or says something else now.
    fn has_grown(&mut self, now: Vec<Value>) {
        let fixed = |it: &Value| {
            ["id", "action", "target", "sid", "before", "after", "revision", "actor"]
                .map(|key| it[key].to_string())
        };
        let mut busy: Vec<&str> = now
            .iter()
            .filter(|it| it["outcome"] == "pending")
            .map(|it| it["target"].as_str().unwrap().trim_end_matches(":live"))
            .collect();
        busy.sort_unstable();
        let pending = busy.len();
        busy.dedup();
        assert_eq!(busy.len(), pending, "two writes at once in one function: {now:?}");
        assert!(now.len() >= self.journal.len());
        for (before, after) in self.journal.iter().zip(&now) {
            assert_eq!(fixed(before), fixed(after), "the journal has changed");
        }
        self.journal = now;
    }

    /// A clean run, and what there is to see after it.
    fn end(&mut self) {
        let Self { lambda, room, writer, .. } = self;
        lambda.faults(&json!({}));
        // What was sent by the last process is applied or refused by now.
        eventually("Lambda to be through", || {
            lambda.requests().iter().all(|it| it["status"].is_u64()).then_some(())
        });
        let said = room.permitd("run --once");
        assert_eq!(said.code, Some(0), "{said:?}");
        for target in TARGETS {
            writer.look(lambda, target);
            is_as_wanted(lambda, target).unwrap();
        }
        let said = room.permitd("plan --detailed-exitcode");
        assert_eq!(said.code, Some(0), "{said:?}");
        let now = journal(&self.room);
        self.has_grown(now);

        let calls = calls(&self.lambda);
        check(&calls, std::slice::from_ref(&self.journal), &self.writer);
    }
}
