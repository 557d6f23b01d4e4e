//! A new configuration: loaded beside the passes that run, taken over, and what it changes looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
};

use futures::StreamExt;
use tokio::time::{Duration, Instant, sleep};

use super::{
    Back, Daemon, EXPIRY, FILES, LONGEST_SLEEP, LONGEST_WORK, Loaded, STOPPING, Work, places,
};
use crate::drift::{allow::Rules, wanted::Wanted};
use crate::lambda::gateway::PolicyGateway;
use crate::policy::target::Target;

impl<G: PolicyGateway> Work<'_, G> {
    /// Loads the files; nothing comes of it where the daemon is to stop. `whole`: whether they say all that they will,
    /// where it is they that have changed.
    pub(super) async fn reload(
        &mut self,
        loading: impl Future<Output = Result<Loaded, String>>,
        whole: Option<bool>,
        back: Option<Back>,
    ) {
        let Daemon { systemd, monitor, .. } = *self.daemon;
        systemd.reloading();
        let said = match self.beside_passes(loading).await {
            Some(Ok(loaded)) => {
                let n = loaded.n_targets;
                let daemon = self.daemon;
                daemon.beat_beside(self.take_over(loaded, whole)).await;
                Ok(format!("loaded; {n} targets"))
            }
            Some(Err(why)) => {
                monitor.refused(why.clone(), self.now());
                Err(format!("not loaded, and the old configuration stays: {why}"))
            }
            None => Err(STOPPING.to_owned()),
        };
        if !self.daemon.stop.is_cancelled() {
            systemd.ready(|| monitor.board.view());
        }
        if let Some(back) = back {
            drop(back.send(said));
        }
    }

    /// Waits for something beside the passes that run, unless the daemon is to stop.
    async fn beside_passes<T>(&mut self, other: impl Future<Output = T>) -> Option<T> {
        let mut other = pin!(other);
        let limit = Instant::now() + LONGEST_WORK;
        loop {
            if Instant::now() < limit {
                self.daemon.beat();
            }
            // Cancel-safe: a future that goes on, a stream, a level and a timer.
            let ended = tokio::select! {
                it = &mut other => return Some(it),
                Some(ended) = self.passes.next(), if !self.passes.is_empty() => ended,
                () = self.daemon.stop.cancelled() => return None,
                () = sleep(self.daemon.systemd.pulse(LONGEST_SLEEP)) => continue,
            };
            self.through(ended);
        }
    }

    /// The files have stopped changing: what waited for that is looked at.
    pub(super) fn settled(&mut self) {
        let now = self.now();
        for target in self.daemon.mind.settled() {
            if self.waiting_for_files.remove(&target) {
                self.note(now, target, FILES);
            }
        }
        self.waiting_for_files.clear();
    }

    /// A new configuration: passes of the old one are ended, and what changed is looked at now.
    /// Not `whole`: they may not say yet all that they will.
    async fn take_over(&mut self, loaded: Loaded, whole: Option<bool>) {
        self.passing.cancel();
        self.finish_passes().await;
        self.passing = self.daemon.stop.child_token();
        let before = std::mem::replace(&mut self.loaded, Arc::new(loaded));
        let now = Instant::now();
        self.places = places(&self.loaded, now, std::mem::take(&mut self.places));
        let same_rules = Rules { loaded_at: before.rules.loaded_at, ..self.loaded.rules.clone() }
            == before.rules;
        if !same_rules {
            for it in self.places.values_mut() {
                (it.next_full, it.spare, it.rest) = (now, Duration::ZERO, None);
            }
        }
        self.daemon.mind.keep_only(&self.loaded.wanted);
        let (wanted, mode) = (&self.loaded.wanted, self.loaded.rules.mode);
        self.daemon.monitor.configured(wanted, mode, self.now());
        // A second look is still due; when what expires, the new files say.
        for targets in self.agenda.values_mut() {
            targets.retain(|_, why| *why != EXPIRY);
        }
        self.agenda.retain(|_, targets| !targets.is_empty());
        self.schedule_what_time_brings();
        let known: BTreeMap<&Target, String> =
            before.wanted.iter().map(|it| (&it.target, it.fingerprint())).collect();
        let at = self.now();
        let is_new = |it: &&Wanted| known.get(&it.target) != Some(&it.fingerprint());
        let target = |it: &Wanted| it.target.clone();
        let wanted = &self.loaded.wanted;
        let changed: BTreeSet<Target> = wanted.iter().filter(is_new).map(target).collect();
        for rest in self.places.values_mut().filter_map(|it| it.rest.as_mut()) {
            let is_managed =
                |it: &Target| wanted.binary_search_by(|one| one.target.cmp(it)).is_ok();
            let stays = |it: &Target| is_managed(it) && !changed.contains(it);
            rest.outcomes.retain(|it| stays(&it.target));
        }
        match whole {
            Some(true) => self.settled(),
            Some(false) if same_rules => {
                self.daemon.mind.settle_first(changed.iter().cloned());
            }
            Some(false) => self.daemon.mind.settle_first(wanted.iter().map(target)),
            None => {}
        }
        for target in changed {
            self.note(at, target, FILES);
        }
    }
}
