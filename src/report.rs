//! How people are told.

pub mod json;
pub mod palette;
pub mod text;
pub mod totals;
pub mod words;
pub mod wrap;
