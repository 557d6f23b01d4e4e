//! Where the simulator listens, and connections that it can close without an answer.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::simulator::{Simulator, wire};

/// Who may reach the simulator. It knows no passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// This machine only; another address is refused.
    Loopback,
    /// Whoever reaches the address.
    Anyone,
}

/// Why the simulator does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not a loopback address.
    #[error(
        "{0} can be reached from other machines, and the simulator asks nobody for a password; listen on 127.0.0.1, or allow it"
    )]
    NotLoopback(SocketAddr),
    /// The socket failed.
    #[error("the simulator cannot listen")]
    Io(#[from] io::Error),
}

impl Simulator {
    /// Answers on a bound listener until `shutdown` is there, and does the tampering of the seed.
    ///
    /// Open calls are finished, for at most two seconds.
    pub async fn serve(
        &self,
        listener: TcpListener,
        exposure: Exposure,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr()?;
        if exposure == Exposure::Loopback && !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address));
        }
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let graceful = async move {
            shutdown.await;
            stopping.cancel();
        };
        let service = wire::router(self.clone()).into_make_service_with_connect_info::<Line>();
        let serving = axum::serve(Droppable(listener), service).with_graceful_shutdown(graceful);
        let patience = async {
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_secs(2)).await;
        };
        tokio::select! {
            done = serving => Ok(done?),
            () = patience => Ok(()),
            () = self.tamper() => Ok(()),
        }
    }
}

/// A listener whose connections can be dropped.
struct Droppable(TcpListener);

/// A connection that fails to write once it is to be dropped, so that hyper closes it before a
/// single byte of an answer has left.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    line: Line,
}

/// What a handler holds of its connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    /// No answer to this request, nor to any other on this connection.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Listener for Droppable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Without it Nagle's algorithm holds small answers back for 40 ms; failing is harmless.
        let _slow = stream.set_nodelay(true);
        (Connection { stream, line: Line::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Droppable>> for Line {
    fn connect_info(stream: IncomingStream<'_, Droppable>) -> Self {
        stream.io().line.clone()
    }
}

impl Connection {
    fn check(&self) -> io::Result<()> {
        if self.line.is_cut() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
