//! The IAM policy of every scenario's files and mode allows every call that the scenario makes.
//!
//! The calls are those that the scenario files tell, which `scenarios.rs` proves to be made.

use std::collections::{BTreeMap, BTreeSet};

use permitd::config::{
    diagnostic::{File, Files, render_all},
    permissions,
    resolve::{Context, resolve},
    settings,
};
use permitd::policy::target::Defaults;
use permitd::report::iam::policy;
use serde_json::Value;
use wildmatch::WildMatch;

const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:";
const OPERATIONS: [&str; 7] = [
    "GetPolicy",
    "GetFunction",
    "AddPermission",
    "RemovePermission",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    "GetResourcePolicy",
];

/// The sections of a scenario file, by their headings.
fn sections(text: &str) -> Vec<(&str, &str)> {
    let sections = text.split("\n== ").skip(1);
    sections.map(|it| it.split_once('\n').unwrap_or((it, ""))).collect()
}

/// `Operation ARN` of everything that the files and settings of a scenario need.
fn rights(sections: &[(&str, &str)], mode: &mut &'static str) -> BTreeSet<String> {
    let of = |name: &str| sections.iter().find(|(it, _)| *it == name).map(|(_, it)| *it);
    let text = format!("permissions: [p.yaml]\n{}", of("settings").unwrap_or("mode: enforce\n"));
    let settings = settings::parse(&File::new("permitd.yaml", text))
        .unwrap_or_else(|it| panic!("{}", render_all(&it, false)));
    *mode = settings.mode.unwrap().name();
    let mut res = BTreeSet::new();
    // A scenario may load other files on its way.
    for (_, text) in sections.iter().filter(|(it, _)| it.starts_with("permissions")) {
        let file = File::new("p.yaml", text.replace("$FN", &format!("{FN}f")));
        let files = Files { files: vec![file], diagnostics: Vec::new() };
        let context = Context {
            defaults: Defaults {
                account: Some("123456789012".into()),
                region: Some("us-east-1".into()),
            },
            ownership: settings.ownership.clone(),
            writer: settings.writer,
            ..Context::default()
        };
        let loaded = resolve(permissions::parse(&files), &context);
        let loaded = loaded.unwrap_or_else(|it| panic!("{}", render_all(&it, false)));
        // When every scenario begins.
        let now = "2025-12-18T00:00:00Z".parse().unwrap();
        let policy = policy(&loaded.wanted, &loaded.rules, settings.mode.unwrap(), false, now);
        let policy: Value = serde_json::from_str(&policy.text()).unwrap();
        for statement in policy["Statement"].as_array().unwrap() {
            for action in statement["Action"].as_array().unwrap() {
                for resource in statement["Resource"].as_array().unwrap() {
                    let action = action.as_str().unwrap().strip_prefix("lambda:").unwrap();
                    res.insert(format!("{action} {}", resource.as_str().unwrap()));
                }
            }
        }
    }
    res
}

#[test]
fn no_call_of_any_scenario_is_outside_of_its_policy() {
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in std::fs::read_dir("tests/scenarios").unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let sections = sections(&text);
        let mut mode = "";
        let rights = rights(&sections, &mut mode);
        let calls = sections.iter().find(|(it, _)| *it == "calls").unwrap().1;
        for line in calls.lines() {
            let mut words = line.split_whitespace();
            let word = words.next().unwrap_or_default();
            let Some(operation) = OPERATIONS.iter().find(|it| **it == word) else { continue };
            let target = words.next().unwrap().trim_end_matches(',');
            let call = format!("{operation} {FN}{target}");
            let allowed = |right: &String| WildMatch::new(right).matches(&call);
            assert!(rights.iter().any(allowed), "{}: {line}\nnot in {rights:#?}", path.display());
            seen.entry(mode).or_default().insert(operation);
        }
    }
    // It proves nothing of what no scenario does.
    let seen = |mode: &str| seen[mode].iter().copied().collect::<Vec<_>>();
    assert_eq!(seen("observe"), ["GetPolicy"]);
    let mut all = OPERATIONS.to_vec();
    all.sort_unstable();
    assert_eq!(seen("enforce"), all);
    let additive = ["AddPermission", "GetPolicy", "PutResourcePolicy", "RemovePermission"];
    assert_eq!(seen("additive"), additive);
}
