//! The simulator inside this process, in place of AWS.
#![expect(
    clippy::disallowed_methods,
    reason = "the seed belongs to the simulator, not to the configuration that config/load.rs reads"
)]

use std::{net::SocketAddr, path::Path};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{setup::Texts, show::Stop},
    simulator::{Exposure, Seed, Simulator},
};

/// A simulator that serves as long as this lives.
#[derive(Debug)]
pub(crate) struct Embedded {
    /// The state itself.
    pub(crate) simulator: Simulator,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Embedded {
    /// For AWS clients.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Open calls are finished.
    pub(crate) async fn shut_down(self) {
        self.stop.cancel();
        // It ends by itself; a task that panicked has said so.
        drop(self.serving.await);
    }
}

/// The simulator that the settings ask for, if they do.
pub(crate) async fn start(texts: &Texts) -> Result<Option<Embedded>, Stop> {
    let Some(wanted) = &texts.settings.simulator else { return Ok(None) };
    let seed = match &wanted.seed {
        Some(path) => read_seed(&texts.base.join(path))?,
        None => Seed::default(),
    };
    serve(seed, wanted.listen, Exposure::Loopback).await.map(Some)
}

/// Reads a seed file.
pub(crate) fn read_seed(path: &Path) -> Result<Seed, Stop> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read the seed {}: {error}", path.display());
        Stop::config(message, "a seed is a YAML file; `permitd simulate --help` tells more")
    })?;
    Seed::parse(&text, path).map_err(|it| Stop::config(it.to_string(), "correct the seed file"))
}

/// Starts to serve.
pub(crate) async fn serve(
    seed: Seed,
    listen: SocketAddr,
    exposure: Exposure,
) -> Result<Embedded, Stop> {
    if exposure == Exposure::Loopback && !listen.ip().is_loopback() {
        let message = format!("{listen} can be reached from other machines");
        let hint = "the simulator asks nobody for a password: listen on 127.0.0.1, \
                    or pass --allow-remote to `permitd simulate`";
        return Err(Stop::config(message, hint));
    }
    let simulator = Simulator::new(seed)
        .map_err(|it| Stop::config(format!("the seed is not usable: {it}"), "correct the seed"))?;
    let cannot = |it: std::io::Error| Stop::failure(format!("cannot listen on {listen}: {it}"));
    let listener = TcpListener::bind(listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let stop = CancellationToken::new();
    let (handle, stopped) = (simulator.clone(), stop.clone());
    let serving = tokio::spawn(async move {
        let served = handle.serve(listener, exposure, stopped.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "the simulator has stopped");
        }
    });
    Ok(Embedded { simulator, address, stop, serving })
}
