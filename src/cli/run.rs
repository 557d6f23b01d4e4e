//! `permitd run`: look, repair, wait, again.

mod discovering;
mod hearing;
mod leading;
mod once;
mod reloading;
mod slow;
mod start;

use std::{
    cell::{Cell, RefCell},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::cli::{
    args::RunArgs,
    exit::Exit,
    journal, places,
    receivers::Receivers,
    report::Reports,
    setup::{self, Texts},
    show::{Show, Stop},
};
use crate::config::settings::{Http, Settings, events::Events};
use crate::daemon::{
    clock,
    control::server::Server,
    events::Listener,
    run::{self, Daemon, Loaded},
    scribe::Scribe,
    systemd::Systemd,
    watch::Known,
};
use crate::lambda::{
    fleet::Fleet, queue::sqs::SqsQueue, tenure::Tenure, trust::Roots, witness::Witness,
};
use crate::observe::{
    http::{self, Listening, Site},
    metered::Metered,
    monitor::Monitor,
};

use discovering::Discovering;
use hearing::Hearing;
use leading::{Leading, while_it_leads};
pub(crate) use once::grace_note;
use reloading::Reloading;
use slow::Slow;
use start::Start;

/// The daemon; with `--once` a single pass and its report.
pub(crate) async fn run(args: &RunArgs, show: Show) -> Result<Exit, Stop> {
    let reports = Reports::new(&args.report)?;
    leading::is_possible(args)?;
    if !args.once {
        needs_no_report(&reports)?;
    }
    let (texts, known) = setup::read_whole(&args.target.source);
    let (texts, known): (_, Known) = (texts?, Arc::new(Mutex::new(known)));
    setup::needs_mode(&texts, &args.target, "run")?;
    let stop = setup::stop_on_signals();
    let (monitor, systemd) = (Arc::new(Monitor::default()), Systemd::from_environment());
    if args.once {
        return Box::pin(once::one_pass(args, texts, reports, &stop, show)).await;
    }
    let roots = setup::roots(&args.target.tls).await?;
    let roots = roots.as_ref();
    Receivers::read(&texts.settings.notify, &texts.base, roots)?.take_over(&monitor);
    // Before anything is asked of AWS: whether this process lives does not depend on that.
    let page = watched(args, &texts, &monitor).await?;
    let source = &args.target.source;
    let discovering = Discovering::new();
    let poll = texts.settings.poll_interval;
    let mut hearing = ears(args, poll, &known, &discovering, page.as_ref())?;
    if args.per_target_metrics {
        monitor.metrics.count_each_target();
    }
    let tell = |endpoint: &str| {
        tracing::info!(endpoint, "nothing goes to AWS, but to the simulator of the settings");
    };
    let (mut gateway, texts) = setup::way(texts, &args.target, tell).await?;
    let (leading, tenure) = take_part(args, &mut gateway, &monitor, &systemd).await?;
    let fleet = gateway.inner();
    let start = Start {
        args: &args.target,
        fleet,
        discovery: &discovering.discovery,
        monitor: &monitor,
        systemd: &systemd,
        stop: &stop.token,
        roots,
        show,
    };
    let Some((texts, understood)) = start.understood(texts, &mut hearing).await? else {
        systemd.stopping();
        return Ok(stopped());
    };
    let settings = texts.settings.clone();
    let found = texts.found();
    discovering.wants(&understood, &texts);
    let loaded = setup::in_force(understood, &settings);
    let scribe = journal::open_for_good(source, &found)?;
    let mind = journal::mind(&scribe);
    show_journal(page.as_ref(), &scribe);
    let server = control(args, &found);
    monitor.set_ready();
    tell_that_it_runs(&loaded, args);
    let slow_passes = Slow::new(setup::budgets(&settings, &args.target));
    slow_passes.tell(&loaded.wanted, settings.interval);
    let daemon = Daemon {
        gateway: &gateway,
        clock: clock::system,
        scribe: &scribe,
        mind: &mind,
        stop: &stop.token,
        monitor: &monitor,
        systemd: &systemd,
        tenure: tenure.as_ref(),
    };
    let _listening =
        listen(&settings, roots, &monitor, &stop.token, tenure.clone(), &mut hearing).await;
    let reloading = Reloading {
        args: &args.target,
        fleet,
        discovering: &discovering,
        texts: RefCell::new(Arc::clone(&texts)),
        only_listed: Cell::default(),
        covered: RefCell::default(),
        known: &known,
        started: &settings,
        monitor: &monitor,
        roots,
        show,
        poll: Cell::new(settings.poll_interval),
        told: RefCell::default(),
        slow: slow_passes,
    };
    let reload = async || reloading.again().await;
    let heard = async || reloading.heard(&mut hearing).await;
    let running = Box::pin(run::run(&daemon, loaded, reload, heard, server));
    tokio::select! {
        () = leading::beside(leading, running) => {}
        () = while_it_leads(tenure.as_ref(), async || discovering.go_on(&gateway, &monitor).await) => {}
    }
    monitor.close().await;
    if let Some(page) = page {
        page.close().await;
    }
    Ok(stopped())
}

/// Who hears of calls, and the part that this replica takes where there is a lease.
async fn take_part<'a>(
    args: &RunArgs,
    gateway: &mut Metered<Fleet>,
    monitor: &'a Arc<Monitor>,
    systemd: &'a Systemd,
) -> Result<(Option<Leading<'a>>, Option<Tenure>), Stop> {
    gateway.inner_mut().heard_by(Arc::clone(&monitor.metrics) as Arc<dyn Witness>);
    let leading = Leading::new(args, monitor, systemd).await?;
    let tenure = leading.as_ref().map(|it| it.tenure.clone());
    if let Some(it) = &tenure {
        gateway.inner_mut().under(it.clone());
    }
    Ok((leading, tenure))
}

fn tell_that_it_runs(loaded: &Loaded, args: &RunArgs) {
    tracing::info!(
        targets = loaded.wanted.len(),
        mode = loaded.rules.mode.name(),
        shard = args.target.shard.map(|it| it.to_string()),
        "permitd is running"
    );
}

/// The page shows the last writes.
fn show_journal(page: Option<&Listening>, scribe: &Scribe) {
    if let Some(page) = page {
        let scribe = scribe.clone();
        page.site.read_journal(move |limit| scribe.lately(limit));
    }
}

fn stopped() -> Exit {
    tracing::info!("permitd has stopped");
    Exit::Success
}

/// A daemon has no end.
fn needs_no_report(reports: &Reports) -> Result<(), Stop> {
    let Some(flag) = reports.asked_for() else { return Ok(()) };
    let message =
        format!("`{flag}` needs `--once`: a daemon has no end, and so no report and no exit code");
    let hint = "a daemon tells what it does in its log and its journal (`permitd history`)";
    Err(Stop::Said(Exit::Usage, message, Some(hint.to_owned())))
}

/// What is listened to before anything is asked of AWS.
fn ears(
    args: &RunArgs,
    poll: Duration,
    known: &Known,
    discovering: &Discovering,
    page: Option<&Listening>,
) -> Result<Hearing, Stop> {
    let listed = Arc::clone(&discovering.news);
    let hearing = Hearing::start(&args.target.source, poll, Arc::clone(known), listed)?;
    if let Some(page) = page.filter(|_| args.enable_lifecycle) {
        hearing.take_orders_of(&page.site);
    }
    Ok(hearing)
}

/// A task that nobody waits for.
#[derive(Debug)]
struct EndsWithUs(JoinHandle<()>);

impl Drop for EndsWithUs {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Listens to the queue of events, where there is one, beside everything else.
async fn listen(
    settings: &Settings,
    roots: Option<&Roots>,
    monitor: &Arc<Monitor>,
    stop: &CancellationToken,
    tenure: Option<Tenure>,
    hearing: &mut Hearing,
) -> Option<EndsWithUs> {
    let Events { queue_url, region } = settings.events.clone()?;
    tracing::info!(queue = queue_url, "listening for events of CloudTrail");
    let queue = SqsQueue::new(queue_url, region, roots).await;
    let (to, events) = mpsc::channel(1);
    hearing.take_events(events);
    let (monitor, stop) = (Arc::clone(monitor), stop.clone());
    Some(EndsWithUs(tokio::spawn(async move {
        // What a standby took from the queue, the leader would never hear of.
        while let Some(turn) = leading::turn(tenure.as_ref(), &stop).await {
            let listener = Listener::new(&queue, &monitor, clock::system);
            let listening = listener.listen(to.clone(), &turn);
            leading::until_it_ends(tenure.as_ref(), &turn, listening).await;
            // Nobody listens any more.
            if to.is_closed() {
                break;
            }
        }
    })))
}

/// Begins to answer over HTTP. The usual address may be taken by another daemon, and then
/// this one goes without; one that somebody wrote has to be there.
async fn watched(
    args: &RunArgs,
    texts: &Texts,
    monitor: &Arc<Monitor>,
) -> Result<Option<Listening>, Stop> {
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
        Err(Stop::Said(_, error, hint)) => {
            tracing::warn!(error, hint, "approve, pause and undo cannot be said to this daemon");
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
            tracing::warn!(%error, cause, hint, "approve, pause and undo cannot be said to this daemon");
            None
        }
    }
}
