//! The listener: bounded connections, each on a task of its own, and all of them on a thread of their own, so that
//! who asks for much and often holds up nobody who has work to do.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use axum::http::{Request, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::{Semaphore, oneshot},
};
use tokio_util::sync::CancellationToken;

use crate::observe::http::{Site, text};

/// Connections at once; who comes later waits in the queue of the system.
const CONNECTIONS: usize = 128;
/// The head of a request, in bytes. Nobody who means well sends more.
const HEAD: usize = 16 << 10;
/// Lines in it.
const HEADERS: usize = 64;
/// How long a head may take to come, also on a connection that is kept open.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection lasts, however slowly its answers are taken.
const LIFETIME: Duration = Duration::from_mins(2);
/// So many answers are made at once. Every thread more keeps memory of its own.
const MAKERS: usize = 2;
/// How long to wait after an accept that failed: out of descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that answers as long as this lives.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    /// What is served.
    pub site: Arc<Site>,
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
}

/// Binds the address. Nothing is answered yet.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

impl Listening {
    /// Begins to answer, on a thread of its own.
    pub fn start(listener: TcpListener, site: Arc<Site>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let listener = listener.into_std()?;
        let (served, asked) = (Arc::clone(&site), CancellationToken::new());
        let (stop, (end, ended)) = (asked.clone(), oneshot::channel());
        let (say, said) = mpsc::channel();
        let serving = move || {
            let runtime = match runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(MAKERS)
                .build()
            {
                Ok(it) => it,
                Err(error) => return drop(say.send(Err(error))),
            };
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener);
                drop(say.send(listener.as_ref().map(drop).map_err(|it| it.kind().into())));
                if let Ok(listener) = listener {
                    serve(listener, served, asked).await;
                }
            });
            // An answer that is being made is not waited for.
            runtime.shutdown_background();
            drop(end);
        };
        thread::Builder::new().name("http".to_owned()).spawn(serving)?;
        // It says so at once.
        said.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
        Ok(Self { address, site, stop, ended })
    }

    /// Begins to answer in this runtime, with its clock.
    pub fn start_here(listener: TcpListener, site: Arc<Site>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let serving = serve(listener, Arc::clone(&site), stop.clone());
        let (end, ended) = oneshot::channel();
        tokio::spawn(async move {
            serving.await;
            drop(end);
        });
        Ok(Self { address, site, stop, ended })
    }

    /// No more answers; what is being answered is cut off.
    pub async fn close(self) {
        self.stop.cancel();
        // It ends by itself, and nothing is ever sent here.
        drop(self.ended.await);
    }
}

async fn serve(listener: TcpListener, site: Arc<Site>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        // Both are cancel-safe: a level, and a connection that is not accepted stays in the queue.
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (site, stop) = (Arc::clone(&site), stop.clone());
        tokio::spawn(async move {
            // A connection that is closed, or given up, is nobody's loss.
            tokio::select! {
                () = stop.cancelled() => {}
                _ended = tokio::time::timeout(LIFETIME, converse(stream, site)) => {}
            }
            drop(place);
        });
    }
}

async fn converse(stream: TcpStream, site: Arc<Site>) {
    // Without it Nagle's algorithm holds small answers back for 40 ms; failing is harmless.
    let _slow = stream.set_nodelay(true);
    let answer = service_fn(move |request: Request<Incoming>| {
        let site = Arc::clone(&site);
        async move {
            let (parts, _) = request.into_parts();
            if let Some(answer) = site.ordered(&parts).await {
                return Ok(answer);
            }
            if let Some(answer) = site.answer_at_once(&parts) {
                return Ok(answer);
            }
            // The journal is read for it, and a page of many targets takes its time to write.
            let answered = tokio::task::spawn_blocking(move || site.answer(&parts)).await;
            let failed =
                |_| text(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be made\n");
            Ok::<_, Infallible>(answered.unwrap_or_else(failed))
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .max_headers(HEADERS);
    let served = builder.serve_connection(TokioIo::new(stream), answer).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the page was closed");
    }
}
