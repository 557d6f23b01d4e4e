//! Bodies that are expensive to make, for many who ask.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Response, StatusCode, header, request::Parts},
};
use tokio::time::Instant;

use crate::observe::http::with_type;

/// What is expensive to make is made at most so often.
const FRESH: Duration = Duration::from_secs(1);
/// While so many bodies that were replaced are still being sent, no other one is made: who takes an answer slowly,
/// again and again, would make us keep one for each. `/status` of many targets has some megabytes.
const BEING_SENT: usize = 4;

/// One that is made at most once in [`FRESH`], shared by all who ask, and not sent to who has it.
#[derive(Debug, Default)]
pub(crate) struct Cached(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    made: Option<Made>,
    replaced: Vec<Bytes>,
}

/// A body and its name.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    at: Instant,
    body: Bytes,
    tag: String,
}

impl Made {
    /// Made now.
    pub(crate) fn new(body: Vec<u8>, tag: String) -> Self {
        Self { at: Instant::now(), body: Bytes::from(body), tag }
    }

    /// The answer to who asks for it.
    pub(crate) fn answer(self, request: &Parts, kind: &'static str) -> Response<Body> {
        let Self { at: _, body, tag } = self;
        let mut res = if has(&request.headers, &tag) {
            with_type(StatusCode::NOT_MODIFIED, kind, Body::empty())
        } else {
            with_type(StatusCode::OK, kind, Body::from(body))
        };
        if let Ok(tag) = header::HeaderValue::from_str(&tag) {
            res.headers_mut().insert(header::ETAG, tag);
        }
        res
    }
}

impl Cached {
    /// What was made, if it is fresh. It never waits.
    pub(crate) fn fresh(&self) -> Option<Made> {
        let slot = match self.0.try_lock() {
            Ok(it) => it,
            Err(TryLockError::Poisoned(it)) => it.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        slot.fresh()
    }

    /// What was made, if it is fresh; else it is made. Who comes meanwhile waits for it instead of making it once
    /// more.
    pub(crate) fn made(&self, make: impl FnOnce() -> Made) -> Made {
        let mut slot: MutexGuard<'_, Slot> = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = slot.fresh() {
            return made;
        }
        slot.replaced.retain(|it| !it.is_unique());
        if let Some(made) = slot.made.clone().filter(|_| slot.replaced.len() >= BEING_SENT) {
            return made;
        }
        let new = make();
        let before = slot.made.replace(new.clone()).map(|it| it.body);
        slot.replaced.extend(before.filter(|it| !it.is_unique()));
        new
    }
}

impl Slot {
    fn fresh(&self) -> Option<Made> {
        self.made.clone().filter(|it| it.at.elapsed() < FRESH)
    }
}

/// Who asks has this content already.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
    tags.flat_map(|it| it.split(',')).any(|it| it.trim() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Made {
        Made::new(text.into(), text.into())
    }

    #[tokio::test(start_paused = true)]
    async fn made_once_a_second() {
        let cached = Cached::default();
        assert!(cached.fresh().is_none());
        assert_eq!(cached.made(|| of("a")).tag, "a");
        tokio::time::advance(FRESH.saturating_sub(Duration::from_millis(1))).await;
        assert_eq!(cached.fresh().map(|it| it.tag).as_deref(), Some("a"));
        assert_eq!(cached.made(|| of("b")).tag, "a");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(cached.fresh().is_none());
        assert_eq!(cached.made(|| of("b")).tag, "b");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_made_than_are_taken() {
        let cached = Cached::default();
        let mut sending = Vec::new();
        for number in 0..20 {
            sending.push(cached.made(|| of(&number.to_string())));
            tokio::time::advance(FRESH).await;
        }
        let tags: Vec<&str> = sending.iter().map(|it| it.tag.as_str()).collect();
        assert_eq!(tags[..6], ["0", "1", "2", "3", "4", "4"], "{tags:?}");
        assert_eq!(tags[19], "4", "{tags:?}");
        sending.remove(0);
        assert_eq!(cached.made(|| of("new")).tag, "new", "one was taken, so there is room for one");
    }
}
