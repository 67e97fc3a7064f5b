//! What a sender does with a message that has left him: he blocks it or recalls it for good, moves its last day, mends a recipient's number.
//!
//! Each is one batch at the versions that were read: whoever unlocks, releases or recalls at the same moment comes before or after it, never between.
//! None of it takes the content key, so the link that leads here need not hold one.

use crate::{
    address::Address,
    grant::know_phone,
    phone::PhoneNumber,
    record::{Approval, Batch, Event, Expect, Expires, Expiry, FORMAT, Fact, Grant, Key, Sealed, SealedMessage, State},
    seal::{Bucket, Damaged, Master, Salt, digest, rewrap},
    secret::Id,
    time::{Day, Time},
};

/// No message is kept longer than this from when it was taken (product.md, Numbers).
pub const MOST_DAYS: u32 = 365;

/// A record with its version.
pub type Read<T> = (T, u64);

/// A message and who does something with it.
pub struct Sent<'a> {
    /// The machine's key.
    pub master: &'a Master,
    /// The message.
    pub id: Id,
    /// Its record.
    pub message: &'a SealedMessage,
    /// The record's version.
    pub version: u64,
    /// Its sender.
    pub by: &'a Address,
    /// Now.
    pub now: Time,
}

/// Everything that belongs to a message.
#[derive(Default)]
pub struct Belongings {
    /// The grants, by their look-up ids.
    pub grants: Vec<(Id, Read<Grant>)>,
    /// The rows of recipients who wait for a number, or to whom the message goes as it came, with their versions.
    pub waiting: Vec<(Key, u64)>,
    /// The link by which its sender was asked, by its look-up id.
    pub asked: Option<(Id, Read<Approval>)>,
}

impl Sent<'_> {
    /// Nobody reads the message until [`Sent::unblock`].
    #[must_use]
    pub fn block(&self) -> Batch {
        self.becomes(State::Blocked, Fact::Blocked)
    }

    /// Takes [`Sent::block`] back.
    #[must_use]
    pub fn unblock(&self) -> Batch {
        self.becomes(State::Sent, Fact::Unblocked)
    }

    fn becomes(&self, state: State, fact: Fact) -> Batch {
        let mut batch = Batch::new();
        batch.put(Key::message(self.id), &SealedMessage { state, ..self.message.clone() }, Expect::Version(self.version));
        self.note(&mut batch, fact, None);
        batch
    }

    /// Destroys the message: its wraps go with this batch, its blobs are to be deleted behind it. What tells who has read it stays until its day.
    #[must_use]
    pub fn destroy(&self, belongings: &Belongings) -> Batch {
        let none = || Sealed(Vec::new());
        let mut batch = Batch::new();
        let kept = SealedMessage { state: State::Recalled, sealed_card: None, original: None, blobs: Vec::new(), ..self.message.clone() };
        batch.put(Key::message(self.id), &kept, Expect::Version(self.version));
        for (lookup, (grant, version)) in &belongings.grants {
            let emptied = Grant { wrap: none(), phone: None, ..grant.clone() };
            batch.put(Key::grant(*lookup), &emptied, Expect::Version(*version));
            batch.delete(Key::challenge(*lookup), Expect::Anything);
        }
        for (key, version) in &belongings.waiting {
            batch.delete(key.clone(), Expect::Version(*version));
        }
        if let Some((lookup, (approval, version))) = &belongings.asked {
            for key in approval.reminders.iter().filter_map(|key| Key::parse(key)) {
                batch.delete(key, Expect::Anything);
            }
            let emptied = Approval { wrap: none(), reminders: Vec::new(), ..approval.clone() };
            batch.put(Key::approval(*lookup), &emptied, Expect::Version(*version));
        }
        self.note(&mut batch, Fact::Recalled, None);
        batch
    }

    /// Moves the message's last day: the outer layer of each wrap is made anew, under the key of the other day.
    ///
    /// # Errors
    /// [`Damaged`] when a wrap is not what was kept.
    pub fn move_day(&self, belongings: &Belongings, buckets: [&Bucket; 2]) -> Result<Batch, Damaged> {
        let mut batch = Batch::new();
        let expires = buckets[1].day();
        let moved = SealedMessage { expires, moved: true, ..self.message.clone() };
        batch.put(Key::message(self.id), &moved, Expect::Version(self.version));
        let wrap = |lookup, wrapped| rewrap(self.master, buckets, self.id, lookup, wrapped, Salt::random());
        for (lookup, (grant, version)) in &belongings.grants {
            let grant = Grant { wrap: wrap(*lookup, &grant.wrap)?, ..grant.clone() };
            batch.put(Key::grant(*lookup), &grant, Expect::Version(*version));
        }
        if let Some((lookup, (approval, version))) = &belongings.asked {
            let approval = Approval { wrap: wrap(*lookup, &approval.wrap)?, ..approval.clone() };
            batch.put(Key::approval(*lookup), &approval, Expect::Version(*version));
        }
        let at = expires.plus_days(1).begins();
        let asked = belongings.asked.iter().map(|(lookup, _)| Expires::Key(Key::approval(*lookup).as_str().to_owned()));
        for what in asked.chain([Expires::Message(self.id)]) {
            batch.put(Key::expiry(at.day(), Id::random()), &Expiry { v: FORMAT, at, what }, Expect::Absent);
        }
        self.note(&mut batch, Fact::DayMoved, None);
        Ok(batch)
    }

    /// Gives a recipient another number, for this message and for those to come. A code that is on its way to the old one opens nothing any more.
    #[must_use]
    pub fn change_number(&self, lookup: Id, (grant, version): &Read<Grant>, recipient: &Address, phone: &PhoneNumber) -> Batch {
        let key = Key::grant(lookup);
        let mut batch = Batch::new();
        batch.check(Key::message(self.id), self.version);
        let phone_field = self.master.seal_field("phone", &key, phone.expose(), Salt::random());
        batch.put(key, &Grant { phone: Some(phone_field), ..grant.clone() }, Expect::Version(*version));
        batch.delete(Key::challenge(lookup), Expect::Anything);
        // That no SMS arrives at the new one, or that it is another's too, is news again.
        batch.delete(undelivered(lookup), Expect::Anything);
        batch.delete(doubted(lookup), Expect::Anything);
        know_phone(&mut batch, self.master, recipient, phone, self.by.as_str(), self.now);
        self.note(&mut batch, Fact::NumberChanged, Some(lookup));
        batch
    }

    /// Adds the event, with who did it.
    fn note(&self, batch: &mut Batch, what: Fact, grant: Option<Id>) {
        let key = Key::event(self.now, Id::random());
        let by = Some(self.master.seal_field("by", &key, self.by.as_str(), Salt::random()));
        let event = Event { v: FORMAT, what, message: Some(self.id), grant, queue: None, by, reason: None };
        batch.put(key, &event, Expect::Absent);
    }
}

/// Where it is written down that the sender was told of a code that did not arrive.
#[must_use]
pub fn undelivered(grant: Id) -> Key {
    Key::rate("undelivered", &digest([grant.0.as_slice()]))
}

/// Where it is written down that the sender was told that a recipient's number is not his.
#[must_use]
pub fn doubted(grant: Id) -> Key {
    Key::rate("doubted", &digest([grant.0.as_slice()]))
}

/// The days to which a message that was taken `at` that moment can be moved.
#[must_use]
pub fn days(at: Time, now: Time) -> std::ops::RangeInclusive<Day> {
    now.day()..=at.day().plus_days(MOST_DAYS)
}
