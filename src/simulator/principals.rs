//! The roles and users that exist, and what becomes of statements when they go.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
    time::Duration,
};

use regex::Regex;
use serde_json::{Value, json};

use crate::policy::target::partition_of;
use crate::simulator::{
    account::World,
    document::{Document, aws_principals, service_principals},
    refusal::Refusal,
    services::{is_service, is_service_like},
    switches::{PrincipalDirectory, ServiceDirectory},
};

/// IAM, as far as Lambda looks into it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Directory {
    /// By ARN.
    pub(crate) living: BTreeMap<String, Entry>,
    /// Deleted, but still shown by their ARN.
    pub(crate) leaving: Vec<Leaving>,
}

/// A role or user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `AROA…` or `AIDA…`: of this very principal, not of its name.
    pub(crate) id: String,
    /// When it was created; none for those of a seed, which have been there forever.
    pub(crate) created: Option<Duration>,
}

/// A principal that was deleted and whose statements do not show it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub(crate) arn: String,
    pub(crate) id: String,
    pub(crate) due: Duration,
}

/// An IAM ARN that can be a principal.
enum Iam {
    Root,
    Named,
    Malformed,
    Other,
}

fn read(arn: &str) -> Iam {
    static NAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\A(?:role|user)(?:/[A-Za-z0-9_+=,.@-]+)+\z").ok());
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &[_, partition, service, region, account, name] = parts.as_slice() else {
        return Iam::Malformed;
    };
    let digits = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
    if service != "iam" || !region.is_empty() || !digits || !partition.starts_with("aws") {
        Iam::Other
    } else if name == "root" {
        Iam::Root
    } else if NAME.as_ref().is_some_and(|it| it.is_match(name)) {
        Iam::Named
    } else if name.starts_with("role/") || name.starts_with("user/") {
        Iam::Malformed
    } else {
        Iam::Other
    }
}

/// Whether it is the ARN of a role or user.
pub(crate) fn is_named(arn: &str) -> bool {
    arn.starts_with("arn:") && matches!(read(arn), Iam::Named)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit())
}

impl World {
    /// Creates a role or user, and gives it an id of its own. One that exists stays as it is.
    pub(crate) fn create_principal(&mut self, arn: &str, now: Option<Duration>) {
        if self.directory.living.contains_key(arn) {
            return;
        }
        // The old one's statements must not become the new one's.
        self.settle(|it| it.arn == arn);
        let prefix = if arn.contains(":user/") { "AIDA" } else { "AROA" };
        let entry = Entry { id: self.unique_id(prefix), created: now };
        self.directory.living.insert(arn.to_owned(), entry);
    }

    /// Deletes a role or user; its statements show its id from now on, or after the delay.
    pub(crate) fn delete_principal(&mut self, arn: &str, now: Duration) -> bool {
        let Some(entry) = self.directory.living.remove(arn) else { return false };
        let due = now.saturating_add(self.switches.aroa_render_delay.0);
        self.directory.leaving.push(Leaving { arn: arn.to_owned(), id: entry.id, due });
        self.settle(|it| it.due <= now);
        true
    }

    /// Lets time pass: what is due to show its id does.
    pub(crate) fn catch_up(&mut self, now: Duration) {
        self.settle(|it| it.due <= now);
    }

    fn settle(&mut self, due: impl Fn(&Leaving) -> bool) {
        let leaving = std::mem::take(&mut self.directory.leaving);
        let (gone, rest): (Vec<_>, Vec<_>) = leaving.into_iter().partition(due);
        self.directory.leaving = rest;
        for Leaving { arn, id, due: _ } in gone {
            for policy in self.documents_mut() {
                // The RevisionId stays: nobody wrote to the policy.
                policy.document.rename_principal(&arn, &id);
            }
        }
    }

    /// The documents of a seed name principals; those exist.
    pub(crate) fn adopt_principals(&mut self, document: &Document) {
        let leaving: BTreeSet<&str> =
            self.directory.leaving.iter().map(|it| it.arn.as_str()).collect();
        let found: Vec<String> = document
            .values()
            .flat_map(|it| aws_principals(&it))
            .filter(|it| is_named(it) && !leaving.contains(it.as_str()))
            .collect();
        for arn in found {
            self.create_principal(&arn, None);
        }
    }

    /// The `Principal` element for the parameter of AddPermission, or why not
    /// (`lambda-semantics.md`, 1.2).
    pub(crate) fn principal_element(
        &mut self,
        principal: &str,
        region: &str,
        now: Duration,
    ) -> Result<Value, Refusal> {
        if principal == "*" {
            return Ok(json!("*"));
        }
        if is_account(principal) {
            let partition = partition_of(region);
            return Ok(json!({"AWS": format!("arn:{partition}:iam::{principal}:root")}));
        }
        if principal.starts_with("arn:") {
            return match read(principal) {
                Iam::Root => Ok(json!({"AWS": principal})),
                Iam::Named if self.knows(principal, now) => Ok(json!({"AWS": principal})),
                Iam::Malformed => Err(Refusal::malformed_principal(principal)),
                Iam::Named | Iam::Other => Err(Refusal::principal()),
            };
        }
        if self.is_service(principal) {
            return Ok(json!({"Service": principal}));
        }
        Err(Refusal::principal())
    }

    fn is_service(&self, principal: &str) -> bool {
        match self.switches.service_directory {
            ServiceDirectory::Known => is_service(principal),
            ServiceDirectory::Any => is_service_like(principal),
        }
    }

    /// Whether a new statement may name it: it exists, and Lambda has heard of it.
    fn knows(&mut self, arn: &str, now: Duration) -> bool {
        let delay = self.switches.principal_propagation.0;
        let heard = |it: &Entry| it.created.is_none_or(|at| at.saturating_add(delay) <= now);
        match (self.directory.living.get(arn), self.switches.principal_directory) {
            (Some(entry), _) => heard(entry),
            (None, PrincipalDirectory::Strict) => false,
            (None, PrincipalDirectory::Any) => {
                let gone = self.directory.leaving.iter().any(|it| it.arn == arn);
                if !gone {
                    self.create_principal(arn, None);
                }
                !gone
            }
        }
    }

    /// Whether a principal of kind `AWS` in a statement that is there already still means somebody.
    fn resolves(&self, principal: &str) -> bool {
        if principal == "*" || is_account(principal) {
            return true;
        }
        if !principal.starts_with("arn:") {
            return self.directory.living.values().any(|it| it.id == principal);
        }
        match read(principal) {
            Iam::Root => true,
            Iam::Named => self.directory.living.contains_key(principal),
            Iam::Malformed | Iam::Other => false,
        }
    }

    /// One statement that names nobody spoils every AddPermission (`lambda-semantics.md`, 0.7).
    pub(crate) fn check_dangling(&self, document: &Document) -> Result<(), Refusal> {
        let dangling =
            document.values().flat_map(|it| aws_principals(&it)).any(|it| !self.resolves(&it));
        if dangling && self.switches.dangling_principal_blocks_add {
            Err(Refusal::principal())
        } else {
            Ok(())
        }
    }

    /// All principals of a document that PutResourcePolicy brings. Where a dangling one does not
    /// block, those that are in the policy already may stay.
    pub(crate) fn check_principals(
        &mut self,
        document: &Document,
        before: Option<&Document>,
        now: Duration,
    ) -> Result<(), Refusal> {
        let lenient = !self.switches.dangling_principal_blocks_add;
        let old: Vec<String> = before
            .filter(|_| lenient)
            .map(|it| it.values().flat_map(|it| aws_principals(&it)).collect())
            .unwrap_or_default();
        for statement in document.values() {
            for it in aws_principals(&statement) {
                let named = it.starts_with("arn:") && matches!(read(&it), Iam::Named);
                if old.contains(&it) || (named && self.knows(&it, now)) {
                    continue;
                }
                if it.starts_with("arn:") && matches!(read(&it), Iam::Malformed) {
                    return Err(Refusal::malformed_principal(&it));
                }
                if named || !self.resolves(&it) {
                    return Err(Refusal::principal());
                }
            }
            if service_principals(&statement).iter().any(|it| it != "*" && !self.is_service(it)) {
                return Err(Refusal::principal());
            }
        }
        Ok(())
    }

    /// The document as a read sees it: a principal that is new may show as its id for a while.
    pub(crate) fn flicker(&self, mut document: Document, now: Duration) -> Document {
        let delay = self.switches.principal_flicker.0;
        if delay.is_zero() {
            return document;
        }
        for (arn, Entry { id, created }) in &self.directory.living {
            if created.is_some_and(|at| now < at.saturating_add(delay)) {
                document.rename_principal(arn, id);
            }
        }
        document
    }
}
