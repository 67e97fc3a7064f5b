//! AUTH (RFC 4954) by PLAIN (RFC 4616) and LOGIN, behind TLS only.

use super::{
    super::{
        auth::{Credentials, Verdict},
        command::Response,
        reply::{Enhanced, Reply},
    },
    EARLY, HELLO_FIRST, NOT_IMPLEMENTED, OUT_OF_ORDER, Phase, Session, Step,
    line::Line,
};
use crate::secret::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// So many wrong passwords end a session: a mail program asks its user again by then.
const FAILURES: u32 = 3;

const TLS_FIRST: Reply = Reply::fixed(538, Enhanced(5, 7, 11), "Encryption is required, send STARTTLS first");
const NO_SUCH_MECHANISM: Reply = Reply::fixed(504, Enhanced(5, 5, 4), "The mechanisms are PLAIN and LOGIN");
const NOT_BASE64: Reply = Reply::fixed(501, Enhanced(5, 5, 2), "This is not base64, or not what the mechanism asks");
const CANCELLED: Reply = Reply::fixed(501, Enhanced(5, 7, 0), "Authentication cancelled");
const LINE_TOO_LONG: Reply = Reply::fixed(500, Enhanced(5, 5, 6), "Authentication exchange line is too long");
const WELCOME: Reply = Reply::fixed(235, Enhanced(2, 7, 0), "Authentication succeeded");
const WRONG: Reply = Reply::fixed(535, Enhanced(5, 7, 8), "Name and password don't belong together");
const WRONG_AGAIN: Reply = Reply::fixed(421, Enhanced(4, 7, 0), "Too many wrong passwords, closing");
const TOO_MANY: Reply = Reply::fixed(454, Enhanced(4, 7, 0), "Too many wrong passwords from your address, please try again later");
const BUSY: Reply = Reply::fixed(454, Enhanced(4, 7, 0), "No place to check a password now, please try again later");

/// Which answer of the client comes next.
#[derive(Debug)]
pub(super) enum Exchange {
    Plain,
    Name,
    Password(String),
}

impl Session {
    pub(super) fn auth(&mut self, mechanism: &str, initial: Option<Response>) {
        // RFC 4954, 4: AUTH is the last command of a group.
        if !self.lines.is_empty() {
            return self.close(&EARLY);
        }
        let exchange = match mechanism {
            m if m.eq_ignore_ascii_case("PLAIN") => Some(Exchange::Plain),
            m if m.eq_ignore_ascii_case("LOGIN") => Some(Exchange::Name),
            _ => None,
        };
        match exchange {
            _ if self.offer.accounts.is_none() => self.fault(&NOT_IMPLEMENTED),
            _ if self.tls.is_none() => self.fault(&TLS_FIRST),
            _ if self.helo.is_none() => self.fault(&HELLO_FIRST),
            _ if self.account.is_some() || self.transaction.is_some() => self.fault(&OUT_OF_ORDER),
            None => self.fault(&NO_SUCH_MECHANISM),
            Some(exchange) => match initial {
                Some(response) => self.response(exchange, &response),
                None => self.challenge(exchange),
            },
        }
    }

    fn challenge(&mut self, exchange: Exchange) {
        self.output.extend_from_slice(match exchange {
            Exchange::Plain => b"334 \r\n",
            Exchange::Name => b"334 VXNlcm5hbWU6\r\n",
            Exchange::Password(_) => b"334 UGFzc3dvcmQ6\r\n",
        });
        self.exchange = Some(exchange);
        self.phase = Phase::Exchange;
    }

    /// Reads the client's answer to a challenge.
    pub(super) fn exchange_step(&mut self) -> Option<Step> {
        let line = match self.lines.front() {
            Line::Incomplete => return Some(Step::Read),
            Line::Whole(line) => Some(Zeroizing::new(line)),
            Line::TooLong => None,
            Line::Broken => {
                self.close(&super::commands::LF_ONLY);
                return None;
            }
        };
        self.lines.advance_wiping();
        self.phase = Phase::Commands;
        let exchange = self.exchange.take()?;
        let Some(line) = line else {
            self.fault(&LINE_TOO_LONG);
            return None;
        };
        if !self.lines.is_empty() {
            self.close(&EARLY);
            return None;
        }
        match line.strip_suffix(b"\r\n") {
            Some(b"*") => self.fault(&CANCELLED),
            Some(line) => self.response(exchange, &Response::new(line)),
            None => self.fault(&NOT_BASE64),
        }
        None
    }

    fn response(&mut self, exchange: Exchange, response: &Response) {
        let text = STANDARD.decode(response.octets()).ok().and_then(|octets| String::from_utf8(octets).ok()).map(Zeroizing::new);
        let Some(text) = text else { return self.fault(&NOT_BASE64) };
        let credentials = match exchange {
            Exchange::Name => return self.challenge(Exchange::Password(text.to_string())),
            Exchange::Password(name) => Credentials::new(&name, Secret::new(text.to_string())),
            Exchange::Plain => {
                let mut parts = text.split('\0');
                let (Some(act_as), Some(name), Some(password), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
                    return self.fault(&NOT_BASE64);
                };
                // Nobody may act as somebody else.
                let himself = act_as.is_empty() || act_as == name;
                Credentials::new(name, Secret::new(password.to_owned())).filter(|_| himself)
            }
        };
        match credentials {
            Some(credentials) => {
                self.credentials = Some(credentials);
                self.phase = Phase::Checking;
            }
            None => self.authenticated(Verdict::Wrong),
        }
    }

    /// What the check of [`Step::Authenticate`] gave.
    pub fn authenticated(&mut self, verdict: Verdict) {
        self.phase = Phase::Commands;
        match verdict {
            Verdict::Account(name) => {
                self.account = Some(name);
                WELCOME.write(&mut self.output);
            }
            Verdict::Wrong => {
                self.failures += 1;
                if self.failures >= FAILURES { self.close(&WRONG_AGAIN) } else { self.fault(&WRONG) }
            }
            Verdict::TooMany => self.fault(&TOO_MANY),
            Verdict::Busy => self.reply(&BUSY),
        }
    }
}
