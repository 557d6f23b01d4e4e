//! Somebody who changes things behind the daemon's back: on a schedule, or at a certain call.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::policy::target::AccountRegion;
use crate::simulator::{
    account::{Moment, World},
    document::Document,
    names::Resource,
    span::Span,
};

/// Something that is done over and over. One of `remove`, `add`, `change`, `clear` and
/// `delete_principal` stands in it.
///
/// ```yaml
/// tamper:
///   - {every: 8s, function: thumbnail, qualifier: live, remove: s3-uploads}
///   - {every: 13s, after: 3s, function: thumbnail, add: {Sid: backdoor, Principal: "*"}}
///   - {every: 21s, function: invoice, change: {sid: partner, set: {Action: "lambda:*"}}}
///   - {every: 60s, delete_principal: "arn:aws:iam::123456789012:role/importer"}
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tamper {
    /// How often; what would change nothing waits for the next turn.
    pub every: Span,
    /// When first; by default after `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Span>,
    /// By default the first of the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// By default that of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The name of the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// An alias or a version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<String>,
    /// Takes the statement of this Sid away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove: Option<String>,
    /// Adds this statement, if there is none of its Sid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<Value>,
    /// Changes members of a statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Edit>,
    /// Takes the whole policy away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clear: bool,
    /// Deletes an IAM principal, and creates it again first if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_principal: Option<String>,
    /// Whom the event names; by default `somebody`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// New members for a statement; `null` takes a member away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Of which statement.
    pub sid: String,
    /// The members.
    pub set: Map<String, Value>,
}

/// What another writer does to the policy of the very call that a fault happens to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// Takes the statement of this Sid away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<String>,
    /// Adds this statement, if there is none of its Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<Value>,
    /// Changes members of a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Edit>,
    /// Takes the whole policy away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clear: bool,
}

/// Something that was done behind the daemon's back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TamperEvent {
    /// Who; `somebody`, unless the seed says otherwise.
    pub who: String,
    /// The ARN of the policy, with its qualifier, or of the principal.
    pub target: String,
    /// What, of which statement: `removed s3-uploads`.
    pub what: String,
}

impl fmt::Display for TamperEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, target, what } = self;
        let link = if what.starts_with("removed ") { "from" } else { "in" };
        if what == "deleted" {
            write!(f, "{who} deleted {target}")
        } else {
            write!(f, "{who} {what} {link} {target}")
        }
    }
}

impl Change {
    /// Exactly one thing.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { remove, add, change, clear } = self;
        let n = [remove.is_some(), add.is_some(), change.is_some(), *clear];
        if n.iter().filter(|it| **it).count() != 1 {
            return Err("exactly one of remove, add, change and clear has to be there".to_owned());
        }
        let sid = add.as_ref().map(|it| it.get("Sid").and_then(Value::as_str));
        if sid == Some(None) {
            return Err("add needs a statement with a Sid".to_owned());
        }
        Ok(())
    }
}

impl Tamper {
    fn policy_change(&self) -> Change {
        let Self { remove, add, change, clear, .. } = self;
        Change { remove: remove.clone(), add: add.clone(), change: change.clone(), clear: *clear }
    }

    /// What is wrong with it, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.every.0 < Duration::from_millis(1) {
            return Err("every has to be longer than nothing".to_owned());
        }
        let change = self.policy_change();
        match (&self.function, &self.delete_principal) {
            (Some(_), None) => change.check(),
            (None, Some(_)) if change == Change::default() => Ok(()),
            (_, Some(_)) => Err("delete_principal stands alone".to_owned()),
            (None, None) => Err("function is missing".to_owned()),
        }
    }

    /// When for the first time.
    pub(crate) fn first(&self) -> Duration {
        self.after.unwrap_or(self.every).0
    }
}

impl World {
    /// Does it once. None: it would have changed nothing.
    pub(crate) fn tamper(&mut self, tamper: &Tamper, now: Moment) -> Option<TamperEvent> {
        self.catch_up(now.since_start);
        let who = tamper.who.clone().unwrap_or_else(|| "somebody".to_owned());
        if let Some(arn) = &tamper.delete_principal {
            if !self.delete_principal(arn, now.since_start) {
                return None;
            }
            return Some(TamperEvent { who, target: arn.clone(), what: "deleted".to_owned() });
        }
        let account = tamper.account.clone().unwrap_or_else(|| self.home.account.clone());
        let region = tamper.region.clone().unwrap_or_else(|| self.region_of(&account));
        let resource = Resource {
            place: AccountRegion { account, region },
            function: tamper.function.clone()?,
            qualifier: tamper.qualifier.clone(),
        };
        let what = self.change(&resource, &tamper.policy_change(), now)?;
        Some(TamperEvent { who, target: resource.arn(), what })
    }

    /// Changes a policy as another writer would, without any check. None: nothing to change.
    pub(crate) fn change(
        &mut self,
        resource: &Resource,
        change: &Change,
        now: Moment,
    ) -> Option<String> {
        if self.function(resource).is_none() || !self.qualifier_exists(resource) {
            return None;
        }
        let before = self.policy(resource).map(|it| it.document.clone());
        let (after, what) = changed(before, change, resource)?;
        if let Some(it) = &after {
            self.adopt_principals(it);
        }
        self.write_policy(resource, after, now);
        Some(what)
    }

    fn region_of(&self, account: &str) -> String {
        let mut places = self.regions.keys().filter(|it| it.account == account);
        if self.home.account == account {
            self.home.region.clone()
        } else {
            places.next().map_or_else(|| self.home.region.clone(), |it| it.region.clone())
        }
    }
}

fn changed(
    before: Option<Document>,
    change: &Change,
    resource: &Resource,
) -> Option<(Option<Document>, String)> {
    let Change { remove, add, change, clear } = change;
    if *clear {
        return before.map(|_| (None, "removed the policy".to_owned()));
    }
    if let Some(statement) = add {
        let mut document = before.unwrap_or_else(Document::new);
        let sid = statement.get("Sid")?.as_str()?;
        if document.position(sid).is_some() {
            return None;
        }
        document.push(completed(statement, resource));
        return Some((Some(document), format!("added {sid}")));
    }
    let mut document = before?;
    if let Some(sid) = remove {
        document.remove(document.position(sid)?);
        let rest = Some(document).filter(|it| !it.statements().is_empty());
        return Some((rest, format!("removed {sid}")));
    }
    let Edit { sid, set } = change.as_ref()?;
    let position = document.position(sid)?;
    let old = document.statements().get(position)?.clone();
    let mut statement: Map<String, Value> = serde_json::from_str(&old).ok()?;
    for (key, value) in set {
        if value.is_null() {
            statement.shift_remove(key);
        } else {
            statement.insert(key.clone(), value.clone());
        }
    }
    let new = Value::Object(statement).to_string();
    if new == old {
        return None;
    }
    document.replace(position, new);
    Some((Some(document), format!("changed {sid}")))
}

/// The statement with what is left out: Allow, InvokeFunction, this very function.
fn completed(statement: &Value, resource: &Resource) -> String {
    let defaults = [
        ("Sid", Value::Null),
        ("Effect", json!("Allow")),
        ("Principal", Value::Null),
        ("Action", json!("lambda:InvokeFunction")),
        ("Resource", json!(resource.arn())),
        ("Condition", Value::Null),
    ];
    let mut res = Map::new();
    for (key, default) in defaults {
        let value = statement.get(key).cloned().unwrap_or(default);
        if !value.is_null() {
            res.insert(key.to_owned(), value);
        }
    }
    let more = statement.as_object().into_iter().flatten();
    for (key, value) in more {
        res.entry(key).or_insert_with(|| value.clone());
    }
    Value::Object(res).to_string()
}
