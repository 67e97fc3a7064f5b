//! The trace header that stands on top of every relayed mail (RFC 5321, 4.4).

use super::tls::TlsFacts;
use crate::{address::Address, time::Time};
use std::{fmt::Write as _, net::IpAddr};

/// How a mail came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The name the client gave in EHLO or HELO, as it was given: trust nothing in it.
    pub helo: String,
    /// Where the connection came from.
    pub peer: IpAddr,
    /// Whether the client said EHLO.
    pub extended: bool,
    /// Whether the mail was declared SMTPUTF8.
    pub utf8: bool,
    /// The TLS connection, if there was one.
    pub tls: Option<TlsFacts>,
    /// The account that the client has proved, if it has.
    pub account: Option<String>,
    /// The client that another mail server speaks for, as that server says (XFORWARD); for log lines only.
    pub client: Option<String>,
    /// Lines over 998 octets.
    pub long_lines: u32,
}

impl Received {
    /// The `with` of RFC 3848 and RFC 6531, 4.3: `SMTP`; else `ESMTP` or `UTF8SMTP`, with `S` behind TLS and `A` of an account.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        match (self.utf8, self.tls.is_some(), self.account.is_some()) {
            (false, ..) if !self.extended => "SMTP",
            (false, false, false) => "ESMTP",
            (false, false, true) => "ESMTPA",
            (false, true, false) => "ESMTPS",
            (false, true, true) => "ESMTPSA",
            (true, false, false) => "UTF8SMTP",
            (true, false, true) => "UTF8SMTPA",
            (true, true, false) => "UTF8SMTPS",
            (true, true, true) => "UTF8SMTPSA",
        }
    }

    /// The `Received` field, CRLF included, well below [`super::HEADER_ROOM`].
    ///
    /// `only_recipient` is named only if the mail has no other: a `for` would tell each recipient of the others (RFC 5321, 7.2).
    #[must_use]
    pub fn header(&self, by: &str, id: &str, only_recipient: Option<&Address>, now: Time) -> Vec<u8> {
        let mut header = format!("Received: from {} (", domain(&self.helo));
        let _ = match self.peer.to_canonical() {
            IpAddr::V4(v4) => write!(header, "[{v4}]"),
            IpAddr::V6(v6) => write!(header, "[IPv6:{v6}]"),
        };
        if let Some(tls) = &self.tls {
            let _ = write!(header, ")\r\n\t(using {} with cipher {}", tls.version, tls.cipher);
        }
        let _ = write!(header, ")\r\n\tby {} (zegel) with {} id {id}", domain(by), self.protocol());
        if let Some(recipient) = only_recipient {
            let _ = write!(header, "\r\n\tfor <{recipient}>");
        }
        let _ = write!(header, ";\r\n\t{}\r\n", now.timestamp().strftime("%a, %d %b %Y %H:%M:%S +0000"));
        header.into_bytes()
    }
}

/// A name as it may stand in a header: what is no part of a domain or address literal becomes `?`.
fn domain(name: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let name: String = name.chars().take(255).map(|c| if fine(c) { c } else { '?' }).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_header_says_what_rfc_5321_asks_and_nothing_can_be_smuggled_into_it() {
        let received = Received {
            helo: "a)\r\nX: y(".to_owned(),
            peer: "::ffff:192.0.2.7".parse().unwrap(),
            extended: true,
            utf8: false,
            tls: Some(TlsFacts { version: "TLSv1.3", cipher: "TLS13_AES_256_GCM_SHA384" }),
            account: None,
            client: None,
            long_lines: 0,
        };
        let to = Address::parse("b@c.example").unwrap();
        let header = received.header("gw.example", "9F3A21", Some(&to), Time::from_millis(1_700_000_000_000));
        assert_eq!(
            String::from_utf8(header).unwrap(),
            String::from(
                "Received: from a???X:?y? ([192.0.2.7])\r\n\t(using TLSv1.3 with cipher TLS13_AES_256_GCM_SHA384)\r\n\tby gw.example (zegel) \
                 with ESMTPS id 9F3A21\r\n\tfor <b@c.example>;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
            )
        );
    }
}
