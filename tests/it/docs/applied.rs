//! Each recipe is put into the simulator as a reader would put it into Lambda, which takes it; then nothing differs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use permitd::config::diagnostic::{File, Files};
use permitd::config::permissions;
use permitd::config::resolve::{Context, resolve};
use serde_json::{Value, json};

use super::markdown;
use crate::commands::harness::Lambda;

/// The functions that a recipe speaks of, with their aliases.
fn functions(text: &str) -> Vec<Value> {
    let files =
        Files { files: vec![File::new("recipe", text.to_owned())], diagnostics: Vec::new() };
    let loaded = resolve(permissions::parse(&files), &Context::default()).unwrap();
    let mut res: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for wanted in &loaded.wanted {
        let name = wanted.target.short_name();
        let (name, alias) = name.split_once(':').unwrap_or((&name, ""));
        res.entry(name.to_owned()).or_default().insert(alias.to_owned());
    }
    let aliases = |it: &BTreeSet<String>| {
        let named = it.iter().filter(|it| !it.is_empty());
        named.map(|it| (it.clone(), json!("1"))).collect::<serde_json::Map<_, _>>()
    };
    res.iter()
        .map(|(name, it)| json!({"name": name, "versions": 1, "aliases": aliases(it)}))
        .collect()
}

/// Roles and users that have to exist.
fn principals(text: &str) -> BTreeSet<&str> {
    let words = text.split(|it: char| it.is_whitespace() || "\"[],{}".contains(it));
    words.filter(|it| it.starts_with("arn:aws:iam::")).collect()
}

#[test]
fn lambda_takes_every_recipe() {
    let page = markdown::page(Path::new("docs/recipes.md"));
    let recipes = page.blocks.iter().filter(|it| it.text.starts_with("# permissions.yaml"));
    // Rules cover what there is, in several accounts; `commands/rules.rs` tries those.
    let recipes: Vec<_> = recipes.filter(|it| !it.text.contains("match:")).collect();
    assert!(recipes.len() > 10, "{}", recipes.len());
    for recipe in recipes {
        let at = format!("docs/recipes.md:{}", recipe.line);
        let lambda = Lambda::new(&json!(functions(&recipe.text)));
        lambda.control(
            "POST",
            "principals",
            &json!({"create": principals(&recipe.text), "delete": []}),
        );
        let room = lambda.room(&recipe.text);
        let said = room.permitd("apply permissions.yaml --mode enforce --yes");
        assert_eq!(said.code, Some(0), "{at}: {said:?}");
        let ends = recipe.text.contains("expires:");
        assert!(ends || !lambda.writes().is_empty(), "{at}: nothing was written");
        let said = room.permitd("plan permissions.yaml --detailed-exitcode");
        assert_eq!(said.code, Some(0), "{at}: {said:?}");
    }
}
