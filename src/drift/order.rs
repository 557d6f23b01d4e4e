//! The order of the steps, and why:
//!
//! | rank | what | why then |
//! |---|---|---|
//! | 0 | the addition after an open gap | a statement is away |
//! | 1 | statements with a deleted principal; bridges of another content | the one keeps Lambda from adding anything, the other holds the Sid of a bridge |
//! | 2 | additions that fit; bridges of what stands in another statement that is replaced | widening before narrowing: nobody is locked out on the way to the new policy; what a rule for many functions adds waits for the limits |
//! | 3 | replacements | the new content stands under a temporary Sid before the old goes; where both do not fit there is a gap, and the plan says so |
//! | 4 | removals that change nothing | renamed, duplicates, bridges: what they say stands elsewhere by now |
//! | 5 | removals that narrow | |
//! | 6 | what fits only after those, and what waits for it | |
//!
//! Only the first step is ever done; then the policy is read again, and all is planned anew.

use crate::drift::{
    allow::{Reason, Replace},
    bridge,
    diff::Kind,
    plan::{Action, Change, Effect, How, Scene, Step},
};
use crate::policy::{grant::Grant, size, statement::Statement};

/// The steps of all changes that are not held. What cannot fit is held.
pub(super) fn order(scene: &Scene<'_>, changes: &mut [Change], size: usize) -> Vec<Step> {
    let mut line = Line {
        scene,
        size,
        ranked: Vec::new(),
        late: Vec::new(),
        done: Vec::new(),
        replaced: Vec::new(),
        adding_waits: false,
    };
    line.what_blocks(changes);
    line.additions(changes);
    line.replacements(changes);
    line.removals(changes);
    line.late_ones(changes);
    // A stable sort: the steps of one change keep their order.
    line.ranked.sort_by_key(|(rank, _)| *rank);
    line.ranked.into_iter().map(|(_, step)| step).collect()
}

/// The steps so far, and how long the policy is after them.
struct Line<'a, 's> {
    scene: &'s Scene<'a>,
    size: usize,
    ranked: Vec<(u8, Step)>,
    /// Changes that fit only after others.
    late: Vec<usize>,
    /// Changes whose removal is in line already.
    done: Vec<usize>,
    /// Sids whose statement is replaced: what it says now stands in for nothing.
    replaced: Vec<String>,
    /// What keeps Lambda from adding anything goes only after the narrowing was judged.
    adding_waits: bool,
}

impl Line<'_, '_> {
    fn what_blocks(&mut self, changes: &[Change]) {
        for at in allowed(changes) {
            let Some(change) = changes.get(at) else { continue };
            let Some(before) = &change.drift.before else { continue };
            let replaced = change.drift.kind == Kind::Changed;
            let in_the_way = change.drift.kind == Kind::Leftover && !self.is_wanted(before);
            if (before.blocks_adding() && !replaced) || in_the_way {
                // Nobody loses anything by it, unless others are named beside the deleted principal.
                self.remove(1, at, change, change.is_judged());
                self.adding_waits |= change.is_judged();
                self.size = self.size.saturating_sub(size::of_statement(before.text()));
                self.done.push(at);
            }
        }
    }

    fn additions(&mut self, changes: &[Change]) {
        let adds = |it: &&usize| {
            changes.get(**it).is_some_and(|it| it.adds() && it.drift.kind != Kind::Changed)
        };
        let allowed = allowed(changes);
        let (first, rest): (Vec<usize>, Vec<usize>) = allowed.iter().filter(adds).partition(|at| {
            let open = self.scene.memory.open_gap.as_ref();
            changes.get(**at).is_some_and(|it| open.is_some() && it.drift.sid.as_ref() == open)
        });
        for (rank, at) in
            first.into_iter().map(|it| (0, it)).chain(rest.into_iter().map(|it| (2, it)))
        {
            let Some(change) = changes.get(at) else { continue };
            let grown = size::with(self.size, self.cost(change));
            if rank == 0 || grown <= size::LIMIT {
                self.size = grown;
                self.add(rank, at, change, self.adding_waits || change.is_judged());
            } else {
                self.late.push(at);
            }
        }
    }

    fn replacements(&mut self, changes: &mut [Change]) {
        let freed_later: usize = allowed(changes)
            .into_iter()
            .filter(|at| !self.done.contains(at))
            .filter_map(|at| changes.get(at))
            .filter(|it| !it.adds())
            .map(freed)
            .sum();
        let replaced = allowed(changes).into_iter().filter_map(|at| changes.get(at));
        let replaced = replaced.filter(|it| it.drift.kind == Kind::Changed);
        self.replaced = replaced.filter_map(|it| it.drift.sid.clone()).collect();
        for at in allowed(changes) {
            let Some(change) = changes.get(at).filter(|it| it.drift.kind == Kind::Changed) else {
                continue;
            };
            let after = size::with(self.size.saturating_sub(freed(change)), self.cost(change));
            let fits_later =
                self.how(change, self.size.saturating_sub(freed_later)) == How::Bridged;
            let how = self.how(change, self.size);
            if after > size::LIMIT || (how == How::Gap && fits_later) {
                self.late.push(at);
                continue;
            }
            self.size = after;
            self.replace(3, at, how, changes);
        }
    }

    /// Lambda's answer to the same replacement not long ago: it is not opened again for nothing.
    fn refusal(&self, change: &Change) -> Option<Reason> {
        let of_sid = |(sid, _): &&(String, String)| Some(sid) == change.drift.sid.as_ref();
        let known = self.scene.memory.not_replaceable.iter().find(of_sid);
        known.map(|(_, answer)| Reason::Refused(answer.clone()))
    }

    fn removals(&mut self, changes: &[Change]) {
        for at in allowed(changes) {
            let Some(change) = changes.get(at) else { continue };
            let renamed = change.drift.kind == Kind::Renamed;
            if !change.removes() || (change.adds() && !renamed) || self.done.contains(&at) {
                continue;
            }
            // What is wanted has to stand under its own Sid before the same goes elsewhere.
            let waits_for = change.drift.before.as_ref().and_then(|it| self.missed(it));
            let waits_for = waits_for
                .and_then(|sid| changes.iter().position(|it| it.drift.sid.as_deref() == Some(sid)));
            let other = waits_for.and_then(|it| changes.get(it));
            let waits_long = waits_for.is_some_and(|it| self.late.contains(&it));
            let other_waits =
                |it: &Change| it.is_judged() || self.waits_for_a_judged_bridge(it, changes);
            // Where nothing can be added yet, what it waits for is not there yet either.
            let waits = waits_long || (self.adding_waits && waits_for.is_some());
            let late = change.is_judged() || waits || other.is_some_and(other_waits);
            let rank = match change.effect {
                _ if waits_long => 6,
                Effect::Neutral => 4,
                Effect::Widens | Effect::Narrows => 5,
            };
            self.remove(rank, at, change, late);
            if !waits_long {
                self.size = self.size.saturating_sub(freed(change));
            }
        }
    }

    fn late_ones(&mut self, changes: &mut [Change]) {
        for at in std::mem::take(&mut self.late) {
            let Some(change) = changes.get_mut(at) else { continue };
            let replaces = change.drift.kind == Kind::Changed;
            let left = if replaces { self.size.saturating_sub(freed(change)) } else { self.size };
            let grown = size::with(left, self.cost(change));
            if grown > size::LIMIT {
                change.held = Some(Reason::TooLarge { size: grown });
            } else if replaces {
                let how = self.how(change, self.size);
                self.size = grown;
                self.replace(6, at, how, changes);
            } else {
                self.size = grown;
                self.add(6, at, change, true);
            }
        }
    }

    /// How to replace a statement in a policy of this size.
    fn how(&self, change: &Change, size: usize) -> How {
        let Scene { wanted, memory, .. } = self.scene;
        let Some(grant) = &change.drift.after else { return How::Plain };
        let denies = change.drift.before.as_ref().is_some_and(Statement::denies);
        let sid = bridge::bridge_sid(&wanted.target, &grant.sid);
        let text = grant.terms.statement_text(&sid, &wanted.target);
        // Beside the old statement, and beside the new one once the old is gone.
        let fits = || {
            let bridge = size::of_statement(&text);
            let then = size::with(size.saturating_sub(freed(change)), bridge + self.cost(change));
            size::with(size, bridge).max(then) <= size::LIMIT
        };
        let is_free = || {
            let taken = |it: &Statement| it.sid() == Some(sid.as_str());
            let goes = |(rank, step): &(u8, Step)| *rank == 1 && step.sid == sid;
            !self.scene.statements().iter().any(taken) || self.ranked.iter().any(goes)
        };
        let possible =
            wanted.replace == Replace::Bridge && !memory.unbridgeable.contains(&grant.sid);
        if self.stand_in(grant).is_some() || (possible && is_free() && fits()) {
            How::Bridged
        } else if denies {
            // Whoever is let in by this is let in by nothing else before.
            How::Plain
        } else {
            How::Gap
        }
    }

    /// A statement of ours beside the one to be replaced that says already what is wanted.
    fn stand_in(&self, grant: &Grant) -> Option<&Statement> {
        let other = |it: &&Statement| {
            let owned = it.sid().is_some_and(|sid| {
                let bridge = bridge::bridge_sid(&self.scene.wanted.target, &grant.sid);
                sid == bridge || self.scene.wanted.ownership.owns(sid)
            });
            let other = it.sid() != Some(grant.sid.as_str()) && !self.is_replaced(it);
            owned && other && it.says(&grant.terms)
        };
        let ignored = |it: &&Statement| self.scene.rules.ignores(it, &self.scene.wanted.target);
        self.scene.statements().iter().find(|it| other(it) && !ignored(it))
    }

    fn is_replaced(&self, statement: &Statement) -> bool {
        statement.sid().is_some_and(|sid| self.replaced.iter().any(|it| it == sid))
    }

    /// Something that is wanted says this.
    fn is_wanted(&self, statement: &Statement) -> bool {
        self.scene.grants().any(|it| statement.says(&it.terms))
    }

    /// The Sid of a grant that says this and does not stand under its own Sid yet.
    fn missed(&self, statement: &Statement) -> Option<&str> {
        let mut same = self.scene.grants().filter(|it| statement.says(&it.terms));
        same.find(|it| !self.scene.stands(it)).map(|it| it.sid.as_str())
    }

    fn cost(&self, change: &Change) -> usize {
        let text = |it: &Grant| it.terms.statement_text(&it.sid, &self.scene.wanted.target);
        change.drift.after.as_ref().map_or(0, |it| size::of_statement(&text(it)))
    }

    fn replace(&mut self, rank: u8, at: usize, how: How, changes: &mut [Change]) {
        let waits = changes.get(at).is_some_and(|it| self.waits_for_a_judged_bridge(it, changes));
        let Some(change) = changes.get_mut(at) else { return };
        if let Some(reason) = self.refusal(change).filter(|_| how == How::Gap) {
            change.held = Some(reason);
            return;
        }
        // Somebody said yes to a plan without a gap, and Lambda has no room for the bridge.
        let unsaid =
            change.drift.sid.as_ref().is_some_and(|it| self.scene.memory.unbridgeable.contains(it));
        if how == How::Gap && unsaid && self.scene.memory.decisions.only.is_some() {
            change.held = Some(Reason::NotApproved);
            return;
        }
        change.how = how;
        let Some(grant) = change.drift.after.clone() else { return };
        let Some(permission) = grant.terms.plain() else { return };
        let late = change.is_judged() || rank == 6 || self.adding_waits || waits;
        let bridge = bridge::bridge_sid(&self.scene.wanted.target, &grant.sid);
        let stand_in = self.stand_in(&grant).map(|it| it.sid().unwrap_or_default().to_owned());
        let step = |sid: &str, action: Action, effect: Effect| Step {
            sid: sid.to_owned(),
            action,
            effect,
            kind: Kind::Changed,
            change: at,
            replaces: Some(grant.sid.clone()),
            late,
        };
        let add = || Action::Add(Box::new(permission.clone()));
        let mut steps = Vec::with_capacity(3);
        let builds = how == How::Bridged && stand_in.is_none();
        if builds {
            // Two that changed places: neither may go before both bridges stand.
            let said = |it: &Statement| self.is_replaced(it) && it.says(&grant.terms);
            let first = rank == 3 && self.scene.statements().iter().any(said);
            let rank = if first { 2 } else { rank };
            self.ranked.push((rank, step(&bridge, add(), Effect::Widens)));
        }
        steps.push(step(&grant.sid, Action::Remove, change.effect));
        let widens = how != How::Bridged;
        let effect = if widens { Effect::Widens } else { Effect::Neutral };
        steps.push(step(&grant.sid, add(), effect));
        if builds {
            steps.push(step(&bridge, Action::Remove, Effect::Neutral));
        }
        self.ranked.extend(steps.into_iter().map(|it| (rank, it)));
    }

    /// What it takes away is what another replacement brings, whose bridge may not be built before the limits
    /// were asked.
    fn waits_for_a_judged_bridge(&self, change: &Change, changes: &[Change]) -> bool {
        let brought = |other: &Change| {
            let grant = other.drift.after.as_ref().filter(|_| other.drift.kind == Kind::Changed);
            let said = |it: &Statement| grant.is_some_and(|grant| it.says(&grant.terms));
            other.is_judged()
                && other.held.is_none()
                && change.drift.before.as_ref().is_some_and(said)
                && grant.is_some_and(|it| self.stand_in(it).is_none())
        };
        changes.iter().any(brought)
    }

    fn add(&mut self, rank: u8, at: usize, change: &Change, late: bool) {
        let Some(grant) = &change.drift.after else { return };
        let Some(permission) = grant.terms.plain() else { return };
        let neutral = change.effect == Effect::Neutral;
        self.ranked.push((
            rank,
            Step {
                sid: grant.sid.clone(),
                action: Action::Add(Box::new(permission.clone())),
                effect: if neutral { Effect::Neutral } else { Effect::Widens },
                kind: change.drift.kind,
                change: at,
                replaces: change.begun.then(|| grant.sid.clone()),
                late,
            },
        ));
    }

    fn remove(&mut self, rank: u8, at: usize, change: &Change, late: bool) {
        let drift = &change.drift;
        let Some(sid) = drift.before.as_ref().and_then(Statement::sid) else { return };
        let orphaned = drift.kind == Kind::Orphaned;
        self.ranked.push((
            rank,
            Step {
                sid: sid.to_owned(),
                action: Action::Remove,
                effect: if orphaned { Effect::Neutral } else { change.effect },
                kind: drift.kind,
                change: at,
                replaces: drift.other.clone().filter(|_| drift.kind == Kind::Leftover),
                late,
            },
        ));
    }
}

fn freed(change: &Change) -> usize {
    change.drift.before.as_ref().map_or(0, |it| size::of_statement(it.text()))
}

fn allowed(changes: &[Change]) -> Vec<usize> {
    let free = changes.iter().enumerate().filter(|(_, it)| it.held.is_none());
    free.map(|(at, _)| at).collect()
}
