//! Which functions there are, found out beside the passes: what is due is listed, and who has to know hears of it.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    sync::{Notify, watch},
    time::sleep_until,
};

use crate::cli::setup::{Texts, Understood};
use crate::config::warnings::idle_rules;
use crate::daemon::{
    clock,
    discovery::{Discovery, Unlisted, Wants},
};
use crate::lambda::gateway::{FunctionLister, PolicyReader};
use crate::observe::monitor::Monitor;
use crate::policy::target::AccountRegion;

/// What is to be known, and what is known of it.
#[derive(Debug)]
pub(super) struct Discovering {
    pub(super) discovery: Discovery,
    wants: watch::Sender<Arc<Wants>>,
    /// Somebody has to load the files anew.
    pub(super) news: Arc<Notify>,
}

impl Discovering {
    pub(super) fn new() -> Self {
        let (wants, _) = watch::channel(Arc::default());
        Self { discovery: Discovery::default(), wants, news: Arc::default() }
    }

    /// This is to be known from now on. Rules that are known to cover nothing are told.
    pub(super) fn wants(&self, understood: &Understood, texts: &Texts) {
        for it in idle_rules(&texts.files, &understood.uses) {
            let (file, span) = (&*it.place.file.name, it.place.span);
            let (line, column) = (span.map(|it| it.line), span.map(|it| it.column));
            let (warning, hint) = (&it.message, &it.help);
            tracing::warn!(file, line, column, warning, hint, "a rule covers nothing");
        }
        self.wants.send_replace(Arc::new(understood.wants.clone()));
    }

    /// Lists what is due, for as long as it is polled.
    pub(super) async fn go_on<G: FunctionLister + PolicyReader>(
        &self,
        gateway: &G,
        monitor: &Monitor,
    ) {
        let mut wants = self.wants.subscribe();
        let mut told = BTreeMap::new();
        loop {
            let now = Arc::clone(&wants.borrow_and_update());
            if !now.is_empty() {
                Box::pin(self.discovery.list(gateway, &now, || self.news.notify_one())).await;
                Box::pin(self.discovery.sweep(gateway, &now, clock::system)).await;
            }
            let unlisted = self.discovery.unlisted();
            tell(&unlisted, &mut told);
            monitor.discovered(self.discovery.undeclared(), unlisted.iter().map(told_as).collect());
            // Cancel-safe: a timer, and a value that stays.
            let pause = async {
                match self.discovery.next(&now).await {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = pause => {}
                changed = wants.changed() => if changed.is_err() {
                    return std::future::pending().await;
                },
            }
        }
    }
}

/// For who watches.
fn told_as(it: &Unlisted) -> (AccountRegion, String) {
    (it.place.clone(), it.message.clone())
}

/// Once when it begins, and once when it is over.
fn tell(unlisted: &[Unlisted], told: &mut BTreeMap<AccountRegion, String>) {
    let now: BTreeMap<AccountRegion, String> = unlisted.iter().map(told_as).collect();
    for Unlisted { place, message, hint } in unlisted {
        if told.get(place) != Some(message) {
            let error = message;
            tracing::warn!(%place, error, hint, "it is not known which functions there are");
        }
    }
    for place in told.keys().filter(|it| !now.contains_key(it)) {
        tracing::info!(%place, "it is known again which functions there are");
    }
    *told = now;
}
