//! Rules and entries for the same functions, and values that differ from function to function.

use std::sync::Arc;

use crate::config::resolve::{Context, Loaded};
use crate::config::tests::{context, load};
use crate::drift::allow::Ownership;
use crate::policy::grant::Grant;
use crate::policy::inventory::{Function, Inventory};
use crate::policy::target::AccountRegion;

fn with(names: impl IntoIterator<Item = String>) -> Context {
    let place = AccountRegion { account: "123456789012".into(), region: "us-east-1".into() };
    let function =
        |name| Function { name, aliases: Some(vec!["live".into()]), ..Function::default() };
    let functions = names.into_iter().map(function).collect();
    let inventory = Inventory { places: [(place, functions)].into() };
    Context { inventory: Some(Arc::new(inventory)), ..context() }
}

fn two() -> Context {
    with(["orders-in", "orders-out"].map(str::to_owned))
}

/// `function/sid` and where it stands, and by which rule.
fn grants(loaded: &Loaded) -> Vec<String> {
    let of = |function: &str, it: &Grant| {
        let Grant { sid, source, rule, .. } = it;
        let rule = rule.as_deref().map(|it| format!(" by {it}")).unwrap_or_default();
        format!("{function}/{sid} {}:{}{rule}", source.file, source.line)
    };
    let all = loaded.wanted.iter().map(|it| (it.target.short_name(), &it.grants));
    all.flat_map(|(name, it)| it.iter().map(move |it| of(&name, it))).collect()
}

#[test]
fn of_the_same_grant_the_one_for_the_function_stands() {
    let rule = "functions:
- match: {name: 'orders-*'}
  statements:
  - {sid: a, principal: s3.amazonaws.com, source_account: '${account}', description: 'for ${function}'}
  - {sid: b, principal: s3.amazonaws.com}";
    let entry = "functions:
- function: orders-in
  statements:
  - {sid: a, principal: s3.amazonaws.com, source_account: '123456789012'}
  - {sid: c, principal: s3.amazonaws.com}";
    let expected_of = |rule: &str, entry: &str| {
        [
            format!("orders-in/a {entry}:4"),
            format!("orders-in/b {rule}:5 by name: orders-*"),
            format!("orders-in/c {entry}:5"),
            format!("orders-out/a {rule}:4 by name: orders-*"),
            format!("orders-out/b {rule}:5 by name: orders-*"),
        ]
    };
    let loaded = load(&[rule, entry], &two()).unwrap();
    assert_eq!(grants(&loaded), expected_of("a.yaml", "b.yaml"));
    assert_eq!(loaded.wanted[0].grants[0].description, None);
    assert_eq!(loaded.wanted[1].grants[0].description.as_deref(), Some("for orders-out"));
    let loaded = load(&[entry, rule], &two()).unwrap();
    assert_eq!(grants(&loaded), expected_of("b.yaml", "a.yaml"), "in whatever order");
    // How many it covers does not depend on who else grants the same.
    assert_eq!(loaded.rules[0].n_targets, 2);
}

#[test]
fn of_the_same_grant_of_two_rules_the_first_stands() {
    let text = "functions:
- match: {name: 'orders-*'}
  statements: [{sid: a, principal: s3.amazonaws.com}]
- match: {name: '*-in'}
  ownership: all
  statements: [{sid: a, principal: s3.amazonaws.com, description: why}]";
    let loaded = load(&[text], &two()).unwrap();
    assert_eq!(
        grants(&loaded),
        ["orders-in/a a.yaml:3 by name: orders-*", "orders-out/a a.yaml:3 by name: orders-*",]
    );
    // What an entry leaves out, another one decides.
    let ownership: Vec<&Ownership> = loaded.wanted.iter().map(|it| &it.ownership).collect();
    assert_eq!(ownership, [&Ownership::All, &Ownership::Declared]);
}

#[test]
fn two_entries_for_one_function_stay_an_error_beside_a_rule() {
    let same = "{sid: a, principal: s3.amazonaws.com}";
    let text = format!(
        "functions:
- {{match: {{name: 'orders-*'}}, statements: [{same}]}}
- {{function: orders-in, statements: [{same}]}}
- {{function: orders-in, statements: [{same}]}}"
    );
    let said = load(&[&text], &two()).unwrap_err();
    assert!(said.starts_with("error: the sid `a` stands twice in arn:"), "{said}");
    assert_eq!(said.matches("error:").count(), 1, "{said}");
}

#[test]
fn values_are_filled_for_each_target() {
    let text = "functions:
- match: {name: orders-in, qualifiers: [live]}
  absent: ['old-${qualifier}']
  statements:
  - sid: ${function}-${qualifier}
    principal: arn:${partition}:iam::${account}:role/${function}
    source_arn: arn:${partition}:events:${region}:${account}:rule/$${x}
    source_account: ${account}
    event_source_token: ${function}.${region}
    description: ${qualifier} of ${function}, not $${function}
- names: [one, two]
  statements: [{sid: 'x-${function}', principal: s3.amazonaws.com}]";
    let loaded = load(&[text], &two()).unwrap();
    let [one, wanted, two] = loaded.wanted.as_slice() else { panic!("{loaded:?}") };
    assert_eq!(wanted.target.short_name(), "orders-in:live");
    assert_eq!(wanted.absent[0].sid, "old-live");
    let Grant { sid, terms, description, .. } = &wanted.grants[0];
    let permission = terms.plain().unwrap();
    assert_eq!(sid, "orders-in-live");
    assert_eq!(permission.principal.to_string(), "arn:aws:iam::123456789012:role/orders-in");
    let source = "arn:aws:events:us-east-1:123456789012:rule/${x}";
    assert_eq!(permission.source_arn.as_deref(), Some(source));
    assert_eq!(permission.source_account.as_deref(), Some("123456789012"));
    assert_eq!(permission.event_source_token.as_deref(), Some("orders-in.us-east-1"));
    assert_eq!(description.as_deref(), Some("live of orders-in, not ${function}"));
    let named = [one, two].map(|it| it.grants[0].sid.as_str());
    assert_eq!(named, ["x-one", "x-two"]);
}

#[test]
fn by_which_rule_it_is_granted_is_nobodys_wish() {
    let statements = "statements: [{sid: a, principal: s3.amazonaws.com}]";
    let of = |which: &str| {
        let text = format!("functions: [{{{which}, {statements}}}]");
        load(&[&text], &two()).unwrap().wanted.remove(0).fingerprint()
    };
    let named = of("function: orders-in");
    assert_eq!(of("match: {name: orders-in}"), named);
    assert_eq!(of("match: {name: 'orders-*'}"), named);
    assert_ne!(of("function: orders-out"), named);
}

#[test]
fn rules_that_cover_nothing_are_no_error() {
    let text =
        "functions: [{match: {name: 'x-*'}, statements: [{sid: a, principal: s3.amazonaws.com}]}]";
    for (context, n_listed) in [(two(), 0), (context(), 1)] {
        let loaded = load(&[text], &context).unwrap();
        assert_eq!((loaded.wanted.len(), loaded.rules.len()), (0, 1));
        assert_eq!(loaded.rules[0].not_listed.len(), n_listed);
    }
}

#[test]
fn too_many_grants_by_rules_are_refused() {
    let names = (0..5001).map(|it| format!("f{it}"));
    let statements: Vec<String> =
        (0..100).map(|it| format!("{{sid: s{it}, principal: s3.amazonaws.com}}")).collect();
    let text =
        format!("functions: [{{match: {{name: '*'}}, statements: [{}]}}]", statements.join(","));
    let said = load(&[&text], &with(names)).unwrap_err();
    assert!(said.starts_with("error: the files have more than 500000 grants"), "{said}");
    assert!(said.contains(" --> a.yaml:1:"), "{said}");
}
