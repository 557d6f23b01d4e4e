//! What is known of the process that is watched, and of what it was told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use permitd::drift::{allow::Rules, wanted::Wanted};
use permitd::lambda::gateway::{GatewayError, LivePolicy, Recovery};
use permitd::policy::{document::Document, statement::Statement, target::Target};
use serde_json::Value;

use super::{
    case::{Case, Puts},
    lists,
    world::{Sent, What},
};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What is known of the process that is watched.
pub(crate) struct Book {
    wanted: Vec<Wanted>,
    /// Documents have revisions of their own.
    own_revisions: bool,
    pub(crate) process: u32,
    pub(crate) rules: Rules,
    pub(crate) targets: BTreeMap<Target, Watch>,
    /// Writes in flight, by function.
    pub(crate) in_flight: BTreeMap<String, u32>,
    /// What was taken away and asked of the limits: when, where.
    narrowed: Vec<(Timestamp, Target)>,
    /// What this pass took away: what another writer brings back again and again was judged once.
    taken: BTreeSet<(Target, String)>,
    /// In this pass.
    pub(crate) n_writes: u32,
}

/// What is known of one target.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) last_read: LastRead,
    /// The outcome of a write is unknown, and nothing has been read since.
    pub(crate) must_read: bool,
    /// Revisions that were read, newest last.
    seen: Vec<String>,
    /// Revisions that writes of this process replaced.
    pub(crate) spent: BTreeSet<String>,
    pub(crate) added_at: Option<Timestamp>,
    /// Lambda said that there is no room.
    pub(crate) too_large: bool,
    /// Since when a statement was seen with a deleted principal.
    pub(crate) orphans: BTreeMap<String, Timestamp>,
    /// What was taken away before its successor stood, by Sid.
    pub(crate) gaps: BTreeMap<String, Statement>,
    /// The statements of the first read of this pass.
    pub(crate) first_read: Option<Vec<Statement>>,
    pub(crate) calls: Calls,
    /// What an answer said that the document is, and the revision that it gave with it.
    given: Option<(Vec<Value>, String)>,
}

/// The calls of one pass.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) reads: u32,
    pub(crate) exists: u32,
    pub(crate) writes: u32,
    pub(crate) refused: u32,
    pub(crate) resources: u32,
}

#[derive(Debug, Default)]
pub(crate) enum LastRead {
    #[default]
    Never,
    Failed,
    Nothing,
    Policy(Document),
}

fn statements_of(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).unwrap();
    document["Statement"].as_array().unwrap().clone()
}

impl Watch {
    /// The revision that an answer gave guards the document that it gave it for.
    pub(crate) fn was_given(&self, revision: &str) -> bool {
        let LastRead::Policy(read) = &self.last_read else { return false };
        let given = self.given.as_ref().filter(|(_, it)| it == revision);
        given.is_some_and(|(document, _)| *document == statements_of(read.text()))
    }
}

impl LastRead {
    pub(crate) fn statements(&self) -> &[Statement] {
        match self {
            Self::Policy(it) => it.statements(),
            Self::Never | Self::Failed | Self::Nothing => &[],
        }
    }
}

impl Book {
    pub(crate) fn new(case: &Case) -> Self {
        Self {
            wanted: case.wanted.clone(),
            own_revisions: case.puts == Puts::OwnRevision,
            process: 0,
            rules: case.rules.clone(),
            targets: case.wanted.iter().map(|it| (it.target.clone(), Watch::default())).collect(),
            in_flight: BTreeMap::new(),
            narrowed: Vec::new(),
            taken: BTreeSet::new(),
            n_writes: 0,
        }
    }

    pub(crate) fn restart(&mut self, now: Timestamp) {
        self.process += 1;
        self.rules.loaded_at = now;
        self.in_flight.clear();
        self.narrowed.clear();
        for it in self.targets.values_mut() {
            *it = Watch::default();
        }
    }

    pub(crate) fn new_pass(&mut self) {
        self.n_writes = 0;
        self.taken.clear();
        for it in self.targets.values_mut() {
            it.calls = Calls::default();
            it.first_read = None;
            it.too_large = false;
        }
    }

    pub(crate) fn watch(&mut self, target: &Target) -> &mut Watch {
        self.targets.get_mut(target).unwrap()
    }

    fn view(&self, target: &Target, statements: &[Statement], now: Timestamp) -> Vec<Statement> {
        let wanted = self.wanted.iter().find(|it| it.target == *target).unwrap();
        lists::view(wanted, statements, now)
    }

    /// GetResourcePolicy was answered.
    pub(crate) fn read_resource(
        &mut self,
        target: &Target,
        found: &Result<LivePolicy, GatewayError>,
    ) {
        let watch = self.watch(target);
        watch.calls.resources += 1;
        if let Ok(it) = found {
            watch.given = Some((statements_of(&it.text), it.revision.clone()));
        }
    }

    pub(crate) fn read(
        &mut self,
        target: &Target,
        found: &Result<LivePolicy, GatewayError>,
        now: Timestamp,
    ) {
        let last_read = match found {
            Ok(it) => {
                let document = Document::parse(it.text.clone(), it.revision.clone(), target);
                LastRead::Policy(document.unwrap())
            }
            Err(it) if it.recovery == Recovery::Absent => LastRead::Nothing,
            Err(_) => LastRead::Failed,
        };
        let statements = self.view(target, last_read.statements(), now);
        let watch = self.watch(target);
        watch.calls.reads += 1;
        watch.last_read = last_read;
        if let LastRead::Failed = watch.last_read {
            return;
        }
        watch.must_read = false;
        watch.first_read.get_or_insert_with(|| statements.clone());
        // What was seen replaced is not believed again, and tells nothing.
        let old = found.as_ref().is_ok_and(|it| {
            let seen = watch.seen.contains(&it.revision) && watch.seen.last() != Some(&it.revision);
            seen || watch.spent.contains(&it.revision)
        });
        let since = |it: &Statement| watch.orphans.get(it.text()).copied().unwrap_or(now);
        let orphans = statements.iter().filter(|it| it.blocks_adding());
        let shown: BTreeMap<String, Timestamp> =
            orphans.map(|it| (it.text().to_owned(), since(it))).collect();
        if old {
            watch.orphans.extend(shown);
        } else {
            watch.orphans = shown;
            watch.seen.extend(found.as_ref().ok().map(|it| it.revision.clone()));
        }
    }

    pub(crate) fn asked_for_function(&mut self, target: &Target, res: &Result<(), GatewayError>) {
        let watch = self.watch(target);
        watch.calls.exists += 1;
        if res.as_ref().is_err_and(|it| it.recovery == Recovery::Absent) {
            watch.added_at = None;
        }
    }

    pub(crate) fn answered(
        &mut self,
        sent: &Sent,
        res: &Result<Option<String>, GatewayError>,
        now: Timestamp,
    ) {
        let own_revisions = self.own_revisions;
        let flying = self.in_flight.entry(sent.target.function_arn()).or_default();
        *flying = flying.saturating_sub(1);
        let watch = self.targets.get_mut(&sent.target).unwrap();
        match res {
            Ok(revision) => {
                watch.spent.extend(sent.revision.clone());
                if sent.adds() {
                    watch.added_at = Some(now);
                }
                if let (What::Put { document: Some(it), .. }, Some(revision)) =
                    (&sent.what, revision)
                {
                    watch.given = Some((statements_of(it), revision.clone()));
                }
            }
            Err(it) => {
                let whole = matches!(sent.what, What::Put { .. });
                let refused = matches!(
                    it.recovery,
                    Recovery::Rejected
                        | Recovery::TooLarge
                        | Recovery::Denied
                        | Recovery::NotOffered
                );
                let other = whole && own_revisions && it.recovery == Recovery::Stale;
                watch.calls.refused += u32::from(refused || other);
                match it.recovery {
                    Recovery::Unknown => watch.must_read = true,
                    Recovery::TooLarge => watch.too_large = true,
                    Recovery::Absent => watch.added_at = None,
                    Recovery::Stale
                    | Recovery::Taken
                    | Recovery::Busy
                    | Recovery::Throttled { .. }
                    | Recovery::Denied
                    | Recovery::Rejected
                    | Recovery::NotOffered
                    | Recovery::Unreachable => {}
                }
            }
        }
    }

    /// Something was taken away: is it within the limits?
    pub(crate) fn narrow(
        &mut self,
        case: &Case,
        target: &Target,
        text: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        if !self.taken.insert((target.clone(), text.to_owned())) {
            return Ok(());
        }
        self.narrowed.retain(|(at, _)| now.duration_since(*at) < HOUR);
        self.narrowed.push((now, target.clone()));
        let n = self.narrowed.len();
        let targets: BTreeSet<&Target> = self.narrowed.iter().map(|(_, it)| it).collect();
        let limits = &self.rules.limits;
        if limits.max_revocations.is_some_and(|it| n > it as usize) {
            return Err(format!("7: {n} revocations within an hour"));
        }
        #[expect(clippy::cast_precision_loss, reason = "few targets")]
        let too_wide = |it: f64| targets.len() as f64 > it * case.n_targets as f64;
        if case.n_targets >= 10 && limits.max_changed_targets.is_some_and(too_wide) {
            return Err(format!("7: {} targets lost something within an hour", targets.len()));
        }
        Ok(())
    }
}
