//! What the daemon looks at between its full passes: only what changed, and what is due.

use jiff::{SignedDuration, Timestamp};
use permitd::daemon::clock;
use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, account, policy};

const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1h
budgets: {get_policy: unlimited, control: unlimited}
";
const TWO: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: '210987654321'}
  - function: g
    statements:
      - {sid: a, principal: '210987654321'}
";

fn set_up(functions: &Value, wishes: &str) -> (Lambda, Room) {
    let lambda = Lambda::new(functions);
    let room = lambda.room(wishes);
    room.write("permitd.yaml", SETTINGS);
    (lambda, room)
}

/// A target that only moved inside its file did not change.
#[test]
fn a_reload_looks_only_at_what_changed() {
    let (lambda, room) = set_up(&json!([{"name": "f"}, {"name": "g"}]), TWO);
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    assert_eq!((lambda.sids("f"), lambda.sids("g")), (vec!["a".into()], vec!["a".into()]));
    lambda.calls();

    let b = "      - {sid: b, principal: '310987654321'}\n  - function: g";
    room.write("permissions.yaml", &TWO.replace("  - function: g", b));
    daemon.signal("HUP");
    daemon.logs_line(&["pass done", "trigger=\"the files changed\""]);
    assert_eq!(lambda.sids("f"), ["a", "b"]);
    assert_eq!(lambda.calls(), ["GetPolicy f", "AddPermission f", "GetPolicy f"]);

    // The same once more is nothing to do.
    daemon.signal("HUP");
    daemon.logs_times("loaded the configuration anew", 2);
    room.write("permissions.yaml", TWO);
    daemon.signal("HUP");
    daemon.logs_lines(&["pass done", "trigger=\"the files changed\""], 2);
    assert_eq!(lambda.calls(), ["GetPolicy f", "RemovePermission f", "GetPolicy f"]);
    // Other rules are a reason to look at everything.
    room.write("permitd.yaml", &SETTINGS.replace("enforce", "additive"));
    daemon.signal("HUP");
    daemon.logs_lines(&["pass done", "trigger=\"full pass\""], 2);
    assert_eq!(lambda.calls(), ["GetPolicy f", "GetPolicy g"]);
    daemon.stops();
}

fn expiring(expires: Timestamp) -> String {
    format!(
        "account: '123456789012'\nfunctions:\n  - function: f\n    statements:\n      \
         - {{sid: a, principal: '210987654321', expires: {expires}}}\n"
    )
}

/// Within about a second, and without asking, though it is the last statement that allows anything.
#[test]
fn a_grant_is_taken_back_when_it_expires() {
    let expires = clock::system() + SignedDuration::from_secs(4);
    let (lambda, room) = set_up(&json!([{"name": "f"}]), &expiring(expires));
    let mut daemon = room.start("run");
    daemon.logs_line(&["statement added", "sid=\"a\"", "kind=\"missing\""]);
    daemon.logs_line(&["statement removed", "sid=\"a\"", "kind=\"expired\""]);
    daemon.logs_line(&["pass done", "trigger=\"expiry\""]);
    assert!(lambda.sids("f").is_empty());
    let log = lambda.requests();
    let removed = log.iter().find(|it| it["operation"] == "RemovePermission").unwrap();
    let at: Timestamp = removed["time"].as_str().unwrap().parse().unwrap();
    let late = at.duration_since(expires);
    assert!(!late.is_negative() && late < SignedDuration::from_secs(3), "{late} late");
    assert!(!daemon.err().contains(" held "), "{}", daemon.err());
    let entry = room.history().pop().unwrap();
    assert_eq!((&entry["action"], &entry["kind"]), (&json!("remove"), &json!("expired")));
    daemon.stops();
}

/// What had expired before the files were loaded was perhaps never meant to be live: that is asked.
#[test]
fn a_grant_that_had_expired_at_load_is_an_ordinary_revocation() {
    let expires = "2026-01-01T00:00:00Z".parse().unwrap();
    let live = policy(&[account("a", "210987654321")]);
    let (lambda, room) = set_up(&json!([{"name": "f", "policy": live}]), &expiring(expires));
    let mut daemon = room.start("run");
    daemon.logs_line(&["WARN held ", "why=\"last_allow, nothing would be allowed any more\""]);
    daemon.logs("permitd approve ");
    daemon.stops();
    assert_eq!(lambda.sids("f"), ["a"]);
    let said = room.permitd("plan --detailed-exitcode");
    let told = "  ! a                   expired; account 210987654321 may invoke; held: last_allow";
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.starts_with(&format!("{FN}\n{told}")), "{said:?}");
}
