//! `permitd plan`: what would be done, and nothing else.

use crate::cli::{
    args::PlanArgs,
    exit::Exit,
    journal,
    progress::Progress,
    report::Reports,
    saved,
    setup::{self, Ready},
    show::{Show, Stop},
};
use crate::daemon::{
    pass::{Seen, Worker},
    scribe::Scribe,
};
use crate::lambda::gateway::PolicyReader;
use crate::report::{Subject, totals::Totals};

/// Reads, compares and tells.
pub(crate) async fn plan(args: &PlanArgs, show: Show) -> Result<Exit, Stop> {
    let mut reports = Reports::new(&args.report)?;
    let texts = setup::read(&args.target.source)?;
    let saving = args.out.as_ref().map(|path| (path, saved::Inputs::of(&texts, &args.target)));
    let ready = setup::ready_with(texts, &args.target, show).await?;
    if let Some(exit) = ready.tell_of_rules(&args.deny, show) {
        return Ok(exit);
    }
    let stop = setup::stop_on_signals();
    // It is handed a reader: there is nothing to write with, and nothing to take down.
    let scribe = Scribe::nobody();
    let mind = journal::paused(&args.target.source, &ready.found());
    let mut worker = ready.worker(&ready.gateway, &scribe, &mind, &stop.token, "plan");
    worker.keep = saving.is_some();
    let mut seen = look(&worker, &ready, show).await;
    if let Some(signal) = stop.signal() {
        show.problem("interrupted: not everything was read");
        return Ok(Exit::Interrupted(signal));
    }
    worker.judge(&mut seen);
    let saved = match saving {
        Some((path, inputs)) => {
            Some((path, saved::save(path, inputs, &seen, args.report.allow_missing)?))
        }
        None => None,
    };
    let outcomes = worker.close_all(seen);
    reports.undeclared = ready.undeclared(show).await;
    let written = reports.write(&outcomes, Subject::Plan, show);
    reports.say(&outcomes, Subject::Plan, show)?;
    match saved {
        Some((path, true)) => {
            let has_mode = args.target.mode.is_some() || ready.settings.mode.is_some();
            let mode = if has_mode { "" } else { " --mode enforce" };
            let missing = if args.report.allow_missing { " --allow-missing" } else { "" };
            let path = path.display();
            show.note(&format!(
                "Saved this plan; it is done, and nothing else, with\n    permitd apply --plan {path}{mode}{missing}"
            ));
        }
        Some((path, false)) => show.problem(&format!(
            "error: the plan was not saved to {}: not every policy could be read",
            path.display()
        )),
        None => {}
    }
    let exit = ready.exit(Exit::of(&Totals::of_found(&outcomes), args.report.allow_missing));
    let told = matches!(exit, Exit::Drift | Exit::Held) && !args.detailed_exitcode;
    Ok(written.or_failure(if told { Exit::Success } else { exit }))
}

/// Reads every target, and shows how far it is.
pub(crate) async fn look<'a, R: PolicyReader>(
    worker: &Worker<'a, R>,
    ready: &'a Ready,
    show: Show,
) -> Vec<Seen<'a>> {
    let progress = Progress::new("reading policies", ready.wanted.len(), show);
    worker.look_at_all(&ready.wanted, || progress.inc()).await
}

pub(crate) fn say(text: &str, show: Show) -> Result<(), Stop> {
    show.data(text).map_err(|it| Stop::failure(format!("cannot write the report: {it}")))
}
