//! What is wrong with a live policy, and what to do about it.

pub mod actor;
pub mod allow;
pub mod approval;
pub mod bridge;
pub mod converge;
pub mod dialogue;
pub mod diff;
mod hold;
pub mod limits;
pub mod memory;
mod order;
pub mod outcome;
pub mod plan;
pub mod undeclared;
pub mod wanted;
pub mod whole;
