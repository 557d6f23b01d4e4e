//! One live entry of a policy: what kind it is, and the permission it stands for where it has one.

use crate::policy::{
    canonical::{Canonical, Map, Plain, Texts},
    grant::{Action, Permission, UrlAuthType, is_action, is_org_id, is_source_arn, is_token},
    json::Json,
    principal::{Principal, is_unique_id},
    target::{Target, check_account},
    terms::Terms,
};

/// One statement of a live policy, with its text as Lambda gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    text: Box<str>,
    sid: Option<String>,
    class: Class,
    /// The statement of ours with a list that this one was taken out of.
    listed_in: Option<Box<str>>,
}

/// What can be done with a live statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// AddPermission could have made it, so it can be made again.
    Expressible(Permission),
    /// Its one principal was deleted: it grants to nobody, and no AddPermission works beside it.
    Orphaned(Permission),
    /// It has a Sid, so RemovePermission takes it away, but it cannot be made again.
    Inexpressible(Odd),
    /// No Sid, or one that RemovePermission does not take: only a whole-document write can touch it.
    Fixed(Odd),
}

/// What is known of a statement that AddPermission cannot have made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Why it is none of AddPermission's, in a few words.
    pub why: &'static str,
    /// It denies: taking it away widens access.
    pub denies: bool,
    principals: Vec<String>,
    source_arns: Vec<String>,
}

impl Statement {
    /// Reads one statement of `target`'s policy. Whatever it is, it is kept.
    pub fn read(text: &str, target: &Target) -> Self {
        let json = Json::parse(text);
        let sid = json.as_ref().and_then(sid_of);
        let class = match &json {
            Some(json) => classify(json, sid.as_deref(), target),
            None => Class::Fixed(Odd::unreadable()),
        };
        Self { text: text.into(), sid, class, listed_in: None }
    }

    /// The same, in a policy whose version takes `${…}` for itself: AddPermission could not make that.
    #[must_use]
    pub(crate) fn in_other_version(mut self) -> Self {
        if let (Class::Expressible(permission), true) = (&self.class, self.text.contains("${")) {
            self.class = Class::Inexpressible(Odd {
                why: "its policy's Version takes ${…} for itself",
                denies: false,
                principals: vec![permission.principal.parameter().to_owned()],
                source_arns: permission.source_arn.iter().cloned().collect(),
            });
        }
        self
    }

    /// The same, as a member of a list of ours.
    #[must_use]
    pub fn in_list(self, sid: &str) -> Self {
        Self { listed_in: Some(sid.into()), ..self }
    }

    /// The Sid of the statement with a list that says this among other things.
    pub fn listed_in(&self) -> Option<&str> {
        self.listed_in.as_deref()
    }

    /// Exactly as Lambda gave it, or as Lambda would write a member of a list.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its identity, if it has one.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// What can be done with it.
    pub fn class(&self) -> &Class {
        &self.class
    }

    /// What it allows, where AddPermission could say it (or could have, before its principal was deleted).
    pub fn permission(&self) -> Option<&Permission> {
        match &self.class {
            Class::Expressible(it) | Class::Orphaned(it) => Some(it),
            Class::Inexpressible(_) | Class::Fixed(_) => None,
        }
    }

    /// It says exactly this.
    pub fn says(&self, terms: &Terms) -> bool {
        match terms {
            Terms::Plain(it) => self.says_plainly(it),
            Terms::Wide(it) => {
                matches!(self.class, Class::Inexpressible(_)) && it.is_said_by(&self.text)
            }
        }
    }

    /// It says exactly this, as AddPermission would.
    pub fn says_plainly(&self, permission: &Permission) -> bool {
        matches!(&self.class, Class::Expressible(it) if it == permission)
    }

    /// The content, comparable.
    pub fn canonical(&self, target: &Target) -> Canonical<'_> {
        Canonical::of_text(&self.text, target.partition())
    }

    /// Every principal it names, as text.
    pub fn principals(&self) -> Vec<&str> {
        match &self.class {
            Class::Expressible(it) | Class::Orphaned(it) => vec![it.principal.parameter()],
            Class::Inexpressible(odd) | Class::Fixed(odd) => {
                odd.principals.iter().map(String::as_str).collect()
            }
        }
    }

    /// Every source ARN it names.
    pub fn source_arns(&self) -> Vec<&str> {
        match &self.class {
            Class::Expressible(it) | Class::Orphaned(it) => {
                it.source_arn.as_deref().into_iter().collect()
            }
            Class::Inexpressible(odd) | Class::Fixed(odd) => {
                odd.source_arns.iter().map(String::as_str).collect()
            }
        }
    }

    /// It names a deleted role or user, which keeps every AddPermission on this policy from working
    /// (`lambda-semantics.md`, 0.7).
    pub fn blocks_adding(&self) -> bool {
        self.principals().into_iter().any(is_unique_id)
    }

    /// Taking it away widens access.
    pub fn denies(&self) -> bool {
        match &self.class {
            Class::Expressible(_) | Class::Orphaned(_) => false,
            Class::Inexpressible(odd) | Class::Fixed(odd) => odd.denies,
        }
    }
}

impl Odd {
    fn unreadable() -> Self {
        Self {
            why: "it is not readable",
            denies: false,
            principals: Vec::new(),
            source_arns: Vec::new(),
        }
    }
}

fn sid_of(json: &Json<'_>) -> Option<String> {
    let Json::Object(members) = json else { return None };
    let mut sids = members.iter().filter(|(key, _)| key == "Sid");
    let (_, sid) = sids.next()?;
    let only = sids.next().is_none();
    sid.string().filter(|it| only && !it.is_empty()).map(str::to_owned)
}

fn classify(json: &Json<'_>, sid: Option<&str>, target: &Target) -> Class {
    let canonical = Canonical::of(json, target.partition());
    let permission = canonical
        .plain()
        .ok_or("it is of a form that permitd does not know")
        .and_then(|it| permission_of(it, json, target));
    let removable = |it: &&str| {
        let letter = |it: u8| it.is_ascii_alphanumeric() || b"-_.".contains(&it);
        it.len() <= 100 && it.bytes().all(letter)
    };
    let odd = |why| odd(why, canonical.plain(), json);
    match (sid, permission) {
        (None, _) => Class::Fixed(odd("it has no Sid")),
        (Some(sid), _) if !removable(&sid) => {
            Class::Fixed(odd("its Sid is not one that RemovePermission takes"))
        }
        (Some(sid), _) if sid.contains('.') => {
            Class::Inexpressible(odd("AddPermission takes no Sid with a dot"))
        }
        (Some(_), Ok(it)) if matches!(it.principal, Principal::Deleted(_)) => Class::Orphaned(it),
        (Some(_), Ok(it)) => Class::Expressible(it),
        (Some(_), Err(why)) => Class::Inexpressible(odd(why)),
    }
}

fn odd(why: &'static str, plain: Option<&Plain<'_>>, json: &Json<'_>) -> Odd {
    let Some(plain) = plain else { return opaque(why, json) };
    let kinds = plain.principal.iter().chain(&plain.not_principal);
    let principals = kinds.flat_map(|it| it.values().flatten()).map(ToString::to_string).collect();
    let keys = plain.condition.values().filter_map(|it| it.get("aws:sourcearn"));
    Odd {
        why,
        denies: plain.effect == "Deny",
        principals,
        source_arns: keys.flatten().map(ToString::to_string).collect(),
    }
}

/// Whatever can be seen in a statement that is not understood: too much rather than too little, for these are
/// the things that keep it, or its policy, from being touched.
fn opaque(why: &'static str, json: &Json<'_>) -> Odd {
    let mut res = Odd { why, ..Odd::unreadable() };
    let Json::Object(members) = json else { return res };
    for (key, value) in members {
        match key.as_ref() {
            "Effect" => res.denies |= value.string() == Some("Deny"),
            "Principal" | "NotPrincipal" => value.strings(&mut res.principals),
            "Condition" => value.members(&mut |key, value| {
                if key.eq_ignore_ascii_case("aws:sourcearn") {
                    value.strings(&mut res.source_arns);
                }
            }),
            _ => {}
        }
    }
    res
}

/// What AddPermission would have been asked for, or why it cannot have been.
pub(super) fn permission_of(
    plain: &Plain<'_>,
    json: &Json<'_>,
    target: &Target,
) -> Result<Permission, &'static str> {
    let Plain {
        effect,
        principal,
        not_principal,
        action,
        not_action,
        resource,
        not_resource,
        condition,
    } = plain;
    if effect != "Allow" {
        return Err(if effect == "Deny" { "it denies" } else { "its effect is unknown" });
    }
    if not_principal.is_some() || not_action.is_some() || not_resource.is_some() {
        return Err("it has a NotPrincipal, NotAction or NotResource");
    }
    let principal = principal
        .as_ref()
        .ok_or("it has no principal")
        .and_then(|it| one_principal(it, target.partition()))?;
    let action = action.as_ref().ok_or("it has no action")?;
    let lower = only(action).ok_or("it has several actions")?;
    if !is_action(lower) {
        return Err("its action is not one of Lambda");
    }
    let resource = resource.as_ref().ok_or("it has no resource")?;
    if only(resource).ok_or("it has several resources")? != target.arn() {
        return Err("its resource is not this function");
    }
    let action = Action(action_as_written(json).unwrap_or_else(|| lower.to_owned()));
    let mut res = Permission::of(principal, action);
    for (operator, keys) in condition.iter() {
        for (key, values) in keys.iter() {
            let value = only(values).ok_or("a condition has several values")?;
            set_condition(&mut res, operator, key, value)?;
        }
    }
    Ok(res)
}

fn one_principal(kinds: &Map<'_, Texts<'_>>, partition: &str) -> Result<Principal, &'static str> {
    let mut kinds = kinds.iter();
    let (Some((kind, values)), None) = (kinds.next(), kinds.next()) else {
        return Err("it has several kinds of principals");
    };
    let value = only(values).ok_or("it has several principals")?;
    let found = match kind {
        "AWS" => Principal::of_aws(value, partition),
        "Service" => Principal::of_service(value),
        _ => None,
    };
    found.ok_or("its principal is not one that AddPermission takes")
}

fn set_condition(
    res: &mut Permission,
    operator: &str,
    key: &str,
    value: &str,
) -> Result<(), &'static str> {
    let text = || Some(value.to_owned());
    let known = match (operator, key) {
        ("arnlike", "aws:sourcearn") if is_source_arn(value) => {
            res.source_arn = text();
            true
        }
        ("stringequals", "aws:sourceaccount") if check_account(value).is_ok() => {
            res.source_account = text();
            true
        }
        ("stringequals", "aws:principalorgid") if is_org_id(value) => {
            res.principal_org_id = text();
            true
        }
        ("stringequals", "lambda:eventsourcetoken") if is_token(value) => {
            res.event_source_token = text();
            true
        }
        ("stringequals", "lambda:functionurlauthtype") => {
            res.function_url_auth_type = UrlAuthType::parse(value);
            res.function_url_auth_type.is_some()
        }
        ("bool", "lambda:invokedviafunctionurl") if value == "true" => {
            res.invoked_via_function_url = true;
            true
        }
        _ => false,
    };
    if known { Ok(()) } else { Err("it has a condition that AddPermission does not write") }
}

/// The action is compared in lower case, and given back as it was written, as far as AddPermission takes that.
fn action_as_written(json: &Json<'_>) -> Option<String> {
    let Json::Object(members) = json else { return None };
    let (_, action) = members.iter().find(|(key, _)| key == "Action")?;
    let text = action.as_list().first()?.string()?;
    let (_, name) = text.split_once(':').unwrap_or(("", text));
    if is_action(text) {
        return Some(text.to_owned());
    }
    Some(format!("lambda:{name}")).filter(|it| is_action(it))
}

fn only<'t>(values: &'t Texts<'_>) -> Option<&'t str> {
    if let [one] = values.as_slice() { Some(one) } else { None }
}
