//! The first leg: an organisation's mail servers hand their mail over.

mod census;
mod connection;

use super::{
    auth::{Accounts, LoginLimits, Logins},
    budget::Budget,
    command::EnvelopeCommand,
    extensions::Extensions,
    network::Network,
    proxy,
    reply::{Enhanced, Reply},
    session::{self, Right},
    spill::{Content, SpillFolder},
    trace::Received,
};
use arc_swap::ArcSwapOption;
pub use census::Census;
use census::Seat;
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// Who connected.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its address and port.
    pub address: SocketAddr,
}

/// What stands behind the server: one for all sessions.
pub trait Service: Send + Sync + 'static {
    /// What stands behind one session.
    type Handler: Handler;

    /// A session has begun. Nothing is to be opened for it yet: many sessions never send a mail.
    fn begin(&self, peer: &Peer) -> Self::Handler;

    /// What the next hop can do, as last seen: no more than that is offered.
    fn extensions(&self) -> Extensions;
}

/// What stands behind one session. Panics are caught: the client hears 451 and the session ends.
///
/// A future that is dropped before it is ready is a session that was cut off while zegel drains; nothing was answered then.
pub trait Handler: Send + 'static {
    /// Answers MAIL and RCPT commands, as many as came in together, in order and one each. A transaction is open once MAIL has got a
    /// positive answer.
    fn envelope(&mut self, commands: &[EnvelopeCommand]) -> impl Future<Output = Vec<Reply>> + Send;

    /// Takes responsibility for a mail, or says why not; this ends the transaction. `content` holds its part of the [`Budget`] until
    /// its last clone is dropped.
    ///
    /// It must come to an end by itself: there is no time-out that could tell an answer too late from one too early.
    fn data(&mut self, content: Content, received: Received) -> impl Future<Output = Reply> + Send;

    /// The transaction is given up: RSET, EHLO, a body that was refused, a connection that ended.
    fn reset(&mut self) -> impl Future<Output = ()> + Send;
}

/// What protects the server; every number with its reason.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Sessions at once. An idle one costs some 4 KiB and a file descriptor.
    pub sessions: usize,
    /// Sessions at once of one address. Peers are few and trusted; one of them running wild must leave room for the others.
    pub sessions_per_ip: usize,
    /// Of [`ServerLimits::sessions`], those of clients that must prove an account: anybody may open one, and mail servers need the rest.
    pub strangers: usize,
    /// The same of one address: an office of people with mail programs, each of which holds a few connections.
    pub strangers_per_ip: usize,
    /// RFC 5321, 4.5.3.2.7: a server waits at least five minutes for a command. The whole line must come within it.
    pub command_time: Duration,
    /// RFC 5321, 4.5.3.2.5 gives a client three minutes for a block; we wait as long as for a command.
    pub block_time: Duration,
    /// A whole body: 50 MiB at 240 kbit/s. Who is slower holds room that others need.
    pub body_time: Duration,
    /// Waiting for room in the budget; clients wait two minutes for 354 (RFC 5321, 4.5.3.2.4) and three for a block to be taken.
    pub room_time: Duration,
    /// The header of the PROXY protocol: a balancer sends it at once.
    pub proxy_time: Duration,
    /// What bounds the guessing of passwords.
    pub logins: LoginLimits,
    /// A TLS handshake: two round trips and some computing.
    pub handshake_time: Duration,
    /// A client that takes no reply for so long is gone.
    pub write_time: Duration,
    /// How long a client may take to read our last reply before the connection is cut. Closing at once while it still sends would
    /// make its system throw that reply away, and a lost 250 is a mail sent twice.
    pub linger_time: Duration,
    /// Mails in flight get so long when zegel is told to stop.
    pub drain_time: Duration,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits {
            sessions: 16_000,
            sessions_per_ip: 12_000,
            strangers: 2000,
            strangers_per_ip: 100,
            command_time: Duration::from_secs(300),
            block_time: Duration::from_secs(300),
            body_time: Duration::from_secs(1800),
            room_time: Duration::from_secs(60),
            proxy_time: Duration::from_secs(5),
            logins: LoginLimits::default(),
            handshake_time: Duration::from_secs(30),
            write_time: Duration::from_secs(60),
            linger_time: Duration::from_secs(2),
            drain_time: Duration::from_secs(60),
        }
    }
}

/// How the server behaves; shared by all its listeners, which then count their sessions together.
#[derive(Debug)]
pub struct ServerOptions {
    /// Our name, in greetings.
    pub hostname: String,
    /// Who may connect and send: nobody, while this is empty and there are no accounts.
    pub allow: Vec<Network>,
    /// Who may send from anywhere, behind TLS; may be swapped while the server runs.
    pub accounts: ArcSwapOption<Accounts>,
    /// Checks their passwords.
    pub logins: Logins,
    /// Whose XFORWARD is believed, for log lines.
    pub xforward: Vec<Network>,
    /// Balancers: each connection of theirs begins with a header of the PROXY protocol.
    pub proxy_protocol: Vec<Network>,
    /// The largest mail in octets, as far as the next hop takes it and the whole budget has room for it.
    pub max_size: u64,
    /// With it STARTTLS is offered; may be swapped while the server runs.
    pub tls: ArcSwapOption<rustls::ServerConfig>,
    /// Room for bodies, over all sessions.
    pub budget: Budget,
    /// Where bodies over [`ServerOptions::IN_MEMORY`] go; without it they stay in memory.
    pub spill: Option<SpillFolder>,
    /// What protects the server.
    pub limits: ServerLimits,
    /// Counts the sessions of all listeners that share these options.
    pub census: Census,
}

impl ServerOptions {
    /// 50 MiB: what Exchange Online can be set to take from a connector is 150, its default 36.
    pub const MAX_SIZE: u64 = 50 << 20;

    /// 8 MiB: 999 mails of a thousand stay in memory, and with 60 at once the rest of the budget is free. While memory is short smaller ones are
    /// moved too.
    pub const IN_MEMORY: u64 = 8 << 20;

    /// Options with the default limits, without TLS and without anybody who may connect.
    #[must_use]
    pub fn new(hostname: impl Into<String>, budget: Budget) -> ServerOptions {
        ServerOptions {
            hostname: hostname.into(),
            allow: Vec::new(),
            accounts: ArcSwapOption::empty(),
            logins: Logins::default(),
            xforward: Vec::new(),
            proxy_protocol: Vec::new(),
            max_size: ServerOptions::MAX_SIZE,
            tls: ArcSwapOption::empty(),
            budget,
            spill: None,
            limits: ServerLimits::default(),
            census: Census::default(),
        }
    }

    /// The largest mail that is taken now.
    fn size_limit(&self, next_hop: &Extensions) -> u64 {
        // One that never fits would be told to come later, for ever.
        let fits = self.budget.total().saturating_sub(session::READ_ROOM as u64);
        next_hop.size_limit(self.max_size).min(fits)
    }

    /// How much of a body is kept in memory.
    fn in_memory(&self) -> Option<u64> {
        self.spill.as_ref().map(|_| ServerOptions::IN_MEMORY)
    }

    /// Sessions that are open now.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.census.total()
    }
}

/// Connections that wait to be accepted: 128, the usual backlog, lost connections at 200 new sessions a second.
pub const BACKLOG: u32 = 4096;

/// After a failed accept (mostly: no file descriptor left) the next is tried so much later, instead of at once and for ever.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A refusal that is not written at once never will be.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

const NOT_ALLOWED: Reply = Reply::fixed(554, Enhanced(5, 7, 1), "You are not among those who may send mail here");
const TOO_MANY_SESSIONS: Reply = Reply::fixed(421, Enhanced(4, 7, 0), "Too many connections, please try again later");

/// Opens a listener with a backlog of [`BACKLOG`].
///
/// # Errors
/// The system's: the address is in use, or not ours.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    // A restart must not wait for the connections of its former life.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` says true (or its sender is gone), then drains: no new sessions, idle ones hear 421, mails in flight get
/// [`ServerLimits::drain_time`].
pub async fn serve<S: Service>(listener: TcpListener, options: Arc<ServerOptions>, service: Arc<S>, mut shutdown: watch::Receiver<bool>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stopping(&mut shutdown) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => match admit(address, &options) {
                    Ok(Admission::Session(right, seat)) => {
                        let peer = Peer { address };
                        let session = connection::run(stream, peer, right, options.clone(), service.clone(), shutdown.clone());
                        sessions.spawn(async move {
                            session.await;
                            drop(seat);
                        });
                    }
                    Ok(Admission::Balancer(seat)) => {
                        sessions.spawn(proxied(stream, address, seat, options.clone(), service.clone(), shutdown.clone()));
                    }
                    Err(reply) => {
                        sessions.spawn(refuse(stream, address, reply));
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "smtp: no connection can be accepted; is the limit of open files too low?");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = sessions.join_next() => {}
        }
    }
    drop(listener);
    let drained = tokio::time::timeout(options.limits.drain_time, async { while sessions.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(sessions = sessions.len(), "smtp: sessions were cut off; their clients keep the mail");
    }
}

/// What a new connection is.
enum Admission {
    /// A client's.
    Session(Right, Seat),
    /// A balancer's: whose, its header will say.
    Balancer(Seat),
}

/// A place for a connection of `address`, or why there is none.
fn admit(address: SocketAddr, options: &ServerOptions) -> Result<Admission, Reply> {
    if options.proxy_protocol.iter().any(|network| network.contains(address.ip())) {
        return options.census.standing(&options.limits).map(Admission::Balancer).ok_or(TOO_MANY_SESSIONS);
    }
    let right = right(address, options)?;
    let seat = options.census.seat(address.ip(), right, &options.limits).ok_or(TOO_MANY_SESSIONS)?;
    Ok(Admission::Session(right, seat))
}

/// By what right a client of `address` could send, if by any.
fn right(address: SocketAddr, options: &ServerOptions) -> Result<Right, Reply> {
    if options.allow.iter().any(|network| network.contains(address.ip())) {
        return Ok(Right::Address);
    }
    // Without TLS nobody can prove an account.
    let accounts = options.accounts.load().is_some() && options.tls.load().is_some();
    if accounts { Ok(Right::Account) } else { Err(NOT_ALLOWED) }
}

/// A connection that came by a balancer: its client is the one that the header names.
async fn proxied<S: Service>(
    mut stream: TcpStream,
    balancer: SocketAddr,
    mut seat: Seat,
    options: Arc<ServerOptions>,
    service: Arc<S>,
    shutdown: watch::Receiver<bool>,
) {
    let header = tokio::time::timeout(options.limits.proxy_time, proxy::read(&mut stream)).await;
    let Ok(Ok(source)) = header else {
        tracing::warn!(peer = %balancer.ip(), "smtp: a balancer sent no header of the PROXY protocol, closing");
        return;
    };
    let address = source.unwrap_or(balancer);
    let settled = right(address, &options).and_then(|right| match seat.settle(address.ip(), right, &options.limits) {
        true => Ok(right),
        false => Err(TOO_MANY_SESSIONS),
    });
    match settled {
        Ok(right) => Box::pin(connection::run(stream, Peer { address }, right, options, service, shutdown)).await,
        Err(reply) => refuse(stream, address, reply).await,
    }
    drop(seat);
}

/// Says why and hangs up. The first octets on a connection fit into its buffer, so this takes no time.
async fn refuse(mut stream: TcpStream, address: SocketAddr, reply: Reply) {
    tracing::info!(peer = %address.ip(), %reply, "smtp: refused");
    let mut octets = Vec::new();
    reply.write(&mut octets);
    let _ = tokio::time::timeout(REFUSAL_TIME, async {
        stream.write_all(&octets).await?;
        stream.shutdown().await
    })
    .await;
}

/// Ready once zegel is told to stop.
async fn stopping(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}
