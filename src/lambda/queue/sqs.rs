//! The queue over aws-sdk-sqs: long polling, with the credentials of the AWS chain.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, QueueAttributeName},
};

use super::{Message, Queue};
use crate::lambda::{
    client::failure,
    gateway::{GatewayError, Recovery},
    trust::{Roots, shared_http},
};

/// A receive waits so long for a message: the most that SQS allows.
const LONG_POLL: i32 = 20;
/// As many as SQS gives at once.
const MOST: i32 = 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longer than a receive waits.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(45);

/// A queue of SQS.
#[derive(Debug)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// Reads the AWS chain, and calls nothing yet. It is not that of Lambda, which may be a simulator.
    pub async fn new(url: String, region: Option<String>, roots: Option<&Roots>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(shared_http(roots))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(it) = region {
            loader = loader.region(Region::new(it));
        }
        Self { client: Client::new(&loader.load().await), url }
    }
}

impl Queue for SqsQueue {
    async fn receive(&self) -> Result<Vec<Message>, GatewayError> {
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(MOST)
            .wait_time_seconds(LONG_POLL);
        let answer = Box::pin(call.send()).await.map_err(|it| of_sqs(failure(&it)))?;
        let message = |it: aws_sdk_sqs::types::Message| {
            let receipt = it.receipt_handle?;
            let id = it.message_id.unwrap_or_else(|| receipt.clone());
            Some(Message { id, receipt, body: it.body.unwrap_or_default() })
        };
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(message).collect())
    }

    async fn delete(&self, messages: &[Message]) -> Result<(), GatewayError> {
        let entry = |(n, it): (usize, &Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
            // Both are there, which is all that it asks for.
            entry.receipt_handle(&it.receipt).build().ok()
        };
        let entries: Vec<_> = messages.iter().enumerate().filter_map(entry).collect();
        let call =
            self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = Box::pin(call.send()).await.map_err(|it| of_sqs(failure(&it)))?;
        match answer.failed.into_iter().next() {
            None => Ok(()),
            Some(it) => Err(GatewayError {
                recovery: Recovery::Unknown,
                status: None,
                code: Some(it.code),
                message: it.message.unwrap_or_else(|| "a message was not deleted".to_owned()),
                request_id: None,
            }),
        }
    }

    async fn has_dead_letters(&self) -> Result<bool, GatewayError> {
        let call = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::RedrivePolicy);
        let answer = Box::pin(call.send()).await.map_err(|it| of_sqs(failure(&it)))?;
        let attributes = answer.attributes.unwrap_or_default();
        Ok(attributes.contains_key(&QueueAttributeName::RedrivePolicy))
    }
}

/// The same words for another service.
fn of_sqs(error: GatewayError) -> GatewayError {
    GatewayError { message: error.message.replace("not Lambda's", "not SQS's"), ..error }
}
