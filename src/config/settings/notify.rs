//! `notify`: who is told when something changes. What is secret in it is never shown: neither in errors nor by `Debug`.

use std::{fmt, net::Ipv6Addr, path::PathBuf, time::Duration};

use super::{scalar, values};
use crate::config::diagnostic::Place;
use crate::config::walk::{Item, Text, Walker};

/// Of an item of `notify`.
pub(in crate::config) const KEYS: &[&str] = &[
    "url",
    "url_file",
    "url_env",
    "url_credential",
    "format",
    "secret_file",
    "secret_env",
    "secret_credential",
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
/// It stands in hints.
pub(super) const EXAMPLE_URL: &str = "https://example.com/hook";
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

/// Something that nobody should see: where it is, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Where it is.
    pub kept: Kept,
    /// Where that stands in the settings, what is secret in them hidden.
    pub place: Place,
}

/// Where something is that nobody should see.
#[derive(Clone, PartialEq, Eq)]
pub enum Kept {
    /// In the settings themselves.
    Here(String),
    /// In a file, relative to the settings file.
    File(PathBuf),
    /// In a variable of the environment.
    Variable(String),
    /// In a file of this name in `$CREDENTIALS_DIRECTORY`, where systemd puts credentials.
    Credential(String),
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(_) => f.write_str("Here(…)"),
            Self::File(it) => write!(f, "File({})", it.display()),
            Self::Variable(it) => write!(f, "Variable({it})"),
            Self::Credential(it) => write!(f, "Credential({it})"),
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
            "url" | "url_file" | "url_env" | "url_credential" => {
                if has_url {
                    let help = "write one of `url`, `url_file`, `url_env` and `url_credential`";
                    walker.advise(item.key_spot(), "this receiver has two URLs", help);
                }
                has_url = true;
                urls.extend(url(walker, item));
            }
            "secret" => {
                let message = "the secret of a receiver is not written into the settings, which many can read";
                let help =
                    "write `secret_file: PATH`, `secret_env: NAME` or `secret_credential: NAME`";
                walker.advise(item.key_spot(), message, help);
            }
            "secret_file" | "secret_env" | "secret_credential" => {
                if !secrets.is_empty() {
                    let help = "write one of `secret_file`, `secret_env` and `secret_credential`";
                    walker.advise(item.key_spot(), "this receiver has two secrets", help);
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
    let Text { text, spot } = walker.text(item)?;
    if let Err(why) = check_url(&text) {
        let help = format!("write it like `url: {EXAMPLE_URL}`");
        walker.advise(spot, format!("the URL {why}"), help);
        return None;
    }
    Some(Secret { kept: Kept::Here(text.into_owned()), place: spot.place(walker.file) })
}

fn elsewhere<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Option<Secret> {
    let Text { text, spot } = walker.text(item)?;
    if text.is_empty() {
        walker.advise(spot, format!("`{}` is empty", item.key), "write where it is");
        return None;
    }
    // Who writes the secret itself is told so, and not that there is no file of such a name.
    if text.contains("://") {
        let message = format!("`{}` takes the place of a secret, not the secret itself", item.key);
        walker.advise(spot, message, "write the URL behind `url:`, or into a file");
        return None;
    }
    let place = spot.place(walker.file);
    let kept = match item.key.rsplit('_').next() {
        Some("env") => {
            let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
            if !text.chars().all(is_name) {
                let help = "write the name of a variable, without `$`";
                walker.advise(spot, format!("`{}` is no name of a variable", item.key), help);
                return None;
            }
            Kept::Variable(text.into_owned())
        }
        Some("credential") => {
            if text.contains('/') || text.starts_with('.') {
                let help = "write the name before the colon in `LoadCredential=NAME:PATH`";
                walker.advise(spot, format!("`{}` is no name of a credential", item.key), help);
                return None;
            }
            Kept::Credential(text.into_owned())
        }
        Some(_) | None => Kept::File(PathBuf::from(text.as_ref())),
    };
    Some(Secret { kept, place })
}

/// Whether something can be posted to it. What is wrong is told without the text: the URL …
pub fn check_url(text: &str) -> Result<(), &'static str> {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return Err("does not begin with https:// or http://");
    };
    let strange = |it: char| it.is_whitespace() || it.is_control() || it == '\\';
    if text.contains(strange) {
        return Err("has a space or the like in it");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("has a user name or a password in it, which are not sent");
    }
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand between brackets.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    };
    if host.is_empty() {
        return Err("names no host");
    }
    let address = host.strip_prefix('[').map(|it| it.strip_suffix(']').unwrap_or_default());
    if address.is_some_and(|it| it.parse::<Ipv6Addr>().is_err()) {
        return Err("has an IPv6 address that is none");
    }
    match port {
        Some(it) if it.parse::<u16>().is_err() => Err("has a port that is none"),
        Some(_) | None => Ok(()),
    }
}
