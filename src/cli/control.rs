//! `permitd approve`, `pause` and `resume`: said to a running daemon.

use std::{error::Error, path::PathBuf, time::Duration};

use crate::cli::{
    args::{ApproveArgs, ControlArgs, PauseArgs, ResumeArgs, SourceArgs},
    exit::Exit,
    journal, places, setup,
    show::{Show, Stop},
};
use crate::daemon::{
    clock,
    control::{Answer, ControlError, Request, client},
};
use crate::journal::{pause::Pause, store::Journal};
use crate::policy::target::{Defaults, Target};
use crate::report::palette::safe;

/// `permitd approve DIGEST`
pub(crate) async fn approve(args: &ApproveArgs, show: Show) -> Result<Exit, Stop> {
    let request = Request::Approve { digest: args.digest.clone() };
    say_to_daemon(&args.control, &request, client::PATIENCE, show).await
}

/// `permitd pause [TARGET] [--for 1h]`
pub(crate) async fn pause(args: &PauseArgs, show: Show) -> Result<Exit, Stop> {
    let request = Request::Pause { target: args.target.clone(), duration: args.duration };
    say_to_daemon(&args.control, &request, client::PATIENCE, show).await
}

/// `permitd resume [TARGET]`
pub(crate) async fn resume(args: &ResumeArgs, show: Show) -> Result<Exit, Stop> {
    let request = Request::Resume { target: args.target.clone() };
    let path = control_path(&args.control)?;
    match client::ask(&path, &request, client::PATIENCE).await {
        Ok(answer) => tell(answer, show),
        // An undo that was done without a daemon has paused its target in the journal.
        Err(error @ ControlError::Absent { .. }) => {
            resume_in_journal(args, show)?.ok_or_else(|| unanswered(&error))
        }
        Err(error) => Err(unanswered(&error)),
    }
}

/// Ends pauses that stand in the journal, where no daemon runs that has it; none if there is none.
fn resume_in_journal(args: &ResumeArgs, show: Show) -> Result<Option<Exit>, Stop> {
    let source = source(&args.control);
    let found = setup::find(&source)?;
    let path = places::journal_path(&source, &found)?;
    if !path.exists() {
        return Ok(None);
    }
    let failed = |it: crate::journal::error::JournalError| Stop::failure(it.to_string());
    let journal =
        Journal::open(&path, journal::options(&found), clock::system()).map_err(failed)?;
    let is_meant = |it: &&Pause| match (&args.target, &it.target) {
        (None, _) => true,
        (Some(name), Some(arn)) => {
            Target::parse(arn, None, &Defaults::default()).is_ok_and(|it| it.is_called(name))
        }
        (Some(_), None) => false,
    };
    let pauses = journal.pauses().map_err(failed)?;
    let meant: Vec<&Pause> = pauses.iter().filter(is_meant).collect();
    for pause in &meant {
        journal.resume(pause.target.as_deref()).map_err(failed)?;
        let what = pause.target.as_deref().unwrap_or("everything");
        show.line(&format!("resumed: {what} ({})", safe_lines(&pause.reason)));
    }
    Ok((!meant.is_empty()).then_some(Exit::Success))
}

/// Asks, and prints the answer.
async fn say_to_daemon(
    args: &ControlArgs,
    request: &Request,
    patience: Duration,
    show: Show,
) -> Result<Exit, Stop> {
    let path = control_path(args)?;
    let answer = client::ask(&path, request, patience).await.map_err(|it| unanswered(&it))?;
    tell(answer, show)
}

/// Prints what a daemon said.
fn tell(answer: Answer, show: Show) -> Result<Exit, Stop> {
    if !answer.ok {
        return Err(said_no(answer));
    }
    show.data(&format!("{}\n", safe_lines(&answer.message)))
        .map_err(|it| Stop::failure(format!("cannot write to stdout: {it}")))?;
    Ok(Exit::Success)
}

/// A daemon that did not do it.
pub(crate) fn said_no(answer: Answer) -> Stop {
    let Answer { ok: _, message, hint } = answer;
    Stop::Said(Exit::Failure, safe_lines(&message), hint.map(|it| safe_lines(&it)))
}

pub(crate) fn unanswered(error: &ControlError) -> Stop {
    let cause = error.source().map(|it| format!(": {it}")).unwrap_or_default();
    let message = safe_lines(&format!("{error}{cause}"));
    Stop::Said(Exit::Failure, message, error.hint().map(str::to_owned))
}

/// A message may name what others wrote, and may have several lines.
pub(crate) fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

/// Where the daemon listens.
fn control_path(args: &ControlArgs) -> Result<PathBuf, Stop> {
    let source = source(args);
    places::control_path(&source, &setup::find(&source)?)
}

fn source(args: &ControlArgs) -> SourceArgs {
    SourceArgs {
        config: args.config.clone(),
        control: args.control.clone(),
        journal: args.journal.clone(),
        ..SourceArgs::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_daemon_says_does_not_command_the_terminal() {
        assert_eq!(safe_lines("paused\n f\u{1b}[2J"), "paused\n f\\u{1b}[2J");
    }
}
