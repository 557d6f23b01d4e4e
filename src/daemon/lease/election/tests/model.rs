//! Replicas, an API server and a network that delays, loses and cuts off, all in virtual time and from seeds: never two
//! that start writes at once, and somebody leads soon when it gets quiet.

use std::collections::BTreeMap;

use super::*;
use crate::lambda::tenure::{GAP_TIMEOUT, WRITE_TIMEOUT, may_start};

const MS: u64 = 1;
const SECOND: u64 = 1000 * MS;
/// After that nothing is lost, slow or ends any more.
const QUIET: u64 = 180 * SECOND;
const END: u64 = QUIET + 120 * SECOND;
/// The lease, what two looks miss of it, and the way there and back.
const SOON: u64 = 15_000 + 2 * 2_500 + 1_500;

/// Its clock starts anywhere, and goes faster or slower than others.
struct Replica {
    election: Election,
    life: u64,
    is_up: bool,
    stops: bool,
    cut_off_until: u64,
    speed: f64,
    offset: f64,
    wall: i64,
    /// The request that is waited for.
    asks: u64,
    writes: Vec<(u64, u64)>,
}

impl Replica {
    fn now(&self, t: u64, dice: f64) -> Now {
        let at = Duration::from_secs_f64(self.offset + self.local(t));
        Now { at, wall: Timestamp::from_second(self.wall).unwrap(), dice }
    }

    #[expect(clippy::cast_precision_loss, reason = "some minutes")]
    fn local(&self, t: u64) -> f64 {
        t as f64 / 1000.0 * self.speed
    }

    /// So long a time of its own is this long for everybody.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some minutes")]
    fn world(&self, span: Duration) -> u64 {
        (span.as_secs_f64() / self.speed * 1000.0).ceil() as u64
    }
}

enum Happens {
    Wake(usize, u64),
    Arrives(usize, u64, u64, Call),
    Answers(usize, u64, u64, Answer),
    GivesUp(usize, u64, u64),
    Writes(usize),
    Dies(usize),
    Starts(usize),
    Ends(usize),
    Stops(usize, u64),
    CutOff(usize),
    Labels,
}

#[derive(Default)]
struct Counts {
    writes: usize,
    leaders: usize,
    refused: usize,
    handed_over: usize,
    lost: usize,
}

struct World {
    random: fastrand::Rng,
    queue: BTreeMap<(u64, u64), Happens>,
    n: u64,
    replicas: Vec<Replica>,
    lease: Option<Record>,
    version: u64,
    t: u64,
    counts: Counts,
    leader: Option<usize>,
    since_nobody_leads: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let replicas = (0..random.usize(2..=4))
            .map(|it| Replica {
                election: Election::new(format!("{it}-0")),
                life: 0,
                is_up: true,
                stops: false,
                cut_off_until: 0,
                speed: 0.99 + 0.02 * random.f64(),
                offset: 1e6 * random.f64(),
                wall: random.i64(0..4_000_000_000),
                asks: 0,
                writes: Vec::new(),
            })
            .collect();
        let mut res = Self {
            random,
            queue: BTreeMap::new(),
            n: 0,
            replicas,
            lease: None,
            version: 0,
            t: 0,
            counts: Counts::default(),
            leader: None,
            since_nobody_leads: 0,
        };
        for it in 0..res.replicas.len() {
            let at = res.random.u64(0..5 * SECOND);
            res.put(at, Happens::Wake(it, 0));
            res.put(at, Happens::Writes(it));
        }
        for _ in 0..res.random.usize(0..12) {
            let (at, it) = (res.random.u64(0..QUIET), res.random.usize(0..res.replicas.len()));
            let happens = match res.random.u8(0..5) {
                0 => Happens::Dies(it),
                1 => Happens::Ends(it),
                2 => Happens::Labels,
                _ => Happens::CutOff(it),
            };
            res.put(at, happens);
        }
        res
    }

    fn put(&mut self, at: u64, happens: Happens) {
        self.n += 1;
        self.queue.insert((at, self.n), happens);
    }

    fn after(&mut self, least: u64, most: u64) -> u64 {
        self.t + self.random.u64(least..=most)
    }

    /// None: it is lost.
    fn way(&mut self, it: usize) -> Option<u64> {
        if self.t >= QUIET {
            return Some(self.after(0, 50));
        }
        if self.replicas[it].cut_off_until > self.t {
            // What was on the way may still come when that is over.
            return self.random.bool().then(|| self.replicas[it].cut_off_until);
        }
        match self.random.u8(0..20) {
            0 => None,
            1 => Some(self.after(0, 30_000)),
            2 | 3 => Some(self.after(0, 3_000)),
            _ => Some(self.after(0, 100)),
        }
    }

    fn step(&mut self, it: usize, event: Event) {
        let now = self.replicas[it].now(self.t, self.random.f64());
        let life = self.replicas[it].life;
        let before = self.replicas[it].election.term().is_some();
        match self.replicas[it].election.next(event, now) {
            Action::Wait(until) => {
                let pause = self.replicas[it].world(until.saturating_sub(now.at));
                // The machine is never there to the millisecond, and sometimes not for seconds.
                let late = if self.random.u8(0..50) == 0 && self.t < QUIET { 8_000 } else { 5 };
                let at = self.t + pause + self.random.u64(0..=late);
                self.put(at, Happens::Wake(it, life));
            }
            Action::Ask(call, patience) => {
                self.n += 1;
                let id = self.n;
                self.replicas[it].asks = id;
                let gives_up = self.t + self.replicas[it].world(patience);
                self.put(gives_up, Happens::GivesUp(it, life, id));
                if let Some(at) = self.way(it) {
                    self.put(at, Happens::Arrives(it, life, id, call));
                }
            }
            Action::Done => self.gone(it),
        }
        self.counts.lost += usize::from(
            before && self.replicas[it].election.term().is_none() && self.replicas[it].is_up,
        );
    }

    fn gone(&mut self, it: usize) {
        self.replicas[it].is_up = false;
        let at = self.after(0, 10_000);
        self.put(at, Happens::Starts(it));
    }

    fn serve(&mut self, call: Call) -> Answer {
        let record = match (call, &self.lease) {
            (Call::Get | Call::Replace(_), None) => return Answer::Missing,
            (Call::Get, Some(it)) => return Answer::Is(it.clone()),
            (Call::Create(_), Some(_)) => return Answer::Conflict,
            (Call::Replace(it), Some(there)) if it.version != there.version => {
                return Answer::Conflict;
            }
            (Call::Create(it) | Call::Replace(it), _) => it,
        };
        self.version += 1;
        let record = Record { version: self.version.to_string(), ..record };
        self.lease = Some(record.clone());
        Answer::Is(record)
    }

    fn writes(&mut self, it: usize) {
        let next = self.after(10, 1500);
        self.put(next, Happens::Writes(it));
        let replica = &self.replicas[it];
        if !replica.is_up || replica.stops {
            return;
        }
        let now = replica.now(self.t, 0.0).at;
        let needs = if self.random.bool() { WRITE_TIMEOUT } else { GAP_TIMEOUT };
        if !may_start(replica.election.term(), now, needs) {
            self.counts.refused += usize::from(replica.election.term().is_some());
            return;
        }
        let end = self.t + self.replicas[it].world(needs);
        for (n, other) in self.replicas.iter().enumerate().filter(|(n, _)| *n != it) {
            let beside = other.writes.iter().find(|(_, end)| *end > self.t);
            assert!(beside.is_none(), "{it} writes at {} beside {n}: {beside:?}", self.t);
        }
        self.counts.writes += 1;
        self.replicas[it].writes.push((self.t, end));
    }

    fn happens(&mut self, happens: Happens) {
        let lives = |world: &Self, it: usize, life| {
            world.replicas[it].is_up && world.replicas[it].life == life
        };
        match happens {
            Happens::Wake(it, life) if lives(self, it, life) => {
                // A request is under way, or it was told to stop.
                if self.replicas[it].asks == 0 {
                    self.step(it, Event::Due);
                }
            }
            Happens::Arrives(it, life, id, call) => {
                let answer = self.serve(call);
                if let Some(at) = self.way(it) {
                    self.put(at, Happens::Answers(it, life, id, answer));
                }
            }
            Happens::Answers(it, life, id, answer) if lives(self, it, life) => {
                if self.replicas[it].asks == id {
                    self.replicas[it].asks = 0;
                    self.step(it, Event::Answered(answer));
                }
            }
            Happens::GivesUp(it, life, id) if lives(self, it, life) => {
                if self.replicas[it].asks == id {
                    self.replicas[it].asks = 0;
                    self.step(it, Event::Answered(Answer::Failed("no answer".into())));
                }
            }
            Happens::Writes(it) => self.writes(it),
            Happens::Dies(it) if self.replicas[it].is_up => {
                // What it had sent is still on its way.
                self.gone(it);
            }
            Happens::Starts(it) => {
                let life = self.replicas[it].life + 1;
                let replica = &mut self.replicas[it];
                (replica.life, replica.is_up, replica.stops, replica.asks) = (life, true, false, 0);
                replica.election = Election::new(format!("{it}-{life}"));
                self.step(it, Event::Due);
            }
            Happens::Ends(it) if self.replicas[it].is_up => {
                self.replicas[it].stops = true;
                let life = self.replicas[it].life;
                // What is under way is finished first.
                let end = self.replicas[it]
                    .writes
                    .iter()
                    .map(|(_, end)| *end)
                    .max()
                    .unwrap_or(0)
                    .max(self.t);
                self.put(end, Happens::Stops(it, life));
            }
            Happens::Stops(it, life) if lives(self, it, life) => {
                if self.replicas[it].asks == 0 {
                    self.counts.handed_over +=
                        usize::from(self.replicas[it].election.term().is_some());
                    self.step(it, Event::Stop);
                } else {
                    self.put(self.t + 100, Happens::Stops(it, life));
                }
            }
            Happens::CutOff(it) => {
                self.replicas[it].cut_off_until = self.after(0, 40_000).min(QUIET);
            }
            Happens::Labels => {
                if let Some(it) = &mut self.lease {
                    self.version += 1;
                    it.version = self.version.to_string();
                }
            }
            Happens::Wake(..)
            | Happens::Answers(..)
            | Happens::GivesUp(..)
            | Happens::Dies(_)
            | Happens::Ends(_)
            | Happens::Stops(..) => {}
        }
    }

    fn who_leads(&mut self) {
        let t = self.t;
        let leads = |it: &Replica| {
            it.is_up && it.election.term().is_some_and(|term| it.now(t, 0.0).at < term)
        };
        let leaders: Vec<usize> =
            (0..self.replicas.len()).filter(|it| leads(&self.replicas[*it])).collect();
        assert!(leaders.len() <= 1, "{leaders:?} lead at {t}");
        if let Some(it) = leaders.first().copied() {
            self.counts.leaders += usize::from(self.leader != Some(it));
            self.leader = Some(it);
            self.since_nobody_leads = t;
        }
        let since = self.since_nobody_leads.max(QUIET);
        // Those that had ended at that time start within ten seconds.
        let soon = if t < QUIET + 40 * SECOND { SOON + 10 * SECOND } else { SOON };
        assert!(t < since + soon, "nobody leads at {t}, since {since}");
    }

    fn play(mut self) -> Counts {
        let mut last_death = 0;
        while let Some(((t, _), happens)) = self.queue.pop_first() {
            if t >= END {
                break;
            }
            self.t = t;
            self.happens(happens);
            self.who_leads();
            // Also when it is quiet: whoever leads then dies once, and another one leads.
            if t > QUIET + 40 * SECOND
                && last_death == 0
                && let Some(it) = self.leader
            {
                last_death = t;
                self.happens(Happens::Dies(it));
            }
        }
        self.counts
    }
}

#[test]
fn never_two_who_start_writes_at_once_and_soon_somebody() {
    let cases: u64 = 2000;
    let mut sum = Counts::default();
    for seed in 0..cases {
        let played = std::panic::catch_unwind(|| World::new(seed).play());
        let counts = played.unwrap_or_else(|_| panic!("seed {seed}"));
        sum.writes += counts.writes;
        sum.leaders += counts.leaders;
        sum.refused += counts.refused;
        sum.handed_over += counts.handed_over;
        sum.lost += counts.lost;
    }
    let per_case = |n: usize| n / usize::try_from(cases).unwrap();
    assert!(per_case(sum.writes) > 50, "{} writes", sum.writes);
    assert!(per_case(sum.leaders) >= 2, "{} leaders", sum.leaders);
    assert!(per_case(sum.refused) > 2, "{} writes that would have come too late", sum.refused);
    assert!(sum.handed_over > 300, "{} handed over", sum.handed_over);
    assert!(sum.lost > 1000, "{} that lost it", sum.lost);
}
