//! Which changes may not be made now, each with its reason.

use std::collections::BTreeMap;

use crate::drift::{
    allow::{Mode, Reason, Rules, Writer},
    diff::Kind,
    plan::{Change, Clearance, Decisions, Effect, Judgement, Memory, Scene},
};
use crate::policy::{
    grant::Grant,
    risk,
    statement::{Class, Statement},
    terms::Terms,
};

/// The reasons that one change has by itself.
/// `wholly`: they go into a write of the whole document.
pub(super) fn by_themselves(scene: &Scene<'_>, changes: &mut [Change], wholly: bool) {
    let adds = changes.iter().any(Change::adds);
    // Most targets are in sync, and pay nothing for it.
    let risks = if adds { risk::of_grants(scene.grants()) } else { BTreeMap::new() };
    for change in changes {
        change.held = by_itself(scene, change, wholly).or_else(|| {
            let grant = change.drift.after.as_ref().filter(|_| change.adds() && !change.begun)?;
            let denied = |it: &&risk::Risk| {
                scene.rules.deny_risks.contains(it) && !grant.accept.contains(it)
            };
            let risk = risks.get(&grant.sid).into_iter().flatten().find(denied)?;
            (!is_approved(scene, change)).then_some(Reason::Risk(*risk))
        });
    }
}

fn is_approved(scene: &Scene<'_>, change: &Change) -> bool {
    scene.memory.decisions.approval_of(&scene.wanted.target, change).is_some()
}

fn by_itself(scene: &Scene<'_>, change: &Change, wholly: bool) -> Option<Reason> {
    let Scene { wanted, rules, memory, .. } = scene;
    let Change { drift, effect, .. } = change;
    let Rules { mode, remove_inexpressible, orphan_grace, .. } = rules;
    let Decisions { only, paused, settling, no_journal, .. } = &memory.decisions;
    let class = drift.before.as_ref().map(Statement::class);
    let unsure = |it: &Statement| !memory.confirmed.iter().any(|text| text == it.text());
    match (class, mode) {
        _ if wanted.suspend => Some(Reason::Suspended),
        _ if paused.is_some() => paused.clone().map(Reason::Paused),
        _ if !wholly && memory.decisions.may_not_put.is_some() && needs_put(scene, change) => {
            Some(Reason::NoPut(why_not_put(scene)))
        }
        _ if drift.ambiguous && !wholly => Some(Reason::AmbiguousSid),
        (Some(Class::Fixed(odd)), _) if !wholly || !remove_inexpressible => {
            Some(Reason::Fixed(odd.why))
        }
        // What a grant says is in the files, and can be put again.
        (Some(Class::Inexpressible(odd)), _)
            if !(*remove_inexpressible || (wholly && is_granted(scene, change))) =>
        {
            Some(Reason::Inexpressible(odd.why))
        }
        _ if takes_away_a_deny(change) && !is_approved(scene, change) => Some(Reason::RemovesDeny),
        // A role that was just made may read back as a bare id for a moment, also in a bridge of ours.
        (Some(Class::Orphaned(_)), _)
            if matches!(drift.kind, Kind::Orphaned | Kind::Leftover)
                && drift.before.as_ref().is_some_and(unsure) =>
        {
            Some(Reason::OrphanUnconfirmed(*orphan_grace))
        }
        (_, Mode::Additive) if *effect == Effect::Narrows => Some(Reason::Additive),
        _ if *settling && *effect == Effect::Narrows => Some(Reason::FilesSettling),
        _ if change.removes() && no_journal.is_some() => no_journal.clone().map(Reason::NoJournal),
        _ => came_to_nothing(change, memory).or_else(|| {
            let said_no = |it: &crate::drift::approval::Approval| {
                !change.begun && !it.covers(&wanted.target, change)
            };
            only.as_ref().is_some_and(said_no).then_some(Reason::NotApproved)
        }),
    }
}

/// Statement by statement it cannot be done.
fn needs_put(scene: &Scene<'_>, change: &Change) -> bool {
    let Change { drift, .. } = change;
    let after = drift.after.as_ref().filter(|_| change.adds());
    let wide = after.is_some_and(|it| it.terms.plain().is_none());
    let refused =
        scene.wanted.writer == Writer::Document && scene.memory.decisions.may_not_put.is_some();
    let listed = drift.before.as_ref().is_some_and(|it| it.listed_in().is_some());
    // It stands by itself, and only its place would be another one.
    let scattered = drift.kind == Kind::Renamed && drift.other == drift.sid;
    refused || wide || listed || scattered
}

fn why_not_put(scene: &Scene<'_>) -> String {
    let orphan = || "a statement with a deleted principal stays in it".to_owned();
    scene.memory.decisions.may_not_put.clone().unwrap_or_else(orphan)
}

/// Its Sid is one that the files grant something under.
fn is_granted(scene: &Scene<'_>, change: &Change) -> bool {
    let sid = change.drift.sid.as_deref();
    scene.wanted.grants.iter().any(|it| Some(it.sid.as_str()) == sid)
}

/// Somebody's Deny would go, and nobody has asked for that: no file names its Sid as unwanted, or says a Deny of its own
/// under it.
fn takes_away_a_deny(change: &Change) -> bool {
    let drift = &change.drift;
    let denies = drift.before.as_ref().is_some_and(Statement::denies);
    let asked = match drift.kind {
        Kind::Absent | Kind::Expired | Kind::Duplicate | Kind::Renamed | Kind::Missing => true,
        Kind::Changed | Kind::Orphaned => drift.after.as_ref().is_some_and(|it| it.terms.denies()),
        Kind::Unmanaged | Kind::Leftover => false,
    };
    denies && !asked
}

/// What was tried in this conversation, or not long ago, and is not tried again.
fn came_to_nothing(change: &Change, memory: &Memory) -> Option<Reason> {
    let drift = &change.drift;
    let replaces = drift.kind == Kind::Changed;
    // What is left of a grant whose role is deleted goes once that was refused, and is not tried twice either.
    let given_up = drift.kind == Kind::Orphaned && drift.after.is_none();
    let refused = memory.refusals(drift.sid.as_deref()).nth(usize::from(given_up));
    let answer = refused.or(memory.decisions.may_not_add.as_ref().filter(|_| replaces));
    let added = memory.added.iter().filter(|it| Some(*it) == drift.sid.as_ref()).count();
    match answer {
        Some(answer) => Some(Reason::Refused(answer.clone())),
        None => (replaces && added > 1).then_some(Reason::Contended),
    }
}

/// Nothing can be added while a statement with a deleted principal stands that does not go in this plan.
/// `wholly`: what is replaced goes in the same write. If not, what only such a write can do waits as well.
pub(super) fn beside_orphans(
    scene: &Scene<'_>,
    changes: &mut [Change],
    foreign: &[Statement],
    wholly: bool,
) {
    let of =
        |it: &Statement| changes.iter().find(|change| change.drift.before.as_ref() == Some(it));
    let goes = |it: &Statement| {
        of(it).is_some_and(|it| it.held.is_none() && (wholly || it.drift.kind != Kind::Changed))
    };
    let mut blocking = scene.statements().iter().filter(|it| it.blocks_adding() && !goes(it));
    let Some(orphan) = blocking.next() else { return };
    let passes =
        |it: &Statement| of(it).and_then(|it| it.held.as_ref()).is_some_and(Reason::passes);
    let reason = Reason::BlockedByOrphan {
        orphan: orphan.sid().unwrap_or("a statement without a Sid").to_owned(),
        foreign: foreign.contains(orphan),
        passes: passes(orphan) && blocking.all(passes),
    };
    for change in changes {
        let waits = change.adds() || (!wholly && needs_put(scene, change));
        if change.held.is_none() && waits {
            change.held = Some(reason.clone());
        }
    }
}

/// What is left, and cannot be done statement by statement.
pub(super) fn what_only_put_can(scene: &Scene<'_>, changes: &mut [Change]) {
    for change in changes.iter_mut().filter(|it| it.held.is_none()) {
        if needs_put(scene, change) {
            change.held = Some(Reason::NoPut(why_not_put(scene)));
        }
    }
}

/// What says something that is wanted stays as long as nothing else says it and nothing else will.
pub(super) fn still_needed(scene: &Scene<'_>, changes: &mut [Change]) {
    let stuck: Vec<Grant> = changes
        .iter()
        .filter(|it| it.held.is_some() && it.adds())
        .filter_map(|it| it.drift.after.clone())
        .collect();
    for grant in stuck {
        if stays_elsewhere(scene, changes, &grant.terms) {
            continue;
        }
        let goes = |it: &&mut Change| !it.adds() || it.drift.kind == Kind::Changed;
        for change in changes.iter_mut().filter(|it| it.held.is_none()).filter(goes) {
            let says = change.drift.before.as_ref().is_some_and(|it| it.says(&grant.terms));
            if says {
                change.held = Some(Reason::StillNeeded);
            }
        }
    }
}

/// A live statement that no change is about says it.
fn stays_elsewhere(scene: &Scene<'_>, changes: &[Change], terms: &Terms) -> bool {
    let goes =
        |it: &Statement| changes.iter().any(|change| change.drift.before.as_ref() == Some(it));
    scene.statements().iter().any(|it| it.says(terms) && !goes(it))
}

/// Taking away a target's last Allow is always a matter of approval.
pub(super) fn last_allow(scene: &Scene<'_>, changes: &mut [Change]) {
    let lets_in = |it: &Change| it.drift.after.as_ref().is_some_and(|it| !it.terms.denies());
    let allows = |it: &Statement| !it.denies() && !it.blocks_adding();
    let live = scene.statements().iter().filter(|it| allows(it)).count();
    let goes = |it: &&Change| it.held.is_none() && it.drift.before.as_ref().is_some_and(allows);
    let gone = changes.iter().filter(goes).count();
    let comes = changes.iter().filter(|it| it.held.is_none() && it.adds() && lets_in(it)).count();
    if gone == 0 || live.saturating_sub(gone) + comes > 0 {
        return;
    }
    if scene.memory.decisions.clearance == Clearance::Free {
        return;
    }
    for change in changes {
        let asks = goes(&&*change) && !change.exempt && !is_approved(scene, change);
        if asks {
            change.held = Some(Reason::LastAllow);
        }
    }
}

/// What was judged together with the rest of the pass.
pub(super) fn beyond_limits(scene: &Scene<'_>, changes: &mut [Change]) {
    let Clearance::Judged(judgement) = &scene.memory.decisions.clearance else { return };
    let Judgement { pass: _, seen, beyond, rules_beyond } = &**judgement;
    for change in changes {
        if change.held.is_some() || !change.is_judged() || is_approved(scene, change) {
            continue;
        }
        let judged = seen.covers(&scene.wanted.target, change);
        let beyond = if change.effect == Effect::Narrows { beyond } else { rules_beyond };
        change.held = if judged { beyond.clone() } else { Some(Reason::NotJudged) };
    }
}
