//! Takes one entry of the journal back: shown first, guarded like any other write, and then left alone by the
//! passes until the files want something else.

use std::sync::atomic::AtomicU64;

use tokio_util::sync::CancellationToken;

use crate::daemon::{
    carry::{self, Carrier},
    clock::Clock,
    mind::Mind,
    scribe::{Occasion, Scribe},
};
use crate::drift::{
    allow::{Ownership, Replace, Rules, Writer},
    approval::Approval,
    converge::Converge,
    outcome::{Outcome, State},
    plan::{Clearance, Decisions, Plan},
    wanted::{AbsentSid, Wanted},
};
use crate::journal::{
    entry::{Action, Entry, NewEntry, Outcome as Became},
    pause::Pause,
    undo::{self, Undo},
};
use crate::lambda::gateway::{GatewayError, PolicyGateway, PolicyReader, Recovery, Urgency};
use crate::policy::{
    canonical::Canonical,
    document::Document,
    source::Source,
    target::{Defaults, Target},
};

mod document;
mod yaml;

use document::{back_to, document, said, sid_of};
pub use yaml::yaml;

/// What an undo is done with.
#[derive(Debug)]
pub struct Workplace<'a, G> {
    /// Lambda.
    pub gateway: &'a G,
    /// What time it is.
    pub clock: Clock,
    /// Where the write is taken down.
    pub scribe: &'a Scribe,
    /// Who is told to leave the target alone.
    pub mind: &'a Mind,
    /// Ends it, after what is in flight.
    pub stop: &'a CancellationToken,
}

/// Why it was not done, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Refusal {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// What an undo would do.
#[derive(Debug)]
pub struct Shown {
    /// Which policy.
    pub target: Target,
    /// Names what is said yes to.
    pub digest: String,
    /// What would be done.
    pub way: Way,
    /// What belongs into the files afterwards.
    pub yaml: String,
}

/// By statements, or by a whole document.
#[derive(Debug)]
pub enum Way {
    /// As any plan is carried out.
    Statements(Box<Plan>),
    /// One PutResourcePolicy, guarded by this revision.
    Document {
        /// The statement that comes back, if it is one.
        statement: Option<String>,
        /// The document as it is.
        before: String,
        /// The document as it will be.
        after: String,
        /// Of the document as it is.
        revision: String,
    },
}

/// Rounds of reading and writing again before an undo gives up.
const ROUNDS: u32 = 5;

impl<G: PolicyReader> Workplace<'_, G> {
    /// What would be done, and how that is named.
    pub async fn show(&self, entry: &Entry) -> Result<Shown, Refusal> {
        let (target, undo) = understand(entry)?;
        let yaml = yaml(&undo, &target);
        let (digest, way) = match &undo {
            Undo::Grant(_) | Undo::Grants(_) | Undo::Remove { .. } => {
                let (wanted, rules) = (wish(&target, &undo), rules());
                let converge = self.look(&wanted, &rules).await?;
                let plan = judge(entry, &undo, &converge)?;
                (digest(&target, &plan), Way::Statements(Box::new(plan)))
            }
            Undo::Put { statement } => {
                let live = self.read(&target).await?;
                let said = said(&target, &live, statement)?;
                let after = live.with_statement(statement);
                let way = document(&live, Some(statement), after)?;
                (Approval::new([said]).digest(), way)
            }
            Undo::Document { before } => {
                let live = self.read(&target).await?;
                let (after, said) = back_to(entry, &target, &live, before.as_deref())?;
                (Approval::new([said]).digest(), document(&live, None, after)?)
            }
        };
        Ok(Shown { target, digest, way, yaml })
    }

    async fn look<'w>(
        &self,
        wanted: &'w Wanted,
        rules: &'w Rules,
    ) -> Result<Converge<'w>, Refusal> {
        let no_journal = self.scribe.why_not();
        let decisions =
            Decisions { clearance: Clearance::Free, no_journal, ..Decisions::default() };
        let mut converge = Converge::new(wanted, rules)
            .remembering(self.mind.memory_of(&wanted.target))
            .deciding(decisions);
        self.carrier().look(&wanted.target, &mut converge).await;
        if converge.plan().is_some() {
            return Ok(converge);
        }
        Err(not_through(&converge.into_outcome((self.clock)())))
    }

    async fn read(&self, target: &Target) -> Result<Document, Refusal> {
        let nothing = Wanted { ownership: Ownership::Declared, ..wish_nothing(target) };
        let rules = rules();
        let converge = self.look(&nothing, &rules).await?;
        let none = || {
            Refusal::new(format!("{target} has no policy that the statement could be put into")).hint(
                "Lambda takes a whole document only in place of another one: add any statement first",
            )
        };
        converge.live().cloned().ok_or_else(none)
    }

    fn carrier(&self) -> Carrier<'_, G> {
        let Self { gateway, clock, scribe, mind: _, stop } = *self;
        Carrier { gateway, clock, scribe, stop, urgency: Urgency::Repair, calls: AtomicU64::new(0) }
    }
}

impl<G: PolicyGateway> Workplace<'_, G> {
    /// Does what was shown under this digest, or the beginning of it. `managed` is what the files want there: the passes leave
    /// the target alone until that changes.
    pub async fn undo(
        &self,
        entry: &Entry,
        managed: Option<&Wanted>,
        digest: &str,
    ) -> Result<String, Refusal> {
        let (target, undo) = understand(entry)?;
        let before = self.paused_before(&target);
        let by_hand = |it: &Pause| it.until.is_none() && it.wanted.is_none();
        let mut paused = self.pause(entry, &target, managed);
        let turn = self.mind.turn(&target.function_arn());
        let _turn = turn.lock().await;
        let res = self.take_back(entry, &undo, &target, digest).await;
        if res.is_err() {
            self.resume(&target);
        }
        // A pause that somebody asked for is not over because of this.
        if let Some(pause) = before.filter(|it| res.is_err() || by_hand(it)) {
            paused = format!("\n{target} stays paused until `permitd resume`");
            self.keep(pause);
        }
        res.map(|message| format!("{message}{paused}"))
    }

    async fn take_back(
        &self,
        entry: &Entry,
        undo: &Undo,
        target: &Target,
        digest: &str,
    ) -> Result<String, Refusal> {
        let occasion = Occasion { trigger: format!("undo {}", entry.id), undoes: Some(entry.id) };
        if let Undo::Put { .. } | Undo::Document { .. } = undo {
            return self.put(entry, digest).await;
        }
        let (wanted, rules) = (wish(target, undo), rules());
        let mut converge = self.look(&wanted, &rules).await?;
        let plan = judge(entry, undo, &converge)?;
        same(&self::digest(target, &plan), digest)?;
        self.carrier().act(target, &mut converge, &occasion).await;
        let (outcome, memory) = converge.into_parts((self.clock)());
        self.mind.learn(target, memory);
        if !matches!(outcome.state, State::InSync | State::Contended) {
            return Err(not_through(&outcome));
        }
        Ok(match undo {
            Undo::Remove { sid, .. } => format!("undone: {sid} was taken out of {target}"),
            Undo::Grant(grant) => format!("undone: {} stands in {target} as it did", grant.sid),
            Undo::Grants(_) => format!("undone: {target} has the policy that it had"),
            Undo::Put { .. } | Undo::Document { .. } => "undone".to_owned(),
        })
    }

    async fn put(&self, entry: &Entry, digest: &str) -> Result<String, Refusal> {
        let mut perhaps_done = false;
        for _ in 0..ROUNDS {
            let shown = match self.show(entry).await {
                // It stands there now, and it was not there when it was shown.
                Err(_) if perhaps_done => return Ok("undone, as a read showed".to_owned()),
                shown => shown?,
            };
            same(&shown.digest, digest)?;
            let Way::Document { statement, before, after, revision } = &shown.way else { break };
            let sid = statement.as_ref().and_then(|it| sid_of(it, &shown.target));
            let now = (self.clock)();
            let taken = NewEntry {
                time: now,
                target: shown.target.arn(),
                action: Action::Put,
                sid: sid.clone(),
                kind: "undo".to_owned(),
                before: Some(before.clone()),
                after: Some(after.clone()),
                revision: Some(revision.clone()),
                actor: self.scribe.actor(),
                reason: format!("undo {}: the whole document", entry.id),
                approval: Some(shown.digest.clone()),
                undoes: Some(entry.id),
                replaces: None,
                caused_by: None,
            };
            let id = self.scribe.begin_entry(taken).await.map_err(Refusal::new)?;
            let result = self.gateway.put_policy(&shown.target, after, revision).await;
            let (became, message) = match &result {
                Ok(_) => (Became::Done, None),
                Err(it) if it.recovery == Recovery::Unknown => {
                    (Became::Unknown, Some(it.to_string()))
                }
                Err(it) => (Became::Refused, Some(it.to_string())),
            };
            let request_id = result.as_ref().err().and_then(|it| it.request_id.clone());
            self.scribe.finish(id, became, message, request_id, (self.clock)()).await;
            match result {
                Ok(_) => {
                    let what = sid.unwrap_or_else(|| "the statement".to_owned());
                    return Ok(format!("undone: {what} stands in {} as it did", shown.target));
                }
                Err(error) if comes_again(&error) => {
                    perhaps_done |= error.recovery == Recovery::Unknown;
                    carry::breathe().await;
                }
                Err(error) => {
                    let refusal = Refusal::new(error.to_string());
                    return Err(match carry::hint(&error, "lambda:PutResourcePolicy") {
                        Some(hint) => refusal.hint(hint),
                        None => refusal,
                    });
                }
            }
        }
        Err(Refusal::new("the policy keeps changing, or Lambda does not answer; try again"))
    }

    /// The passes leave the target alone; says so.
    fn pause(&self, entry: &Entry, target: &Target, managed: Option<&Wanted>) -> String {
        let pause = Pause {
            target: Some(target.arn()),
            since: (self.clock)(),
            until: None,
            wanted: managed.map(Wanted::fingerprint),
            reason: format!("undo {}", entry.id),
        };
        let kept = self.keep(pause);
        let restart = if kept { "" } else { ", or until permitd is started again" };
        let end = match managed {
            Some(_) => {
                format!("until what the files want of it changes{restart}, or `permitd resume`")
            }
            None => format!("until `permitd resume`{restart}"),
        };
        format!("\n{target} is paused {end}")
    }

    /// Takes a pause down; true if it outlives a restart.
    fn keep(&self, pause: Pause) -> bool {
        let kept = self.scribe.journal().map(|it| it.pause(&pause));
        self.mind.pause(pause);
        matches!(kept, Some(Ok(())))
    }

    /// The pause of this target that holds already, here or in the journal.
    fn paused_before(&self, target: &Target) -> Option<Pause> {
        let (arn, now) = (target.arn(), (self.clock)());
        let journal = self.scribe.journal().and_then(|it| it.pauses().ok()).unwrap_or_default();
        let known = self.mind.pauses(now).into_iter().chain(journal);
        known.into_iter().find(|it| it.target.as_ref() == Some(&arn) && !it.is_over(now))
    }

    fn resume(&self, target: &Target) {
        let arn = target.arn();
        self.mind.resume(Some(&arn));
        if let Some(Err(error)) = self.scribe.journal().map(|it| it.resume(Some(&arn))) {
            tracing::error!(%error, "the end of a pause could not be taken down");
        }
    }
}

/// Whether the live policy is such that it can be undone.
fn judge(entry: &Entry, undo: &Undo, converge: &Converge<'_>) -> Result<Plan, Refusal> {
    let statements = converge.live().map_or(&[][..], Document::statements);
    if let Undo::Remove { sid, expected } = undo {
        let target = &entry.step.target;
        let live = statements.iter().find(|it| it.sid() == Some(sid.as_str()));
        let Some(live) = live else {
            return Err(Refusal::new(format!(
                "{sid} is not in {target} any more: nothing is left to undo"
            )));
        };
        let text = |it: &str| Canonical::of_text(it, partition(target)).text();
        if text(live.text()) != text(expected) {
            let message = format!("{sid} was changed since entry {} by somebody else", entry.id);
            return Err(Refusal::new(message).hint(format!("it is now {}", live.text())));
        }
    }
    let plan = converge.plan().cloned().ok_or_else(|| Refusal::new("it could not be read"))?;
    if plan.is_in_sync() {
        return Err(Refusal::new(
            "it is there already, exactly as it was: nothing is left to undo",
        ));
    }
    if let Some((change, reason)) = plan.holds().next() {
        let sid = change.drift.sid.as_deref().unwrap_or_default();
        return Err(Refusal::new(format!("{sid} cannot be brought back: {reason}")));
    }
    Ok(plan)
}

fn comes_again(error: &GatewayError) -> bool {
    match error.recovery {
        Recovery::Stale
        | Recovery::Taken
        | Recovery::Busy
        | Recovery::Throttled { .. }
        | Recovery::Unreachable
        | Recovery::Unknown => true,
        Recovery::Absent
        | Recovery::Denied
        | Recovery::Rejected
        | Recovery::TooLarge
        | Recovery::NotOffered => false,
    }
}

fn understand(entry: &Entry) -> Result<(Target, Undo), Refusal> {
    let target = Target::parse(&entry.step.target, None, &Defaults::default())
        .map_err(|it| Refusal::new(it.to_string()))?;
    let undo = undo::undo(entry, &target).map_err(|it| Refusal::new(it.to_string()))?;
    Ok((target, undo))
}

/// Exactly this is asked for, by somebody who sees it: nothing is ignored, denied or waited for.
fn rules() -> Rules {
    Rules { deny_risks: Vec::new(), remove_inexpressible: true, ..Rules::default() }
}

fn wish(target: &Target, undo: &Undo) -> Wanted {
    let mut wanted = wish_nothing(target);
    match undo {
        Undo::Grant(grant) => wanted.grants.push((**grant).clone()),
        Undo::Grants(grants) => {
            wanted.grants.clone_from(grants);
            wanted.writer = Writer::Auto;
        }
        Undo::Remove { sid, .. } => {
            wanted.absent.push(AbsentSid { sid: sid.clone(), source: wanted.source.clone() });
        }
        Undo::Put { .. } | Undo::Document { .. } => {}
    }
    wanted
}

fn wish_nothing(target: &Target) -> Wanted {
    Wanted {
        target: target.clone(),
        ownership: Ownership::Declared,
        grants: Vec::new(),
        absent: Vec::new(),
        suspend: false,
        replace: Replace::Bridge,
        writer: Writer::Statements,
        compact: false,
        source: Source { file: "journal".into(), line: 1, column: 1 },
    }
}

fn digest(target: &Target, plan: &Plan) -> String {
    Approval::of([(target, plan)], |_| true).digest()
}

fn same(found: &str, said: &str) -> Result<(), Refusal> {
    if found.starts_with(said) {
        return Ok(());
    }
    let message = "the policy changed since it was shown, and nothing was done";
    Err(Refusal::new(message).hint("look at it again with `permitd undo`"))
}

fn partition(arn: &str) -> &str {
    arn.split(':').nth(1).unwrap_or("aws")
}

fn not_through(outcome: &Outcome) -> Refusal {
    match &outcome.trouble {
        Some(trouble) => Refusal { message: trouble.to_string(), hint: trouble.hint.clone() },
        None => Refusal::new(format!(
            "it is not through: {} is {}",
            outcome.target,
            outcome.state.name()
        )),
    }
}
