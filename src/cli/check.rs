//! `permitd check`: the files alone, without any call: errors, and what somebody should look at.

use crate::cli::{
    args::{CheckArgs, TextOrJson},
    exit::Exit,
    setup::{self, Wishes},
    show::{Show, Stop},
};
use crate::config::{
    diagnostic::{Diagnostic, Severity},
    warnings::{explain_once, warnings},
};
use crate::daemon::clock;
use crate::drift::wanted::Wanted;
use crate::policy::risk::Risk;

/// Finds every error of every file; warnings alone are no failure, unless their risk is denied.
pub(crate) fn check(args: &CheckArgs, show: Show) -> Result<Exit, Stop> {
    let (wanted, mut found) = match (read(args), args.output) {
        (Ok(it), _) => it,
        (Err(Stop::Config(found)), TextOrJson::Json) => {
            show.line(&json(&found));
            return Ok(Exit::Config);
        }
        (Err(stop), _) => return Err(stop),
    };
    for it in &mut found {
        if it.code.is_some_and(|risk| args.deny.contains(&risk)) {
            it.severity = Severity::Error;
        }
    }
    let denied = found.iter().any(|it| it.severity == Severity::Error);
    if args.output == TextOrJson::Json {
        show.line(&json(&found));
        return Ok(if denied { Exit::Config } else { Exit::Success });
    }
    explain_once(&mut found);
    if show.is_quiet() {
        found.retain(|it| it.severity == Severity::Error);
    }
    if !found.is_empty() {
        show.diagnostics(&found);
    }
    if denied {
        return Ok(Exit::Config);
    }
    let grants: usize = wanted.iter().map(|it| it.grants.len()).sum();
    let files = if grants == 1 { "statement" } else { "statements" };
    let targets = if wanted.len() == 1 { "target" } else { "targets" };
    show.line(&format!("ok: {grants} {files} for {} {targets}", wanted.len()));
    Ok(Exit::Success)
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
            "risk": it.code.map(Risk::code),
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
