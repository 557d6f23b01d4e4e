//! What was found, as entries of a permission file.

use std::collections::{BTreeMap, BTreeSet};

use super::{Declared, Found, FunctionRef, NOBODY, Remark, SOMEWHERE};
use crate::config::diagnostic::{File, Files, render_all};
use crate::config::import::Tally;
use crate::config::permissions;
use crate::config::resolve::{self, Context};
use crate::config::write::{Entry, Item, comment};
use crate::drift::allow::Ownership;
use crate::policy::grant::Grant;
use crate::policy::risk::{self, Risk};
use crate::policy::target::{Defaults, Target};

/// How it is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The defaults and the `ignore` of the settings in force.
    pub context: &'a Context,
    /// `ownership: all` for every entry, unless something is left that it would take away.
    pub own_all: bool,
    /// The risks found are written as accepted, not as comments.
    pub accept_risks: bool,
}

/// Entries to write, and what has to be said beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// One for each function, alias or version.
    pub entries: Vec<Entry>,
    /// What could not be taken.
    pub left: Vec<Remark>,
    /// What somebody should know besides.
    pub notes: Vec<Remark>,
    /// What was counted; what was left is `foreign`.
    pub tally: Tally,
    /// At least one Sid is a logical id, and not the live one.
    pub sids_are_made_up: bool,
    /// What `ownership` the entries have.
    ownership: Option<Ownership>,
    /// All of it was asked for, and not given.
    gives_way: bool,
}

impl Entries {
    /// Puts together what was found; what the settings in force ignore is left, for no file may ask for it.
    pub fn new(found: Found, options: &Options<'_>) -> Self {
        let Found { permissions, left, notes } = found;
        let mut res = Self { left, notes, ..Self::default() };
        let mut targets: BTreeMap<FunctionRef, Vec<Declared>> = BTreeMap::new();
        for it in permissions {
            if is_ignored(&it, options.context) {
                let Declared { address, grant: Grant { source, .. }, .. } = it;
                let text = "the settings ignore it".to_owned();
                res.left.push(Remark { address, source, text });
                continue;
            }
            res.sids_are_made_up |= it.sid_is_made_up;
            targets.entry(it.function.clone()).or_default().push(it);
        }
        res.left.sort_by(|a, b| a.source.cmp(&b.source));
        res.ownership = if options.own_all && res.left.is_empty() {
            Some(Ownership::All)
        } else if options.own_all || options.context.ownership != Ownership::Declared {
            // Where the settings own more than what is written, everything else would be theirs.
            Some(Ownership::Declared)
        } else {
            None
        };
        res.gives_way = options.own_all && !res.left.is_empty();
        for (function, declared) in targets {
            let entry = res.entry(function, declared, options);
            res.entries.push(entry);
        }
        res.tally.foreign = res.left.len();
        res
    }

    fn entry(
        &mut self,
        function: FunctionRef,
        declared: Vec<Declared>,
        options: &Options<'_>,
    ) -> Entry {
        let mut risks = risk::of_grants(declared.iter().map(|it| &it.grant));
        let mut statements = Vec::with_capacity(declared.len());
        for Declared { address, function: _, mut grant, sid_is_made_up: _ } in declared {
            let risks = risks.remove(&grant.sid).unwrap_or_default();
            for risk in &risks {
                *self.tally.risks.entry(*risk).or_default() += 1;
            }
            let mut above = Vec::new();
            if address != grant.sid {
                above.push(address);
            }
            if options.accept_risks {
                grant.accept = risks;
            } else {
                let note = |it: &Risk| format!("{it}: {}", it.title());
                above.extend(risks.iter().map(note));
            }
            statements.push(Item { grant, above });
        }
        self.tally.statements += statements.len();
        let ownership = self.ownership.clone();
        let FunctionRef { account, region, name, qualifier } = function;
        Entry {
            account,
            region,
            function: name,
            qualifier,
            ownership,
            statements,
            ..Entry::default()
        }
    }

    /// Comments for the head of the only file: where it is from, and what is not in it. `what` names the files
    /// of the other tool.
    pub fn header(&self, what: &str) -> String {
        let mut res = self.short_header(what);
        if !self.left.is_empty() {
            res += &comment("\nNot in this file:\n");
            for it in &self.left {
                res += &comment(&format!("- {it}"));
            }
        }
        if self.gives_way {
            res +=
                &comment("Hence not `ownership: all`, which would take away what is live of them.");
        }
        if !self.notes.is_empty() {
            res += &comment("\nNote:\n");
            for it in &self.notes {
                res += &comment(&format!("- {it}"));
            }
        }
        res
    }

    /// Comments for the head of one file of several: what holds for all that is in it.
    pub fn short_header(&self, what: &str) -> String {
        let mut res = comment(&format!("From {what}.\n"));
        if self.sids_are_made_up {
            res += &comment(MADE_UP);
            res += &comment(if self.ownership == Some(Ownership::All) { RENAMED } else { MISSING });
            res += &comment(INSTEAD);
        }
        res
    }

    /// The accounts and regions that nobody knows yet: whoever reads the file has to say them.
    pub fn lacks(&self) -> BTreeSet<&'static str> {
        let account = self.entries.iter().any(|it| it.account.is_none()).then_some("account");
        let region = self.entries.iter().any(|it| it.region.is_none()).then_some("region");
        account.into_iter().chain(region).collect()
    }
}

/// How many statements a text has for whoever reads it as a permission file, or all that is wrong with it.
pub fn grants_of(text: &str, context: &Context) -> Result<usize, String> {
    let file = File::new("permissions.yaml", text.to_owned());
    let files = Files { files: vec![file], diagnostics: Vec::new() };
    // Who reads the file knows an account and a region; which ones does not matter here.
    let defaults =
        Defaults { account: Some(NOBODY.to_owned()), region: Some(SOMEWHERE.to_owned()) };
    let context = Context { defaults, ..context.clone() };
    let loaded = resolve::resolve(permissions::parse(&files), &context);
    let loaded = loaded.map_err(|it| render_all(&it, false))?;
    Ok(loaded.wanted.iter().map(|it| it.grants.len()).sum())
}

/// What a plan makes of Sids that are not the live ones: the table at the head of `src/drift/diff.rs`.
const MADE_UP: &str = "
The Sids are logical ids. The live ones end in a suffix that CloudFormation made, which no template tells.";
const MISSING: &str = "\
So a plan shows these permissions as missing: `permitd apply` adds each a second time, and leaves the statement of
CloudFormation as it is.";
const RENAMED: &str = "\
So a plan shows these permissions as renamed: with `ownership: all`, `permitd apply` takes the statements of
CloudFormation away in exchange, and the stack does not know.";
const INSTEAD: &str = "\
To keep the live statements, say what each is called with `--parameter LOGICAL_ID=SID`, or take them from Lambda
with `permitd import --function NAME`.";

fn is_ignored(declared: &Declared, context: &Context) -> bool {
    let FunctionRef { account, region, name, qualifier } = &declared.function;
    let defaults = Defaults {
        account: Some(account.clone().unwrap_or_else(|| NOBODY.to_owned())),
        region: Some(region.clone().unwrap_or_else(|| SOMEWHERE.to_owned())),
    };
    // It was a target when it was checked.
    let Ok(target) = Target::parse(name, qualifier.as_deref(), &defaults) else { return false };
    context.ignore.iter().any(|it| resolve::matches(it, &declared.grant, &target))
}

#[cfg(test)]
mod tests;
