//! `permitd explain`: who allows or denies a call, live and as written, and why not. It only reads.

use crate::cli::{
    args::{ExplainArgs, TargetArgs, TextOrJson},
    exit::{Exit, Signal},
    setup::{self, Found},
    show::{Show, Stop},
};
use crate::daemon::{
    clock,
    survey::{Scope, Survey, Surveyed, Trouble},
};
use crate::drift::wanted::Wanted;
use crate::lambda::fleet::Fleet;
use crate::observe::metered::Metered;
use crate::policy::{
    document::USUAL_VERSION,
    evaluate::{Caller, Request, Verdict, evaluate},
    grant::{Grant, UrlAuthType, is_action, is_org_id, is_token},
    statement::Statement,
    target::{Defaults, Target, TargetError, check_account, check_region},
};
use crate::report::explain::{Explained, Live, Written, json, text};

/// Stands in for a region that nobody has to know.
const ANYWHERE: &str = "us-east-1";

/// Reads one policy and the files, and tells.
pub(crate) async fn explain(args: &ExplainArgs, show: Show) -> Result<Exit, Stop> {
    check(args)?;
    let common = args.common();
    let found = setup::find(&common.source)?;
    let asked = if common.source.files.is_empty() && found.settings.permissions.is_empty() {
        live_alone(found, args, common, show).await?
    } else {
        with_files(found, args, &common, show).await?
    };
    let Asked { gateway, target, files, is_whole } = asked;
    let request = request(args, &target)?;
    let written = match files {
        Files::About(wanted) => as_written(&wanted, &request),
        Files::NotNamed => Written::NotNamed,
        Files::None => Written::NoFiles,
    };
    let stop = setup::stop_on_signals();
    let live = tokio::select! {
        it = live(&gateway, &target, &request) => it,
        () = stop.token.cancelled() => return Ok(interrupted(stop.signal(), show)),
    };
    let exit = match live.verdict() {
        Verdict::Allowed => Exit::Success,
        Verdict::Denied | Verdict::NotAllowed => Exit::Drift,
        Verdict::Unknown => Exit::Failure,
    };
    let exit = if is_whole { exit } else { Exit::Failure };
    let explained = Explained {
        target: &target,
        request: &request,
        live: &live,
        written: &written,
        exit_code: exit.code(),
    };
    show.print(&match args.output {
        TextOrJson::Text => text(&explained, show.look()),
        TextOrJson::Json => json(&explained),
    })?;
    Ok(exit)
}

fn interrupted(signal: Option<Signal>, show: Show) -> Exit {
    show.problem("interrupted: nothing was told");
    signal.map_or(Exit::Failure, Exit::Interrupted)
}

/// What is needed to ask.
struct Asked {
    gateway: Metered<Fleet>,
    target: Target,
    files: Files,
    /// All functions that rules may cover are known.
    is_whole: bool,
}

/// What the files say.
enum Files {
    None,
    NotNamed,
    About(Box<Wanted>),
}

/// A mistake in the words is told before anything is read.
fn check(args: &ExplainArgs) -> Result<(), Stop> {
    let usage = |what: &str, why: String| Stop::usage(format!("{what}: {why}"));
    named(&args.called, setup::NOBODY, ANYWHERE).map_err(|it| usage("TARGET", it.to_string()))?;
    if !is_action(&args.action) || args.action.contains('*') {
        let message = format!("--action: `{}` is not one action of Lambda", args.action);
        let hint = "one looks like lambda:InvokeFunction".to_owned();
        return Err(Stop::Said(Exit::Usage, message, Some(hint)));
    }
    Caller::parse(&args.principal, "aws", args.org.is_some())
        .map_err(|it| usage("--principal", it.to_string()))?;
    if let Some(it) = args.source_arn.as_ref().filter(|it| !is_arn(it)) {
        let why = "is not an ARN; one looks like arn:aws:s3:::my-bucket";
        return Err(usage("--source-arn", format!("`{it}` {why}")));
    }
    if let Some(Err(error)) = args.source_account.as_deref().map(check_account) {
        return Err(usage("--source-account", error.to_string()));
    }
    if let Some(it) = args.org.as_ref().filter(|it| !is_org_id(it)) {
        let why = "is not an organization id; one looks like o-a1b2c3d4e5";
        return Err(usage("--org", format!("`{it}` {why}")));
    }
    if let Some(it) = args.event_source_token.as_ref().filter(|it| !is_token(it)) {
        let why = "is not a token: letters, digits, `.`, `_` and `-`, at most 256";
        return Err(usage("--event-source-token", format!("`{it}` {why}")));
    }
    Ok(())
}

/// Six parts.
fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.splitn(6, ':').count() == 6
}

/// The target, were its account and its region these where the name says none.
fn named(called: &str, account: &str, region: &str) -> Result<Target, TargetError> {
    let defaults = Defaults { account: Some(account.to_owned()), region: Some(region.to_owned()) };
    Target::parse(called, None, &defaults)
}

fn request(args: &ExplainArgs, target: &Target) -> Result<Request, Stop> {
    let caller = Caller::parse(&args.principal, target.partition(), args.org.is_some())
        .map_err(|it| Stop::usage(format!("--principal: {it}")))?;
    Ok(Request {
        source_arn: args.source_arn.clone(),
        source_account: args.source_account.clone(),
        org: args.org.clone(),
        event_source_token: args.event_source_token.clone(),
        function_url_auth_type: args.auth_type.map(|it| UrlAuthType::from(it).as_str().to_owned()),
        invoked_via_function_url: args.via_function_url.then_some(true),
        ..Request::new(caller, &args.action, &target.arn())
    })
}

/// The way to the live policy, where there are no files.
async fn live_alone(
    found: Found,
    args: &ExplainArgs,
    mut common: TargetArgs,
    show: Show,
) -> Result<Asked, Stop> {
    let texts = found.without_files();
    let mut defaults = setup::named_defaults(&texts, &common.source)?;
    let lacks_region = lacks_region(&args.called);
    if !lacks_region && common.source.region.is_none() {
        // Without a region the AWS chain looks for one as far as the metadata service: not for nothing.
        let own = named(&args.called, setup::NOBODY, ANYWHERE).ok();
        common.source.region = own.map(|it| it.region().to_owned());
    }
    let (gateway, texts) = setup::way(texts, &common, |it| tell_simulator(it, show)).await?;
    let fleet = gateway.inner();
    let target = complete(&args.called, &mut defaults, fleet).await?;
    setup::check_place(&texts.settings, &target)?;
    Ok(Asked { gateway, target, files: Files::None, is_whole: true })
}

fn lacks_region(called: &str) -> bool {
    let nobody = Defaults { account: Some(setup::NOBODY.into()), region: None };
    matches!(Target::parse(called, None, &nobody), Err(TargetError::NoRegion(_)))
}

/// What the name leaves out and nobody says comes from the credentials and their region.
async fn complete(called: &str, known: &mut Defaults, fleet: &Fleet) -> Result<Target, Stop> {
    if lacks_region(called) && known.region.is_none() {
        known.region = Some(region_of(fleet)?);
    }
    if matches!(Target::parse(called, None, known), Err(TargetError::NoAccount(_))) {
        known.account = Some(setup::account_of(fleet, "pass --account").await?);
    }
    Target::parse(called, None, known).map_err(|it| Stop::usage(format!("TARGET: {it}")))
}

fn tell_simulator(endpoint: &str, show: Show) {
    show.note(&format!("lambda.simulator: nothing goes to AWS, but to {endpoint}"));
}

fn region_of(fleet: &Fleet) -> Result<String, Stop> {
    let hint = "set AWS_REGION, pass --region, or write the full ARN";
    let Some(region) = fleet.region() else {
        return Err(Stop::config("nobody says in which region the function is", hint));
    };
    check_region(&region).map_err(|it| Stop::config(it.to_string(), hint))?;
    Ok(region)
}

/// The files as `permitd plan` finds them, and the way to the live policy.
async fn with_files(
    found: Found,
    args: &ExplainArgs,
    common: &TargetArgs,
    show: Show,
) -> Result<Asked, Stop> {
    let texts = setup::read_with(found, &common.source)?;
    let mut defaults = setup::named_defaults(&texts, &common.source)?;
    let ready = Box::pin(setup::ready_with(texts, common, show)).await?;
    let is_whole = ready.all_listed(show);
    let setup::Ready { mut wanted, gateway, settings, .. } = ready;
    let target = match meant(args, &wanted)? {
        Some(it) => it,
        None => complete(&args.called, &mut defaults, gateway.inner()).await?,
    };
    setup::check_place(&settings, &target)?;
    let at = wanted.iter().position(|it| it.target == target);
    let about = |it| Files::About(Box::new(wanted.swap_remove(it)));
    Ok(Asked { files: at.map_or(Files::NotNamed, about), gateway, target, is_whole })
}

/// The one target of the files that is meant, in whatever account and region the files put it.
fn meant(args: &ExplainArgs, wanted: &[Wanted]) -> Result<Option<Target>, Stop> {
    let called = &args.called;
    let (account, region) = (args.source.account.as_deref(), args.source.region.as_deref());
    let is_meant = |it: &&Wanted| {
        let account = account.unwrap_or(it.target.account());
        let region = region.unwrap_or(it.target.region());
        named(called, account, region).is_ok_and(|named| named == it.target)
    };
    let found: Vec<&Target> = wanted.iter().filter(is_meant).map(|it| &it.target).collect();
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        [one, other, ..] => {
            let message = format!(
                "`{called}` is {} targets of the files, among them {one} and {other}",
                found.len()
            );
            let hint = "write the full ARN, or pass --account and --region".to_owned();
            Err(Stop::Said(Exit::Usage, message, Some(hint)))
        }
    }
}

/// The grants of the files; one that has expired is none.
fn as_written(wanted: &Wanted, request: &Request) -> Written {
    let now = clock::system();
    let stands = |it: &&Grant| it.expires.is_none_or(|at| at > now);
    let grants: Vec<&Grant> = wanted.grants.iter().filter(stands).collect();
    let text = |it: &&Grant| it.permission.statement_text(&it.sid, &wanted.target);
    let texts: Vec<String> = grants.iter().map(text).collect();
    Written::Grants {
        evaluation: evaluate(texts.iter().map(String::as_str), Some(USUAL_VERSION), request),
        sources: grants.iter().map(|it| it.source.clone()).collect(),
        expired: wanted.grants.len() - grants.len(),
    }
}

/// One GetPolicy, and where that finds nothing one GetFunction.
async fn live(gateway: &Metered<Fleet>, target: &Target, request: &Request) -> Live {
    let survey = Survey { gateway, qualifiers: false };
    let scope = Scope::Named(vec![target.clone()]);
    let Surveyed { policies, troubles, unwanted: _ } =
        Box::pin(survey.look(&scope, |_| true, |_| ())).await;
    if let Some(Trouble { about: _, message, hint }) = troubles.into_iter().next() {
        return Live::Unreadable { message, hint };
    }
    let Some(document) = policies.into_values().next().flatten() else { return Live::NoPolicy };
    let texts = document.statements().iter().map(Statement::text);
    Live::Policy {
        revision: document.revision().to_owned(),
        evaluation: evaluate(texts, document.version(), request),
    }
}
