//! Plays one case: rough passes with crashes, then quiet ones, then the comparison with the reference.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::SignedDuration;
use permitd::daemon::{
    carry::Carrier,
    mind::Mind,
    pass::Worker,
    scribe::{Occasion, Scribe},
};
use permitd::drift::{
    allow::{Mode, Reason, Writer},
    outcome::{Outcome, State},
    wanted::Wanted,
};
use permitd::journal::store::Journal;
use permitd::lambda::gateway::Urgency;
use permitd::policy::{document::Document, statement::Statement};
use tokio_util::sync::CancellationToken;

use super::{
    book::LastRead,
    case::{Case, MIDDLE, Puts, START},
    checks::is_untouched,
    documents::has_a_sid_twice,
    lists, other,
    reference::{self, Circumstances, Expected, Fate, compare, expected},
    world::{CLOCK, Observed, short, start_clock},
};

fn wholly(wanted: &Wanted) -> bool {
    wanted.writer != Writer::Statements
}

/// What became of a case that did not go well.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) why: String,
    pub(crate) trace: String,
}

/// How much was done in a case that went well.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) writes: u64,
    pub(crate) crashes: u64,
    pub(crate) compared: u64,
    pub(crate) targets: u64,
}

/// One case on a runtime of its own, whose clock is paused.
pub(crate) fn play(case: &Case, seed: u64) -> Result<Tally, Failed> {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        start_clock();
        let journal = Journal::in_memory().unwrap();
        let world = Observed::new(case, seed, journal.clone());
        let mut player = Player::new(case, &world, journal);
        let res = player.all().await;
        let trace = std::mem::take(&mut world.lock().trace);
        res.map(|()| player.tally).map_err(|why| Failed { why, trace })
    })
}

struct Player<'a> {
    case: &'a Case,
    world: &'a Observed<'a>,
    mind: Mind,
    scribe: Scribe,
    stop: CancellationToken,
    wanted: Vec<&'a Wanted>,
    tally: Tally,
    /// The first quiet pass could not read everything, so not all narrowing was judged together.
    unread: bool,
}

impl<'a> Player<'a> {
    fn new(case: &'a Case, world: &'a Observed<'a>, journal: Journal) -> Self {
        let mut wanted: Vec<&Wanted> = case.wanted.iter().collect();
        wanted.sort_by(|a, b| a.target.cmp(&b.target));
        Self {
            case,
            world,
            mind: Mind::new(case.pauses.clone()),
            scribe: Scribe::new(journal, "model".to_owned()),
            stop: CancellationToken::new(),
            wanted,
            tally: Tally::default(),
            unread: false,
        }
    }

    async fn all(&mut self) -> Result<(), String> {
        self.world.lock().note(&self.case.about());
        for it in &self.case.wanted {
            self.show("live", it).await;
        }
        for _ in 0..self.case.weather.n_passes {
            self.rough_pass().await?;
        }
        other::bring_back(self.world);
        {
            let mut inner = self.world.lock();
            (inner.rough, inner.crash_in) = (false, None);
        }
        let until = START + MIDDLE;
        if CLOCK() < until {
            self.sleep(until.duration_since(CLOCK())).await;
        }
        self.quiet().await
    }

    async fn sleep(&self, time: SignedDuration) {
        tokio::time::sleep(Duration::try_from(time).unwrap()).await;
    }

    fn violation(&self) -> Result<(), String> {
        self.world.lock().violation.clone().map_or(Ok(()), Err)
    }

    async fn rough_pass(&mut self) -> Result<(), String> {
        let wait = {
            let mut inner = self.world.lock();
            let crash = inner.dice.percent(self.case.weather.crashes);
            inner.crash_in = crash.then(|| inner.dice.below(25));
            inner.dice.pick(&[0, 1, 20, 61, 100])
        };
        let outcomes = self.pass().await;
        self.violation()?;
        if let Some(outcomes) = outcomes {
            self.told_the_truth(&outcomes, false).await?;
        } else {
            self.tally.crashes += 1;
            self.world.restart();
            self.mind = Mind::new(self.case.pauses.clone());
        }
        self.sleep(SignedDuration::from_secs(wait)).await;
        Ok(())
    }

    /// None: it crashed.
    async fn pass(&mut self) -> Option<Vec<Outcome>> {
        let rules = {
            let mut inner = self.world.lock();
            inner.book.new_pass();
            inner.note("--- a pass");
            inner.book.rules.clone()
        };
        let worker = Worker {
            carrier: Carrier {
                gateway: self.world,
                clock: CLOCK,
                scribe: &self.scribe,
                stop: &self.stop,
                urgency: Urgency::Sweep,
                calls: AtomicU64::new(0),
            },
            mind: &self.mind,
            rules: &rules,
            n_targets: self.case.n_targets,
            occasion: Occasion::default(),
            keep: false,
        };
        // A small pass beside a full one: two qualifiers of one function, each with its own conversation.
        let apart = {
            let mut inner = self.world.lock();
            inner.rough && inner.dice.percent(30)
        };
        let aside = |it: &&Wanted| apart && it.target.qualifier().is_some();
        let (small, full): (Vec<&Wanted>, Vec<&Wanted>) =
            self.wanted.iter().partition(|it| aside(it));
        let pass = async {
            if rules.mode == Mode::Observe {
                return worker.watch(&self.wanted, |_| {}, |_| {}).await;
            }
            let (mut res, other) = tokio::join!(
                worker.pass(&full, |_| {}, |_| {}),
                worker.pass(&small, |_| {}, |_| {})
            );
            res.extend(other);
            res
        };
        // Dropped where it crashes, as if the process had ended there.
        let res = tokio::select! {
            biased;
            () = self.world.crashed.notified() => None,
            outcomes = pass => Some(outcomes),
        };
        self.tally.writes += u64::from(self.world.lock().book.n_writes);
        for it in res.iter().flatten() {
            let holds: Vec<String> = it
                .left
                .iter()
                .flat_map(|it| it.holds())
                .map(|(it, why)| {
                    format!(
                        "{} {}: {why}",
                        it.drift.kind.name(),
                        it.drift.sid.clone().unwrap_or_default()
                    )
                })
                .collect();
            let trouble = it.trouble.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = format!("    {} {:?} {trouble} {holds:?}", short(&it.target), it.state);
            self.world.lock().note(&text);
        }
        res
    }

    async fn show(&self, when: &str, wanted: &Wanted) {
        let found = self.world.document(&wanted.target).await;
        let mut inner = self.world.lock();
        inner.note(&format!("{when} {}", short(&wanted.target)));
        for it in found.iter().flat_map(Document::statements) {
            let text: String = it.text().chars().take(330).collect();
            inner.note(&format!("    {text}"));
        }
    }

    /// What is called in sync is, as far as it was read.
    async fn told_the_truth(&self, outcomes: &[Outcome], quiet: bool) -> Result<(), String> {
        for it in outcomes.iter().filter(|it| it.state == State::InSync) {
            let wanted = self.case.wanted.iter().find(|of| of.target == it.target).unwrap();
            let read: Vec<Statement> = {
                let mut inner = self.world.lock();
                let watch = inner.book.watch(&it.target);
                if watch.must_read || matches!(watch.last_read, LastRead::Never | LastRead::Failed)
                {
                    return Err(format!("13: {} is in sync, and was not read", it.target));
                }
                lists::view(wanted, watch.last_read.statements(), CLOCK())
            };
            let truth = self.world.document(&it.target).await;
            let truth = truth.as_ref().map_or(&[][..], Document::statements);
            let truth = lists::view(wanted, truth, CLOCK());
            for statements in std::iter::once(&read[..]).chain(quiet.then_some(&truth[..])) {
                let now = CLOCK();
                let differs = |at| {
                    !matches!(
                        reference::role(wanted, statements, at, wholly(wanted), now),
                        reference::Role::Stands | reference::Role::Untouchable
                    )
                };
                let stands = |grant: &permitd::policy::grant::Grant| {
                    let own = |it: &&Statement| it.sid() == Some(grant.sid.as_str());
                    statements.iter().filter(own).any(|it| it.says(&grant.terms))
                };
                // A grant may have expired since it was read.
                let missing = reference::live_grants(wanted, now).any(|it| !stands(it));
                if missing || (quiet && (0..statements.len()).any(differs)) {
                    return Err(format!("13: {} is called in sync, and is not", it.target));
                }
            }
        }
        Ok(())
    }

    async fn quiet(&mut self) -> Result<(), String> {
        let mut before = Vec::new();
        for it in &self.wanted {
            self.show("quiet", it).await;
            let document = self.world.document(&it.target).await;
            before.push(lists::view(
                it,
                document.as_ref().map_or(&[][..], Document::statements),
                CLOCK(),
            ));
        }
        // The second one of a Sid is news once the first is gone.
        let twice = before.iter().any(|it| has_a_sid_twice(it));
        let mut late = self.world.lock().late.is_empty();
        let mut n_writes = Vec::new();
        // Orphans are sure after a minute; limits and refusals are forgotten after an hour.
        for wait in [61, 61, 3700, 3700, 61] {
            // What is still on its way may arrive in the first of them.
            if !std::mem::replace(&mut late, true) {
                self.world.lock().late.clear();
            }
            let outcomes = self.pass().await.unwrap_or_default();
            self.violation()?;
            self.told_the_truth(&outcomes, true).await?;
            let holds = |it: &Outcome| {
                it.left.iter().flat_map(|it| it.holds()).any(|(_, why)| *why == Reason::NotJudged)
            };
            if outcomes.iter().any(holds) && !twice {
                return Err(
                    "7: nothing is news in a quiet pass, and something is not judged".into()
                );
            }
            self.unread |= outcomes.iter().any(|it| it.state == State::Unknown);
            // Before that, it may have seen a stale read after a fresh one, and has to find out.
            if !n_writes.is_empty() {
                self.few_calls()?;
            }
            let writes = self.world.lock().book.n_writes;
            n_writes.push(writes);
            self.sleep(SignedDuration::from_secs(wait)).await;
        }
        let mut after = Vec::new();
        for it in &self.wanted {
            self.show("after", it).await;
            let document = self.world.document(&it.target).await;
            after.push(lists::view(
                it,
                document.as_ref().map_or(&[][..], Document::statements),
                CLOCK(),
            ));
        }
        self.compare(&before, &after)?;
        self.nothing_left().await
    }

    /// Without contention at most two calls for each step, and one for each target.
    fn few_calls(&self) -> Result<(), String> {
        for (target, watch) in &self.world.lock().book.targets {
            let calls = watch.calls;
            let resources = calls.resources > calls.refused;
            if calls.reads > calls.writes + 1 || calls.exists > calls.writes + 1 || resources {
                return Err(format!("10: {target}: {calls:?}"));
            }
        }
        Ok(())
    }

    /// Another pass costs one read for each target, and writes nothing but what Lambda refuses each time.
    async fn nothing_left(&mut self) -> Result<(), String> {
        let outcomes = self.pass().await.unwrap_or_default();
        self.violation()?;
        self.told_the_truth(&outcomes, true).await?;
        for (target, watch) in &self.world.lock().book.targets {
            let calls = watch.calls;
            let no_policy = u32::from(matches!(watch.last_read, LastRead::Nothing));
            let good = calls.reads == 1 && calls.exists == no_policy;
            if calls.writes != calls.refused || (calls.writes == 0 && !good) {
                return Err(format!("11: {target} has converged: {calls:?}"));
            }
        }
        Ok(())
    }

    fn compare(
        &mut self,
        before: &[Vec<Statement>],
        after: &[Vec<Statement>],
    ) -> Result<(), String> {
        let expected = self.expected(before);
        let mut wrong = Vec::new();
        for (n, it) in self.wanted.iter().enumerate() {
            self.tally.targets += 1;
            if expected[n].weak {
                continue;
            }
            self.tally.compared += 1;
            for why in compare(it, &before[n], &expected[n], &after[n]) {
                wrong.push(format!("{}: {why}", short(&it.target)));
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let text = format!("expected {expected:#?}");
        self.world.lock().note(&text);
        Err(format!("10: {}", wrong.join("; ")))
    }

    fn expected(&self, before: &[Vec<Statement>]) -> Vec<Expected> {
        let now = CLOCK();
        let rules = self.world.lock().book.rules.clone();
        let principals = self.world.simulator.principals();
        let puts = self.case.puts != Puts::Never;
        let table = |no_narrowing: bool| -> Vec<Expected> {
            let about =
                Circumstances { rules: &rules, principals: &principals, puts, no_narrowing, now };
            let one = |(it, statements): (&&Wanted, &Vec<Statement>)| {
                expected(it, statements, is_untouched(self.case, it, now), about)
            };
            self.wanted.iter().zip(before).map(one).collect()
        };
        let free = table(false);
        if rules.mode != Mode::Enforce {
            return free;
        }
        // All narrowing of a pass together.
        let beyond = |counts: fn(Fate) -> bool| {
            let (mut n, mut changed) = (0, 0);
            for ((it, statements), expected) in self.wanted.iter().zip(before).zip(&free) {
                let goes = |at: &usize| counts(expected.statements[*at]);
                let narrows =
                    |at: &usize| reference::narrows(it, statements, *at, wholly(it), &rules, now);
                let here = (0..statements.len()).filter(goes).filter(narrows).count();
                let denies = reference::narrowing_grants(it, statements, now);
                let comes = |at: &usize| match expected.grants[*at] {
                    Fate::Stays => counts(Fate::Goes),
                    Fate::Goes => counts(Fate::Stays),
                    Fate::Either => counts(Fate::Either),
                };
                let here = here + denies.filter(comes).count();
                n += here;
                changed += usize::from(here > 0);
            }
            let limits = &rules.limits;
            let too_many = limits.max_revocations.is_some_and(|it| n > it as usize);
            let ten = self.case.n_targets >= 10;
            let too_wide = ten && limits.max_changed_targets.is_some() && changed > 1;
            n > 0 && (too_many || too_wide)
        };
        // What is tried and refused may count, and so may what is held for another reason.
        let (surely, perhaps) = (beyond(|it| it == Fate::Goes), beyond(|_| true));
        let mut res = if surely { table(true) } else { free };
        let limits = &rules.limits;
        // Within a crowded policy it is hard to tell what was wanted at once.
        let limited = limits.max_revocations.is_some();
        // What is held until an orphan is sure comes to be asked of the limits an hour later than the rest.
        let orphans = before.iter().flatten().any(Statement::blocks_adding);
        let denied = self.world.lock().put_was_denied;
        let any_weak = orphans || denied || self.unread || res.iter().any(|it| it.weak);
        for it in &mut res {
            it.weak |= (limited && any_weak) || surely != perhaps;
        }
        res
    }
}
