//! What a message consists of: its card, which lists the parts, and the parts. Whoever seals or opens one comes through here, so that a lost tail or
//! a card of another message is noticed by all of them.

use super::{Ciphertext, ContentKey, Damaged, Salt, card_context, open, part_context, seal};
use crate::{
    record::{Card, Part},
    secret::Id,
};
use zeroize::Zeroizing;

/// The card of `message`, to be kept as `blob`.
///
/// # Panics
/// Never: a card has text keys and no foreign types.
#[must_use]
pub fn seal_card(key: &ContentKey, message: Id, blob: Id, card: &Card, salt: Salt) -> Ciphertext {
    let text = Zeroizing::new(serde_json::to_vec(card).expect("a card has text keys and no foreign types"));
    seal(key.key(), &card_context(message, blob), salt, &text)
}

/// Opens what [`seal_card`] made.
///
/// # Errors
/// [`Damaged`] whatever is wrong with it.
pub fn open_card(key: &ContentKey, message: Id, blob: Id, sealed: &[u8]) -> Result<Card, Damaged> {
    let text = open(key.key(), &card_context(message, blob), sealed)?;
    serde_json::from_slice(&text).map_err(|_| Damaged)
}

/// Opens a part of `message` as a whole. Its length is compared with what the card says.
///
/// # Errors
/// [`Damaged`] whatever is wrong with it.
pub fn open_part(key: &ContentKey, message: Id, part: &Part, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Damaged> {
    let octets = open(key.key(), &part_context(message, part.blob), sealed)?;
    if octets.len() as u64 == part.size_bytes { Ok(octets) } else { Err(Damaged) }
}
