//! `permitd undo`: takes back one entry of the journal, by itself or through the daemon that writes the journal.

use std::{sync::Arc, time::Duration};

use crate::cli::{
    args::UndoArgs,
    ask::asked,
    control,
    exit::Exit,
    history,
    journal::{self, actor},
    places,
    plan::say,
    setup::{self, Found},
    show::{Show, Stop},
};
use crate::daemon::{
    clock,
    control::{ControlError, Request, client},
    mind::Mind,
    scribe::Scribe,
    undo::{Refusal, Shown, Way, Workplace},
};
use crate::drift::{
    outcome::{Outcome, State},
    plan::Plan,
    wanted::Wanted,
};
use crate::journal::{entry::Entry, reader::Reader, store::Journal};
use crate::lambda::fleet::Fleet;
use crate::observe::metered::Metered;
use crate::policy::target::{Defaults, Target};
use crate::report::{palette::safe, text};

/// A daemon waits for its turn in the function, and for Lambda.
const PATIENCE: Duration = Duration::from_mins(10);

/// Shows what it would do, asks, does it, and prints what belongs into the files.
pub(crate) async fn undo(args: &UndoArgs, show: Show) -> Result<Exit, Stop> {
    let source = &args.target.source;
    let found = setup::find(source)?;
    let path = places::journal_path(source, &found)?;
    let entry = entry(&path, args.id)?;
    let fleet = fleet(&entry, &found, args).await?;
    let stop = setup::stop_on_signals();
    let (scribe, mind) = (Scribe::nobody(), Mind::default());
    let gateway = Metered::new(fleet);
    let work = Workplace {
        gateway: &gateway,
        clock: clock::system,
        scribe: &scribe,
        mind: &mind,
        stop: &stop.token,
    };
    let shown = Box::pin(work.show(&entry)).await.map_err(refused)?;
    let what = format!("This takes back\n\n{}\nby this:\n\n", history::entry(&entry));
    say(&format!("{what}{}", describe(&shown, show)), show)?;
    if !args.yes && !asked("Do this?", "undo", show)? {
        show.problem("Nothing was changed.");
        return Ok(Exit::Failure);
    }
    let answer = if let Some(answer) = daemon(args, &found, &entry, &shown).await? {
        answer
    } else {
        let journal = Journal::open(&path, journal::options(&found), clock::system())
            .map_err(|it| Stop::failure(it.to_string()))?;
        let scribe = Scribe::new(journal, actor("undo"));
        let managed = managed(args, &entry).await;
        let work = Workplace { scribe: &scribe, ..work };
        let undone = Box::pin(work.undo(&entry, managed.as_ref(), &shown.digest)).await;
        undone.map_err(refused)?
    };
    let answer = control::safe_lines(&answer);
    let belongs = "The permission files need this, to keep it so:";
    say(&format!("\n{answer}\n\n{belongs}\n\n{}", shown.yaml), show)?;
    Ok(stop.signal().map_or(Exit::Success, Exit::Interrupted))
}

fn entry(path: &std::path::Path, id: i64) -> Result<Entry, Stop> {
    let reader = Reader::open(path).map_err(|it| Stop::failure(it.to_string()))?;
    let none = || {
        let message = format!("there is no entry {id} in the journal {}", path.display());
        Stop::Said(Exit::Failure, message, Some("`permitd history` shows what is in it".to_owned()))
    };
    let entry = reader.ok_or_else(none)?.entry(id).map_err(|it| Stop::failure(it.to_string()))?;
    entry.ok_or_else(none)
}

async fn fleet(entry: &Entry, found: &Found, args: &UndoArgs) -> Result<Fleet, Stop> {
    if found.settings.simulator.is_some() {
        let message = "the settings have an embedded simulator, which no other process can reach";
        return Err(Stop::config(message, "start `permitd simulate`, and set AWS_ENDPOINT_URL"));
    }
    let target = Target::parse(&entry.step.target, None, &Defaults::default())
        .map_err(|it| Stop::failure(it.to_string()))?;
    let access = setup::access(&found.settings, Some(target.region().to_owned()), None);
    setup::fleet(access, &found.settings, &args.target).await
}

/// What the files want of that target, so that the passes leave it alone until it changes.
async fn managed(args: &UndoArgs, entry: &Entry) -> Option<Wanted> {
    let wanted = setup::wanted(&args.target).await.ok()?;
    wanted.into_iter().find(|it| it.target.arn() == entry.step.target)
}

/// What the daemon says, if one writes this journal and can be asked.
async fn daemon(
    args: &UndoArgs,
    found: &Found,
    entry: &Entry,
    shown: &Shown,
) -> Result<Option<String>, Stop> {
    let Ok(path) = places::control_path(&args.target.source, found) else { return Ok(None) };
    let request = Request::Undo { id: entry.id, digest: shown.digest.clone() };
    match client::ask(&path, &request, PATIENCE).await {
        Ok(answer) if answer.ok => Ok(Some(answer.message)),
        Ok(answer) => Err(control::said_no(answer)),
        Err(ControlError::Absent { .. }) => Ok(None),
        Err(error) => Err(control::unanswered(&error)),
    }
}

fn describe(shown: &Shown, show: Show) -> String {
    match &shown.way {
        Way::Statements(plan) => {
            // What else stands there is nobody's question here.
            let plan = Plan {
                foreign: Vec::new(),
                ignored: Vec::new(),
                risks: Vec::new(),
                expiring: Vec::new(),
                ..(**plan).clone()
            };
            let plan = Arc::new(plan);
            let outcome = Outcome {
                target: shown.target.clone(),
                state: State::of(&plan),
                trouble: None,
                found: Some(Arc::clone(&plan)),
                left: Some(plan),
                done: Vec::new(),
            };
            text::plan(std::slice::from_ref(&outcome), show.look())
        }
        Way::Document { statement, after, revision, .. } => {
            let what = match statement {
                Some(it) => format!("  + {}\n", safe(it)),
                None => format!("  ~ {}\n", safe(after)),
            };
            format!(
                "{}\n{what}\nAddPermission cannot make this, so the whole document is put, guarded by revision {revision}.\n",
                shown.target
            )
        }
    }
}

fn refused(refusal: Refusal) -> Stop {
    let Refusal { message, hint } = refusal;
    Stop::Said(
        Exit::Failure,
        control::safe_lines(&message),
        hint.map(|it| control::safe_lines(&it)),
    )
}
