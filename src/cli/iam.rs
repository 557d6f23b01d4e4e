//! `permitd iam`: the least IAM policy for these files and this mode, offline.

use crate::cli::{
    args::IamArgs,
    exit::Exit,
    setup,
    show::{Show, Stop},
};
use crate::config::{permissions, resolve, settings::events::Events};
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
    let wanted = setup::resolve(&texts, parsed, defaults)?.wanted;
    setup::check_home(&texts, &wanted)?;
    let wanted = setup::only(wanted, &args.targets)?;
    let (mode, by) = match (args.mode, texts.settings.mode) {
        (Some(it), _) => (Mode::from(it), "named by --mode"),
        (None, Some(it)) => (it, "named by the settings"),
        (None, None) => (Mode::Enforce, "as `permitd plan` takes it where nobody names one"),
    };
    let mut policy = policy(&wanted, mode, args.undo, clock::system());
    let queue = texts.settings.events.as_ref().map(Events::arn);
    if let Some(Some(arn)) = &queue {
        policy = policy.with_queue(arn.clone());
    }
    show.data(&format!("{}\n", policy.text()))
        .map_err(|it| Stop::failure(format!("cannot write the policy: {it}")))?;
    let targets = if wanted.len() == 1 { "target" } else { "targets" };
    show.note(&format!("For mode {}, {by}; {} {targets}.", mode.name(), wanted.len()));
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

/// Where the AWS chain looks first; the rest of it would not be offline.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn region_of_environment() -> Option<String> {
    let of = |name| std::env::var(name).ok().filter(|it| !it.is_empty());
    of("AWS_REGION").or_else(|| of("AWS_DEFAULT_REGION"))
}
