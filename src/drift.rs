//! What is wrong with a live policy, and what to do about it.

pub mod allow;
pub mod wanted;
