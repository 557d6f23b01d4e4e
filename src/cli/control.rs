//! `permitd approve`, `pause` and `resume`: said to a running daemon.

use std::{
    env,
    error::Error,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::cli::{
    args::{ApproveArgs, ControlArgs, PauseArgs, ResumeArgs},
    exit::Exit,
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
    let Answer { ok, message, hint } =
        client::ask(&path, request, patience).await.map_err(|it| unanswered(&it))?;
    if !ok {
        return Err(Stop::Said(
            Exit::Failure,
            safe_lines(&message),
            hint.map(|it| safe_lines(&it)),
        ));
    }
    show.data(&format!("{}\n", safe_lines(&message)))
        .map_err(|it| Stop::failure(format!("cannot write to stdout: {it}")))?;
    Ok(Exit::Success)
}

fn unanswered(error: &ControlError) -> Stop {
    let cause = error.source().map(|it| format!(": {it}")).unwrap_or_default();
    let message = safe_lines(&format!("{error}{cause}"));
    Stop::Said(Exit::Failure, message, error.hint().map(str::to_owned))
}

/// A message may name what others wrote, and may have several lines.
fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

/// Where the daemon listens.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the settings file, which is to be asked too, may be wrong"
)]
fn control_path(args: &ControlArgs) -> Result<PathBuf, Stop> {
    let flag = args.control.as_deref();
    Ok(place(flag, env::var_os("RUNTIME_DIRECTORY"), env::var_os("XDG_RUNTIME_DIR")))
}

/// systemd sets the first variable for the daemon itself (a list, if it is given several folders), a login the second.
fn place(flag: Option<&Path>, runtime: Option<OsString>, xdg: Option<OsString>) -> PathBuf {
    let first = |it: OsString| env::split_paths(&it).next().filter(|it| it.is_absolute());
    let folder = match (flag, runtime.and_then(first), xdg.map(PathBuf::from)) {
        (Some(it), _, _) => return it.to_owned(),
        (None, Some(it), _) => it,
        (None, None, Some(it)) if it.is_absolute() => it.join("permitd"),
        (None, None, _) => PathBuf::from("/run/permitd"),
    };
    folder.join("control.sock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_looked_for_where_a_daemon_puts_it() {
        let place = |flag: &str, runtime: &str, xdg: &str| {
            let some = |it: &str| (it != "-").then(|| OsString::from(it));
            place(some(flag).as_deref().map(Path::new), some(runtime), some(xdg))
        };
        for (flag, runtime, xdg, expected) in [
            ("./c.sock", "/run/a", "/run/user/1", "./c.sock"),
            ("-", "/run/a", "/run/user/1", "/run/a/control.sock"),
            ("-", "/run/a:/run/b", "-", "/run/a/control.sock"),
            ("-", "-", "/run/user/1", "/run/user/1/permitd/control.sock"),
            ("-", "", "/run/user/1", "/run/user/1/permitd/control.sock"),
            ("-", "relative", "relative", "/run/permitd/control.sock"),
            ("-", "-", "", "/run/permitd/control.sock"),
            ("-", "-", "-", "/run/permitd/control.sock"),
        ] {
            assert_eq!(place(flag, runtime, xdg), Path::new(expected), "{flag} {runtime} {xdg}");
        }
    }

    #[test]
    fn what_a_daemon_says_does_not_command_the_terminal() {
        assert_eq!(safe_lines("paused\n f\u{1b}[2J"), "paused\n f\\u{1b}[2J");
    }
}
