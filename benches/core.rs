//! The pure core under load: reading permission files, reading live policies, planning, telling.
//!
//! `cargo bench --no-default-features` runs them; `benches/process.sh` measures the whole process.

use std::fmt::Write;
use std::hint::black_box;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, atomic::AtomicU64};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use permitd::config::diagnostic::{File, Files};
use permitd::config::permissions;
use permitd::config::resolve::{Context, Loaded, examine, resolve};
use permitd::config::warnings::warnings;
use permitd::daemon::carry::Carrier;
use permitd::daemon::mind::Mind;
use permitd::daemon::pass::{Seen, Worker};
use permitd::daemon::scribe::{Occasion, Scribe};
use permitd::drift::allow::{Mode, Rules};
use permitd::drift::outcome::{Outcome, State};
use permitd::drift::plan::{Memory, plan};
use permitd::drift::wanted::Wanted;
use permitd::lambda::gateway::Urgency;
use permitd::lambda::paced::{Budgets, Paced};
use permitd::lambda::witness::Witness;
use permitd::observe::monitor::Monitor;
use permitd::observe::standing::Stage;
use permitd::policy::document::Document;
use permitd::report::check::{Checked, json as check_json};
use permitd::report::{Subject, html, json, markdown, palette::Look, text};
use permitd::simulator::{Direct, Seed, Simulator};
use tokio_util::sync::CancellationToken;

/// A permission file for these functions, with so many statements each.
fn yaml(functions: Range<usize>, statements: usize) -> String {
    let mut res = "account: \"123456789012\"\nregion: us-east-1\nfunctions:\n".to_owned();
    for f in functions {
        writeln!(res, "- function: fn-{f:05}\n  ownership: all\n  statements:").unwrap_or_default();
        for s in 0..statements {
            writeln!(
                res,
                "  - sid: stmt-{s}\n    principal: s3.amazonaws.com\n    \
                 source_arn: arn:aws:s3:::bucket-{f:05}-{s}\n    source_account: \"123456789012\""
            )
            .unwrap_or_default();
        }
    }
    res
}

fn load(texts: &[String]) -> Loaded {
    let file = |text: &String| File::new("permissions.yaml", text.clone());
    let files = Files { files: texts.iter().map(file).collect(), diagnostics: Vec::new() };
    resolve(permissions::parse(&files), &Context::default())
        .unwrap_or(Loaded { wanted: Vec::new(), rules: Vec::new() })
}

/// What `permitd check --output json` does, but for the disk.
fn check(texts: &[String]) -> String {
    let file = |text: &String| File::new("permissions.yaml", text.clone());
    let files = Files { files: texts.iter().map(file).collect(), diagnostics: Vec::new() };
    let examined = examine(permissions::parse(&files), &Context::default());
    let found = warnings(&files, &examined, Timestamp::UNIX_EPOCH);
    let (statements, targets) = (0, examined.targets.len());
    check_json(&Checked { found: &found, statements, targets, many: 0, exit_code: 0 })
}

/// What GetPolicy gives where everything is as written.
fn live(loaded: &Loaded) -> Vec<String> {
    let policy = |it: &Wanted| {
        let statement = |grant: &permitd::policy::grant::Grant| {
            grant.terms.statement_text(&grant.sid, &it.target)
        };
        let statements: Vec<String> = it.grants.iter().map(statement).collect();
        let statements = statements.join(",");
        format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{statements}]}}"#)
    };
    loaded.wanted.iter().map(policy).collect()
}

fn parse(loaded: &Loaded, texts: &[String]) -> Vec<Document> {
    let one =
        |(it, text): (&Wanted, &String)| Document::parse(text.clone(), "r".into(), &it.target).ok();
    loaded.wanted.iter().zip(texts).filter_map(one).collect()
}

fn core(c: &mut Criterion) {
    let text = [yaml(0..2_500, 10)];
    let mut group = c.benchmark_group("files");
    group.sample_size(10).throughput(Throughput::Elements(25_000));
    group.bench_function("read 25,000 statements of YAML", |b| b.iter(|| load(black_box(&text))));
    group.bench_function("check 25,000 statements", |b| b.iter(|| check(black_box(&text))));
    group.finish();

    let files: Vec<String> = (0..10).map(|it| yaml(it * 1000..(it + 1) * 1000, 20)).collect();
    let loaded = load(&files);
    let texts = live(&loaded);
    let documents = parse(&loaded, &texts);
    assert_eq!(documents.len(), 10_000, "the benchmark reads what it means to read");
    let mut group = c.benchmark_group("10,000 functions of 20 statements, in sync");
    group.sample_size(10).throughput(Throughput::Elements(200_000));
    group.bench_function("read the policies", |b| b.iter(|| parse(&loaded, black_box(&texts))));
    let (rules, memory, now) = (Rules::default(), Memory::default(), Timestamp::UNIX_EPOCH);
    group.bench_function("plan", |b| {
        b.iter(|| {
            let plans = loaded.wanted.iter().zip(&documents);
            let in_sync = plans.filter(|(wanted, live)| {
                plan(wanted, Some(live), &rules, &memory, now).is_in_sync()
            });
            assert_eq!(in_sync.count(), 10_000);
        });
    });
    group.finish();

    let one = |(wanted, live): (&Wanted, &Document)| {
        let plan = plan(wanted, Some(live), &rules, &memory, now);
        let (target, state) = (wanted.target.clone(), State::of(&plan));
        let plan = Some(Arc::new(plan));
        let (found, left) = (plan.clone(), plan);
        Outcome { target, state, trouble: None, found, left, done: Vec::new() }
    };
    let outcomes: Vec<Outcome> = loaded.wanted.iter().zip(&documents).map(one).collect();
    let mut group = c.benchmark_group("report 10,000 targets in sync");
    group.sample_size(10).throughput(Throughput::Elements(10_000));
    let outcomes = outcomes.as_slice();
    group.bench_function("text", |b| b.iter(|| text::plan(black_box(outcomes), Look::PLAIN)));
    group.bench_function("json", |b| b.iter(|| json::plan(black_box(outcomes))));
    group.bench_function("markdown", |b| b.iter(|| markdown::plan(black_box(outcomes))));
    group.bench_function("html", |b| {
        b.iter(|| html::report(black_box(outcomes), Subject::Plan, now));
    });
    group.finish();
}

/// The simulator with these policies.
fn simulator(loaded: &Loaded, policies: &[String]) -> Option<Simulator> {
    let function = |(it, policy): (&Wanted, &String)| {
        format!(r#"{{"name":"{}","policy":{policy}}}"#, it.target.function())
    };
    let functions: Vec<String> = loaded.wanted.iter().zip(policies).map(function).collect();
    let functions = functions.join(",");
    let seed = format!(
        r#"{{"accounts":[{{"id":"123456789012","region":"us-east-1","functions":[{functions}]}}]}}"#
    );
    Simulator::new(Seed::parse(&seed, Path::new("seed.json")).ok()?).ok()
}

#[expect(clippy::disallowed_methods, reason = "a bench is where time is measured")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// One pass; who watches hears of every target.
fn pass(gateway: &Paced<Direct>, mind: &Mind, loaded: &Loaded, monitor: Option<&Monitor>) {
    let (scribe, stop) = (Scribe::nobody(), CancellationToken::new());
    let rules = Rules { mode: Mode::Enforce, ..Rules::default() };
    let (clock, stop, urgency) = (now as fn() -> Timestamp, &stop, Urgency::Sweep);
    let carrier =
        Carrier { gateway, clock, scribe: &scribe, stop, urgency, calls: AtomicU64::new(0) };
    let (n_targets, occasion) = (loaded.wanted.len(), Occasion::of("full pass"));
    let worker = Worker { carrier, mind, rules: &rules, n_targets, occasion, keep: false };
    let wanted: Vec<&Wanted> = loaded.wanted.iter().collect();
    let read = |seen: &Seen<'_>| {
        if let (Some(monitor), Seen::Settled(outcome)) = (monitor, seen) {
            drop(monitor.take(outcome, Stage::Settled, now()));
        }
    };
    let through = worker.pass(&wanted, read, |_| {});
    let outcomes = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map(|it| it.block_on(through))
        .unwrap_or_default();
    assert!(outcomes.iter().all(|it| it.state == State::InSync) && outcomes.len() == n_targets);
}

/// What counting and remembering cost a pass: the third over the first is the share.
fn watching(c: &mut Criterion) {
    let loaded = load(&[yaml(0..1_000, 5)]);
    let policies = live(&loaded);
    let Some(simulator) = simulator(&loaded, &policies) else { return };
    let at = now();
    let monitor = Monitor::default();
    monitor.configured(&loaded.wanted, Mode::Enforce, at);
    let mind = Mind::default();
    let alone = Paced::new(simulator.direct(), Budgets::UNLIMITED);
    let witness = Arc::clone(&monitor.metrics) as Arc<dyn Witness>;
    let watched = Paced::new(simulator.direct(), Budgets::UNLIMITED).heard_by(&witness);
    let rules = Rules { mode: Mode::Enforce, ..Rules::default() };
    let documents = parse(&loaded, &policies);
    let outcome = |(wanted, document): (&Wanted, &Document)| {
        let plan = plan(wanted, Some(document), &rules, &Memory::default(), at);
        let plan = Some(Arc::new(plan));
        let (found, left) = (plan.clone(), plan);
        let (target, state) = (wanted.target.clone(), State::InSync);
        Outcome { target, state, trouble: None, found, left, done: Vec::new() }
    };
    let outcomes: Vec<Outcome> = loaded.wanted.iter().zip(&documents).map(outcome).collect();
    let mut group = c.benchmark_group("a pass over 1,000 functions of 5 statements, in sync");
    group.sample_size(30).throughput(Throughput::Elements(1_000));
    group.bench_function("unwatched", |b| b.iter(|| pass(&alone, &mind, &loaded, None)));
    group.bench_function("watched", |b| b.iter(|| pass(&watched, &mind, &loaded, Some(&monitor))));
    group.bench_function("the watching alone", |b| {
        b.iter(|| {
            for it in &outcomes {
                witness.waited("get_policy", Duration::ZERO);
                witness.answered("get_policy", "GetPolicy", None, Duration::from_millis(20));
                drop(monitor.take(it, Stage::Settled, now()));
            }
        });
    });
    group.bench_function("/metrics", |b| {
        b.iter(|| monitor.metrics.text(&monitor.board.view(), at, at));
    });
    group.finish();
}

criterion_group!(benches, core, watching);
criterion_main!(benches);
