//! A grant with a risk that the settings deny is held, unless its statement accepts it or somebody says yes.

use serde_json::json;

use super::harness::{FN, Lambda, Room, policy};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    statements:
      - {sid: open, principal: '*'}
      - {sid: partner, principal: '210987654321'}
";

fn set_up(wishes: &str, settings: &str) -> (Lambda, Room) {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let room = lambda.room(wishes);
    let text = format!("permissions: [permissions.yaml]\nmode: enforce\n{settings}\n");
    room.write("permitd.yaml", &text);
    (lambda, room)
}

#[test]
fn anyone_without_a_condition_is_held() {
    let (lambda, room) = set_up(WISHES, "");
    let said = room.permitd("plan --detailed-exitcode --output json");
    let report = said.json();
    let digest = report["digest"].as_str().unwrap();
    let asks = format!(
        "1 statement held by a limit or a risk; it is done with\n    permitd apply --approve {digest}\n"
    );
    let open = "  ! open                missing; anyone may invoke (*); held: denied_risk, P002: anyone, without a condition\n";
    let plan = format!(
        "\
{FN}
{open}  + partner             missing; account 210987654321 may invoke

Plan: 1 to add, 0 to change, 0 to remove, 1 held. 1 of 1 function differs; 0 unknown.
{asks}"
    );
    room.permitd("plan --detailed-exitcode").is(3, &plan, "");
    let applied = format!(
        "
f: partner was missing; added (account 210987654321 may invoke)

{FN}
{open}
Applied: 1 write done. 0 of 1 function as written; 1 held, 0 failed, 0 unknown.
{asks}"
    );
    room.permitd("apply --yes").is(3, &format!("{plan}{applied}"), "");
    assert_eq!(lambda.sids("f"), ["partner"]);
    let said = room.permitd(&format!("apply --yes --approve {digest}"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.sids("f"), ["partner", "open"]);
    // What stands there already is only told.
    let said = room.permitd("run --once -q");
    let sum = "Applied: 0 writes done. 1 of 1 function as written; 0 held, 0 failed, 0 unknown.\n";
    said.is(0, sum, "");
}

#[test]
fn whoever_means_it_says_so() {
    let accepted = WISHES.replace("'*'}", "'*', accept: [P002]}");
    for (wishes, settings) in [(accepted.as_str(), ""), (WISHES, "deny_risks: []")] {
        let (lambda, room) = set_up(wishes, settings);
        let said = room.permitd("apply --yes");
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        assert_eq!(lambda.sids("f"), ["open", "partner"]);
    }
}

#[test]
fn other_risks_can_be_denied() {
    let (lambda, room) = set_up(WISHES, "deny_risks: [P004]");
    let said = room.permitd("apply --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{said:?}");
    assert!(said.out.contains("; held: denied_risk, P004: a whole account\n"), "{said:?}");
    assert_eq!(lambda.sids("f"), ["open"]);
}

/// A replacement that would open a statement to anyone is held whole: the old content stays.
#[test]
fn a_changed_statement_is_held_whole() {
    let lambda = Lambda::new(&json!([
        {"name": "f", "policy": policy(&[super::harness::account("open", "210987654321")])}
    ]));
    let wishes = WISHES.lines().filter(|it| !it.contains("partner")).collect::<Vec<_>>().join("\n");
    let room = lambda.room(&wishes);
    let said = room.permitd("apply permissions.yaml --mode enforce --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(3), ""), "{said:?}");
    assert!(
        said.out.contains("  ! open                changed; held: denied_risk, P002"),
        "{said:?}"
    );
    assert!(lambda.writes().is_empty());
}
