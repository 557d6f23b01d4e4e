//! What the operator asked for: permission files and settings, read with every error in its place.

pub mod diagnostic;
pub mod from;
pub mod import;
pub mod load;
pub mod permissions;
pub mod resolve;
pub mod rules;
pub mod schema;
pub mod settings;
pub mod warnings;
pub mod write;

mod placeholders;
mod render;
mod walk;
mod yaml;

#[cfg(test)]
mod tests;
