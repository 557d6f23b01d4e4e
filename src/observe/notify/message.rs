//! What a message says: JSON for programs, text for Slack.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::drift::{actor::Actor, diff::Kind, outcome::State};
use crate::observe::news::{Edge, Matter, News};

/// Raised with every change that breaks readers.
pub const FORMAT_VERSION: &str = "1.0";
/// No JSON message is larger; events that do not fit in are counted.
pub const MOST_JSON: usize = 256 << 10;
/// No message for Slack is larger.
pub const MOST_SLACK: usize = 32 << 10;
/// Beside the events: what one event is about, and the frame.
const FRAME: usize = 4 << 10;
/// So many statements stand in one event.
const MOST_STATEMENTS: usize = 50;
/// So many bytes have they together.
const MOST_OF_ONE: usize = 128 << 10;
/// So many lines stand in one text, and so many statements in one line.
const MOST_LINES: usize = 20;
const MOST_SIDS: usize = 5;
/// So many bytes have the lines of a text together; its escapes may double them.
const MOST_TEXT: usize = 12 << 10;
/// So many characters of what somebody else wrote, for programs and for people.
const LONG: usize = 500;
const SHORT: usize = 200;

/// For programs; `config/schema/notification.json` tells its form.
pub fn json(id: &str, place: &str, trigger: &str, edges: &[&Edge], now: Timestamp) -> String {
    let mut events = Vec::new();
    let mut left = MOST_JSON - FRAME;
    for it in edges {
        let event = event(it);
        let size = event.to_string().len() + 1;
        let Some(rest) = left.checked_sub(size) else { break };
        left = rest;
        events.push(event);
    }
    let omitted = edges.len() - events.len();
    let res = json!({
        "format_version": FORMAT_VERSION,
        "id": id,
        "time": now.to_string(),
        "place": place,
        "trigger": cut(trigger, SHORT),
        "events": events,
        "omitted": omitted,
    });
    res.to_string()
}

fn event(edge: &Edge) -> Value {
    let mut left = MOST_OF_ONE;
    let fits = |it: &Value| {
        let rest = left.checked_sub(it.to_string().len());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    let statements: Vec<Value> =
        edge.matters.iter().take(MOST_STATEMENTS).map(statement).take_while(fits).collect();
    let omitted = edge.matters.len() - statements.len();
    json!({
        "event": edge.news.name(),
        "arn": edge.target.to_string(),
        "time": edge.at.to_string(),
        "state": edge.state.name(),
        "reason": edge.reason,
        "state_before": edge.before.name(),
        "state_before_since": edge.since.to_string(),
        "statements": statements,
        "statements_omitted": omitted,
        "message": edge.message.as_deref().map(|it| cut(it, LONG)),
        "hint": edge.hint.as_deref().map(|it| cut(it, LONG)),
    })
}

fn statement(it: &Matter) -> Value {
    let sid = it.sid.as_deref().map(|it| cut(it, SHORT));
    let by = it.by.as_deref().map(by);
    json!({"sid": sid, "kind": it.kind.name(), "detail": cut(&it.detail, LONG), "held": it.held, "by": by})
}

fn by(it: &Actor) -> Value {
    let Actor { arn, role_arn, source_address, user_agent, time, event, request_id, sid: _ } = it;
    let some = |it: &Option<String>| it.as_deref().map(|it| cut(it, LONG));
    json!({
        "arn": cut(arn, LONG),
        "role_arn": some(role_arn),
        "source_address": some(source_address),
        "user_agent": some(user_agent),
        "time": time.to_string(),
        "event": cut(event, SHORT),
        "request_id": some(request_id),
    })
}

/// The JSON Schema (2020-12) of [`json()`]; published as `config/schema/notification.json`.
pub fn schema() -> Value {
    let text = |about: &str| json!({"description": about, "type": "string"});
    let maybe = |about: &str| json!({"description": about, "type": ["string", "null"]});
    let word = |about: &str, words: Vec<&str>| json!({"description": about, "type": "string", "enum": words});
    let time = |about: &str| json!({"description": about, "type": "string", "format": "date-time"});
    let count = |about: &str| json!({"description": about, "type": "integer", "minimum": 0});
    let news = News::ALL.iter().map(|it| it.name()).collect();
    let kinds = Kind::ALL.iter().map(|it| it.name()).collect();
    let states = || State::ALL.iter().map(|it| it.name()).collect();
    let by = json!({
        "description": "Who made it, as CloudTrail told it; null where no event told.",
        "type": ["object", "null"],
        "required": ["arn", "role_arn", "source_address", "user_agent", "time", "event", "request_id"],
        "properties": {
            "arn": text("An IAM ARN, or the service that did it."),
            "role_arn": maybe("The role of an assumed role."),
            "source_address": maybe("An IP address, or a service."),
            "user_agent": maybe("With what."),
            "time": time("When."),
            "event": text("Which call."),
            "request_id": maybe("The id that AWS gave that call."),
        },
    });
    let statement = json!({
        "type": "object",
        "required": ["sid", "kind", "detail", "held", "by"],
        "properties": {
            "sid": maybe("None where the statement has no Sid."),
            "kind": word("What kind of difference.", kinds),
            "detail": text("The same in words."),
            "held": maybe("Why nothing is done about it, from a closed set; null where something is."),
            "by": by,
        },
    });
    let event = json!({
        "type": "object",
        "required": [
            "event", "arn", "time", "state", "reason", "state_before", "state_before_since", "statements",
            "statements_omitted", "message", "hint"
        ],
        "properties": {
            "event": word("What is new.", news),
            "arn": text("The function, its alias or version."),
            "time": time("When it was found."),
            "state": word("How the target stands now.", states()),
            "reason": text("Why, from a closed set; as in /status."),
            "state_before": word("How it stood before.", states()),
            "state_before_since": time("Since when it stood like that."),
            "statements": {"description": "What it is about.", "type": "array", "items": statement},
            "statements_omitted": count("Statements beyond the most that one event has."),
            "message": maybe("What went wrong."),
            "hint": maybe("What can be done about it."),
        },
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "permitd notification",
        "description": "What a webhook gets: all that one pass found to be new. Unknown keys are to be ignored; a \
            breaking change raises the major version.",
        "type": "object",
        "required": ["format_version", "id", "time", "place", "trigger", "events", "omitted"],
        "properties": {
            "format_version": {"description": "Of this form.", "const": FORMAT_VERSION},
            "id": text("Of this message; the same over all attempts, and in X-Permitd-Delivery."),
            "time": time("When the pass was through."),
            "place": text("Account and region."),
            "trigger": text("What set the pass off."),
            "events": {"description": "What is new.", "type": "array", "items": event},
            "omitted": count("Events beyond the most that one message has."),
        },
    })
}

/// For an incoming webhook of Slack.
pub fn slack(place: &str, edges: &[&Edge]) -> String {
    let mut text = format!("permitd, {}", escaped(place));
    let mut told = 0;
    for it in edges.iter().take(MOST_LINES) {
        let line = line(it);
        if text.len() + line.len() > MOST_TEXT {
            break;
        }
        text.push_str(&line);
        told += 1;
    }
    let more = edges.len() - told;
    if more > 0 {
        write!(text, "\nand {more} more").unwrap_or_default();
    }
    json!({ "text": text }).to_string()
}

fn line(edge: &Edge) -> String {
    let what = edge.news.name().replace('_', " ");
    let mut res = format!("\n*{what}*: `{}`", escaped(&edge.target.to_string()));
    let sids: Vec<String> = edge.matters.iter().take(MOST_SIDS).map(in_words).collect();
    // Writing to a String cannot fail.
    if !sids.is_empty() {
        write!(res, ": {}", sids.join(", ")).unwrap_or_default();
    }
    let more = edge.matters.len() - sids.len();
    if more > 0 {
        write!(res, " and {more} more").unwrap_or_default();
    }
    // One name is enough for people; the others stand in /status.
    if let Some(by) = edge.matters.iter().find_map(|it| it.by.as_deref()) {
        write!(res, "; changed by {}", escaped(&by.in_words())).unwrap_or_default();
    }
    for it in edge.message.iter().chain(&edge.hint) {
        write!(res, "\n    {}", escaped(it)).unwrap_or_default();
    }
    res
}

fn in_words(it: &Matter) -> String {
    let sid = it
        .sid
        .as_deref()
        .map_or_else(|| "a statement without a Sid".to_owned(), |it| format!("`{}`", escaped(it)));
    let held = it.held.map(|it| format!(", held: {it}")).unwrap_or_default();
    format!("{sid} ({}{held})", it.kind.name())
}

/// Slack takes `<…>` for links and calls to people: `<!channel>`. No line of somebody else's fills the room, ends the
/// marks around it or goes on in a line of its own.
fn escaped(text: &str) -> String {
    let plain = |it: char| match it {
        it if it.is_control() => ' ',
        '`' => '\'',
        it => it,
    };
    let text: String = cut(text, SHORT).chars().map(plain).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Of something long, the beginning.
fn cut(text: &str, most: usize) -> String {
    let mut res: String = text.chars().take(most).collect();
    if res.len() < text.len() {
        res.push('…');
    }
    res
}
