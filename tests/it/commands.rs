//! The commands as processes: what they print and where, what they call, and the code they end with.
//!
//! Each test starts its own `permitd simulate`, and runs `permitd` beside it in an empty directory with an
//! empty environment.

mod accounts;
mod apply;
mod bad_input;
mod bad_network;
mod ca_bundle;
mod check;
mod check_reports;
mod control;
mod credentials;
mod daemon;
mod daemon_passes;
mod daemon_says;
mod demo;
mod denied_risks;
mod documents;
mod explain;
mod generated;
pub(crate) mod harness;
mod history;
mod iam;
mod import;
mod import_fails;
mod import_from;
mod interrupted;
mod killed;
#[cfg(feature = "kubernetes")]
mod lease;
mod limits;
mod logs;
mod notified;
mod orphans;
mod plan;
mod plan_calls;
mod plan_json;
mod reload;
mod report_files;
mod rules;
mod saved_plan;
mod settings;
mod simulate;
mod slow_pass;
mod streams;
mod systemd;
mod terminal;
mod undo;
mod usage;
mod watched;
