//! Typed files to what is wanted of each target; every rule over more than one value stands here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::diagnostic::{self, Diagnostic, File, PERMISSION_FILES, Place};
use crate::config::permissions::{Document, FunctionEntry, Match, Parsed, Statement};
use crate::config::placeholders::Values;
use crate::config::walk::{Spot, Text};
use crate::drift::allow::{IgnoreRule, Ownership, Replace, Writer};
use crate::drift::wanted::Wanted;
use crate::policy::grant::Grant;
use crate::policy::inventory::Inventory;
use crate::policy::target::{
    AccountRegion, Defaults, Target, TargetError, check_account, check_region, partition_of,
};

mod body;
mod content;
mod findings;
mod homes;
mod many;
mod merge;

pub use many::{Asks, Listing, Needs, RuleUse, Writes, needs};

use body::Body;
use findings::Findings;
use homes::homes;
use many::{Matcher, owns_more, place_of};
pub(super) use merge::matches;
use merge::{Mark, Merged, needs_document};

/// What the files do not say themselves.
#[derive(Debug, Clone)]
pub struct Context {
    /// For names and files without account or region.
    pub defaults: Defaults,
    /// For entries without `ownership`.
    pub ownership: Ownership,
    /// For entries without `replace`.
    pub replace: Replace,
    /// For entries without `writer`.
    pub writer: Writer,
    /// From the settings; a grant that matches one is an error.
    pub ignore: Vec<IgnoreRule>,
    /// The accounts and regions of the settings. None of them: nobody knows, and what `all` means is the default.
    pub places: Vec<AccountRegion>,
    /// What the rules for many functions look into. None: nothing was listed, so they are checked and cover nothing.
    pub inventory: Option<Arc<Inventory>>,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            defaults: Defaults::default(),
            ownership: Ownership::Declared,
            replace: Replace::default(),
            writer: Writer::default(),
            ignore: Vec::new(),
            places: Vec::new(),
            inventory: None,
        }
    }
}

/// What the files want, ready to be compared with what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Sorted by target; never empty, unless there are rules.
    pub wanted: Vec<Wanted>,
    /// The rules for many functions, in the order of the files, and what each covers now.
    pub rules: Vec<RuleUse>,
}

/// What the files want as far as it is clear, beside everything that is wrong with them.
///
/// For `permitd check`, which tells of a risk although there is an error elsewhere. Who acts takes [`resolve`],
/// where one error is enough for nothing to be done.
#[derive(Debug)]
pub struct Examined {
    /// Sorted by target.
    pub targets: Vec<Part>,
    /// Grants of entries whose functions are not clear, and of rules that cover nothing.
    pub loose: Vec<Grant>,
    /// The rules for many functions, in the order of the files.
    pub rules: Vec<RuleUse>,
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
/// What placeholders stand for where nothing else is known. Lambda takes them wherever it takes any.
const EXAMPLE: Values<'_> = Values {
    account: "123456789012",
    region: "us-east-1",
    partition: "aws",
    function: "f",
    qualifier: Some("live"),
};

/// Whether any entry needs an account or a region from elsewhere, so that nobody asks for nothing.
pub fn lacking(parsed: &Parsed<'_>) -> Lacking {
    let mut lacking = Lacking::default();
    for document in &parsed.documents {
        for own in homes(document, &Defaults::default(), &[], &mut Findings::default()) {
            if own.account.is_some() && own.region.is_some() {
                continue;
            }
            if document.entries.iter().any(|it| it.rule.is_some()) {
                lacking.account |= own.account.is_none();
                lacking.region |= own.region.is_none();
            }
            for name in document.entries.iter().flat_map(|it| &it.names) {
                for error in errors_of(&name.text, None, &own) {
                    lacking.account |= matches!(error, TargetError::NoAccount(_));
                    lacking.region |= matches!(error, TargetError::NoRegion(_));
                }
            }
        }
    }
    lacking
}

/// The first region that the files name themselves: where to ask for credentials when nobody says otherwise.
pub fn first_region(parsed: &Parsed<'_>) -> Option<String> {
    parsed.documents.iter().find_map(|document| {
        let homes = homes(document, &Defaults::default(), &[], &mut Findings::default());
        let has_rule = document.entries.iter().any(|it| it.rule.is_some());
        homes.into_iter().find_map(|mut own| {
            own.account.get_or_insert_with(|| NOBODY.to_owned());
            let mut names = document.entries.iter().flat_map(|it| &it.names);
            let target = names.find_map(|it| Target::parse(&it.text, None, &own).ok());
            target.map(|it| it.region().to_owned()).or(own.region.filter(|_| has_rule))
        })
    })
}

/// Everything that the files want, or everything that is wrong with them, by file and position.
pub fn resolve(parsed: Parsed<'_>, context: &Context) -> Result<Loaded, Vec<Diagnostic>> {
    let Examined { targets, loose: _, rules, diagnostics } = examine(parsed, context);
    if diagnostics.is_empty() {
        Ok(Loaded { wanted: targets.into_iter().map(|it| it.wanted).collect(), rules })
    } else {
        Err(diagnostics)
    }
}

/// What the files want, and what is wrong with them.
pub fn examine(parsed: Parsed<'_>, context: &Context) -> Examined {
    let Parsed { documents, diagnostics } = parsed;
    let mut resolver = Resolver {
        context,
        findings: Findings::new(diagnostics),
        targets: BTreeMap::new(),
        loose: Vec::new(),
        rules: Vec::new(),
        n_grants: 0,
        writers_differ: documents.iter().flat_map(|it| &it.entries).any(|it| it.writer.is_some()),
    };
    for document in &documents {
        resolver.document(document);
    }
    let Resolver { mut findings, targets, loose, rules, .. } = resolver;
    if targets.is_empty() && rules.is_empty() && findings.is_empty() {
        findings.push(no_functions(&documents));
    }
    let part = |(target, merged): (Target, Merged<'_>)| {
        let before = findings.n_told();
        let (wanted, complete) = merged.finish(target, context, &mut findings);
        Part { wanted, complete: complete && findings.n_told() == before }
    };
    let targets = targets.into_iter().map(part).collect();
    let mut diagnostics = findings.into_list();
    diagnostic::sort(&mut diagnostics);
    Examined { targets, loose, rules, diagnostics }
}

struct Resolver<'a, 'c> {
    context: &'c Context,
    findings: Findings,
    targets: BTreeMap<Target, Merged<'a>>,
    loose: Vec<Grant>,
    rules: Vec<RuleUse>,
    n_grants: usize,
    /// Some entry says by which calls its functions are written.
    writers_differ: bool,
}

/// What holds for all entries of one document.
struct Scope<'a> {
    file: &'a Arc<File>,
    /// Where its functions are; what is none there nobody said.
    homes: Vec<Defaults>,
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
                self.findings.push(spot.error(file, error.to_string()));
                bad = true;
            }
        }
        let Context { defaults, places, .. } = self.context;
        let homes = homes(document, defaults, places, &mut self.findings);
        let scope = Scope { file, homes, bad, broken: document.broken };
        for entry in &document.entries {
            let mut body = Body::new(file, entry, &mut self.findings);
            match &entry.rule {
                Some(rule) => self.many(&scope, entry, rule, &mut body),
                None => self.named(&scope, entry, &mut body),
            }
        }
    }

    fn named(&mut self, scope: &Scope<'a>, entry: &'a FunctionEntry<'a>, body: &mut Body<'a>) {
        let file = scope.file;
        let mut named: BTreeMap<Target, Spot> = BTreeMap::new();
        let mut clear = false;
        for name in &entry.names {
            // A name that says it all is the same everywhere.
            let mut here: BTreeSet<Target> = BTreeSet::new();
            for home in &scope.homes {
                let Some(target) = self.target(scope, home, entry, name) else { continue };
                clear = true;
                if let Some(first) = named.get(&target) {
                    let message = format!("{target} stands in this list twice");
                    let error = name.spot.error(file, message);
                    let error = error.also(first.place(file), "it stands here first");
                    self.findings.of_target(&target, "list", error);
                } else if here.insert(target.clone())
                    && !self.give(scope, (entry, body), &target, (name.spot, None))
                {
                    return;
                }
            }
            if entry.names.len() > 1 {
                named.extend(here.into_iter().map(|it| (it, name.spot)));
            }
        }
        if !clear {
            // No target to check them for, but the author wants to hear of everything at once.
            let found = body.without_target(EXAMPLE, None, &mut self.findings);
            self.loose(scope, entry, found);
        }
    }

    fn many(
        &mut self,
        scope: &Scope<'a>,
        entry: &'a FunctionEntry<'a>,
        rule: &Match<'a>,
        body: &mut Body<'a>,
    ) {
        let matcher = Matcher::new(rule);
        let text = &matcher.text;
        let mut usage = self.usage(scope, entry, rule, &matcher);
        let inventory = self.context.inventory.as_ref().filter(|_| !rule.bad);
        for home in &scope.homes {
            let Some(place) = place_of(home) else {
                self.no_place(scope, home, rule);
                continue;
            };
            let functions = inventory.and_then(|it| it.functions(&place));
            let covered = functions.map(|it| matcher.covers(home, it)).unwrap_or_default();
            if !covered.complete {
                usage.not_listed.push(place);
            }
            for target in covered.targets {
                usage.n_targets += 1;
                if !self.give(scope, (entry, body), &target, (rule.spot, Some(text))) {
                    return;
                }
            }
        }
        if usage.n_targets == 0 {
            let values = scope.homes.first().map_or(EXAMPLE, |it| Values {
                account: it.account.as_deref().unwrap_or(EXAMPLE.account),
                region: it.region.as_deref().unwrap_or(EXAMPLE.region),
                partition: it.region.as_deref().map_or(EXAMPLE.partition, partition_of),
                ..EXAMPLE
            });
            let qualifier = EXAMPLE.qualifier.filter(|_| !matcher.covers_unqualified());
            let values = Values { qualifier, ..values };
            let found = body.without_target(values, Some(text), &mut self.findings);
            self.loose(scope, entry, found);
        }
        self.rules.extend(Some(usage).filter(|_| !rule.bad));
    }

    fn usage(
        &self,
        scope: &Scope<'a>,
        entry: &FunctionEntry<'a>,
        rule: &Match<'a>,
        matcher: &Matcher,
    ) -> RuleUse {
        let places: Vec<AccountRegion> = scope.homes.iter().filter_map(place_of).collect();
        let arns = places.iter().flat_map(|it| matcher.arns(it)).collect();
        let ownership = entry.ownership.as_ref().map_or(&self.context.ownership, |(it, _)| it);
        let grants = !entry.statements.is_empty();
        RuleUse {
            source: rule.spot.place(scope.file).source(),
            text: Arc::clone(&matcher.text),
            places,
            n_targets: 0,
            not_listed: Vec::new(),
            arns,
            asks: matcher.asks(),
            writes: Writes {
                adds: grants,
                removes: grants || !entry.absent.is_empty() || owns_more(ownership),
                suspended: entry.suspend.is_some_and(|(it, _)| it),
                documents: entry.writer.map_or(self.context.writer, |(it, _)| it)
                    != Writer::Statements,
            },
        }
    }

    fn no_place(&mut self, scope: &Scope<'a>, home: &Defaults, rule: &Match<'a>) {
        let what = [
            (home.account.is_none(), "account", "account", "--account"),
            (home.region.is_none(), "region", "region", "--region"),
        ];
        for (_, what, key, flag) in what.into_iter().filter(|it| it.0) {
            let message = format!("no {what} for this rule");
            let help = format!(
                "write `{key}:`, or `{key}s:` with a list or `all`, at the top of the file, or pass {flag}"
            );
            self.findings.push(rule.spot.error(scope.file, message).help(help));
        }
    }

    /// Grants without a target.
    fn loose(
        &mut self,
        scope: &Scope<'a>,
        entry: &FunctionEntry<'a>,
        found: Vec<(&'a Statement<'a>, Grant)>,
    ) {
        // Another entry for the same functions may say by which calls they are written.
        let usual = if self.writers_differ { Writer::Auto } else { self.context.writer };
        let writer = entry.writer.map_or(usual, |(it, _)| it);
        for (statement, grant) in found {
            let error = needs_document(scope.file, statement, &grant.terms, writer);
            if let Some(it) = error {
                self.findings.push(it);
            }
            self.loose.push(grant);
        }
    }

    /// Adds what an entry says to a target. False if that is too much.
    fn give(
        &mut self,
        scope: &Scope<'a>,
        (entry, body): (&'a FunctionEntry<'a>, &mut Body<'a>),
        target: &Target,
        (spot, rule): (Spot, Option<&Arc<str>>),
    ) -> bool {
        let file = scope.file;
        self.n_grants = self.n_grants.saturating_add(entry.statements.len());
        if self.n_grants > MAX_GRANTS {
            let message =
                format!("the files have more than {MAX_GRANTS} grants, `names` and rules expanded");
            self.findings.push(spot.error(file, message));
            return false;
        }
        let said = body.at(target, rule, &mut self.findings);
        let merged = self.targets.entry(target.clone());
        let merged = merged.or_insert_with(|| Merged::new(Mark::new(file, spot)));
        merged.add(file, entry, said, target, &mut self.findings);
        merged.broken |= scope.broken;
        true
    }

    fn target(
        &mut self,
        scope: &Scope<'_>,
        defaults: &Defaults,
        entry: &FunctionEntry<'a>,
        name: &Text<'a>,
    ) -> Option<Target> {
        let Scope { file, bad, .. } = scope;
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
                self.findings.push(spot.error(file, error.to_string()));
            }
        }
        None
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
