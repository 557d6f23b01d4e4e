//! What the page shows.
