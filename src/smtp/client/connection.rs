//! One connection to the next hop: commands out, replies in, every wait with its end.

use super::{
    super::{
        extensions::Extensions,
        reply::{self, Reply},
        stream::Stream,
    },
    ClientOptions, Failure, NextHop, Protocol, Tls, remedy,
};
use rustls::pki_types::ServerName;
use std::{future::Future, io, net::SocketAddr, sync::Arc};
use tokio::{
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

/// A connection that has said EHLO.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    /// Octets of replies that were read and not taken yet.
    input: Vec<u8>,
    protocol: Protocol,
    extensions: Extensions,
    /// Whether the next hop knows EHLO; without it MAIL and RCPT have no parameters.
    extended: bool,
    /// Mails that went over it.
    pub(super) mails: u32,
    /// Whether it served a transaction before: then it may have died since.
    pub(super) used: bool,
    /// When it was put aside.
    pub(super) idle_since: Instant,
    /// Replies that are still to come. Unless it is none, the next transaction would take them for its own.
    awaited: usize,
    /// Something went wrong with it: the next hop may take a command for the rest of a body.
    broken: bool,
    /// Our place among the transactions that may be open.
    pub(super) place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Connects, greets, and makes the connection as safe as `hop` asks.
    pub(super) async fn open(hop: &NextHop, tls: &TlsClient, options: &ClientOptions) -> Result<Connection, Failure> {
        match Connection::open_with(hop, tls, options, WithTls::AsAsked).await {
            // A server whose TLS is broken gets the mail in clear, as if it had not offered any (RFC 7435).
            Err(Failure::Tls) if hop.tls == Tls::Opportunistic => {
                tracing::warn!(next_hop = %hop.host, "smtp: STARTTLS is offered and fails; going on without it");
                Connection::open_with(hop, tls, options, WithTls::Not).await
            }
            opened => opened,
        }
    }

    async fn open_with(hop: &NextHop, tls: &TlsClient, options: &ClientOptions, with: WithTls) -> Result<Connection, Failure> {
        let stream = timeout(options.connect_time, connect(hop)).await.map_err(|_| Failure::Unreachable)??;
        let stream = match hop.tls {
            Tls::Implicit => handshake(tls, &hop.host, stream, options).await?,
            Tls::Opportunistic | Tls::Required => Stream::Plain(stream),
        };
        let mut connection = Connection {
            stream,
            input: Vec::new(),
            protocol: hop.protocol,
            extensions: Extensions::default(),
            extended: false,
            mails: 0,
            used: false,
            idle_since: Instant::now(),
            awaited: 1,
            broken: false,
            place: None,
        };
        let greeting = connection.reply(options).await.map_err(|_| Failure::Unreachable)?;
        if greeting.code() != 220 {
            tracing::warn!(next_hop = %hop.host, %greeting, "smtp: the next hop does not want us");
            return Err(Failure::Unreachable);
        }
        connection.hello(hop, options).await?;
        let secured = connection.stream.tls().is_some();
        match hop.tls {
            Tls::Opportunistic if with == WithTls::Not || secured || !connection.extensions.starttls => Ok(connection),
            Tls::Required if !connection.extensions.starttls => {
                tracing::warn!(next_hop = %hop.host, "smtp: {}", remedy::NO_STARTTLS);
                Err(Failure::Tls)
            }
            Tls::Implicit => Ok(connection),
            Tls::Opportunistic | Tls::Required => connection.starttls(hop, tls, options).await,
        }
    }

    /// STARTTLS (RFC 3207): whatever was read before the handshake was sent in clear, so nothing may be left of it.
    async fn starttls(mut self, hop: &NextHop, tls: &TlsClient, options: &ClientOptions) -> Result<Connection, Failure> {
        let answer = self.command(b"STARTTLS\r\n", options).await?;
        if answer.code() != 220 {
            tracing::warn!(next_hop = %hop.host, %answer, "smtp: the next hop refuses STARTTLS{}", remedy::shown(&answer));
            return if hop.tls == Tls::Opportunistic { Ok(self) } else { Err(Failure::Tls) };
        }
        if !self.input.is_empty() {
            tracing::warn!(next_hop = %hop.host, "smtp: something in between put octets behind the answer to STARTTLS");
            return Err(Failure::Unreachable);
        }
        let Stream::Plain(stream) = self.stream else { return Err(Failure::Tls) };
        self.stream = handshake(tls, &hop.host, stream, options).await?;
        self.hello(hop, options).await?;
        Ok(self)
    }

    async fn hello(&mut self, hop: &NextHop, options: &ClientOptions) -> Result<(), Failure> {
        let verb = if hop.protocol == Protocol::Lmtp { "LHLO" } else { "EHLO" };
        let answer = self.command(format!("{verb} {}\r\n", options.hostname).as_bytes(), options).await?;
        if answer.is_positive() {
            self.extensions = Extensions::parse(&answer);
            // A host that has not proved its name cannot promise to whom it says so (RFC 8689, 4.2.1).
            self.extensions.require_tls &= hop.tls.is_verified();
            self.extended = true;
            return Ok(());
        }
        if hop.protocol == Protocol::Lmtp {
            return Err(Failure::Unreachable);
        }
        // Very old servers know HELO only; others refuse both.
        let answer = self.command(format!("HELO {}\r\n", options.hostname).as_bytes(), options).await?;
        if answer.is_positive() { Ok(()) } else { Err(Failure::Unreachable) }
    }

    pub(super) fn extensions(&self) -> Extensions {
        self.extensions
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) fn is_extended(&self) -> bool {
        self.extended
    }

    /// Whether every command has its reply: only then may the connection serve somebody else.
    pub(super) fn is_settled(&self) -> bool {
        self.awaited == 0 && !self.broken && self.input.is_empty()
    }

    /// Whether nothing speaks against another transaction: the next hop is silent and has not hung up.
    pub(super) async fn is_quiet(&mut self) -> bool {
        if !self.is_settled() {
            return false;
        }
        self.stream.catch_up().await;
        self.stream.read_now(|_| {}).await.is_none()
    }

    /// Says one command and waits for its reply.
    pub(super) async fn command(&mut self, line: &[u8], options: &ClientOptions) -> Result<Reply, Failure> {
        self.commands(line, 1, options).await?;
        self.reply(options).await
    }

    /// Says so many commands, in one write.
    pub(super) async fn commands(&mut self, lines: &[u8], count: usize, options: &ClientOptions) -> Result<(), Failure> {
        // A next hop that answered more than it was asked is out of step: its next reply would count for the wrong command.
        if !self.input.is_empty() {
            return Err(Failure::LOST);
        }
        self.awaited += count;
        self.send(lines, options).await
    }

    /// Sends a part of a body; `Ending` is the last one, which a reply follows.
    pub(super) async fn body(&mut self, octets: &[u8], ending: Ending, options: &ClientOptions) -> Result<(), Failure> {
        if ending == Ending::Yes {
            self.awaited += 1;
        }
        self.send(octets, options).await
    }

    async fn send(&mut self, octets: &[u8], options: &ClientOptions) -> Result<(), Failure> {
        let sent = timeout(options.block_time, self.stream.write_all(octets)).await;
        self.broken |= !matches!(sent, Ok(Ok(())));
        sent.map_err(|_| Failure::TIMEOUT)?.map_err(|_| Failure::LOST)
    }

    /// The next reply, waited for as long as one may take.
    pub(super) async fn reply(&mut self, options: &ClientOptions) -> Result<Reply, Failure> {
        self.reply_until(Instant::now() + options.reply_time).await
    }

    /// The next reply, waited for until `deadline`.
    pub(super) async fn reply_until(&mut self, deadline: Instant) -> Result<Reply, Failure> {
        loop {
            if let Some((reply, taken)) = reply::parse(&self.input).map_err(|_| Failure::LOST)? {
                self.input.drain(..taken);
                self.awaited = self.awaited.saturating_sub(1);
                return Ok(reply);
            }
            let input = &mut self.input;
            let read = timeout_at(deadline, self.stream.read(|octets| input.extend_from_slice(octets))).await;
            match read {
                Err(_) => return Err(Failure::TIMEOUT),
                Ok(Ok(1..)) => {}
                Ok(Ok(_)) => return Err(Failure::LOST),
                Ok(Err(error)) => return Err(broken_off(&error)),
            }
        }
    }

    /// Takes leave; whatever comes of it.
    pub(super) async fn quit(mut self, options: &ClientOptions) {
        let _ = timeout(options.reply_time, async {
            self.stream.write_all(b"QUIT\r\n").await?;
            self.stream.shutdown().await
        })
        .await;
    }
}

/// Whether a part of a body holds the final dot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WithTls {
    AsAsked,
    Not,
}

/// TLS as the next hop asks for it, or why it cannot be spoken.
pub(super) type TlsClient = Result<Arc<rustls::ClientConfig>, rustls::Error>;

/// In TLS 1.3 a server says only after the handshake what it thinks of our certificate: with an alert.
fn broken_off(error: &io::Error) -> Failure {
    if let Some(error) = remedy::tls_error(error) {
        tracing::warn!(%error, "smtp: the next hop ended the TLS connection{}", remedy::of_tls(error));
    }
    Failure::LOST
}

/// Tries the addresses of the host, one after the other.
async fn connect(hop: &NextHop) -> Result<TcpStream, Failure> {
    let addresses: Vec<SocketAddr> = if hop.addresses.is_empty() {
        let looked_up = tokio::net::lookup_host((bare(&hop.host), hop.port)).await;
        looked_up
            .map_err(|error| {
                tracing::warn!(next_hop = %hop.host, %error, "smtp: the name of the next hop cannot be looked up");
                Failure::Unreachable
            })?
            .collect()
    } else {
        hop.addresses.iter().map(|ip| SocketAddr::new(*ip, hop.port)).collect()
    };
    let mut refused = None;
    for address in addresses {
        match patiently(TcpStream::connect(address)).await {
            Ok(stream) => {
                // Commands are small and their replies are waited for: Nagle's algorithm would hold them back.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => refused = Some((address, error)),
        }
    }
    tracing::debug!(?refused, "smtp: no address of the next hop answers");
    Err(Failure::Unreachable)
}

/// An address that does not answer at all must leave time for the others.
async fn patiently(connecting: impl Future<Output = io::Result<TcpStream>>) -> io::Result<TcpStream> {
    const ONE_ADDRESS: std::time::Duration = std::time::Duration::from_secs(10);
    timeout(ONE_ADDRESS, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn handshake(tls: &TlsClient, host: &str, stream: TcpStream, options: &ClientOptions) -> Result<Stream, Failure> {
    let config = tls.as_ref().map_err(|error| {
        tracing::error!(%error, "smtp: this machine cannot speak TLS; are its trusted certificates (ca-certificates) installed?");
        Failure::Tls
    })?;
    let name = ServerName::try_from(bare(host).to_owned()).map_err(|_| Failure::Tls)?;
    let connecting = TlsConnector::from(config.clone()).connect(name, stream);
    match timeout(options.connect_time, Box::pin(connecting)).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream.into()))),
        Ok(Err(error)) => {
            let remedy = remedy::tls_error(&error).map_or("", remedy::of_tls);
            tracing::warn!(next_hop = %host, %error, "smtp: the TLS handshake with the next hop failed{remedy}");
            Err(Failure::Tls)
        }
        Err(_) => Err(Failure::Tls),
    }
}

/// An address without the brackets that it has in a URL.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}
