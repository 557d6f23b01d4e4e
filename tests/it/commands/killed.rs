//! A process that is killed in the middle of a replacement: the next pass goes on from what it finds.

use serde_json::{Value, json};

use super::harness::{Lambda, Room, eventually, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
";

fn wanted() -> [Value; 1] {
    [service("a", "s3.amazonaws.com", "arn:aws:s3:::new")]
}

fn of(lambda: &Lambda, operation: &str) -> Vec<Value> {
    lambda.requests().into_iter().filter(|it| it["operation"] == operation).collect()
}

/// The write with this number is in flight when the process is killed; Lambda does it, or not, later.
fn killed_at(operation: &str, nth: usize) -> (Lambda, Room) {
    let old = service("a", "s3.amazonaws.com", "arn:aws:s3:::old");
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[old])}]));
    let delay = json!({"operation": operation, "nth": nth, "kind": "delay", "delay_ms": 1500});
    lambda.faults(&json!({ "faults": [delay] }));
    let room = lambda.room(WISHES);
    let mut apply = room.start("apply permissions.yaml --mode enforce --yes");
    eventually("the write that is slow", || (of(&lambda, operation).len() >= nth).then_some(()));
    apply.signal("KILL");
    assert_eq!(apply.code(), None, "a signal ended it");
    (lambda, room)
}

#[test]
fn the_next_pass_finishes_a_replacement() {
    // The bridge is built, the old statement goes, the new one comes, the bridge goes.
    for (operation, nth) in [
        ("AddPermission", 1),
        ("RemovePermission", 1),
        ("AddPermission", 2),
        ("RemovePermission", 2),
    ] {
        let (lambda, room) = killed_at(operation, nth);
        let said = room.permitd("run permissions.yaml --mode enforce --once");
        assert_eq!(said.code, Some(0), "{operation} {nth}: {said:?}");
        assert_eq!(lambda.statements("f"), wanted(), "{operation} {nth}");
        // What was in flight comes too late, for it carries an old revision; or it had come before the pass.
        eventually("the answer that nobody waits for", || {
            of(&lambda, operation)[nth - 1]["status"].is_number().then_some(())
        });
        assert_eq!(lambda.statements("f"), wanted(), "{operation} {nth}");
        let plan = room.permitd("plan permissions.yaml --detailed-exitcode");
        assert_eq!(plan.code, Some(0), "{plan:?}");

        let history = room.history();
        let outcomes: Vec<&str> =
            history.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes.iter().filter(|it| **it == "unknown").count(), 1, "{outcomes:?}");
        assert!(
            outcomes.iter().all(|it| ["done", "unknown", "refused"].contains(it)),
            "{outcomes:?}"
        );
        // The old statement is in it as it was, so that it can come back.
        let old = service("a", "s3.amazonaws.com", "arn:aws:s3:::old");
        let removal = |it: &&Value| it["action"] == "remove" && it["sid"] == "a";
        assert!(history.iter().filter(removal).any(|it| it["before"] == old), "{history:?}");
    }
}

/// Access that is wanted before and after is there at every moment: between the steps, somebody may always invoke.
#[test]
fn at_no_moment_is_it_away() {
    for (operation, nth) in [("RemovePermission", 1), ("AddPermission", 2), ("RemovePermission", 2)]
    {
        let (lambda, _room) = killed_at(operation, nth);
        let live = lambda.statements("f");
        let new = |it: &Value| it["Condition"] == wanted()[0]["Condition"];
        assert!(live.iter().any(new), "{operation} {nth}: {live:?}");
    }
}
