//! What Lambda is not known to do for sure, or does only sometimes: each a switch with a default.

use serde::{Deserialize, Serialize};

use crate::simulator::span::Span;

/// Everything that can be switched (`lambda-semantics.md`, 12), with the likeliest behaviour as default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, named by its key")]
pub struct Switches {
    /// Whose id a policy's RevisionId is.
    pub revision_model: RevisionModel,
    /// Whether the first AddPermission may carry the RevisionId of its alias.
    pub first_add_revision: FirstAddRevision,
    /// Whether one statement of a deleted principal makes every AddPermission of its policy fail.
    #[serde(with = "on_off")]
    pub dangling_principal_blocks_add: bool,
    /// Whether IAM principals have to exist.
    pub principal_directory: PrincipalDirectory,
    /// For this long after its creation a principal is not known to Lambda.
    pub principal_propagation: Span,
    /// For this long after its creation a principal is shown by its unique id.
    pub principal_flicker: Span,
    /// Whether a service principal has to be one of AWS's.
    pub service_directory: ServiceDirectory,
    /// How long after its deletion a principal is still shown by its ARN.
    pub aroa_render_delay: Span,
    /// Whether GetPolicy answers an old document for a while after a write.
    pub read_lag: ReadLag,
    /// Whether of two first AddPermissions in flight at once one is lost.
    #[serde(with = "on_off")]
    pub lost_parallel_first_add: bool,
    /// Bytes that are counted for each statement beyond the compact text; AWS seems to count 5.
    pub size_overhead_per_statement: usize,
    /// Which check of RemovePermission comes first.
    pub check_order_remove: CheckOrderRemove,
    /// The text of GetPolicy's 404.
    pub get_policy_404: GetPolicy404,
    /// Whether the account refuses policies that make a function public.
    #[serde(with = "on_off")]
    pub public_block: bool,
    /// Whether PutResourcePolicy and its family exist.
    pub put_family: PutFamily,
    /// Whether the RevisionId of PutResourcePolicy's family is the one that GetPolicy gives.
    pub put_revision: PutRevision,
    /// Whether GetPolicy gives back the text of PutResourcePolicy as it was, or without white space.
    pub put_echo: PutEcho,
    /// The member order of the statements that AddPermission writes.
    pub statement_render: StatementRender,
    /// What PublishVersion does when nothing has changed since the last version.
    pub publish_unchanged: PublishUnchanged,
    /// Whether requests without an Authorization header are refused.
    #[serde(with = "on_off")]
    pub require_authorization: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            revision_model: RevisionModel::Separate,
            first_add_revision: FirstAddRevision::AcceptAliasOwn,
            dangling_principal_blocks_add: true,
            principal_directory: PrincipalDirectory::Strict,
            principal_propagation: Span::ZERO,
            principal_flicker: Span::ZERO,
            service_directory: ServiceDirectory::Known,
            aroa_render_delay: Span::ZERO,
            read_lag: ReadLag::default(),
            lost_parallel_first_add: false,
            size_overhead_per_statement: 0,
            check_order_remove: CheckOrderRemove::SidFirst,
            get_policy_404: GetPolicy404::Unified,
            public_block: false,
            put_family: PutFamily::On,
            put_revision: PutRevision::Same,
            put_echo: PutEcho::Verbatim,
            statement_render: StatementRender::Modern,
            publish_unchanged: PublishUnchanged::Same,
            require_authorization: false,
        }
    }
}

/// Whose id a policy's RevisionId is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevisionModel {
    /// The policy's own, as since November 2025.
    Separate,
    /// That of the function, version or alias, as until April 2024.
    LegacyFunction,
}

/// What the first AddPermission may carry as RevisionId.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstAddRevision {
    /// Nothing: any RevisionId is refused.
    RejectAny,
    /// On an alias, the alias's own RevisionId (recorded).
    AcceptAliasOwn,
}

/// Whether IAM principals have to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalDirectory {
    /// Only those of a seed and those created through the control API exist.
    Strict,
    /// Every role and user exists until it is deleted.
    Any,
}

/// Whether a service principal has to be one of AWS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceDirectory {
    /// One of the services that the simulator knows, global or regional.
    Known,
    /// Whatever ends like a service principal.
    Any,
}

/// For how many reads, and for how long, GetPolicy answers the document before the last write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadLag {
    /// The first reads after a write.
    pub reads: u32,
    /// All reads within this time after a write.
    pub time: Span,
}

/// Which check of RemovePermission comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOrderRemove {
    /// 404 for an unknown Sid wins over 412.
    SidFirst,
    /// 412 wins.
    RevisionFirst,
}

/// The text of GetPolicy's 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GetPolicy404 {
    /// The same for everything that is missing.
    Unified,
    /// A missing function, alias or version is named, as until 2025.
    Legacy,
}

/// Whether PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PutFamily {
    /// They do.
    On,
    /// They do not: 404.
    #[serde(alias = "absent_404")]
    Absent,
    /// They are forbidden: 403.
    #[serde(rename = "absent_403")]
    Denied,
}

/// Whose RevisionId PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PutRevision {
    /// The policy's, as GetPolicy gives it (inferred).
    Same,
    /// Another one, which changes with it: that of GetPolicy is refused.
    Own,
}

/// What becomes of the text of PutResourcePolicy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PutEcho {
    /// It comes back as it was, until the next AddPermission or RemovePermission.
    Verbatim,
    /// It comes back without white space between the values.
    Compact,
}

/// The member order of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementRender {
    /// Sid, Effect, Principal, Action, Resource, Condition.
    Modern,
    /// Condition, Action, Resource, Effect, Principal, Sid.
    Legacy2015,
}

/// What PublishVersion does when nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishUnchanged {
    /// It answers the last version again (recorded).
    Same,
    /// It makes another version.
    New,
}

/// `true`, `false`, `on` and `off`.
mod on_off {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Bool(bool),
        Word(String),
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(it: &bool, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(*it)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
        match Either::deserialize(from)? {
            Either::Bool(it) => Ok(it),
            Either::Word(it) if it == "on" || it == "true" => Ok(true),
            Either::Word(it) if it == "off" || it == "false" => Ok(false),
            Either::Word(it) => Err(D::Error::custom(format!("`{it}` is neither on nor off"))),
        }
    }
}
