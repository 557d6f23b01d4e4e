//! `permitd apply`: shows the plan, asks, does it, guarded by the revisions it read.

use serde_json::{Value, json};

use super::harness::{Lambda, Room, account, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - {sid: b, principal: sns.amazonaws.com, source_account: '123456789012'}
  - function: g
    statements:
      - {sid: c, principal: '210987654321'}
";
const PLAN: &str = "\
arn:aws:lambda:us-east-1:123456789012:function:f
  ~ a                   changed, bridged: no gap
      source_arn: arn:aws:s3:::old -> arn:aws:s3:::new
  + b                   missing; sns.amazonaws.com may invoke, in account 123456789012
  - rogue               unmanaged; account 210987654321 may invoke
    risks: a P003 (an S3 source, without its account); rogue P004 (a whole account)

arn:aws:lambda:us-east-1:123456789012:function:g
  + c                   missing; account 210987654321 may invoke

Plan: 2 to add, 1 to change, 1 to remove, 0 held. 2 of 2 functions differ; 0 unknown.
Live statements with risks: P003 1, P004 1.
";
const APPLIED: &str = "
f: b was missing; added (sns.amazonaws.com may invoke, in account 123456789012)
f: a had been changed; replaced over a bridge, without a gap
f: rogue was in no file; removed
g: c was missing; added (account 210987654321 may invoke)
Applied: 7 writes done. 2 of 2 functions as written; 0 held, 0 failed, 0 unknown.
";

/// Carries `a` of `f` while it is replaced.
const BRIDGE: &str = "a-permitd-ff2dca40";

fn drifting() -> Lambda {
    let live =
        [service("a", "s3.amazonaws.com", "arn:aws:s3:::old"), account("rogue", "210987654321")];
    Lambda::new(&json!([{"name": "f", "policy": policy(&live)}, {"name": "g"}]))
}

fn writes(lambda: &Lambda) -> Vec<Value> {
    let is_write = |it: &Value| {
        !["GetPolicy", "GetFunction", "GetCallerIdentity"]
            .contains(&it["operation"].as_str().unwrap())
    };
    lambda.requests().into_iter().filter(is_write).collect()
}

#[test]
fn does_it_with_yes_and_then_nothing_is_left() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    room.permitd("apply permissions.yaml --mode enforce --yes").is(
        0,
        &format!("{PLAN}{APPLIED}"),
        "",
    );
    assert_eq!(lambda.sids("f"), ["b", "a"]);
    assert_eq!(lambda.sids("g"), ["c"]);
    let said = room.permitd("plan permissions.yaml --detailed-exitcode");
    assert_eq!(said.code, Some(0), "{said:?}");
    let nothing = "\
Plan: 0 to add, 0 to change, 0 to remove, 0 held. 0 of 2 functions differ; 0 unknown.
Live statements with risks: P003 1, P004 1.
";
    room.permitd("apply permissions.yaml --mode enforce").is(0, nothing, "");
}

#[test]
fn without_a_terminal_nobody_can_say_yes() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let nobody = "\
error: nobody is there to answer; pass --yes to apply without asking
Nothing was changed.
";
    room.permitd("apply permissions.yaml --mode enforce").is(1, PLAN, nobody);
    room.say_to("apply permissions.yaml --mode enforce", "yes\n").is(1, PLAN, nobody);
    assert!(writes(&lambda).is_empty());
}

#[test]
fn needs_a_mode() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let message = "\
error: `permitd apply` needs a mode: observe, additive or enforce
hint: pass --mode enforce, or write `mode: enforce` into the settings file
";
    room.permitd("apply permissions.yaml --yes").is(64, "", message);
    room.write("permitd.yaml", "permissions: [permissions.yaml]\n");
    room.permitd("apply --yes").is(78, "", message);
    assert_eq!(lambda.calls(), Vec::<String>::new(), "before any call");
}

#[test]
fn asks_on_a_terminal() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let typed = |answer: &str| room.on_terminal("apply permissions.yaml --mode enforce", answer);
    let question = "\nDo this? Only `yes` is taken as yes: ";
    for no in ["no\n", "y\n", "\n", "\u{4}"] {
        let Some(mut said) = typed(no) else { return };
        assert_eq!(said.code(), Some(1), "{no:?}: {}", said.err());
        said.logs("Nothing was changed.\n");
        assert_eq!(said.err(), format!("{question}Nothing was changed.\n"), "{no:?}");
        assert_eq!(said.out(), PLAN);
    }
    assert!(writes(&lambda).is_empty());
    let mut said = typed("yes\n").unwrap();
    assert_eq!(said.code(), Some(0), "{}", said.err());
    said.says("Applied: ");
    assert_eq!((said.out(), said.err()), (format!("{PLAN}{APPLIED}"), question.to_owned()));
    assert_eq!(lambda.sids("f"), ["b", "a"]);
}

/// Each write carries the revision of the read just before it; only the first statement of a target without
/// a policy has none to carry.
#[test]
fn writes_are_guarded() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let said = room.permitd("apply permissions.yaml --mode enforce --yes --target f");
    assert_eq!(said.code, Some(0), "{said:?}");
    let log = lambda.requests();
    let operations: Vec<&str> = log.iter().map(|it| it["operation"].as_str().unwrap()).collect();
    assert_eq!(
        operations,
        [
            "GetPolicy",
            "AddPermission",
            "GetPolicy",
            "AddPermission",
            "GetPolicy",
            "RemovePermission",
            "GetPolicy",
            "AddPermission",
            "GetPolicy",
            "RemovePermission",
            "GetPolicy",
            "RemovePermission",
            "GetPolicy",
        ]
    );
    let mut revisions: Vec<&str> =
        writes_of(&log).iter().map(|it| it["revision_id"].as_str().unwrap()).collect();
    assert_eq!(revisions.len(), 6);
    revisions.dedup();
    assert_eq!(revisions.len(), 6, "each read gives another one: {revisions:?}");

    lambda.control("DELETE", "requests", &Value::Null);
    let said = room.permitd("apply permissions.yaml --mode enforce --yes --target g");
    assert_eq!(said.code, Some(0), "{said:?}");
    let log = lambda.requests();
    assert_eq!(writes_of(&log).len(), 1);
    assert_eq!(writes_of(&log)[0]["revision_id"], Value::Null, "there was nothing to guard");
}

fn writes_of(log: &[Value]) -> Vec<&Value> {
    log.iter().filter(|it| it["operation"].as_str().unwrap().ends_with("Permission")).collect()
}

/// The revision that a write carries is the one that the read before it was answered with.
#[test]
fn a_guard_is_the_revision_that_was_read() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let read = room.permitd("plan permissions.yaml --output json").json();
    let revision = read["targets"][0]["revision_id"].clone();
    let said = room.permitd("apply permissions.yaml --mode enforce --yes --target f");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(writes(&lambda)[0]["revision_id"], revision);
}

#[test]
fn one_changed_statement_is_four_writes_and_five_reads() {
    let (lambda, room) = one_changed();
    let said = room.permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!(said.code, Some(0), "{said:?}");
    let calls = lambda.calls();
    let writes: Vec<&str> = calls.iter().skip(1).step_by(2).map(String::as_str).collect();
    assert_eq!(
        writes,
        ["AddPermission f", "RemovePermission f", "AddPermission f", "RemovePermission f"]
    );
    assert_eq!((calls.len(), calls.iter().filter(|it| *it == "GetPolicy f").count()), (9, 5));
}

/// Half the calls, and a moment without it, for who asks for that.
#[test]
fn replaced_directly_it_is_two_writes_and_three_reads() {
    let (lambda, room) = one_changed();
    let settings = "permissions: [permissions.yaml]\nmode: enforce\ndefaults: {replace: direct}\n";
    room.write("permitd.yaml", settings);
    let said = room.permitd("apply --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let gap = "  ~ a                   changed, replaced with a gap: it is away for a moment\n";
    assert!(said.out.contains(gap), "{said:?}");
    assert!(said.out.contains("\nf: a had been changed; replaced with a gap\n"), "{said:?}");
    assert_eq!(
        lambda.calls(),
        ["GetPolicy f", "RemovePermission f", "GetPolicy f", "AddPermission f", "GetPolicy f",]
    );
}

fn one_changed() -> (Lambda, Room) {
    let live = service("a", "s3.amazonaws.com", "arn:aws:s3:::old");
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[live])}]));
    let room = lambda.room(&WISHES.lines().take(6).collect::<Vec<_>>().join("\n"));
    (lambda, room)
}

#[test]
fn observe_writes_nothing() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let note = "Nothing was changed: the mode is observe.\n";
    room.permitd("apply permissions.yaml --mode observe --yes").is(2, PLAN, note);
    assert!(writes(&lambda).is_empty());
}

#[test]
fn additive_adds_and_leaves_the_rest_as_drift() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let said = room.permitd("apply permissions.yaml --mode additive --yes");
    let report = "
f: b was missing; added (sns.amazonaws.com may invoke, in account 123456789012)
g: c was missing; added (account 210987654321 may invoke)

arn:aws:lambda:us-east-1:123456789012:function:f
  ! a                   changed; held: additive
      source_arn: arn:aws:s3:::old -> arn:aws:s3:::new
  ! rogue               unmanaged; account 210987654321 may invoke; held: additive

Applied: 2 writes done. 1 of 2 functions as written; 2 held, 0 failed, 0 unknown.
";
    assert_eq!((said.code, said.err.as_str()), (Some(2), ""), "{said:?}");
    assert!(said.out.ends_with(report), "{said:?}");
    assert_eq!(lambda.sids("f"), ["a", "rogue", "b"]);
    let operations: Vec<Value> = writes(&lambda).iter().map(|it| it["operation"].clone()).collect();
    assert_eq!(operations, ["AddPermission", "AddPermission"]);
}

#[test]
fn json_is_one_document_of_what_was_done() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let said = room.permitd("apply permissions.yaml --mode enforce --yes --output json");
    assert_eq!((said.code, said.err.as_str()), (Some(0), PLAN), "{said:?}");
    let report = said.json();
    assert_eq!(report["format_version"], "1.0");
    assert_eq!(report["summary"]["writes"], 7);
    assert_eq!(report["summary"]["in_sync"], 2);
    let done = |sid: &str, action: &str| json!({"sid": sid, "action": action, "result": "done"});
    let expected = json!([
        done("b", "create"),
        done(BRIDGE, "create"),
        done("a", "delete"),
        done("a", "create"),
        done(BRIDGE, "delete"),
        done("rogue", "delete")
    ]);
    assert_eq!(report["targets"][0]["done"], expected);
    assert_eq!(report["targets"][0]["drift"], json!([]));
    assert_eq!(report["approve"], Value::Null, "nothing is left to say yes to");
}

/// What Lambda refuses leaves that target failed, and the others go on.
#[test]
fn a_refused_write() {
    let lambda = drifting();
    let fault = json!({
        "operation": "AddPermission", "target": "*:g", "times": "forever", "kind": "error", "status": 403,
        "code": "AccessDeniedException", "message": "User: x is not authorized to perform: lambda:AddPermission",
    });
    lambda.faults(&json!({ "faults": [fault] }));
    let room = lambda.room(WISHES);
    let said = room.permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.out.contains("is not authorized to perform: lambda:AddPermission"), "{said:?}");
    assert!(said.out.contains("allow lambda:AddPermission on this function"), "{said:?}");
    assert!(
        said.out.ends_with("1 of 2 functions as written; 1 held, 1 failed, 0 unknown.\n"),
        "{said:?}"
    );
    assert_eq!(lambda.sids("f"), ["b", "a"]);
}
