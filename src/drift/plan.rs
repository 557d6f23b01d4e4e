//! Drift becomes ordered steps, each with its effect on access, and holds for what may not be done.

mod settled;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::drift::{
    actor::{Actor, Actors},
    allow::{Reason, Rules},
    approval::Approval,
    bridge,
    diff::{Diff, Drift, Kind, diff, is_live},
    plan::settled::Settled,
    wanted::Wanted,
    whole::{self, Saving, Whole},
};
use crate::policy::{
    document::{Document, USUAL_VERSION},
    grant::{Grant, Permission},
    risk::{self, Risk},
    size,
    statement::Statement,
    target::Target,
    terms::Terms,
};

/// Who has to ask for an extension needs some weeks for it.
pub const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

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
    /// What is risky in the policy as read, by statement; without what its grant accepts.
    pub risks: Vec<(Option<String>, Vec<Risk>)>,
    /// Grants that end within thirty days, and when.
    pub expiring: Vec<(String, Timestamp)>,
    /// The document that all steps are done by at once; none where they are done one by one.
    pub whole: Option<Whole>,
    /// What lists would save, where the policy is nearly full.
    pub saving: Option<Saving>,
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
    /// How a statement is replaced.
    pub how: How,
    /// No limit is asked: a replacement that was begun, a grant that ran out, or one of a rule that is said under
    /// another Sid already.
    pub exempt: bool,
    /// A replacement that was begun: it is finished, whatever was said yes to.
    pub begun: bool,
    /// Why nothing is done.
    pub held: Option<Reason>,
    /// Who made it, where an event told.
    pub by: Option<Arc<Actor>>,
}

/// How a live statement becomes another one. Lambda has no update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is only added, or only removed, or both without anybody missing it.
    Plain,
    /// The new content stands under a temporary Sid while the old statement goes: no gap.
    Bridged,
    /// Removed and added: it is away for a moment.
    Gap,
    /// It becomes the other one in a write of the whole document: no gap, and no bridge.
    Whole,
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
    /// Every effect.
    pub const ALL: [Self; 3] = [Self::Neutral, Self::Widens, Self::Narrows];

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
    /// The Sid that is being replaced, for the steps of a replacement.
    pub replaces: Option<String>,
    /// It waits until the narrowing of the pass was judged.
    pub late: bool,
}

/// The writes there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// AddPermission.
    Add(Box<Permission>),
    /// RemovePermission.
    Remove,
    /// Part of a PutResourcePolicy or DeleteResourcePolicy: what is wanted under the Sid afterwards, if anything is.
    Put(Option<Box<Terms>>),
}

impl Action {
    /// The name in metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Remove => "remove",
            Self::Put(_) => "put",
        }
    }

    /// Nothing is wanted under the Sid afterwards.
    pub fn takes_away(&self) -> bool {
        match self {
            Self::Add(_) | Self::Put(Some(_)) => false,
            Self::Remove | Self::Put(None) => true,
        }
    }
}

/// What was found out and decided so far, for the next plan of a conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// A Sid whose old statement we removed and whose new one is not there yet.
    pub open_gap: Option<String>,
    /// Sids that Lambda refused to write, with its answer.
    pub refused: Vec<(String, String)>,
    /// Sids whose replacement with a gap was refused in an earlier conversation: it is not opened again for
    /// nothing.
    pub not_replaceable: Vec<(String, String)>,
    /// Sids for whose bridge Lambda has no room.
    pub unbridgeable: Vec<String>,
    /// Sids that were added in this conversation.
    pub added: Vec<String>,
    /// Lambda did not take all changes together, so they are put one after the other.
    pub one_by_one: bool,
    /// The texts of statements whose principal is deleted for sure.
    pub confirmed: Vec<String>,
    /// What was decided for this conversation.
    pub decisions: Decisions,
}

impl Memory {
    /// Lambda's answers to what was tried under this Sid.
    pub fn refusals<'a>(&'a self, sid: Option<&'a str>) -> impl Iterator<Item = &'a String> {
        let of_sid = move |(it, _): &&(String, String)| Some(it.as_str()) == sid;
        self.refused.iter().filter(of_sid).map(|(_, answer)| answer)
    }
}

/// What others decided about one target. Each changes the plan, and nothing else does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decisions {
    /// What was judged of a pass together: all narrowing, and what rules for many functions grant.
    pub clearance: Clearance,
    /// Said yes to: it is done beyond every limit.
    pub approved: Vec<Approval>,
    /// If given, nothing else is done.
    pub only: Option<Approval>,
    /// Somebody paused the target; the text says until when or why.
    pub paused: Option<String>,
    /// Its files have changed, and it is not sure yet that they are whole: nothing is taken away.
    pub settling: bool,
    /// Lambda's word that we may not add anything here: then nothing is taken away to be replaced, either.
    pub may_not_add: Option<String>,
    /// Why Lambda takes no whole document from us in this account and region.
    pub may_not_put: Option<String>,
    /// The journal cannot be written: nothing is taken away.
    pub no_journal: Option<String>,
    /// Who changed the policy lately. This one changes no plan, and only explains it.
    pub actors: Actors,
}

impl Decisions {
    /// The yes that this change is covered by, if one is.
    pub fn approval_of(&self, target: &Target, change: &Change) -> Option<&Approval> {
        self.approved.iter().find(|it| it.covers(target, change))
    }
}

/// Whether what the limits are asked about may be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Clearance {
    /// It was not judged yet: it is planned, and waits.
    #[default]
    Pending,
    /// It was judged together with the rest of its pass.
    Judged(Arc<Judgement>),
    /// Nobody judges: somebody asked for exactly this.
    Free,
}

impl Clearance {
    /// The pass that it was judged in; 0 for none.
    pub fn pass(&self) -> u64 {
        match self {
            Self::Judged(judgement) => judgement.pass,
            Self::Pending | Self::Free => 0,
        }
    }
}

/// What came of judging a pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// Which pass, counted by the process.
    pub pass: u64,
    /// What was judged.
    pub seen: Approval,
    /// The limit that all narrowing together is beyond.
    pub beyond: Option<Reason>,
    /// The limit that all that rules for many functions grant is beyond.
    pub rules_beyond: Option<Reason>,
}

/// Plans from the policy as read. It cannot fail; it can only hold.
pub fn plan(
    wanted: &Wanted,
    live: Option<&Document>,
    rules: &Rules,
    memory: &Memory,
    now: Timestamp,
) -> Plan {
    let raw = live;
    let view = raw.and_then(|it| whole::view(wanted, it, now));
    let live = view.as_ref().or(raw);
    let Diff { mut drift, foreign, ignored } = diff(wanted, live, rules, now);
    let scene = Scene { wanted, live, raw, rules, memory, now };
    drift.extend(whole::scattered(&scene, &drift));
    whole::give_up_orphans(&scene, &mut drift);
    whole::leave_lists(&scene, &mut drift);
    let found: Vec<Change> = drift.into_iter().map(|it| scene.change(it)).collect();
    let Settled { changes, steps, whole } = Settled::best(&scene, found, &foreign);
    let saving = whole::saving(&scene, &changes);
    let size = size::of_document(raw);
    let revision = live.map(|it| it.revision().to_owned());
    let version =
        live.map(|it| it.version().unwrap_or("2008-10-17")).filter(|it| *it != USUAL_VERSION);
    let version = version.map(str::to_owned);
    let risks = scene.live_risks();
    let expiring = scene.expiring();
    Plan {
        revision,
        drift: changes,
        steps,
        whole,
        foreign,
        ignored,
        size,
        saving,
        risks,
        expiring,
        version,
    }
}

impl Plan {
    /// Nothing differs.
    pub fn is_in_sync(&self) -> bool {
        self.drift.is_empty()
    }

    /// Nothing differs, and no statement is told of.
    pub fn is_quiet(&self) -> bool {
        let nothing = self.drift.is_empty() && self.steps.is_empty();
        nothing && self.foreign.is_empty() && self.ignored.is_empty()
    }

    /// Something differs that is not put right.
    pub fn holds(&self) -> impl Iterator<Item = (&Change, &Reason)> {
        self.drift.iter().filter_map(|it| it.held.as_ref().map(|held| (it, held)))
    }

    /// What is asked of the limits.
    pub fn judged(&self) -> impl Iterator<Item = &Change> {
        self.drift.iter().filter(|it| it.is_judged() && it.held.is_none())
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

    /// The limits are asked: it narrows, or a rule for many functions widens.
    pub fn is_judged(&self) -> bool {
        let by_rule = self.effect == Effect::Widens && self.drift.rule.is_some();
        (self.effect == Effect::Narrows || by_rule) && !self.exempt
    }
}

/// Every Sid that a difference is about.
pub fn sids_of(drift: &Drift) -> Vec<&str> {
    let live = drift.before.as_ref().and_then(Statement::sid);
    let mut res: Vec<&str> =
        [drift.sid.as_deref(), drift.other.as_deref(), live].into_iter().flatten().collect();
    res.dedup();
    res
}

/// Everything that a plan is made from, at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) wanted: &'a Wanted,
    /// The policy, members of our lists as statements of their own.
    pub(super) live: Option<&'a Document>,
    /// The policy as it was read.
    pub(super) raw: Option<&'a Document>,
    pub(super) rules: &'a Rules,
    pub(super) memory: &'a Memory,
    pub(super) now: Timestamp,
}

impl<'a> Scene<'a> {
    pub(super) fn statements(&self) -> &'a [Statement] {
        self.live.map_or(&[][..], Document::statements)
    }

    /// The live statement under the temporary Sid of a replacement.
    pub(super) fn bridge_of(&self, sid: &str) -> Option<&'a Statement> {
        let bridge = bridge::bridge_sid(&self.wanted.target, sid);
        self.statements().iter().find(|it| it.sid() == Some(bridge.as_str()))
    }

    /// Grants that are wanted now.
    pub(super) fn grants(&self) -> impl Iterator<Item = &'a Grant> {
        let now = self.now;
        self.wanted.grants.iter().filter(move |it| is_live(it, now))
    }

    /// A grant stands under its own Sid.
    pub(super) fn stands(&self, grant: &Grant) -> bool {
        self.statements()
            .iter()
            .any(|it| it.sid() == Some(grant.sid.as_str()) && it.says(&grant.terms))
    }

    fn expiring(&self) -> Vec<(String, Timestamp)> {
        let soon = |it: &Timestamp| it.duration_since(self.now) <= SOON;
        let ends = |it: &Grant| Some((it.sid.clone(), it.expires.filter(soon)?));
        self.grants().filter_map(ends).collect()
    }

    fn live_risks(&self) -> Vec<(Option<String>, Vec<Risk>)> {
        let Some(live) = self.live else { return Vec::new() };
        let accepted = |statement: &Statement, risk: Risk| {
            let grant = self.grants().find(|it| Some(it.sid.as_str()) == statement.sid());
            grant.is_some_and(|it| statement.says(&it.terms) && it.accept.contains(&risk))
        };
        let mut res = Vec::new();
        for (at, mut risks) in risk::of_document(live, &self.wanted.target) {
            let Some(statement) = live.statements().get(at) else { continue };
            risks.retain(|it| !accepted(statement, *it));
            if !risks.is_empty() {
                res.push((statement.sid().map(str::to_owned), risks));
            }
        }
        res
    }

    fn change(&self, drift: Drift) -> Change {
        let denies = drift.before.as_ref().is_some_and(Statement::denies);
        // A Deny that comes takes access away, whatever it replaces.
        let will_deny = drift.after.as_ref().is_some_and(|it| it.terms.denies());
        let effect = match drift.kind {
            Kind::Missing | Kind::Changed | Kind::Orphaned if will_deny => Effect::Narrows,
            Kind::Orphaned | Kind::Missing if drift.after.is_some() => Effect::Widens,
            Kind::Missing | Kind::Orphaned | Kind::Renamed | Kind::Duplicate | Kind::Leftover => {
                Effect::Neutral
            }
            Kind::Changed | Kind::Unmanaged | Kind::Absent | Kind::Expired if denies => {
                Effect::Widens
            }
            Kind::Changed | Kind::Unmanaged | Kind::Absent | Kind::Expired => Effect::Narrows,
        };
        let begun = self.is_begun(&drift);
        // Its bridge lets in already whom it lets in.
        let bridged = begun && drift.sid.as_deref().is_some_and(|it| self.bridge_of(it).is_some());
        let effect = if bridged && drift.kind == Kind::Missing { Effect::Neutral } else { effect };
        let ran_out = drift.kind == Kind::Expired && self.expired_while_loaded(&drift);
        let by = self.memory.decisions.actors.of(&sids_of(&drift)).cloned();
        let exempt = begun || ran_out || self.says_nothing_new(&drift);
        Change { drift, effect, how: How::Plain, exempt, begun, held: None, by }
    }

    /// Its bridge stands, or its old statement is away: only what is under way already is left to do.
    fn is_begun(&self, drift: &Drift) -> bool {
        let Some(sid) = drift.sid.as_deref() else { return false };
        let grant = drift.after.as_ref();
        let bridged = || {
            let bridge = self.bridge_of(sid);
            bridge.zip(grant).is_some_and(|(it, grant)| it.says(&grant.terms))
        };
        let open = || self.memory.open_gap.as_deref() == Some(sid);
        match drift.kind {
            Kind::Changed => bridged(),
            Kind::Missing => bridged() || open(),
            // One whose grant has left the files is nobody's way to anything.
            Kind::Leftover => self.grants().any(|it| Some(&it.sid) == drift.other.as_ref()),
            Kind::Renamed
            | Kind::Duplicate
            | Kind::Unmanaged
            | Kind::Absent
            | Kind::Orphaned
            | Kind::Expired => false,
        }
    }

    /// What a rule grants, and is said already under another Sid: nobody gains anything. So is the second half of
    /// a replacement for which another statement stands in.
    fn says_nothing_new(&self, drift: &Drift) -> bool {
        let grant = drift.after.as_ref().filter(|_| drift.kind == Kind::Missing);
        let by_rule = grant.filter(|it| it.rule.is_some());
        by_rule.is_some_and(|it| self.statements().iter().any(|live| live.says(&it.terms)))
    }

    /// The operator had said when, and had not changed it since.
    fn expired_while_loaded(&self, drift: &Drift) -> bool {
        let of_sid = |it: &&Grant| Some(it.sid.as_str()) == drift.sid.as_deref();
        let grant = self.wanted.grants.iter().find(of_sid);
        grant.and_then(|it| it.expires).is_some_and(|it| it > self.rules.loaded_at)
    }
}

#[cfg(test)]
pub(crate) mod tests;
