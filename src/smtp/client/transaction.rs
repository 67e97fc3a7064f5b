//! One mail on one route: MAIL, RCPT, DATA or BDAT.

use super::{
    super::{codec, command::EnvelopeCommand, reply::Reply, spill::Content},
    Body, ClientOptions, Failure, Pool, Protocol, Route,
    body::{self, Framing, Looked, Slices, Spill},
    connection::Connection,
    envelope::{self, Progress},
    remedy,
};
use std::sync::Arc;
use tokio::time::{Instant, timeout, timeout_at};

/// Commands sent at once. More would need reading while writing: if nobody reads, both sides' buffers fill up (RFC 2920, 3.1).
const GROUP: usize = 100;

/// One mail to a host of a route, or the attempt: its connection goes back to the pool when it is over.
///
/// It remembers what was accepted. If the connection is lost before the body, once, a fresh one hears it again, and must accept it again;
/// then, likewise, each host behind the first.
#[derive(Debug)]
pub struct Transaction {
    route: Arc<Route>,
    /// Which of its hosts we are at.
    at: usize,
    connection: Option<Connection>,
    /// What the next hop has accepted, in order.
    accepted: Vec<EnvelopeCommand>,
    /// Whether a lost connection was replaced already.
    replaced: bool,
}

impl Transaction {
    pub(super) fn new(route: Arc<Route>, at: usize, connection: Connection) -> Transaction {
        Transaction { route, at, connection: Some(connection), accepted: Vec::new(), replaced: false }
    }

    /// Tells the next hop, in one write if it can do that, and returns its replies: one each, in order.
    ///
    /// # Errors
    /// Nobody can say what the next hop has heard then; the transaction is over.
    pub async fn envelope(&mut self, commands: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        let Some(time) = self.pool().map(|p| p.options().envelope_time) else { return Err(Failure::Unreachable) };
        let replies = match timeout(time, self.tell(commands)).await.unwrap_or(Err(Failure::TIMEOUT)) {
            Ok(replies) => replies,
            Err(failure) => return Err(self.failed(failure)),
        };
        let accepted = commands.iter().zip(&replies).filter(|(_, reply)| reply.is_positive()).map(|(command, _)| command.clone());
        self.accepted.extend(accepted);
        Ok(replies.into_iter().map(told).collect())
    }

    async fn tell(&mut self, commands: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        if self.connection.is_none() {
            let (at, connection) = self.route.connection(0).await?;
            (self.at, self.connection) = (at, Some(connection));
        }
        loop {
            self.look_further(commands).await;
            match self.try_envelope(commands).await {
                Ok(replies) => return Ok(replies),
                Err(failure) => self.recover(failure).await?,
            }
        }
    }

    /// Where this host lacks what the mail asks for, goes on to the first one behind it that answers and has it. Without one it stays here, where
    /// our refusal says whether a later attempt could be better.
    async fn look_further(&mut self, commands: &[EnvelopeCommand]) {
        let Some(mail) = commands.first().filter(|_| self.accepted.is_empty()) else { return };
        if !self.connection.as_ref().is_some_and(|here| envelope::lacks(mail, here)) {
            return;
        }
        let mut from = self.at + 1;
        while let Ok((at, there)) = self.route.connection(from).await {
            if !envelope::lacks(mail, &there) {
                self.let_go();
                (self.at, self.connection) = (at, Some(there));
                return;
            }
            if let Some(pool) = self.route.host(at) {
                pool.put_back(there);
            }
            from = at + 1;
        }
    }

    /// Sends the mail, its octets being those of `parts` one after the other, and returns the next hop's reply: the one to its end, or a
    /// refusal before it. The transaction is over then.
    ///
    /// Until an octet of it has gone a lost connection may be replaced; after that nothing is ever sent twice.
    ///
    /// # Errors
    /// With `dot_sent` nobody knows whether the next hop has the mail. [`Failure::BareLineEnd`] before anything is sent.
    pub async fn data(&mut self, parts: &[&[u8]], deadline: Instant) -> Result<Reply, Failure> {
        if !codec::has_exact_line_ends(parts) {
            tracing::error!("smtp: a mail with a bare CR or LF was to be sent; this is a bug");
            self.let_go();
            return Err(Failure::BareLineEnd);
        }
        self.send(&mut Slices::of(parts), Looked::Before, deadline).await
    }

    /// The same for `content` as it was received, behind `header`; of a spilled one no more than a block is in memory at a time.
    ///
    /// # Errors
    /// As [`Transaction::data`]; [`Failure::Unreadable`] too when the disk does not give back what was spilled: the next hop has no mail then.
    pub async fn content(&mut self, header: &[u8], content: &Content, deadline: Instant) -> Result<Reply, Failure> {
        match content {
            Content::Memory(octets) => self.data(&[header, octets], deadline).await,
            Content::Spilled(spilled) => self.data_of(&mut Spill::behind(header, spilled), deadline).await,
        }
    }

    /// The same for a mail whose octets are not all in memory.
    ///
    /// # Errors
    /// As [`Transaction::data`]; [`Failure::BareLineEnd`] and [`Failure::Unreadable`] when some of it has gone: the next hop has no mail then.
    pub async fn data_of<B: Body>(&mut self, body: &mut B, deadline: Instant) -> Result<Reply, Failure> {
        self.send(body, Looked::OnTheWay, deadline).await
    }

    async fn send<B: Body>(&mut self, body: &mut B, looked: Looked, deadline: Instant) -> Result<Reply, Failure> {
        let framing = match timeout_at(deadline, self.ready()).await.unwrap_or(Err(Failure::TIMEOUT)) {
            Ok(Ready::For(framing)) => framing,
            Ok(Ready::Refused(reply)) => {
                self.let_go();
                return Ok(told(reply));
            }
            Err(failure) => return Err(self.failed(failure)),
        };
        let (Some(mut connection), Some(pool)) = (self.connection.take(), self.pool().cloned()) else { return Err(Failure::LOST) };
        self.forget();
        // Whatever came behind the 354 would be taken for the reply to the final dot.
        if !connection.is_settled() {
            return Err(Failure::LOST);
        }
        connection.mails += 1;
        let reply = body::transfer(&mut connection, body, framing, looked, deadline, pool.options()).await?;
        // A refusal may have been said before the dot was read; what the next hop took the rest for is its secret.
        if reply.is_positive() {
            pool.put_back(connection);
        } else {
            pool.dismiss(connection);
        }
        Ok(told(reply))
    }

    /// Gets so far that the next thing to send is the body.
    async fn ready(&mut self) -> Result<Ready, Failure> {
        loop {
            match self.say_data().await {
                Ok(ready) => return Ok(ready),
                Err(failure) => self.recover(failure).await?,
            }
        }
    }

    /// Gives up what was told so far; then another envelope may follow.
    pub async fn reset(&mut self) {
        let was_open = !self.accepted.is_empty();
        self.forget();
        if !was_open {
            return;
        }
        if let (Some(connection), Some(pool)) = (self.connection.take(), self.pool()) {
            self.connection = rset(connection, pool.options()).await;
        }
    }

    /// Gives the connection up: if the next hop has an envelope it hears RSET, in the background, and nobody gets the connection before.
    fn let_go(&mut self) {
        let was_open = !self.accepted.is_empty();
        self.forget();
        let (Some(connection), Some(pool)) = (self.connection.take(), self.pool().cloned()) else { return };
        if !was_open {
            pool.put_back(connection);
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Some(connection) = rset(connection, pool.options()).await {
                    pool.put_back(connection);
                }
            });
        }
    }

    fn forget(&mut self) {
        self.accepted.clear();
        self.replaced = false;
    }

    /// Finds a connection that may do better than the one that failed: a fresh one to the same host, once, then one to each host behind it.
    /// It has heard and accepted then what that one had.
    async fn recover(&mut self, mut failure: Failure) -> Result<(), Failure> {
        while self.advance(failure) {
            match self.replace().await {
                Ok(()) => return Ok(()),
                Err(why) => failure = why,
            }
        }
        Err(failure)
    }

    /// Where to try next, if anywhere. A host that answered nothing is not asked again, unless its connection came from the pool and may
    /// have died there unnoticed.
    fn advance(&mut self, failure: Failure) -> bool {
        let stale = self.connection.as_ref().is_some_and(|c| c.used);
        let again = !std::mem::replace(&mut self.replaced, true) && (failure == Failure::LOST || (failure == Failure::TIMEOUT && stale));
        if again {
            return true;
        }
        let elsewhere = matches!(failure, Failure::LOST | Failure::TIMEOUT | Failure::Unreachable | Failure::Tls);
        if !elsewhere || self.route.host(self.at + 1).is_none() {
            return false;
        }
        self.at += 1;
        tracing::warn!("smtp: {failure}; going on with the next one of the route");
        true
    }

    /// The transaction is over: nobody knows what state the connection is in.
    fn failed(&mut self, failure: Failure) -> Failure {
        self.connection = None;
        self.forget();
        failure
    }

    /// Replaces the connection and tells the new one what was accepted; only if it accepts all of it again may we go on, since our
    /// client was told so.
    async fn replace(&mut self) -> Result<(), Failure> {
        self.connection = None;
        let Some(pool) = self.pool().cloned() else { return Err(Failure::Unreachable) };
        self.connection = Some(pool.fresh().await?);
        let accepted = std::mem::take(&mut self.accepted);
        let replies = self.try_envelope(&accepted).await;
        self.accepted = accepted;
        if !replies?.iter().all(Reply::is_positive) {
            tracing::warn!("smtp: after a lost connection the next hop answers otherwise than before");
            self.let_go();
            return Err(Failure::Changed);
        }
        Ok(())
    }

    async fn try_envelope(&mut self, commands: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        let Some(pool) = self.route.host(self.at) else { return Err(Failure::Unreachable) };
        let Some(connection) = &mut self.connection else { return Err(Failure::LOST) };
        let has_mail = self.accepted.iter().any(|c| matches!(c, EnvelopeCommand::Mail { .. }));
        let recipients = self.accepted.len() - usize::from(has_mail);
        let mut progress = Progress { has_mail, recipients, elsewhere: self.route.elsewhere(self.at) };
        let group = if connection.extensions().pipelining && connection.protocol() == Protocol::Smtp { GROUP } else { 1 };
        let mut replies = Vec::with_capacity(commands.len());
        for commands in commands.chunks(group) {
            say_group(commands, &mut progress, connection, pool.options(), &mut replies).await?;
        }
        Ok(replies)
    }

    /// DATA, if the host needs it before the body.
    async fn say_data(&mut self) -> Result<Ready, Failure> {
        let Some(pool) = self.route.host(self.at) else { return Err(Failure::Unreachable) };
        let Some(connection) = &mut self.connection else { return Err(Failure::LOST) };
        if connection.extensions().chunking {
            // No 354 will prove that the connection is alive, so it is looked at: from here on nothing can be said again.
            return if connection.is_quiet().await { Ok(Ready::For(Framing::Chunk)) } else { Err(Failure::LOST) };
        }
        let reply = connection.command(b"DATA\r\n", pool.options()).await?;
        match reply.code() {
            354 => Ok(Ready::For(Framing::Dot)),
            421 => Err(Failure::LOST),
            // Neither yes nor no: it is out of step.
            _ if reply.is_positive() || reply.is_intermediate() => Err(Failure::LOST),
            _ => Ok(Ready::Refused(reply)),
        }
    }

    fn pool(&self) -> Option<&Arc<Pool>> {
        self.route.host(self.at)
    }
}

/// Whether the next hop waits for a body.
enum Ready {
    For(Framing),
    Refused(Reply),
}

/// The next hop's reply as our own, after the log has said what can be done about it.
fn told(reply: Reply) -> Reply {
    if !reply.is_positive() {
        let remedy = remedy::shown(&reply);
        if !remedy.is_empty() {
            tracing::warn!("smtp: the next hop says {}{remedy}", reply.code());
        }
    }
    reply.relayed()
}

/// Says a group of commands in one write, and adds a reply for each: the host's, or ours to what is not said to it.
async fn say_group(
    commands: &[EnvelopeCommand],
    progress: &mut Progress,
    connection: &mut Connection,
    options: &ClientOptions,
    replies: &mut Vec<Reply>,
) -> Result<(), Failure> {
    let mut octets = String::new();
    let mut said = 0;
    // What is refused is so whatever the host answers to the others: MAIL stands at the beginning, and takes its recipients with it.
    let mut ahead = *progress;
    for command in commands {
        if envelope::refusal(command, ahead, connection).is_none() {
            ahead.has_mail |= matches!(command, EnvelopeCommand::Mail { .. });
            envelope::write(command, connection, &mut octets);
            said += 1;
        }
    }
    if said > 0 {
        connection.commands(octets.as_bytes(), said, options).await?;
    }
    for command in commands {
        let is_mail = matches!(command, EnvelopeCommand::Mail { .. });
        let asked = Progress { has_mail: ahead.has_mail, ..*progress };
        if let Some(reply) = envelope::refusal(command, asked, connection) {
            replies.push(reply);
            continue;
        }
        let reply = connection.reply(options).await?;
        // A next hop that closes (421) answers nothing more; and 3yz is no answer to an envelope.
        if reply.code() == 421 || reply.is_intermediate() {
            return Err(Failure::LOST);
        }
        match (is_mail, reply.is_positive()) {
            (true, accepted) => progress.has_mail = accepted,
            (false, accepted) => progress.recipients += usize::from(accepted),
        }
        replies.push(reply);
    }
    Ok(())
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// The connection after RSET; none if it is of no further use.
async fn rset(mut connection: Connection, options: &ClientOptions) -> Option<Connection> {
    if !connection.is_settled() {
        return None;
    }
    match connection.command(b"RSET\r\n", options).await {
        Ok(reply) if reply.is_positive() => Some(connection),
        _ => None,
    }
}
