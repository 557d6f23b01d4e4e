//! A permission, a difference and a write, in words that people know.

use std::fmt::Write;

use crate::drift::{
    allow::Reason,
    diff::{Drift, Kind},
    outcome::{Done, Outcome, StepResult},
    plan::{Action, Change, How},
    whole::Saving,
};
use crate::policy::{
    grant::{self, DEFAULT_ACTION, Permission, UrlAuthType},
    principal::Principal,
    size,
    statement::{Class, Statement},
    terms::{Parts, Terms},
};
use crate::report::palette::safe;

/// `s3.amazonaws.com may invoke, from arn:aws:s3:::uploads in account 123456789012`
pub fn permission(it: &Permission) -> String {
    let Permission {
        principal,
        action,
        source_arn,
        source_account,
        principal_org_id,
        event_source_token,
        function_url_auth_type,
        invoked_via_function_url,
    } = it;
    let mut res = format!("{} may {}", whom(principal), what(action));
    if *principal == Principal::Anyone {
        res.push_str(" (*)");
    }
    let from = [
        source_arn.as_ref().map(|it| format!("from {it}")),
        source_account.as_ref().map(|it| format!("in account {it}")),
        principal_org_id.as_ref().map(|it| format!("of organization {it}")),
        event_source_token.as_ref().map(|_| "with a token".to_owned()),
        function_url_auth_type.map(|it| match it {
            UrlAuthType::None => "without signing in (NONE)".to_owned(),
            UrlAuthType::AwsIam => "signed in by IAM (AWS_IAM)".to_owned(),
        }),
        invoked_via_function_url.then(|| "through the function URL".to_owned()),
    ];
    for it in from.into_iter().flatten() {
        res.push_str(", ");
        res.push_str(&it);
    }
    safe(&res)
}

/// The same for a grant of any kind: `anyone is denied lambda:InvokeFunction, if StringNotEquals aws:PrincipalOrgID o-a1b2c3d4e5`
pub fn terms(it: &Terms) -> String {
    let parts = match it {
        Terms::Plain(it) => return permission(it),
        Terms::Wide(it) => it.parts(),
    };
    let Parts { denies, principals, actions, conditions } = parts;
    let who: Vec<String> = principals.iter().map(whom).collect();
    let deeds: Vec<&str> = actions.iter().map(what).collect();
    let may = if *denies { "may not" } else { "may" };
    let mut res = format!("{} {may} {}", who.join(", "), deeds.join(", "));
    for (operator, key, values) in conditions {
        // Writing to a String cannot fail.
        write!(res, ", if {operator} {key} {}", values.join(" or ")).unwrap_or_default();
    }
    safe(&res)
}

fn whom(it: &Principal) -> String {
    match it {
        Principal::Anyone => "anyone".to_owned(),
        Principal::Account(id) => format!("account {id}"),
        Principal::Deleted(id) => format!("{id} (deleted)"),
        Principal::Iam(it) | Principal::Service(it) => it.clone(),
    }
}

fn what(it: &grant::Action) -> &str {
    match it.0.as_str() {
        it if it.eq_ignore_ascii_case(DEFAULT_ACTION) => "invoke",
        it if it.eq_ignore_ascii_case("lambda:InvokeFunctionUrl") => "invoke the URL",
        it => it,
    }
}

/// What a live statement allows, as far as words go.
pub fn statement(it: &Statement) -> String {
    match it.class() {
        Class::Expressible(it) | Class::Orphaned(it) => permission(it),
        Class::Inexpressible(odd) | Class::Fixed(odd) => odd.why.to_owned(),
    }
}

/// The same, the part that AWS or a file had a say in apart: `(missing, s3.amazonaws.com may invoke)`.
pub fn change_parts(it: &Change) -> (String, Option<String>) {
    let words = change(it);
    match words.split_once("; ") {
        Some((own, foreign)) => (own.to_owned(), Some(foreign.to_owned())),
        None => (words, None),
    }
}

/// `missing; s3.amazonaws.com may invoke; by rule name: orders-*; changed by arn:aws:iam::123456789012:user/eve`
pub fn change(it: &Change) -> String {
    let mut res = difference(it);
    if let Some(rule) = &it.drift.rule {
        res.push_str("; by rule ");
        res.push_str(&safe(rule));
    }
    if let Some(by) = &it.by {
        res.push_str("; changed by ");
        res.push_str(&safe(&by.in_words()));
    }
    res
}

/// `changed, replaced with a gap`
fn difference(it: &Change) -> String {
    let Change { drift, effect: _, how, exempt: _, begun: _, held, by: _ } = it;
    let Drift { kind, before, after, other, .. } = drift;
    let live = before.as_ref().map(statement).unwrap_or_default();
    let other = other.as_deref().map(safe).unwrap_or_default();
    let tail = match kind {
        Kind::Missing => after.as_ref().map(|it| terms(&it.terms)).unwrap_or_default(),
        Kind::Changed => {
            return match how {
                _ if held.is_some() => "changed".into(),
                How::Bridged => "changed, bridged: no gap".into(),
                How::Whole => "changed, in one write: no gap".into(),
                How::Gap => "changed, replaced with a gap: it is away for a moment".into(),
                How::Plain => "changed, replaced".into(),
            };
        }
        Kind::Renamed if it.drift.other == it.drift.sid => "to be one of a list".to_owned(),
        Kind::Renamed => format!("live as {other}"),
        Kind::Duplicate => format!("the same as {other}"),
        Kind::Leftover => format!("a bridge of permitd for {other}"),
        // The hold says the same.
        Kind::Unmanaged | Kind::Absent
            if matches!(held, Some(Reason::Inexpressible(_) | Reason::Fixed(_))) =>
        {
            String::new()
        }
        Kind::Unmanaged | Kind::Absent | Kind::Orphaned | Kind::Expired => live,
    };
    let name = kind.name();
    if tail.is_empty() { name.to_owned() } else { format!("{name}; {tail}") }
}

/// `with compact: true it would have 2100 bytes instead of 19800, of 20480`
pub fn saving(it: Saving) -> String {
    let Saving { plain, compact } = it;
    let limit = size::LIMIT;
    format!(
        "with `compact: true` the policy would have {compact} bytes instead of {plain}, of {limit}"
    )
}

/// How to say yes to what a limit or a risk holds.
pub fn approve_command(digest: &str) -> String {
    format!("permitd apply --approve {digest}")
}

/// The same, said to a daemon.
pub fn approve_daemon(digest: &str) -> String {
    format!("permitd approve {digest}")
}

/// What differs inside a changed statement: `(key, before, after)`, with the keys of a permission file.
pub fn fields(before: &Permission, after: &Permission) -> Vec<(&'static str, String, String)> {
    let auth = |it: &Permission| it.function_url_auth_type.map(|it| it.as_str().to_owned());
    let via = |it: &Permission| it.invoked_via_function_url.then(|| "true".to_owned());
    let all = [
        ("principal", Some(before.principal.to_string()), Some(after.principal.to_string())),
        ("action", Some(before.action.0.clone()), Some(after.action.0.clone())),
        ("source_arn", before.source_arn.clone(), after.source_arn.clone()),
        ("source_account", before.source_account.clone(), after.source_account.clone()),
        ("principal_org_id", before.principal_org_id.clone(), after.principal_org_id.clone()),
        ("event_source_token", before.event_source_token.clone(), after.event_source_token.clone()),
        ("function_url_auth_type", auth(before), auth(after)),
        ("invoked_via_function_url", via(before), via(after)),
    ];
    let text = |it: Option<String>| it.map_or_else(|| "(none)".to_owned(), |it| safe(&it));
    all.into_iter()
        .filter(|(key, before, after)| {
            let same_action = *key == "action"
                && before
                    .as_ref()
                    .zip(after.as_ref())
                    .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
            before != after && !same_action
        })
        .map(|(key, before, after)| (key, text(before), text(after)))
        .collect()
}

/// One line for each write, and one for a replacement that went through: what was seen, and what was done about it.
pub fn deeds(outcome: &Outcome) -> Vec<String> {
    let name = outcome.target.short_name();
    let mut res = Vec::new();
    let mut rest = outcome.done.as_slice();
    while let Some((it, others)) = rest.split_first() {
        let sid = safe(it.step.replaces.as_ref().unwrap_or(&it.step.sid));
        if let Some(after) = rest.get(4..).filter(|_| is_bridged(rest)) {
            rest = after;
            res.push(format!(
                "{name}: {sid} had been changed; replaced over a bridge, without a gap"
            ));
        } else if is_replaced(rest) {
            rest = others.get(1..).unwrap_or_default();
            let how = if it.opened_gap { " with a gap" } else { "" };
            let was = if it.step.kind == Kind::Orphaned {
                format!("the principal of {sid} was deleted")
            } else {
                format!("{sid} had been changed")
            };
            res.push(format!("{name}: {was}; replaced{how}"));
        } else {
            rest = others;
            res.push(format!("{name}: {}", deed(it, outcome)));
        }
    }
    res
}

/// The four writes of a bridge stand first.
fn is_bridged(done: &[Done]) -> bool {
    let [build, remove, add, clear, ..] = done else { return false };
    let same = [remove, add, clear]
        .iter()
        .all(|it| it.step.replaces == build.step.replaces && it.result == StepResult::Done);
    let middle = done.get(1..).is_some_and(is_replaced);
    same && builds_bridge(build)
        && build.result == StepResult::Done
        && middle
        && clear.step.sid == build.step.sid
}

/// A removal and the addition under the same Sid stand first.
fn is_replaced(done: &[Done]) -> bool {
    let [remove, add, ..] = done else { return false };
    let done = [remove, add].iter().all(|it| it.result == StepResult::Done);
    let own = remove.step.replaces.as_ref().is_none_or(|it| *it == remove.step.sid);
    let same = own && remove.step.sid == add.step.sid;
    done && same
        && remove.step.action == Action::Remove
        && matches!(add.step.action, Action::Add(_))
}

fn builds_bridge(it: &Done) -> bool {
    let elsewhere = it.step.replaces.as_ref().is_some_and(|sid| *sid != it.step.sid);
    elsewhere && !it.step.action.takes_away()
}

fn deed(it: &Done, outcome: &Outcome) -> String {
    let sid = match it.step.sid.as_str() {
        "" => "a statement without a Sid".to_owned(),
        sid => safe(sid),
    };
    let old_name = |change: &Change| {
        let renamed = change.drift.kind == Kind::Renamed;
        renamed && change.drift.other.as_deref() == Some(it.step.sid.as_str())
    };
    let plan = outcome.found.as_deref();
    let is_old_name = plan.is_some_and(|plan| plan.drift.iter().any(old_name));
    let replaced = it.step.replaces.as_deref().map(safe).unwrap_or_default();
    let was = match it.step.kind {
        _ if builds_bridge(it) => format!("{replaced} had been changed; {sid} is its bridge"),
        _ if is_old_name && it.step.action == Action::Remove => format!("{sid} was its old name"),
        Kind::Missing => format!("{sid} was missing"),
        Kind::Renamed if matches!(it.step.action, Action::Put(_)) => {
            format!("{sid} had another name, or another place")
        }
        Kind::Renamed => format!("{sid} had another name"),
        Kind::Unmanaged => format!("{sid} was in no file"),
        Kind::Absent => format!("{sid} was unwanted"),
        Kind::Expired => format!("{sid} has expired"),
        Kind::Duplicate => format!("{sid} was there twice"),
        Kind::Leftover => format!("{sid} was a bridge left behind"),
        Kind::Changed => format!("{sid} had been changed"),
        Kind::Orphaned => format!("the principal of {sid} was deleted"),
    };
    let what = match &it.step.action {
        Action::Add(permission_) => format!("added ({})", permission(permission_)),
        Action::Put(Some(it)) => format!("put there ({})", terms(it)),
        Action::Remove | Action::Put(None) => "removed".to_owned(),
    };
    match &it.result {
        StepResult::Done => format!("{was}; {what}"),
        StepResult::PutBack => format!("{sid}: the old statement was put back"),
        StepResult::Refused(answer) => format!("{was}; Lambda refused: {}", safe(answer)),
        StepResult::Lost(old) => format!("{sid} could not be put back; it was {}", safe(old)),
    }
}
