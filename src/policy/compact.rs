//! One statement with a list in place of many that differ in one thing only.
//!
//! A policy statement allows what any combination of its listed values allows, so permissions that are alike but for
//! one value are said by one statement that lists those values, and by nothing else (IAM user guide, "Policy evaluation
//! logic": the values of a key are alternatives). Such a statement has a Sid of permitd's own, made of what its members share: by
//! that it is known again, and adding or removing a member changes one list.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write};

use sha2::{Digest, Sha256};

use crate::policy::{
    canonical::{Canonical, Map, Plain},
    document::Document,
    grant::Permission,
    json::Json,
    principal::Principal,
    statement::{Class, Statement, permission_of},
    target::Target,
    terms::{self, Parts, Terms},
};

/// What the members of one statement differ in; the first that gathers anything is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// `AWS:SourceArn`.
    SourceArn,
    /// `AWS:SourceAccount`.
    SourceAccount,
    /// The principal, services and others apart.
    Principal,
}

impl Dimension {
    const ALL: [Self; 3] = [Self::SourceArn, Self::SourceAccount, Self::Principal];
}

/// Which list a permission stands in, and with what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The Sid of the statement with the list.
    pub sid: String,
    /// What its members differ in.
    pub dimension: Dimension,
}

/// What ends the Sid of such a statement, besides the hash.
const NAME: &str = "compact-permitd-";
const HEX: usize = 8;

/// Such a statement, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Its Sid, and what its members differ in.
    pub place: Place,
    /// In the order of their texts.
    pub members: Vec<Permission>,
}

/// For each of these permissions the list that it belongs into; none where nothing else is like it. `prefix` is what
/// the Sids of the target have to begin with.
pub fn places(permissions: &[&Permission], target: &Target, prefix: &str) -> Vec<Option<Place>> {
    let mut res: Vec<Option<Place>> = vec![None; permissions.len()];
    for dimension in Dimension::ALL {
        let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, permission) in permissions.iter().enumerate() {
            if res.get(at).is_some_and(Option::is_none)
                && let Some(rest) = rest(permission, dimension)
            {
                alike.entry(rest).or_default().push(at);
            }
        }
        for (rest, members) in alike {
            let differ = members.iter().filter_map(|at| permissions.get(*at));
            let mut values: Vec<&str> = differ.filter_map(|it| value(it, dimension)).collect();
            values.sort_unstable();
            values.dedup();
            if values.len() < 2 {
                continue;
            }
            for at in members {
                if let Some(place) = res.get_mut(at) {
                    *place = Some(Place { sid: sid(target, dimension, &rest, prefix), dimension });
                }
            }
        }
    }
    res
}

/// The statements of these grants, alike ones gathered: those that stand alone in their order, then the lists.
pub fn texts<'a>(
    grants: impl IntoIterator<Item = (&'a str, &'a Terms)>,
    target: &Target,
    prefix: &str,
) -> Vec<String> {
    let grants: Vec<(&str, &Terms)> = grants.into_iter().collect();
    let plain: Vec<&Permission> = grants.iter().filter_map(|(_, it)| it.plain()).collect();
    let mut places = places(&plain, target, prefix).into_iter();
    let mut lists: BTreeMap<Place, Vec<&Permission>> = BTreeMap::new();
    let mut res = Vec::new();
    for (sid, terms) in grants {
        let permission = terms.plain();
        match permission.and_then(|_| places.next().flatten()).zip(permission) {
            Some((place, permission)) => lists.entry(place).or_default().push(permission),
            None => res.push(terms.statement_text(sid, target)),
        }
    }
    res.extend(lists.iter().map(|(place, members)| statement_text(place, members, target)));
    res
}

/// The same policy with lists: what AddPermission could have made is gathered where it is alike, and everything else
/// stays byte for byte.
pub fn rewritten(document: &Document, target: &Target) -> String {
    let apart = document.taken_apart(target, |_| Vec::new());
    let statements = apart.as_ref().unwrap_or(document).statements();
    let plain: Vec<&Permission> = statements.iter().filter_map(plain_of).collect();
    let mut places = places(&plain, target, "").into_iter();
    let mut lists: BTreeMap<Place, Vec<&Permission>> = BTreeMap::new();
    let mut res: Vec<String> = Vec::new();
    for it in statements {
        let permission = plain_of(it);
        match permission.and_then(|_| places.next().flatten()).zip(permission) {
            Some((place, permission)) => lists.entry(place).or_default().push(permission),
            None => res.push(it.text().to_owned()),
        }
    }
    res.extend(lists.iter().map(|(place, members)| statement_text(place, members, target)));
    document.with_statements(res.iter().map(String::as_str))
}

fn plain_of(statement: &Statement) -> Option<&Permission> {
    match statement.class() {
        Class::Expressible(it) => Some(it),
        // A member of a list stays one when its role is deleted.
        Class::Orphaned(it) if statement.listed_in().is_some() => Some(it),
        Class::Orphaned(_) | Class::Inexpressible(_) | Class::Fixed(_) => None,
    }
}

/// A live statement with a list of ours: of this form, and under the Sid that its own content gives.
pub fn read(sid: &str, text: &str, target: &Target) -> Option<List> {
    let (prefix, hash) = sid.rsplit_once(NAME)?;
    if hash.len() != HEX {
        return None;
    }
    let json = Json::parse(text)?;
    let canonical = Canonical::of(&json, target.partition());
    let plain = canonical.plain()?;
    Dimension::ALL.into_iter().find_map(|dimension| {
        let of_value = |only: Plain<'_>| permission_of(&only, &json, target).ok();
        let members: Option<Vec<Permission>> =
            alternatives(plain, dimension).into_iter().map(of_value).collect();
        let members = members.filter(|it| !it.is_empty())?;
        let rests: Option<Vec<String>> = members.iter().map(|it| rest(it, dimension)).collect();
        let rest = rests?.pop()?;
        let place = Place { sid: self::sid(target, dimension, &rest, prefix), dimension };
        (place.sid == sid).then_some(List { place, members })
    })
}

/// The statement that says what all of these say; they are alike but for the dimension of the place.
pub fn statement_text(place: &Place, members: &[&Permission], target: &Target) -> String {
    let Some(first) = members.first() else { return String::new() };
    let mut values: Vec<&str> =
        members.iter().filter_map(|it| value(it, place.dimension)).collect();
    values.sort_unstable();
    values.dedup();
    let owned = || values.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let mut parts = Parts::of(first);
    let mut set = |key: &str| {
        if let Some(it) = parts.conditions.iter_mut().find(|it| it.1 == key) {
            it.2 = owned();
        }
    };
    match place.dimension {
        Dimension::SourceArn => set(terms::SOURCE_ARN),
        Dimension::SourceAccount => set(terms::SOURCE_ACCOUNT),
        Dimension::Principal => {
            let mut principals: Vec<Principal> =
                members.iter().map(|it| it.principal.clone()).collect();
            principals.sort();
            principals.dedup();
            parts.principals = principals;
        }
    }
    terms::text(&parts, &place.sid, target)
}

fn sid(target: &Target, dimension: Dimension, rest: &str, prefix: &str) -> String {
    let hash = Sha256::digest(format!("{target}\n{dimension:?}\n{rest}"));
    let mut res = format!("{prefix}{NAME}");
    for byte in hash.iter().take(HEX / 2) {
        // Writing to a String cannot fail.
        write!(res, "{byte:02x}").unwrap_or_default();
    }
    res
}

fn value(permission: &Permission, dimension: Dimension) -> Option<&str> {
    match dimension {
        Dimension::SourceArn => permission.source_arn.as_deref(),
        Dimension::SourceAccount => permission.source_account.as_deref(),
        Dimension::Principal => match &permission.principal {
            // What was deleted still stands in its list, and makes it nobody else's.
            Principal::Account(it)
            | Principal::Iam(it)
            | Principal::Service(it)
            | Principal::Deleted(it) => Some(it),
            Principal::Anyone => None,
        },
    }
}

/// What a permission says besides that value; none where it has no such value to list.
fn rest(permission: &Permission, dimension: Dimension) -> Option<String> {
    value(permission, dimension)?;
    let mut rest = permission.clone();
    rest.action.0.make_ascii_lowercase();
    let mut kind = "";
    match dimension {
        Dimension::SourceArn => rest.source_arn = None,
        Dimension::SourceAccount => rest.source_account = None,
        Dimension::Principal => {
            let service = matches!(permission.principal, Principal::Service(_));
            kind = if service { "Service" } else { "AWS" };
            rest.principal = Principal::Anyone;
        }
    }
    Some(format!("{kind}{rest:?}"))
}

/// The statement once for each value that it lists, with that value alone.
fn alternatives<'a>(plain: &Plain<'a>, dimension: Dimension) -> Vec<Plain<'a>> {
    let of_condition = |operator: &str, key: &str| {
        let keys = plain.condition.get(operator);
        let values = keys.and_then(|it| it.get(key)).into_iter().flatten();
        let only = |value: &Cow<'a, str>| {
            let keys = keys.cloned().unwrap_or_default().with(key, vec![value.clone()]);
            Plain { condition: plain.condition.clone().with(operator, keys), ..plain.clone() }
        };
        values.map(only).collect()
    };
    match dimension {
        Dimension::SourceArn => of_condition("arnlike", "aws:sourcearn"),
        Dimension::SourceAccount => of_condition("stringequals", "aws:sourceaccount"),
        Dimension::Principal => {
            let kinds = plain.principal.iter().flat_map(Map::iter);
            let each = kinds.flat_map(|(kind, values)| values.iter().map(move |it| (kind, it)));
            let only = |(kind, value): (&str, &Cow<'a, str>)| Plain {
                principal: Some(Map::single(kind.to_owned().into(), vec![value.clone()])),
                ..plain.clone()
            };
            each.map(only).collect()
        }
    }
}

#[cfg(test)]
mod tests;
