//! The log: to stderr, as text or JSON, or to the journal of systemd where stderr goes there.

mod journal;
mod line;

use std::{fs::File, io, os::fd::AsFd, os::unix::fs::MetadataExt};

use tracing::Level;
use tracing_subscriber::{
    Layer,
    filter::{ParseError, Targets, filter_fn},
    fmt,
    fmt::format::JsonFields,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::cli::{
    args::{LogFormat, OutputArgs},
    progress::Stderr,
    telemetry::{journal::Journal, line::Form},
};
use crate::report::palette::Look;

/// Installs the subscriber. Commands log warnings and worse unless asked; the daemon also tells what it does.
pub(crate) fn install(args: &OutputArgs, usual: &str, look: Look) -> Result<(), String> {
    let level = match &args.log_level {
        Some(it) => it.as_str(),
        None if args.quiet => "error",
        None => usual,
    };
    let named = ["error", "warn", "info", "debug", "trace", "off"].contains(&level);
    let filter = filter(&if named { format!("permitd={level}") } else { level.to_owned() })
        .map_err(|it| format!("--log-level `{level}` is not a level or a filter: {it}"))?;
    // At trace the AWS SDK prints whole requests, with their signatures and session tokens.
    let discreet = filter_fn(|it| is_ours(it.target()) || (*it.level() <= Level::DEBUG));
    // An event that could not be written would be told on stderr once more, and there with a panic.
    let layer = fmt::layer().log_internal_errors(false).fmt_fields(JsonFields::new());
    let form = form(args.log_format, journal_stream().as_deref(), stderr());
    let journal = if form == Form::Journal { Journal::connect(journal::SOCKET).ok() } else { None };
    let layer = if let Some(journal) = journal {
        layer.event_format(Form::Journal).with_writer(journal).boxed()
    } else {
        let form = if form == Form::Json { Form::Json } else { Form::Text };
        layer.with_ansi(look.color).event_format(form).with_writer(|| Stderr).boxed()
    };
    // Tests run several commands in one process; the first one's log serves them all.
    drop(tracing_subscriber::registry().with(layer).with(filter).with(discreet).try_init());
    Ok(())
}

/// Levels, and modules with or without one, separated by commas.
fn filter(text: &str) -> Result<Targets, String> {
    if text.split([',', '=']).any(|it| it.trim().is_empty()) {
        return Err("write as in `permitd=debug,warn`".to_owned());
    }
    text.parse().map_err(|it: ParseError| it.to_string())
}

/// Whether permitd itself says it.
fn is_ours(target: &str) -> bool {
    target == "permitd" || target.starts_with("permitd::")
}

/// What was asked for; else the journal, where what systemd says it connected is what stderr is (systemd.exec(5)).
fn form(
    asked: Option<LogFormat>,
    journal_stream: Option<&str>,
    stderr: Option<(u64, u64)>,
) -> Form {
    let connected = || {
        let (device, inode) = journal_stream?.split_once(':')?;
        Some((device.parse().ok()?, inode.parse().ok()?))
    };
    match asked {
        Some(LogFormat::Json) => Form::Json,
        None if stderr.is_some() && connected() == stderr => Form::Journal,
        Some(LogFormat::Text) | None => Form::Text,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what systemd says about stderr is in the environment"
)]
fn journal_stream() -> Option<String> {
    std::env::var("JOURNAL_STREAM").ok()
}

/// The device and the inode that stderr is.
fn stderr() -> Option<(u64, u64)> {
    let file = File::from(io::stderr().as_fd().try_clone_to_owned().ok()?);
    let meta = file.metadata().ok()?;
    Some((meta.dev(), meta.ino()))
}

#[cfg(test)]
mod tests;
