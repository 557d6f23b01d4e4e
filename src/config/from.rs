//! Permissions that another tool declares: found in its file, and checked like those of a permission file.
//!
//! Nothing is dropped silently: what cannot be taken is [`Found::left`], with the reason.

pub mod cloudformation;
pub mod entries;
pub mod terraform;

use std::{collections::BTreeMap, fmt};

use crate::drift::bridge::is_reserved;
use crate::policy::grant::{Draft, Grant};
use crate::policy::source::Source;
use crate::policy::target::{Defaults, Target, TargetError};

/// What the file of another tool declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What can be taken, in the order of the file.
    pub permissions: Vec<Declared>,
    /// What says who may call, and cannot be taken.
    pub left: Vec<Remark>,
    /// What somebody should know of it besides.
    pub notes: Vec<Remark>,
}

/// One permission that another tool declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The name of the resource in its own tool: an address of Terraform, a logical id of CloudFormation.
    pub address: String,
    /// Whose policy it is for.
    pub function: FunctionRef,
    /// What it allows, under which Sid; its source is the file of the other tool.
    pub grant: Grant,
    /// The Sid is not the live one, which the file does not tell.
    pub sid_is_made_up: bool,
}

/// A function, its alias or its version, as far as a file tells without asking AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionRef {
    /// The twelve digits, if they are known.
    pub account: Option<String>,
    /// The region, if it is known.
    pub region: Option<String>,
    /// The bare name.
    pub name: String,
    /// The alias or the version.
    pub qualifier: Option<String>,
}

/// Something about one resource of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The name of the resource in its own tool.
    pub address: String,
    /// Where it stands.
    pub source: Source,
    /// One or more sentences' worth, without the last full stop.
    pub text: String,
}

impl Found {
    /// Everything of several files; one Sid of one policy is taken once.
    ///
    /// What repeats an earlier one is left, for nobody can tell which of the two is meant.
    pub fn merge(all: impl IntoIterator<Item = Self>) -> Self {
        let mut res = Self::default();
        let mut seen: BTreeMap<(FunctionRef, String), String> = BTreeMap::new();
        for Self { permissions, left, notes } in all {
            res.left.extend(left);
            res.notes.extend(notes);
            for it in permissions {
                let key = (it.function.clone(), it.grant.sid.clone());
                if let Some(first) = seen.get(&key) {
                    let Declared { address, function, grant, sid_is_made_up: _ } = it;
                    let text = format!(
                        "the sid `{}` of {} was taken from {first} already",
                        grant.sid,
                        function.short_name()
                    );
                    res.left.push(Remark { address, source: grant.source, text });
                } else {
                    seen.insert(key, format!("{} ({})", it.address, it.grant.source));
                    res.permissions.push(it);
                }
            }
        }
        res
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, source, text } = self;
        write!(f, "{address} ({source}): {text}")
    }
}

impl FunctionRef {
    /// `name`, or `name:qualifier`.
    pub fn short_name(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.name),
            None => self.name.clone(),
        }
    }

    /// The full ARN, if account and region are known.
    pub fn arn(&self) -> Option<String> {
        let Self { account, region, name, qualifier } = self;
        let defaults = Defaults { account: account.clone(), region: region.clone() };
        Target::parse(name, qualifier.as_deref(), &defaults).ok().map(|it| it.arn())
    }
}

/// Stands in for an account that nobody has to know.
const NOBODY: &str = "000000000000";
/// Stands in for a region; its partition is the one that nearly everybody is in.
const SOMEWHERE: &str = "us-east-1";

/// Checks a name, with or without an account, and a statement for it, by the rules of a permission file.
///
/// Fails with everything that is wrong.
fn check(
    name: &str,
    qualifier: Option<&str>,
    defaults: &Defaults,
    draft: &Draft<'_>,
    source: Source,
) -> Result<(FunctionRef, Grant), Vec<String>> {
    let complete = Defaults {
        account: Some(defaults.account.clone().unwrap_or_else(|| NOBODY.to_owned())),
        region: Some(defaults.region.clone().unwrap_or_else(|| SOMEWHERE.to_owned())),
    };
    let target = Target::parse(name, qualifier, &complete);
    let partition = target.as_ref().map_or("aws", Target::partition);
    let permission = draft.check(partition);
    let mut problems: Vec<String> = Vec::new();
    problems.extend(target.as_ref().err().map(ToString::to_string));
    if is_reserved(draft.sid) {
        problems.push(format!("the sid `{}` is reserved for permitd's own bridges", draft.sid));
    }
    problems.extend(permission.as_ref().err().into_iter().flatten().map(|it| it.message.clone()));
    let (Ok(target), Ok(permission), true) = (target, permission, problems.is_empty()) else {
        return Err(problems);
    };
    let lacks_account = {
        let rest = Defaults { account: defaults.account.clone(), region: complete.region };
        matches!(Target::parse(name, qualifier, &rest), Err(TargetError::NoAccount(_)))
    };
    let lacks_region = {
        let rest = Defaults { account: complete.account, region: defaults.region.clone() };
        matches!(Target::parse(name, qualifier, &rest), Err(TargetError::NoRegion(_)))
    };
    let function = FunctionRef {
        account: (!lacks_account).then(|| target.account().to_owned()),
        region: (!lacks_region).then(|| target.region().to_owned()),
        name: target.function().to_owned(),
        qualifier: target.qualifier().map(str::to_owned),
    };
    let grant = Grant {
        sid: draft.sid.to_owned(),
        terms: permission.into(),
        expires: None,
        accept: Vec::new(),
        description: None,
        source,
        rule: None,
    };
    Ok((function, grant))
}

#[cfg(test)]
mod tests;
