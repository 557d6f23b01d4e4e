//! The model test: random permission files and policies, another writer, faults at every call and crashes.
//!
//! What must always hold (`ARCHITECTURE.md`) is checked from outside at every call; when the faults stop, each
//! policy is compared with a truth table. A case comes from one seed:
//!
//! ```sh
//! PERMITD_MODEL_CASES=10000 cargo test --no-default-features --test it model
//! PERMITD_MODEL_SEED=17 cargo test --no-default-features --test it model   # one case again, with its trace
//! ```

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use case::Case;
use play::{Failed, Tally, play};

mod book;
mod case;
mod checks;
mod content;
mod documents;
mod faults;
mod lists;
mod other;
mod play;
mod reference;
mod regressions;
mod world;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

fn report(seed: u64, failed: &Failed) -> String {
    let Failed { why, trace } = failed;
    format!(
        "seed {seed}: {why}\n{trace}\nagain: PERMITD_MODEL_SEED={seed} cargo test --no-default-features --test it model"
    )
}

fn run(seed: u64) -> Result<Tally, Failed> {
    play(&Case::new(seed), seed)
}

/// Every case up to `n` from the first seed, on all cores; the failures, by seed.
fn run_all(first: u64, n: u64) -> (Tally, Vec<(u64, Failed)>) {
    let next = AtomicU64::new(0);
    let all = Mutex::new((Tally::default(), Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= n || all.lock().unwrap().1.len() >= 20 {
                        break;
                    }
                    let res = run(first + at);
                    let mut all = all.lock().unwrap();
                    match res {
                        Ok(it) => {
                            all.0.writes += it.writes;
                            all.0.crashes += it.crashes;
                            all.0.compared += it.compared;
                            all.0.targets += it.targets;
                        }
                        Err(it) => all.1.push((first + at, it)),
                    }
                }
            });
        }
    });
    let mut res = all.into_inner().unwrap();
    res.1.sort_by_key(|(seed, _)| *seed);
    res
}

#[test]
fn model() {
    if let Some(seed) = number("PERMITD_MODEL_SEED") {
        if let Err(failed) = run(seed) {
            panic!("{}", report(seed, &failed));
        }
        return;
    }
    let n = number("PERMITD_MODEL_CASES").unwrap_or(300);
    let (tally, failures) = run_all(number("PERMITD_MODEL_FIRST").unwrap_or(0), n);
    if let Some((seed, failed)) = failures.first() {
        let others: Vec<String> =
            failures.iter().skip(1).map(|(seed, it)| format!("seed {seed}: {}", it.why)).collect();
        panic!("{}\n{}", others.join("\n"), report(*seed, failed));
    }
    #[expect(clippy::print_stdout, reason = "shown with --nocapture")]
    {
        println!("{n} cases: {tally:?}");
    }
    // A model that does nothing proves nothing.
    let Tally { writes, crashes, compared, targets } = tally;
    assert!(writes > n && crashes * 10 > n && compared * 10 > targets * 8, "{tally:?}");
}
