//! `permitd run`: look, repair, wait, again.

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::cli::{
    args::RunArgs,
    exit::Exit,
    plan::say,
    setup::{self, Ready},
    show::{Show, Stop},
};
use crate::daemon::{
    cadence::Cadence,
    carry::Carrier,
    clock,
    pass::{Seen, act_on_all, look_at_all},
    refusals::Refusals,
};
use crate::drift::{allow::Mode, outcome::Outcome, plan::Plan};
use crate::report::{text, totals::Totals, words};

/// The daemon; with `--once` a single pass and its report.
pub(crate) async fn run(args: &RunArgs, show: Show) -> Result<Exit, Stop> {
    let mut ready = setup::ready_to_write("run", &args.target, show).await?;
    let stop = setup::stop_on_signals();
    let mut refusals = Refusals::default();
    if args.once {
        let outcomes = pass(&ready, &mut refusals, &stop.token).await;
        let observing = ready.rules.mode == Mode::Observe;
        let report = if observing { text::plan } else { text::applied };
        say(&report(&outcomes, show.color()), show)?;
        let totals = if observing { Totals::of_found } else { Totals::of_left };
        return Ok(stop.signal().map_or_else(|| Exit::of(&totals(&outcomes)), Exit::Interrupted));
    }
    let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
        .map_err(|it| Stop::failure(format!("cannot listen for SIGHUP: {it}")))?;
    tracing::info!(targets = ready.wanted.len(), mode = ?ready.rules.mode, "permitd is running");
    while !stop.token.is_cancelled() {
        let start = Instant::now();
        // The outcomes were told as they came.
        drop(pass(&ready, &mut refusals, &stop.token).await);
        let next = start + cadence(&ready).next(fastrand::f64());
        // Each arm is cancel-safe: a timer, a level, and a signal that is kept until it is taken.
        tokio::select! {
            () = sleep_until(next) => {}
            () = stop.token.cancelled() => {}
            Some(()) = hangups.recv() => reload(&mut ready, args, show).await,
        }
    }
    tracing::info!("permitd has stopped");
    Ok(Exit::Success)
}

async fn reload(ready: &mut Ready, args: &RunArgs, show: Show) {
    match ready.reload(&args.target).await {
        Ok(()) => tracing::info!(targets = ready.wanted.len(), "loaded the configuration anew"),
        Err(stop) => {
            let _: Exit = stop.tell(show);
            tracing::error!("the new configuration is not usable; the old one stays");
        }
    }
}

pub(crate) fn cadence(ready: &Ready) -> Cadence {
    Cadence { interval: ready.settings.interval, jitter: ready.settings.jitter }
}

/// Reads every target of a pass.
pub(crate) async fn look<'a>(
    ready: &'a Ready,
    refusals: &Refusals,
    stop: &CancellationToken,
) -> Vec<Seen<'a>> {
    let carrier = Carrier { gateway: &ready.gateway, clock: clock::system, stop };
    look_at_all(&carrier, &ready.wanted, &ready.rules, refusals, || {}).await
}

/// Does what is to be done about what was seen; in mode `observe` that is nothing.
pub(crate) async fn act(
    ready: &Ready,
    seen: Vec<Seen<'_>>,
    stop: &CancellationToken,
    told: impl Fn(&Outcome),
) -> Vec<Outcome> {
    if ready.rules.mode == Mode::Observe {
        return seen.into_iter().map(Seen::into_outcome).collect();
    }
    let carrier = Carrier { gateway: &ready.gateway, clock: clock::system, stop };
    act_on_all(&carrier, seen, None, told).await
}

/// One look at every target, and what is to be done about it.
async fn pass(ready: &Ready, refusals: &mut Refusals, stop: &CancellationToken) -> Vec<Outcome> {
    let start = Instant::now();
    let before = ready.gateway.count();
    let seen = look(ready, refusals, stop).await;
    let outcomes = act(ready, seen, stop, tell_deeds).await;
    refusals.learn(&outcomes);
    for outcome in &outcomes {
        tell_trouble(outcome);
    }
    let Totals { targets, in_sync, differ, held, failed, unknown, written, .. } =
        Totals::of_left(&outcomes);
    let (calls, seconds) = (ready.gateway.count() - before, start.elapsed().as_secs_f64());
    tracing::info!(
        targets,
        in_sync,
        differ,
        held,
        failed,
        unknown,
        written,
        calls,
        seconds,
        "pass done"
    );
    outcomes
}

fn tell_deeds(outcome: &Outcome) {
    for deed in words::deeds(outcome) {
        tracing::info!(arn = %outcome.target, "{deed}");
    }
}

fn tell_trouble(outcome: &Outcome) {
    let arn = &outcome.target;
    if let Some(trouble) = &outcome.trouble {
        let reason = trouble.reason.name();
        tracing::warn!(%arn, state = outcome.state.name(), reason, hint = trouble.hint, "{}", trouble.message);
    }
    // What is left to do is only looked at: the mode is observe.
    for change in outcome.left.iter().flat_map(|it| &it.drift).filter(|it| it.held.is_none()) {
        let sid = change.drift.sid.as_deref();
        tracing::warn!(%arn, sid, kind = change.drift.kind.name(), "drift: {}", words::change(change));
    }
    for (change, reason) in outcome.left.iter().flat_map(Plan::holds) {
        let sid = change.drift.sid.as_deref();
        tracing::warn!(%arn, sid, kind = change.drift.kind.name(), reason = reason.name(), "held: {reason}");
    }
}
