//! All entries for one target, put together.

use std::borrow::Cow;
use std::sync::Arc;

use wildmatch::WildMatch;

use super::Context;
use super::body::{Said, source_of};
use super::content::widest;
use super::findings::Findings;
use crate::config::diagnostic::{Diagnostic, File, Place};
use crate::config::permissions::{FunctionEntry, Statement};
use crate::config::walk::Spot;
use crate::drift::allow::{IgnoreRule, Ownership, Replace, Writer};
use crate::drift::bridge::is_reserved;
use crate::drift::wanted::{AbsentSid, Wanted};
use crate::policy::grant::Grant;
use crate::policy::target::{Target, check_account};
use crate::policy::terms::Terms;

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
    writer: Option<(Writer, Mark<'a>)>,
    compact: Option<(bool, Mark<'a>)>,
    empty: Option<Mark<'a>>,
    granted: Vec<Granted<'a>>,
    absent: Vec<(Cow<'a, str>, Mark<'a>)>,
    /// Where the statements stand that are said to be none.
    statements_at: Mark<'a>,
    /// Some statement is wanted, or was meant to be and is wrong.
    has_statements: bool,
    /// Something of it is wrong, or missing.
    pub(super) broken: bool,
}

/// A statement with a sid. Its terms are none if something is wrong with it.
#[derive(Debug)]
pub(super) struct Granted<'a> {
    pub sid: Cow<'a, str>,
    pub statement: &'a Statement<'a>,
    pub description: Option<Cow<'a, str>>,
    pub terms: Option<Terms>,
    /// The rule for many functions that it comes from.
    pub rule: Option<Arc<str>>,
    pub mark: Mark<'a>,
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
        self.beside(first, message, "it stands here first")
    }

    /// The same with other words about the other place.
    fn beside(&self, first: &Self, message: String, label: &str) -> Diagnostic {
        let same = std::ptr::eq(self.file, first.file) && self.spot.span == first.spot.span;
        let of = |it: &Self| match it.spot.used.filter(|_| same) {
            Some(used) => Place::at(it.file, used),
            None => it.place(),
        };
        Diagnostic::error(of(self), message).also(of(first), label)
    }
}

impl<'a> Merged<'a> {
    pub(super) fn new(first: Mark<'a>) -> Self {
        Self {
            first,
            ownership: None,
            suspend: None,
            replace: None,
            writer: None,
            compact: None,
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
        said: Said<'a>,
        target: &Target,
        findings: &mut Findings,
    ) {
        let mark = |spot| Mark::new(file, spot);
        if let Some((value, spot)) = &entry.ownership {
            agree(&mut self.ownership, value, mark(*spot), ("ownership", target), findings);
        }
        if let Some((value, spot)) = entry.suspend {
            agree(&mut self.suspend, &value, mark(spot), ("suspend", target), findings);
        }
        if let Some((value, spot)) = entry.replace {
            agree(&mut self.replace, &value, mark(spot), ("replace", target), findings);
        }
        if let Some((value, spot)) = entry.writer {
            agree(&mut self.writer, &value, mark(spot), ("writer", target), findings);
        }
        if let Some((value, spot)) = entry.compact {
            agree(&mut self.compact, &value, mark(spot), ("compact", target), findings);
        }
        // Beside statements of its own it was refused already.
        if let Some(spot) = entry.empty.filter(|_| entry.statements.is_empty()) {
            self.empty.get_or_insert(mark(spot));
        }
        if !self.has_statements {
            self.statements_at = mark(entry.statements_at);
        }
        self.has_statements |= entry.broken || !entry.statements.is_empty();
        self.broken |= said.broken;
        self.absent.extend(said.absent);
        self.granted.extend(said.granted);
    }

    /// What is wanted of the target, whether it was all there, and everything that contradicts itself.
    pub(super) fn finish(
        mut self,
        target: Target,
        context: &Context,
        findings: &mut Findings,
    ) -> (Wanted, bool) {
        // Stable, so that of two equal ones the first is called the first. What is written for this function
        // alone stands before what a rule says.
        self.granted.sort_by(|a, b| (&a.sid, a.rule.is_some()).cmp(&(&b.sid, b.rule.is_some())));
        self.refuse_repetition(&target, findings);
        let ownership = self.ownership.take().map_or_else(|| context.ownership.clone(), |it| it.0);
        self.check_emptiness(&target, &ownership, findings);
        let absent = absent_sids(self.absent, &self.granted, &target, findings);
        let writer = self.writer.map_or(context.writer, |(it, _)| it);
        let mut grants = Vec::with_capacity(self.granted.len());
        for it in self.granted {
            let (mark, statement) = (it.mark, it.statement);
            let Some(grant) = it.grant() else { continue };
            if let Some(error) = needs_document(mark.file, statement, &grant.terms, writer) {
                findings.of_target(&target, "writer", error);
            }
            if let Some(rule) = context.ignore.iter().find(|it| matches(it, &grant, &target)) {
                let message = format!("the settings ignore this grant ({})", describe(rule));
                let help =
                    "what is in a file cannot be ignored; change the rule, or delete the grant";
                findings.of_target(&target, "ignored", mark.error(message).help(help));
            }
            grants.push(grant);
        }
        let suspend = self.suspend.is_some_and(|(it, _)| it);
        let replace = self.replace.map_or(context.replace, |(it, _)| it);
        let source = self.first.place().source();
        let compact = self.compact.is_some_and(|(it, _)| it);
        if let (Some((true, mark)), Writer::Statements) = (self.compact, writer) {
            let message = "`compact: true` needs a writer that writes whole documents";
            let help = "write `writer: document` or `writer: auto` beside it";
            findings.of_target(&target, "compact", mark.error(message).help(help));
        }
        let wanted =
            Wanted { target, ownership, grants, absent, suspend, replace, writer, compact, source };
        (wanted, !self.broken)
    }

    /// Of the same grant from a rule and from elsewhere one is kept; anything else under one Sid is an error.
    fn refuse_repetition(&mut self, target: &Target, findings: &mut Findings) {
        let mut kept: Vec<Granted<'a>> = Vec::with_capacity(self.granted.len());
        for it in std::mem::take(&mut self.granted) {
            let Some(before) = kept.last().filter(|before| before.sid == it.sid) else {
                kept.push(it);
                continue;
            };
            if it.rule.is_none() {
                let message = format!("the sid `{}` stands twice in {target}", it.sid);
                let help = "a sid is unique in one policy; choose another, or delete one of them";
                let clash = it.mark.clash(&before.mark, message).help(help);
                findings.of_target(target, "sid twice", clash);
                kept.push(it);
            } else if it.differs_from(before) {
                let message = format!("the sid `{}` says two different things in {target}", it.sid);
                let help = "choose another sid, write the same in both, or take the function out \
                            of the rule with `except`";
                let clash = it.mark.beside(&before.mark, message, "this says another one");
                findings.of_target(target, "sid twice", clash.help(help));
            }
        }
        self.granted = kept;
    }

    /// Nobody empties a policy by forgetting a list, and nobody fills one that is said to be empty.
    fn check_emptiness(&self, target: &Target, ownership: &Ownership, findings: &mut Findings) {
        if *ownership == Ownership::All && !self.has_statements && self.empty.is_none() {
            let message = "`ownership: all` without statements takes back everything";
            let help = "write `empty: true` beside it if that is meant";
            findings.of_target(target, "emptied", self.statements_at.error(message).help(help));
        }
        if let (Some(empty), Some(Granted { mark, .. })) = (self.empty, self.granted.first()) {
            let message = format!("`empty: true`, but there are statements for {target}");
            let error = empty.error(message).also(mark.place(), "one of them");
            let error = error.help("delete `empty`, or the statements");
            findings.of_target(target, "not empty", error);
        }
    }
}

impl Granted<'_> {
    /// None if something is wrong with it.
    fn grant(self) -> Option<Grant> {
        let Self { sid, statement, description, terms, rule, mark } = self;
        Some(Grant {
            sid: sid.into_owned(),
            terms: terms?,
            expires: statement.expires,
            accept: statement.accept.clone(),
            description: description.map(Cow::into_owned),
            source: source_of(mark.file, statement),
            rule,
        })
    }

    /// They are not the same grant. Of what is wrong with one of them it was told.
    fn differs_from(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (&self.terms, &other.terms) else { return false };
        let (a, b) = (self.statement, other.statement);
        !own.same_as(others) || a.expires != b.expires || a.accept != b.accept
    }
}

/// What only a whole document can say, where the writer writes none.
pub(super) fn needs_document(
    file: &Arc<File>,
    statement: &Statement<'_>,
    terms: &Terms,
    writer: Writer,
) -> Option<Diagnostic> {
    match (terms, writer) {
        (Terms::Wide(wide), Writer::Statements) => {
            let (what, spot) = widest(statement, wide);
            let message = format!(
                "{what} needs a writer that writes whole documents; AddPermission cannot say it"
            );
            let help = "write `writer: document` (or `auto`) beside the function, or `defaults: {writer: document}` \
                        in the settings";
            Some(spot.error(file, message).help(help))
        }
        (Terms::Wide(_), Writer::Document | Writer::Auto) | (Terms::Plain(_), _) => None,
    }
}

fn agree<'a, T: Clone + PartialEq>(
    known: &mut Option<(T, Mark<'a>)>,
    value: &T,
    mark: Mark<'a>,
    (key, target): (&'static str, &Target),
    findings: &mut Findings,
) {
    match known {
        Some((before, first)) if before != value => {
            let message = format!("`{key}` contradicts another entry for the same function");
            let help = "write it in one of them only, or the same in both";
            findings.of_target(target, key, mark.clash(first, message).help(help));
        }
        Some(_) => {}
        None => *known = Some((value.clone(), mark)),
    }
}

fn absent_sids(
    mut absent: Vec<(Cow<'_, str>, Mark<'_>)>,
    granted: &[Granted<'_>],
    target: &Target,
    findings: &mut Findings,
) -> Vec<AbsentSid> {
    absent.sort_by(|(a, _), (b, _)| a.cmp(b));
    absent.dedup_by(|(later, _), (kept, _)| later == kept);
    for (sid, mark) in &absent {
        if let Err(message) = check_removable(sid) {
            findings.of_target(target, "absent", mark.error(message));
        }
        if is_reserved(sid) {
            let message = format!("the sid `{sid}` is reserved for permitd's own bridges");
            let help = "name the sid that it stands for; the bridge goes with it";
            findings.of_target(target, "absent", mark.error(message).help(help));
        }
        if let Ok(n) = granted.binary_search_by(|it| it.sid.cmp(sid))
            && let Some(granted) = granted.get(n)
        {
            let message = format!("the sid `{sid}` is both granted and `absent` in {target}");
            let error = mark.error(message).also(granted.mark.place(), "it is granted here");
            findings.of_target(target, "granted", error.help("delete one of them"));
        }
    }
    let source = |(sid, mark): (Cow<'_, str>, Mark<'_>)| AbsentSid {
        sid: sid.into_owned(),
        source: mark.place().source(),
    };
    absent.into_iter().map(source).collect()
}

/// `RemovePermission` also takes dots (`lambda-semantics.md`, 2.1).
pub(super) fn check_removable(sid: &str) -> Result<(), String> {
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
    let root = |it: &str| match check_account(it) {
        Ok(()) => format!("arn:{}:iam::{it}:root", target.partition()),
        Err(_) => it.to_owned(),
    };
    let fits_one = |pattern: &Option<WildMatch>, texts: Vec<&str>| {
        let matches =
            |it: &WildMatch| texts.iter().any(|text| it.matches(text) || it.matches(&root(text)));
        pattern.as_ref().is_none_or(matches)
    };
    fits(sid, Some(&grant.sid))
        && fits_one(principal, grant.terms.principals())
        && fits_one(source_arn, grant.terms.source_arns())
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
