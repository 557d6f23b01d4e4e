//! Beyond a limit nothing is taken away until somebody says yes to it; what widens is done all the same.

use std::fmt::Write;

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, account, account_at, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: kept, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
      - {sid: new, principal: '310987654321'}
";

/// `f` with one statement that stays, and so many that are in no file.
fn crowded(rogues: usize) -> Lambda {
    let mut live = vec![service("kept", "s3.amazonaws.com", "arn:aws:s3:::b")];
    live.extend((0..rogues).map(|n| account(&format!("rogue-{n:02}"), &id(n))));
    Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]))
}

fn id(n: usize) -> String {
    (210_987_654_300 + n).to_string()
}

fn digest(room: &Room) -> String {
    let report = room.permitd("plan permissions.yaml --output json").json();
    report["digest"].as_str().unwrap().to_owned()
}

fn asks(digest: &str) -> String {
    format!(
        "11 statements held by a limit or a risk; they are done with\n    permitd apply --approve {digest}\n"
    )
}

#[test]
fn beyond_max_revocations_nothing_is_narrowed_and_the_rest_is_done() {
    let lambda = crowded(11);
    let room = lambda.room(WISHES);
    let said = room.permitd("plan permissions.yaml --detailed-exitcode --output json");
    assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{said:?}");
    let report = said.json();
    let digest = report["digest"].as_str().unwrap().to_owned();
    let command = format!("permitd apply --approve {digest}");
    assert_eq!(report["approve"], json!({"statements": 11, "command": command}));
    let changes = json!({"add": 1, "change": 0, "remove": 0, "held": 11, "asked": 11});
    assert_eq!(report["summary"]["changes"], changes);
    let reason = "max_revocations, 11 wanted and 0 done in the last hour; 10 allowed";
    let held = &report["targets"][0]["held"][0];
    assert_eq!((&held["reason"], &held["message"]), (&json!("max_revocations"), &json!(reason)));

    let said = room.permitd("plan permissions.yaml");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(said.out.matches(&format!("; held: {reason}\n")).count(), 11, "{said:?}");
    assert!(said.out.ends_with(&asks(&digest)), "{said:?}");
    assert!(lambda.writes().is_empty());

    let said = room.permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{said:?}");
    let sum = "Applied: 1 write done. 0 of 1 function as written; 11 held, 0 failed, 0 unknown.\n";
    assert!(said.out.ends_with(&format!("{sum}{}", asks(&digest))), "{said:?}");
    assert_eq!(lambda.writes(), ["AddPermission f"], "`--yes` is no yes to what is held");

    let said = room.permitd("run permissions.yaml --mode enforce --once -q");
    assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{said:?}");
    let sum = "Applied: 0 writes done. 0 of 1 function as written; 11 held, 0 failed, 0 unknown.\n";
    assert!(said.out.ends_with(&format!("{sum}{}", asks(&digest))), "{said:?}");
    assert!(lambda.writes().is_empty());
}

/// The same by `run --once`, which adds what is missing in the pass that holds the rest.
#[test]
fn run_once_widens_and_holds() {
    let lambda = crowded(11);
    let room = lambda.room(WISHES);
    let said = room.permitd("run permissions.yaml --mode enforce --once");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.starts_with("f: new was missing; added (account 310987654321 may invoke)\n"));
    assert_eq!(lambda.writes(), ["AddPermission f"]);
}

#[test]
fn ten_are_within_the_limit() {
    let lambda = crowded(10);
    let said = lambda.room(WISHES).permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.sids("f"), ["kept", "new"]);
}

#[test]
fn max_revocations_can_be_set() {
    for more in ["--max-revocations 11", "--max-revocations unlimited"] {
        let lambda = crowded(11);
        let room = lambda.room(WISHES);
        let said = room.permitd(&format!("apply permissions.yaml --mode enforce --yes {more}"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        assert_eq!(lambda.sids("f"), ["kept", "new"], "{more}");
    }
    let lambda = crowded(2);
    let room = lambda.room(WISHES);
    let settings = "permissions: [permissions.yaml]\nmode: enforce\nlimits: {max_revocations: 1}\n";
    room.write("permitd.yaml", settings);
    let said = room.permitd("apply --yes");
    assert_eq!(said.code, Some(3), "{said:?}");
    let reason = "max_revocations, 2 wanted and 0 done in the last hour; 1 allowed";
    assert!(said.out.contains(reason), "{said:?}");
    assert_eq!(room.permitd("apply --yes --max-revocations 2").code, Some(0), "the flag wins");
}

/// Ten functions, of which so many have a statement too much.
fn wide(changed: usize) -> (Lambda, String) {
    let mut functions = Vec::new();
    let mut wishes = "account: '123456789012'\nfunctions:\n".to_owned();
    for n in 0..10 {
        let name = format!("n{n}");
        let mut live = vec![account_at(&name, "kept", &id(0))];
        live.extend((n < changed).then(|| account_at(&name, "rogue", &id(1))));
        functions.push(json!({"name": name, "policy": policy(&live)}));
        let kept = format!("[{{sid: kept, principal: '{}'}}]", id(0));
        writeln!(wishes, "  - function: {name}\n    ownership: all\n    statements: {kept}")
            .unwrap();
    }
    (Lambda::new(&json!(functions)), wishes)
}

#[test]
fn max_changed_targets() {
    let (lambda, wishes) = wide(4);
    let room = lambda.room(&wishes);
    let reason = "; held: max_changed_targets, 4 of 10 targets would lose something; 30% allowed\n";
    let said = room.permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{said:?}");
    assert_eq!(said.out.matches(reason).count(), 8, "before and after: {said:?}");
    assert!(lambda.writes().is_empty());
    // It is a share of what the files have, not of what was asked for.
    let said = room.permitd("apply permissions.yaml --mode enforce --yes --target n0");
    assert_eq!((said.code, lambda.sids("n0").len()), (Some(0), 1), "{said:?}");

    for more in ["--max-changed-targets 40%", "--max-changed-targets unlimited"] {
        let (lambda, wishes) = wide(4);
        let room = lambda.room(&wishes);
        let said = room.permitd(&format!("apply permissions.yaml --mode enforce --yes {more}"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        assert_eq!(lambda.sids("n3"), ["kept"], "{more}");
    }
    let (lambda, wishes) = wide(3);
    let said = lambda.room(&wishes).permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!(said.code, Some(0), "30% are within 30%: {said:?}");
}

#[test]
fn a_digest_is_a_yes_to_what_is_held() {
    let lambda = crowded(11);
    let room = lambda.room(WISHES);
    let digest = digest(&room);
    let apply = "apply permissions.yaml --mode enforce --yes --approve";
    room.permitd(&format!("{apply} deadbeef")).is(
        1,
        "",
        &format!(
            "error: nothing that was found has the digest deadbeef; nothing was changed\n\
             hint: what is held now has the digest {digest}; look at it with `permitd plan`\n"
        ),
    );
    let said = room.permitd(&format!("{apply} {}", &digest[..7]));
    assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "seven digits: {said:?}");
    assert!(lambda.writes().is_empty());
    let said = room.permitd(&format!("{apply} {}", digest[..8].to_uppercase()));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.sids("f"), ["kept", "new"]);
    let removal = &room.history()[1];
    assert_eq!(removal["approval"], json!(digest), "the journal tells who allowed it: {removal}");
    room.permitd(&format!("{apply} {digest}")).is(
        1,
        "",
        &format!(
            "error: nothing that was found has the digest {digest}; nothing was changed\n\
             hint: nothing is held by a limit or a risk now; look again with `permitd plan`\n"
        ),
    );
}

/// What came after the yes is not what was said yes to.
#[test]
fn a_digest_is_no_yes_to_anything_else() {
    let lambda = crowded(11);
    let room = lambda.room(WISHES);
    let digest = digest(&room);
    lambda.grant("f", "rogue-99", "410987654321");
    let said =
        room.permitd(&format!("apply permissions.yaml --mode enforce --yes --approve {digest}"));
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    assert_eq!(lambda.sids("f").len(), 13);
}

/// Without a terminal and `--yes`, a digest of the whole plan is a yes only to be asked less.
#[test]
fn without_yes_nobody_is_asked_and_nothing_is_done() {
    let lambda = crowded(11);
    let room = lambda.room(WISHES);
    let said =
        room.permitd(&format!("apply permissions.yaml --mode enforce --approve {}", digest(&room)));
    let nobody = "\
error: nobody is there to answer; pass --yes to apply without asking
Nothing was changed.
";
    assert_eq!((said.code, said.err.as_str()), (Some(1), nobody), "{said:?}");
    assert!(lambda.writes().is_empty());
}

#[test]
fn the_last_allow_is_always_asked_for() {
    let lambda = Lambda::new(&json!([
        {"name": "f", "policy": policy(&[account("rogue", "210987654321")])}
    ]));
    let room = lambda.room(
        "account: '123456789012'\nfunctions: [{function: f, ownership: all, statements: [], empty: true}]\n",
    );
    let plan = format!(
        "\
{FN}
  ! rogue               unmanaged; account 210987654321 may invoke; held: last_allow, nothing would be allowed any more
"
    );
    let risks = "    risks: rogue P004 (a whole account)\n";
    let digest = digest(&room);
    let asks = format!(
        "1 statement held by a limit or a risk; it is done with\n    permitd apply --approve {digest}\n"
    );
    let sum = "Plan: 0 to add, 0 to change, 0 to remove, 1 held. 1 of 1 function differs; 0 unknown.\nLive statements with risks: P004 1.\n";
    room.permitd("plan permissions.yaml --detailed-exitcode").is(
        3,
        &format!("{plan}{risks}\n{sum}{asks}"),
        "",
    );
    let unlimited = "--max-revocations unlimited --max-changed-targets unlimited";
    let said = room.permitd(&format!("run permissions.yaml --once -q --mode enforce {unlimited}"));
    let sum = "Applied: 0 writes done. 0 of 1 function as written; 1 held, 0 failed, 0 unknown.\n";
    said.is(3, &format!("{plan}\n{sum}{asks}"), "");
    let said = room.permitd(&format!("apply permissions.yaml --mode enforce --yes {unlimited}"));
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(lambda.writes().is_empty());
    let said =
        room.permitd(&format!("apply permissions.yaml --mode enforce --yes --approve {digest}"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(lambda.sids("f").is_empty());
}

#[test]
fn a_yes_at_a_terminal_is_a_yes_to_all_that_was_shown() {
    let lambda = crowded(11);
    let room = lambda.room(WISHES);
    let words = "apply permissions.yaml --mode enforce";
    let Some(mut no) = room.on_terminal(words, "no\n") else { return };
    assert_eq!(no.code(), Some(1), "{}", no.err());
    let question = "Do this, also the 11 held by a limit or a risk?";
    no.logs(question);
    assert!(lambda.writes().is_empty());
    let mut yes = room.on_terminal(words, "yes\n").unwrap();
    assert_eq!(yes.code(), Some(0), "{} {}", yes.err(), yes.out());
    assert_eq!(lambda.sids("f"), ["kept", "new"]);
}

/// A dry run ends as `plan --detailed-exitcode` does.
#[test]
fn observe_is_a_look() {
    for (rogues, code) in [(11, 3), (1, 2)] {
        let lambda = crowded(rogues);
        let room = lambda.room(WISHES);
        let plan = room.permitd("plan permissions.yaml --detailed-exitcode");
        assert_eq!(plan.code, Some(code), "{plan:?}");
        let note = "Nothing was changed: the mode is observe.\n";
        room.permitd("apply permissions.yaml --mode observe --yes").is(code, &plan.out, note);
        room.permitd("run permissions.yaml --mode observe --once -q").is(code, &plan.out, "");
        assert!(lambda.writes().is_empty());
    }
}

/// The targets of the JSON report add up to its summary.
#[test]
fn held_targets_are_counted() {
    let lambda = crowded(11);
    let said =
        lambda.room(WISHES).permitd("apply permissions.yaml --mode enforce --yes --output json");
    assert_eq!(said.code, Some(3), "{said:?}");
    let report: Value = said.json();
    assert_eq!((&report["summary"]["held"], &report["summary"]["in_sync"]), (&json!(1), &json!(0)));
    assert_eq!(report["targets"][0]["state"], "held");
    assert_eq!(report["targets"][0]["reason"], "max_revocations");
    assert!(report["approve"]["command"].is_string(), "{report:#}");
}
