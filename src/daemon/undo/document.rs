//! What cannot be said by AddPermission comes back in a whole document: what that means, and when it is safe.

use super::{Refusal, Way};
use crate::drift::approval::Entry as Said;
use crate::journal::entry::Entry;
use crate::policy::{document::Document, size, statement::Statement, target::Target};

/// What putting a statement into a policy means for its Sid.
pub(super) fn said(target: &Target, live: &Document, statement: &str) -> Result<Said, Refusal> {
    let canonical = |it: &Statement| it.canonical(target).text();
    let new = Statement::read(statement, target);
    let after = canonical(&new);
    let sid = new.sid().unwrap_or_default().to_owned();
    let mut same_sid = live.statements().iter().filter(|it| it.sid() == new.sid());
    if same_sid.clone().any(|it| canonical(it) == after) {
        return Err(Refusal::new(
            "it is there already, exactly as it was: nothing is left to undo",
        ));
    }
    if new.sid().is_some() && same_sid.next().is_some() {
        let message = format!("another statement stands in {target} under the sid {sid} by now");
        return Err(Refusal::new(message).hint("take that away first, or bring it back by hand"));
    }
    Ok(Said { target: target.arn(), sid, before: None, after: Some(after) })
}

/// The document without what a put did to it: what it took away or changed comes back, and what it brought goes.
/// What others have changed since stays; where they have changed the same, nothing is undone.
pub(super) fn back_to(
    entry: &Entry,
    target: &Target,
    live: &Document,
    before: Option<&str>,
) -> Result<(String, Said), Refusal> {
    let Some(before) = before else {
        let message = format!("there was no policy before entry {}", entry.id);
        return Err(Refusal::new(message).hint("take the statements away one by one"));
    };
    let read = |text: &str| Document::parse(text.to_owned(), String::new(), target).ok();
    let (Some(old), Some(ours)) = (read(before), entry.step.after.as_deref().and_then(read)) else {
        return Err(Refusal::new(format!("entry {} does not say what it did", entry.id)));
    };
    let after = match undone(&old, &ours, live, target) {
        // Nobody has changed anything since, so it is as it was to the last byte.
        Ok(_) if same(&ours, live, target) => before.to_owned(),
        Ok(statements) => live.with_statements(statements),
        Err(name) => {
            let message = format!("{name} was changed since entry {} by somebody else", entry.id);
            return Err(Refusal::new(message).hint("bring it back by hand, from `permitd history`"));
        }
    };
    if same(&old, live, target) {
        return Err(Refusal::new("it is as it was: nothing is left to undo"));
    }
    let said = Said {
        target: target.arn(),
        sid: String::new(),
        before: Some(live.text().to_owned()),
        after: Some(after.clone()),
    };
    Ok((after, said))
}

fn is_same(a: &Statement, b: &Statement, target: &Target) -> bool {
    a.sid() == b.sid() && (a.text() == b.text() || a.canonical(target) == b.canonical(target))
}

fn same(a: &Document, b: &Document, target: &Target) -> bool {
    let has = |of: &Document, it: &Statement| {
        of.statements().iter().any(|other| is_same(other, it, target))
    };
    a.statements().len() == b.statements().len() && a.statements().iter().all(|it| has(b, it))
}

/// The statements as they would be, in their order; or the name of the one that is in the way.
fn undone<'a>(
    old: &'a Document,
    ours: &Document,
    live: &'a Document,
    target: &Target,
) -> Result<Vec<&'a str>, String> {
    let find =
        |it: &Statement| live.statements().iter().position(|other| is_same(other, it, target));
    let has = |of: &Document, it: &Statement| {
        of.statements().iter().any(|other| is_same(other, it, target))
    };
    let name = |it: &Statement| it.sid().unwrap_or("a statement without a Sid").to_owned();
    let mut res: Vec<Option<&Statement>> = live.statements().iter().map(Some).collect();
    let mut end: Vec<&Statement> = Vec::new();
    let brought = ours.statements().iter().filter(|it| !has(old, it));
    let taken: Vec<&Statement> = old.statements().iter().filter(|it| !has(ours, it)).collect();
    let mut places: Vec<(&str, usize)> = Vec::new();
    for it in brought {
        let at = find(it).ok_or_else(|| name(it))?;
        if let Some(slot) = res.get_mut(at) {
            *slot = None;
        }
        places.extend(it.sid().map(|sid| (sid, at)));
    }
    for it in taken {
        let place = it.sid().and_then(|sid| places.iter().find(|(other, _)| *other == sid));
        let taken = it.sid().is_some() && res.iter().flatten().any(|other| other.sid() == it.sid());
        match place.and_then(|(_, at)| res.get_mut(*at)) {
            Some(slot) => *slot = Some(it),
            None if taken => return Err(name(it)),
            None => end.push(it),
        }
    }
    let statements: Vec<&str> = res.into_iter().flatten().chain(end).map(Statement::text).collect();
    if statements.is_empty() { Err("the whole policy".to_owned()) } else { Ok(statements) }
}

pub(super) fn document(
    live: &Document,
    statement: Option<&str>,
    after: String,
) -> Result<Way, Refusal> {
    if after.len() > size::LIMIT {
        let message = format!("the policy would have {} bytes of {}", after.len(), size::LIMIT);
        return Err(Refusal::new(message).hint("take something else out first"));
    }
    Ok(Way::Document {
        statement: statement.map(str::to_owned),
        before: live.text().to_owned(),
        after,
        revision: live.revision().to_owned(),
    })
}

pub(super) fn sid_of(statement: &str, target: &Target) -> Option<String> {
    Statement::read(statement, target).sid().map(str::to_owned)
}
