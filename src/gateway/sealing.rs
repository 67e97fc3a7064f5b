//! Makes a sealed message of a mail: its parts as blobs that are durable, and its record.

use super::{Judged, Transfer};
use crate::{
    inspect::{Plan, Rulebook},
    message::Message,
    notice::excerpt,
    record::{Card, FORMAT, Key, Part, SealedMessage, State},
    seal::{Bucket, Ciphertext, ContentKey, Master, Salt, card_context, part_context, seal},
    secret::Id,
    smtp::Reply,
    time::{Day, Time},
};
use std::sync::Arc;
use tokio::time::Instant;

/// A message of more files than this is kept as the one original mail: the list of its blobs must fit a record.
const MAX_FILES: usize = 200;

/// A message that is sealed and whose blobs are durable, but which nobody knows of yet.
pub(super) struct Sealing {
    pub(super) id: Id,
    pub(super) content_key: ContentKey,
    pub(super) card: Id,
    pub(super) blobs: Vec<Id>,
    pub(super) now: Time,
    pub(super) expires: Day,
    pub(super) master: Arc<Master>,
    pub(super) bucket: Arc<Bucket>,
}

impl Transfer {
    /// Seals every part and makes it durable.
    pub(super) async fn seal(&self, judged: &Judged) -> Result<Sealing, Reply> {
        let now = self.gateway.clock.now();
        let expires = now.day().plus_days(self.gateway.options.retention_days);
        let bucket = self.gateway.keyring.bucket(expires).await.map_err(|e| self.unavailable(&e))?;
        let id = Id::random();
        let content_key = ContentKey::random();
        let work = (self.message.clone(), self.rulebook.clone(), content_key.clone(), self.card_head(judged, now));
        let parts = tokio::task::spawn_blocking(move || {
            let (message, rulebook, key, head) = work;
            seal_parts(id, &message, &rulebook, &key, head)
        });
        let (card, parts) = parts.await.map_err(|_| {
            tracing::error!("{} sealing panicked: this is a bug; the mail stays with its sender", self.envelope.id);
            Reply::TRY_LATER
        })?;
        let mut blobs = Vec::with_capacity(parts.len());
        for (blob, ciphertext) in parts {
            if Instant::now() >= self.deadline {
                return Err(Reply::NEXT_HOP_SLOW);
            }
            self.gateway.blobs.put(blob, ciphertext).await.map_err(|e| self.unavailable(&e))?;
            blobs.push(blob);
        }
        Ok(Sealing { id, content_key, card, blobs, now, expires, master: self.gateway.keyring.master(), bucket })
    }

    /// The card without its parts.
    fn card_head(&self, judged: &Judged, now: Time) -> Card {
        let (sender_name, sender) = self.shown_sender(judged);
        Card {
            subject: self.rulebook.rules.strip_subject(&judged.facts.subject),
            open_subject: self.open_subject(judged),
            sender_name,
            sender,
            date: judged.facts.date.unwrap_or(now),
            text: None,
            html: None,
            files: Vec::new(),
        }
    }

    /// The subject as our mails may repeat it.
    pub(super) fn open_subject(&self, judged: &Judged) -> Option<String> {
        self.rulebook.open_subject(&judged.inspection, &judged.facts.subject).map(|subject| excerpt(&subject))
    }

    /// Who the recipient sees as sender: From as the mail has it, else the envelope's.
    pub(super) fn shown_sender(&self, judged: &Judged) -> (String, String) {
        match (&judged.facts.from, &self.envelope.from) {
            (Some((name, address)), _) => (excerpt(name), address.to_string()),
            (None, Some(address)) => (String::new(), address.to_string()),
            (None, None) => (String::new(), String::new()),
        }
    }

    pub(super) fn message_record(&self, sealing: &Sealing, state: State, plan: &Plan) -> SealedMessage {
        let key = Key::message(sealing.id);
        let tell = self.envelope.from.as_ref().filter(|_| plan.tell);
        SealedMessage {
            v: FORMAT,
            state,
            at: sealing.now,
            expires: sealing.expires,
            generation: sealing.master.generation(),
            sender: tell.map(|a| sealing.master.seal_field("sender", &key, a.as_str(), Salt::random())),
            language: self.gateway.options.language.clone(),
            card: sealing.card,
            blobs: sealing.blobs.clone(),
        }
    }
}

/// Seals the readable parts of a mail and the card that lists them: the card's blob, and every blob with its content.
fn seal_parts(id: Id, message: &Message, rulebook: &Rulebook, key: &ContentKey, mut card: Card) -> (Id, Vec<(Id, Ciphertext)>) {
    let readable = message.readable();
    let mut blobs = Vec::new();
    let mut part = |name: &str, media_type: &str, content_id: Option<String>, octets: &[u8]| {
        let blob = Id::random();
        blobs.push((blob, seal(key.key(), &part_context(id, blob), Salt::random(), octets)));
        Part { blob, name: name.to_owned(), media_type: media_type.to_owned(), content_id, size_bytes: octets.len() as u64 }
    };
    card.text = readable.text.map(|t| part("", "text/plain; charset=utf-8", None, rulebook.rules.strip_text(&t).as_bytes()));
    card.html = readable.html.map(|h| part("", "text/html; charset=utf-8", None, rulebook.rules.strip_html(&h).as_bytes()));
    if readable.files.len() > MAX_FILES {
        card.files.push(part("bericht.eml", "message/rfc822", None, message.octets()));
    } else {
        for file in readable.files {
            card.files.push(part(&file.name, &file.media_type, file.content_id, &file.octets));
        }
    }
    let blob = Id::random();
    let text = zeroize::Zeroizing::new(serde_json::to_vec(&card).expect("a card has text keys and no foreign types"));
    blobs.push((blob, seal(key.key(), &card_context(id, blob), Salt::random(), &text)));
    (blob, blobs)
}
