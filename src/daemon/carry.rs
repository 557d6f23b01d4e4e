//! Carries the requests of a conversation to the gateway and the answers back. It decides nothing.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use crate::daemon::clock::Clock;
use crate::drift::{
    approval::Approval,
    converge::Converge,
    dialogue::{Answer, Failure, FailureKind, Request, Write},
    plan::Action,
};
use crate::lambda::gateway::{GatewayError, PolicyGateway, PolicyReader, Recovery};
use crate::policy::target::Target;

/// What a conversation is carried with.
#[derive(Debug)]
pub struct Carrier<'a, G> {
    /// Lambda.
    pub gateway: &'a G,
    /// What time it is.
    pub clock: Clock,
    /// No further request is started once this is cancelled; the one in flight is finished.
    pub stop: &'a CancellationToken,
}

impl<G: PolicyReader> Carrier<'_, G> {
    /// Until there is a plan, or the end. There is nothing here to write with.
    pub async fn look(&self, target: &Target, converge: &mut Converge<'_>) {
        let mut request = converge.start();
        while !matches!(request, Request::Planned | Request::Done | Request::Write(_)) {
            if self.stop.is_cancelled() {
                request = converge.interrupt();
                continue;
            }
            let ask = async {
                match request {
                    Request::Wait { attempt, at_least } => self.wait(attempt, at_least, true).await,
                    Request::Exists => self.exists(target).await,
                    Request::Read | Request::Planned | Request::Write(_) | Request::Done => {
                        self.read(target).await
                    }
                }
            };
            // A read can be dropped at any time, also while it waits for its turn.
            request = tokio::select! {
                answer = ask => converge.answer(answer, (self.clock)()),
                () = self.stop.cancelled() => converge.interrupt(),
            };
        }
    }

    async fn read(&self, target: &Target) -> Answer {
        Answer::Policy(match self.gateway.get_policy(target).await {
            Ok(it) => Ok(Some((it.text, it.revision))),
            Err(error) if error.recovery == Recovery::Absent => Ok(None),
            Err(error) => Err(failure(&error, "lambda:GetPolicy")),
        })
    }

    async fn exists(&self, target: &Target) -> Answer {
        Answer::Exists(match self.gateway.function_exists(target).await {
            Ok(()) => Ok(true),
            Err(error) if error.recovery == Recovery::Absent => Ok(false),
            Err(error) => Err(failure(&error, "lambda:GetFunction")),
        })
    }

    async fn wait(&self, attempt: u32, at_least: Duration, may_stop: bool) -> Answer {
        let pause = at_least.max(full_jitter(attempt));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.cancelled(), if may_stop => {}
        }
        Answer::Waited
    }
}

impl<G: PolicyGateway> Carrier<'_, G> {
    /// From the plan to the end; what is passed in is told in [`Converge::proceed`].
    pub async fn act(
        &self,
        target: &Target,
        converge: &mut Converge<'_>,
        approval: Option<Approval>,
        may_not_add: Option<String>,
    ) {
        let mut request = converge.proceed(approval, may_not_add, (self.clock)());
        while request != Request::Done {
            // A statement that is away is brought back before anything is stopped.
            let may_stop = !converge.is_in_gap();
            if may_stop && self.stop.is_cancelled() {
                request = converge.interrupt();
                continue;
            }
            let answer = match request {
                Request::Read | Request::Planned | Request::Done => self.read(target).await,
                Request::Exists => self.exists(target).await,
                Request::Wait { attempt, at_least } => self.wait(attempt, at_least, may_stop).await,
                Request::Write(write) => self.write(target, &write).await,
            };
            request = converge.answer(answer, (self.clock)());
        }
    }

    async fn write(&self, target: &Target, write: &Write) -> Answer {
        let Write { step, revision } = write;
        let (answer, right) = match (&step.action, revision) {
            (Action::Add(permission), revision) => {
                let call =
                    self.gateway.add_permission(target, &step.sid, permission, revision.as_deref());
                (call.await, "lambda:AddPermission")
            }
            (Action::Remove, Some(revision)) => {
                let call = self.gateway.remove_permission(target, &step.sid, revision);
                (call.await, "lambda:RemovePermission")
            }
            // A policy that is not there has nothing to remove: read again.
            (Action::Remove, None) => {
                let message = "there is no policy to remove it from".into();
                let failure = Failure { kind: FailureKind::Gone, message, hint: None };
                return Answer::Written(Err(failure));
            }
        };
        Answer::Written(answer.map_err(|it| failure(&it, right)))
    }
}

/// A random time up to one that doubles from 200 ms to 20 s ("full jitter"): however many wait for the same
/// thing, they do not come back together.
fn full_jitter(attempt: u32) -> Duration {
    let backoff = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(20))
        .without_max_times()
        .build();
    let at = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let most = backoff.into_iter().nth(at.min(16)).unwrap_or(Duration::from_secs(20));
    most.mul_f64(fastrand::f64())
}

/// A failed call as the conversation takes it, with what a person can do.
fn failure(error: &GatewayError, right: &str) -> Failure {
    let kind = match error.recovery {
        Recovery::Absent => FailureKind::Gone,
        Recovery::Stale | Recovery::Taken | Recovery::Busy => FailureKind::Conflict,
        Recovery::Throttled { retry_after } => {
            FailureKind::Throttled(retry_after.unwrap_or_default())
        }
        Recovery::Denied => FailureKind::Denied,
        Recovery::Rejected | Recovery::TooLarge => FailureKind::Refused,
        Recovery::Unreachable => FailureKind::Unreachable,
        Recovery::Unknown if error.status.is_some() && error.code.is_none() => {
            FailureKind::BadAnswer
        }
        Recovery::Unknown => FailureKind::Unsure,
    };
    Failure { kind, message: error.to_string(), hint: hint(error, right) }
}

/// What a person can do about a failed call; `right` is what IAM has to allow.
pub fn hint(error: &GatewayError, right: &str) -> Option<String> {
    let code = error.code.as_deref().unwrap_or_default();
    let text = match (error.recovery, code) {
        (_, "NoCredentials") => {
            "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is given"
                .to_owned()
        }
        (_, "ExpiredTokenException" | "ExpiredToken") => {
            "the credentials have expired: get new ones (for SSO: `aws sso login`)".to_owned()
        }
        (_, "UnrecognizedClientException" | "InvalidSignatureException") => {
            "check the access key, its secret and the region".to_owned()
        }
        (Recovery::Denied, "") => "check the proxy (HTTPS_PROXY, NO_PROXY)".to_owned(),
        (Recovery::Denied, _) => {
            format!("allow {right} on this function to the credentials permitd runs with")
        }
        (Recovery::TooLarge, _) => {
            "take statements out, or grant several sources by one wildcard".to_owned()
        }
        (Recovery::Rejected, _) if error.message.contains("principal was invalid") => {
            "check that the role or user exists; a new one takes some seconds to be known".to_owned()
        }
        (_, _) if error.message.contains("UnknownIssuer") => {
            "the certificate is of no known authority: install ca-certificates, or set SSL_CERT_FILE"
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
