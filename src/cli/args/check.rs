//! `permitd check`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::args::SourceArgs;
use crate::config::{diagnostic::Severity, rules::Rule};

/// `permitd check`
#[derive(Debug, Clone, Args)]
#[command(after_help = RULES)]
pub struct CheckArgs {
    /// Which files.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Take these findings for errors: ids separated by commas, or `all`
    #[arg(
        long,
        env = "PERMITD_DENY",
        value_name = "ID",
        value_delimiter = ',',
        value_parser = deny
    )]
    pub deny: Vec<Deny>,
    /// The form of the report
    #[arg(long, env = "PERMITD_OUTPUT", default_value = "text")]
    pub output: CheckOutput,
    /// Write a report into this file, too: .txt, .json or .sarif; repeatable
    #[arg(long, env = "PERMITD_REPORT", value_name = "FILE", value_delimiter = ',')]
    pub report: Vec<PathBuf>,
}

const RULES: &str = "Warnings that can be denied: P001 to P008 (risks, unless their statement accepts \
                     them), expires-soon, expired, duplicate-grant, policy-nearly-full, \
                     rule-matches-nothing, slow-pass.";

/// `--output` of `permitd check`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckOutput {
    /// For people
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// What `--deny` makes an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deny {
    /// Every warning.
    All,
    /// What this rule finds.
    Rule(Rule),
}

impl Deny {
    /// Whether it is about what this rule finds.
    pub(crate) fn covers(self, rule: Rule) -> bool {
        self == Self::All || self == Self::Rule(rule)
    }
}

/// One word of `--deny`.
pub(crate) fn deny(text: &str) -> Result<Deny, String> {
    if text == "all" {
        return Ok(Deny::All);
    }
    Rule::parse(text).map(Deny::Rule).ok_or_else(|| {
        let others = Rule::ALL.into_iter().filter(|it| !matches!(it, Rule::Risk(_)));
        let warnings = others.filter(|it| it.severity() == Severity::Warning);
        let names: Vec<&str> = warnings.map(Rule::id).collect();
        format!(
            "risks are P001 to P008, other warnings {}, and all of them `all`",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_can_be_denied_and_is_named_in_the_help() {
        assert_eq!(deny("all"), Ok(Deny::All));
        for rule in Rule::ALL {
            assert_eq!(deny(rule.id()), Ok(Deny::Rule(rule)));
            assert!(Deny::All.covers(rule) && Deny::Rule(rule).covers(rule));
            let warning = rule.severity() == Severity::Warning;
            let named = RULES.contains(rule.id()) || matches!(rule, Rule::Risk(_));
            assert_eq!(named, warning, "{rule}");
        }
        let said = deny("P999").unwrap_err();
        let all = "risks are P001 to P008, other warnings expires-soon, expired, duplicate-grant, \
                   policy-nearly-full, rule-matches-nothing, slow-pass, and all of them `all`";
        assert_eq!(said, all);
    }
}
