//! Carries the requests of the election to the API server and the answers back, and tells who leads; decides nothing.

use std::{future::Future, pin::pin};

use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::daemon::{
    clock::Clock,
    lease::{
        LeaseName,
        election::{Action, Answer, Call, Election, Event, Now, Record},
    },
    systemd::Systemd,
};
use crate::lambda::tenure::Tenure;
use crate::observe::{board::LeaseView, monitor::Monitor};

/// The three calls that there are. They need not be bounded: they are dropped when it takes too long.
pub trait LeaseApi {
    /// Reads it.
    fn get(&self) -> impl Future<Output = Answer>;
    /// Makes it.
    fn create(&self, record: &Record) -> impl Future<Output = Answer>;
    /// Writes it, if it still has this version.
    fn replace(&self, record: &Record) -> impl Future<Output = Answer>;
}

/// One replica's way to lead, and back.
#[derive(Debug)]
pub struct Keeper<'a> {
    name: LeaseName,
    tenure: Tenure,
    monitor: &'a Monitor,
    systemd: &'a Systemd,
    clock: Clock,
    view: LeaseView,
}

impl<'a> Keeper<'a> {
    /// Of this lease, by this name, for whoever asks this tenure. It stands by from now on.
    pub fn new(
        name: LeaseName,
        identity: String,
        tenure: Tenure,
        monitor: &'a Monitor,
        systemd: &'a Systemd,
        clock: Clock,
    ) -> Self {
        let view = LeaseView {
            lease: name.to_string(),
            identity,
            leads: false,
            holder: None,
            since: clock(),
            trouble: None,
        };
        monitor.board.lease(view.clone());
        Self { name, tenure, monitor, systemd, clock, view }
    }

    /// Takes part until `quit`, when nothing is written any more; then gives back what it has.
    pub async fn keep(mut self, api: &impl LeaseApi, quit: &CancellationToken) {
        let start = Instant::now();
        let clock = self.clock;
        let now = || Now { at: start.elapsed(), wall: clock(), dice: fastrand::f64() };
        let mut election = Election::new(self.view.identity.clone());
        let mut event = Event::Due;
        let mut stopped = false;
        loop {
            let mut action = election.next(event, now());
            // An answer that was there came first: what it says is needed to give the lease back.
            if quit.is_cancelled() && !std::mem::replace(&mut stopped, true) {
                action = election.next(Event::Stop, now());
            }
            self.tenure.set(election.term().map(|it| start + it));
            self.tell(&election);
            event = match action {
                Action::Done => return,
                Action::Ask(call, patience) => Event::Answered(ask(api, &call, patience).await),
                // Cancel-safe: a timer and a level.
                Action::Wait(until) => tokio::select! {
                    () = sleep_until(start + until) => Event::Due,
                    () = quit.cancelled() => Event::Due,
                },
            };
        }
    }

    fn tell(&mut self, election: &Election) {
        let leads = election.term().is_some();
        let (holder, trouble) = (election.holder(), election.trouble());
        let before = self.view.clone();
        let same = (before.leads, before.holder.as_deref(), before.trouble.as_deref());
        if same == (leads, holder, trouble) {
            return;
        }
        let now = (self.clock)();
        let lease = &before.lease;
        match (before.leads, leads) {
            (false, true) => {
                let identity = &before.identity;
                tracing::info!(lease, identity, "this permitd leads");
            }
            (true, false) => {
                let error = trouble;
                tracing::warn!(lease, holder, error, "this permitd does not lead any more");
            }
            (_, false) if before.holder.as_deref() != holder && holder.is_some() => {
                tracing::info!(lease, holder, "standing by, for another permitd leads");
            }
            (true, true) | (false, false) => {}
        }
        match (&before.trouble, trouble) {
            (None, Some(error)) => {
                let hint = hint(error, &self.name);
                tracing::warn!(lease, error, hint, "the lease cannot be read or written");
            }
            (Some(_), None) => tracing::info!(lease, "the lease can be read and written again"),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let since = if leads == before.leads { before.since } else { now };
        let (holder, trouble) = (holder.map(str::to_owned), trouble.map(str::to_owned));
        self.view = LeaseView { leads, holder, since, trouble, ..before };
        self.monitor.board.lease(self.view.clone());
        self.systemd.status(|| self.monitor.board.view());
    }
}

async fn ask(api: &impl LeaseApi, call: &Call, patience: std::time::Duration) -> Answer {
    let answer = async {
        match call {
            Call::Get => api.get().await,
            Call::Create(record) => api.create(record).await,
            Call::Replace(record) => api.replace(record).await,
        }
    };
    let answer = pin!(answer);
    let late = |_| Answer::Failed(format!("no answer within {:.1} s", patience.as_secs_f64()));
    timeout(patience, answer).await.unwrap_or_else(late)
}

fn hint(error: &str, name: &LeaseName) -> String {
    if error.contains("orbidden") {
        let namespace = &name.namespace;
        format!(
            "allow get, create and update on leases (coordination.k8s.io) in the namespace {namespace}"
        )
    } else {
        "check the network, and that the API server of the cluster can be reached".to_owned()
    }
}

#[cfg(test)]
mod tests;
