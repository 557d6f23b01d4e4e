//! The integration tests, in one binary.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not `#[test]` functions themselves")]

mod config_examples;
mod config_properties;
