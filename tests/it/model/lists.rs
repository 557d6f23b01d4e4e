//! Statements of permitd's own that say what several grants say, as the files see them.

use jiff::Timestamp;
use permitd::drift::{allow::Writer, wanted::Wanted};
use permitd::policy::{
    compact::{self, List, Place},
    document::Document,
    grant::{Grant, Permission},
    statement::Statement,
};

use super::{
    case::Dice,
    content::{self, ROLES},
    reference::is_live,
};

/// The policy as the files see it: each member of a list of ours is a statement of its own.
pub(crate) fn view(wanted: &Wanted, statements: &[Statement], now: Timestamp) -> Vec<Statement> {
    if wanted.writer == Writer::Statements {
        return statements.to_vec();
    }
    let target = &wanted.target;
    let mut res = Vec::new();
    for it in statements {
        let Some(List { place, members }) = list(wanted, it) else {
            res.push(it.clone());
            continue;
        };
        for member in members {
            let says = |sid: &str| {
                let text = member.statement_text(sid, target);
                Statement::read(&text, target).in_list(&place.sid)
            };
            let same = wanted.grants.iter().filter(|it| it.terms.plain() == Some(&member));
            let (live, past): (Vec<&Grant>, Vec<&Grant>) =
                same.filter(|_| wanted.compact).partition(|it| is_live(it, now));
            // It is said for who still wants it.
            let named = if live.is_empty() { past } else { live };
            let named: Vec<Statement> = named.into_iter().map(|it| says(&it.sid)).collect();
            let nobodys = named.is_empty().then(|| says(&place.sid));
            res.extend(named.into_iter().chain(nobodys));
        }
    }
    res
}

pub(crate) fn list(wanted: &Wanted, statement: &Statement) -> Option<List> {
    statement.sid().and_then(|sid| compact::read(sid, statement.text(), &wanted.target))
}

/// Some of the statements as lists, with a member more or less.
pub(crate) fn gathered(dice: &mut Dice, wanted: &Wanted, statements: &[String]) -> Vec<String> {
    let target = &wanted.target;
    let mut members: Vec<Permission> =
        wanted.grants.iter().filter_map(|it| it.terms.plain().cloned()).collect();
    for which in 0..5 {
        if dice.percent(10) {
            members.push(content::permission(which));
        }
    }
    let all: Vec<&Permission> = members.iter().collect();
    let mut res = statements.to_vec();
    let mut lists: Vec<(Place, Vec<Permission>)> = Vec::new();
    for (place, member) in compact::places(&all, target, "").into_iter().zip(&members) {
        let Some(place) = place.filter(|_| dice.percent(80)) else { continue };
        match lists.iter_mut().find(|(it, _)| *it == place) {
            Some((_, members)) => members.push(member.clone()),
            None => lists.push((place, vec![member.clone()])),
        }
        // Mostly it stands nowhere else.
        if dice.percent(80) {
            res.retain(|it| !Statement::read(it, target).says_plainly(member));
        }
    }
    for (place, members) in &lists {
        let text = compact::statement_text(place, &members.iter().collect::<Vec<_>>(), target);
        if !text.contains("role/ghost") {
            res.insert(dice.below(res.len() + 1), text);
        }
    }
    while content::document(&res).len() > permitd::policy::size::LIMIT {
        res.pop();
    }
    res
}

/// Somebody puts a member into one of our lists, or takes one out.
pub(crate) fn tampered(dice: &mut Dice, wanted: &Wanted, document: &Document) -> Vec<String> {
    let mut done = false;
    let mut change = |it: &Statement| {
        let Some(List { place, mut members }) = list(wanted, it).filter(|_| !done) else {
            return it.text().to_owned();
        };
        done = true;
        let more = content::permission(dice.below(5));
        let named = |it: &Permission| ROLES.contains(&it.principal.parameter());
        if dice.percent(50) && members.len() > 1 {
            members.remove(dice.below(members.len()));
        } else if !named(&more) {
            members.push(more);
        }
        compact::statement_text(&place, &members.iter().collect::<Vec<_>>(), &wanted.target)
    };
    document.statements().iter().map(&mut change).collect()
}
