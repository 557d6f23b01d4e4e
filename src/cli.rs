//! How people call it.

pub mod args;
pub mod exit;
pub mod run_command;

mod apply;
mod ask;
mod check;
mod compact;
mod completions;
mod control;
mod demo;
mod embedded;
mod explain;
mod folder;
mod history;
mod iam;
mod import;
mod journal;
mod man;
mod places;
mod plan;
mod progress;
mod receivers;
mod report;
mod run;
mod saved;
mod schema;
mod setup;
mod show;
mod simulate;
mod telemetry;
mod undo;
mod whole_file;
