//! What a write becomes on its way to Lambda: nothing else, or one of the bugs that were put in on purpose.

use permitd::drift::bridge;

use super::lambda::{At, Policy, Sent, What};
use super::worlds::World;

/// What every run of the walk has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    /// Lambda is not told the revision.
    DropsTheGuard,
    /// The same, and no check asks for the revision: only the damage tells.
    DropsTheGuardUnseen,
    /// The old statement goes where its bridge should have come.
    RemovesBeforeTheBridge,
    /// The journal hears of a removal with its answer.
    JournalsAfter,
    /// After a lost answer the same request goes out again.
    RepeatsWhatMayBeDone,
    /// Everything in the policy is taken for ours.
    OwnsEverything,
    /// The removal of a bridge is said to be done, and is not.
    LeavesTheBridge,
}

/// What leaves. None is never sent, and said to be done.
pub(super) fn leaves(
    bug: Option<Bug>,
    world: &World,
    live: Policy,
    (sent, replaces): (Sent, Option<At>),
) -> Option<Sent> {
    match (bug, sent.what) {
        (Some(Bug::DropsTheGuard | Bug::DropsTheGuardUnseen), _) => {
            Some(Sent { revision: None, ..sent })
        }
        (Some(Bug::JournalsAfter), _) => Some(Sent { journal: None, ..sent }),
        (Some(Bug::RemovesBeforeTheBridge), What::Add(_)) => {
            let Some(old) = replaces.filter(|it| *it != sent.sid) else { return Some(sent) };
            let journal = live.under(old);
            Some(Sent { sid: old, what: What::Remove, journal, ..sent })
        }
        (Some(Bug::LeavesTheBridge), What::Remove) if bridge::is_reserved(world.sid(sent.sid)) => {
            None
        }
        _ => Some(sent),
    }
}
