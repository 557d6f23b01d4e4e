//! `plan --out` and `apply --plan`: what was looked at is what is done, or nothing is.

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, account, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - {sid: open, principal: '*'}
";
const APPLY: &str = "apply --plan saved.json --mode enforce";

fn live() -> Vec<Value> {
    let mut res = vec![service("a", "s3.amazonaws.com", "arn:aws:s3:::old")];
    res.extend((0..11).map(|n| account(&format!("rogue-{n:02}"), &id(n))));
    res
}

fn id(n: u64) -> String {
    (210_987_654_300 + n).to_string()
}

fn saved() -> (Lambda, Room) {
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&live())}]));
    let room = lambda.room(WISHES);
    let shown = room.permitd("plan permissions.yaml");
    let note = "Saved this plan; it is done, and nothing else, with\n    permitd apply --plan saved.json --mode enforce\n";
    room.permitd("plan permissions.yaml --out saved.json").is(0, &shown.out, note);
    lambda.calls();
    (lambda, room)
}

#[track_caller]
fn nothing_was_done(lambda: &Lambda) {
    assert_eq!(lambda.writes(), Vec::<String>::new());
}

/// Also what a limit and a risk hold: it was in what was looked at.
#[test]
fn it_does_what_was_shown_without_asking() {
    use std::os::unix::fs::PermissionsExt;
    let (lambda, room) = saved();
    let mode = std::fs::metadata(room.path("saved.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "tokens stand in it");
    let held = room.permitd("plan permissions.yaml --detailed-exitcode");
    assert_eq!(held.code, Some(3), "{held:?}");
    lambda.calls();

    let said = room.permitd(APPLY);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let sum = "Applied: 16 writes done. 1 of 1 function as written; 0 held, 0 failed, 0 unknown.\n";
    assert!(said.out.ends_with(sum), "{said:?}");
    let calls = lambda.calls();
    let reads = calls.iter().filter(|it| it.as_str() == "GetPolicy f").count();
    assert_eq!((calls.len(), reads), (33, 17), "16 writes, and a read around each: {calls:?}");
    assert_eq!(lambda.sids("f"), ["open", "a"]);
    let digest = room.history()[0]["approval"].clone();
    let text = std::fs::read_to_string(room.path("saved.json")).unwrap();
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(plan["digest"], digest);

    // Twice it is another policy.
    let said = room.permitd(APPLY);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    nothing_was_done(&lambda);
}

/// One that comes in between was in nothing that was looked at.
#[test]
fn a_function_that_is_not_there_yet() {
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[])}]));
    let grant = "{sid: a, principal: sns.amazonaws.com, source_arn: 'arn:aws:sns:us-east-1:123456789012:t'}";
    let room = lambda.room(&format!(
        "account: '123456789012'\nfunctions:\n  - function: f\n    statements: [{grant}]\n  - function: g\n    statements: [{grant}]\n"
    ));
    let said = room.permitd("plan permissions.yaml --out saved.json");
    let why = "error: the plan was not saved to saved.json: not every policy could be read\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), why), "{said:?}");
    let said = room.permitd("plan permissions.yaml --out saved.json --allow-missing");
    let note = "Saved this plan; it is done, and nothing else, with\n    permitd apply --plan saved.json --mode enforce --allow-missing\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), note), "{said:?}");
    let said = room.permitd("apply --plan saved.json --mode enforce --allow-missing");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.sids("f"), ["a"]);

    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[])}, {"name": "g"}]));
    let room = room.with("AWS_ENDPOINT_URL", &lambda.endpoint);
    let said = room.permitd("apply --plan saved.json --mode enforce");
    assert_eq!(lambda.writes(), ["AddPermission f"], "{said:?}");
    assert_eq!(said.code, Some(2), "what g wants is left: {said:?}");
}

#[test]
fn a_policy_that_is_another_by_now() {
    let (lambda, room) = saved();
    lambda.grant("f", "stranger", "410987654321");
    lambda.revoke("f", "rogue-03");
    lambda.calls();
    let said = room.permitd(APPLY);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    let start = format!(
        "error: 1 policy is not what the plan saw, and nothing was changed:\n{FN}\n  - rogue-03  the plan saw: {{"
    );
    assert!(said.err.starts_with(&start), "{said:?}");
    assert!(said.err.contains("\n  + stranger  it is now: {"), "{said:?}");
    let hint = "hint: make the plan anew with `permitd plan --out FILE`, and look at it again\n";
    assert!(said.err.ends_with(hint), "{said:?}");
    assert_eq!(lambda.calls(), ["GetPolicy f"]);
}

/// The same statements in another order, in another spelling and under another revision are the same policy.
#[test]
fn another_spelling_is_the_same_policy() {
    let (lambda, room) = saved();
    let mut respelt = live();
    respelt.reverse();
    respelt[0]["Action"] = json!(["lambda:invokeFunction"]);
    respelt[0]["Principal"] = json!({"AWS": [id(10)]});
    lambda.put(&respelt);
    let said = room.permitd(APPLY);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.sids("f"), ["open", "a"]);
}

#[test]
fn one_policy_that_changed_stops_all() {
    let lambda = Lambda::new(&json!([{"name": "f"}, {"name": "g"}]));
    let wishes = "\
account: '123456789012'
functions:
  - names: [f, g]
    statements: [{sid: a, principal: '210987654321'}]
";
    let room = lambda.room(wishes);
    assert_eq!(room.permitd("plan permissions.yaml --out saved.json").code, Some(0));
    lambda.grant("g", "stranger", "410987654321");
    lambda.calls();
    let said = room.permitd(APPLY);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("function:g\n  + stranger  it is now: "), "{said:?}");
    nothing_was_done(&lambda);
}

/// It is about all that it saw, also where nothing is to be done.
#[test]
fn what_is_not_to_be_changed_counts_too() {
    let lambda = Lambda::new(&json!([
        {"name": "f"}, {"name": "g", "policy": policy(&[super::harness::account_at("g", "a", "210987654321")])}
    ]));
    let wishes = "\
account: '123456789012'
functions:
  - names: [f, g]
    statements: [{sid: a, principal: '210987654321'}]
";
    let room = lambda.room(wishes);
    assert_eq!(room.permitd("plan permissions.yaml --out saved.json").code, Some(0));
    lambda.revoke("g", "a");
    lambda.calls();
    let said = room.permitd(APPLY);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("function:g\n  - a  the plan saw: "), "{said:?}");
    nothing_was_done(&lambda);
}

#[test]
fn a_file_that_is_no_plan_of_this_permitd() {
    let (lambda, room) = saved();
    let text = std::fs::read_to_string(room.path("saved.json")).unwrap();
    let changed = "it was changed after it was saved";
    for (what, text, cause) in [
        (
            "the changes",
            text.replace("rogue-03\",\n      \"before", "rogue-04\",\n      \"before"),
            changed,
        ),
        ("the wishes", text.replace(":::new", ":::newer"), changed),
        (
            "what was seen",
            text.replace("\"rogue-03\",\n          \"", "\"rogue-33\",\n          \""),
            changed,
        ),
        ("another program's", "{\"format_version\": \"1.0\"}".to_owned(), "missing field"),
        ("not JSON", WISHES.to_owned(), "expected value at line 1"),
        ("half of it", text[..text.len() / 2].to_owned(), "EOF while parsing"),
        (
            "of a later version",
            text.replace("\"1.0\"", "\"2.0\""),
            "its form is permitd saved plan 2.0",
        ),
    ] {
        room.write("saved.json", &text);
        let said = room.permitd(APPLY);
        assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{what}: {said:?}");
        let start = format!("error: saved.json is not a plan that this permitd saved: {cause}");
        assert!(said.err.starts_with(&start), "{what}: {said:?}");
        assert!(said.err.ends_with("\nhint: make it anew with `permitd plan --out FILE`\n"));
    }
    std::fs::remove_file(room.path("saved.json")).unwrap();
    room.permitd(APPLY).is(
        78,
        "",
        "error: cannot read the plan saved.json: No such file or directory (os error 2)\n\
         hint: make it anew with `permitd plan --out FILE`\n",
    );
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

/// The plan has its own wishes; whoever names the files again means that they are still these.
#[test]
fn files_that_were_edited_since() {
    let (lambda, room) = saved();
    room.write("permissions.yaml", &WISHES.replace(":::new", ":::newer"));
    let said = room.permitd("apply permissions.yaml --plan saved.json --mode enforce");
    let message = "\
error: the permission files are not those that the plan was made from
hint: leave them out: the plan has its own; or make it anew with `permitd plan --out`
";
    said.is(1, "", message);
    assert_eq!(lambda.calls(), Vec::<String>::new());
    let said = room.permitd(APPLY);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let wanted = service("a", "s3.amazonaws.com", "arn:aws:s3:::new");
    assert!(lambda.statements("f").contains(&wanted), "as it was looked at");
}

#[test]
fn it_needs_a_mode_as_any_apply_does() {
    let (lambda, room) = saved();
    let message = "\
error: `permitd apply` needs a mode: observe, additive or enforce
hint: pass --mode enforce, or write `mode: enforce` into the settings file
";
    room.permitd("apply --plan saved.json").is(64, "", message);
    let said = room.permitd("apply --plan saved.json --mode observe");
    assert_eq!(said.code, Some(2), "nothing of it is held any more: {said:?}");
    nothing_was_done(&lambda);
    // What was planned with a mode is done in that one.
    let plan = room.permitd("plan permissions.yaml --mode additive --out saved.json");
    assert!(plan.err.ends_with("\n    permitd apply --plan saved.json\n"), "{plan:?}");
    lambda.calls();
    let said = room.permitd("apply --plan saved.json");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(lambda.writes(), ["AddPermission f"]);
}

#[test]
fn what_could_not_be_read_is_not_planned() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let wishes = "\
account: '123456789012'
functions:
  - names: [f, nowhere]
    statements: [{sid: a, principal: '210987654321'}]
";
    let room = lambda.room(wishes);
    let said = room.permitd("plan permissions.yaml --out saved.json");
    let message = "error: the plan was not saved to saved.json: not every policy could be read\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), message), "{said:?}");
    assert!(!room.path("saved.json").exists());
}

#[test]
fn a_place_that_cannot_be_written() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let room = lambda.room("account: '123456789012'\nfunctions: [{function: f, statements: [{sid: a, principal: '210987654321'}]}]\n");
    let said = room.permitd("plan permissions.yaml --out nowhere/saved.json");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    assert!(
        said.err.starts_with("error: cannot write the plan to nowhere/saved.json: "),
        "{said:?}"
    );
}
