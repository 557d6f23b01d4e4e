//! What the operator asked for: permission files and settings, read with every error in its place.

pub mod diagnostic;
pub mod load;
pub mod permissions;
pub mod resolve;
pub mod schema;
pub mod settings;
pub mod warnings;

mod render;
mod walk;
mod yaml;

#[cfg(test)]
mod tests;
