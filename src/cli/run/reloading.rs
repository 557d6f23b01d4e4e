//! The configuration, loaded anew while the daemon runs.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::Arc,
    time::Duration,
};

use super::{
    discovering::Discovering,
    hearing::{Hearing, read_anew},
    slow::Slow,
};
use crate::cli::{
    args::TargetArgs,
    receivers::Receivers,
    setup::{self, Lists, Texts},
    show::{Show, Stop},
};
use crate::config::settings::Settings;
use crate::daemon::{
    run::{Call, Loaded},
    watch::Known,
};
use crate::drift::wanted::Wanted;
use crate::lambda::{fleet::Fleet, trust::Roots};
use crate::observe::monitor::Monitor;
use crate::policy::target::Target;

/// What a reload works with.
#[derive(Debug)]
pub(super) struct Reloading<'a> {
    pub(super) args: &'a TargetArgs,
    pub(super) fleet: &'a Fleet,
    pub(super) discovering: &'a Discovering,
    /// The files in force, for when only what the rules cover has changed.
    pub(super) texts: RefCell<Arc<Texts>>,
    /// That is all that has changed.
    pub(super) only_listed: Cell<bool>,
    pub(super) known: &'a Known,
    /// What the daemon started with.
    pub(super) started: &'a Settings,
    /// Who tells receivers.
    pub(super) monitor: &'a Monitor,
    /// Whom TLS trusts.
    pub(super) roots: Option<&'a Roots>,
    pub(super) show: Show,
    /// How often the files are looked at, as they say it now.
    pub(super) poll: Cell<Duration>,
    /// What rules cover, and which.
    pub(super) covered: RefCell<BTreeMap<Target, Arc<str>>>,
    /// Settings that were said to need a restart.
    pub(super) told: RefCell<Vec<&'static str>>,
    /// Full passes that do not fit into the interval.
    pub(super) slow: Slow,
}

impl Reloading<'_> {
    /// What makes the daemon do something next, and remembers whether the files have to be read for it.
    pub(super) async fn heard(&self, hearing: &mut Hearing) -> Call {
        hearing.poll_every(self.poll.get());
        let call = hearing.next().await;
        self.only_listed.set(matches!(call, Call::Listed));
        call
    }

    /// Loads the configuration, and tells what came of it; in one line where it is not usable.
    pub(super) async fn again(&self) -> Result<Loaded, String> {
        match self.load().await {
            Ok((loaded, settings)) => {
                tracing::info!(targets = loaded.wanted.len(), "loaded the configuration anew");
                self.tell_who_left(&loaded);
                self.tell_what_needs_a_restart(&settings);
                self.slow.tell(&loaded.wanted, settings.interval);
                self.poll.set(settings.poll_interval);
                Ok(loaded)
            }
            Err(stop) => {
                stop.tell_beside_a_log(self.show);
                let error = stop.in_one_line();
                tracing::error!(error, "the new configuration is not usable; the old one stays");
                Err(error)
            }
        }
    }

    /// Reads and understands the files, beside everything else that goes on. Who is told is in force with them.
    async fn load(&self) -> Result<(Loaded, Settings), Stop> {
        let lists = Lists { discovery: &self.discovering.discovery, wait: false, show: None };
        if self.only_listed.take() {
            let texts = Arc::clone(&self.texts.borrow());
            let understood = setup::understand(&texts, self.args, self.fleet, lists).await?;
            self.discovering.wants(&understood, &texts);
            return Ok((setup::in_force(understood, &texts.settings), texts.settings.clone()));
        }
        let texts = Arc::new(read_anew(self.args.source.clone(), self.known).await?);
        let receivers = Receivers::read(&texts.settings.notify, &texts.base, self.roots)?;
        let understood = setup::understand(&texts, self.args, self.fleet, lists).await?;
        receivers.take_over(self.monitor);
        self.discovering.wants(&understood, &texts);
        self.texts.replace(Arc::clone(&texts));
        Ok((setup::in_force(understood, &texts.settings), texts.settings.clone()))
    }

    /// A function that no rule covers any more is left as it is, and that is said.
    fn tell_who_left(&self, loaded: &Loaded) {
        let of_rules = |it: &Loaded| -> BTreeMap<Target, Arc<str>> {
            let rule = |it: &Wanted| it.grants.iter().find_map(|it| it.rule.clone());
            it.wanted.iter().filter_map(|it| Some((it.target.clone(), rule(it)?))).collect()
        };
        let is_there =
            |it: &Target| loaded.wanted.binary_search_by(|one| one.target.cmp(it)).is_ok();
        let before = self.covered.replace(of_rules(loaded));
        for (target, rule) in before.into_iter().filter(|(it, _)| !is_there(it)) {
            let target = target.arn();
            tracing::warn!(target, %rule, "no rule covers this function any more; its policy stays as it is");
        }
    }

    /// Says which settings are not in force yet, once for each set of them.
    fn tell_what_needs_a_restart(&self, now: &Settings) {
        let keys = needs_restart(self.started, now);
        if keys == *self.told.borrow() {
            return;
        }
        if !keys.is_empty() {
            let settings = keys.join(", ");
            tracing::warn!(settings, "these settings have changed, and need a restart");
        }
        self.told.replace(keys);
    }
}

/// The keys of what has changed, of what is set up once at the start.
fn needs_restart(before: &Settings, now: &Settings) -> Vec<&'static str> {
    // One that is new has to be thought about here.
    let Settings {
        permissions: _,
        mode: _,
        interval: _,
        interval_with_events: _,
        poll_interval: _,
        jitter: _,
        ownership: _,
        replace: _,
        writer: _,
        deny_risks: _,
        limits: _,
        orphan_grace: _,
        remove_inexpressible: _,
        ignore: _,
        discover: _,
        notify: _,
        accounts,
        simulator,
        budgets,
        journal,
        http,
        events,
        control,
    } = now;
    [
        ("accounts", *accounts != before.accounts),
        ("lambda", *simulator != before.simulator),
        ("budgets", *budgets != before.budgets),
        ("journal", *journal != before.journal),
        ("http", *http != before.http),
        ("events", *events != before.events),
        ("control", *control != before.control),
    ]
    .into_iter()
    .filter_map(|(key, changed)| changed.then_some(key))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{diagnostic::File, settings};

    #[test]
    fn only_what_is_set_up_at_the_start_needs_a_restart() {
        let parse =
            |text: &str| settings::parse(&File::new("permitd.yaml", text.to_owned())).unwrap();
        let before = parse("mode: observe");
        for (text, expected) in [
            (
                "{mode: enforce, interval: 1m, poll_interval: 1s, jitter: 1%, orphan_grace: 5m}",
                vec![],
            ),
            ("{mode: observe, notify: [{url_file: u}]}", vec![]),
            ("{mode: observe, journal: other.db, control: c.sock}", vec!["journal", "control"]),
            ("{mode: observe, http: {listen: '127.0.0.1:1'}}", vec!["http"]),
            (
                "{mode: observe, interval_with_events: 1h, events: {queue_url: 'http://a/b'}}",
                vec!["events"],
            ),
            ("{mode: observe, budgets: {control: 1/s}}", vec!["budgets"]),
            ("{mode: observe, lambda: {simulator: {listen: '127.0.0.1:0'}}}", vec!["lambda"]),
            (
                "{mode: observe, accounts: [{id: '123456789012', regions: [us-east-1]}]}",
                vec!["accounts"],
            ),
        ] {
            assert_eq!(needs_restart(&before, &parse(text)), expected, "{text}");
        }
    }
}
