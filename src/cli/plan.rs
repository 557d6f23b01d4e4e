//! `permitd plan`: what would be done, and nothing else.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::cli::{
    args::{Output, PlanArgs},
    exit::Exit,
    setup::{self, Ready},
    show::{Show, Stop},
};
use crate::daemon::{
    carry::Carrier,
    clock,
    pass::{Seen, look_at_all},
    refusals::Refusals,
};
use crate::drift::outcome::Outcome;
use crate::lambda::gateway::PolicyReader;
use crate::report::{json, text, totals::Totals};

/// Reads, compares and tells.
pub(crate) async fn plan(args: &PlanArgs, show: Show) -> Result<Exit, Stop> {
    let ready = setup::ready(&args.target, show).await?;
    let stop = setup::stop_on_signals();
    let seen = look(&ready, &ready.gateway, &stop.token, show).await;
    if let Some(signal) = stop.signal() {
        show.problem("interrupted: not everything was read");
        return Ok(Exit::Interrupted(signal));
    }
    let outcomes: Vec<Outcome> = seen.into_iter().map(Seen::into_outcome).collect();
    say(&text_or_json(&outcomes, args.output, show), show)?;
    let exit = Exit::of(&Totals::of_found(&outcomes));
    Ok(if exit == Exit::Drift && !args.detailed_exitcode { Exit::Success } else { exit })
}

/// Reads every target. It is handed a reader: there is nothing to write with.
pub(crate) async fn look<'a, R: PolicyReader>(
    ready: &'a Ready,
    reader: &R,
    stop: &CancellationToken,
    show: Show,
) -> Vec<Seen<'a>> {
    let carrier = Carrier { gateway: reader, clock: clock::system, stop };
    let bar = progress(ready.wanted.len(), show);
    let seen =
        look_at_all(&carrier, &ready.wanted, &ready.rules, &Refusals::default(), || bar.inc(1))
            .await;
    bar.finish_and_clear();
    seen
}

fn progress(n: usize, show: Show) -> ProgressBar {
    // Few are read before anybody would look at a bar.
    if n < 20 || show.is_quiet() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(
        Some(u64::try_from(n).unwrap_or(u64::MAX)),
        ProgressDrawTarget::stderr(),
    );
    let style = ProgressStyle::with_template("reading policies {bar:30} {pos}/{len} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

pub(crate) fn text_or_json(outcomes: &[Outcome], output: Output, show: Show) -> String {
    match output {
        Output::Text => text::plan(outcomes, show.color()),
        Output::Json => json::plan(outcomes),
    }
}

pub(crate) fn say(text: &str, show: Show) -> Result<(), Stop> {
    show.data(text).map_err(|it| Stop::failure(format!("cannot write the report: {it}")))
}
