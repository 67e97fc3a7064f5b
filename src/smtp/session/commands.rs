//! What each command does to the session.

use super::{
    super::{
        command::{BAD_CHUNK, Command, EnvelopeCommand},
        reply::{Enhanced, Reply},
    },
    EARLY, ERRORS, HELLO_FIRST, IDLE_COMMANDS, MAIL_FIRST, NOT_IMPLEMENTED, OUT_OF_ORDER, Phase, RECIPIENTS, Session, Slot, Step,
    Transaction,
    body::TOO_LARGE,
    line::Line,
};
use zeroize::Zeroizing;

pub(super) const LF_ONLY: Reply = Reply::fixed(500, Enhanced(5, 5, 2), "Lines must end in CR LF, closing");
const LINE_TOO_LONG: Reply = Reply::fixed(500, Enhanced(5, 5, 2), "Line too long");
const TOO_MANY_RECIPIENTS: Reply = Reply::fixed(452, Enhanced(4, 5, 3), "Too many recipients, send the rest in another mail");
const TOO_MANY_ERRORS: Reply = Reply::fixed(421, Enhanced(4, 7, 0), "Too many errors, closing");
const READY_FOR_TLS: Reply = Reply::fixed(220, Enhanced(2, 0, 0), "Ready to start TLS");
const NO_XFORWARD: Reply = Reply::fixed(550, Enhanced(5, 7, 1), "You are not among those who may speak for others");
const HELP: Reply = Reply::fixed(214, Enhanced(2, 0, 0), "RFC 5321");
const NOT_VERIFIED: Reply = Reply::fixed(252, Enhanced(2, 0, 0), "Send some mail, and the next mail server will tell");
const BYE: Reply = Reply::fixed(221, Enhanced(2, 0, 0), "Bye");

impl Session {
    /// Reads lines until something is to be done. MAIL and RCPT that came together are collected, so that the next hop hears them
    /// together; any other command, and a fault that ends the session, waits until their replies are there. `None`: look at the phase.
    pub(super) fn commands(&mut self) -> Option<Step> {
        loop {
            let command = match self.lines.front() {
                Line::Incomplete if self.slots.is_empty() => return Some(Step::Read),
                Line::Incomplete => return Some(self.ask()),
                Line::Broken => Err(LF_ONLY),
                Line::TooLong => Err(LINE_TOO_LONG),
                Line::Whole(line) => Command::parse(&Zeroizing::new(line)),
            };
            let belongs_to_group = match &command {
                Ok(Command::Envelope(EnvelopeCommand::Rcpt { .. })) => true,
                Ok(_) => false,
                Err(reply) => !ends_session(reply) && self.errors + 1 < ERRORS,
            };
            if !self.slots.is_empty() && !belongs_to_group {
                return Some(self.ask());
            }
            match command {
                Err(reply) if ends_session(&reply) => self.close(&reply),
                Err(reply) => {
                    self.lines.advance();
                    self.fault(&reply);
                }
                Ok(command) => {
                    if matches!(command, Command::Auth { .. }) {
                        self.lines.advance_wiping();
                    } else {
                        self.lines.advance();
                    }
                    self.command(command);
                }
            }
            if self.phase != Phase::Commands || self.reset_due {
                return None;
            }
        }
    }

    /// Hands the collected group over.
    fn ask(&mut self) -> Step {
        self.phase = Phase::Asked;
        Step::Envelope(std::mem::take(&mut self.asked))
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Ehlo(name) => self.hello(name, true),
            Command::Helo(name) => self.hello(name, false),
            Command::Envelope(command @ EnvelopeCommand::Mail { .. }) => self.mail(command),
            Command::Envelope(command @ EnvelopeCommand::Rcpt { .. }) => self.rcpt(command),
            Command::Data => self.phase = Phase::Data,
            Command::Rset => {
                self.forget_transaction();
                self.idle(&Reply::OK);
            }
            Command::Noop => self.idle(&Reply::OK),
            Command::Help => self.idle(&HELP),
            Command::Vrfy => self.idle(&NOT_VERIFIED),
            Command::StartTls => self.starttls(),
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial),
            Command::XForward(attributes) => self.xforward(&attributes),
            Command::Quit => self.close(&BYE),
            Command::Bdat { octets, last } => self.bdat(octets, last),
            Command::NotImplemented => self.fault(&NOT_IMPLEMENTED),
        }
    }

    /// EHLO and HELO (RFC 5321, 4.1.1.1): the last command of a group, and a reset.
    fn hello(&mut self, name: String, extended: bool) {
        if !self.lines.is_empty() {
            return self.close(&EARLY);
        }
        self.forget_transaction();
        if self.helo.replace(name).is_some() {
            self.idle_commands += 1;
        }
        self.extended = extended;
        if extended {
            self.write_offer();
        } else {
            self.output.extend_from_slice(format!("250 {}\r\n", self.offer.hostname).as_bytes());
        }
    }

    fn mail(&mut self, command: EnvelopeCommand) {
        let (eight_bit, utf8) = (command.is_eight_bit(), command.is_utf8());
        let EnvelopeCommand::Mail { ref from, size, .. } = command else { return };
        if self.helo.is_none() {
            self.fault(&HELLO_FIRST);
        } else if self.transaction.is_some() {
            self.fault(&OUT_OF_ORDER);
        } else if let Some(reply) = self.no_right(from.as_ref()) {
            self.fault(&reply);
        } else if size.is_some_and(|size| size > self.offer.max_size) {
            TOO_LARGE.write(&mut self.output);
        } else if let Some(reply) = self.not_offered(&command, utf8) {
            self.fault(&reply);
        } else {
            self.chunks_given_up = false;
            self.transaction = Some(Transaction { size, eight_bit, utf8, told: 0, accepted: 0 });
            self.slots.push(Slot::Mail);
            self.asked.push(command);
        }
    }

    fn rcpt(&mut self, command: EnvelopeCommand) {
        let utf8 = self.transaction.as_ref().is_some_and(|t| t.utf8);
        let not_offered = self.not_offered(&command, utf8);
        match &mut self.transaction {
            None => self.fault(&MAIL_FIRST),
            // Its first chunk has come, so its recipients are known.
            Some(_) if self.body.is_some() => self.fault(&OUT_OF_ORDER),
            Some(transaction) if transaction.told >= RECIPIENTS => self.reply(&TOO_MANY_RECIPIENTS),
            Some(transaction) => match not_offered {
                Some(reply) => self.fault(&reply),
                None => {
                    transaction.told += 1;
                    self.slots.push(Slot::Rcpt);
                    self.asked.push(command);
                }
            },
        }
    }

    /// STARTTLS (RFC 3207). What is buffered behind it was sent in clear, perhaps by somebody in between who wants it to count as
    /// protected: it is thrown away, and the session with it.
    fn starttls(&mut self) {
        if !self.lines.is_empty() {
            self.close(&EARLY);
        } else if self.tls.is_some() || self.transaction.is_some() {
            self.fault(&OUT_OF_ORDER);
        } else if !self.offer.starttls {
            self.fault(&NOT_IMPLEMENTED);
        } else if self.helo.is_none() {
            self.fault(&HELLO_FIRST);
        } else {
            READY_FOR_TLS.write(&mut self.output);
            self.phase = Phase::Securing;
        }
    }

    fn xforward(&mut self, attributes: &str) {
        if !self.offer.xforward {
            self.fault(&NO_XFORWARD);
        } else if self.transaction.is_some() {
            self.fault(&OUT_OF_ORDER);
        } else {
            match self.forwarded.get_or_insert_default().update(attributes) {
                Ok(()) => self.reply(&Reply::OK),
                Err(reply) => self.fault(&reply),
            }
        }
    }

    pub(super) fn forget_transaction(&mut self) {
        self.forwarded = None;
        self.body = None;
        self.chunks_given_up = false;
        self.reset_due |= self.transaction.take().is_some();
    }

    /// Says `reply`, behind those of the group that is being collected.
    pub(super) fn reply(&mut self, reply: &Reply) {
        if self.slots.is_empty() {
            reply.write(&mut self.output);
        } else {
            self.slots.push(Slot::Ours(reply.clone()));
        }
    }

    /// A mistake of the client.
    pub(super) fn fault(&mut self, reply: &Reply) {
        self.errors += 1;
        if self.errors >= ERRORS {
            return self.close(&TOO_MANY_ERRORS);
        }
        self.reply(reply);
    }

    /// A command that brings no mail nearer.
    pub(super) fn idle(&mut self, reply: &Reply) {
        self.idle_commands += 1;
        if self.idle_commands > IDLE_COMMANDS {
            self.fault(reply);
        } else {
            self.reply(reply);
        }
    }
}

/// Whether nobody can say where the next command begins.
fn ends_session(reply: &Reply) -> bool {
    *reply == LF_ONLY || *reply == BAD_CHUNK
}
