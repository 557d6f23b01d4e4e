//! The seam to the queue in which events arrive.

#[cfg(feature = "aws")]
pub mod sqs;

use std::future::Future;

use crate::lambda::gateway::GatewayError;

/// One message, hidden from others until it is deleted or its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same each time it is received.
    pub id: String,
    /// To delete it with, this time.
    pub receipt: String,
    /// What was sent.
    pub body: String,
}

/// A queue that gives each message at least once, in no order. What is not deleted comes again, until the queue's
/// redrive policy takes it away.
pub trait Queue: Send + Sync {
    /// The next messages, ten at most; none after a while in which nothing came.
    fn receive(&self) -> impl Future<Output = Result<Vec<Message>, GatewayError>> + Send;

    /// These were dealt with, and do not come again. At most ten.
    fn delete(&self, messages: &[Message])
    -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// Whether what is never deleted is taken away one day, to where people can look at it.
    fn has_dead_letters(&self) -> impl Future<Output = Result<bool, GatewayError>> + Send;
}
