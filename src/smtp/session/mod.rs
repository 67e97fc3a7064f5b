//! One conversation with a client, without a socket: octets go in, [`Step`]s and replies come out.
//!
//! `Greeted -> EHLO -> (TLS) -> MAIL -> RCPT+ -> DATA or BDAT+ -> judged -> ...`; [`super::server`] does what each step asks for. Nothing here
//! waits or reads a clock, so every order of octets and answers can be tried in a test.

mod auth;
mod body;
mod chunk;
mod commands;
mod line;
mod offer;
#[cfg(test)]
mod tests;

use super::{
    auth::Credentials,
    command::EnvelopeCommand,
    reply::{Enhanced, Reply},
    tls::TlsFacts,
    trace::Received,
    xforward::Forwarded,
};
use auth::Exchange;
use body::Body;
use chunk::Chunk;
use line::Lines;
use std::net::IpAddr;

pub use body::READ_ROOM;
pub use chunk::DISCARDED_CHUNK;
pub use offer::{Offer, Right};

/// RFC 5321, 4.5.3.1.8 asks for at least 100; Exchange and Postfix split what has more than 1000.
pub const RECIPIENTS: usize = 1000;
/// A client that makes so many mistakes in one session is broken or hostile. A mail that is accepted clears them.
pub const ERRORS: u32 = 20;
/// So many commands without a mail (NOOP, RSET, EHLO, VRFY) are fine; each further one counts as an error. Postfix allows 100 as well.
pub const IDLE_COMMANDS: u32 = 100;

/// What the session needs next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send [`Session::output`], then read: [`Session::input`]. During a body, [`Session::is_in_body`], other time-outs hold.
    Read,
    /// Ask the handler: [`Session::answered`].
    Envelope(Vec<EnvelopeCommand>),
    /// The client should be silent: give what it has sent all the same to [`Session::input`], then [`Session::listened`].
    Listen,
    /// Room for so many octets before the body may come: [`Session::room`].
    Room(u64),
    /// Room for so many octets in all, before the body may go on: [`Session::room`].
    Grow(u64),
    /// The body is to be moved out of memory: [`Session::take_to_spill`], then [`Session::spilled`].
    Spill,
    /// A mail was received: [`Session::take_body`], hand it to the handler, then [`Session::judged`].
    Message(Received),
    /// The transaction was given up: tell the handler, then go on.
    Reset,
    /// Send the output, then speak TLS; then [`Session::secured`].
    StartTls,
    /// Check this, then [`Session::authenticated`].
    Authenticate(Credentials),
    /// Send the output and close the connection.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Commands are read.
    Commands,
    /// DATA was said; the client must be silent until it hears our answer.
    Data,
    /// Room for the body is awaited.
    Room,
    /// The body is read, or one chunk of it.
    Body,
    /// The handler has commands or a mail, and its answer is awaited.
    Asked,
    /// STARTTLS was answered with 220.
    Securing,
    /// AUTH was answered with a challenge; the next line answers it.
    Exchange,
    /// Name and password are to be checked, or are being checked.
    Checking,
    /// The last reply was said.
    Closed,
}

/// What MAIL has begun.
#[derive(Debug)]
struct Transaction {
    size: Option<u64>,
    eight_bit: bool,
    utf8: bool,
    /// RCPT commands handed over.
    told: usize,
    /// Those that were accepted.
    accepted: usize,
}

/// One reply of a group of MAIL and RCPT: known already, or for the handler to give.
#[derive(Debug)]
enum Slot {
    Ours(Reply),
    Mail,
    Rcpt,
}

/// One conversation.
#[derive(Debug)]
pub struct Session {
    offer: Offer,
    peer: IpAddr,
    phase: Phase,
    helo: Option<String>,
    extended: bool,
    tls: Option<TlsFacts>,
    /// The account that the client has proved.
    account: Option<String>,
    exchange: Option<Exchange>,
    credentials: Option<Credentials>,
    /// Wrong passwords.
    failures: u32,
    /// Whose mail the client passes on, as it says.
    forwarded: Option<Forwarded>,
    transaction: Option<Transaction>,
    /// Kept between the chunks of a mail too.
    body: Option<Body>,
    chunk: Option<Chunk>,
    /// The last chunk was refused, and it was not the last of its mail.
    chunks_given_up: bool,
    lines: Lines,
    output: Vec<u8>,
    /// The group that is being collected: what goes to the handler, and a slot for every reply.
    asked: Vec<EnvelopeCommand>,
    slots: Vec<Slot>,
    errors: u32,
    idle_commands: u32,
    reset_due: bool,
}

const EARLY: Reply = Reply::fixed(503, Enhanced(5, 5, 0), "Commands were sent before their time, closing");
const HELLO_FIRST: Reply = Reply::fixed(503, Enhanced(5, 5, 1), "Send EHLO first");
const NOT_IMPLEMENTED: Reply = Reply::fixed(502, Enhanced(5, 5, 1), "Command not implemented");
const OUT_OF_ORDER: Reply = Reply::fixed(503, Enhanced(5, 5, 1), "Bad sequence of commands");
const MAIL_FIRST: Reply = Reply::fixed(503, Enhanced(5, 5, 1), "Send MAIL first");
const NO_RECIPIENTS: Reply = Reply::fixed(554, Enhanced(5, 5, 1), "No valid recipients");
const NO_ROOM: Reply = Reply::fixed(452, Enhanced(4, 3, 1), "No room for this message now, please try again later");
const GO_ON: &[u8] = b"354 End data with <CR><LF>.<CR><LF>\r\n";

impl Session {
    /// A session that greets its client.
    #[must_use]
    pub fn new(offer: Offer, peer: IpAddr) -> Session {
        let output = format!("220 {} ESMTP zegel\r\n", offer.hostname).into_bytes();
        Session {
            offer,
            peer,
            phase: Phase::Commands,
            helo: None,
            extended: false,
            tls: None,
            account: None,
            exchange: None,
            credentials: None,
            failures: 0,
            forwarded: None,
            transaction: None,
            body: None,
            chunk: None,
            chunks_given_up: false,
            lines: Lines::default(),
            output,
            asked: Vec::new(),
            slots: Vec::new(),
            errors: 0,
            idle_commands: 0,
            reset_due: false,
        }
    }

    /// Takes octets of the client, [`READ_ROOM`] of them at most.
    pub fn input(&mut self, octets: &[u8]) {
        let taken = match (&mut self.chunk, &mut self.body) {
            _ if self.phase != Phase::Body => 0,
            (Some(chunk), body) => chunk.take(octets, body.as_mut()),
            (None, Some(body)) => body.decode(octets),
            (None, None) => 0,
        };
        self.lines.push(&octets[taken..]);
    }

    /// What is to be sent; taken once.
    pub fn output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Whether a body is being received, or the next chunk of one is awaited.
    #[must_use]
    pub fn is_in_body(&self) -> bool {
        self.phase == Phase::Body || self.body.is_some()
    }

    /// Whether the client is between two transactions and silent: the moment to say goodbye.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Commands && self.transaction.is_none() && self.lines.is_empty()
    }

    /// Whether the handler holds an envelope that no mail has followed.
    #[must_use]
    pub fn has_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// How much room the body still needs: nothing once it is refused.
    #[must_use]
    pub fn room_held(&self) -> u64 {
        self.body.as_ref().map_or(0, Body::room_held)
    }

    /// Ends the session with a last reply.
    pub fn close(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
        self.lines = Lines::default();
        self.body = None;
        self.chunk = None;
        self.phase = Phase::Closed;
    }

    /// The client spoke before it was greeted, so it does not follow the protocol: it hears no greeting.
    pub fn spoke_first(&mut self) {
        self.output.clear();
        self.close(&EARLY);
    }

    /// What to do next.
    pub fn step(&mut self) -> Step {
        loop {
            if std::mem::take(&mut self.reset_due) {
                return Step::Reset;
            }
            let step = match self.phase {
                Phase::Commands => self.commands(),
                Phase::Data => Some(Step::Listen),
                Phase::Room => Some(Step::Room(self.first_room())),
                Phase::Body if self.chunk.is_some() => self.chunk_step(),
                Phase::Body => Some(self.body_step()),
                Phase::Securing => Some(Step::StartTls),
                Phase::Exchange => self.exchange_step(),
                Phase::Checking if self.credentials.is_some() => self.credentials.take().map(Step::Authenticate),
                Phase::Closed => Some(Step::Close),
                Phase::Asked | Phase::Checking => {
                    // No answer was given: a fault of ours. The mail stays with the client.
                    self.close(&Reply::TRY_LATER);
                    Some(Step::Close)
                }
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// The handler's replies to the commands of [`Step::Envelope`], one each.
    pub fn answered(&mut self, replies: Vec<Reply>) {
        self.phase = Phase::Commands;
        let mut replies = replies.into_iter();
        for slot in std::mem::take(&mut self.slots) {
            let reply = match slot {
                Slot::Ours(reply) => reply,
                Slot::Mail => {
                    let reply = outcome(replies.next());
                    if !reply.is_positive() {
                        self.transaction = None;
                        self.forwarded = None;
                    }
                    reply
                }
                Slot::Rcpt => match (outcome(replies.next()), &mut self.transaction) {
                    (reply, Some(transaction)) => {
                        transaction.accepted += usize::from(reply.is_positive());
                        reply
                    }
                    // Its MAIL was refused in the same group.
                    (reply, None) if reply.is_positive() => MAIL_FIRST,
                    (reply, None) => reply,
                },
            };
            reply.write(&mut self.output);
        }
    }

    /// After [`Step::Listen`]: whatever the client sent is in the input.
    pub fn listened(&mut self) {
        self.phase = Phase::Commands;
        match &self.transaction {
            _ if !self.lines.is_empty() => self.close(&EARLY),
            // RFC 3030, 2: a mail comes by DATA or by BDAT.
            _ if self.body.is_some() => self.fault(&OUT_OF_ORDER),
            None => self.fault(&MAIL_FIRST),
            Some(transaction) if transaction.accepted == 0 => self.fault(&NO_RECIPIENTS),
            Some(_) => self.phase = Phase::Room,
        }
    }

    /// How much room the body has now, after [`Step::Room`] or [`Step::Grow`]; `None` when there was none to be had.
    pub fn room(&mut self, given: Option<u64>) {
        match (self.phase, given, &self.transaction) {
            (Phase::Body, _, _) => {
                if let Some(body) = &mut self.body {
                    body.room(given);
                }
            }
            (_, Some(room), Some(transaction)) => {
                self.body = Some(Body::new(self.announced(), self.offer.max_size, self.offer.in_memory, transaction.eight_bit, room));
                if self.chunk.is_none() {
                    self.output.extend_from_slice(GO_ON);
                }
                self.phase = Phase::Body;
            }
            _ if self.chunk.is_some() => self.refuse_chunk(),
            _ => {
                NO_ROOM.write(&mut self.output);
                self.phase = Phase::Commands;
            }
        }
    }

    /// Whether something of the body can be moved out of memory, instead of giving it more room.
    #[must_use]
    pub fn can_spill(&self) -> bool {
        self.body.as_ref().is_some_and(Body::can_spill)
    }

    /// What there is of the body in memory, to be moved elsewhere.
    pub fn take_to_spill(&mut self) -> Vec<u8> {
        self.body.as_mut().map(Body::take).unwrap_or_default()
    }

    /// What was taken has been moved but for `rest`, its end; or, unless `moved`, `rest` could not be, and what is still to come stays in memory.
    pub fn spilled(&mut self, rest: Vec<u8>, moved: bool) {
        if let Some(body) = &mut self.body {
            body.spilled(rest, moved);
        }
    }

    /// The octets of the mail of [`Step::Message`], without what was moved elsewhere.
    pub fn take_body(&mut self) -> Vec<u8> {
        self.body.take().map(Body::into_octets).unwrap_or_default()
    }

    /// The handler's reply to the mail of [`Step::Message`].
    pub fn judged(&mut self, reply: Reply) {
        if reply.is_positive() {
            self.errors = 0;
            self.idle_commands = 0;
        }
        outcome(Some(reply)).write(&mut self.output);
        self.phase = Phase::Commands;
    }

    /// TLS is spoken from now on: RFC 3207, 4.2 wants everything forgotten that was said before.
    pub fn secured(&mut self, tls: TlsFacts) {
        self.offer.starttls = false;
        self.tls = Some(tls);
        self.helo = None;
        self.extended = false;
        self.forwarded = None;
        self.lines = Lines::default();
        self.phase = Phase::Commands;
    }

    /// The body is being read: more of it, more room for it, or its end.
    fn body_step(&mut self) -> Step {
        let Some(body) = &self.body else { return Step::Close };
        if body.has_ended() { self.body_ended() } else { body.step().unwrap_or(Step::Read) }
    }

    /// The body was read to its end, or to the end of a chunk that is refused: it is a mail, or the client hears why not.
    fn body_ended(&mut self) -> Step {
        let transaction = self.transaction.take();
        let refusal = self.body.as_ref().and_then(Body::refusal);
        if let Some(reply) = refusal {
            self.body = None;
            self.forwarded = None;
            reply.write(&mut self.output);
            self.phase = Phase::Commands;
            return Step::Reset;
        }
        self.phase = Phase::Asked;
        Step::Message(Received {
            helo: self.helo.clone().unwrap_or_default(),
            peer: self.peer,
            extended: self.extended,
            utf8: transaction.is_some_and(|t| t.utf8),
            tls: self.tls.clone(),
            account: self.account.clone(),
            client: self.forwarded.take().map(|client| client.to_string()),
            long_lines: self.body.as_ref().map_or(0, Body::long_lines),
        })
    }
}

fn outcome(reply: Option<Reply>) -> Reply {
    // Only 2yz, 4yz and 5yz answer MAIL, RCPT and the final dot.
    reply.filter(|r| !r.is_intermediate()).map_or(Reply::TRY_LATER, Reply::relayed)
}
