//! What a message says: CloudTrail's record of a call, in the envelope of EventBridge, in that of SNS around it, or
//! bare (`lambda-semantics.md`, 10). No record is trusted to be whole, and none leads further than to a look.

use jiff::Timestamp;
use serde_json::Value;

use crate::drift::actor::Actor;
use crate::policy::target::{AccountRegion, Defaults, Target, check_account, check_region};

/// What a message is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Somebody changed this.
    Change(Box<Change>),
    /// Somebody changed a policy, and which one cannot be told.
    Unclear {
        /// Of the event, the same each time it comes.
        id: Option<String>,
        /// Where, as far as that can be told.
        place: Option<AccountRegion>,
        /// Why it cannot.
        why: String,
    },
    /// Of Lambda, and it changed no policy: another call, or one that failed.
    Harmless,
    /// Of another service: this is its name.
    Other(String),
    /// Nothing that an event looks like; why, in one line.
    Unreadable(String),
}

/// A call that changed a policy, or what carries one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Of the event, the same each time it comes.
    pub id: Option<String>,
    /// What was changed.
    pub touched: Touched,
    /// By whom.
    pub actor: Actor,
}

/// What a call changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// One policy.
    Policy(Target),
    /// A function, and with it the policies of all its aliases and versions.
    Function(Target),
}

impl Touched {
    /// Whether a target is part of it.
    pub fn includes(&self, target: &Target) -> bool {
        match self {
            Self::Policy(it) => it == target,
            Self::Function(it) => it.function_arn() == target.function_arn(),
        }
    }

    /// Where it is.
    pub fn place(&self) -> AccountRegion {
        match self {
            Self::Policy(it) | Self::Function(it) => it.account_region(),
        }
    }
}

/// Longer names than AWS has are not kept.
const LONGEST_ARN: usize = 2048;
const LONGEST: usize = 256;
const LAMBDA: [&str; 2] = ["lambda.amazonaws.com", "aws.lambda"];

/// Which calls change a policy, by how their names begin: behind that comes the version of the API.
const CALLS: &[(&str, Call)] = &[
    ("AddPermission", Call::Statement),
    ("RemovePermission", Call::Statement),
    ("PutResourcePolicy", Call::Document),
    ("DeleteResourcePolicy", Call::Document),
    ("DeleteFunction", Call::Function),
    ("CreateFunction", Call::Function),
    ("CreateAlias", Call::Alias),
    ("DeleteAlias", Call::Alias),
    ("PublishVersion", Call::Version),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Statement,
    Document,
    Function,
    Alias,
    Version,
}

/// How the names of the calls begin that an event is wanted of.
pub fn calls() -> impl Iterator<Item = &'static str> {
    CALLS.iter().map(|(begin, _)| *begin)
}

/// Reads the body of a message.
pub fn read(body: &str) -> Record {
    let Ok(value) = serde_json::from_str::<Value>(body) else {
        return Record::Unreadable("it is not JSON".to_owned());
    };
    // SNS puts what it forwards into a string.
    match (value.get("Type"), text(&value, "/Message")) {
        (Some(_), Some(inner)) => match serde_json::from_str::<Value>(inner) {
            Ok(it) => enveloped(&it),
            Err(_) => Record::Unreadable("what SNS forwards in it is not JSON".to_owned()),
        },
        (_, _) => enveloped(&value),
    }
}

fn enveloped(value: &Value) -> Record {
    let record = value.get("detail").filter(|it| it.is_object()).unwrap_or(value);
    let source = text(record, "/eventSource").or_else(|| text(value, "/source"));
    let Some(source) = source else {
        return Record::Unreadable("it is no event: it names no source".to_owned());
    };
    if !LAMBDA.contains(&source) {
        return Record::Other(cut(source, LONGEST));
    }
    let Some(name) = text(record, "/eventName") else { return Record::Harmless };
    let call = CALLS.iter().find(|it| is_called(name, it)).map(|(_, it)| *it);
    let failed = record.get("errorCode").is_some_and(|it| !it.is_null());
    match call {
        Some(call) if !failed => change(value, record, name, call),
        Some(_) | None => Record::Harmless,
    }
}

fn is_called(name: &str, (begin, call): &(&str, Call)) -> bool {
    name.strip_prefix(begin).is_some_and(|version| {
        // `DeleteFunctionConcurrency20171031` and the like change no policy.
        *call != Call::Function || version.chars().next().is_none_or(|it| it.is_ascii_digit())
    })
}

fn change(value: &Value, record: &Value, name: &str, call: Call) -> Record {
    let id = text(record, "/eventID").or_else(|| text(value, "/id")).map(|it| cut(it, LONGEST));
    let account = text(record, "/recipientAccountId").or_else(|| text(value, "/account"));
    let region = text(record, "/awsRegion").or_else(|| text(value, "/region"));
    let account = account.filter(|it| check_account(it).is_ok()).map(str::to_owned);
    let region = region.filter(|it| check_region(it).is_ok()).map(str::to_owned);
    let place = match (&account, &region) {
        (Some(account), Some(region)) => {
            Some(AccountRegion { account: account.clone(), region: region.clone() })
        }
        (_, _) => None,
    };
    let touched = touched(record, call, &Defaults { account, region });
    match touched {
        Ok(touched) => {
            let sid = (call == Call::Statement)
                .then(|| text(record, "/requestParameters/statementId"))
                .flatten();
            Record::Change(Box::new(Change { id, touched, actor: actor(value, record, name, sid) }))
        }
        Err(why) => Record::Unclear { id, place, why: cut(&why, LONGEST) },
    }
}

fn touched(record: &Value, call: Call, defaults: &Defaults) -> Result<Touched, String> {
    let parameter = |name: &str| text(record, &format!("/requestParameters/{name}"));
    // A call by ARN has the function in `resourceArn`.
    let function = parameter("functionName")
        .or_else(|| parameter("resourceArn"))
        .ok_or("it names no function")?;
    let qualifier = match call {
        Call::Statement | Call::Document | Call::Function => parameter("qualifier"),
        Call::Alias => Some(parameter("name").ok_or("it names no alias")?),
        Call::Version => text(record, "/responseElements/version"),
    };
    let target = Target::parse(function, qualifier.filter(|it| !it.is_empty()), defaults)
        .map_err(|it| it.to_string())?;
    Ok(match call {
        Call::Statement | Call::Document | Call::Alias | Call::Version => Touched::Policy(target),
        // A version of it, where one was named.
        Call::Function if target.qualifier().is_some() => Touched::Policy(target),
        Call::Function => Touched::Function(target),
    })
}

fn actor(value: &Value, record: &Value, name: &str, sid: Option<&str>) -> Actor {
    let identity = |path: &str| text(record, &format!("/userIdentity/{path}"));
    let who = identity("arn")
        .or_else(|| identity("invokedBy"))
        .or_else(|| identity("principalId"))
        .or_else(|| identity("userName"))
        .or_else(|| identity("accountId"))
        .unwrap_or("somebody who is not named");
    let some = |it: &str| Some(cut(it, LONGEST)).filter(|it| !it.is_empty());
    let time = text(record, "/eventTime").or_else(|| text(value, "/time"));
    Actor {
        arn: cut(who, LONGEST_ARN),
        role_arn: identity("sessionContext/sessionIssuer/arn").map(|it| cut(it, LONGEST_ARN)),
        source_address: text(record, "/sourceIPAddress").and_then(some),
        user_agent: text(record, "/userAgent").and_then(some),
        time: time.and_then(|it| it.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH),
        event: cut(name, LONGEST),
        request_id: text(record, "/requestID").and_then(some),
        sid: sid.map(|it| cut(it, LONGEST)),
    }
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

/// The beginning of it.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests;
