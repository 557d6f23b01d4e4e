//! What goes wrong on purpose: throttling, latency, errors, lost answers, stale reads, other writers.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::policy::target::AccountRegion;
use crate::simulator::{
    refusal::Refusal,
    request::{Answer, Bucket, Operation},
    tamper::Change,
};

/// The body of `PUT /_simulator/faults`, which replaces all faults; `{}` takes them away.
///
/// ```json
/// {"throttle": {"get_policy": 15, "get_function": 100, "control": {"rate": 15, "burst": 1}, "retry_after": 1},
///  "latency_ms": 20,
///  "seed": 7,
///  "faults": [
///    {"operation": "AddPermission", "nth": 2, "kind": "drop_after"},
///    {"operation": "Get*", "target": "*:function:thumb*", "times": "forever", "probability": 0.1,
///     "kind": "error", "status": 503, "body": "<html>busy</html>", "content_type": "text/html"}]}
/// ```
///
/// Throttling counts per account and region; a fault counts the calls that its `operation` and
/// `target` match. Each call meets at most one fault, the first that is due, besides delays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Lambda's three buckets; absent: not limited.
    pub throttle: Throttle,
    /// Every answer takes this long.
    pub latency_ms: u64,
    /// Makes `probability` repeatable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// In order; the first that is due happens.
    pub faults: Vec<Fault>,
}

/// Requests per second, per account and region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// GetPolicy; AWS: 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_policy: Option<Rate>,
    /// GetFunction; AWS: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_function: Option<Rate>,
    /// Everything else together; AWS: 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<Rate>,
    /// Seconds in the header `Retry-After` of every 429; absent: no such header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// A number of requests per second, or that and how many may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rate {
    /// As many may come at once as in one second, at least one.
    Flat(f64),
    /// With a burst of its own.
    Bursty(Bursty),
}

/// A rate with a burst of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursty {
    /// Per second.
    pub rate: f64,
    /// At once.
    pub burst: f64,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which calls, as a glob; STS only where it is named in full.
    #[serde(default = "all")]
    pub operation: String,
    /// Which targets, as a glob over the full ARN with the qualifier.
    #[serde(default = "all")]
    pub target: String,
    /// From which matching call on; 1 is the next.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many times; by default once, and forever where there is a probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// Between 0 and 1; by default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What happens.
    pub kind: Kind,
    /// `error`, `error_after`: the HTTP status; by default 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `error`, `error_after`: the code; by default what Lambda has for the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `error`, `error_after`: the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `error`, `error_after`: the whole body, instead of Lambda's JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Of that body; by default `text/plain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `error`, `error_after`: seconds in the header `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// `delay`: how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// `writer_before`, `writer_after`: what another writer does to the policy of this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// How many calls it has matched.
    #[serde(default)]
    pub seen: u64,
    /// How many times it has happened.
    #[serde(default)]
    pub fired: u64,
}

fn all() -> String {
    "*".to_owned()
}

fn one() -> u64 {
    1
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Times {
    /// So many times.
    Count(u64),
    /// Always.
    Word(Forever),
}

/// The word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forever {
    /// Always.
    Forever,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is not applied; an error is answered.
    Error,
    /// It is applied; an error is answered all the same.
    ErrorAfter,
    /// It is not applied; the connection closes without an answer.
    DropBefore,
    /// It is applied; the connection closes without an answer.
    DropAfter,
    /// GetPolicy and GetResourcePolicy answer the document before the last write.
    Stale,
    /// It takes longer.
    Delay,
    /// Somebody else changes the policy just before it is applied.
    WriterBefore,
    /// Somebody else changes the policy just after it was applied.
    WriterAfter,
}

impl Faults {
    /// What is wrong with them, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Throttle { get_policy, get_function, control, retry_after: _ } = &self.throttle;
        let rates =
            [("get_policy", get_policy), ("get_function", get_function), ("control", control)];
        for (name, rate) in rates {
            let parts = rate.map(Rate::parts);
            let good = |(rate, burst): (f64, f64)| {
                rate.is_finite() && burst.is_finite() && rate >= 0.0 && burst >= 0.0
            };
            if parts.is_some_and(|it| !good(it)) {
                return Err(format!("throttle.{name} has to be a number of requests per second"));
            }
        }
        for (n, it) in self.faults.iter().enumerate() {
            it.check().map_err(|why| format!("faults[{n}]: {why}"))?;
        }
        Ok(())
    }
}

impl Rate {
    fn parts(self) -> (f64, f64) {
        match self {
            Self::Flat(rate) => (rate, if rate == 0.0 { 0.0 } else { rate.max(1.0) }),
            Self::Bursty(Bursty { rate, burst }) => (rate, burst),
        }
    }
}

impl Fault {
    fn check(&self) -> Result<(), String> {
        if self.nth == 0 {
            return Err("nth counts from 1".to_owned());
        }
        if self.probability.is_some_and(|it| !(0.0..=1.0).contains(&it)) {
            return Err("probability is between 0 and 1".to_owned());
        }
        if self.status.is_some_and(|it| !(400..=599).contains(&it)) {
            return Err("status is one of an error: 400 to 599".to_owned());
        }
        let writer = matches!(self.kind, Kind::WriterBefore | Kind::WriterAfter);
        match (&self.change, writer) {
            (None, true) => {
                Err("this kind needs a change: remove, add, change or clear".to_owned())
            }
            (Some(it), true) => it.check(),
            (Some(_), false) => Err("change goes with writer_before and writer_after".to_owned()),
            (None, false) if self.kind == Kind::Delay && self.delay_ms.is_none() => {
                Err("delay needs delay_ms".to_owned())
            }
            (None, false) => Ok(()),
        }
    }

    fn matches(&self, operation: Operation, target: &str) -> bool {
        let name = operation.name();
        let named = match operation.bucket() {
            Some(_) => WildMatch::new(&self.operation).matches(name),
            None => self.operation == name,
        };
        named && WildMatch::new(&self.target).matches(target)
    }

    /// Counts a matching call. Whether it happens to it.
    fn due(&mut self, rng: &mut fastrand::Rng) -> bool {
        self.seen = self.seen.saturating_add(1);
        let left = match (self.times, self.probability) {
            (Some(Times::Count(n)), _) => self.fired < n,
            (Some(Times::Word(Forever::Forever)), _) | (None, Some(_)) => true,
            (None, None) => self.fired < 1,
        };
        let due = left && self.seen >= self.nth && self.probability.is_none_or(|it| rng.f64() < it);
        self.fired = self.fired.saturating_add(u64::from(due));
        due
    }

    /// The error of `error` and `error_after`.
    pub(crate) fn answer(&self) -> Result<Answer, Refusal> {
        let status = self.status.unwrap_or(500);
        let (code, message) = default_error(status);
        if let Some(body) = &self.body {
            return Ok(Answer {
                status,
                code: self.code.clone(),
                content_type: self.content_type.clone().unwrap_or_else(|| "text/plain".to_owned()),
                retry_after: self.retry_after,
                body: body.clone(),
            });
        }
        let code = self.code.as_deref().unwrap_or(code);
        let message = self.message.as_deref().unwrap_or(message);
        Err(Refusal { retry_after: self.retry_after, ..Refusal::new(status, code, message) })
    }
}

fn default_error(status: u16) -> (&'static str, &'static str) {
    match status {
        403 => ("AccessDeniedException", "Access denied"),
        404 => ("ResourceNotFoundException", "The resource you requested does not exist."),
        409 => (
            "ResourceConflictException",
            "The resource already exists, or another operation is in progress.",
        ),
        412 => (
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. \
             Call the GetPolicy API to retrieve the latest Revision Id",
        ),
        413 => ("RequestTooLargeException", "Request must be smaller than 6291456 bytes"),
        429 => ("TooManyRequestsException", "Rate exceeded"),
        400..=499 => (
            "InvalidParameterValueException",
            "An error occurred and the request cannot be processed.",
        ),
        502..=504 => ("ServiceUnavailableException", "Service unavailable"),
        _ => ("ServiceException", "An error occurred and the request cannot be processed."),
    }
}

/// What the faults do to one call.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    /// 429, before anything else.
    pub(crate) throttled: Option<Refusal>,
    pub(crate) fault: Option<Fault>,
}

/// The faults with what they have counted.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    pub(crate) faults: Faults,
    buckets: BTreeMap<(AccountRegion, Bucket), Tokens>,
    rng: fastrand::Rng,
}

#[derive(Debug, Clone, Copy)]
struct Tokens {
    left: f64,
    at: Duration,
}

impl Weather {
    /// Starts anew with these.
    pub(crate) fn set(&mut self, faults: Faults) {
        self.rng = faults.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        self.buckets.clear();
        self.faults = faults;
    }

    /// What happens to a call that arrives now.
    pub(crate) fn judge(
        &mut self,
        operation: Operation,
        target: Option<&str>,
        place: &AccountRegion,
        now: Duration,
    ) -> Verdict {
        let mut res =
            Verdict { delay: Duration::from_millis(self.faults.latency_ms), ..Verdict::default() };
        if !self.admits(operation, place, now) {
            let retry_after = self.faults.throttle.retry_after;
            return Verdict { throttled: Some(Refusal::throttled(retry_after)), ..res };
        }
        for fault in &mut self.faults.faults {
            if res.fault.is_some() && fault.kind != Kind::Delay {
                continue;
            }
            if !fault.matches(operation, target.unwrap_or_default()) || !fault.due(&mut self.rng) {
                continue;
            }
            let more = Duration::from_millis(fault.delay_ms.unwrap_or(0));
            res.delay = res.delay.saturating_add(more);
            if fault.kind != Kind::Delay {
                res.fault = Some(fault.clone());
            }
        }
        res
    }

    fn admits(&mut self, operation: Operation, place: &AccountRegion, now: Duration) -> bool {
        let Some(bucket) = operation.bucket() else { return true };
        let Throttle { get_policy, get_function, control, retry_after: _ } = self.faults.throttle;
        let rate = match bucket {
            Bucket::GetPolicy => get_policy,
            Bucket::GetFunction => get_function,
            Bucket::Control => control,
        };
        let Some((rate, burst)) = rate.map(Rate::parts) else { return true };
        let key = (place.clone(), bucket);
        let tokens = self.buckets.entry(key).or_insert(Tokens { left: burst, at: now });
        let passed = now.saturating_sub(tokens.at).as_secs_f64();
        tokens.left = (tokens.left + passed * rate).min(burst);
        tokens.at = now;
        // A hair's breadth of rounding does not keep a whole token back.
        let admitted = tokens.left > 1.0 - 1e-9;
        if admitted {
            tokens.left -= 1.0;
        }
        admitted
    }
}
