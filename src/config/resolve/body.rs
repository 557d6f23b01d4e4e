//! The statements of one entry, as they are at one target: placeholders filled, values checked.

use std::borrow::Cow;
use std::sync::Arc;

use super::content::{self, Content, Texts};
use super::findings::Findings;
use super::merge::{Granted, Mark, check_removable};
use crate::config::diagnostic::{Diagnostic, File};
use crate::config::permissions::{FunctionEntry, Statement};
use crate::config::placeholders::{self, Values, Wrong};
use crate::config::walk::{Spot, Text};
use crate::policy::grant::Grant;
use crate::policy::source::Source;
use crate::policy::target::{Defaults, Target};
use crate::policy::terms::Terms;

/// The statements of one entry.
#[derive(Debug)]
pub(super) struct Body<'a> {
    file: &'a Arc<File>,
    entry: &'a FunctionEntry<'a>,
    kinds: Vec<Kind>,
    /// Those that are the same at every target of a partition. None if something was wrong with one.
    plain: Vec<(String, Vec<Option<Content>>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The same everywhere.
    Plain,
    /// Some value is another one at each target.
    Filled,
    /// Some value cannot be filled anywhere.
    Bad,
}

/// What an entry says at one target.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub granted: Vec<Granted<'a>>,
    pub absent: Vec<(Cow<'a, str>, Mark<'a>)>,
    /// Something of it is wrong.
    pub broken: bool,
}

impl<'a> Body<'a> {
    /// What can be said without any target is said here, once.
    pub(super) fn new(
        file: &'a Arc<File>,
        entry: &'a FunctionEntry<'a>,
        findings: &mut Findings,
    ) -> Self {
        let mut kind = |texts: &[(&str, Spot)]| {
            let mut res = Kind::Plain;
            for (text, spot) in texts.iter().filter(|(it, _)| placeholders::is_template(it)) {
                match placeholders::check(text) {
                    Ok(()) if res == Kind::Plain => res = Kind::Filled,
                    Ok(()) => {}
                    Err(wrong) => {
                        let (message, help) = wrong.told();
                        findings.push(spot.error(file, message).help(help));
                        res = Kind::Bad;
                    }
                }
            }
            res
        };
        let mut texts = Vec::new();
        let of_statement = |it: &'a Statement<'a>| {
            texts.clear();
            texts.extend(content::texts(it));
            kind(&texts)
        };
        let kinds = entry.statements.iter().map(of_statement).collect();
        for Text { text, spot } in &entry.absent {
            kind(&[(text.as_ref(), *spot)]);
        }
        Self { file, entry, kinds, plain: Vec::new() }
    }

    /// What it says at one target; `rule` is the rule by which it says so.
    pub(super) fn at(
        &mut self,
        target: &Target,
        rule: Option<&Arc<str>>,
        findings: &mut Findings,
    ) -> Said<'a> {
        let (file, entry) = (self.file, self.entry);
        let plain = self.plain_in(target.partition(), findings);
        let mut granted = Vec::with_capacity(entry.statements.len());
        let mut broken = entry.broken;
        for (at, (statement, kind)) in entry.statements.iter().zip(&self.kinds).enumerate() {
            let filled;
            let (mut texts, content) = match kind {
                Kind::Plain | Kind::Bad => {
                    let content = plain.and_then(|it| self.plain.get(it)?.1.get(at)?.as_ref());
                    (Texts::default(), content)
                }
                Kind::Filled => {
                    let texts;
                    (texts, filled) = fill_at(file, statement, target, findings);
                    (texts, filled.as_ref())
                }
            };
            let own = |key: &str| statement.text(key).map(Cow::Borrowed);
            let sid = texts.take("sid").or_else(|| own("sid"));
            let place = (file, statement, sid.as_deref().unwrap_or_default());
            let terms = content.and_then(|it| it.at(target, place, findings));
            broken |= terms.is_none();
            let Some(sid) = sid else { continue };
            let description = texts.take("description").or_else(|| own("description"));
            let mark = Mark::new(file, statement.spot_of("sid"));
            let rule = rule.map(Arc::clone);
            granted.push(Granted { sid, statement, description, terms, rule, mark });
        }
        let absent = entry.absent.iter().filter_map(|Text { text, spot }| {
            let sid = placeholders::fill(text, Values::from(target));
            let sid = sid.map_err(|it| no_qualifier(file, *spot, &it, target, findings)).ok()?;
            Some((sid, Mark::new(file, *spot)))
        });
        Said { granted, absent: absent.collect(), broken }
    }

    /// Checks everything although there is no target, with values that some target could have.
    pub(super) fn without_target(
        &mut self,
        values: Values<'_>,
        rule: Option<&Arc<str>>,
        findings: &mut Findings,
    ) -> Vec<(&'a Statement<'a>, Grant)> {
        let file = self.file;
        let plain = self.plain_in(values.partition, findings);
        let example = example(values);
        for Text { text, spot } in &self.entry.absent {
            // What cannot be filled anywhere was told already.
            if let Ok(sid) = placeholders::fill(text, values)
                && let Err(message) = check_removable(&sid)
            {
                findings.push(spot.error(file, message));
            }
        }
        let mut res = Vec::new();
        for (at, (statement, kind)) in self.entry.statements.iter().zip(&self.kinds).enumerate() {
            let filled;
            let content = match kind {
                Kind::Plain | Kind::Bad => {
                    plain.and_then(|it| self.plain.get(it)?.1.get(at)?.as_ref())
                }
                Kind::Filled => {
                    filled = fill_without(file, statement, values, findings);
                    filled.as_ref()
                }
            };
            // Shown as it stands in the file.
            let (Some(content), Some(sid)) = (content, statement.text("sid")) else { continue };
            let terms = match (content, &example) {
                (Content::Plain(it), _) => Some(Terms::from(it.clone())),
                (Content::Parts(_), Some(target)) => {
                    content.at(target, (file, statement, sid), findings)
                }
                (Content::Parts(_), None) => None,
            };
            let Some(terms) = terms else { continue };
            let grant = Grant {
                sid: sid.to_owned(),
                terms,
                expires: statement.expires,
                accept: statement.accept.clone(),
                description: statement.text("description").map(str::to_owned),
                source: source_of(file, statement),
                rule: rule.map(Arc::clone),
            };
            res.push((statement, grant));
        }
        res
    }

    /// Which of `plain` is of this partition.
    fn plain_in(&mut self, partition: &str, findings: &mut Findings) -> Option<usize> {
        let known = self.plain.iter().position(|(it, _)| it == partition);
        if known.is_some() {
            return known;
        }
        let (file, entry) = (self.file, self.entry);
        let of_statement = |(statement, kind): (&Statement<'_>, &Kind)| {
            if *kind != Kind::Plain {
                return None;
            }
            let mut report = |_, it| findings.push(it);
            content::check(file, statement, &Texts::default(), partition, &mut report)
        };
        let contents = entry.statements.iter().zip(&self.kinds).map(of_statement).collect();
        self.plain.push((partition.to_owned(), contents));
        self.plain.len().checked_sub(1)
    }
}

/// Where people look for it.
pub(super) fn source_of(file: &Arc<File>, statement: &Statement<'_>) -> Source {
    statement.spot.place(file).source()
}

/// One statement at one target.
fn fill_at<'a>(
    file: &Arc<File>,
    statement: &'a Statement<'a>,
    target: &Target,
    findings: &mut Findings,
) -> (Texts<'a>, Option<Content>) {
    let texts = match content::fill(statement, Values::from(target)) {
        Ok(it) => it,
        Err((spot, wrong)) => {
            no_qualifier(file, spot, &wrong, target, findings);
            return (Texts::default(), None);
        }
    };
    let mut report = |what, it: Diagnostic| {
        let message = format!("for {target}: {}", it.message);
        findings.of_target(target, what, Diagnostic { message, ..it });
    };
    let checked = content::check(file, statement, &texts, target.partition(), &mut report);
    (texts, checked)
}

/// One statement with values that some target could have.
fn fill_without(
    file: &Arc<File>,
    statement: &Statement<'_>,
    values: Values<'_>,
    findings: &mut Findings,
) -> Option<Content> {
    let texts = match content::fill(statement, values) {
        Ok(it) => it,
        Err((spot, wrong)) => {
            let (message, help) = wrong.told();
            findings.push(spot.error(file, message).help(help));
            return None;
        }
    };
    let mut report = |what, it: Diagnostic| {
        // Of a Sid the form is told as it is.
        let message = match what {
            "bridge" => it.message,
            _ => format!("with example values: {}", it.message),
        };
        findings.push(Diagnostic { message, ..it });
    };
    content::check(file, statement, &texts, values.partition, &mut report)
}

/// A target with these values, if there can be one.
fn example(values: Values<'_>) -> Option<Target> {
    let Values { account, region, partition: _, function, qualifier } = values;
    let defaults = Defaults { account: Some(account.to_owned()), region: Some(region.to_owned()) };
    Target::parse(function, qualifier, &defaults).ok()
}

/// The only thing that fails at a target and not before.
fn no_qualifier(
    file: &Arc<File>,
    spot: Spot,
    wrong: &Wrong,
    target: &Target,
    findings: &mut Findings,
) {
    // What is wrong everywhere was told once.
    if *wrong == Wrong::NoQualifier {
        let (message, help) = wrong.told();
        let error = spot.error(file, format!("for {target}: {message}")).help(help);
        findings.of_target(target, "qualifier", error);
    }
}
