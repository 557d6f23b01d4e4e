//! The JSON Schemas of the permission files and of the settings file, for editors and validators.
//!
//! Keys, words, patterns and limits are those that the readers use. A schema refuses what the reader
//! refuses as far as a schema can say it, and never what the reader takes; so scalars are not typed where
//! the reader takes them as text: `012345678901`, `on` and `1e3` stay as they are written.

mod parts;
mod permissions;
mod settings;
mod statement;

pub use permissions::permissions;
pub use settings::settings;

#[cfg(test)]
mod tests;
