//! Flags that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::args::ModeArg;
use crate::config::settings::{
    Budget, Cap, parse_budget, parse_max_changed_targets, parse_max_revocations,
};
use crate::policy::shard::Shard;

/// Where the wishes come from, and where they go.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceArgs {
    /// Permission files, directories or globs, or `-`; default: `permissions` of the settings file
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The settings file [default: ./permitd.yaml, else /etc/permitd/permitd.yaml]
    #[arg(long, env = "PERMITD_CONFIG", value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// The account of functions that name none [default: that of the credentials]
    #[arg(long, env = "PERMITD_ACCOUNT", value_name = "ID", help_heading = "Configuration")]
    pub account: Option<String>,
    /// The region of functions that name none [default: that of the AWS configuration]
    #[arg(long, env = "PERMITD_REGION", help_heading = "Configuration")]
    pub region: Option<String>,
    /// The journal [default: `journal` of the settings file, else `$STATE_DIRECTORY/journal.db`, else
    /// `$XDG_STATE_HOME/permitd/journal.db`, else `~/.local/state/permitd/journal.db`]
    #[arg(long, env = "PERMITD_JOURNAL", value_name = "PATH", help_heading = "Configuration")]
    pub journal: Option<PathBuf>,
    /// The socket of the daemon [default: `control` of the settings file, else
    /// `$RUNTIME_DIRECTORY/control.sock`, else `$XDG_RUNTIME_DIR/permitd/control.sock`, else
    /// `/run/permitd/control.sock` for root]
    #[arg(long, env = "PERMITD_CONTROL", value_name = "PATH", help_heading = "Configuration")]
    pub control: Option<PathBuf>,
}

/// What a command that calls AWS takes besides.
#[derive(Debug, Clone, Default, Args)]
pub struct TargetArgs {
    /// Where the wishes come from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Only targets whose ARN, or `name:qualifier`, matches (`*`, `?`); repeatable
    #[arg(
        long = "target",
        env = "PERMITD_TARGET",
        value_name = "GLOB",
        value_delimiter = ',',
        help_heading = "Configuration"
    )]
    pub targets: Vec<String>,
    /// Only the accounts and regions that fall to this one of so many permitds, as in 1/3: each of them is looked after
    /// by exactly one
    #[arg(long, env = "PERMITD_SHARD", value_name = "I/N", help_heading = "Configuration")]
    pub shard: Option<Shard>,
    /// What permitd may do [default: `mode` of the settings file]
    #[arg(long, env = "PERMITD_MODE", help_heading = "Configuration")]
    pub mode: Option<ModeArg>,
    /// How many statements may be revoked in an hour, or `unlimited` [default: `limits` of the settings
    /// file, else 10]
    #[arg(
        long,
        env = "PERMITD_MAX_REVOCATIONS",
        value_name = "N",
        value_parser = parse_max_revocations,
        help_heading = "Limits"
    )]
    pub max_revocations: Option<Cap<u32>>,
    /// What share of the targets may lose something in an hour, or `unlimited` [default: `limits` of the
    /// settings file, else 30%]
    #[arg(
        long,
        env = "PERMITD_MAX_CHANGED_TARGETS",
        value_name = "SHARE",
        value_parser = parse_max_changed_targets,
        help_heading = "Limits"
    )]
    pub max_changed_targets: Option<Cap<f64>>,
    /// How fast.
    #[command(flatten)]
    pub budgets: BudgetArgs,
    /// Whom is trusted.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// Whom TLS trusts.
#[derive(Debug, Clone, Default, Args)]
pub struct TlsArgs {
    /// The authorities that TLS trusts, in PEM, for AWS and for `notify`
    /// [default: `AWS_CA_BUNDLE`, else `ca_bundle` of the AWS configuration, else those of this machine]
    #[arg(long, env = "PERMITD_CA_BUNDLE", value_name = "FILE", help_heading = "Configuration")]
    pub ca_bundle: Option<PathBuf>,
}

/// How much is asked of AWS in a second.
#[derive(Debug, Clone, Default, Args)]
pub struct BudgetArgs {
    /// GetPolicy calls per account and region, or `unlimited` [default: 10/s; Lambda allows 15/s]
    #[arg(
        long,
        env = "PERMITD_GET_POLICY_BUDGET",
        value_name = "RATE",
        value_parser = budget,
        help_heading = "Budgets"
    )]
    pub get_policy_budget: Option<Budget>,
    /// Other calls per account and region, or `unlimited` [default: 3/s; Lambda allows 15/s for all tools]
    #[arg(
        long,
        env = "PERMITD_CONTROL_BUDGET",
        value_name = "RATE",
        value_parser = budget,
        help_heading = "Budgets"
    )]
    pub control_budget: Option<Budget>,
}

/// How the journal is found.
#[derive(Debug, Clone, Default, Args)]
pub struct JournalArgs {
    /// The journal [default: `journal` of the settings file, else `$STATE_DIRECTORY/journal.db`, else
    /// `$XDG_STATE_HOME/permitd/journal.db`, else `~/.local/state/permitd/journal.db`]
    #[arg(long, env = "PERMITD_JOURNAL", value_name = "PATH", help_heading = "Configuration")]
    pub journal: Option<PathBuf>,
    /// The settings file [default: ./permitd.yaml, else /etc/permitd/permitd.yaml]
    #[arg(long, env = "PERMITD_CONFIG", value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
}

/// How a running permitd is found.
#[derive(Debug, Clone, Default, Args)]
pub struct ControlArgs {
    /// The socket of the running permitd [default: `control` of the settings file, else control.sock in
    /// the runtime directory]
    #[arg(long, env = "PERMITD_CONTROL", value_name = "PATH", help_heading = "Configuration")]
    pub control: Option<PathBuf>,
    /// The journal, for pauses that stand in it where no permitd runs
    #[arg(long, env = "PERMITD_JOURNAL", value_name = "PATH", help_heading = "Configuration")]
    pub journal: Option<PathBuf>,
    /// The settings file [default: ./permitd.yaml, else /etc/permitd/permitd.yaml]
    #[arg(long, env = "PERMITD_CONFIG", value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
}

/// How a report is told, and to whom besides.
#[derive(Debug, Clone, Default, Args)]
pub struct ReportArgs {
    /// The form of the report on stdout [default: text]
    #[arg(long, env = "PERMITD_OUTPUT", help_heading = "Output")]
    pub output: Option<Output>,
    /// Also write the report to this file, in the form that its ending says: .txt, .json, .md, .markdown,
    /// .html or .htm; repeatable
    #[arg(
        id = "report",
        long,
        env = "PERMITD_REPORT",
        value_name = "FILE",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    pub reports: Vec<PathBuf>,
    /// A function, alias or version that is not there is told, and is no failure: it is made later
    #[arg(long, env = "PERMITD_ALLOW_MISSING", help_heading = "Output")]
    pub allow_missing: bool,
}

/// `--output`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a terminal
    #[default]
    Text,
    /// For programs; `permitd schema report` describes it
    Json,
    /// For a comment on a pull request, of at most 60,000 characters
    Markdown,
    /// One file for a browser
    Html,
}

/// `--output` of commands that report in no other form
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people
    Text,
    /// For programs
    Json,
}

fn budget(text: &str) -> Result<Budget, String> {
    parse_budget(text)
}
