//! `permitd check`: the files alone, without any call.

use crate::{
    cli::{
        args::{CheckArgs, Output},
        exit::Exit,
        setup::{self, Wishes},
        show::{Show, Stop},
    },
    config::diagnostic::Diagnostic,
};

/// Finds every error of every file.
pub(crate) fn check(args: &CheckArgs, show: Show) -> Result<Exit, Stop> {
    let found = setup::read(&args.source).and_then(|it| setup::resolve_offline(&it, &args.source));
    match (found, args.output) {
        (Ok(Wishes { wanted, .. }), Output::Text) => {
            let grants: usize = wanted.iter().map(|it| it.grants.len()).sum();
            let files = if grants == 1 { "statement" } else { "statements" };
            let targets = if wanted.len() == 1 { "target" } else { "targets" };
            show.line(&format!("ok: {grants} {files} for {} {targets}", wanted.len()));
            Ok(Exit::Success)
        }
        (Ok(_), Output::Json) => {
            show.line(&json(&[]));
            Ok(Exit::Success)
        }
        (Err(Stop::Config(found)), Output::Json) => {
            show.line(&json(&found));
            Ok(Exit::Config)
        }
        (Err(stop), _) => Err(stop),
    }
}

fn json(found: &[Diagnostic]) -> String {
    let one = |it: &Diagnostic| {
        let source = it.place.source();
        serde_json::json!({
            "severity": "error",
            "file": source.file.as_ref(),
            "line": source.line,
            "column": source.column,
            "message": it.message,
            "help": it.help,
        })
    };
    let diagnostics: Vec<_> = found.iter().map(one).collect();
    serde_json::json!({ "format_version": "1.0", "diagnostics": diagnostics }).to_string()
}
