//! How Lambda is spoken to.

pub mod gateway;
