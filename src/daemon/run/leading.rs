//! Acting, and standing by for another replica: a standby loads its files and serves, and asks Lambda nothing.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use super::{Work, reminders::Reminders};
use crate::lambda::gateway::PolicyGateway;

impl<G: PolicyGateway> Work<'_, G> {
    /// It acts from now on, or stands by: passes are ended then, and nothing of what they saw is told any more.
    pub(super) async fn led(&mut self) {
        if self.daemon.leads() {
            self.leads = true;
            let now = Instant::now();
            for it in self.places.values_mut() {
                (it.next_full, it.spare) = (now, Duration::ZERO);
            }
            // Every target is looked at anyway.
            self.agenda = BTreeMap::new();
            self.schedule_what_time_brings();
        } else {
            self.passing.cancel();
            self.finish_passes().await;
            self.passing = self.daemon.stop.child_token();
            self.leads = false;
            for it in self.places.values_mut() {
                it.rest = None;
            }
            self.agenda = BTreeMap::new();
            self.reminders = Reminders::default();
            self.daemon.monitor.board.forget(&self.loaded.wanted, self.now());
        }
        self.tell_what_waits();
    }

    /// What is said to who wants something of a standby, and where to say it.
    pub(super) fn stands_by(&self) -> (String, String) {
        let lease = self.daemon.monitor.board.view().lease;
        let holder = lease.as_ref().and_then(|it| it.holder.as_deref());
        let who = holder.map_or("nobody is known to lead".to_owned(), |it| format!("{it} leads"));
        let message = format!("this permitd stands by and does nothing; {who}");
        (message, "say it to the one that leads".to_owned())
    }
}
