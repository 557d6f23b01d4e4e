//! Every change goes statement by statement or all in one document; what can go neither way is held.

use crate::drift::{
    allow::{Reason, Writer},
    hold, order,
    plan::{Change, How, Scene, Step},
    whole::{self, Whole},
};
use crate::policy::{size, statement::Statement};

/// Every change held or in a step.
pub(super) struct Settled {
    pub(super) changes: Vec<Change>,
    pub(super) steps: Vec<Step>,
    pub(super) whole: Option<Whole>,
}

impl Settled {
    /// Statement by statement or as one document, whichever the wishes ask for or leave the better off.
    pub(super) fn best(scene: &Scene<'_>, found: Vec<Change>, foreign: &[Statement]) -> Self {
        let wholly = scene.writes_wholly(&found);
        let res = Self::of(scene, found.clone(), foreign, wholly);
        if wholly && scene.keeps_an_orphan(&res) {
            return Self::of(scene, found, foreign, false);
        }
        if !wholly && scene.may_be_better_off_wholly(&res.changes) {
            let other = Self::of(scene, found, foreign, true);
            if scene.is_better_off_with(&other, &res) {
                return other;
            }
        }
        res
    }

    fn of(scene: &Scene<'_>, changes: Vec<Change>, foreign: &[Statement], wholly: bool) -> Self {
        let mut changes = changes;
        hold::by_themselves(scene, &mut changes, wholly);
        let size = size::of_document(scene.raw);
        // What does not fit is held, and that may hold something else; each turn holds one more.
        loop {
            let before = n_held(&changes);
            hold::beside_orphans(scene, &mut changes, foreign, wholly);
            if !wholly {
                hold::what_only_put_can(scene, &mut changes);
            }
            hold::still_needed(scene, &mut changes);
            hold::last_allow(scene, &mut changes);
            let (steps, whole) = if wholly {
                whole::steps(scene, &mut changes)
            } else {
                (order::order(scene, &mut changes, size), None)
            };
            if before == n_held(&changes) {
                // Last, for only what nothing else holds was judged.
                hold::beyond_limits(scene, &mut changes);
                if before == n_held(&changes) {
                    return Self { changes, steps, whole };
                }
            }
        }
    }
}

/// A write of the whole document saves a gap, a bridge or space.
fn saves(change: &Change) -> bool {
    match &change.held {
        None => matches!(change.how, How::Bridged | How::Gap),
        Some(held) => matches!(held, Reason::TooLarge { .. }),
    }
}

fn is_blocked(change: &Change) -> bool {
    matches!(change.held, Some(Reason::BlockedByOrphan { .. }))
}

fn n_held(changes: &[Change]) -> usize {
    changes.iter().filter(|it| it.held.is_some()).count()
}

impl Scene<'_> {
    /// Whether the changes go into a write of the whole document, whatever the statement writer would make of them.
    fn writes_wholly(&self, changes: &[Change]) -> bool {
        let wide = |it: &Change| {
            let after = it.drift.after.as_ref().filter(|_| it.adds());
            let listed = it.drift.before.as_ref().and_then(Statement::listed_in);
            after.is_some_and(|it| it.terms.plain().is_none()) || listed.is_some()
        };
        let needs = self.wanted.compact || changes.iter().any(wide);
        match self.wanted.writer {
            _ if self.memory.decisions.may_not_put.is_some()
                || self.has_orphan_that_stays(changes) =>
            {
                false
            }
            Writer::Statements => false,
            Writer::Document => true,
            Writer::Auto => needs,
        }
    }

    /// A statement with a deleted principal that nothing takes away: what has it in it is no document that Lambda
    /// takes, while one statement can still be removed beside it.
    fn has_orphan_that_stays(&self, changes: &[Change]) -> bool {
        let goes =
            |it: &Statement| changes.iter().any(|change| change.drift.before.as_ref() == Some(it));
        self.statements().iter().any(|it| it.blocks_adding() && !goes(it))
    }

    /// Such a statement is held, or not what is put first, so it would stand in the document.
    fn keeps_an_orphan(&self, settled: &Settled) -> bool {
        let Settled { changes, steps, whole } = settled;
        let first = |at: usize| steps.iter().any(|it| it.change == at);
        let goes = |it: &Statement| {
            let mut of = changes.iter().enumerate();
            let of = of.find(|(_, change)| change.drift.before.as_ref() == Some(it));
            of.is_some_and(|(at, it)| it.held.is_none() && (whole.is_none() || first(at)))
        };
        self.statements().iter().any(|it| it.blocks_adding() && !goes(it))
    }

    /// Statement by statement there would be a gap or a bridge, or there is no room, or what keeps Lambda from adding
    /// anything is itself to be replaced.
    fn may_be_better_off_wholly(&self, changes: &[Change]) -> bool {
        self.wanted.writer == Writer::Auto
            && self.memory.decisions.may_not_put.is_none()
            && !self.has_orphan_that_stays(changes)
            && changes.iter().any(|it| saves(it) || is_blocked(it))
    }

    fn is_better_off_with(&self, wholly: &Settled, singly: &Settled) -> bool {
        let saved = singly.changes.iter().any(saves);
        let freed = n_held(&wholly.changes) < n_held(&singly.changes);
        (saved || freed) && !self.keeps_an_orphan(wholly)
    }
}
