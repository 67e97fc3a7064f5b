//! The keys of records: readable, sorted, and free of any text from outside.

use crate::{
    secret::Id,
    time::{Day, Time},
};
use std::fmt;

/// A record's key: segments of `[a-z0-9-]` joined by `/`, at most 200 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The longest key.
    pub const MAX_BYTES: usize = 200;

    /// Reads a key that a store gave back; `None` when it breaks the form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Key> {
        let segment = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (text.len() <= Key::MAX_BYTES && text.split('/').all(segment)).then(|| Key(text.to_owned()))
    }

    fn of(text: String) -> Key {
        debug_assert!(Key::parse(&text).is_some(), "{text}");
        Key(text)
    }

    /// A [`super::SealedMessage`].
    #[must_use]
    pub fn message(id: Id) -> Key {
        Key::of(format!("message/{id}"))
    }

    /// Says that `grant` is one of `message`'s: a [`super::Receipt`], or nothing.
    #[must_use]
    pub fn of_message(message: Id, grant: Id) -> Key {
        Key::of(format!("of/{message}/{grant}"))
    }

    /// A [`super::Grant`], by the look-up id of its link.
    #[must_use]
    pub fn grant(lookup: Id) -> Key {
        Key::of(format!("grant/{lookup}"))
    }

    /// A [`super::Reference`]: `code` is what [`crate::notice::reference`] makes of `grant`. Two grants may have the same code.
    #[must_use]
    pub fn reference(code: &str, grant: Id) -> Key {
        Key::of(format!("reference/{}/{grant}", code.to_ascii_lowercase()))
    }

    /// A [`super::Approval`], by the look-up id of the sender's link.
    #[must_use]
    pub fn approval(lookup: Id) -> Key {
        Key::of(format!("approval/{lookup}"))
    }

    /// A [`super::Waiting`] recipient of a held message; `number` orders them as they stood in the envelope.
    #[must_use]
    pub fn waiting(message: Id, number: u32) -> Key {
        Key::of(format!("waiting/{message}/{number:05}"))
    }

    /// The [`super::Openly`] made of the waiting recipient of the same number.
    #[must_use]
    pub fn openly(message: Id, number: u32) -> Key {
        Key::of(format!("openly/{message}/{number:05}"))
    }

    /// A [`super::Quarantined`] message.
    #[must_use]
    pub fn quarantine(message: Id) -> Key {
        Key::of(format!("quarantine/{message}"))
    }

    /// A [`super::Reply`] that the recipient of `grant` wrote to `message`.
    #[must_use]
    pub fn reply(message: Id, grant: Id, id: Id) -> Key {
        Key::of(format!("reply/{message}/{grant}/{id}"))
    }

    /// The [`super::Challenge`] of a grant.
    #[must_use]
    pub fn challenge(lookup: Id) -> Key {
        Key::of(format!("challenge/{lookup}"))
    }

    /// A [`super::Mail`], by the moment it is due.
    #[must_use]
    pub fn outbox(due: Time, id: Id) -> Key {
        Key::of(format!("outbox/{due}/{id}"))
    }

    /// A [`super::Mail`] that reminds somebody, by the moment at which it goes to the outbox.
    #[must_use]
    pub fn reminder(due: Time, id: Id) -> Key {
        Key::of(format!("reminder/{due}/{id}"))
    }

    /// Says that `message` is pending, so that a restart finds it without reading every message; the value is empty.
    #[must_use]
    pub fn pending(message: Id) -> Key {
        Key::of(format!("pending/{message}"))
    }

    /// Something that must go on `day`: a [`super::Expiry`].
    #[must_use]
    pub fn expiry(day: Day, id: Id) -> Key {
        Key::of(format!("expiry/{day}/{id}"))
    }

    /// What is known of a mail that may be sent again, by its idempotence key: a [`super::Seen`].
    #[must_use]
    pub fn seen(hmac: &[u8; 32]) -> Key {
        Key::of(format!("seen/{}", crate::secret::hex(hmac)))
    }

    /// A [`super::Rate`] of `what` for the address with this hash.
    #[must_use]
    pub fn rate(what: &'static str, hmac: &[u8; 32]) -> Key {
        Key::of(format!("rate/{what}/{}", crate::secret::hex(hmac)))
    }

    /// A [`super::SentSms`], by the name it has at the provider.
    #[must_use]
    pub fn sms(reference: Id) -> Key {
        Key::of(format!("sms/{reference}"))
    }

    /// What SMS have cost today: a [`super::SpentSms`].
    #[must_use]
    pub fn spent_sms() -> Key {
        Key::of("spent/sms".to_owned())
    }

    /// A [`super::Session`], by the SHA-256 of its cookie.
    #[must_use]
    pub fn session(sha256: &[u8; 32]) -> Key {
        Key::of(format!("session/{}", crate::secret::hex(sha256)))
    }

    /// A [`super::KnownPhone`], by the hash of the recipient's address.
    #[must_use]
    pub fn phone(hmac: &[u8; 32]) -> Key {
        Key::of(format!("phone/{}", crate::secret::hex(hmac)))
    }

    /// A [`super::Contact`], by the hash of its address.
    #[must_use]
    pub fn contact(hmac: &[u8; 32]) -> Key {
        Key::of(format!("contact/{}", crate::secret::hex(hmac)))
    }

    /// A [`super::Event`].
    #[must_use]
    pub fn event(at: Time, id: Id) -> Key {
        Key::of(format!("event/{at}/{id}"))
    }

    /// How far the sweep has gone: a [`super::Reached`].
    #[must_use]
    pub fn reached() -> Key {
        Key::of("sweep/reached".to_owned())
    }

    /// A known plain text under each generation of the master key: the key in use is the one the store was made with.
    #[must_use]
    pub fn canary(generation: u32) -> Key {
        Key::of(format!("canary/{generation}"))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments of the key.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A half-open range of keys in byte order. Its ends need not be keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key that belongs to it.
    pub from: String,
    /// The first key that no longer does.
    pub to: String,
}

impl KeyRange {
    /// Every key that begins with the segments `prefix`: `outbox`, `of/<id>`.
    #[must_use]
    pub fn under(prefix: &str) -> KeyRange {
        // '0' is the byte behind '/'.
        KeyRange { from: format!("{prefix}/"), to: format!("{prefix}0") }
    }

    /// What is left of the range behind `key`.
    #[must_use]
    pub fn behind(self, key: &Key) -> KeyRange {
        // The next text in byte order.
        KeyRange { from: format!("{}\0", key.as_str()), ..self }
    }

    /// The mails that bear this code: letters and digits, and a hyphen.
    #[must_use]
    pub fn with_reference(code: &str) -> KeyRange {
        KeyRange::under(&format!("reference/{}", code.to_ascii_lowercase()))
    }

    /// The grants of a message.
    #[must_use]
    pub fn grants_of(message: Id) -> KeyRange {
        KeyRange::under(&format!("of/{message}"))
    }

    /// What the recipient of `grant` replied to a message.
    #[must_use]
    pub fn replies_of(message: Id, grant: Id) -> KeyRange {
        KeyRange::under(&format!("reply/{message}/{grant}"))
    }

    /// The waiting recipients of a held message.
    #[must_use]
    pub fn waiting_of(message: Id) -> KeyRange {
        KeyRange::under(&format!("waiting/{message}"))
    }

    /// The recipients to whom a message is on its way as it came.
    #[must_use]
    pub fn openly_of(message: Id) -> KeyRange {
        KeyRange::under(&format!("openly/{message}"))
    }

    /// Mail due at `now` or earlier.
    #[must_use]
    pub fn outbox_until(now: Time) -> KeyRange {
        KeyRange { from: "outbox/".to_owned(), to: format!("outbox/{}", Time::from_millis(now.millis() + 1)) }
    }

    /// Reminders due at `now` or earlier.
    #[must_use]
    pub fn reminders_until(now: Time) -> KeyRange {
        KeyRange { from: "reminder/".to_owned(), to: format!("reminder/{}", Time::from_millis(now.millis() + 1)) }
    }

    /// What expires after `day`, on `last` at the latest.
    #[must_use]
    pub fn expiry_between(day: Day, last: Day) -> KeyRange {
        KeyRange { from: format!("expiry/{}", day.plus_days(1)), ..KeyRange::expiry_until(last) }
    }

    /// What expires on `day` or earlier.
    #[must_use]
    pub fn expiry_until(day: Day) -> KeyRange {
        KeyRange { from: "expiry/".to_owned(), to: format!("expiry/{}", day.plus_days(1)) }
    }
}
