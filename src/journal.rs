//! What was done, and how to undo it.
