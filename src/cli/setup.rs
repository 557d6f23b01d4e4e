//! What a command needs before it starts: the files found, read and resolved. `ready` has all of it together, `way`
//! is the way to Lambda.

mod prints;
mod ready;
mod roots;
mod stopping;
mod understand;
mod way;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use wildmatch::WildMatch;

use crate::cli::{
    args::{SourceArgs, TargetArgs},
    exit::Exit,
    show::Stop,
};
use crate::config::{
    diagnostic::{File, Files},
    load, permissions,
    resolve::{self, Context, Examined, RuleUse},
    settings::{Account, Cap, Pattern, Settings},
};
use crate::daemon::{cadence::Cadence, clock, discovery::Discovery, run::Loaded};
use crate::drift::{
    allow::{Mode, Rules},
    limits::Limits,
    wanted::Wanted,
};
use crate::policy::target::{AccountRegion, Defaults, Target, check_account, check_region};

/// Files as read, before they are understood.
#[derive(Debug)]
pub(crate) struct Texts {
    /// What the settings file says; the defaults where there is none.
    pub(crate) settings: Settings,
    /// There is a settings file.
    pub(crate) has_settings: bool,
    /// That file as it was read.
    pub(crate) settings_file: Option<Arc<File>>,
    /// What its paths are relative to.
    pub(crate) base: PathBuf,
    /// The permission files.
    pub(crate) files: Files,
}

/// The settings, and where they were found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The settings file, if there is one.
    pub(crate) path: Option<PathBuf>,
    /// That file as it was read.
    pub(crate) file: Option<Arc<File>>,
    /// What it says; the defaults where there is none.
    pub(crate) settings: Settings,
    /// What its paths are relative to.
    pub(crate) base: PathBuf,
}

/// What the files want.
#[derive(Debug)]
pub(crate) struct Wishes {
    /// Every target.
    pub(crate) wanted: Vec<Wanted>,
    /// The rules for many functions.
    pub(crate) rules: Vec<RuleUse>,
}

/// Stands in for an account that nobody has to know.
pub(crate) const NOBODY: &str = "000000000000";

/// A command that writes does not start without a mode.
pub(crate) fn needs_mode(texts: &Texts, args: &TargetArgs, command: &str) -> Result<(), Stop> {
    if args.mode.is_some() || texts.settings.mode.is_some() {
        return Ok(());
    }
    let message = format!("`permitd {command}` needs a mode: observe, additive or enforce");
    let hint = "pass --mode enforce, or write `mode: enforce` into the settings file";
    Err(if texts.has_settings {
        Stop::config(message, hint)
    } else {
        Stop::Said(Exit::Usage, message, Some(hint.into()))
    })
}

/// Finds and reads the settings and the permission files.
pub(crate) fn read(args: &SourceArgs) -> Result<Texts, Stop> {
    read_with(find(args)?, args)
}

/// Reads the permission files that these settings, or the words on the command line, name.
pub(crate) fn read_with(found: Found, args: &SourceArgs) -> Result<Texts, Stop> {
    let Found { path: found, file, settings, base } = found;
    let (patterns, relative_to) = if args.files.is_empty() {
        (settings.permissions.clone(), base.clone())
    } else {
        let typed = |it: &PathBuf| Pattern { text: it.to_string_lossy().into_owned(), place: None };
        (args.files.iter().map(typed).collect(), PathBuf::new())
    };
    if patterns.is_empty() {
        return Err(match &found {
            None => Stop::usage(
                "no permission files: name some, as in `permitd plan permissions.yaml`, \
                 or write a settings file (permitd.yaml)",
            ),
            Some(path) => Stop::config(
                format!("{} names no permission files", path.display()),
                "write `permissions: [permissions/]` into it, or name files on the command line",
            ),
        });
    }
    let files = load::read_permissions(&patterns, &relative_to);
    Ok(Texts { settings, has_settings: found.is_some(), settings_file: file, base, files })
}

impl Texts {
    /// The settings alone.
    pub(crate) fn found(&self) -> Found {
        Found {
            path: None,
            file: self.settings_file.clone(),
            settings: self.settings.clone(),
            base: self.base.clone(),
        }
    }
}

impl Found {
    /// For a command that needs the settings, and no permission files.
    pub(crate) fn without_files(self) -> Texts {
        let Self { path, file, settings, base } = self;
        let (has_settings, files) = (path.is_some(), Files::default());
        Texts { settings, has_settings, settings_file: file, base, files }
    }
}

/// Finds and reads the settings alone, for who needs no permission files.
pub(crate) fn find(args: &SourceArgs) -> Result<Found, Stop> {
    let path = load::find_settings(args.config.as_deref(), None);
    // Files on the command line stand for themselves, so a settings file elsewhere is not needed.
    let (file, settings) = match &path {
        Some(path) => {
            let (file, settings) = load::read_settings(path).map_err(Stop::Config)?;
            (Some(file), settings)
        }
        None => (None, Settings::default()),
    };
    let base = path.as_deref().map(load::folder_of).unwrap_or_default();
    Ok(Found { path, file, settings, base })
}

/// Understands the files without knowing the credentials: what they would say is not judged, and what is wrong
/// does not hide the rest.
pub(crate) fn examine_offline(texts: &Texts, args: &SourceArgs) -> Result<Examined, Stop> {
    let mut defaults = named_defaults(texts, args)?;
    defaults.account.get_or_insert_with(|| NOBODY.into());
    defaults.region.get_or_insert_with(|| "us-east-1".into());
    let context = context(&texts.settings, defaults);
    let mut res = resolve::examine(permissions::parse(&texts.files), &context);
    // An account that nobody wrote is not shown to anybody.
    for it in &mut res.diagnostics {
        while let Some((before, name)) = it.message.split_once(&format!(":{NOBODY}:function:")) {
            let head = before.rsplit_once("arn:").map_or("", |(head, _)| head);
            it.message = format!("{head}{name}");
        }
    }
    Ok(res)
}

pub(crate) use prints::read_whole;
pub(crate) use ready::{Ready, ready_at, ready_to_write, ready_with};
pub(crate) use roots::roots;
pub(crate) use stopping::{Stopping, stop_on_signals};
pub(crate) use understand::{Lists, Understood, account_of, understand};
pub(crate) use way::{access, budgets, fleet, get_policy_rate, way};

pub(crate) fn resolve(
    texts: &Texts,
    parsed: permissions::Parsed<'_>,
    defaults: Defaults,
) -> Result<Wishes, Stop> {
    let context = context(&texts.settings, defaults);
    let resolve::Loaded { wanted, rules } =
        resolve::resolve(parsed, &context).map_err(Stop::Config)?;
    Ok(Wishes { wanted, rules })
}

/// What holds for files that say nothing else.
pub(crate) fn context(settings: &Settings, defaults: Defaults) -> Context {
    let Settings { ownership, replace, writer, ignore, .. } = settings;
    let (ownership, ignore) = (ownership.clone(), ignore.clone());
    let places = homes(settings).into_iter().collect();
    Context {
        defaults,
        ownership,
        replace: *replace,
        writer: *writer,
        ignore,
        places,
        inventory: None,
    }
}

/// The account and region that flags or settings name.
pub(crate) fn named_defaults(texts: &Texts, args: &SourceArgs) -> Result<Defaults, Stop> {
    let (account, region) = only_home(&texts.settings);
    if let Some(Err(error)) = args.account.as_deref().map(check_account) {
        return Err(Stop::usage(format!("--account: {error}")));
    }
    if let Some(Err(error)) = args.region.as_deref().map(check_region) {
        return Err(Stop::usage(format!("--region: {error}")));
    }
    Ok(Defaults {
        account: args.account.clone().or(account),
        region: args.region.clone().or(region),
    })
}

/// The account, where the settings name one only, and likewise the region.
fn only_home(settings: &Settings) -> (Option<String>, Option<String>) {
    let homes = homes(settings);
    let accounts: BTreeSet<String> = homes.iter().map(|it| it.account.clone()).collect();
    let regions: BTreeSet<String> = homes.into_iter().map(|it| it.region).collect();
    let only = |it: BTreeSet<String>| Some(it).filter(|it| it.len() == 1)?.into_iter().next();
    (only(accounts), only(regions))
}

/// What the files want, for who asks only that.
pub(crate) async fn wanted(args: &TargetArgs) -> Result<Vec<Wanted>, Stop> {
    let texts = Arc::new(read(&args.source)?);
    let access = access(&texts.settings, None, None);
    let fleet = Box::pin(fleet(access, &texts.settings, args)).await?;
    let discovery = Discovery::default();
    let lists = Lists { discovery: &discovery, wait: true, show: None };
    Ok(Box::pin(understand(&texts, args, &fleet, lists)).await?.wanted)
}

/// From now on.
pub(crate) fn in_force(understood: Understood, settings: &Settings) -> Loaded {
    let Understood { wanted, n_targets, rules, uses: _, wants: _ } = understood;
    let Settings { interval, interval_with_events, jitter, .. } = settings;
    let with_events = interval_with_events.unwrap_or(*interval);
    let cadence = Cadence { interval: *interval, with_events, jitter: *jitter };
    Loaded { wanted, rules: Rules { loaded_at: clock::system(), ..rules }, cadence, n_targets }
}

/// What may be done: flags win over the settings. When the files were loaded, the daemon says.
pub(crate) fn rules(settings: &Settings, args: &TargetArgs) -> Rules {
    let Settings { limits, orphan_grace, remove_inexpressible, .. } = *settings;
    let limits = Limits {
        max_revocations: args.max_revocations.map_or(limits.max_revocations, Cap::bound),
        max_changed_targets: args
            .max_changed_targets
            .map_or(limits.max_changed_targets, Cap::bound),
    };
    Rules {
        mode: args.mode.map(Mode::from).or(settings.mode).unwrap_or(Mode::Enforce),
        ignore: settings.ignore.clone(),
        remove_inexpressible,
        deny_risks: settings.deny_risks.clone(),
        limits,
        orphan_grace,
        loaded_at: Rules::default().loaded_at,
    }
}

/// With `accounts` in the settings, a target elsewhere is a mistake.
pub(crate) fn check_home(texts: &Texts, wanted: &[Wanted]) -> Result<(), Stop> {
    let homes = homes(&texts.settings);
    if homes.is_empty() {
        return Ok(());
    }
    let mut stray = wanted.iter().filter(|it| !homes.contains(&it.target.account_region()));
    stray.next().map_or(Ok(()), |it| {
        let more = stray.count();
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        let place = it.target.account_region();
        Err(Stop::config(
            format!(
                "{}: {} is in {place}, which `accounts` does not name{more}",
                it.source, it.target
            ),
            "correct the entry, or add the account and region to `accounts` in the settings",
        ))
    })
}

/// The same for one target that was named on the command line.
pub(crate) fn check_place(settings: &Settings, target: &Target) -> Result<(), Stop> {
    let homes = homes(settings);
    let place = target.account_region();
    if homes.is_empty() || homes.contains(&place) {
        return Ok(());
    }
    Err(Stop::config(
        format!("{target} is in {place}, which `accounts` does not name"),
        "correct the name, --account or --region, or add the account and region to `accounts` in the settings",
    ))
}

/// The account-regions that the settings name; none: wherever the credentials are.
pub(crate) fn homes(settings: &Settings) -> BTreeSet<AccountRegion> {
    settings.accounts.iter().flat_map(Account::places).collect()
}

pub(crate) fn only(wanted: Vec<Wanted>, globs: &[String]) -> Result<Vec<Wanted>, Stop> {
    if globs.is_empty() {
        return Ok(wanted);
    }
    let globs: Vec<WildMatch> = globs.iter().map(|it| WildMatch::new(it)).collect();
    let names = |it: &Wanted| [it.target.arn(), it.target.short_name()];
    let matches =
        |it: &Wanted| names(it).iter().any(|it| globs.iter().any(|glob| glob.matches(it)));
    let kept: Vec<Wanted> = wanted.into_iter().filter(matches).collect();
    if kept.is_empty() {
        return Err(Stop::usage("--target matches no target of the files"));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests;
