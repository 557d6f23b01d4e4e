//! permitd keeps the resource-based policies of AWS Lambda functions as they are written in YAML.
//!
//! The map of the house, in reading order; `ARCHITECTURE.md` tells the way of the data.
//!
//! | module | answers |
//! |---|---|
//! | [`policy`] | what a permission is |
//! | [`drift`] | what is wrong, and what to do about it |
//! | [`config`] | what the operator asked for |
//! | [`report`] | how people are told |
//! | [`lambda`] | how Lambda is spoken to |
//! | [`simulator`] | Lambda without AWS |
//! | [`journal`] | what was done, and how to undo it |
//! | [`observe`] | how permitd is watched |
//! | [`daemon`] | how it keeps going |
//! | `cli` | how people call it |

#[cfg(feature = "aws")]
pub mod cli;
pub mod config;
pub mod daemon;
pub mod drift;
pub mod journal;
pub mod lambda;
pub mod observe;
pub mod policy;
pub mod report;
pub mod simulator;
