//! One connection: does what its [`Session`] asks for, step by step.

use super::{
    super::{
        auth::{Credentials, Verdict},
        budget::Permit,
        reply::{Enhanced, Reply},
        session::{Offer, Right, Session, Step},
        spill::{Content, Spill},
        stream::Stream,
    },
    Handler, Peer, ServerOptions, Service, stopping,
};
use bytes::Bytes;
use std::{
    future::{Future, poll_fn},
    io,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::spawn_blocking,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;

const SHUTTING_DOWN: Reply = Reply::fixed(421, Enhanced(4, 3, 2), "Closing for maintenance, please try again later");
const TIMED_OUT: Reply = Reply::fixed(421, Enhanced(4, 4, 2), "Timed out, closing");

/// How many octets are read from a client that goes on sending after our last reply.
const LINGER_OCTETS: usize = 1 << 20;

/// Serves one connection to its end.
pub(super) async fn run<S: Service>(
    stream: TcpStream,
    peer: Peer,
    right: Right,
    options: Arc<ServerOptions>,
    service: Arc<S>,
    shutdown: watch::Receiver<bool>,
) {
    // Replies are small and waited for: Nagle's algorithm would hold them back for a delayed ACK.
    let _ = stream.set_nodelay(true);
    let extensions = service.extensions();
    let offer = Offer {
        hostname: options.hostname.clone(),
        max_size: options.size_limit(&extensions),
        in_memory: options.in_memory(),
        eight_bit: extensions.eight_bit,
        utf8: extensions.utf8 && extensions.eight_bit,
        dsn: extensions.dsn,
        require_tls: extensions.require_tls,
        starttls: options.tls.load().is_some(),
        accounts: options.accounts.load_full(),
        right,
        xforward: options.xforward.iter().any(|network| network.contains(peer.address.ip())),
    };
    let handler = service.begin(&peer);
    let mut connection = Connection {
        stream: Some(Stream::Plain(stream)),
        session: Session::new(offer, peer.address.ip()),
        handler: Some(handler),
        permit: None,
        peer: peer.address.ip(),
        spill: None,
        options,
        shutdown,
        body_began: Instant::now(),
        in_body: false,
        command_began: Instant::now(),
        accepted_unsaid: false,
    };
    if let Err(error) = connection.converse().await {
        tracing::debug!(peer = %peer.address.ip(), %error, "smtp: connection lost");
    }
    connection.end().await;
    if connection.accepted_unsaid {
        tracing::warn!(peer = %peer.address.ip(), "smtp: the client left before it heard that its mail was accepted; it may send it again");
    }
}

struct Connection<H> {
    /// Gone only when a TLS handshake has failed.
    stream: Option<Stream>,
    session: Session,
    /// Gone only when it has panicked.
    handler: Option<H>,
    permit: Option<Permit>,
    peer: IpAddr,
    /// What was moved out of memory of the body that is being received.
    spill: Option<Spill>,
    options: Arc<ServerOptions>,
    shutdown: watch::Receiver<bool>,
    body_began: Instant,
    /// Whether what was read last belonged to a body.
    in_body: bool,
    command_began: Instant,
    /// A mail was accepted, and the client was not told yet.
    accepted_unsaid: bool,
}

impl<H: Handler> Connection<H> {
    /// Until the session closes, or the connection is lost.
    async fn converse(&mut self) -> io::Result<()> {
        if let Some(Ok(1..)) = self.stream()?.read_now(|_| {}).await {
            self.session.spoke_first();
        }
        loop {
            match self.session.step() {
                Step::Read => {
                    self.flush().await?;
                    self.read().await?;
                }
                Step::Envelope(commands) => {
                    let Some(handler) = &mut self.handler else { continue };
                    match unpanicked(Box::pin(handler.envelope(&commands))).await {
                        Some(replies) => self.session.answered(replies),
                        None => self.broken(),
                    }
                }
                Step::Listen => {
                    let session = &mut self.session;
                    let Some(stream) = &mut self.stream else { return Err(lost()) };
                    if let Some(Ok(0) | Err(_)) = stream.read_now(|octets| session.input(octets)).await {
                        return Err(lost());
                    }
                    session.listened();
                }
                Step::Room(octets) => {
                    self.permit = self.options.budget.reserve(octets, self.options.limits.room_time).await;
                    self.body_began = Instant::now();
                    self.in_body = true;
                    self.session.room(self.permit.as_ref().map(Permit::octets));
                }
                Step::Grow(octets) => self.grow(octets).await,
                Step::Spill => self.spill().await,
                Step::Message(received) => {
                    let message = self.message();
                    let Some(handler) = &mut self.handler else { continue };
                    match unpanicked(Box::pin(handler.data(message, received))).await {
                        Some(reply) => {
                            self.accepted_unsaid = reply.is_positive();
                            self.session.judged(reply);
                        }
                        None => self.broken(),
                    }
                }
                Step::Reset => {
                    self.let_go();
                    self.reset().await;
                }
                Step::Authenticate(credentials) => {
                    let verdict = self.check(credentials).await;
                    self.session.authenticated(verdict);
                }
                Step::StartTls => self.starttls().await?,
                Step::Close => return self.flush().await,
            }
        }
    }

    fn stream(&mut self) -> io::Result<&mut Stream> {
        self.stream.as_mut().ok_or_else(lost)
    }

    /// Sends what the session has to say, all of it in one write.
    async fn flush(&mut self) -> io::Result<()> {
        let output = self.session.output();
        if output.is_empty() {
            return Ok(());
        }
        let time = self.options.limits.write_time;
        timeout(time, self.stream()?.write_all(&output)).await??;
        self.accepted_unsaid = false;
        self.command_began = Instant::now();
        Ok(())
    }

    /// Waits for octets of the client, or for what makes waiting pointless.
    async fn read(&mut self) -> io::Result<()> {
        let limits = &self.options.limits;
        let in_body = self.session.is_in_body();
        if in_body && !std::mem::replace(&mut self.in_body, in_body) {
            // A chunk that is thrown away never asked for room.
            self.body_began = Instant::now();
        }
        self.in_body = in_body;
        let deadline = if in_body {
            (self.body_began + limits.body_time).min(Instant::now() + limits.block_time)
        } else {
            self.command_began + limits.command_time
        };
        let idle = self.session.is_idle();
        let session = &mut self.session;
        let Some(stream) = &mut self.stream else { return Err(lost()) };
        let read = tokio::select! {
            biased;
            () = stopping(&mut self.shutdown), if idle => None,
            read = timeout_at(deadline, stream.read(|octets| session.input(octets))) => Some(read),
        };
        match read {
            None => self.session.close(&SHUTTING_DOWN),
            Some(Err(_)) => self.session.close(&TIMED_OUT),
            Some(Ok(Ok(0))) => return Err(lost()),
            Some(Ok(read)) => {
                read?;
            }
        }
        if self.session.room_held() == 0 {
            self.let_go();
        }
        Ok(())
    }

    async fn grow(&mut self, octets: u64) {
        let given = match &mut self.permit {
            Some(permit) => {
                let more = octets.saturating_sub(permit.octets());
                let given = permit.grow_from_plenty(more);
                if !given && self.session.can_spill() {
                    // Others need the memory, or will: the disk costs less than waiting.
                    return self.spill().await;
                }
                (given || permit.grow(more, self.options.limits.room_time).await).then(|| permit.octets())
            }
            None => None,
        };
        self.session.room(given);
        if given.is_none() {
            self.let_go();
        }
    }

    /// Moves the body to a file, off the async threads. A disk that does not take it is no reason to refuse a mail: what is left stays in memory.
    async fn spill(&mut self) {
        let (mut octets, begun, folder) = (self.session.take_to_spill(), self.spill.take(), self.options.spill.clone());
        let writing = spawn_blocking(move || {
            let mut begun = begun;
            let outcome = match (&mut begun, folder) {
                (Some(spill), _) => spill.write(&mut octets),
                (None, None) => Err(io::ErrorKind::Unsupported.into()),
                (None, Some(folder)) => Spill::begin(&folder).and_then(|spill| begun.insert(spill).write(&mut octets)),
            };
            (begun, octets, outcome)
        });
        let Ok((begun, rest, outcome)) = writing.await else { return self.broken() };
        self.spill = begun;
        if let Err(error) = &outcome {
            tracing::warn!(%error, "smtp: a large mail stays in memory, since the disk does not take it");
        }
        self.session.spilled(rest, outcome.is_ok());
        if let Some(permit) = &mut self.permit {
            permit.shrink_to(self.session.room_held());
        }
    }

    /// The mail that was received; it holds its room from now on.
    fn message(&mut self) -> Content {
        let octets = self.session.take_body();
        let (permit, spill) = (self.permit.take(), self.spill.take());
        let memory = permit.as_ref().map(|permit| permit.budget().clone());
        let octets = match permit {
            Some(permit) => permit.hold(octets),
            None => Bytes::from(octets),
        };
        match (spill, memory) {
            (Some(spill), Some(memory)) => spill.end(octets, memory),
            _ => Content::Memory(octets),
        }
    }

    /// Whose name and password these are. The name stays out of the log unless it is one of ours: people type a password for it.
    async fn check(&mut self, credentials: Credentials) -> Verdict {
        let Some(accounts) = self.options.accounts.load_full() else { return Verdict::Wrong };
        let verdict = self.options.logins.check(accounts, credentials, self.peer, &self.options.limits.logins).await;
        match &verdict {
            Verdict::Account(account) => tracing::info!(peer = %self.peer, ?account, "smtp: authenticated"),
            Verdict::Wrong => tracing::info!(peer = %self.peer, "smtp: wrong name or password"),
            Verdict::TooMany => tracing::warn!(peer = %self.peer, "smtp: too many wrong passwords, nothing is checked for a while"),
            Verdict::Busy => tracing::warn!(peer = %self.peer, "smtp: no place to check a password"),
        }
        verdict
    }

    /// Gives back the room of a body.
    fn let_go(&mut self) {
        self.permit = None;
        self.spill = None;
    }

    async fn starttls(&mut self) -> io::Result<()> {
        self.flush().await?;
        let (Some(config), Some(Stream::Plain(stream))) = (self.options.tls.load_full(), self.stream.take()) else { return Err(lost()) };
        let handshake = TlsAcceptor::from(config).accept(stream);
        let stream = timeout(self.options.limits.handshake_time, Box::pin(handshake)).await??;
        let stream = Stream::Tls(Box::new(stream.into()));
        if let Some(facts) = stream.tls() {
            self.session.secured(facts);
        }
        self.stream = Some(stream);
        self.command_began = Instant::now();
        Ok(())
    }

    /// The handler panicked: what it holds cannot be trusted any more.
    fn broken(&mut self) {
        self.handler = None;
        self.let_go();
        self.session.close(&Reply::TRY_LATER);
    }

    async fn reset(&mut self) {
        if let Some(handler) = &mut self.handler
            && unpanicked(Box::pin(handler.reset())).await.is_none()
        {
            self.broken();
        }
    }

    /// Lets go of everything; the client gets the time to read our last reply.
    async fn end(&mut self) {
        self.let_go();
        if self.session.has_transaction() {
            self.reset().await;
        }
        self.handler = None;
        let Some(mut stream) = self.stream.take() else { return };
        let _ = timeout(self.options.limits.linger_time, async {
            stream.shutdown().await?;
            let mut octets = 0;
            while octets < LINGER_OCTETS {
                match stream.read(|_| {}).await? {
                    0 => break,
                    n => octets += n,
                }
            }
            io::Result::Ok(())
        })
        .await;
    }
}

fn lost() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

/// The outcome of `future`, or `None` if it panicked: a panic is a bug in zegel, and the mail stays with the sender.
async fn unpanicked<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| std::pin::Pin::new(&mut future).poll(cx))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}
