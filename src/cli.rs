//! How people call it.

pub mod args;
pub mod exit;
pub mod run_command;

mod apply;
mod ask;
mod check;
mod control;
mod demo;
mod embedded;
mod history;
mod journal;
mod places;
mod plan;
mod progress;
mod report;
mod run;
mod saved;
mod setup;
mod show;
mod simulate;
mod telemetry;
mod undo;
