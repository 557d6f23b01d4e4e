//! How permitd is watched.

pub mod board;
pub mod http;
pub mod metered;
pub mod metrics;
pub mod monitor;
pub mod news;
pub mod notify;
pub mod page;
pub mod standing;
pub mod status;
pub mod usage;
