//! In which accounts and regions the functions of a document are.

use std::collections::BTreeSet;

use super::findings::Findings;
use crate::config::permissions::{Document, Several};
use crate::config::walk::{Spot, Text};
use crate::policy::target::{AccountRegion, Defaults, TargetError, check_account, check_region};

/// An account or a region that a document is for.
struct Name {
    /// None: nobody said which.
    text: Option<String>,
    /// Where it stands; none where the file does not say it.
    spot: Option<Spot>,
    /// One of `all`: it need not go with every other.
    free: bool,
}

/// The account and region of a document that names one of each, or nothing.
pub(super) fn of_file(document: &Document<'_>, outer: &Defaults) -> Defaults {
    let own = |text: &Option<Text<'_>>| text.as_ref().map(|it| it.text.clone().into_owned());
    Defaults {
        account: own(&document.account).or_else(|| outer.account.clone()),
        region: own(&document.region).or_else(|| outer.region.clone()),
    }
}

/// Every place that a document is for. `places` are those of the settings; none of them: nobody knows.
pub(super) fn homes(
    document: &Document<'_>,
    outer: &Defaults,
    places: &[AccountRegion],
    findings: &mut Findings,
) -> Vec<Defaults> {
    let Document { accounts, regions, .. } = document;
    let has_rule = document.entries.iter().any(|it| it.rule.is_some());
    let one = of_file(document, outer);
    // Where a rule looks has to be among what the settings know.
    let is_checked = has_rule && !places.is_empty();
    if accounts.is_none() && regions.is_none() && !is_checked {
        return vec![one];
    }
    let known_accounts: BTreeSet<&str> = places.iter().map(|it| it.account.as_str()).collect();
    let known_regions: BTreeSet<&str> = places.iter().map(|it| it.region.as_str()).collect();
    let spot = |it: &Option<Text<'_>>| it.as_ref().map(|it| it.spot);
    let accounts =
        names(accounts.as_ref(), (one.account, spot(&document.account)), &known_accounts);
    let regions = names(regions.as_ref(), (one.region, spot(&document.region)), &known_regions);
    let accounts = sound(document, accounts, (check_account, "account", &known_accounts), findings);
    let regions = sound(document, regions, (check_region, "region", &known_regions), findings);
    let mut res = BTreeSet::new();
    for account in &accounts {
        for region in &regions {
            let pair = (account.text.clone(), region.text.clone());
            if let (Some(account_id), Some(region_id), false) =
                (&pair.0, &pair.1, places.is_empty())
            {
                let place =
                    AccountRegion { account: account_id.clone(), region: region_id.clone() };
                if !places.contains(&place) {
                    if !account.free && !region.free {
                        let spot = region.spot.or(account.spot).unwrap_or(document.functions_at);
                        let message = format!(
                            "the settings do not name the region {region_id} for the account {account_id}"
                        );
                        let help = "correct it, or add it to `accounts` in the settings; \
                                    `all` takes those that there are";
                        findings.push(spot.error(document.file, message).help(help));
                    }
                    continue;
                }
            }
            res.insert(pair);
        }
    }
    res.into_iter().map(|(account, region)| Defaults { account, region }).collect()
}

fn names(
    several: Option<&Several<'_>>,
    (one, spot): (Option<String>, Option<Spot>),
    known: &BTreeSet<&str>,
) -> Vec<Name> {
    match several {
        Some(Several::All) if !known.is_empty() => {
            let free = |it: &&str| Name { text: Some((*it).to_owned()), spot: None, free: true };
            known.iter().map(free).collect()
        }
        Some(Several::Listed(texts)) => {
            let listed = |it: &Text<'_>| Name {
                text: Some(it.text.to_string()),
                spot: Some(it.spot),
                free: false,
            };
            texts.iter().map(listed).collect()
        }
        Some(Several::All) | None => vec![Name { text: one, spot, free: false }],
    }
}

/// Those that can be one, and that the settings know.
fn sound(
    document: &Document<'_>,
    names: Vec<Name>,
    (check, what, known): (Check, &str, &BTreeSet<&str>),
    findings: &mut Findings,
) -> Vec<Name> {
    let is_sound = |Name { text, spot, free: _ }: &Name| {
        let Some(text) = text else { return true };
        let at = spot.unwrap_or(document.functions_at);
        if let Err(error) = check(text) {
            // Of the one that stands at the top it is told elsewhere.
            if spot.is_some() {
                findings.push(at.error(document.file, error.to_string()));
            }
            return false;
        }
        let is_known = known.is_empty() || known.contains(text.as_str());
        if !is_known {
            let message = format!("the settings do not name the {what} {text}");
            let names: Vec<&str> = known.iter().copied().take(MOST_NAMED).collect();
            let more = if known.len() > MOST_NAMED { ", …" } else { "" };
            let help = format!("`accounts` in the settings names {}{more}", names.join(", "));
            findings.push(at.error(document.file, message).help(help));
        }
        is_known
    };
    names.into_iter().filter(is_sound).collect()
}

type Check = fn(&str) -> Result<(), TargetError>;

/// More names help nobody who looks for one.
const MOST_NAMED: usize = 5;
