//! Everything that is tested from outside, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail loudly, and read files and the environment"
)]

mod browser;
mod changed_places;
mod check_documents;
#[cfg(feature = "aws")]
mod commands;
mod compact_properties;
mod config_examples;
mod config_properties;
mod converge_properties;
mod deploy;
mod discovery;
mod docs;
mod evaluate_properties;
mod golden_policy;
mod http;
mod iam;
mod import_from;
mod import_properties;
mod journal_undo;
#[cfg(feature = "aws")]
mod lambda_client;
mod live_documents;
mod metrics_documents;
mod model;
#[cfg(feature = "aws")]
mod moto;
mod page;
mod properties;
mod readme;
mod report_cases;
mod risk_properties;
mod sarif;
mod scenarios;
mod simulator_client;
mod simulator_clients;
mod simulator_control;
mod simulator_documents;
mod simulator_faults;
mod simulator_functions;
mod simulator_golden;
mod simulator_rules;
#[cfg(feature = "aws")]
mod soak;
mod survey;
mod tidy;
mod walk;
mod whole_properties;
