//! Which targets a rule covers.
