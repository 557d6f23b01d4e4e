//! In which account and region a function is that a permission names by its bare name.
//!
//! One configuration of the provider has one account, and, where a resource names no region of its own, one
//! region. So the ARN of any function that it manages tells both.

use std::collections::{BTreeMap, BTreeSet};

use super::{Instance, Resource};
use crate::policy::target::{Defaults, Target};

/// What is known of each configuration of the provider.
#[derive(Debug, Default)]
pub(super) struct Homes {
    providers: BTreeMap<String, Home>,
}

#[derive(Debug, Default)]
struct Home {
    accounts: BTreeSet<String>,
    /// Of resources that name no region themselves.
    regions: BTreeSet<String>,
    /// By the name of the function: every region it is in.
    functions: BTreeMap<String, BTreeSet<String>>,
}

/// What is known of one function, to be completed by what was said on the command line.
#[derive(Debug, Default)]
pub(super) struct Known {
    account: Option<String>,
    region: Option<String>,
}

/// Whether something can be learnt from it.
pub(super) fn is_of_interest(resource: &Resource<'_>) -> bool {
    match resource.mode.as_str() {
        "managed" => matches!(resource.kind.as_str(), "aws_lambda_function" | "aws_lambda_alias"),
        "data" => resource.kind == "aws_caller_identity",
        _ => false,
    }
}

impl Homes {
    /// Learns from one instance.
    pub(super) fn learn(&mut self, resource: &Resource<'_>, instance: &Instance) {
        if !is_of_interest(resource) || instance.deposed.is_some() {
            return;
        }
        let text = |key: &str| instance.text(key).ok().flatten();
        let home = self.providers.entry(resource.provider.clone()).or_default();
        if resource.kind == "aws_caller_identity" {
            home.accounts.extend(text("account_id").map(str::to_owned));
            return;
        }
        let Some(target) =
            text("arn").and_then(|it| Target::parse(it, None, &Defaults::default()).ok())
        else {
            return;
        };
        home.accounts.insert(target.account().to_owned());
        let region = target.region().to_owned();
        if text("region").is_none() {
            home.regions.insert(region.clone());
        }
        home.functions.entry(target.function().to_owned()).or_default().insert(region);
    }

    /// Where a permission of this provider finds a function of this name; `region` is the permission's own.
    pub(super) fn of(&self, provider: &str, name: &str, region: Option<&str>) -> Known {
        let home = self.providers.get(provider);
        let account = home.and_then(|it| only(&it.accounts));
        let by_name = || only(home?.functions.get(name.split(':').next().unwrap_or_default())?);
        let by_provider = || home.and_then(|it| only(&it.regions));
        let region = region.map(str::to_owned).or_else(by_provider).or_else(by_name);
        Known { account, region }
    }
}

impl Known {
    /// What the state proves goes before what was said of functions that name nothing.
    pub(super) fn or(self, defaults: &Defaults) -> Defaults {
        Defaults {
            account: self.account.or_else(|| defaults.account.clone()),
            region: self.region.or_else(|| defaults.region.clone()),
        }
    }
}

fn only(values: &BTreeSet<String>) -> Option<String> {
    let first = values.first()?;
    (values.len() == 1).then(|| first.clone())
}
