//! A recipient's reply, opened for the mail that brings it: its parts lie sealed like those of any message.

use super::{Claim, Outbox};
use crate::{
    notice::{Composed, Contents, Letter, Organisation, compose_reply},
    record::{Key, SealedMessage},
    seal::{ContentKey, open_card, open_part, reply_key},
    secret::Id,
    template::Templates,
};

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
        let contents = self.contents(claim.mail.about, &reply_key(token)).await?;
        compose_reply(letter, contents, claim.id, claim.mail.at, organisation, templates).map_err(|e| e.to_string())
    }

    async fn contents(&self, id: Id, key: &ContentKey) -> Result<Contents, String> {
        let record_key = Key::message(id);
        let record = self.store.get(&record_key).await.map_err(|e| e.to_string())?.ok_or("the reply is gone")?;
        let message: SealedMessage = record.read(&record_key).map_err(|e| e.to_string())?;
        let blob = async |id: Id| {
            let found = self.blobs.get(id, None).await.map_err(|e| e.to_string())?;
            found.ok_or_else(|| format!("blob {id} is missing"))
        };
        let sealed = match message.sealed_card {
            Some(sealed) => sealed.0,
            None => blob(message.card).await?,
        };
        let damaged = |blob: Id| format!("blob {blob} is damaged");
        let card = open_card(key, id, message.card, &sealed).map_err(|_| damaged(message.card))?;
        let mut contents = Contents::default();
        for (is_text, part) in card.text.iter().map(|part| (true, part)).chain(card.files.iter().map(|part| (false, part))) {
            let octets = match &part.content {
                Some(text) => text.clone().into_bytes(),
                None => {
                    let sealed = blob(part.blob).await?;
                    let mut octets = open_part(key, id, part, &sealed).map_err(|_| damaged(part.blob))?;
                    std::mem::take(&mut *octets)
                }
            };
            if is_text {
                contents.text = String::from_utf8_lossy(&octets).into_owned();
            } else {
                contents.files.push((part.name.clone(), part.media_type.clone(), octets));
            }
        }
        Ok(contents)
    }
}
