//! Which of several replicas acts: a Lease of Kubernetes (coordination.k8s.io/v1), as client-go's leader election keeps
//! one.
//!
//! Whoever holds it renews it every two seconds and leads for 14.5 s after the moment *before* a renewal was sent that
//! then was answered. Whoever does not hold it looks every two seconds, and takes it over once the record has not
//! changed for 15 s on its own monotonic clock, or was released. Wall clocks are written into the record for people, and
//! never compared. Every write is a replace with the `resourceVersion` that was read, so of two who try one fails.
//!
//! A leader starts no write whose time would pass the end of its term ([`crate::lambda::tenure`]); what is under way
//! all the same, behind a network that holds it back, fails at the `RevisionId` that it carries. What no clock can see
//! is a machine that was suspended as a whole; then only the `RevisionId` guards.
//!
//! A Lease that somebody deletes is made anew by its leader within two seconds. Only a replica that starts within them,
//! and has never seen the old record, may lead before the old leader has noticed.
//!
//! Rights: `get`, `create` and `update` on `leases` of the group coordination.k8s.io, in that namespace. No list, watch,
//! patch or delete; `create` only for the first time.

pub mod election;
pub mod keep;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;

use std::{fmt, str::FromStr};

use crate::policy::shard::Shard;

/// Which Lease: `NAMESPACE/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseName {
    /// Where it is.
    pub namespace: String,
    /// What it is called there.
    pub name: String,
}

impl LeaseName {
    /// Each shard has a Lease of its own: `permitd` and shard 2/3 are `permitd-2-of-3`.
    #[must_use]
    pub fn of_shard(self, shard: Option<Shard>) -> Self {
        let Some(shard) = shard else { return self };
        let shard = shard.to_string().replace('/', "-of-");
        Self { name: format!("{}-{shard}", self.name), ..self }
    }
}

impl FromStr for LeaseName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((namespace, name)) = text.split_once('/') else {
            return Err("write NAMESPACE/NAME, as in permitd/permitd".to_owned());
        };
        if !is_label(namespace, 63) {
            return Err(format!(
                "`{namespace}` is no name of a namespace: up to 63 of a-z, 0-9 and `-`, with a letter or digit at both ends"
            ));
        }
        // With room for `-1024-of-1024`.
        if !name.split('.').all(|it| is_label(it, 240)) || name.len() > 240 {
            return Err(format!(
                "`{name}` is no name of a Lease: up to 240 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends"
            ));
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

fn is_label(text: &str, most: usize) -> bool {
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    let ends = text.starts_with(plain) && text.ends_with(plain);
    ends && text.len() <= most && text.chars().all(|it| plain(it) || it == '-')
}

#[cfg(test)]
mod tests;
