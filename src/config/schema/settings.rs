//! The schema of the settings file.

use serde_json::{Value, json};

use super::parts::{common, document, if_there, object, part, root, text, with, words};
use super::permissions::{OWNERSHIP, REPLACE, WRITER, name_of, ownership, replace, sid_prefix};
use crate::config::permissions::WRITERS;
use crate::config::settings::{
    BUDGETS_KEYS, DEFAULTS_KEYS, IGNORE_KEYS, KEYS, LAMBDA_KEYS, MODES, SIMULATOR_KEYS, Settings,
    USUAL_SESSION, accounts, events, http, journal, notify, rails,
};
use crate::policy::risk::Risk;

/// A number of the settings: digits, with or without a point.
const NUMBER: &str = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
/// 0% to 100%.
const SHARE: &str = r"(0*([0-9]{1,2}(\.[0-9]*)?|100(\.0*)?)|\.[0-9]+)%";
/// Times with their units, one after the other, as `humantime` takes them.
const DURATION: &str = concat!(
    r"\s*([0-9][0-9.\s]*(nanos|nsec|ns|usec|us|µs|millis|msec|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h",
    r"|days?|d|weeks?|wks?|w|months?|M|years?|yrs?|y)\s*)+"
);

/// JSON Schema 2020-12 of the settings file.
pub fn settings() -> Value {
    let about = "Settings of permitd. Paths are relative to the file.";
    let own = json!({
        "path": with(part("text", "A path, relative to the settings file."), json!({"minLength": 1})),
        "pattern": part("text", "A pattern; * and ? match anything."),
        "budget": {
            "description": "Requests in a second or a minute, or unlimited.",
            "type": "string",
            "pattern": format!(r"^(unlimited|\s*{NUMBER}\s*/\s*[sm]\s*)$"),
            // Not zero, which would never allow a request.
            "allOf": [{"pattern": "^unlimited$|[1-9]"}],
            "examples": ["10/s", "300/m", "unlimited"],
        },
    });
    let defs = with(common(), own);
    root("permitd settings", about, document(KEYS, top, &[]), &defs)
}

fn top(key: &str) -> Value {
    let usual = Settings::default();
    match key {
        "permissions" => json!({
            "description": "The permission files: files, directories (every *.yaml and *.yml in them) and globs.",
            "type": "array",
            "items": {"$ref": "#/$defs/text"},
            "minItems": 1,
            "examples": [["permissions/"]],
        }),
        "mode" => with(
            words(MODES),
            json!({"description": "What permitd may do. observe: look and tell, change nothing. additive: add what is \
                missing, take nothing back. enforce: everything the files ask for. No default: the daemon does not \
                start without it."}),
        ),
        "interval" | "interval_with_events" | "poll_interval" | "jitter" => often(key, &usual),
        "defaults" => with(
            defaults(),
            json!({"description": "Of entries of permission files that do not say it themselves."}),
        ),
        "deny_risks" => json!({
            "description": "Grants with one of these risks are held unless their statement accepts it. [] for none.",
            "type": "array",
            "items": {"$ref": "#/$defs/risk"},
            "default": usual.deny_risks.iter().map(|it| Risk::code(*it)).collect::<Vec<_>>(),
        }),
        "limits" => with(
            either("unlimited", &object(rails::KEYS, of_limits, &[])),
            json!({"description": "How much access may be taken away in an hour before somebody is asked; or unlimited."}),
        ),
        "orphan_grace" => json!({
            "description": "A statement whose principal was deleted is believed to be one when two reads so far apart \
                show it.",
            "type": ["string", "integer"],
            "pattern": format!("^(0|{DURATION})$"),
            "minimum": 0,
            "maximum": 0,
            "default": humantime::format_duration(usual.orphan_grace).to_string(),
        }),
        "remove_inexpressible" => json!({
            "description": "Whether statements that AddPermission cannot make may be removed.",
            "type": "boolean",
            "default": usual.remove_inexpressible,
        }),
        "ignore" => json!({
            "description": "Live statements that are nobody's business. All patterns of a rule have to match.",
            "type": "array",
            "items": with(object(IGNORE_KEYS, of_ignore, &[]), json!({"minProperties": 1})),
        }),
        "discover" => json!({
            "description": "Whether to look for policies of functions that no file names. They are told as undeclared, \
                and never changed.",
            "type": "boolean",
            "default": usual.discover,
        }),
        "accounts" => json!({
            "description": "The accounts and regions that are looked after, each with budgets of its own. \
                One account with one region is that of functions that name none. \
                Default: those of the credentials.",
            "type": "array",
            "items": object(accounts::KEYS, of_accounts, &[
                json!({"required": accounts::NEEDED}),
                if_there(&["external_id"], &json!({"required": ["role_arn"]})),
                if_there(&["session_name"], &json!({"required": ["role_arn"]})),
            ]),
            "minItems": 1,
        }),
        "lambda" => with(
            object(LAMBDA_KEYS, of_lambda, &[]),
            json!({"description": "Where Lambda is, if not at AWS."}),
        ),
        "budgets" => with(
            object(BUDGETS_KEYS, of_budgets, &[]),
            json!({"description": "Requests per account and region."}),
        ),
        "journal" => json!({
            "description": "Where it is written down what was done, so that it can be undone: a path, or a map with \
                how long and how much. Default: journal.db in $STATE_DIRECTORY, in $XDG_STATE_HOME/permitd or in \
                ~/.local/state/permitd.",
            "if": {"type": "object"},
            "then": object(journal::KEYS, of_journal, &[]),
            "else": {"$ref": "#/$defs/path"},
        }),
        "http" => with(
            object(http::KEYS, of_http, &[]),
            json!({"description": "Where the daemon is watched: /livez, /readyz, /metrics and /status."}),
        ),
        "events" => queue(),
        "notify" => json!({
            "description": "Who is told when something changes: webhooks.",
            "type": "array",
            "items": object(notify::KEYS, of_notify, &one_of_each()),
        }),
        "control" => part(
            "path",
            "The socket on which the daemon is spoken to. Default: control.sock in $RUNTIME_DIRECTORY or in \
             $XDG_RUNTIME_DIR/permitd; for root in /run/permitd.",
        ),
        _ => Value::Bool(false),
    }
}

/// How often something is done.
fn often(key: &str, usual: &Settings) -> Value {
    match key {
        "interval" => json!({
            "description": "From the start of one full pass to the start of the next; at least 1s.",
            "type": "string",
            "pattern": format!("^{DURATION}$"),
            "default": humantime::format_duration(usual.interval).to_string(),
        }),
        "interval_with_events" => json!({
            "description": "The same while events come; not shorter. Where the queue does not answer, `interval` \
                holds. Default: as `interval`.",
            "type": "string",
            "pattern": format!("^{DURATION}$"),
            "examples": ["1h"],
        }),
        "poll_interval" => json!({
            "description": "How often the daemon looks whether its files have changed; at least 1s. An event of the \
                file system makes it look at once.",
            "type": "string",
            "pattern": format!("^{DURATION}$"),
            "default": humantime::format_duration(usual.poll_interval).to_string(),
        }),
        "jitter" => json!({
            "description": "By what share of the interval a pass may come earlier or later.",
            "type": "string",
            "pattern": format!("^{SHARE}$"),
            "default": share(usual.jitter),
        }),
        _ => Value::Bool(false),
    }
}

fn defaults() -> Value {
    let is_prefix =
        json!({"properties": {"ownership": {"const": "prefix"}}, "required": ["ownership"]});
    let rule = json!({
        "if": is_prefix,
        "then": {"required": ["sid_prefix"]},
        "else": {"properties": {"sid_prefix": false}},
    });
    object(DEFAULTS_KEYS, of_defaults, &[rule])
}

fn of_defaults(key: &str) -> Value {
    match key {
        "ownership" => with(ownership(), json!({"description": OWNERSHIP, "default": "declared"})),
        "sid_prefix" => sid_prefix(),
        "replace" => with(
            replace(),
            json!({"description": REPLACE, "default": name_of(Settings::default().replace)}),
        ),
        "writer" => with(words(WRITERS), json!({"description": WRITER, "default": "statements"})),
        _ => Value::Bool(false),
    }
}

fn of_limits(key: &str) -> Value {
    let usual = Settings::default().limits;
    match key {
        "max_revocations" => json!({
            "description": "How many statements; or unlimited.",
            "type": ["integer", "string"],
            "pattern": "^(unlimited|[0-9]+)$",
            "minimum": 0,
            "maximum": u32::MAX,
            "default": usual.max_revocations,
        }),
        "max_changed_targets" => json!({
            "description": "What share of all targets may lose something; or unlimited.",
            "type": "string",
            "pattern": format!("^(unlimited|{SHARE})$"),
            "default": usual.max_changed_targets.map(share),
        }),
        _ => Value::Bool(false),
    }
}

fn of_ignore(key: &str) -> Value {
    match key {
        "sid" => part("pattern", "The Sid; * and ? match anything."),
        "principal" => part("pattern", "The principal; * and ? match anything."),
        "source_arn" => part("pattern", "The source ARN; * and ? match anything."),
        _ => Value::Bool(false),
    }
}

fn of_accounts(key: &str) -> Value {
    match key {
        "id" => part("account", "The twelve digits."),
        "regions" => json!({
            "description": "Its regions.",
            "type": "array",
            "items": {"$ref": "#/$defs/region"},
            "minItems": 1,
            "uniqueItems": true,
        }),
        "profile" => with(
            text(r"[^\s]"),
            json!({
                "description": "A profile of the AWS configuration files, instead of the base credentials.",
            }),
        ),
        "role_arn" => with(
            text(accounts::ROLE_ARN),
            json!({
                "description": "A role of this account, assumed with the base credentials or those of `profile`.",
                "examples": ["arn:aws:iam::123456789012:role/permitd"],
            }),
        ),
        "external_id" => with(
            text(accounts::EXTERNAL_ID),
            json!({
                "description": "What the trust policy of the role asks for.",
            }),
        ),
        "session_name" => with(
            text(accounts::SESSION_NAME),
            json!({
                "description": format!("The name of the session, which CloudTrail shows. Default: {USUAL_SESSION}."),
            }),
        ),
        _ => Value::Bool(false),
    }
}

fn of_lambda(key: &str) -> Value {
    match key {
        "simulator" => with(
            object(SIMULATOR_KEYS, of_simulator, &[]),
            json!({"description": "The embedded simulator instead of AWS, to try things out."}),
        ),
        _ => Value::Bool(false),
    }
}

fn of_simulator(key: &str) -> Value {
    match key {
        "listen" => json!({
            "description": "An address of this machine and a port; port 0 is any free one.",
            "type": "string",
            "pattern": r"^([0-9.]+|\[[0-9A-Fa-f:.]+(%[0-9]+)?\]):[0-9]+$",
            "default": "127.0.0.1:0",
        }),
        "seed" => part(
            "text",
            "Accounts, functions and policies to start with, relative to the settings file.",
        ),
        _ => Value::Bool(false),
    }
}

fn of_budgets(key: &str) -> Value {
    match key {
        "get_policy" => part("budget", "GetPolicy; Lambda allows 15/s. Default: 10/s."),
        "control" => part(
            "budget",
            "Everything else together; Lambda allows 15/s, shared with every other tool. Default: 3/s.",
        ),
        _ => Value::Bool(false),
    }
}

fn of_http(key: &str) -> Value {
    match key {
        "listen" => json!({
            "description": "An IP address and a port; port 0 is any free one. Default: 127.0.0.1:9187, or nothing \
                where that is taken.",
            "type": "string",
            "examples": ["127.0.0.1:9187"],
        }),
        "hosts" => json!({
            "description": "Names that may stand in the Host header, besides localhost and IP literals.",
            "type": "array",
            "items": {"type": "string", "pattern": "^[A-Za-z0-9._-]+$"},
        }),
        _ => Value::Bool(false),
    }
}

fn queue() -> Value {
    with(
        object(events::KEYS, of_events, &[json!({"required": ["queue_url"]})]),
        json!({"description": "The queue (SQS) that tells what others change: CloudTrail's events by way of \
            EventBridge. deploy/aws/events.yaml makes it."}),
    )
}

fn of_events(key: &str) -> Value {
    match key {
        "queue_url" => json!({
            "description": "The URL of the queue, as SQS gives it.",
            "type": "string",
            "pattern": events::URL,
            "examples": ["https://sqs.us-east-1.amazonaws.com/123456789012/permitd"],
        }),
        "region" => {
            part("region", "Its region. Default: that in the URL, else that of the credentials.")
        }
        _ => Value::Bool(false),
    }
}

fn of_notify(key: &str) -> Value {
    let about = |schema: Value, about: &str| with(schema, json!({ "description": about }));
    let variable = |it: &str| about(text("^[A-Za-z0-9_]+$"), it);
    let credential = |it: &str| about(text("^[^./][^/]*$"), it);
    match key {
        "url" => json!({
            "description": "Where to. One that is secret, as Slack's are, belongs into a file or a variable.",
            "type": "string",
            "pattern": r"^https?://[^/?#:@\s\\][^/?#@\s\\]*([/?#][^\s\\]*)?$",
        }),
        "url_file" => part("path", "A file with the URL; read anew for each attempt."),
        "url_env" => variable("The variable of the environment with the URL."),
        "url_credential" => credential("The systemd credential (LoadCredential=) with the URL."),
        "format" => with(
            words(notify::FORMATS),
            json!({"description": "json for programs; slack for an incoming webhook of Slack. Default: json."}),
        ),
        "secret_file" => part(
            "path",
            "A file with the secret that signs messages (HMAC-SHA256); read anew for each attempt.",
        ),
        "secret_env" => variable("The variable of the environment with that secret."),
        "secret_credential" => {
            credential("The systemd credential (LoadCredential=) with that secret.")
        }
        "events" => json!({
            "description": "Which events are told. Default: all.",
            "type": "array",
            "items": words(notify::EVENTS),
            "minItems": 1,
        }),
        "timeout" => json!({
            "description": "How long one attempt may take: 1s to 1m. Default: 10s.",
            "type": "string",
            "pattern": format!("^{DURATION}$"),
        }),
        _ => Value::Bool(false),
    }
}

/// One URL, and at most one secret.
fn one_of_each() -> [Value; 2] {
    let one = |it: &str| json!({ "required": [it] });
    let urls: Vec<Value> =
        notify::KEYS.iter().filter(|it| it.starts_with("url")).map(|it| one(it)).collect();
    let secrets: Vec<Value> =
        notify::KEYS.iter().filter(|it| it.starts_with("secret")).map(|it| one(it)).collect();
    let none = json!({"not": {"anyOf": secrets}});
    let at_most_one: Vec<Value> = secrets.into_iter().chain([none]).collect();
    [json!({ "oneOf": urls }), json!({ "oneOf": at_most_one })]
}

fn of_journal(key: &str) -> Value {
    match key {
        "path" => part("path", "The file. Default: as without `journal`."),
        "retention" => json!({
            "description": "How long an entry is kept; or unlimited.",
            "type": "string",
            "pattern": format!("^(unlimited|{DURATION})$"),
            "default": "365d",
            "examples": ["365d", "unlimited"],
        }),
        "max_size" => json!({
            "description": "How large the file may become, in KiB, MiB, GiB or bytes, at least 64KiB; or unlimited.",
            "type": ["string", "integer"],
            "pattern": r"^(unlimited|[0-9]+\s*(KiB|MiB|GiB)?)$",
            "minimum": 65536,
            "default": "unlimited",
            "examples": ["64MiB", "unlimited"],
        }),
        _ => Value::Bool(false),
    }
}

/// This word, or a map.
fn either(word: &str, map: &Value) -> Value {
    json!({"if": {"type": "object"}, "then": map, "else": {"type": "string", "const": word}})
}

fn share(part: f64) -> String {
    format!("{}%", part * 100.0)
}
