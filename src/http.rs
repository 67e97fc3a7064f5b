//! An HTTP listener: an accept loop of our own, for time-outs, caps and an orderly end.
//!
//! `axum::serve` has no time-out for heads, and hyper-util's `auto` sniffs the version before any timer runs: a silent connection stays for ever.

use axum::{
    body::Body,
    http::{Request, Response},
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    io,
    mem::MaybeUninit,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, Sleep},
};

/// What protects a listener.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Connections at a time; more wait in the listener's queue.
    pub connections: usize,
    /// How long a request's head may take, and how long a connection may idle. A slow head holds a connection.
    pub head_time: Duration,
    /// How long a client may take nothing of an answer.
    pub stall_time: Duration,
    /// How long stopping waits for answers under way.
    pub drain_time: Duration,
}

/// Who answers requests.
pub trait Site: Send + Sync + 'static {
    /// Held as long as a connection lasts.
    type Guest: Send + 'static;

    /// Lets a connection in, or not: then it is closed without a word.
    fn admit(&self, peer: IpAddr) -> Option<Self::Guest>;

    /// Answers a request.
    fn answer(self: Arc<Self>, peer: SocketAddr, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

/// Serves `site`, by its `name` in the log, until `shutdown` says true; answers under way are finished.
pub async fn serve<S: Site>(
    name: &'static str,
    listener: TcpListener,
    limits: HttpLimits,
    site: Arc<S>,
    mut shutdown: watch::Receiver<bool>,
) {
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
                    tracing::warn!("{name}: cannot accept: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            _ = shutdown.changed() => break,
        };
        let Some(guest) = site.admit(peer.ip()) else { continue };
        let (site, shutdown) = (site.clone(), shutdown.clone());
        connections.spawn(async move {
            if let Err(error) = connection(stream, peer, limits, site, shutdown).await {
                tracing::debug!("{name}: {error}");
            }
            drop((guest, place));
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let drained = tokio::time::timeout(limits.drain_time, async { while connections.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!("{name}: {} connections were cut off", connections.len());
    }
}

async fn connection<S: Site>(
    stream: TcpStream,
    peer: SocketAddr,
    limits: HttpLimits,
    site: Arc<S>,
    mut shutdown: watch::Receiver<bool>,
) -> hyper::Result<()> {
    // An answer goes out in one piece; waiting for more to send would only delay it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let site = site.clone();
        async move { Ok::<_, Infallible>(site.answer(peer, request.map(Body::new)).await) }
    });
    let io = TokioIo::new(Unstalled::new(stream, limits.stall_time));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(64)
        .max_buf_size(64 * 1024)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    tokio::select! {
        result = connection.as_mut() => result,
        _ = async { while !*shutdown.borrow() && shutdown.changed().await.is_ok() {} } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

/// How long a connection that we end still takes what its peer is sending. An answer may be given before a request is all there, as to a file that is
/// too large; a kernel that closes then drops what still comes with a reset, and with the reset the peer drops our answer (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(5);

/// A stream that ends when its peer takes nothing for too long, and that ends after what its peer sends.
struct Unstalled {
    stream: TcpStream,
    patience: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Runs from the moment on at which our side has ended.
    lingering: Option<Pin<Box<Sleep>>>,
    /// The peer has ended too.
    ended: bool,
}

impl Unstalled {
    fn new(stream: TcpStream, patience: Duration) -> Unstalled {
        Unstalled { stream, patience, waiting: None, lingering: None, ended: false }
    }

    /// Reads and forgets, until the peer has ended or nothing more is there.
    fn take_what_comes(&mut self, cx: &mut Context<'_>) {
        let mut space = [MaybeUninit::<u8>::uninit(); 16 * 1024];
        // A few pieces a turn: other connections want theirs.
        for _ in 0..16 {
            let mut buf = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {}
                Poll::Ready(_) => return self.ended = true,
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
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
        if self.lingering.is_none() {
            let poll = Pin::new(&mut self.stream).poll_shutdown(cx);
            ready!(self.watch(cx, poll))?;
            self.lingering = Some(Box::pin(tokio::time::sleep(LINGER)));
        }
        self.take_what_comes(cx);
        let over = self.lingering.as_mut().is_none_or(|lingering| lingering.as_mut().poll(cx).is_ready());
        if over || self.ended { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}
