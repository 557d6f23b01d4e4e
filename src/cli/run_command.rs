//! From the words typed to the end of a command.

use std::io::{self, Write};

use clap::{FromArgMatches, error::ErrorKind};

use crate::cli::{
    apply,
    args::{self, Cli, Command},
    check, compact, completions, control, demo,
    exit::Exit,
    explain, history, iam, import, man, plan, run, schema,
    show::{Show, Stop, Terminal},
    simulate, telemetry, undo,
};

/// Runs the command line of this process.
pub fn run_command() -> Exit {
    let cli = match parse() {
        Ok(it) => it,
        Err(exit) => return exit,
    };
    let show = Show::new(&cli.output, terminal());
    match dispatch(&cli, show) {
        Ok(exit) => show.end(exit),
        Err(stop) => stop.tell(show),
    }
}

/// `NO_COLOR` counts if it is not empty (no-color.org).
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn terminal() -> Terminal {
    let variable = |name| std::env::var(name).unwrap_or_default();
    Terminal {
        no_color: !variable("NO_COLOR").is_empty() || variable("TERM") == "dumb",
        columns: variable("COLUMNS").parse().ok(),
    }
}

fn parse() -> Result<Cli, Exit> {
    let parsed = args::command().try_get_matches();
    let error = match parsed.and_then(|it| Cli::from_arg_matches(&it)) {
        Ok(it) => return Ok(it),
        Err(error) => error,
    };
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Err(match error.print() {
            // A reader that went away has seen enough.
            Err(it) if it.kind() != io::ErrorKind::BrokenPipe => {
                writeln!(io::stderr(), "error: cannot write to the standard output: {it}")
                    .unwrap_or_default();
                Exit::Failure
            }
            Ok(()) | Err(_) => Exit::Success,
        });
    }
    error.print().unwrap_or_default();
    Err(Exit::Usage)
}

fn dispatch(cli: &Cli, show: Show) -> Result<Exit, Stop> {
    let usual = match cli.command {
        Command::Run(_) => "info",
        Command::Plan(_)
        | Command::Apply(_)
        | Command::Check(_)
        | Command::Compact(_)
        | Command::Explain(_)
        | Command::Import(_)
        | Command::Iam(_)
        | Command::History(_)
        | Command::Undo(_)
        | Command::Approve(_)
        | Command::Pause(_)
        | Command::Resume(_)
        | Command::Simulate(_)
        | Command::Demo
        | Command::Schema(_)
        | Command::Completions(_)
        | Command::Man(_) => "warn",
    };
    telemetry::install(&cli.output, usual, show.look_of_stderr()).map_err(Stop::usage)?;
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = threads.map_err(|it| Stop::failure(format!("cannot start: {it}")))?;
    runtime.block_on(async {
        match &cli.command {
            Command::Plan(args) => plan::plan(args, show).await,
            Command::Apply(args) => Box::pin(apply::apply(args, show)).await,
            Command::Run(args) => Box::pin(run::run(args, show)).await,
            Command::Check(args) => check::check(args, show),
            Command::Compact(args) => compact::compact(args, show),
            Command::Explain(args) => Box::pin(explain::explain(args, show)).await,
            Command::Import(args) => Box::pin(import::import(args, show)).await,
            Command::Iam(args) => iam::iam(args, show),
            Command::History(args) => history::history(args, show),
            Command::Undo(args) => Box::pin(undo::undo(args, show)).await,
            Command::Approve(args) => control::approve(args, show).await,
            Command::Pause(args) => control::pause(args, show).await,
            Command::Resume(args) => control::resume(args, show).await,
            Command::Simulate(args) => simulate::simulate(args, show).await,
            Command::Demo => Box::pin(demo::demo(show)).await,
            Command::Schema(args) => schema::schema(args, show),
            Command::Completions(args) => completions::completions(args, show),
            Command::Man(args) => man::man(args, show),
        }
    })
}
