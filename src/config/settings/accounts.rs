//! `accounts`: in this version one account with one region.

use super::{later, scalar};
use crate::config::walk::{Item, Walker};
use crate::policy::target::{AccountRegion, check_account, check_region};

const EXAMPLE: &str = "accounts: [{id: \"123456789012\", regions: [us-east-1]}]";
/// Of an item of `accounts`.
pub(in crate::config) const KEYS: &[&str] = &["id", "regions"];
const ONE_EACH: &str = "name one; run one permitd for each of the others";

pub(super) fn read<'a>(walker: &mut Walker<'a>, list: Item<'_, 'a>) -> Option<AccountRegion> {
    let items: Vec<Item<'_, 'a>> = walker.list(list, EXAMPLE)?.collect();
    if let Some(second) = items.get(1) {
        let message = "several accounts are not supported yet in this version";
        walker.advise(second.spot(), message, ONE_EACH);
    }
    if items.is_empty() {
        let help = format!("write `{EXAMPLE}`, or leave it out");
        walker.advise(list.spot(), "`accounts` is empty", help);
    }
    let accounts: Vec<_> = items.into_iter().filter_map(|it| account(walker, it)).collect();
    accounts.into_iter().next()
}

fn account<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<AccountRegion> {
    let (mut account, mut region) = (None, None);
    let mut there = Vec::new();
    for item in walker.map(root, "an item of `accounts`")? {
        match item.key {
            "id" => account = scalar(walker, item, |it| owned(it, check_account)),
            "regions" => region = one_region(walker, item),
            "role_arn" | "external_id" | "profile" => later(walker, item),
            _ => there.extend(walker.unknown(item, "an item of `accounts`", KEYS)),
        }
        there.push(item.key);
    }
    for key in KEYS {
        if !there.contains(key) {
            let help = format!("write it like `{EXAMPLE}`");
            walker.advise(root.spot(), format!("`{key}` is missing in this account"), help);
        }
    }
    Some(AccountRegion { account: account?, region: region? })
}

fn one_region<'a>(walker: &mut Walker<'a>, list: Item<'_, 'a>) -> Option<String> {
    let items: Vec<Item<'_, 'a>> = walker.list(list, "regions: [us-east-1]")?.collect();
    if let Some(second) = items.get(1) {
        let message = "several regions are not supported yet in this version";
        walker.advise(second.spot(), message, ONE_EACH);
    }
    if items.is_empty() {
        walker.advise(list.spot(), "`regions` is empty", "write it like `regions: [us-east-1]`");
    }
    let regions =
        items.into_iter().filter_map(|it| scalar(walker, it, |it| owned(it, check_region)));
    regions.collect::<Vec<_>>().into_iter().next()
}

fn owned<E: ToString>(text: &str, check: fn(&str) -> Result<(), E>) -> Result<String, String> {
    check(text).map(|()| text.to_owned()).map_err(|it| it.to_string())
}
