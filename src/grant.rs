//! Hands a sealed message to a recipient: a link, a grant and a notification, as steps of one batch.
//!
//! The gateway does so when it takes a mail, the number page when a held one is released: the same function, so that both give the same.

use crate::{
    address::Address,
    notice::{Letter, Origin, reference},
    phone::PhoneNumber,
    record::{Batch, Contact, Event, Expect, Expires, Expiry, FORMAT, Fact, Grant, Key, KnownPhone, Level, Mail, Reference, Sealed, State},
    seal::{Bucket, ContentKey, Master, Salt, lookup_id, wrap},
    secret::{Id, Token},
    time::Time,
};
use std::time::Duration;

/// What the grants of one message have in common.
pub struct Handover<'a> {
    /// The machine's key.
    pub master: &'a Master,
    /// The key of the day of expiry.
    pub bucket: &'a Bucket,
    /// The message.
    pub message: Id,
    /// Its content key.
    pub content_key: &'a ContentKey,
    /// Now.
    pub now: Time,
}

/// Who gets a grant.
pub struct Receiver<'a> {
    /// His address.
    pub address: &'a Address,
    /// How he will prove who he is.
    pub level: Level,
    /// His number: must be there at level 2, and is not kept at level 1.
    pub phone: Option<&'a PhoneNumber>,
    /// What the sender wants to hear about him.
    pub origin: &'a Origin,
}

impl Handover<'_> {
    /// Adds a recipient's grant and notification; `letter` makes the notification from the link.
    pub fn give(&self, batch: &mut Batch, to: &Receiver<'_>, letter: impl FnOnce(Token) -> Letter) {
        let token = Token::random();
        let lookup = lookup_id(&token);
        let key = Key::grant(lookup);
        let phone = to.phone.filter(|_| to.level == Level::Two);
        let grant = Grant {
            v: FORMAT,
            message: self.message,
            level: to.level,
            address: self.master.seal_field("address", &key, to.address.as_str(), Salt::random()),
            phone: phone.map(|p| self.master.seal_field("phone", &key, p.expose(), Salt::random())),
            wrap: wrap(self.master, self.bucket, &token, self.message, self.content_key, [Salt::random(), Salt::random()]),
            wrong_tries: 0,
            locked_until: None,
            locks: 0,
            read: None,
            origin: Some(seal_origin(self.master, &key, to.origin)),
            bounced: None,
        };
        batch.put(key, &grant, Expect::Absent);
        batch.put(Key::of_message(self.message, lookup), &(), Expect::Absent);
        batch.put(Key::reference(&reference(lookup), lookup), &Reference { v: FORMAT, on: self.now.day() }, Expect::Absent);
        post(
            batch,
            self.master,
            &letter(token),
            About { message: self.message, grant: Some(lookup), openly: None, only_if: None },
            self.now,
        );
    }
}

/// `origin` for the record at `key`.
///
/// # Panics
/// Never in practice: it has text keys and no foreign types.
#[must_use]
pub fn seal_origin(master: &Master, key: &Key, origin: &Origin) -> Sealed {
    let text = serde_json::to_string(origin).expect("an origin has text keys and no foreign types");
    master.seal_field("origin", key, &text, Salt::random())
}

/// What the record at `key` says of the sender's mail; what it does not say, or no longer, is taken as not asked for.
#[must_use]
pub fn open_origin(master: &Master, key: &Key, origin: Option<&Sealed>) -> Origin {
    let text = origin.and_then(|sealed| master.open_field("origin", key, sealed).ok());
    text.and_then(|text| serde_json::from_str(text.expose()).ok()).unwrap_or_default()
}

/// What a mail in the outbox is about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The message.
    pub message: Id,
    /// The grant.
    pub grant: Option<Id>,
    /// The number of the recipient to whom the message goes as it came.
    pub openly: Option<u32>,
    /// The mail is dropped unless the message is in this state when it leaves.
    pub only_if: Option<State>,
}

impl About {
    /// About a message as a whole, whatever its state.
    #[must_use]
    pub fn message(message: Id) -> About {
        About { message, grant: None, openly: None, only_if: None }
    }
}

/// When a sender is reminded of what is asked of him, counted from the mail that asked.
pub const REMINDERS: [Duration; 2] = [Duration::from_secs(4 * 3600), Duration::from_secs(24 * 3600)];

/// The keys of the mails that remind a sender who was asked `now`, before `until` is over. They stand in his approval: a decision takes them away.
#[must_use]
pub fn reminders(now: Time, until: Time) -> Vec<Key> {
    REMINDERS.iter().map(|after| now.plus(*after)).filter(|due| *due < until).map(|due| Key::reminder(due, Id::random())).collect()
}

/// Adds the mail that asks a sender, and at each of the keys of [`reminders`] one that reminds him; the message was taken `at` this moment.
pub fn ask(batch: &mut Batch, master: &Master, letter: Letter, (message, at): (Id, Time), reminders: &[Key], now: Time) {
    post(batch, master, &letter, About { message, grant: None, openly: None, only_if: Some(State::Held) }, now);
    remind(batch, master, letter, (message, at), reminders, now);
}

/// Adds the mails that remind a sender of what `letter` asks.
pub fn remind(batch: &mut Batch, master: &Master, mut letter: Letter, (message, at): (Id, Time), reminders: &[Key], now: Time) {
    let about = About { message, grant: None, openly: None, only_if: Some(State::Held) };
    letter.remind(at);
    for key in reminders {
        let Some(id) = key.segments().last().and_then(Id::parse) else { continue };
        batch.put(key.clone(), &row(master, id, &letter, about, now), Expect::Absent);
    }
}

/// Adds a mail that is due at once.
///
/// # Panics
/// Never in practice: letters serialise.
pub fn post(batch: &mut Batch, master: &Master, letter: &Letter, about: About, now: Time) {
    let id = Id::random();
    batch.put(Key::outbox(now, id), &row(master, id, letter, about, now), Expect::Absent);
}

fn row(master: &Master, id: Id, letter: &Letter, about: About, now: Time) -> Mail {
    let text = zeroize::Zeroizing::new(serde_json::to_vec(letter).expect("letters have text keys and no foreign types"));
    Mail {
        v: FORMAT,
        at: now,
        about: about.message,
        grant: about.grant,
        openly: about.openly,
        only_if: about.only_if,
        tries: 0,
        claimed: false,
        delay_told: false,
        letter: master.seal_letter(id, &text, Salt::random()),
    }
}

/// Adds a recipient's number to those that the organisation knows; at most once for an address in one batch. `by` is who gave it.
pub fn know_phone(batch: &mut Batch, master: &Master, address: &Address, phone: &PhoneNumber, by: &str, now: Time) {
    let key = Key::phone(&master.address_hash(address));
    let seal = |name, text: &str| master.seal_field(name, &key, text, Salt::random());
    let known = KnownPhone {
        v: FORMAT,
        address: seal("address", address.as_str()),
        phone: seal("phone", phone.expose()),
        by: seal("by", by),
        at: now,
    };
    batch.put(key, &known, Expect::Anything);
    note(batch, Fact::PhoneSet, None, None, now);
}

/// So long it is known that somebody has written to an address.
pub const CONTACT_KEPT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Adds: somebody of the organisation writes to this address, now.
pub fn know_contact(batch: &mut Batch, master: &Master, address: &Address, now: Time) {
    let key = Key::contact(&master.address_hash(address));
    let at = now.plus(CONTACT_KEPT);
    let row = Expiry { v: FORMAT, at, what: Expires::Contact(key.as_str().to_owned()) };
    batch.put(Key::expiry(at.day(), Id::random()), &row, Expect::Absent);
    batch.put(key, &Contact { v: FORMAT, at: now }, Expect::Anything);
}

/// Adds an event.
pub fn note(batch: &mut Batch, what: Fact, message: Option<Id>, grant: Option<Id>, now: Time) {
    let event = Event { v: FORMAT, what, message, grant, queue: None, by: None, reason: None };
    batch.put(Key::event(now, Id::random()), &event, Expect::Absent);
}
