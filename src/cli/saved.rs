//! A saved plan: what was read, what was meant by it, and what the policies were. `apply --plan` does it only if
//! every policy is still that.
#![expect(
    clippy::disallowed_methods,
    reason = "a saved plan is this command's own file, not the configuration that config/load.rs reads"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cli::{
    args::{ApplyArgs, ModeArg, SourceArgs, TargetArgs},
    exit::Exit,
    setup::{self, Texts},
    show::Stop,
    whole_file,
};
use crate::config::{
    diagnostic::{File, Files},
    settings::{self, Cap, Settings},
};
use crate::daemon::pass::Seen;
use crate::drift::{
    allow::Mode,
    approval::{Approval, Entry},
    plan::Plan,
};
use crate::policy::{document::Document, statement::Statement, target::Target};
use crate::report::palette::safe;

/// The major version of the file's form.
const FORMAT: &str = "1.0";
const KIND: &str = "permitd saved plan";

/// What `permitd plan --out` writes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedPlan {
    format_version: String,
    kind: String,
    permitd_version: String,
    /// Names what is said yes to by applying this.
    digest: String,
    inputs: Inputs,
    policies: Vec<Policy>,
    changes: Vec<Change>,
    /// Over all of it: what was edited by hand was not looked at.
    seal: String,
}

/// Everything that a plan is made from, but the policies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Inputs {
    settings: Option<Text>,
    base: PathBuf,
    permissions: Vec<Text>,
    account: Option<String>,
    region: Option<String>,
    targets: Vec<String>,
    mode: Option<String>,
    max_revocations: Option<String>,
    max_changed_targets: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Text {
    name: String,
    text: String,
}

/// A policy as the plan saw it, sorted.
#[derive(Debug, Serialize, Deserialize)]
struct Policy {
    arn: String,
    statements: Vec<Seeing>,
}

/// A statement as it was read: for programs in its canonical form, for people as Lambda gave it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seeing {
    sid: Option<String>,
    canonical: String,
    text: String,
}

impl Seeing {
    fn key(&self) -> (&Option<String>, &str) {
        (&self.sid, &self.canonical)
    }

    fn is_in(&self, others: &[Self]) -> bool {
        others.iter().any(|it| it.key() == self.key())
    }
}

/// What a statement was, and what it becomes; both canonical.
#[derive(Debug, Serialize, Deserialize)]
struct Change {
    arn: String,
    sid: String,
    before: Option<String>,
    after: Option<String>,
}

impl Inputs {
    /// As they were read.
    pub(crate) fn of(texts: &Texts, args: &TargetArgs) -> Self {
        let text = |it: &File| Text { name: it.name.to_string(), text: it.text.clone() };
        Self {
            settings: texts.settings_file.as_ref().map(|it| Text {
                name: it.name.to_string(),
                text: settings::without_receivers(it),
            }),
            base: texts.base.clone(),
            permissions: texts.files.files.iter().map(|it| text(it)).collect(),
            account: args.source.account.clone(),
            region: args.source.region.clone(),
            targets: args.targets.clone(),
            mode: args.mode.map(|it| Mode::from(it).name().to_owned()),
            max_revocations: args.max_revocations.map(|it| written(it, |it| it.to_string())),
            max_changed_targets: args
                .max_changed_targets
                .map(|it| written(it, |it| format!("{}%", it * 100.0))),
        }
    }
}

fn written<T>(cap: Cap<T>, text: impl Fn(T) -> String) -> String {
    match cap {
        Cap::Unlimited => "unlimited".to_owned(),
        Cap::At(it) => text(it),
    }
}

/// Writes the plan; false where not every policy could be read, for then there is no plan. Functions that are not there
/// stand in none: nothing is done about one that comes in between.
pub(crate) fn save(
    path: &Path,
    inputs: Inputs,
    seen: &[Seen<'_>],
    allow_missing: bool,
) -> Result<bool, Stop> {
    let all: Vec<(&Target, Option<&Document>, &Plan)> =
        seen.iter().filter_map(Seen::live_and_plan).collect();
    let allowed = |it: &&Seen<'_>| allow_missing && it.is_function_missing();
    if all.len() + seen.iter().filter(allowed).count() < seen.len() {
        return Ok(false);
    }
    let approval = Approval::of_shown(all.iter().map(|(target, _, plan)| (*target, *plan)));
    let changes = approval.entries().map(|it| Change {
        arn: it.target.clone(),
        sid: it.sid.clone(),
        before: it.before.clone(),
        after: it.after.clone(),
    });
    let mut plan = SavedPlan {
        format_version: FORMAT.to_owned(),
        kind: KIND.to_owned(),
        permitd_version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: approval.digest(),
        inputs,
        policies: all.iter().map(|(target, live, _)| policy(target, *live)).collect(),
        changes: changes.collect(),
        seal: String::new(),
    };
    plan.seal = plan.sealed();
    let mut text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    text.push('\n');
    // Tokens of event sources stand in it, so nobody else may read it.
    whole_file::write(path, &text, 0o600).map_err(|error| {
        let message = format!("cannot write the plan to {}: {error}", path.display());
        Stop::failure(message)
    })?;
    Ok(true)
}

fn policy(target: &Target, live: Option<&Document>) -> Policy {
    Policy { arn: target.arn(), statements: statements(target, live) }
}

fn statements(target: &Target, live: Option<&Document>) -> Vec<Seeing> {
    let all = live.map_or(&[][..], Document::statements);
    let one = |it: &Statement| Seeing {
        sid: it.sid().map(str::to_owned),
        canonical: it.canonical(target).text(),
        text: it.text().to_owned(),
    };
    let mut res: Vec<Seeing> = all.iter().map(one).collect();
    res.sort_by(|a, b| a.key().cmp(&b.key()));
    res
}

/// Reads a saved plan.
pub(crate) fn load(path: &Path) -> Result<SavedPlan, Stop> {
    let again = "make it anew with `permitd plan --out FILE`";
    let wrong = |why: String| {
        Stop::config(
            format!("{} is not a plan that this permitd saved: {why}", path.display()),
            again,
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Stop::config(format!("cannot read the plan {}: {error}", path.display()), again)
    })?;
    let plan: SavedPlan = serde_json::from_str(&text).map_err(|it| wrong(it.to_string()))?;
    let major = |it: &str| it.split('.').next().map(str::to_owned);
    if plan.kind != KIND || major(&plan.format_version) != major(FORMAT) {
        return Err(wrong(format!("its form is {} {}", plan.kind, plan.format_version)));
    }
    if plan.approval().digest() != plan.digest || plan.sealed() != plan.seal {
        return Err(wrong("it was changed after it was saved".to_owned()));
    }
    Ok(plan)
}

impl SavedPlan {
    /// The seal that belongs to what it says.
    fn sealed(&self) -> String {
        let Self { digest, inputs, policies, changes, .. } = self;
        let text = serde_json::to_string(&(digest, inputs, policies, changes)).unwrap_or_default();
        let mut res = String::new();
        for byte in Sha256::digest(text) {
            // Writing to a String cannot fail.
            write!(res, "{byte:02x}").unwrap_or_default();
        }
        res
    }

    /// What applying this says yes to.
    pub(crate) fn approval(&self) -> Approval {
        Approval::new(self.changes.iter().map(|it| Entry {
            target: it.arn.clone(),
            sid: it.sid.clone(),
            before: it.before.clone(),
            after: it.after.clone(),
        }))
    }

    /// The files and flags that it was made from, with what is typed now about where the journal is and how fast
    /// to call. Files that are named again have to want the same.
    pub(crate) fn inputs(&self, args: &ApplyArgs) -> Result<(Texts, TargetArgs), Stop> {
        let inputs = &self.inputs;
        let file = |it: &Text| File::new(it.name.as_str(), it.text.clone());
        let settings_file = inputs.settings.as_ref().map(file);
        let settings = match &settings_file {
            Some(file) => settings::parse(file).map_err(Stop::Config)?,
            None => Settings::default(),
        };
        let files =
            Files { files: inputs.permissions.iter().map(file).collect(), diagnostics: Vec::new() };
        let has_settings = settings_file.is_some();
        let texts =
            Texts { settings, has_settings, settings_file, base: inputs.base.clone(), files };
        let typed = &args.target;
        if !typed.source.files.is_empty() {
            let now = setup::read(&typed.source)?;
            let same = now.files.diagnostics.is_empty()
                && self.texts()
                    == now.files.files.iter().map(|it| it.text.as_str()).collect::<Vec<_>>();
            if !same {
                let message = "the permission files are not those that the plan was made from";
                let hint = "leave them out: the plan has its own; or make it anew with `permitd plan --out`";
                return Err(Stop::Said(Exit::Failure, message.to_owned(), Some(hint.to_owned())));
            }
        }
        let mode = inputs.mode.as_deref().and_then(ModeArg::named);
        let source = SourceArgs {
            files: Vec::new(),
            account: inputs.account.clone(),
            region: inputs.region.clone(),
            ..typed.source.clone()
        };
        let target = TargetArgs {
            source,
            targets: inputs.targets.clone(),
            mode: typed.mode.or(mode),
            max_revocations: inputs
                .max_revocations
                .as_deref()
                .and_then(|it| settings::parse_max_revocations(it).ok()),
            max_changed_targets: inputs
                .max_changed_targets
                .as_deref()
                .and_then(|it| settings::parse_max_changed_targets(it).ok()),
            ..typed.clone()
        };
        Ok((texts, target))
    }

    fn texts(&self) -> Vec<&str> {
        self.inputs.permissions.iter().map(|it| it.text.as_str()).collect()
    }

    /// Every policy is still what the plan saw, or nothing is done at all.
    pub(crate) fn check(&self, seen: &[Seen<'_>]) -> Result<(), Stop> {
        let mut now: BTreeMap<String, Vec<Seeing>> = BTreeMap::new();
        for (target, live, _) in seen.iter().filter_map(Seen::live_and_plan) {
            now.insert(target.arn(), statements(target, live));
        }
        let mut differences = Vec::new();
        for Policy { arn, statements } in &self.policies {
            match now.get(arn) {
                None => differences.push(format!("{}\n  ? it cannot be read now", safe(arn))),
                Some(live) if same(live, statements) => {}
                Some(live) => differences.push(difference(arn, statements, live)),
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        let n = differences.len();
        let what = if n == 1 { "1 policy is" } else { &format!("{n} policies are") };
        let message = format!(
            "{what} not what the plan saw, and nothing was changed:\n{}",
            differences.join("\n")
        );
        let hint = "make the plan anew with `permitd plan --out FILE`, and look at it again";
        Err(Stop::Said(Exit::Failure, message, Some(hint.to_owned())))
    }
}

/// The same statements say the same, however they are spelled and ordered.
fn same(a: &[Seeing], b: &[Seeing]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key() == b.key())
}

/// What came and what went since.
fn difference(arn: &str, before: &[Seeing], now: &[Seeing]) -> String {
    let mut res = safe(arn);
    let mut tell = |mark: &str, Seeing { sid, text, .. }: &Seeing, what: &str| {
        let sid = sid.as_deref().map_or_else(|| "(no Sid)".to_owned(), safe);
        // Writing to a String cannot fail.
        write!(res, "\n  {mark} {sid}  {what}: {}", safe(text)).unwrap_or_default();
    };
    for it in before.iter().filter(|it| !it.is_in(now)) {
        tell("-", it, "the plan saw");
    }
    for it in now.iter().filter(|it| !it.is_in(before)) {
        tell("+", it, "it is now");
    }
    res
}
