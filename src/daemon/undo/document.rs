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

/// The document of before a put, if nothing but that put has changed it since.
pub(super) fn back_to(
    entry: &Entry,
    target: &Target,
    live: &Document,
    before: Option<&str>,
) -> Result<(String, Said), Refusal> {
    let set = |text: &str| {
        let document = Document::parse(text.to_owned(), String::new(), target).ok()?;
        let mut all: Vec<String> = document
            .statements()
            .iter()
            .map(|it| format!("{:?} {}", it.sid(), it.canonical(target).text()))
            .collect();
        all.sort_unstable();
        Some(all)
    };
    let Some(before) = before else {
        let message = format!("there was no policy before entry {}", entry.id);
        return Err(Refusal::new(message).hint("take the statements away one by one"));
    };
    let ours = entry.step.after.as_deref().and_then(set);
    if ours.is_none() || set(live.text()) != ours {
        let message = format!("the policy was changed since entry {}", entry.id);
        return Err(Refusal::new(message)
            .hint("a whole document is only put back where nothing else is lost"));
    }
    let said = Said {
        target: target.arn(),
        sid: String::new(),
        before: Some(live.text().to_owned()),
        after: Some(before.to_owned()),
    };
    Ok((before.to_owned(), said))
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
