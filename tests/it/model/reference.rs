//! What should become of a policy, statement by statement: a truth table that knows nothing of how it is done.

use jiff::Timestamp;
use permitd::drift::{
    allow::{Mode, Ownership, Rules, Writer},
    wanted::Wanted,
};
use permitd::policy::{
    grant::Grant,
    risk,
    size::LIMIT,
    statement::{Class, Statement},
    terms::Terms,
};

use super::{
    case::IGNORED,
    content::{self, REFUSED, ROLES},
    documents::has_a_sid_twice,
};

/// What one live statement is to the files.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role<'a> {
    /// As wanted, under its own Sid.
    Stands,
    /// Under the Sid of a grant, and something else.
    Changed(&'a Grant),
    /// Under the Sid of a grant, and its principal was deleted.
    OrphanOf(&'a Grant),
    Expired,
    Absent,
    /// A bridge of ours, for this Sid.
    Leftover(&'a str),
    Orphan,
    /// Ours, and says what this grant says.
    Twin(&'a Grant),
    Unmanaged,
    /// None of our business, or nothing that can be done: foreign, ignored, and statement by statement also without
    /// a Sid, or one Sid twice.
    Untouchable,
}

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Stays,
    Goes,
    /// Both is right.
    Either,
}

/// What one target should become.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// In the order of the statements.
    pub(crate) statements: Vec<Fate>,
    /// In the order of the grants: `Stays` is that it stands in the end.
    pub(crate) grants: Vec<Fate>,
    /// It is crowded, so that not everything fits: nothing is compared.
    pub(crate) weak: bool,
    /// What a document begins with may have been left.
    pub(crate) seed: bool,
}

pub(crate) fn is_live(grant: &Grant, now: Timestamp) -> bool {
    grant.expires.is_none_or(|it| now < it)
}

pub(crate) fn live_grants(wanted: &Wanted, now: Timestamp) -> impl Iterator<Item = &Grant> {
    wanted.grants.iter().filter(move |it| is_live(it, now))
}

fn owns(wanted: &Wanted, sid: &str) -> bool {
    match &wanted.ownership {
        Ownership::All => true,
        Ownership::Prefix(prefix) => sid.starts_with(prefix.as_str()),
        Ownership::Declared => false,
    }
}

/// The Sid that a bridge was made for.
fn leftover<'a>(wanted: &'a Wanted, sid: &'a str) -> Option<&'a str> {
    let granted = wanted.grants.iter().map(|it| it.sid.as_str());
    let absent = wanted.absent.iter().map(|it| it.sid.as_str());
    let base = sid.rsplit_once("-permitd-").map(|(it, _)| it).filter(|it| owns(wanted, it));
    let mut of = granted.chain(absent).chain(base);
    of.find(|it| content::bridge_sid(&wanted.target, it) == sid)
}

pub(crate) fn role<'a>(
    wanted: &'a Wanted,
    statements: &'a [Statement],
    at: usize,
    wholly: bool,
    now: Timestamp,
) -> Role<'a> {
    let it = &statements[at];
    let sid = match (it.class(), it.sid()) {
        (Class::Fixed(_), sid) if wholly => {
            let sid = sid.unwrap_or_default();
            let ours = owns(wanted, sid) && !sid.starts_with(IGNORED);
            return if ours { Role::Unmanaged } else { Role::Untouchable };
        }
        (Class::Fixed(_), _) | (_, None) => return Role::Untouchable,
        (_, Some(sid)) => sid,
    };
    let orphaned = matches!(it.class(), Class::Orphaned(_));
    let twice = statements.iter().filter(|it| it.sid() == Some(sid)).count() > 1;
    if twice && !wholly {
        return Role::Untouchable;
    }
    if let Some(grant) = wanted.grants.iter().find(|it| it.sid == sid) {
        return match is_live(grant, now) {
            false => Role::Expired,
            true if it.says(&grant.terms) => Role::Stands,
            true if orphaned => Role::OrphanOf(grant),
            true => Role::Changed(grant),
        };
    }
    if wanted.absent.iter().any(|it| it.sid == sid) {
        return Role::Absent;
    }
    if let Some(of) = leftover(wanted, sid) {
        return Role::Leftover(of);
    }
    let listed = it.listed_in().is_some();
    if sid.starts_with(IGNORED) || !(listed || owns(wanted, sid)) {
        return Role::Untouchable;
    }
    if orphaned {
        return Role::Orphan;
    }
    match live_grants(wanted, now).find(|grant| it.says(&grant.terms)) {
        Some(grant) => Role::Twin(grant),
        None => Role::Unmanaged,
    }
}

/// Lambda refuses it.
fn is_refused(grant: &Grant, principals: &[String]) -> bool {
    let gone = |who: &&str| ROLES.contains(who) && !principals.iter().any(|it| it == who);
    grant.terms == content::permission(REFUSED).into() || grant.terms.principals().iter().any(gone)
}

/// Statement by statement it cannot be said.
fn is_wide(grant: &Grant) -> bool {
    grant.terms.plain().is_none()
}

/// Putting it right takes access away.
pub(crate) fn takes_away(role: Role<'_>, it: &Statement) -> bool {
    match role {
        Role::Changed(grant) => grant.terms.denies() || !it.denies(),
        Role::OrphanOf(grant) => grant.terms.denies(),
        Role::Expired | Role::Absent | Role::Unmanaged => !it.denies(),
        Role::Stands | Role::Leftover(_) | Role::Orphan | Role::Twin(_) | Role::Untouchable => {
            false
        }
    }
}

/// The settings deny one of its risks, and its statement does not accept it.
pub(crate) fn is_denied(grant: &Grant, rules: &Rules) -> bool {
    risk::of_terms(&grant.terms)
        .iter()
        .any(|it| rules.deny_risks.contains(it) && !grant.accept.contains(it))
}

pub(crate) fn allows(it: &Statement) -> bool {
    !it.denies() && !it.blocks_adding()
}

/// Taking it away for what is wanted takes access away, and the limits are asked.
pub(crate) fn narrows(
    wanted: &Wanted,
    statements: &[Statement],
    at: usize,
    wholly: bool,
    rules: &Rules,
    now: Timestamp,
) -> bool {
    let it = &statements[at];
    let ran_out = || {
        let grant = wanted.grants.iter().find(|of| it.sid() == Some(of.sid.as_str()));
        grant.and_then(|it| it.expires).is_some_and(|it| it > rules.loaded_at)
    };
    match role(wanted, statements, at, wholly, now) {
        role if !takes_away(role, it) => false,
        Role::Changed(grant) => {
            let bridge = content::bridge_sid(&wanted.target, &grant.sid);
            let is_begun =
                |it: &Statement| it.sid() == Some(bridge.as_str()) && it.says(&grant.terms);
            !statements.iter().any(is_begun)
        }
        Role::Expired => !ran_out(),
        Role::Absent | Role::Unmanaged | Role::OrphanOf(_) => true,
        Role::Stands | Role::Leftover(_) | Role::Orphan | Role::Twin(_) | Role::Untouchable => {
            false
        }
    }
}

/// Grants whose coming takes access away: a Deny that nothing says yet.
pub(crate) fn narrowing_grants<'a>(
    wanted: &'a Wanted,
    statements: &[Statement],
    now: Timestamp,
) -> impl Iterator<Item = usize> + use<'a> {
    let comes = |grant: &Grant| {
        let own = |it: &Statement| it.sid() == Some(grant.sid.as_str());
        grant.terms.denies() && is_live(grant, now) && !statements.iter().any(own)
    };
    let all: Vec<usize> =
        (0..wanted.grants.len()).filter(|at| comes(&wanted.grants[*at])).collect();
    all.into_iter()
}

/// What holds for all targets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) principals: &'a [String],
    /// Lambda takes whole documents.
    pub(crate) puts: bool,
    /// A limit is passed.
    pub(crate) no_narrowing: bool,
    pub(crate) now: Timestamp,
}

/// What a target should become, by its writer. The statements are as the files see them.
pub(crate) fn expected(
    wanted: &Wanted,
    statements: &[Statement],
    untouched: bool,
    about: Circumstances<'_>,
) -> Expected {
    let table = |wholly| by_table(wanted, statements, untouched, about, wholly);
    let (singly, wholly) = (table(false), table(true));
    let blocked = |fate: Fate| {
        let blocks = |(it, is): (&Statement, &Fate)| it.blocks_adding() && *is == fate;
        statements.iter().zip(&wholly.statements).any(blocks)
    };
    match (wanted.writer, about.puts) {
        (Writer::Statements, _) | (Writer::Auto, false) => singly,
        // Nothing is put with such a statement in it; what goes can go by itself.
        (Writer::Document, true) if blocked(Fate::Either) => Expected { weak: true, ..wholly },
        (Writer::Document, true) if blocked(Fate::Stays) => either(&singly, &wholly),
        (Writer::Document, true) => wholly,
        (Writer::Auto, true) => either(&singly, &wholly),
        (Writer::Document, false) => Expected {
            statements: wholly.statements.into_iter().map(Fate::perhaps_stays).collect(),
            grants: wholly.grants.into_iter().map(Fate::perhaps_goes).collect(),
            weak: wholly.weak,
            seed: true,
        },
    }
}

impl Fate {
    fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Either }
    }

    fn perhaps_stays(self) -> Self {
        if self == Self::Goes { Self::Either } else { self }
    }

    fn perhaps_goes(self) -> Self {
        if self == Self::Stays { Self::Either } else { self }
    }
}

/// One or the other; what both say is sure.
fn either(one: &Expected, other: &Expected) -> Expected {
    let both = |one: &[Fate], other: &[Fate]| -> Vec<Fate> {
        one.iter().zip(other).map(|(one, other)| one.or(*other)).collect()
    };
    Expected {
        statements: both(&one.statements, &other.statements),
        grants: both(&one.grants, &other.grants),
        weak: one.weak || other.weak,
        seed: one.seed || other.seed,
    }
}

/// The table. `wholly`: by writes of the whole document.
fn by_table(
    wanted: &Wanted,
    statements: &[Statement],
    untouched: bool,
    about: Circumstances<'_>,
    wholly: bool,
) -> Expected {
    let Circumstances { rules, principals, puts: _, no_narrowing, now } = about;
    let stands = |grant: &Grant| {
        let own = |it: &Statement| it.sid() == Some(grant.sid.as_str());
        statements.iter().any(|it| own(it) && it.says(&grant.terms))
    };
    if untouched || rules.mode == Mode::Observe {
        let there = |it| if stands(it) { Fate::Stays } else { Fate::Goes };
        return Expected {
            statements: vec![Fate::Stays; statements.len()],
            grants: wanted.grants.iter().map(there).collect(),
            weak: false,
            seed: false,
        };
    }
    let table = Table { wanted, statements, rules, principals, no_narrowing, wholly, now };
    let narrowing: Vec<usize> = narrowing_grants(wanted, statements, now).collect();
    let held = no_narrowing || rules.mode == Mode::Additive;
    let mut fates: Vec<Fate> = (0..statements.len()).map(|at| table.fate(at, false)).collect();
    let blocked = (0..statements.len()).any(|at| table.blocks(at, fates[at]));
    if blocked {
        fates = (0..statements.len()).map(|at| table.fate(at, true)).collect();
    }
    wait_for_each_other(statements, &mut fates);
    let grant_fate = |fates: &[Fate], grant: &Grant| {
        let place = statements.iter().position(|it| it.sid() == Some(grant.sid.as_str()));
        let narrows = narrowing.iter().any(|at| wanted.grants[*at].sid == grant.sid);
        let risky = is_denied(grant, rules);
        let begun = table.is_begun(grant);
        match place.map(|it| fates[it]) {
            // Its statement's own fate says it.
            _ if !is_live(grant, now) => Fate::Either,
            _ if stands(grant) => Fate::Stays,
            _ if is_wide(grant) && !wholly => Fate::Goes,
            // It may stand elsewhere, and only get another name.
            None if narrows && statements.iter().any(|it| it.says(&grant.terms)) => Fate::Either,
            None if narrows && held => Fate::Goes,
            Some(Fate::Stays) => Fate::Goes,
            Some(Fate::Either) if !blocked => Fate::Either,
            _ if blocked || is_refused(grant, principals) => Fate::Goes,
            _ if risky && begun => Fate::Either,
            _ if risky => Fate::Goes,
            Some(Fate::Goes | Fate::Either) | None => Fate::Stays,
        }
    };
    let mut grants: Vec<Fate> = wanted.grants.iter().map(|it| grant_fate(&fates, it)).collect();
    // Somebody has to say yes to nothing being allowed any more.
    let last_bridge = |at: usize| matches!(table.role(at), Role::Leftover(of) if table.is_last(of));
    let stays = |at: usize| fates[at] != Fate::Goes && !last_bridge(at);
    let kept = (0..statements.len()).any(|at| allows(&statements[at]) && stays(at));
    let comes = wanted
        .grants
        .iter()
        .zip(&grants)
        .any(|(it, fate)| is_live(it, now) && !it.terms.denies() && *fate != Fate::Goes);
    if !kept && !comes {
        for (at, it) in statements.iter().enumerate() {
            let bridge = matches!(
                table.role(at),
                Role::Leftover(of) if !live_grants(wanted, now).any(|it| it.sid == of)
            );
            if allows(it) && narrows(wanted, statements, at, wholly, rules, now) {
                fates[at] = Fate::Stays;
            } else if allows(it) && bridge {
                // It goes first, while what is refused later still seems to come.
                fates[at] = Fate::Either;
            }
        }
        grants = wanted.grants.iter().map(|it| grant_fate(&fates, it)).collect();
    }
    if wanted.compact && wholly {
        share(wanted, &mut grants, now);
    }
    let text = |(it, fate): (&Grant, &Fate)| match fate {
        Fate::Stays if !stands(it) => it.terms.statement_text(&it.sid, &wanted.target),
        Fate::Stays | Fate::Goes | Fate::Either => String::new(),
    };
    let new: usize = wanted.grants.iter().zip(&grants).map(text).map(|it| it.len() + 1).sum();
    let left = statements.iter().zip(&fates).filter(|(_, fate)| **fate != Fate::Goes);
    let finally = content::size(left.map(|(it, _)| it.text())) + new + 60;
    let all = content::size(statements.iter().map(Statement::text)) + new + 60;
    let elsewhere =
        |grant: &Grant| !stands(grant) && statements.iter().any(|it| it.says(&grant.terms));
    let stuck = held || live_grants(wanted, now).any(elsewhere);
    let twice = wholly && (has_a_sid_twice(statements) || is_taken(wanted, statements));
    let weak = twice || finally > LIMIT || (all > LIMIT && stuck && !wholly);
    Expected { statements: fates, grants, weak, seed: false }
}

/// A member of a list that is said for two goes when both are through.
fn wait_for_each_other(statements: &[Statement], fates: &mut [Fate]) {
    for at in 0..statements.len() {
        let same = |of: usize| {
            let (it, other) = (&statements[at], &statements[of]);
            it.listed_in().is_some()
                && it.listed_in() == other.listed_in()
                && it.permission() == other.permission()
        };
        let waits = (0..fates.len()).any(|of| same(of) && fates[of] != Fate::Goes);
        if fates[at] == Fate::Goes && waits {
            fates[at] = Fate::Either;
        }
    }
}

/// What a list says for one grant it says for all that want the same.
fn share(wanted: &Wanted, grants: &mut [Fate], now: Timestamp) {
    let comes = |terms: &Terms| {
        let mut all = wanted.grants.iter().zip(grants.iter());
        all.any(|(of, fate)| of.terms == *terms && is_live(of, now) && *fate != Fate::Goes)
    };
    let said: Vec<bool> = wanted.grants.iter().map(|it| comes(&it.terms)).collect();
    for (fate, said) in grants.iter_mut().zip(said) {
        *fate = if said && *fate == Fate::Goes { Fate::Either } else { *fate };
    }
}

/// Somebody made something else of a list of ours, and it has the Sid that the list would have.
fn is_taken(wanted: &Wanted, statements: &[Statement]) -> bool {
    let other = |it: &Statement| {
        it.listed_in().is_none() && it.sid().is_some_and(|it| it.contains("compact-permitd-"))
    };
    wanted.compact && statements.iter().any(other)
}

struct Table<'a> {
    wanted: &'a Wanted,
    statements: &'a [Statement],
    rules: &'a Rules,
    principals: &'a [String],
    no_narrowing: bool,
    /// By writes of the whole document.
    wholly: bool,
    now: Timestamp,
}

impl<'a> Table<'a> {
    fn role(&self, at: usize) -> Role<'a> {
        role(self.wanted, self.statements, at, self.wholly, self.now)
    }

    /// Only a write of the whole document can say it, and there is none.
    fn is_beyond(&self, grant: &Grant) -> bool {
        is_wide(grant) && !self.wholly
    }

    /// It may not be taken away, whatever else is asked for.
    fn is_kept(&self, at: usize) -> bool {
        let Self { wanted, statements, rules, no_narrowing, now, .. } = *self;
        let it = &statements[at];
        let role = self.role(at);
        let granted = wanted.grants.iter().any(|of| it.sid() == Some(of.sid.as_str()));
        let odd = match it.class() {
            Class::Inexpressible(_) => !(self.wholly && granted),
            Class::Fixed(_) => true,
            Class::Expressible(_) | Class::Orphaned(_) => false,
        };
        let asked = match role {
            Role::Changed(grant) | Role::OrphanOf(grant) => grant.terms.denies(),
            Role::Unmanaged | Role::Leftover(_) => false,
            Role::Stands
            | Role::Expired
            | Role::Absent
            | Role::Orphan
            | Role::Twin(_)
            | Role::Untouchable => true,
        };
        let held = narrows(wanted, statements, at, self.wholly, rules, now) && no_narrowing;
        let additive = rules.mode == Mode::Additive && takes_away(role, it);
        let listed = it.listed_in().is_some() && !self.wholly;
        (odd && !rules.remove_inexpressible)
            || (it.denies() && !asked)
            || held
            || additive
            || listed
    }

    fn is_begun(&self, grant: &Grant) -> bool {
        let bridge = content::bridge_sid(&self.wanted.target, &grant.sid);
        let is_it = |it: &Statement| it.sid() == Some(bridge.as_str());
        self.statements.iter().any(|it| is_it(it) && it.says(&grant.terms))
    }

    /// Nothing but a bridge whose grant has left the files is sure to be allowed in the end: then it may be held
    /// as the last Allow.
    fn is_last(&self, of: &str) -> bool {
        let Self { wanted, statements, now, .. } = *self;
        let sure = |at: usize| {
            let role = self.role(at);
            allows(&statements[at]) && matches!(role, Role::Untouchable | Role::Stands)
        };
        !live_grants(wanted, now).any(|it| it.sid == of) && !(0..statements.len()).any(sure)
    }

    fn blocks(&self, at: usize, fate: Fate) -> bool {
        let it = &self.statements[at];
        let replaced = matches!(self.role(at), Role::Changed(_)) && !self.wholly;
        it.blocks_adding() && (fate == Fate::Stays || replaced)
    }

    fn fate(&self, at: usize, blocked: bool) -> Fate {
        self.fate_in(at, blocked, 3)
    }

    /// Whether something stays may hang on others that stay; `depth` ends a circle.
    #[expect(clippy::match_same_arms, reason = "a table is read from above")]
    fn fate_in(&self, at: usize, blocked: bool, depth: u32) -> Fate {
        let Self { wanted, statements, rules, principals, now, .. } = *self;
        let it = &statements[at];
        let it_stands = |grant: &Grant| {
            let own = |it: &&Statement| it.sid() == Some(grant.sid.as_str());
            statements.iter().filter(own).any(|it| it.says(&grant.terms))
        };
        let role = self.role(at);
        let renamed = |grant: &Grant| self.wholly && !it_stands(grant);
        let stuck = |grant: &Grant| {
            let own = statements.iter().position(|it| it.sid() == Some(grant.sid.as_str()));
            let stays = own.is_some_and(|own| {
                own != at
                    && depth > 0
                    && !it_stands(grant)
                    && self.fate_in(own, blocked, depth - 1) != Fate::Goes
            });
            blocked
                || stays
                || self.is_beyond(grant)
                || is_denied(grant, rules)
                || is_refused(grant, principals)
        };
        // What cannot be granted may stay where it is said.
        let needed = |of: &str| {
            let mut same = live_grants(wanted, now).filter(|grant| it.says(&grant.terms));
            same.any(|grant| (!of.is_empty() && grant.sid != of) || stuck(grant))
        };
        match role {
            Role::Untouchable | Role::Stands => Fate::Stays,
            // What only has to be called otherwise is said in the files.
            Role::Twin(grant) if self.is_kept(at) && renamed(grant) => Fate::Either,
            _ if self.is_kept(at) => Fate::Stays,
            Role::Changed(_) if blocked => Fate::Stays,
            Role::Changed(grant) | Role::OrphanOf(grant) if self.is_beyond(grant) => Fate::Stays,
            Role::Changed(grant) if is_refused(grant, principals) => Fate::Stays,
            Role::Changed(grant) if is_denied(grant, rules) && self.is_begun(grant) => Fate::Either,
            Role::Changed(grant) if is_denied(grant, rules) => Fate::Stays,
            Role::Changed(_) if needed("") => Fate::Either,
            Role::Changed(_) => Fate::Goes,
            Role::OrphanOf(grant) if is_denied(grant, rules) => Fate::Stays,
            // It lets nobody in, and goes if what blocks had seemed to go too.
            Role::OrphanOf(_) if blocked => Fate::Either,
            Role::OrphanOf(_) | Role::Orphan => Fate::Goes,
            Role::Leftover(of) if needed(of) || self.is_last(of) => Fate::Either,
            Role::Leftover(_) => Fate::Goes,
            Role::Twin(grant) if stuck(grant) => Fate::Either,
            Role::Twin(_) => Fate::Goes,
            Role::Expired | Role::Absent if needed("") => Fate::Either,
            Role::Expired | Role::Absent | Role::Unmanaged => Fate::Goes,
        }
    }
}

/// What a policy has become, against what it should have become. Every difference in words.
pub(crate) fn compare(
    wanted: &Wanted,
    before: &[Statement],
    expected: &Expected,
    after: &[Statement],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = |it: &Statement| it.sid().unwrap_or("(no Sid)").to_owned();
    let has = |of: &[Statement], it: &Statement| of.iter().any(|other| other.text() == it.text());
    for (it, fate) in before.iter().zip(&expected.statements) {
        match (fate, has(after, it)) {
            (Fate::Stays, false) => wrong.push(format!("{} is gone or changed", name(it))),
            (Fate::Goes, true) => wrong.push(format!("{} is still there", name(it))),
            (Fate::Stays | Fate::Either, true) | (Fate::Goes | Fate::Either, false) => {}
        }
    }
    let is_grant = |grant: &Grant, it: &Statement| {
        it.sid() == Some(grant.sid.as_str()) && it.says(&grant.terms)
    };
    for (grant, fate) in wanted.grants.iter().zip(&expected.grants) {
        let stands = after.iter().any(|it| is_grant(grant, it));
        match (fate, stands) {
            (Fate::Stays, false) => wrong.push(format!("{} is not granted", grant.sid)),
            (Fate::Goes, true) => wrong.push(format!("{} is granted", grant.sid)),
            (Fate::Stays | Fate::Either, true) | (Fate::Goes | Fate::Either, false) => {}
        }
    }
    for it in after {
        let granted = wanted.grants.iter().any(|grant| is_grant(grant, it));
        let seed = expected.seed && it.permission().is_some_and(content::is_seed);
        if !granted && !seed && !has(before, it) {
            wrong.push(format!("{} came from nowhere", name(it)));
        }
    }
    wrong
}
