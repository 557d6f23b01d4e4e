//! What a permission is: targets, principals, grants, live statements, and which spellings mean the same.

pub mod grant;
pub mod principal;
pub mod source;
pub mod target;
