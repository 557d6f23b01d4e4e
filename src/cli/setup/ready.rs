//! All that a command needs to call Lambda, and what it says of rules and of functions that no file names.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
};

use tokio_util::sync::CancellationToken;

use super::{
    Found, Lists, Texts, Understood, needs_mode, read, understand,
    way::{way, way_to},
};
use crate::cli::{
    args::{Deny, TargetArgs},
    exit::Exit,
    show::{Show, Stop},
};
use crate::config::{
    diagnostic::{Diagnostic, Severity},
    rules::Rule,
    settings::Settings,
    warnings::idle_rules,
};
use crate::daemon::{
    carry::Carrier,
    clock,
    discovery::{Discovery, Unlisted, Wants},
    mind::Mind,
    pass::Worker,
    scribe::{Occasion, Scribe},
};
use crate::drift::{allow::Rules, undeclared::Undeclared, wanted::Wanted};
use crate::lambda::{fleet::Fleet, gateway::Urgency};
use crate::observe::metered::Metered;

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

    /// Whether all was listed that rules may cover; what was not is told.
    pub(crate) fn all_listed(&self, show: Show) -> bool {
        let unlisted = self.discovery.unlisted();
        tell_unlisted(&unlisted, show);
        unlisted.is_empty()
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
