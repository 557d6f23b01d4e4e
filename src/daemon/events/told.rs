//! What is said about the queue: once when it begins, and once an hour while it goes on.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use crate::lambda::gateway::{GatewayError, Recovery, codes};
use crate::policy::target::AccountRegion;

/// How long what was told stays unsaid.
const PAUSE: Duration = Duration::from_hours(1);
const TROUBLE: &str = "trouble";

/// What was said, and when.
#[derive(Debug, Default)]
pub(super) struct Told {
    at: BTreeMap<&'static str, Instant>,
    trouble: Option<String>,
}

impl Told {
    /// It is time to say this (again).
    fn is_due(&mut self, what: &'static str) -> bool {
        let now = Instant::now();
        let due = self.at.get(what).is_none_or(|it| now.duration_since(*it) >= PAUSE);
        if due {
            self.at.insert(what, now);
        }
        due
    }

    /// The queue does not work.
    pub(super) fn trouble(&mut self, error: &GatewayError) {
        let what = error.code_name();
        let is_new = self.trouble.as_ref() != Some(&what);
        if is_new {
            self.at.remove(TROUBLE);
            self.trouble = Some(what);
        }
        if !self.is_due(TROUBLE) {
            return;
        }
        let (request_id, hint) = (&error.request_id, hint(error));
        tracing::warn!(
            %error,
            hint,
            request_id,
            "the queue of events does not work; full passes go on by the usual interval"
        );
    }

    /// It does.
    pub(super) fn works(&mut self) {
        if self.trouble.take().is_some() {
            self.at.remove(TROUBLE);
            tracing::info!("the queue of events works again");
        }
    }

    /// It has events of another service.
    pub(super) fn other(&mut self, source: &str) {
        if self.is_due("other") {
            let hint = "check queue_url, and the pattern of the rule that feeds the queue (source aws.lambda)";
            tracing::warn!(
                source,
                hint,
                "the queue of events has events of another service; they are left in it"
            );
        }
    }

    /// It has something that is no event.
    pub(super) fn unreadable(&mut self, message_id: &str, why: &str) {
        if self.is_due("unreadable") {
            let hint = "the queue's redrive policy takes such messages to its dead-letter queue; look there";
            tracing::warn!(
                message_id,
                why,
                hint,
                "the queue of events has a message that is no event; it is left in it"
            );
        }
    }

    /// It has an event that cannot be placed.
    pub(super) fn unclear(&mut self, why: &str, place: Option<&AccountRegion>) {
        if self.is_due("unclear") {
            let place = place.map(tracing::field::display);
            tracing::warn!(
                why,
                place,
                "an event does not tell whose policy was changed; everything there is looked at"
            );
        }
    }
}

/// What is no event would come again and again.
pub(super) fn no_dead_letters() {
    let hint = "give it a redrive policy with a dead-letter queue, as deploy/aws/events.yaml does";
    tracing::warn!(
        hint,
        "the queue of events has no dead letters, so what is no event stays in it until it is too old"
    );
}

/// What a person can do about it.
fn hint(error: &GatewayError) -> &'static str {
    let code = error.code.as_deref().unwrap_or_default();
    if code.contains("NonExistentQueue") || code.contains("QueueDoesNotExist") {
        return "check `events: {queue_url, region}`: there is no such queue in this account and region \
                (deploy/aws/events.yaml makes one)";
    }
    match error.recovery {
        Recovery::Denied if code == codes::NO_CREDENTIALS => {
            "give permitd credentials that may read the queue (`permitd iam` prints the rights)"
        }
        Recovery::Denied => {
            "allow sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes on the queue to the credentials \
             permitd runs with (`permitd iam` prints them), and kms:Decrypt where it is encrypted with a key of yours"
        }
        Recovery::Throttled { .. } => "another reader uses this queue; give permitd one of its own",
        Recovery::Absent
        | Recovery::Stale
        | Recovery::Taken
        | Recovery::Busy
        | Recovery::Rejected
        | Recovery::NotOffered
        | Recovery::TooLarge => "check `events: {queue_url, region}`",
        Recovery::Unreachable | Recovery::Unknown => {
            "check the network, the region of the queue, AWS_ENDPOINT_URL_SQS and the proxy (HTTPS_PROXY, NO_PROXY)"
        }
    }
}
