//! The whole document that puts a target right in one write: every statement that nothing is done about stands in it
//! byte for byte and in its place, and what is wanted stands there beside it.
//!
//! | a statement | in the new document |
//! |---|---|
//! | foreign, ignored, held | as it is, where it is |
//! | that changes, or gets another name | the new one, in its place |
//! | that goes | not there |
//! | missing | at the end |
//! | of a target that says `compact` | a member of the list of those that are like it |
//!
//! A target without a policy has nothing that a write could be guarded by, so its first statement is added: one that is
//! wanted, or where AddPermission can say none of them, one that lets in nobody who is not in anyway.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::drift::{
    allow::{Reason, Writer},
    bridge,
    diff::{Drift, Kind, is_live},
    plan::{Action, Change, Effect, How, Scene, Step},
    wanted::Wanted,
};
use crate::policy::{
    compact::{self, Place},
    document::Document,
    grant::{Action as Name, Grant, Permission},
    principal::Principal,
    size::{self, LIMIT},
    statement::Statement,
};

mod draft;
mod saving;

use draft::Draft;
pub use saving::Saving;
pub(super) use saving::saving;

/// What one write makes of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The document as it will be; none where nothing is left of it.
    pub text: Option<String>,
}

/// The policy as the grants of these files see it: members of lists of ours as statements of their own.
pub(super) fn view(wanted: &Wanted, live: &Document, now: Timestamp) -> Option<Document> {
    if wanted.writer == Writer::Statements {
        return None;
    }
    let sids_of = |member: &Permission| -> Vec<String> {
        let same = wanted.grants.iter().filter(|it| it.terms.plain() == Some(member));
        let (live, past): (Vec<&Grant>, Vec<&Grant>) =
            same.filter(|_| wanted.compact).partition(|it| is_live(it, now));
        // What one grant still asks for is nothing that another one has left behind.
        let named = if live.is_empty() { past } else { live };
        named.into_iter().map(|it| it.sid.clone()).collect()
    };
    live.taken_apart(&wanted.target, sids_of)
}

/// Grants that stand, but by themselves and not in the list that they belong into, or in another one.
pub(super) fn scattered(scene: &Scene<'_>, drift: &[Drift]) -> Vec<Drift> {
    if !scene.wanted.compact || scene.memory.decisions.may_not_put.is_some() {
        return Vec::new();
    }
    let places = places(scene);
    let differs: BTreeSet<&str> = drift.iter().filter_map(|it| it.sid.as_deref()).collect();
    let mut res = Vec::new();
    for grant in scene.grants().filter(|it| !differs.contains(it.sid.as_str())) {
        let Some(place) = places.get(grant.sid.as_str()) else { continue };
        let of_sid = |it: &&Statement| it.sid() == Some(grant.sid.as_str());
        let Some(live) = scene.statements().iter().find(of_sid) else { continue };
        if live.listed_in() == Some(place.sid.as_str()) {
            continue;
        }
        res.push(Drift {
            sid: Some(grant.sid.clone()),
            kind: Kind::Renamed,
            before: Some(live.clone()),
            after: Some(grant.clone()),
            other: Some(live.listed_in().unwrap_or(&grant.sid).to_owned()),
            ambiguous: false,
            source: Some(grant.source.clone()),
            rule: grant.rule.clone(),
        });
    }
    res
}

/// A grant whose role is deleted, and that Lambda has refused: what is left of its statement goes by itself, for nothing
/// can be put beside it.
pub(super) fn give_up_orphans(scene: &Scene<'_>, drift: &mut [Drift]) {
    if scene.wanted.writer == Writer::Statements {
        return;
    }
    for it in drift.iter_mut().filter(|it| it.kind == Kind::Orphaned) {
        if scene.memory.refusals(it.sid.as_deref()).next().is_some() {
            it.after = None;
        }
    }
}

/// A grant that a list of ours says under another Sid is added by itself where that list cannot be put.
pub(super) fn leave_lists(scene: &Scene<'_>, drift: &mut [Drift]) {
    if scene.memory.decisions.may_not_put.is_none() {
        return;
    }
    let listed = |it: &Drift| it.before.as_ref().is_some_and(|it| it.listed_in().is_some());
    for it in drift.iter_mut().filter(|it| it.kind == Kind::Renamed && listed(it)) {
        (it.kind, it.before, it.other) = (Kind::Missing, None, None);
    }
}

/// The list that each grant belongs into, by Sid; none for those that nothing is like.
fn places(scene: &Scene<'_>) -> BTreeMap<String, Place> {
    let grants: Vec<(&Grant, &Permission)> =
        scene.grants().filter_map(|it| Some((it, it.terms.plain()?))).collect();
    let permissions: Vec<&Permission> = grants.iter().map(|(_, it)| *it).collect();
    let prefix = scene.wanted.ownership.sid_prefix();
    let places = compact::places(&permissions, &scene.wanted.target, prefix);
    let of_sid =
        |(grant, place): (&(&Grant, _), Option<Place>)| Some((grant.0.sid.clone(), place?));
    grants.iter().zip(places).filter_map(of_sid).collect()
}

/// The steps of all changes that are not held, and the document that does them. What cannot fit is held.
pub(super) fn steps(scene: &Scene<'_>, changes: &mut [Change]) -> (Vec<Step>, Option<Whole>) {
    let places = if scene.wanted.compact { places(scene) } else { BTreeMap::new() };
    not_for_nothing(scene, changes);
    let text = loop {
        let chosen = chosen(scene, changes);
        if chosen.is_empty() {
            return (Vec::new(), None);
        }
        let draft = Draft { scene, changes, chosen: &chosen, places: &places };
        let statements = draft.statements();
        let text = draft.text(&statements);
        let bytes: usize = statements.iter().map(|it| size::of_statement(it)).fold(0, size::with);
        let grows = |at: &&usize| changes.get(**at).is_some_and(Change::adds);
        let last = chosen.iter().rev().find(grows).copied().filter(|_| bytes > LIMIT);
        let raw = scene.raw.map_or(&[][..], Document::statements);
        let same = raw.iter().map(Statement::text).eq(statements.iter().map(String::as_str));
        match last.and_then(|it| changes.get_mut(it)) {
            Some(change) => change.held = Some(Reason::TooLarge { size: bytes }),
            None if same && !raw.is_empty() => {
                // All of it waits for something that is held: what says it says that, too.
                for at in chosen {
                    if let Some(change) = changes.get_mut(at) {
                        change.held = Some(Reason::StillNeeded);
                    }
                }
            }
            None => break text,
        }
    };
    let chosen = chosen(scene, changes);
    let late = chosen.iter().filter_map(|it| changes.get(*it)).any(Change::is_judged);
    let mut steps = Vec::with_capacity(chosen.len());
    for at in chosen {
        let Some(change) = changes.get_mut(at) else { continue };
        if change.drift.kind == Kind::Changed {
            change.how = How::Whole;
        }
        steps.push(step(at, change, late));
    }
    if scene.raw.is_none() {
        return (first(scene, changes, steps), None);
    }
    (steps, Some(Whole { text }))
}

/// What goes into one write: all that is not held, or the first of it where Lambda did not take all of it together.
fn chosen(scene: &Scene<'_>, changes: &[Change]) -> Vec<usize> {
    let free = || changes.iter().enumerate().filter(|(_, it)| it.held.is_none());
    if !scene.memory.one_by_one {
        return free().map(|(at, _)| at).collect();
    }
    let free: Vec<usize> = free().map(|(at, _)| at).collect();
    let change = |at: &usize| changes.get(*at);
    // Lambda takes no document that a deleted principal stands in, so all of that goes first; and what comes,
    // before what goes.
    let rank = |at: &&usize| match change(at) {
        Some(it) if it.drift.before.as_ref().is_some_and(Statement::blocks_adding) => 0,
        Some(it) if it.adds() => 1,
        Some(_) | None => 2,
    };
    let mut res: Vec<usize> = free.iter().filter(|it| rank(it) == 0).copied().collect();
    if res.is_empty() {
        res.extend(free.iter().min_by_key(rank));
    }
    // What it takes away may be what another one wants: then that comes with it.
    let wants = |res: &[usize], it: &Change| {
        let after = it.drift.after.as_ref().filter(|_| it.adds());
        let gone = |of: &usize| change(of).and_then(|it| it.drift.before.as_ref());
        after.is_some_and(|it| res.iter().filter_map(gone).any(|of| of.says(&it.terms)))
    };
    let missed = |res: &[usize]| {
        let other = |at: &&usize| !res.contains(at) && change(at).is_some_and(|it| wants(res, it));
        free.iter().find(other).copied()
    };
    while let Some(it) = missed(&res) {
        res.push(it);
    }
    res
}

/// There is no policy, and what can only be put was refused not long ago: a policy is not begun for it again.
fn not_for_nothing(scene: &Scene<'_>, changes: &mut [Change]) {
    let plain = |it: &Change| it.drift.after.as_ref().is_some_and(|it| it.terms.plain().is_some());
    if scene.raw.is_some() || changes.iter().any(|it| it.held.is_none() && plain(it)) {
        return;
    }
    for change in changes.iter_mut().filter(|it| it.held.is_none()) {
        let of_sid = |(sid, _): &&(String, String)| Some(sid) == change.drift.sid.as_ref();
        let known = scene.memory.not_replaceable.iter().find(of_sid);
        change.held = known.map(|(_, answer)| Reason::Refused(answer.clone()));
    }
}

fn step(at: usize, change: &Change, late: bool) -> Step {
    let Change { drift, effect, .. } = change;
    let sid = drift.sid.clone().unwrap_or_default();
    let after = drift.after.as_ref().filter(|_| change.adds());
    let replaces = (drift.kind == Kind::Changed).then(|| sid.clone());
    Step {
        action: Action::Put(after.map(|it| Box::new(it.terms.clone()))),
        sid,
        effect: *effect,
        kind: drift.kind,
        change: at,
        replaces,
        late,
    }
}

/// There is no policy yet: what is added first, and what waits for it.
fn first(scene: &Scene<'_>, changes: &[Change], steps: Vec<Step>) -> Vec<Step> {
    let plain = |it: &Step| {
        let grant = changes.get(it.change)?.drift.after.as_ref()?;
        let permission = grant.terms.plain()?.clone();
        Some(Step { action: Action::Add(Box::new(permission)), ..it.clone() })
    };
    let early = steps.iter().find_map(|it| plain(it).filter(|_| !judged(it, changes)));
    let add = early.or_else(|| steps.iter().find_map(plain)).map(|it| {
        let late = judged(&it, changes);
        Step { late, ..it }
    });
    let add = add.or_else(|| {
        let about = steps.first()?;
        Some(Step {
            sid: bridge::bridge_sid(&scene.wanted.target, &about.sid),
            action: Action::Add(Box::new(nobody_new(scene.wanted))),
            effect: Effect::Neutral,
            ..about.clone()
        })
    });
    let added = add.as_ref().map(|it| (it.change, it.sid.clone()));
    let rest = steps.into_iter().filter(|it| Some((it.change, it.sid.clone())) != added);
    add.iter().cloned().chain(rest).collect()
}

fn judged(step: &Step, changes: &[Change]) -> bool {
    changes.get(step.change).is_some_and(Change::is_judged)
}

/// The function's own account may read its policy: whoever its IAM policies let do that is let do it anyway, and
/// whoever they do not is not (IAM user guide, "Cross-account resource access": within one account either is enough,
/// and an account as principal leaves it to the account's own policies).
fn nobody_new(wanted: &Wanted) -> Permission {
    let own = Principal::Account(wanted.target.account().to_owned());
    Permission::of(own, Name("lambda:GetPolicy".to_owned()))
}
