//! `permitd undo`: what was done is taken back, shown first, and left alone afterwards.

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, Said, account, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    absent: [deny]
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - {sid: b, principal: '310987654321'}
";
const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1s
remove_inexpressible: true
";

fn old() -> Value {
    service("a", "s3.amazonaws.com", "arn:aws:s3:::old")
}

fn new() -> Value {
    service("a", "s3.amazonaws.com", "arn:aws:s3:::new")
}

/// AddPermission cannot make it.
fn several() -> Value {
    let mut res = account("several", "210987654321");
    res["Action"] = json!(["lambda:GetFunction", "lambda:InvokeFunction"]);
    res
}

fn deny() -> Value {
    let mut res = account("deny", "410987654321");
    res["Effect"] = json!("Deny");
    res
}

/// Somebody applied the files: `b` came, `a` was replaced, the rest went.
fn applied() -> (Lambda, Room) {
    let live = [old(), account("rogue", "210987654321"), deny(), several()];
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]));
    let room = lambda.room(WISHES);
    room.write("permitd.yaml", SETTINGS);
    let said = room.permitd("apply --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.sids("f"), ["b", "a"]);
    lambda.calls();
    (lambda, room)
}

fn entry(room: &Room, action: &str, sid: &str) -> i64 {
    let history = room.history();
    let found = history.iter().find(|it| it["action"] == action && it["sid"] == sid);
    found.unwrap_or_else(|| panic!("{action} {sid}: {history:?}"))["id"].as_i64().unwrap()
}

/// What an undo prints for the files.
fn yaml(said: &Said) -> &str {
    said.out.split_once("The permission files need this, to keep it so:\n\n").unwrap().1
}

const PAUSED: &str = "arn:aws:lambda:us-east-1:123456789012:function:f is paused until what the files want of it changes, or `permitd resume`\n";

/// The printed YAML beside the files makes what is live what is wanted, and ends the pause.
#[track_caller]
fn belongs_into_the_files(room: &Room, said: &Said) {
    let held = room.permitd("apply --yes");
    assert_eq!(held.code, Some(2), "{held:?}");
    assert!(held.out.contains("held: paused, undo "), "{held:?}");
    room.write("more.yaml", yaml(said));
    let plan = room.permitd("plan permissions.yaml more.yaml --detailed-exitcode");
    assert_eq!((plan.code, plan.err.as_str()), (Some(0), ""), "{plan:?}");
}

#[test]
fn a_removal() {
    let (lambda, room) = applied();
    let id = entry(&room, "remove", "rogue");
    let said = room.permitd(&format!("undo {id} --yes"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.starts_with(&format!("This takes back\n\n{id:>5}  20")), "{said:?}");
    let tail = format!(
        "
by this:

{FN}
  + rogue               missing; account 210987654321 may invoke

Plan: 1 to add, 0 to change, 0 to remove, 0 held. 1 of 1 function differs; 0 unknown.

undone: rogue stands in {FN} as it did
{PAUSED}
The permission files need this, to keep it so:

account: \"123456789012\"
region: us-east-1
functions:
  - function: f
    statements:
      - sid: rogue
        principal: \"210987654321\"
"
    );
    assert!(said.out.ends_with(&tail), "{said:?}");
    assert_eq!(lambda.statements("f")[2], account("rogue", "210987654321"));
    let last = room.history().pop().unwrap();
    let told = (&last["undoes"], &last["action"], &last["outcome"]);
    assert_eq!(told, (&json!(id), &json!("add"), &json!("done")), "{last}");
    belongs_into_the_files(&room, &said);

    let again = room.permitd(&format!("undo {id} --yes"));
    let message = "error: it is there already, exactly as it was: nothing is left to undo\n";
    again.is(1, "", message);
}

#[test]
fn an_addition() {
    let (lambda, room) = applied();
    let said = room.permitd(&format!("undo {} --yes", entry(&room, "add", "b")));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.contains(&format!("\nundone: b was taken out of {FN}\n{PAUSED}")), "{said:?}");
    assert_eq!(lambda.sids("f"), ["a"]);
    assert!(yaml(&said).contains("absent:\n      - b\n"), "{said:?}");
    let said = room.permitd("apply --yes");
    assert_eq!((said.code, lambda.sids("f").len()), (Some(2), 1), "{said:?}");
    // Whoever changes the mind again says so.
    room.permitd("resume").is(0, &format!("resumed: {FN} (undo 1)\n"), "");
    let said = room.permitd("apply --yes");
    assert_eq!((said.code, lambda.sids("f").len()), (Some(0), 2), "{said:?}");
}

/// One entry stands for the whole replacement, and brings the old content back without a gap.
#[test]
fn a_replacement() {
    let (lambda, room) = applied();
    let id = entry(&room, "remove", "a");
    let of_it = room.history().into_iter().filter(|it| it["replaces"] == "a" && it["id"] != id);
    let mut others = 0;
    for it in of_it {
        let other = &it["id"];
        let message = format!(
            "error: entry {other} is one step of the replacement of `a`; `permitd undo {id}` brings back the statement that was replaced\n"
        );
        room.permitd(&format!("undo {other} --yes")).is(1, "", &message);
        assert_eq!(it["instead"], id);
        others += 1;
    }
    assert_eq!(others, 3, "the bridge came, the new one came, the bridge went");
    assert_eq!(lambda.writes(), Vec::<String>::new());
    let said = room.permitd(&format!("undo {id} --yes"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.contains("  ~ a                   changed, bridged: no gap\n"), "{said:?}");
    assert_eq!(
        lambda.writes(),
        ["AddPermission f", "RemovePermission f", "AddPermission f", "RemovePermission f"]
    );
    assert!(lambda.statements("f").contains(&old()));
    // What was undone by the replacement is now wanted in place of what the files say.
    room.write("permissions.yaml", &WISHES.replace(":::new", ":::old"));
    let plan = room.permitd("plan --detailed-exitcode");
    assert_eq!(plan.code, Some(0), "{plan:?}");
    // And the undo can be undone, which is a replacement like any other.
    let id = room
        .history()
        .iter()
        .rev()
        .find(|it| it["action"] == "remove" && it["sid"] == "a")
        .unwrap()["id"]
        .clone();
    let said = room.permitd(&format!("undo {id} --yes"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(lambda.statements("f").contains(&new()));
}

#[test]
fn what_add_permission_cannot_make_is_put_as_a_whole_document() {
    for (sid, statement) in [("deny", deny()), ("several", several())] {
        let (lambda, room) = applied();
        let id = entry(&room, "remove", sid);
        let said = room.permitd(&format!("undo {id} --yes"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        assert!(said.out.contains(
            "AddPermission cannot make this, so the whole document is put, guarded by revision "
        ));
        let log = lambda.requests();
        let put = log.iter().find(|it| it["operation"] == "PutResourcePolicy").unwrap();
        let guard = put["revision_id"].as_str().unwrap();
        assert!(said.out.contains(guard), "{guard}: {said:?}");
        assert_eq!(lambda.writes(), ["PutResourcePolicy f"]);
        assert_eq!(lambda.statements("f").last().unwrap(), &statement);
        assert_eq!(lambda.sids("f"), ["b", "a", sid], "the rest is as it was");
        assert!(yaml(&said).starts_with("# A permission file cannot say this statement of "));
        let held = room.permitd("apply --yes");
        assert_eq!((held.code, lambda.sids("f").len()), (Some(2), 3), "{held:?}");
    }
}

#[test]
fn nobody_there_to_say_yes() {
    let (lambda, room) = applied();
    let id = entry(&room, "remove", "rogue");
    let said = room.permitd(&format!("undo {id}"));
    let nobody = "\
error: nobody is there to answer; pass --yes to undo without asking
Nothing was changed.
";
    assert_eq!((said.code, said.err.as_str()), (Some(1), nobody), "{said:?}");
    assert_eq!(lambda.writes(), Vec::<String>::new());
    assert_eq!(room.permitd("plan --detailed-exitcode").code, Some(0), "nor was anything paused");
    let Some(mut no) = room.on_terminal(&format!("undo {id}"), "no\n") else { return };
    assert_eq!(no.code(), Some(1), "{}", no.err());
    assert_eq!(lambda.writes(), Vec::<String>::new());
    let mut yes = room.on_terminal(&format!("undo {id}"), "yes\n").unwrap();
    assert_eq!(yes.code(), Some(0), "{}", yes.err());
    assert_eq!(lambda.sids("f"), ["b", "a", "rogue"]);
}

#[test]
fn what_somebody_changed_meanwhile_is_left_alone() {
    let (lambda, room) = applied();
    let other = account("b", "510987654321");
    lambda.put(&[new(), other.clone()]);
    lambda.calls();
    let said = room.permitd(&format!("undo {} --yes", entry(&room, "add", "b")));
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    let message = "error: b was changed since entry 1 by somebody else\nhint: it is now {";
    assert!(said.err.starts_with(message), "{said:?}");
    lambda.put(&[new()]);
    let said = room.permitd(&format!("undo {} --yes", entry(&room, "add", "b")));
    let gone = format!("error: b is not in {FN} any more: nothing is left to undo\n");
    said.is(1, "", &gone);
    // A statement of the same Sid is in the way of the one that would be put back.
    lambda.put(&[new(), account("deny", "510987654321")]);
    let said = room.permitd(&format!("undo {} --yes", entry(&room, "remove", "deny")));
    let message = format!("error: another statement stands in {FN} under the sid deny by now\n");
    assert!(said.code == Some(1) && said.err.starts_with(&message), "{said:?}");
    assert_eq!(lambda.writes(), Vec::<String>::new());
    assert_eq!(room.history().len(), 8, "nothing more was begun");
}

#[test]
fn an_entry_that_is_not_there() {
    let (lambda, room) = applied();
    let message = "\
error: there is no entry 99 in the journal ROOM/permitd/journal.db
hint: `permitd history` shows what is in it
";
    room.permitd("undo 99 --yes").is(1, "", message);
    let said = room.permitd("undo 0");
    assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "{said:?}");
    let none = Room::new();
    none.permitd("undo 1 --yes").is(1, "", &message.replace("entry 99", "entry 1"));
    assert!(!none.path("permitd").exists());
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

/// The daemon that writes the journal does it, leaves the target alone until the files say something else, and
/// goes on by itself then; also when they later say again what they said before.
#[test]
fn through_the_daemon() {
    let (lambda, room) = applied();
    let id = entry(&room, "remove", "rogue");
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    let said = room.permitd(&format!("undo {id} --yes"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(
        said.out.contains(&format!("\nundone: rogue stands in {FN} as it did\n{PAUSED}")),
        "{said:?}"
    );
    daemon.logs_line(&["undone", &format!("said=\"undone: rogue stands in {FN} as it did")]);
    assert!(room.history().pop().unwrap()["actor"].as_str().unwrap().starts_with("permitd run, "));
    daemon.logs_line(&[" held ", &format!("why=\"paused, undo {id}, until its files change\"")]);
    let passes = daemon.lines_with(&["pass done"]);
    daemon.logs_lines(&["pass done"], passes + 2);
    assert_eq!(lambda.sids("f"), ["b", "a", "rogue"], "it does not undo the undo");

    let both = "permissions: [permissions.yaml, more.yaml]";
    room.write("more.yaml", yaml(&said));
    room.write("permitd.yaml", &SETTINGS.replace("permissions: [permissions.yaml]", both));
    daemon.signal("HUP");
    daemon.logs_line(&["pass done", "trigger=\"the files changed\""]);
    let plan = room.permitd("plan --detailed-exitcode");
    assert_eq!((plan.code, plan.err.as_str()), (Some(0), ""), "{plan:?}");

    room.write("permitd.yaml", SETTINGS);
    daemon.signal("HUP");
    lambda.converges("f", &["b", "a"]);
    daemon.stops();
    assert_eq!(room.permitd("apply --yes").code, Some(0), "nor is it paused for anybody else");
}

/// The pause outlives the daemon that was told.
#[test]
fn an_undo_is_not_undone_by_the_next_daemon() {
    let (lambda, room) = applied();
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    let said = room.permitd(&format!("undo {} --yes", entry(&room, "add", "b")));
    assert_eq!(said.code, Some(0), "{said:?}");
    daemon.stops();
    let mut daemon = room.start("run");
    daemon.logs_line(&[" held ", "why=\"paused, undo 1, until its files change\""]);
    daemon.logs_lines(&["pass done"], 2);
    assert_eq!(lambda.sids("f"), ["a"]);
    room.permitd("resume f").is(0, "resumed: f\n", "");
    lambda.converges("f", &["a", "b"]);
    daemon.stops();
}

/// A pause that somebody asked for is none of an undo's business.
#[test]
fn a_pause_by_hand_stays() {
    let (lambda, room) = applied();
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    room.permitd("pause f").is(0, "paused: f is left alone until `permitd resume`\n", "");
    let id = entry(&room, "add", "b");
    lambda.put(&[new(), account("b", "510987654321")]);
    let refused = room.permitd(&format!("undo {id} --yes"));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    daemon.logs("why=\"paused, paused by hand, until somebody resumes it\"");
    let said = room.permitd(&format!("undo {} --yes", entry(&room, "remove", "rogue")));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out.contains(&format!("\n{FN} stays paused until `permitd resume`\n")),
        "{said:?}"
    );
    assert_eq!(lambda.statements("f")[1], account("b", "510987654321"));
    daemon.stops();
    let said = room.permitd("plan");
    assert!(
        said.out.contains("held: paused, paused by hand, until somebody resumes it"),
        "{said:?}"
    );
}
