//! What a session offers its client, and what it refuses because it does not.

use super::{
    super::{
        auth::Accounts,
        command::{EnvelopeCommand, UNSUPPORTED},
        reply::{Enhanced, Reply},
        xforward,
    },
    RECIPIENTS, Session,
};
use crate::address::Address;
use std::{fmt::Write as _, sync::Arc};

/// What the session offers in its answer to EHLO.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Our name.
    pub hostname: String,
    /// The largest mail, in octets.
    pub max_size: u64,
    /// A body of more octets than this goes to a file: [`super::Step::Spill`]. Without it all stay in memory.
    pub in_memory: Option<u64>,
    /// 8BITMIME.
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531); goes with 8BITMIME only.
    pub utf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// REQUIRETLS (RFC 8689); behind TLS only.
    pub require_tls: bool,
    /// STARTTLS; never behind TLS.
    pub starttls: bool,
    /// AUTH, behind TLS only, for these accounts.
    pub accounts: Option<Arc<Accounts>>,
    /// Whether the client's address suffices to send, or only an account.
    pub right: Right,
    /// XFORWARD.
    pub xforward: bool,
}

/// Why a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// It is one of those that are allowed by address.
    Address,
    /// It must prove an account.
    Account,
}

const NO_8BITMIME: Reply = Reply::fixed(555, Enhanced(5, 5, 4), "8BITMIME is not offered");
/// RFC 8689, 2: the parameter means nothing where the client itself speaks in clear.
const TLS_FIRST: Reply = Reply::fixed(530, Enhanced(5, 7, 10), "REQUIRETLS needs TLS, send STARTTLS first");
const ACCOUNT_FIRST: Reply = Reply::fixed(530, Enhanced(5, 7, 0), "Authentication required");
const OTHERS_SENDER: Reply = Reply::fixed(550, Enhanced(5, 7, 1), "An account sends as its own organisation only");
const ASCII_ONLY: Reply = Reply::fixed(553, Enhanced(5, 6, 7), "An address outside ASCII needs SMTPUTF8");

impl Session {
    /// The answer to EHLO. CHUNKING is offered whatever the next hop can do: a mail without bare CR and LF goes on by DATA as well.
    pub(super) fn write_offer(&mut self) {
        let offer = &self.offer;
        let mut answer = String::with_capacity(256);
        let _ = write!(answer, "250-{}\r\n250-PIPELINING\r\n", offer.hostname);
        for (offered, keyword) in [
            (offer.eight_bit, "8BITMIME"),
            (offer.utf8 && offer.eight_bit, "SMTPUTF8"),
            (true, "CHUNKING"),
            (offer.dsn, "DSN"),
            (offer.require_tls && self.tls.is_some(), "REQUIRETLS"),
            (offer.starttls, "STARTTLS"),
            (offer.accounts.is_some() && self.tls.is_some() && self.account.is_none(), "AUTH PLAIN LOGIN"),
        ] {
            if offered {
                let _ = write!(answer, "250-{keyword}\r\n");
            }
        }
        if offer.xforward {
            let _ = write!(answer, "250-XFORWARD {}\r\n", xforward::ATTRIBUTES);
        }
        let _ = write!(answer, "250-LIMITS RCPTMAX={RECIPIENTS}\r\n250-SIZE {}\r\n250 ENHANCEDSTATUSCODES\r\n", offer.max_size);
        self.output.extend_from_slice(answer.as_bytes());
    }

    /// Why this client may not begin a mail of this sender.
    pub(super) fn no_right(&self, sender: Option<&Address>) -> Option<Reply> {
        match (&self.account, &self.offer.accounts) {
            (None, _) => (self.offer.right == Right::Account).then_some(ACCOUNT_FIRST),
            (Some(_), Some(accounts)) if accounts.may_send_as(sender) => None,
            (Some(_), _) => Some(OTHERS_SENDER),
        }
    }

    /// Why a MAIL or RCPT asks for what is not offered, or not to this mail; `utf8` says whether it was declared SMTPUTF8.
    pub(super) fn not_offered(&self, command: &EnvelopeCommand, utf8: bool) -> Option<Reply> {
        let offer = &self.offer;
        let (EnvelopeCommand::Mail { parameters, .. } | EnvelopeCommand::Rcpt { parameters, .. }) = command;
        let has = |keyword: &str| command.parameter(keyword).is_some();
        if !parameters.is_empty() {
            if command.is_eight_bit() && !offer.eight_bit {
                return Some(NO_8BITMIME);
            }
            let dsn = !offer.dsn && ["RET", "ENVID", "NOTIFY", "ORCPT"].into_iter().any(has);
            if dsn || has("SMTPUTF8") && !(offer.utf8 && offer.eight_bit) || has("REQUIRETLS") && !offer.require_tls {
                return Some(UNSUPPORTED);
            }
            if has("REQUIRETLS") && self.tls.is_none() {
                return Some(TLS_FIRST);
            }
        }
        let address = match command {
            EnvelopeCommand::Mail { from, .. } => from.as_ref(),
            EnvelopeCommand::Rcpt { to, .. } => Some(to),
        };
        let is_ascii = address.is_none_or(|a| a.is_ascii()) && parameters.is_ascii();
        (!utf8 && !is_ascii).then_some(ASCII_ONLY)
    }
}
