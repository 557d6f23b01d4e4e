//! Which targets a rule covers, and what has to be listed for it.

use super::*;
use crate::config::diagnostic::{File, Files};
use crate::config::permissions;
use crate::config::resolve::Loaded;
use crate::config::tests::{context, load};
use crate::policy::inventory::Inventory;

fn place(account: &str, region: &str) -> AccountRegion {
    AccountRegion { account: account.to_owned(), region: region.to_owned() }
}

fn here() -> AccountRegion {
    place("123456789012", "us-east-1")
}

/// `orders-in live blue | 1 2 | team=payments`, each part left out or `?` where it was not listed.
fn function(text: &str) -> Function {
    let mut parts = text.split('|').map(str::trim);
    let mut words = parts.next().unwrap().split_whitespace();
    let name = words.next().unwrap().to_owned();
    let list = |it: Vec<&str>| {
        (it != ["?"]).then(|| it.into_iter().map(str::to_owned).collect::<Vec<String>>())
    };
    let aliases = list(words.collect());
    let versions = list(parts.next().unwrap_or("").split_whitespace().collect());
    let tags = list(parts.next().unwrap_or("?").split_whitespace().collect());
    let tag = |it: String| {
        let (key, value) = it.split_once('=').unwrap();
        (key.to_owned(), value.to_owned())
    };
    let tags = tags.map(|it| it.into_iter().map(tag).collect());
    Function { name, aliases, versions, tags }
}

fn inventory(of: &[(AccountRegion, &[&str])]) -> Arc<Inventory> {
    let places = of.iter().map(|(place, functions)| {
        (place.clone(), functions.iter().map(|it| function(it)).collect())
    });
    Arc::new(Inventory { places: places.collect() })
}

fn with(functions: &[&str]) -> Context {
    Context { inventory: Some(inventory(&[(here(), functions)])), ..context() }
}

/// A file of one rule.
fn rule(rule: &str) -> String {
    format!("functions: [{{match: {rule}, statements: [{{sid: s, principal: s3.amazonaws.com}}]}}]")
}

fn names(loaded: &Loaded) -> Vec<String> {
    loaded.wanted.iter().map(|it| it.target.short_name()).collect()
}

#[track_caller]
fn covers(text: &str, functions: &[&str], expected: &[&str]) -> RuleUse {
    let loaded = load(&[&rule(text)], &with(functions)).unwrap();
    assert_eq!(names(&loaded), expected, "{text}");
    let [usage] = loaded.rules.as_slice() else { panic!("{:?}", loaded.rules) };
    assert_eq!(usage.n_targets, expected.len());
    usage.clone()
}

#[test]
fn a_rule_covers_what_matches() {
    let all = [
        "orders-in live blue | 1 2 | team=payments stage=prod",
        "orders-out blue | 7 | team=shipping stage=prod",
        "orders live | | team=payments",
        "other live | 1 | team=pay",
    ];
    for (text, expected) in [
        ("{name: 'orders-*'}", &["orders-in", "orders-out"][..]),
        ("{name: 'orders*'}", &["orders", "orders-in", "orders-out"]),
        ("{name: orders}", &["orders"]),
        ("{name: 'orders-??'}", &["orders-in"]),
        ("{name: '*'}", &["orders", "orders-in", "orders-out", "other"]),
        ("{name: Orders}", &[]),
        ("{tags: {team: payments}}", &["orders", "orders-in"]),
        ("{tags: {team: 'pay*'}}", &["orders", "orders-in", "other"]),
        ("{tags: {team: payments, stage: '*'}}", &["orders-in"]),
        ("{tags: {Team: payments}}", &[]),
        ("{tags: {team: ''}}", &[]),
        ("{name: 'orders-*', tags: {team: payments}}", &["orders-in"]),
        ("{name: 'o*', qualifiers: [live]}", &["orders:live", "orders-in:live", "other:live"]),
        (
            "{name: 'orders-*', qualifiers: [unqualified, blue]}",
            &["orders-in", "orders-in:blue", "orders-out", "orders-out:blue"],
        ),
        (
            "{name: orders-in, qualifiers: ['*']}",
            &["orders-in:1", "orders-in:2", "orders-in:blue", "orders-in:live"],
        ),
        (
            "{name: orders-in, qualifiers: ['l*', live, 'li?e', 2]}",
            &["orders-in:2", "orders-in:live"],
        ),
        ("{name: orders-out, qualifiers: ['?']}", &["orders-out:7"]),
        ("{name: orders-out, qualifiers: [9]}", &[]),
        ("{name: 'orders*'}, except: [orders-out]", &["orders", "orders-in"]),
        ("{name: 'orders*'}, except: ['orders-*']", &["orders"]),
        ("{name: 'orders*'}, except: []", &["orders", "orders-in", "orders-out"]),
        (
            "{name: 'orders*', qualifiers: [unqualified, live]}, except: ['*-in:l*', 'orders:unqualified']",
            &["orders:live", "orders-in", "orders-out"],
        ),
        (
            "{name: 'orders*', qualifiers: [unqualified, live]}, except: ['orders:*']",
            &["orders", "orders-in", "orders-in:live", "orders-out"],
        ),
    ] {
        let usage = covers(text, &all, expected);
        assert_eq!(usage.not_listed, [], "{text}");
    }
}

#[test]
fn a_rule_is_called_by_what_it_says() {
    for (text, called) in [
        ("{name: 'orders-*'}", "name: orders-*"),
        ("{name: 'orders-*', qualifiers: [unqualified]}", "name: orders-*"),
        ("{tags: {team: payments, stage: p*}}", "tags: team=payments stage=p*"),
        (
            "{tags: {team: payments}, qualifiers: [unqualified, live], name: 'o*'}",
            "name: o*, tags: team=payments, qualifiers: unqualified live",
        ),
    ] {
        let loaded = load(&[&rule(text)], &with(&["o live | | team=payments stage=prod"])).unwrap();
        assert_eq!(loaded.rules[0].text.as_ref(), called);
        for it in &loaded.wanted {
            assert_eq!(it.grants[0].rule.as_deref(), Some(called), "{text}");
            assert_eq!(it.grants[0].source.to_string(), loaded_place(text));
        }
    }
}

/// Of its statement.
fn loaded_place(text: &str) -> String {
    let at = rule(text).find("{sid").unwrap();
    format!("a.yaml:1:{}", at + 1)
}

#[test]
fn what_was_not_listed_is_not_known() {
    let functions =
        ["orders-in ? | ? | ?", "orders-out live | ? | ?", "other ? | ? | team=payments"];
    for (text, expected, is_known) in [
        ("{name: 'orders-*'}", &["orders-in", "orders-out"][..], true),
        (
            "{name: 'orders-*', qualifiers: [unqualified, live]}",
            &["orders-in", "orders-out", "orders-out:live"],
            false,
        ),
        ("{name: 'orders-out', qualifiers: ['l*']}", &["orders-out:live"], true),
        ("{name: 'orders-out', qualifiers: ['*']}", &["orders-out:live"], false),
        ("{tags: {team: payments}}", &["other"], false),
        ("{name: other, tags: {team: payments}}", &["other"], true),
        ("{name: other, tags: {team: x}, qualifiers: [live]}", &[], true),
        ("{name: none}", &[], true),
    ] {
        let usage = covers(text, &functions, expected);
        assert_eq!(usage.not_listed.is_empty(), is_known, "{text}");
    }
    // A place that was not listed at all, and nothing that was.
    let text = rule("{name: '*'}");
    let elsewhere =
        Context { inventory: Some(inventory(&[(place("1", "x"), &["f"])])), ..context() };
    for context in [elsewhere, context()] {
        let loaded = load(&[&text], &context).unwrap();
        assert_eq!((loaded.wanted, &loaded.rules[0].not_listed[..]), (Vec::new(), &[here()][..]));
    }
}

fn parse<T>(text: &str, read: impl FnOnce(&Parsed<'_>) -> T) -> T {
    let files = Files { files: vec![File::new("a.yaml", text.to_owned())], ..Files::default() };
    read(&permissions::parse(&files))
}

#[test]
fn what_has_to_be_listed() {
    #[track_caller]
    fn check(text: &str, tags: bool, aliases: bool, versions: bool) {
        let needs = parse(&rule(text), |it| needs(it, &context()));
        let listing = &needs.places[&here()];
        assert_eq!(needs.places.len(), 1);
        assert_eq!(listing.asks(), Asks { tags, aliases, versions }, "{text}");
    }
    check("{name: 'o*'}", false, false, false);
    check("{name: 'o*', qualifiers: [unqualified]}", false, false, false);
    check("{name: 'o*', qualifiers: [live]}", false, true, false);
    check("{name: 'o*', qualifiers: ['v1-*']}", false, true, false);
    check("{name: 'o*', qualifiers: [12]}", false, false, true);
    check("{name: 'o*', qualifiers: ['*']}", false, true, true);
    check("{name: 'o*', qualifiers: ['1?']}", false, true, true);
    check("{tags: {a: b}}", true, false, false);
    let nothing = parse("functions: [{function: f, statements: []}]", |it| needs(it, &context()));
    assert!(nothing.is_empty());
}

#[test]
fn only_of_the_functions_that_a_rule_may_cover() {
    let text = "functions:
  - {match: {name: 'orders-*', qualifiers: [live]}, except: [orders-old, 'orders-x:live'], absent: [a]}
  - {match: {tags: {team: payments}, qualifiers: [1]}, absent: [a]}
  - {match: {name: 'w*', tags: {team: web}}, absent: [a]}";
    let needs = parse(text, |it| needs(it, &context()));
    let listing = &needs.places[&here()];
    let aliases = |it: &str| listing.needs_aliases(&function(it));
    assert!(aliases("orders-in ? | ? | ?"));
    assert!(aliases("orders-x ? | ? | ?"), "only one of its aliases is left out");
    assert!(!aliases("orders-old ? | ? | ?"));
    assert!(!aliases("other ? | ? | ?"));
    let versions = |it: &str| listing.needs_versions(&function(it));
    assert!(versions("other ? | ? | ?"), "its tags are not known");
    assert!(versions("other ? | ? | team=payments"));
    assert!(!versions("other ? | ? | team=web"));
    assert!(listing.needs_tags("other"));
    let tags_of_some =
        parse(&rule("{name: 'w*', tags: {a: b}}"), |it| super::needs(it, &context()));
    let listing = &tags_of_some.places[&here()];
    assert!(listing.needs_tags("web") && !listing.needs_tags("other"));
}

#[test]
fn rules_look_into_the_places_of_their_file() {
    let (one, two) = ("123456789012", "210987654321");
    let places = vec![place(one, "us-east-1"), place(one, "eu-west-1"), place(two, "us-east-1")];
    let all: Vec<(AccountRegion, &[&str])> =
        places.iter().map(|it| (it.clone(), &["f"][..])).collect();
    let context = Context { places: places.clone(), inventory: Some(inventory(&all)), ..context() };
    for (head, expected) in [
        ("", &places[..1]),
        ("account: '210987654321'\n", &places[2..]),
        ("region: eu-west-1\n", &places[1..2]),
        ("accounts: all\n", &[place(one, "us-east-1"), place(two, "us-east-1")]),
        ("regions: all\n", &[place(one, "eu-west-1"), place(one, "us-east-1")]),
        (
            "accounts: all\nregions: all\n",
            &[place(one, "eu-west-1"), place(one, "us-east-1"), place(two, "us-east-1")],
        ),
        ("accounts: all\nregions: [eu-west-1]\n", &[place(one, "eu-west-1")]),
        ("accounts: ['210987654321']\nregions: all\n", &[place(two, "us-east-1")]),
        (
            "accounts: ['210987654321', '123456789012']\nregion: us-east-1\n",
            &[place(one, "us-east-1"), place(two, "us-east-1")],
        ),
    ] {
        let text = format!("{head}{}", rule("{name: '*'}"));
        let loaded = load(&[&text], &context).unwrap();
        let found: Vec<AccountRegion> =
            loaded.wanted.iter().map(|it| it.target.account_region()).collect();
        assert_eq!(found, expected, "{head}");
        assert_eq!(loaded.rules[0].places, expected, "{head}");
        let needed = parse(&text, |it| needs(it, &context));
        assert_eq!(needed.places.into_keys().collect::<Vec<_>>(), expected, "{head}");
        // Names stand for as many.
        let text = format!("{head}functions: [{{names: [f, g], statements: []}}]");
        let loaded = load(&[&text], &context).unwrap();
        let mut found: Vec<AccountRegion> =
            loaded.wanted.iter().map(|it| it.target.account_region()).collect();
        found.dedup();
        assert_eq!(loaded.wanted.len(), 2 * expected.len(), "{head}");
    }
}

#[test]
fn all_is_the_default_place_where_nobody_knows_others() {
    let text = format!("accounts: all\nregions: all\n{}", rule("{name: '*'}"));
    let loaded = load(&[&text], &with(&["f", "g"])).unwrap();
    assert_eq!(names(&loaded), ["f", "g"]);
    assert_eq!(loaded.rules[0].places, [here()]);
}

#[test]
fn a_full_arn_is_one_target_wherever_its_file_is_for() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let text = format!(
        "accounts: ['123456789012', '210987654321']\nregions: [us-east-1, eu-west-1]\nfunctions:\n  - names: [\"{arn}\", g]\n    statements: []"
    );
    let loaded = load(&[&text], &Context::default()).unwrap();
    assert_eq!(loaded.wanted.len(), 5);
}

#[test]
fn arns_for_iam() {
    let text = rule("{name: 'orders-*', qualifiers: [unqualified, live]}");
    let loaded = load(&[&text], &context()).unwrap();
    assert_eq!(
        loaded.rules[0].arns,
        [
            "arn:aws:lambda:us-east-1:123456789012:function:orders-*",
            "arn:aws:lambda:us-east-1:123456789012:function:orders-*:live",
        ]
    );
    let text = format!("region: cn-north-1\n{}", rule("{tags: {a: b}}"));
    let loaded = load(&[&text], &context()).unwrap();
    assert_eq!(loaded.rules[0].arns, ["arn:aws-cn:lambda:cn-north-1:123456789012:function:*"]);
}
