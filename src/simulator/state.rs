//! The state as data, there and back: seeds become functions and policies, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::policy::target::{AccountRegion, check_account, check_region};
use crate::simulator::{
    account::{Alias, Function, Moment, Policy, Session, Slot, Version, World},
    document::Document,
    names::{LATEST, Resource},
    principals::{Entry, Leaving, is_named},
    render,
    seed::{
        AccountSeed, AliasDetails, FunctionDetails, FunctionSeed, IdSeed, IdentitySeed,
        LeavingSeed, RoleSeed, SessionSeed, VersionDetails,
    },
    span::Span,
    validate,
};

impl AccountSeed {
    /// What cannot be. The message goes on from `accounts[n].`
    pub(crate) fn check(&self) -> Result<(), String> {
        check_account(&self.id).map_err(|it| format!("id: {it}"))?;
        check_region(&self.region).map_err(|it| format!("region: {it}"))?;
        if let Some(it) = self.principals.iter().find(|it| !is_named(it)) {
            return Err(format!(
                "principals: `{it}` is not the ARN of a role or user; \
                 one looks like arn:aws:iam::123456789012:role/NAME"
            ));
        }
        let mut names = BTreeSet::new();
        for (n, it) in self.functions.iter().enumerate() {
            it.check().map_err(|why| format!("functions[{n}].{why}"))?;
            if !names.insert(&it.name) {
                return Err(format!("functions[{n}].name: `{}` stands there twice", it.name));
            }
        }
        Ok(())
    }
}

impl FunctionSeed {
    fn check(&self) -> Result<(), String> {
        let letter = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
        let name = &self.name;
        if name.is_empty() || name.len() > 64 || !name.chars().all(letter) {
            return Err(format!("name: `{name}` is not the bare name of a function"));
        }
        for (alias, version) in &self.aliases {
            if !validate::ALIAS.matches(alias) {
                return Err(format!("aliases.{alias}: not the name of an alias"));
            }
            let known = self.versions.unwrap_or(u64::MAX);
            let number = version.parse::<u64>();
            if version != LATEST && !number.is_ok_and(|it| (1..=known).contains(&it)) {
                return Err(format!(
                    "aliases.{alias}: there is no version `{version}`; `versions` says how many \
                     there are"
                ));
            }
        }
        let policies = self.policies.iter().map(|(it, policy)| (Some(it), policy));
        for (qualifier, policy) in self.policy.iter().map(|it| (None, it)).chain(policies) {
            let key = qualifier.map_or_else(|| "policy".to_owned(), |it| format!("policies.{it}"));
            if let Some(it) = qualifier
                && !self.aliases.contains_key(it)
                && !it.parse::<u64>().is_ok_and(|it| (1..=self.published()).contains(&it))
            {
                return Err(format!("{key}: `{it}` is neither an alias nor a version"));
            }
            document(policy, None).map_err(|why| format!("{key}: {why}"))?;
        }
        Ok(())
    }

    /// How many versions there have to be.
    fn published(&self) -> u64 {
        let pointed = self.aliases.values().filter_map(|it| it.parse().ok()).max();
        let detailed = self.details.as_ref().map(|it| it.next_version.saturating_sub(1));
        self.versions.or(detailed).or(pointed).unwrap_or(0)
    }
}

/// The document of a seed: an object, or the text of one. None: it has no statements.
fn document(policy: &Value, text: Option<&String>) -> Result<Option<Document>, String> {
    let own = match policy {
        Value::Null => return Ok(None),
        Value::String(it) => it.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            policy.to_string()
        }
    };
    // The text counts only where nobody has changed the document beside it.
    let same = |it: &&String| serde_json::from_str::<Value>(it).is_ok_and(|it| it == *policy);
    let found = Document::parse(text.filter(same).unwrap_or(&own))?;
    Ok(Some(found).filter(|it| !it.statements().is_empty()))
}

impl World {
    /// Replaces all accounts. A policy keeps the RevisionId that it comes with, unless that
    /// belongs to another document now.
    pub(crate) fn load(&mut self, accounts: &[AccountSeed], now: Moment) -> Result<(), String> {
        for (n, it) in accounts.iter().enumerate() {
            it.check().map_err(|why| format!("accounts[{n}].{why}"))?;
        }
        let old = std::mem::take(&mut self.regions);
        self.directory.living.clear();
        self.directory.leaving.clear();
        self.access_keys.clear();
        self.roles.clear();
        if let Some(AccountSeed { id, region, .. }) = accounts.first() {
            self.home = AccountRegion { account: id.clone(), region: region.clone() };
        }
        for AccountSeed { id, principals, access_keys, roles, identities, .. } in accounts {
            let IdentitySeed { ids, leaving } = identities;
            for arn in principals {
                match ids.get(arn) {
                    Some(IdSeed { id, created }) => {
                        let entry = Entry { id: id.clone(), created: created.map(|it| it.0) };
                        self.directory.living.insert(arn.clone(), entry);
                    }
                    None => self.create_principal(arn, None),
                }
            }
            for LeavingSeed { arn, id, due } in leaving {
                let (arn, id) = (arn.clone(), id.clone());
                self.directory.leaving.push(Leaving { arn, id, due: due.0 });
            }
            for key in access_keys {
                self.access_keys.insert(key.clone(), id.clone());
            }
            for RoleSeed { name, external_id } in roles {
                self.roles.insert((id.clone(), name.clone()), external_id.clone());
            }
        }
        for AccountSeed { id, region, functions, .. } in accounts {
            let place = AccountRegion { account: id.clone(), region: region.clone() };
            let before = old.get(&place);
            self.regions.entry(place.clone()).or_default();
            for seed in functions {
                let function =
                    self.function_of(seed, before.and_then(|it| it.get(&seed.name)), now)?;
                let functions = self.regions.entry(place.clone()).or_default();
                functions.insert(seed.name.clone(), function);
            }
        }
        Ok(())
    }

    fn function_of(
        &mut self,
        seed: &FunctionSeed,
        before: Option<&Function>,
        now: Moment,
    ) -> Result<Function, String> {
        let details = seed.details.as_ref();
        let latest = match details {
            Some(it) => version_of(&it.latest),
            None => Version {
                config: render::default_config(&seed.name),
                code_sha256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned(),
                code_size: 0,
                last_modified: render::time(now.wall),
                revision: self.uuid(),
            },
        };
        let mut function = Function { tags: seed.tags.clone(), ..Function::new(latest.clone()) };
        function.concurrency = details.and_then(|it| it.concurrency);
        let known = details.map_or(1, |it| it.next_version.max(1));
        for (number, it) in details.into_iter().flat_map(|it| &it.versions) {
            function.versions.insert(*number, version_of(it));
        }
        for number in known..=seed.published() {
            let version = Version { revision: self.uuid(), ..latest.clone() };
            function.versions.insert(number, version);
        }
        function.next_version = known.max(seed.published().saturating_add(1));
        for (name, version) in &seed.aliases {
            let more = details.and_then(|it| it.aliases.get(name));
            let alias = Alias {
                version: version.clone(),
                description: more.map(|it| it.description.clone()).unwrap_or_default(),
                routing: more.and_then(|it| it.routing.clone()),
                revision: more.map_or_else(|| self.uuid(), |it| it.revision_id.clone()),
            };
            function.aliases.insert(name.clone(), alias);
        }
        let mut put =
            |qualifier: Option<&String>, policy: &Value, text, revision: Option<&String>| {
                let Some(document) = document(policy, text)? else { return Ok::<(), String>(()) };
                self.adopt_principals(&document);
                let key = qualifier.cloned();
                let now = before.and_then(|it| it.policies.get(&key)?.policy.as_ref());
                let taken = |it: &&String| {
                    now.is_none_or(|now| now.revision != **it || now.document == document)
                };
                let revision = revision.filter(taken).cloned().unwrap_or_else(|| self.uuid());
                function.policies.insert(key, Slot::of(Policy { document, revision }));
                Ok(())
            };
        if let Some(it) = &seed.policy {
            put(None, it, seed.text.as_ref(), seed.revision.as_ref())?;
        }
        for (qualifier, it) in &seed.policies {
            let (text, revision) = (seed.texts.get(qualifier), seed.revisions.get(qualifier));
            put(Some(qualifier), it, text, revision)?;
        }
        Ok(function)
    }

    /// All accounts as a seed that makes them again.
    pub(crate) fn save(&self) -> Vec<AccountSeed> {
        let mut places = vec![self.home.clone()];
        places.extend(self.regions.keys().filter(|it| **it != self.home).cloned());
        let named: BTreeSet<String> = self.access_keys.values().cloned().collect();
        for account in named {
            if !places.iter().any(|it| it.account == account) {
                places.push(AccountRegion { account, region: self.home.region.clone() });
            }
        }
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let mut res = Vec::new();
        for place in &places {
            let first = done.insert(&place.account);
            let home = *place == self.home;
            let mine = |arn: &str| {
                let owner = arn.split(':').nth(4).unwrap_or_default();
                let elsewhere = !places.iter().any(|it| it.account == owner);
                (first && owner == place.account) || (home && elsewhere)
            };
            let keys = self.access_keys.iter().filter(|(_, it)| first && **it == place.account);
            let roles = self.roles.iter().filter(|((it, _), _)| first && *it == place.account);
            let role = |((_, name), external_id): (&(String, String), &Option<String>)| RoleSeed {
                name: name.clone(),
                external_id: external_id.clone(),
            };
            let functions = self.regions.get(place).into_iter().flatten();
            res.push(AccountSeed {
                id: place.account.clone(),
                region: place.region.clone(),
                functions: functions.map(|(name, it)| it.save(name)).collect(),
                principals: self.directory.living.keys().filter(|it| mine(it)).cloned().collect(),
                access_keys: keys.map(|(key, _)| key.clone()).collect(),
                roles: roles.map(role).collect(),
                identities: self.identities(mine),
            });
        }
        res
    }

    fn identities(&self, mine: impl Fn(&str) -> bool) -> IdentitySeed {
        let living = self.directory.living.iter().filter(|(arn, _)| mine(arn));
        let leaving = self.directory.leaving.iter().filter(|it| mine(&it.arn));
        IdentitySeed {
            ids: living
                .map(|(arn, Entry { id, created })| {
                    (arn.clone(), IdSeed { id: id.clone(), created: created.map(Span) })
                })
                .collect(),
            leaving: leaving
                .map(|Leaving { arn, id, due }| LeavingSeed {
                    arn: arn.clone(),
                    id: id.clone(),
                    due: Span(*due),
                })
                .collect(),
        }
    }

    /// The sessions as a seed.
    pub(crate) fn save_sessions(&self) -> BTreeMap<String, SessionSeed> {
        let seed = |Session { account, arn, id }: &Session| SessionSeed {
            account: account.clone(),
            arn: arn.clone(),
            id: id.clone(),
        };
        self.sessions.iter().map(|(key, it)| (key.clone(), seed(it))).collect()
    }

    /// The sessions of a seed.
    pub(crate) fn load_sessions(&mut self, sessions: &BTreeMap<String, SessionSeed>) {
        let session = |SessionSeed { account, arn, id }: &SessionSeed| Session {
            account: account.clone(),
            arn: arn.clone(),
            id: id.clone(),
        };
        self.sessions = sessions.iter().map(|(key, it)| (key.clone(), session(it))).collect();
    }

    /// The ARN of everything that has a policy now.
    pub(crate) fn arns(&self) -> Vec<String> {
        let mut res = Vec::new();
        for (place, functions) in &self.regions {
            for (name, function) in functions {
                for (qualifier, slot) in &function.policies {
                    if slot.policy.is_some() {
                        let (place, qualifier) = (place.clone(), qualifier.clone());
                        res.push(Resource { place, function: name.clone(), qualifier }.arn());
                    }
                }
            }
        }
        res
    }
}

impl Function {
    fn save(&self, name: &str) -> FunctionSeed {
        let mut res = FunctionSeed {
            name: name.to_owned(),
            aliases: self
                .aliases
                .iter()
                .map(|(it, alias)| (it.clone(), alias.version.clone()))
                .collect(),
            versions: Some(self.next_version.saturating_sub(1)),
            policy: None,
            policies: BTreeMap::new(),
            tags: self.tags.clone(),
            revision: None,
            revisions: BTreeMap::new(),
            text: None,
            texts: BTreeMap::new(),
            details: Some(self.details()),
        };
        for (qualifier, slot) in &self.policies {
            let Some(Policy { document, revision }) = &slot.policy else { continue };
            let text = document.text();
            let value: Value = serde_json::from_str(&text).unwrap_or_default();
            let compact = value.to_string();
            let text = Some(text).filter(|it| *it != compact);
            match qualifier {
                None => {
                    (res.policy, res.text) = (Some(value), text);
                    res.revision = Some(revision.clone());
                }
                Some(it) => {
                    res.policies.insert(it.clone(), value);
                    res.revisions.insert(it.clone(), revision.clone());
                    res.texts.extend(text.map(|text| (it.clone(), text)));
                }
            }
        }
        res
    }

    fn details(&self) -> FunctionDetails {
        let aliases = self.aliases.iter().map(|(name, it)| {
            let Alias { version: _, description, routing, revision } = it.clone();
            (name.clone(), AliasDetails { revision_id: revision, description, routing })
        });
        FunctionDetails {
            latest: details_of(&self.latest),
            next_version: self.next_version,
            versions: self
                .versions
                .iter()
                .map(|(it, version)| (*it, details_of(version)))
                .collect(),
            aliases: aliases.collect(),
            concurrency: self.concurrency,
        }
    }
}

fn version_of(details: &VersionDetails) -> Version {
    let VersionDetails { revision_id, last_modified, code_sha256, code_size, config } =
        details.clone();
    Version { config, code_sha256, code_size, last_modified, revision: revision_id }
}

fn details_of(version: &Version) -> VersionDetails {
    let Version { config, code_sha256, code_size, last_modified, revision } = version.clone();
    let config: Map<String, Value> = config;
    VersionDetails { revision_id: revision, last_modified, code_sha256, code_size, config }
}
