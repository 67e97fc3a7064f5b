//! A next hop that keeps what it gets, octet by octet, and fails where it is told to.
//!
//! It shares no code with zegel's SMTP: what it captures is evidence.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

/// What the sink does where it is told to fail.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers this (CRLF is added) instead.
    Reply(String),
    /// Answers nothing, and waits for the client to go.
    Hang,
    /// Closes the connection without an answer.
    Drop,
    /// Answers this and closes.
    Last(String),
    /// Answers as usual, octet by octet.
    Slow,
}

/// A mail that the sink has taken with its final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sunk {
    /// The path of MAIL, without brackets.
    pub(crate) from: String,
    /// The paths of the accepted RCPTs.
    pub(crate) to: Vec<String>,
    /// The line of MAIL as it came.
    pub(crate) mail: String,
    /// The octets between 354 and the final dot as they came, dots doubled; or those of BDAT.
    pub(crate) wire: Vec<u8>,
    /// Whether they came by BDAT.
    pub(crate) chunked: bool,
    /// Whether it came over TLS.
    pub(crate) tls: bool,
}

impl Sunk {
    /// The octets, dots no longer doubled.
    pub(crate) fn octets(&self) -> Vec<u8> {
        if self.chunked {
            return self.wire.clone();
        }
        let text: Vec<&[u8]> = split(&self.wire);
        text.iter().flat_map(|line| line.strip_prefix(b".").unwrap_or(line)).copied().collect()
    }
}

/// Lines with their CRLF.
fn split(wire: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for end in (1..wire.len()).filter(|i| wire[i - 1..=*i] == *b"\r\n") {
        lines.push(&wire[start..=end]);
        start = end + 1;
    }
    lines.push(&wire[start..]);
    lines
}

/// Where a fault happens, and what it is. `at` is the beginning of a command line, or `CONNECT`, `BODY` (the first octets of a body) or
/// `DOT` (the mail counts as taken, with its final dot or the last octet of BDAT). The first so many times nothing happens, then `times` it does.
#[derive(Clone, Debug)]
struct Fault {
    at: String,
    act: Act,
    skip: usize,
    times: usize,
}

#[derive(Default)]
struct State {
    mails: Vec<Sunk>,
    commands: Vec<String>,
    connections: usize,
    hangs_ended: usize,
    hung_up: usize,
    resumed: usize,
    faults: Vec<Fault>,
    cut: Option<usize>,
    extensions: Vec<String>,
}

/// A next hop.
#[derive(Clone)]
pub(crate) struct Sink {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    tls: Option<TlsAcceptor>,
    implicit: bool,
}

impl Sink {
    /// A sink with PIPELINING, 8BITMIME, SIZE and ENHANCEDSTATUSCODES.
    pub(crate) async fn start() -> Sink {
        Sink::launch(None, false).await
    }

    /// A sink that offers STARTTLS, or speaks TLS from the first octet.
    pub(crate) async fn with_tls(config: Arc<rustls::ServerConfig>, implicit: bool) -> Sink {
        Sink::launch(Some(config.into()), implicit).await
    }

    async fn launch(tls: Option<TlsAcceptor>, implicit: bool) -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut extensions =
            vec!["PIPELINING".to_owned(), "8BITMIME".to_owned(), "SIZE 104857600".to_owned(), "ENHANCEDSTATUSCODES".to_owned()];
        if tls.is_some() && !implicit {
            extensions.push("STARTTLS".to_owned());
        }
        let state = State { extensions, ..State::default() };
        let sink = Sink {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(state)),
            changed: Arc::new(Notify::new()),
            tls,
            implicit,
        };
        let accepting = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let sink = accepting.clone();
                sink.state.lock().unwrap().connections += 1;
                let left = sink.state.lock().unwrap().cut.unwrap_or(usize::MAX);
                tokio::spawn(async move {
                    if sink.implicit {
                        if let Ok(stream) = sink.tls.clone().unwrap().accept(stream).await {
                            sink.note(stream.get_ref().1);
                            let _ = sink.converse(Wire::new(stream, left), true, true).await;
                        }
                    } else if let Some(plain) = sink.converse(Wire::new(stream, left), false, true).await
                        && let Ok(stream) = sink.tls.clone().unwrap().accept(plain.stream).await
                    {
                        sink.note(stream.get_ref().1);
                        let _ = sink.converse(Wire::new(stream, left), true, false).await;
                    }
                });
            }
        });
        sink
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What EHLO is answered with, instead of the usual.
    pub(crate) fn offers(&self, extensions: &[&str]) {
        self.state.lock().unwrap().extensions = extensions.iter().map(|e| (*e).to_owned()).collect();
    }

    /// Fails at `at`, every time.
    pub(crate) fn fails(&self, at: &str, act: Act) {
        self.fails_times(at, act, 0, usize::MAX);
    }

    /// Fails at `at` so many `times`, after it was well so many times (`skip`).
    pub(crate) fn fails_times(&self, at: &str, act: Act, skip: usize, times: usize) {
        self.state.lock().unwrap().faults.push(Fault { at: at.to_owned(), act, skip, times });
    }

    /// Closes every connection behind so many octets of replies.
    pub(crate) fn cuts_off_after(&self, octets: usize) {
        self.state.lock().unwrap().cut = Some(octets);
    }

    /// All is well from now on.
    pub(crate) fn heals(&self) {
        self.state.lock().unwrap().faults.clear();
    }

    pub(crate) fn mails(&self) -> Vec<Sunk> {
        self.state.lock().unwrap().mails.clone()
    }

    /// Every command line so far, over all connections.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.state.lock().unwrap().commands.clone()
    }

    fn note(&self, tls: &rustls::ServerConnection) {
        self.state.lock().unwrap().resumed += usize::from(tls.handshake_kind() == Some(rustls::HandshakeKind::Resumed));
    }

    /// TLS connections that went on with the session of an earlier one.
    pub(crate) fn resumed(&self) -> usize {
        self.state.lock().unwrap().resumed
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Waits until a command that begins so was heard.
    pub(crate) async fn wait_for_command(&self, command: &str) {
        self.until(|state| state.commands.iter().any(|c| c.starts_with(command))).await;
    }

    /// Waits until a mail for `to` was taken.
    pub(crate) async fn wait_for_mail_to(&self, to: &str) {
        self.until(|state| state.mails.iter().any(|m| m.to.iter().any(|t| t == to))).await;
    }

    /// Waits until a client has left a connection that hung.
    pub(crate) async fn wait_for_end_of_hang(&self) {
        self.until(|state| state.hangs_ended > 0).await;
    }

    /// Waits until a connection was closed behind a last answer.
    pub(crate) async fn wait_for_hang_up(&self) {
        self.until(|state| state.hung_up > 0).await;
    }

    async fn until(&self, done: impl Fn(&State) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if done(&self.state.lock().unwrap()) {
                return;
            }
            changed.await;
        }
    }

    fn fault(&self, at: &str) -> Option<Act> {
        let mut state = self.state.lock().unwrap();
        let fault = state.faults.iter_mut().find(|f| at.to_ascii_uppercase().starts_with(&f.at.to_ascii_uppercase()) && f.times > 0)?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.times -= 1;
        Some(fault.act.clone())
    }

    /// Does what a fault wants at `at`, or answers `usual`; `None` when the connection is over.
    async fn answer<S: AsyncRead + AsyncWrite + Unpin>(&self, wire: &mut Wire<S>, at: &str, usual: &str) -> Option<bool> {
        let fault = self.fault(at);
        let hangs = matches!(fault, Some(Act::Hang));
        let last = matches!(fault, Some(Act::Last(_)));
        let answer = wire.act(fault, usual).await;
        if last {
            let _ = wire.stream.shutdown().await;
            self.state.lock().unwrap().hung_up += 1;
            self.changed.notify_waiters();
        }
        if hangs {
            self.state.lock().unwrap().hangs_ended += 1;
            self.changed.notify_waiters();
        }
        answer
    }

    /// One conversation; gives the connection back when STARTTLS was agreed.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, mut wire: Wire<S>, tls: bool, greet: bool) -> Option<Wire<S>> {
        if greet {
            self.answer(&mut wire, "CONNECT", "220 sink.example ESMTP").await?;
        }
        let (mut from, mut mail, mut to) = (None, String::new(), Vec::new());
        loop {
            let line = wire.line().await?;
            self.state.lock().unwrap().commands.push(line.clone());
            self.changed.notify_waiters();
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let usual = match verb.as_str() {
                "EHLO" | "LHLO" => {
                    (from, to) = (None, Vec::new());
                    let mut lines = vec!["sink.example".to_owned()];
                    lines.extend(self.state.lock().unwrap().extensions.iter().filter(|e| !tls || *e != "STARTTLS").cloned());
                    let last = lines.len() - 1;
                    let lines: Vec<_> =
                        lines.iter().enumerate().map(|(i, l)| format!("250{}{l}", if i < last { '-' } else { ' ' })).collect();
                    lines.join("\r\n")
                }
                "MAIL" if from.is_some() => "503 5.5.1 nested".to_owned(),
                "RCPT" | "DATA" if from.is_none() => "503 5.5.1 MAIL first".to_owned(),
                "DATA" if to.is_empty() => "554 5.5.1 no recipients".to_owned(),
                "DATA" => "354 go on".to_owned(),
                "STARTTLS" => "220 2.0.0 ready".to_owned(),
                "QUIT" => "221 2.0.0 bye".to_owned(),
                _ => "250 2.0.0 ok".to_owned(),
            };
            if verb == "BDAT" {
                let transaction = (from.take()?, std::mem::take(&mut to), std::mem::take(&mut mail));
                self.chunk(&mut wire, &line, transaction, tls).await?;
                continue;
            }
            let positive = self.answer(&mut wire, &line, &usual).await?;
            match verb.as_str() {
                "MAIL" if positive && from.is_none() => (from, mail) = (Some(path(&line)), line),
                "RCPT" if positive && from.is_some() => to.push(path(&line)),
                "RSET" if positive => (from, to) = (None, Vec::new()),
                "STARTTLS" if positive => return Some(wire),
                "QUIT" => return None,
                "DATA" if positive && from.is_some() && !to.is_empty() => {
                    if let Some(act) = self.fault("BODY") {
                        wire.more().await;
                        match act {
                            Act::Reply(reply) | Act::Last(reply) => {
                                wire.say(&reply).await;
                            }
                            Act::Hang => while wire.more().await {},
                            Act::Drop | Act::Slow => {}
                        }
                        return None;
                    }
                    let octets = wire.body().await?;
                    let sunk = Sunk {
                        from: from.take()?,
                        to: std::mem::take(&mut to),
                        mail: std::mem::take(&mut mail),
                        wire: octets,
                        chunked: false,
                        tls,
                    };
                    self.sink(&mut wire, sunk).await?;
                }
                _ => {}
            }
        }
    }

    /// `BDAT n LAST`, the only form that is understood here, and its octets.
    async fn chunk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        wire: &mut Wire<S>,
        line: &str,
        (from, to, mail): (String, Vec<String>, String),
        tls: bool,
    ) -> Option<()> {
        let size = line.to_ascii_uppercase().strip_prefix("BDAT ")?.strip_suffix(" LAST")?.parse().ok()?;
        match self.fault("BODY") {
            Some(act) => {
                if wire.input.is_empty() {
                    wire.more().await;
                }
                wire.act(Some(act), "").await?;
                None
            }
            None => {
                let octets = wire.exactly(size).await?;
                self.sink(wire, Sunk { from, to, mail, wire: octets, chunked: true, tls }).await
            }
        }
    }

    /// The end of a mail. A refusal there is none; a connection that drops there has taken the mail, and nobody knows.
    async fn sink<S: AsyncRead + AsyncWrite + Unpin>(&self, wire: &mut Wire<S>, sunk: Sunk) -> Option<()> {
        let act = self.fault("DOT");
        if !matches!(&act, Some(Act::Reply(reply) | Act::Last(reply)) if !reply.starts_with('2')) {
            self.state.lock().unwrap().mails.push(sunk);
            self.changed.notify_waiters();
        }
        wire.act(act, "250 2.0.0 ok: queued as S1").await.map(|_| ())
    }
}

fn path(line: &str) -> String {
    let start = line.find('<').map_or(0, |i| i + 1);
    let end = line.rfind('>').unwrap_or(line.len());
    line[start..end].to_owned()
}

/// The octets of a connection.
struct Wire<S> {
    stream: S,
    input: Vec<u8>,
    /// Octets of replies until it is cut off.
    left: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    fn new(stream: S, left: usize) -> Wire<S> {
        Wire { stream, input: Vec::new(), left }
    }

    /// Says a reply, and whether it was 2yz or 3yz; `None` when nobody is there to hear it.
    async fn say(&mut self, reply: &str) -> Option<bool> {
        self.send(format!("{reply}\r\n").as_bytes()).await?;
        Some(reply.starts_with('2') || reply.starts_with('3'))
    }

    /// Sends octets, as far as they are not cut off.
    async fn send(&mut self, octets: &[u8]) -> Option<()> {
        let whole = octets.len() <= self.left;
        let octets = &octets[..octets.len().min(self.left)];
        self.left -= octets.len();
        self.stream.write_all(octets).await.ok()?;
        self.stream.flush().await.ok()?;
        whole.then_some(())
    }

    /// Does what a fault wants, or answers `usual`; `None` when the connection is over.
    async fn act(&mut self, act: Option<Act>, usual: &str) -> Option<bool> {
        match act {
            None => self.say(usual).await,
            Some(Act::Reply(reply)) => self.say(&reply).await,
            Some(Act::Last(reply)) => self.say(&reply).await.and(None),
            Some(Act::Drop) => None,
            Some(Act::Slow) => {
                for octet in format!("{usual}\r\n").into_bytes() {
                    self.send(&[octet]).await?;
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
                Some(usual.starts_with('2') || usual.starts_with('3'))
            }
            Some(Act::Hang) => {
                while self.more().await {}
                None
            }
        }
    }

    /// Reads on; false at the end.
    async fn more(&mut self) -> bool {
        let mut room = [0; 8192];
        match self.stream.read(&mut room).await {
            Ok(n) if n > 0 => {
                self.input.extend_from_slice(&room[..n]);
                true
            }
            _ => false,
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.input.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// So many octets.
    async fn exactly(&mut self, size: usize) -> Option<Vec<u8>> {
        while self.input.len() < size {
            if !self.more().await {
                return None;
            }
        }
        Some(self.input.drain(..size).collect())
    }

    /// The octets up to the final dot.
    async fn body(&mut self) -> Option<Vec<u8>> {
        let mut searched = 0;
        loop {
            if self.input.starts_with(b".\r\n") {
                self.input.drain(..3);
                return Some(Vec::new());
            }
            if let Some(end) = self.input[searched..].windows(5).position(|w| w == b"\r\n.\r\n") {
                let body: Vec<u8> = self.input.drain(..searched + end + 5).collect();
                return Some(body[..body.len() - 3].to_vec());
            }
            searched = self.input.len().saturating_sub(4);
            if !self.more().await {
                return None;
            }
        }
    }
}
