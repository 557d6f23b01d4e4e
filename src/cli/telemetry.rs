//! The log: to stderr, as text or JSON.

use tracing_subscriber::{EnvFilter, fmt};

use crate::cli::{
    args::{LogFormat, OutputArgs},
    progress::Stderr,
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
    let filter = if named { format!("permitd={level}") } else { level.to_owned() };
    let filter = EnvFilter::try_new(&filter)
        .map_err(|it| format!("--log-level `{level}` is not a level or a filter: {it}"))?;
    // An event that could not be written would be told on stderr once more, and there with a panic.
    let builder = fmt().with_env_filter(filter).with_writer(|| Stderr).log_internal_errors(false);
    let builder = builder.with_target(false);
    let installed = match args.log_format {
        LogFormat::Text => builder.with_ansi(look.color).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Tests run several commands in one process; the first one's log serves them all.
    drop(installed);
    Ok(())
}
