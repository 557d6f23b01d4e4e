//! What an entry for many functions says, and for which accounts and regions a document is, as typed.

use crate::config::permissions::texts;
use crate::config::walk::{Item, Spot, Text, Walker};
use crate::config::yaml::Value;

/// `match`, with the `except` beside it.
#[derive(Debug, Default)]
pub(in crate::config) struct Match<'a> {
    /// Where the rule stands.
    pub spot: Spot,
    /// A glob over the names of functions.
    pub name: Option<Text<'a>>,
    /// Tags that have to be there, with globs over their values.
    pub tags: Vec<(String, Text<'a>)>,
    /// [`UNQUALIFIED`], names or globs. Empty for [`UNQUALIFIED`] alone.
    pub qualifiers: Vec<Text<'a>>,
    /// Globs over `name` or `name:qualifier`.
    pub except: Vec<Text<'a>>,
    /// Something is wrong with it, so that nobody says what it covers.
    pub bad: bool,
}

/// `accounts` or `regions` of a document.
#[derive(Debug)]
pub(in crate::config) enum Several<'a> {
    /// Those of the settings.
    All,
    /// These.
    Listed(Vec<Text<'a>>),
}

pub(in crate::config) const MATCH_KEYS: &[&str] = &["name", "tags", "qualifiers"];
/// The word for a function itself, beside its aliases and versions.
pub(in crate::config) const UNQUALIFIED: &str = "unqualified";
/// All accounts or regions of the settings.
pub(in crate::config) const ALL: &str = "all";
/// A glob over the names of functions.
pub(in crate::config) const NAME_GLOB: &str = "^[A-Za-z0-9_.*?-]+$";
/// A glob over aliases and versions.
pub(in crate::config) const QUALIFIER_GLOB: &str = "^[A-Za-z0-9_*?-]+$";
const EXAMPLE: &str = "match: {name: \"orders-*\"}";

/// `match`. What is wrong in it makes it match nothing.
pub(super) fn read<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Match<'a> {
    let before = walker.diagnostics.len();
    let mut res = Match { spot: item.spot(), ..Match::default() };
    let mut meant = Vec::new();
    if matches!(&item.node.value, Value::Plain(_) | Value::Quoted(_)) {
        let message = "`match` is a map of keys and values, not one value";
        walker.advise(res.spot, message, format!("write it like `{EXAMPLE}`"));
        return Match { bad: true, ..res };
    }
    let Some(items) = walker.map(item, "`match`") else {
        return Match { bad: true, ..res };
    };
    for item in items {
        match item.key {
            "name" => {
                meant.push("name");
                res.name = walker.text(item).filter(|it| is_name_glob(walker, it, "name"));
            }
            "tags" => {
                meant.push("tags");
                res.tags = tags(walker, item);
            }
            "qualifiers" => res.qualifiers = qualifiers(walker, item),
            _ => meant.extend(walker.unknown(item, "`match`", MATCH_KEYS)),
        }
    }
    if !meant.contains(&"name") && !meant.contains(&"tags") {
        let help = format!("write `{EXAMPLE}`, or `match: {{tags: {{team: payments}}}}`");
        walker.advise(res.spot, "`match` has neither `name` nor `tags`", help);
    }
    res.bad = walker.diagnostics.len() > before;
    res
}

/// `except`: the globs that are ones, and whether all of them are.
pub(super) fn except<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> (Vec<Text<'a>>, bool) {
    let before = walker.diagnostics.len();
    let globs = texts(walker, item, "except: [orders-legacy, \"orders-*:old\"]");
    let sound = |it: &Text<'a>| {
        let parts = it.text.split_once(':').filter(|_| !it.text.starts_with("arn:"));
        let (name, qualifier) = match parts {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (it.text.as_ref(), None),
        };
        let name = Text { text: name.into(), spot: it.spot };
        let name_is_one = is_name_glob(walker, &name, "except");
        let qualifier = qualifier.map(|text| Text { text: text.into(), spot: it.spot });
        name_is_one && qualifier.is_none_or(|it| is_qualifier_glob(walker, &it))
    };
    let globs = globs.into_iter().filter(sound).collect();
    (globs, walker.diagnostics.len() == before)
}

/// `accounts` or `regions`.
pub(super) fn several<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Option<Several<'a>> {
    let example = match item.key {
        "accounts" => "accounts: [\"123456789012\"]",
        _ => "regions: [us-east-1, eu-west-1]",
    };
    let key = item.key;
    match &item.node.value {
        Value::Plain(text) | Value::Quoted(text) if text == ALL => Some(Several::All),
        Value::Plain(_) | Value::Quoted(_) => {
            let help =
                format!("write it like `{example}`, or `{key}: {ALL}` for those of the settings");
            walker.advise(item.spot(), format!("`{key}` takes a list, or `{ALL}`"), help);
            None
        }
        Value::Seq(items) if items.is_empty() => {
            let help = format!("write it like `{example}`, or leave the key out");
            walker.advise(item.spot(), format!("`{key}` is empty"), help);
            None
        }
        Value::Null | Value::Seq(_) | Value::Map(_) | Value::Bad => {
            Some(Several::Listed(texts(walker, item, example))).filter(|it| match it {
                Several::All => true,
                Several::Listed(texts) => !texts.is_empty(),
            })
        }
    }
}

fn tags<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Vec<(String, Text<'a>)> {
    let Some(items) = walker.map(item, "`tags`") else { return Vec::new() };
    let items: Vec<Item<'_, 'a>> = items.collect();
    if items.is_empty() {
        let help = "write `tags: {team: payments}`, or leave the key out";
        walker.advise(item.spot(), "`tags` is empty", help);
    }
    let tag = |it: Item<'_, 'a>| Some((it.key.to_owned(), walker.text(it)?));
    items.into_iter().filter_map(tag).collect()
}

fn qualifiers<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Vec<Text<'a>> {
    if matches!(&item.node.value, Value::Seq(it) if it.is_empty()) {
        let help = format!("write `qualifiers: [{UNQUALIFIED}, live]`, or leave the key out");
        walker.advise(item.spot(), "`qualifiers` is empty", help);
    }
    let globs = texts(walker, item, "qualifiers: [unqualified, live]");
    globs.into_iter().filter(|it| is_qualifier_glob(walker, it)).collect()
}

/// Says what is wrong with a glob over names.
fn is_name_glob(walker: &mut Walker<'_>, glob: &Text<'_>, key: &str) -> bool {
    let Text { text, spot } = glob;
    if text.contains(':') {
        let message = format!("`{key}` takes names of functions, and `{text}` looks like an ARN");
        let help = "write the name alone: the file says which accounts and regions, `qualifiers` which aliases";
        walker.advise(*spot, message, help);
        return false;
    }
    is_glob(walker, glob, b"-_.*?", "the name of a function: letters, digits, `-`, `_`, `.`")
}

/// Says what is wrong with a glob over aliases and versions.
fn is_qualifier_glob(walker: &mut Walker<'_>, glob: &Text<'_>) -> bool {
    if glob.text.starts_with("$LATEST") {
        let message = "`$LATEST` cannot carry a policy";
        let help = format!("write `{UNQUALIFIED}` for the function itself");
        walker.advise(glob.spot, message, help);
        return false;
    }
    is_glob(walker, glob, b"-_*?", "an alias or a version: letters, digits, `-`, `_`")
}

fn is_glob(walker: &mut Walker<'_>, glob: &Text<'_>, others: &[u8], what: &str) -> bool {
    let Text { text, spot } = glob;
    let help = format!("the wildcards are `*` and `?`; the rest is {what}");
    let bad = text.chars().find(|it| {
        !(it.is_ascii_alphanumeric() || u8::try_from(*it).is_ok_and(|it| others.contains(&it)))
    });
    match bad {
        _ if text.is_empty() => walker.advise(*spot, "the glob is empty", help),
        Some(it) => {
            let message = format!("`{}` may not stand in this glob", it.escape_default());
            walker.advise(*spot, message, help);
        }
        None => return true,
    }
    false
}
