//! How people call it.

pub mod args;
pub mod exit;
pub mod run_command;

mod apply;
mod check;
mod control;
mod demo;
mod embedded;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the journal and the socket are opened by what is built next")
)]
mod places;
mod plan;
mod run;
mod setup;
mod show;
mod simulate;
mod telemetry;
