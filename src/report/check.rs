//! What `permitd check` found, for programs: `format_version` 1.0, with a published schema.
//!
//! Fields may be added, and rules; a breaking change raises the major version.

use std::{borrow::Cow, collections::BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;

use crate::config::{
    diagnostic::{Diagnostic, Place, Severity},
    rules::Rule,
};
use crate::policy::risk::Risk;

/// Everything that is told of a check, in any form.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    /// By file and position, as severe as the flags made them.
    pub found: &'a [Diagnostic],
    /// Statements that are right, each counted for every function that it is for.
    pub statements: usize,
    /// Functions, aliases and versions.
    pub targets: usize,
    /// Rules for many functions. What they cover, the files alone do not tell.
    pub many: usize,
    /// The number that the shell sees.
    pub exit_code: u8,
}

impl Checked<'_> {
    /// How many findings are as severe as this.
    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|it| it.severity == severity).count()
    }

    /// `2 errors, 1 warning in 2 files`; none where nothing was found.
    pub fn summary(&self) -> Option<String> {
        let counted = |n: usize, what: &str| match n {
            0 => None,
            1 => Some(format!("1 {what}")),
            n => Some(format!("{n} {what}s")),
        };
        let errors = counted(self.count(Severity::Error), "error");
        let warnings = counted(self.count(Severity::Warning), "warning");
        let parts: Vec<String> = errors.into_iter().chain(warnings).collect();
        let files = counted(self.files(), "file").filter(|_| !parts.is_empty())?;
        Some(format!("{} in {files}", parts.join(", ")))
    }

    fn files(&self) -> usize {
        self.found.iter().map(|it| &it.place.file.name).collect::<BTreeSet<_>>().len()
    }
}

/// What `permitd check --output json` prints.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "permitd check")]
struct Report<'a> {
    /// `MAJOR.MINOR`; a breaking change raises the first, and unknown fields are to be ignored.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    format_version: &'static str,
    /// The version of permitd that wrote it.
    permitd_version: &'static str,
    /// What the shell sees: 0, or 78 if there is an error.
    exit_code: u8,
    summary: Summary,
    /// What was found, by file and position.
    diagnostics: Vec<Finding<'a>>,
    /// The rules that found something, each once.
    rules: Vec<RuleText>,
}

/// How much was found, and in how much.
#[derive(Serialize, JsonSchema)]
struct Summary {
    /// Findings that are errors, denied warnings among them.
    errors: usize,
    /// Findings that are warnings.
    warnings: usize,
    /// Files in which something was found.
    files: usize,
    /// Statements that are right, each counted for every function that it is for.
    statements: usize,
    /// Functions, aliases and versions.
    targets: usize,
    /// Rules for many functions. What they cover, the files alone do not tell.
    rules_for_many: usize,
}

/// One thing that was found.
#[derive(Serialize, JsonSchema)]
struct Finding<'a> {
    severity: Level,
    /// The id of the rule, as `--deny` takes it.
    #[schemars(schema_with = "rule_id")]
    rule: &'static str,
    /// The risk, if it is one: what `accept` takes.
    #[schemars(schema_with = "risk_code")]
    risk: Option<&'static str>,
    /// As it was named, or how it was found; `<stdin>` for the standard input.
    file: &'a str,
    /// Counted from 1.
    #[schemars(range(min = 1))]
    line: u32,
    /// In characters, counted from 1.
    #[schemars(range(min = 1))]
    column: u32,
    /// The line after the last character; null where it is about the file as a whole.
    end_line: Option<u32>,
    /// The column after the last character; null where it is about the file as a whole.
    end_column: Option<u32>,
    /// What is wrong.
    message: &'a str,
    /// What to do.
    help: Option<&'a str>,
    /// What it is about, for example `thumbnail:live/s3-uploads`: the same as long as that has its name.
    subject: Option<&'a str>,
    /// So many functions have it, by one entry for all of them; null where it is not about functions.
    functions: Option<usize>,
    /// Other places that have to do with it.
    related: Vec<Related<'a>>,
}

/// Another place that has to do with a finding.
#[derive(Serialize, JsonSchema)]
struct Related<'a> {
    file: &'a str,
    /// Counted from 1.
    #[schemars(range(min = 1))]
    line: u32,
    /// In characters, counted from 1.
    #[schemars(range(min = 1))]
    column: u32,
    /// In what way.
    message: &'a str,
}

/// How severe it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Level {
    /// The files are not usable, or somebody denied it.
    Error,
    /// They are, and somebody should look.
    Warning,
}

/// What is known of a rule.
#[derive(Serialize, JsonSchema)]
struct RuleText {
    /// As `--deny` takes it.
    #[schemars(schema_with = "rule_id")]
    id: &'static str,
    /// A few words.
    title: &'static str,
    /// One paragraph: what can happen, how to put it right, how to accept it.
    explanation: &'static str,
    /// The page that it comes from.
    #[schemars(url)]
    reference: &'static str,
    /// Without `--deny`.
    severity: Level,
}

impl From<Severity> for Level {
    fn from(it: Severity) -> Self {
        match it {
            Severity::Error => Self::Error,
            Severity::Warning => Self::Warning,
        }
    }
}

/// The report as one line of JSON.
pub fn json(checked: &Checked<'_>) -> String {
    let Checked { found, statements, targets, many, exit_code } = *checked;
    let rules: BTreeSet<Rule> = found.iter().map(|it| it.rule).collect();
    let report = Report {
        format_version: "1.0",
        permitd_version: env!("CARGO_PKG_VERSION"),
        exit_code,
        summary: Summary {
            errors: checked.count(Severity::Error),
            warnings: checked.count(Severity::Warning),
            files: checked.files(),
            statements,
            targets,
            rules_for_many: many,
        },
        diagnostics: found.iter().map(finding).collect(),
        rules: rules.into_iter().map(rule_text).collect(),
    };
    serde_json::to_string(&report).unwrap_or_default()
}

/// The JSON Schema (2020-12) of [`json`]; published as `config/schema/check.json`.
pub fn schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<Report<'_>>();
    schema.insert("$id".into(), "urn:permitd:schema:check:1".into());
    schema.to_value()
}

fn finding(it: &Diagnostic) -> Finding<'_> {
    let Diagnostic { severity, place, message, help, rule, subject, other } = it;
    let source = place.source();
    let end = place.end();
    let related = other.as_deref().map(|(place, message)| related(place, message));
    Finding {
        severity: (*severity).into(),
        rule: rule.id(),
        risk: match rule {
            Rule::Risk(risk) => Some(risk.code()),
            Rule::ExpiresSoon
            | Rule::Expired
            | Rule::DuplicateGrant
            | Rule::PolicyNearlyFull
            | Rule::PolicyTooLarge
            | Rule::RuleMatchesNothing
            | Rule::SlowPass
            | Rule::Invalid
            | Rule::Syntax
            | Rule::Unreadable => None,
        },
        file: &place.file.name,
        line: source.line,
        column: source.column,
        end_line: end.map(|(line, _)| line),
        end_column: end.map(|(_, column)| column),
        message,
        help: help.as_deref(),
        subject: subject.as_ref().map(|it| it.name.as_str()),
        functions: subject.as_ref().map(|it| it.functions).filter(|it| *it > 0),
        related: related.into_iter().collect(),
    }
}

fn related<'a>(place: &'a Place, message: &'a str) -> Related<'a> {
    let source = place.source();
    Related { file: &place.file.name, line: source.line, column: source.column, message }
}

fn rule_text(rule: Rule) -> RuleText {
    RuleText {
        id: rule.id(),
        title: rule.title(),
        explanation: rule.explanation(),
        reference: rule.reference(),
        severity: rule.severity().into(),
    }
}

fn rule_id(_: &mut SchemaGenerator) -> Schema {
    let ids: Vec<&str> = Rule::ALL.iter().map(|it| it.id()).collect();
    schemars::json_schema!({ "type": "string", "enum": ids })
}

fn risk_code(_: &mut SchemaGenerator) -> Schema {
    let codes = Risk::ALL.iter().map(|it| Some(Cow::from(it.code())));
    let codes: Vec<Option<Cow<'_, str>>> = codes.chain([None]).collect();
    schemars::json_schema!({ "type": ["string", "null"], "enum": codes })
}
