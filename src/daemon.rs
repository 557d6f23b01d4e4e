//! How it keeps going.

pub mod cadence;
pub mod carry;
pub mod clock;
pub mod control;
pub mod discovery;
pub mod events;
pub mod lease;
pub mod mind;
pub mod pass;
pub mod run;
pub mod scribe;
pub mod survey;
pub mod systemd;
pub mod tell;
pub mod undo;
pub mod watch;
