//! The sender has chosen how his message goes, and a number is missing for that.

use super::{Held, openly};
use crate::{
    address::Address,
    grant::{self, Handover, seal_origin},
    notice::{Letter, MOST_NAMED},
    record::{Approval, Batch, Expect, FORMAT, Key, Waiting},
    seal::Salt,
    secret::Token,
};

/// Takes away what would remind a sender who has decided. One that is leaving at this moment has another key already.
pub(super) fn end_reminders(batch: &mut Batch, approval: &Approval) {
    for key in approval.reminders.iter().filter_map(|key| Key::parse(key)) {
        batch.delete(key, Expect::Anything);
    }
}

/// The choice is remembered, and those get the mail who get it as it came; the numbers of the others are asked next. `token` is the sender's link,
/// by which he is reminded of that.
#[must_use]
pub fn numbers_first(held: &Held<'_>, token: &Token) -> Batch {
    let Handover { master, message, now, .. } = held.handover;
    let mut batch = Batch::new();
    let kept = openly::kept(&mut batch, held);
    batch.put(Key::message(message), &kept, Expect::Version(held.version));
    let went = openly::send_all(&mut batch, held);
    end_reminders(&mut batch, held.approval);
    let reminders = grant::reminders(now, held.approval.until);
    if let Some(sender) = held.sender {
        grant::remind(&mut batch, master, number_needed(held, sender, token, went), (message, held.message.at), &reminders, now);
    }
    let reminders = reminders.iter().map(|key| key.as_str().to_owned()).collect();
    let approval = Approval { ask: false, openly: went, reminders, ..held.approval.clone() };
    batch.put(held.approval_key.clone(), &approval, Expect::Version(held.approval_version));
    for waiter in held.waiting.iter().filter(|w| !w.goes_openly()) {
        let seal = |name, text: &str| master.seal_field(name, &waiter.key, text, Salt::random());
        let record = Waiting {
            v: FORMAT,
            level: waiter.level,
            address: seal("address", waiter.address.as_str()),
            phone: waiter.phone.as_ref().map(|p| seal("phone", p.expose())),
            origin: Some(seal_origin(master, &waiter.key, &waiter.origin)),
            first_contact: waiter.first_contact,
            as_sent: None,
        };
        batch.put(waiter.key.clone(), &record, Expect::Version(waiter.version));
    }
    batch
}

/// The mail that asks for the numbers that are missing.
fn number_needed(held: &Held<'_>, sender: &Address, token: &Token, some_have_it: bool) -> Letter {
    let missing: Vec<&Address> = held.waiting.iter().filter(|w| w.lacks_number()).map(|w| &w.address).collect();
    Letter::NumberNeeded {
        token: token.clone(),
        sender: sender.clone(),
        subject: held.card.open_subject.clone(),
        // He has read why when he was asked to choose.
        why: Vec::new(),
        others: held.waiting.iter().filter(|w| !w.goes_openly()).count() - missing.len(),
        more: missing.len().saturating_sub(MOST_NAMED),
        missing: missing.into_iter().take(MOST_NAMED).cloned().collect(),
        some_have_it,
        until: held.approval.until.day(),
        reminds_of: None,
        language: held.message.language.clone(),
    }
}
