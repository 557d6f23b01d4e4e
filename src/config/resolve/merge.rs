//! All entries for one target, put together.

use std::sync::Arc;

use wildmatch::WildMatch;

use super::Context;
use crate::config::diagnostic::{Diagnostic, File, Place};
use crate::config::permissions::{FunctionEntry, Statement};
use crate::config::walk::Spot;
use crate::drift::allow::{IgnoreRule, Ownership, Replace};
use crate::drift::bridge::is_reserved;
use crate::drift::wanted::{AbsentSid, Wanted};
use crate::policy::grant::{Grant, Permission};
use crate::policy::principal::Principal;
use crate::policy::target::Target;

/// A spot of one of the files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark<'a> {
    file: &'a Arc<File>,
    spot: Spot,
}

/// What the entries said so far; what an entry leaves out, another one decides.
#[derive(Debug)]
pub(super) struct Merged<'a> {
    first: Mark<'a>,
    ownership: Option<(Ownership, Mark<'a>)>,
    suspend: Option<(bool, Mark<'a>)>,
    replace: Option<(Replace, Mark<'a>)>,
    empty: Option<Mark<'a>>,
    granted: Vec<Granted<'a>>,
    absent: Vec<(String, Mark<'a>)>,
    /// Where the statements stand that are said to be none.
    statements_at: Mark<'a>,
    /// Some statement is wanted, or was meant to be and is wrong.
    has_statements: bool,
    /// Something of it is wrong, or missing.
    pub(super) broken: bool,
}

/// A statement with a sid. Its permission is none if something is wrong with it.
#[derive(Debug)]
struct Granted<'a> {
    sid: &'a str,
    statement: &'a Statement<'a>,
    permission: Option<Permission>,
    mark: Mark<'a>,
}

impl<'a> Mark<'a> {
    pub(super) fn new(file: &'a Arc<File>, spot: Spot) -> Self {
        Self { file, spot }
    }

    fn place(&self) -> Place {
        self.spot.place(self.file)
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        self.spot.error(self.file, message)
    }

    /// An error about two places. Where they are one, for an alias repeats it, the aliases are told.
    fn clash(&self, first: &Self, message: String) -> Diagnostic {
        let same = std::ptr::eq(self.file, first.file) && self.spot.span == first.spot.span;
        let of = |it: &Self| match it.spot.used.filter(|_| same) {
            Some(used) => Place::at(it.file, used),
            None => it.place(),
        };
        Diagnostic::error(of(self), message).also(of(first), "it stands here first")
    }
}

impl<'a> Merged<'a> {
    pub(super) fn new(first: Mark<'a>) -> Self {
        Self {
            first,
            ownership: None,
            suspend: None,
            replace: None,
            empty: None,
            granted: Vec::new(),
            absent: Vec::new(),
            statements_at: first,
            has_statements: false,
            broken: false,
        }
    }

    /// One more entry, its statements already checked.
    pub(super) fn add(
        &mut self,
        file: &'a Arc<File>,
        entry: &'a FunctionEntry<'a>,
        permissions: &[Option<Permission>],
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let mark = |spot| Mark::new(file, spot);
        if let Some((value, spot)) = &entry.ownership {
            agree(&mut self.ownership, value, mark(*spot), "ownership", diagnostics);
        }
        if let Some((value, spot)) = entry.suspend {
            agree(&mut self.suspend, &value, mark(spot), "suspend", diagnostics);
        }
        if let Some((value, spot)) = entry.replace {
            agree(&mut self.replace, &value, mark(spot), "replace", diagnostics);
        }
        // Beside statements of its own it was refused already.
        if let Some(spot) = entry.empty.filter(|_| entry.statements.is_empty()) {
            self.empty.get_or_insert(mark(spot));
        }
        if !self.has_statements {
            self.statements_at = mark(entry.statements_at);
        }
        self.has_statements |= entry.broken || !entry.statements.is_empty();
        self.broken |= entry.broken || permissions.iter().any(Option::is_none);
        self.absent.extend(entry.absent.iter().map(|it| (it.text.to_string(), mark(it.spot))));
        let granted = entry.statements.iter().zip(permissions).filter_map(|(statement, it)| {
            let mark = mark(statement.spot_of("sid"));
            Some(Granted { sid: statement.text("sid")?, statement, permission: it.clone(), mark })
        });
        self.granted.extend(granted);
    }

    /// What is wanted of the target, whether it was all there, and everything that contradicts itself.
    pub(super) fn finish(
        mut self,
        target: Target,
        context: &Context,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> (Wanted, bool) {
        // Stable, so that of two equal ones the first is called the first.
        self.granted.sort_by_key(|it| it.sid);
        self.refuse_repetition(&target, diagnostics);
        let ownership = self.ownership.take().map_or_else(|| context.ownership.clone(), |it| it.0);
        self.check_emptiness(&target, &ownership, diagnostics);
        let absent = absent_sids(self.absent, &self.granted, &target, diagnostics);
        let mut grants = Vec::with_capacity(self.granted.len());
        for Granted { sid: _, statement, permission, mark } in self.granted {
            let Some(grant) = permission.and_then(|it| grant(mark.file, statement, it)) else {
                continue;
            };
            if let Some(rule) = context.ignore.iter().find(|it| matches(it, &grant, &target)) {
                let message = format!("the settings ignore this grant ({})", describe(rule));
                let help =
                    "what is in a file cannot be ignored; change the rule, or delete the grant";
                diagnostics.push(mark.error(message).help(help));
            }
            grants.push(grant);
        }
        let suspend = self.suspend.is_some_and(|(it, _)| it);
        let replace = self.replace.map_or(context.replace, |(it, _)| it);
        let source = self.first.place().source();
        (Wanted { target, ownership, grants, absent, suspend, replace, source }, !self.broken)
    }

    fn refuse_repetition(&self, target: &Target, diagnostics: &mut Vec<Diagnostic>) {
        for (before, it) in self.granted.iter().zip(self.granted.iter().skip(1)) {
            if before.sid == it.sid {
                let message = format!("the sid `{}` stands twice in {target}", it.sid);
                let help = "a sid is unique in one policy; choose another, or delete one of them";
                diagnostics.push(it.mark.clash(&before.mark, message).help(help));
            }
        }
    }

    /// Nobody empties a policy by forgetting a list, and nobody fills one that is said to be empty.
    fn check_emptiness(
        &self,
        target: &Target,
        ownership: &Ownership,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        if *ownership == Ownership::All && !self.has_statements && self.empty.is_none() {
            let message = "`ownership: all` without statements takes back everything";
            let help = "write `empty: true` beside it if that is meant";
            diagnostics.push(self.statements_at.error(message).help(help));
        }
        if let (Some(empty), Some(Granted { mark, .. })) = (self.empty, self.granted.first()) {
            let message = format!("`empty: true`, but {target} has statements");
            let error = empty.error(message).also(mark.place(), "one of them");
            diagnostics.push(error.help("delete `empty`, or the statements"));
        }
    }
}

/// A statement whose permission is sound, as the grant that it is.
pub(super) fn grant(
    file: &Arc<File>,
    statement: &Statement<'_>,
    permission: Permission,
) -> Option<Grant> {
    Some(Grant {
        sid: statement.text("sid")?.to_owned(),
        permission,
        expires: statement.expires,
        accept: statement.accept.clone(),
        description: statement.text("description").map(str::to_owned),
        source: statement.spot.place(file).source(),
    })
}

fn agree<'a, T: Clone + PartialEq>(
    known: &mut Option<(T, Mark<'a>)>,
    value: &T,
    mark: Mark<'a>,
    key: &str,
    diagnostics: &mut Vec<Diagnostic>,
) {
    match known {
        Some((before, first)) if before != value => {
            let message = format!("`{key}` contradicts another entry for the same function");
            let help = "write it in one of them only, or the same in both";
            diagnostics.push(mark.clash(first, message).help(help));
        }
        Some(_) => {}
        None => *known = Some((value.clone(), mark)),
    }
}

fn absent_sids(
    mut absent: Vec<(String, Mark<'_>)>,
    granted: &[Granted<'_>],
    target: &Target,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<AbsentSid> {
    absent.sort_by(|(a, _), (b, _)| a.cmp(b));
    absent.dedup_by(|(later, _), (kept, _)| later == kept);
    for (sid, mark) in &absent {
        if let Err(message) = check_removable(sid) {
            diagnostics.push(mark.error(message));
        }
        if is_reserved(sid) {
            let message = format!("the sid `{sid}` is reserved for permitd's own bridges");
            let help = "name the sid that it stands for; the bridge goes with it";
            diagnostics.push(mark.error(message).help(help));
        }
        if let Ok(n) = granted.binary_search_by(|it| it.sid.cmp(sid))
            && let Some(granted) = granted.get(n)
        {
            let message = format!("the sid `{sid}` is both granted and `absent` in {target}");
            let error = mark.error(message).also(granted.mark.place(), "it is granted here");
            diagnostics.push(error.help("delete one of them"));
        }
    }
    let source = |(sid, mark): (String, Mark<'_>)| AbsentSid { sid, source: mark.place().source() };
    absent.into_iter().map(source).collect()
}

/// `RemovePermission` also takes dots (`lambda-semantics.md`, 2.1).
fn check_removable(sid: &str) -> Result<(), String> {
    let bad = sid.chars().find(|it| !(it.is_ascii_alphanumeric() || "-_.".contains(*it)));
    match (sid.len(), bad) {
        (0, _) => Err("the sid is empty".to_owned()),
        (_, Some(it)) => Err(format!("`{}` cannot stand in a sid", it.escape_default())),
        (101.., None) => Err(format!("the sid has {} characters; Lambda allows 100", sid.len())),
        (_, None) => Ok(()),
    }
}

/// Whether the settings ignore a grant, which is an error of the files.
pub(in crate::config) fn matches(rule: &IgnoreRule, grant: &Grant, target: &Target) -> bool {
    let IgnoreRule { sid, principal, source_arn } = rule;
    let fits = |pattern: &Option<WildMatch>, text: Option<&str>| {
        pattern.as_ref().is_none_or(|it| text.is_some_and(|text| it.matches(text)))
    };
    let who = &grant.permission.principal;
    let root = match who {
        Principal::Account(id) => Some(format!("arn:{}:iam::{id}:root", target.partition())),
        Principal::Anyone | Principal::Iam(_) | Principal::Service(_) | Principal::Deleted(_) => {
            None
        }
    };
    fits(sid, Some(&grant.sid))
        && (fits(principal, Some(who.parameter()))
            || (root.is_some() && fits(principal, root.as_deref())))
        && fits(source_arn, grant.permission.source_arn.as_deref())
}

fn describe(rule: &IgnoreRule) -> String {
    let IgnoreRule { sid, principal, source_arn } = rule;
    let named = [("sid", sid), ("principal", principal), ("source_arn", source_arn)];
    let parts: Vec<String> = named
        .into_iter()
        .filter_map(|(key, it)| it.as_ref().map(|it| format!("{key}: {it}")))
        .collect();
    parts.join(", ")
}
