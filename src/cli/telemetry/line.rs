//! One event as a line: as text, as JSON, and as the journal of systemd takes it.
//!
//! What the spans around an event know counts as its own: whoever reads one line has all of it.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value, json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// The forms of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people, and for who filters text.
    Text,
    /// An object.
    Json,
    /// What is sent to systemd's journal: a variable a line. The journal knows the time.
    Journal,
}

/// An event with everything that is known of it.
#[derive(Debug)]
pub(super) struct Line {
    level: Level,
    /// Who says it, where that is not permitd.
    of: Option<&'static str>,
    message: String,
    fields: Vec<(String, Known)>,
}

/// The value of a field. Text that was handed over as such is quoted, as ever; what prints itself is not.
#[derive(Debug, PartialEq)]
enum Known {
    Quoted(String),
    Plain(Value),
}

impl<S> FormatEvent<S, JsonFields> for Form
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line::of(event);
        for span in ctx.event_scope().into_iter().flatten() {
            if let Some(it) = span.extensions().get::<FormattedFields<JsonFields>>() {
                line.within(&it.fields);
            }
        }
        if *self == Self::Journal {
            return writer.write_str(&line.journal());
        }
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let color = writer.has_ansi_escapes();
        match self {
            Self::Json => writeln!(writer, "{}", line.json(&time)),
            Self::Text | Self::Journal => writeln!(writer, "{}", line.text(&time, color)),
        }
    }
}

impl Line {
    fn of(event: &Event<'_>) -> Self {
        let meta = event.metadata();
        let of = (!super::is_ours(meta.target())).then_some(meta.target());
        let mut res = Self { level: *meta.level(), of, message: String::new(), fields: Vec::new() };
        event.record(&mut res);
        res
    }

    /// What a span around it knows, as JSON. What the event says itself, or a span within that one, counts more.
    fn within(&mut self, fields: &str) {
        let known: Map<String, Value> = serde_json::from_str(fields).unwrap_or_default();
        for (name, value) in known {
            if !self.fields.iter().any(|(it, _)| *it == name) {
                let value = match value {
                    Value::String(it) if it.contains(' ') => Known::Quoted(it),
                    it @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Array(_)
                    | Value::Object(_)) => Known::Plain(it),
                };
                self.fields.push((name, value));
            }
        }
    }

    fn put(&mut self, field: &Field, value: Known) {
        let name = field.name();
        match (name, value) {
            ("message", Known::Quoted(it) | Known::Plain(Value::String(it))) => self.message = it,
            // What comes over the `log` crate repeats its metadata as fields.
            (name, _) if name.starts_with("log.") => {}
            (name, value) => {
                self.fields.push((name.trim_start_matches("r#").to_owned(), value));
            }
        }
    }

    /// The message and what it is about.
    fn said(&self, color: bool) -> String {
        let mut res = self.of.map_or(String::new(), |it| format!("{it}: "));
        push_safe(&mut res, &self.message);
        for (name, value) in &self.fields {
            let (dim, end) = if color { ("\u{1b}[2m", "\u{1b}[0m") } else { ("", "") };
            // Writing to a String cannot fail.
            write!(res, " {dim}{name}={end}").unwrap_or_default();
            match value {
                Known::Quoted(it) => write!(res, "{it:?}").unwrap_or_default(),
                Known::Plain(Value::String(it)) => push_safe(&mut res, it),
                Known::Plain(it) => write!(res, "{it}").unwrap_or_default(),
            }
        }
        res
    }

    fn text(&self, time: &str, color: bool) -> String {
        let said = self.said(color);
        let level = self.level;
        if !color {
            return format!("{time} {level:>5} {said}");
        }
        let tint = match level {
            Level::ERROR => 31,
            Level::WARN => 33,
            Level::INFO => 32,
            Level::DEBUG => 34,
            Level::TRACE => 35,
        };
        format!("\u{1b}[2m{time}\u{1b}[0m \u{1b}[{tint}m{level:>5}\u{1b}[0m {said}")
    }

    fn json(&self, time: &str) -> Value {
        let mut res = Map::new();
        res.insert("timestamp".to_owned(), json!(time));
        res.insert("level".to_owned(), json!(self.level.as_str()));
        res.insert("message".to_owned(), json!(self.message));
        if let Some(of) = self.of {
            res.insert("target".to_owned(), json!(of));
        }
        for (name, value) in &self.fields {
            let value = match value {
                Known::Quoted(it) => json!(it),
                Known::Plain(it) => it.clone(),
            };
            // Nobody but us says when, how bad and what.
            res.entry(name.clone()).or_insert(value);
        }
        Value::Object(res)
    }

    /// For the journal: `MESSAGE` for people, `PERMITD_EVENT` for programs, and every field under a name of its own.
    fn journal(&self) -> String {
        let priority = match self.level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        let mut res = format!("PRIORITY={priority}\nSYSLOG_IDENTIFIER=permitd\n");
        let mut put = |name: &str, value: &str| {
            res.push_str(name);
            res.push('=');
            push_safe(&mut res, value);
            res.push('\n');
        };
        put("MESSAGE", &self.said(false));
        put("PERMITD_EVENT", &self.message);
        for (name, value) in &self.fields {
            let name: String = name
                .chars()
                .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' })
                .collect();
            let value = match value {
                Known::Quoted(it) | Known::Plain(Value::String(it)) => it.clone(),
                Known::Plain(it) => it.to_string(),
            };
            put(&format!("PERMITD_{name}"), &value);
        }
        res
    }
}

/// A line stays one line, and a terminal does nothing but show it.
fn push_safe(to: &mut String, text: &str) {
    for it in text.chars() {
        if it.is_control() {
            to.extend(it.escape_default());
        } else {
            to.push(it);
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Known::Quoted(value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Known::Plain(json!(format!("{value:?}"))));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Known::Plain(json!(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Known::Plain(json!(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Known::Plain(json!(value)));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, Known::Plain(json!(u64::try_from(value).unwrap_or(u64::MAX))));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Known::Plain(json!(value)));
    }
}

#[cfg(test)]
mod tests;
