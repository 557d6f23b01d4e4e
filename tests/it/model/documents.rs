//! What must hold at a write of the whole document, statement by statement.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use permitd::drift::{
    allow::{Mode, Rules},
    wanted::Wanted,
};
use permitd::policy::{
    document::Document,
    grant::Grant,
    statement::{Class, Statement},
    target::Target,
};
use serde_json::Value;

use super::{
    book::{Book, LastRead, Watch},
    case::Case,
    checks::{bridge_stands, narrowed},
    content::{ORPHAN, ROLES},
    lists,
    reference::{Role, allows, is_denied, live_grants, role, takes_away},
    world::{Sent, What},
};

fn statements(target: &Target, document: Option<&str>) -> Vec<Statement> {
    let parse = |it: &str| Document::parse(it.to_owned(), String::new(), target).unwrap();
    document.map_or_else(Vec::new, |it| parse(it).statements().to_vec())
}

/// Only a seed can do that: Lambda takes neither statements nor documents like it.
pub(crate) fn has_a_sid_twice(statements: &[Statement]) -> bool {
    let single = statements.iter().filter(|it| it.listed_in().is_none());
    let mut sids: Vec<&str> = single.filter_map(Statement::sid).collect();
    let n = sids.len();
    sids.sort_unstable();
    sids.dedup();
    sids.len() < n
}

fn name(it: &Statement) -> &str {
    it.sid().unwrap_or("a statement without a Sid")
}

fn stands(of: &[Statement], grant: &Grant) -> bool {
    of.iter().any(|it| it.sid() == Some(grant.sid.as_str()) && it.says(&grant.terms))
}

/// The statements that are not there afterwards, and those that were not there before.
fn split(before: &[Statement], after: &[Statement]) -> (Vec<usize>, Vec<usize>) {
    let mut left: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, it) in after.iter().enumerate() {
        left.entry(it.text()).or_default().push(at);
    }
    let mut stays =
        |at: &usize| left.get_mut(before[*at].text()).is_none_or(|it| it.pop().is_none());
    let gone = (0..before.len()).filter(&mut stays).collect();
    let mut come: Vec<usize> = left.into_values().flatten().collect();
    come.sort_unstable();
    (gone, come)
}

/// What is kept is kept byte for byte and in its order.
fn in_order(before: &[Statement], after: &[Statement]) -> Result<(), String> {
    let mut left: Vec<(usize, &str)> = before.iter().map(Statement::text).enumerate().collect();
    let mut last = 0;
    // Where one Sid stands twice, what the one becomes may be what the other one was.
    let twice = |it: &&Statement| before.iter().filter(|of| of.sid() == it.sid()).count() > 1;
    for it in after.iter().filter(|it| it.sid().is_none() || !twice(it)) {
        let of_text: Vec<usize> =
            left.iter().filter(|(_, text)| *text == it.text()).map(|(at, _)| *at).collect();
        let Some(first) = of_text.first() else { continue };
        let Some(next) = of_text.iter().find(|at| **at >= last) else {
            return Err(format!("6: {} stood at {first}, before others", name(it)));
        };
        last = *next;
        left.retain(|(at, _)| at != next);
    }
    Ok(())
}

/// A document arrives at the gateway: is everything that it does allowed, as far as the last read tells?
pub(crate) fn may_put(
    wanted: &Wanted,
    rules: &Rules,
    watch: &Watch,
    document: Option<&str>,
    now: Timestamp,
) -> Result<(), String> {
    let LastRead::Policy(read) = &watch.last_read else {
        return Err("2: a document without one before it".to_owned());
    };
    let outer = |text: &str| -> Vec<(String, Value)> {
        let all: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
        all.into_iter().filter(|(key, _)| key != "Statement").collect()
    };
    if document.is_some_and(|it| outer(it) != outer(read.text())) {
        return Err("6: the document around the statements is another one".to_owned());
    }
    let (old, new) = (read.statements(), statements(&wanted.target, document));
    if document.is_some() && new.is_empty() {
        return Err("an empty document is put".to_owned());
    }
    if new.iter().any(Statement::blocks_adding) {
        return Err("a document is put that has a deleted principal in it".to_owned());
    }
    in_order(old, &new)?;
    if old.iter().map(Statement::text).eq(new.iter().map(Statement::text)) {
        return Err("11: a document is put that is there already".to_owned());
    }
    let (before, after) = (lists::view(wanted, old, now), lists::view(wanted, &new, now));
    let (gone, come) = split(&before, &after);
    for at in gone {
        may_go(wanted, rules, watch, &before, at, &after, now)?;
    }
    for at in come {
        may_come(wanted, rules, &before, &after[at], now)?;
    }
    for grant in live_grants(wanted, now) {
        let says = |of: &[Statement]| of.iter().any(|it| it.says(&grant.terms));
        if says(&before) && !says(&after) && !has_a_sid_twice(old) {
            return Err(format!("5: nothing says any more what {} wants", grant.sid));
        }
    }
    Ok(())
}

fn may_go(
    wanted: &Wanted,
    rules: &Rules,
    watch: &Watch,
    before: &[Statement],
    at: usize,
    after: &[Statement],
    now: Timestamp,
) -> Result<(), String> {
    let it = &before[at];
    let sid = name(it);
    let role = role(wanted, before, at, true, now);
    let own = wanted.grants.iter().find(|grant| it.sid() == Some(grant.sid.as_str()));
    let odd = match it.class() {
        Class::Inexpressible(_) => {
            let moved = matches!(role, Role::Twin(grant) if stands(after, grant));
            own.is_none() && !moved
        }
        Class::Fixed(_) => true,
        Class::Expressible(_) | Class::Orphaned(_) => false,
    };
    if odd && !rules.remove_inexpressible {
        return Err(format!("6: {sid}, which cannot be made again, goes"));
    }
    let unasked = match role {
        Role::Unmanaged | Role::Leftover(_) => true,
        Role::Changed(grant) | Role::OrphanOf(grant) => !grant.terms.denies(),
        Role::Stands
        | Role::Expired
        | Role::Absent
        | Role::Orphan
        | Role::Twin(_)
        | Role::Untouchable => false,
    };
    if it.denies() && unasked {
        return Err(format!("6: {sid} denies, and goes unasked"));
    }
    let sure = || {
        let since = watch.orphans.get(it.text());
        since.is_some_and(|it| now.duration_since(*it) >= SignedDuration::from_secs(60))
    };
    let orphaned = matches!(it.class(), Class::Orphaned(_));
    match role {
        Role::Untouchable => return Err(format!("6: {sid} goes, and is not ours")),
        Role::Stands if own.is_some_and(|it| !stands(after, it)) => {
            return Err(format!("5: {sid} goes, and is as wanted"));
        }
        Role::Changed(grant) if !stands(after, grant) => {
            return Err(format!("5: {sid} goes, and what it should be does not come"));
        }
        Role::OrphanOf(_) | Role::Orphan | Role::Leftover(_) if orphaned && !sure() => {
            return Err(format!("{sid}: an orphan goes before it is sure"));
        }
        Role::Stands
        | Role::Changed(_)
        | Role::OrphanOf(_)
        | Role::Orphan
        | Role::Leftover(_)
        | Role::Twin(_)
        | Role::Expired
        | Role::Absent
        | Role::Unmanaged => {}
    }
    if takes_away(role, it) && rules.mode == Mode::Additive {
        return Err(format!("6: additive takes {sid} away"));
    }
    Ok(())
}

fn may_come(
    wanted: &Wanted,
    rules: &Rules,
    before: &[Statement],
    it: &Statement,
    now: Timestamp,
) -> Result<(), String> {
    let sid = name(it);
    let own = |grant: &&Grant| it.sid() == Some(grant.sid.as_str()) && it.says(&grant.terms);
    let Some(grant) = live_grants(wanted, now).find(own) else {
        return Err(format!("{sid} comes, and nobody wants it"));
    };
    // What another grant may say in a list says it for this one, too.
    let same = |other: &&Grant| other.terms == grant.terms && other.sid != grant.sid;
    let shared = it.listed_in().is_some()
        && live_grants(wanted, now)
            .filter(same)
            .any(|it| stands(before, it) || !is_denied(it, rules));
    if stands(before, grant) || shared {
        return Ok(());
    }
    if is_denied(grant, rules) && !before.iter().any(|it| bridge_stands(wanted, it, grant)) {
        return Err(format!("{sid} comes, with a risk that is denied"));
    }
    let was_there = before.iter().any(|it| it.says(&grant.terms));
    if grant.terms.denies() && !was_there && rules.mode == Mode::Additive {
        return Err(format!("6: additive puts {sid}, which denies"));
    }
    Ok(())
}

/// Who a statement names may have been deleted since it was read, which changes no revision.
fn without_roles(texts: &[String]) -> Vec<String> {
    let unnamed = |text: &String| {
        let mut res = text.clone();
        for it in ROLES {
            res = res.replace(it, ORPHAN);
        }
        let mut parts = res.split("\"AROA");
        let mut res = parts.next().unwrap_or_default().to_owned();
        for it in parts {
            res.push_str("\"AROA");
            res.push_str(it.trim_start_matches(|it: char| it.is_ascii_alphanumeric()));
        }
        serde_json::from_str::<Value>(&res).unwrap().to_string()
    };
    texts.iter().map(unnamed).collect()
}

/// A document was put, or refused by the simulator.
pub(crate) fn applied(
    case: &Case,
    wanted: &Wanted,
    book: &mut Book,
    sent: &Sent,
    before: &[Statement],
    after: &[Statement],
    now: Timestamp,
) -> Result<(), String> {
    let What::Put { document, from } = &sent.what else { return Ok(()) };
    let texts = |of: &[Statement]| of.iter().map(|it| it.text().to_owned()).collect::<Vec<_>>();
    if without_roles(&texts(before)) != without_roles(from) {
        return Err("2: a document was put over one that was not read".to_owned());
    }
    let asked = statements(&wanted.target, document.as_deref());
    if without_roles(&texts(after)) != without_roles(&texts(&asked)) {
        return Err("what was put is not what was asked for".to_owned());
    }
    if sent.process != book.process || has_a_sid_twice(before) {
        return Ok(());
    }
    // Whom a role's name means may have changed since, and that takes nothing away.
    let before: Vec<Statement> =
        from.iter().map(|it| Statement::read(it, &wanted.target)).collect();
    let (before, after) = (lists::view(wanted, &before, now), lists::view(wanted, &asked, now));
    let (gone, come) = split(&before, &after);
    let rules = book.rules.clone();
    let mut taken: Vec<(&Statement, bool)> = Vec::new();
    for at in gone {
        if narrowed(wanted, &rules, book.watch(&sent.target), &before, at, true, now) {
            taken.push((&before[at], allows(&before[at])));
        }
    }
    // A Deny that comes takes access away, too.
    for it in come.into_iter().map(|at| &after[at]).filter(|it| it.denies()) {
        let there = before.iter().any(|of| of.sid() == it.sid());
        let said = live_grants(wanted, now)
            .filter(|grant| it.says(&grant.terms))
            .any(|grant| before.iter().any(|it| it.says(&grant.terms)));
        if !there && !said {
            taken.push((it, false));
        }
    }
    let comes = live_grants(wanted, now)
        .any(|it| !it.terms.denies() && !after.iter().any(|of| of.says(&it.terms)));
    if taken.iter().any(|(_, allowed)| *allowed) && !after.iter().any(allows) && !comes {
        return Err("7: the last Allow is gone".to_owned());
    }
    taken.iter().try_for_each(|(it, _)| book.narrow(case, &sent.target, it.text(), now))
}
