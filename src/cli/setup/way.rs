//! The way to Lambda: who enters which account how, from where, and how fast.

use super::{Texts, named_defaults, roots};
use crate::cli::{args::TargetArgs, embedded, show::Stop};
use crate::config::{
    permissions, resolve,
    settings::{self as config, Account, Budget, Settings},
};
use crate::lambda::{
    fleet::{Access, Entrance, Fleet, Role},
    paced::{Budgets, Rate},
};
use crate::observe::metered::Metered;

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

pub(super) async fn way_to(
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
    Ok(Metered::new(Box::pin(fleet(access, &texts.settings, args)).await?))
}

/// Where the AWS chain looks first.
#[expect(clippy::disallowed_methods, reason = "the SDK reads the environment by itself")]
fn has_region_in_environment() -> bool {
    let is_set = |name| std::env::var(name).is_ok_and(|it: String| !it.trim().is_empty());
    is_set("AWS_REGION") || is_set("AWS_DEFAULT_REGION")
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
    Access { region, simulator, entrances, roots: None }
}

/// The variables of an endpoint that the SDK reads.
const ENDPOINTS: [&str; 3] =
    ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_STS"];

/// The way to Lambda. An endpoint that is set to nothing would make the SDK panic.
#[expect(clippy::disallowed_methods, reason = "the SDK reads the environment by itself")]
pub(crate) async fn fleet(
    access: Access,
    settings: &Settings,
    args: &TargetArgs,
) -> Result<Fleet, Stop> {
    let is_empty = |name: &&str| std::env::var(name).is_ok_and(|it| it.trim().is_empty());
    if let Some(name) = ENDPOINTS.iter().find(|it| is_empty(it)) {
        let hint = "unset it, or set it to an address such as http://127.0.0.1:4566";
        return Err(Stop::config(format!("{name} is set, and is empty"), hint));
    }
    let access = Access { roots: roots(&args.tls).await?, ..access };
    Ok(Fleet::new(&access, budgets(settings, args)).await)
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
