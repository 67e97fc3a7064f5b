//! A mail that was held and goes on as it came: its octets are opened here, for the time of the delivery, and told to the next hop in the envelope
//! that its sender gave it.

use super::{Claim, Leaving, Outbox, Outcome};
use crate::{
    address::Address,
    message::Message,
    processed::{self, Scope},
    record::{Key, Openly, Original, SealedMessage, State},
    release::AsSent,
    seal::{open, part_context, unwrap},
    secret::Token,
    smtp::{Enhanced, Reply},
    store::StoreError,
};
use tokio::sync::OwnedSemaphorePermit;

/// The message's day is over.
const EXPIRED: Reply = Reply::fixed(554, Enhanced(5, 4, 7), "The message expired before it could be delivered");

/// What is kept of such a mail.
struct Kept<'a> {
    message: &'a SealedMessage,
    original: Original,
    record: Openly,
    sealed: Vec<u8>,
}

impl Outbox {
    /// The mail as it leaves, and the place of a large one; or why it does not.
    pub(super) async fn original(
        &self,
        claim: &Claim,
        token: &Token,
        to: &Address,
    ) -> Result<(Leaving, Option<OwnedSemaphorePermit>), Outcome> {
        let later = |error: StoreError| {
            tracing::error!("mail {}: {error}", claim.id);
            Outcome::Later(Reply::TRY_LATER)
        };
        let message_key = Key::message(claim.mail.about);
        let message = self.store.get(&message_key).await.map_err(later)?;
        let message = message.and_then(|record| record.read::<SealedMessage>(&message_key).ok()).filter(|m| m.state != State::Gone);
        if message.as_ref().is_some_and(|m| m.state == State::Blocked) {
            return Err(Outcome::Later(super::BLOCKED));
        }
        let Some((original, message)) = message.and_then(|m| Some((m.original?, m))) else { return Err(Outcome::Refused(EXPIRED)) };
        let place = self.place_of(original.size_bytes, claim.mail.about).await?;
        let number = claim.mail.openly.unwrap_or_default();
        let key = Key::openly(claim.mail.about, number);
        let record = self.store.get(&key).await.map_err(later)?;
        let sealed = self.blobs.get(original.blob, None).await.map_err(later)?;
        let opened = record.zip(sealed).and_then(|(record, sealed)| {
            let record: Openly = record.read(&key).ok()?;
            self.opened(claim, (token, to), &Kept { message: &message, original, record, sealed })
        });
        let Some(leaving) = opened else {
            tracing::error!("mail {} message={}: what was to be sent is missing or damaged; it is given up", claim.id, claim.mail.about);
            return Err(Outcome::Lost);
        };
        Ok((leaving, place))
    }

    /// The mail, if all that it is made of opens.
    fn opened(&self, claim: &Claim, (token, to): (&Token, &Address), kept: &Kept<'_>) -> Option<Leaving> {
        let Kept { message, original, record, sealed } = kept;
        let (master, about) = (self.keyring.master(), claim.mail.about);
        let bucket = self.keyring.existing(message.expires)?;
        let content_key = unwrap(&master, &bucket, token, about, &record.wrap).ok()?;
        let octets = open(content_key.key(), &part_context(about, original.blob), sealed).ok()?;
        let key = Key::openly(about, claim.mail.openly?);
        let AsSent { from, mail_parameters, parameters, trace } = AsSent::open(&master, &key, &record.as_sent).ok()?;
        let from = from.map(|from| Address::parse(&from)).transpose().ok()?;
        if octets.len() as u64 != original.size_bytes {
            return None;
        }
        let octets = bytes::Bytes::from_owner(octets);
        let mut head = trace.into_bytes();
        if let Some(header) = &self.loop_header {
            let scope = Scope::These(vec![to.clone()]);
            let mail = Message::new(octets.clone());
            head.extend(processed::field(&master, &mail, from.as_ref(), &scope, self.clock.now(), header).unwrap_or_default());
        }
        Some(Leaving { from, to: to.clone(), mail_parameters, parameters, head, octets })
    }
}
