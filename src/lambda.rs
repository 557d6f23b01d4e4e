//! How Lambda is spoken to.

#[cfg(feature = "aws")]
pub mod client;
#[cfg(feature = "aws")]
pub mod fleet;
pub mod gateway;
pub mod paced;
pub mod queue;
pub mod tenure;
#[cfg(feature = "aws")]
pub mod trust;
pub mod witness;
