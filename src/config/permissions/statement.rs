//! One statement as it is typed.

use std::{str::FromStr, sync::LazyLock};

use jiff::Timestamp;
use regex::Regex;

use super::{exclude, texts};
use crate::config::walk::{Item, Spot, Text, Walker, nearest};
use crate::config::yaml::Value;
use crate::policy::{
    risk::Risk,
    terms::{Part, is_condition_key, is_operator, operators},
};

/// One item of `statements`.
#[derive(Debug, Default)]
pub(in crate::config) struct Statement<'a> {
    pub spot: Spot,
    /// Scalars by their key; most statements have three or four.
    texts: Vec<(&'static str, Text<'a>)>,
    /// Where `effect: deny` stands.
    pub denies: Option<Spot>,
    lists: Vec<List<'a>>,
    pub conditions: Vec<Condition<'a>>,
    pub invoked_via_function_url: Option<(bool, Spot)>,
    pub expires: Option<Timestamp>,
    pub accept: Vec<Risk>,
    /// Keys whose value is missing or was refused already.
    pub bad: Vec<&'static str>,
}

/// `principals` and the like.
#[derive(Debug)]
struct List<'a> {
    key: &'static str,
    spot: Spot,
    items: Vec<Text<'a>>,
}

/// One key under one operator of `conditions`.
#[derive(Debug)]
pub(in crate::config) struct Condition<'a> {
    pub operator: String,
    pub key: String,
    /// Of the key.
    pub spot: Spot,
    pub values: Vec<Text<'a>>,
}

pub(in crate::config) const STATEMENT_KEYS: &[&str] = &[
    "sid",
    "effect",
    "principal",
    "principals",
    "action",
    "actions",
    "source_arn",
    "source_arns",
    "source_account",
    "source_accounts",
    "principal_org_id",
    "event_source_token",
    "function_url_auth_type",
    "invoked_via_function_url",
    "conditions",
    "expires",
    "accept",
    "description",
];
/// The words of `effect`, and whether they deny.
pub(in crate::config) const EFFECTS: &[(&str, bool)] = &[("allow", false), ("deny", true)];
/// A point in time (RFC 3339), as a regular expression; how many days a month has is left to the calendar.
pub(in crate::config) const EXPIRES: &str = concat!(
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]",
    r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
);
/// Keys for one value, and for a list of them.
const PLURALS: [(&str, &str); 4] = [
    ("principal", "principals"),
    ("action", "actions"),
    ("source_arn", "source_arns"),
    ("source_account", "source_accounts"),
];
const EXAMPLE: &str = "conditions: {StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5}}";

impl<'a> Statement<'a> {
    /// The value of a key that takes a text.
    pub(in crate::config) fn text(&self, key: &str) -> Option<&str> {
        self.texts.iter().find(|(it, _)| *it == key).map(|(_, it)| it.text.as_ref())
    }

    /// The values of a key that takes a list; none of them where it does not stand there.
    pub(in crate::config) fn list(&self, key: &str) -> &[Text<'a>] {
        let found = self.lists.iter().find(|it| it.key == key);
        found.map_or(&[], |it| it.items.as_slice())
    }

    /// It has a list, a condition or `effect: deny`, so it may say more than AddPermission can.
    pub(in crate::config) fn is_wide(&self) -> bool {
        self.denies.is_some() || !self.lists.is_empty() || !self.conditions.is_empty()
    }

    /// Where to point when it is about this key.
    pub(in crate::config) fn spot_of(&self, key: &str) -> Spot {
        let text = |key: &str| self.texts.iter().find(|(it, _)| *it == key).map(|(_, it)| it.spot);
        let list = || self.lists.iter().find(|it| it.key == key).map(|it| it.spot);
        let flag = match key {
            "invoked_via_function_url" => self.invoked_via_function_url.map(|(_, it)| it),
            "effect" => self.denies,
            "conditions" => self.conditions.first().map(|it| it.spot),
            _ => None,
        };
        let own = text(key).or(flag).or_else(list);
        own.or_else(|| text("sid")).unwrap_or(self.spot)
    }

    /// The same for a part of it.
    pub(in crate::config) fn spot_at(&self, part: Part) -> Spot {
        let found = match part {
            Part::Key(_) => None,
            Part::Item(key, n) => self.list(key).get(n).map(|it| it.spot),
            Part::Condition(n) => self.conditions.get(n).map(|it| it.spot),
            Part::Value(n, at) => {
                self.conditions.get(n).and_then(|it| it.values.get(at)).map(|it| it.spot)
            }
        };
        let key = match part {
            Part::Key(it) | Part::Item(it, _) => it,
            Part::Condition(_) | Part::Value(..) => "conditions",
        };
        found.unwrap_or_else(|| self.spot_of(key))
    }
}

pub(super) fn read<'a>(walker: &mut Walker<'a>, root: Item<'_, 'a>) -> Option<Statement<'a>> {
    let items: Vec<Item<'_, 'a>> = walker.map(root, "an item of `statements`")?.collect();
    let mut statement =
        Statement { spot: root.spot(), texts: Vec::with_capacity(4), ..Statement::default() };
    for item in &items {
        let Some(key) = STATEMENT_KEYS.iter().find(|it| **it == item.key) else {
            statement.bad.extend(walker.unknown(*item, "a statement", STATEMENT_KEYS));
            continue;
        };
        if !value(walker, *item, key, &mut statement) {
            statement.bad.push(key);
        }
    }
    for (one, several) in PLURALS {
        let found = |key| items.iter().find(|it| it.key == key);
        if let (Some(one), Some(list)) = (found(one), found(several)) {
            let help =
                format!("write all of them under `{several}`, or the one under `{}`", one.key);
            exclude(walker, *one, *list, &help);
            statement.bad.push(several);
        }
        // Who wrote the one wrongly has not left out the other.
        if statement.bad.contains(&several) {
            statement.bad.push(one);
        }
    }
    for key in ["sid", "principal"] {
        let is_there = statement.text(key).is_some()
            || (key == "principal" && !statement.list("principals").is_empty());
        if !is_there {
            if !statement.bad.contains(&key) {
                let example =
                    if key == "sid" { "sid: my-statement" } else { "principal: s3.amazonaws.com" };
                let message = format!("`{key}` is missing in this statement");
                walker.advise(root.spot(), message, format!("write `{example}`"));
            }
            statement.bad.push(key);
        }
    }
    Some(statement)
}

/// What stands under one of the keys; false if it was refused.
fn value<'a>(
    walker: &mut Walker<'a>,
    item: Item<'_, 'a>,
    key: &'static str,
    statement: &mut Statement<'a>,
) -> bool {
    match key {
        "effect" => {
            let effect = walker.choice(item, EFFECTS);
            statement.denies = effect.filter(|(denies, _)| *denies).map(|(_, it)| it);
            effect.is_some()
        }
        "principals" | "actions" | "source_arns" | "source_accounts" => {
            let (items, good) = list(walker, item);
            statement.lists.push(List { key, spot: item.spot(), items });
            good
        }
        "conditions" => {
            let before = walker.diagnostics.len();
            statement.conditions = conditions(walker, item);
            !statement.conditions.is_empty() && walker.diagnostics.len() == before
        }
        "invoked_via_function_url" => {
            statement.invoked_via_function_url = walker.boolean(item);
            statement.invoked_via_function_url.is_some()
        }
        "expires" => {
            statement.expires = expires(walker, item);
            true
        }
        "accept" => {
            statement.accept = accept(walker, item);
            true
        }
        key => match walker.text(item) {
            Some(text) => {
                statement.texts.push((key, text));
                true
            }
            None => false,
        },
    }
}

/// A list of at least one, and whether all of it is there.
fn list<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> (Vec<Text<'a>>, bool) {
    let example = match item.key {
        "principals" => "principals: [s3.amazonaws.com, \"210987654321\"]",
        "actions" => "actions: [lambda:InvokeFunction, lambda:GetFunction]",
        "source_arns" => "source_arns: [arn:aws:s3:::one, arn:aws:s3:::other]",
        _ => "source_accounts: [\"123456789012\", \"210987654321\"]",
    };
    if matches!(&item.node.value, Value::Seq(it) if it.is_empty()) {
        let help = format!("write it like `{example}`, or leave the key out");
        walker.advise(item.spot(), format!("`{}` is empty", item.key), help);
        return (Vec::new(), false);
    }
    let before = walker.diagnostics.len();
    let items = texts(walker, item, example);
    let good = walker.diagnostics.len() == before && !items.is_empty();
    (items, good)
}

fn conditions<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Vec<Condition<'a>> {
    let mut res = Vec::new();
    for operator in members(walker, item, "`conditions`") {
        if !is_operator(operator.key) {
            let message = format!("`{}` is not an operator of IAM's conditions", operator.key);
            walker.advise(operator.key_spot(), message, meant_operator(operator.key));
            continue;
        }
        for key in members(walker, operator, "an operator of `conditions`") {
            if !is_condition_key(key.key) {
                let message = format!("`{}` is not a condition key", key.key.escape_debug());
                let help = "one has a colon, as in aws:SourceArn or lambda:FunctionUrlAuthType";
                walker.advise(key.key_spot(), message, help);
                continue;
            }
            let values = match &key.node.value {
                Value::Seq(items) if items.is_empty() => {
                    let help = "write a value, or a list of them";
                    walker.advise(key.spot(), format!("`{}` is empty", key.key), help);
                    continue;
                }
                Value::Seq(_) => texts(walker, key, EXAMPLE),
                Value::Null | Value::Plain(_) | Value::Quoted(_) | Value::Map(_) | Value::Bad => {
                    walker.text(key).into_iter().collect()
                }
            };
            if !values.is_empty() {
                res.push(Condition {
                    operator: operator.key.to_owned(),
                    key: key.key.to_owned(),
                    spot: key.key_spot(),
                    values,
                });
            }
        }
    }
    res
}

/// What to write instead of an operator that there is not.
fn meant_operator(text: &str) -> String {
    // It alone has no variants, and all of its variants look like those of another one.
    if text.to_ascii_lowercase().contains("null") {
        return "did you mean `Null`?".to_owned();
    }
    let words: Vec<String> = operators().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match nearest(text, &words) {
        Some(it) => format!("did you mean `{it}`?"),
        None => format!("write it like `{EXAMPLE}`; others are StringLike, ArnLike, Bool"),
    }
}

/// The members of a map that has at least one.
fn members<'t, 'a>(walker: &mut Walker<'a>, item: Item<'t, 'a>, what: &str) -> Vec<Item<'t, 'a>> {
    let found: Option<Vec<Item<'t, 'a>>> = walker.map(item, what).map(Iterator::collect);
    if found.as_ref().is_some_and(Vec::is_empty) {
        let help = format!("write it like `{EXAMPLE}`, or leave it out");
        walker.advise(item.spot(), format!("`{}` is empty", item.key), help);
    }
    found.unwrap_or_default()
}

fn expires<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Option<Timestamp> {
    static RFC_3339: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EXPIRES).ok());
    let Text { text, spot } = walker.text(item)?;
    let formed = RFC_3339.as_ref().is_some_and(|it| it.is_match(&text));
    let time = Timestamp::from_str(&text).ok().filter(|_| formed);
    if time.is_none() {
        let message = format!("`{text}` is not a point in time");
        walker.advise(spot, message, "write date, time and offset: 2026-12-31T00:00:00Z");
    }
    time
}

fn accept<'a>(walker: &mut Walker<'a>, item: Item<'_, 'a>) -> Vec<Risk> {
    let mut risks = Vec::new();
    for Text { text, spot } in texts(walker, item, "accept: [P004]") {
        match Risk::parse(&text) {
            Some(risk) => risks.push(risk),
            None => {
                walker.advise(spot, format!("`{text}` is not a risk"), "risks are P001 to P008");
            }
        }
    }
    risks
}
