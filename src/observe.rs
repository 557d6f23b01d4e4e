//! How permitd is watched.

pub mod metered;
