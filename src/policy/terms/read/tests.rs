//! Which live statements a file can say.
