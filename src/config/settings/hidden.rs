//! What is secret in the settings is not shown: neither in the lines that an error shows, nor in what is kept of them.
//!
//! A webhook's URL is as good as a password. Where the file is not even YAML, what looks like one is hidden; where it
//! is, everything that `notify` has to hide is. Hiding keeps every byte in its place, so that carets stay where they
//! are.

use std::{ops::Range, sync::Arc};

use crate::config::diagnostic::{Diagnostic, File, Place};
use crate::config::settings::{events, notify};
use crate::config::walk::Item;
use crate::config::yaml::{Node, Value};

/// Keys behind which something secret may stand, in any file that was meant for settings.
const SECRET: &[&str] = &["url", "uri", "secret", "webhook", "token", "password", "hmac", "key"];
/// Keys that only say where the secret is.
const ELSEWHERE: &[&str] = &["_file", "_env", "_credential"];

/// The file as people may see it.
pub(super) fn shown(file: &File, documents: &[Node<'_>]) -> Arc<File> {
    let mut spans = in_text(&file.text);
    for it in receivers(documents) {
        of_receivers(it.node, &file.text, &mut spans);
    }
    File::new(Arc::clone(&file.name), masked(&file.text, &spans, '*'))
}

/// The same of one that cannot be read as YAML.
pub(in crate::config) fn shown_text(file: &File) -> Arc<File> {
    File::new(Arc::clone(&file.name), masked(&file.text, &in_text(&file.text), '*'))
}

/// The same without `notify`, for who keeps the settings for something else. They say the same of all the rest.
pub(super) fn without_receivers(file: &File, documents: &[Node<'_>]) -> String {
    let mut rest = file.text.clone();
    for it in receivers(documents) {
        // Where a list begins, the parser says in more than one way; behind the colon it does.
        let key_end = it.key_span.end as usize;
        let colon =
            rest.get(key_end..).and_then(|it| it.find(':')).map_or(key_end, |it| key_end + it + 1);
        let range = colon..it.node.span.end as usize;
        let part = rest.get(range.clone()).unwrap_or_default();
        // Through an alias they stand elsewhere, and there under a key that nobody reads.
        if it.used.is_none() && !part.is_empty() {
            let end = if part.ends_with('\n') { "\n" } else { "" };
            rest.replace_range(range, &format!(" []{end}"));
        }
    }
    // It has to stay a file that can be read.
    let spans = in_text(&rest);
    masked(&rest, &spans, 'x')
}

/// Of each diagnostic the file, and what the message quotes.
pub(in crate::config) fn hide(found: &mut [Diagnostic], shown: &Arc<File>) {
    let at = |place: &mut Place| place.file = Arc::clone(shown);
    for it in found {
        at(&mut it.place);
        it.message = message(&it.message);
        it.help = it.help.as_deref().map(message);
        if let Some((place, _)) = it.other.as_deref_mut() {
            at(place);
        }
    }
}

/// A message quotes what is written, and that may be a URL at the wrong place.
fn message(text: &str) -> String {
    // Our own examples have nothing to hide.
    if text.contains(notify::EXAMPLE_URL) || text.contains(events::EXAMPLE) {
        text.to_owned()
    } else {
        masked(text, &urls(text), '*')
    }
}

/// The values of `notify`.
fn receivers<'t, 'a>(documents: &'t [Node<'a>]) -> Vec<Item<'t, 'a>> {
    let entries = documents.iter().filter_map(|it| match &it.value {
        Value::Map(entries) => Some(entries.iter()),
        Value::Null | Value::Plain(_) | Value::Quoted(_) | Value::Seq(_) | Value::Bad => None,
    });
    let named = entries.flatten().filter(|it| it.key == "notify");
    named
        .map(|it| Item { key: &it.key, key_span: it.key_span, node: &it.node, used: it.node.used })
        .collect()
}

/// Every value below, except of the keys that have nothing to hide.
fn of_receivers(node: &Node<'_>, text: &str, spans: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Seq(items) => items.iter().for_each(|it| of_receivers(it, text, spans)),
        Value::Map(entries) => {
            for it in entries.iter() {
                let open = ["format", "events", "timeout"].contains(&it.key.as_ref());
                if !open && !says_where(&it.key) {
                    of_receivers(&it.node, text, spans);
                }
            }
        }
        Value::Plain(_) | Value::Quoted(_) => {
            let range = node.span.start as usize..node.span.end as usize;
            let written = text.get(range.clone()).unwrap_or_default();
            // What is written plainly is hidden already, all but its host: that is what one looks for.
            let strange = |it: char| it.is_whitespace() || it == '\\';
            let plain = written.contains("://") && !written.contains(strange);
            if !plain {
                spans.push(range);
            }
        }
        Value::Null | Value::Bad => {}
    }
}

fn says_where(key: &str) -> bool {
    ELSEWHERE.iter().any(|it| key.ends_with(it))
}

/// What looks secret without knowing where it stands.
fn in_text(text: &str) -> Vec<Range<usize>> {
    let mut res = urls(text);
    let mut start = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        res.extend(values(line).into_iter().map(|it| start + it.start..start + it.end));
        start += line.len();
    }
    res
}

/// Behind `SCHEME://HOST` and before `@`: everything.
fn urls(text: &str) -> Vec<Range<usize>> {
    let mut res = Vec::new();
    for (at, _) in text.match_indices("://") {
        let (before, from) = (text.get(..at).unwrap_or_default(), at + 3);
        let scheme = before.trim_end_matches(|it: char| it.is_ascii_alphanumeric());
        let line = scheme.rsplit(['\n', '\r']).next().unwrap_or_default();
        let rest = text.get(from..).unwrap_or_default();
        let end = match line.chars().next_back().filter(|it| matches!(it, '"' | '\'' | '`')) {
            Some(quote) => rest.find([quote, '\n', '\r']),
            // Between brackets a value ends where YAML says so.
            None if line.contains(['{', '[']) => rest
                .find(|it: char| it.is_whitespace() || matches!(it, ',' | '[' | ']' | '{' | '}')),
            None => rest.find(char::is_whitespace),
        };
        let url = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let host = url.find(['/', '?', '#', '\\']).unwrap_or(url.len());
        let authority = url.get(..host).unwrap_or_default();
        if let Some(user) = authority.rfind('@') {
            res.push(from..from + user);
        }
        // A single slash tells nothing.
        if url.len() > host + 1 {
            res.push(from + host + 1..from + url.len());
        }
    }
    res
}

/// In one line, what stands behind `secret:` and the like, unless it is a URL.
fn values(line: &str) -> Vec<Range<usize>> {
    let mut res = Vec::new();
    for (colon, _) in line.match_indices(':') {
        let before = line.get(..colon).unwrap_or_default().trim_end().trim_end_matches(['"', '\'']);
        let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
        let key = before.rsplit(|it| !is_word(it)).next().unwrap_or_default().to_ascii_lowercase();
        let after = line.get(colon + 1..).unwrap_or_default();
        let secret = SECRET.iter().any(|it| key.contains(it)) && !says_where(&key);
        if !secret || !after.starts_with([' ', '\t', '"', '\'']) {
            continue;
        }
        let mut value = after.trim_start();
        if value.starts_with('&') {
            value = value.split_once([' ', '\t']).map_or("", |(_, it)| it.trim_start());
        }
        let start = line.len() - value.len();
        let end = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                value.get(1..).and_then(|it| it.find(quote)).map(|it| it + 2)
            }
            // These only begin one.
            Some('{' | '[' | '|' | '>' | '#') | None => continue,
            Some(_) if before.contains(['{', '[']) => value.find([',', '}', ']']),
            Some(_) => None,
        };
        let value = value.get(..end.unwrap_or(value.len())).unwrap_or_default().trim_end();
        // Of a URL what comes behind its host is found as such.
        let hidden = if value.contains("://") { value.find(char::is_whitespace) } else { Some(0) };
        res.extend(hidden.map(|it| start + it..start + value.len()));
    }
    res
}

/// Each byte keeps its place, and each line its end.
fn masked(text: &str, spans: &[Range<usize>], mask: char) -> String {
    let mut res = String::with_capacity(text.len());
    let mut sorted: Vec<&Range<usize>> = spans.iter().collect();
    sorted.sort_by_key(|it| it.start);
    let mut end = 0;
    for it in sorted {
        let start = it.start.max(end);
        let (Some(open), Some(hidden)) = (text.get(end..start), text.get(start..it.end)) else {
            continue;
        };
        res.push_str(open);
        for it in hidden.chars() {
            if it == '\n' || it == '\r' {
                res.push(it);
            } else {
                res.extend(std::iter::repeat_n(mask, it.len_utf8()));
            }
        }
        end = it.end;
    }
    res.push_str(text.get(end..).unwrap_or_default());
    res
}
