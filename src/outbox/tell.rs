//! What the sender of a message is told of the mail that was to tell a recipient of it: nothing that was acknowledged ends in silence, unless he
//! asked for silence (RFC 3461, NOTIFY).

use super::{Claim, GIVE_UP, Outbox};
use crate::{
    address::Address,
    grant::{self, About},
    notice::{Letter, Origin, excerpt},
    record::{Batch, Expect, Fact, Grant, Key, Openly, SealedMessage},
    smtp::Reply,
    store::StoreError,
    time::Time,
};

/// A sender who is told about one of his recipients, and in which language.
struct Told {
    sender: Address,
    recipient: Address,
    language: String,
}

impl Outbox {
    /// Adds the notice that a recipient was not reached; `reply` is what the next hop said, empty when the mail was lost here. What we write to
    /// the sender himself has nobody left to tell.
    pub(super) async fn tell_sender(
        &self,
        batch: &mut Batch,
        claim: &Claim,
        letter: &Letter,
        reply: &str,
        now: Time,
    ) -> Result<(), StoreError> {
        if let Letter::Reply { sender, recipient, language, .. } = letter {
            grant::note(batch, Fact::ReplyNotSent, Some(claim.mail.about), None, now);
            let (sender, recipient, at, language) = (sender.clone(), recipient.clone(), claim.mail.at, language.clone());
            self.post(batch, claim, &Letter::ReplyNotSent { recipient, sender, at, language }, now);
            return Ok(());
        }
        grant::note(batch, Fact::NotNotified, Some(claim.mail.about), claim.mail.grant, now);
        if letter.notified().is_none() {
            tracing::error!("mail {} kind={} has nobody who could be told that it was not delivered", claim.id, letter.kind());
        }
        let origin = self.origin_of(claim).await?.1;
        if origin.notify.failure
            && let Some(Told { sender, recipient, language }) = self.told(claim, letter).await?
        {
            let (subject, reply) = (letter.subject().map(str::to_owned), reply.to_owned());
            self.post(batch, claim, &Letter::NotNotified { sender, recipient, subject, reply, origin, language }, now);
        }
        Ok(())
    }

    /// Adds the notice that a recipient could not be reached yet.
    pub(super) async fn tell_delayed(
        &self,
        batch: &mut Batch,
        claim: &Claim,
        letter: &Letter,
        reply: &Reply,
        now: Time,
    ) -> Result<(), StoreError> {
        let origin = self.origin_of(claim).await?.1;
        if origin.notify.delay
            && let Some(Told { sender, recipient, language }) = self.told(claim, letter).await?
        {
            let (reply, until) = (excerpt(&reply.to_string()), claim.mail.at.plus(GIVE_UP));
            self.post(batch, claim, &Letter::Delayed { sender, recipient, reply, until, origin, language }, now);
        }
        Ok(())
    }

    /// Adds the confirmation that a recipient's notification has left, for a sender who asked for it, as `origin` says.
    pub(super) async fn tell_relayed(
        &self,
        batch: &mut Batch,
        claim: &Claim,
        letter: &Letter,
        origin: Origin,
        now: Time,
    ) -> Result<(), StoreError> {
        if let Some(Told { sender, recipient, language }) = self.told(claim, letter).await? {
            self.post(batch, claim, &Letter::Relayed { sender, recipient, origin, language }, now);
        }
        Ok(())
    }

    /// Who can be told of a recipient's notification.
    async fn told(&self, claim: &Claim, letter: &Letter) -> Result<Option<Told>, StoreError> {
        let Some(recipient) = letter.notified().cloned() else { return Ok(None) };
        let sender = self.sender_of(claim).await?;
        Ok(sender.map(|(sender, language)| Told { sender, recipient, language }))
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
        if let Some(number) = claim.mail.openly {
            batch.delete(Key::openly(claim.mail.about, number), Expect::Anything);
        }
        grant::note(&mut batch, Fact::NotNotified, Some(claim.mail.about), claim.mail.grant, now);
        let (recipient, origin) = self.origin_of(claim).await?;
        match (self.sender_of(claim).await?, recipient) {
            (Some((sender, language)), Some(recipient)) if origin.notify.failure => {
                let (subject, reply) = (origin.subject.clone(), String::new());
                self.post(&mut batch, claim, &Letter::NotNotified { sender, recipient, subject, reply, origin, language }, now);
            }
            (_, Some(_)) => {}
            (_, None) => {
                tracing::error!("mail {} message={}: for whom it was is not known, nobody can be told", claim.id, claim.mail.about)
            }
        }
        self.commit(claim, batch).await
    }

    fn post(&self, batch: &mut Batch, claim: &Claim, letter: &Letter, now: Time) {
        grant::post(batch, &self.keyring.master(), letter, About::message(claim.mail.about), now);
    }

    /// Whether the mail brought a password: whoever asks for one has been notified.
    async fn was_a_password(&self, claim: &Claim) -> Result<bool, StoreError> {
        let Some(grant) = claim.mail.grant else { return Ok(false) };
        Ok(self.store.get(&Key::challenge(grant)).await?.is_some())
    }

    /// The sender of the message that a mail is about, if he is to be told, and his language.
    async fn sender_of(&self, claim: &Claim) -> Result<Option<(Address, String)>, StoreError> {
        let key = Key::message(claim.mail.about);
        let Some(record) = self.store.get(&key).await? else { return Ok(None) };
        let message: SealedMessage = record.read(&key).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let sender = message.sender.as_ref().and_then(|s| self.keyring.master().open_field("sender", &key, s).ok());
        Ok(sender.and_then(|s| Address::parse(s.expose()).ok()).map(|sender| (sender, message.language)))
    }

    /// The recipient whose grant a mail is about, or who gets it as it came, and what the sender wants to hear about him.
    pub(super) async fn origin_of(&self, claim: &Claim) -> Result<(Option<Address>, Origin), StoreError> {
        let unknown = (None, Origin::default());
        if let Some(number) = claim.mail.openly {
            let key = Key::openly(claim.mail.about, number);
            let Some(record) = self.store.get(&key).await? else { return Ok(unknown) };
            let Ok(openly) = record.read::<Openly>(&key) else { return Ok(unknown) };
            let master = self.keyring.master();
            let address = master.open_field("address", &key, &openly.address).ok();
            let recipient = address.and_then(|a| Address::parse(a.expose()).ok());
            return Ok((recipient, grant::open_origin(&master, &key, Some(&openly.origin))));
        }
        let Some(grant) = claim.mail.grant else { return Ok(unknown) };
        let key = Key::grant(grant);
        let Some(record) = self.store.get(&key).await? else { return Ok(unknown) };
        let Ok(grant) = record.read::<Grant>(&key) else { return Ok(unknown) };
        let master = self.keyring.master();
        let address = master.open_field("address", &key, &grant.address).ok();
        let recipient = address.and_then(|a| Address::parse(a.expose()).ok());
        Ok((recipient, grant::open_origin(&master, &key, grant.origin.as_ref())))
    }
}
