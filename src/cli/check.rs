//! `permitd check`: the files alone, without any call: errors, and what somebody should look at.

use crate::cli::{
    args::{CheckArgs, Output},
    exit::Exit,
    setup::{self, Wishes},
    show::{Show, Stop},
};
use crate::config::{diagnostic::Diagnostic, warnings::warnings};
use crate::daemon::clock;
use crate::drift::wanted::Wanted;

/// Finds every error of every file; warnings alone are no failure.
pub(crate) fn check(args: &CheckArgs, show: Show) -> Result<Exit, Stop> {
    match (read(args), args.output) {
        (Ok((wanted, warnings)), Output::Text) => {
            if !warnings.is_empty() && !show.is_quiet() {
                show.diagnostics(&warnings);
            }
            let grants: usize = wanted.iter().map(|it| it.grants.len()).sum();
            let files = if grants == 1 { "statement" } else { "statements" };
            let targets = if wanted.len() == 1 { "target" } else { "targets" };
            show.line(&format!("ok: {grants} {files} for {} {targets}", wanted.len()));
            Ok(Exit::Success)
        }
        (Ok((_, warnings)), Output::Json) => {
            show.line(&json(&warnings));
            Ok(Exit::Success)
        }
        (Err(Stop::Config(found)), Output::Json) => {
            show.line(&json(&found));
            Ok(Exit::Config)
        }
        (Err(stop), _) => Err(stop),
    }
}

fn read(args: &CheckArgs) -> Result<(Vec<Wanted>, Vec<Diagnostic>), Stop> {
    let texts = setup::read(&args.source)?;
    let Wishes { wanted } = setup::resolve_offline(&texts, &args.source)?;
    let warnings = warnings(&texts.files, &wanted, clock::system());
    Ok((wanted, warnings))
}

fn json(found: &[Diagnostic]) -> String {
    let one = |it: &Diagnostic| {
        let source = it.place.source();
        serde_json::json!({
            "severity": it.severity.name(),
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
