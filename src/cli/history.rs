//! `permitd history`: what was done, with the statements before and after.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use crate::cli::{
    args::{HistoryArgs, JournalArgs, SourceArgs, TextOrJson},
    exit::Exit,
    places,
    plan::say,
    setup,
    show::{Show, Stop},
};
use crate::daemon::clock;
use crate::journal::{
    entry::{Entry, Filter, History},
    reader::Reader,
};
use crate::report::palette::safe;

/// Reads the journal, also beside a daemon that writes it.
pub(crate) fn history(args: &HistoryArgs, show: Show) -> Result<Exit, Stop> {
    let now = clock::system();
    let filter = Filter {
        target: args.target.clone(),
        sid: args.sid.clone(),
        since: args.since.as_deref().map(|it| time("--since", it, now)).transpose()?,
        until: args.until.as_deref().map(|it| time("--until", it, now)).transpose()?,
        limit: args.limit,
    };
    let entries = match reader(&args.journal)? {
        Some(reader) => reader.entries(&filter).map_err(|it| Stop::failure(it.to_string()))?,
        None => Vec::new(),
    };
    match args.output {
        TextOrJson::Json => {
            let history = History { entries: &entries };
            let mut text = serde_json::to_string_pretty(&history).unwrap_or_default();
            text.push('\n');
            say(&text, show)?;
        }
        TextOrJson::Text => {
            let text: String = entries.iter().map(entry).collect();
            say(&text, show)?;
            if entries.is_empty() {
                show.note("Nothing in the journal matches.");
            }
        }
    }
    Ok(Exit::Success)
}

/// The journal as it is, for who only reads it. None where there is none.
pub(crate) fn reader(args: &JournalArgs) -> Result<Option<Reader>, Stop> {
    let source = SourceArgs {
        config: args.config.clone(),
        journal: args.journal.clone(),
        ..SourceArgs::default()
    };
    let path = places::journal_path(&source, &setup::find(&source)?)?;
    Reader::open(&path).map_err(|it| Stop::failure(it.to_string()))
}

/// A point in time, or so long ago.
fn time(flag: &str, text: &str, now: Timestamp) -> Result<Timestamp, Stop> {
    let ago = || {
        let span = humantime::parse_duration(text).ok()?;
        now.checked_sub(SignedDuration::try_from(span).ok()?).ok()
    };
    text.parse().ok().or_else(ago).ok_or_else(|| {
        let example = "write 2026-12-31T00:00:00Z, or a duration such as 2h or 7d";
        Stop::Said(
            Exit::Usage,
            format!("{flag}: `{text}` is not a point in time"),
            Some(example.into()),
        )
    })
}

/// One entry: a line, and the statements.
pub(crate) fn entry(it: &Entry) -> String {
    let Entry { id, step, outcome, message, .. } = it;
    let time = step.time.to_string();
    let time = time.split('.').next().unwrap_or_default().trim_end_matches('Z');
    let name = step.target.rsplit_once(":function:").map_or(step.target.as_str(), |(_, it)| it);
    let sid = step.sid.as_deref().map_or_else(|| "(no Sid)".to_owned(), safe);
    let (action, outcome) = (step.action.name(), outcome.name());
    let mut res = String::new();
    let mut line = |text: &str| writeln!(res, "{text}").unwrap_or_default();
    line(&format!("{id:>5}  {time}Z  {action:<6}  {name}  {sid}  {outcome}"));
    line(&format!("       {} ({})", safe(&step.reason), safe(&step.actor)));
    if let Some(it) = step.caused_by() {
        line(&format!("       changed by {}", safe(&it)));
    }
    if let Some(it) = step.replaces.as_deref() {
        line(&format!("       for the replacement of {}", safe(it)));
    }
    if let Some(it) = step.approval.as_deref() {
        line(&format!("       approved as {}", safe(it)));
    }
    if let Some(undoes) = step.undoes {
        line(&format!("       takes back entry {undoes}"));
    }
    if let Some(it) = step.before.as_deref() {
        line(&format!("       - {}", safe(it)));
    }
    if let Some(it) = step.after.as_deref() {
        line(&format!("       + {}", safe(it)));
    }
    if let Some(it) = message {
        line(&format!("       {}", safe(it)));
    }
    res
}
