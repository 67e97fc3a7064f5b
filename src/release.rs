//! Releases a held message: the numbers are there, so every recipient who waits gets a link.

mod choice;
mod openly;
mod quarantine;

pub use choice::numbers_first;
pub use openly::{AsSent, Decided};
pub use quarantine::{Details, Entered, MOST_REASON_CHARS, QUARANTINE_TIME, enter, leave_for_number, open_details, open_reason, refuse};

use crate::{
    address::Address,
    grant::{Handover, Receiver, know_contact, know_phone, note},
    notice::{Letter, Origin},
    phone::PhoneNumber,
    record::{Approval, Batch, Card, Expect, Fact, Key, Level, SealedMessage, State},
    seal::Master,
};
use std::time::Duration;

/// How long a message waits for a phone number.
pub const NUMBER_TIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// A recipient of a held message.
pub struct Waiter {
    /// The row that holds him.
    pub key: Key,
    /// The row's version.
    pub version: u64,
    /// Who he is.
    pub address: Address,
    /// How he will open the message.
    pub level: Level,
    /// His number: known before, or given now.
    pub phone: Option<PhoneNumber>,
    /// Whether the number was given now and is to be remembered.
    pub given: bool,
    /// What the sender wants to hear about him.
    pub origin: Origin,
    /// Whether it is to be written down that somebody of the organisation writes to him.
    pub first_contact: bool,
    /// What it takes to send him the mail as it came; `None` where that is not allowed.
    pub as_sent: Option<AsSent>,
    /// Whether it was decided that he gets it so.
    pub openly: bool,
}

impl Waiter {
    /// Whether nothing can be sent to him yet.
    #[must_use]
    pub fn lacks_number(&self) -> bool {
        self.level == Level::Two && self.phone.is_none() && !self.goes_openly()
    }

    /// His number among those who wait.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.key.segments().last().and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    /// Whether he gets the mail as it came.
    #[must_use]
    pub fn goes_openly(&self) -> bool {
        self.openly && self.as_sent.is_some()
    }
}

/// A held message with all that its release needs.
pub struct Held<'a> {
    /// Its keys.
    pub handover: Handover<'a>,
    /// Its record.
    pub message: &'a SealedMessage,
    /// The record's version: of two releases at a time one wins.
    pub version: u64,
    /// The key of the sender's link.
    pub approval_key: Key,
    /// The sender's link: it will say that the message was released.
    pub approval: &'a Approval,
    /// The link's version.
    pub approval_version: u64,
    /// What it is.
    pub card: &'a Card,
    /// Who sent it; bounces of notifications go there. `None` is the null sender.
    pub sender: Option<&'a Address>,
    /// Everybody who waits.
    pub waiting: &'a [Waiter],
    /// The decision by which some of them get the mail as it came.
    pub decided: Option<Decided<'a>>,
}

/// Some recipient still lacks a number: nothing is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumbersMissing;

/// Everything that the release changes, as one batch: links, grants and notifications for all who wait, or the mail itself for those who get it as
/// it came; the numbers remembered, the message sent.
///
/// # Errors
/// [`NumbersMissing`] when somebody still lacks a number.
pub fn release(held: &Held<'_>) -> Result<Batch, NumbersMissing> {
    if held.waiting.iter().any(Waiter::lacks_number) {
        return Err(NumbersMissing);
    }
    let Handover { master, message, now, .. } = held.handover;
    let mut batch = Batch::new();
    let kept = openly::kept(&mut batch, held);
    batch.put(Key::message(message), &SealedMessage { state: State::Sent, ..kept }, Expect::Version(held.version));
    let went = openly::send_all(&mut batch, held);
    let openly = held.approval.openly || went;
    let released = Approval { released: Some(now), openly, reminders: Vec::new(), ..held.approval.clone() };
    batch.put(held.approval_key.clone(), &released, Expect::Version(held.approval_version));
    choice::end_reminders(&mut batch, held.approval);
    for waiter in held.waiting.iter().filter(|w| !w.goes_openly()) {
        batch.delete(waiter.key.clone(), Expect::Version(waiter.version));
        let letter = |token| Letter::Notification {
            token,
            sender: Address::parse(&held.card.sender).ok(),
            envelope_from: held.sender.cloned(),
            sender_name: held.card.sender_name.clone(),
            recipient: waiter.address.clone(),
            subject: held.card.open_subject.clone(),
            language: held.message.language.clone(),
            level: waiter.level,
            expires: held.message.expires,
            with_text: held.message.files_only,
        };
        if waiter.first_contact {
            know_contact(&mut batch, master, &waiter.address, now);
        }
        let Waiter { address, level, origin, .. } = waiter;
        held.handover.give(&mut batch, &Receiver { address, level: *level, phone: waiter.phone.as_ref(), origin }, letter);
    }
    remember(&mut batch, master, held);
    note(&mut batch, Fact::Released, Some(message), None, now);
    Ok(batch)
}

/// Adds the numbers that were given, for the whole organisation.
fn remember(batch: &mut Batch, master: &Master, held: &Held<'_>) {
    let Some(sender) = held.sender else { return };
    let mut done = Vec::new();
    for waiter in held.waiting.iter().filter(|w| w.given) {
        let Some(phone) = &waiter.phone else { continue };
        if done.contains(&&waiter.address) {
            continue;
        }
        know_phone(batch, master, &waiter.address, phone, sender.as_str(), held.handover.now);
        done.push(&waiter.address);
    }
}
