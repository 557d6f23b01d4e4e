//! `permitd apply`: shows the plan, asks, does it.

use crate::cli::{
    args::{ApplyArgs, Output, TargetArgs},
    ask::asked,
    exit::Exit,
    journal,
    plan::{look, say},
    progress::Progress,
    report::Reports,
    run::grace_note,
    saved,
    setup::{self, Ready},
    show::{Show, Stop},
};
use crate::daemon::{
    clock,
    pass::{Seen, Worker, continued, waits},
    scribe::Scribe,
    tell,
};
use crate::drift::{allow::Mode, approval::Approval, outcome::Outcome, plan::Plan, wanted::Wanted};
use crate::lambda::fleet::Fleet;
use crate::observe::metered::Metered;
use crate::policy::target::Target;
use crate::report::{Subject, text, totals::Totals};

/// Reads, tells, asks, writes, and tells what became of it.
pub(crate) async fn apply(args: &ApplyArgs, show: Show) -> Result<Exit, Stop> {
    let reports = Reports::new(&args.report)?;
    let Some(path) = &args.plan else {
        let ready = setup::ready_to_write("apply", &args.target, show).await?;
        return Box::pin(apply_to(args, &args.target, &ready, None, &reports, show)).await;
    };
    let saved = saved::load(path)?;
    let (texts, target) = saved.inputs(args)?;
    setup::needs_mode(&texts, &target, "apply")?;
    let ready = setup::ready_with(texts, &target, show).await?;
    Box::pin(apply_to(args, &target, &ready, Some(&saved), &reports, show)).await
}

async fn apply_to(
    args: &ApplyArgs,
    target: &TargetArgs,
    ready: &Ready,
    saved: Option<&saved::SavedPlan>,
    reports: &Reports,
    show: Show,
) -> Result<Exit, Stop> {
    if let Some(exit) = ready.tell_of_rules(&args.deny, show) {
        return Ok(exit);
    }
    let stop = setup::stop_on_signals();
    let observing = ready.rules.mode == Mode::Observe;
    let scribe = if observing {
        Scribe::nobody()
    } else {
        journal::open(&target.source, &ready.found(), "apply", show).await?
    };
    let mind = journal::mind(&scribe);
    scribe.end_pauses_of_old_files(&mind, &ready.wanted);
    let mut worker = ready.worker(&ready.gateway, &scribe, &mind, &stop.token, "apply");
    worker.keep = saved.is_some();
    let mut seen = look(&worker, ready, show).await;
    if let Some(signal) = stop.signal() {
        show.problem("interrupted: nothing was changed");
        return Ok(Exit::Interrupted(signal));
    }
    worker.judge(&mut seen);
    if let Some(saved) = saved {
        saved.check(&seen)?;
        let approval = saved.approval();
        worker.approve(&mut seen, &approval);
        worker.restrict(&mut seen, &approval);
    }
    if let Some(digest) = &args.approve {
        let approval = approved(&seen, digest).ok_or_else(|| no_such_digest(&seen, digest))?;
        worker.approve(&mut seen, &approval);
    }
    let found: Vec<Outcome> = seen.iter().map(|it| it.outcome(clock::system())).collect();
    let to_do = seen.iter().any(can_be_done);
    if !to_do || observing {
        let written = reports.write(&found, Subject::Plan, show);
        reports.say(&found, Subject::Plan, show)?;
        if to_do {
            show.note("Nothing was changed: the mode is observe.");
        }
        return Ok(written.or_failure(
            ready.exit(Exit::of(&Totals::of_found(&found), args.report.allow_missing)),
        ));
    }
    match reports.output() {
        Output::Text => say(&text::plan(&found, show.look()), show)?,
        // Stdout is for the one document at the end.
        Output::Json | Output::Markdown | Output::Html => {
            show.note(text::plan(&found, show.look_of_stderr()).trim_end());
        }
    }
    let asks = !args.yes && saved.is_none();
    if asks {
        if !asked(&question(&found), "apply", show)? {
            show.problem("Nothing was changed.");
            let written = reports.write(&found, Subject::Plan, show);
            return Ok(written.or_failure(Exit::Failure));
        }
        // What was shown is what was said yes to: all of it, and nothing else.
        let shown = Approval::of_shown(seen.iter().filter_map(planned));
        worker.approve(&mut seen, &shown);
        worker.restrict(&mut seen, &shown);
    }
    let outcomes = Box::pin(act(&worker, seen, show)).await;
    let written = reports.write(&outcomes, Subject::Applied, show);
    if reports.output() == Output::Text {
        say("\n", show)?;
    }
    reports.say(&outcomes, Subject::Applied, show)?;
    if let Some(signal) = stop.signal() {
        show.problem("interrupted: the write in flight was finished, no other was started");
        return Ok(Exit::Interrupted(signal));
    }
    Ok(written
        .or_failure(ready.exit(Exit::of(&Totals::of_left(&outcomes), args.report.allow_missing))))
}

/// Something is done, either now, or once somebody says yes, or once a minute has passed.
fn can_be_done(seen: &Seen<'_>) -> bool {
    let plan = seen.plan().1;
    let waits = |it: &Plan| it.holds().any(|(_, it)| it.is_approvable() || it.passes());
    seen.has_steps() || plan.is_some_and(waits)
}

/// Everything that may be done, and what a minute more allows.
async fn act<'a>(
    worker: &Worker<'a, Metered<Fleet>>,
    seen: Vec<Seen<'a>>,
    show: Show,
) -> Vec<Outcome> {
    let decided = seen.iter().find_map(|it| match it {
        Seen::Open(it) => Some(it.1.decisions().clone()),
        Seen::Settled(_) => None,
    });
    let targets: Vec<&'a Wanted> = seen.iter().filter_map(Seen::wanted).collect();
    let progress = Progress::new("changing policies", seen.len(), show);
    let told = |it: &Outcome| {
        tell::setbacks(it);
        progress.inc();
    };
    let outcomes = worker.act_on_all(seen, told).await;
    drop(progress);
    let waiting: Vec<&'a Wanted> = targets
        .into_iter()
        .filter(|it| outcomes.iter().any(|outcome| outcome.target == it.target && waits(outcome)))
        .collect();
    if waiting.is_empty() || !worker.wait_for_grace(&waiting, |it| show.note(&grace_note(it))).await
    {
        return outcomes;
    }
    let mut seen = Vec::new();
    for wanted in waiting {
        seen.push(Box::pin(worker.look(wanted)).await);
    }
    if let Some(decided) = decided {
        for approval in &decided.approved {
            worker.approve(&mut seen, approval);
        }
        if let Some(only) = &decided.only {
            worker.restrict(&mut seen, only);
        }
    }
    worker.judge(&mut seen);
    let mut again = worker.act_on_all(seen, tell::setbacks).await;
    let join = |first: Outcome| match again.iter().position(|it| it.target == first.target) {
        Some(at) => continued(first, again.swap_remove(at)),
        None => first,
    };
    outcomes.into_iter().map(join).collect()
}

fn planned<'s>(seen: &'s Seen<'_>) -> Option<(&'s Target, &'s Plan)> {
    match seen.plan() {
        (target, Some(plan)) => Some((target, plan)),
        (_, None) => None,
    }
}

/// What somebody said yes to elsewhere, if it is in what was found: what is held, or the whole plan.
fn approved(seen: &[Seen<'_>], digest: &str) -> Option<Approval> {
    let plans = || seen.iter().filter_map(planned);
    let held = Approval::of_held(plans());
    let done = Approval::of(plans(), |it| it.held.is_none());
    let all = [held.clone(), held.and(&done), done, Approval::of_shown(plans())];
    all.into_iter().find(|it| !it.is_empty() && it.digest().starts_with(digest))
}

fn no_such_digest(seen: &[Seen<'_>], digest: &str) -> Stop {
    let held = Approval::of_held(seen.iter().filter_map(planned));
    let hint = if held.is_empty() {
        "nothing is held by a limit or a risk now; look again with `permitd plan`".to_owned()
    } else {
        format!("what is held now has the digest {}; look at it with `permitd plan`", held.digest())
    };
    let message = format!("nothing that was found has the digest {digest}; nothing was changed");
    Stop::Said(Exit::Failure, message, Some(hint))
}

/// Whoever says yes says yes to all that was shown.
fn question(found: &[Outcome]) -> String {
    match Totals::of_found(found).asked {
        0 => "Do this?".to_owned(),
        n => format!("Do this, also the {n} held by a limit or a risk?"),
    }
}
