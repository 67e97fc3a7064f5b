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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::Level,
        seal::{ContentKey, lookup_id, unwrap, wrap},
        secret::Token,
        store::{Store as _, StoreError, memory::MemoryStore},
    };

    fn now() -> Time {
        Time::from_millis(1_800_000_000_000)
    }

    /// A message with one recipient, and what its store holds of it.
    struct Case {
        store: MemoryStore,
        master: Master,
        buckets: [Bucket; 2],
        token: Token,
        key: ContentKey,
        id: Id,
        by: Address,
    }

    impl Case {
        async fn new() -> Case {
            let (store, master, key) = (MemoryStore::new(), Master::random(1), ContentKey::random());
            let (today, token, id) = (now().day(), Token::random(), Id::random());
            let buckets = [Bucket::random(today.plus_days(30)), Bucket::random(today.plus_days(90))];
            let by = Address::parse("anna@gemeente.example").unwrap();
            let message = SealedMessage {
                v: FORMAT,
                state: State::Sent,
                at: now(),
                expires: buckets[0].day(),
                generation: 1,
                sender: None,
                language: "nl".to_owned(),
                card: Id::random(),
                sealed_card: None,
                original: None,
                ours: true,
                files_only: false,
                blobs: vec![Id::random()],
                asked: None,
                moved: false,
            };
            let grant = Grant {
                v: FORMAT,
                message: id,
                level: Level::Two,
                address: Sealed(Vec::new()),
                phone: Some(Sealed(Vec::new())),
                wrap: wrap(&master, &buckets[0], &token, id, &key, [Salt::random(), Salt::random()]),
                wrong_tries: 0,
                locked_until: None,
                locks: 0,
                read: None,
                origin: None,
                bounced: None,
            };
            let mut batch = Batch::new();
            batch.put(Key::message(id), &message, Expect::Absent);
            batch.put(Key::grant(lookup_id(&token)), &grant, Expect::Absent);
            store.commit(batch).await.unwrap();
            Case { store, master, buckets, token, key, id, by }
        }

        async fn read<T: serde::de::DeserializeOwned>(&self, key: &Key) -> Read<T> {
            let record = self.store.get(key).await.unwrap().unwrap();
            (record.read(key).unwrap(), record.version)
        }

        /// Each thing that can be done, as whoever reads the records now would do it.
        async fn wishes(&self) -> Vec<(&'static str, Batch)> {
            let (message, version) = self.read(&Key::message(self.id)).await;
            let lookup = lookup_id(&self.token);
            let grant: Read<Grant> = self.read(&Key::grant(lookup)).await;
            let sent = Sent { master: &self.master, id: self.id, message: &message, version, by: &self.by, now: now() };
            let all = Belongings { grants: vec![(lookup, grant.clone())], ..Belongings::default() };
            let number = PhoneNumber::parse("0612345678").unwrap();
            let [from, to] = &self.buckets;
            vec![
                ("block", sent.block()),
                ("destroy", sent.destroy(&all)),
                ("day", sent.move_day(&all, [from, to]).unwrap()),
                ("number", sent.change_number(lookup, &grant, &self.by, &number)),
            ]
        }
    }

    #[tokio::test]
    async fn of_two_wishes_that_read_the_same_the_second_is_decided_anew() {
        for first in 0..4 {
            for second in 0..4 {
                let case = Case::new().await;
                let (mut one, mut other) = (case.wishes().await, case.wishes().await);
                let ((what, batch), (then, later)) = (one.swap_remove(first), other.swap_remove(second));
                case.store.commit(batch).await.unwrap();
                // A number changes the grant alone, and a block the message alone: either comes before the other.
                let apart = what == "number" && then == "block";
                let expected = if apart { Ok(()) } else { Err(StoreError::Conflict) };
                assert_eq!(case.store.commit(later).await, expected, "{what}, then {then}");
            }
        }
    }

    #[tokio::test]
    async fn a_wrap_that_was_moved_opens_under_the_other_day_only_and_one_that_was_destroyed_under_none() {
        let case = Case::new().await;
        let grant_key = Key::grant(lookup_id(&case.token));
        let opens = |grant: &Grant| {
            case.buckets.each_ref().map(|bucket| {
                let opened = unwrap(&case.master, bucket, &case.token, case.id, &grant.wrap);
                opened.is_ok_and(|key| key.key().expose() == case.key.key().expose())
            })
        };
        assert_eq!(opens(&case.read(&grant_key).await.0), [true, false]);
        let (_, moved) = case.wishes().await.swap_remove(2);
        case.store.commit(moved).await.unwrap();
        assert_eq!(opens(&case.read(&grant_key).await.0), [false, true]);
        let case2 = Case::new().await;
        let (_, destroyed) = case2.wishes().await.swap_remove(1);
        case2.store.commit(destroyed).await.unwrap();
        let grant: Grant = case2.read(&Key::grant(lookup_id(&case2.token))).await.0;
        let message: SealedMessage = case2.read(&Key::message(case2.id)).await.0;
        assert!(grant.wrap.0.is_empty() && grant.phone.is_none() && message.blobs.is_empty() && message.state == State::Recalled);
    }
}
