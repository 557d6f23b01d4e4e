//! Whether `Principal` or `NotPrincipal` names the caller (`reference_policies_elements_principal.html`).

use super::{
    Why, condition,
    request::{Caller, Identity, Kind, Request},
};
use crate::policy::{json::Json, principal::is_unique_id};

/// As whom a statement names the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By itself: the service, the role, the user.
    Itself,
    /// By its account: that the account's own policies allow it is needed as well.
    Account,
    /// As everybody is.
    Anyone,
    /// By not being among those that are left out.
    Rest,
}

/// Whether a caller is named.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    Yes(By),
    No,
    Unknown(Why),
}

/// The principals of an element, each with its kind; none where it has a form that IAM does not know.
fn entries(value: &Json) -> Option<Vec<(&str, String)>> {
    match value {
        Json::String(it) if it == "*" => Some(vec![("AWS", it.clone())]),
        Json::Object(kinds) => {
            let mut res = Vec::new();
            for (kind, values) in kinds {
                let values = condition::scalars(values)?;
                res.extend(values.into_iter().map(|it| (kind.as_str(), it)));
            }
            let again = |at: usize, kind: &str| kinds.iter().skip(at + 1).any(|(it, _)| it == kind);
            let twice = kinds.iter().enumerate().any(|(at, (kind, _))| again(at, kind));
            (!twice && !res.is_empty()).then_some(res)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    }
}

/// What stands in the element, for people.
pub(super) fn shown(value: &Json) -> Vec<String> {
    entries(value).unwrap_or_default().into_iter().map(|(_, it)| it).collect()
}

const UNREADABLE: Why = Why::Form("its principals are of a form that permitd does not know");

/// `Principal`: one of those that stand there is enough.
pub(super) fn named(value: &Json, request: &Request) -> Named {
    let Some(entries) = entries(value) else { return Named::Unknown(UNREADABLE) };
    let mut unknown = None;
    let mut found = None;
    for (kind, value) in &entries {
        match names(kind, value, request) {
            // Who is named by itself needs no policy of its account, whoever else is named.
            Named::Yes(By::Itself) => return Named::Yes(By::Itself),
            Named::Yes(it) => found = found.or(Some(it)),
            Named::No => {}
            Named::Unknown(why) => unknown = unknown.or(Some(why)),
        }
    }
    match (found, unknown) {
        (Some(by), _) => Named::Yes(by),
        (None, Some(why)) => Named::Unknown(why),
        (None, None) => Named::No,
    }
}

/// `NotPrincipal`: whoever is not among those that stand there.
///
/// A role or user is left out only if its account stands there as well, and of a role its session, too; where not all
/// of it does, AWS says that the account "might" be denied (`reference_policies_elements_notprincipal.html`).
pub(super) fn not_named(value: &Json, request: &Request) -> Named {
    let Some(entries) = entries(value) else { return Named::Unknown(UNREADABLE) };
    let mut by = Vec::new();
    for (kind, value) in &entries {
        match names(kind, value, request) {
            Named::Yes(it) => by.push(it),
            Named::No => {}
            Named::Unknown(why) => return Named::Unknown(why),
        }
    }
    if by.is_empty() {
        return Named::Yes(By::Rest);
    }
    if by.contains(&By::Anyone) {
        return Named::No;
    }
    let stands = |arn: &str| entries.iter().any(|(kind, it)| *kind == "AWS" && it == arn);
    let all = match &request.caller {
        Caller::Service(_) => true,
        Caller::Identity(it) => match it.kind {
            Kind::Root => true,
            Kind::User => by.contains(&By::Account) && by.contains(&By::Itself),
            Kind::Session => {
                let has_role = entries.iter().any(|(_, value)| {
                    Identity::parse(value)
                        .is_some_and(|role| role.kind == Kind::Role && is_of(it, &role))
                });
                by.contains(&By::Account) && has_role && stands(&it.arn)
            }
            Kind::Role | Kind::Federated => false,
        },
        Caller::Account { .. } | Caller::Member | Caller::Anonymous => false,
    };
    if all {
        return Named::No;
    }
    Named::Unknown(Why::Caller(
        "NotPrincipal leaves a caller out only if its account, its role or user and its session all stand there",
    ))
}

fn names(kind: &str, value: &str, request: &Request) -> Named {
    match kind {
        // "In AWS access control policies, the Principals "*" and {"AWS": "*"} behave identically"
        // (Amazon S3 User Guide, s3-bucket-user-policy-specifying-principal-intro.html).
        "AWS" if value == "*" => Named::Yes(By::Anyone),
        "AWS" => names_aws(value, request),
        "Service" => match &request.caller {
            // A service in an opt-in region has a name of its own where it calls another region.
            Caller::Service(it) if it == value => Named::Yes(By::Itself),
            Caller::Service(_) if value.contains('*') => {
                Named::Unknown(Why::Form("AWS does not know a wildcard in a service"))
            }
            Caller::Service(_)
            | Caller::Identity(_)
            | Caller::Account { .. }
            | Caller::Member
            | Caller::Anonymous => Named::No,
        },
        _ => Named::Unknown(Why::Form("it names a kind of principal that permitd does not know")),
    }
}

fn names_aws(value: &str, request: &Request) -> Named {
    // What is left of a deleted role or user: "The policy no longer applies, even if you recreate the role".
    if is_unique_id(value) {
        return Named::No;
    }
    let digits = value.len() == 12 && value.bytes().all(|it| it.is_ascii_digit());
    let written = Identity::parse(value);
    let account = match &written {
        // "Using the account ARN in the Principal element does not limit permissions to only the root user."
        Some(it) if it.kind == Kind::Root => Some((it.partition(), it.account())),
        None if digits => Some((request.partition(), value)),
        Some(_) => None,
        None => {
            return Named::Unknown(Why::Form(
                "it names a principal of a form that permitd does not know",
            ));
        }
    };
    if let Some(account) = account {
        let same = request.caller.account() == Some(account);
        return if same { Named::Yes(By::Account) } else { Named::No };
    }
    match (&request.caller, &written) {
        (Caller::Identity(caller), Some(written)) => names_identity(written, caller),
        (
            Caller::Identity(_)
            | Caller::Service(_)
            | Caller::Account { .. }
            | Caller::Member
            | Caller::Anonymous,
            _,
        ) => Named::No,
    }
}

fn names_identity(written: &Identity, caller: &Identity) -> Named {
    if written.arn == caller.arn {
        return Named::Yes(By::Itself);
    }
    let home = written.partition() == caller.partition() && written.account() == caller.account();
    match (written.kind, caller.kind) {
        // A role stands for all of its sessions.
        (Kind::Role, Kind::Session) if is_of(caller, written) => Named::Yes(By::Itself),
        (Kind::Session, Kind::Role) if is_of(written, caller) => Named::Unknown(Why::Caller(
            "it names one session of this role; give the ARN of the session",
        )),
        (Kind::User, Kind::Federated) if home => Named::Unknown(Why::Caller(
            "the session of a federated user does not tell which user it is of",
        )),
        (Kind::Root | Kind::User | Kind::Role | Kind::Session | Kind::Federated, _) => Named::No,
    }
}

/// Names of roles are unique in their account, whatever their paths.
fn is_of(session: &Identity, role: &Identity) -> bool {
    session.partition() == role.partition()
        && session.account() == role.account()
        && session.name() == role.name()
}
