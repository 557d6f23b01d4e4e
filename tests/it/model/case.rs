//! One case from one seed: what is wanted, what may be done, what is live, and what goes wrong.

use std::{fmt::Write, time::Duration};

use jiff::{SignedDuration, Timestamp};
use permitd::drift::{
    allow::{IgnoreRule, Mode, Ownership, Replace, Rules, Writer},
    limits::Limits,
    wanted::{AbsentSid, Wanted},
};
use permitd::journal::pause::Pause;
use permitd::policy::{grant::Grant, risk::Risk, source::Source, target::Target};
use permitd::simulator::Seed;
use serde_json::{Value, json};
use wildmatch::WildMatch;

use super::{
    content::{self, ACCOUNT, N_CONTENTS, N_SHORT, N_WIDE, Odd, REFUSED, ROLES},
    lists,
};

/// When every case begins.
pub(crate) const START: Timestamp = Timestamp::constant(1_790_000_000, 0);
/// After this long, everything that expires in the middle of a run has.
pub(crate) const MIDDLE: SignedDuration = SignedDuration::from_secs(240);
/// Live statements whose Sid begins like this are ignored by a rule.
pub(crate) const IGNORED: &str = "ext-";

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) rules: Rules,
    /// As many targets are said to be managed.
    pub(crate) n_targets: usize,
    pub(crate) pauses: Vec<Pause>,
    pub(crate) seed: Value,
    pub(crate) puts: Puts,
    pub(crate) weather: Weather,
}

/// How Lambda takes whole documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Puts {
    /// It does.
    Always,
    /// It does, and they have revisions of their own.
    OwnRevision,
    /// It does not, or not from us.
    Never,
}

/// What goes wrong, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// At one call, in percent.
    pub(crate) faults: u32,
    /// Before one call, in percent.
    pub(crate) writer: u32,
    /// What another writer does in all.
    pub(crate) n_operations: u32,
    /// Before the faults stop.
    pub(crate) n_passes: u32,
    /// A pass that ends in a crash, in percent.
    pub(crate) crashes: u32,
}

/// A generator that is cheap to draw from.
#[derive(Debug)]
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// In so many cases of a hundred.
    pub(crate) fn percent(&mut self, n: u32) -> bool {
        self.0.u32(0..100) < n
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0.usize(0..n)
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

pub(crate) const SIDS: [&str; 5] = ["a", "b", "p-c", "p-d", "e"];
/// Sids that no file grants.
pub(crate) const OTHERS: [&str; 6] = ["x", "p-x", "y", "p-y", "ext-1", "ext-2"];

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let names: &[&str] = match dice.below(10) {
            0..=5 => &["f"],
            6 | 7 => &["f", "f:live"],
            8 => &["f", "g"],
            _ => &["f", "f:live", "g"],
        };
        let crowded = dice.percent(12);
        let mut wanted: Vec<Wanted> =
            names.iter().map(|it| wanted(&mut dice, content::target(it), crowded)).collect();
        // Dice of their own, so that the other cases stay what they were.
        let mut more = Dice::new(seed ^ 0xD0C);
        let writer = more.pick(&WRITERS);
        if writer != Writer::Statements {
            for it in &mut wanted {
                write_wholly(&mut more, writer, it);
            }
        }
        let rules = rules(&mut dice);
        // Of every third case what a rule grants: it waits for the limits, and comes to the same. How wide rules may
        // be, the scenarios know. No dice, so that the cases stay what they were.
        if seed.is_multiple_of(3) && rules.limits.max_changed_targets.is_none() {
            for grant in wanted.iter_mut().flat_map(|it| it.grants.iter_mut().step_by(2)) {
                grant.rule = Some("name: f*".into());
            }
        }
        let pause = |it: &Wanted, until| Pause {
            target: Some(it.target.arn()),
            since: START,
            until,
            wanted: None,
            reason: "model".into(),
        };
        let pauses = match dice.below(16) {
            0 => vec![pause(&wanted[0], None)],
            1 => vec![pause(&wanted[0], Some(START + SignedDuration::from_secs(90)))],
            _ => Vec::new(),
        };
        let mut seed = account(&mut dice, &mut more, &wanted, crowded);
        let puts = match more.below(16) {
            _ if writer == Writer::Statements => Puts::Always,
            0 | 1 => Puts::Never,
            2 | 3 => Puts::OwnRevision,
            _ => Puts::Always,
        };
        seed["switches"] = match puts {
            Puts::Always => json!({}),
            Puts::OwnRevision => json!({"put_revision": "own"}),
            Puts::Never => json!({"put_family": more.pick(&["absent", "absent_403"])}),
        };
        let weather = Weather {
            faults: dice.pick(&[0, 5, 20, 20, 50]),
            writer: dice.pick(&[0, 5, 15, 30]),
            n_operations: u32::try_from(dice.below(21)).unwrap(),
            n_passes: 1 + u32::try_from(dice.below(4)).unwrap(),
            crashes: dice.pick(&[0, 0, 40, 80]),
        };
        let n_targets = dice.pick(&[wanted.len(), wanted.len(), 10]);
        Self { wanted, rules, n_targets, pauses, seed, puts, weather }
    }

    /// What is wanted and allowed, for people.
    pub(crate) fn about(&self) -> String {
        let Rules { mode, remove_inexpressible, deny_risks, limits, .. } = &self.rules;
        let mut res = format!(
            "{mode:?}, remove_inexpressible {remove_inexpressible}, deny_risks {deny_risks:?}, {limits:?} of {}, puts {:?}, {:?}, {} pauses\n",
            self.n_targets,
            self.puts,
            self.weather,
            self.pauses.len(),
        );
        for it in &self.wanted {
            let Wanted {
                target,
                ownership,
                grants,
                absent,
                suspend,
                replace,
                writer,
                compact,
                source: _,
            } = it;
            let absent: Vec<&str> = absent.iter().map(|it| it.sid.as_str()).collect();
            writeln!(
                res,
                "  {} {ownership:?}, {replace:?}, {writer:?}, compact {compact}, suspend {suspend}, absent {absent:?}",
                target.arn()
            )
            .unwrap();
            for Grant { sid, terms, expires, accept, .. } in grants {
                let text = terms.statement_text(sid, target);
                let text: String = text.chars().take(300).collect();
                let expires = expires.map(|it| it.duration_since(START).as_secs());
                writeln!(res, "    {text}, expires {expires:?}, accepts {}", accept.len()).unwrap();
            }
        }
        res
    }

    pub(crate) fn simulated(&self) -> Seed {
        serde_json::from_value(self.seed.clone()).unwrap()
    }
}

fn source() -> Source {
    Source { file: "p.yaml".into(), line: 1, column: 1 }
}

fn content_number(dice: &mut Dice, crowded: bool) -> usize {
    match dice.below(20) {
        0 => REFUSED,
        _ if crowded => dice.below(N_CONTENTS),
        _ => dice.below(N_SHORT - 1),
    }
}

fn wanted(dice: &mut Dice, target: Target, crowded: bool) -> Wanted {
    let ownership = dice.pick(&[
        Ownership::All,
        Ownership::All,
        Ownership::Prefix("p-".into()),
        Ownership::Declared,
    ]);
    let (mut grants, mut absent) = (Vec::new(), Vec::new());
    for sid in SIDS {
        match dice.below(10) {
            0..=5 => {
                let seconds = match dice.below(10) {
                    0 => Some(-1000),
                    1 => Some(i64::try_from(dice.below(220)).unwrap()),
                    2 => Some(86_400),
                    _ => None,
                };
                grants.push(Grant {
                    sid: sid.into(),
                    terms: content::permission(content_number(dice, crowded)).into(),
                    expires: seconds.map(|it| START + SignedDuration::from_secs(it)),
                    accept: if dice.percent(30) { Risk::ALL.to_vec() } else { Vec::new() },
                    description: None,
                    source: source(),
                    rule: None,
                });
            }
            6 | 7 => absent.push(AbsentSid { sid: sid.into(), source: source() }),
            _ => {}
        }
    }
    grants.sort_by(|a, b| a.sid.cmp(&b.sid));
    absent.sort_by(|a, b| a.sid.cmp(&b.sid));
    let replace = dice.pick(&[Replace::Bridge, Replace::Bridge, Replace::Bridge, Replace::Direct]);
    let suspend = dice.percent(4);
    let (writer, compact) = (Writer::Statements, false);
    Wanted {
        target,
        ownership,
        grants,
        absent,
        suspend,
        replace,
        writer,
        compact,
        source: source(),
    }
}

/// In which share of the cases.
const WRITERS: [Writer; 10] = [
    Writer::Statements,
    Writer::Statements,
    Writer::Statements,
    Writer::Statements,
    Writer::Statements,
    Writer::Document,
    Writer::Document,
    Writer::Document,
    Writer::Auto,
    Writer::Auto,
];

/// What only a write of the whole document can do.
fn write_wholly(dice: &mut Dice, writer: Writer, wanted: &mut Wanted) {
    wanted.writer = writer;
    wanted.compact = dice.percent(30);
    for grant in &mut wanted.grants {
        if dice.percent(20) {
            grant.terms = content::wide(dice.below(N_WIDE), &wanted.target);
        } else if wanted.compact && dice.percent(40) {
            // So that there is something to gather.
            grant.terms = content::permission(dice.below(5)).into();
        }
    }
}

fn rules(dice: &mut Dice) -> Rules {
    let limits = match dice.below(8) {
        0 => Limits { max_revocations: Some(0), max_changed_targets: None },
        1 => Limits { max_revocations: Some(1), max_changed_targets: None },
        2 => Limits { max_revocations: Some(2), max_changed_targets: Some(0.1) },
        _ => Limits::UNLIMITED,
    };
    Rules {
        mode: dice.pick(&[
            Mode::Enforce,
            Mode::Enforce,
            Mode::Enforce,
            Mode::Enforce,
            Mode::Enforce,
            Mode::Enforce,
            Mode::Additive,
            Mode::Additive,
            Mode::Observe,
        ]),
        ignore: vec![IgnoreRule {
            sid: Some(WildMatch::new(&format!("{IGNORED}*"))),
            principal: None,
            source_arn: None,
        }],
        remove_inexpressible: dice.percent(40),
        deny_risks: dice.pick(&[vec![], vec![Risk::P002], vec![Risk::P002, Risk::P004]]),
        limits,
        orphan_grace: Duration::from_mins(1),
        loaded_at: START,
    }
}

/// The account as it is in the beginning.
fn account(dice: &mut Dice, more: &mut Dice, wanted: &[Wanted], crowded: bool) -> Value {
    let mut functions: Vec<Value> = Vec::new();
    for name in ["f", "g"] {
        functions.push(json!({"name": name, "versions": 1, "aliases": {"live": "1"}}));
    }
    for it in wanted {
        let mut statements = live(dice, it, crowded);
        if it.writer != Writer::Statements && more.percent(if it.compact { 50 } else { 10 }) {
            statements = lists::gathered(more, it, &statements);
        }
        if statements.is_empty() || dice.percent(4) {
            continue;
        }
        let text = content::document(&statements);
        let function = functions.iter_mut().find(|of| of["name"] == it.target.function()).unwrap();
        match it.target.qualifier() {
            None => function["policy"] = json!(text),
            Some(qualifier) => function["policies"][qualifier] = json!(text),
        }
    }
    let principals: Vec<&str> = ROLES.into_iter().filter(|_| dice.percent(85)).collect();
    json!({"accounts": [{
        "id": ACCOUNT, "region": "us-east-1", "functions": functions, "principals": principals,
    }]})
}

/// What is wanted, with mutations, and what else there is.
fn live(dice: &mut Dice, wanted: &Wanted, crowded: bool) -> Vec<String> {
    let target = &wanted.target;
    let mut res: Vec<(String, String)> = Vec::new();
    let add = |res: &mut Vec<(String, String)>, sid: &str, text: String| {
        if res.iter().all(|(it, _)| it != sid) {
            res.push((sid.to_owned(), text));
        }
    };
    let faithful = dice.percent(50);
    for grant in &wanted.grants {
        let own = |sid: &str| grant.terms.statement_text(sid, target);
        let sid = grant.sid.as_str();
        match dice.below(if faithful { 30 } else { 12 }) {
            0 | 1 => {}
            2 | 3 => {
                let other = content::permission(content_number(dice, crowded));
                add(&mut res, sid, other.statement_text(sid, target));
            }
            4 => {
                let sid = dice.pick(&OTHERS);
                add(&mut res, sid, own(sid));
            }
            5 => {
                add(&mut res, sid, own(sid));
                let twin = dice.pick(&OTHERS);
                add(&mut res, twin, own(twin));
            }
            6 => add(&mut res, sid, dice.pick(&Odd::ALL).text(sid, target)),
            7 => {
                let bridge = content::bridge_sid(target, sid);
                add(&mut res, &bridge, own(&bridge));
            }
            _ => add(&mut res, sid, own(sid)),
        }
    }
    for it in &wanted.absent {
        if dice.percent(30) {
            let text = content::permission(dice.below(N_SHORT - 1)).statement_text(&it.sid, target);
            add(&mut res, &it.sid, text);
        }
    }
    for _ in 0..dice.below(3) {
        let sid = dice.pick(&OTHERS);
        let text = if dice.percent(25) {
            dice.pick(&Odd::ALL).text(sid, target)
        } else {
            content::permission(content_number(dice, crowded)).statement_text(sid, target)
        };
        add(&mut res, sid, text);
    }
    if dice.percent(10) {
        let bridge = content::bridge_sid(target, dice.pick(&SIDS));
        let text = content::permission(dice.below(N_SHORT - 1)).statement_text(&bridge, target);
        add(&mut res, &bridge, text);
    }
    // The ghost cannot stand anywhere.
    res.retain(|(_, text)| !text.contains("role/ghost"));
    if dice.percent(4)
        && let Some((sid, _)) = res.first().cloned()
    {
        let text = content::permission(dice.below(N_SHORT - 1)).statement_text(&sid, target);
        res.push((sid, text));
    }
    let mut texts: Vec<String> = res.into_iter().map(|(_, it)| it).collect();
    while content::document(&texts).len() > permitd::policy::size::LIMIT {
        texts.pop();
    }
    texts
}
