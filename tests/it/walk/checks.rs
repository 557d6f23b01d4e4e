//! What must hold in every state and at every write (section 5 of the design, as far as one policy shows it).

use super::{
    carry::{self, Bug},
    lambda::{At, Policy, Reply, Sent, Version, What, apply},
    talk::{Ask, FRESH, Heard, Id, Talk},
    worlds::World,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Violation {
    /// A write does not carry the revision of the read that it was planned from.
    Unguarded(Sent),
    /// A write was sent after a lost answer, and no read between them.
    Repeated(Sent),
    /// A statement that is not ours was written.
    Foreign(Sent),
    /// What was removed is not in the journal as it was.
    NotJournalled(Sent),
    /// What is wanted before and after stood nowhere for a moment.
    Interrupted(At),
    /// The old statement of a changed Sid was removed, and the new content stood nowhere.
    NoBridge(Sent),
    /// It was said that all is as it should be, and it is not.
    NotInSync(Policy),
    /// A conversation without trouble from here does not end with what is wanted.
    NotSettled { from: Policy, ends: Policy },
    /// One more conversation after that still writes.
    Restless { from: Policy },
    /// Nobody else wrote, both are through, and the policy is not what is wanted.
    LeftUndone(Policy),
    /// A state leads back to itself, so nothing ends.
    Endless,
}

/// Of what is sent, done or not.
pub(super) fn sent(bug: Option<Bug>, sent: &Sent, unsure: bool) -> Result<(), Violation> {
    let first = sent.revision.is_none() && sent.what != What::Remove;
    let guarded = sent.revision == sent.planned_from && (sent.revision.is_some() || first);
    if !guarded && bug != Some(Bug::DropsTheGuardUnseen) {
        return Err(Violation::Unguarded(*sent));
    }
    if unsure { Err(Violation::Repeated(*sent)) } else { Ok(()) }
}

/// Of what Lambda did for us.
pub(super) fn done(world: &World, before: Policy, sent: &Sent) -> Result<(), Violation> {
    if !world.owns(sent.sid) {
        return Err(Violation::Foreign(*sent));
    }
    let (What::Remove, Some(old)) = (sent.what, before.under(sent.sid)) else { return Ok(()) };
    if sent.journal != Some(old) {
        return Err(Violation::NotJournalled(*sent));
    }
    if world.is_direct() {
        return Ok(());
    }
    if world.grants.iter().any(|it| it.1 == old) && !before.without(sent.sid).says(old) {
        return Err(Violation::Interrupted(old));
    }
    let grant = world.grants.iter().find(|it| it.0 == sent.sid);
    match grant {
        Some((_, new)) if !before.says(*new) => Err(Violation::NoBridge(*sent)),
        Some(_) | None => Ok(()),
    }
}

/// Of what an instance makes of a read.
pub(super) fn read(world: &World, seen: Policy, now: &Ask) -> Result<(), Violation> {
    match now {
        Ask::Done { in_sync: true } if !world.is_right(seen) => Err(Violation::NotInSync(seen)),
        Ask::Done { .. } | Ask::Read | Ask::Write(..) => Ok(()),
    }
}

/// Of any policy: if all stops here, one conversation that knows nothing makes it what is wanted, leaves
/// alone what is not ours, and the next one finds nothing to do.
pub(super) fn settles(
    bug: Option<Bug>,
    world: &World,
    talk: &mut Talk<'_>,
    from: Policy,
) -> Result<(), Violation> {
    let live = Version { policy: from, revision: 0 };
    let (end, _) = alone(bug, world, talk, live)?;
    let is_as_before = world.foreign(from) == world.foreign(end.policy);
    if !world.is_right(end.policy) || !is_as_before {
        return Err(Violation::NotSettled { from, ends: end.policy });
    }
    let (again, last) = alone(bug, world, talk, end)?;
    let quiet = again == end && matches!(talk.ask(last), Ask::Done { in_sync: true });
    if quiet { Ok(()) } else { Err(Violation::Restless { from }) }
}

fn alone(
    bug: Option<Bug>,
    world: &World,
    talk: &mut Talk<'_>,
    mut live: Version,
) -> Result<(Version, Id), Violation> {
    let mut id = FRESH;
    for _ in 0..200 {
        let heard = match talk.ask(id).clone() {
            Ask::Done { .. } => return Ok((live, id)),
            Ask::Read => Heard::Policy(live.policy, live.shown()),
            Ask::Write(write, replaces) => {
                match carry::leaves(bug, world, live.policy, (write, replaces)) {
                    None => Heard::Reply(Reply::Done),
                    Some(write) => {
                        sent(bug, &write, false)?;
                        let (then, reply) = apply(&live, &write);
                        if reply == Reply::Done {
                            done(world, live.policy, &write)?;
                        }
                        live = then;
                        Heard::Reply(reply)
                    }
                }
            }
        };
        id = talk.hear(id, heard);
    }
    Err(Violation::Endless)
}
