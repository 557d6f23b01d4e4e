//! The one question that is asked on a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::cli::show::{Show, Stop};

/// Asks. Without a terminal nobody can answer, and nothing is done.
pub(crate) fn asked(question: &str, command: &str, show: Show) -> Result<bool, Stop> {
    if !io::stdin().is_terminal() {
        show.problem(&format!(
            "error: nobody is there to answer; pass --yes to {command} without asking"
        ));
        return Ok(false);
    }
    let mut err = io::stderr();
    write!(err, "\n{question} Only `yes` is taken as yes: ").unwrap_or_default();
    err.flush().unwrap_or_default();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|it| Stop::failure(format!("cannot read the answer: {it}")))?;
    Ok(answer.trim() == "yes")
}
