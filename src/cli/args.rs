//! What can be typed: commands, flags and their environment variables.

pub(crate) mod check;
pub(crate) mod common;
pub(crate) mod compact;
pub(crate) mod explain;
pub(crate) mod generated;
pub(crate) mod iam;
pub(crate) mod import;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};

pub(crate) use crate::cli::args::generated::{CompletionsArgs, ManArgs, SchemaArgs};
pub(crate) use crate::cli::args::import::{FromArg, ImportArgs, OwnershipArg};
pub(crate) use crate::cli::args::{
    check::{CheckArgs, CheckOutput, Deny, deny},
    common::{
        ControlArgs, JournalArgs, Output, ReportArgs, SourceArgs, TargetArgs, TextOrJson, TlsArgs,
    },
    compact::{CompactArgs, CompactOutput},
    explain::ExplainArgs,
    iam::IamArgs,
};
use crate::daemon::{control::protocol, lease::LeaseName};
use crate::drift::allow::Mode;
use crate::simulator::HELP;

/// Keeps the resource-based policies of AWS Lambda functions as they are written in YAML.
#[derive(Debug, Parser)]
#[command(name = "permitd", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How much to say.
    #[command(flatten)]
    pub output: OutputArgs,
}

const EXIT_CODES: &str = "Exit codes: 0 done or in sync, 1 an error or something unknown, 2 drift, \
                          3 held by a limit or a risk, 64 wrong usage, 78 wrong configuration.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what would be done, and do nothing
    Plan(PlanArgs),
    /// Show the plan, ask, and do it
    Apply(ApplyArgs),
    /// Keep the policies as written: look, repair, wait, again
    Run(RunArgs),
    /// Check the files alone, without any call to AWS
    Check(CheckArgs),
    /// Show policies as they would be with lists, and what that saves
    Compact(CompactArgs),
    /// Tell who allows or denies a call, live and as written, and why not
    Explain(ExplainArgs),
    /// Write permission files from live policies
    Import(ImportArgs),
    /// Print the least IAM policy that permitd needs for these files and this mode
    Iam(IamArgs),
    /// Show what was done, with the statements before and after
    History(HistoryArgs),
    /// Take back one entry of the history
    Undo(UndoArgs),
    /// Tell the running permitd to do once what it holds back
    Approve(ApproveArgs),
    /// Tell the running permitd to change nothing
    Pause(PauseArgs),
    /// Tell the running permitd to go on after a pause
    Resume(ResumeArgs),
    /// Run the simulator of Lambda on its own
    Simulate(SimulateArgs),
    /// Run permitd against the simulator, with drift: needs no AWS and no set-up
    Demo,
    /// Print the JSON Schemas of the files, for editors and validators
    Schema(SchemaArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual, to be read with `permitd man | man -l -`
    Man(ManArgs),
}

/// The command line as clap has it. `man` knows the names of the others.
pub(crate) fn command() -> clap::Command {
    let res = Cli::command();
    let names: Vec<String> = res.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    let names = PossibleValuesParser::new(names);
    res.mut_subcommand("man", |man| man.mut_arg("page", |page| page.value_parser(names)))
}

/// `permitd plan`
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Which targets.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How it is told.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Exit with 2 if something differs, and with 3 if something is held by a limit or a risk
    #[arg(long, env = "PERMITD_DETAILED_EXITCODE")]
    pub detailed_exitcode: bool,
    /// Make this warning an error: rule-matches-nothing, a rule for many functions that covers none; repeatable, or
    /// separated by commas. The others are those of `permitd check`
    #[arg(long, env = "PERMITD_DENY", value_name = "ID", value_delimiter = ',', value_parser = deny)]
    pub deny: Vec<Deny>,
    /// Save the plan, to do exactly this later with `permitd apply --plan FILE`
    #[arg(long, env = "PERMITD_OUT", value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `permitd apply`
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// Which targets.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How it is told.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Do it without asking, as far as limits and risks allow
    #[arg(long, short, env = "PERMITD_YES")]
    pub yes: bool,
    /// Do nothing where there is this warning: rule-matches-nothing, a rule for many functions that covers none;
    /// repeatable, or separated by commas. The others are those of `permitd check`
    #[arg(long, env = "PERMITD_DENY", value_name = "ID", value_delimiter = ',', value_parser = deny)]
    pub deny: Vec<Deny>,
    /// Do what was saved by `permitd plan --out FILE`, if no policy has changed since; asks nothing
    #[arg(long, env = "PERMITD_PLAN", value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Also do what a limit or a risk holds, if it has this digest (as `permitd plan` shows it)
    #[arg(long, env = "PERMITD_APPROVE", value_name = "DIGEST", value_parser = protocol::digest)]
    pub approve: Option<String>,
}

/// `permitd history`
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// Only targets whose ARN, or `name:qualifier`, matches (`*`, `?`)
    #[arg(long, env = "PERMITD_TARGET", value_name = "GLOB")]
    pub target: Option<String>,
    /// Only Sids that match (`*`, `?`)
    #[arg(long, env = "PERMITD_SID", value_name = "GLOB")]
    pub sid: Option<String>,
    /// Not older than this: a point in time, or a duration such as 2h or 7d before now
    #[arg(long, env = "PERMITD_SINCE", value_name = "TIME")]
    pub since: Option<String>,
    /// Not younger than this: a point in time, or a duration before now
    #[arg(long, env = "PERMITD_UNTIL", value_name = "TIME")]
    pub until: Option<String>,
    /// Only so many, the newest
    #[arg(long, env = "PERMITD_LIMIT", value_name = "N")]
    pub limit: Option<usize>,
    /// The form of the report
    #[arg(long, env = "PERMITD_OUTPUT", default_value = "text")]
    pub output: TextOrJson,
    /// Which journal.
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// `permitd undo`
#[derive(Debug, Clone, Args)]
pub struct UndoArgs {
    /// The entry, as `permitd history` numbers it
    #[arg(value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    pub id: i64,
    /// Where the files, the journal and the daemon are.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Do it without asking
    #[arg(long, short, env = "PERMITD_YES")]
    pub yes: bool,
}

/// `permitd run`
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Which targets.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Make one pass and exit
    #[arg(long, env = "PERMITD_ONCE")]
    pub once: bool,
    /// Where /livez, /readyz, /metrics and /status are: an IP address and a port
    ///
    /// [default: `http.listen` of the settings, else 127.0.0.1:9187]
    #[arg(long, env = "PERMITD_HTTP_LISTEN", value_name = "ADDR", help_heading = "Configuration")]
    pub http_listen: Option<SocketAddr>,
    /// Let POST /-/reload load the files anew and POST /-/pass start a full pass, both at once
    #[arg(long, env = "PERMITD_ENABLE_LIFECYCLE", help_heading = "Configuration")]
    pub enable_lifecycle: bool,
    /// Act only while holding this Lease of Kubernetes, and stand by while another permitd has it: NAMESPACE/NAME. With
    /// --shard each shard has one of its own, such as NAME-1-of-3
    #[arg(
        long,
        env = "PERMITD_LEASE",
        value_name = "NAMESPACE/NAME",
        help_heading = "Configuration"
    )]
    pub lease: Option<LeaseName>,
    /// Add metrics with the ARN of a target as a label: two series for each target
    #[arg(long, env = "PERMITD_PER_TARGET_METRICS", help_heading = "Configuration")]
    pub per_target_metrics: bool,
    /// How that pass is told; a daemon logs, and has its journal.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `permitd approve`
#[derive(Debug, Clone, Args)]
pub struct ApproveArgs {
    /// What is held, by the digest that was told with it: 8 hex digits or more
    #[arg(value_parser = protocol::digest)]
    pub digest: String,
    /// Whom to tell.
    #[command(flatten)]
    pub control: ControlArgs,
}

/// `permitd pause`
#[derive(Debug, Clone, Args)]
pub struct PauseArgs {
    /// Only this target: an ARN, or `name:qualifier` [default: all]
    #[arg(value_parser = protocol::target)]
    pub target: Option<String>,
    /// How long, such as 30m or 2h [default: until `permitd resume`]
    #[arg(long = "for", env = "PERMITD_FOR", value_name = "TIME", value_parser = pause)]
    pub duration: Option<Duration>,
    /// Whom to tell.
    #[command(flatten)]
    pub control: ControlArgs,
}

/// `permitd resume`
#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// Only this target: an ARN, or `name:qualifier` [default: all]
    #[arg(value_parser = protocol::target)]
    pub target: Option<String>,
    /// Whom to tell.
    #[command(flatten)]
    pub control: ControlArgs,
}

/// `permitd simulate`
#[derive(Debug, Clone, Args)]
// A line of curl that is broken in two cannot be copied.
#[command(after_help = HELP, after_long_help = HELP, term_width = 0)]
pub struct SimulateArgs {
    /// Where to listen; port 0 is any free one
    #[arg(long, env = "PERMITD_LISTEN", default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Listen on an address that others can reach, too
    #[arg(long, env = "PERMITD_ALLOW_REMOTE")]
    pub allow_remote: bool,
    /// Accounts, functions and policies to start with (YAML)
    #[arg(long, env = "PERMITD_SEED", value_name = "FILE")]
    pub seed: Option<PathBuf>,
}

/// What is said besides the data.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// Colours
    #[arg(
        long,
        env = "PERMITD_COLOR",
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        help_heading = "Output"
    )]
    pub color: ColorArg,
    /// What to log to stderr: error, warn, info, debug, trace, or a filter such as permitd=debug
    #[arg(
        long,
        env = "PERMITD_LOG_LEVEL",
        value_name = "LEVEL",
        global = true,
        help_heading = "Output"
    )]
    pub log_level: Option<String>,
    /// The form of the log [default: text; under systemd, which keeps fields, its journal]
    #[arg(
        long,
        env = "PERMITD_LOG_FORMAT",
        value_name = "FORMAT",
        global = true,
        help_heading = "Output"
    )]
    pub log_format: Option<LogFormat>,
    /// Say nothing but errors and the report
    #[arg(long, short, env = "PERMITD_QUIET", global = true, help_heading = "Output")]
    pub quiet: bool,
}

/// `--mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Look and tell; nothing is written
    Observe,
    /// Only steps that widen access or leave it alone
    Additive,
    /// Everything the files ask for
    Enforce,
}

impl ModeArg {
    /// By its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Observe, Self::Additive, Self::Enforce]
            .into_iter()
            .find(|it| Mode::from(*it).name() == name)
    }
}

impl From<ModeArg> for Mode {
    fn from(it: ModeArg) -> Self {
        match it {
            ModeArg::Observe => Self::Observe,
            ModeArg::Additive => Self::Additive,
            ModeArg::Enforce => Self::Enforce,
        }
    }
}

/// `--color`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `--log-format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text an event
    Text,
    /// One JSON object an event
    Json,
}

fn pause(text: &str) -> Result<Duration, String> {
    protocol::pause(humantime::parse_duration(text).map_err(|it| it.to_string())?)
}

#[cfg(test)]
mod tests;
