//! JSON as it stands in a live policy: member order and duplicate members are kept, nothing is folded.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// One JSON value. `serde_json::Value` would drop all but the last of two members of one name,
/// and with them what a policy really says. Strings without escapes are parts of the text: a pass reads thousands
/// of policies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(String),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Scalars as the text that IAM compares; containers have none.
    pub(crate) fn scalar(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Bool(it) => Some(it.to_string().into()),
            Self::Number(it) => Some(it.clone().into()),
            Self::String(it) => Some(it.clone()),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }

    pub(crate) fn string(&self) -> Option<&str> {
        if let Self::String(it) = self { Some(it) } else { None }
    }

    /// The same, to keep.
    pub(crate) fn text(&self) -> Option<Cow<'a, str>> {
        if let Self::String(it) = self { Some(it.clone()) } else { None }
    }

    /// Every string inside, however deep.
    pub(crate) fn strings(&self, res: &mut Vec<String>) {
        match self {
            Self::String(it) => res.push(it.to_string()),
            Self::Array(items) => items.iter().for_each(|it| it.strings(res)),
            Self::Object(members) => members.iter().for_each(|(_, it)| it.strings(res)),
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }

    /// Every member inside, however deep.
    pub(crate) fn members(&self, see: &mut impl FnMut(&str, &Self)) {
        match self {
            Self::Array(items) => items.iter().for_each(|it| it.members(see)),
            Self::Object(members) => members.iter().for_each(|(key, it)| {
                see(key, it);
                it.members(see);
            }),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {}
        }
    }

    /// A scalar stands for a list of one.
    pub(crate) fn as_list(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Object(_) => {
                std::slice::from_ref(self)
            }
        }
    }

    /// The same value always gives the same text: members are sorted, numbers and strings told apart.
    pub(crate) fn sorted_text(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(it) => it.to_string(),
            Self::Number(it) => it.clone(),
            Self::String(it) => quoted(it),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::sorted_text).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(members) => {
                let member = |(key, it): &(Cow<'a, str>, Self)| {
                    format!("{}:{}", quoted(key), it.sorted_text())
                };
                let mut members: Vec<String> = members.iter().map(member).collect();
                members.sort();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor(PhantomData))
    }
}

struct JsonVisitor<'a>(PhantomData<Json<'a>>);

impl<'de: 'a, 'a> Visitor<'de> for JsonVisitor<'a> {
    type Value = Json<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(it))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(it.to_string()))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(it.to_string()))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Self::Value, E> {
        Ok(Json::Number(it.to_string()))
    }

    fn visit_borrowed_str<E: Error>(self, it: &'de str) -> Result<Self::Value, E> {
        Ok(Json::String(it.into()))
    }

    fn visit_str<E: Error>(self, it: &str) -> Result<Self::Value, E> {
        Ok(Json::String(it.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Key(key), value)) = map.next_entry()? {
            members.push((key, value));
        }
        Ok(Json::Object(members))
    }
}

/// The name of a member. `Cow` alone would always copy it.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
