//! STS, as far as a client needs it to find out who it is and to become somebody else.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::simulator::{
    account::{Moment, Session, World},
    refusal::Refusal,
    request::{Caller, Operation, Reply, Request, pairs},
};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The operation of a form of the query protocol.
pub(crate) fn route(form: &str) -> Option<Request> {
    let query = pairs(form);
    let action = query.iter().find(|(it, _)| it == "Action").map(|(_, it)| it.as_str());
    let operation = match action? {
        "GetCallerIdentity" => Operation::GetCallerIdentity,
        "AssumeRole" => Operation::AssumeRole,
        "AssumeRoleWithWebIdentity" => Operation::AssumeRoleWithWebIdentity,
        _ => return None,
    };
    Some(Request { operation, labels: Vec::new(), query, body: Vec::new() })
}

/// GetCallerIdentity.
pub(crate) fn get_caller_identity(caller: &Caller) -> Reply {
    Reply::new(
        200,
        json!({
            "Arn": caller.arn(),
            "UserId": caller.id(),
            "Account": caller.place.account,
        }),
    )
}

/// AssumeRole, and the same with a token in place of a signature; any token will do. Any role of any account can be
/// assumed, unless the seed names some; its access key belongs to that account.
pub(crate) fn assume_role(
    world: &mut World,
    request: &Request,
    caller: &Caller,
    now: Moment,
) -> Result<Reply, Refusal> {
    let invalid = |text: &str| Refusal::new(400, "ValidationError", text);
    let role = request.query("RoleArn").ok_or_else(|| invalid("RoleArn is missing"))?;
    let name = request.query("RoleSessionName");
    let name = name.ok_or_else(|| invalid("RoleSessionName is missing"))?;
    let with_token = request.operation == Operation::AssumeRoleWithWebIdentity;
    if with_token && request.query("WebIdentityToken").is_none_or(str::is_empty) {
        return Err(invalid("WebIdentityToken is missing"));
    }
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let &["arn", partition, "iam", "", account, path] = parts.as_slice() else {
        return Err(invalid(&format!("{role} is invalid")));
    };
    let Some(path) = path.strip_prefix("role/") else {
        return Err(invalid(&format!("{role} is invalid")));
    };
    let trust = world.roles.get(&(account.to_owned(), path.to_owned()));
    let trusted = trust
        .is_some_and(|it| it.as_deref().is_none_or(|it| request.query("ExternalId") == Some(it)));
    if !world.roles.is_empty() && !trusted {
        // STS tells nobody whether it is the role, its trust policy or the external id.
        let (caller, action) = (caller.arn(), request.operation.name());
        let text = if with_token {
            format!("Not authorized to perform sts:{action}")
        } else {
            format!("User: {caller} is not authorized to perform: sts:{action} on resource: {role}")
        };
        return Err(Refusal::new(403, "AccessDenied", &text));
    }
    let short = path.rsplit('/').next().unwrap_or(path);
    let key = world.unique_id("ASIA");
    let unique = match world.directory.living.get(role) {
        Some(it) => it.id.clone(),
        None => "AROASIMULATEDROLE0000".to_owned(),
    };
    let session = Session {
        account: account.to_owned(),
        arn: format!("arn:{partition}:sts::{account}:assumed-role/{short}/{name}"),
        id: format!("{unique}:{name}"),
    };
    let seconds = request.query("DurationSeconds").and_then(|it| it.parse().ok());
    let lasts = SignedDuration::from_secs(seconds.unwrap_or(3600));
    let expires = now.wall.checked_add(lasts).unwrap_or(Timestamp::MAX);
    let body = json!({
        "AssumedRoleUser": {"AssumedRoleId": session.id, "Arn": session.arn},
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": world.uuid(),
            "SessionToken": world.uuid(),
            "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
    });
    world.sessions.insert(key, session);
    Ok(Reply::new(200, body))
}

/// The XML of the query protocol around the same values.
pub(crate) fn xml(
    operation: Operation,
    result: &Result<Reply, Refusal>,
    request_id: &str,
) -> String {
    match result {
        Ok(reply) => {
            let name = operation.name();
            let inside = elements(reply.body.as_ref().unwrap_or(&Value::Null));
            format!(
                "<{name}Response xmlns=\"{NAMESPACE}\"><{name}Result>{inside}</{name}Result>\
                 <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
                 </{name}Response>"
            )
        }
        Err(refusal) => {
            let code = escaped(&refusal.code);
            let message = escaped(refusal.message.as_deref().unwrap_or_default());
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        }
    }
}

/// STS has a name of its own for a key that nobody knows.
pub(crate) fn renamed(refusal: Refusal) -> Refusal {
    if refusal.code == "UnrecognizedClientException" {
        return Refusal { code: "InvalidClientTokenId".to_owned(), ..refusal };
    }
    refusal
}

fn elements(value: &Value) -> String {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| format!("<{key}>{}</{key}>", elements(value)))
            .collect::<Vec<_>>()
            .concat(),
        Value::String(it) => escaped(it),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
