//! Filling, and what cannot be filled.
