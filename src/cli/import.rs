//! `permitd import`: permission files from live policies. It only reads, and writes files when all is read.

use std::collections::{BTreeMap, BTreeSet};

use wildmatch::WildMatch;

use crate::cli::{
    args::{ImportArgs, OwnershipArg},
    exit::Exit,
    progress::Progress,
    setup,
    show::{Show, Stop},
};
use crate::config::import::{Imported, Live, Options, Tally, import as written};
use crate::daemon::{
    clock,
    survey::{Progress as Step, Scope, Survey, Surveyed, Trouble},
};
use crate::policy::target::Target;
use crate::report::{palette::safe, sums::count};

mod from;
mod out;
mod way;

use out::Out;
use way::Way;

/// Reads policies and writes them down as permission files.
pub(crate) async fn import(args: &ImportArgs, show: Show) -> Result<Exit, Stop> {
    from::check_usage(args)?;
    if let Some(kind) = args.from {
        return from::import(kind, args, show);
    }
    match (args.functions.is_empty(), args.all) {
        (true, false) => {
            let hint = "as in `permitd import --function thumbnail`, or `permitd import --all`";
            let message = "nothing to import: name functions with --function, or pass --all";
            return Err(Stop::Said(Exit::Usage, message.into(), Some(hint.into())));
        }
        (false, true) => {
            let message = "--function and --all exclude each other";
            let hint = "leave one of them out; --target says which of all are wanted";
            return Err(Stop::Said(Exit::Usage, message.into(), Some(hint.into())));
        }
        (true, true) | (false, false) => {}
    }
    let out = Out::of(args)?;
    let way = way::find(args, show).await?;
    if let (Scope::Named(targets), false) = (&way.scope, args.qualifiers) {
        let globs = globs(args);
        if !targets.iter().any(|it| is_wanted(it, &globs)) {
            return Err(Stop::usage("--target matches none of the functions that are named"));
        }
    }
    let stop = setup::stop_on_signals();
    let surveyed = tokio::select! {
        it = look(&way, args, show) => it,
        () = stop.token.cancelled() => Surveyed::default(),
    };
    if let Some(signal) = stop.signal() {
        show.problem("interrupted: nothing was written");
        return Ok(Exit::Interrupted(signal));
    }
    let Surveyed { policies, troubles, unwanted } = surveyed;
    if policies.is_empty() && troubles.is_empty() && unwanted > 0 {
        return Err(Stop::failure("--target matches nothing that is there"));
    }
    let counts = Counts::of(&policies);
    let mut files: BTreeMap<String, Vec<Live>> = BTreeMap::new();
    for (target, document) in policies {
        if let Some(document) = document {
            let file = out.file_of(target.function());
            files.entry(file).or_default().push(Live { target, document });
        }
    }
    let options = Options {
        context: &way.context,
        rules: &way.rules,
        own_all: args.ownership == OwnershipArg::All,
        accept_risks: args.accept_risks,
        now: clock::system(),
    };
    let mut tally = Tally::default();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (file, live) in files {
        let made = written(&live, &options).map_err(|it| mistake(it.to_string()))?;
        let Imported { text, tally: more } = made;
        tally.add(&more);
        if !text.is_empty() {
            texts.insert(file, text);
        }
    }
    out.write(&texts, args.force, show)?;
    show.note(&summary(&tally, &counts, &out, args.accept_risks));
    if let (Some(path), false) = (out.path(), texts.is_empty()) {
        show.note(&format!("See that nothing differs with\n    permitd plan {}", path.display()));
    }
    Ok(tell(&troubles, show))
}

async fn look(way: &Way, args: &ImportArgs, show: Show) -> Surveyed {
    let globs = globs(args);
    let wants = |it: &Target| is_wanted(it, &globs);
    let progress = Progress::growing("reading policies", show);
    let heard = |it| match it {
        Step::Found => progress.found(),
        Step::Read => progress.inc(),
    };
    let survey = Survey { gateway: &way.gateway, qualifiers: args.qualifiers };
    survey.look(&way.scope, wants, heard).await
}

fn globs(args: &ImportArgs) -> Vec<WildMatch> {
    args.targets.iter().map(|it| WildMatch::new(it)).collect()
}

fn is_wanted(target: &Target, globs: &[WildMatch]) -> bool {
    let matches = |name: &str| globs.iter().any(|it| it.matches(name));
    globs.is_empty() || matches(&target.arn()) || matches(&target.short_name())
}

/// Functions, each counted once, whatever qualifiers of it were read.
struct Counts {
    with: usize,
    without: usize,
}

impl Counts {
    fn of<T>(policies: &BTreeMap<Target, Option<T>>) -> Self {
        let all: BTreeSet<String> = policies.keys().map(Target::function_arn).collect();
        let there = policies.iter().filter(|(_, it)| it.is_some());
        let with: BTreeSet<String> = there.map(|(it, _)| it.function_arn()).collect();
        Self { with: with.len(), without: all.len() - with.len() }
    }
}

fn summary(tally: &Tally, counts: &Counts, out: &Out, accepted: bool) -> String {
    let Tally { statements, foreign, risks: _ } = tally;
    let into = out.path().filter(|_| counts.with > 0);
    let into = into.map(|it| format!(" into {}", it.display())).unwrap_or_default();
    let (statements, functions) = (count(*statements, "statement"), count(counts.with, "function"));
    let mut parts = match counts.with {
        0 => vec!["Imported nothing".to_owned()],
        _ => vec![format!("Imported {statements} of {functions}{into}")],
    };
    if *foreign > 0 {
        parts.push(format!("{} left foreign", count(*foreign, "statement")));
    }
    match counts.without {
        0 => {}
        1 => parts.push("1 function has no policy".to_owned()),
        n => parts.push(format!("{n} functions have no policy")),
    }
    parts.extend(risks(tally, accepted));
    parts.join("; ")
}

/// `risks: P001 2, P004 1`, if there are any.
fn risks(tally: &Tally, accepted: bool) -> Option<String> {
    let counted: Vec<String> = tally.risks.iter().map(|(it, n)| format!("{it} {n}")).collect();
    let what = if accepted { "risks accepted" } else { "risks" };
    (!counted.is_empty()).then(|| format!("{what}: {}", counted.join(", ")))
}

/// The proof failed, or what was made cannot be read.
fn mistake(why: String) -> Stop {
    let hint = "this is a mistake of permitd, and nothing was written; please report it";
    Stop::Said(Exit::Failure, why, Some(hint.into()))
}

/// Each failure, and then what to do about them, each advice once.
fn tell(troubles: &[Trouble], show: Show) -> Exit {
    if troubles.is_empty() {
        return Exit::Success;
    }
    for Trouble { about, message, hint: _ } in troubles {
        show.problem(&format!("error: {}: {}", safe(about), safe(message)));
    }
    let hints: BTreeSet<&String> = troubles.iter().filter_map(|it| it.hint.as_ref()).collect();
    for it in hints {
        show.problem(&format!("hint: {}", safe(it)));
    }
    Exit::Failure
}
