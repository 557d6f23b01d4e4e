//! Findings in words.

use crate::policy::evaluate::{
    Answer, Caller, Difference, Doubt, Effect, Element, Finding, Request, Verdict, request::Key,
};
use crate::report::palette::safe;

/// So many values of a list are told.
const VALUES: usize = 3;

/// The question.
pub(super) fn call(request: &Request) -> String {
    let who = match &request.caller {
        Caller::Anonymous => "anybody, without signing in,".to_owned(),
        Caller::Member => "any member of the organization".to_owned(),
        Caller::Account { id, .. } => format!("account {id}"),
        Caller::Service(it) => it.clone(),
        Caller::Identity(it) => it.arn.clone(),
    };
    let mut res = format!("May {who} do {}", request.action);
    let given: Vec<String> =
        given(request).into_iter().map(|(name, value)| format!("{name} {value}")).collect();
    if !given.is_empty() {
        res.push_str(" with ");
        res.push_str(&given.join(", "));
    }
    res.push('?');
    safe(&res)
}

/// What the call has, by the names of permission files.
fn given(request: &Request) -> Vec<(&'static str, String)> {
    let all = [
        (Key::SourceArn, request.source_arn.clone()),
        (Key::SourceAccount, request.source_account.clone()),
        (Key::PrincipalOrgId, request.org.clone()),
        (Key::EventSourceToken, request.event_source_token.clone()),
        (Key::FunctionUrlAuthType, request.function_url_auth_type.clone()),
        (Key::InvokedViaFunctionUrl, request.invoked_via_function_url.map(|it| it.to_string())),
    ];
    all.into_iter().filter_map(|(key, it)| Some((field(key)?.0, it?))).collect()
}

/// What a key is called in a permission file, the flag that gives it, and the operator that Lambda writes.
fn field(key: Key) -> Option<(&'static str, &'static str, &'static str)> {
    match key {
        Key::SourceArn => Some(("source_arn", "--source-arn", "ArnLike")),
        Key::SourceAccount => Some(("source_account", "--source-account", "StringEquals")),
        Key::PrincipalOrgId => Some(("principal_org_id", "--org", "StringEquals")),
        Key::EventSourceToken => {
            Some(("event_source_token", "--event-source-token", "StringEquals"))
        }
        Key::FunctionUrlAuthType => Some(("function_url_auth_type", "--auth-type", "StringEquals")),
        Key::InvokedViaFunctionUrl => {
            Some(("invoked_via_function_url", "--via-function-url", "Bool"))
        }
        Key::PrincipalArn
        | Key::PrincipalAccount
        | Key::PrincipalIsAwsService
        | Key::PrincipalServiceName => None,
    }
}

pub(super) fn verdict(it: Verdict) -> &'static str {
    match it {
        Verdict::Allowed => "allowed.",
        Verdict::Denied => "denied.",
        Verdict::NotAllowed => "not allowed; no statement allows it.",
        Verdict::Unknown => "cannot be told.",
    }
}

/// Its Sid, or its place in the policy.
pub(super) fn name(at: usize, finding: &Finding) -> String {
    finding.sid.as_deref().map_or_else(|| format!("(no sid, #{})", at + 1), safe)
}

pub(super) fn finding(it: &Finding) -> &'static str {
    let misses =
        |all: &[Difference]| all.iter().all(|it| flag(&it.element).is_some() && is_missing(it));
    match (&it.answer, it.effect) {
        (Answer::Matches, Some(Effect::Allow)) => "allows it",
        (Answer::Matches, Some(Effect::Deny)) => "denies it",
        (Answer::Differs(all), Some(Effect::Allow)) if misses(all) => {
            "would allow it, were this given"
        }
        (Answer::Differs(_), Some(Effect::Allow)) => "allows, but not this",
        (Answer::Differs(_), Some(Effect::Deny)) => "denies, but not this",
        (Answer::Differs(_), None) => "does not match",
        (Answer::Unknown(_), Some(Effect::Allow)) => "may allow it; it cannot be told",
        (Answer::Unknown(_), Some(Effect::Deny)) => "may deny it; it cannot be told",
        (Answer::Matches | Answer::Unknown(_), None) => "cannot be told",
    }
}

/// One line for each element that says no, that cannot be told, or that holds only without a value.
pub(super) fn reasons(it: &Finding) -> Vec<String> {
    let mut res: Vec<String> = match &it.answer {
        Answer::Matches => Vec::new(),
        Answer::Differs(all) => all.iter().map(difference).collect(),
        Answer::Unknown(all) => all.iter().map(doubt).collect(),
    };
    if !matches!(it.answer, Answer::Differs(_)) {
        res.extend(it.without.iter().map(without));
    }
    res
}

fn is_missing(it: &Difference) -> bool {
    it.given.is_none()
}

fn flag(element: &Element) -> Option<&'static str> {
    match element {
        Element::Condition { key, .. } => field(Key::of(key)?).map(|(_, flag, _)| flag),
        Element::Principal { .. } | Element::Action { .. } | Element::Resource { .. } => None,
    }
}

/// `source_arn is arn:aws:s3:::a, the statement wants arn:aws:s3:::b`
pub(super) fn difference(it: &Difference) -> String {
    let Difference { element, wanted, given } = it;
    let (name, not, operator) = match element {
        Element::Principal { not } => ("principal".to_owned(), *not, None),
        Element::Action { not } => ("action".to_owned(), *not, None),
        Element::Resource { not } => ("resource".to_owned(), *not, None),
        Element::Condition { operator, key, not } => {
            let field = Key::of(key).and_then(field);
            let usual = field.is_some_and(|(.., usual)| operator.eq_ignore_ascii_case(usual));
            let name = field.map_or_else(|| key.clone(), |(name, ..)| name.to_owned());
            (name, *not, Some(operator).filter(|_| !usual))
        }
    };
    let is = match (given, flag(element)) {
        (Some(given), _) => format!("{name} is {given}"),
        (None, Some(flag)) => format!("{name} is not given ({flag})"),
        (None, None) => format!("{name} is not in the call"),
    };
    let presence = operator.is_some_and(|it| it.eq_ignore_ascii_case("Null"));
    let wants = match given {
        Some(_) if presence => "wants none".to_owned(),
        None if presence => "wants one".to_owned(),
        Some(_) | None if not => format!("is for all but {}", list(wanted, "and")),
        Some(_) | None => format!("wants {}", list(wanted, "or")),
    };
    let under = operator.filter(|_| !presence).map(|it| format!(" ({it})")).unwrap_or_default();
    safe(&format!("{is}, the statement {wants}{under}"))
}

fn list(values: &[String], and: &str) -> String {
    let shown: Vec<&str> = values.iter().take(VALUES).map(String::as_str).collect();
    let more = values.len() - shown.len();
    match shown.as_slice() {
        _ if more > 0 => format!("{} {and} {more} more", shown.join(", ")),
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [head @ .., last] => format!("{} {and} {last}", head.join(", ")),
    }
}

/// `Condition.IpAddress.aws:SourceIp: permitd does not evaluate the operator IpAddress`
fn doubt(it: &Doubt) -> String {
    let Doubt { element, why } = it;
    safe(&match element {
        Some(element) => format!("{element}: {why}"),
        None => why.to_string(),
    })
}

/// `Condition.StringNotEquals.aws:SourceAccount holds, for the call has none (--source-account)`
fn without(it: &Element) -> String {
    let flag = flag(it).map(|it| format!(" ({it})")).unwrap_or_default();
    safe(&format!("{it} holds, for the call has none{flag}"))
}
