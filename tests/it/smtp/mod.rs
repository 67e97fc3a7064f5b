//! Both legs of SMTP, with the least between them that can relay.

mod client;
mod dialog;
mod faults;
mod gateway;
mod hostile;
mod large;
mod peers;
mod routes;
mod server;
mod smuggling;
mod tls;

use crate::sink::Sink;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use zegel::{
    address::Address,
    smtp::{
        self, Budget, Content, EnvelopeCommand, Extensions, Handler, Peer, Received, Reply, ServerOptions, Service,
        client::{ClientOptions, NextHop, Pool, Transaction},
    },
};

/// Passes everything on.
struct Relay(Arc<Pool>);

struct Passing {
    pool: Arc<Pool>,
    open: Option<Transaction>,
}

impl Service for Relay {
    type Handler = Passing;

    fn begin(&self, _peer: &Peer) -> Passing {
        Passing { pool: self.0.clone(), open: None }
    }

    fn extensions(&self) -> Extensions {
        self.0.extensions()
    }
}

impl Handler for Passing {
    async fn envelope(&mut self, commands: &[EnvelopeCommand]) -> Vec<Reply> {
        if self.open.is_none() {
            match self.pool.begin().await {
                Ok(transaction) => self.open = Some(transaction),
                Err(failure) => return vec![failure.reply(); commands.len()],
            }
        }
        match self.open.as_mut().unwrap().envelope(commands).await {
            Ok(replies) => replies,
            Err(failure) => {
                self.open = None;
                vec![failure.reply(); commands.len()]
            }
        }
    }

    async fn data(&mut self, content: Content, received: Received) -> Reply {
        let Some(mut transaction) = self.open.take() else { return Reply::TRY_LATER };
        if let Content::Memory(message) = &content {
            assert!(!message.windows(5).any(|w| w == b"PANIC"), "as the test wants it");
        }
        let header = received.header("gw.example", "ID", None, zegel::time::Time::from_millis(0));
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        transaction.content(&header, &content, deadline).await.unwrap_or_else(|failure| failure.reply())
    }

    async fn reset(&mut self) {
        if let Some(mut transaction) = self.open.take() {
            transaction.reset().await;
        }
    }
}

/// A server in front of a sink.
struct Running {
    address: SocketAddr,
    options: Arc<ServerOptions>,
    pool: Arc<Pool>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

fn options() -> ServerOptions {
    ServerOptions { allow: vec!["127.0.0.0/8".parse().unwrap()], ..ServerOptions::new("gw.example", Budget::new(64 << 20)) }
}

fn client_options() -> ClientOptions {
    ClientOptions::new("gw.example")
}

fn hop(sink: &Sink) -> NextHop {
    NextHop::plain("127.0.0.1", sink.address().port())
}

async fn start(sink: &Sink) -> Running {
    start_with(options(), Pool::new(hop(sink), client_options())).await
}

async fn start_with(options: ServerOptions, pool: Arc<Pool>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let options = Arc::new(options);
    let serving = tokio::spawn(smtp::serve(listener, options.clone(), Arc::new(Relay(pool.clone())), stopped));
    Running { address, options, pool, stop, serving }
}

/// A client that sends exactly the octets it is given.
struct Raw<S = TcpStream> {
    stream: S,
    input: Vec<u8>,
}

impl Raw {
    /// Connects, and has read nothing yet.
    async fn silent(address: SocketAddr) -> Raw {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Raw { stream, input: Vec::new() }
    }

    /// Connects and is greeted.
    async fn connect(address: SocketAddr) -> Raw {
        let mut raw = Raw::silent(address).await;
        assert!(raw.reply().await.starts_with("220 gw.example"));
        raw
    }

    /// Connects and says EHLO.
    async fn ready(address: SocketAddr) -> Raw {
        let mut raw = Raw::connect(address).await;
        assert!(raw.says("EHLO client.example").await.starts_with("250-gw.example"));
        raw
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// Up to the 354 of a mail from a@a.example to b@b.example.
    async fn begins(&mut self) {
        self.send(b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n").await;
        for code in ["250", "250", "354"] {
            let reply = self.reply().await;
            assert!(reply.starts_with(code), "{reply}");
        }
    }

    async fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Says a line and returns the reply.
    async fn says(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// The next reply, all its lines; empty at the end.
    async fn reply(&mut self) -> String {
        let mut reply = String::new();
        while let Some(line) = self.line().await {
            let last = line.as_bytes().get(3) != Some(&b'-');
            reply.push_str(&line);
            reply.push('\n');
            if last {
                break;
            }
        }
        reply
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.input.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            let mut room = [0; 4096];
            match self.stream.read(&mut room).await {
                Ok(n) if n > 0 => self.input.extend_from_slice(&room[..n]),
                _ => return None,
            }
        }
    }

    /// Whether the server has closed, and said nothing more.
    async fn is_closed(&mut self) -> bool {
        self.line().await.is_none() && self.input.is_empty()
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn mail(from: &str) -> EnvelopeCommand {
    EnvelopeCommand::Mail { from: Some(address(from)), parameters: String::new(), size: None }
}

fn rcpt(to: &str) -> EnvelopeCommand {
    EnvelopeCommand::Rcpt { to: address(to), parameters: String::new() }
}

fn codes(replies: &[Reply]) -> Vec<u16> {
    replies.iter().map(Reply::code).collect()
}
