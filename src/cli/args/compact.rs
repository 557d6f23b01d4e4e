//! `permitd compact`

use clap::{Args, ValueEnum};

use crate::cli::args::SourceArgs;

/// `permitd compact`
#[derive(Debug, Clone, Args)]
#[command(after_help = POLICIES)]
pub struct CompactArgs {
    /// Which files.
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
    /// The form of the answer
    #[arg(long, env = "PERMITD_OUTPUT", default_value = "text")]
    pub output: CompactOutput,
}

const POLICIES: &str = "FILE may also be a policy as Lambda gives it, in JSON: the document itself, or the answer to \
                        `aws lambda get-policy`. Nothing is written, and nothing is asked of AWS.";

/// `--output` of `permitd compact`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompactOutput {
    /// For people: sizes, and each document on a line of its own
    Text,
    /// For programs
    Json,
}
