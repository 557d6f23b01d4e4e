//! `notify`: who is told when something changes. What is secret in it is never shown: neither in errors nor by `Debug`.

use std::{fmt, path::PathBuf, time::Duration};

use super::{scalar, values};
use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::walk::{Item, Text, Walker};

/// Of an item of `notify`.
pub(in crate::config) const KEYS: &[&str] = &[
    "url",
    "url_file",
    "url_env",
    "format",
    "secret_file",
    "secret_env",
    "events",
    "timeout",
];
/// What can be told.
pub const EVENTS: &[(&str, &str)] = &[
    ("drift_found", "drift_found"),
    ("repaired", "repaired"),
    ("held", "held"),
    ("contended", "contended"),
    ("failed", "failed"),
    ("back_to_normal", "back_to_normal"),
];
/// In which form.
pub(in crate::config) const FORMATS: &[(&str, Format)] =
    &[("json", Format::Json), ("slack", Format::Slack)];
/// How long one attempt may take, where nobody says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);
const EXAMPLE: &str = "notify: [{url: \"https://example.com/hook\", format: json}]";

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Where to.
    pub url: Secret,
    /// In which form.
    pub format: Format,
    /// What messages are signed with.
    pub secret: Option<Secret>,
    /// Which events, by name.
    pub events: Vec<&'static str>,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// The form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For programs.
    Json,
    /// The text of an incoming webhook of Slack.
    Slack,
}

/// Something that nobody should see, and where it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// In the settings themselves.
    Here(String),
    /// In a file, relative to the settings file.
    File(PathBuf),
    /// In a variable of the environment.
    Variable(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(_) => f.write_str("Here(…)"),
            Self::File(it) => write!(f, "File({})", it.display()),
            Self::Variable(it) => write!(f, "Variable({it})"),
        }
    }
}

pub(super) fn read<'a>(walker: &mut Walker<'a>, list: Item<'_, 'a>) -> Vec<Notify> {
    let items = walker.list(list, EXAMPLE);
    items.into_iter().flatten().filter_map(|it| one(walker, it)).collect()
}

fn one<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<Notify> {
    let (mut urls, mut secrets) = (Vec::new(), Vec::new());
    let mut has_url = false;
    let (mut format, mut timeout) = (Some(Format::Json), Some(TIMEOUT));
    let mut events: Vec<&'static str> = EVENTS.iter().map(|(it, _)| *it).collect();
    for item in walker.map(root, "an item of `notify`")? {
        match item.key {
            "url" | "url_file" | "url_env" => {
                if has_url {
                    let help = "write one of `url`, `url_file` and `url_env`";
                    hidden(walker, item, "this receiver has two URLs", help);
                }
                has_url = true;
                urls.extend(url(walker, item));
            }
            "secret" => {
                let help = "write `secret_file: PATH` or `secret_env: NAME`: settings are read by many";
                hidden(walker, item, "`secret` does not stand in the settings itself", help);
            }
            "secret_file" | "secret_env" => {
                if !secrets.is_empty() {
                    let help = "write one of `secret_file` and `secret_env`";
                    hidden(walker, item, "this receiver has two secrets", help);
                }
                secrets.extend(elsewhere(walker, item));
            }
            "format" => format = walker.choice(item, FORMATS).map(|(it, _)| it),
            "events" => {
                let items: Vec<_> =
                    walker.list(item, "events: [held, failed]").into_iter().flatten().collect();
                if items.is_empty() {
                    let help = "name some, or leave the key out for all of them";
                    walker.advise(item.spot(), "`events` is empty", help);
                }
                let word = |it| walker.choice(it, EVENTS).map(|(it, _)| it);
                events = items.into_iter().filter_map(word).collect();
            }
            "timeout" => timeout = scalar(walker, item, limit),
            _ => {
                let meant = walker.unknown(item, "an item of `notify`", KEYS);
                has_url |= meant.is_some_and(|it| it.starts_with("url"));
            }
        }
    }
    if !has_url {
        let help = format!("write it like `{EXAMPLE}`");
        walker.advise(root.spot(), "this receiver has no `url`", help);
    }
    let (url, secret) = (urls.into_iter().next()?, secrets.into_iter().next());
    Some(Notify { url, format: format?, secret, events, timeout: timeout? })
}

fn limit(text: &str) -> Result<Duration, String> {
    let it = values::parse_duration(text)?;
    let allowed = Duration::from_secs(1)..=Duration::from_mins(1);
    if allowed.contains(&it) { Ok(it) } else { Err(format!("`{text}` is not from 1s to 1m")) }
}

fn url<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Option<Secret> {
    if item.key != "url" {
        return elsewhere(walker, item);
    }
    let Text { text, .. } = walker.text(item)?;
    match check_url(&text) {
        Ok(()) => Some(Secret::Here(text.into_owned())),
        Err(why) => {
            let help = "write it like `url: https://example.com/hook`; one that is secret belongs \
                        into a file (`url_file`) or a variable (`url_env`)";
            hidden(walker, item, why, help);
            None
        }
    }
}

fn elsewhere<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Option<Secret> {
    let Text { text, spot } = walker.text(item)?;
    if text.is_empty() {
        walker.advise(spot, format!("`{}` is empty", item.key), "write a name");
        return None;
    }
    Some(if item.key.ends_with("_env") {
        Secret::Variable(text.into_owned())
    } else {
        Secret::File(PathBuf::from(text.as_ref()))
    })
}

/// Whether something can be posted to it. What is wrong is told without the text.
pub fn check_url(text: &str) -> Result<(), &'static str> {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return Err("this URL does not begin with https:// or http://");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("this URL names no host");
    }
    if host.contains('@') {
        return Err("this URL has a user name or a password in it, which are not sent");
    }
    let strange = |it: char| it.is_whitespace() || it.is_control() || it == '\\';
    if text.contains(strange) { Err("this URL has a space or the like in it") } else { Ok(()) }
}

/// An error whose line is not shown, for it has a secret in it.
fn hidden(walker: &mut Walker<'_>, item: Item<'_, '_>, message: &str, help: &str) {
    let span = item.key_spot().span;
    let at = format!("{message} (line {}, column {})", span.line, span.column);
    let error = Diagnostic::error(Place::whole(walker.file), at);
    walker.diagnostics.push(error.help(help));
}
