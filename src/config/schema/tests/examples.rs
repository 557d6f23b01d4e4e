//! The schemas as they are handed out: every key told, every default true, the files under `config/` good.

use serde_json::{Map, Value};

use super::{Kind, settings};
use crate::config::schema;
use crate::config::settings::Settings;

const PERMISSIONS: &[(&str, &str)] = &[
    (
        "config/permissions/documents.yaml",
        include_str!("../../../../config/permissions/documents.yaml"),
    ),
    ("config/permissions/media.yaml", include_str!("../../../../config/permissions/media.yaml")),
    ("config/permissions/rules.yaml", include_str!("../../../../config/permissions/rules.yaml")),
    ("config/permissions/web.yaml", include_str!("../../../../config/permissions/web.yaml")),
    (
        "config/demo/permissions/media.yaml",
        include_str!("../../../../config/demo/permissions/media.yaml"),
    ),
];
const SETTINGS: &[(&str, &str)] = &[
    ("config/permitd.yaml", include_str!("../../../../config/permitd.yaml")),
    ("config/demo/permitd.yaml", include_str!("../../../../config/demo/permitd.yaml")),
];

#[test]
fn the_examples_are_good_and_name_their_schema() {
    let kinds = [
        (Kind::permissions(), "permissions", PERMISSIONS),
        (Kind::settings(), "settings", SETTINGS),
    ];
    for (kind, name, files) in kinds {
        for (path, text) in files {
            let up = "../".repeat(path.matches('/').count() - 1);
            let first = format!("# yaml-language-server: $schema={up}schema/{name}.json");
            assert_eq!(text.lines().next(), Some(first.as_str()), "{path}");
            assert_eq!(kind.refusals(text), Vec::<String>::new(), "{path}");
        }
    }
}

/// Every map in it, and where it is.
fn maps<'s>(schema: &'s Value, at: &str, found: &mut Vec<(String, &'s Map<String, Value>)>) {
    if let Value::Object(map) = schema {
        found.push((at.to_owned(), map));
        for (key, value) in map {
            maps(value, &format!("{at}/{key}"), found);
        }
    }
    for it in schema.as_array().into_iter().flatten() {
        maps(it, &format!("{at}/*"), found);
    }
}

/// Every key of `properties` outside the rules, and where it is.
fn properties(schema: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    maps(schema, "", &mut found);
    found.retain(|(at, _)| at.ends_with("/properties") && !at.contains("/allOf"));
    let members = |(at, map)| -> Vec<(String, &Value)> {
        let map: &Map<String, Value> = map;
        map.iter().map(|(key, it)| (format!("{at}/{key}"), it)).collect()
    };
    found.into_iter().flat_map(members).collect()
}

#[test]
fn every_key_is_described() {
    for (schema, least) in [(schema::permissions(), 25), (schema::settings(), 34)] {
        let found = properties(&schema);
        assert!(found.len() >= least, "{}", found.len());
        for (at, it) in found {
            let text = it["description"].as_str().unwrap_or_default();
            assert!(text.len() > 5 && text.ends_with('.'), "{at}: {it}");
        }
    }
}

/// Where an editor says what holds if nothing is written, that holds.
#[test]
fn the_defaults_are_the_readers() {
    let schema = schema::settings();
    let found = properties(&schema);
    let mut n_defaults = 0;
    for (at, it) in found {
        let Some(usual) = it.get("default") else { continue };
        let keys: Vec<&str> =
            at.split('/').filter(|it| !["", "properties", "then"].contains(it)).collect();
        let nested =
            keys.iter().rev().fold(usual.clone(), |value, key| serde_json::json!({ *key: value }));
        let read = settings(&nested.to_string()).unwrap();
        let usual = Settings { simulator: read.simulator.clone(), ..Settings::default() };
        assert_eq!(read, usual, "{at}");
        n_defaults += 1;
    }
    assert_eq!(n_defaults, 15);
}

/// ECMA 262 with its flag `u`, as validators read patterns, knows fewer escapes than we do.
#[test]
fn every_pattern_is_one_for_ecma_262() {
    for schema in [schema::permissions(), schema::settings()] {
        let mut found = Vec::new();
        maps(&schema, "", &mut found);
        let patterns = found.iter().filter_map(|(_, it)| it.get("pattern").and_then(Value::as_str));
        let patterns: Vec<&str> = patterns.collect();
        assert!(patterns.len() > 10);
        for it in patterns {
            let mut rest = it;
            while let Some((_, after)) = rest.split_once('\\') {
                assert!(after.starts_with(|it| r"^$\.*+?()[]{}|/sn".contains(it)), "{it}");
                rest = &after[1..];
            }
            assert!(!it.contains("(?P") && !it.contains("(?<"), "{it}");
        }
    }
}

/// An example in a description is no bad example.
#[test]
fn the_examples_in_the_schemas_are_good() {
    for schema in [schema::permissions(), schema::settings()] {
        let mut found = Vec::new();
        maps(&schema, "", &mut found);
        let mut n_examples = 0;
        for (at, map) in found {
            let mut part = Value::Object(map.clone());
            part["$defs"] = schema["$defs"].clone();
            for it in map.get("examples").and_then(Value::as_array).into_iter().flatten() {
                assert!(jsonschema::draft202012::is_valid(&part, it), "{at}: {it}");
                n_examples += 1;
            }
        }
        assert!(n_examples > 5);
    }
}
