//! A message that nobody let out of quarantine, or that was refused there, goes; its sender is told.

use super::{Sweep, Trouble};
use crate::{
    address::Address,
    grant::{self, About},
    notice::{Letter, MOST_NAMED, Told},
    record::{Batch, Expect, Fact, Key, KeyRange, Quarantined, SealedMessage, State, Waiting},
    release,
    secret::Id,
    time::Time,
};

impl Sweep {
    /// Takes a message out of quarantine that was refused, or for which the time is over. Any other stays: this moment was another's.
    pub(super) async fn give_up_quarantined(
        &self,
        batch: &mut Batch,
        id: Id,
        message: SealedMessage,
        version: u64,
        now: Time,
    ) -> Result<Vec<Id>, Trouble> {
        let (master, key) = (self.keyring.master(), Key::quarantine(id));
        let Some(record) = self.store.get(&key).await? else {
            return self.bury(batch, id, SealedMessage { state: State::Held, ..message }, version, Fact::NotSent, now).await;
        };
        let row: Quarantined = record.read(&key)?;
        let reason = release::open_reason(&master, &key, row.refused.as_ref())?;
        if reason.is_none() && row.until > now {
            return Ok(Vec::new());
        }
        let details = release::open_details(&master, &key, &row)?;
        let mut recipients = Vec::new();
        for (key, record) in self.store.list(&KeyRange::waiting_of(id), usize::MAX).await? {
            let waiting: Waiting = record.read(&key)?;
            let address = master.open_field("address", &key, &waiting.address)?;
            let origin = grant::open_origin(&master, &key, waiting.origin.as_ref());
            recipients.extend(Address::parse(address.expose()).ok().filter(|_| origin.notify.failure));
        }
        let sender = details.sender.as_deref().filter(|_| details.tell).and_then(|sender| Address::parse(sender).ok());
        if let Some(sender) = sender.filter(|_| !recipients.is_empty()) {
            let letter = Letter::Told {
                what: if reason.is_some() { Told::Refused } else { Told::Expired },
                sender,
                more: recipients.len().saturating_sub(MOST_NAMED),
                recipients: recipients.into_iter().take(MOST_NAMED).collect(),
                subject: details.subject,
                at: row.at,
                why: details.why,
                policy: details.policy,
                reason: reason.filter(|reason| !reason.is_empty()),
                until: None,
                language: message.language.clone(),
            };
            grant::post(batch, &master, &letter, About::message(id), now);
        }
        batch.delete(key, Expect::Version(record.version));
        // The record of the quarantine is dealt with.
        self.bury(batch, id, SealedMessage { state: State::Held, ..message }, version, Fact::NotSent, now).await
    }
}
