//! The way to the functions that are asked for: account, region, credentials, and what the settings say.

use crate::cli::{
    args::ImportArgs,
    embedded,
    setup::{self, Texts},
    show::{Show, Stop},
};
use crate::config::resolve::Context;
use crate::daemon::survey::Scope;
use crate::drift::allow::Rules;
use crate::lambda::fleet::Fleet;
use crate::observe::metered::Metered;
use crate::policy::target::{AccountRegion, Defaults, Target, TargetError, check_region};

/// All that an import needs to call Lambda. Everything that is called with it only reads.
pub(super) struct Way {
    /// Lambda.
    pub gateway: Metered<Fleet>,
    /// The functions.
    pub scope: Scope,
    /// What holds for permission files that say nothing else.
    pub context: Context,
    /// What the settings allow.
    pub rules: Rules,
}

/// Calls nothing but GetCallerIdentity, and that only where nobody says the account.
pub(super) async fn find(args: &ImportArgs, show: Show) -> Result<Way, Stop> {
    let common = args.common();
    let texts = setup::find(&common.source)?.without_files();
    let mut defaults = setup::named_defaults(&texts, &common.source)?;
    // All of the places that the settings name, as far as the flags narrow them down.
    let mut homes: Vec<AccountRegion> = setup::homes(&texts.settings).into_iter().collect();
    homes.retain(|it| {
        let fits = |flag: &Option<String>, own: &String| flag.as_ref().is_none_or(|it| it == own);
        fits(&common.source.account, &it.account) && fits(&common.source.region, &it.region)
    });
    let everywhere = args.all && !homes.is_empty();
    let lacks = |missing: fn(&TargetError) -> bool, known: Defaults| {
        let lacks = |it: &String| Target::parse(it, None, &known).is_err_and(|it| missing(&it));
        !everywhere && (args.all || args.functions.iter().any(lacks))
    };
    let region = Some("us-east-1".to_owned());
    let lacks_account =
        lacks(|it| matches!(it, TargetError::NoAccount(_)), Defaults { account: None, region });
    let account = Some("000000000000".to_owned());
    let lacks_region =
        lacks(|it| matches!(it, TargetError::NoRegion(_)), Defaults { account, region: None });
    let simulator = embedded::start(&texts).await?;
    if let Some(it) = &simulator {
        show.note(&format!("lambda.simulator: nothing goes to AWS, but to {}", it.endpoint()));
    }
    // Without a region the AWS chain looks for one as far as the metadata service: not for nothing.
    let own = || args.functions.first().and_then(|it| region_in(it)).filter(|_| !lacks_region);
    let first = || homes.first().map(|it| it.region.clone()).filter(|_| everywhere);
    let region = defaults.region.clone().or_else(own).or_else(first);
    let simulator = simulator.as_ref().map(embedded::Embedded::endpoint);
    let access = setup::access(&texts.settings, region, simulator);
    let fleet = setup::fleet(access, &texts.settings, &common).await?;
    if lacks_region && defaults.region.is_none() {
        let hint = "set AWS_REGION, or pass --region";
        let Some(region) = fleet.region() else {
            return Err(Stop::config("nobody says in which region the functions are", hint));
        };
        check_region(&region).map_err(|it| Stop::config(it.to_string(), hint))?;
        defaults.region = Some(region);
    }
    if lacks_account && defaults.account.is_none() {
        defaults.account = Some(setup::account_of(&fleet, "pass --account").await?);
    }
    let scope = if everywhere { Scope::All(homes) } else { scope(args, &defaults)? };
    check_home(&texts, &scope)?;
    let context = setup::context(&texts.settings, Defaults::default());
    let rules = setup::rules(&texts.settings, &common);
    Ok(Way { gateway: Metered::new(fleet), scope, context, rules })
}

fn region_in(name: &str) -> Option<String> {
    let defaults = Defaults { account: Some("000000000000".to_owned()), region: None };
    Target::parse(name, None, &defaults).ok().map(|it| it.region().to_owned())
}

fn scope(args: &ImportArgs, defaults: &Defaults) -> Result<Scope, Stop> {
    if let (true, Some(account), Some(region)) = (args.all, &defaults.account, &defaults.region) {
        let (account, region) = (account.clone(), region.clone());
        return Ok(Scope::All(vec![AccountRegion { account, region }]));
    }
    let mut targets = Vec::new();
    for it in &args.functions {
        let target = Target::parse(it, None, defaults);
        targets.push(target.map_err(|error| Stop::usage(format!("--function: {error}")))?);
    }
    targets.sort();
    targets.dedup();
    Ok(Scope::Named(targets))
}

/// With `accounts` in the settings, a function elsewhere is a mistake, and no plan with them would take it.
fn check_home(texts: &Texts, scope: &Scope) -> Result<(), Stop> {
    let homes = setup::homes(&texts.settings);
    if homes.is_empty() {
        return Ok(());
    }
    let is_stray = |it: &AccountRegion| !homes.contains(it);
    let stray = match scope {
        Scope::All(places) => places.iter().find(|it| is_stray(it)).cloned(),
        Scope::Named(targets) => targets.iter().map(Target::account_region).find(is_stray),
    };
    stray.map_or(Ok(()), |it| {
        Err(Stop::config(
            format!("{it} is not one of the places that `accounts` of the settings names"),
            "correct --function, --account or --region, or the settings",
        ))
    })
}
