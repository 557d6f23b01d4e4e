//! `permitd run`: look, repair, wait, again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::cli::{
    args::{RunArgs, SourceArgs, TargetArgs},
    exit::Exit,
    journal, places,
    plan::look,
    progress::Progress,
    receivers::Receivers,
    report::Reports,
    setup::{self, Texts},
    show::{Show, Stop},
};
use crate::config::settings::Http;
use crate::daemon::{
    clock,
    control::server::Server,
    pass::{self, Worker},
    run::{self, Daemon, Loaded},
    tell,
    watch::{Known, Watch},
};
use crate::drift::{allow::Mode, outcome::Outcome, wanted::Wanted};
use crate::lambda::{fleet::Fleet, gateway::PolicyGateway, witness::Witness};
use crate::observe::{
    http::{self, Listening, Site},
    metered::Metered,
    monitor::Monitor,
};
use crate::report::Subject;

/// The daemon; with `--once` a single pass and its report.
pub(crate) async fn run(args: &RunArgs, show: Show) -> Result<Exit, Stop> {
    let reports = Reports::new(&args.report)?;
    if !args.once
        && let Some(flag) = reports.asked_for()
    {
        let message = format!("`{flag}` needs `--once`: a daemon has no end, and so no report");
        let hint = "a daemon tells what it does in its log and its journal (`permitd history`)";
        return Err(Stop::Said(Exit::Usage, message, Some(hint.to_owned())));
    }
    let (texts, known) = setup::read_whole(&args.target.source);
    let (texts, known) = (texts?, Arc::new(Mutex::new(known)));
    setup::needs_mode(&texts, &args.target, "run")?;
    let stop = setup::stop_on_signals();
    let monitor = Arc::new(Monitor::default());
    // Before anything is asked of AWS: whether this process lives does not depend on that.
    let page = if args.once { None } else { watched(args, &texts, &monitor).await? };
    let mut ready = setup::ready_with(texts, &args.target, show).await?;
    ready.gateway.inner_mut().heard_by(Arc::clone(&monitor.metrics) as Arc<dyn Witness>);
    let (source, found) = (&args.target.source, ready.found());
    if args.once {
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
            tell::trouble(outcome, false);
        }
        let subject = if observing { Subject::Plan } else { Subject::Applied };
        let written = reports.write(&outcomes, subject, show);
        reports.say(&outcomes, subject, show)?;
        let exit = || written.or_failure(Exit::of(&subject.totals(&outcomes)));
        return Ok(stop.signal().map_or_else(exit, Exit::Interrupted));
    }
    let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
        .map_err(|it| Stop::failure(format!("cannot listen for SIGHUP: {it}")))?;
    let scribe = journal::open_for_good(source, &found)?;
    let mind = journal::mind(&scribe);
    if let Some(page) = &page {
        let scribe = scribe.clone();
        page.site.read_journal(move |limit| scribe.lately(limit));
    }
    let server = control(args, &found);
    monitor.set_ready();
    tracing::info!(targets = ready.wanted.len(), mode = ?ready.rules.mode, "permitd is running");
    let daemon = Daemon {
        gateway: &ready.gateway,
        clock: clock::system,
        scribe: &scribe,
        mind: &mind,
        stop: &stop.token,
        calls: Metered::<Fleet>::count,
        monitor: &monitor,
    };
    let reload = async || match load(&args.target, &known, ready.gateway.inner()).await {
        Ok((loaded, receivers)) => {
            receivers.take_over(&monitor);
            tracing::info!(targets = loaded.wanted.len(), "loaded the configuration anew");
            Ok(loaded)
        }
        Err(stop) => {
            let _: Exit = stop.tell(show);
            tracing::error!("the new configuration is not usable; the old one stays");
            Err(stop.in_one_line())
        }
    };
    let mut watch = watch(source, ready.settings.poll_interval, &known);
    let hangup = async || {
        let changed = async {
            match &mut watch {
                Some(it) => it.changed().await,
                None => std::future::pending().await,
            }
        };
        // Both are cancel-safe: a signal that was not taken is given again, and a watch goes on.
        tokio::select! {
            Some(()) = hangups.recv() => {}
            () = changed => tracing::info!("the files have changed"),
        }
    };
    Box::pin(run::run(&daemon, ready.loaded(), reload, hangup, server)).await;
    monitor.close().await;
    if let Some(page) = page {
        page.close().await;
    }
    tracing::info!("permitd has stopped");
    Ok(Exit::Success)
}

/// Everything that a reload brings, or why nothing of it comes into force.
async fn load(
    args: &TargetArgs,
    known: &Known,
    fleet: &Fleet,
) -> Result<(Loaded, Receivers), Stop> {
    let texts = read_anew(args.source.clone(), known).await?;
    let receivers = Receivers::read(&texts.settings.notify, &texts.base)?;
    Ok((setup::reload(texts, args, fleet).await?, receivers))
}

/// Reads the files, beside everything else that goes on.
async fn read_anew(source: SourceArgs, known: &Known) -> Result<Texts, Stop> {
    let read = tokio::task::spawn_blocking(move || setup::read_whole(&source)).await;
    let failed = |it| Stop::failure(format!("the files could not be read: {it}"));
    let (texts, print) = read.map_err(failed)?;
    *known.lock().unwrap_or_else(PoisonError::into_inner) = print;
    texts
}

/// The files; what came by a pipe cannot be read again.
fn watch(source: &SourceArgs, poll: Duration, known: &Known) -> Option<Watch> {
    let source = source.clone();
    let by_pipe = source.files.iter().any(|it| it.as_os_str() == "-");
    let read = Arc::new(move || setup::read_whole(&source).1);
    (!by_pipe).then(|| Watch::new(read, poll, Arc::clone(known)))
}

/// Begins to tell receivers, and to answer over HTTP. The usual address may be taken by another daemon, and then this one goes without;
/// one that somebody wrote has to be there.
async fn watched(
    args: &RunArgs,
    texts: &Texts,
    monitor: &Arc<Monitor>,
) -> Result<Option<Listening>, Stop> {
    Receivers::read(&texts.settings.notify, &texts.base)?.take_over(monitor);
    let Http { listen, hosts } = &texts.settings.http;
    let written = args.http_listen.or(*listen);
    let address = written.unwrap_or(http::USUAL);
    let site = Arc::new(Site::new(Arc::clone(monitor), clock::system, hosts.clone()));
    let started = async { Listening::start(http::bind(address).await?, site) };
    match started.await {
        Ok(it) => {
            tracing::info!(address = %it.address, "listening for /livez, /readyz, /metrics and /status");
            Ok(Some(it))
        }
        Err(error) if written.is_some() => {
            let message = format!(
                "cannot listen on {address} for /livez, /readyz, /metrics and /status: {error}"
            );
            let hint =
                "choose another address: `http: {listen: …}` in the settings, or --http-listen";
            Err(Stop::Said(Exit::Failure, message, Some(hint.to_owned())))
        }
        Err(error) => {
            let hint =
                "choose another address: `http: {listen: …}` in the settings, or --http-listen";
            tracing::warn!(%address, %error, hint, "nothing is served over HTTP, for the usual address cannot be had");
            Ok(None)
        }
    }
}

/// The control socket. A daemon can do without, and says so.
fn control(args: &RunArgs, found: &setup::Found) -> Option<Server> {
    let path = match places::control_path(&args.target.source, found) {
        Ok(path) => path,
        Err(Stop::Said(_, message, _)) => {
            tracing::warn!("{message}; approve, pause and undo cannot be said to this daemon");
            return None;
        }
        Err(Stop::Config(_)) => return None,
    };
    match Server::bind(&path) {
        Ok(server) => {
            tracing::info!(path = %path.display(), "listening for approve, pause, resume and undo");
            Some(server)
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let hint = error.hint();
            tracing::warn!(
                cause,
                hint,
                "{error}; approve, pause and undo cannot be said to this daemon"
            );
            None
        }
    }
}

/// One pass, and what a minute more allows: an orphan is only believed when a second read shows it.
pub(crate) async fn once<'a, G: PolicyGateway>(
    worker: &Worker<'a, G>,
    wanted: &[&'a Wanted],
    show: Show,
) -> Vec<Outcome> {
    let progress = Progress::new("reading policies", wanted.len(), show);
    let outcomes = worker.pass(wanted, |_| progress.inc(), tell::deeds).await;
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
    let mut again = worker.pass(&waiting, |_| {}, tell::deeds).await;
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
