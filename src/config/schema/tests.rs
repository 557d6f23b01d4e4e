//! The schemas and the readers, over the same files: what a reader takes no schema refuses, and what a
//! reader refuses a schema does, too, as far as it can say it.

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use crate::config::diagnostic::{File, render_all};
use crate::config::settings::{self as reader, Settings};
use crate::config::tests::{context, load};

mod examples;
mod pairs;
mod tables;

/// A validator for one kind of file, and its reader.
pub(super) struct Kind {
    validator: Validator,
    read: fn(&str) -> Result<(), String>,
}

impl Kind {
    pub(super) fn permissions() -> Self {
        Self {
            validator: validator(&super::permissions()),
            read: |text| load(&[text], &context()).map(drop),
        }
    }

    pub(super) fn settings() -> Self {
        Self { validator: validator(&super::settings()), read: |text| settings(text).map(drop) }
    }

    /// What is wrong by the schema, over all documents; merge keys resolved, and left as they are.
    pub(super) fn refusals(&self, text: &str) -> Vec<String> {
        let mut said = Vec::new();
        for document in serde_yaml::Deserializer::from_str(text) {
            let raw = serde_yaml::Value::deserialize(document).unwrap();
            let mut merged = raw.clone();
            merged.apply_merge().unwrap();
            // A document of nothing is skipped by the reader, and a schema has nothing to say about it.
            for it in [raw, merged].iter().filter(|it| !it.is_null()) {
                let json = serde_json::to_value(it).unwrap();
                said.extend(self.validator.iter_errors(&json).map(|it| it.to_string()));
            }
        }
        said
    }

    /// The reader takes it, and so does the schema.
    #[track_caller]
    pub(super) fn good(&self, text: &str) {
        assert_eq!((self.read)(text), Ok(()), "{text}");
        assert_eq!(self.refusals(text), Vec::<String>::new(), "{text}");
    }

    /// The reader refuses it, and so does the schema.
    #[track_caller]
    pub(super) fn bad(&self, text: &str) {
        assert!((self.read)(text).is_err(), "the reader takes this:\n{text}");
        assert!(!self.refusals(text).is_empty(), "the schema takes this:\n{text}");
    }

    /// The reader refuses it for a reason that no schema can say.
    #[track_caller]
    pub(super) fn beyond(&self, text: &str) {
        assert!((self.read)(text).is_err(), "the reader takes this:\n{text}");
        assert_eq!(self.refusals(text), Vec::<String>::new(), "{text}");
    }
}

pub(super) fn settings(text: &str) -> Result<Settings, String> {
    reader::parse(&File::new("permitd.yaml", text.to_owned())).map_err(|it| render_all(&it, false))
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::meta::validate(schema).map_err(|it| it.to_string()).unwrap();
    jsonschema::draft202012::new(schema).unwrap()
}
