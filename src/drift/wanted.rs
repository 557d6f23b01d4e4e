//! What the files want of one target.

use std::fmt::Write;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::drift::allow::{Ownership, Replace, Writer};
use crate::drift::diff::is_live;
use crate::policy::{compact, grant::Grant, source::Source, target::Target};

/// Everything the files say about one target, merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which policy.
    pub target: Target,
    /// Which live statements are ours to change.
    pub ownership: Ownership,
    /// The statements wanted, sorted by Sid; no Sid twice.
    pub grants: Vec<Grant>,
    /// Sids to take back, sorted; none of them is also granted.
    pub absent: Vec<AbsentSid>,
    /// Only watch: report the drift, change nothing.
    pub suspend: bool,
    /// How a changed statement is replaced.
    pub replace: Replace,
    /// By which calls its policy is written.
    pub writer: Writer,
    /// Grants that differ in one thing only are written as one statement with a list.
    pub compact: bool,
    /// The first place that names this target.
    pub source: Source,
}

impl Wanted {
    /// The statements of what is wanted at this moment, gathered or not.
    pub fn texts(&self, compact: bool, now: Timestamp) -> Vec<String> {
        let live = self.grants.iter().filter(|it| is_live(it, now));
        let of_grant = |it: &Grant| it.terms.statement_text(&it.sid, &self.target);
        if compact {
            let terms = live.map(|it| (it.sid.as_str(), &it.terms));
            compact::texts(terms, &self.target, self.ownership.sid_prefix())
        } else {
            live.map(of_grant).collect()
        }
    }

    /// Names what is wanted, without where and how it is written: the same wishes have the same name.
    pub fn fingerprint(&self) -> String {
        let Self {
            target,
            ownership,
            grants,
            absent,
            suspend,
            replace,
            writer,
            compact,
            source: _,
        } = self;
        let mut hash = Sha256::new();
        hash.update(format!(
            "{target}\n{ownership:?}\n{suspend}\n{replace:?}\n{writer:?}\n{compact}\n"
        ));
        for Grant { sid, terms, expires, accept, description: _, source: _, rule: _ } in grants {
            let text = terms.statement_text(sid, target);
            hash.update(format!("{text}\n{expires:?}\n{accept:?}\n"));
        }
        for AbsentSid { sid, source: _ } in absent {
            hash.update(format!("{sid}\n"));
        }
        let mut res = String::new();
        for byte in hash.finalize() {
            // Writing to a String cannot fail.
            write!(res, "{byte:02x}").unwrap_or_default();
        }
        res
    }
}

/// A Sid that is written down as unwanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentSid {
    /// The statement id.
    pub sid: String,
    /// Where it was written.
    pub source: Source,
}
