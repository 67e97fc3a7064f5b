//! Makes a sealed message count: its state, and for each recipient a grant with its notification, or a place in the queue for a number.

use super::{Judged, Transfer, protect::Reader, sealing::Sealing};
use crate::{
    address::Address,
    grant::{self, Handover, Receiver},
    inspect::{Hold, Plan},
    notice::Letter,
    policy::MissingPhone,
    record::{Batch, Event, Expect, Expires, Expiry, FORMAT, Fact, Key, State},
    secret::{Id, Token},
    time::Time,
};

impl Transfer {
    /// Adds everything that makes the message count: its state, and for each recipient a grant with its notification, or a place in the queue for
    /// a number.
    pub(super) fn hand_over(&self, batch: &mut Batch, sealing: &Sealing, readers: &[Reader], plan: &Plan, judged: &Judged, expect: Expect) {
        let missing = readers.iter().any(Reader::lacks_number);
        let waits = |r: &Reader| plan.hold != Hold::No || r.lacks_number() || (missing && plan.missing_phone == MissingPhone::HoldAll);
        let state = match &plan.hold {
            Hold::Quarantine(_) => State::Quarantined,
            Hold::Sender(_) => State::Held,
            Hold::No if missing => State::Held,
            Hold::No => State::Sent,
        };
        batch.put(Key::message(sealing.id), &self.message_record(sealing, state, plan), expect);
        let handover = Handover {
            master: &sealing.master,
            bucket: &sealing.bucket,
            message: sealing.id,
            content_key: &sealing.content_key,
            now: sealing.now,
        };
        for reader in readers.iter().filter(|r| !waits(r)) {
            if judged.is_new(&reader.address) {
                grant::know_contact(batch, &sealing.master, &reader.address, sealing.now);
            }
            let letter = |token| self.notification(token, reader, (sealing, plan), judged);
            let Reader { address, level, origin, .. } = reader;
            handover.give(batch, &Receiver { address, level: *level, phone: reader.phone.as_ref(), origin }, letter);
        }
        for reader in readers {
            self.remember_first(batch, judged, &reader.address, (Some(sealing.id), sealing.now));
        }
        self.remember_numbers(batch, sealing, readers);
        match &plan.hold {
            Hold::Quarantine(_) => self.quarantine(batch, sealing, readers, plan, judged),
            Hold::Sender(policy) => self.ask(batch, sealing, readers, policy, judged),
            Hold::No if missing => {
                let waiting: Vec<_> = readers.iter().filter(|r| waits(r)).collect();
                self.hold(batch, sealing, &waiting, readers.len(), judged);
            }
            Hold::No => {}
        }
        self.event(batch, Fact::Sealed, sealing);
        let ends = sealing.expires.plus_days(1);
        put_expiry(batch, ends.begins(), Expires::Message(sealing.id));
    }

    fn notification(&self, token: Token, reader: &Reader, (sealing, plan): (&Sealing, &Plan), judged: &Judged) -> Letter {
        let (sender_name, sender) = self.shown_sender(judged);
        Letter::Notification {
            token,
            sender: Address::parse(&sender).ok(),
            envelope_from: self.envelope.from.clone(),
            sender_name,
            recipient: reader.address.clone(),
            subject: self.open_subject(judged),
            language: self.gateway.options.language.clone(),
            level: reader.level,
            expires: sealing.expires,
            with_text: sealing.files_only(plan),
        }
    }

    /// Adds the numbers that the sender gave behind the trigger to those of the organisation.
    fn remember_numbers(&self, batch: &mut Batch, sealing: &Sealing, readers: &[Reader]) {
        let Some(sender) = &self.envelope.from else { return };
        for reader in readers.iter().filter(|r| r.given) {
            let Some(phone) = &reader.phone else { continue };
            grant::know_phone(batch, &sealing.master, &reader.address, phone, sender.as_str(), sealing.now);
        }
    }

    pub(super) fn event(&self, batch: &mut Batch, what: Fact, sealing: &Sealing) {
        let event = Event {
            v: FORMAT,
            what,
            message: Some(sealing.id),
            grant: None,
            queue: Some(self.envelope.id.to_string()),
            by: None,
            reason: None,
        };
        batch.put(Key::event(sealing.now, Id::random()), &event, Expect::Absent);
    }
}

pub(super) fn put_expiry(batch: &mut Batch, at: Time, what: Expires) {
    batch.put(Key::expiry(at.day(), Id::random()), &Expiry { v: FORMAT, at, what }, Expect::Absent);
}
