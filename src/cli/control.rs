//! `permitd approve`, `pause` and `resume`: said to a running daemon.

use std::{error::Error, path::PathBuf, time::Duration};

use crate::cli::{
    args::{ApproveArgs, ControlArgs, PauseArgs, ResumeArgs, SourceArgs},
    exit::Exit,
    places, setup,
    show::{Show, Stop},
};
use crate::daemon::control::{Answer, ControlError, Request, client};
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
    say_to_daemon(&args.control, &request, client::PATIENCE, show).await
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
    let source = SourceArgs {
        config: args.config.clone(),
        control: args.control.clone(),
        ..SourceArgs::default()
    };
    places::control_path(&source, &setup::find(&source)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_daemon_says_does_not_command_the_terminal() {
        assert_eq!(safe_lines("paused\n f\u{1b}[2J"), "paused\n f\\u{1b}[2J");
    }
}
