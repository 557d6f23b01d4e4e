//! Which live statements a permission file can say, and why it cannot say the others.

use super::{Live, Options};
use crate::config::resolve;
use crate::drift::{
    allow::{IgnoreRule, Rules},
    bridge::is_reserved,
};
use crate::policy::{
    grant::{Grant, Permission},
    source::Source,
    statement::{Class, Statement},
};

/// The Sid and the permission to write, or the reason why not, to be read after "for".
pub(super) fn sort<'a>(
    statement: &'a Statement,
    live: &'a Live,
    options: &Options<'_>,
) -> Result<(&'a str, &'a Permission), String> {
    let (sid, permission) = match (statement.sid(), statement.class()) {
        (Some(sid), Class::Expressible(it)) => (sid, it),
        (_, Class::Inexpressible(odd) | Class::Fixed(odd)) => return Err(odd.why.to_owned()),
        (_, Class::Orphaned(it)) => {
            return Err(format!("the role or user of its principal {} was deleted", it.principal));
        }
        (None, Class::Expressible(_)) => return Err("it has no Sid".to_owned()),
    };
    let fixed = |it: &Statement| matches!(it.class(), Class::Fixed(_));
    let twins = live.document.statements().iter().filter(|it| it.sid() == Some(sid) && !fixed(it));
    if twins.count() > 1 {
        return Err("its Sid stands in the policy twice".to_owned());
    }
    if is_reserved(sid) {
        return Err("its Sid is one of permitd's own, for the time of a replacement".to_owned());
    }
    match permission.draft(sid).check(live.target.partition()) {
        Ok(it) if it == *permission => {}
        Ok(_) => return Err("a permission file would say something else".to_owned()),
        Err(problems) => {
            let why = problems.into_iter().next().map(|it| it.message).unwrap_or_default();
            return Err(format!("a permission file cannot say it ({why})"));
        }
    }
    if Rules::default().ignores(statement, &live.target) {
        return Err("Lambda@Edge keeps it, and permitd ignores it".to_owned());
    }
    let Options { rules, context, .. } = options;
    if rules.ignores(statement, &live.target) {
        return Err("the settings ignore it".to_owned());
    }
    let grant = Grant {
        sid: sid.to_owned(),
        terms: permission.clone().into(),
        expires: None,
        accept: Vec::new(),
        description: None,
        source: Source { file: "live".into(), line: 1, column: 1 },
        rule: None,
    };
    let refused = |it: &IgnoreRule| resolve::matches(it, &grant, &live.target);
    if context.ignore.iter().any(refused) {
        return Err("the settings ignore it".to_owned());
    }
    Ok((sid, permission))
}
