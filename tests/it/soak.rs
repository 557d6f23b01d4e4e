//! permitd for a long time, as processes, while somebody else changes the same policies at random: two daemons at
//! once behind a bad network, and one that is killed again and again.
//!
//! Each has a small version, which runs always, and a long one for `PERMITD_TEST_SOAK=1` (`.ci/full`). What is
//! random hangs on a seed that is printed; `PERMITD_TEST_SEED` sets it. How processes interleave does not hang on
//! it, so a seed makes the same changes and not the same run.

mod figures;
mod killed;
mod together;
mod world;
mod writer;

/// The long versions take minutes.
fn is_asked_for() -> bool {
    let asked = std::env::var("PERMITD_TEST_SOAK").is_ok_and(|it| it == "1");
    if !asked {
        say("SKIPPED: set PERMITD_TEST_SOAK=1");
    }
    asked
}

fn seed() -> u64 {
    let set = std::env::var("PERMITD_TEST_SEED").ok();
    let seed = set.map_or_else(|| fastrand::u64(..1_000_000), |it| it.parse().unwrap());
    say(&format!("PERMITD_TEST_SEED={seed}"));
    seed
}

#[expect(clippy::print_stdout, reason = "the figures are what these tests are for")]
fn say(text: &str) {
    println!("{text}");
}
