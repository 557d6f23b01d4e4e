//! `permitd iam`: the least IAM policy for these files and this mode, offline.

use wildmatch::WildMatch;

use crate::cli::{
    args::IamArgs,
    exit::Exit,
    setup::{self, Wishes},
    show::{Show, Stop},
};
use crate::config::{
    permissions,
    resolve::{self, RuleUse},
    settings::events::Events,
};
use crate::daemon::clock;
use crate::drift::allow::Mode;
use crate::report::iam::{MANAGED_LIMIT, ROLE_LIMIT, policy};

/// Prints it on stdout, and on stderr for what it is meant.
pub(crate) fn iam(args: &IamArgs, show: Show) -> Result<Exit, Stop> {
    let texts = setup::read(&args.source)?;
    let parsed = permissions::parse(&texts.files);
    let lacking = resolve::lacking(&parsed);
    let mut defaults = setup::named_defaults(&texts, &args.source)?;
    if lacking.region && defaults.region.is_none() {
        defaults.region = region_of_environment();
    }
    let asks_who = lacking.account && texts.settings.accounts.is_empty();
    let Wishes { wanted, rules } = setup::resolve(&texts, parsed, defaults)?;
    setup::check_home(&texts, &wanted)?;
    let rules = rules_for(rules, &args.targets);
    let wanted = match setup::only(wanted, &args.targets) {
        Err(_) if !rules.is_empty() => Vec::new(),
        wanted => wanted?,
    };
    let (mode, by) = match (args.mode, texts.settings.mode) {
        (Some(it), _) => (Mode::from(it), "named by --mode"),
        (None, Some(it)) => (it, "named by the settings"),
        (None, None) => (Mode::Enforce, "as `permitd plan` takes it where nobody names one"),
    };
    let mut policy = policy(&wanted, &rules, mode, args.undo, clock::system());
    let queue = texts.settings.events.as_ref().map(Events::arn);
    if let Some(Some(arn)) = &queue {
        policy = policy.with_queue(arn.clone());
    }
    if texts.settings.discover {
        let of_files = || wanted.iter().map(|it| it.target.account_region()).collect();
        let homes = setup::homes(&texts.settings);
        policy = policy.with_discovery(&if homes.is_empty() { of_files() } else { homes });
    }
    show.data(&format!("{}\n", policy.text()))
        .map_err(|it| Stop::failure(format!("cannot write the policy: {it}")))?;
    let targets = if wanted.len() == 1 { "target" } else { "targets" };
    let and = match rules.len() {
        0 => String::new(),
        1 => ", and what 1 rule may cover".to_owned(),
        n => format!(", and what {n} rules may cover"),
    };
    show.note(&format!("For mode {}, {by}; {} {targets}{and}.", mode.name(), wanted.len()));
    if asks_who {
        show.note(
            "permitd also calls sts:GetCallerIdentity, for the files name no account; \
             it needs no permission.",
        );
    }
    if queue == Some(None) {
        show.note(
            "permitd also reads the queue of `events`, whose URL is not of AWS's form: allow \
             sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes on it.",
        );
    }
    let length = policy.length();
    if length > MANAGED_LIMIT {
        let role = if length > ROLE_LIMIT { "which is too long, too" } else { "where it fits" };
        show.problem(&format!(
            "warning: the policy has {length} characters without white space, and IAM allows \
             {MANAGED_LIMIT} in a managed policy and {ROLE_LIMIT} in a role's inline policies, {role}\n\
             hint: print several with `--target GLOB`, and attach them all"
        ));
    }
    Ok(Exit::Success)
}

/// The rules that are meant by `--target`, by the globs that they are made of.
fn rules_for(mut rules: Vec<RuleUse>, globs: &[String]) -> Vec<RuleUse> {
    let globs: Vec<WildMatch> = globs.iter().map(|it| WildMatch::new(it)).collect();
    let is_meant = |arn: &String| {
        let name = arn.split_once(":function:").map_or(arn.as_str(), |(_, it)| it);
        globs.is_empty() || globs.iter().any(|it| it.matches(arn) || it.matches(name))
    };
    for it in &mut rules {
        it.arns.retain(is_meant);
    }
    rules.retain(|it| !it.arns.is_empty());
    rules
}

/// Where the AWS chain looks first; the rest of it would not be offline.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn region_of_environment() -> Option<String> {
    let of = |name| std::env::var(name).ok().filter(|it| !it.is_empty());
    of("AWS_REGION").or_else(|| of("AWS_DEFAULT_REGION"))
}
