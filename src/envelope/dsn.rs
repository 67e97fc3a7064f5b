//! Delivery status notifications (RFC 3461): what a sender asks to be told, as it stands in the parameters of MAIL and RCPT.

use serde::{Deserialize, Serialize};
use std::fmt;

/// NOTIFY (RFC 3461, 4.1): when the sender wants to be told about a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// Once the mail was delivered; of a sealed one, once its notification has left.
    pub success: bool,
    /// When it can't be.
    pub failure: bool,
    /// When it takes longer than usual.
    pub delay: bool,
}

/// RFC 3461, 4.1: without NOTIFY a failure is told, and a delay may be.
impl Default for Notify {
    fn default() -> Notify {
        Notify { success: false, failure: true, delay: true }
    }
}

/// RET (RFC 3461, 4.3): how much of the mail a notification of failure returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// All of it.
    Full,
    /// Its header.
    Headers,
}

/// ORCPT (RFC 3461, 4.2): the recipient as the sender knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRecipient {
    /// `rfc822`, mostly; lowercase.
    pub kind: String,
    /// Its address, decoded.
    pub address: String,
}

/// RFC 3461, 4.4: ENVID is at most so long, as it is encoded.
const ENVID_OCTETS: usize = 100;

/// RFC 3461, 4.2: ORCPT is at most so long, as it is encoded.
const ORCPT_OCTETS: usize = 500;

impl Notify {
    /// The sender wants to hear nothing.
    pub const NEVER: Notify = Notify { success: false, failure: false, delay: false };

    /// Reads the value of NOTIFY; `None` when it is none.
    #[must_use]
    pub fn parse(value: &str) -> Option<Notify> {
        if value.eq_ignore_ascii_case("NEVER") {
            return Some(Notify::NEVER);
        }
        let mut notify = Notify::NEVER;
        for word in value.split(',') {
            let which = match word {
                w if w.eq_ignore_ascii_case("SUCCESS") => &mut notify.success,
                w if w.eq_ignore_ascii_case("FAILURE") => &mut notify.failure,
                w if w.eq_ignore_ascii_case("DELAY") => &mut notify.delay,
                _ => return None,
            };
            if std::mem::replace(which, true) {
                return None;
            }
        }
        Some(notify)
    }
}

impl Return {
    /// Reads the value of RET; `None` when it is none.
    #[must_use]
    pub fn parse(value: &str) -> Option<Return> {
        match value {
            v if v.eq_ignore_ascii_case("FULL") => Some(Return::Full),
            v if v.eq_ignore_ascii_case("HDRS") => Some(Return::Headers),
            _ => None,
        }
    }
}

impl OriginalRecipient {
    /// Reads the value of ORCPT; `None` when it is none. Letters outside ASCII are for `utf-8` addresses only (RFC 6533, 3).
    #[must_use]
    pub fn parse(value: &str) -> Option<OriginalRecipient> {
        let (kind, encoded) = value.split_once(';').filter(|_| value.len() <= ORCPT_OCTETS)?;
        let is_atom = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let kind = is_atom.then(|| kind.to_ascii_lowercase())?;
        let address = if kind == "utf-8" && !encoded.is_ascii() {
            encoded.chars().all(|c| !c.is_control() && !c.is_whitespace()).then(|| encoded.to_owned())?
        } else {
            xtext(encoded)?
        };
        (!address.is_empty()).then_some(OriginalRecipient { kind, address })
    }
}

impl fmt::Display for OriginalRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.kind, self.address)
    }
}

/// Reads the value of ENVID; `None` when it is none.
#[must_use]
pub fn envelope_id(value: &str) -> Option<String> {
    xtext(value).filter(|id| !id.is_empty() && value.len() <= ENVID_OCTETS)
}

/// Decodes xtext (RFC 3461, 4) that stands for printable ASCII; `None` for anything else.
#[must_use]
pub fn xtext(encoded: &str) -> Option<String> {
    let hex = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    };
    let mut text = String::with_capacity(encoded.len());
    let mut octets = encoded.bytes();
    while let Some(octet) = octets.next() {
        let decoded = match octet {
            b'+' => hex(octets.next()?)? << 4 | hex(octets.next()?)?,
            b'=' => return None,
            b'!'..=b'~' => octet,
            _ => return None,
        };
        if !(b' '..=b'~').contains(&decoded) {
            return None;
        }
        text.push(char::from(decoded));
    }
    Some(text)
}

/// The value of `keyword` among ESMTP parameters as they were received, ` RET=FULL ENVID=x`; empty for one that has none.
#[must_use]
pub fn parameter<'a>(parameters: &'a str, keyword: &str) -> Option<&'a str> {
    parameters
        .split_ascii_whitespace()
        .map(|word| word.split_once('=').unwrap_or((word, "")))
        .find(|(name, _)| name.eq_ignore_ascii_case(keyword))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_is_decoded_or_refused() {
        assert_eq!(xtext("a+2Bb+3Dc+20d").as_deref(), Some("a+b=c d"));
        for wrong in ["a=b", "a+2b", "a+", "a+2", "a+0Ab", "a+7F", "a b", "\u{e9}"] {
            assert_eq!(xtext(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_a_sender_asks_to_be_told_is_read() {
        assert_eq!(Notify::parse("never"), Some(Notify::NEVER));
        assert_eq!(Notify::parse("SUCCESS,delay"), Some(Notify { success: true, failure: false, delay: true }));
        for wrong in ["", "SUCCESS,", "NEVER,SUCCESS", "SUCCESS,SUCCESS", "SOMETIMES"] {
            assert_eq!(Notify::parse(wrong), None, "{wrong}");
        }
        let original = |kind: &str, address: &str| Some(OriginalRecipient { kind: kind.to_owned(), address: address.to_owned() });
        assert_eq!(OriginalRecipient::parse("rfc822;a+2Bb@c.example"), original("rfc822", "a+b@c.example"));
        assert_eq!(OriginalRecipient::parse("utf-8;\u{e9}@c.example"), original("utf-8", "\u{e9}@c.example"));
        for wrong in ["", "rfc822", "rfc822;", ";a@b", "rf c;a", "rfc822;a=b", "rfc822;\u{e9}@c.example"] {
            assert_eq!(OriginalRecipient::parse(wrong), None, "{wrong}");
        }
        assert_eq!((envelope_id("QQ+2B1").as_deref(), envelope_id(""), envelope_id(&"x".repeat(101))), (Some("QQ+1"), None, None));
    }
}
