//! Statements whose principal was deleted: believed after a second read, and in the way of every addition.

use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, account, policy, service};

const ROLE: &str = "arn:aws:iam::123456789012:role/importer";
const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: kept, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
      - {sid: new, principal: '310987654321'}
";

fn set_up(wishes: &str, interval: &str) -> (Lambda, Room) {
    let mut of_role = account("importer", "210987654321");
    of_role["Principal"]["AWS"] = json!(ROLE);
    let live = [service("kept", "s3.amazonaws.com", "arn:aws:s3:::b"), of_role];
    let lambda = Lambda::seeded(&json!({"accounts": [{
        "id": "123456789012", "region": "us-east-1", "principals": [ROLE],
        "functions": [{"name": "f", "policy": policy(&live)}],
    }]}));
    let room = lambda.room(wishes);
    let settings = format!(
        "permissions: [permissions.yaml]\nmode: enforce\ninterval: {interval}\norphan_grace: 2s\n"
    );
    room.write("permitd.yaml", &settings);
    lambda.control("POST", "principals", &json!({"create": [], "delete": [ROLE]}));
    (lambda, room)
}

/// The first read and the first removal are at least the grace apart.
#[track_caller]
fn waited(lambda: &Lambda) {
    let log = lambda.requests();
    let time = |operation: &str| -> jiff::Timestamp {
        let entry: &Value = log.iter().find(|it| it["operation"] == operation).unwrap();
        entry["time"].as_str().unwrap().parse().unwrap()
    };
    let waited = Duration::try_from(time("RemovePermission").duration_since(time("GetPolicy")));
    let waited = waited.unwrap();
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
}

#[test]
fn the_daemon_removes_it_after_a_second_read_and_adds_what_it_blocked() {
    let (lambda, room) = set_up(WISHES, "1h");
    let mut daemon = room.start("run");
    daemon.logs_line(&["drift found", "sid=\"importer\"", "kind=\"orphaned\"", FN]);
    daemon.logs_line(&["pass done", "held=2"]);
    lambda.converges("f", &["kept", "new"]);
    daemon.logs_line(&["statement removed", "sid=\"importer\"", "kind=\"orphaned\"", FN]);
    daemon.logs_line(&["pass done", "trigger=\"second look\""]);
    assert_eq!(daemon.lines_with(&[" held "]), 0, "what ends by itself needs nobody");
    waited(&lambda);
    daemon.stops();
}

#[test]
fn apply_and_run_once_wait_for_the_grace() {
    for words in ["apply --yes", "run --once"] {
        let (lambda, room) = set_up(WISHES, "1h");
        let said = room.permitd(words);
        assert_eq!(said.code, Some(0), "{said:?}");
        let note = "Reading again in 2 s, to be sure that a deleted principal stays deleted (Ctrl-C ends the wait).\n";
        assert!(said.err.contains(note), "{said:?}");
        let deeds = "\
f: the principal of importer was deleted; removed
f: new was missing; added (account 310987654321 may invoke)
Applied: 2 writes done. 1 of 1 function as written; 0 held, 0 failed, 0 unknown.
";
        assert!(said.out.ends_with(deeds), "{words}: {said:?}");
        assert_eq!(lambda.sids("f"), ["kept", "new"]);
        waited(&lambda);
    }
}

/// The wait is no reason to stay: what was done by then is told.
#[test]
fn the_wait_ends_with_a_signal() {
    let (lambda, room) = set_up(WISHES, "1h");
    let slow = std::fs::read_to_string(room.path("permitd.yaml")).unwrap().replace("2s", "10m");
    room.write("permitd.yaml", &slow);
    let mut apply = room.start("apply --yes");
    apply.logs("Reading again in 600 s");
    apply.signal("INT");
    assert_eq!(apply.code(), Some(130), "{}", apply.err());
    apply.says("Applied: 0 writes done.");
    assert_eq!(lambda.writes(), Vec::<String>::new());
}

#[test]
fn somebody_elses_orphan_is_left_alone_and_named() {
    let declared = WISHES.replace("ownership: all", "ownership: declared");
    let (lambda, room) = set_up(&declared, "1h");
    let said = room.permitd("apply --yes");
    let orphan = lambda.statements("f")[1].clone();
    assert_eq!(orphan["Sid"], "importer");
    let plan = format!(
        "\
{FN}
  ! new                 missing; account 310987654321 may invoke; held: blocked_by_orphan, Lambda adds nothing beside importer, which is not ours
    risks: kept P003 (an S3 source, without its account)

Plan: 0 to add, 0 to change, 0 to remove, 1 held. 1 of 1 function differs; 0 unknown.
1 statement in no file left alone.
Live statements with risks: P003 1.
"
    );
    said.is(2, &plan, "");
    assert_eq!(lambda.writes(), Vec::<String>::new());
}
