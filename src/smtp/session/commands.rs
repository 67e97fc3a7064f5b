//! What each command does to the session.

use super::{
    super::{
        command::{Command, EnvelopeCommand},
        reply::{Enhanced, Reply},
    },
    EARLY, ERRORS, IDLE_COMMANDS, MAIL_FIRST, Phase, RECIPIENTS, Session, Slot, Step, Transaction,
    line::Line,
};

const LF_ONLY: Reply = Reply::fixed(500, Enhanced(5, 5, 2), "Lines must end in CR LF, closing");
const LINE_TOO_LONG: Reply = Reply::fixed(500, Enhanced(5, 5, 2), "Line too long");
const OUT_OF_ORDER: Reply = Reply::fixed(503, Enhanced(5, 5, 1), "Bad sequence of commands");
const HELLO_FIRST: Reply = Reply::fixed(503, Enhanced(5, 5, 1), "Send EHLO first");
const NO_8BITMIME: Reply = Reply::fixed(555, Enhanced(5, 5, 4), "8BITMIME is not offered");
const TOO_LARGE: Reply = Reply::fixed(552, Enhanced(5, 3, 4), "Message too large");
const TOO_MANY_RECIPIENTS: Reply = Reply::fixed(452, Enhanced(4, 5, 3), "Too many recipients, send the rest in another mail");
const TOO_MANY_ERRORS: Reply = Reply::fixed(421, Enhanced(4, 7, 0), "Too many errors, closing");
const NOT_IMPLEMENTED: Reply = Reply::fixed(502, Enhanced(5, 5, 1), "Command not implemented");
const READY_FOR_TLS: Reply = Reply::fixed(220, Enhanced(2, 0, 0), "Ready to start TLS");
const HELP: Reply = Reply::fixed(214, Enhanced(2, 0, 0), "RFC 5321");
const NOT_VERIFIED: Reply = Reply::fixed(252, Enhanced(2, 0, 0), "Send some mail, and the next mail server will tell");
const BYE: Reply = Reply::fixed(221, Enhanced(2, 0, 0), "Bye");

impl Session {
    /// Reads lines until something is to be done. MAIL and RCPT that came together are collected, so that the next hop hears them
    /// together; any other command, and a fault that ends the session, waits until their replies are there.
    pub(super) fn commands(&mut self) -> Step {
        loop {
            let command = match self.lines.front() {
                Line::Incomplete if self.slots.is_empty() => return Step::Read,
                Line::Incomplete => return self.ask(),
                Line::Broken => Err(LF_ONLY),
                Line::TooLong => Err(LINE_TOO_LONG),
                Line::Whole(line) => Command::parse(&line),
            };
            let belongs_to_group = match &command {
                Ok(Command::Envelope(EnvelopeCommand::Rcpt { .. })) => true,
                Ok(_) => false,
                Err(reply) => *reply != LF_ONLY && self.errors + 1 < ERRORS,
            };
            if !self.slots.is_empty() && !belongs_to_group {
                return self.ask();
            }
            match command {
                Err(reply) if reply == LF_ONLY => self.close(&reply),
                Err(reply) => {
                    self.lines.advance();
                    self.fault(&reply);
                }
                Ok(command) => {
                    self.lines.advance();
                    self.command(command);
                }
            }
            if self.phase != Phase::Commands || self.reset_due {
                return self.step();
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
            Command::Quit => self.close(&BYE),
            // The chunk behind the line would be read as commands.
            Command::Bdat(octets) if octets > 0 => self.close(&NOT_IMPLEMENTED),
            Command::Bdat(_) | Command::NotImplemented => self.fault(&NOT_IMPLEMENTED),
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
        let offer = &self.offer;
        let mut answer = format!("250{}{}\r\n", if extended { '-' } else { ' ' }, offer.hostname);
        if extended {
            answer.push_str("250-PIPELINING\r\n");
            if offer.eight_bit {
                answer.push_str("250-8BITMIME\r\n");
            }
            if offer.starttls {
                answer.push_str("250-STARTTLS\r\n");
            }
            answer.push_str(&format!("250-SIZE {}\r\n250 ENHANCEDSTATUSCODES\r\n", offer.max_size));
        }
        self.output.extend_from_slice(answer.as_bytes());
    }

    fn mail(&mut self, command: EnvelopeCommand) {
        let eight_bit = command.is_eight_bit();
        let EnvelopeCommand::Mail { size, .. } = command else { return };
        if self.helo.is_none() {
            self.fault(&HELLO_FIRST);
        } else if self.transaction.is_some() {
            self.fault(&OUT_OF_ORDER);
        } else if size.is_some_and(|size| size > self.offer.max_size) {
            TOO_LARGE.write(&mut self.output);
        } else if eight_bit && !self.offer.eight_bit {
            self.fault(&NO_8BITMIME);
        } else {
            self.transaction = Some(Transaction { size, eight_bit, told: 0, accepted: 0 });
            self.slots.push(Slot::Mail);
            self.asked.push(command);
        }
    }

    fn rcpt(&mut self, command: EnvelopeCommand) {
        match &mut self.transaction {
            None => self.fault(&MAIL_FIRST),
            Some(transaction) if transaction.told >= RECIPIENTS => self.reply(&TOO_MANY_RECIPIENTS),
            Some(transaction) => {
                transaction.told += 1;
                self.slots.push(Slot::Rcpt);
                self.asked.push(command);
            }
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

    fn forget_transaction(&mut self) {
        self.reset_due |= self.transaction.take().is_some();
    }

    /// Says `reply`, behind those of the group that is being collected.
    fn reply(&mut self, reply: &Reply) {
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
    fn idle(&mut self, reply: &Reply) {
        self.idle_commands += 1;
        if self.idle_commands > IDLE_COMMANDS {
            self.fault(reply);
        } else {
            self.reply(reply);
        }
    }
}
