//! What the sender of a message is told when a mail about it does not reach its recipient: nothing that was acknowledged ends in silence.

use super::{Claim, Outbox};
use crate::{
    address::Address,
    grant::{self, About},
    notice::{Letter, excerpt},
    record::{Batch, Expect, Fact, Grant, Key, SealedMessage},
    smtp::Reply,
    store::StoreError,
    time::Time,
};

impl Outbox {
    /// Adds the notice that a recipient was not reached. What we write to the sender himself has nobody left to tell.
    pub(super) async fn tell_sender(
        &self,
        batch: &mut Batch,
        claim: &Claim,
        letter: &Letter,
        reply: &Reply,
        now: Time,
    ) -> Result<(), StoreError> {
        grant::note(batch, Fact::NotNotified, Some(claim.mail.about), claim.mail.grant, now);
        let Some(recipient) = letter.notified() else {
            tracing::error!("mail {} kind={} to a sender was refused: nobody is left to tell", claim.id, letter.kind());
            return Ok(());
        };
        let Some((sender, message)) = self.sender_of(claim).await? else { return Ok(()) };
        let notice = Letter::NotNotified {
            sender,
            recipient: recipient.clone(),
            subject: letter.subject().map(str::to_owned),
            reply: excerpt(&reply.to_string()),
            language: message.language,
        };
        grant::post(batch, &self.keyring.master(), &notice, About { message: claim.mail.about, grant: None, only_if: None }, now);
        Ok(())
    }

    /// Gives up a mail whose letter says nothing any more. Whom it was for, its grant still tells.
    pub(super) async fn give_up_unopened(&self, claim: &Claim) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut batch = Batch::new();
        batch.delete(claim.key.clone(), Expect::Version(claim.version));
        if self.was_a_password(claim).await? {
            // Its recipient sees that nothing comes, and has a button for another one.
            return self.commit(claim, batch).await;
        }
        grant::note(&mut batch, Fact::NotNotified, Some(claim.mail.about), claim.mail.grant, now);
        match (self.sender_of(claim).await?, self.recipient_of(claim).await?) {
            (Some((sender, message)), Some(recipient)) => {
                let notice = Letter::NotNotified { sender, recipient, subject: None, reply: String::new(), language: message.language };
                let about = About { message: claim.mail.about, grant: None, only_if: None };
                grant::post(&mut batch, &self.keyring.master(), &notice, about, now);
            }
            _ => tracing::error!("mail {} message={}: for whom it was is not known, nobody can be told", claim.id, claim.mail.about),
        }
        self.commit(claim, batch).await
    }

    /// Whether the mail brought a password: whoever asks for one has been notified.
    async fn was_a_password(&self, claim: &Claim) -> Result<bool, StoreError> {
        let Some(grant) = claim.mail.grant else { return Ok(false) };
        Ok(self.store.get(&Key::challenge(grant)).await?.is_some())
    }

    /// The sender of the message that a mail is about, if he is to be told, and the message's record.
    async fn sender_of(&self, claim: &Claim) -> Result<Option<(Address, SealedMessage)>, StoreError> {
        let key = Key::message(claim.mail.about);
        let Some(record) = self.store.get(&key).await? else { return Ok(None) };
        let message: SealedMessage = record.read(&key).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let sender = message.sender.as_ref().and_then(|s| self.keyring.master().open_field("sender", &key, s).ok());
        Ok(sender.and_then(|s| Address::parse(s.expose()).ok()).map(|sender| (sender, message)))
    }

    /// The recipient whose grant a mail is about.
    async fn recipient_of(&self, claim: &Claim) -> Result<Option<Address>, StoreError> {
        let Some(grant) = claim.mail.grant else { return Ok(None) };
        let key = Key::grant(grant);
        let Some(record) = self.store.get(&key).await? else { return Ok(None) };
        let Ok(grant) = record.read::<Grant>(&key) else { return Ok(None) };
        let address = self.keyring.master().open_field("address", &key, &grant.address).ok();
        Ok(address.and_then(|a| Address::parse(a.expose()).ok()))
    }
}
