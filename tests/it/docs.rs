//! The documentation: its files are good, its commands exist, its links lead somewhere, and nothing is missing.
//!
//! `UPDATE_DOCS=1 cargo test docs::` writes `docs/reference/` anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use permitd::config::diagnostic::{File, Files, render_all};
use permitd::config::resolve::{Context, examine, resolve};
use permitd::config::{permissions, settings, warnings};
use permitd::drift::{
    allow::Reason,
    outcome::{State, TroubleReason},
};

#[cfg(feature = "aws")]
mod applied;
#[cfg(feature = "aws")]
mod commands;
pub(crate) mod markdown;
mod reference;

use markdown::{Block, Page, normal, page, pages};

/// What is wrong with a block for who reads such a file, if it says that it is one.
pub(crate) fn problem(at: &str, text: &str) -> Option<String> {
    let file = File::new(at, text.to_owned());
    let found = if text.starts_with("# permitd.yaml") {
        settings::parse(&file).err()
    } else if text.starts_with("# permissions.yaml") {
        let files = Files { files: vec![file], diagnostics: Vec::new() };
        resolve(permissions::parse(&files), &Context::default()).err()
    } else {
        None
    };
    found.map(|it| render_all(&it, false))
}

fn yaml(page: &Page) -> impl Iterator<Item = &Block> {
    page.blocks.iter().filter(|it| it.language == "yaml")
}

#[test]
fn the_files_that_are_shown_are_good() {
    let mut n = 0;
    for page in pages() {
        for block in yaml(&page) {
            let at = format!("{}:{}", page.path.display(), block.line);
            for document in serde_yaml::Deserializer::from_str(&block.text) {
                let read: Result<serde_yaml::Value, _> = serde::Deserialize::deserialize(document);
                assert!(read.is_ok(), "{at}: {}", read.unwrap_err());
            }
            if let Some(said) = problem(&at, &block.text) {
                panic!("{at}\n{said}");
            }
            // Who could not tell what it is would not have it read by the right reader.
            let named = block.text.starts_with("# ");
            let in_docs = page.path.starts_with("docs") || page.path == Path::new("README.md");
            assert!(named || !in_docs, "{at}: the first line says what file it is");
            n += usize::from(block.text.starts_with("# perm"));
        }
    }
    assert!(n > 20, "{n} were found");
}

#[test]
fn a_wrong_file_is_seen() {
    let said = problem("x", "# permissions.yaml\nfunctions: [{function: f, statments: []}]\n");
    assert!(said.unwrap().contains("statments"));
    assert!(problem("x", "# permitd.yaml\nmode: enfroce\n").unwrap().contains("enfroce"));
}

/// A recipe is copied as it is: where it has a risk, it says so with `accept`.
#[test]
fn recipes_leave_nothing_to_warn_of() {
    let page = page(Path::new("docs/recipes.md"));
    let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let mut n = 0;
    for block in yaml(&page).filter(|it| it.text.starts_with("# permissions.yaml")) {
        let file = File::new(format!("docs/recipes.md:{}", block.line), block.text.clone());
        let files = Files { files: vec![file], diagnostics: Vec::new() };
        let examined = examine(permissions::parse(&files), &Context::default());
        let found = warnings::warnings(&files, &examined, now);
        assert!(found.is_empty(), "{}", render_all(&found, false));
        n += 1;
    }
    assert!(n >= 9, "{n} recipes");
}

/// What is wrong with a link of a page.
fn dead(page: &Page, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page.path.clone(),
        path => normal(&page.path.parent().unwrap().join(path)),
    };
    if target.starts_with("..") || target.is_absolute() {
        return Some("it leads out of the repository".to_owned());
    }
    if !target.exists() && target != Path::new("") {
        return Some(format!("there is no {}", target.display()));
    }
    if anchor.is_empty() {
        return None;
    }
    if target.extension().is_none_or(|it| it != "md") {
        return Some(format!("{} has no headings", target.display()));
    }
    let there = match path {
        "" => page.anchors.contains(anchor),
        _ => markdown::page(&target).anchors.contains(anchor),
    };
    (!there).then(|| format!("{} has no heading #{anchor}", target.display()))
}

#[test]
fn links_lead_somewhere() {
    let mut n = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for link in &page.links {
            n += 1;
            let at = format!("{}:{}", page.path.display(), link.line);
            wrong.extend(dead(&page, &link.text).map(|it| format!("{at}: {}: {it}", link.text)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n > 150, "{n} links");
}

#[test]
fn a_dead_link_is_seen() {
    let text = "# One thing\n\n[a](SECURITY.md) [b](#one-thing) [c](#two) [d](nowhere.md) [e](../x) [f](LICENSE#a)\n";
    let page = markdown::read(Path::new("README.md"), text.to_owned());
    let dead: Vec<bool> = page.links.iter().map(|it| dead(&page, &it.text).is_some()).collect();
    assert_eq!(dead, [false, false, true, true, true, true]);
}

/// From the index, over pages of `docs/` only.
#[test]
fn every_page_can_be_found() {
    let mut seen = BTreeSet::from([PathBuf::from("docs/README.md")]);
    let mut left: Vec<PathBuf> = seen.iter().cloned().collect();
    while let Some(path) = left.pop() {
        let page = page(&path);
        for link in &page.links {
            let target = link.text.split('#').next().unwrap();
            let target = normal(&path.parent().unwrap().join(target));
            let is_page = target.starts_with("docs") && target.is_file();
            if is_page && seen.insert(target.clone()) {
                left.push(target);
            }
        }
    }
    let lost: Vec<PathBuf> = pages()
        .into_iter()
        .map(|it| it.path)
        .filter(|it| it.starts_with("docs") && !seen.contains(it))
        .collect();
    assert!(lost.is_empty(), "nothing leads to {lost:?}");
}

#[test]
fn every_reason_has_its_place_in_troubleshooting() {
    let page = page(Path::new("docs/troubleshooting.md"));
    let troubles = TroubleReason::ALL.map(TroubleReason::name);
    let states = State::ALL.map(State::name);
    for name in Reason::NAMES.iter().chain(&troubles).chain(&states) {
        assert!(page.text.contains(&format!("`{name}`")), "{name}");
    }
    for name in Reason::NAMES.iter().chain(&troubles) {
        assert!(page.anchors.contains(*name), "no heading for {name}");
    }
}

/// Each row of the tables of messages begins with what permitd says, up to what differs.
#[test]
fn messages_in_troubleshooting_are_said_somewhere() {
    let mut sources = String::new();
    let mut files = Vec::new();
    rs_files(Path::new("src"), &mut files);
    for file in files {
        sources.push_str(&std::fs::read_to_string(file).unwrap());
    }
    // A string that goes on in the next line.
    let sources: Vec<&str> = sources.split("\\\n").collect();
    let first = sources.first().copied().unwrap_or_default().to_owned();
    let sources = sources[1..].iter().fold(first, |res, it| res + it.trim_start());
    let page = page(Path::new("docs/troubleshooting.md"));
    let messages = page.text.split("\n## Messages").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut n = 0;
    for line in messages.lines().filter_map(|it| it.strip_prefix("| `")) {
        let message = line.split('`').next().unwrap();
        for part in message.split('…').map(str::trim).filter(|it| !it.is_empty()) {
            assert!(sources.contains(part), "nothing says `{part}`");
            n += 1;
        }
    }
    assert!(n > 20, "{n} messages");
}

fn rs_files(folder: &Path, res: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rs_files(&path, res);
        } else if path.extension().is_some_and(|it| it == "rs") {
            res.push(path);
        }
    }
}
