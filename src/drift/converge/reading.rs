//! What a read tells: news or not, what became of a write in doubt, and the next plan.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::writing::has_sid;
use super::{Converge, MAX_FAILURES, MAX_STALE, MAX_THROTTLES, OTHER_WRITER};
use crate::drift::{
    dialogue::{Failure, FailureKind, Request, Write},
    outcome::TroubleReason,
    plan::{Plan, plan},
    whole,
};
use crate::policy::{document::Document, statement::Statement};

impl Converge<'_> {
    pub(super) fn has_read(&mut self, policy: Option<(String, String)>, now: Timestamp) -> Request {
        // A removal whose answer was lost may have been that of the last statement. A document always has one.
        let takes_all = |it: &Write| it.takes_away && !(it.whole && it.after.is_some());
        let removal_in_doubt = self.doubtful.as_ref().is_some_and(|it| takes_all(&it.write));
        if policy.is_none() && removal_in_doubt {
            self.known.expect_nothing();
        }
        if !self.known.believes(policy.as_ref().map(|(_, it)| it.as_str()), now) {
            return self.stale();
        }
        let emptied = std::mem::take(&mut self.emptied) || removal_in_doubt;
        if policy.is_none() && self.live.is_some() && !emptied {
            self.known_to_exist = false;
        }
        let live = match policy {
            None => None,
            Some((text, revision)) => match Document::parse(text, revision, &self.wanted.target) {
                Ok(it) => Some(it),
                Err(error) => {
                    self.left = None;
                    let hint = "look at it with `aws lambda get-policy`".to_owned();
                    let message = error.to_string();
                    return self.give_up(TroubleReason::MalformedPolicy, message, Some(hint));
                }
            },
        };
        self.known_to_exist |= live.is_some();
        self.notice_fresh_refusal(live.as_ref());
        self.live = live;
        self.done_at_read = self.done.len();
        let view = self.live.as_ref().and_then(|it| whole::view(self.wanted, it, now));
        self.known.saw(view.as_ref().or(self.live.as_ref()), now);
        self.settle_doubt(now);
        let back = self
            .live
            .as_ref()
            .zip(self.gap.as_ref())
            .is_some_and(|(it, gap)| has_sid(it, &gap.sid));
        if back {
            self.close_gap();
        }
        if self.known_to_exist { self.planned(now) } else { self.ask(Request::Exists) }
    }

    /// A read of another revision tells what became of a write whose answer was lost. One of the same revision
    /// does not: it may be from before the write, and if it is not, the same write goes out again, guarded.
    pub(super) fn settle_doubt(&mut self, now: Timestamp) {
        let revision = self.live.as_ref().map(Document::revision);
        if let Some(it) = self.doubtful.take_if(|it| it.write.revision.as_deref() != revision)
            && self.was_applied(&it, now)
        {
            self.known.seems_to_have_written(it.write.adds(), now);
            self.has_written(it);
        }
    }

    pub(super) fn stale(&mut self) -> Request {
        self.counts.stale += 1;
        if self.counts.stale > MAX_STALE {
            self.left = None;
            self.known.doubt();
            let message = "GetPolicy keeps giving a policy that was replaced already";
            return self.give_up(TroubleReason::StaleRead, message, Some(OTHER_WRITER.to_owned()));
        }
        self.wait(self.counts.stale, Duration::ZERO, Request::Read)
    }

    pub(super) fn not_read(&mut self, failure: Failure, again: Request) -> Request {
        let Failure { kind, message, hint, request_id: _ } = failure;
        let reason = match kind {
            FailureKind::Throttled(at_least) => {
                self.counts.throttles += 1;
                if self.counts.throttles <= MAX_THROTTLES {
                    return self.wait(self.counts.throttles, at_least, again);
                }
                TroubleReason::Throttled
            }
            FailureKind::Unreachable | FailureKind::Unsure | FailureKind::BadAnswer => {
                self.counts.failures += 1;
                if self.counts.failures < MAX_FAILURES {
                    return self.wait(self.counts.failures, Duration::ZERO, again);
                }
                if kind == FailureKind::BadAnswer {
                    TroubleReason::BadAnswer
                } else {
                    TroubleReason::Unreachable
                }
            }
            FailureKind::Denied => TroubleReason::AccessDenied,
            FailureKind::Refused
            | FailureKind::NotOffered
            | FailureKind::TooLarge
            | FailureKind::NotJournalled
            | FailureKind::Gone
            | FailureKind::Conflict => TroubleReason::Refused,
        };
        self.left = None;
        self.give_up(reason, message, hint)
    }

    pub(super) fn function_missing(&mut self) -> Request {
        let target = &self.wanted.target;
        let what = match target.qualifier() {
            Some(qualifier) => format!("{} or its alias or version {qualifier}", target.function()),
            None => target.function().to_owned(),
        };
        let message = format!("function {what} does not exist in {}", target.account_region());
        let hint = format!("create it, or take the entry at {} out", self.wanted.source);
        self.left = None;
        self.known.expect_nothing();
        self.give_up(TroubleReason::FunctionMissing, message, Some(hint))
    }

    pub(super) fn make_plan(&mut self, now: Timestamp) -> Plan {
        let live = self.live.as_ref();
        let view = live.and_then(|it| whole::view(self.wanted, it, now));
        let statements = view.as_ref().or(live).map_or(&[][..], Document::statements);
        let sure = |it: &&Statement| self.known.confirms(it, self.rules.orphan_grace, now);
        self.memory.confirmed =
            statements.iter().filter(sure).map(|it| it.text().to_owned()).collect();
        let refusals = self.wanted.grants.iter().filter_map(|it| {
            let text = it.terms.statement_text(&it.sid, &self.wanted.target);
            let answer = self.known.refusal(&it.sid, &text, now)?;
            Some((it.sid.clone(), answer.to_owned()))
        });
        self.memory.not_replaceable =
            if self.known.has_refusals() { refusals.collect() } else { Vec::new() };
        plan(self.wanted, live, self.rules, &self.memory, now)
    }

    pub(super) fn planned(&mut self, now: Timestamp) -> Request {
        self.left = Some(Arc::new(self.make_plan(now)));
        if self.found.is_none() {
            self.found.clone_from(&self.left);
            return self.ask(Request::Planned);
        }
        self.act()
    }
}
