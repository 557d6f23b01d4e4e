//! What a command needs before it starts: the files read and resolved, and the way to Lambda.

mod prints;
mod stopping;

use std::{path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;
use wildmatch::WildMatch;

use crate::cli::{
    args::{SourceArgs, TargetArgs},
    embedded,
    exit::Exit,
    show::{Show, Stop},
};
use crate::config::{
    diagnostic::{File, Files},
    load, permissions,
    resolve::{self, Context, Examined},
    settings::{Budget, Cap, Pattern, Settings},
};
use crate::daemon::{
    cadence::Cadence,
    carry::{self, Carrier},
    clock,
    mind::Mind,
    pass::Worker,
    run::Loaded,
    scribe::{Occasion, Scribe},
};
use crate::drift::{
    allow::{Mode, Rules},
    limits::Limits,
    wanted::Wanted,
};
use crate::lambda::{
    fleet::{Access, Fleet},
    paced::{Budgets, Rate},
};
use crate::observe::metered::Metered;
use crate::policy::target::{Defaults, check_account, check_region};

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
}

/// All that a command needs to call Lambda.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The targets asked for.
    pub(crate) wanted: Vec<Wanted>,
    /// How many the files have in all.
    pub(crate) n_targets: usize,
    /// What may be done.
    pub(crate) rules: Rules,
    /// The settings, for the daemon.
    pub(crate) settings: Settings,
    /// Lambda.
    pub(crate) gateway: Metered<Fleet>,
    /// What the paths of the settings are relative to.
    pub(crate) base: PathBuf,
}

/// Stands in for an account that nobody has to know.
const NOBODY: &str = "000000000000";

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
pub(crate) use stopping::{Stopping, stop_on_signals};

pub(crate) fn resolve(
    texts: &Texts,
    parsed: permissions::Parsed<'_>,
    defaults: Defaults,
) -> Result<Wishes, Stop> {
    let context = context(&texts.settings, defaults);
    let resolve::Loaded { wanted } = resolve::resolve(parsed, &context).map_err(Stop::Config)?;
    Ok(Wishes { wanted })
}

/// What holds for files that say nothing else.
pub(crate) fn context(settings: &Settings, defaults: Defaults) -> Context {
    let Settings { ownership, replace, ignore, .. } = settings;
    Context { defaults, ownership: ownership.clone(), replace: *replace, ignore: ignore.clone() }
}

/// The account and region that flags or settings name.
pub(crate) fn named_defaults(texts: &Texts, args: &SourceArgs) -> Result<Defaults, Stop> {
    let own = texts.settings.account.as_ref();
    if let Some(Err(error)) = args.account.as_deref().map(check_account) {
        return Err(Stop::usage(format!("--account: {error}")));
    }
    if let Some(Err(error)) = args.region.as_deref().map(check_region) {
        return Err(Stop::usage(format!("--region: {error}")));
    }
    Ok(Defaults {
        account: args.account.clone().or_else(|| own.map(|it| it.account.clone())),
        region: args.region.clone().or_else(|| own.map(|it| it.region.clone())),
    })
}

/// Reads and understands everything for a command that writes: it needs a mode, and is told before anything is
/// called.
pub(crate) async fn ready_to_write(
    command: &str,
    args: &TargetArgs,
    show: Show,
) -> Result<Ready, Stop> {
    let texts = read(&args.source)?;
    needs_mode(&texts, args, command)?;
    ready_with(texts, args, show).await
}

/// From files that were read already, the way to Lambda.
pub(crate) async fn ready_with(texts: Texts, args: &TargetArgs, show: Show) -> Result<Ready, Stop> {
    let (gateway, texts) = way(texts, args, show).await?;
    ready_by(gateway, texts, args).await
}

/// The way to Lambda alone. An embedded simulator serves until the process ends.
pub(crate) async fn way(
    texts: Texts,
    args: &TargetArgs,
    show: Show,
) -> Result<(Metered<Fleet>, Texts), Stop> {
    let simulator = embedded::start(&texts).await?;
    if let Some(it) = &simulator {
        show.note(&format!("lambda.simulator: nothing goes to AWS, but to {}", it.endpoint()));
    }
    let endpoint = simulator.as_ref().map(embedded::Embedded::endpoint);
    Ok((way_to(&texts, args, endpoint).await?, texts))
}

async fn way_to(
    texts: &Texts,
    args: &TargetArgs,
    simulator: Option<String>,
) -> Result<Metered<Fleet>, Stop> {
    let defaults = named_defaults(texts, &args.source)?;
    let parsed = permissions::parse(&texts.files);
    // Without a region the AWS chain looks for one as far as the metadata service: not for nothing.
    let own = || resolve::first_region(&parsed).filter(|_| !resolve::lacking(&parsed).region);
    let access = Access { region: defaults.region.or_else(own), simulator };
    Ok(Metered::new(fleet(&access, budgets(&texts.settings, args)).await?))
}

/// The same with Lambda at a certain address.
pub(crate) async fn ready_at(
    texts: Texts,
    args: &TargetArgs,
    simulator: Option<String>,
) -> Result<Ready, Stop> {
    let gateway = way_to(&texts, args, simulator).await?;
    ready_by(gateway, texts, args).await
}

async fn ready_by(gateway: Metered<Fleet>, texts: Texts, args: &TargetArgs) -> Result<Ready, Stop> {
    let texts = Arc::new(texts);
    let Understood { wanted, n_targets, rules } = understand(&texts, args, gateway.inner()).await?;
    let (settings, base) = (texts.settings.clone(), texts.base.clone());
    Ok(Ready { wanted, n_targets, rules, settings, gateway, base })
}

/// The variables of an endpoint that the SDK reads.
const ENDPOINTS: [&str; 3] =
    ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_STS"];

/// The way to Lambda. An endpoint that is set to nothing would make the SDK panic.
#[expect(clippy::disallowed_methods, reason = "the SDK reads the environment by itself")]
pub(crate) async fn fleet(access: &Access, budgets: Budgets) -> Result<Fleet, Stop> {
    let is_empty = |name: &&str| std::env::var(name).is_ok_and(|it| it.trim().is_empty());
    if let Some(name) = ENDPOINTS.iter().find(|it| is_empty(it)) {
        let hint = "unset it, or set it to an address such as http://127.0.0.1:4566";
        return Err(Stop::config(format!("{name} is set, and is empty"), hint));
    }
    Ok(Fleet::new(access, budgets).await)
}

/// What the files want, for who asks only that.
pub(crate) async fn wanted(args: &TargetArgs) -> Result<Vec<Wanted>, Stop> {
    let texts = Arc::new(read(&args.source)?);
    let fleet = fleet(&Access::default(), budgets(&texts.settings, args)).await?;
    Ok(understand(&texts, args, &fleet).await?.wanted)
}

/// From now on.
pub(crate) fn in_force(understood: Understood, settings: &Settings) -> Loaded {
    let Understood { wanted, n_targets, rules } = understood;
    let cadence = Cadence { interval: settings.interval, jitter: settings.jitter };
    Loaded { wanted, rules: Rules { loaded_at: clock::system(), ..rules }, cadence, n_targets }
}

impl Ready {
    /// A worker that acts for this command.
    pub(crate) fn worker<'a, G>(
        &'a self,
        gateway: &'a G,
        scribe: &'a Scribe,
        mind: &'a Mind,
        stop: &'a CancellationToken,
        command: &str,
    ) -> Worker<'a, G> {
        Worker {
            carrier: Carrier { gateway, clock: clock::system, scribe, stop },
            mind,
            rules: &self.rules,
            n_targets: self.n_targets,
            occasion: Occasion::of(command),
            keep: false,
        }
    }

    /// The settings as they were found.
    pub(crate) fn found(&self) -> Found {
        Found { path: None, file: None, settings: self.settings.clone(), base: self.base.clone() }
    }
}

/// What the files want, and what may be done.
#[derive(Debug)]
pub(crate) struct Understood {
    wanted: Vec<Wanted>,
    n_targets: usize,
    rules: Rules,
}

/// Files to targets and rules. Calls nothing but GetCallerIdentity, and that only where an account is not written
/// anywhere. What takes its time is done on a thread of its own, so that whoever waits for it can do something else.
pub(crate) async fn understand(
    texts: &Arc<Texts>,
    args: &TargetArgs,
    fleet: &Fleet,
) -> Result<Understood, Stop> {
    let region = fleet.region();
    let mut account = None;
    loop {
        let (texts, args) = (Arc::clone(texts), args.clone());
        let (region, known) = (region.clone(), account.take());
        let work = move || understand_as(&texts, &args, region, known);
        let done = tokio::task::spawn_blocking(work).await;
        let failed = |it| Stop::usage(format!("the files could not be understood: {it}"));
        if let Some(it) = done.map_err(failed)?? {
            return Ok(moved_here(it));
        }
        let otherwise = "write `account:` into the files, or pass --account";
        account = Some(account_of(fleet, otherwise).await?);
    }
}

/// Copied by this thread, and given back by one of those that read. What was read is a tenth of what reading took,
/// and as long as some of it lives there, malloc keeps all of it for that thread: some 3 KiB for each target.
fn moved_here(read: Understood) -> Understood {
    let Understood { wanted: before, n_targets, rules } = read;
    let wanted = before.iter().map(Wanted::apart).collect();
    // Nobody waits for it.
    drop(tokio::task::spawn_blocking(move || drop(before)));
    Understood { wanted, n_targets, rules }
}

/// For whose credentials are of this account, or of one that is not known yet. None: it has to be.
fn understand_as(
    texts: &Texts,
    args: &TargetArgs,
    region: Option<String>,
    account: Option<String>,
) -> Result<Option<Understood>, Stop> {
    let parsed = permissions::parse(&texts.files);
    let mut defaults = named_defaults(texts, &args.source)?;
    let lacking = resolve::lacking(&parsed);
    if lacking.region && defaults.region.is_none() {
        defaults.region = region;
    }
    if let Some(region) = &defaults.region {
        let hint = "set AWS_REGION, or pass --region";
        check_region(region).map_err(|it| Stop::config(it.to_string(), hint))?;
    }
    if lacking.account && defaults.account.is_none() {
        let Some(account) = account else {
            // What is wrong with the files is told before anything is asked of AWS.
            let nobody = Defaults { account: Some(NOBODY.into()), ..defaults };
            let Wishes { wanted } = resolve(texts, parsed, nobody)?;
            // A glob over names can be judged without the account, too.
            if args.targets.iter().all(|it| !it.contains("arn:")) {
                only(wanted, &args.targets)?;
            }
            return Ok(None);
        };
        defaults.account = Some(account);
    }
    let Wishes { wanted } = resolve(texts, parsed, defaults)?;
    check_home(texts, &wanted)?;
    let n_targets = wanted.len();
    let wanted = only(wanted, &args.targets)?;
    Ok(Some(Understood { wanted, n_targets, rules: rules(&texts.settings, args) }))
}

/// The account of the credentials; `otherwise` is what to do where they do not tell.
pub(crate) async fn account_of(fleet: &Fleet, otherwise: &str) -> Result<String, Stop> {
    fleet.account().await.map_err(|error| {
        let message = format!("cannot tell the account of the credentials: {error}");
        // Who has no way to AWS is helped by that, and not by being asked for a number.
        let mut hint = carry::hint(&error, "sts:GetCallerIdentity").unwrap_or_default();
        hint.push_str(if hint.is_empty() { "" } else { "; or " });
        hint.push_str(otherwise);
        Stop::Said(Exit::Failure, message, Some(hint))
    })
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
    let Some(home) = &texts.settings.account else { return Ok(()) };
    let stray = wanted.iter().find(|it| it.target.account_region() != *home);
    stray.map_or(Ok(()), |it| {
        Err(Stop::config(
            format!("{}: {} is not in {home}, which `accounts` names", it.source, it.target),
            "correct the entry or the settings; more accounts are not supported yet",
        ))
    })
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

pub(crate) fn budgets(settings: &Settings, args: &TargetArgs) -> Budgets {
    let usual = Budgets::default();
    let rate = |flag: Option<Budget>, file: Option<Budget>, usual: Rate| match flag.or(file) {
        None => usual,
        Some(Budget::Unlimited) => Rate::UNLIMITED,
        Some(Budget::PerSecond(it)) => Rate::per_second(it).unwrap_or(usual),
    };
    Budgets {
        get_policy: rate(
            args.budgets.get_policy_budget,
            settings.budgets.get_policy,
            usual.get_policy,
        ),
        control: rate(args.budgets.control_budget, settings.budgets.control, usual.control),
    }
}

#[cfg(test)]
mod tests;
