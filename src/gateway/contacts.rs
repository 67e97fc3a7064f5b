//! To whom the organisation has written before. Known only while a policy asks for it: else no mail meets the store for this.

use super::{Judged, Transfer, repeat::REMEMBERED_DAYS};
use crate::{
    address::Address,
    grant,
    inspect::Decision,
    message::Message,
    record::{Batch, Contact, Key},
    smtp::Reply,
};
use std::{collections::HashSet, time::Duration};

/// A contact is written down anew only when that is so long ago.
const FRESH: Duration = Duration::from_secs(30 * 24 * 3600);

/// So long a mail may be sent again ([`REMEMBERED_DAYS`]), a day of grace included.
const SENT_AGAIN: Duration = Duration::from_secs((REMEMBERED_DAYS as u64 + 1) * 24 * 3600);

/// What is known of a mail's recipients.
#[derive(Default)]
pub(super) struct Contacts {
    /// Nobody has written to these before.
    pub(super) first: Vec<Address>,
    /// Somebody has, some time ago.
    stale: Vec<Address>,
}

impl Transfer {
    /// Looks the recipients up. A store that does not answer keeps the mail with its sender: a policy waits for this.
    ///
    /// Who became known by this very mail is not known yet: it may be sent again because our reply was lost, and must not pass then.
    pub(super) async fn contacts(&mut self, message: &Message) -> Result<Contacts, Reply> {
        let mut contacts = Contacts::default();
        if !self.rulebook.policies.ask_for_first_contact() {
            return Ok(contacts);
        }
        let (master, now) = (self.gateway.keyring.master(), self.gateway.clock.now());
        let mut seen = HashSet::new();
        let to: Vec<Address> = self.envelope.to.iter().map(|r| r.address.clone()).collect();
        let mut facts = None;
        for address in &to {
            if address.is_within(&self.rulebook.internal) || !seen.insert(address) {
                continue;
            }
            let key = Key::contact(&master.address_hash(address));
            let record = self.gateway.store.get(&key).await.map_err(|e| self.unavailable(&e))?;
            let contact: Option<Contact> = record.map(|r| r.read(&key)).transpose().map_err(|e| self.unavailable(&e))?;
            match contact {
                // Not swept yet.
                Some(contact) if now.since(contact.at) >= grant::CONTACT_KEPT => contacts.first.push(address.clone()),
                Some(contact) if now.since(contact.at) >= FRESH => contacts.stale.push(address.clone()),
                Some(contact) if now.since(contact.at) < SENT_AGAIN => {
                    if self.was_first(facts.get_or_insert_with(|| message.facts()), address).await? {
                        contacts.first.push(address.clone());
                    }
                }
                Some(_) => {}
                None => contacts.first.push(address.clone()),
            }
        }
        if !contacts.first.is_empty() {
            // Its octets are summed up while they are at hand: `contacted` names the mail by them.
            self.identity(facts.get_or_insert_with(|| message.facts())).await?;
        }
        Ok(contacts)
    }

    /// What is to be written down once the mail has been taken: it goes to these as it is. Others are written down with their link.
    pub(super) fn contacted(&self, judged: &Judged) -> Option<Batch> {
        let goes = |address: &Address| match &judged.inspection.decision {
            Decision::Relay => true,
            Decision::Protect(plan) => {
                let direct = plan.direct.iter().map(|p| &p.recipient);
                plan.relay.iter().chain(direct).any(|r| r.address == *address)
            }
            Decision::Reject(_) => false,
        };
        let Contacts { first, stale } = &judged.contacts;
        let (mut batch, master, now) = (Batch::new(), self.gateway.keyring.master(), self.gateway.clock.now());
        for address in first.iter().chain(stale).filter(|address| judged.is_new(address) && goes(address)) {
            grant::know_contact(&mut batch, &master, address, now);
            self.remember_first(&mut batch, judged, address, (None, now));
        }
        (!batch.ops.is_empty()).then_some(batch)
    }
}

impl Judged {
    /// Whether it is to be written down that the sender, one of us, writes to this address.
    pub(super) fn is_new(&self, address: &Address) -> bool {
        self.inspection.is_ours() && (self.contacts.first.contains(address) || self.contacts.stale.contains(address))
    }
}
