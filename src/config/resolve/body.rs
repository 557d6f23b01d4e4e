//! The statements of one entry, as they are at one target: placeholders filled, values checked.

use std::borrow::Cow;
use std::sync::Arc;

use super::findings::Findings;
use super::merge::{Granted, Mark};
use crate::config::diagnostic::{Diagnostic, File};
use crate::config::permissions::{FunctionEntry, Statement};
use crate::config::placeholders::{self, FILLED, Values, Wrong};
use crate::config::walk::{Spot, Text};
use crate::drift::bridge::is_reserved;
use crate::policy::grant::{Draft, Grant, Permission, Problem};
use crate::policy::source::Source;
use crate::policy::target::Target;
use crate::policy::terms::Terms;

/// The statements of one entry.
#[derive(Debug)]
pub(super) struct Body<'a> {
    file: &'a Arc<File>,
    entry: &'a FunctionEntry<'a>,
    kinds: Vec<Kind>,
    /// Those that are the same at every target of a partition. None if something was wrong with one.
    plain: Vec<(String, Vec<Option<Permission>>)>,
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
        let of_statement = |it: &'a Statement<'a>| {
            let texts = FILLED.iter().filter_map(|key| Some((it.text(key)?, it.spot_of(key))));
            texts.collect::<Vec<_>>()
        };
        let kinds = entry.statements.iter().map(|it| kind(&of_statement(it))).collect();
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
            let (text, permission) = match kind {
                Kind::Plain | Kind::Bad => {
                    let permission = plain.and_then(|it| self.plain.get(it)?.1.get(at)?.clone());
                    (Filled::default(), permission)
                }
                Kind::Filled => filled(file, statement, target, findings),
            };
            broken |= permission.is_none();
            let Some(sid) = text.sid.or_else(|| statement.text("sid").map(Cow::Borrowed)) else {
                continue;
            };
            let description = text.description;
            let description =
                description.or_else(|| statement.text("description").map(Cow::Borrowed));
            let mark = Mark::new(file, statement.spot_of("sid"));
            let rule = rule.map(Arc::clone);
            let terms = permission.map(Terms::from);
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
    ) -> Vec<Grant> {
        let file = self.file;
        let plain = self.plain_in(values.partition, findings);
        let mut res = Vec::new();
        for (at, (statement, kind)) in self.entry.statements.iter().zip(&self.kinds).enumerate() {
            let permission = match kind {
                Kind::Plain | Kind::Bad => {
                    plain.and_then(|it| self.plain.get(it)?.1.get(at)?.clone())
                }
                Kind::Filled => match fill(statement, values) {
                    Ok(texts) => {
                        let draft = draft(statement, &texts);
                        let checked = check(statement, &draft, values.partition, &mut |at, it| {
                            let message = format!("with example values: {}", it.message);
                            findings.push(at.error(file, message));
                        });
                        refuse_bridge(file, draft.sid, statement, |it| findings.push(it));
                        checked
                    }
                    Err((key, wrong)) => {
                        let (message, help) = wrong.told();
                        findings.push(statement.spot_of(key).error(file, message).help(help));
                        None
                    }
                },
            };
            // Shown as it stands in the file.
            let (Some(permission), Some(sid)) = (permission, statement.text("sid")) else {
                continue;
            };
            res.push(Grant {
                sid: sid.to_owned(),
                terms: permission.into(),
                expires: statement.expires,
                accept: statement.accept.clone(),
                description: statement.text("description").map(str::to_owned),
                source: source_of(file, statement),
                rule: rule.map(Arc::clone),
            });
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
            let texts = [];
            let draft = draft(statement, &texts);
            refuse_bridge(file, draft.sid, statement, |it| findings.push(it));
            check(statement, &draft, partition, &mut |at, it| {
                findings.push(at.error(file, it.message));
            })
        };
        let permissions = entry.statements.iter().zip(&self.kinds).map(of_statement).collect();
        self.plain.push((partition.to_owned(), permissions));
        self.plain.len().checked_sub(1)
    }
}

/// Where people look for it.
pub(super) fn source_of(file: &Arc<File>, statement: &Statement<'_>) -> Source {
    statement.spot.place(file).source()
}

/// What is another text at each target.
#[derive(Debug, Default)]
struct Filled<'a> {
    sid: Option<Cow<'a, str>>,
    description: Option<Cow<'a, str>>,
}

type Texts<'a> = Vec<(&'static str, Cow<'a, str>)>;

fn fill<'a>(
    statement: &'a Statement<'a>,
    values: Values<'_>,
) -> Result<Texts<'a>, (&'static str, Wrong)> {
    let of_key = |key: &&'static str| {
        let text = placeholders::fill(statement.text(key)?, values);
        Some(text.map(|it| (*key, it)).map_err(|it| (*key, it)))
    };
    FILLED.iter().filter_map(of_key).collect()
}

/// One statement at one target.
fn filled<'a>(
    file: &Arc<File>,
    statement: &'a Statement<'a>,
    target: &Target,
    findings: &mut Findings,
) -> (Filled<'a>, Option<Permission>) {
    let texts = match fill(statement, Values::from(target)) {
        Ok(it) => it,
        Err((key, wrong)) => {
            no_qualifier(file, statement.spot_of(key), &wrong, target, findings);
            return (Filled::default(), None);
        }
    };
    let draft = draft(statement, &texts);
    refuse_bridge(file, draft.sid, statement, |it| {
        let message = format!("for {target}: {}", it.message);
        findings.of_target(target, "bridge", Diagnostic { message, ..it });
    });
    let permission = check(statement, &draft, target.partition(), &mut |at, it| {
        let message = format!("for {target}: {}", it.message);
        findings.of_target(target, it.field, at.error(file, message));
    });
    let mut res = Filled::default();
    for (key, text) in texts {
        match key {
            "sid" => res.sid = Some(text),
            "description" => res.description = Some(text),
            _ => {}
        }
    }
    (res, permission)
}

/// `texts` are those that do not say what they spell.
fn draft<'t>(statement: &'t Statement<'_>, texts: &'t [(&'static str, Cow<'_, str>)]) -> Draft<'t> {
    let text = |key: &str| {
        let filled = texts.iter().find(|(it, _)| *it == key).map(|(_, it)| it.as_ref());
        filled.or_else(|| statement.text(key))
    };
    Draft {
        sid: text("sid").unwrap_or_default(),
        principal: text("principal").unwrap_or_default(),
        action: text("action"),
        source_arn: text("source_arn"),
        source_account: text("source_account"),
        principal_org_id: text("principal_org_id"),
        event_source_token: text("event_source_token"),
        function_url_auth_type: text("function_url_auth_type"),
        invoked_via_function_url: statement.invoked_via_function_url.map(|(it, _)| it),
    }
}

/// What Lambda would take. What is wrong goes to `report`, unless it was told while reading.
fn check(
    statement: &Statement<'_>,
    draft: &Draft<'_>,
    partition: &str,
    report: &mut dyn FnMut(Spot, Problem),
) -> Option<Permission> {
    match draft.check(partition) {
        Ok(it) => Some(it).filter(|_| statement.bad.is_empty()),
        Err(problems) => {
            let missing = |key: &str| statement.bad.contains(&key) && statement.text(key).is_none();
            let told = |field: &str| {
                let by_action =
                    ["function_url_auth_type", "invoked_via_function_url"].contains(&field);
                missing(field) || (by_action && missing("action"))
            };
            for it in problems.into_iter().filter(|it| !told(it.field)) {
                report(statement.spot_of(it.field), it);
            }
            None
        }
    }
}

fn refuse_bridge(
    file: &Arc<File>,
    sid: &str,
    statement: &Statement<'_>,
    report: impl FnOnce(Diagnostic),
) {
    if is_reserved(sid) {
        let message = format!("the sid `{sid}` is reserved for permitd's own bridges");
        let help = "a sid may not end in `-permitd-` and eight hex digits; choose another";
        report(statement.spot_of("sid").error(file, message).help(help));
    }
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
