//! What a message says: JSON for programs, text for Slack.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::observe::news::{Edge, Matter, News};

/// Raised with every change that breaks readers.
pub const FORMAT_VERSION: &str = "1.0";
/// So many events stand in one JSON message; the others are counted.
const MOST: usize = 100;
/// So many lines stand in one text, and so many statements in one line.
const MOST_LINES: usize = 20;
const MOST_SIDS: usize = 5;
/// So many characters of what somebody else wrote.
const LONGEST: usize = 200;

/// For programs; `config/schema/notification.json` tells its form.
pub fn json(id: &str, place: &str, trigger: &str, edges: &[&Edge], now: Timestamp) -> String {
    let events: Vec<Value> = edges.iter().take(MOST).map(|it| event(it)).collect();
    let omitted = edges.len() - events.len();
    let res = json!({
        "format_version": FORMAT_VERSION,
        "id": id,
        "time": now.to_string(),
        "place": place,
        "trigger": trigger,
        "events": events,
        "omitted": omitted,
    });
    res.to_string()
}

fn event(edge: &Edge) -> Value {
    let statements: Vec<Value> = edge.matters.iter().take(MOST).map(statement).collect();
    json!({
        "event": edge.news.name(),
        "arn": edge.target.to_string(),
        "time": edge.at.to_string(),
        "state": edge.state.name(),
        "reason": edge.reason,
        "before": edge.before.name(),
        "before_since": edge.since.to_string(),
        "statements": statements,
        "message": edge.message,
        "hint": edge.hint,
    })
}

fn statement(it: &Matter) -> Value {
    json!({"sid": it.sid, "kind": it.kind.name(), "detail": it.detail, "held": it.held})
}

/// The JSON Schema (2020-12) of [`json`]; published as `config/schema/notification.json`.
pub fn schema() -> Value {
    let text = |about: &str| json!({"description": about, "type": "string"});
    let maybe = |about: &str| json!({"description": about, "type": ["string", "null"]});
    let words: Vec<&str> = News::ALL.iter().map(|it| it.name()).collect();
    let statement = json!({
        "type": "object",
        "required": ["sid", "kind", "detail", "held"],
        "properties": {
            "sid": maybe("None where the statement has no Sid."),
            "kind": text("What kind of difference."),
            "detail": text("The same in words."),
            "held": maybe("Why nothing is done about it."),
        },
    });
    let event = json!({
        "type": "object",
        "required": [
            "event", "arn", "time", "state", "reason", "before", "before_since", "statements", "message", "hint"
        ],
        "properties": {
            "event": {"description": "What is new.", "type": "string", "enum": words},
            "arn": text("Of the function, its alias or version."),
            "time": text("When it was found."),
            "state": text("How the target stands now."),
            "reason": text("Why, from a closed set."),
            "before": text("How it stood before."),
            "before_since": text("Since when it stood like that."),
            "statements": {"description": "What it is about.", "type": "array", "items": statement},
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
            "format_version": text("1.0"),
            "id": text("Of this message; the same over all attempts, and in X-Permitd-Delivery."),
            "time": text("When the pass was through."),
            "place": text("Account and region."),
            "trigger": text("What set the pass off."),
            "events": {"description": "What is new.", "type": "array", "items": event},
            "omitted": {"description": "Events beyond the most that one message has.", "type": "integer"},
        },
    })
}

/// For an incoming webhook of Slack.
pub fn slack(place: &str, edges: &[&Edge]) -> String {
    let mut text = format!("permitd, {}", escaped(place));
    for edge in edges.iter().take(MOST_LINES) {
        let what = edge.news.name().replace('_', " ");
        // Writing to a String does not fail.
        let _ = write!(text, "\n*{what}*: `{}`", escaped(&edge.target.to_string()));
        let some = edge.matters.iter().take(MOST_SIDS);
        let sids: Vec<String> = some.map(in_words).collect();
        if !sids.is_empty() {
            let _ = write!(text, ": {}", sids.join(", "));
        }
        let more = edge.matters.len() - sids.len();
        if more > 0 {
            let _ = write!(text, " and {more} more");
        }
        for it in edge.message.iter().chain(&edge.hint) {
            let _ = write!(text, "\n    {}", escaped(it));
        }
    }
    let more = edges.len().saturating_sub(MOST_LINES);
    if more > 0 {
        let _ = write!(text, "\nand {more} more");
    }
    json!({ "text": text }).to_string()
}

fn in_words(it: &Matter) -> String {
    let sid = it.sid.as_deref().unwrap_or("a statement without a Sid");
    let held = it.held.map(|it| format!(", held: {it}")).unwrap_or_default();
    format!("{} ({}{held})", escaped(sid), it.kind.name())
}

/// Slack takes `<…>` for links and calls to people: `<!channel>`. No line of somebody else's fills the room.
fn escaped(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', " ")
}
