//! `permitd check`: the files alone, without any call: errors, and what somebody should look at.

use std::path::PathBuf;

use crate::cli::{
    args::{CheckArgs, CheckOutput},
    exit::Exit,
    setup::{self, Found, Texts},
    show::{Show, Stop},
    whole_file,
};
use crate::config::{
    diagnostic::{Diagnostic, Place, Severity, render_each, sort},
    resolve::Examined,
    settings::Settings,
    warnings::{SlowPass, explain_once, slow_passes, warnings},
};
use crate::daemon::clock;
use crate::report::{
    check::{self as report, Checked},
    sarif::sarif,
};

/// The endings of files, and what they mean. `.sarif.json` is what some tools want.
const ENDINGS: &[(&str, CheckOutput)] = &[
    ("txt", CheckOutput::Text),
    ("json", CheckOutput::Json),
    ("sarif", CheckOutput::Sarif),
    ("sarif.json", CheckOutput::Sarif),
];

/// Finds every error of every file, and every risk beside them; warnings alone are no failure, unless they are
/// denied.
pub(crate) fn check(args: &CheckArgs, show: Show) -> Result<Exit, Stop> {
    let files = args
        .report
        .iter()
        .map(|it| Ok((it, whole_file::form_of(it, ENDINGS)?)))
        .collect::<Result<Vec<_>, Stop>>()?;
    let Seen { mut found, statements, targets, rules } = examine(args)?;
    for it in &mut found {
        if args.deny.iter().any(|deny| deny.covers(it.rule)) {
            it.severity = Severity::Error;
        }
    }
    let wrong = found.iter().any(|it| it.severity == Severity::Error);
    let exit = if wrong { Exit::Config } else { Exit::Success };
    let checked =
        Checked { found: &found, statements, targets, many: rules, exit_code: exit.code() };
    let mut written = true;
    for (path, form) in files {
        if let Err(error) = whole_file::write(path, &render(&checked, form), 0o666) {
            let path = path.display();
            show.problem(&format!("error: cannot write the report to {path}: {error}"));
            written = false;
        }
    }
    match args.output {
        CheckOutput::Text => say(&checked, show),
        form @ (CheckOutput::Json | CheckOutput::Sarif) => {
            show.data(&render(&checked, form))
                .map_err(|it| Stop::failure(format!("cannot write the report: {it}")))?;
        }
    }
    Ok(if written || wrong { exit } else { Exit::Failure })
}

/// What the files have.
struct Seen {
    found: Vec<Diagnostic>,
    statements: usize,
    rules: usize,
    targets: usize,
}

fn examine(args: &CheckArgs) -> Result<Seen, Stop> {
    let mut found = Vec::new();
    let settings = match setup::find(&args.source) {
        Ok(it) => it,
        Err(Stop::Config(wrong)) => {
            found = wrong;
            if args.source.files.is_empty() {
                return Ok(Seen { found, statements: 0, targets: 0, rules: 0 });
            }
            // Files that are named can be judged all the same.
            let settings = Settings::default();
            Found { path: None, file: None, settings, base: PathBuf::new() }
        }
        Err(stop @ Stop::Said(..)) => return Err(stop),
    };
    let texts = setup::read_with(settings, &args.source)?;
    let examined = setup::examine_offline(&texts, &args.source)?;
    found.extend(warnings(&texts.files, &examined, clock::system()));
    found.extend(slow(&texts, &examined));
    found.extend(examined.diagnostics);
    sort(&mut found);
    let statements = examined.targets.iter().map(|it| it.wanted.grants.len()).sum();
    let (targets, rules) = (examined.targets.len(), examined.rules.len());
    Ok(Seen { found, statements, rules, targets })
}

/// What a daemon with these files and settings cannot do in time.
fn slow(texts: &Texts, examined: &Examined) -> Vec<Diagnostic> {
    let settings = &texts.settings;
    let calls = setup::get_policy_rate(settings.budgets.get_policy).calls_per_second();
    let targets = examined.targets.iter().map(|it| &it.wanted.target);
    let Some(file) = texts.settings_file.as_ref().or_else(|| texts.files.files.first()) else {
        return Vec::new();
    };
    let slow = slow_passes(targets, calls, settings.interval);
    let tell = |it: &SlowPass| {
        let told = it.tell(Place::whole(file));
        // An account that nobody wrote is not shown to anybody.
        Diagnostic { message: told.message.replace(&format!("{}/", setup::NOBODY), ""), ..told }
    };
    slow.iter().map(tell).collect()
}

/// For people: what was found goes to stderr, as every command tells of it, and the verdict to stdout if it is
/// good.
fn say(checked: &Checked<'_>, show: Show) {
    let mut found = checked.found.to_vec();
    explain_once(&mut found);
    if show.is_quiet() {
        found.retain(|it| it.severity == Severity::Error);
    }
    if !found.is_empty() {
        show.findings(&found);
    }
    if let Some(summary) = checked.summary() {
        show.note(&format!("\n{summary}"));
    }
    if checked.exit_code == Exit::Success.code() {
        show.line(&verdict(checked));
    }
}

fn verdict(checked: &Checked<'_>) -> String {
    let Checked { statements, targets, many, .. } = checked;
    let of = if *statements == 1 { "statement" } else { "statements" };
    let for_ = if *targets == 1 { "target" } else { "targets" };
    let rules = match many {
        0 => String::new(),
        1 => ", and 1 rule for many functions, of which `permitd plan` tells what it covers"
            .to_owned(),
        n => format!(
            ", and {n} rules for many functions, of which `permitd plan` tells what they cover"
        ),
    };
    format!("ok: {statements} {of} for {targets} {for_}{rules}")
}

fn render(checked: &Checked<'_>, form: CheckOutput) -> String {
    match form {
        CheckOutput::Text => {
            let mut found = checked.found.to_vec();
            explain_once(&mut found);
            let mut res = render_each(&found, false, None);
            if let Some(summary) = checked.summary() {
                res.extend(["\n", &summary, "\n"]);
            }
            if checked.exit_code == Exit::Success.code() {
                res.extend([verdict(checked).as_str(), "\n"]);
            }
            res
        }
        CheckOutput::Json => format!("{}\n", report::json(checked)),
        CheckOutput::Sarif => {
            let here = std::env::current_dir().unwrap_or_default();
            format!("{}\n", sarif(checked, &here.to_string_lossy()))
        }
    }
}
