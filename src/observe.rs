//! How permitd is watched.

pub mod board;
pub mod http;
pub mod metered;
pub mod monitor;
pub mod news;
pub mod notify;
pub mod standing;
pub mod status;
