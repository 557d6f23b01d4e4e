//! `permitd run --once`: one pass, its report, and the exit code.

use crate::cli::{
    args::RunArgs,
    exit::Exit,
    journal,
    plan::look,
    progress::Progress,
    report::Reports,
    setup::{self, Stopping, Texts},
    show::{Show, Stop},
};
use crate::daemon::{
    pass::{self, Worker},
    tell,
};
use crate::drift::{allow::Mode, outcome::Outcome, wanted::Wanted};
use crate::lambda::gateway::PolicyGateway;
use crate::report::Subject;

/// `--once`: a single pass and its report.
pub(super) async fn one_pass(
    args: &RunArgs,
    texts: Texts,
    mut reports: Reports,
    stop: &Stopping,
    show: Show,
) -> Result<Exit, Stop> {
    let ready = setup::ready_with(texts, &args.target, show).await?;
    if let Some(exit) = ready.tell_of_rules(&[], show) {
        return Ok(exit);
    }
    let (source, found) = (&args.target.source, ready.found());
    let scribe = journal::open(source, &found, "run --once", show).await?;
    let mind = journal::mind(&scribe);
    scribe.end_pauses_of_old_files(&mind, &ready.wanted);
    let worker = ready.worker(&ready.gateway, &scribe, &mind, &stop.token, "run --once");
    let wanted: Vec<&Wanted> = ready.wanted.iter().collect();
    let observing = ready.rules.mode == Mode::Observe;
    let outcomes = if observing {
        let mut seen = look(&worker, &ready, show).await;
        worker.judge(&mut seen);
        worker.close_all(seen)
    } else {
        once(&worker, &wanted, show).await
    };
    for outcome in &outcomes {
        tell::trouble(outcome);
    }
    let subject = if observing { Subject::Plan } else { Subject::Applied };
    reports.undeclared = ready.undeclared(show).await;
    let written = reports.write(&outcomes, subject, show);
    reports.say(&outcomes, subject, show)?;
    let exit = || {
        written
            .or_failure(ready.exit(Exit::of(&subject.totals(&outcomes), args.report.allow_missing)))
    };
    Ok(stop.signal().map_or_else(exit, Exit::Interrupted))
}

/// One pass, and what a minute more allows: an orphan is only believed when a second read shows it.
async fn once<'a, G: PolicyGateway>(
    worker: &Worker<'a, G>,
    wanted: &[&'a Wanted],
    show: Show,
) -> Vec<Outcome> {
    let progress = Progress::new("reading policies", wanted.len(), show);
    let outcomes = worker.pass(wanted, |_| progress.inc(), tell::setbacks).await;
    drop(progress);
    let waiting: Vec<&'a Wanted> = wanted
        .iter()
        .copied()
        .filter(|it| {
            outcomes.iter().any(|outcome| outcome.target == it.target && pass::waits(outcome))
        })
        .collect();
    if !worker.wait_for_grace(&waiting, |it| show.note(&grace_note(it))).await {
        return outcomes;
    }
    let mut again = worker.pass(&waiting, |_| {}, tell::setbacks).await;
    let join = |first: Outcome| match again.iter().position(|it| it.target == first.target) {
        Some(at) => pass::continued(first, again.swap_remove(at)),
        None => first,
    };
    outcomes.into_iter().map(join).collect()
}

pub(crate) fn grace_note(seconds: u64) -> String {
    format!(
        "Reading again in {seconds} s, to be sure that a deleted principal stays deleted (Ctrl-C ends the wait)."
    )
}
