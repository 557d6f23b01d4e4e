//! `permitd schema`: the JSON Schemas of what people and programs exchange with permitd.

use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::{Map, Value};

use crate::cli::{
    args::SchemaArgs,
    exit::Exit,
    folder,
    show::{Show, Stop},
};
use crate::config::schema;
use crate::observe::notify::message;
use crate::report;

/// What there is a schema of: its name, what that is, and the schema.
type Named = (&'static str, &'static str, fn() -> Value);

/// All schemas. Each also stands in `config/schema/NAME.json`, and a test holds the two together.
const SCHEMAS: &[Named] = &[
    ("permissions", "Permission files", schema::permissions),
    ("settings", "The settings file", schema::settings),
    ("report", "What `--output json` of plan, apply and run prints", report::json::schema),
    ("notification", "What a webhook of `notify` with the format json gets", message::schema),
    ("check", "What `permitd check --output json` prints", report::check::schema),
    ("explain", "What `permitd explain --output json` prints", report::explain::schema),
];

/// The names, for the command line.
pub(crate) fn names() -> PossibleValuesParser {
    SCHEMAS.iter().map(|(name, about, _)| PossibleValue::new(*name).help(*about)).into()
}

/// Prints one or all, or writes them into a directory.
pub(crate) fn schema(args: &SchemaArgs, show: Show) -> Result<Exit, Stop> {
    let wanted = |name: &str| args.name.as_deref().is_none_or(|it| it == name);
    let chosen: Vec<(&str, Value)> = SCHEMAS
        .iter()
        .filter(|(name, ..)| wanted(name))
        .map(|(name, _, schema)| (*name, schema()))
        .collect();
    if let Some(dir) = &args.out {
        let files = chosen.iter().map(|(name, it)| (format!("{name}.json"), pretty(it)));
        return folder::write(dir, files, show);
    }
    let text = if let (Some(_), [(_, only)]) = (&args.name, chosen.as_slice()) {
        pretty(only)
    } else {
        let all = chosen.into_iter().map(|(name, it)| (name.to_owned(), it));
        pretty(&Value::Object(all.collect::<Map<String, Value>>()))
    };
    show.print(&text)
}

fn pretty(schema: &Value) -> String {
    format!("{schema:#}\n")
}
