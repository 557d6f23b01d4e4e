//! How it keeps going.

pub mod cadence;
pub mod carry;
pub mod clock;
pub mod mind;
pub mod control;
pub mod pass;
pub mod scribe;
