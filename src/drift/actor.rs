//! Who changed a policy, as an event told it, and which of them made a difference that is there now.
//!
//! It explains, and decides nothing: a plan is the same without it.

use std::{collections::VecDeque, sync::Arc};

use jiff::{SignedDuration, Timestamp};

/// So many are kept for each target.
const MOST: usize = 16;
/// So long they are kept.
const LATELY: SignedDuration = SignedDuration::from_hours(1);
/// CloudTrail's times are whole seconds, clocks differ, and reads are eventually consistent: an event that is
/// younger than this may tell of what the last read did not show yet.
const SLACK: SignedDuration = SignedDuration::from_secs(30);

/// Somebody who changed a policy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Actor {
    /// Who: an IAM ARN, or the service that did it.
    pub arn: String,
    /// The role of an assumed role.
    pub role_arn: Option<String>,
    /// Where from: an IP address, or a service.
    pub source_address: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
    /// When, as CloudTrail has it.
    pub time: Timestamp,
    /// Which call: `AddPermission20150331v2`.
    pub event: String,
    /// The id that AWS gave that call.
    pub request_id: Option<String>,
    /// The statement that the call named.
    pub sid: Option<String>,
}

impl Actor {
    /// `arn:aws:sts::123456789012:assumed-role/Admin/eve from 192.0.2.7`, for people.
    pub fn in_words(&self) -> String {
        match &self.source_address {
            Some(from) => format!("{} from {from}", self.arn),
            None => self.arn.clone(),
        }
    }
}

/// Who changed one policy within the hour, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actors(VecDeque<Known>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    actor: Arc<Actor>,
    /// What it did is not there any more.
    is_past: bool,
}

impl Actors {
    /// An event has told of one. Where it `is_past`, what it did was put right before the event came.
    pub fn note(&mut self, actor: Actor, is_past: bool, now: Timestamp) {
        self.forget(now);
        self.0.push_back(Known { actor: Arc::new(actor), is_past });
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Those of more than an hour ago are nobody's business.
    pub fn forget(&mut self, now: Timestamp) {
        self.0.retain(|it| now.duration_since(it.actor.time) < LATELY);
    }

    /// A read has told what differs, by Sid, and what was written: who did anything else did not make that.
    pub fn saw(&mut self, differs: &[&str], written: &[&str], now: Timestamp) {
        for it in &mut self.0 {
            let young = now.duration_since(it.actor.time) < SLACK;
            let is_past = match it.actor.sid.as_deref() {
                Some(sid) => written.contains(&sid) || (!young && !differs.contains(&sid)),
                None => differs.is_empty() && (!young || !written.is_empty()),
            };
            it.is_past |= is_past;
        }
    }

    /// Who made a difference that is about one of these Sids: the last one to name one of them, else the last one
    /// who named none.
    pub fn of(&self, sids: &[&str]) -> Option<&Arc<Actor>> {
        let named = |it: &Known| it.actor.sid.as_deref().is_some_and(|it| sids.contains(&it));
        let present = || self.0.iter().rev().filter(|it| !it.is_past);
        let by_name = present().find(|it| named(it));
        by_name.or_else(|| present().find(|it| it.actor.sid.is_none())).map(|it| &it.actor)
    }

    /// Who changed one of these Sids last, whatever became of it.
    pub fn last_of(&self, sids: &[&str]) -> Option<&Arc<Actor>> {
        let named = |it: &Known| it.actor.sid.as_deref().is_none_or(|it| sids.contains(&it));
        self.0.iter().rev().find(|it| named(it)).map(|it| &it.actor)
    }

    /// Nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Actor>> {
        self.0.iter().map(|it| &it.actor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).unwrap()
    }

    fn actor(name: &str, sid: Option<&str>, second: i64) -> Actor {
        Actor {
            arn: name.to_owned(),
            role_arn: None,
            source_address: Some("192.0.2.7".into()),
            user_agent: None,
            time: at(second),
            event: "RemovePermission20150331v2".into(),
            request_id: None,
            sid: sid.map(str::to_owned),
        }
    }

    fn who(actors: &Actors, sid: &str) -> Option<String> {
        actors.of(&[sid]).map(|it| it.arn.clone())
    }

    #[test]
    fn the_last_one_to_name_a_sid_did_it_and_else_who_named_none() {
        let mut actors = Actors::default();
        actors.note(actor("put", None, 1), false, at(1));
        actors.note(actor("old", Some("a"), 2), false, at(2));
        actors.note(actor("new", Some("a"), 3), false, at(3));
        actors.note(actor("late", Some("b"), 0), true, at(4));
        assert_eq!(who(&actors, "a").as_deref(), Some("new"));
        assert_eq!(who(&actors, "b").as_deref(), Some("put"), "what was late is explained");
        assert_eq!(actors.last_of(&["b"]).unwrap().arn, "late");
    }

    #[test]
    fn who_was_answered_is_not_blamed_for_the_next_difference() {
        let mut actors = Actors::default();
        actors.note(actor("eve", Some("a"), 0), false, at(1));
        actors.saw(&["a"], &[], at(2));
        assert_eq!(who(&actors, "a").as_deref(), Some("eve"), "it is held, and stays explained");
        actors.saw(&[], &["a"], at(3));
        assert_eq!(who(&actors, "a"), None);
        assert_eq!(actors.last_of(&["a"]).unwrap().arn, "eve", "a fight is with eve");
    }

    #[test]
    fn a_read_that_does_not_show_it_yet_explains_nothing_away() {
        let mut actors = Actors::default();
        actors.note(actor("eve", Some("a"), 0), false, at(1));
        actors.note(actor("put", None, 0), false, at(1));
        actors.saw(&[], &[], at(29));
        assert_eq!(who(&actors, "a").as_deref(), Some("eve"));
        actors.saw(&[], &[], at(30));
        assert_eq!(who(&actors, "a"), None);
    }

    #[test]
    fn sixteen_are_kept_for_an_hour() {
        let mut actors = Actors::default();
        for n in 0..40 {
            actors.note(actor("eve", Some("a"), n), false, at(n));
        }
        assert_eq!(actors.iter().count(), MOST);
        actors.forget(at(3600 + 30));
        assert_eq!(actors.iter().count(), 9);
        actors.forget(at(8000));
        assert!(actors.is_empty());
    }
}
