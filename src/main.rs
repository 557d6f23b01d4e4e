//! Parses arguments, calls the command, turns its status into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(permitd::cli::run_command::run_command().code())
}
