//! permitd keeps the resource-based policies of AWS Lambda functions as they are written in YAML.
//!
//! The map of the house, in reading order; `ARCHITECTURE.md` tells the way of the data.
//!
//! | module | answers |
//! |---|---|
//! | [`policy`] | what a permission is |
//! | [`drift`] | what is wrong and what to do about it |
//! | [`lambda`] | how Lambda is spoken to |
//! | [`simulator`] | Lambda without AWS |

pub mod drift;
pub mod lambda;
pub mod policy;
pub mod simulator;
