//! `permitd run`: one pass, or many; what it sees, what it repairs, and how it ends.

use serde_json::json;

use super::harness::{FN, Lambda, Room, Running, account, eventually, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
";
const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1s
jitter: 10%
budgets: {get_policy: unlimited, control: unlimited}
";

fn lambda() -> Lambda {
    let live =
        [service("a", "s3.amazonaws.com", "arn:aws:s3:::b"), account("rogue", "210987654321")];
    Lambda::new(&json!([{"name": "f", "policy": policy(&live)}, {"name": "g"}]))
}

fn room(lambda: &Lambda) -> Room {
    let room = lambda.room(WISHES);
    room.write("permitd.yaml", SETTINGS);
    room
}

#[track_caller]
fn converges(lambda: &Lambda, target: &str, sids: &[&str]) {
    eventually(&format!("{target} to have {sids:?}"), || {
        (lambda.sids(target) == sids).then_some(())
    });
}

#[test]
fn once() {
    let lambda = lambda();
    let room = room(&lambda);
    let said = room.permitd("run --once --log-level warn");
    said.is(
        0,
        "f: rogue was in no file; removed\n\
                Applied: 1 write done. 1 of 1 function as written; 0 held, 0 failed, 0 unknown.\n",
        "",
    );
    let said = room.permitd("run --once -q");
    said.is(
        0,
        "Applied: 0 writes done. 1 of 1 function as written; 0 held, 0 failed, 0 unknown.\n",
        "",
    );
}

#[test]
fn once_in_mode_observe_is_a_look() {
    let lambda = lambda();
    let said = room(&lambda).permitd("run --once --mode observe -q");
    said.is(
        2,
        "\
arn:aws:lambda:us-east-1:123456789012:function:f
  - rogue               unmanaged; account 210987654321 may invoke
    risks: a P003 (an S3 source, without its account); rogue P004 (a whole account)

Plan: 0 to add, 0 to change, 1 to remove, 0 held. 1 of 1 function differs; 0 unknown.
Live statements with risks: P003 1, P004 1.
",
        "",
    );
    assert_eq!(lambda.sids("f"), ["a", "rogue"]);
}

#[test]
fn once_with_something_held_is_drift() {
    let lambda = lambda();
    let said = room(&lambda).permitd("run --once --mode additive -q");
    said.is(
        2,
        "\
arn:aws:lambda:us-east-1:123456789012:function:f
  ! rogue               unmanaged; account 210987654321 may invoke; held: additive

Applied: 0 writes done. 0 of 1 function as written; 1 held, 0 failed, 0 unknown.
",
        "",
    );
}

#[test]
fn repairs_again_and_again_until_a_signal() {
    for signal in ["TERM", "INT"] {
        let lambda = lambda();
        let room = room(&lambda);
        let mut daemon = room.start("run");
        daemon.logs_line(&["drift found", "sid=\"rogue\"", "kind=\"unmanaged\"", FN]);
        daemon.logs_line(&["statement removed", "sid=\"rogue\"", "request_id=", "entry=1", FN]);
        daemon.logs_line(&["repaired", "sid=\"rogue\"", FN]);
        daemon.logs_line(&["back to normal", FN]);
        converges(&lambda, "f", &["a"]);
        lambda.put(&[]);
        daemon.logs_line(&[
            "statement added",
            "kind=\"missing\"",
            "grants=\"s3.amazonaws.com may invoke, from arn:aws:s3:::b\"",
            "request_id=",
        ]);
        // What changes before that pass is through, it puts right as a part of the same repair.
        daemon.logs_lines(&["back to normal", FN], 2);
        lambda.put(&[service("a", "s3.amazonaws.com", "arn:aws:s3:::other")]);
        // Over a bridge, without a gap.
        daemon.logs_lines(&["statement added", "replaces=\"a\""], 2);
        daemon.logs_lines(&["statement removed", "replaces=\"a\""], 2);
        daemon.logs_line(&["repaired", "sid=\"a\"", "kind=\"changed\""]);
        eventually("the statement to be as written", || {
            let live = lambda.statements("f");
            (live == [service("a", "s3.amazonaws.com", "arn:aws:s3:::b")]).then_some(())
        });
        daemon.signal(signal);
        assert_eq!(daemon.code(), Some(0), "SIG{signal}: {}", daemon.err());
        daemon.logs("permitd has stopped");
        assert_eq!(daemon.out(), "", "a daemon only logs");
    }
}

/// What cannot be read is told, and is looked at again in the next pass.
#[test]
fn outlives_an_outage() {
    let lambda = lambda();
    let broken = json!({"operation": "GetPolicy", "times": 8, "kind": "error", "status": 503});
    lambda.faults(&json!({ "faults": [broken] }));
    let room = room(&lambda);
    let mut daemon = room.start("run");
    daemon.logs_line(&["failed", "reason=\"unreachable\"", "request_id="]);
    daemon.logs("unknown=1");
    daemon.logs_line(&["statement removed", "sid=\"rogue\""]);
    converges(&lambda, "f", &["a"]);
}

#[test]
fn hangup_loads_the_configuration_anew() {
    let lambda = lambda();
    let room = room(&lambda);
    let mut daemon = room.start("run");
    converges(&lambda, "f", &["a"]);

    room.write("permissions.yaml", "functions: [{function: f, statements: [{sid: a}]}]\n");
    daemon.signal("HUP");
    daemon.logs("the new configuration is not usable; the old one stays");
    daemon.logs("permissions.yaml:1:");
    lambda.put(&[]);
    converges(&lambda, "f", &["a"]);

    let more = "  - function: f\n    statements: [{sid: c, principal: '210987654321'}]\n";
    room.write("permissions.yaml", &format!("{WISHES}{more}"));
    daemon.signal("HUP");
    daemon.logs("loaded the configuration anew");
    converges(&lambda, "f", &["a", "c"]);
    daemon.signal("TERM");
    assert_eq!(daemon.code(), Some(0), "{}", daemon.err());
}

/// The mode and the interval of the settings file are loaded anew as well.
#[test]
fn hangup_loads_the_settings_too() {
    let lambda = lambda();
    let room = room(&lambda);
    room.write("permitd.yaml", &SETTINGS.replace("enforce", "observe").replace("1s", "1h"));
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    assert_eq!(lambda.sids("f"), ["a", "rogue"]);
    room.write("permitd.yaml", SETTINGS);
    daemon.signal("HUP");
    converges(&lambda, "f", &["a"]);
}

#[test]
fn needs_a_mode() {
    let lambda = lambda();
    let room = lambda.room(WISHES);
    let message = "\
error: `permitd run` needs a mode: observe, additive or enforce
hint: pass --mode enforce, or write `mode: enforce` into the settings file
";
    room.permitd("run permissions.yaml").is(64, "", message);
    room.write("permitd.yaml", "permissions: [permissions.yaml]\n");
    room.permitd("run").is(78, "", message);
    room.permitd("run --once").is(78, "", message);
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

#[test]
fn does_not_start_with_a_bad_configuration() {
    let lambda = lambda();
    let room = room(&lambda);
    room.write("permissions.yaml", "functions: [{function: f, statements: [{sid: a}]}]\n");
    let mut daemon: Running = room.start("run");
    assert_eq!(daemon.code(), Some(78));
    daemon.logs("permissions.yaml:1:");
    assert_eq!(lambda.calls(), Vec::<String>::new());
}
