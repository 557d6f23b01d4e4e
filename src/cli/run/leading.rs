//! `--lease`: one of several replicas acts, and the others stand by.

use tokio_util::sync::CancellationToken;

use crate::cli::{args::RunArgs, exit::Exit, show::Stop};
use crate::daemon::systemd::Systemd;
#[cfg(feature = "kubernetes")]
use crate::daemon::{
    clock,
    lease::{keep::Keeper, kubernetes::KubernetesLease},
};
use crate::lambda::tenure::Tenure;
use crate::observe::monitor::Monitor;

/// The part that this replica takes.
#[derive(Debug)]
pub(super) struct Leading<'a> {
    pub(super) tenure: Tenure,
    #[cfg(feature = "kubernetes")]
    keeper: Keeper<'a>,
    #[cfg(feature = "kubernetes")]
    lease: KubernetesLease,
    #[cfg(not(feature = "kubernetes"))]
    never: std::convert::Infallible,
    #[cfg(not(feature = "kubernetes"))]
    _of: std::marker::PhantomData<&'a ()>,
}

/// Before anything else is looked at.
pub(super) fn is_possible(args: &RunArgs) -> Result<(), Stop> {
    if args.lease.is_none() {
        return Ok(());
    }
    if args.once {
        let message = "`--lease` is for a daemon: `--once` makes its pass and ends";
        let hint = "leave one of the two away";
        return Err(Stop::Said(Exit::Usage, message.to_owned(), Some(hint.to_owned())));
    }
    if cfg!(not(feature = "kubernetes")) {
        let message = "`--lease` needs a permitd that was built with the feature `kubernetes`";
        let hint = "take the container image, which has it, or build with `cargo build --release --features kubernetes`";
        return Err(Stop::Said(Exit::Usage, message.to_owned(), Some(hint.to_owned())));
    }
    Ok(())
}

impl<'a> Leading<'a> {
    /// As the arguments say; none without a lease.
    #[cfg(feature = "kubernetes")]
    pub(super) async fn new(
        args: &RunArgs,
        monitor: &'a Monitor,
        systemd: &'a Systemd,
    ) -> Result<Option<Self>, Stop> {
        let Some(name) = args.lease.clone() else { return Ok(None) };
        let name = name.of_shard(args.target.shard);
        let lease = KubernetesLease::new(&name).await.map_err(|why| {
            let hint = "run it in a pod with a service account, or set KUBECONFIG";
            Stop::config(format!("no way to the API server of Kubernetes: {why}"), hint)
        })?;
        let tenure = Tenure::default();
        let (identity, held) = (identity(), tenure.clone());
        let keeper = Keeper::new(name, identity, held, monitor, systemd, clock::system);
        Ok(Some(Self { tenure, keeper, lease }))
    }

    /// Never: it was refused before.
    #[cfg(not(feature = "kubernetes"))]
    #[expect(clippy::unused_async, reason = "it is async where there is something to do")]
    pub(super) async fn new(
        _: &RunArgs,
        _: &'a Monitor,
        _: &'a Systemd,
    ) -> Result<Option<Self>, Stop> {
        Ok(None)
    }

    #[cfg(feature = "kubernetes")]
    async fn keep(self, quit: &CancellationToken) {
        self.keeper.keep(&self.lease, quit).await;
    }

    #[cfg(not(feature = "kubernetes"))]
    #[expect(clippy::unused_async, reason = "it is async where there is something to do")]
    async fn keep(self, _: &CancellationToken) {
        match self.never {}
    }
}

/// Of this process alone: the pod, where that is known, and something that no other process has.
#[cfg(feature = "kubernetes")]
#[expect(clippy::disallowed_methods, reason = "Kubernetes tells it by the environment alone")]
fn identity() -> String {
    let named = |it| std::env::var(it).ok().filter(|it: &String| !it.is_empty());
    let host = named("POD_NAME").or_else(|| named("HOSTNAME")).unwrap_or("permitd".to_owned());
    format!("{host}_{}", uuid::Uuid::new_v4())
}

/// Takes part while that runs; when it has ended, and nothing is written any more, the lease is given back.
pub(super) async fn beside(leading: Option<Leading<'_>>, running: impl Future<Output = ()>) {
    let quit = CancellationToken::new();
    let running = async {
        running.await;
        quit.cancel();
    };
    let keeping = async {
        if let Some(it) = leading {
            it.keep(&quit).await;
        }
    };
    tokio::join!(running, keeping);
}

/// Begins it whenever this one begins to lead, and drops it when that is over; without a lease it just goes on.
pub(super) async fn while_it_leads(tenure: Option<&Tenure>, mut work: impl AsyncFnMut()) {
    let Some(tenure) = tenure else { return work().await };
    loop {
        tenure.changes_from(false).await;
        tokio::select! {
            () = work() => return,
            () = tenure.changes_from(true) => {}
        }
    }
}

/// Waits until this one leads, and gives what ends its turn; none where it is to stop.
pub(super) async fn turn(
    tenure: Option<&Tenure>,
    stop: &CancellationToken,
) -> Option<CancellationToken> {
    if let Some(it) = tenure {
        tokio::select! {
            () = it.changes_from(false) => {}
            () = stop.cancelled() => {}
        }
    }
    (!stop.is_cancelled()).then(|| stop.child_token())
}

/// Goes on until it ends by itself, and is told to end when this one does not lead any more.
pub(super) async fn until_it_ends(
    tenure: Option<&Tenure>,
    turn: &CancellationToken,
    work: impl Future<Output = ()>,
) {
    let over = async {
        match tenure {
            Some(it) => it.changes_from(true).await,
            None => std::future::pending().await,
        }
        turn.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = work => {}
        () = over => {}
    }
}
