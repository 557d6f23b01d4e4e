//! The gateway that a case is played through: faults, another writer and crashes before and after every call.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use permitd::daemon::clock::Clock;
use permitd::journal::store::Journal;
use permitd::lambda::gateway::{
    GatewayError, LivePolicy, PolicyGateway, PolicyReader, Put, Receipt, Recovery,
};
use permitd::policy::{document::Document, grant::Permission, target::Target};
use permitd::simulator::{Direct, Simulator};
use tokio::sync::Notify;

use super::{
    book::Book,
    case::{Case, Dice, Puts, START},
    checks,
    faults::{ReadFate, WriteFate},
    other,
};

thread_local! {
    static BEGIN: std::cell::Cell<Option<tokio::time::Instant>> = const { std::cell::Cell::new(None) };
}

/// Follows tokio's clock, which is paused.
pub(crate) const CLOCK: Clock = || START + SignedDuration::try_from(passed()).unwrap();

pub(crate) fn start_clock() {
    BEGIN.with(|it| it.set(Some(tokio::time::Instant::now())));
}

fn passed() -> Duration {
    BEGIN.with(|it| it.get().map_or(Duration::ZERO, |it| it.elapsed()))
}

/// One write as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) target: Target,
    pub(crate) what: What,
    pub(crate) revision: Option<String>,
    /// By which process, counted from 0.
    pub(crate) process: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Add {
        sid: String,
        permission: Permission,
    },
    Remove {
        sid: String,
        /// It was announced that the statement is away until the next one comes.
        opens_gap: bool,
    },
    /// The whole document; none where nothing is left of it.
    Put {
        document: Option<String>,
        /// The statements of the read before it.
        from: Vec<String>,
    },
}

impl Sent {
    /// There is a policy afterwards.
    pub(crate) fn adds(&self) -> bool {
        match &self.what {
            What::Add { .. } => true,
            What::Remove { .. } => false,
            What::Put { document, .. } => document.is_some(),
        }
    }

    fn name(&self) -> String {
        let what = match &self.what {
            What::Add { sid, .. } => format!("AddPermission {sid}"),
            What::Remove { sid, .. } => format!("RemovePermission {sid}"),
            What::Put { document: Some(it), .. } => {
                let document = Document::parse(it.clone(), String::new(), &self.target).unwrap();
                let sids = document.statements().iter().map(|it| it.sid().unwrap_or("-"));
                format!("PutResourcePolicy [{}]", sids.collect::<Vec<_>>().join(" "))
            }
            What::Put { document: None, .. } => "DeleteResourcePolicy".to_owned(),
        };
        let revision = self.revision.as_deref().map_or("none", |it| &it[..4]);
        format!("{what} {} if {revision}", short(&self.target))
    }
}

/// Everything that happens goes through here.
pub(crate) struct Observed<'a> {
    pub(crate) case: &'a Case,
    pub(crate) simulator: Simulator,
    pub(crate) direct: Direct,
    pub(crate) journal: Journal,
    pub(crate) crashed: Notify,
    pub(crate) inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) dice: Dice,
    /// Faults, crashes and the other writer are about.
    pub(crate) rough: bool,
    pub(crate) operations_left: u32,
    pub(crate) crash_in: Option<usize>,
    pub(crate) trace: String,
    pub(crate) violation: Option<String>,
    pub(crate) book: Book,
    /// What a policy was, newest last, for stale reads.
    pub(crate) past: BTreeMap<Target, VecDeque<Option<LivePolicy>>>,
    /// Writes whose client has heard nothing, and that are still on their way.
    pub(crate) late: Vec<Sent>,
    /// The functions that are not there for now, with what they were.
    pub(crate) missing: Vec<serde_json::Value>,
    /// Somebody said once that we may not put a document.
    pub(crate) put_was_denied: bool,
}

impl Inner {
    pub(crate) fn note(&mut self, text: &str) {
        writeln!(self.trace, "{:>9.3} {text}", passed().as_secs_f64()).unwrap();
    }

    pub(crate) fn violated(&mut self, what: String) {
        self.note(&format!("!!! {what}"));
        self.violation.get_or_insert(what);
    }
}

pub(crate) fn short(target: &Target) -> &str {
    match target.qualifier() {
        Some(_) => "f:live",
        None => target.function(),
    }
}

pub(crate) fn error(status: u16, code: Option<&str>, said: &str) -> GatewayError {
    let recovery = Recovery::of_answer(status, code, said, None);
    let (code, message) = (code.map(str::to_owned), said.to_owned());
    GatewayError { recovery, status: Some(status), code, message, request_id: None }
}

impl<'a> Observed<'a> {
    pub(crate) fn new(case: &'a Case, seed: u64, journal: Journal) -> Self {
        let simulator = Simulator::with_clock(case.simulated(), CLOCK).unwrap();
        let inner = Inner {
            dice: Dice::new(seed ^ 0x5EED),
            rough: true,
            operations_left: case.weather.n_operations,
            crash_in: None,
            trace: String::new(),
            violation: None,
            book: Book::new(case),
            past: BTreeMap::new(),
            late: Vec::new(),
            missing: Vec::new(),
            put_was_denied: case.puts == Puts::Never,
        };
        let (crashed, inner) = (Notify::new(), Mutex::new(inner));
        Self { case, direct: simulator.direct(), simulator, journal, crashed, inner }
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// What is really there.
    pub(crate) async fn truth(&self, target: &Target) -> Option<LivePolicy> {
        let res = self.direct.get_policy(target).await.ok();
        let mut inner = self.lock();
        let past = inner.past.entry(target.clone()).or_default();
        if past.back() != Some(&res) {
            past.push_back(res.clone());
            if past.len() > 4 {
                past.pop_front();
            }
        }
        res
    }

    pub(crate) async fn document(&self, target: &Target) -> Option<Document> {
        let it = self.truth(target).await?;
        Some(Document::parse(it.text, it.revision, target).unwrap())
    }

    /// Waits a little. Each target has milliseconds of its own, so that nothing depends on threads.
    async fn turn(&self, target: &Target) {
        let place = self.case.wanted.iter().position(|it| it.target == *target).unwrap() as u64;
        let wait = 1 + self.lock().dice.below(40) as u64;
        let due = u64::try_from(passed().as_millis()).unwrap() + wait;
        let due = due - due % 4 + 4 + place;
        tokio::time::sleep(Duration::from_millis(due).saturating_sub(passed())).await;
    }

    /// The process ends here, if it is to end here.
    async fn perhaps_crash(&self) {
        let now = {
            let mut inner = self.lock();
            match inner.crash_in.as_mut() {
                Some(0) => {
                    inner.crash_in = None;
                    inner.note("*** crash");
                    true
                }
                Some(it) => {
                    *it -= 1;
                    false
                }
                None => false,
            }
        };
        if now {
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Another writer, and writes that were on their way.
    async fn meanwhile(&self, target: &Target) {
        let (late, operation) = {
            let mut inner = self.lock();
            let inner = &mut *inner;
            let is_due = inner.dice.percent(50);
            let at = inner.late.iter().position(|it| it.target == *target).filter(|_| is_due);
            let late = at.map(|it| inner.late.remove(it));
            let writer = inner.rough && inner.operations_left > 0;
            let operation = writer && inner.dice.percent(self.case.weather.writer);
            (late, operation)
        };
        if let Some(it) = late {
            self.lock().note(&format!("... late comes {}", it.name()));
            let _unheard = self.apply(&it).await;
        }
        if operation {
            other::operate(self).await;
        }
    }

    /// Does it, and checks what came of it.
    async fn apply(&self, sent: &Sent) -> Result<Option<String>, GatewayError> {
        let before = self.document(&sent.target).await;
        let Sent { target, what, revision, .. } = sent;
        let guard = revision.as_deref().unwrap_or_default();
        let res = match what {
            What::Add { sid, permission } => {
                let sent = self.direct.add_permission(target, sid, permission, revision.as_deref());
                sent.await.map(|_| None)
            }
            What::Remove { sid, .. } => {
                self.direct.remove_permission(target, sid, guard).await.map(|_| None)
            }
            What::Put { document: Some(document), .. } => {
                self.direct.put_policy(target, document, guard).await.map(|it| Some(it.revision))
            }
            What::Put { document: None, .. } => {
                self.direct.delete_policy(target, guard).await.map(|_| None)
            }
        };
        let after = self.document(&sent.target).await;
        let mut inner = self.lock();
        if let Err(why) = checks::applied(
            self.case,
            &mut inner.book,
            sent,
            before.as_ref(),
            after.as_ref(),
            res.is_ok(),
            CLOCK(),
        ) {
            inner.violated(why);
        }
        res
    }

    /// With the new revision, where the answer tells it.
    async fn write(
        &self,
        target: &Target,
        what: What,
        revision: Option<&str>,
    ) -> Result<Option<String>, GatewayError> {
        let (target, revision) = (target.clone(), revision.map(str::to_owned));
        let process = self.lock().book.process;
        let sent = Sent { target, what, revision, process };
        let (target, name) = (&sent.target, sent.name());
        {
            let mut inner = self.lock();
            inner.note(&format!("{name} …"));
            let why = checks::sent(self.case, &mut inner.book, &self.journal, &sent, CLOCK());
            if let Err(why) = why {
                inner.violated(why);
            }
        }
        self.turn(target).await;
        self.meanwhile(target).await;
        self.perhaps_crash().await;
        let fate = {
            let mut inner = self.lock();
            let faults = if inner.rough { self.case.weather.faults } else { 0 };
            WriteFate::draw(&mut inner.dice, faults, sent.adds())
        };
        let res = match fate.instead() {
            Some(it) => Err(it),
            None => self.apply(&sent).await,
        };
        let res = match fate.afterwards() {
            Some(it) => Err(it),
            None => res,
        };
        if fate == WriteFate::Late {
            self.lock().late.push(sent.clone());
        }
        self.perhaps_crash().await;
        self.turn(target).await;
        let mut inner = self.lock();
        let said = match &res {
            Ok(_) => "ok".to_owned(),
            Err(it) => it.to_string().chars().take(90).collect(),
        };
        inner.note(&format!("{name} -> {fate:?} {said}"));
        inner.put_was_denied |= fate == WriteFate::Denied && matches!(sent.what, What::Put { .. });
        inner.book.answered(&sent, &res, CLOCK());
        res
    }
}

impl PolicyReader for Observed<'_> {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.turn(target).await;
        self.meanwhile(target).await;
        self.perhaps_crash().await;
        let truth = self.truth(target).await;
        let (fate, past) = {
            let mut inner = self.lock();
            let faults = if inner.rough { self.case.weather.faults } else { 0 };
            let fate = ReadFate::draw(&mut inner.dice, faults);
            let n = inner.past.get(target).map_or(0, VecDeque::len);
            let at = inner.dice.below(n.max(1));
            let past = inner.past.get(target).and_then(|it| it.get(at)).cloned();
            (fate, past)
        };
        let seen = if fate == ReadFate::Stale { past.flatten() } else { truth };
        let absent = || error(404, Some("ResourceNotFoundException"), "no policy");
        let found = fate.instead().map_or_else(|| seen.ok_or_else(absent), Err);
        let mut inner = self.lock();
        let said = match &found {
            Ok(it) => it.revision[..4].to_owned(),
            Err(it) => it.to_string(),
        };
        inner.note(&format!("GetPolicy {} -> {fate:?} {said}", short(target)));
        inner.book.read(target, &found, CLOCK());
        found
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.turn(target).await;
        self.meanwhile(target).await;
        self.perhaps_crash().await;
        let fate = {
            let mut inner = self.lock();
            let faults = if inner.rough { self.case.weather.faults } else { 0 };
            ReadFate::draw(&mut inner.dice, faults)
        };
        let found = match fate.instead() {
            Some(it) => Err(it),
            None => self.direct.get_resource_policy(target).await,
        };
        let mut inner = self.lock();
        let said = match &found {
            Ok(it) => it.revision[..4].to_owned(),
            Err(it) => it.to_string(),
        };
        inner.note(&format!("GetResourcePolicy {} -> {fate:?} {said}", short(target)));
        inner.book.read_resource(target, &found);
        found
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.turn(target).await;
        self.meanwhile(target).await;
        self.perhaps_crash().await;
        let fate = {
            let mut inner = self.lock();
            let faults = if inner.rough { self.case.weather.faults } else { 0 };
            ReadFate::draw(&mut inner.dice, faults)
        };
        let res = match fate.instead() {
            Some(it) => Err(it),
            None => self.direct.function_exists(target).await,
        };
        let mut inner = self.lock();
        inner.note(&format!("GetFunction {} -> {fate:?} {}", short(target), res.is_ok()));
        inner.book.asked_for_function(target, &res);
        res
    }
}

impl PolicyGateway for Observed<'_> {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
        let what = What::Add { sid: sid.to_owned(), permission: permission.clone() };
        self.write(target, what, revision).await.map(|_| Receipt::default())
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let what = What::Remove { sid: sid.to_owned(), opens_gap: false };
        self.write(target, what, Some(revision)).await.map(|_| Receipt::default())
    }

    async fn remove_to_replace(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let what = What::Remove { sid: sid.to_owned(), opens_gap: true };
        self.write(target, what, Some(revision)).await.map(|_| Receipt::default())
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<Put, GatewayError> {
        let from = self.last_read(target);
        let what = What::Put { document: Some(document.to_owned()), from };
        let revision = self.write(target, what, Some(revision)).await?;
        Ok(Put { revision: revision.unwrap(), receipt: Receipt::default() })
    }

    async fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let what = What::Put { document: None, from: self.last_read(target) };
        self.write(target, what, Some(revision)).await.map(|_| Receipt::default())
    }
}

impl Observed<'_> {
    /// The texts of the statements that the last read showed.
    fn last_read(&self, target: &Target) -> Vec<String> {
        let mut inner = self.lock();
        let statements = inner.book.watch(target).last_read.statements();
        statements.iter().map(|it| it.text().to_owned()).collect()
    }

    /// Memory is lost; what was asked of Lambda is not taken back.
    pub(crate) fn restart(&self) -> Timestamp {
        let now = CLOCK();
        let mut inner = self.lock();
        inner.crash_in = None;
        inner.book.restart(now);
        inner.note("=== a new process");
        now
    }
}
