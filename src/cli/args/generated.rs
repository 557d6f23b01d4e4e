//! Flags of the commands that print what the program knows of itself: `schema`, `completions`, `man`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::Shell;

use crate::cli::schema;

/// `permitd schema`
#[derive(Debug, Clone, Args)]
#[command(after_help = EDITORS)]
pub struct SchemaArgs {
    /// Which one [default: all of them, as one JSON object by these names]
    #[arg(value_name = "NAME", value_parser = schema::names())]
    pub name: Option<String>,
    /// Write NAME.json into this directory instead, replacing what is there
    #[arg(long, env = "PERMITD_OUT", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

const EDITORS: &str = "An editor with the YAML language server completes and checks a file whose first line \
                       names the schema: `# yaml-language-server: $schema=permissions.json`, relative to \
                       the file.";

/// `permitd completions`
#[derive(Debug, Clone, Args)]
#[command(after_help = SHELLS)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

const SHELLS: &str = "\
bash:        permitd completions bash > ~/.local/share/bash-completion/completions/permitd
zsh:         permitd completions zsh > DIR/_permitd, for a DIR of $fpath
fish:        permitd completions fish > ~/.config/fish/completions/permitd.fish
elvish:      permitd completions elvish >> ~/.config/elvish/rc.elv
powershell:  permitd completions powershell >> $PROFILE";

/// `permitd man`
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// The page of this command [default: the main page]
    #[arg(value_name = "COMMAND", hide_possible_values = true)]
    pub page: Option<String>,
    /// Write the pages into this directory instead, as permitd.1, permitd-plan.1 and so on, replacing what
    /// is there
    #[arg(long, env = "PERMITD_OUT", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}
