//! The parameters by which a sender says what he wants to hear of his mail (RFC 3461, 4).

use super::{Judged, Transfer};
use crate::{
    envelope::Recipient,
    notice::{Notify, Origin},
};

/// The longest text of a client that is kept with a grant and repeated in letters, which must fit a row. An address has 254 octets at most, ENVID
/// 100 (RFC 3461, 4.4), and who has a longer Message-ID does not mean to find his mail by it.
const MAX_TEXT: usize = 300;

impl Transfer {
    /// The sender's mail towards one recipient, as a report on it needs it.
    pub(super) fn origin(&self, recipient: &Recipient, judged: &Judged) -> Origin {
        Origin {
            at: Some(self.gateway.clock.now()),
            message_id: judged.facts.message_id.clone().filter(|id| id.len() <= MAX_TEXT),
            subject: self.open_subject(judged),
            envelope_id: value(&self.envelope.mail_parameters, "ENVID").and_then(from_xtext),
            original_recipient: value(&recipient.parameters, "ORCPT").and_then(original_recipient),
            notify: value(&recipient.parameters, "NOTIFY").map_or_else(Notify::default, notify),
        }
    }
}

/// The value of a parameter: `NOTIFY=NEVER ORCPT=rfc822;a@b.example`.
fn value<'a>(parameters: &'a str, keyword: &str) -> Option<&'a str> {
    let pairs = parameters.split_ascii_whitespace().filter_map(|word| word.split_once('='));
    pairs.filter(|(name, _)| name.eq_ignore_ascii_case(keyword)).map(|(_, value)| value).next()
}

/// RFC 3461, 4.1: NEVER stands alone.
fn notify(value: &str) -> Notify {
    let wants = |what: &str| value.split(',').any(|word| word.eq_ignore_ascii_case(what));
    Notify { success: wants("SUCCESS"), failure: wants("FAILURE"), delay: wants("DELAY") }
}

fn original_recipient(value: &str) -> Option<String> {
    let (kind, address) = value.split_once(';')?;
    let is_kind = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    from_xtext(address).filter(|_| is_kind).map(|address| format!("{kind};{address}"))
}

/// Decodes xtext (RFC 3461, 4): `+3D` is `=`. `None` for what is no xtext, or would not stand on one line.
fn from_xtext(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let octet = if octet == b'+' { hex_pair(rest.next()?, rest.next()?)? } else { octet };
        if !(b' '..=b'~').contains(&octet) {
            return None;
        }
        decoded.push(char::from(octet));
    }
    (!decoded.is_empty() && decoded.len() <= MAX_TEXT).then_some(decoded)
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_say_what_the_sender_wants() {
        let never = Notify { success: false, failure: false, delay: false };
        assert_eq!(value(" NOTIFY=NEVER", "NOTIFY").map(notify), Some(never));
        assert_eq!(value(" notify=success,FAILURE", "NOTIFY").map(notify), Some(Notify { success: true, failure: true, ..never }));
        assert_eq!(value(" ORCPT=rfc822;x", "NOTIFY"), None);
        assert_eq!(original_recipient("rfc822;a+2Bb@c.example").as_deref(), Some("rfc822;a+b@c.example"));
        for wrong in [
            "rfc822",
            ";a@b.example",
            "rfc822;",
            "rfc822;a+0D+0AAction: x",
            "rfc822;a+4",
            "x y;a@b.example",
            &format!("rfc822;{}", "a".repeat(301)),
        ] {
            assert_eq!(original_recipient(wrong), None, "{wrong}");
        }
        assert_eq!(value(" BODY=8BITMIME ENVID=QQ+3D314159", "ENVID").and_then(from_xtext).as_deref(), Some("QQ=314159"));
    }
}
