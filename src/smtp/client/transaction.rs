//! One mail to the next hop: MAIL, RCPT, DATA.

use super::{
    super::{
        codec::{self, Encoder, LineEnds},
        command::EnvelopeCommand,
        extensions::Extensions,
        reply::{Enhanced, Reply},
        spill::{Content, Spilled},
    },
    ClientOptions, Failure, Pool,
    connection::{Connection, Ending},
};
use std::{fmt::Write as _, sync::Arc};
use tokio::time::{Instant, timeout_at};

/// Commands sent at once. More would need reading while writing: if nobody reads, both sides' buffers fill up (RFC 2920, 3.1).
const GROUP: usize = 100;

/// Octets of a body that are encoded and sent at once.
const BLOCK: usize = 64 * 1024;

/// The next hop turned out not to take 8-bit bodies: we never re-encode (it breaks DKIM). The client sees it at its next EHLO.
const NO_8BITMIME: Reply = Reply::fixed(451, Enhanced(4, 6, 3), "The next mail server does not take 8-bit messages now");
const NO_MAIL: Reply = Reply::fixed(503, Enhanced(5, 5, 1), "Send MAIL first");

/// One mail to the next hop, or the attempt: its connection goes back to the pool when it is over.
///
/// It remembers what was accepted. If the connection is lost before DATA, once, a fresh one hears it again, and must accept it again.
#[derive(Debug)]
pub struct Transaction {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    /// What the next hop has accepted, in order.
    accepted: Vec<EnvelopeCommand>,
    /// Whether a lost connection was replaced already.
    replaced: bool,
}

impl Transaction {
    pub(super) fn new(pool: Arc<Pool>, connection: Connection) -> Transaction {
        Transaction { pool, connection: Some(connection), accepted: Vec::new(), replaced: false }
    }

    /// Tells the next hop, in one write if it can do that, and returns its replies: one each, in order.
    ///
    /// # Errors
    /// Nobody can say what the next hop has heard then; the transaction is over.
    pub async fn envelope(&mut self, commands: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        let replies = match self.try_envelope(commands).await {
            Err(failure) if self.may_repeat(failure) => {
                self.replace().await?;
                match self.try_envelope(commands).await {
                    Ok(replies) => replies,
                    Err(failure) => return Err(self.failed(failure)),
                }
            }
            Err(failure) => return Err(self.failed(failure)),
            Ok(replies) => replies,
        };
        let accepted = commands.iter().zip(&replies).filter(|(_, reply)| reply.is_positive()).map(|(command, _)| command.clone());
        self.accepted.extend(accepted);
        Ok(replies.into_iter().map(Reply::relayed).collect())
    }

    /// Sends the mail, its octets being those of `parts` one after the other, and returns the next hop's reply: the one to the final
    /// dot, or a refusal before it. The transaction is over then.
    ///
    /// Until 354 a lost connection may be replaced; after it nothing is ever sent twice.
    ///
    /// # Errors
    /// With `dot_sent` nobody knows whether the next hop has the mail. [`Failure::BareLineEnd`] before anything is sent.
    pub async fn data(&mut self, parts: &[&[u8]], deadline: Instant) -> Result<Reply, Failure> {
        self.send(&Source { parts, spilled: None }, deadline).await
    }

    /// As [`Transaction::data`]: sends `header` and behind it `content`, of which no more than a block is read into memory at a time.
    ///
    /// # Errors
    /// As [`Transaction::data`]; [`Failure::Lost`] too when the disk does not give back what was spilled: the next hop has seen no final dot then.
    pub async fn content(&mut self, header: &[u8], content: &Content, deadline: Instant) -> Result<Reply, Failure> {
        match content {
            Content::Memory(octets) => self.data(&[header, octets], deadline).await,
            Content::Spilled(spilled) => self.send(&Source { parts: &[header], spilled: Some(spilled) }, deadline).await,
        }
    }

    async fn send(&mut self, source: &Source<'_>, deadline: Instant) -> Result<Reply, Failure> {
        let parts = source.parts;
        if !codec::has_exact_line_ends(parts) {
            tracing::error!("smtp: a mail with a bare CR or LF was to be sent; this is a bug");
            self.let_go();
            return Err(Failure::BareLineEnd);
        }
        let said = match self.say_data(deadline).await {
            Err(failure) if self.may_repeat(failure) => {
                match timeout_at(deadline, self.replace()).await {
                    Ok(replaced) => replaced?,
                    Err(_) => return Err(self.failed(Failure::TIMEOUT)),
                }
                self.say_data(deadline).await
            }
            said => said,
        };
        match said {
            Ok(reply) if reply.code() == 354 => {}
            Ok(reply) if reply.is_positive() || reply.is_intermediate() => return Err(self.failed(Failure::LOST)),
            Ok(reply) => {
                self.let_go();
                return Ok(reply.relayed());
            }
            Err(failure) => return Err(self.failed(failure)),
        }
        let Some(mut connection) = self.connection.take() else { return Err(Failure::LOST) };
        self.forget();
        // Whatever came behind the 354 would be taken for the reply to the final dot.
        if !connection.is_settled() {
            return Err(Failure::LOST);
        }
        connection.mails += 1;
        let reply = transfer(&mut connection, source, deadline, self.pool.options()).await?;
        // A refusal may have been said before the dot was read; what the next hop took the rest for is its secret.
        if reply.is_positive() {
            self.pool.put_back(connection);
        } else {
            self.pool.dismiss(connection);
        }
        Ok(reply.relayed())
    }

    /// Gives up what was told so far; then another envelope may follow.
    pub async fn reset(&mut self) {
        let was_open = !self.accepted.is_empty();
        self.forget();
        if !was_open {
            return;
        }
        if let Some(connection) = self.connection.take() {
            self.connection = rset(connection, self.pool.options()).await;
        }
    }

    /// Gives the connection up: if the next hop has an envelope it hears RSET, in the background, and nobody gets the connection before.
    fn let_go(&mut self) {
        let was_open = !self.accepted.is_empty();
        self.forget();
        let Some(connection) = self.connection.take() else { return };
        if !was_open {
            self.pool.put_back(connection);
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let pool = self.pool.clone();
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

    /// Whether a fresh connection may help: the old one was lost, or it came from the pool and may have died there unnoticed.
    fn may_repeat(&self, failure: Failure) -> bool {
        let stale = self.connection.as_ref().is_some_and(|c| c.used);
        !self.replaced && (failure == Failure::LOST || (failure == Failure::TIMEOUT && stale))
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
        let accepted = std::mem::take(&mut self.accepted);
        self.connection = Some(self.pool.fresh().await?);
        self.replaced = true;
        let replies = match self.try_envelope(&accepted).await {
            Ok(replies) => replies,
            Err(failure) => return Err(self.failed(failure)),
        };
        if !replies.iter().all(Reply::is_positive) {
            tracing::warn!("smtp: after a lost connection the next hop answers otherwise than before");
            self.accepted = accepted;
            self.let_go();
            return Err(Failure::Changed);
        }
        self.accepted = accepted;
        Ok(())
    }

    async fn try_envelope(&mut self, commands: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        if self.connection.is_none() {
            self.connection = Some(self.pool.connection().await?);
        }
        let options = self.pool.options();
        let Some(connection) = &mut self.connection else { return Err(Failure::LOST) };
        let mut has_mail = self.accepted.iter().any(|c| matches!(c, EnvelopeCommand::Mail { .. }));
        let group = if connection.extensions().pipelining { GROUP } else { 1 };
        let mut replies = Vec::with_capacity(commands.len());
        for commands in commands.chunks(group) {
            let first_is_mail = matches!(commands.first(), Some(EnvelopeCommand::Mail { .. }));
            if let Some(reply) = refused_by_us(commands, has_mail, connection) {
                replies.extend(std::iter::repeat_n(reply, 1).chain(std::iter::repeat_n(NO_MAIL, commands.len() - 1)));
                continue;
            }
            let mut octets = String::new();
            for command in commands {
                write_command(command, connection, &mut octets);
            }
            connection.commands(octets.as_bytes(), commands.len(), options).await?;
            for at in 0..commands.len() {
                let reply = connection.reply(options).await?;
                // A next hop that closes (421) answers nothing more; and 3yz is no answer to an envelope.
                if reply.code() == 421 || reply.is_intermediate() {
                    return Err(Failure::LOST);
                }
                if at == 0 && first_is_mail {
                    has_mail = reply.is_positive();
                }
                replies.push(reply);
            }
        }
        Ok(replies)
    }

    async fn say_data(&mut self, deadline: Instant) -> Result<Reply, Failure> {
        let options = self.pool.options();
        let Some(connection) = &mut self.connection else { return Err(Failure::LOST) };
        let said = timeout_at(deadline, connection.command(b"DATA\r\n", options)).await;
        match said {
            Ok(Ok(reply)) if reply.code() == 421 => Err(Failure::LOST),
            Ok(said) => said,
            Err(_) => Err(Failure::TIMEOUT),
        }
    }
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

/// Why the first of `commands` is not even said; then the others of its group have no MAIL.
fn refused_by_us(commands: &[EnvelopeCommand], has_mail: bool, connection: &Connection) -> Option<Reply> {
    match commands.first()? {
        mail @ EnvelopeCommand::Mail { .. } => (mail.is_eight_bit() && !connection.extensions().eight_bit).then_some(NO_8BITMIME),
        EnvelopeCommand::Rcpt { .. } => (!has_mail).then_some(NO_MAIL),
    }
}

fn write_command(command: &EnvelopeCommand, connection: &Connection, to: &mut String) {
    let extensions: Extensions = connection.extensions();
    match command {
        EnvelopeCommand::Mail { from, parameters, size } => {
            let _ = write!(to, "MAIL FROM:<{}>", from.as_ref().map_or("", |address| address.as_str()));
            // BODY belongs to 8BITMIME; without it the body was declared 7BIT, which goes without saying.
            if extensions.eight_bit {
                to.push_str(parameters);
            }
            if let (Some(size), Some(_)) = (size, extensions.size) {
                let _ = write!(to, " SIZE={}", size.saturating_add(super::super::HEADER_ROOM));
            }
        }
        EnvelopeCommand::Rcpt { to: recipient, parameters } => {
            let _ = write!(to, "RCPT TO:<{recipient}>");
            if connection.is_extended() {
                to.push_str(parameters);
            }
        }
    }
    to.push_str("\r\n");
}

/// What is sent: octets in memory, and behind them those of a spill.
struct Source<'a> {
    parts: &'a [&'a [u8]],
    spilled: Option<&'a Arc<Spilled>>,
}

/// Sends the body and its final dot, and waits for the reply.
async fn transfer(connection: &mut Connection, source: &Source<'_>, deadline: Instant, options: &ClientOptions) -> Result<Reply, Failure> {
    let mut sending = Sending {
        connection,
        encoder: Encoder::default(),
        block: Vec::with_capacity(source.parts.iter().map(|p| p.len()).sum::<usize>().min(BLOCK) + 64),
        deadline,
        options,
    };
    for part in source.parts {
        if let Err(failure) = sending.octets(part).await {
            return refusal(sending.connection).await.ok_or(failure);
        }
    }
    if let Some(spilled) = source.spilled
        && let Err(failure) = sending.spilled(spilled).await
    {
        return refusal(sending.connection).await.ok_or(failure);
    }
    let Sending { connection, encoder, mut block, .. } = sending;
    encoder.end(&mut block);
    if let Err(failure) = send(connection, &block, Ending::Yes, deadline, options).await {
        return refusal(connection).await.ok_or(failure.after_dot());
    }
    match connection.reply_until(deadline).await {
        Ok(reply) if reply.is_intermediate() => Err(Failure::LOST.after_dot()),
        Ok(reply) => Ok(reply),
        Err(failure) => Err(failure.after_dot()),
    }
}

/// A body on its way, encoded block by block.
struct Sending<'a> {
    connection: &'a mut Connection,
    encoder: Encoder,
    block: Vec<u8>,
    deadline: Instant,
    options: &'a ClientOptions,
}

impl Sending<'_> {
    async fn octets(&mut self, octets: &[u8]) -> Result<(), Failure> {
        for piece in octets.chunks(BLOCK) {
            if !self.block.is_empty() && self.block.len() + piece.len() > BLOCK {
                send(self.connection, &self.block, Ending::No, self.deadline, self.options).await?;
                self.block.clear();
            }
            self.encoder.encode(piece, &mut self.block);
        }
        Ok(())
    }

    /// The decoder that took this body in has seen to its line ends; here it is only made sure of before they leave.
    async fn spilled(&mut self, spilled: &Arc<Spilled>) -> Result<(), Failure> {
        let mut ends = LineEnds::default();
        for number in 0.. {
            let piece = spilled.piece(number).await.map_err(|error| {
                tracing::error!(%error, "smtp: a large mail cannot be read back from the disk");
                Failure::LOST
            })?;
            let Some(piece) = piece else { break };
            if !ends.are_exact(&piece) {
                return Err(Failure::BareLineEnd);
            }
            self.octets(&piece).await?;
        }
        if ends.are_complete() { Ok(()) } else { Err(Failure::BareLineEnd) }
    }
}

async fn send(
    connection: &mut Connection,
    block: &[u8],
    ending: Ending,
    deadline: Instant,
    options: &ClientOptions,
) -> Result<(), Failure> {
    timeout_at(deadline, connection.body(block, ending, options)).await.unwrap_or(Err(Failure::TIMEOUT))
}

/// A next hop that has enough of a body says so and hangs up: then that is its reply, and it has no mail.
async fn refusal(connection: &mut Connection) -> Option<Reply> {
    let reply = connection.reply_until(Instant::now()).await.ok()?;
    if reply.is_positive() || reply.is_intermediate() { None } else { Some(reply) }
}
