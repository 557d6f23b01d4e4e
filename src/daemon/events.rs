//! Events from a queue.

pub mod record;
