//! `permitd demo`: the main job against the simulator, with somebody who changes things in between.

use std::{collections::VecDeque, path::PathBuf, sync::Arc};

use jiff::SignedDuration;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, sleep_until},
};

use crate::cli::{
    args::TargetArgs,
    embedded,
    exit::Exit,
    journal::actor,
    setup::{self, Ready, Texts},
    show::{Show, Stop},
};
use crate::config::{
    diagnostic::{File, Files},
    settings::{self, Settings},
};
use crate::daemon::{cadence::Cadence, clock, mind::Mind, pass::held, scribe::Scribe};
use crate::drift::outcome::{Outcome, State};
use crate::journal::store::Journal;
use crate::lambda::witness::Witness;
use crate::observe::{
    http::{self, Listening, Site},
    monitor::{Monitor, Passed},
    standing::Stage,
};
use crate::report::{palette, text, words};
use crate::simulator::{Exposure, Seed, TamperEvent};

const SETTINGS: &str = include_str!("../../config/demo/permitd.yaml");
const PERMISSIONS: &str = include_str!("../../config/demo/permissions/media.yaml");
const SEED: &str = include_str!("../../config/demo/account.yaml");

/// Runs until a signal.
pub(crate) async fn demo(show: Show) -> Result<Exit, Stop> {
    let stop = setup::stop_on_signals();
    let settings = settings::parse(&File::new("config/demo/permitd.yaml", SETTINGS.to_owned()))
        .map_err(Stop::Config)?;
    let (mut ready, simulated) = set_up(settings).await?;
    let monitor = Arc::new(Monitor::default());
    ready.gateway.inner_mut().heard_by(Arc::clone(&monitor.metrics) as Arc<dyn Witness>);
    show.line(&format!(
        "permitd demo: a simulated Lambda at {}, and the wishes in config/demo/permissions/media.yaml.\n\
         This is what differs:\n",
        simulated.endpoint()
    ));
    let mut events = simulated.simulator.tamper_events();
    // What a demo did is not worth keeping.
    let journal = Journal::in_memory().map_err(|it| Stop::failure(it.to_string()))?;
    let (scribe, mind) = (Scribe::new(journal, actor("demo")), Mind::default());
    monitor.configured(&ready.wanted, ready.rules.mode, clock::system());
    let page = page(&monitor, &scribe).await;
    let worker = ready.worker(&ready.gateway, &scribe, &mind, &stop.token, "demo");
    let start = Instant::now();
    let mut seen = worker.look_at_all(&ready.wanted, || {}).await;
    worker.judge(&mut seen);
    let found: Vec<Outcome> = seen.iter().map(|it| it.outcome(clock::system())).collect();
    show.line(&text::plan(&found, show.look()));
    show.line("permitd puts it right, each write guarded by the revision that it read:\n");
    let mut outcomes = worker.act_on_all(seen, |it| tell(it, show)).await;
    report(&outcomes, show);
    let mut watching = Watching { ready: &ready, monitor: &monitor, mind: &mind, calls: 0 };
    watching.passed(&outcomes, start);
    monitor.set_ready();
    show.line(
        "\nFrom now on others change the policies behind permitd's back, and it looks every two seconds.",
    );
    if let Some(it) = &page {
        show.line(&format!("A page shows how everything stands: http://{}/", it.address));
    }
    show.line("Ctrl-C ends the demo.\n");
    let Settings { interval, jitter, .. } = ready.settings;
    let cadence = Cadence { interval, with_events: interval, jitter };
    let mut told: VecDeque<String> = VecDeque::new();
    let mut next = Instant::now() + cadence.next(fastrand::f64());
    while !stop.token.is_cancelled() && !show.is_unread() {
        monitor.beat();
        // Each arm is cancel-safe: a timer, a level, and a channel that keeps what was not taken.
        tokio::select! {
            () = stop.token.cancelled() => {}
            event = events.recv() => match event {
                Ok(event) => show.line(&event_line(&event)),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            },
            () = sleep_until(next) => {
                next = Instant::now() + cadence.next(fastrand::f64());
                let start = Instant::now();
                let mut seen = worker.look_at_all(&ready.wanted, || {}).await;
                worker.judge(&mut seen);
                // What somebody did is told before what was done about it.
                while let Ok(event) = events.try_recv() {
                    show.line(&event_line(&event));
                }
                outcomes = worker.act_on_all(seen, |it| tell(it, show)).await;
                trouble(&outcomes, &mut told, show);
                watching.passed(&outcomes, start);
            }
        }
    }
    if let Some(page) = page {
        page.close().await;
    }
    drop(ready);
    simulated.shut_down().await;
    show.line("\nStopped. Now try it on your own account: permitd plan permissions.yaml");
    Ok(Exit::Success)
}

async fn set_up(settings: Settings) -> Result<(Ready, embedded::Embedded), Stop> {
    let seed = Seed::parse(SEED, "config/demo/account.yaml".as_ref())
        .map_err(|it| Stop::config(it.to_string(), "correct the seed file"))?;
    let listen = settings.simulator.as_ref().map_or(([127, 0, 0, 1], 0).into(), |it| it.listen);
    let simulated = embedded::serve(seed, listen, Exposure::Loopback).await?;
    let file = File::new("config/demo/permissions/media.yaml", PERMISSIONS.to_owned());
    let files = Files { files: vec![file], diagnostics: Vec::new() };
    // The demo starts the simulator by itself, for it listens to what happens in it.
    let settings = Settings { simulator: None, ..settings };
    let base = PathBuf::new();
    let texts = Texts { settings, has_settings: true, settings_file: None, base, files };
    let args = TargetArgs::default();
    let ready = setup::ready_at(texts, &args, Some(simulated.endpoint())).await?;
    Ok((ready, simulated))
}

/// At the usual address, or at any other where that is taken. The demo can do without.
async fn page(monitor: &Arc<Monitor>, scribe: &Scribe) -> Option<Listening> {
    let listener = match http::bind(http::USUAL).await {
        Ok(it) => it,
        Err(_) => http::bind(([127, 0, 0, 1], 0).into()).await.ok()?,
    };
    let site = Site::new(Arc::clone(monitor), clock::system, Vec::new());
    let scribe = scribe.clone();
    site.read_journal(move |limit| scribe.lately(limit));
    Listening::start(listener, Arc::new(site)).ok()
}

/// What the page is told.
struct Watching<'a> {
    ready: &'a Ready,
    monitor: &'a Monitor,
    mind: &'a Mind,
    calls: u64,
}

impl Watching<'_> {
    fn passed(&mut self, outcomes: &[Outcome], start: Instant) {
        let now = clock::system();
        let take = |it: &Outcome| self.monitor.take(it, Stage::Last, now);
        let edges: Vec<_> = outcomes.iter().flat_map(take).collect();
        let Some(first) = outcomes.first() else { return };
        let place = first.target.account_region();
        let next = SignedDuration::try_from(self.ready.settings.interval);
        self.monitor.started(&place, now, now + next.unwrap_or_default());
        let calls = self.ready.gateway.count();
        let passed = Passed {
            place: &place,
            full: true,
            cut_short: false,
            trigger: "full pass",
            outcomes,
            time: start.elapsed(),
            calls: calls.saturating_sub(std::mem::replace(&mut self.calls, calls)),
            edges: &edges,
        };
        self.monitor.passed(&passed, now);
        self.mind.offer(held(outcomes), now);
        self.monitor.waiting(self.mind.offers(now), self.mind.pauses(now));
    }
}

fn event_line(event: &TamperEvent) -> String {
    let mark = palette::HELD.symbol;
    format!("  {mark} {event}")
}

fn tell(outcome: &Outcome, show: Show) {
    for deed in words::deeds(outcome) {
        show.line(&palette::ADD.paint(&format!("    {deed}"), show.look().color));
    }
}

fn report(outcomes: &[Outcome], show: Show) {
    let in_sync = outcomes.iter().filter(|it| it.state == State::InSync).count();
    show.line(&format!("\n{in_sync} of {} functions are as written.", outcomes.len()));
}

/// What stays wrong is told once.
fn trouble(outcomes: &[Outcome], told: &mut VecDeque<String>, show: Show) {
    for outcome in outcomes {
        let Some(trouble) = &outcome.trouble else { continue };
        let line = format!("  ? {}: {trouble}", outcome.target);
        if !told.contains(&line) {
            show.line(&line);
            told.push_back(line);
            told.truncate(100);
        }
    }
}
