//! The journal as people see it, and what is not done without it.

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, account, account_at, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - {sid: b, principal: '310987654321'}
";

fn drifting() -> Lambda {
    let live =
        [service("a", "s3.amazonaws.com", "arn:aws:s3:::old"), account("rogue", "210987654321")];
    Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]))
}

fn applied() -> (Lambda, Room) {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let said = room.permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    (lambda, room)
}

/// Removals and replacements are held, additions are done, and the exit code says that something is left.
#[track_caller]
fn only_adds(room: &Room, lambda: &Lambda, flags: &str, why: &str) {
    let said = room.permitd(&format!("apply permissions.yaml --mode enforce --yes {flags}"));
    assert_eq!(said.code, Some(2), "{said:?}");
    let warning = format!("warning: {why}; nothing is removed or replaced without it\n");
    assert_eq!(said.err, warning, "said once: {said:?}");
    let left = format!(
        "
f: b was missing; added (account 310987654321 may invoke)

{FN}
  ! a                   changed; held: journal_unavailable, {why}
      source_arn: arn:aws:s3:::old -> arn:aws:s3:::new
  ! rogue               unmanaged; account 210987654321 may invoke; held: journal_unavailable, {why}

Applied: 1 write done. 0 of 1 function as written; 2 held, 0 failed, 0 unknown.
"
    );
    assert!(said.out.ends_with(&left), "{said:?}");
    assert_eq!(lambda.sids("f"), ["a", "rogue", "b"]);
}

#[test]
fn every_write_with_what_was_there_before_and_after() {
    let (_lambda, room) = applied();
    let entries = room.history();
    let told: Vec<String> = entries
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap_or("-").to_owned();
            let sid = text("sid");
            let sid = if sid.contains("-permitd-") { "BRIDGE".to_owned() } else { sid };
            let is_there = |key: &str| if it[key].is_object() { "it" } else { "-" };
            format!(
                "{} {} {sid} {} of {} {} -> {} {}",
                it["id"],
                text("action"),
                text("kind"),
                text("replaces"),
                is_there("before"),
                is_there("after"),
                text("outcome"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "1 add b missing of - - -> it done",
            "2 add BRIDGE changed of a - -> it done",
            "3 remove a changed of a it -> - done",
            "4 add a missing of a - -> it done",
            "5 remove BRIDGE leftover of a it -> - done",
            "6 remove rogue unmanaged of - it -> - done",
        ]
    );
    assert_eq!(entries[5]["before"], account("rogue", "210987654321"));
    assert_eq!(entries[5]["target"], FN);
    for entry in &entries {
        assert!(entry["actor"].as_str().unwrap().starts_with("permitd apply, uid "), "{entry}");
        assert!(entry["time"].is_string() && entry["finished"].is_string(), "{entry}");
        assert_eq!(entry["request_id"].as_str().map(str::len), Some(36), "of AWS: {entry}");
    }
}

#[test]
fn history_as_text() {
    let (_lambda, room) = applied();
    let said = room.permitd("history --sid rogue");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 3, "{said:?}");
    assert!(lines[0].starts_with("    6  20") && lines[0].ends_with("Z  remove  f  rogue  done"));
    assert!(lines[1].starts_with("       apply: unmanaged, narrows access (permitd apply, uid "));
    let before = account("rogue", "210987654321");
    let text: Value = serde_json::from_str(lines[2].strip_prefix("       - ").unwrap()).unwrap();
    assert_eq!(text, before);
}

#[test]
fn what_is_asked_for() {
    let (_lambda, room) = applied();
    let ids = |flags: &str| -> Vec<i64> {
        let said = room.permitd(&format!("history --output json {flags}"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{flags}: {said:?}");
        let entries = said.json();
        entries["entries"].as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()).collect()
    };
    let all = vec![1, 2, 3, 4, 5, 6];
    for (flags, expected) in [
        ("", all.clone()),
        ("--target f", all.clone()),
        ("--target arn:aws:lambda:*:f", all.clone()),
        ("--target g", vec![]),
        ("--sid a", vec![3, 4]),
        ("--sid a*", vec![2, 3, 4, 5]),
        ("--limit 2", vec![5, 6]),
        ("--limit 0", vec![]),
        ("--since 1h", all.clone()),
        ("--since 2126-01-01T00:00:00Z", vec![]),
        ("--until 1h", vec![]),
        ("--until 2126-01-01T00:00:00Z", all.clone()),
        ("--sid a --limit 1 --since 7d", vec![4]),
    ] {
        assert_eq!(ids(flags), expected, "{flags}");
    }
    let note = "Nothing in the journal matches.\n";
    room.permitd("history --target g").is(0, "", note);
    room.permitd("history --target g -q").is(0, "", "");
    let bad = "\
error: --since: `yesterday` is not a point in time
hint: write 2026-12-31T00:00:00Z, or a duration such as 2h or 7d
";
    room.permitd("history --since yesterday").is(64, "", bad);
    room.permitd("history --until yesterday").is(64, "", &bad.replace("since", "until"));
    // Another journal has another history.
    room.permitd("history --journal other.db").is(0, "", note);
    assert!(!room.path("other.db").exists(), "who only reads makes no file");
}

#[test]
fn no_journal_yet() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    room.permitd("history").is(0, "", "Nothing in the journal matches.\n");
    room.permitd("history --output json").is(0, "{\n  \"entries\": []\n}\n", "");
    // What only looks needs none, and makes none.
    assert_eq!(room.permitd("plan permissions.yaml").code, Some(0));
    let said = room.permitd("apply permissions.yaml --mode observe");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(!room.path("permitd").exists());
    assert_eq!(lambda.writes(), Vec::<String>::new());
}

#[test]
fn a_journal_in_a_place_that_cannot_be_written() {
    let lambda = drifting();
    let room = lambda.room(WISHES);
    let said =
        room.permitd("apply permissions.yaml --mode enforce --yes --journal permissions.yaml/j.db");
    let why = said.err.strip_prefix("warning: ").unwrap().split("; nothing").next().unwrap();
    assert!(why.starts_with("the journal permissions.yaml/j.db is not available: "), "{said:?}");
    let lambda = drifting();
    let room = lambda.room(WISHES);
    only_adds(&room, &lambda, "--journal permissions.yaml/j.db", why);
    let said = room.permitd("history --journal permissions.yaml/j.db");
    assert!(matches!(said.code, Some(0 | 1)) && said.out.is_empty(), "{said:?}");
}

#[test]
fn a_file_that_is_no_journal_is_left_as_it_is() {
    let text = "this is not a journal, but somebody needs it\n".repeat(100);
    let lambda = drifting();
    let room = lambda.room(WISHES);
    room.write("j.db", &text);
    let said = room.permitd("history --journal j.db");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    let why = said.err.strip_prefix("error: ").unwrap().trim_end().to_owned();
    assert!(why.starts_with("j.db cannot be used as a journal: "), "{said:?}");
    assert!(why.contains("it was left as it is: move it away, or choose another file"), "{why}");
    only_adds(&room, &lambda, "--journal j.db", &why);
    assert_eq!(std::fs::read_to_string(room.path("j.db")).unwrap(), text);
    // A daemon says so, and tries again in every pass.
    let settings = "permissions: [permissions.yaml]\nmode: enforce\ninterval: 1s\njournal: j.db\n";
    room.write("permitd.yaml", settings);
    let mut daemon = room.start("run");
    daemon.logs("nothing is removed or replaced without it");
    daemon.logs("reason=\"journal_unavailable\"");
    std::fs::rename(room.path("j.db"), room.path("elsewhere")).unwrap();
    lambda.converges("f", &["b", "a"]);
    daemon.stops();
}

/// A journal that is full: what cannot be recorded is not taken away; what is in it stays.
#[test]
fn a_full_journal() {
    let names = ["f", "g", "h"];
    let function = |name: &str| {
        let rogue =
            |n: u64| account_at(name, &format!("rogue-{n:02}"), &(210_987_654_300 + n).to_string());
        json!({"name": name, "policy": policy(&(0..60).map(rogue).collect::<Vec<_>>())})
    };
    let lambda = Lambda::new(&json!(names.map(function)));
    let wishes = "\
account: '123456789012'
functions:
  - names: [f, g, h]
    ownership: all
    statements: [{sid: a, principal: '310987654321'}]
";
    let room = lambda.room(wishes);
    let settings = "\
permissions: [permissions.yaml]
mode: enforce
limits: {max_revocations: unlimited, max_changed_targets: unlimited}
journal: {path: j.db, max_size: 64KiB}
";
    room.write("permitd.yaml", settings);
    let live = || names.map(|it| lambda.sids(it).len()).iter().sum::<usize>();
    let said = room.permitd("apply --yes");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.out.contains("held: journal_unavailable, the journal j.db has no room left"),
        "{said:?}"
    );
    let left = live();
    assert!((4..183).contains(&left), "{left}");
    let is_removal = |it: &&Value| it["action"] == "remove" && it["outcome"] == "done";
    let removed = room.history().iter().filter(is_removal).count();
    assert_eq!(removed, 183 - left, "everything that went is in it");
    // Again nothing goes, and additions are still done.
    lambda.revoke("f", "a");
    let said = room.permitd("apply --yes");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(live(), left);
    assert!(lambda.sids("f").contains(&"a".to_owned()), "{said:?}");
    assert!(room.history().iter().all(|it| it["outcome"] != "pending"));
}
