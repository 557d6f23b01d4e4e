//! The election as a state machine without IO: what happened and what time it is go in, what to do next comes out.
//!
//! ```text
//!             looks every 2 s                    renews every 2 s
//!   standby ------------------> free, or not    leader -------------> 409: look again
//!      ^                        changed for 15 s  ^  |
//!      |                              | replace   |  | somebody else holds it, or no renewal
//!      |                              +-----------+  | was answered until the term ended
//!      +---------------------------------------------+
//! ```

use std::time::Duration;

use jiff::Timestamp;

/// Time since this process began, on a clock that only goes forward.
pub type Moment = Duration;

/// So long after a record was last seen to change, whoever holds it does not lead any more.
pub const LEASE: Duration = Duration::from_secs(15);
/// The end of it is nobody's: two clocks never go at quite the same speed.
pub const MARGIN: Duration = Duration::from_millis(500);
/// How often a leader renews, and how often a standby looks.
pub const RETRY: Duration = Duration::from_secs(2);
/// After a renewal that failed; several fit into a term.
const AGAIN: Duration = Duration::from_millis(500);
/// How long an answer of the API server is waited for.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// How long it is tried to give the lease back; whoever wants it has not to wait much longer than for a dead one.
const RELEASE: Duration = Duration::from_secs(5);

/// What time it is.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// On our own monotonic clock: everything is decided by this.
    pub at: Moment,
    /// On the wall clock: only written into the record, for people.
    pub wall: Timestamp,
    /// From 0 to 1, drawn anew each time: standbys that begin together do not look together for ever.
    pub dice: f64,
}

/// What a Lease says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Who holds it; empty where it was released.
    pub holder: String,
    /// For how long after each renewal, as its holder wrote it.
    pub seconds: i32,
    /// Since when.
    pub acquired: Option<Timestamp>,
    /// When it was last renewed.
    pub renewed: Option<Timestamp>,
    /// How often its holder changed.
    pub transitions: i32,
    /// Its `resourceVersion`: another one means that somebody wrote.
    pub version: String,
}

/// A request to the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Read it.
    Get,
    /// Make it.
    Create(Record),
    /// Write it, if it still has this version.
    Replace(Record),
}

/// What the API server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This is what it says now: read, or written.
    Is(Record),
    /// There is none.
    Missing,
    /// 409: somebody else has written.
    Conflict,
    /// Anything else, or no answer: whether it was done is not known.
    Failed(String),
}

/// What happens to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What was waited for is due; also the first of all.
    Due,
    /// A request was answered.
    Answered(Answer),
    /// The process ends, and nothing is written any more.
    Stop,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask this, and wait so long for the answer.
    Ask(Call, Duration),
    /// Nothing until then.
    Wait(Moment),
    /// It is over.
    Done,
}

/// One replica's part in it.
#[derive(Debug)]
pub struct Election {
    identity: String,
    /// We lead until then.
    term: Option<Moment>,
    seen: Option<Seen>,
    /// The request that is under way, or was the last.
    asked: Asked,
    /// What is known is not to be acted on before it was read again.
    stale: bool,
    /// A write of ours may have been done.
    doubt: bool,
    next: Moment,
    /// Until when it is tried to give it back.
    releasing: Option<Moment>,
    trouble: Option<String>,
}

/// What was read last, and when that was seen to be new.
#[derive(Debug)]
struct Seen {
    record: Record,
    at: Moment,
}

#[derive(Debug)]
struct Asked {
    /// Right before it was sent.
    at: Moment,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Get,
    Create,
    Replace,
}

impl Election {
    /// Nobody leads yet. The identity is of this process alone.
    pub fn new(identity: String) -> Self {
        Self {
            identity,
            term: None,
            seen: None,
            asked: Asked { at: Moment::ZERO, what: What::Get },
            stale: true,
            doubt: false,
            next: Moment::ZERO,
            releasing: None,
            trouble: None,
        }
    }

    /// Until when we lead, if we do.
    pub fn term(&self) -> Option<Moment> {
        self.term
    }

    /// Who holds it, as far as is known.
    pub fn holder(&self) -> Option<&str> {
        self.seen.as_ref().map(|it| it.record.holder.as_str()).filter(|it| !it.is_empty())
    }

    /// Why the last request failed, if it did.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What happened, and so what is to be done.
    pub fn next(&mut self, event: Event, now: Now) -> Action {
        self.lapse(now);
        match event {
            Event::Due => {}
            Event::Stop => self.releasing = Some(now.at + RELEASE),
            Event::Answered(answer) => self.learn(answer, now),
        }
        self.lapse(now);
        match self.releasing {
            Some(until) => self.release(until, now),
            None if now.at < self.next => Action::Wait(self.wake()),
            None => self.act(now),
        }
    }

    /// What is over is over, also where the answer that prolongs it comes too late.
    fn lapse(&mut self, now: Now) {
        if self.releasing.is_some() || self.term.is_some_and(|it| it <= now.at) {
            self.term = None;
        }
    }

    fn learn(&mut self, answer: Answer, now: Now) {
        let wrote = self.asked.what != What::Get;
        self.trouble = None;
        self.next = now.at;
        match answer {
            Answer::Is(record) => {
                let ours = record.holder == self.identity;
                // Only what we have written ourselves, and just now, says that we lead: what is read may be old.
                if ours && wrote {
                    self.term = Some(self.asked.at + LEASE.saturating_sub(MARGIN));
                    self.next = (self.asked.at + RETRY).max(now.at);
                } else if !ours {
                    self.term = None;
                }
                let same = |it: &Seen| it.record.version == record.version;
                if !self.seen.as_ref().is_some_and(same) {
                    self.seen = Some(Seen { record, at: now.at });
                }
                (self.stale, self.doubt) = (false, false);
            }
            Answer::Missing if self.asked.what == What::Create => {
                self.trouble = Some("it cannot be made: there is no such namespace".to_owned());
                self.pause(now);
            }
            // Its holder may not know that yet: when it was last seen counts as before.
            Answer::Missing => {
                (self.stale, self.doubt) = (false, false);
                if let Some(it) = &mut self.seen {
                    it.record.version.clear();
                }
            }
            Answer::Conflict => {
                self.stale = true;
                self.next = now.at + AGAIN.mul_f64(now.dice);
            }
            Answer::Failed(why) => {
                // A renewal is tried again as it is: had it been done, that is a conflict, and then it is read.
                self.stale |= self.term.is_none();
                self.doubt |= wrote;
                self.trouble = Some(why);
                self.pause(now);
            }
        }
    }

    fn pause(&mut self, now: Now) {
        self.next = now.at + if self.term.is_some() { AGAIN } else { look_again(now) };
    }

    /// Before what is next there may only be the end of our term.
    fn wake(&self) -> Moment {
        self.term.map_or(self.next, |it| it.min(self.next))
    }

    fn act(&mut self, now: Now) -> Action {
        if self.stale {
            return self.ask(What::Get, Call::Get, now);
        }
        // None was ever seen.
        let Some(Seen { record, at }) = &self.seen else {
            return self.ask(What::Create, Call::Create(self.mine(None, now)), now);
        };
        let ours = record.holder == self.identity;
        let written = Duration::from_secs(u64::try_from(record.seconds).unwrap_or_default());
        let lapses = *at + LEASE.max(written);
        if ours || record.holder.is_empty() || lapses <= now.at {
            let mine = self.mine(Some(record), now);
            return if mine.version.is_empty() {
                self.ask(What::Create, Call::Create(mine), now)
            } else {
                self.ask(What::Replace, Call::Replace(mine), now)
            };
        }
        self.stale = true;
        self.next = (now.at + look_again(now)).min(lapses);
        Action::Wait(self.next)
    }

    fn ask(&mut self, what: What, call: Call, now: Now) -> Action {
        self.asked = Asked { at: now.at, what };
        // Whoever leads, or gives it back, has no longer than that.
        let end = self.term.or(self.releasing);
        let left = end.map_or(PATIENCE, |it| it.saturating_sub(now.at));
        Action::Ask(call, left.min(PATIENCE))
    }

    /// The record as it is when it is ours.
    fn mine(&self, before: Option<&Record>, now: Now) -> Record {
        let ours = before.is_some_and(|it| it.holder == self.identity);
        Record {
            holder: self.identity.clone(),
            seconds: i32::try_from(LEASE.as_secs()).unwrap_or(i32::MAX),
            acquired: before.filter(|_| ours).and_then(|it| it.acquired).or(Some(now.wall)),
            renewed: Some(now.wall),
            transitions: before.map_or(0, |it| it.transitions.saturating_add(i32::from(!ours))),
            version: before.map_or_else(String::new, |it| it.version.clone()),
        }
    }

    /// Gives it back, where it is ours or may be: the next one need not wait.
    fn release(&mut self, until: Moment, now: Now) -> Action {
        let ours = self.seen.as_ref().map(|it| &it.record).filter(|it| it.holder == self.identity);
        match ours {
            _ if until <= now.at => Action::Done,
            Some(record) if !self.stale && !self.doubt && !record.version.is_empty() => {
                let released = Record {
                    holder: String::new(),
                    seconds: 1,
                    acquired: Some(now.wall),
                    renewed: Some(now.wall),
                    ..record.clone()
                };
                self.ask(What::Replace, Call::Replace(released), now)
            }
            Some(record) if record.version.is_empty() => Action::Done,
            Some(_) => self.ask(What::Get, Call::Get, now),
            None if self.doubt => self.ask(What::Get, Call::Get, now),
            None => Action::Done,
        }
    }
}

fn look_again(now: Now) -> Duration {
    RETRY.mul_f64(1.0 + now.dice / 4.0)
}

#[cfg(test)]
mod tests;
