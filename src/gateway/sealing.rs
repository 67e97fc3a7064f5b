//! Makes a sealed message of a mail: its parts as blobs that are durable, and its record.

use super::{Judged, SEALING_SLOW, Transfer};
use crate::{
    extract::{self, Limits},
    inspect::{Ask, Plan, Rulebook},
    message::{Message, Readable},
    notice::excerpt,
    policy::Scope,
    record::{Card, FORMAT, Key, Original, Part, Sealed, SealedMessage, State},
    seal::{Bucket, Ciphertext, ContentKey, Master, Salt, lookup_id, part_context, seal, seal_card},
    secret::{Id, Token},
    smtp::Reply,
    store::{Blobs, StoreError},
    time::{Day, Time},
};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// A message of more files than this is kept as the one original mail: the list of its blobs must fit a record.
const MAX_FILES: usize = 200;

/// A message that is sealed and whose blobs are durable, but which nobody knows of yet.
pub(super) struct Sealing {
    pub(super) id: Id,
    pub(super) content_key: ContentKey,
    pub(super) card: Id,
    pub(super) sealed_card: Option<Sealed>,
    pub(super) original: Option<Original>,
    /// Whether it has files and a text: one can travel without the others.
    pub(super) divisible: bool,
    pub(super) blobs: Vec<Id>,
    pub(super) now: Time,
    pub(super) expires: Day,
    pub(super) master: Arc<Master>,
    pub(super) bucket: Arc<Bucket>,
    /// The sender's link, if he is to be asked something; else nobody ever has it.
    pub(super) asking: Token,
}

impl Sealing {
    /// Whether its text travels in the mail that tells of it.
    pub(super) fn files_only(&self, plan: &Plan) -> bool {
        plan.scope == Scope::Attachments && self.divisible
    }
}

impl Transfer {
    /// Seals every part and makes it durable; and the mail as it is, if it may have to go on so.
    pub(super) async fn seal(&mut self, judged: &Judged, keep_original: bool, scope: Scope) -> Result<Sealing, Reply> {
        let message = self.load().await?;
        let now = self.gateway.clock.now();
        let expires = now.day().plus_days(self.gateway.options.retention_days);
        let bucket = self.gateway.keyring.bucket(expires).await.map_err(|e| self.unavailable(&e))?;
        let id = Id::random();
        let content_key = ContentKey::random();
        let (head, deadline) = (self.card_head(judged, now), self.deadline);
        let keeping = Keeping { message: id, key: content_key.clone(), blobs: self.gateway.blobs.clone(), deadline, kept: Vec::new() };
        let rulebook = self.rulebook.clone();
        let kept = tokio::task::spawn_blocking(move || seal_parts(keeping, &message, &rulebook, head, (keep_original, scope)))
            .await
            .map_err(|_| {
                tracing::error!("{} sealing panicked: this is a bug; the mail stays with its sender", self.envelope.id);
                Reply::TRY_LATER
            })?;
        let Kept { card, sealed_card, original, divisible, blobs } = kept.map_err(|e| match e {
            Unkept::Slow => SEALING_SLOW,
            Unkept::Store(e) => self.unavailable(&e),
        })?;
        let (master, asking) = (self.gateway.keyring.master(), Token::random());
        Ok(Sealing { id, content_key, card, sealed_card, original, divisible, blobs, now, expires, master, bucket, asking })
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
            sealed_card: sealing.sealed_card.clone(),
            original: sealing.original,
            ours: plan.ask == Ask::Sender,
            files_only: sealing.files_only(plan),
            blobs: sealing.blobs.clone(),
            asked: matches!(state, State::Held | State::Quarantined).then(|| lookup_id(&sealing.asking)),
            moved: false,
        }
    }
}

/// Why the parts of a message were not kept.
enum Unkept {
    /// The deadline has passed.
    Slow,
    /// The store does not take them.
    Store(StoreError),
}

/// What was made of a message, durable as far as it does not go into the record.
struct Kept {
    card: Id,
    /// The card when the record is to hold it; else it is among the blobs.
    sealed_card: Option<Sealed>,
    original: Option<Original>,
    divisible: bool,
    blobs: Vec<Id>,
}

/// Seals the parts of one message and makes each durable before the next is decoded: of a large mail no more than one is in memory twice.
struct Keeping {
    message: Id,
    key: ContentKey,
    blobs: Arc<dyn Blobs>,
    deadline: Instant,
    kept: Vec<Id>,
}

impl Keeping {
    /// Blocks: off the async threads.
    fn keep(&mut self, blob: Id, ciphertext: Ciphertext) -> Result<(), Unkept> {
        if Instant::now() >= self.deadline {
            return Err(Unkept::Slow);
        }
        let put = tokio::runtime::Handle::current().block_on(async { timeout_at(self.deadline, self.blobs.put(blob, ciphertext)).await });
        put.map_err(|_| Unkept::Slow)?.map_err(Unkept::Store)?;
        self.kept.push(blob);
        Ok(())
    }

    fn part(&mut self, name: &str, media_type: &str, content_id: Option<String>, octets: impl AsRef<[u8]>) -> Result<Part, Unkept> {
        let (blob, size_bytes) = (Id::random(), octets.as_ref().len() as u64);
        let ciphertext = seal(self.key.key(), &part_context(self.message, blob), Salt::random(), octets.as_ref());
        drop(octets);
        self.keep(blob, ciphertext)?;
        Ok(Part { blob, content: None, name: name.to_owned(), media_type: media_type.to_owned(), content_id, size_bytes })
    }
}

/// A text up to this length stands in the card: that is nearly all of them, and opening a card stays cheap.
const IN_CARD_BYTES: usize = 32 * 1024;

/// Seals and keeps the readable parts of a mail, and the card that lists them.
fn seal_parts(
    mut keeping: Keeping,
    message: &Message,
    rulebook: &Rulebook,
    mut card: Card,
    (keep_original, scope): (bool, Scope),
) -> Result<Kept, Unkept> {
    if message.file_count() > MAX_FILES {
        card.files.push(keeping.part("bericht.eml", "message/rfc822", None, message.octets())?);
    }
    let whole = !card.files.is_empty();
    let original = match card.files.first() {
        _ if !keep_original => None,
        Some(file) => Some(Original { blob: file.blob, size_bytes: file.size_bytes, is_a_file: true }),
        None => {
            let part = keeping.part("", "message/rfc822", None, message.octets())?;
            Some(Original { blob: part.blob, size_bytes: part.size_bytes, is_a_file: false })
        }
    };
    let mut attached = false;
    let readable = message.take_apart(|file| {
        // A picture within the text is no attachment in anybody's eyes.
        attached |= !(file.inline && file.content_id.is_some());
        if !whole {
            card.files.push(keeping.part(&file.name, &file.media_type, file.content_id, file.octets)?);
        }
        Ok(())
    })?;
    let divisible = scope == Scope::Attachments && !whole && attached && may_travel(&readable, rulebook);
    let blob = Id::random();
    let mut body = |media_type: &str, text: String| {
        if text.len() > IN_CARD_BYTES {
            return keeping.part("", media_type, None, text);
        }
        let size_bytes = text.len() as u64;
        Ok(Part { blob, content: Some(text), name: String::new(), media_type: media_type.to_owned(), content_id: None, size_bytes })
    };
    card.text = readable.text.map(|t| body("text/plain; charset=utf-8", rulebook.rules.strip_text(&t))).transpose()?;
    card.html = readable.html.map(|h| body("text/html; charset=utf-8", rulebook.rules.strip_html(&h))).transpose()?;
    let ciphertext = seal_card(&keeping.key, keeping.message, blob, &card, Salt::random());
    if ciphertext.as_bytes().len() <= SealedMessage::CARD_BYTES {
        return Ok(Kept { card: blob, sealed_card: Some(ciphertext.into_sealed()), original, divisible, blobs: keeping.kept });
    }
    keeping.keep(blob, ciphertext)?;
    Ok(Kept { card: blob, sealed_card: None, original, divisible, blobs: keeping.kept })
}

/// Whether the text of a mail, as it would travel, may: it is judged once more as what it will be, a mail of its own. What was judged as a file though
/// people see it as text, or lies in the text as a picture or a document does, must not leave with it.
fn may_travel(readable: &Readable, rulebook: &Rulebook) -> bool {
    let bodies = [("plain", &readable.text), ("html", &readable.html)];
    let boundary = Id::random();
    let mut mail = format!("MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{boundary}\"\r\n");
    let mut has_text = false;
    for (subtype, text) in bodies.into_iter().filter_map(|(subtype, text)| Some((subtype, text.as_ref()?))) {
        has_text = true;
        mail.push_str(&format!(
            "\r\n--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        ));
        mail.push_str(text);
    }
    mail.push_str(&format!("\r\n--{boundary}--\r\n"));
    let (extraction, unopened) = extract::message(&Message::new(mail.into()), &Limits::default());
    let found = rulebook.rules.find(&extraction);
    has_text
        && unopened.is_empty()
        && extraction.problems.is_empty()
        && extraction.facts.is_empty()
        && found.problems.is_empty()
        && found.findings.is_empty()
}
