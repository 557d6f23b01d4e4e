//! GetPolicy's JSON and the statements in it, with the revision. One odd statement never spoils the rest.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::policy::{
    compact::{self, List},
    grant::Permission,
    statement::Statement,
    target::Target,
};

/// The version that AddPermission gives a policy; another one changes what `${…}` in values means.
pub const USUAL_VERSION: &str = "2012-10-17";

/// A live policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    text: String,
    revision: String,
    version: Option<String>,
    statements: Vec<Statement>,
}

/// A document of these statements, as Lambda begins one.
pub fn document_of(statements: &[String]) -> String {
    format!(
        r#"{{"Version":"{USUAL_VERSION}","Id":"default","Statement":[{}]}}"#,
        statements.join(",")
    )
}

/// The answer was not a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy that Lambda gave is not a policy document: {0}")]
pub struct NotADocument(String);

impl Document {
    /// Reads what GetPolicy gave for `target`.
    ///
    /// Fails only where the outer form is broken, for then nobody knows what the statements are;
    /// whatever a single statement is, it is kept.
    pub fn parse(text: String, revision: String, target: &Target) -> Result<Self, NotADocument> {
        let outer: Outer<'_> =
            serde_json::from_str(&text).map_err(|it| NotADocument(it.to_string()))?;
        let version: Option<String> =
            outer.one("Version")?.and_then(|it| serde_json::from_str(it.get()).ok());
        let usual = version.as_deref() == Some(USUAL_VERSION);
        let read = |text: &str| match Statement::read(text, target) {
            it if usual => it,
            it => it.in_other_version(),
        };
        let statements = match outer.one("Statement")?.map(RawValue::get) {
            None => return Err(NotADocument("it has no Statement".into())),
            Some(one) if one.starts_with('{') => vec![read(one)],
            Some(list) => {
                let list: Vec<&RawValue> = serde_json::from_str(list)
                    .map_err(|_| NotADocument("its Statement is neither a list nor one".into()))?;
                list.into_iter().map(|it| read(it.get())).collect()
            }
        };
        Ok(Self { text, revision, version, statements })
    }

    /// Exactly as Lambda gave it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same document with one statement more, at its end; everything else byte for byte.
    pub fn with_statement(&self, statement: &str) -> String {
        let all = self.statements.iter().map(Statement::text).chain([statement]);
        self.with_statements(all)
    }

    /// The same document with these statements instead of its own; everything else byte for byte.
    pub fn with_statements<'a>(&self, statements: impl IntoIterator<Item = &'a str>) -> String {
        let statements: Vec<&str> = statements.into_iter().collect();
        let list = format!("[{}]", statements.join(","));
        let Ok(Outer(members)) = serde_json::from_str::<Outer<'_>>(&self.text) else {
            // It was read before.
            return self.text.clone();
        };
        let mut parts = Vec::new();
        for (key, value) in members {
            let key_text = serde_json::to_string(&key).unwrap_or_default();
            let value = if key == "Statement" { list.as_str() } else { value.get() };
            parts.push(format!("{key_text}:{value}"));
        }
        format!("{{{}}}", parts.join(","))
    }

    /// The same document, with each of our lists as the statements that it stands for: a member has the Sid of every
    /// grant that it is, by `sids_of`, or else that of its list. None where there is no list of ours.
    pub fn taken_apart(
        &self,
        target: &Target,
        sids_of: impl Fn(&Permission) -> Vec<String>,
    ) -> Option<Self> {
        let mut found = false;
        let mut statements = Vec::with_capacity(self.statements.len());
        for it in &self.statements {
            let list = it.sid().and_then(|sid| compact::read(sid, it.text(), target));
            let Some(List { place, members }) = list else {
                statements.push(it.clone());
                continue;
            };
            found = true;
            for member in members {
                let mut sids = sids_of(&member);
                if sids.is_empty() {
                    sids.push(place.sid.clone());
                }
                let of_sid = |sid: String| {
                    let text = member.statement_text(&sid, target);
                    Statement::read(&text, target).in_list(&place.sid)
                };
                statements.extend(sids.into_iter().map(of_sid));
            }
        }
        found.then(|| Self { statements, ..self.clone() })
    }

    /// Guards the next write.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The policy language's version, if it says one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// In Lambda's order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

/// The members of an object, each with its value as it stands there.
pub(super) fn members(text: &str) -> Option<Vec<(String, &RawValue)>> {
    serde_json::from_str::<Outer<'_>>(text).ok().map(|it| it.0)
}

/// The members of the outer object, each as its text.
struct Outer<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Outer<'a> {
    fn one(&self, name: &str) -> Result<Option<&'a RawValue>, NotADocument> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(NotADocument(format!("{name} stands in it twice"))),
            (it, _) => Ok(it.map(|(_, value)| *value)),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Outer<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
            type Value = Outer<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'a RawValue>()? {
                    members.push(member);
                }
                Ok(Outer(members))
            }
        }
        deserializer.deserialize_map(Members(std::marker::PhantomData))
    }
}
