//! Carries the requests of a conversation to the gateway and the answers back. It decides nothing.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::daemon::{
    clock::Clock,
    scribe::{Occasion, Scribe},
    tell,
};
use crate::drift::{
    converge::Converge,
    dialogue::{Answer, Failure, FailureKind, Request, Write},
    plan::Action,
};
use crate::journal::entry::Outcome;
use crate::lambda::gateway::{
    GatewayError, PolicyGateway, PolicyReader, Receipt, Recovery, Urgency, codes,
};
use crate::policy::target::Target;

/// What a conversation is carried with.
#[derive(Debug)]
pub struct Carrier<'a, G> {
    /// Lambda.
    pub gateway: &'a G,
    /// What time it is.
    pub clock: Clock,
    /// Where every write is taken down before it leaves.
    pub scribe: &'a Scribe,
    /// No further request is started once this is cancelled; the one in flight is finished.
    pub stop: &'a CancellationToken,
    /// How urgent the first look at a target is. What a conversation reads after that goes before it.
    pub urgency: Urgency,
    /// How many calls it has made so far: of what others ask beside it, nothing is in there.
    pub calls: AtomicU64,
}

impl<G> Carrier<'_, G> {
    async fn counted<T>(&self, call: impl Future<Output = T>) -> T {
        let res = call.await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        res
    }
}

impl<G: PolicyReader> Carrier<'_, G> {
    /// Until there is a plan, or the end. There is nothing here to write with.
    pub async fn look(&self, target: &Target, converge: &mut Converge<'_>) {
        self.look_within(target, converge).instrument(tell::span(target)).await;
    }

    async fn look_within(&self, target: &Target, converge: &mut Converge<'_>) {
        let mut request = converge.start();
        while !is_pause(&request) {
            if self.stop.is_cancelled() {
                request = converge.interrupt();
                continue;
            }
            let ask = async {
                match request {
                    Request::Wait { attempt, at_least } => self.wait(attempt, at_least, true).await,
                    Request::Exists => self.exists(target).await,
                    Request::ReadResource => self.read_resource(target).await,
                    Request::Read
                    | Request::Planned
                    | Request::Judge
                    | Request::Write(_)
                    | Request::Done => self.read(target, self.urgency).await,
                }
            };
            // A read can be dropped at any time, also while it waits for its turn.
            request = tokio::select! {
                answer = ask => converge.answer(answer, (self.clock)()),
                () = self.stop.cancelled() => converge.interrupt(),
            };
        }
    }

    async fn read(&self, target: &Target, urgency: Urgency) -> Answer {
        Answer::Policy(match self.counted(self.gateway.get_policy_as(target, urgency)).await {
            Ok(it) => Ok(Some((it.text, it.revision))),
            Err(error) if error.recovery == Recovery::Absent => Ok(None),
            Err(error) => Err(failure(&error, "lambda:GetPolicy")),
        })
    }

    async fn read_resource(&self, target: &Target) -> Answer {
        Answer::Resource(match self.counted(self.gateway.get_resource_policy(target)).await {
            Ok(it) => Ok(Some((it.text, it.revision))),
            Err(error) if error.recovery == Recovery::Absent => Ok(None),
            Err(error) => Err(failure(&error, "lambda:GetResourcePolicy")),
        })
    }

    async fn exists(&self, target: &Target) -> Answer {
        Answer::Exists(match self.counted(self.gateway.function_exists(target)).await {
            Ok(()) => Ok(true),
            Err(error) if error.recovery == Recovery::Absent => Ok(false),
            Err(error) => Err(failure(&error, "lambda:GetFunction")),
        })
    }

    async fn wait(&self, attempt: u32, at_least: Duration, may_stop: bool) -> Answer {
        let pause = at_least.max(full_jitter(attempt));
        tracing::debug!(attempt, ms = pause.as_millis(), "waiting before the next attempt");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.cancelled(), if may_stop => {}
        }
        Answer::Waited
    }
}

/// Nothing more is asked until somebody decides.
fn is_pause(request: &Request) -> bool {
    matches!(request, Request::Planned | Request::Judge | Request::Done | Request::Write(_))
}

impl<G: PolicyGateway> Carrier<'_, G> {
    /// From where it stands to the end, or until what is left has to be judged together with other targets.
    pub async fn act(&self, target: &Target, converge: &mut Converge<'_>, occasion: &Occasion) {
        self.act_within(target, converge, occasion).instrument(tell::span(target)).await;
    }

    async fn act_within(&self, target: &Target, converge: &mut Converge<'_>, occasion: &Occasion) {
        let mut request = converge.proceed((self.clock)());
        let mut doubt = None;
        while !matches!(request, Request::Done | Request::Judge | Request::Planned) {
            // A statement that is away is brought back before anything is stopped.
            let may_stop = !converge.is_in_gap();
            if may_stop && self.stop.is_cancelled() {
                request = converge.interrupt();
                continue;
            }
            let answer = match request {
                Request::Read | Request::Planned | Request::Judge | Request::Done => {
                    self.read(target, Urgency::Repair).await
                }
                Request::ReadResource => self.read_resource(target).await,
                Request::Exists => self.exists(target).await,
                Request::Wait { attempt, at_least } => self.wait(attempt, at_least, may_stop).await,
                Request::Write(write) => self.write(target, &write, occasion, &mut doubt).await,
            };
            request = converge.answer(answer, (self.clock)());
            self.settle(&mut doubt, converge).await;
        }
    }

    async fn write(
        &self,
        target: &Target,
        write: &Write,
        occasion: &Occasion,
        doubt: &mut Option<Doubt>,
    ) -> Answer {
        let entry = match self.scribe.begin(target, write, occasion, (self.clock)()).await {
            Ok(entry) => entry,
            Err(message) if write.takes_away => {
                let hint = Some("see that the journal can be written".to_owned());
                let kind = FailureKind::NotJournalled;
                let failure = Failure { kind, message, hint, request_id: None };
                return Answer::Written(Err(failure));
            }
            Err(error) => {
                // Where there is no journal at all, that was said at the start.
                if self.scribe.why_not().is_none() {
                    let sid = &write.step.sid;
                    tracing::error!(sid, error, "an addition is not in the journal");
                }
                None
            }
        };
        let sent = self.send(target, write).await;
        tell::write(write, entry, &sent);
        let request_id = match &sent {
            Ok((receipt, _)) => receipt.request_id.clone(),
            Err(failure) => failure.request_id.clone(),
        };
        self.scribe.sent(request_id.as_ref());
        let result = sent.map(|(_, revision)| revision);
        if result.is_ok() {
            self.settle_earlier(doubt, write).await;
        }
        let (outcome, message) = match &result {
            Ok(_) => (Outcome::Done, None),
            Err(it) if it.kind.is_unsure() => {
                let before = write.clone();
                *doubt = entry.map(|entry| Doubt { entry, write: before });
                (Outcome::Unknown, Some(it.message.clone()))
            }
            Err(it) if it.kind == FailureKind::Unreachable => {
                (Outcome::NotDone, Some(it.message.clone()))
            }
            Err(it) => (Outcome::Refused, Some(it.message.clone())),
        };
        self.scribe.finish(entry, outcome, message, request_id, (self.clock)()).await;
        Answer::Written(result)
    }

    /// With the new revision, where the answer tells it.
    async fn send(
        &self,
        target: &Target,
        write: &Write,
    ) -> Result<(Receipt, Option<String>), Failure> {
        let Write { step, revision, opens_gap, after, .. } = write;
        let (answer, right) = match (&step.action, revision) {
            (Action::Add(permission), revision) => {
                let call =
                    self.gateway.add_permission(target, &step.sid, permission, revision.as_deref());
                (self.counted(call).await, "lambda:AddPermission")
            }
            (Action::Remove, Some(revision)) if *opens_gap => {
                let call = self.gateway.remove_to_replace(target, &step.sid, revision);
                (self.counted(call).await, "lambda:RemovePermission")
            }
            (Action::Remove, Some(revision)) => {
                let call = self.gateway.remove_permission(target, &step.sid, revision);
                (self.counted(call).await, "lambda:RemovePermission")
            }
            (Action::Put(_), Some(revision)) => {
                return self.put(target, after.as_deref(), revision).await;
            }
            // A policy that is not there has nothing to remove, and no revision to guard a document: read again.
            (Action::Remove | Action::Put(_), None) => {
                let message = "there is no policy to remove it from".into();
                let kind = FailureKind::Gone;
                return Err(Failure { kind, message, hint: None, request_id: None });
            }
        };
        answer.map(|it| (it, None)).map_err(|it| failure(&it, right))
    }

    async fn put(
        &self,
        target: &Target,
        document: Option<&str>,
        revision: &str,
    ) -> Result<(Receipt, Option<String>), Failure> {
        let Some(document) = document else {
            let sent = self.counted(self.gateway.delete_policy(target, revision)).await;
            let right = "lambda:DeleteResourcePolicy and lambda:RemovePermission";
            return sent.map(|it| (it, None)).map_err(|it| failure(&it, right));
        };
        let sent = self.counted(self.gateway.put_policy(target, document, revision)).await;
        let right = "lambda:PutResourcePolicy, lambda:AddPermission and lambda:RemovePermission";
        sent.map(|it| (it.receipt, Some(it.revision))).map_err(|it| failure(&it, right))
    }

    /// A write was applied. What was sent before it on the same revision, and never answered, was not: a
    /// revision is written on once, and a policy begins once with the same statement.
    async fn settle_earlier(&self, doubt: &mut Option<Doubt>, applied: &Write) {
        let same = |it: &mut Doubt| {
            it.write.revision == applied.revision
                && (applied.revision.is_some() || it.write.step == applied.step)
        };
        let Some(Doubt { entry, write }) = doubt.take_if(same) else { return };
        tell::settled(&write, entry, false);
        let message = Some("as the next write showed".to_owned());
        self.scribe.finish(Some(entry), Outcome::NotDone, message, None, (self.clock)()).await;
    }

    /// A read has told what became of a write whose answer was lost: the journal hears of it.
    async fn settle(&self, doubt: &mut Option<Doubt>, converge: &Converge<'_>) {
        let Some(Doubt { entry, write }) = doubt.take_if(|_| !converge.is_in_doubt()) else {
            return;
        };
        let was_done =
            converge.done().iter().rev().take(write.sids.len()).any(|it| it.step == write.step);
        let outcome = if was_done { Outcome::Done } else { Outcome::NotDone };
        tell::settled(&write, entry, was_done);
        let message = Some("as a later read showed".to_owned());
        self.scribe.finish(Some(entry), outcome, message, None, (self.clock)()).await;
    }
}

/// An entry of the journal whose write may have been done.
#[derive(Debug)]
struct Doubt {
    entry: i64,
    write: Write,
}

/// A random time up to one that doubles from 200 ms to 20 s ("full jitter"): however many wait for the same
/// thing, they do not come back together.
pub(super) fn full_jitter(attempt: u32) -> Duration {
    let backoff = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(20))
        .without_max_times()
        .build();
    let at = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let most = backoff.into_iter().nth(at.min(16)).unwrap_or(Duration::from_secs(20));
    most.mul_f64(fastrand::f64())
}

/// A short while, before the same is tried again.
pub(super) async fn breathe() {
    tokio::time::sleep(full_jitter(2)).await;
}

/// A failed call as the conversation takes it, with what a person can do.
pub(super) fn failure(error: &GatewayError, right: &str) -> Failure {
    let kind = match error.recovery {
        Recovery::Absent => FailureKind::Gone,
        Recovery::Stale | Recovery::Taken | Recovery::Busy => FailureKind::Conflict,
        Recovery::Throttled { retry_after } => {
            FailureKind::Throttled(retry_after.unwrap_or_default())
        }
        Recovery::Denied => FailureKind::Denied,
        Recovery::Rejected => FailureKind::Refused,
        Recovery::TooLarge => FailureKind::TooLarge,
        Recovery::NotOffered => FailureKind::NotOffered,
        Recovery::Unreachable => FailureKind::Unreachable,
        Recovery::Unknown if error.status.is_some() && error.code.is_none() => {
            FailureKind::BadAnswer
        }
        Recovery::Unknown => FailureKind::Unsure,
    };
    let request_id = error.request_id.clone();
    Failure { kind, message: error.to_string(), hint: hint(error, right), request_id }
}

/// What a person can do about a failed call; `right` is what IAM has to allow.
pub fn hint(error: &GatewayError, right: &str) -> Option<String> {
    let code = error.code.as_deref().unwrap_or_default();
    let text = match (error.recovery, code) {
        (_, codes::NO_CREDENTIALS) => {
            "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is given"
                .to_owned()
        }
        (_, codes::NO_ROLE) => {
            "look at `role_arn` and `external_id` in `accounts`, at the role's trust policy, and whether the \
             credentials permitd runs with may do sts:AssumeRole"
                .to_owned()
        }
        (_, codes::NO_PROFILE) => {
            "look at `profile` in `accounts`, and at ~/.aws/config (AWS_CONFIG_FILE)".to_owned()
        }
        (_, codes::WRONG_ACCOUNT) => {
            "give this account a `role_arn` or a `profile` in `accounts`, or correct its id".to_owned()
        }
        (_, codes::NOT_LEADING) => {
            "nothing is to be done: whoever leads now goes on from here".to_owned()
        }
        (_, "ExpiredTokenException" | "ExpiredToken") => {
            "the credentials have expired: get new ones (for SSO: `aws sso login`)".to_owned()
        }
        // Where a region is not enabled, AWS says nothing else.
        (_, "UnrecognizedClientException" | "InvalidClientTokenId") => {
            "check the access key, and whether the region is enabled for the account".to_owned()
        }
        (_, "InvalidSignatureException") => {
            "check the access key, its secret and the region".to_owned()
        }
        (Recovery::Denied, "") => "check the proxy (HTTPS_PROXY, NO_PROXY)".to_owned(),
        (Recovery::Denied, _) => {
            format!("allow {right} on this function to the credentials permitd runs with")
        }
        (Recovery::TooLarge, _) => {
            "take statements out, or grant several sources by one wildcard".to_owned()
        }
        (Recovery::NotOffered, _) => {
            "write `writer: statements` (or `auto`) where Lambda has no PutResourcePolicy".to_owned()
        }
        (Recovery::Rejected, _) if error.message.contains("principal was invalid") => {
            "check that the role or user exists; a new one takes some seconds to be known".to_owned()
        }
        (_, _) if error.message.contains("UnknownIssuer") => {
            "the certificate is of no known authority: install ca-certificates, or name a file with --ca-bundle"
                .to_owned()
        }
        (Recovery::Unreachable, _) if error.message.contains("lookup address") => {
            "its name has no address: is there such a region? else check AWS_ENDPOINT_URL, DNS and the proxy \
             (HTTPS_PROXY, NO_PROXY)"
                .to_owned()
        }
        (Recovery::Unreachable | Recovery::Unknown, _) => {
            "check the network, the region, AWS_ENDPOINT_URL and the proxy (HTTPS_PROXY, NO_PROXY)"
                .to_owned()
        }
        (Recovery::Throttled { .. }, _) => {
            "another tool uses up the quota of this account and region; lower the budgets".to_owned()
        }
        (
            Recovery::Absent
            | Recovery::Stale
            | Recovery::Taken
            | Recovery::Busy
            | Recovery::Rejected,
            _,
        ) => return None,
    };
    Some(text)
}
