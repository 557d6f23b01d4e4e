//! `accounts`: which account-regions are looked after, and how each account is entered.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::scalar;
use crate::config::diagnostic::Place;
use crate::config::walk::{Item, Text, Walker};
use crate::policy::target::{AccountRegion, check_account, check_region};

const EXAMPLE: &str = "accounts: [{id: \"123456789012\", regions: [us-east-1]}]";
/// Of an item of `accounts`.
pub(in crate::config) const KEYS: &[&str] =
    &["id", "regions", "profile", "role_arn", "external_id", "session_name"];
/// Those that an item has to have.
pub(in crate::config) const NEEDED: &[&str] = &["id", "regions"];

/// `RoleArn` of AssumeRole, as far as it names a role.
pub(in crate::config) const ROLE_ARN: &str =
    "^arn:aws[a-zA-Z-]*:iam::[0-9]{12}:role/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$";
/// `ExternalId` of AssumeRole (STS API reference).
pub(in crate::config) const EXTERNAL_ID: &str = r"^[A-Za-z0-9_+=,.@:/\\-]{2,1224}$";
/// `RoleSessionName` of AssumeRole (STS API reference).
pub(in crate::config) const SESSION_NAME: &str = "^[A-Za-z0-9_+=,.@-]{2,64}$";
/// The session of a role that nobody names.
pub const USUAL_SESSION: &str = "permitd";

/// One account, where it is looked after and how it is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The twelve digits.
    pub id: String,
    /// At least one, none twice.
    pub regions: Vec<String>,
    /// Of the AWS configuration files, instead of the base credentials.
    pub profile: Option<String>,
    /// Entered with those credentials.
    pub role: Option<Role>,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// In the account that it is for.
    pub arn: String,
    /// What its trust policy may ask for.
    pub external_id: Option<String>,
    /// Under which name CloudTrail shows what we do.
    pub session_name: String,
}

impl Account {
    /// Where it is looked after.
    pub fn places(&self) -> impl Iterator<Item = AccountRegion> {
        let place = |it: &String| AccountRegion { account: self.id.clone(), region: it.clone() };
        self.regions.iter().map(place)
    }
}

pub(super) fn read<'a>(walker: &mut Walker<'a>, list: Item<'_, 'a>) -> Vec<Account> {
    let Some(items) = walker.list(list, EXAMPLE) else { return Vec::new() };
    let items: Vec<Item<'_, 'a>> = items.collect();
    if items.is_empty() {
        let help = format!("write `{EXAMPLE}`, or leave it out");
        walker.advise(list.spot(), "`accounts` is empty", help);
    }
    let (mut accounts, mut known) = (Vec::new(), BTreeMap::new());
    for it in items {
        let Some(account) = account(walker, it) else { continue };
        let place = it.spot().place(walker.file);
        if let Some(first) = known.get(&account.id) {
            let message = format!("the account {} stands twice in `accounts`", account.id);
            let error = it.spot().error(walker.file, message);
            let error = error.also(Place::clone(first), "it stands here first");
            walker.diagnostics.push(error.help("write all its regions into one of them"));
            continue;
        }
        known.insert(account.id.clone(), place);
        accounts.push(account);
    }
    accounts
}

fn account<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<Account> {
    let (mut id, mut regions, mut profile) = (None, None, None);
    let (mut role_arn, mut external_id, mut session_name) = (None, None, None);
    let mut there = Vec::new();
    for item in walker.map(root, "an item of `accounts`")? {
        match item.key {
            "id" => id = scalar(walker, item, |it| owned(it, check_account)),
            "regions" => regions = read_regions(walker, item),
            "profile" => profile = scalar(walker, item, profile_name),
            "role_arn" => role_arn = walker.text(item),
            "external_id" => external_id = scalar(walker, item, read_external_id).zip(Some(item)),
            "session_name" => session_name = scalar(walker, item, read_session).zip(Some(item)),
            _ => there.extend(walker.unknown(item, "an item of `accounts`", KEYS)),
        }
        there.push(item.key);
    }
    for key in NEEDED {
        if !there.contains(key) {
            let help = format!("write it like `{EXAMPLE}`");
            walker.advise(root.spot(), format!("`{key}` is missing in this account"), help);
        }
    }
    let has_role = there.contains(&"role_arn");
    for (key, item) in [("external_id", &external_id), ("session_name", &session_name)] {
        if let (Some((_, item)), false) = (item, has_role) {
            let message = format!("`{key}` goes with a `role_arn` only");
            walker.advise(item.key_spot(), message, "write `role_arn:` beside it, or delete it");
        }
    }
    let arn = role_arn.and_then(|it| check_role(walker, &it, id.as_deref()));
    let role = arn.map(|arn| Role {
        arn,
        external_id: external_id.map(|(it, _)| it),
        session_name: session_name.map_or_else(|| USUAL_SESSION.to_owned(), |(it, _)| it),
    });
    Some(Account { id: id?, regions: regions?, profile, role })
}

fn read_regions<'a>(walker: &mut Walker<'a>, list: Item<'_, 'a>) -> Option<Vec<String>> {
    let items: Vec<Item<'_, 'a>> = walker.list(list, "regions: [us-east-1]")?.collect();
    if items.is_empty() {
        walker.advise(list.spot(), "`regions` is empty", "write it like `regions: [us-east-1]`");
        return None;
    }
    let mut known: BTreeMap<String, Place> = BTreeMap::new();
    let mut regions = Vec::new();
    for it in items {
        let Some(region) = scalar(walker, it, |it| owned(it, check_region)) else { continue };
        let place = it.spot().place(walker.file);
        if let Some(first) = known.get(&region) {
            let message = format!("the region {region} stands twice in this account");
            let error = it.spot().error(walker.file, message);
            let error = error.also(first.clone(), "it stands here first");
            walker.diagnostics.push(error.help("delete one of them"));
            continue;
        }
        known.insert(region.clone(), place);
        regions.push(region);
    }
    Some(regions)
}

/// The session is in the account of its role.
fn check_role(walker: &mut Walker<'_>, arn: &Text<'_>, id: Option<&str>) -> Option<String> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ROLE_ARN).ok());
    let Text { text, spot } = arn;
    if !FORM.as_ref().is_some_and(|it| it.is_match(text)) {
        let message = format!("`{text}` is not the ARN of a role");
        walker.advise(*spot, message, "write it like arn:aws:iam::123456789012:role/permitd");
        return None;
    }
    let account = text.split(':').nth(4).unwrap_or_default();
    if let Some(id) = id.filter(|it| *it != account) {
        let message = format!("this role is in the account {account}, and `id` says {id}");
        walker.advise(*spot, message, "name a role of the account that is to be entered");
        return None;
    }
    Some(text.to_string())
}

fn profile_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("`profile` is empty; name one of the AWS configuration files".to_owned());
    }
    Ok(text.to_owned())
}

fn read_external_id(text: &str) -> Result<String, String> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EXTERNAL_ID).ok());
    let allowed = "letters, digits and _+=,.@:/\\-, 2 to 1224 of them";
    formed(text, FORM.as_ref(), "an external id", allowed)
}

fn read_session(text: &str) -> Result<String, String> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SESSION_NAME).ok());
    let allowed = "letters, digits and _+=,.@-, 2 to 64 of them";
    formed(text, FORM.as_ref(), "a session name", allowed)
}

fn formed(text: &str, form: Option<&Regex>, what: &str, allowed: &str) -> Result<String, String> {
    if form.is_some_and(|it| it.is_match(text)) {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is not {what}: {allowed}"))
}

fn owned<E: ToString>(text: &str, check: fn(&str) -> Result<(), E>) -> Result<String, String> {
    check(text).map(|()| text.to_owned()).map_err(|it| it.to_string())
}
