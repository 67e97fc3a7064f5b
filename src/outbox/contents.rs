//! What lies sealed and leaves in a mail of ours: a recipient's reply, and the text of a message of which only the files stay behind a link.

use super::{Claim, Outbox, Outcome};
use crate::{
    notice::{Composed, Contents, Letter, Organisation, compose_reply, compose_with_text},
    record::{Card, Grant, Key, Part, SealedMessage, State},
    seal::{ContentKey, open_card, open_part, reply_key, unwrap},
    secret::{Id, Token},
    template::Templates,
};
use tokio::sync::OwnedSemaphorePermit;

/// A message that is opened for one delivery.
struct Opened {
    id: Id,
    key: ContentKey,
    card: Card,
}

impl Outbox {
    /// The mail with a reply; the text says why there is none.
    pub(super) async fn reply(
        &self,
        claim: &Claim,
        letter: &Letter,
        organisation: &Organisation,
        templates: &Templates,
    ) -> Result<Composed, String> {
        let Letter::Reply { token, .. } = letter else { return Err("this is no reply".to_owned()) };
        let opened = self.open(claim.mail.about, &self.sealed_message(claim.mail.about).await?, reply_key(token)).await?;
        let text = match &opened.card.text {
            Some(part) => String::from_utf8_lossy(&self.part(&opened, part).await?).into_owned(),
            None => String::new(),
        };
        let mut contents = Contents { text, ..Contents::default() };
        for part in &opened.card.files {
            contents.files.push((part.name.clone(), part.media_type.clone(), self.part(&opened, part).await?));
        }
        compose_reply(letter, contents, claim.id, claim.mail.at, organisation, templates).map_err(|e| e.to_string())
    }

    /// The mail with a message's text and the link to its files, and the place in memory that a large one takes.
    pub(super) async fn with_text(
        &self,
        claim: &Claim,
        letter: &Letter,
        organisation: &Organisation,
        templates: &Templates,
    ) -> Result<(Result<Composed, String>, Option<OwnedSemaphorePermit>), Outcome> {
        let opened = match self.granted(claim, letter).await {
            Ok(Some(opened)) => opened,
            Ok(None) => return Err(Outcome::Later(super::BLOCKED)),
            Err(error) => return Ok((Err(error), None)),
        };
        let octets: u64 = [&opened.card.text, &opened.card.html].into_iter().flatten().map(|part| part.size_bytes).sum();
        let place = self.place_of(octets, claim.mail.about).await?;
        let composed = async {
            let mut contents = Contents::default();
            if let Some(part) = &opened.card.text {
                contents.text = String::from_utf8_lossy(&self.part(&opened, part).await?).into_owned();
            }
            if let Some(part) = &opened.card.html {
                contents.html = Some(String::from_utf8_lossy(&self.part(&opened, part).await?).into_owned());
            }
            compose_with_text(letter, contents, claim.id, claim.mail.at, organisation, templates).map_err(|e| e.to_string())
        };
        Ok((composed.await, place))
    }

    /// The message of a notification, opened with its link as its recipient would; `None` while its sender has blocked it.
    async fn granted(&self, claim: &Claim, letter: &Letter) -> Result<Option<Opened>, String> {
        let Letter::Notification { token, .. } = letter else { return Err("this is no notification".to_owned()) };
        let message = self.sealed_message(claim.mail.about).await?;
        if message.state == State::Blocked {
            return Ok(None);
        }
        let key = self.content_key(claim, &message, token).await?;
        self.open(claim.mail.about, &message, key).await.map(Some)
    }

    async fn content_key(&self, claim: &Claim, message: &SealedMessage, token: &Token) -> Result<ContentKey, String> {
        let key = Key::grant(claim.mail.grant.ok_or("it is about no grant")?);
        let record = self.store.get(&key).await.map_err(|e| e.to_string())?.ok_or("its grant is gone")?;
        let grant: Grant = record.read(&key).map_err(|e| e.to_string())?;
        let bucket = self.keyring.existing(message.expires).ok_or("the key of its day is gone")?;
        unwrap(&self.keyring.master(), &bucket, token, claim.mail.about, &grant.wrap).map_err(|_| "its wrap is damaged".to_owned())
    }

    async fn sealed_message(&self, id: Id) -> Result<SealedMessage, String> {
        let key = Key::message(id);
        let record = self.store.get(&key).await.map_err(|e| e.to_string())?.ok_or("its message is gone")?;
        record.read(&key).map_err(|e| e.to_string())
    }

    async fn open(&self, id: Id, message: &SealedMessage, key: ContentKey) -> Result<Opened, String> {
        let sealed = match &message.sealed_card {
            Some(sealed) => sealed.0.clone(),
            None => self.blob(message.card).await?,
        };
        let card = open_card(&key, id, message.card, &sealed).map_err(|_| format!("blob {} is damaged", message.card))?;
        Ok(Opened { id, key, card })
    }

    async fn part(&self, opened: &Opened, part: &Part) -> Result<Vec<u8>, String> {
        if let Some(text) = &part.content {
            return Ok(text.clone().into_bytes());
        }
        let sealed = self.blob(part.blob).await?;
        let mut octets = open_part(&opened.key, opened.id, part, &sealed).map_err(|_| format!("blob {} is damaged", part.blob))?;
        Ok(std::mem::take(&mut *octets))
    }

    async fn blob(&self, id: Id) -> Result<Vec<u8>, String> {
        let found = self.blobs.get(id, None).await.map_err(|e| e.to_string())?;
        found.ok_or_else(|| format!("blob {id} is missing"))
    }
}
