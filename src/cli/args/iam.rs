//! `permitd iam`

use clap::Args;

use crate::cli::args::{ModeArg, SourceArgs};

/// `permitd iam`
#[derive(Debug, Clone, Args)]
pub struct IamArgs {
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
    /// What permitd may do [default: `mode` of the settings file, else enforce]
    #[arg(long, env = "PERMITD_MODE", help_heading = "Configuration")]
    pub mode: Option<ModeArg>,
    /// Also what `permitd undo` may need: to put back a statement that only a whole document can hold
    #[arg(long, env = "PERMITD_UNDO", help_heading = "Configuration")]
    pub undo: bool,
}
