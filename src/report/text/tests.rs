//! What the report says of risks in live policies.

use std::sync::Arc;

use super::*;
use crate::drift::outcome::State;
use crate::policy::target::Defaults;

fn outcome(risks: &[(Option<&str>, &[Risk])]) -> Outcome {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let risks = risks.iter().map(|(sid, it)| (sid.map(str::to_owned), it.to_vec())).collect();
    let plan = Plan {
        revision: Some("r".to_owned()),
        drift: Vec::new(),
        steps: Vec::new(),
        whole: None,
        saving: None,
        foreign: Vec::new(),
        ignored: Vec::new(),
        size: 100,
        risks,
        expiring: Vec::new(),
        version: None,
    };
    let plan = Arc::new(plan);
    Outcome {
        target: Target::parse(arn, None, &Defaults::default()).unwrap(),
        state: State::InSync,
        trouble: None,
        found: Some(Arc::clone(&plan)),
        left: Some(plan),
        done: Vec::new(),
    }
}

const SUM: &str = "Plan: 0 to add, 0 to change, 0 to remove, 0 held.";

#[test]
fn anybody_may_is_told_where_nothing_differs_and_all_risks_are_counted() {
    let open = outcome(&[
        (Some("s3"), &[Risk::P003]),
        (Some("back\x1bdoor"), &[Risk::P002, Risk::P005]),
        (None, &[Risk::P001]),
    ]);
    let tame = outcome(&[(Some("s3"), &[Risk::P003])]);
    let expected = format!(
        "arn:aws:lambda:us-east-1:123456789012:function:f
    risks: back\\u{{1b}}door P002 (anyone, without a condition), P005 (a wildcard as action); \
         s3 P003 (an S3 source, without its account); (no Sid) P001 (a service, without a source)

{SUM} 0 of 2 functions differ; 0 unknown.
Live statements with risks: P001 1, P002 1, P003 2, P005 1.
"
    );
    assert_eq!(plan(&[open.clone(), tame], Look::PLAIN), expected);
    let done = "Applied: 0 writes done. 1 of 1 function as written; 0 held, 0 failed, 0 unknown.\n";
    assert_eq!(applied(&[open], Look::PLAIN), done, "what was done has no risks");
}

#[test]
fn many_risks_take_one_short_line_the_worst_first() {
    let mut risks: Vec<(Option<&str>, &[Risk])> = vec![(Some("s3"), &[Risk::P003]); 6];
    risks.push((Some("open"), &[Risk::P002]));
    let text = plan(&[outcome(&risks)], Look::PLAIN);
    assert!(text.contains("    risks: open P002 (anyone, without a condition); s3 P003"), "{text}");
    assert!(text.contains("account); 2 more\n"), "{text}");
}

#[test]
fn no_risk_no_line() {
    let text = plan(&[outcome(&[])], Look::PLAIN);
    assert_eq!(text, format!("{SUM} 0 of 1 function differs; 0 unknown.\n"));
}

#[test]
fn what_ends_soon_is_told_the_first_first() {
    let mut soon = outcome(&[]);
    let at = |text: &str| -> jiff::Timestamp { text.parse().unwrap() };
    if let Some(plan) = &mut soon.found {
        Arc::make_mut(plan).expiring = vec![
            ("b".to_owned(), at("2026-02-01T00:00:00Z")),
            ("a".to_owned(), at("2026-01-01T00:00:00Z")),
        ];
    }
    let text = plan(&[soon.clone()], Look::PLAIN);
    let told = "Expiring within 30 days: f a (2026-01-01T00:00:00Z), f b (2026-02-01T00:00:00Z).\n";
    assert!(text.ends_with(told), "{text}");
    let text = plan(&vec![soon; 4], Look::PLAIN);
    assert!(text.ends_with(", f b (2026-02-01T00:00:00Z), 3 more.\n"), "{text}");
}
