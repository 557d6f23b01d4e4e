//! Lambda's rules about one policy, as few as the walk needs. They share nothing with the simulator.

use std::fmt;

/// A Sid or a content, by its place in its world's table.
pub(super) type At = u8;

/// The most statements at once: three, their bridges, and what another writer adds.
const ROOM: usize = 8;
const EMPTY: u8 = 0xff;

/// The statements of a policy in Lambda's order, each a Sid and a content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Policy([u8; ROOM]);

impl Policy {
    pub(super) fn of(statements: impl IntoIterator<Item = (At, At)>) -> Self {
        let mut res = [EMPTY; ROOM];
        for (n, (sid, content)) in statements.into_iter().enumerate() {
            assert!(sid < 15 && content < 16, "the world is too large");
            res[n] = sid << 4 | content;
        }
        Self(res)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (At, At)> {
        self.0.into_iter().filter(|it| *it != EMPTY).map(|it| (it >> 4, it & 15))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0[0] == EMPTY
    }

    pub(super) fn under(self, sid: At) -> Option<At> {
        self.iter().find(|it| it.0 == sid).map(|it| it.1)
    }

    pub(super) fn says(self, content: At) -> bool {
        self.iter().any(|it| it.1 == content)
    }

    pub(super) fn with(self, sid: At, content: At) -> Self {
        Self::of(self.iter().chain([(sid, content)]))
    }

    pub(super) fn without(self, sid: At) -> Self {
        Self::of(self.iter().filter(|it| it.0 != sid))
    }
}

/// A policy and its revision; the revision goes on counting while there is no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) policy: Policy,
    pub(super) revision: u8,
}

impl Version {
    /// The revision that a read gives.
    pub(super) fn shown(&self) -> Option<u8> {
        (!self.policy.is_empty()).then_some(self.revision)
    }

    /// What stands after a write of anybody's.
    pub(super) fn then(&self, policy: Policy) -> Self {
        Self { policy, revision: self.revision + 1 }
    }
}

/// One write on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sent {
    pub(super) sid: At,
    pub(super) what: What,
    /// What Lambda is told to expect.
    pub(super) revision: Option<u8>,
    /// The read that it was planned from; none where that read gave no policy.
    pub(super) planned_from: Option<u8>,
    /// The content that the journal has as the one to be removed.
    pub(super) journal: Option<At>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Add(At),
    Remove,
}

/// Lambda's answer to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reply {
    Done,
    /// 409: there is such a Sid.
    Taken,
    /// 412.
    Stale,
    /// 404.
    Gone,
}

/// What a write does.
pub(super) fn apply(live: &Version, sent: &Sent) -> (Version, Reply) {
    let policy = live.policy;
    let guarded = sent.revision.is_none() || sent.revision == live.shown();
    let there = policy.under(sent.sid).is_some();
    match sent.what {
        What::Remove if !there => (*live, Reply::Gone),
        What::Add(_) if there => (*live, Reply::Taken),
        What::Add(_) | What::Remove if !guarded => (*live, Reply::Stale),
        What::Add(content) => (live.then(policy.with(sent.sid, content)), Reply::Done),
        What::Remove => (live.then(policy.without(sent.sid)), Reply::Done),
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
