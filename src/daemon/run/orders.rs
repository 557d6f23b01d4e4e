//! What is said over the control socket, and what the daemon does about it.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::Work;
use crate::daemon::{
    control::{Answer, Request, server::Reply},
    mind::NoOffer,
    undo,
};
use crate::drift::approval::Approval;
use crate::journal::pause::Pause;
use crate::lambda::gateway::PolicyGateway;
use crate::observe::board::Offer;
use crate::policy::target::Target;

impl<G: PolicyGateway> Work<'_, G> {
    /// Answers, and notes what has to be looked at now.
    pub(super) async fn asked(&mut self, request: Request, reply: Reply) {
        let answer = match request {
            Request::Status => self.status(),
            Request::Approve { .. }
            | Request::Pause { .. }
            | Request::Resume { .. }
            | Request::Undo { .. }
                if !self.leads =>
            {
                let (message, hint) = self.stands_by();
                Answer::refused(message).hint(hint)
            }
            Request::Approve { digest } => self.approve(&digest),
            Request::Pause { target, duration } => self.pause(target.as_deref(), duration),
            Request::Resume { target } => self.resume(target.as_deref()),
            Request::Undo { id, digest } => self.undo(id, &digest).await,
        };
        reply.send(answer);
    }

    fn approve(&mut self, digest: &str) -> Answer {
        let now = self.now();
        let approval = match self.daemon.mind.approve(digest, now) {
            Ok(approval) => approval,
            Err(NoOffer::Unknown(held)) if held.is_empty() => {
                return Answer::refused("nothing is held by a limit or a risk");
            }
            Err(NoOffer::Unknown(held)) => {
                let hint = format!("these are held: {}", held.join(", "));
                return Answer::refused(format!("nothing that is held has the digest {digest}"))
                    .hint(hint);
            }
            Err(NoOffer::Ambiguous(held)) => {
                let hint = format!("write more of it: {}", held.join(", "));
                return Answer::refused(format!("{digest} is the beginning of several digests"))
                    .hint(hint);
            }
        };
        let targets = self.targets_of(&approval);
        let n_targets = targets.len();
        for target in targets {
            self.note(now, target, "approved");
        }
        let (n, digest) = (approval.len(), approval.digest());
        tracing::info!(statements = n, targets = n_targets, digest, "approved");
        Answer::done(format!(
            "approved: {n} {} in {n_targets} {}, once, within 24 hours",
            plural(n, "statement"),
            plural(n_targets, "target"),
        ))
    }

    fn targets_of(&self, approval: &Approval) -> Vec<Target> {
        let arns: BTreeSet<&str> = approval.entries().map(|it| it.target.as_str()).collect();
        let managed = self.loaded.wanted.iter().map(|it| &it.target);
        managed.filter(|it| arns.contains(it.arn().as_str())).cloned().collect()
    }

    fn pause(&mut self, name: Option<&str>, duration: Option<Duration>) -> Answer {
        let now = self.now();
        let targets = match self.named(name) {
            Ok(targets) => targets,
            Err(answer) => return answer,
        };
        let until = duration
            .map(|it| {
                now.saturating_add(SignedDuration::try_from(it).unwrap_or(SignedDuration::MAX))
            })
            .and_then(Result::ok);
        let what = name.unwrap_or("everything");
        let mut kept = true;
        for target in targets {
            let target = target.map(|it| it.arn());
            let reason = "paused by hand".to_owned();
            let pause = Pause { target, since: now, until, wanted: None, reason };
            kept &= self.keep_pause(pause);
        }
        let when = until.map_or("until `permitd resume`".to_owned(), |it| format!("until {it}"));
        tracing::info!(what, until = until.map(tracing::field::display), "paused");
        let mut message = format!("paused: {what} is left alone {when}");
        if !kept {
            message.push_str("; a restart forgets it, for the journal cannot be written");
        }
        if let Some(at) = until {
            self.note_all(at, name);
        }
        Answer::done(message)
    }

    /// Takes a pause down where it outlives a restart; false if that was not possible.
    fn keep_pause(&self, pause: Pause) -> bool {
        let kept = self.daemon.scribe.journal().map(|it| it.pause(&pause));
        self.daemon.mind.pause(pause);
        match kept {
            Some(Ok(())) => true,
            Some(Err(error)) => {
                tracing::error!(%error, "a pause could not be taken down");
                false
            }
            None => false,
        }
    }

    fn resume(&mut self, name: Option<&str>) -> Answer {
        let now = self.now();
        let targets = match self.named(name) {
            Ok(targets) => targets,
            Err(answer) => return answer,
        };
        let mut any = false;
        for target in targets {
            let arn = target.map(|it| it.arn());
            any |= self.daemon.mind.resume(arn.as_deref());
            let journal = self.daemon.scribe.journal();
            let resumed = journal.map(|it| match &arn {
                Some(arn) => it.resume(Some(arn)).map(|_| ()),
                None => it.resume_all().map(|_| ()),
            });
            if let Some(Err(error)) = resumed {
                tracing::error!(%error, "the end of a pause could not be taken down");
            }
        }
        let what = name.unwrap_or("everything");
        if !any {
            let paused = self.daemon.mind.pauses(now);
            let answer = Answer::refused(format!("{what} is not paused"));
            return if paused.iter().any(|it| it.target.is_none()) {
                answer.hint("everything is paused: `permitd resume` without a target ends that")
            } else {
                answer
            };
        }
        tracing::info!(what, "resumed");
        self.note_all(now, name);
        Answer::done(format!("resumed: {what}"))
    }

    /// The targets of this name are to be looked at then; all of them, for none.
    pub(super) fn note_all(&mut self, at: Timestamp, name: Option<&str>) {
        let is_meant = |it: &&Target| name.is_none_or(|name| it.is_called(name));
        let managed = self.loaded.wanted.iter().map(|it| &it.target);
        let targets: Vec<Target> = managed.filter(is_meant).cloned().collect();
        for target in targets {
            self.note(at, target, "resumed");
        }
    }

    /// The managed targets of this name; everything, for none.
    fn named(&self, name: Option<&str>) -> Result<Vec<Option<Target>>, Answer> {
        let Some(name) = name else { return Ok(vec![None]) };
        let managed = self.loaded.wanted.iter().map(|it| &it.target);
        let found: Vec<Option<Target>> =
            managed.filter(|it| it.is_called(name)).cloned().map(Some).collect();
        if found.is_empty() {
            let hint = "name it by its ARN, or as name or name:qualifier, as the files have it";
            return Err(Answer::refused(format!("{name} is in no permission file")).hint(hint));
        }
        Ok(found)
    }

    async fn undo(&mut self, id: i64, digest: &str) -> Answer {
        let daemon = self.daemon;
        let work = undo::Workplace {
            gateway: daemon.gateway,
            clock: daemon.clock,
            scribe: daemon.scribe,
            mind: daemon.mind,
            stop: daemon.stop,
        };
        let Some(journal) = daemon.scribe.journal() else {
            return Answer::refused("there is no journal to undo anything from");
        };
        let entry = match journal.entry(id) {
            Ok(Some(entry)) => entry,
            Ok(None) => return Answer::refused(format!("there is no entry {id} in the journal")),
            Err(error) => return Answer::refused(error.to_string()),
        };
        let managed = self.loaded.wanted.iter().find(|it| it.target.arn() == entry.step.target);
        match work.undo(&entry, managed, digest).await {
            Ok(message) => {
                let said = message.replace('\n', "; ");
                tracing::info!(entry = id, said, "undone");
                Answer::done(message)
            }
            Err(refusal) => match refusal.hint {
                Some(hint) => Answer::refused(refusal.message).hint(hint),
                None => Answer::refused(refusal.message),
            },
        }
    }

    fn status(&self) -> Answer {
        let now = self.now();
        let mut lines = vec![format!("{} targets", self.loaded.wanted.len())];
        if !self.leads {
            lines.push(self.stands_by().0);
        }
        for pause in self.daemon.mind.pauses(now) {
            let what = pause.target.unwrap_or_else(|| "everything".to_owned());
            let until = pause.until.map_or(String::new(), |it| format!(" until {it}"));
            lines.push(format!("paused: {what}{until} ({})", pause.reason));
        }
        for Offer { digest, .. } in self.daemon.mind.offers(now) {
            lines.push(format!("held until somebody says yes: permitd approve {digest}"));
        }
        Answer::done(lines.join("\n"))
    }
}

fn plural(n: usize, what: &str) -> String {
    if n == 1 { what.to_owned() } else { format!("{what}s") }
}
