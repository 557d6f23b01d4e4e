//! What was done, and how to undo it.
//!
//! Every write stands here, durably, before its request leaves, with the statement that it takes away. The journal
//! decides nothing: losing it loses the way back, never a policy. All of it is synchronous; callers on a runtime
//! wrap it in `spawn_blocking`.

pub mod entry;
pub mod error;
pub mod pause;
pub mod reader;
pub mod store;
pub mod undo;

mod lock;
mod query;
mod schema;
