//! `permitd import`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::args::common::{BudgetArgs, SourceArgs, TargetArgs, TlsArgs};
use crate::policy::target::{Defaults, Target};

/// `permitd import`
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
pub struct ImportArgs {
    /// What to import from, with --from: a Terraform state, or a template; `-` is the standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Import what another tool declares, from FILE, and without any call to AWS
    #[arg(long, env = "PERMITD_FROM", value_name = "KIND")]
    pub from: Option<FromArg>,
    /// The value of a parameter of the template; or of what else it refers to: a resource by its logical id, an
    /// attribute as in `Thumbnail.Arn`, `AWS::StackName`, the live Sid of a permission by its logical id; repeatable
    #[arg(
        long = "parameter",
        env = "PERMITD_PARAMETER",
        value_name = "KEY=VALUE",
        value_parser = parameter
    )]
    pub parameters: Vec<(String, String)>,
    /// Functions to import: a name, `name:alias`, a partial or full ARN; repeatable, or separated by commas
    #[arg(
        long = "function",
        env = "PERMITD_FUNCTION",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = function
    )]
    pub functions: Vec<String>,
    /// Import every function of the account and region
    #[arg(long, env = "PERMITD_ALL")]
    pub all: bool,
    /// Also the aliases and versions of these functions
    #[arg(long, env = "PERMITD_QUALIFIERS")]
    pub qualifiers: bool,
    /// Only targets whose ARN, or `name:qualifier`, matches (`*`, `?`); repeatable
    #[arg(long = "target", env = "PERMITD_TARGET", value_name = "GLOB", value_delimiter = ',')]
    pub targets: Vec<String>,
    /// Where to write: a directory, for one file a function, or a file that ends in .yaml or .yml
    /// [default: the standard output]
    #[arg(long, env = "PERMITD_OUT", value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Overwrite files that exist
    #[arg(long, env = "PERMITD_FORCE")]
    pub force: bool,
    /// Write the risks of each statement as accepted, not as a comment
    #[arg(long, env = "PERMITD_ACCEPT_RISKS")]
    pub accept_risks: bool,
    /// Which live statements belong to the files
    #[arg(long, env = "PERMITD_OWNERSHIP", default_value = "declared")]
    pub ownership: OwnershipArg,
    /// The settings file [default: ./permitd.yaml, else /etc/permitd/permitd.yaml]
    #[arg(long, env = "PERMITD_CONFIG", value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// The account of functions that name none [default: that of the credentials]
    #[arg(long, env = "PERMITD_ACCOUNT", value_name = "ID", help_heading = "Configuration")]
    pub account: Option<String>,
    /// The region of functions that name none [default: that of the AWS configuration]
    #[arg(long, env = "PERMITD_REGION", help_heading = "Configuration")]
    pub region: Option<String>,
    /// How fast.
    #[command(flatten)]
    pub budgets: BudgetArgs,
    /// Whom is trusted.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// `--from`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FromArg {
    /// The `aws_lambda_permission` resources of a Terraform state (format version 4)
    TerraformState,
    /// The `AWS::Lambda::Permission` resources of a CloudFormation template, in YAML or JSON
    Cloudformation,
}

/// `--ownership`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OwnershipArg {
    /// Only those that are written; whatever else is live stays
    Declared,
    /// All, wherever the whole policy can be written: what somebody else adds is taken back
    All,
}

impl ImportArgs {
    /// What other commands take of these.
    pub(crate) fn common(&self) -> TargetArgs {
        let source = SourceArgs {
            config: self.config.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            ..SourceArgs::default()
        };
        TargetArgs {
            source,
            targets: self.targets.clone(),
            budgets: self.budgets.clone(),
            tls: self.tls.clone(),
            ..TargetArgs::default()
        }
    }
}

/// A key, and everything behind the first `=`.
fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("write KEY=VALUE, as in Stage=prod".to_owned()),
    }
}

/// A name that Lambda can understand, once account and region are known.
fn function(text: &str) -> Result<String, String> {
    let region = Some("us-east-1".to_owned());
    let anywhere = Defaults { account: Some("000000000000".to_owned()), region };
    Target::parse(text, None, &anywhere).map(|_| text.to_owned()).map_err(|it| it.to_string())
}
