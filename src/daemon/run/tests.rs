//! The loop, with a paused clock.
