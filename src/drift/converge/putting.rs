//! Writes of the whole document: the next one, the revision that it is guarded by, and what becomes of it.

use jiff::Timestamp;

use super::{Converge, InFlight, MAX_CONFLICTS, Named, OTHER_WRITER, Part};
use crate::drift::{
    dialogue::{Failure, FailureKind, Request, Write},
    outcome::{Trouble, TroubleReason},
    plan::{Action, Step},
    whole,
};
use crate::policy::{document::Document, statement::Statement};

/// So often a fresh revision of GetPolicy is refused before GetResourcePolicy is asked for another one.
const REFUSED_FRESH: u32 = 2;

impl Converge<'_> {
    /// Every step that goes into the document, in one write.
    pub(super) fn write_whole(&mut self, first: &Step) -> Request {
        if self.refused_fresh >= REFUSED_FRESH {
            return self.ask(Request::ReadResource);
        }
        let Some(plan) = &self.left else { return self.finish() };
        let after = plan.whole.as_ref().and_then(|it| it.text.clone());
        let of_document = |it: &&Step| matches!(it.action, Action::Put(_));
        let steps: Vec<Step> = plan.steps.iter().filter(of_document).cloned().collect();
        let change_of = |it: &Step| plan.drift.get(it.change);
        let takes_away = steps.iter().filter_map(change_of).any(|it| it.drift.before.is_some());
        let by = steps.iter().filter_map(change_of).find_map(|it| it.by.clone());
        let approval = steps.iter().find_map(|it| self.approval_of(it));
        let parts: Vec<Part> = steps.iter().map(|it| self.part(it)).collect();
        let before = self.live.as_ref().map(|it| it.text().to_owned());
        let write = Write {
            step: first.clone(),
            revision: self.guard(),
            before,
            after,
            approval,
            opens_gap: false,
            by,
            whole: true,
            sids: steps.iter().map(|it| it.sid.clone()).collect(),
            takes_away,
        };
        self.in_flight = Some(InFlight { write: write.clone(), replaced: None, parts });
        self.ask(Request::Write(write))
    }

    /// The revision that the answer to our own write gave, as long as the document is what that write made of it;
    /// else the one that was read with it.
    fn guard(&self) -> Option<String> {
        let live = self.live.as_ref()?;
        let of_put = self.put.as_ref().filter(|(known, _)| *known == self.named(live));
        Some(of_put.map_or_else(|| live.revision().to_owned(), |(_, it)| it.clone()))
    }

    fn named(&self, document: &Document) -> Vec<Named> {
        let named = |it: &Statement| {
            (it.sid().map(str::to_owned), it.canonical(&self.wanted.target).text())
        };
        document.statements().iter().map(named).collect()
    }

    /// A write of a whole document was answered.
    pub(super) fn has_put(&mut self, write: &Write, revision: Option<String>) {
        if !write.whole {
            return;
        }
        let text = write.after.clone().zip(revision);
        self.put = text.and_then(|(text, revision)| {
            let document = Document::parse(text, revision.clone(), &self.wanted.target).ok()?;
            Some((self.named(&document), revision))
        });
    }

    /// A read after a write that was refused for its revision: was that one still the policy's?
    pub(super) fn notice_fresh_refusal(&mut self, live: Option<&Document>) {
        if !std::mem::take(&mut self.wants_other_revision) {
            return;
        }
        let same = |old: &Document| live.is_some_and(|it| it.revision() == old.revision());
        let unchanged = self.live.as_ref().is_some_and(same);
        self.refused_fresh = if unchanged { self.refused_fresh + 1 } else { 0 };
        if unchanged {
            // Then neither is the one that an earlier answer gave.
            self.put = None;
        }
    }

    /// GetResourcePolicy gives the same document, or there is something new to look at.
    pub(super) fn has_read_resource(
        &mut self,
        result: Result<Option<(String, String)>, Failure>,
    ) -> Request {
        self.refused_fresh = 0;
        let failure = match result {
            Ok(Some((text, revision))) => {
                let target = &self.wanted.target;
                let read = Document::parse(text, revision.clone(), target).ok();
                let named = read.map(|it| self.named(&it));
                let live = self.live.as_ref().map(|it| self.named(it));
                if let Some(named) = named.filter(|it| Some(it) == live.as_ref()) {
                    self.put = Some((named, revision));
                    return self.act();
                }
                return self.conflict("the policy keeps changing while it is put right", None);
            }
            Ok(None) => return self.conflict("the policy is gone", None),
            Err(it) => it,
        };
        let Failure { kind, message, hint, request_id: _ } = failure;
        match kind {
            FailureKind::Throttled(at_least) => {
                self.refused_fresh = REFUSED_FRESH;
                self.not_read(
                    Failure {
                        kind: FailureKind::Throttled(at_least),
                        message,
                        hint,
                        request_id: None,
                    },
                    Request::ReadResource,
                )
            }
            FailureKind::Gone
            | FailureKind::Conflict
            | FailureKind::Denied
            | FailureKind::Refused
            | FailureKind::TooLarge
            | FailureKind::NotOffered
            | FailureKind::NotJournalled
            | FailureKind::Unreachable
            | FailureKind::Unsure
            | FailureKind::BadAnswer => self.conflict(&message, hint),
        }
    }

    fn conflict(&mut self, message: &str, hint: Option<String>) -> Request {
        self.counts.conflicts += 1;
        if self.counts.conflicts > MAX_CONFLICTS {
            let hint = hint.or_else(|| Some(OTHER_WRITER.to_owned()));
            return self.give_up(TroubleReason::Conflict, message, hint);
        }
        self.wait(self.counts.conflicts, std::time::Duration::ZERO, Request::Read)
    }

    /// Lambda takes no whole document from us here, and it is said once; statement by statement it may go on.
    pub(super) fn cannot_put(&mut self, failure: Failure, now: Timestamp) -> Request {
        let Failure { kind, message, hint, request_id } = failure;
        self.memory.decisions.may_not_put = Some(message.clone());
        self.known.may_not_put(message.clone(), now);
        let request = self.planned(now);
        let stuck =
            self.left.as_deref().is_some_and(|it| !it.drift.is_empty() && it.steps.is_empty());
        if stuck {
            let denied = kind == FailureKind::Denied;
            let reason = if denied { TroubleReason::AccessDenied } else { TroubleReason::Refused };
            self.refusal.get_or_insert(Trouble { reason, message, hint, request_id });
        }
        request
    }

    /// What this step asked for stands in the document as read.
    pub(super) fn part_was_applied(&self, part: &Part, now: Timestamp) -> bool {
        let Some(live) = &self.live else { return part.step.action.takes_away() };
        let view = whole::view(self.wanted, live, now);
        let statements = view.as_ref().unwrap_or(live).statements();
        let sid = Some(part.step.sid.as_str());
        match &part.step.action {
            Action::Put(Some(terms)) => {
                statements.iter().any(|it| it.sid() == sid && it.says(terms))
            }
            Action::Put(None) | Action::Remove => {
                let old = part.before.as_ref().map(Statement::text);
                !statements.iter().any(|it| Some(it.text()) == old)
            }
            Action::Add(permission) => {
                statements.iter().any(|it| it.sid() == sid && it.says_plainly(permission))
            }
        }
    }
}
