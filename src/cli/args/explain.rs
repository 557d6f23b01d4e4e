//! `permitd explain`

use clap::{Args, ValueEnum};

use crate::cli::args::common::{BudgetArgs, SourceArgs, TargetArgs, TextOrJson};
use crate::policy::grant::UrlAuthType;

/// `permitd explain`
#[derive(Debug, Clone, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ExplainArgs {
    /// What is called: a name, `name:alias`, a partial or a full ARN
    #[arg(value_name = "TARGET")]
    pub called: String,
    /// Who calls: a service (s3.amazonaws.com), the ARN of a role, user or session, an account id, or `*` for anybody
    #[arg(long, env = "PERMITD_PRINCIPAL", value_name = "P", help_heading = "The call")]
    pub principal: String,
    /// What is done
    #[arg(
        long,
        env = "PERMITD_ACTION",
        value_name = "A",
        default_value = "lambda:InvokeFunction",
        help_heading = "The call"
    )]
    pub action: String,
    /// For which resource a service calls (aws:SourceArn) [default: not given]
    #[arg(long, env = "PERMITD_SOURCE_ARN", value_name = "S", help_heading = "The call")]
    pub source_arn: Option<String>,
    /// For which account a service calls (aws:SourceAccount) [default: not given]
    #[arg(long, env = "PERMITD_SOURCE_ACCOUNT", value_name = "N", help_heading = "The call")]
    pub source_account: Option<String>,
    /// The organization of the caller (aws:PrincipalOrgID); with `--principal *` any member of it [default: not given]
    #[arg(long, env = "PERMITD_ORG", value_name = "O", help_heading = "The call")]
    pub org: Option<String>,
    /// How the function URL authenticates (lambda:FunctionUrlAuthType) [default: not given]
    #[arg(long, env = "PERMITD_AUTH_TYPE", value_name = "TYPE", help_heading = "The call")]
    pub auth_type: Option<AuthTypeArg>,
    /// The token of an Alexa skill (lambda:EventSourceToken) [default: not given]
    #[arg(long, env = "PERMITD_EVENT_SOURCE_TOKEN", value_name = "T", help_heading = "The call")]
    pub event_source_token: Option<String>,
    /// Through the function URL (lambda:InvokedViaFunctionUrl) [default: not given]
    #[arg(long, env = "PERMITD_VIA_FUNCTION_URL", help_heading = "The call")]
    pub via_function_url: bool,
    /// The form of the report; `permitd schema explain` describes the JSON
    #[arg(long, env = "PERMITD_OUTPUT", default_value = "text", help_heading = "Output")]
    pub output: TextOrJson,
    /// What is written.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How fast.
    #[command(flatten)]
    pub budgets: BudgetArgs,
}

const EXIT_CODES: &str = "\
Without permission files it tells of the live policy alone. What is not given is taken not to be in the call.

Exit codes: 0 allowed by the live policy, 2 not allowed, 1 an error or it cannot be told, 64 wrong usage, \
78 wrong configuration.";

/// `--auth-type`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthTypeArg {
    /// Nobody is asked
    #[value(name = "NONE")]
    None,
    /// By IAM
    #[value(name = "AWS_IAM")]
    AwsIam,
}

impl From<AuthTypeArg> for UrlAuthType {
    fn from(it: AuthTypeArg) -> Self {
        match it {
            AuthTypeArg::None => Self::None,
            AuthTypeArg::AwsIam => Self::AwsIam,
        }
    }
}

impl ExplainArgs {
    /// What other commands take of these.
    pub(crate) fn common(&self) -> TargetArgs {
        let (source, budgets) = (self.source.clone(), self.budgets.clone());
        TargetArgs { source, budgets, ..TargetArgs::default() }
    }
}
