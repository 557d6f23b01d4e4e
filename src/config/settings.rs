//! The settings file as typed values: what is kept, how, and how often.

use std::{path::PathBuf, sync::Arc, time::Duration};

use wildmatch::WildMatch;

use crate::config::diagnostic::{self, Diagnostic, File, Place, Span};
use crate::config::permissions::{REPLACES, WRITERS, read_ownership};
use crate::config::walk::{Item, Text, Walker, is_extension};
use crate::config::yaml::{self, Value};
use crate::drift::allow::{IgnoreRule, Mode, ORPHAN_GRACE, Ownership, Replace, Writer};
use crate::drift::limits::Limits;
use crate::policy::risk::Risk;

pub(super) mod accounts;
pub mod events;
pub(super) mod hidden;
pub(super) mod http;
pub(super) mod journal;
pub mod notify;
pub(super) mod rails;
pub(super) mod values;

/// What the settings file says, with the defaults of what it does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Files, directories and globs, as written; relative to the settings file.
    pub permissions: Vec<Pattern>,
    /// None was written; the daemon does not start without.
    pub mode: Option<Mode>,
    /// From the start of one full pass to the start of the next.
    pub interval: Duration,
    /// The same while events come; none: `interval`.
    pub interval_with_events: Option<Duration>,
    /// How often the daemon looks whether the files have changed.
    pub poll_interval: Duration,
    /// The share of the interval by which a pass may come earlier or later: 0 to 1.
    pub jitter: f64,
    /// Of entries that name none.
    pub ownership: Ownership,
    /// How a changed statement is replaced, of entries that say nothing.
    pub replace: Replace,
    /// By which calls a policy is written, of entries that say nothing.
    pub writer: Writer,
    /// Grants with one of these are held unless their statement accepts it; sorted, none twice.
    pub deny_risks: Vec<Risk>,
    /// How much may be taken away before somebody is asked.
    pub limits: Limits,
    /// How far apart two reads have to be that both show a principal as deleted.
    pub orphan_grace: Duration,
    /// Whether statements that `AddPermission` cannot make may be removed.
    pub remove_inexpressible: bool,
    /// Live statements that are nobody's business.
    pub ignore: Vec<IgnoreRule>,
    /// Whether policies of functions that no file names are looked for.
    pub discover: bool,
    /// The accounts and their regions; none: the credentials' own.
    pub accounts: Vec<Account>,
    /// The embedded simulator instead of AWS.
    pub simulator: Option<Simulator>,
    /// None: the default of the program.
    pub budgets: Budgets,
    /// Where it is written down what was done, and for how long.
    pub journal: Journal,
    /// Where the daemon is watched.
    pub http: Http,
    /// The queue that tells what others change.
    pub events: Option<events::Events>,
    /// Who is told when something changes.
    pub notify: Vec<notify::Notify>,
    /// The socket of the daemon, relative to the settings file, as written; none: where the system keeps such.
    pub control: Option<PathBuf>,
}

/// One item of `permissions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// A file, a directory or a glob.
    pub text: String,
    /// Where it was written; none for an argument of the command line.
    pub place: Option<Place>,
}

/// The simulator in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulator {
    /// Port 0 is any free one.
    pub listen: core::net::SocketAddr,
    /// Relative to the settings file, as written.
    pub seed: Option<PathBuf>,
}

/// Requests per account and region.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budgets {
    /// Of `GetPolicy`.
    pub get_policy: Option<Budget>,
    /// Of everything else together.
    pub control: Option<Budget>,
}

/// The journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Relative to the settings file, as written; none: where the system keeps such.
    pub path: Option<PathBuf>,
    /// How long an entry is kept.
    pub retention: Cap<Duration>,
    /// How many bytes the file may have.
    pub max_size: Cap<u64>,
}

/// Where the daemon is watched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Http {
    /// None was written: the usual address.
    pub listen: Option<core::net::SocketAddr>,
    /// Names that may stand in a Host header, besides localhost and IP literals; in lower case.
    pub hosts: Vec<String>,
}

/// A bound that can be left out by saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap<T> {
    /// As much as there is.
    Unlimited,
    /// So much at most.
    At(T),
}

/// How many requests may be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// As many as there are, for what is not AWS.
    Unlimited,
    /// In a second; more than zero.
    PerSecond(f64),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            permissions: Vec::new(),
            mode: None,
            interval: Duration::from_mins(5),
            interval_with_events: None,
            poll_interval: Duration::from_secs(15),
            jitter: 0.1,
            ownership: Ownership::Declared,
            replace: Replace::default(),
            writer: Writer::default(),
            deny_risks: vec![Risk::P002],
            limits: Limits::default(),
            orphan_grace: ORPHAN_GRACE,
            remove_inexpressible: false,
            ignore: Vec::new(),
            discover: false,
            accounts: Vec::new(),
            simulator: None,
            budgets: Budgets::default(),
            journal: Journal::default(),
            http: Http::default(),
            events: None,
            notify: Vec::new(),
            control: None,
        }
    }
}

impl Default for Journal {
    /// A year: long enough for whoever asks after the next audit.
    fn default() -> Self {
        let retention = Cap::At(Duration::from_hours(365 * 24));
        Self { path: None, retention, max_size: Cap::Unlimited }
    }
}

impl<T> Cap<T> {
    /// The bound, if there is one.
    pub fn bound(self) -> Option<T> {
        match self {
            Self::Unlimited => None,
            Self::At(it) => Some(it),
        }
    }
}

pub use accounts::{Account, Role, USUAL_SESSION};
pub use values::{
    parse_budget, parse_interval, parse_jitter, parse_max_changed_targets, parse_max_revocations,
};

pub(super) const KEYS: &[&str] = &[
    "permissions",
    "mode",
    "interval",
    "interval_with_events",
    "poll_interval",
    "jitter",
    "defaults",
    "deny_risks",
    "limits",
    "orphan_grace",
    "remove_inexpressible",
    "ignore",
    "discover",
    "accounts",
    "lambda",
    "budgets",
    "journal",
    "http",
    "events",
    "notify",
    "control",
];
/// Of `defaults`.
pub(super) const DEFAULTS_KEYS: &[&str] = &["ownership", "sid_prefix", "replace", "writer"];
/// Of an item of `ignore`.
pub(super) const IGNORE_KEYS: &[&str] = &["sid", "principal", "source_arn"];
/// Of `lambda`.
pub(super) const LAMBDA_KEYS: &[&str] = &["simulator"];
/// Of `simulator` in it.
pub(super) const SIMULATOR_KEYS: &[&str] = &["listen", "seed"];
/// Of `budgets`.
pub(super) const BUDGETS_KEYS: &[&str] = &["get_policy", "control"];
pub(super) const MODES: &[(&str, Mode)] =
    &[("observe", Mode::Observe), ("additive", Mode::Additive), ("enforce", Mode::Enforce)];

/// Reads the settings, or tells everything that is wrong with them; what is secret in them stays hidden.
pub fn parse(file: &Arc<File>) -> Result<Settings, Vec<Diagnostic>> {
    let tree = yaml::parse(file);
    let shown = hidden::shown(file, &tree.documents);
    let mut walker = Walker::new(&shown, tree.diagnostics);
    let mut settings = Settings::default();
    match tree.documents.as_slice() {
        [only] if !matches!(only.value, Value::Null) => {
            top(&mut walker, Item::root(only), &mut settings);
        }
        [_, second, ..] => {
            let spot = Item::root(second).spot();
            walker.error(spot, "the settings are one YAML document, and here begins another");
        }
        _ if walker.diagnostics.is_empty() => {
            let start = Span { line: 1, column: 1, ..Span::default() };
            let error =
                Diagnostic::error(Place::at(&shown, start), "there are no settings in this file");
            walker.diagnostics.push(error.help("write at least `permissions: [FILE]`"));
        }
        _ => {}
    }
    let mut found = walker.diagnostics;
    if found.is_empty() {
        return Ok(settings);
    }
    hidden::hide(&mut found, &shown);
    diagnostic::sort(&mut found);
    Err(found)
}

/// The text of the settings for who keeps it: who is told is not in it, and nothing that is secret.
pub fn without_receivers(file: &Arc<File>) -> String {
    hidden::without_receivers(file, &yaml::parse(file).documents)
}

fn top<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>, settings: &mut Settings) {
    let (mut stretched, mut has_events) = (None, false);
    for item in walker.map(root, "the settings file").into_iter().flatten() {
        match item.key {
            "permissions" => settings.permissions = patterns(walker, item),
            "mode" => settings.mode = walker.choice(item, MODES).map(|(it, _)| it),
            "interval" => set(&mut settings.interval, scalar(walker, item, parse_interval)),
            "interval_with_events" => stretched = Some(item),
            "poll_interval" => {
                set(&mut settings.poll_interval, scalar(walker, item, parse_interval));
            }
            "jitter" => set(&mut settings.jitter, scalar(walker, item, parse_jitter)),
            "defaults" => defaults(walker, item, settings),
            "deny_risks" => set(&mut settings.deny_risks, rails::risks(walker, item)),
            "limits" => rails::limits(walker, item, &mut settings.limits),
            "orphan_grace" => {
                set(&mut settings.orphan_grace, scalar(walker, item, values::parse_duration));
            }
            "remove_inexpressible" => {
                set(&mut settings.remove_inexpressible, walker.boolean(item).map(|(it, _)| it));
            }
            "ignore" => settings.ignore = ignore(walker, item),
            "discover" => {
                set(&mut settings.discover, walker.boolean(item).map(|(it, _)| it));
            }
            "accounts" => settings.accounts = accounts::read(walker, item),
            "lambda" => settings.simulator = lambda(walker, item),
            "budgets" => settings.budgets = budgets(walker, item),
            "journal" => journal::read(walker, item, &mut settings.journal),
            "http" => http::read(walker, item, &mut settings.http),
            "events" => {
                has_events = true;
                settings.events = events::read(walker, item);
            }
            "notify" => settings.notify = notify::read(walker, item),
            "control" => settings.control = path(walker, item),
            key if is_extension(key) => {}
            _ => {
                walker.unknown(item, "the settings file", KEYS);
            }
        }
    }
    events::stretched(walker, stretched, settings, has_events);
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(it) = value {
        *field = it;
    }
}

/// A scalar of a form of its own.
fn scalar<'a, T>(
    walker: &mut Walker<'a>,
    item: Item<'_, 'a>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    let Text { text, spot } = walker.text(item)?;
    parse(&text).map_err(|message| walker.error(spot, message)).ok()
}

/// A file to write to. An empty one would be the folder of the settings.
fn path<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Option<PathBuf> {
    let Text { text, spot } = walker.text(item)?;
    if text.is_empty() {
        let message = format!("`{}` is empty", item.key);
        walker.advise(spot, message, "write a path, or leave the key out");
        return None;
    }
    Some(PathBuf::from(text.as_ref()))
}

fn patterns<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Vec<Pattern> {
    let file = walker.file;
    let items = walker.list(item, "permissions: [permissions/]");
    let texts: Vec<Text<'a>> =
        items.into_iter().flatten().filter_map(|it| walker.text(it)).collect();
    if texts.is_empty() && matches!(&item.node.value, Value::Seq(_)) {
        let help = "name files, directories or globs: `permissions: [permissions/]`";
        walker.advise(item.spot(), "`permissions` is empty", help);
    }
    let pattern =
        |it: Text<'a>| Pattern { text: it.text.into_owned(), place: Some(it.spot.place(file)) };
    texts.into_iter().map(pattern).collect()
}

fn defaults<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>, settings: &mut Settings) {
    let (mut ownership, mut prefix) = (None, None);
    for item in walker.map(root, "`defaults`").into_iter().flatten() {
        match item.key {
            "ownership" => ownership = Some(item),
            "sid_prefix" => prefix = Some(item),
            "replace" => {
                set(&mut settings.replace, walker.choice(item, REPLACES).map(|(it, _)| it));
            }
            "writer" => {
                set(&mut settings.writer, walker.choice(item, WRITERS).map(|(it, _)| it));
            }
            _ => {
                walker.unknown(item, "`defaults`", DEFAULTS_KEYS);
            }
        }
    }
    set(&mut settings.ownership, read_ownership(walker, ownership, prefix).map(|(it, _)| it));
}

fn ignore<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Vec<IgnoreRule> {
    let items = walker.list(item, "ignore: [{sid: \"Console-*\"}]");
    items.into_iter().flatten().filter_map(|it| rule(walker, it)).collect()
}

fn rule<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<IgnoreRule> {
    let mut rule = IgnoreRule { sid: None, principal: None, source_arn: None };
    for item in walker.map(root, "an item of `ignore`")? {
        let field = match item.key {
            "sid" => &mut rule.sid,
            "principal" => &mut rule.principal,
            "source_arn" => &mut rule.source_arn,
            _ => {
                walker.unknown(item, "an item of `ignore`", IGNORE_KEYS);
                continue;
            }
        };
        *field = walker.text(item).map(|it| WildMatch::new(&it.text));
    }
    if matches!(&root.node.value, Value::Map(it) if it.is_empty()) {
        let help = "write `sid:`, `principal:` or `source_arn:` with a pattern";
        walker.advise(root.spot(), "this rule would ignore nothing", help);
    }
    Some(rule)
}

fn lambda<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<Simulator> {
    let mut simulator = None;
    for item in walker.map(root, "`lambda`")? {
        if item.key == "simulator" {
            simulator = read_simulator(walker, item);
        } else {
            walker.unknown(item, "`lambda`", LAMBDA_KEYS);
        }
    }
    simulator
}

fn read_simulator<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<Simulator> {
    let any_port = core::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let mut simulator = Simulator { listen: any_port, seed: None };
    for item in walker.map(root, "`simulator`")? {
        match item.key {
            "listen" => set(&mut simulator.listen, scalar(walker, item, values::parse_address)),
            "seed" => simulator.seed = walker.text(item).map(|it| PathBuf::from(it.text.as_ref())),
            _ => {
                walker.unknown(item, "`simulator`", SIMULATOR_KEYS);
            }
        }
    }
    Some(simulator)
}

fn budgets<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Budgets {
    let mut budgets = Budgets::default();
    for item in walker.map(root, "`budgets`").into_iter().flatten() {
        match item.key {
            "get_policy" => budgets.get_policy = scalar(walker, item, parse_budget),
            "control" => budgets.control = scalar(walker, item, parse_budget),
            _ => {
                walker.unknown(item, "`budgets`", BUDGETS_KEYS);
            }
        }
    }
    budgets
}

#[cfg(test)]
mod tests;
