//! Listens: an accept loop of our own, for time-outs, caps and an orderly end.
//!
//! `axum::serve` has no time-out for heads, and hyper-util's `auto` sniffs the version before any timer runs: a silent connection stays for ever.

use super::{Portal, answer, guard::Addresses, session::Seen};
use axum::{body::Body, http::Request};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::AtomicUsize},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, Sleep},
};

/// A portal with what it remembers while it runs.
pub(super) struct Desk {
    pub(super) portal: Arc<Portal>,
    /// Who is connected, and how many forms came from where.
    pub(super) addresses: Addresses,
    /// Which sessions were used lately.
    pub(super) seen: Seen,
    /// Hashes that may run.
    pub(super) hashing: Arc<Semaphore>,
    /// Mails whose HTML may be made harmless.
    pub(super) making: Arc<Semaphore>,
    /// Hashes that run or wait.
    pub(super) hashes: AtomicUsize,
}

impl Desk {
    pub(super) fn new(portal: Arc<Portal>) -> Desk {
        let hashing = Arc::new(Semaphore::new(portal.limits.hashing.max(1)));
        let making = Arc::new(Semaphore::new(portal.limits.making.max(1)));
        Desk { addresses: Addresses::default(), seen: Seen::default(), hashing, making, hashes: AtomicUsize::new(0), portal }
    }
}

/// Serves the portal until `shutdown` says true; answers under way are finished.
pub async fn serve(listener: TcpListener, portal: Arc<Portal>, mut shutdown: watch::Receiver<bool>) {
    let limits = portal.limits;
    let desk = Arc::new(Desk::new(portal));
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    while !*shutdown.borrow() {
        // A place first: who finds none waits in the listener's queue.
        let place = tokio::select! {
            place = room.clone().acquire_owned() => place.expect("the semaphore is never closed"),
            _ = shutdown.changed() => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, mostly: some will be free again soon.
                    tracing::warn!("portal: cannot accept: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            _ = shutdown.changed() => break,
        };
        let Some(guest) = desk.addresses.admit(peer.ip(), limits.connections_per_address) else { continue };
        let (desk, shutdown) = (desk.clone(), shutdown.clone());
        connections.spawn(async move {
            connection(stream, peer, desk, shutdown).await;
            drop((guest, place));
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let drained = tokio::time::timeout(limits.drain_time, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!("portal: {} connections were cut off", connections.len());
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, desk: Arc<Desk>, mut shutdown: watch::Receiver<bool>) {
    // An answer goes out in one piece; waiting for more to send would only delay it.
    let _ = stream.set_nodelay(true);
    let limits = desk.portal.limits;
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(answer::answer(desk, peer, request.map(Body::new)).await) }
    });
    let io = TokioIo::new(Unstalled::new(stream, limits.stall_time));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(64)
        .max_buf_size(64 * 1024)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        _ = async { while !*shutdown.borrow() && shutdown.changed().await.is_ok() {} } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!("portal: {error}");
    }
}

/// A stream that ends when its peer takes nothing for too long.
struct Unstalled {
    stream: TcpStream,
    patience: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Unstalled {
    fn new(stream: TcpStream, patience: Duration) -> Unstalled {
        Unstalled { stream, patience, waiting: None }
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.waiting = None;
            return poll;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + patience)));
        match waiting.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Unstalled {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Unstalled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, poll)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, poll)
    }
}
