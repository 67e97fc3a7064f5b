//! Sealing: what lies on disk can be read only with the key it was sealed under, and only in the place it was sealed for.
//!
//! `format` is the one form that everything sealed has (docs/format.md describes it for other programs); `keys` derives the keys and wraps them;
//! `contents` seals and opens what a message consists of.
//! Pure: salts are arguments, and whoever has no key of this module's making can't open anything.
//!
//! ```text
//! token       in the link of the mail          ─┬─ lookup id   names the grant's record, can't be turned into the token
//!                                               └─ link key    opens the inner layer of the wrap
//! master ‖ bucket of the day of expiry         ─── outer key   opens the outer layer; gone when the bucket key is destroyed
//! wrap        = seal(outer key, seal(link key, content key))
//! content key ─── seals the parts and the card of one message
//! master      ─── a key per purpose: fields, letters, addresses, codes, seen mails, bucket keys, canaries
//! ```

mod contents;
mod format;
mod keys;

pub use contents::{open_card, open_part, seal_card};
pub use format::{
    CHUNK_BYTES, Ciphertext, Damaged, HEADER_BYTES, Salt, Sealer, open, open_range, seal, sealed_len, sealed_range, self_test,
};
pub use keys::{
    Bucket, ContentKey, Key, Master, digest, form_token, form_token_fits, lookup_id, reply_key, rewrap, session_hash, unwrap, unwrap_reply,
    unwrap_session, wrap, wrap_reply, wrap_session,
};

use crate::secret::Id;

/// What kind of thing is sealed. The number stands in the header and never gets another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A text or file of a message, under its content key.
    Part = 1,
    /// The card of a message, under its content key.
    Card = 2,
    /// A content key under a link's key: the inner layer of a wrap.
    Wrap = 3,
    /// A wrap's outer layer.
    Outer = 4,
    /// An address, name or number within a record.
    Field = 5,
    /// What a mail in the outbox says.
    Letter = 6,
    /// A content key under the key of a browser's session.
    Session = 7,
    /// The key of a day.
    Bucket = 8,
    /// A known text, by which a master key is recognised.
    Canary = 9,
    /// The secret of a reply, under the content key of the message that it answers.
    Reply = 10,
}

/// What is sealed, and where it belongs. Opening asks for the same: a thing that was moved to another place does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    kind: Kind,
    generation: u32,
    /// The input of the key derivation: unambiguous, since every name has its length in front.
    info: Vec<u8>,
}

impl Context {
    /// A context of `kind`. `generation` is that of the master key which the sealing key came from, 0 when it came from none.
    /// `names` say where it belongs: ids, keys of records, days; each at most 65 535 bytes.
    ///
    /// # Panics
    /// When a name is longer than that: names are ours, not from outside.
    #[must_use]
    pub fn new(kind: Kind, generation: u32, names: &[&[u8]]) -> Context {
        let mut info = b"zegel/1 seal".to_vec();
        info.push(kind as u8);
        info.extend(generation.to_be_bytes());
        for name in names {
            info.extend(u16::try_from(name.len()).expect("a context's names are ids, keys and days").to_be_bytes());
            info.extend(*name);
        }
        Context { kind, generation, info }
    }
}

/// The context of a text or file of `message`, kept as `blob`.
#[must_use]
pub fn part_context(message: Id, blob: Id) -> Context {
    Context::new(Kind::Part, 0, &[&message.0, &blob.0])
}

/// The context of the card of `message`, kept as `blob`.
#[must_use]
pub fn card_context(message: Id, blob: Id) -> Context {
    Context::new(Kind::Card, 0, &[&message.0, &blob.0])
}

#[cfg(test)]
mod tests;
