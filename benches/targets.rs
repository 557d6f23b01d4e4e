//! What a target costs in memory: the loop of the daemon over the direct simulator, with a paused clock.
//!
//! `cargo bench --no-default-features --bench targets -- [TARGETS] [PLACES]` counts every byte that is allocated
//! beyond the simulator, and fails where a target costs more than 4 KiB besides its grants.

use std::alloc::System;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cap::Cap;
use jiff::{SignedDuration, Timestamp};
use permitd::config::diagnostic::{File, Files};
use permitd::config::permissions;
use permitd::config::resolve::{Context, resolve};
use permitd::daemon::cadence::Cadence;
use permitd::daemon::mind::Mind;
use permitd::daemon::run::{Call, Daemon, Loaded, run};
use permitd::daemon::scribe::Scribe;
use permitd::daemon::systemd::Systemd;
use permitd::drift::allow::{Mode, Rules};
use permitd::drift::outcome::State;
use permitd::drift::wanted::Wanted;
use permitd::lambda::gateway::PolicyReader;
use permitd::observe::metered::Metered;
use permitd::observe::monitor::Monitor;
use permitd::observe::status::status;
use permitd::policy::grant::Grant;
use permitd::simulator::{Direct, Faults, Seed, Simulator};
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// What a target may cost besides its grants.
const BOUND: usize = 4096;
/// The simulator's log keeps this many; then it grows no more.
const LOG: usize = 200_000;
/// So many full passes are made.
const PASSES: usize = 3;
const REGIONS: [&str; 10] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "ap-south-1",
    "ap-northeast-1",
];

thread_local! {
    static START: Instant = Instant::now();
}

/// Follows tokio's clock, and is asked often enough to see the peak.
fn clock() -> Timestamp {
    MOST.fetch_max(HEAP.allocated(), Ordering::Relaxed);
    let passed = SignedDuration::try_from(START.with(Instant::elapsed)).unwrap_or_default();
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000) + passed
}

/// The account and the region of one of the places.
fn place(number: usize) -> (String, &'static str) {
    let region = REGIONS.get(number % REGIONS.len()).copied().unwrap_or("us-east-1");
    (format!("{:012}", 100_000_000_000 + number / REGIONS.len()), region)
}

/// A permission file of one place.
fn yaml(number: usize, functions: usize) -> Arc<File> {
    let (account, region) = place(number);
    let mut text = format!("account: \"{account}\"\nregion: {region}\nfunctions:\n");
    for f in 0..functions {
        writeln!(
            text,
            "- function: service-{f:05}-handler\n  statements:\n  - sid: uploads\n    \
             principal: s3.amazonaws.com\n    source_arn: arn:aws:s3:::bucket-{f:05}"
        )
        .unwrap_or_default();
    }
    File::new(format!("permissions/{account}/{region}.yaml"), text)
}

/// The simulator in which everything is as written.
fn simulator(wanted: &[Wanted]) -> Option<Simulator> {
    let mut places: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for it in wanted {
        let statement = |grant: &Grant| grant.terms.statement_text(&grant.sid, &it.target);
        let statements: Vec<String> = it.grants.iter().map(statement).collect();
        let (name, statements) = (it.target.function(), statements.join(","));
        let function = format!(
            r#"{{"name":"{name}","policy":{{"Version":"2012-10-17","Id":"default","Statement":[{statements}]}}}}"#
        );
        places.entry((it.target.account(), it.target.region())).or_default().push(function);
    }
    let account = |((account, region), functions): (&(&str, &str), &Vec<String>)| {
        let functions = functions.join(",");
        format!(r#"{{"id":"{account}","region":"{region}","functions":[{functions}]}}"#)
    };
    let accounts: Vec<String> = places.iter().map(account).collect();
    let seed = format!(r#"{{"accounts":[{}]}}"#, accounts.join(","));
    let seed = Seed::parse(&seed, Path::new("seed.json")).ok()?;
    Simulator::with_clock(seed, clock).ok()
}

fn load(places: usize, functions: usize) -> Vec<Wanted> {
    let files = (0..places).map(|it| yaml(it, functions)).collect();
    let files = Files { files, diagnostics: Vec::new() };
    resolve(permissions::parse(&files), &Context::default()).map(|it| it.wanted).unwrap_or_default()
}

/// What was allocated before and after some passes, and at most meanwhile.
async fn passes(simulator: &Simulator, wanted: Vec<Wanted>, monitor: &Monitor) -> (usize, usize) {
    let gateway = Metered::new(simulator.direct());
    let n_targets = wanted.len();
    let rules = Rules { mode: Mode::Enforce, loaded_at: clock(), ..Rules::default() };
    let cadence = Cadence {
        interval: Duration::from_hours(1),
        with_events: Duration::from_hours(1),
        jitter: 0.0,
    };
    let loaded = Loaded { n_targets, wanted, rules, cadence };
    let (scribe, mind, stop) = (Scribe::nobody(), Mind::default(), CancellationToken::new());
    let daemon = Daemon::<Metered<Direct>> {
        gateway: &gateway,
        clock,
        scribe: &scribe,
        mind: &mind,
        stop: &stop,
        monitor,
        systemd: &Systemd::default(),
        tenure: None,
    };
    let reload = async || Err("there is nothing to load".to_owned());
    let called = async || std::future::pending::<Call>().await;
    let story = async {
        sleep(Duration::from_mins(60 * (PASSES as u64 - 1) + 30)).await;
        let steady = HEAP.allocated();
        stop.cancel();
        steady
    };
    MOST.store(0, Ordering::Relaxed);
    let ((), steady) = tokio::join!(run(&daemon, loaded, reload, called, None), story);
    assert_eq!(gateway.count(), (PASSES * n_targets) as u64, "every pass read every target");
    (steady, MOST.load(Ordering::Relaxed))
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn main() -> ExitCode {
    // `cargo bench` says `--bench`.
    let words: Vec<usize> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    let targets = words.first().copied().unwrap_or(100_000);
    let places = words.get(1).copied().unwrap_or(200);
    let functions = targets / places;
    let Some(simulator) = simulator(&load(places, functions)) else {
        println!("the seed is wrong");
        return ExitCode::FAILURE;
    };
    let mut runtime = Builder::new_current_thread();
    let Ok(runtime) = runtime.enable_time().start_paused(true).build() else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(async {
        let wanted = load(places, functions);
        let n = wanted.len();
        // The log is full before anything is measured.
        let direct = simulator.direct();
        for it in wanted.iter().cycle().take(LOG.max(n)) {
            drop(direct.get_policy(&it.target).await);
        }
        drop(wanted);
        // Calls that take their time make the passes of all places run beside each other.
        let slow = Faults { latency_ms: 50, ..Faults::default() };
        assert!(simulator.put_faults(slow).is_ok(), "this is what the control API takes");
        let before = HEAP.allocated();
        let wanted = load(places, functions);
        let loaded = HEAP.allocated() - before;
        let copy: Vec<Vec<Grant>> = wanted.iter().map(|it| it.grants.clone()).collect();
        // The room of the vectors themselves is part of a target.
        let grants = HEAP.allocated() - before - loaded - n * size_of::<Vec<Grant>>();
        drop(copy);
        let monitor = Monitor::default();
        let (steady, most) = Box::pin(passes(&simulator, wanted, &monitor)).await;
        let view = monitor.board.view();
        assert!(view.targets.iter().all(|it| it.state == State::InSync), "all was read");
        let said = status(&view, clock(), clock()).len();
        let each = |bytes: usize| (bytes / n).to_string() + " B";
        let besides = |all: usize| each(all.saturating_sub(before + grants));
        println!("{n} targets in {places} accounts and regions, {PASSES} passes; for each target, besides its grants ({}):", each(grants));
        println!("   as the files have it   {}", besides(before + loaded));
        println!("   between the passes     {}", besides(steady));
        println!("   at most, in a pass     {}", besides(most));
        println!("   its part of /status    {}, once somebody asks", each(said));
        let holds = (most - before - grants) / n <= BOUND;
        println!("at most {BOUND} B: {}", if holds { "holds" } else { "DOES NOT HOLD" });
        if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}
