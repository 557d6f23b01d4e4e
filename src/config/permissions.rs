//! Permission files as they are typed: documents, function entries, statements.

use std::sync::Arc;

use crate::config::diagnostic::{Diagnostic, File, Files, Place, Span};
use crate::config::walk::{Item, Spot, Text, Walker, is_extension};
use crate::config::yaml::{self, Value};
use crate::drift::allow::{Ownership, Replace, Writer};
use crate::policy::grant::check_sid;

mod many;
mod statement;

pub(super) use many::{ALL, MATCH_KEYS, Match, NAME_GLOB, QUALIFIER_GLOB, Several, UNQUALIFIED};
pub(super) use statement::{Condition, EFFECTS, EXPIRES, STATEMENT_KEYS, Statement};

/// All permission files, read as far as they can be, with everything that is wrong so far.
#[derive(Debug, Default)]
pub struct Parsed<'a> {
    pub(super) documents: Vec<Document<'a>>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// One YAML document.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub file: &'a Arc<File>,
    /// Its file is not YAML to the end, so that some of it may be missing here.
    pub broken: bool,
    /// Where `functions` stands, or else the beginning.
    pub functions_at: Spot,
    pub account: Option<Text<'a>>,
    pub region: Option<Text<'a>>,
    pub accounts: Option<Several<'a>>,
    pub regions: Option<Several<'a>>,
    pub entries: Vec<FunctionEntry<'a>>,
}

/// One item of `functions`.
#[derive(Debug, Default)]
pub(super) struct FunctionEntry<'a> {
    pub names: Vec<Text<'a>>,
    /// Instead of names: a rule for many functions.
    pub rule: Option<Match<'a>>,
    pub qualifier: Option<Text<'a>>,
    pub ownership: Option<(Ownership, Spot)>,
    pub absent: Vec<Text<'a>>,
    pub suspend: Option<(bool, Spot)>,
    pub replace: Option<(Replace, Spot)>,
    pub writer: Option<(Writer, Spot)>,
    pub compact: Option<(bool, Spot)>,
    /// Where `empty: true` stands.
    pub empty: Option<Spot>,
    /// Where `statements` stands, or else the entry.
    pub statements_at: Spot,
    /// Whether something is wrong with the list, so that nobody says it is empty.
    pub broken: bool,
    pub statements: Vec<Statement<'a>>,
}

pub(super) const DOCUMENT_KEYS: &[&str] =
    &["account", "region", "accounts", "regions", "functions"];
pub(super) const ENTRY_KEYS: &[&str] = &[
    "function",
    "names",
    "match",
    "except",
    "qualifier",
    "ownership",
    "sid_prefix",
    "absent",
    "suspend",
    "replace",
    "writer",
    "compact",
    "empty",
    "statements",
];
/// The words of `ownership`. The settings have the same.
pub(super) const OWNERSHIPS: &[(&str, Ownership)] = &[
    ("all", Ownership::All),
    ("prefix", Ownership::Prefix(String::new())),
    ("declared", Ownership::Declared),
];
/// How a changed statement is replaced. The settings have the same words.
pub(super) const REPLACES: &[(&str, Replace)] =
    &[("bridge", Replace::Bridge), ("direct", Replace::Direct)];
/// By which calls a policy is written. The settings have the same words.
pub(super) const WRITERS: &[(&str, Writer)] =
    &[("statements", Writer::Statements), ("document", Writer::Document), ("auto", Writer::Auto)];
const NO_FUNCTIONS: &str =
    "write `functions:` and under it `- function: NAME` with its `statements:`";

/// Reads all files. It always succeeds; what is wrong is told by `resolve`.
pub fn parse(files: &Files) -> Parsed<'_> {
    let mut parsed = Parsed { documents: Vec::new(), diagnostics: files.diagnostics.clone() };
    for file in &files.files {
        let tree = yaml::parse(file);
        let readable = tree.diagnostics.is_empty();
        let mut walker = Walker::new(file, tree.diagnostics);
        let n_before = parsed.documents.len();
        for node in &tree.documents {
            if !matches!(node.value, Value::Null) {
                let found = document(&mut walker, Item::root(node));
                parsed.documents.extend(found.map(|it| Document { broken: !readable, ..it }));
            }
        }
        let nothing = tree.documents.iter().all(|it| matches!(it.value, Value::Null));
        if nothing && readable && parsed.documents.len() == n_before {
            let start = Span { line: 1, column: 1, ..Span::default() };
            let message = "this file has no functions in it";
            let error = Diagnostic::error(Place::at(file, start), message);
            walker.diagnostics.push(error.help(NO_FUNCTIONS));
        }
        parsed.diagnostics.append(&mut walker.diagnostics);
    }
    parsed
}

fn document<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<Document<'a>> {
    let file = walker.file;
    let mut document = Document {
        file,
        broken: false,
        functions_at: root.spot(),
        account: None,
        region: None,
        accounts: None,
        regions: None,
        entries: Vec::new(),
    };
    let mut meant = Vec::new();
    let mut keys = Vec::new();
    for item in walker.map(root, "a permission file")? {
        keys.push(item);
        match item.key {
            "account" => document.account = walker.text(item),
            "region" => document.region = walker.text(item),
            "accounts" => document.accounts = many::several(walker, item),
            "regions" => document.regions = many::several(walker, item),
            "functions" => {
                meant.push("functions");
                document.functions_at = item.key_spot();
                let items = walker.list(item, "functions: [{function: NAME, statements: [...]}]");
                document.entries =
                    items.into_iter().flatten().filter_map(|it| entry(walker, it)).collect();
            }
            key if is_extension(key) => {}
            _ => meant.extend(walker.unknown(item, "a permission file", DOCUMENT_KEYS)),
        }
    }
    if !meant.contains(&"functions") {
        walker.advise(root.spot(), "`functions` is missing", NO_FUNCTIONS);
    }
    for (one, several) in [("account", "accounts"), ("region", "regions")] {
        let found = |key| keys.iter().find(|it| it.key == key);
        if let (Some(one), Some(several)) = (found(one), found(several)) {
            exclude(walker, *one, *several, &format!("write all of them under `{}`", several.key));
        }
    }
    Some(document)
}

/// Two keys of which one is enough.
fn exclude<'a>(walker: &mut Walker<'a>, first: Item<'_, 'a>, later: Item<'_, 'a>, help: &str) {
    let message = format!("`{}` and `{}` exclude each other", first.key, later.key);
    let error = later.key_spot().error(walker.file, message);
    let place = first.key_spot().place(walker.file);
    let error = error.also(place, format!("`{}` stands here", first.key));
    walker.diagnostics.push(error.help(help));
}

fn entry<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<FunctionEntry<'a>> {
    let mut entry = FunctionEntry { statements_at: root.spot(), ..FunctionEntry::default() };
    let (mut function, mut names, mut ownership, mut prefix) = (None, None, None, None);
    let (mut rule, mut qualifier, mut except) = (None, None, None);
    let mut meant = Vec::new();
    let mut has_statements = false;
    for item in walker.map(root, "an item of `functions`")? {
        match item.key {
            "function" => {
                function = Some(item);
                entry.names.extend(walker.text(item));
            }
            "names" => {
                names = Some(item);
                entry.names.extend(texts(walker, item, "names: [one, other]"));
            }
            "match" => {
                rule = Some(item);
                entry.rule = Some(many::read(walker, item));
            }
            "except" => except = Some(item),
            "qualifier" => {
                qualifier = Some(item);
                entry.qualifier = walker.text(item);
            }
            "ownership" => ownership = Some(item),
            "sid_prefix" => prefix = Some(item),
            "absent" => {
                entry.absent = texts(walker, item, "absent: [old-sid]");
                meant.push("absent");
            }
            "suspend" => entry.suspend = walker.boolean(item),
            "replace" => entry.replace = walker.choice(item, REPLACES),
            "writer" => entry.writer = walker.choice(item, WRITERS),
            "compact" => entry.compact = walker.boolean(item),
            "empty" => entry.empty = walker.boolean(item).filter(|(it, _)| *it).map(|(_, it)| it),
            "statements" => {
                meant.push("statements");
                has_statements = true;
                entry.statements_at = item.key_spot();
                statements(walker, item, &mut entry);
            }
            _ => meant.extend(walker.unknown(item, "an item of `functions`", ENTRY_KEYS)),
        }
    }
    if !["function", "names", "match"].iter().any(|it| meant.contains(it)) {
        check_names(walker, root, [function, names, rule]);
    }
    check_rule(walker, &mut entry, rule, qualifier, except);
    if !meant.contains(&"statements") && !meant.contains(&"absent") {
        let help = "write `statements:` with a list, or `absent:` with Sids to take back";
        walker.advise(root.spot(), "`statements` is missing", help);
    }
    // A misspelt `statements` is not an empty one.
    entry.broken |=
        !has_statements && (meant.contains(&"statements") || !meant.contains(&"absent"));
    entry.ownership = read_ownership(walker, ownership, prefix);
    if let (Some(spot), false) = (entry.empty, entry.statements.is_empty()) {
        let help = "delete `empty`, or the statements";
        walker.advise(spot, "`empty: true` goes with `statements: []` only", help);
    }
    Some(entry)
}

/// Exactly one of `function`, `names` and `match`, and a name in it.
fn check_names<'a>(
    walker: &mut Walker<'a>,
    root: Item<'_, 'a>,
    [function, names, rule]: [Option<Item<'_, 'a>>; 3],
) {
    let there: Vec<Item<'_, 'a>> = [function, names, rule].into_iter().flatten().collect();
    match there.as_slice() {
        [first, later, ..] => {
            let help = match rule {
                Some(_) => "write an entry of its own for the rule",
                None => "put all of them under `names`",
            };
            exclude(walker, *first, *later, help);
        }
        [names] if names.key == "names" => {
            if matches!(&names.node.value, Value::Seq(it) if it.is_empty()) {
                let help = "name a function, or delete the entry";
                walker.advise(names.spot(), "`names` is empty", help);
            }
        }
        [_] => {}
        [] => {
            let help = "write `function: NAME`, `names: [one, other]` for several, or \
                        `match: {name: prefix-*}` for all whose name matches";
            walker.advise(root.spot(), "`function` is missing", help);
        }
    }
}

/// What goes with `match` only, and what does not.
fn check_rule<'a>(
    walker: &mut Walker<'a>,
    entry: &mut FunctionEntry<'a>,
    rule: Option<Item<'_, 'a>>,
    qualifier: Option<Item<'_, 'a>>,
    except: Option<Item<'_, 'a>>,
) {
    let excepted = except.map(|it| many::except(walker, it));
    match (&mut entry.rule, except) {
        (Some(rule), _) => {
            let (except, sound) = excepted.unwrap_or((Vec::new(), true));
            rule.except = except;
            rule.bad |= !sound;
        }
        (None, Some(except)) => {
            let help = "write `match: {name: \"orders-*\"}` beside it, or delete it";
            walker.advise(except.key_spot(), "`except` goes with `match` only", help);
        }
        (None, None) => {}
    }
    if let (Some(rule), Some(qualifier)) = (rule, qualifier) {
        exclude(walker, rule, qualifier, "write `qualifiers: [live]` into `match`");
    }
}

/// `ownership`, with `sid_prefix` where it belongs. The settings have the same two keys.
pub(super) fn read_ownership<'a>(
    walker: &mut Walker<'a>,
    ownership: Option<Item<'_, 'a>>,
    prefix: Option<Item<'_, 'a>>,
) -> Option<(Ownership, Spot)> {
    let prefix_text = prefix.and_then(|it| walker.text(it));
    let chosen = ownership.and_then(|it| walker.choice(it, OWNERSHIPS));
    match (chosen, prefix) {
        (Some((Ownership::Prefix(_), spot)), Some(_)) => {
            let Text { text, spot: at } = prefix_text?;
            if let Err(message) = check_sid(&text) {
                walker.error(
                    at,
                    message.replace("the sid", "the prefix").replace("a sid", "a prefix"),
                );
                return None;
            }
            Some((Ownership::Prefix(text.into_owned()), spot))
        }
        (Some((Ownership::Prefix(_), spot)), None) => {
            let help = "write `sid_prefix: x-` beside it";
            walker.advise(spot, "`ownership: prefix` needs a `sid_prefix`", help);
            None
        }
        (chosen @ (Some((Ownership::All | Ownership::Declared, _)) | None), Some(prefix)) => {
            // A wrong word under `ownership` was reported already, and may have meant `prefix`.
            if chosen.is_some() || ownership.is_none() {
                let help = "write `ownership: prefix` beside it, or delete it";
                walker.advise(
                    prefix.key_spot(),
                    "`sid_prefix` goes with `ownership: prefix` only",
                    help,
                );
            }
            chosen
        }
        (chosen @ (Some((Ownership::All | Ownership::Declared, _)) | None), None) => chosen,
    }
}

fn texts<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>, example: &str) -> Vec<Text<'a>> {
    let items = walker.list(item, example);
    items.into_iter().flatten().filter_map(|it| walker.text(it)).collect()
}

fn statements<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>, entry: &mut FunctionEntry<'a>) {
    let Some(items) = walker.list(item, "statements: [{sid: x, principal: s3.amazonaws.com}]")
    else {
        entry.broken = true;
        return;
    };
    for item in items {
        match statement::read(walker, item) {
            Some(it) => entry.statements.push(it),
            None => entry.broken = true,
        }
    }
}

#[cfg(test)]
mod tests;
