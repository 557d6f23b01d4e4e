//! Rules for many functions: which targets a rule covers, and what has to be listed to know it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wildmatch::WildMatch;

use super::Context;
use super::findings::Findings;
use super::homes::homes;
use crate::config::permissions::{Match, Parsed, UNQUALIFIED};
use crate::drift::allow::Ownership;
use crate::policy::inventory::Function;
use crate::policy::source::Source;
use crate::policy::target::{AccountRegion, Defaults, Target, partition_of};

/// What has to be listed, by account and region. A place that is not in it needs nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// In each of these the functions are needed, and of some of them more.
    pub places: BTreeMap<AccountRegion, Listing>,
}

/// What the rules of one place need to know about its functions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    rules: Vec<Matcher>,
}

/// A rule and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleUse {
    /// Where it stands.
    pub source: Source,
    /// As people call it: `name: orders-*, tags: team=payments`.
    pub text: Arc<str>,
    /// Where it looks for functions.
    pub places: Vec<AccountRegion>,
    /// How many policies it covers now.
    pub n_targets: usize,
    /// Of `places`, those of which it is not known what it covers there.
    pub not_listed: Vec<AccountRegion>,
    /// The ARNs that it may cover, with `*` and `?`, as IAM has them.
    pub arns: Vec<String>,
    /// It has tags, aliases, versions to ask for.
    pub asks: Asks,
    /// What it may write.
    pub writes: Writes,
}

/// What a rule asks for besides the names of functions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asks {
    /// ListTags.
    pub tags: bool,
    /// ListAliases.
    pub aliases: bool,
    /// ListVersionsByFunction.
    pub versions: bool,
}

/// What a rule may write where it covers something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Writes {
    /// It grants something.
    pub adds: bool,
    /// It has something to take back.
    pub removes: bool,
    /// It only watches.
    pub suspended: bool,
    /// By writes of the whole document.
    pub documents: bool,
}

/// A rule, ready to be asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matcher {
    name: Option<WildMatch>,
    tags: Vec<(String, WildMatch)>,
    qualifiers: Vec<Qualifier>,
    /// Over the name, and over the qualifier where there is one.
    except: Vec<(WildMatch, Option<Qualifier>)>,
    pub(super) text: Arc<str>,
}

#[derive(Debug, Clone, PartialEq)]
enum Qualifier {
    Unqualified,
    Glob { glob: WildMatch, of_aliases: bool, of_versions: bool },
}

/// What a rule covers in one place.
#[derive(Debug, Default)]
pub(super) struct Covered {
    pub targets: Vec<Target>,
    /// Nothing that it asks for was missing.
    pub complete: bool,
}

/// What the rules of these files need to have listed.
pub fn needs(parsed: &Parsed<'_>, context: &Context) -> Needs {
    let mut res = Needs::default();
    for document in &parsed.documents {
        let rules = document.entries.iter().filter_map(|it| it.rule.as_ref()).filter(|it| !it.bad);
        let rules: Vec<Matcher> = rules.map(Matcher::new).collect();
        if rules.is_empty() {
            continue;
        }
        let mut nobody_reads_this = Findings::default();
        for home in homes(document, &context.defaults, &context.places, &mut nobody_reads_this) {
            if let Some(place) = place_of(&home) {
                let listing = res.places.entry(place).or_default();
                listing.rules.extend(rules.iter().cloned());
            }
        }
    }
    res
}

/// Where both are known.
pub(super) fn place_of(home: &Defaults) -> Option<AccountRegion> {
    let Defaults { account, region } = home.clone();
    Some(AccountRegion { account: account?, region: region? })
}

impl Needs {
    /// No rule asks for anything.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

impl Listing {
    /// Some rule needs the tags of the function of this name.
    pub fn needs_tags(&self, name: &str) -> bool {
        self.rules.iter().any(|it| !it.tags.is_empty() && it.may_cover(name))
    }

    /// Some rule needs the aliases of this function. Where its tags are known, rules that they rule out do not.
    pub fn needs_aliases(&self, function: &Function) -> bool {
        self.rules.iter().any(|it| it.asks().aliases && it.may_cover_all_of(function))
    }

    /// Some rule needs the versions of this function. Where its tags are known, rules that they rule out do not.
    pub fn needs_versions(&self, function: &Function) -> bool {
        self.rules.iter().any(|it| it.asks().versions && it.may_cover_all_of(function))
    }

    /// What is needed of some function.
    pub fn asks(&self) -> Asks {
        let of = |which: fn(Asks) -> bool| self.rules.iter().any(|it| which(it.asks()));
        Asks {
            tags: of(|it| it.tags),
            aliases: of(|it| it.aliases),
            versions: of(|it| it.versions),
        }
    }
}

impl Matcher {
    pub(super) fn new(rule: &Match<'_>) -> Self {
        let Match { name, tags, qualifiers, except, spot: _, bad: _ } = rule;
        let mut of_rule: Vec<Qualifier> = qualifiers.iter().map(|it| qualifier(&it.text)).collect();
        if of_rule.is_empty() {
            of_rule.push(Qualifier::Unqualified);
        }
        let excepted = |text: &str| match text.split_once(':') {
            Some((name, it)) => (WildMatch::new(name), Some(qualifier(it))),
            None => (WildMatch::new(text), None),
        };
        Self {
            name: name.as_ref().map(|it| WildMatch::new(&it.text)),
            tags: tags.iter().map(|(key, it)| (key.clone(), WildMatch::new(&it.text))).collect(),
            qualifiers: of_rule,
            except: except.iter().map(|it| excepted(&it.text)).collect(),
            text: text_of(rule),
        }
    }

    /// What it covers among these functions.
    pub(super) fn covers(&self, home: &Defaults, functions: &[Function]) -> Covered {
        let mut res = Covered { complete: true, ..Covered::default() };
        for function in functions.iter().filter(|it| self.may_cover(&it.name)) {
            match self.fits_tags(function) {
                Some(true) => self.of_function(home, function, &mut res),
                Some(false) => {}
                None => res.complete = false,
            }
        }
        res
    }

    fn of_function(&self, home: &Defaults, function: &Function, res: &mut Covered) {
        let Function { name, aliases, versions, tags: _ } = function;
        let mut found: BTreeSet<Option<&str>> = BTreeSet::new();
        for it in &self.qualifiers {
            let (glob, of_aliases, of_versions) = match it {
                Qualifier::Unqualified => {
                    found.insert(None);
                    continue;
                }
                Qualifier::Glob { glob, of_aliases, of_versions } => {
                    (glob, of_aliases, of_versions)
                }
            };
            for (of, list) in [(of_aliases, aliases), (of_versions, versions)] {
                match list {
                    Some(list) if *of => {
                        let names = list.iter().map(String::as_str);
                        found.extend(names.filter(|it| glob.matches(it)).map(Some));
                    }
                    None if *of => res.complete = false,
                    Some(_) | None => {}
                }
            }
        }
        found.retain(|it| !self.excepts(name, *it));
        // A name that is none came from nobody's files.
        let target = |it: Option<&str>| Target::parse(name, it, home).ok();
        res.targets.extend(found.into_iter().filter_map(target));
    }

    /// By its name alone.
    fn may_cover(&self, name: &str) -> bool {
        let excepted =
            |(glob, of): &(WildMatch, Option<Qualifier>)| of.is_none() && glob.matches(name);
        self.name.as_ref().is_none_or(|it| it.matches(name)) && !self.except.iter().any(excepted)
    }

    fn may_cover_all_of(&self, function: &Function) -> bool {
        self.may_cover(&function.name) && self.fits_tags(function) != Some(false)
    }

    /// None where its tags are needed, and were not listed.
    fn fits_tags(&self, function: &Function) -> Option<bool> {
        if self.tags.is_empty() {
            return Some(true);
        }
        let tags = function.tags.as_ref()?;
        let fits =
            |(key, glob): &(String, WildMatch)| tags.get(key).is_some_and(|it| glob.matches(it));
        Some(self.tags.iter().all(fits))
    }

    fn excepts(&self, name: &str, qualifier: Option<&str>) -> bool {
        let this = |(of_name, of): &(WildMatch, Option<Qualifier>)| match (of, qualifier) {
            (None, _) | (Some(Qualifier::Unqualified), None) => of_name.matches(name),
            (Some(Qualifier::Glob { glob, .. }), Some(it)) => {
                of_name.matches(name) && glob.matches(it)
            }
            (Some(Qualifier::Unqualified), Some(_)) | (Some(Qualifier::Glob { .. }), None) => false,
        };
        self.except.iter().any(this)
    }

    pub(super) fn asks(&self) -> Asks {
        let of = |which: fn(&Qualifier) -> bool| self.qualifiers.iter().any(which);
        Asks {
            tags: !self.tags.is_empty(),
            aliases: of(|it| matches!(it, Qualifier::Glob { of_aliases: true, .. })),
            versions: of(|it| matches!(it, Qualifier::Glob { of_versions: true, .. })),
        }
    }

    /// It covers functions themselves.
    pub(super) fn covers_unqualified(&self) -> bool {
        self.qualifiers.contains(&Qualifier::Unqualified)
    }

    /// The ARNs that it may cover there.
    pub(super) fn arns(&self, place: &AccountRegion) -> Vec<String> {
        let AccountRegion { account, region } = place;
        let partition = partition_of(region);
        let name = self.name.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string);
        let function = format!("arn:{partition}:lambda:{region}:{account}:function:{name}");
        let arn = |it: &Qualifier| match it {
            Qualifier::Unqualified => function.clone(),
            Qualifier::Glob { glob, .. } => format!("{function}:{glob}"),
        };
        self.qualifiers.iter().map(arn).collect()
    }
}

/// Whether the files that leave it to the settings own more than they write.
pub(super) fn owns_more(ownership: &Ownership) -> bool {
    match ownership {
        Ownership::All | Ownership::Prefix(_) => true,
        Ownership::Declared => false,
    }
}

/// A version is a number, and an alias never is one.
fn qualifier(text: &str) -> Qualifier {
    if text == UNQUALIFIED {
        return Qualifier::Unqualified;
    }
    let all = |which: fn(u8) -> bool| text.bytes().all(which);
    Qualifier::Glob {
        glob: WildMatch::new(text),
        of_aliases: !all(|it| it.is_ascii_digit()),
        of_versions: all(|it| it.is_ascii_digit() || b"*?".contains(&it)),
    }
}

/// As people call it. What nearly all rules have is left out.
fn text_of(rule: &Match<'_>) -> Arc<str> {
    let Match { name, tags, qualifiers, .. } = rule;
    let mut parts: Vec<String> = name.iter().map(|it| format!("name: {}", it.text)).collect();
    if !tags.is_empty() {
        let tags: Vec<String> = tags.iter().map(|(key, it)| format!("{key}={}", it.text)).collect();
        parts.push(format!("tags: {}", tags.join(" ")));
    }
    if !qualifiers.is_empty() {
        let all: Vec<&str> = qualifiers.iter().map(|it| it.text.as_ref()).collect();
        if all != [UNQUALIFIED] {
            parts.push(format!("qualifiers: {}", all.join(" ")));
        }
    }
    parts.join(", ").into()
}

#[cfg(test)]
mod tests;
