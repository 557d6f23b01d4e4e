//! How people call it.

pub mod args;
pub mod exit;
pub mod run_command;

mod apply;
mod check;
mod control;
mod demo;
mod embedded;
mod plan;
mod run;
mod setup;
mod show;
mod simulate;
mod telemetry;
