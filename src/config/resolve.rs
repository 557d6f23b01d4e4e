//! Typed files to what is wanted of each target; every rule over more than one value stands here.

use std::{collections::BTreeMap, sync::Arc};

use crate::config::diagnostic::{self, Diagnostic, File, PERMISSION_FILES, Place};
use crate::config::permissions::{Document, FunctionEntry, Parsed, Statement};
use crate::config::walk::{Spot, Text};
use crate::drift::allow::{IgnoreRule, Ownership, Replace};
use crate::drift::bridge::is_reserved;
use crate::drift::wanted::Wanted;
use crate::policy::grant::{Draft, Grant, Permission};
use crate::policy::target::{Defaults, Target, TargetError, check_account, check_region};

mod merge;

pub(super) use merge::matches;
use merge::{Mark, Merged, grant};

/// What the files do not say themselves.
#[derive(Debug, Clone)]
pub struct Context {
    /// For names and files without account or region.
    pub defaults: Defaults,
    /// For entries without `ownership`.
    pub ownership: Ownership,
    /// For entries without `replace`.
    pub replace: Replace,
    /// From the settings; a grant that matches one is an error.
    pub ignore: Vec<IgnoreRule>,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            defaults: Defaults::default(),
            ownership: Ownership::Declared,
            replace: Replace::default(),
            ignore: Vec::new(),
        }
    }
}

/// What the files want, ready to be compared with what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Sorted by target; never empty.
    pub wanted: Vec<Wanted>,
}

/// What the files want as far as it is clear, beside everything that is wrong with them.
///
/// For `permitd check`, which tells of a risk although there is an error elsewhere. Who acts takes [`resolve`],
/// where one error is enough for nothing to be done.
#[derive(Debug)]
pub struct Examined {
    /// Sorted by target.
    pub targets: Vec<Part>,
    /// Grants of entries whose functions are not clear.
    pub loose: Vec<Grant>,
    /// Everything that is wrong, by file and position.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is known to be wanted of one target.
#[derive(Debug)]
pub struct Part {
    /// What is wanted, without what is wrong.
    pub wanted: Wanted,
    /// Nothing of it is wrong or missing, so that its policy can be judged as a whole.
    pub complete: bool,
}

/// What somebody else has to say because the files do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lacking {
    /// At least one entry has no account.
    pub account: bool,
    /// At least one entry has no region.
    pub region: bool,
}

/// `names` times `statements` may be this much over all files; more is a mistake or an attack.
const MAX_GRANTS: usize = 500_000;
const NOBODY: &str = "000000000000";

/// Whether any entry needs an account or a region from elsewhere, so that nobody asks for nothing.
pub fn lacking(parsed: &Parsed<'_>) -> Lacking {
    let mut lacking = Lacking::default();
    for document in &parsed.documents {
        let own = file_defaults(document, &Defaults::default());
        if own.account.is_some() && own.region.is_some() {
            continue;
        }
        for name in document.entries.iter().flat_map(|it| &it.names) {
            for error in errors_of(&name.text, None, &own) {
                lacking.account |= matches!(error, TargetError::NoAccount(_));
                lacking.region |= matches!(error, TargetError::NoRegion(_));
            }
        }
    }
    lacking
}

/// The first region that the files name themselves: where to ask for credentials when nobody says otherwise.
pub fn first_region(parsed: &Parsed<'_>) -> Option<String> {
    parsed.documents.iter().find_map(|document| {
        let mut own = file_defaults(document, &Defaults::default());
        own.account.get_or_insert_with(|| NOBODY.to_owned());
        let mut names = document.entries.iter().flat_map(|it| &it.names);
        names
            .find_map(|it| Target::parse(&it.text, None, &own).ok())
            .map(|it| it.region().to_owned())
    })
}

/// Everything that the files want, or everything that is wrong with them, by file and position.
pub fn resolve(parsed: Parsed<'_>, context: &Context) -> Result<Loaded, Vec<Diagnostic>> {
    let Examined { targets, loose: _, diagnostics } = examine(parsed, context);
    if diagnostics.is_empty() {
        Ok(Loaded { wanted: targets.into_iter().map(|it| it.wanted).collect() })
    } else {
        Err(diagnostics)
    }
}

/// What the files want, and what is wrong with them.
pub fn examine(parsed: Parsed<'_>, context: &Context) -> Examined {
    let Parsed { documents, diagnostics } = parsed;
    let (targets, loose) = (BTreeMap::new(), Vec::new());
    let mut resolver = Resolver { context, diagnostics, targets, loose, n_grants: 0 };
    for document in &documents {
        resolver.document(document);
    }
    let Resolver { mut diagnostics, targets, loose, .. } = resolver;
    if targets.is_empty() && diagnostics.is_empty() {
        diagnostics.push(no_functions(&documents));
    }
    let part = |(target, merged): (Target, Merged<'_>)| {
        let before = diagnostics.len();
        let (wanted, complete) = merged.finish(target, context, &mut diagnostics);
        Part { wanted, complete: complete && diagnostics.len() == before }
    };
    let targets = targets.into_iter().map(part).collect();
    diagnostic::sort(&mut diagnostics);
    Examined { targets, loose, diagnostics }
}

struct Resolver<'a, 'c> {
    context: &'c Context,
    diagnostics: Vec<Diagnostic>,
    targets: BTreeMap<Target, Merged<'a>>,
    loose: Vec<Grant>,
    n_grants: usize,
}

/// A statement that was checked for one partition; none if something was wrong with it.
struct Checked {
    partition: String,
    permissions: Vec<Option<Permission>>,
}

/// What holds for all entries of one document.
struct Scope<'a> {
    file: &'a Arc<File>,
    defaults: Defaults,
    /// Its own account or region was refused already.
    bad: bool,
    /// Some of it may be missing.
    broken: bool,
}

impl<'a> Resolver<'a, '_> {
    fn document(&mut self, document: &'a Document<'a>) {
        let file = document.file;
        let mut bad = false;
        for (text, check) in [
            (&document.account, check_account as fn(&str) -> Result<(), TargetError>),
            (&document.region, check_region),
        ] {
            if let Some(Text { text, spot }) = text
                && let Err(error) = check(text)
            {
                self.diagnostics.push(spot.error(file, error.to_string()));
                bad = true;
            }
        }
        let defaults = file_defaults(document, &self.context.defaults);
        let scope = Scope { file, defaults, bad, broken: document.broken };
        for entry in &document.entries {
            self.entry(&scope, entry);
        }
    }

    fn entry(&mut self, scope: &Scope<'a>, entry: &'a FunctionEntry<'a>) {
        let file = scope.file;
        let mut checked: Vec<Checked> = Vec::new();
        let mut named: BTreeMap<Target, Spot> = BTreeMap::new();
        for name in &entry.names {
            let Some(target) = self.target(scope, entry, name) else { continue };
            if let Some(first) = named.get(&target) {
                let message = format!("{target} stands in this list twice");
                let error = name.spot.error(file, message);
                self.diagnostics.push(error.also(first.place(file), "it stands here first"));
                continue;
            }
            self.n_grants = self.n_grants.saturating_add(entry.statements.len());
            if self.n_grants > MAX_GRANTS {
                let message =
                    format!("the files have more than {MAX_GRANTS} grants, `names` expanded");
                self.diagnostics.push(name.spot.error(file, message));
                return;
            }
            let partition = target.partition();
            if !checked.iter().any(|it| it.partition == partition) {
                let permissions =
                    entry.statements.iter().map(|it| self.check(file, it, partition)).collect();
                checked.push(Checked { partition: partition.to_owned(), permissions });
            }
            let permissions = checked.iter().find(|it| it.partition == partition);
            let permissions = permissions.map(|it| it.permissions.as_slice()).unwrap_or_default();
            if entry.names.len() > 1 {
                named.insert(target.clone(), name.spot);
            }
            let merged = self
                .targets
                .entry(target)
                .or_insert_with(|| Merged::new(Mark::new(file, name.spot)));
            merged.add(file, entry, permissions, &mut self.diagnostics);
            merged.broken |= scope.broken;
        }
        if checked.is_empty() {
            // No target to check them for, but the author wants to hear of everything at once.
            for it in &entry.statements {
                let permission = self.check(file, it, "aws");
                self.loose.extend(permission.and_then(|permission| grant(file, it, permission)));
            }
        }
    }

    fn target(
        &mut self,
        scope: &Scope<'_>,
        entry: &FunctionEntry<'a>,
        name: &Text<'a>,
    ) -> Option<Target> {
        let Scope { file, defaults, bad, broken: _ } = scope;
        let qualifier = entry.qualifier.as_ref();
        let beside = qualifier.map(|it| it.text.as_ref());
        if let Ok(target) = Target::parse(&name.text, beside, defaults) {
            return Some(target);
        }
        for error in errors_of(&name.text, beside, defaults) {
            // The account and region of the file were told at their own place.
            let told =
                *bad && matches!(error, TargetError::BadAccount(_) | TargetError::BadRegion(_));
            let of_qualifier = match &error {
                TargetError::QualifierMismatch(..) | TargetError::BadQualifier(_) => true,
                TargetError::Latest => beside.is_some_and(|it| it.starts_with("$LATEST")),
                TargetError::Malformed(_)
                | TargetError::TooLong(..)
                | TargetError::NoAccount(_)
                | TargetError::NoRegion(_)
                | TargetError::BadAccount(_)
                | TargetError::BadRegion(_)
                | TargetError::PartitionMismatch(..) => false,
            };
            let spot = qualifier.filter(|_| of_qualifier).map_or(name.spot, |it| it.spot);
            if !told {
                self.diagnostics.push(spot.error(file, error.to_string()));
            }
        }
        None
    }

    fn check(
        &mut self,
        file: &Arc<File>,
        statement: &Statement<'a>,
        partition: &str,
    ) -> Option<Permission> {
        let text = |key| statement.text(key);
        let draft = Draft {
            sid: text("sid").unwrap_or_default(),
            principal: text("principal").unwrap_or_default(),
            action: text("action"),
            source_arn: text("source_arn"),
            source_account: text("source_account"),
            principal_org_id: text("principal_org_id"),
            event_source_token: text("event_source_token"),
            function_url_auth_type: text("function_url_auth_type"),
            invoked_via_function_url: statement.invoked_via_function_url.map(|(it, _)| it),
        };
        if let Some(sid) = text("sid") {
            self.refuse_bridge(file, sid, statement.spot_of("sid"));
        }
        match draft.check(partition) {
            Ok(it) => Some(it).filter(|_| statement.bad.is_empty()),
            Err(problems) => {
                let missing =
                    |key: &str| statement.bad.contains(&key) && statement.text(key).is_none();
                let told = |field: &str| {
                    let by_action =
                        ["function_url_auth_type", "invoked_via_function_url"].contains(&field);
                    missing(field) || (by_action && missing("action"))
                };
                for it in problems.into_iter().filter(|it| !told(it.field)) {
                    let error = statement.spot_of(it.field).error(file, it.message);
                    self.diagnostics.push(error);
                }
                None
            }
        }
    }

    fn refuse_bridge(&mut self, file: &Arc<File>, sid: &str, spot: Spot) {
        if is_reserved(sid) {
            let message = format!("the sid `{sid}` is reserved for permitd's own bridges");
            let help = "a sid may not end in `-permitd-` and eight hex digits; choose another";
            self.diagnostics.push(spot.error(file, message).help(help));
        }
    }
}

/// The account and region that hold in a file.
fn file_defaults(document: &Document<'_>, outer: &Defaults) -> Defaults {
    let own = |text: &Option<Text<'_>>| text.as_ref().map(|it| it.text.clone().into_owned());
    Defaults {
        account: own(&document.account).or_else(|| outer.account.clone()),
        region: own(&document.region).or_else(|| outer.region.clone()),
    }
}

/// Why a name is no target; a missing region is told together with a missing account.
fn errors_of(text: &str, qualifier: Option<&str>, defaults: &Defaults) -> Vec<TargetError> {
    let Err(error) = Target::parse(text, qualifier, defaults) else { return Vec::new() };
    let no_account = matches!(error, TargetError::NoAccount(_));
    let mut errors = vec![error];
    if no_account {
        let defaults = Defaults { account: Some(NOBODY.to_owned()), ..defaults.clone() };
        errors.extend(Target::parse(text, qualifier, &defaults).err());
    }
    errors
}

fn no_functions(documents: &[Document<'_>]) -> Diagnostic {
    let message = "no function is named in any permission file";
    let place = match documents.first() {
        Some(it) => it.functions_at.place(it.file),
        None => Place::whole(&File::new(PERMISSION_FILES, String::new())),
    };
    Diagnostic::error(place, message)
        .help("write `functions:` and under it `- function: NAME` with its `statements:`")
}

#[cfg(test)]
mod tests;
