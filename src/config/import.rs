//! From live policies to a permission file that says the same.
//!
//! What comes out is proven, not hoped for: the text is read by the reader of permission files and planned against
//! the very documents that it was made from, under the settings in force and under none. A statement that would
//! drift is taken out and left foreign, with the reason, until nothing drifts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::resolve::Context;
use crate::config::write::{self, Entry, Item, on_one_line};
use crate::drift::allow::{Ownership, Rules};
use crate::policy::{
    document::Document,
    grant::Grant,
    risk::{self, Risk},
    target::Target,
    terms::Terms,
};

mod prove;
mod sort;

use prove::{Doubt, prove};

/// A policy as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Whose.
    pub target: Target,
    /// What it says.
    pub document: Document,
}

/// How it is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The defaults and the `ignore` of the settings in force.
    pub context: &'a Context,
    /// What the settings in force allow.
    pub rules: &'a Rules,
    /// `ownership: all` wherever the whole policy can be written.
    pub own_all: bool,
    /// The risks found are written as accepted, not as comments.
    pub accept_risks: bool,
    /// The moment that is planned for.
    pub now: Timestamp,
}

/// One permission file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its text; empty where no policy has a statement.
    pub text: String,
    /// What is in it.
    pub tally: Tally,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Statements that stand in the file.
    pub statements: usize,
    /// Statements that stand in comments.
    pub foreign: usize,
    /// Statements in the file by their risks, accepted or not.
    pub risks: BTreeMap<Risk, usize>,
}

impl Tally {
    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.statements += other.statements;
        self.foreign += other.foreign;
        for (risk, n) in &other.risks {
            *self.risks.entry(*risk).or_default() += n;
        }
    }
}

/// The file that was made does not say what is live, which is a mistake of permitd.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the permission file that was made does not say what is live: {0}")]
pub struct Unproven(String);

/// One policy, its statements told apart.
struct Sheet<'a> {
    live: &'a Live,
    /// By their place in the document.
    granted: Vec<(usize, Grant)>,
    /// The same, with the reason.
    foreign: Vec<(usize, String)>,
    /// Nothing but what is in the file is live.
    owns_all: bool,
}

/// Makes one file of these policies, no target twice. A policy without statements is passed over.
pub fn import(live: &[Live], options: &Options<'_>) -> Result<Imported, Unproven> {
    let mut sheets: Vec<Sheet<'_>> = live
        .iter()
        .filter(|it| !it.document.statements().is_empty())
        .map(|it| Sheet::new(it, options))
        .collect();
    sheets.sort_by_key(|it| &it.live.target);
    if sheets.is_empty() {
        return Ok(Imported { text: String::new(), tally: Tally::default() });
    }
    loop {
        let mut tally = Tally::default();
        let entries: Vec<Entry> = sheets.iter().map(|it| it.entry(options, &mut tally)).collect();
        let text = write::text(&entries).map_err(|it| Unproven(it.to_string()))?;
        let doubts = prove(&text, &sheets, options)?;
        if doubts.is_empty() {
            return Ok(Imported { text, tally });
        }
        // Each turn leaves less to be in doubt about, so there is an end to it.
        for Doubt { at, sid, why } in doubts {
            let settled = sheets.get_mut(at).is_some_and(|it| it.give_way(sid.as_deref(), &why));
            if !settled {
                let sid = sid.unwrap_or_default();
                let target = sheets.get(at).map(|it| it.live.target.arn()).unwrap_or_default();
                return Err(Unproven(format!("{why} ({sid} of {target})")));
            }
        }
    }
}

impl<'a> Sheet<'a> {
    fn new(live: &'a Live, options: &Options<'_>) -> Self {
        let (mut granted, mut foreign) = (Vec::new(), Vec::new());
        for (at, it) in live.document.statements().iter().enumerate() {
            match sort::sort(it, live, options) {
                Ok(it) => granted.push((at, it)),
                Err(why) => foreign.push((at, why)),
            }
        }
        let owns_all = options.own_all && foreign.is_empty();
        Self { live, granted, foreign, owns_all }
    }

    /// Takes out what is in doubt; false if there was nothing to take out.
    fn give_way(&mut self, sid: Option<&str>, why: &str) -> bool {
        let place = self.granted.iter().position(|(_, it)| Some(it.sid.as_str()) == sid);
        let owned = std::mem::replace(&mut self.owns_all, false);
        if let Some(place) = place {
            let (at, _) = self.granted.remove(place);
            self.foreign.push((at, why.to_owned()));
            return true;
        }
        // The same change may be in doubt twice.
        let gone = self.foreign.iter().any(|(at, _)| self.sid(*at) == sid);
        owned || (sid.is_some() && gone)
    }

    fn sid(&self, at: usize) -> Option<&'a str> {
        self.live.document.statements().get(at)?.sid()
    }

    fn entry(&self, options: &Options<'_>, tally: &mut Tally) -> Entry {
        let Live { target, document } = self.live;
        let risks = self.risks();
        let statements = self.granted.iter().map(|(at, grant)| {
            let risks = risks.get(at).map_or(&[][..], Vec::as_slice);
            for risk in risks {
                *tally.risks.entry(*risk).or_default() += 1;
            }
            let note = |it: &Risk| format!("{it}: {}", it.title());
            let (accept, above) = if options.accept_risks {
                (risks.to_vec(), Vec::new())
            } else {
                (Vec::new(), risks.iter().map(note).collect())
            };
            let grant = Grant { accept, ..grant.clone() };
            Item { grant, above }
        });
        let statements: Vec<Item> = statements.collect();
        let mut foreign: Vec<&(usize, String)> = self.foreign.iter().collect();
        foreign.sort_by_key(|(at, _)| (self.sid(*at), *at));
        let below = foreign.into_iter().filter_map(|(at, why)| {
            let json = on_one_line(document.statements().get(*at)?.text());
            Some(format!("Not in this file, and left as it is, for {why}:\n{json}"))
        });
        let below: Vec<String> = below.collect();
        tally.statements += statements.len();
        tally.foreign += below.len();
        let mut above = Vec::new();
        let ownership = match (options.own_all, self.owns_all) {
            (true, true) => Some(Ownership::All),
            (true, false) => {
                above.push("Not `ownership: all`: some of it cannot stand in this file".to_owned());
                Some(Ownership::Declared)
            }
            // Where the settings own more than what is written, what is left foreign would be theirs.
            (false, _) if options.context.ownership != Ownership::Declared => {
                Some(Ownership::Declared)
            }
            (false, _) => None,
        };
        // The file is to say the same wherever it is read.
        let is_wide = self.granted.iter().any(|(_, it)| matches!(it.terms, Terms::Wide(_)));
        Entry {
            account: Some(target.account().to_owned()),
            region: Some(target.region().to_owned()),
            function: target.function().to_owned(),
            qualifier: target.qualifier().map(str::to_owned),
            ownership,
            writer: is_wide.then_some(options.context.writer),
            absent: Vec::new(),
            statements,
            above,
            below,
        }
    }

    /// By place: what the file shows of risks, and what the whole policy does.
    fn risks(&self) -> BTreeMap<usize, Vec<Risk>> {
        let Live { target, document } = self.live;
        let of_file = risk::of_grants(self.granted.iter().map(|(_, it)| it));
        let mut res: BTreeMap<usize, Vec<Risk>> =
            risk::of_document(document, target).into_iter().collect();
        for (at, grant) in &self.granted {
            let risks = res.entry(*at).or_default();
            risks.extend(of_file.get(&grant.sid).into_iter().flatten());
            risks.sort_unstable();
            risks.dedup();
        }
        res
    }
}

#[cfg(test)]
mod tests;
