//! What makes a running daemon load its files anew: SIGHUP, and the files themselves.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, mpsc, oneshot},
};

use crate::cli::{
    args::SourceArgs,
    setup::{self, Texts},
    show::Stop,
};
use crate::daemon::{
    events::Batch,
    run::{Back, Call},
    watch::{Heard, Known, Watch},
};
use crate::observe::http::{Order, Site};

/// Orders that wait; who gives more of them waits himself.
const ORDERS: usize = 16;

/// Listens.
#[derive(Debug)]
pub(super) struct Hearing {
    hangups: Signal,
    /// What came by a pipe cannot be read again.
    watch: Option<Watch>,
    source: SourceArgs,
    known: Known,
    orders: mpsc::Receiver<(Order, Back)>,
    orders_in: mpsc::Sender<(Order, Back)>,
    listed: Arc<Notify>,
    events: Option<mpsc::Receiver<Batch>>,
}

impl Hearing {
    /// From what is known of the files on.
    pub(super) fn start(
        source: &SourceArgs,
        poll: Duration,
        known: Known,
        listed: Arc<Notify>,
    ) -> Result<Self, Stop> {
        let hangups = signal(SignalKind::hangup())
            .map_err(|it| Stop::failure(format!("cannot listen for SIGHUP: {it}")))?;
        let by_pipe = source.files.iter().any(|it| it.as_os_str() == "-");
        let (source, looked_at) = (source.clone(), source.clone());
        let read = Arc::new(move || setup::read_whole(&looked_at).1);
        let watch = (!by_pipe).then(|| Watch::new(read, poll, Arc::clone(&known)));
        let (orders_in, orders) = mpsc::channel(ORDERS);
        Ok(Self { hangups, watch, source, known, orders, orders_in, listed, events: None })
    }

    /// The next of it. Cancel-safe.
    pub(super) async fn next(&mut self) -> Call {
        let files = async {
            match &mut self.watch {
                Some(it) => it.heard().await,
                None => std::future::pending().await,
            }
        };
        let events = async {
            match &mut self.events {
                Some(it) => it.recv().await,
                None => std::future::pending().await,
            }
        };
        // All are cancel-safe: a signal, an order or a batch that was not taken is given again, and a watch goes on.
        tokio::select! {
            // Who says so knows that all of it is there.
            Some(()) = self.hangups.recv() => Call::Files(Heard::New { whole: true }),
            heard = files => {
                if matches!(heard, Heard::New { .. }) {
                    tracing::info!("the files have changed");
                }
                Call::Files(heard)
            }
            () = self.listed.notified() => {
                tracing::info!("which functions there are has changed");
                Call::Listed
            }
            Some((order, back)) = self.orders.recv() => match order {
                Order::Reload => Call::Reload(back),
                Order::Pass => Call::Pass(back),
            },
            Some(batch) = events => Call::Events(batch),
        }
    }

    /// From now on orders may come over HTTP as well.
    pub(super) fn take_orders_of(&self, site: &Site) {
        let orders = self.orders_in.clone();
        site.take_orders(Box::new(move |order| {
            let orders = orders.clone();
            Box::pin(async move {
                let (back, said) = oneshot::channel();
                let gone = || "the daemon is stopping".to_owned();
                orders.send((order, back)).await.map_err(|_| gone())?;
                said.await.map_err(|_| gone())?
            })
        }));
    }

    /// From now on events may come as well.
    pub(super) fn take_events(&mut self, events: mpsc::Receiver<Batch>) {
        self.events = Some(events);
    }

    /// Looks that often from now on.
    pub(super) fn poll_every(&mut self, poll: Duration) {
        if let Some(it) = &mut self.watch {
            it.poll_every(poll);
        }
    }

    /// Reads the files, beside everything else that goes on.
    pub(super) async fn read_anew(&self) -> Result<Texts, Stop> {
        read_anew(self.source.clone(), &self.known).await
    }
}

/// The same, for who does not listen.
pub(super) async fn read_anew(source: SourceArgs, known: &Known) -> Result<Texts, Stop> {
    let read = tokio::task::spawn_blocking(move || setup::read_whole(&source)).await;
    let failed = |it| Stop::failure(format!("the files could not be read: {it}"));
    let (texts, print) = read.map_err(failed)?;
    *known.lock().unwrap_or_else(PoisonError::into_inner) = print;
    texts
}
