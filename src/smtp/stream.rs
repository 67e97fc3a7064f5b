//! A TCP connection, with or without TLS: what both legs read from and write to.

use super::{session::READ_ROOM, tls::TlsFacts};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;

#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Waits for octets, shows them to `take`, and says how many there were; none means that the peer has ended.
    pub(super) async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|cx| self.poll(cx, &mut take)).await
    }

    /// Reads what has arrived by now, without waiting; `None` when that is nothing.
    pub(super) async fn read_now(&mut self, mut take: impl FnMut(&[u8])) -> Option<io::Result<usize>> {
        poll_fn(|cx| match self.poll(cx, &mut take) {
            Poll::Ready(read) => Poll::Ready(Some(read)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// Waits until the runtime has heard of what has arrived already, if anything has; the system is asked. [`Stream::read_now`] sees it then.
    pub(super) async fn catch_up(&self) {
        let socket = match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_ref().0,
        };
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let arrived = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&now));
        if matches!(arrived, Ok(1..)) {
            let _ = socket.readable().await;
        }
    }

    /// The buffer lives on the stack for the moment of reading only: a waiting connection owns none.
    fn poll(&mut self, cx: &mut Context<'_>, take: &mut impl FnMut(&[u8])) -> Poll<io::Result<usize>> {
        let mut room = [const { MaybeUninit::<u8>::uninit() }; READ_ROOM];
        let mut buffer = ReadBuf::uninit(&mut room);
        ready!(match self {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        })?;
        take(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    pub(super) async fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.write_all(octets).await,
            Stream::Tls(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
        }
    }

    /// Says that nothing more will be sent.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.shutdown().await,
            Stream::Tls(stream) => stream.shutdown().await,
        }
    }

    pub(super) fn tls(&self) -> Option<TlsFacts> {
        match self {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => Some(TlsFacts::of(stream.get_ref().1)),
        }
    }
}
