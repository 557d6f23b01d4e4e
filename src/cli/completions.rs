//! `permitd completions`: what a shell needs to complete commands, flags and their values.

use crate::cli::{
    args::{self, CompletionsArgs},
    exit::Exit,
    show::{Show, Stop},
};

/// Prints the script.
pub(crate) fn completions(args: &CompletionsArgs, show: Show) -> Result<Exit, Stop> {
    // Straight to stdout it would panic on a reader that went away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "permitd", &mut script);
    show.print(&String::from_utf8_lossy(&script))
}
