//! Changed files are seen by the daemon itself, however they are put in place.

use std::os::unix::fs::symlink;

use serde_json::json;

use super::harness::{Lambda, Room, Running, eventually};

const SETTINGS: &str = "\
permissions: [permissions]
mode: enforce
interval: 1h
poll_interval: 1s
budgets: {get_policy: unlimited, control: unlimited}
limits: unlimited
";

/// One for each Sid of a letter and a number.
fn account(sid: &str) -> String {
    let (letter, number) = sid.split_at(1);
    format!("{:03}{:0>9}", letter.as_bytes()[0], number)
}

/// Grants an account of its own with each Sid.
fn wishes(sids: &[&str]) -> String {
    let sids: Vec<String> =
        sids.iter().map(|it| format!("{{sid: {it}, principal: '{}'}}", account(it))).collect();
    let sids = sids.join(", ");
    format!(
        "account: '123456789012'\nfunctions:\n  - {{function: f, ownership: all, statements: [{sids}]}}\n"
    )
}

fn start(room: &Room) -> Running {
    room.write("permitd.yaml", SETTINGS);
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    daemon
}

fn lambda() -> Lambda {
    Lambda::new(&json!([{"name": "f"}]))
}

#[track_caller]
fn becomes(lambda: &Lambda, sids: &[&str]) {
    eventually(&format!("{sids:?}"), || (lambda.sids("f") == sids).then_some(()));
}

#[test]
fn in_place_by_rename_as_a_new_file_and_gone() {
    let lambda = lambda();
    let room = lambda.room("");
    room.write("permissions/a.yaml", &wishes(&["a"]));
    let mut daemon = start(&room);
    becomes(&lambda, &["a"]);
    room.write("permissions/a.yaml", &wishes(&["a", "b"]));
    becomes(&lambda, &["a", "b"]);
    room.write("permissions/.a.yaml.swp", &wishes(&["a", "b", "c"]));
    std::fs::rename(room.path("permissions/.a.yaml.swp"), room.path("permissions/a.yaml")).unwrap();
    becomes(&lambda, &["a", "b", "c"]);
    room.write("permissions/more/d.yaml", &wishes(&["d"]));
    becomes(&lambda, &["a", "b", "c", "d"]);
    // It is away for a moment: an error, and the old configuration stays.
    std::fs::rename(room.path("permissions"), room.path("away")).unwrap();
    daemon.logs("the new configuration is not usable; the old one stays");
    std::fs::rename(room.path("away"), room.path("permissions")).unwrap();
    daemon.logs_times("loaded the configuration anew", 4);
    assert_eq!(lambda.sids("f"), ["a", "b", "c", "d"]);
    daemon.stops();
}

/// A ConfigMap's folder: the files are links through `..data`, which is turned from one generation to the next.
#[test]
fn a_config_map_that_is_swapped_many_times() {
    let lambda = lambda();
    let room = lambda.room("");
    let turn = |n: usize| {
        let generation = format!("permissions/..gen{n}");
        // Both files have to be of one generation: else the Sid of the other one is missing or there twice.
        let (sid, other) = (format!("a{n}"), format!("b{n}"));
        room.write(&format!("{generation}/a.yaml"), &wishes(&[&sid]));
        room.write(&format!("{generation}/b.yaml"), &wishes(&[&other]));
        symlink(format!("..gen{n}"), room.path("permissions/..tmp")).unwrap();
        std::fs::rename(room.path("permissions/..tmp"), room.path("permissions/..data")).unwrap();
        if n > 0 {
            std::fs::remove_dir_all(room.path(&format!("permissions/..gen{}", n - 1))).unwrap();
        }
    };
    turn(0);
    for name in ["a.yaml", "b.yaml"] {
        symlink(format!("..data/{name}"), room.path(&format!("permissions/{name}"))).unwrap();
    }
    let mut daemon = start(&room);
    becomes(&lambda, &["a0", "b0"]);
    for n in 1..=200 {
        turn(n);
        if n % 40 == 0 {
            becomes(&lambda, &[&format!("a{n}"), &format!("b{n}")]);
        }
    }
    let mixed = lambda.requests().iter().any(|it| it["status"] == 409);
    assert!(!mixed);
    daemon.stops();
    assert!(!daemon.err().contains("not usable"), "{}", daemon.err());
}

#[test]
fn a_bad_file_is_told_once_and_the_next_good_one_loads() {
    let lambda = lambda();
    let room = lambda.room("");
    room.write("permissions/a.yaml", &wishes(&["a"]));
    let mut daemon = start(&room);
    becomes(&lambda, &["a"]);
    room.write("permissions/a.yaml", "functions: [{function: f, statments: []}]\n");
    daemon.logs("permissions/a.yaml:1:27");
    // By the time that this one is told, a poll or more has seen the first one again.
    room.write("permissions/b.yaml", "functions: [{function: f, statmints: []}]\n");
    daemon.logs("permissions/b.yaml:1:27");
    assert_eq!(daemon.err().matches("not usable").count(), 2, "{}", daemon.err());
    std::fs::remove_file(room.path("permissions/b.yaml")).unwrap();
    room.write("permissions/a.yaml", &wishes(&["b"]));
    becomes(&lambda, &["b"]);
    daemon.stops();
}

/// Somebody may still be copying: what is given counts at once, what is taken back when a second poll shows the same.
#[test]
fn what_is_changed_in_place_takes_nothing_back_before_a_second_poll() {
    let lambda = lambda();
    let room = lambda.room("");
    room.write("permissions/a.yaml", &wishes(&["a", "b"]));
    let mut daemon = start(&room);
    becomes(&lambda, &["a", "b"]);
    room.write("permissions/a.yaml", &wishes(&["a", "c"]));
    becomes(&lambda, &["a", "c"]);
    let at = |operation: &str| {
        let all = lambda.requests();
        let last = all.iter().rfind(|it| it["operation"] == operation).unwrap();
        last["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    let waited = at("RemovePermission").duration_since(at("AddPermission"));
    assert!(waited.as_millis() >= 900, "{waited:?}");
    // A signal is somebody's word that all of it is there.
    room.write("permitd.yaml", &SETTINGS.replace("1s", "1h"));
    daemon.logs_times("loaded the configuration anew", 2);
    room.write("permissions/a.yaml", &wishes(&["c"]));
    daemon.signal("HUP");
    becomes(&lambda, &["c"]);
    daemon.stops();
}

#[test]
fn settings_that_need_a_restart_are_told_once() {
    let lambda = lambda();
    let room = lambda.room("");
    room.write("permissions/a.yaml", &wishes(&["a"]));
    let mut daemon = start(&room);
    let more = "journal: other.db\nhttp: {hosts: [permitd.internal]}\n";
    room.write("permitd.yaml", &format!("{SETTINGS}{more}"));
    daemon.logs("these settings have changed, and need a restart");
    assert!(daemon.err().contains("journal, http"), "{}", daemon.err());
    room.write("permissions/a.yaml", &wishes(&["a", "b"]));
    becomes(&lambda, &["a", "b"]);
    assert_eq!(daemon.err().matches("need a restart").count(), 1, "{}", daemon.err());
    daemon.stops();
}
