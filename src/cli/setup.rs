//! What a command needs before it starts: the files read and resolved, and the way to Lambda.

mod prints;
mod stopping;
mod understand;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
};

use tokio_util::sync::CancellationToken;
use wildmatch::WildMatch;

use crate::cli::{
    args::{Deny, SourceArgs, TargetArgs},
    embedded,
    exit::Exit,
    show::{Show, Stop},
};
use crate::config::{
    diagnostic::{Diagnostic, File, Files, Severity},
    load, permissions,
    resolve::{self, Context, Examined, RuleUse},
    rules::Rule,
    settings::{self as config, Account, Budget, Cap, Pattern, Settings},
    warnings::idle_rules,
};
use crate::daemon::{
    cadence::Cadence,
    carry::Carrier,
    clock,
    discovery::{Discovery, Unlisted, Wants},
    mind::Mind,
    pass::Worker,
    run::Loaded,
    scribe::{Occasion, Scribe},
};
use crate::drift::{
    allow::{Mode, Rules},
    limits::Limits,
    undeclared::Undeclared,
    wanted::Wanted,
};
use crate::lambda::{
    fleet::{Access, Entrance, Fleet, Role},
    gateway::Urgency,
    paced::{Budgets, Rate},
};
use crate::observe::metered::Metered;
use crate::policy::target::{AccountRegion, Defaults, check_account, check_region};

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
    /// Rules that cover nothing.
    pub(crate) idle: Vec<Diagnostic>,
    /// What is to be listed.
    pub(crate) wants: Wants,
    /// What was listed.
    pub(crate) discovery: Discovery,
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
pub(crate) use stopping::{Stopping, stop_on_signals};
pub(crate) use understand::{Lists, Understood, account_of, understand};

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
    let Settings { ownership, replace, ignore, .. } = settings;
    let (ownership, ignore) = (ownership.clone(), ignore.clone());
    let places = homes(settings).into_iter().collect();
    Context { defaults, ownership, replace: *replace, ignore, places, inventory: None }
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
    let tell = |endpoint: &str| {
        show.note(&format!("lambda.simulator: nothing goes to AWS, but to {endpoint}"));
    };
    let (gateway, texts) = way(texts, args, tell).await?;
    Box::pin(ready_by(gateway, texts, args, Some(show))).await
}

/// The way to Lambda alone. An embedded simulator serves until the process ends, and it is told where.
pub(crate) async fn way(
    texts: Texts,
    args: &TargetArgs,
    tell: impl FnOnce(&str),
) -> Result<(Metered<Fleet>, Texts), Stop> {
    let simulator = embedded::start(&texts).await?;
    if let Some(it) = &simulator {
        tell(&it.endpoint());
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
    // Without a region the AWS chain looks for one as far as the metadata service: not for nothing. Where it does not
    // get that far, the files need not be read for it a second time.
    let own = || {
        let parsed = permissions::parse(&texts.files);
        resolve::first_region(&parsed).filter(|_| !resolve::lacking(&parsed).region)
    };
    let own = || match texts.settings.accounts.first() {
        Some(it) => it.regions.first().cloned(),
        None if has_region_in_environment() => None,
        None => own(),
    };
    let access = access(&texts.settings, defaults.region.or_else(own), simulator);
    Ok(Metered::new(Box::pin(fleet(&access, budgets(&texts.settings, args))).await?))
}

/// Where the AWS chain looks first.
#[expect(clippy::disallowed_methods, reason = "the SDK reads the environment by itself")]
fn has_region_in_environment() -> bool {
    let is_set = |name| std::env::var(name).is_ok_and(|it: String| !it.trim().is_empty());
    is_set("AWS_REGION") || is_set("AWS_DEFAULT_REGION")
}

/// The same with Lambda at a certain address.
pub(crate) async fn ready_at(
    texts: Texts,
    args: &TargetArgs,
    simulator: Option<String>,
) -> Result<Ready, Stop> {
    let gateway = way_to(&texts, args, simulator).await?;
    Box::pin(ready_by(gateway, texts, args, None)).await
}

async fn ready_by(
    gateway: Metered<Fleet>,
    texts: Texts,
    args: &TargetArgs,
    show: Option<Show>,
) -> Result<Ready, Stop> {
    let texts = Arc::new(texts);
    let discovery = Discovery::default();
    let lists = Lists { discovery: &discovery, wait: true, show };
    let understood = Box::pin(understand(&texts, args, gateway.inner(), lists)).await?;
    let Understood { wanted, n_targets, rules, uses, wants } = understood;
    let idle = idle_rules(&texts.files, &uses);
    let (settings, base) = (texts.settings.clone(), texts.base.clone());
    Ok(Ready { wanted, n_targets, rules, settings, gateway, base, idle, wants, discovery })
}

/// How Lambda is reached, as the settings say.
pub(crate) fn access(
    settings: &Settings,
    region: Option<String>,
    simulator: Option<String>,
) -> Access {
    let role = |it: &config::Role| Role {
        arn: it.arn.clone(),
        external_id: it.external_id.clone(),
        session_name: it.session_name.clone(),
    };
    let entrance = |it: &Account| Entrance {
        account: it.id.clone(),
        profile: it.profile.clone(),
        role: it.role.as_ref().map(role),
    };
    // The embedded simulator takes any key, and knows no profile.
    let none: &[Account] = &[];
    let accounts = if simulator.is_some() { none } else { &settings.accounts };
    let entrances = accounts.iter().map(entrance).collect();
    Access { region, simulator, entrances }
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
    let access = access(&texts.settings, None, None);
    let fleet = Box::pin(fleet(&access, budgets(&texts.settings, args))).await?;
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

fn tell_unlisted(unlisted: &[Unlisted], show: Show) {
    for Unlisted { place, message, hint } in unlisted {
        let hint = hint.as_ref().map(|it| format!("\nhint: {it}")).unwrap_or_default();
        show.problem(&format!(
            "error: it is not known which functions there are in {place}: {message}{hint}"
        ));
    }
}

impl Ready {
    /// Says which rules cover nothing, and what could not be listed. Where one of the first is denied, that is the end.
    pub(crate) fn tell_of_rules(&self, deny: &[Deny], show: Show) -> Option<Exit> {
        let denied = deny.iter().any(|it| it.covers(Rule::RuleMatchesNothing));
        if denied && !self.idle.is_empty() {
            let error = |it: &Diagnostic| Diagnostic { severity: Severity::Error, ..it.clone() };
            show.findings(&self.idle.iter().map(error).collect::<Vec<_>>());
            return Some(Exit::Failure);
        }
        if !self.idle.is_empty() && !show.is_quiet() {
            show.findings(&self.idle);
        }
        tell_unlisted(&self.discovery.unlisted(), show);
        None
    }

    /// What could not be listed is an error, whatever became of the rest.
    pub(crate) fn exit(&self, exit: Exit) -> Exit {
        let all_known = self.discovery.unlisted().is_empty();
        if all_known || matches!(exit, Exit::Interrupted(_)) { exit } else { Exit::Failure }
    }

    /// The policies that no file names, where the settings ask for them.
    pub(crate) async fn undeclared(&self, show: Show) -> Vec<Undeclared> {
        if self.wants.discover.is_empty() {
            return Vec::new();
        }
        show.note("Looking for policies that no file names (`discover: true`).");
        let gateway = &self.gateway;
        let told = self.discovery.unlisted();
        Box::pin(self.discovery.list(gateway, &self.wants, || ())).await;
        Box::pin(self.discovery.sweep(gateway, &self.wants, clock::system)).await;
        let mut unlisted = self.discovery.unlisted();
        unlisted.retain(|it| !told.contains(it));
        tell_unlisted(&unlisted, show);
        self.discovery.undeclared()
    }

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
            carrier: Carrier {
                gateway,
                clock: clock::system,
                scribe,
                stop,
                urgency: Urgency::Sweep,
                calls: AtomicU64::new(0),
            },
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

pub(crate) fn budgets(settings: &Settings, args: &TargetArgs) -> Budgets {
    let control = args.budgets.control_budget.or(settings.budgets.control);
    Budgets {
        get_policy: get_policy_rate(args.budgets.get_policy_budget.or(settings.budgets.get_policy)),
        control: rate(control, Budgets::default().control),
    }
}

/// How fast policies are read where this is what somebody wrote.
pub(crate) fn get_policy_rate(written: Option<Budget>) -> Rate {
    rate(written, Budgets::default().get_policy)
}

fn rate(written: Option<Budget>, usual: Rate) -> Rate {
    match written {
        None => usual,
        Some(Budget::Unlimited) => Rate::UNLIMITED,
        Some(Budget::PerSecond(it)) => Rate::per_second(it).unwrap_or(usual),
    }
}

#[cfg(test)]
mod tests;
