//! Files to targets and rules, with whatever has to be asked of AWS for that.

use std::{collections::BTreeSet, pin::pin, sync::Arc, time::Duration};

use super::{NOBODY, Texts, Wishes, check_home, context, homes, named_defaults, only, rules};
use crate::cli::{
    args::TargetArgs,
    exit::Exit,
    show::{Show, Stop},
};
use crate::config::{
    permissions,
    resolve::{self, Context, Needs, RuleUse},
    settings::Settings,
};
use crate::daemon::{
    carry,
    discovery::{Discovery, Wants},
};
use crate::drift::{allow::Rules, wanted::Wanted};
use crate::lambda::fleet::Fleet;
use crate::policy::{
    inventory::Inventory,
    target::{AccountRegion, Defaults, Target, check_region},
};

/// What the files want, and what may be done.
#[derive(Debug)]
pub(crate) struct Understood {
    /// The targets asked for.
    pub(crate) wanted: Vec<Wanted>,
    /// How many the files have in all.
    pub(crate) n_targets: usize,
    /// What may be done.
    pub(crate) rules: Rules,
    /// The rules for many functions, and what came of them.
    pub(crate) uses: Vec<RuleUse>,
    /// What is to be listed, for these and for what no file names.
    pub(crate) wants: Wants,
}

/// Where which functions there are is known, and whether to wait until all of it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lists<'a> {
    /// What was listed so far.
    pub(crate) discovery: &'a Discovery,
    /// List what is missing before going on.
    pub(crate) wait: bool,
    /// Who is told where that takes long.
    pub(crate) show: Option<Show>,
}

/// What takes longer than this is told.
const LONG: Duration = Duration::from_secs(2);

/// What is asked before it can go on.
enum Step {
    Done(Box<Understood>),
    Account,
    Lists(Needs),
}

/// What was asked so far.
#[derive(Debug, Clone, Default)]
struct Asked {
    region: Option<String>,
    account: Option<String>,
    inventory: Option<Arc<Inventory>>,
}

/// Files to targets and rules. Calls nothing but GetCallerIdentity, and that only where an account is not written
/// anywhere, and lists functions, where a rule needs that. What takes its time is done on a thread of its own, so that
/// whoever waits for it can do something else.
pub(crate) async fn understand(
    texts: &Arc<Texts>,
    args: &TargetArgs,
    fleet: &Fleet,
    lists: Lists<'_>,
) -> Result<Understood, Stop> {
    let mut asked = Asked { region: fleet.region(), ..Asked::default() };
    loop {
        let (texts, args, known) = (Arc::clone(texts), args.clone(), asked.clone());
        let work = move || understand_as(&texts, &args, known);
        let done = tokio::task::spawn_blocking(work).await;
        let failed = |it| Stop::usage(format!("the files could not be understood: {it}"));
        match done.map_err(failed)?? {
            Step::Done(it) => return Ok(*it),
            Step::Account => {
                let otherwise = "write `account:` into the files, or pass --account";
                asked.account = Some(account_of(fleet, otherwise).await?);
            }
            Step::Lists(needs) => {
                if lists.wait {
                    let wants = Wants { needs, ..Wants::default() };
                    let listing = Box::pin(lists.discovery.list(fleet, &wants, || ()));
                    tell_if_long(listing, lists.show).await;
                }
                asked.inventory = Some(lists.discovery.inventory());
            }
        }
    }
}

async fn tell_if_long(listing: impl Future<Output = ()>, show: Option<Show>) {
    let mut listing = pin!(listing);
    tokio::select! {
        () = &mut listing => return,
        () = tokio::time::sleep(LONG) => {}
    }
    if let Some(show) = show {
        show.note("Listing the functions that rules may cover, within the control budget of each account and region.");
    }
    listing.await;
}

fn understand_as(texts: &Texts, args: &TargetArgs, asked: Asked) -> Result<Step, Stop> {
    let Asked { region, account, inventory } = asked;
    let parsed = permissions::parse(&texts.files);
    let mut defaults = named_defaults(texts, &args.source)?;
    let lacking = resolve::lacking(&parsed);
    // Where the settings name several places, which one is meant has to be written.
    let anywhere = texts.settings.accounts.is_empty();
    if lacking.region && defaults.region.is_none() && anywhere {
        defaults.region = region;
    }
    if let Some(region) = &defaults.region {
        let hint = "set AWS_REGION, or pass --region";
        check_region(region).map_err(|it| Stop::config(it.to_string(), hint))?;
    }
    if lacking.account && defaults.account.is_none() && anywhere {
        let Some(account) = account else {
            // What is wrong with the files is told before anything is asked of AWS.
            let nobody = Defaults { account: Some(NOBODY.into()), ..defaults };
            let has_rules =
                !resolve::needs(&parsed, &context(&texts.settings, nobody.clone())).is_empty();
            let Wishes { wanted, .. } = super::resolve(texts, parsed, nobody)?;
            // A glob over names can be judged without the account, too.
            if !has_rules && args.targets.iter().all(|it| !it.contains("arn:")) {
                only(wanted, &args.targets)?;
            }
            return Ok(Step::Account);
        };
        defaults.account = Some(account);
    }
    let context = Context { inventory, ..context(&texts.settings, defaults) };
    let mut needs = resolve::needs(&parsed, &context);
    needs.places.retain(|it, _| args.shard.is_none_or(|shard| shard.owns(it)));
    let resolved = resolve::resolve(parsed, &context).map_err(Stop::Config)?;
    let resolve::Loaded { wanted, rules: uses } = resolved;
    check_home(texts, &wanted)?;
    if context.inventory.is_none() && !needs.is_empty() {
        return Ok(Step::Lists(needs));
    }
    let declared: BTreeSet<Target> = wanted.iter().map(|it| it.target.clone()).collect();
    let is_ours = |it: &AccountRegion| args.shard.is_none_or(|shard| shard.owns(it));
    let ours = |it: &Wanted| is_ours(&it.target.account_region());
    let mut discover = discovered(&texts.settings, &declared);
    discover.retain(is_ours);
    // What another one looks after counts for nothing here, neither in its limits.
    let n_targets = wanted.iter().filter(|it| ours(it)).count();
    let mut wanted = only(wanted, &args.targets)?;
    wanted.retain(ours);
    let wants = Wants { needs, discover, declared: Arc::new(declared) };
    let rules = rules(&texts.settings, args);
    Ok(Step::Done(Box::new(Understood { wanted, n_targets, rules, uses, wants })))
}

/// Where every policy is to be known: in the places of the settings, or else wherever the files have targets.
fn discovered(settings: &Settings, declared: &BTreeSet<Target>) -> BTreeSet<AccountRegion> {
    if !settings.discover {
        return BTreeSet::new();
    }
    let homes = homes(settings);
    let of_files = || declared.iter().map(Target::account_region).collect();
    if homes.is_empty() { of_files() } else { homes }
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
