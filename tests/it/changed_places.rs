//! Two statements whose contents changed places: what one is replaced by is what the other takes away.

use jiff::Timestamp;
use permitd::config::diagnostic::{File, Files};
use permitd::config::permissions;
use permitd::config::resolve::{Context, resolve};
use permitd::drift::allow::{Reason, Rules};
use permitd::drift::approval::Approval;
use permitd::drift::plan::{Action, Clearance, Decisions, Memory, Plan, plan};
use permitd::drift::wanted::Wanted;
use permitd::policy::document::Document;

const FILE: &str = r#"
account: "123456789012"
region: us-east-1
functions:
  - function: f
    statements:
      - {sid: a, principal: "111111111111"}
      - {sid: b, principal: "222222222222"}
"#;

fn wanted() -> Wanted {
    let files = Files { files: vec![File::new("p.yaml", FILE.into())], diagnostics: Vec::new() };
    resolve(permissions::parse(&files), &Context::default()).unwrap().wanted.remove(0)
}

fn live(wanted: &Wanted, statements: &[(&str, usize)]) -> Document {
    let texts: Vec<String> = statements
        .iter()
        .map(|(sid, of)| wanted.grants[*of].terms.statement_text(sid, &wanted.target))
        .collect();
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, texts.join(","));
    Document::parse(text, "r1".into(), &wanted.target).unwrap()
}

fn plan_with(wanted: &Wanted, live: &Document, decisions: Decisions) -> Plan {
    let memory = Memory { decisions, ..Memory::default() };
    plan(wanted, Some(live), &Rules::default(), &memory, Timestamp::UNIX_EPOCH)
}

#[test]
fn both_bridges_stand_before_either_goes() {
    let wanted = wanted();
    let live = live(&wanted, &[("a", 1), ("b", 0)]);
    let decisions = Decisions { clearance: Clearance::Free, ..Decisions::default() };
    let plan = plan_with(&wanted, &live, decisions);
    let removes: Vec<bool> = plan.steps.iter().map(|it| it.action == Action::Remove).collect();
    assert_eq!(removes, [false, false, true, false, true, true, false, true]);
}

/// One bridge stands, and the other may not be built before the limits were asked: nothing goes until then.
#[test]
fn what_was_begun_waits_for_the_other_bridge() {
    let wanted = wanted();
    let bridge = permitd::drift::bridge::bridge_sid(&wanted.target, "a");
    let live = live(&wanted, &[("a", 1), ("b", 0), (&bridge, 0)]);
    let plan = plan_with(&wanted, &live, Decisions::default());
    assert!(!plan.steps.is_empty());
    assert!(plan.steps.iter().all(|it| it.late), "{:?}", plan.steps);
}

/// Where only one was said yes to, what it would take away is wanted and comes back nowhere.
#[test]
fn one_alone_is_held() {
    let wanted = wanted();
    let live = live(&wanted, &[("a", 1), ("b", 0)]);
    let all = plan_with(&wanted, &live, Decisions::default());
    let only = Approval::of([(&wanted.target, &all)], |it| it.drift.sid.as_deref() == Some("a"));
    let clearance = Clearance::Free;
    let decisions = Decisions { only: Some(only), clearance, ..Decisions::default() };
    let plan = plan_with(&wanted, &live, decisions);
    assert_eq!(plan.steps, []);
    let reasons: Vec<&Reason> = plan.holds().map(|it| it.1).collect();
    assert_eq!(reasons, [&Reason::StillNeeded, &Reason::NotApproved]);
}
