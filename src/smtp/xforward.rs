//! XFORWARD (Postfix, XFORWARD_README): a mail server in front of zegel says whose mail it passes on. It is told in log lines and changes
//! nothing else: what a client may do depends on the connection alone.

use super::reply::{Enhanced, Reply};
use crate::envelope::dsn;
use std::{fmt, net::IpAddr};

/// The attributes that are taken, as they stand in the answer to EHLO.
pub(super) const ATTRIBUTES: &str = "NAME ADDR PORT PROTO HELO IDENT SOURCE";

/// Postfix lets a value have 255 octets.
const VALUE_OCTETS: usize = 255;

const BAD_ATTRIBUTE: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "Syntax: XFORWARD attribute=value...");

/// Whose mail it is, as far as it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    name: Option<String>,
    address: Option<IpAddr>,
    helo: Option<String>,
    ident: Option<String>,
}

impl Forwarded {
    /// Reads what stands behind the verb, on top of what was said before.
    pub(super) fn update(&mut self, attributes: &str) -> Result<(), Reply> {
        let mut new = self.clone();
        let mut count = 0;
        for word in attributes.split_ascii_whitespace() {
            let (keyword, value) = word.split_once('=').ok_or(BAD_ATTRIBUTE)?;
            let value = dsn::xtext(value).filter(|v| v.len() <= VALUE_OCTETS).ok_or(BAD_ATTRIBUTE)?;
            let known = (!matches!(value.as_str(), "" | "[UNAVAILABLE]" | "[TEMPUNAVAIL]")).then(|| printable(&value));
            match keyword.to_ascii_uppercase().as_str() {
                "NAME" => new.name = known,
                "HELO" => new.helo = known,
                "IDENT" => new.ident = known,
                // It may be none of IP's: Postfix names a local submission so.
                "ADDR" => new.address = known.and_then(|text| address(&text)),
                "PORT" if known.as_ref().is_some_and(|port| port.parse::<u16>().is_err()) => return Err(BAD_ATTRIBUTE),
                "PORT" | "PROTO" => {}
                "SOURCE" if known.as_ref().is_some_and(|s| !["LOCAL", "REMOTE"].contains(&s.to_ascii_uppercase().as_str())) => {
                    return Err(BAD_ATTRIBUTE);
                }
                "SOURCE" => {}
                _ => return Err(BAD_ATTRIBUTE),
            }
            count += 1;
        }
        if count == 0 {
            return Err(BAD_ATTRIBUTE);
        }
        *self = new;
        Ok(())
    }
}

/// `client.example[192.0.2.1] helo=x ident=4Xyz`.
impl fmt::Display for Forwarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("unknown"))?;
        match self.address {
            Some(address) => write!(f, "[{address}]")?,
            None => f.write_str("[unknown]")?,
        }
        for (word, value) in [("helo", &self.helo), ("ident", &self.ident)] {
            if let Some(value) = value {
                write!(f, " {word}={value}")?;
            }
        }
        Ok(())
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let v6 = text.get(..5).filter(|p| p.eq_ignore_ascii_case("IPv6:")).map(|_| &text[5..]);
    v6.unwrap_or(text).parse().ok()
}

/// What could be taken for another word of a log line becomes `?`.
fn printable(value: &str) -> String {
    value.chars().map(|c| if c.is_ascii_graphic() && !"=\"'[]".contains(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_client_is_read_and_cannot_forge_a_log_line() {
        let mut client = Forwarded::default();
        client.update("NAME=spike.example ADDR=168.100.189.2 PROTO=ESMTP PORT=2525").unwrap();
        client.update("helo=a+20refused+3Db IDENT=NQueueID SOURCE=REMOTE").unwrap();
        assert_eq!(client.to_string(), "spike.example[168.100.189.2] helo=a?refused?b ident=NQueueID");
        client.update("NAME=[UNAVAILABLE] ADDR=IPv6:2001:db8::1 HELO=[UNAVAILABLE] IDENT=[UNAVAILABLE]").unwrap();
        assert_eq!(client.to_string(), "unknown[2001:db8::1]");
        for wrong in ["", "NAME", "X=y", "NAME=a=b", "PORT=x", "SOURCE=HERE", "NAME=ok HELO=+0A"] {
            let before = client.clone();
            assert!(client.update(wrong).is_err() && client == before, "{wrong}");
        }
    }
}
