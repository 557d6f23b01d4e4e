//! The seed file, which is also the shape of the state: accounts, functions, policies, principals.

use std::{collections::BTreeMap, fmt, path::Path};

use erased_serde::Deserializer;
use serde::{Deserialize, Serialize, de::Error};
use serde_json::{Map, Value};

use crate::simulator::{span::Span, switches::Switches, tamper::Tamper};

/// What the simulator starts with; `GET /_simulator/state` answers the same with more in it.
///
/// ```yaml
/// accounts:
///   - id: "123456789012"
///     region: us-east-1
///     functions:
///       - name: thumbnail
///         versions: 1
///         aliases: {live: "1"}
///         tags: {team: media}
///         policy: {Version: "2012-10-17", Id: default, Statement: [{Sid: s3, …}]}
///         policies: {live: {…}}
///     principals: ["arn:aws:iam::123456789012:role/importer"]
///     access_keys: [AKIDEXAMPLE]
///     roles: [{name: permitd, external_id: example}]
/// switches: {size_overhead_per_statement: 5}
/// tamper: [{every: 8s, function: thumbnail, qualifier: live, remove: s3-uploads}]
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// One for each account and region; the first is where requests without a signature go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<AccountSeed>>,
    /// How Lambda behaves where that is not sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches: Option<Switches>,
    /// Who changes things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tamper: Option<Vec<Tamper>>,
    /// The access keys that AssumeRole gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<BTreeMap<String, SessionSeed>>,
}

/// One account in one region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSeed {
    /// Twelve digits.
    pub id: String,
    /// By default `us-east-1`.
    #[serde(default = "home_region")]
    pub region: String,
    /// Its functions.
    #[serde(default)]
    pub functions: Vec<FunctionSeed>,
    /// ARNs of the roles and users that exist, of whichever account.
    #[serde(default)]
    pub principals: Vec<String>,
    /// Access keys of this account. If any account has some, no other key is accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_keys: Vec<String>,
    /// Roles of this account that can be assumed. If any account has some, no other role can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleSeed>,
    /// What is known of principals beside their names.
    #[serde(default, skip_serializing_if = "IdentitySeed::is_empty")]
    pub identities: IdentitySeed,
}

/// A role, as far as AssumeRole asks about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSeed {
    /// With its path, as it stands in the ARN behind `role/`.
    pub name: String,
    /// What its trust policy asks for; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

fn home_region() -> String {
    "us-east-1".to_owned()
}

/// One function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionSeed {
    /// The bare name.
    pub name: String,
    /// Alias to version.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// How many versions have been published; by default as many as the aliases need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<u64>,
    /// The policy of the unqualified function: Lambda's JSON document, or its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    /// The policies of aliases and versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<String, Value>,
    /// Tags of the function.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The RevisionId of `policy`; by default a new one, and a new one too where the policy is
    /// not the one that has this RevisionId now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The RevisionIds of `policies`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub revisions: BTreeMap<String, String>,
    /// The text of `policy`, where it is not the compact one; counts only if it says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The texts of `policies`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
    /// Everything else about the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<FunctionDetails>,
}

/// What a client made of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionDetails {
    /// `$LATEST`.
    pub latest: VersionDetails,
    /// The number of the next version.
    pub next_version: u64,
    /// The versions that are left, by number.
    #[serde(default)]
    pub versions: BTreeMap<u64, VersionDetails>,
    /// What aliases have beside their version.
    #[serde(default)]
    pub aliases: BTreeMap<String, AliasDetails>,
    /// Reserved concurrency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionDetails {
    /// Of the version itself, not of its policy.
    pub revision_id: String,
    /// When.
    pub last_modified: String,
    /// Of the code.
    pub code_sha256: String,
    /// Of the code.
    pub code_size: u64,
    /// Members of FunctionConfiguration.
    pub config: Map<String, Value>,
}

/// One alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasDetails {
    /// Of the alias itself, not of its policy.
    pub revision_id: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Value>,
}

/// Principals beyond their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySeed {
    /// The unique id of each, and when it was created, in milliseconds since the simulator started.
    pub ids: BTreeMap<String, IdSeed>,
    /// Those that were deleted and are still shown by their ARN.
    pub leaving: Vec<LeavingSeed>,
}

impl IdentitySeed {
    fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.leaving.is_empty()
    }
}

/// A unique id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdSeed {
    /// `AROA…` or `AIDA…`.
    pub id: String,
    /// When; absent: it has been there forever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Span>,
}

/// A deleted principal that is still shown by its ARN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeavingSeed {
    /// Its name.
    pub arn: String,
    /// What it will be shown as.
    pub id: String,
    /// When, since the simulator started.
    pub due: Span,
}

/// A role that was assumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSeed {
    /// Whose role.
    pub account: String,
    /// `arn:aws:sts::…:assumed-role/…`
    pub arn: String,
    /// `AROA…:session`
    pub id: String,
}

/// Why a seed cannot be used; says where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedError(pub(crate) String);

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SeedError {}

impl Seed {
    /// Reads the text of a seed file; `path` is for errors, which begin with `file:line:column`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SeedError> {
        let path = path.display();
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        // Large accounts are what performance is measured with; without these bounds it would end at some
        // thousand functions.
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_nodes: 20_000_000,
                max_events: 40_000_000,
                max_total_scalar_bytes: 256 << 20,
            },
        };
        let read = |it: serde_saphyr::Deserializer<'_, '_>| {
            Self::read(&mut <dyn Deserializer<'_>>::erase(it)).map_err(Error::custom)
        };
        let seed = serde_saphyr::with_deserializer_from_str_with_options(text, options, read);
        let seed = seed.map_err(|error| SeedError(format!("{path}{}", told(&error))))?;
        seed.check().map_err(|why| SeedError(format!("{path}: {why}")))?;
        Ok(seed)
    }

    /// Takes YAML or JSON by a table of functions: code for each of them would be half a megabyte.
    pub(crate) fn read(from: &mut dyn Deserializer<'_>) -> Result<Self, erased_serde::Error> {
        erased_serde::deserialize(from)
    }

    /// What cannot be, though each value is of its type. The message says where.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (n, it) in self.tamper.iter().flatten().enumerate() {
            it.check().map_err(|why| format!("tamper[{n}]: {why}"))?;
        }
        for (n, it) in self.accounts.iter().flatten().enumerate() {
            it.check().map_err(|why| format!("accounts[{n}].{why}"))?;
        }
        Ok(())
    }
}

/// The place and the message. What holds the value adds places of its own; the first one is where it is.
fn told(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.lines().next().unwrap_or_default();
    let at = text.find(" at line ").or_else(|| text.find(" (line "));
    let (message, places) = text.split_at(at.unwrap_or(text.len()));
    let mut numbers = places.split(|it: char| !it.is_ascii_digit()).filter(|it| !it.is_empty());
    match (numbers.next(), numbers.next()) {
        (Some(line), Some(column)) => format!(":{line}:{column}: {message}"),
        _ => format!(": {message}"),
    }
}
