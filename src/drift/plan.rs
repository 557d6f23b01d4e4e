//! Drift becomes ordered steps, each with its effect on access, and holds for what may not be done.
//!
//! The order, and why:
//!
//! 1. Owned statements with a deleted principal that are to go: while one stands, Lambda refuses every addition.
//! 2. Additions that fit: widening before narrowing, so that nobody is locked out on the way to the new policy.
//! 3. Replacements. Lambda has no update, so the statement is removed and added; in between is a gap, and the plan says so.
//!    A replacement that was interrupted comes first of all (its Sid is passed in as `open_gap`).
//! 4. Removals that change nothing (duplicates, renamed, leftovers), then those that narrow.
//! 5. Additions and replacements that fit only after those.

use jiff::Timestamp;

use crate::drift::{
    allow::{Mode, Reason, Rules},
    diff::{Diff, Drift, Kind, diff},
    wanted::Wanted,
};
use crate::policy::{
    document::{Document, USUAL_VERSION},
    grant::Permission,
    size,
    statement::{Class, Statement},
};

/// What is to be done to one target, as data: nothing is left to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The revision of the policy it was made from; none where there is no policy.
    pub revision: Option<String>,
    /// Everything that differs.
    pub drift: Vec<Change>,
    /// In their order.
    pub steps: Vec<Step>,
    /// In no file and not owned: never touched.
    pub foreign: Vec<Statement>,
    /// In no file and exempted by a rule: never touched.
    pub ignored: Vec<Statement>,
    /// The bytes of the policy as read.
    pub size: usize,
    /// The version of the policy language, where it is not the usual one: `${…}` means itself there.
    pub version: Option<String>,
}

/// One difference, and whether something is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The difference.
    pub drift: Drift,
    /// What putting it right does to access.
    pub effect: Effect,
    /// The statement is away for a moment while it is replaced.
    pub gap: bool,
    /// Why nothing is done.
    pub held: Option<Reason>,
}

/// What a step does to access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nobody may do more or less afterwards.
    Neutral,
    /// Somebody may do more afterwards.
    Widens,
    /// Somebody may do less afterwards.
    Narrows,
}

impl Effect {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Widens => "widens",
            Self::Neutral => "neutral",
            Self::Narrows => "narrows",
        }
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which statement.
    pub sid: String,
    /// What to do with it.
    pub action: Action,
    /// What this write does to access.
    pub effect: Effect,
    /// The kind of drift that it puts right.
    pub kind: Kind,
    /// Which entry of [`Plan::drift`] it is for.
    pub change: usize,
}

/// The writes there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// AddPermission.
    Add(Box<Permission>),
    /// RemovePermission.
    Remove,
}

/// What the conversation so far has to say to the next plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// A Sid whose old statement we removed and whose new one is not there yet.
    pub open_gap: Option<String>,
    /// Sids that Lambda refused to write, with its answer.
    pub refused: Vec<(String, String)>,
    /// Sids whose new content was refused in an earlier conversation, after the old one had been taken away
    /// for it: it is not taken away again for nothing.
    pub not_replaceable: Vec<(String, String)>,
    /// Sids that were added in this conversation.
    pub added: Vec<String>,
    /// Lambda's word that we may not add anything here: then nothing is taken away to be replaced, either.
    pub may_not_add: Option<String>,
}

/// Plans from the policy as read. It cannot fail; it can only hold.
pub fn plan(
    wanted: &Wanted,
    live: Option<&Document>,
    rules: &Rules,
    memory: &Memory,
    now: Timestamp,
) -> Plan {
    let Diff { drift, foreign, ignored } = diff(wanted, live, rules, now);
    let mut changes: Vec<Change> = drift.into_iter().map(|it| change(it, live)).collect();
    for change in &mut changes {
        change.held = hold(change, wanted, rules, memory);
    }
    hold_for_orphans(&mut changes, live, &foreign);
    hold_needed_bridges(&mut changes);
    let size = size::of_document(live);
    let steps = order(&mut changes, size, wanted, memory);
    let revision = live.map(|it| it.revision().to_owned());
    let version =
        live.map(|it| it.version().unwrap_or("2008-10-17")).filter(|it| *it != USUAL_VERSION);
    let version = version.map(str::to_owned);
    Plan { revision, drift: changes, steps, foreign, ignored, size, version }
}

impl Plan {
    /// Nothing differs.
    pub fn is_in_sync(&self) -> bool {
        self.drift.is_empty()
    }

    /// Something differs that is not put right.
    pub fn holds(&self) -> impl Iterator<Item = (&Change, &Reason)> {
        self.drift.iter().filter_map(|it| it.held.as_ref().map(|held| (it, held)))
    }
}

impl Change {
    /// It is put right by adding a statement.
    pub fn adds(&self) -> bool {
        self.drift.after.is_some() && self.drift.kind != Kind::Duplicate
    }

    /// It is put right by taking a live statement away.
    pub fn removes(&self) -> bool {
        self.drift.before.is_some()
    }
}

fn change(drift: Drift, live: Option<&Document>) -> Change {
    let denies = drift.before.as_ref().is_some_and(Statement::denies);
    let effect = match drift.kind {
        Kind::Orphaned | Kind::Missing if drift.after.is_some() => Effect::Widens,
        Kind::Leftover if !has_twin(&drift, live) => Effect::Narrows,
        Kind::Missing | Kind::Orphaned | Kind::Renamed | Kind::Duplicate | Kind::Leftover => {
            Effect::Neutral
        }
        Kind::Changed | Kind::Unmanaged | Kind::Absent | Kind::Expired if denies => Effect::Widens,
        Kind::Changed | Kind::Unmanaged | Kind::Absent | Kind::Expired => Effect::Narrows,
    };
    let gap = matches!(drift.kind, Kind::Changed) && !denies;
    Change { drift, effect, gap, held: None }
}

/// A bridge may go unnoticed once the statement it stood in for is there.
fn has_twin(drift: &Drift, live: Option<&Document>) -> bool {
    let Some(before) = &drift.before else { return false };
    let Some(permission) = before.permission() else { return false };
    live.is_some_and(|it| {
        it.statements().iter().any(|it| it.sid() != before.sid() && it.says(permission))
    })
}

/// The reasons that one change has by itself.
fn hold(change: &Change, wanted: &Wanted, rules: &Rules, memory: &Memory) -> Option<Reason> {
    let Change { drift, effect, gap: _, held: _ } = change;
    let of_sid = |(sid, _): &&(String, String)| Some(sid) == drift.sid.as_ref();
    let refused = memory.refused.iter().find(of_sid).or_else(|| {
        let replaced = drift.kind == Kind::Changed;
        memory.not_replaceable.iter().find(of_sid).filter(|_| replaced)
    });
    let class = drift.before.as_ref().map(Statement::class);
    let needs_asking = !rules.remove_inexpressible;
    match (class, rules.mode) {
        _ if wanted.suspend => Some(Reason::Suspended),
        _ if drift.ambiguous => Some(Reason::AmbiguousSid),
        (Some(Class::Fixed(odd)), _) => Some(Reason::Fixed(odd.why)),
        (Some(Class::Inexpressible(odd)), _) if needs_asking => {
            Some(Reason::Inexpressible(odd.why))
        }
        _ if drift.kind == Kind::Orphaned => Some(Reason::OrphanUnconfirmed),
        (_, Mode::Additive) if *effect == Effect::Narrows => Some(Reason::Additive),
        _ => {
            let replaces = drift.kind == Kind::Changed;
            let answer = refused.map(|(_, answer)| answer);
            let answer = answer.or(memory.may_not_add.as_ref().filter(|_| replaces));
            let added = memory.added.iter().filter(|it| Some(*it) == drift.sid.as_ref()).count();
            match answer {
                Some(answer) => Some(Reason::Refused(answer.clone())),
                None => (replaces && added > 1).then_some(Reason::Contended),
            }
        }
    }
}

/// Nothing can be added while a statement with a deleted principal stands that does not go in this plan.
fn hold_for_orphans(changes: &mut [Change], live: Option<&Document>, foreign: &[Statement]) {
    let goes = |it: &Statement| {
        let same = |change: &&Change| change.drift.before.as_ref() == Some(it);
        changes.iter().find(same).is_some_and(|it| it.held.is_none() && !it.adds())
    };
    let statements = live.map_or(&[][..], Document::statements);
    let Some(orphan) = statements.iter().find(|it| it.blocks_adding() && !goes(it)) else { return };
    let reason = Reason::BlockedByOrphan {
        orphan: orphan.sid().unwrap_or("a statement without a Sid").to_owned(),
        foreign: foreign.contains(orphan),
    };
    for change in changes {
        if change.held.is_none() && change.adds() {
            change.held = Some(reason.clone());
        }
    }
}

/// A bridge stays as long as the statement it stands in for cannot be made.
fn hold_needed_bridges(changes: &mut [Change]) {
    let stuck: Vec<Option<String>> = changes
        .iter()
        .filter(|it| it.held.is_some() && it.adds())
        .map(|it| it.drift.sid.clone())
        .collect();
    for change in changes {
        let needed = change.drift.kind == Kind::Leftover && stuck.contains(&change.drift.other);
        if change.held.is_none() && needed {
            change.held = Some(Reason::StillNeeded);
        }
    }
}

fn order(changes: &mut [Change], size: usize, wanted: &Wanted, memory: &Memory) -> Vec<Step> {
    let cost = |it: &Change| match &it.drift.after {
        Some(grant) if it.adds() => {
            size::of_statement(&grant.permission.statement_text(&grant.sid, &wanted.target))
        }
        _ => 0,
    };
    let freed =
        |it: &Change| it.drift.before.as_ref().map_or(0, |it| size::of_statement(it.text()));
    let mut ranked: Vec<(u8, usize)> = Vec::new();
    let mut now = size;
    let open = |it: &Change| it.drift.sid.is_some() && it.drift.sid == memory.open_gap;
    // What is added before anything is removed has to fit beside it.
    let additions: Vec<usize> = allowed(changes, |it| it.adds() && it.drift.kind != Kind::Changed);
    let (first, rest): (Vec<usize>, Vec<usize>) =
        additions.into_iter().partition(|&at| changes.get(at).is_some_and(open));
    let mut late = Vec::new();
    for at in first.into_iter().chain(rest) {
        let Some(change) = changes.get(at) else { continue };
        let grown = size::with(now, cost(change));
        if open(change) {
            now = grown;
            ranked.push((0, at));
        } else if grown <= size::LIMIT {
            now = grown;
            ranked.push((2, at));
        } else {
            late.push(at);
        }
    }
    for at in allowed(changes, |it| it.removes() && !(it.adds() && it.drift.kind == Kind::Renamed))
    {
        let Some(change) = changes.get_mut(at) else { continue };
        let left = now.saturating_sub(freed(change));
        let grown = if change.adds() { size::with(left, cost(change)) } else { left };
        if change.adds() && grown > size::LIMIT {
            late.push(at);
            continue;
        }
        now = grown;
        let blocks = change.drift.before.as_ref().is_some_and(Statement::blocks_adding);
        ranked.push(match change.effect {
            _ if change.adds() => (3, at),
            _ if blocks => (1, at),
            Effect::Neutral => (4, at),
            Effect::Widens | Effect::Narrows => (5, at),
        });
    }
    for at in late {
        let Some(change) = changes.get_mut(at) else { continue };
        let replaced = if change.drift.kind == Kind::Changed { freed(change) } else { 0 };
        let grown = size::with(now.saturating_sub(replaced), cost(change));
        if grown <= size::LIMIT {
            now = grown;
            ranked.push((6, at));
        } else {
            change.held = Some(Reason::TooLarge { size: grown });
        }
    }
    // A renamed statement goes once its new Sid is there, which the plan after the addition finds.
    ranked.sort_unstable();
    ranked.into_iter().flat_map(|(_, at)| steps(changes, at)).collect()
}

fn allowed(changes: &[Change], it: impl Fn(&Change) -> bool) -> Vec<usize> {
    let mut res = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        if change.held.is_none() && it(change) {
            res.push(at);
        }
    }
    res
}

fn steps(changes: &[Change], at: usize) -> Vec<Step> {
    let Some(Change { drift, effect, .. }) = changes.get(at) else { return Vec::new() };
    let add = drift.after.as_ref().filter(|_| drift.kind != Kind::Duplicate).map(|grant| Step {
        sid: grant.sid.clone(),
        action: Action::Add(Box::new(grant.permission.clone())),
        effect: if *effect == Effect::Neutral { Effect::Neutral } else { Effect::Widens },
        kind: drift.kind,
        change: at,
    });
    let gone = drift.before.as_ref().and_then(Statement::sid).map(|sid| Step {
        sid: sid.to_owned(),
        action: Action::Remove,
        effect: *effect,
        kind: drift.kind,
        change: at,
    });
    if drift.kind == Kind::Renamed {
        add.into_iter().chain(gone).collect()
    } else {
        gone.into_iter().chain(add).collect()
    }
}
