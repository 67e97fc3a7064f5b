//! Recognises a mail that is sent again because our reply was lost, so that nobody is notified twice (smtp.md, section 5).

use crate::{
    address::Address,
    envelope::Envelope,
    message::{Facts, Message},
    record::Sealed,
    seal::{Master, digest},
};

/// How long a mail is remembered: Exchange retries for 2 days, Postfix for 5.
pub(super) const REMEMBERED_DAYS: u32 = 7;

/// What names a mail: its sender, the recipients it is sealed for, Message-ID, Date, and all octets but the `Received` fields, which differ from
/// attempt to attempt. `None` without Message-ID or Date: two equal mails are two mails then.
pub(super) fn key(master: &Master, envelope: &Envelope, protect: &[&Address], facts: &Facts, message: &Message) -> Option<[u8; 32]> {
    let (id, date) = (facts.message_id.as_ref()?, facts.date_raw.as_ref()?);
    let from = envelope.from.as_ref().map(Address::canonical).unwrap_or_default();
    let to = sorted(protect);
    let body = digest(message.without_received());
    Some(master.seen_hash(&[from.as_bytes(), to.as_bytes(), id.as_bytes(), date.as_bytes(), &body]))
}

/// Names the recipients a mail was relayed to.
pub(super) fn relayed(master: &Master, to: &[&Address]) -> Sealed {
    Sealed(master.seen_hash(&[b"relayed", sorted(to).as_bytes()]).to_vec())
}

fn sorted(addresses: &[&Address]) -> String {
    let mut all: Vec<String> = addresses.iter().map(|a| a.canonical()).collect();
    all.sort_unstable();
    all.join("\n")
}
