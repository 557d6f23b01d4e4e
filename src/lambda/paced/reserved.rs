//! Turns that were taken before a removal, for the read and the add that bring the access back.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::policy::target::Target;

/// What is reserved, for each target that is being replaced.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    targets: Mutex<BTreeMap<Target, Reservation>>,
}

/// One of each, until it is used.
#[derive(Debug)]
struct Reservation {
    read: bool,
    add: bool,
    until: Instant,
}

/// Who has not come back by then is not closing a gap any more: a call takes 30 seconds at most, and the pause
/// before the next try 20.
const KEPT: Duration = Duration::from_mins(1);

impl Reserved {
    /// Its turns have come: from now on one read and one add of the target need none.
    pub(super) fn keep(&self, target: &Target) {
        let now = Instant::now();
        let mut targets = self.targets();
        targets.retain(|_, it| it.until > now);
        targets.insert(target.clone(), Reservation { read: true, add: true, until: now + KEPT });
    }

    /// There is no gap: the turns lapse. Turns are never saved up, so they are not given to anybody else.
    pub(super) fn lapse(&self, target: &Target) {
        self.targets().remove(target);
    }

    /// Whether a read of the target goes now; only once.
    pub(super) fn take_read(&self, target: &Target) -> bool {
        self.take(target, |it| &mut it.read)
    }

    /// Whether an add to the target goes now; only once. It closes the gap, so nothing is left reserved.
    pub(super) fn take_add(&self, target: &Target) -> bool {
        let taken = self.take(target, |it| &mut it.add);
        self.lapse(target);
        taken
    }

    fn take(&self, target: &Target, part: impl FnOnce(&mut Reservation) -> &mut bool) -> bool {
        let mut targets = self.targets();
        let valid = targets.get_mut(target).filter(|it| it.until > Instant::now());
        valid.is_some_and(|it| std::mem::take(part(it)))
    }

    fn targets(&self) -> MutexGuard<'_, BTreeMap<Target, Reservation>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
