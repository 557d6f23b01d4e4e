//! The same for programs: `format_version` 1.0, with a published schema. Fields may be added; a breaking change
//! raises the major version.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde::Serialize;

use super::{Explained, Live, Written, grant, notes, words};
use crate::policy::{
    evaluate::{Answer, By, Caller, Effect, Element, Finding, Verdict},
    source::Source,
};

/// What `permitd explain --output json` prints.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "permitd explain")]
struct Report<'a> {
    /// `MAJOR.MINOR`; a breaking change raises the first, and unknown fields are to be ignored.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    format_version: &'static str,
    /// The version of permitd that wrote it.
    permitd_version: &'static str,
    /// What the shell sees: 0 allowed (live), 2 not allowed, 1 an error, or it cannot be told.
    exit_code: u8,
    /// The full ARN of what is called, with the qualifier.
    target: String,
    request: Call,
    /// The policy that is there.
    live: LiveReport<'a>,
    /// The grants of the permission files.
    written: WrittenReport<'a>,
    /// A permission file with a grant that would allow the call; null where it is allowed or denied, or where no grant
    /// can name the caller.
    grant: Option<String>,
    /// What has to be known besides, for people.
    notes: Vec<String>,
}

/// The call that was asked about. What was not given is null, and taken not to be in the call.
#[derive(Serialize, JsonSchema)]
struct Call {
    /// As it was given.
    principal: String,
    caller: CallerKind,
    /// For example `lambda:InvokeFunction`.
    action: String,
    /// `aws:SourceArn`
    source_arn: Option<String>,
    /// `aws:SourceAccount`
    source_account: Option<String>,
    /// `aws:PrincipalOrgID`
    principal_org_id: Option<String>,
    /// `lambda:EventSourceToken`
    event_source_token: Option<String>,
    /// `lambda:FunctionUrlAuthType`
    function_url_auth_type: Option<String>,
    /// `lambda:InvokedViaFunctionUrl`
    invoked_via_function_url: Option<bool>,
}

/// Who calls.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CallerKind {
    /// A service of AWS.
    Service,
    /// A user, a role or a session.
    Identity,
    /// A principal of an account that no statement names by itself.
    Account,
    /// A principal of an organization, of an account that no statement names.
    OrganizationMember,
    /// Somebody who did not sign in.
    Anonymous,
}

/// The policy that is there.
#[derive(Serialize, JsonSchema)]
struct LiveReport<'a> {
    state: LiveState,
    #[schemars(schema_with = "verdict")]
    verdict: &'static str,
    /// What it was read as.
    revision_id: Option<&'a str>,
    /// Why it is unknown.
    error: Option<&'a str>,
    /// What to do about that.
    hint: Option<&'a str>,
    /// In Lambda's order.
    statements: Vec<Told<'a>>,
}

/// What became of reading the policy.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LiveState {
    /// It was read.
    Policy,
    /// There is none.
    NoPolicy,
    /// It could not be read, or there is no such function.
    Unknown,
}

/// What the files say.
#[derive(Serialize, JsonSchema)]
struct WrittenReport<'a> {
    state: WrittenState,
    /// Null where the files say nothing of the target.
    #[schemars(schema_with = "verdict_or_null")]
    verdict: Option<&'static str>,
    /// Grants that have expired, and do not count.
    expired: usize,
    /// The grants, by Sid.
    statements: Vec<Told<'a>>,
}

/// What the files have to do with the target.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum WrittenState {
    /// There are none.
    NoFiles,
    /// None of them is about it.
    NotNamed,
    /// They are about it.
    Grants,
}

/// One statement.
#[derive(Serialize, JsonSchema)]
struct Told<'a> {
    sid: Option<&'a str>,
    /// Null where it is neither of the two.
    effect: Option<EffectName>,
    result: MatchResult,
    /// As whom the caller is named; null where it is not, or where that cannot be told.
    named_as: Option<NamedAs>,
    /// Each element that says no.
    differs: Vec<Differs<'a>>,
    /// Each element that cannot be told; empty where another one says no.
    unknown: Vec<Unknown>,
    /// Conditions that hold only because the call has nothing under their key.
    holds_without: Vec<String>,
    /// `file:line:column` of a grant.
    source: Option<String>,
}

#[derive(Serialize, JsonSchema)]
enum EffectName {
    Allow,
    Deny,
}

/// Whether a statement matches the call.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum MatchResult {
    /// In all of its elements.
    Matches,
    /// At least one element says no.
    Differs,
    /// It cannot be told.
    Unknown,
}

/// As whom a statement names the caller.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum NamedAs {
    /// By itself.
    Itself,
    /// By its account: the caller's own IAM policy has to allow the call as well.
    Account,
    /// As everybody is.
    Anyone,
    /// By not being left out.
    Rest,
}

/// An element that says no.
#[derive(Serialize, JsonSchema)]
struct Differs<'a> {
    /// For example `Principal`, `NotAction`, `Condition.ArnLike.AWS:SourceArn`.
    element: String,
    /// What the call has; null where it has nothing.
    given: Option<&'a str>,
    /// What stands in the statement.
    wanted: &'a [String],
    /// It is for all but these.
    negated: bool,
    /// The same in words.
    message: String,
}

/// An element that cannot be told.
#[derive(Serialize, JsonSchema)]
struct Unknown {
    /// As in `differs`; null where it is about the statement as a whole.
    element: Option<String>,
    /// Why not.
    message: String,
}

/// The report, with a line feed at its end.
pub fn json(explained: &Explained<'_>) -> String {
    let Explained { target, request, live, written, exit_code } = explained;
    let report = Report {
        format_version: "1.0",
        permitd_version: env!("CARGO_PKG_VERSION"),
        exit_code: *exit_code,
        target: target.arn(),
        request: Call {
            principal: request.caller.to_string(),
            caller: match request.caller {
                Caller::Service(_) => CallerKind::Service,
                Caller::Identity(_) => CallerKind::Identity,
                Caller::Account { .. } => CallerKind::Account,
                Caller::Member => CallerKind::OrganizationMember,
                Caller::Anonymous => CallerKind::Anonymous,
            },
            action: request.action.clone(),
            source_arn: request.source_arn.clone(),
            source_account: request.source_account.clone(),
            principal_org_id: request.org.clone(),
            event_source_token: request.event_source_token.clone(),
            function_url_auth_type: request.function_url_auth_type.clone(),
            invoked_via_function_url: request.invoked_via_function_url,
        },
        live: live_report(live),
        written: written_report(written),
        grant: grant(explained),
        notes: notes(explained),
    };
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

/// The JSON Schema (2020-12) of [`json`]; published as `config/schema/explain.json`.
pub fn schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<Report<'_>>();
    schema.insert("$id".into(), "urn:permitd:schema:explain:1".into());
    schema.to_value()
}

fn live_report(live: &Live) -> LiveReport<'_> {
    let mut res = LiveReport {
        state: LiveState::NoPolicy,
        verdict: live.verdict().name(),
        revision_id: None,
        error: None,
        hint: None,
        statements: live.findings().iter().map(|it| told(it, None)).collect(),
    };
    match live {
        Live::Policy { revision, .. } => {
            res.state = LiveState::Policy;
            res.revision_id = Some(revision);
        }
        Live::NoPolicy => {}
        Live::Unreadable { message, hint } => {
            res.state = LiveState::Unknown;
            res.error = Some(message);
            res.hint = hint.as_deref();
        }
    }
    res
}

fn written_report(written: &Written) -> WrittenReport<'_> {
    let (findings, sources) = written.parts();
    let (state, expired) = match written {
        Written::NoFiles => (WrittenState::NoFiles, 0),
        Written::NotNamed => (WrittenState::NotNamed, 0),
        Written::Grants { expired, .. } => (WrittenState::Grants, *expired),
    };
    let statements = findings.iter().enumerate().map(|(at, it)| told(it, sources.get(at)));
    WrittenReport {
        state,
        verdict: written.verdict().map(Verdict::name),
        expired,
        statements: statements.collect(),
    }
}

fn told<'a>(it: &'a Finding, source: Option<&Source>) -> Told<'a> {
    let Finding { sid, effect, answer, by, without } = it;
    let mut res = Told {
        sid: sid.as_deref(),
        effect: effect.map(|it| match it {
            Effect::Allow => EffectName::Allow,
            Effect::Deny => EffectName::Deny,
        }),
        result: MatchResult::Matches,
        named_as: by.map(|it| match it {
            By::Itself => NamedAs::Itself,
            By::Account => NamedAs::Account,
            By::Anyone => NamedAs::Anyone,
            By::Rest => NamedAs::Rest,
        }),
        differs: Vec::new(),
        unknown: Vec::new(),
        holds_without: without.iter().map(ToString::to_string).collect(),
        source: source.map(ToString::to_string),
    };
    match answer {
        Answer::Matches => {}
        Answer::Differs(all) => {
            res.result = MatchResult::Differs;
            res.differs = all
                .iter()
                .map(|it| Differs {
                    element: it.element.to_string(),
                    given: it.given.as_deref(),
                    wanted: &it.wanted,
                    negated: is_negated(&it.element),
                    message: words::difference(it),
                })
                .collect();
        }
        Answer::Unknown(all) => {
            res.result = MatchResult::Unknown;
            res.unknown = all
                .iter()
                .map(|it| Unknown {
                    element: it.element.as_ref().map(ToString::to_string),
                    message: it.why.to_string(),
                })
                .collect();
        }
    }
    res
}

fn is_negated(element: &Element) -> bool {
    match element {
        Element::Principal { not }
        | Element::Action { not }
        | Element::Resource { not }
        | Element::Condition { not, .. } => *not,
    }
}

fn verdict(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Verdict::ALL.map(Verdict::name) })
}

fn verdict_or_null(_: &mut SchemaGenerator) -> Schema {
    let names = Verdict::ALL.map(|it| Some(it.name())).into_iter().chain([None]);
    json_schema!({ "type": ["string", "null"], "enum": names.collect::<Vec<_>>() })
}
