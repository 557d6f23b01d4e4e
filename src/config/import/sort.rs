//! Which live statements a permission file can say, and why it cannot say the others.

use super::{Live, Options};
use crate::config::resolve;
use crate::drift::{
    allow::{IgnoreRule, Rules, Writer},
    bridge::is_reserved,
};
use crate::policy::{
    document::USUAL_VERSION,
    grant::{Grant, check_sid},
    source::Source,
    statement::{Class, Statement},
    terms::{Parts, Terms},
};

/// The grant to write, or the reason why there is none, to be read after "for".
pub(super) fn sort(
    statement: &Statement,
    live: &Live,
    options: &Options<'_>,
) -> Result<Grant, String> {
    let Live { target, document } = live;
    let (sid, terms) = match (statement.sid(), statement.class()) {
        (Some(sid), Class::Expressible(it)) => (sid, Terms::Plain(it.clone())),
        (Some(sid), Class::Inexpressible(odd)) => {
            (sid, wide(statement, live, options).ok_or_else(|| odd.why.to_owned())?)
        }
        (_, Class::Inexpressible(odd) | Class::Fixed(odd)) => return Err(odd.why.to_owned()),
        (_, Class::Orphaned(it)) => {
            return Err(format!("the role or user of its principal {} was deleted", it.principal));
        }
        (None, Class::Expressible(_)) => return Err("it has no Sid".to_owned()),
    };
    let fixed = |it: &Statement| matches!(it.class(), Class::Fixed(_));
    let twins = document.statements().iter().filter(|it| it.sid() == Some(sid) && !fixed(it));
    if twins.count() > 1 {
        return Err("its Sid stands in the policy twice".to_owned());
    }
    if is_reserved(sid) {
        return Err("its Sid is one of permitd's own, for the time of a replacement".to_owned());
    }
    if let Terms::Plain(permission) = &terms {
        match permission.draft(sid).check(target.partition()) {
            Ok(it) if it == *permission => {}
            Ok(_) => return Err("a permission file would say something else".to_owned()),
            Err(problems) => {
                let why = problems.into_iter().next().map(|it| it.message).unwrap_or_default();
                return Err(format!("a permission file cannot say it ({why})"));
            }
        }
    }
    if Rules::default().ignores(statement, target) {
        return Err("Lambda@Edge keeps it, and permitd ignores it".to_owned());
    }
    let Options { rules, context, .. } = options;
    if rules.ignores(statement, target) {
        return Err("the settings ignore it".to_owned());
    }
    let grant = Grant {
        sid: sid.to_owned(),
        terms,
        expires: None,
        accept: Vec::new(),
        description: None,
        source: Source { file: "live".into(), line: 1, column: 1 },
        rule: None,
    };
    let refused = |it: &IgnoreRule| resolve::matches(it, &grant, target);
    if context.ignore.iter().any(refused) {
        return Err("the settings ignore it".to_owned());
    }
    Ok(grant)
}

/// What only a whole document can say, where the settings have such written.
fn wide(statement: &Statement, live: &Live, options: &Options<'_>) -> Option<Terms> {
    let Live { target, document } = live;
    match options.context.writer {
        Writer::Statements => return None,
        Writer::Document | Writer::Auto => {}
    }
    // In another version `${…}` means something else.
    let is_usual = document.version() == Some(USUAL_VERSION);
    if !is_usual && statement.text().contains("${") {
        return None;
    }
    // A Sid with a dot is none that a file takes.
    check_sid(statement.sid()?).ok()?;
    let terms = Terms::of(&Parts::read(statement.text(), target)?, target);
    matches!(terms, Terms::Wide(_)).then_some(terms)
}
