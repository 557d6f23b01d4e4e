//! The texts that Lambda writes: statements, configurations, aliases, member by member.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::simulator::{
    account::{Alias, Version},
    names::Resource,
    policies::Grant,
    switches::StatementRender,
};

/// The statement that AddPermission writes (`lambda-semantics.md`, 1.1 and 1.2).
///
/// Recorded: the order of the members, `StringEquals` before `ArnLike`, and in `StringEquals` account,
/// auth type, organization. Not recorded: the places of the token and of `Bool`; they are last here.
pub(crate) fn statement(
    grant: &Grant<'_>,
    principal: Value,
    resource: &Resource,
    order: StatementRender,
) -> String {
    let mut equals = Map::new();
    let mut equal = |key: &str, value: Option<&str>| {
        if let Some(it) = value {
            equals.insert(key.to_owned(), json!(it));
        }
    };
    equal("AWS:SourceAccount", grant.source_account);
    equal("lambda:FunctionUrlAuthType", grant.function_url_auth_type);
    equal("aws:PrincipalOrgID", grant.principal_org_id);
    equal("lambda:EventSourceToken", grant.event_source_token);
    let mut condition = Map::new();
    if !equals.is_empty() {
        condition.insert("StringEquals".to_owned(), Value::Object(equals));
    }
    if let Some(it) = grant.source_arn {
        condition.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": it}));
    }
    if grant.invoked_via_function_url == Some(true) {
        condition.insert("Bool".to_owned(), json!({"lambda:InvokedViaFunctionUrl": "true"}));
    }
    let members = [
        ("Sid", json!(grant.sid)),
        ("Effect", json!("Allow")),
        ("Principal", principal),
        ("Action", json!(grant.action)),
        ("Resource", json!(resource.arn())),
        ("Condition", Value::Object(condition)),
    ];
    let places: [usize; 6] = match order {
        StatementRender::Modern => [0, 1, 2, 3, 4, 5],
        StatementRender::Legacy2015 => [5, 3, 4, 1, 2, 0],
    };
    let ordered = places.iter().filter_map(|it| members.get(*it));
    let present = ordered.filter(|(_, it)| it.as_object().is_none_or(|it| !it.is_empty()));
    let statement: Map<String, Value> =
        present.map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Value::Object(statement).to_string()
}

/// Which moment of a function's life a configuration shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In a list: without any state.
    Listed,
    /// The answer to its creation.
    Created,
    /// The answer to its update.
    Updated,
    /// At rest.
    Settled,
}

/// A FunctionConfiguration; the ARN in it is the one that was asked for.
pub(crate) fn configuration(
    resource: &Resource,
    version: &Version,
    number: &str,
    phase: Phase,
) -> Value {
    let Version { config, code_sha256, code_size, last_modified, revision } = version;
    let mut res = Map::new();
    let mut put = |key: &str, value: Value| {
        res.insert(key.to_owned(), value);
    };
    put("FunctionName", json!(resource.function));
    put("FunctionArn", json!(resource.arn()));
    for (key, value) in config {
        put(key, value.clone());
    }
    put("CodeSize", json!(code_size));
    put("CodeSha256", json!(code_sha256));
    put("LastModified", json!(last_modified));
    put("Version", json!(number));
    put("RevisionId", json!(revision));
    if phase != Phase::Listed {
        let runtime =
            format!("arn:aws:lambda:{}::runtime:{}", resource.place.region, "0".repeat(64));
        put("RuntimeVersionConfig", json!({"RuntimeVersionArn": runtime}));
    }
    match phase {
        Phase::Listed => {}
        Phase::Created => {
            put("State", json!("Pending"));
            put("StateReason", json!("The function is being created."));
            put("StateReasonCode", json!("Creating"));
        }
        Phase::Updated => {
            put("State", json!("Active"));
            put("LastUpdateStatus", json!("InProgress"));
            put("LastUpdateStatusReason", json!("The function is being created."));
            put("LastUpdateStatusReasonCode", json!("Creating"));
        }
        Phase::Settled => {
            put("State", json!("Active"));
            put("LastUpdateStatus", json!("Successful"));
        }
    }
    Value::Object(res)
}

/// An AliasConfiguration.
pub(crate) fn alias(resource: &Resource, name: &str, alias: &Alias) -> Value {
    let Alias { version, description, routing, revision } = alias;
    let mut res = json!({
        "AliasArn": resource.with(Some(name)).arn(),
        "Name": name,
        "FunctionVersion": version,
        "Description": description,
    });
    if let Some(members) = res.as_object_mut() {
        if let Some(it) = routing {
            members.insert("RoutingConfig".to_owned(), it.clone());
        }
        members.insert("RevisionId".to_owned(), json!(revision));
    }
    res
}

/// What every function has that says nothing else.
pub(crate) fn default_config(name: &str) -> Map<String, Value> {
    let members = [
        ("Runtime", json!("python3.13")),
        ("Role", json!("arn:aws:iam::123456789012:role/lambda")),
        ("Handler", json!("index.handler")),
        ("Description", json!("")),
        ("Timeout", json!(3)),
        ("MemorySize", json!(128)),
        ("TracingConfig", json!({"Mode": "PassThrough"})),
        ("PackageType", json!("Zip")),
        ("Architectures", json!(["x86_64"])),
        ("EphemeralStorage", json!({"Size": 512})),
        ("SnapStart", json!({"ApplyOn": "None", "OptimizationStatus": "Off"})),
        ("LoggingConfig", json!({"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}")})),
    ];
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// As Lambda writes times: `2026-11-22T11:10:44.000+0000`.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}
