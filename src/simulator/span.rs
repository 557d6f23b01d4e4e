//! A stretch of time as people write it: `5s`, `1m 30s`, or a number of milliseconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A duration that is read from `5s`, `200ms`, `1h 30m`, or a number of milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// No time.
    pub const ZERO: Self = Self(Duration::ZERO);
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Millis(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Either::deserialize(from) {
            Ok(Either::Millis(it)) => Ok(Self(Duration::from_millis(it))),
            Ok(Either::Text(it)) => humantime::parse_duration(&it).map(Self).map_err(|_| {
                D::Error::custom(format!("`{it}` is not a duration; one looks like 5s or 200ms"))
            }),
            Err(_) => Err(D::Error::custom("a duration looks like 5s, or is a number of ms")),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_duration(self.0))
    }
}
