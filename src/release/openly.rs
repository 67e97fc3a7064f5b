//! A held message goes on as it came, to those for whom its sender, or the organisation, decided so.

use super::{Held, Waiter};
use crate::{
    grant::{About, Handover, know_contact, post, seal_origin},
    notice::Letter,
    record::{Batch, Event, Expect, Expires, Expiry, FORMAT, Fact, Key, Openly, Sealed, SealedMessage},
    seal::{Damaged, Master, Salt, wrap},
    secret::{Id, Token},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What of a mail's envelope is kept at most, in octets: a record must hold it, sealed. A mail whose envelope says more can't go openly.
const MOST_AS_SENT: usize = 8 * 1024;

/// How long the octets of a message are kept that nobody has a link to: the outbox tries for two days, and zegel may not be running for some.
const KEPT: Duration = Duration::from_secs(5 * 24 * 3600);

/// What it takes to send a mail on to one recipient as it came, beside its octets and his address. Sealed under the field key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsSent {
    /// The envelope's sender; `None` is the null sender.
    pub from: Option<String>,
    /// The ESMTP parameters of MAIL.
    pub mail_parameters: String,
    /// Those of his RCPT.
    pub parameters: String,
    /// Our trace header, of the moment at which the mail came.
    pub trace: String,
}

impl AsSent {
    /// Whether a record can hold it.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.text().len() <= MOST_AS_SENT
    }

    /// For the field `as_sent` of the record at `key`.
    #[must_use]
    pub fn seal(&self, master: &Master, key: &Key) -> Sealed {
        master.seal_field("as-sent", key, &self.text(), Salt::random())
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("it has text keys and no foreign types")
    }

    /// What [`AsSent::seal`] made for the record at `key`.
    ///
    /// # Errors
    /// [`Damaged`] when it is not that.
    pub fn open(master: &Master, key: &Key, sealed: &Sealed) -> Result<AsSent, Damaged> {
        let text = master.open_field("as-sent", key, sealed)?;
        serde_json::from_str(text.expose()).map_err(|_| Damaged)
    }
}

/// The decision that a message goes on as it is.
#[derive(Clone, Copy)]
pub struct Decided<'a> {
    /// Who decided.
    pub by: &'a str,
    /// Why, in his words.
    pub reason: &'a str,
}

/// Adds the mail to each who gets it as it came, and the event that tells who decided so, and why: the only place where that is kept. Says whether
/// there is anybody.
pub(super) fn send_all(batch: &mut Batch, held: &Held<'_>) -> bool {
    let Handover { master, message, now, .. } = held.handover;
    let mut some = false;
    for waiter in held.waiting.iter().filter(|w| w.openly) {
        let Some(as_sent) = &waiter.as_sent else { continue };
        batch.delete(waiter.key.clone(), Expect::Version(waiter.version));
        send(batch, held, waiter, as_sent);
        some = true;
    }
    if let Some(decided) = held.decided.filter(|_| some) {
        let key = Key::event(now, Id::random());
        let seal = |name, text: &str| Some(master.seal_field(name, &key, text, Salt::random()));
        let (by, reason) = (seal("by", decided.by), seal("reason", decided.reason));
        let event = Event { v: FORMAT, what: Fact::SentOpenly, message: Some(message), grant: None, queue: None, by, reason };
        batch.put(key, &event, Expect::Absent);
    }
    some
}

/// Adds the mail to one recipient, and what is kept of him until he has it.
fn send(batch: &mut Batch, held: &Held<'_>, waiter: &Waiter, as_sent: &AsSent) {
    let Handover { master, bucket, message, content_key, now } = held.handover;
    let key = Key::openly(message, waiter.number());
    let token = Token::random();
    let record = Openly {
        v: FORMAT,
        address: master.seal_field("address", &key, waiter.address.as_str(), Salt::random()),
        origin: seal_origin(master, &key, &waiter.origin),
        as_sent: as_sent.seal(master, &key),
        wrap: wrap(master, bucket, &token, message, content_key, [Salt::random(), Salt::random()]),
    };
    batch.put(key, &record, Expect::Absent);
    if waiter.first_contact {
        know_contact(batch, master, &waiter.address, now);
    }
    let letter = Letter::Openly { token, recipient: waiter.address.clone(), subject: held.card.open_subject.clone() };
    post(batch, master, &letter, About { message, grant: None, openly: Some(waiter.number()), only_if: None }, now);
}

/// The message as it is kept once it was decided about. What nobody needs any more goes: its octets as they came where nobody gets them, and all of
/// it, some days later, where everybody does.
pub(super) fn kept(batch: &mut Batch, held: &Held<'_>) -> SealedMessage {
    let mut kept = held.message.clone();
    // Somebody may be getting it as it came by an earlier decision.
    let Some(original) = kept.original.filter(|_| !held.approval.openly) else { return kept };
    if !held.waiting.iter().any(Waiter::goes_openly) {
        kept.original = None;
        kept.blobs.retain(|blob| *blob != original.blob || original.is_a_file);
    } else if held.waiting.iter().all(Waiter::goes_openly) {
        let at = held.handover.now.plus(KEPT);
        let what = Expires::Message(held.handover.message);
        batch.put(Key::expiry(at.day(), Id::random()), &Expiry { v: FORMAT, at, what }, Expect::Absent);
    }
    kept
}
