//! What a permission is: targets, principals, grants, live statements, and which spellings mean the same.

pub mod canonical;
pub mod compact;
pub mod document;
pub mod evaluate;
pub mod grant;
pub mod inventory;
pub(crate) mod json;
pub mod patterns;
pub mod principal;
pub mod risk;
pub mod shard;
pub mod size;
pub mod source;
pub mod statement;
pub mod target;
pub mod terms;
pub mod written;
