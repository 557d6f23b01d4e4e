//! The grant that would allow a call, as a permission file.

use std::fmt::Write;

use crate::policy::{
    evaluate::{Caller, Request, request::Kind},
    grant::{DEFAULT_ACTION, INVOKE_URL, is_action, is_source_arn, is_token},
    target::Target,
};

/// How much of a name goes into a Sid.
const NAME: usize = 60;

/// As narrow as the call is known; none where no grant of a file can name the caller. `sids` are taken.
pub(super) fn yaml(request: &Request, target: &Target, sids: &[&str]) -> Option<String> {
    let Request {
        caller,
        action,
        resource: _,
        source_arn,
        source_account,
        org,
        event_source_token,
        function_url_auth_type,
        invoked_via_function_url,
    } = request;
    let (principal, name) = match caller {
        Caller::Service(it) => (it.clone(), it.split('.').next().unwrap_or_default().to_owned()),
        Caller::Account { id, .. } => (id.clone(), id.clone()),
        Caller::Anonymous => ("*".to_owned(), "anyone".to_owned()),
        Caller::Member => ("*".to_owned(), "organization".to_owned()),
        Caller::Identity(it) => match it.kind {
            Kind::Root | Kind::User | Kind::Role => (it.arn.clone(), it.name().to_owned()),
            Kind::Session => (it.role_arn(), it.name().to_owned()),
            Kind::Federated => return None,
        },
    };
    if !is_action(action) {
        return None;
    }
    // Lambda takes each only where it has a meaning.
    let org = org.as_ref().filter(|_| *caller == Caller::Member);
    // In a policy `${` begins a variable.
    let arn = source_arn.as_ref().filter(|it| is_source_arn(it) && !it.contains("${"));
    let token = event_source_token.as_ref().filter(|it| is_token(it));
    let auth = function_url_auth_type.as_ref().filter(|_| action.eq_ignore_ascii_case(INVOKE_URL));
    let via =
        invoked_via_function_url.filter(|it| *it && action.eq_ignore_ascii_case(DEFAULT_ACTION));
    let action = Some(action).filter(|it| *it != DEFAULT_ACTION);
    let lines: [(&str, Option<String>); 9] = [
        ("sid", Some(sid(&name, sids))),
        ("principal", Some(principal)),
        ("action", action.cloned()),
        ("source_arn", arn.cloned()),
        ("source_account", source_account.clone()),
        ("principal_org_id", org.cloned()),
        ("event_source_token", token.cloned()),
        ("function_url_auth_type", auth.cloned()),
        ("invoked_via_function_url", via.map(|it| it.to_string())),
    ];
    let mut res = format!(
        "account: \"{}\"\nregion: {}\nfunctions:\n  - function: {}\n",
        target.account(),
        target.region(),
        scalar(target.function())
    );
    if let Some(it) = target.qualifier() {
        // Writing to a String cannot fail.
        writeln!(res, "    qualifier: {}", scalar(it)).unwrap_or_default();
    }
    res.push_str("    statements:\n");
    let mut start = "      - ";
    for (key, value) in lines {
        if let Some(it) = value {
            writeln!(res, "{start}{key}: {}", scalar(&it)).unwrap_or_default();
            start = "        ";
        }
    }
    Some(res)
}

/// One that nobody has.
fn sid(name: &str, taken: &[&str]) -> String {
    let letter = |it: char| if it.is_ascii_alphanumeric() { it } else { '-' };
    let name: String = name.chars().take(NAME).map(letter).collect();
    let first = format!("allow-{name}");
    let more = (2..).map(|n: u64| format!("{first}-{n}"));
    let mut all = std::iter::once(first.clone()).chain(more);
    all.find(|it| !taken.contains(&it.as_str())).unwrap_or_default()
}

/// In quotes where YAML could read something else.
fn scalar(text: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || ":/._-@+=".contains(it);
    let safe = text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !text.ends_with(':');
    if safe { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
