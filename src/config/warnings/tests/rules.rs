//! Rules for many functions that cover none.

use std::sync::Arc;

use super::*;
use crate::config::resolve::Context;
use crate::policy::inventory::{Function, Inventory};
use crate::policy::target::AccountRegion;

const FILE: &str = r#"
functions:
  - match: {name: "orders-*"}
    statements: [{sid: a, principal: s3.amazonaws.com, source_account: "${account}", accept: [P001]}]
  - match: {name: "oders-*", qualifiers: [live]}
    statements: [{sid: "b-${function}", principal: s3.amazonaws.com}]
"#;

fn found(inventory: Option<Inventory>) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let files = Files { files: vec![File::new("a.yaml", FILE.into())], diagnostics: Vec::new() };
    let context = Context { inventory: inventory.map(Arc::new), ..context() };
    let examined = examine(permissions::parse(&files), &context);
    assert!(examined.diagnostics.is_empty(), "{:?}", examined.diagnostics);
    let idle = idle_rules(&files, &examined.rules);
    (warnings(&files, &examined, NOW.parse().unwrap()), idle)
}

fn listed(names: &[&str]) -> Inventory {
    let place = AccountRegion { account: "123456789012".into(), region: "us-east-1".into() };
    let function = |it: &&str| Function { name: (*it).to_owned(), ..Function::default() };
    Inventory { places: [(place, names.iter().map(function).collect())].into() }
}

#[test]
fn a_rule_that_covers_nothing_is_told_once_it_is_known() {
    let (all, idle) = found(Some(listed(&["orders-in"])));
    let expected = "warning[rule-matches-nothing]: no function matches the rule name: oders-*, qualifiers: live
 --> a.yaml:5:12
  |
5 |   - match: {name: \"oders-*\", qualifiers: [live]}
  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: look for a misspelt name or tag, and at the accounts and regions of the file; a function that is made later is found
";
    assert_eq!(diagnostic::render_all(&idle, false), expected);
    assert!(all.contains(&idle[0]), "{all:?}");
    assert_eq!(idle[0].severity, diagnostic::Severity::Warning);
    // Nothing was listed, so nobody knows.
    assert_eq!(found(None).1, []);
    assert_eq!(found(Some(listed(&[]))).1.len(), 2);
    // The aliases of a function that may be covered were not listed.
    assert_eq!(found(Some(listed(&["oders-in", "orders-in"]))).1, []);
}

#[test]
fn the_risks_of_a_rule_are_told_offline_too_as_they_stand_in_the_file() {
    let (all, _) = found(None);
    let told: Vec<&str> = all.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("the grant `b-${function}` has the risk P0"), "{told:?}");
}
