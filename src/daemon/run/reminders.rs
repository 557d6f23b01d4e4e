//! What stays wrong is told again once an hour, not in every pass.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use super::Work;
use crate::daemon::tell;
use crate::drift::outcome::State;
use crate::lambda::gateway::PolicyGateway;
use crate::observe::standing::Standing;
use crate::policy::target::AccountRegion;

/// How long what was told stays unsaid.
const PAUSE: Duration = Duration::from_hours(1);

/// When each place in which something is wrong was last told of. Its first time is when it was found, by its edges.
#[derive(Debug, Default)]
pub(super) struct Reminders(BTreeMap<AccountRegion, Instant>);

impl Reminders {
    /// A pass has shown whether something is wrong in a place.
    fn note(&mut self, place: &AccountRegion, is_unwell: bool, now: Instant) {
        if is_unwell {
            self.0.entry(place.clone()).or_insert(now);
        } else {
            self.0.remove(place);
        }
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().min().map(|it| *it + PAUSE)
    }

    /// The places whose hour is over; a new one begins.
    fn due(&mut self, now: Instant) -> Vec<AccountRegion> {
        let due = |(_, told): &(&AccountRegion, &mut Instant)| now >= **told + PAUSE;
        let begin = |(place, told): (&AccountRegion, &mut Instant)| {
            *told = now;
            place.clone()
        };
        self.0.iter_mut().filter(due).map(begin).collect()
    }
}

impl<G: PolicyGateway> Work<'_, G> {
    /// After a pass.
    pub(super) fn see_whether_all_is_well(&mut self, place: &AccountRegion) {
        let is_unwell = self.daemon.monitor.board.is_any(place, is_unwell);
        self.reminders.note(place, is_unwell, Instant::now());
    }

    /// Tells again what is due to be.
    pub(super) fn remind(&mut self) {
        let due = self.reminders.due(Instant::now());
        if due.is_empty() {
            return;
        }
        let view = self.daemon.monitor.board.view();
        for place in due {
            let there = view.targets_of(&place).iter().map(|it| &**it);
            let mut unwell = there.filter(|it| is_unwell(it)).peekable();
            // What was put right, or left the files, meanwhile needs no reminder.
            if unwell.peek().is_some() {
                tell::reminder(&place, unwell, &view.offers);
            } else {
                self.reminders.note(&place, false, Instant::now());
            }
        }
    }
}

/// It is not as written, nobody wanted it so, and somebody has looked.
fn is_unwell(it: &Standing) -> bool {
    let wrong = match it.state {
        State::Drifted | State::Held | State::Contended | State::Failed | State::Unknown => true,
        State::InSync | State::Suspended | State::Paused => false,
    };
    wrong && it.last_attempt.is_some()
}
