//! What exists: functions, versions, aliases and their policies, in every account and region.
//!
//! Lambda's rules as a state machine without IO: time and answers are values.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::policy::target::AccountRegion;
use crate::simulator::{
    document::Document,
    names::{LATEST, Resource},
    principals::Directory,
    refusal::Refusal,
    switches::{ReadLag, RevisionModel, Switches},
};

/// Everything, as it is now.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Where a request without a signature goes that names no other place.
    pub(crate) home: AccountRegion,
    pub(crate) regions: BTreeMap<AccountRegion, BTreeMap<String, Function>>,
    pub(crate) directory: Directory,
    /// Access key to account; if there is any, no other key is accepted.
    pub(crate) access_keys: BTreeMap<String, String>,
    /// The roles that can be assumed, by account and name, with the external id that each asks for; if there is
    /// none, any can.
    pub(crate) roles: BTreeMap<(String, String), Option<String>>,
    /// Access keys that AssumeRole gave.
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) switches: Switches,
    rng: fastrand::Rng,
}

/// A role that was assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) account: String,
    pub(crate) arn: String,
    pub(crate) id: String,
}

/// When something happens: by the clock that can be paused, and by the one on the wall.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) since_start: Duration,
    pub(crate) wall: Timestamp,
}

/// One function with all that hangs on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Function {
    /// As `$LATEST`.
    pub(crate) latest: Version,
    pub(crate) versions: BTreeMap<u64, Version>,
    /// Numbers are never used again.
    pub(crate) next_version: u64,
    pub(crate) aliases: BTreeMap<String, Alias>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) concurrency: Option<u64>,
    /// By qualifier; none for the unqualified function.
    pub(crate) policies: BTreeMap<Option<String>, Slot>,
}

/// The code and the configuration of `$LATEST` or of a published version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    /// Members of FunctionConfiguration, as a client set them.
    pub(crate) config: Map<String, Value>,
    pub(crate) code_sha256: String,
    pub(crate) code_size: u64,
    /// As Lambda writes it.
    pub(crate) last_modified: String,
    pub(crate) revision: String,
}

/// An alias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alias {
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) routing: Option<Value>,
    pub(crate) revision: String,
}

/// Where a policy is or could be, with the one before it for reads that lag behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Slot {
    pub(crate) policy: Option<Policy>,
    before: Option<Policy>,
    changed: Option<Duration>,
    reads: u32,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) document: Document,
    pub(crate) revision: String,
}

impl Slot {
    /// A slot that nobody has written to yet.
    pub(crate) fn of(policy: Policy) -> Self {
        Self { policy: Some(policy), ..Self::default() }
    }

    /// What a read sees.
    fn read(&mut self, lag: ReadLag, now: Duration) -> Option<&Policy> {
        let late = self
            .changed
            .is_some_and(|at| self.reads < lag.reads || now < at.saturating_add(lag.time.0));
        self.reads = self.reads.saturating_add(1);
        if late { self.before.as_ref() } else { self.policy.as_ref() }
    }
}

impl World {
    /// Empty, but for the switches' defaults.
    pub(crate) fn new(home: AccountRegion) -> Self {
        Self {
            home,
            regions: BTreeMap::new(),
            directory: Directory::default(),
            access_keys: BTreeMap::new(),
            roles: BTreeMap::new(),
            sessions: BTreeMap::new(),
            switches: Switches::default(),
            rng: fastrand::Rng::new(),
        }
    }

    /// A new RevisionId, or another UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let bytes = self.rng.u128(..).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// Capitals and digits, as in `AROA…`.
    pub(crate) fn unique_id(&mut self, prefix: &str) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let letters = (0..17).filter_map(|_| self.rng.choice(LETTERS));
        prefix.chars().chain(letters.map(|it| char::from(*it))).collect()
    }

    /// The function, whichever qualifier is asked for.
    pub(crate) fn function(&self, resource: &Resource) -> Option<&Function> {
        self.regions.get(&resource.place)?.get(&resource.function)
    }

    /// The same, to be changed.
    pub(crate) fn function_mut(&mut self, resource: &Resource) -> Option<&mut Function> {
        self.regions.get_mut(&resource.place)?.get_mut(&resource.function)
    }

    /// The function, or 404.
    pub(crate) fn existing(&mut self, resource: &Resource) -> Result<&mut Function, Refusal> {
        let missing = || Refusal::no_function(&resource.function_arn());
        self.function_mut(resource).ok_or_else(missing)
    }

    /// Whether the alias or version is there; nobody asks for `$LATEST` in vain.
    pub(crate) fn qualifier_exists(&self, resource: &Resource) -> bool {
        let function = self.function(resource);
        function.is_some_and(|it| match resource.qualifier.as_deref() {
            None | Some(LATEST) => true,
            Some(qualifier) => it.has(qualifier),
        })
    }

    /// 404 for an alias or version that is missing (`lambda-semantics.md`, 2.3, recorded).
    pub(crate) fn check_qualifier(&self, resource: &Resource) -> Result<(), Refusal> {
        if self.qualifier_exists(resource) {
            return Ok(());
        }
        let qualifier = resource.qualifier.as_deref().unwrap_or_default();
        let version = qualifier.bytes().all(|it| it.is_ascii_digit()) || qualifier.contains('$');
        if version {
            Err(Refusal::no_function(&resource.arn()))
        } else {
            Err(Refusal::not_found(format!("Cannot find alias arn: {}", resource.arn())))
        }
    }

    /// The policy as it really is.
    pub(crate) fn policy(&self, resource: &Resource) -> Option<&Policy> {
        self.function(resource)?.policies.get(&resource.qualifier)?.policy.as_ref()
    }

    /// The policy as a read sees it, and its RevisionId; `stale` asks for the one before.
    pub(crate) fn read_policy(
        &mut self,
        resource: &Resource,
        now: Moment,
        stale: bool,
    ) -> Option<(Document, String)> {
        let (lag, model) = (self.switches.read_lag, self.switches.revision_model);
        let own = self.resource_revision(resource);
        let slot = self.function_mut(resource)?.policies.get_mut(&resource.qualifier)?;
        let seen = if stale && slot.changed.is_some() {
            slot.before.as_ref()
        } else {
            slot.read(lag, now.since_start)
        };
        let Policy { document, revision } = seen?.clone();
        match model {
            RevisionModel::Separate => Some((document, revision)),
            RevisionModel::LegacyFunction => Some((document, own.unwrap_or(revision))),
        }
    }

    /// What guards the next write to a policy, if there is one.
    pub(crate) fn policy_revision(&self, resource: &Resource) -> Option<String> {
        match self.switches.revision_model {
            RevisionModel::Separate => self.policy(resource).map(|it| it.revision.clone()),
            RevisionModel::LegacyFunction => self.resource_revision(resource),
        }
    }

    /// The RevisionId of the function, version or alias itself.
    pub(crate) fn resource_revision(&self, resource: &Resource) -> Option<String> {
        let function = self.function(resource)?;
        match resource.qualifier.as_deref() {
            None | Some(LATEST) => Some(function.latest.revision.clone()),
            Some(qualifier) => match function.aliases.get(qualifier) {
                Some(it) => Some(it.revision.clone()),
                None => Some(function.version(qualifier)?.revision.clone()),
            },
        }
    }

    /// Writes a policy, or takes it away. Gives the new RevisionId.
    pub(crate) fn write_policy(
        &mut self,
        resource: &Resource,
        document: Option<Document>,
        now: Moment,
    ) -> String {
        let revision = self.uuid();
        let legacy = self.switches.revision_model == RevisionModel::LegacyFunction;
        let Some(function) = self.function_mut(resource) else { return revision };
        let slot = function.policies.entry(resource.qualifier.clone()).or_default();
        slot.before = slot.policy.take();
        slot.policy = document.map(|document| Policy { document, revision: revision.clone() });
        slot.changed = Some(now.since_start);
        slot.reads = 0;
        if legacy {
            function.set_revision(resource.qualifier.as_deref(), &revision);
        }
        revision
    }

    /// Every policy there is.
    pub(crate) fn documents_mut(&mut self) -> impl Iterator<Item = &mut Policy> {
        let functions = self.regions.values_mut().flat_map(|it| it.values_mut());
        functions.flat_map(|it| it.policies.values_mut()).filter_map(|it| it.policy.as_mut())
    }
}

impl Function {
    /// Whether there is such an alias or version.
    pub(crate) fn has(&self, qualifier: &str) -> bool {
        self.aliases.contains_key(qualifier) || self.version(qualifier).is_some()
    }

    /// A version by its number, as text.
    pub(crate) fn version(&self, number: &str) -> Option<&Version> {
        if number == LATEST {
            return Some(&self.latest);
        }
        let canonical = |it: &u64| it.to_string() == number;
        self.versions.get(&number.parse().ok().filter(canonical)?)
    }

    /// What an alias, a version or no qualifier stands for, with the number of the version.
    pub(crate) fn resolve(&self, qualifier: Option<&str>) -> Option<(&Version, String)> {
        let number = match qualifier {
            None => LATEST,
            Some(it) => self.aliases.get(it).map_or(it, |alias| alias.version.as_str()),
        };
        Some((self.version(number)?, number.to_owned()))
    }

    fn set_revision(&mut self, qualifier: Option<&str>, revision: &str) {
        let place = match qualifier {
            None | Some(LATEST) => Some(&mut self.latest.revision),
            Some(it) => match self.aliases.get_mut(it) {
                Some(alias) => Some(&mut alias.revision),
                None => it
                    .parse()
                    .ok()
                    .and_then(|it: u64| self.versions.get_mut(&it))
                    .map(|it| &mut it.revision),
            },
        };
        if let Some(it) = place {
            revision.clone_into(it);
        }
    }
}
