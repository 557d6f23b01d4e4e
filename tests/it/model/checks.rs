//! What must always hold, checked from outside at every call.

use jiff::{SignedDuration, Timestamp};
use permitd::drift::{
    allow::{Mode, Replace, Rules, Writer},
    wanted::Wanted,
};
use permitd::journal::{
    entry::{Action, Filter, NewEntry, Outcome},
    store::Journal,
};
use permitd::policy::{
    document::Document,
    grant::{Grant, Permission},
    size::LIMIT,
    statement::{Class, Statement},
    target::Target,
};

use super::{
    book::{Book, LastRead, Watch},
    case::Case,
    content, documents, lists,
    reference::{self, Role, allows, is_denied, live_grants, role, takes_away},
    world::{Sent, What},
};

fn wanted_of<'a>(case: &'a Case, target: &Target) -> &'a Wanted {
    case.wanted.iter().find(|it| it.target == *target).unwrap()
}

pub(crate) fn is_untouched(case: &Case, wanted: &Wanted, now: Timestamp) -> bool {
    let arn = wanted.target.arn();
    let here = |it: &&permitd::journal::pause::Pause| it.target.as_deref() == Some(arn.as_str());
    wanted.suspend || case.pauses.iter().filter(here).any(|it| !it.is_over(now))
}

/// A write arrives at the gateway.
pub(crate) fn sent(
    case: &Case,
    book: &mut Book,
    journal: &Journal,
    sent: &Sent,
    now: Timestamp,
) -> Result<(), String> {
    let Sent { target, what, revision, .. } = sent;
    let wanted = wanted_of(case, target);
    let flying = book.in_flight.entry(target.function_arn()).or_default();
    *flying += 1;
    let n_flying = *flying;
    book.n_writes += 1;
    let rules = book.rules.clone();
    let watch = book.watch(target);
    watch.calls.writes += 1;
    if n_flying > 1 {
        return Err("8: two writes in flight in one function".to_owned());
    }
    if rules.mode == Mode::Observe {
        return Err("1: observe writes".to_owned());
    }
    if is_untouched(case, wanted, now) {
        return Err("6: a target that is suspended or paused is written to".to_owned());
    }
    if watch.must_read {
        return Err("3: a write after one of unknown outcome, without a read".to_owned());
    }
    match (&watch.last_read, revision) {
        (LastRead::Never, _) => return Err("2: a write without a read".to_owned()),
        (LastRead::Failed, _) => return Err("13: a write after a read that failed".to_owned()),
        (LastRead::Nothing, None) if matches!(what, What::Add { .. }) => {}
        (LastRead::Policy(it), Some(revision)) if it.revision() == revision => {}
        (LastRead::Policy(_), Some(revision))
            if matches!(what, What::Put { .. }) && watch.was_given(revision) => {}
        (LastRead::Nothing | LastRead::Policy(_), _) => {
            return Err(format!("2: a write not guarded by the last read, but by {revision:?}"));
        }
    }
    if revision.as_ref().is_some_and(|it| watch.spent.contains(it)) {
        return Err("13: a write planned from a policy that our own write replaced".to_owned());
    }
    let lately = |it: Timestamp| now.duration_since(it) < SignedDuration::from_secs(30);
    if revision.is_none() && watch.added_at.is_some_and(lately) {
        return Err("13: no policy, right after our own addition, was believed".to_owned());
    }
    in_journal(journal, sent, &watch.last_read)?;
    let statements = watch.last_read.statements().to_vec();
    by_its_writer(wanted, what, &statements)?;
    match what {
        What::Add { sid, permission } => {
            may_add(wanted, &rules, watch, sid, permission, &statements, now)
        }
        What::Remove { sid, opens_gap } => {
            watch.added_at = None;
            let mut same = statements.iter().filter(|it| it.sid() == Some(sid));
            let (Some(it), None) = (same.next(), same.next()) else {
                return Err(format!("6: {sid} is to be removed, and does not stand there once"));
            };
            let view = lists::view(wanted, &statements, now);
            let there = |of: &Statement| of == it;
            let Some(at) = view.iter().position(there) else {
                return Err(format!("6: {sid} is a list, and is removed as a whole"));
            };
            may_remove(wanted, &rules, watch, *opens_gap, (&statements, &view), at, now)?;
            if *opens_gap {
                watch.gaps.insert(sid.clone(), it.clone());
            }
            Ok(())
        }
        What::Put { document, .. } => {
            if document.is_none() {
                watch.added_at = None;
            }
            documents::may_put(wanted, &rules, watch, document.as_deref(), now)
        }
    }
}

/// Each writer keeps to its calls.
fn by_its_writer(wanted: &Wanted, what: &What, live: &[Statement]) -> Result<(), String> {
    let beside_orphan = || live.iter().any(Statement::blocks_adding);
    let good = match (wanted.writer, what) {
        (Writer::Statements, What::Put { .. }) => false,
        (Writer::Document, What::Add { .. }) => live.is_empty(),
        (Writer::Document, What::Remove { .. }) => beside_orphan(),
        (Writer::Statements, What::Add { .. } | What::Remove { .. })
        | (Writer::Document, What::Put { .. })
        | (Writer::Auto, _) => true,
    };
    if good { Ok(()) } else { Err(format!("{:?} does not write like that", wanted.writer)) }
}

fn in_journal(journal: &Journal, sent: &Sent, read: &LastRead) -> Result<(), String> {
    let filter = Filter { limit: Some(6), ..Filter::default() };
    let entries = journal.entries(&filter).unwrap();
    let statement = |sid: &str| read.statements().iter().find(|it| it.sid() == Some(sid));
    let text = |sid: &str| statement(sid).map(Statement::text);
    let document = match read {
        LastRead::Policy(it) => Some(it.text()),
        LastRead::Never | LastRead::Failed | LastRead::Nothing => None,
    };
    let is_it = |it: &NewEntry| {
        let (before, after) = (it.before.as_deref(), it.after.as_deref());
        match &sent.what {
            What::Add { sid, .. } => {
                it.action == Action::Add && it.sid.as_ref() == Some(sid) && after.is_some()
            }
            What::Remove { sid, .. } => {
                let same = it.action == Action::Remove && it.sid.as_ref() == Some(sid);
                same && before == text(sid) && after.is_none()
            }
            What::Put { document: put, .. } => {
                it.action == Action::Put && before == document && after == put.as_deref()
            }
        }
    };
    let found = entries.iter().any(|it| {
        it.outcome == Outcome::Pending
            && it.step.target == sent.target.arn()
            && it.step.revision == sent.revision
            && is_it(&it.step)
    });
    if found { Ok(()) } else { Err("4: it is not in the journal".to_owned()) }
}

fn may_add(
    wanted: &Wanted,
    rules: &Rules,
    watch: &mut Watch,
    sid: &str,
    permission: &Permission,
    statements: &[Statement],
    now: Timestamp,
) -> Result<(), String> {
    let target = &wanted.target;
    if let Some(old) = watch.gaps.get(sid)
        && old.says_plainly(permission)
    {
        return Ok(());
    }
    let bridge = |it: &&Grant| content::bridge_sid(target, &it.sid) == *sid;
    let own = |it: &&Grant| it.sid == *sid;
    let grant = live_grants(wanted, now).find(|it| own(it) || bridge(it));
    // What a document begins with where AddPermission can say nothing of what is wanted.
    let wide = |it: &&Grant| bridge(it) && it.terms.plain().is_none();
    if statements.is_empty()
        && wanted.writer != Writer::Statements
        && grant.as_ref().is_some_and(wide)
        && content::is_seed(permission)
    {
        return Ok(());
    }
    let Some(grant) = grant.filter(|it| it.terms.plain() == Some(permission)) else {
        return Err(format!("{sid} is added, and nobody wants it"));
    };
    let stands = statements.iter().any(|it| bridge_stands(wanted, it, grant));
    let gap = watch.gaps.contains_key(&grant.sid);
    if is_denied(grant, rules) && !stands && !gap {
        return Err(format!("{sid} is added, with a risk that is denied"));
    }
    Ok(())
}

pub(crate) fn bridge_stands(wanted: &Wanted, it: &Statement, grant: &Grant) -> bool {
    let sid = content::bridge_sid(&wanted.target, &grant.sid);
    it.sid() == Some(sid.as_str()) && it.says(&grant.terms)
}

/// May this statement be taken away, as far as the read that it was planned from tells?
fn may_remove(
    wanted: &Wanted,
    rules: &Rules,
    watch: &Watch,
    opens_gap: bool,
    (raw, statements): (&[Statement], &[Statement]),
    at: usize,
    now: Timestamp,
) -> Result<(), String> {
    let it = &statements[at];
    let sid = it.sid().unwrap();
    let orphaned = matches!(it.class(), Class::Orphaned(_));
    let inexpressible = matches!(it.class(), Class::Inexpressible(_));
    let role = role(wanted, statements, at, false, now);
    if inexpressible && !rules.remove_inexpressible {
        return Err(format!("6: {sid}, which cannot be made again, is removed"));
    }
    let sure = || {
        let since = watch.orphans.get(it.text());
        since.is_some_and(|it| now.duration_since(*it) >= SignedDuration::from_secs(60))
    };
    let unasked = matches!(role, Role::Unmanaged | Role::Leftover(_) | Role::Changed(_));
    if it.denies() && unasked {
        return Err(format!("6: {sid} denies, and is removed unasked"));
    }
    match role {
        Role::Untouchable => return Err(format!("6: {sid} is removed, and is not ours")),
        Role::Stands => return Err(format!("5: {sid} is removed, and is as wanted")),
        Role::Changed(grant) => {
            replaces(wanted, watch, opens_gap, (raw, statements), at, grant)?;
        }
        Role::OrphanOf(_) | Role::Orphan | Role::Leftover(_) if orphaned => {
            if !sure() {
                return Err(format!("{sid}: an orphan is removed before it is sure"));
            }
        }
        Role::OrphanOf(_)
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

/// The old statement goes only when the new content stands, or when there is a reason for a gap.
fn replaces(
    wanted: &Wanted,
    watch: &Watch,
    opens_gap: bool,
    (raw, statements): (&[Statement], &[Statement]),
    at: usize,
    grant: &Grant,
) -> Result<(), String> {
    let says = |it: &&Statement| it.says(&grant.terms);
    if statements.iter().enumerate().any(|(n, it)| n != at && says(&it)) {
        return Ok(());
    }
    let it = &statements[at];
    let bridge = content::bridge_sid(&wanted.target, &grant.sid);
    let text = grant.terms.statement_text(&bridge, &wanted.target);
    let size = content::size(raw.iter().map(Statement::text).chain([text.as_str()]));
    let own = grant.terms.statement_text(&grant.sid, &wanted.target);
    let then = size + own.len() - it.text().len();
    let full = size > LIMIT || then + 1 > LIMIT || watch.too_large;
    let taken = statements.iter().any(|it| it.sid() == Some(bridge.as_str()));
    let reason = wanted.replace == Replace::Direct || full || taken;
    if !reason && !it.denies() {
        return Err(format!("5: {} is removed before the new one stands", grant.sid));
    }
    if !opens_gap && !it.denies() {
        return Err(format!("5: the gap of {} was not announced", grant.sid));
    }
    Ok(())
}

/// A write has been applied, or refused by the simulator.
pub(crate) fn applied(
    case: &Case,
    book: &mut Book,
    sent: &Sent,
    before: Option<&Document>,
    after: Option<&Document>,
    done: bool,
    now: Timestamp,
) -> Result<(), String> {
    let wanted = wanted_of(case, &sent.target);
    let [before, after] = [before, after].map(|it| it.map_or(&[][..], Document::statements));
    let texts = |of: &[Statement]| of.iter().map(|it| it.text().to_owned()).collect::<Vec<_>>();
    let (mut old, mut new) = (texts(before), texts(after));
    if !done {
        return if old == new { Ok(()) } else { Err("a refused write changed something".into()) };
    }
    let (sid, opens_gap, adds) = match &sent.what {
        What::Add { sid, .. } => (sid, false, true),
        What::Remove { sid, opens_gap } => (sid, *opens_gap, false),
        What::Put { .. } => {
            return documents::applied(case, wanted, book, sent, before, after, now);
        }
    };
    let gone = before.iter().position(|it| it.sid() == Some(sid.as_str()));
    match (adds, gone) {
        (true, _) => drop(new.pop()),
        (false, Some(at)) => drop(old.remove(at)),
        (false, None) => return Err("a removal of nothing was done".to_owned()),
    }
    if old != new {
        return Err(format!("6: the write of {sid} changed another statement"));
    }
    let removed = gone.map(|at| before[at].clone());
    let (before, after) =
        (&lists::view(wanted, before, now)[..], &lists::view(wanted, after, now)[..]);
    let gone = removed.and_then(|it| before.iter().position(|of| *of == it));
    // What is replaced by another Sid's content in a gap, or without room for both bridges, is away for a moment.
    let longest =
        wanted.grants.iter().map(|it| it.terms.statement_text(&it.sid, &wanted.target).len() + 60);
    let crowded =
        content::size(before.iter().map(Statement::text)) + longest.sum::<usize>() > LIMIT;
    for grant in live_grants(wanted, now) {
        let stands = |of: &[Statement]| of.iter().any(|it| it.says(&grant.terms));
        let own = before.iter().any(|it| it.sid() == Some(grant.sid.as_str()));
        let direct = wanted.replace == Replace::Direct && own;
        let gap = opens_gap || crowded || direct;
        if stands(before) && !stands(after) && !gap {
            return Err(format!("5: nothing says any more what {} wants", grant.sid));
        }
    }
    let (false, Some(at)) = (adds, gone) else { return Ok(()) };
    if sent.process != book.process {
        return Ok(());
    }
    let rules = book.rules.clone();
    let removed = &before[at];
    let missing = |it: &Grant| !it.terms.denies() && !after.iter().any(|of| of.says(&it.terms));
    let comes = live_grants(wanted, now).any(missing);
    let narrows = narrowed(wanted, &rules, book.watch(&sent.target), before, at, false, now);
    if narrows && allows(removed) && !after.iter().any(allows) && !comes {
        return Err(format!("7: {sid} was the last Allow"));
    }
    if narrows { book.narrow(case, &sent.target, removed.text(), now) } else { Ok(()) }
}

/// A replacement that had begun before this pass is only finished.
pub(crate) fn narrowed(
    wanted: &Wanted,
    rules: &Rules,
    watch: &Watch,
    before: &[Statement],
    at: usize,
    wholly: bool,
    now: Timestamp,
) -> bool {
    match role(wanted, before, at, wholly, now) {
        Role::Changed(grant) if takes_away(Role::Changed(grant), &before[at]) => {
            let first = watch.first_read.iter().flatten();
            !first.into_iter().any(|it| bridge_stands(wanted, it, grant))
        }
        Role::Changed(_)
        | Role::Stands
        | Role::OrphanOf(_)
        | Role::Expired
        | Role::Absent
        | Role::Leftover(_)
        | Role::Orphan
        | Role::Twin(_)
        | Role::Unmanaged
        | Role::Untouchable => reference::narrows(wanted, before, at, wholly, rules, now),
    }
}
