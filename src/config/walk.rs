//! Takes a tree apart into typed values; what does not fit is reported, and the walk goes on.

use std::{borrow::Cow, sync::Arc};

use crate::config::diagnostic::{Diagnostic, File, Place, Span};
use crate::config::yaml::{Entry, Node, Value};

/// A place in the current file, and the alias or merge key through which it is used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spot {
    pub span: Span,
    pub used: Option<Span>,
}

/// A scalar as written, and where.
#[derive(Debug, Clone)]
pub(super) struct Text<'a> {
    pub text: Cow<'a, str>,
    pub spot: Spot,
}

/// One value on the way through the tree: under which key it stands, and through which alias.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'t, 'a> {
    pub key: &'t str,
    pub key_span: Span,
    pub node: &'t Node<'a>,
    pub used: Option<Span>,
}

/// Collects what is wrong with one file.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    pub file: &'a Arc<File>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Spot {
    /// The range of the file.
    pub(super) fn place(&self, file: &Arc<File>) -> Place {
        Place::at(file, self.span)
    }

    /// An error here, which also tells through which alias one got here.
    pub(super) fn error(&self, file: &Arc<File>, message: impl Into<String>) -> Diagnostic {
        let error = Diagnostic::error(self.place(file), message);
        match self.used {
            Some(used) => error.also(Place::at(file, used), "it is used here"),
            None => error,
        }
    }
}

impl<'t, 'a> Item<'t, 'a> {
    /// A whole document.
    pub(super) fn root(node: &'t Node<'a>) -> Self {
        Self { key: "", key_span: node.span, node, used: node.used }
    }

    /// The key, where the value is nothing to point at.
    pub(super) fn key_spot(&self) -> Spot {
        Spot { span: self.key_span, used: self.used }
    }

    /// The value.
    pub(super) fn spot(&self) -> Spot {
        let node = self.node;
        let span = if node.span.start == node.span.end { self.key_span } else { node.span };
        Spot { span, used: self.used }
    }

    fn entry(&self, entry: &'t Entry<'a>) -> Self {
        let Entry { key, key_span, node } = entry;
        Self { key, key_span: *key_span, node, used: self.used.or(node.used) }
    }
}

impl<'a> Walker<'a> {
    pub(super) fn new(file: &'a Arc<File>, diagnostics: Vec<Diagnostic>) -> Self {
        Self { file, diagnostics }
    }

    /// Reports an error at a spot.
    pub(super) fn error(&mut self, spot: Spot, message: impl Into<String>) {
        self.diagnostics.push(spot.error(self.file, message));
    }

    /// Reports an error at a spot, and what to do.
    pub(super) fn advise(
        &mut self,
        spot: Spot,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(spot.error(self.file, message).help(help));
    }

    /// The keys of a map. `what` names it for people.
    pub(super) fn map<'t>(
        &mut self,
        item: Item<'t, 'a>,
        what: &str,
    ) -> Option<impl Iterator<Item = Item<'t, 'a>> + use<'t, 'a>> {
        match &item.node.value {
            Value::Map(entries) => Some(entries.iter().map(move |it| item.entry(it))),
            Value::Bad => None,
            other @ (Value::Null | Value::Plain(_) | Value::Quoted(_) | Value::Seq(_)) => {
                let message = format!("{what} is a map of keys and values, not {}", kind(other));
                self.error(item.spot(), message);
                None
            }
        }
    }

    /// The items of a list; `example` is what the line may look like.
    pub(super) fn list<'t>(
        &mut self,
        item: Item<'t, 'a>,
        example: &str,
    ) -> Option<impl Iterator<Item = Item<'t, 'a>> + use<'t, 'a>> {
        match &item.node.value {
            Value::Seq(items) => Some(items.iter().map(move |node| Item {
                node,
                used: item.used.or(node.used),
                ..item
            })),
            Value::Bad => None,
            other @ (Value::Null | Value::Plain(_) | Value::Quoted(_) | Value::Map(_)) => {
                let message = format!("`{}` takes a list, not {}", item.key, kind(other));
                self.advise(item.spot(), message, format!("write it like `{example}`"));
                None
            }
        }
    }

    /// A scalar, as written.
    pub(super) fn text(&mut self, item: Item<'_, 'a>) -> Option<Text<'a>> {
        let key = item.key;
        let spot = item.spot();
        match &item.node.value {
            Value::Plain(text) | Value::Quoted(text) => Some(Text { text: text.clone(), spot }),
            Value::Null if item.node.span.start == item.node.span.end => {
                self.advise(
                    spot,
                    format!("`{key}` has no value"),
                    "write one, or leave the key out",
                );
                None
            }
            Value::Null => {
                let help = "for the text itself write it in quotes; for no value leave the key out";
                self.advise(spot, format!("`{key}` is null"), help);
                None
            }
            Value::Seq(_) => {
                let message = format!("`{key}` takes one value, not a list");
                let help = match key {
                    "function" => {
                        "`names: [one, other]` gives the same statements to several functions"
                    }
                    "principal" | "action" | "source_arn" | "source_account" => &format!(
                        "write one statement for each value, or the list under `{key}s`, which needs `writer: document` or `auto`"
                    ),
                    "sid" => "write one statement for each value",
                    _ => "write one value",
                };
                self.advise(spot, message, help);
                None
            }
            Value::Map(_) => {
                self.error(spot, format!("`{key}` takes one value, not a map"));
                None
            }
            Value::Bad => None,
        }
    }

    /// `true` or `false`, unquoted; YAML 1.1's other spellings are not guessed at.
    pub(super) fn boolean(&mut self, item: Item<'_, 'a>) -> Option<(bool, Spot)> {
        let spot = item.spot();
        match &item.node.value {
            Value::Plain(text) => match text.as_ref() {
                "true" | "True" | "TRUE" => return Some((true, spot)),
                "false" | "False" | "FALSE" => return Some((false, spot)),
                _ => {}
            },
            Value::Null | Value::Quoted(_) | Value::Seq(_) | Value::Map(_) => {}
            Value::Bad => return None,
        }
        let message = format!("`{}` takes true or false", item.key);
        let help = format!("write `{}: true` or `{0}: false`, without quotes", item.key);
        self.advise(spot, message, help);
        None
    }

    /// One word of a few, each with its meaning.
    pub(super) fn choice<T: Clone>(
        &mut self,
        item: Item<'_, 'a>,
        choices: &[(&str, T)],
    ) -> Option<(T, Spot)> {
        let Text { text, spot } = self.text(item)?;
        if let Some((_, it)) = choices.iter().find(|(word, _)| *word == text) {
            return Some((it.clone(), spot));
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let message = format!("`{text}` is not a value of `{}`", item.key);
        let help = match nearest(&text, &words) {
            Some(it) => format!("did you mean `{it}`?"),
            None => format!("it is {}", one_of(&words)),
        };
        self.advise(spot, message, help);
        None
    }

    /// A key that nobody knows. `what` is what it stands in, for example `a statement`.
    /// Gives the key that was probably meant, so that nobody says that it is missing as well.
    pub(super) fn unknown<'w>(
        &mut self,
        item: Item<'_, 'a>,
        what: &str,
        known: &[&'w str],
    ) -> Option<&'w str> {
        let message = format!("`{}` is not a key of {what}", item.key);
        let meant = nearest(item.key, known);
        let help = match meant {
            Some(it) => format!("did you mean `{it}`?"),
            None => format!("its keys are {}", listed(known)),
        };
        self.advise(item.key_spot(), message, help);
        meant
    }
}

/// Whether a key is there for anchors only.
pub(super) fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

/// The word that was probably meant, also from the spelling of the API and of other tools.
pub(super) fn nearest<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    const SYNONYMS: &[(&str, &str)] = &[
        ("statementid", "sid"),
        ("statement", "statements"),
        ("permissions", "statements"),
        ("functionname", "function"),
        ("functionnames", "names"),
        ("name", "function"),
        ("alias", "qualifier"),
        ("version", "qualifier"),
        ("orgid", "principal_org_id"),
        ("expiresat", "expires"),
        ("comment", "description"),
        ("principle", "principal"),
    ];
    // Nobody types a word this long by mistake, and the distance costs its square.
    if text.len() > 64 {
        return None;
    }
    let plain = |it: &str| it.replace(['_', '-', ' '], "").to_ascii_lowercase();
    let wanted = plain(text);
    let same = words.iter().find(|it| plain(it) == wanted);
    let synonym = || {
        let (_, meant) = SYNONYMS.iter().find(|(it, _)| *it == wanted)?;
        words.iter().find(|it| *it == meant)
    };
    let close = || {
        let scored = words
            .iter()
            .map(|it| (it, strsim::normalized_damerau_levenshtein(&wanted, &plain(it))));
        scored
            .filter(|(_, score)| *score >= 0.6)
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(it, _)| it)
    };
    same.or_else(synonym).or_else(close).copied()
}

fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|it| format!("`{it}`")).collect();
    quoted.join(", ")
}

fn one_of(words: &[&str]) -> String {
    match words {
        [one] => format!("`{one}`"),
        [rest @ .., last] => format!("{} or `{last}`", listed(rest)),
        [] => String::new(),
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Plain(_) | Value::Quoted(_) => "one value",
        Value::Seq(_) => "a list",
        Value::Map(_) => "a map",
        Value::Bad => "this",
    }
}
