//! MAIL and RCPT as they are said to a host: their parameters, if it knows them, or our refusal, if it does not.
//!
//! What our client may use was offered to it because the next hop had it when last seen. A host that has lost it since, or another one of
//! the same route, must not get the mail without it.

use super::{
    super::{
        command::EnvelopeCommand,
        extensions::Extensions,
        reply::{Enhanced, Reply},
    },
    Protocol,
    connection::Connection,
};
use std::fmt::Write as _;

/// We never re-encode, since it breaks DKIM. The client sees it at its next EHLO.
const NO_8BITMIME: Reply = Reply::fixed(451, Enhanced(4, 6, 3), "The next mail server does not take 8-bit messages now");
/// For good, as [`NO_REQUIRETLS`], where no host of the route has it: no later attempt would be better.
const NO_SMTPUTF8: Reply = Reply::fixed(550, Enhanced(5, 6, 7), "The next mail server does not take internationalised addresses");
/// RFC 3461, 5.2.2 would have us answer SUCCESS as relayed, in a notification of ours. Refused for now, the client learns at its next EHLO
/// that we can't pass its wish on, and does that itself.
const NO_DSN: Reply = Reply::fixed(451, Enhanced(4, 3, 3), "The next mail server does not send delivery notifications now");
/// RFC 8689, 5.
const NO_REQUIRETLS: Reply = Reply::fixed(550, Enhanced(5, 7, 30), "REQUIRETLS support required, and the next mail server has none");
/// The same where another host of the route has it, or may have it, and could not be reached.
const NO_SMTPUTF8_NOW: Reply =
    Reply::fixed(451, Enhanced(4, 3, 3), "The mail server that takes internationalised addresses does not answer now");
const NO_REQUIRETLS_NOW: Reply = Reply::fixed(451, Enhanced(4, 3, 3), "The mail server that supports REQUIRETLS does not answer now");
const NO_MAIL: Reply = Reply::fixed(503, Enhanced(5, 5, 1), "Send MAIL first");
pub(super) const ANOTHER_MAIL: Reply = Reply::fixed(452, Enhanced(4, 5, 3), "Send this recipient in another transaction");

/// Where in a transaction a command comes.
#[derive(Clone, Copy)]
pub(super) struct Progress {
    /// MAIL was accepted, or goes out in the same write.
    pub(super) has_mail: bool,
    /// Recipients that were accepted.
    pub(super) recipients: usize,
    /// What could be had from another host.
    pub(super) elsewhere: Elsewhere,
}

/// What another host of the route can do: as last seen, and anything where it was never spoken to.
#[derive(Clone, Copy)]
pub(super) struct Elsewhere {
    pub(super) utf8: bool,
    pub(super) require_tls: bool,
}

impl Elsewhere {
    /// Of several other hosts, and what each of them was seen to do.
    pub(super) fn of(others: impl Iterator<Item = Option<Extensions>> + Clone) -> Elsewhere {
        let any = |can: fn(Extensions) -> bool| others.clone().any(|seen| seen.is_none_or(can));
        Elsewhere { utf8: any(|e| e.utf8), require_tls: any(|e| e.require_tls) }
    }
}

/// Why `command` is not said to this host.
pub(super) fn refusal(command: &EnvelopeCommand, progress: Progress, connection: &Connection) -> Option<Reply> {
    let extensions = connection.extensions();
    match command {
        EnvelopeCommand::Mail { parameters, .. } => lacking(parameters, &extensions, progress.elsewhere),
        EnvelopeCommand::Rcpt { .. } if !progress.has_mail => Some(NO_MAIL),
        // LMTP answers each of several recipients after the dot; whoever sends to us hears one reply (RFC 2033, 4.2).
        EnvelopeCommand::Rcpt { .. } if connection.protocol() == Protocol::Lmtp && progress.recipients > 0 => Some(ANOTHER_MAIL),
        EnvelopeCommand::Rcpt { parameters, .. } => lacking(parameters, &extensions, progress.elsewhere),
    }
}

/// Whether the mail that this command begins asks for what the host cannot do.
pub(super) fn lacks(command: &EnvelopeCommand, connection: &Connection) -> bool {
    let nowhere = Elsewhere { utf8: false, require_tls: false };
    matches!(command, EnvelopeCommand::Mail { parameters, .. } if lacking(parameters, &connection.extensions(), nowhere).is_some())
}

/// The first parameter that asks for what the host cannot do.
fn lacking(parameters: &str, extensions: &Extensions, elsewhere: Elsewhere) -> Option<Reply> {
    parameters.split_ascii_whitespace().find_map(|word| {
        let (keyword, value) = word.split_once('=').unwrap_or((word, ""));
        let is = |name: &str| keyword.eq_ignore_ascii_case(name);
        if is("BODY") {
            (!extensions.eight_bit && !value.eq_ignore_ascii_case("7BIT")).then_some(NO_8BITMIME)
        } else if is("SMTPUTF8") {
            (!extensions.utf8).then_some(if elsewhere.utf8 { NO_SMTPUTF8_NOW } else { NO_SMTPUTF8 })
        } else if is("REQUIRETLS") {
            (!extensions.require_tls).then_some(if elsewhere.require_tls { NO_REQUIRETLS_NOW } else { NO_REQUIRETLS })
        } else if ["RET", "ENVID", "NOTIFY", "ORCPT"].iter().any(|name| is(name)) {
            (!extensions.dsn).then_some(NO_DSN)
        } else {
            None
        }
    })
}

/// Appends `command` as it goes over the wire.
pub(super) fn write(command: &EnvelopeCommand, connection: &Connection, to: &mut String) {
    let extensions = connection.extensions();
    match command {
        EnvelopeCommand::Mail { from, parameters, size } => {
            let _ = write!(to, "MAIL FROM:<{}>", from.as_ref().map_or("", |address| address.as_str()));
            // BODY belongs to 8BITMIME; without it the body was declared 7BIT, which goes without saying.
            if extensions.eight_bit {
                to.push_str(parameters);
            } else {
                for word in parameters.split_ascii_whitespace().filter(|w| !w.to_ascii_uppercase().starts_with("BODY=")) {
                    let _ = write!(to, " {word}");
                }
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
