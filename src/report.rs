//! How people are told.

pub mod check;
pub mod iam;
pub mod json;
pub mod palette;
pub mod rules;
pub mod sarif;
pub mod text;
pub mod totals;
pub mod words;
pub mod wrap;
