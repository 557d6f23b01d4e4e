//! Two daemons with the same files on the same functions, each with a journal of its own, and one call in twenty
//! goes wrong.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::commands::harness::eventually;
use crate::soak::{
    figures::{Figures, arrived, calls, check, faults, journal},
    is_asked_for, say, seed,
    world::{TARGETS, is_as_wanted, lambda, room},
    writer::Writer,
};

#[test]
fn a_few_changes() {
    soak(40);
}

#[test]
fn a_thousand_changes() {
    if is_asked_for() {
        soak(1000);
    }
}

/// The journal tells the one that was done from the one that was not.
#[test]
fn a_write_that_had_to_be_sent_again() {
    for (kind, outcomes) in [("drop_before", &["not_done", "done"][..]), ("drop_after", &["done"])]
    {
        let lambda = lambda();
        let lost = json!({"operation": "AddPermission", "target": "*:one", "kind": kind});
        lambda.faults(&json!({ "faults": [lost] }));
        let room = room(&lambda);
        let said = room.permitd("run --once --target one -q");
        assert_eq!(said.code, Some(0), "{said:?}");
        let journal = journal(&room);
        let first = journal.iter().filter(|it| it["sid"] == journal[0]["sid"]);
        let told: Vec<&str> = first.map(|it| it["outcome"].as_str().unwrap()).collect();
        assert_eq!(told, outcomes, "{journal:?}");
    }
}

/// 5% of the calls of each kind.
fn bad_network() -> Vec<Value> {
    let fault = |operation: &str, probability: f64, kind: &str, status: u16| {
        let status = if kind.starts_with("error") { json!(status) } else { Value::Null };
        json!({"operation": operation, "probability": probability, "kind": kind, "status": status})
    };
    vec![
        fault("GetPolicy", 0.0125, "error", 503),
        fault("GetPolicy", 0.0125, "error", 429),
        fault("GetPolicy", 0.0125, "drop_before", 0),
        fault("GetPolicy", 0.0125, "stale", 0),
        fault("GetFunction*", 0.05, "error", 500),
        fault("*Permission", 0.01, "error", 500),
        fault("*Permission", 0.01, "error_after", 500),
        fault("*Permission", 0.01, "error", 429),
        fault("*Permission", 0.01, "drop_before", 0),
        fault("*Permission", 0.01, "drop_after", 0),
    ]
}

fn soak(changes: usize) {
    let start = Instant::now();
    let seed = seed();
    let mut writer = Writer::new(seed);
    let lambda = lambda();
    let network = bad_network();
    lambda.faults(&faults(0, seed, &network));
    let rooms = [room(&lambda), room(&lambda)];
    let mut daemons = rooms.each_ref().map(|it| it.start("run"));

    while writer.changes < changes {
        for _ in 0..writer.rng.usize(1..=6) {
            let target = writer.pick();
            writer.change(&lambda, target);
        }
        // The next changes meet the daemons anywhere in what they do about these.
        let until = arrived(&lambda) + writer.rng.u64(0..=20);
        eventually("the daemons to go on", || {
            let target = writer.pick();
            writer.look(&lambda, target);
            (arrived(&lambda) >= until).then_some(())
        });
    }
    let faults_met = met(&lambda.control("GET", "faults", &Value::Null));

    lambda.faults(&faults(0, seed, &[]));
    for target in TARGETS {
        eventually(&format!("{target} to be as wanted"), || is_as_wanted(&lambda, target).ok());
    }
    for daemon in &daemons {
        daemon.signal("TERM");
    }
    for daemon in &mut daemons {
        assert_eq!(daemon.code(), Some(0), "{}", daemon.err());
        let err = daemon.err();
        assert!(!err.contains("not in the journal"), "{err}");
        assert!(!err.contains("is not back"), "{err}");
    }
    for target in TARGETS {
        is_as_wanted(&lambda, target).unwrap();
    }
    let calls = calls(&lambda);
    let journals = rooms.each_ref().map(journal);
    check(&calls, &journals, &writer);
    for room in &rooms {
        let said = room.permitd("plan --detailed-exitcode");
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    say(&format!(
        "{} changes ({} more came too late), seen at {} looks; {} faults; {}; entries in the journals: {} and {}; {:.1} s",
        writer.changes,
        writer.beaten,
        writer.looks,
        faults_met,
        Figures::of(&calls),
        journals[0].len(),
        journals[1].len(),
        start.elapsed().as_secs_f64(),
    ));
}

/// How many calls met a fault; the first two only count.
fn met(faults: &Value) -> u64 {
    let faults = faults["faults"].as_array().unwrap();
    faults.iter().skip(2).map(|it| it["fired"].as_u64().unwrap()).sum()
}
