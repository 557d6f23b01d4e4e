//! The start of the daemon where AWS does not answer yet: it lives, and asks again.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use super::hearing::Hearing;
use crate::cli::{
    args::TargetArgs,
    exit::Exit,
    receivers::Receivers,
    setup::{self, Lists, Texts, Understood},
    show::{Show, Stop},
};
use crate::daemon::{clock, discovery::Discovery, run::Call, systemd::Systemd, watch::Heard};
use crate::lambda::{fleet::Fleet, trust::Roots};
use crate::observe::monitor::Monitor;

/// What is said to who wants a pass.
const NOT_YET: &str = "nothing is managed yet: the account of the credentials is not known";
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_mins(1);
/// How often it shows that it lives.
const BEAT: Duration = Duration::from_secs(5);

/// What a start works with.
pub(super) struct Start<'a> {
    pub(super) args: &'a TargetArgs,
    pub(super) fleet: &'a Fleet,
    pub(super) discovery: &'a Discovery,
    pub(super) monitor: &'a Arc<Monitor>,
    pub(super) systemd: &'a Systemd,
    pub(super) stop: &'a CancellationToken,
    pub(super) roots: Option<&'a Roots>,
    pub(super) show: Show,
}

impl Start<'_> {
    /// Understands the files. Where they name no account and the credentials do not tell theirs, it is asked again
    /// until they do; the files were checked by then as far as that goes. None: it was stopped before.
    pub(super) async fn understood(
        &self,
        texts: Texts,
        hearing: &mut Hearing,
    ) -> Result<Option<(Arc<Texts>, Understood)>, Stop> {
        let mut texts = Arc::new(texts);
        let mut told: Option<String> = None;
        let backoff = ExponentialBuilder::default()
            .with_min_delay(LEAST)
            .with_max_delay(MOST)
            .with_jitter()
            .without_max_times();
        let mut pauses = backoff.build();
        loop {
            self.monitor.beat();
            let lists = Lists { discovery: self.discovery, wait: false, show: None };
            let asked = setup::understand(&texts, self.args, self.fleet, lists);
            let Some(asked) = self.alive(asked).await else { return Ok(None) };
            let stop = match asked {
                Ok(it) => return Ok(Some((texts, it))),
                Err(stop) if told.is_none() && !is_of_aws(&stop) => return Err(stop),
                Err(stop) => stop,
            };
            let why = stop.in_one_line();
            if told.as_ref() != Some(&why) {
                let hint = stop.hint();
                tracing::warn!(error = why, hint, "nothing is managed yet; asking again");
                told = Some(why.clone());
                self.monitor.set_ready();
                self.systemd.waits(&why);
            }
            self.monitor.refused(why.clone(), clock::system());
            let pause = tokio::time::sleep(pauses.next().unwrap_or(MOST));
            let next = async {
                tokio::select! {
                    () = pause => None,
                    heard = hearing.next() => Some(heard),
                }
            };
            match self.alive(next).await {
                None => return Ok(None),
                Some(None | Some(Call::Files(Heard::Settled) | Call::Listed | Call::Events(_))) => {
                }
                Some(Some(Call::Pass(back))) => drop(back.send(Err(NOT_YET.to_owned()))),
                Some(Some(call)) => {
                    pauses = backoff.build();
                    self.systemd.reloading();
                    let read = hearing.read_anew().await.and_then(|it| {
                        Receivers::read(&it.settings.notify, &it.base, self.roots)?
                            .take_over(self.monitor);
                        Ok(it)
                    });
                    let said = match &read {
                        Ok(_) => Ok("read; nothing is managed yet".to_owned()),
                        Err(stop) => Err(stop.in_one_line()),
                    };
                    if let Call::Reload(back) = call {
                        drop(back.send(said));
                    }
                    match read {
                        Ok(it) => texts = Arc::new(it),
                        Err(stop) => {
                            stop.tell_beside_a_log(self.show);
                            let error = stop.in_one_line();
                            tracing::error!(
                                error,
                                "the new configuration is not usable; the old one stays"
                            );
                        }
                    }
                    self.systemd.waits(&why);
                }
            }
        }
    }

    /// Waits, and shows that it lives; none where it is to stop.
    async fn alive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                it = &mut work => return Some(it),
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(self.systemd.pulse(BEAT)) => {
                    self.monitor.beat();
                    self.systemd.alive();
                }
            }
        }
    }
}

/// What is wrong with files and flags has other codes, and does not pass.
fn is_of_aws(stop: &Stop) -> bool {
    matches!(stop, Stop::Said(Exit::Failure, ..))
}
