//! What `permitd check` found, as SARIF 2.1.0 (OASIS), for code scanning.
//!
//! Only what is needed of the format stands here; `tests/it/sarif.rs` validates it against OASIS's own schema.
//! GitHub's reading of it: "SARIF support for code scanning" in its documentation.

mod rules;
mod uri;

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::{
    diagnostic::{Diagnostic, Place},
    rules::Rule,
};
use crate::report::{check::Checked, palette::safe};
use rules::Descriptor;
use uri::Location;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// How the fingerprint is made; another way gets another number, and is another key.
const FINGERPRINT: &str = "permitdFinding/v1";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    #[serde(rename = "originalUriBaseIds")]
    base_ids: BTreeMap<&'static str, Base>,
    /// Columns are characters here; without this they would be taken for UTF-16 code units.
    column_kind: &'static str,
    /// YAML ends a line after a lone carriage return, too.
    newline_sequences: [&'static str; 3],
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    short_description: Message,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    /// False where nothing could be judged: no file is no good news.
    execution_successful: bool,
    exit_code: u8,
    /// What is wrong with the call itself, and stands in no file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_configuration_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
    descriptor: Reference,
}

#[derive(Serialize)]
struct Reference {
    id: &'static str,
    index: usize,
}

#[derive(Serialize)]
struct Base {
    description: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<At>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<At>,
    partial_fingerprints: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct At {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

/// The report, for people who look into it on several lines. `folder` is the absolute path of the folder in which
/// permitd runs: files in it are named relative to it.
pub fn sarif(checked: &Checked<'_>, folder: &str) -> String {
    let Checked { found, exit_code, .. } = *checked;
    let (nowhere, found): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        found.iter().partition(|it| uri::is_no_file(&it.place.file.name));
    let mut seen = BTreeMap::new();
    let invocation = Invocation {
        execution_successful: nowhere.is_empty(),
        exit_code,
        tool_configuration_notifications: nowhere.into_iter().map(notification).collect(),
    };
    let here = "the folder in which permitd was run".to_owned();
    let run = Run {
        tool: Tool { driver: driver() },
        invocations: [invocation],
        base_ids: [(uri::ROOT, Base { description: Message { text: here } })].into(),
        column_kind: "unicodeCodePoints",
        newline_sequences: ["\r\n", "\n", "\r"],
        results: found.into_iter().map(|it| outcome(it, folder, &mut seen)).collect(),
    };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    serde_json::to_string_pretty(&log).unwrap_or_default()
}

fn driver() -> Driver {
    Driver {
        name: "permitd",
        version: env!("CARGO_PKG_VERSION"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        short_description: Message { text: env!("CARGO_PKG_DESCRIPTION").to_owned() },
        rules: Rule::ALL.into_iter().map(rules::descriptor).collect(),
    }
}

fn outcome(it: &Diagnostic, folder: &str, seen: &mut BTreeMap<String, u32>) -> Outcome {
    let location = physical(&it.place, folder);
    let fingerprint = fingerprint(it, &location.artifact_location.uri, seen);
    let other = it.other.as_deref().map(|(place, label)| At {
        id: Some(1),
        physical_location: physical(place, folder),
        message: Some(Message { text: plain(label) }),
    });
    Outcome {
        rule_id: it.rule.id(),
        rule_index: index_of(it.rule),
        level: it.severity.name(),
        message: message(it),
        locations: vec![At { id: None, physical_location: location, message: None }],
        related_locations: other.into_iter().collect(),
        partial_fingerprints: [(FINGERPRINT, fingerprint)].into(),
    }
}

fn notification(it: &Diagnostic) -> Notification {
    let descriptor = Reference { id: it.rule.id(), index: index_of(it.rule) };
    Notification { level: it.severity.name(), message: message(it), descriptor }
}

fn index_of(rule: Rule) -> usize {
    Rule::ALL.iter().position(|it| *it == rule).unwrap_or_default()
}

/// What is wrong, and what to do, unless the rule says that already.
fn message(it: &Diagnostic) -> Message {
    let help = it.help.as_deref().filter(|_| !matches!(it.rule, Rule::Risk(_)));
    Message {
        text: match help {
            Some(help) => format!("{}\n{}", plain(&it.message), plain(help)),
            None => plain(&it.message),
        },
    }
}

/// What a file says is shown as it is: it makes no link (SARIF 2.1.0, 3.11.6) and turns no text around.
fn plain(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|it| safe(it).replace("](", "] (")).collect();
    lines.join("\n")
}

fn physical(place: &Place, folder: &str) -> Physical {
    let region = place.span.zip(place.end()).map(|(start, (end_line, end_column))| Region {
        start_line: start.line,
        start_column: start.column,
        end_line,
        end_column,
    });
    Physical { artifact_location: uri::of_file(&place.file.name, folder), region }
}

/// Names a finding so that it is known again when lines have moved, and two that are alike are told apart.
///
/// A grant is known by its function and Sid, not by a message that counts the days; an error by its message and
/// the line it is in.
fn fingerprint(it: &Diagnostic, uri: &str, seen: &mut BTreeMap<String, u32>) -> String {
    let what = match &it.subject {
        Some(it) => it.name.clone(),
        None => format!("{}\0{}", it.message, line_of(&it.place)),
    };
    let mut hash = Sha256::new();
    for part in [it.rule.id(), uri, &what] {
        hash.update(part);
        hash.update([0]);
    }
    let start = hash.finalize().iter().take(8).fold(0_u64, |sum, it| (sum << 8) | u64::from(*it));
    let name = format!("{start:016x}");
    let n = seen.entry(name.clone()).and_modify(|it| *it += 1).or_insert(1);
    format!("{name}:{n}")
}

/// The line where it begins, without its indentation.
fn line_of(place: &Place) -> &str {
    let text = place.file.text.as_str();
    let start = place.span.map_or(0, |it| it.start as usize);
    let (before, after) = text.split_at_checked(start).unwrap_or((text, ""));
    let from = before.rfind(['\n', '\r']).map_or(0, |it| it + 1);
    let to = start + after.find(['\n', '\r']).unwrap_or(after.len());
    text.get(from..to).unwrap_or_default().trim()
}
