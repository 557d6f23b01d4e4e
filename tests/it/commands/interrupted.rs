//! Signals: the write in flight is finished, no other is started, and the exit code tells which signal it was.

use serde_json::json;

use super::harness::{Lambda, Room, eventually, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    statements:
      - {sid: a, principal: '210987654321'}
      - {sid: b, principal: '210987654321', source_account: '210987654321'}
      - {sid: c, principal: '310987654321'}
  - function: g
    statements: [{sid: a, principal: '210987654321'}]
";

fn wait_for(lambda: &Lambda, operation: &str, nth: usize) {
    eventually(&format!("{operation} number {nth}"), || {
        let log = lambda.requests();
        let found = log.iter().filter(|it| it["operation"] == operation).count();
        (found >= nth).then_some(())
    });
}

/// Every write to `f` takes long; `g` fails slowly enough to be in the way of nobody.
fn slow(operation: &str) -> (Lambda, Room) {
    let kept = service("kept", "s3.amazonaws.com", "arn:aws:s3:::b");
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[kept])}, {"name": "g"}]));
    let delay =
        json!({"operation": operation, "times": "forever", "kind": "delay", "delay_ms": 1500});
    lambda.faults(&json!({ "faults": [delay] }));
    let room = lambda.room(WISHES);
    (lambda, room)
}

#[test]
fn apply_finishes_the_write_in_flight() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let (lambda, room) = slow("AddPermission");
        let mut apply = room.start("apply permissions.yaml --mode enforce --yes --target f");
        wait_for(&lambda, "AddPermission", 1);
        apply.signal(signal);
        assert_eq!(apply.code(), Some(code), "{}", apply.err());
        apply.says("Applied: 1 write done.");
        apply.logs("interrupted: the write in flight was finished, no other was started\n");
        assert_eq!(lambda.sids("f"), ["kept", "a"]);
        let adds = lambda.calls().iter().filter(|it| it.starts_with("AddPermission")).count();
        assert_eq!(adds, 1);
    }
}

#[test]
fn a_pass_of_run_once_too() {
    let (lambda, room) = slow("AddPermission");
    let mut run = room.start("run permissions.yaml --mode enforce --once --target f");
    wait_for(&lambda, "AddPermission", 1);
    run.signal("TERM");
    assert_eq!(run.code(), Some(143), "{}", run.err());
    assert_eq!(lambda.sids("f"), ["kept", "a"]);
}

#[test]
fn the_daemon_too_and_its_exit_code_is_0() {
    let (lambda, room) = slow("AddPermission");
    let mut run = room.start("run permissions.yaml --mode enforce --target f");
    wait_for(&lambda, "AddPermission", 1);
    run.signal("TERM");
    assert_eq!(run.code(), Some(0), "{}", run.err());
    assert_eq!(lambda.sids("f"), ["kept", "a"]);
}

/// `kept` of `f` is to be another; `RemovePermission` is slow.
fn replacing() -> (Lambda, Room) {
    let (lambda, room) = slow("RemovePermission");
    let wishes = "\
account: '123456789012'
functions:
  - function: f
    statements:
      - {sid: kept, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::other'}
";
    room.write("permissions.yaml", wishes);
    (lambda, room)
}

/// A statement that is away to be replaced comes back before anything stops.
#[test]
fn a_gap_is_closed() {
    let (lambda, room) = replacing();
    let settings = "permissions: [permissions.yaml]\ndefaults: {replace: direct}\n";
    room.write("permitd.yaml", settings);
    let mut apply = room.start("apply --mode enforce --yes");
    wait_for(&lambda, "RemovePermission", 1);
    apply.signal("TERM");
    assert_eq!(apply.code(), Some(143), "{}", apply.err());
    assert_eq!(lambda.statements("f"), [service("kept", "s3.amazonaws.com", "arn:aws:s3:::other")]);
}

/// Over a bridge nothing is away, so there is nothing to hurry for; the next one goes on from there.
#[test]
fn a_bridge_stands_until_the_next_one() {
    let (lambda, room) = replacing();
    let mut apply = room.start("apply permissions.yaml --mode enforce --yes");
    wait_for(&lambda, "RemovePermission", 1);
    apply.signal("TERM");
    assert_eq!(apply.code(), Some(143), "{}", apply.err());
    apply.says("Applied: 2 writes done.");
    let sids = lambda.sids("f");
    assert!(sids.len() == 1 && sids[0].starts_with("kept-permitd-"), "{sids:?}");
    lambda.faults(&json!({}));
    let said = room.permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.statements("f"), [service("kept", "s3.amazonaws.com", "arn:aws:s3:::other")]);
}

#[test]
fn a_second_signal_is_now() {
    let (lambda, room) = slow("AddPermission");
    let delay = json!({"operation": "AddPermission", "times": "forever", "kind": "delay", "delay_ms": 60_000});
    lambda.faults(&json!({ "faults": [delay] }));
    let mut apply =
        room.start("apply permissions.yaml --mode enforce --yes --log-level info --target f");
    wait_for(&lambda, "AddPermission", 1);
    apply.signal("INT");
    apply.logs_line(&["finishing what is in flight; a second signal ends at once", "SIGINT"]);
    apply.signal("TERM");
    assert_eq!(apply.code(), Some(143), "{}", apply.err());
}

#[test]
fn plan_tells_that_it_was_interrupted() {
    let (lambda, room) = slow("GetPolicy");
    let mut plan = room.start("plan permissions.yaml --output json");
    wait_for(&lambda, "GetPolicy", 2);
    plan.signal("INT");
    assert_eq!(plan.code(), Some(130), "{}", plan.err());
    plan.logs("interrupted: not everything was read\n");
    assert_eq!(plan.out(), "", "half a report is none");
}

#[test]
fn apply_that_only_read_changes_nothing() {
    let (lambda, room) = slow("GetPolicy");
    let mut apply = room.start("apply permissions.yaml --mode enforce --yes");
    wait_for(&lambda, "GetPolicy", 2);
    apply.signal("TERM");
    assert_eq!(apply.code(), Some(143), "{}", apply.err());
    apply.logs("interrupted: nothing was changed\n");
    assert_eq!((lambda.sids("f"), lambda.sids("g").len()), (vec!["kept".to_owned()], 0));
}
