//! `permitd apply`: shows the plan, asks, does it.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::cli::{
    args::{ApplyArgs, Output},
    exit::Exit,
    plan::{look, say, text_or_json},
    setup,
    show::{Show, Stop},
};
use crate::daemon::{
    carry::Carrier,
    clock,
    pass::{Seen, act_on_all},
};
use crate::drift::{allow::Mode, approval::Approval, outcome::Outcome};
use crate::report::{json, text, totals::Totals, words};

/// Reads, tells, asks, writes, and tells what became of it.
pub(crate) async fn apply(args: &ApplyArgs, show: Show) -> Result<Exit, Stop> {
    let ready = setup::ready_to_write("apply", &args.target, show).await?;
    let stop = setup::stop_on_signals();
    let seen = look(&ready, &ready.gateway, &stop.token, show).await;
    if let Some(signal) = stop.signal() {
        show.problem("interrupted: nothing was changed");
        return Ok(Exit::Interrupted(signal));
    }
    let found: Vec<Outcome> = seen.iter().map(Seen::outcome).collect();
    let to_do = seen.iter().any(|it| matches!(it, Seen::ToDo(_)));
    if !to_do || ready.rules.mode == Mode::Observe {
        say(&text_or_json(&found, args.output, show), show)?;
        if to_do {
            show.note("Nothing was changed: the mode is observe.");
        }
        return Ok(Exit::of(&Totals::of_found(&found)));
    }
    match args.output {
        Output::Text => say(&text::plan(&found, show.color()), show)?,
        // Stdout is for the one JSON document at the end.
        Output::Json => show.note(text::plan(&found, false).trim_end()),
    }
    if !args.yes && !asked(show)? {
        show.problem("Nothing was changed.");
        return Ok(Exit::Failure);
    }
    let approval = (!args.yes).then(|| Approval::of(seen.iter().filter_map(planned)));
    let carrier = Carrier { gateway: &ready.gateway, clock: clock::system, stop: &stop.token };
    let told = |outcome: &Outcome| {
        for deed in words::deeds(outcome) {
            tracing::info!(target_arn = %outcome.target, "{deed}");
        }
    };
    let outcomes = act_on_all(&carrier, seen, approval.as_ref(), told).await;
    match args.output {
        Output::Text => say(&format!("\n{}", text::applied(&outcomes, show.color())), show)?,
        Output::Json => say(&json::applied(&outcomes), show)?,
    }
    if let Some(signal) = stop.signal() {
        show.problem("interrupted: the write in flight was finished, no other was started");
        return Ok(Exit::Interrupted(signal));
    }
    Ok(Exit::of(&Totals::of_left(&outcomes)))
}

fn planned<'s>(
    seen: &'s Seen<'_>,
) -> Option<(&'s crate::policy::target::Target, &'s crate::drift::plan::Plan)> {
    match seen.plan() {
        (target, Some(plan)) => Some((target, plan)),
        (_, None) => None,
    }
}

/// Asks on a terminal. Without one nobody can answer, and nothing is done.
fn asked(show: Show) -> Result<bool, Stop> {
    if !io::stdin().is_terminal() {
        show.problem("error: nobody is there to answer; pass --yes to apply without asking");
        return Ok(false);
    }
    let mut err = io::stderr();
    write!(err, "\nDo this? Only `yes` is taken as yes: ").unwrap_or_default();
    err.flush().unwrap_or_default();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|it| Stop::failure(format!("cannot read the answer: {it}")))?;
    Ok(answer.trim() == "yes")
}
