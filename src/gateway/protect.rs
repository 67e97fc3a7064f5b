//! Seals a mail and commits it, before or around relaying it to the recipients who may have it as it is.

use super::{Judged, ON_THE_SPOT_BYTES, SEALING_SLOW, Transfer, repeat};
use crate::{
    address::Address,
    grant::{self, About, Handover},
    inspect::{Ask, Plan, Rulebook},
    message::Message,
    notice::{Letter, MOST_NAMED, MOST_REASONS, excerpt},
    phone::PhoneNumber,
    policy::MissingPhone,
    record::{
        Approval, Batch, Card, Event, Expect, Expires, Expiry, FORMAT, Fact, Key, KnownPhone, Level, Part, SealedMessage, Seen, State,
        Waiting,
    },
    seal::{Bucket, ContentKey, Context, Master, Salt, card_context, lookup_id, part_context, seal, wrap},
    secret::{Id, Token},
    smtp::{Enhanced, EnvelopeCommand, Reply},
    store::{Blobs, Room, StoreError},
    time::{Day, Time},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// A message of more files than this is kept as the one original mail: the list of its blobs must fit a record.
const MAX_FILES: usize = 200;

/// Somebody may be committing the same mail at this moment.
const SAME_MAIL: Reply = Reply::fixed(451, Enhanced(4, 3, 0), "The same message is being taken at this moment, please try again later");

/// A recipient and how he will open the message.
struct Reader {
    address: Address,
    level: Level,
    phone: Option<PhoneNumber>,
    /// Whether the number stood behind the trigger: it is remembered then.
    given: bool,
}

impl Reader {
    fn lacks_number(&self) -> bool {
        self.level == Level::Two && self.phone.is_none()
    }
}

/// A message that is sealed and whose blobs are durable, but which nobody knows of yet.
struct Sealing {
    id: Id,
    content_key: ContentKey,
    card: Id,
    blobs: Vec<Id>,
    now: Time,
    expires: Day,
    master: Arc<Master>,
    bucket: Arc<Bucket>,
}

/// What is known of an earlier attempt to send the same mail.
enum Earlier {
    /// Nothing, or nothing that counts.
    None,
    /// It was sealed; whether it was relayed to the same recipients too.
    Taken { relayed_to_the_same: bool },
    /// Another transaction holds it at this moment.
    Underway,
}

/// How a committed message is withdrawn again.
struct Undo {
    batch: Batch,
}

impl Transfer {
    /// The table of smtp.md, section 5. `Err` is a reply too: the way out when something fails.
    pub(super) async fn protected(&mut self, plan: &Plan, judged: &Judged) -> Result<Reply, Reply> {
        if self.gateway.blobs.room() == Room::Short {
            tracing::error!("{} the disk is nearly full: nothing can be sealed", self.envelope.id);
            return Err(Reply::fixed(452, Enhanced(4, 3, 1), "Insufficient system storage, please try again later"));
        }
        let readers = self.readers(plan).await?;
        if plan.ask == Ask::Nobody && readers.iter().any(Reader::lacks_number) {
            let text = "Not sent: this message needs a code by SMS, and a recipient's number is not known; only a sender of the organisation can give it";
            return Err(Reply::fixed(550, Enhanced(5, 7, 1), text));
        }
        let message = self.load().await?;
        let seen = self.seen_key(plan, judged, &message).await?;
        match self.earlier(seen.as_ref(), plan).await? {
            Earlier::Underway => return Err(SAME_MAIL),
            Earlier::Taken { relayed_to_the_same } => return self.repeated(plan, relayed_to_the_same).await,
            Earlier::None => {}
        }
        let sealing = timeout_at(self.deadline, self.seal(judged, message)).await.map_err(|_| SEALING_SLOW)??;
        self.unload();
        let reply = if plan.relay.is_empty() {
            let mut batch = Batch::new();
            self.hand_over(&mut batch, &sealing, &readers, plan, judged, Expect::Absent);
            self.remember(&mut batch, seen.as_ref(), &sealing, plan, Attempt::Committed(Expect::Absent));
            self.commit(batch).await.map(|()| self.taken())
        } else {
            self.relay_and_hand_over(&sealing, &readers, plan, judged, seen.as_ref()).await
        };
        // After a failure the blobs stay, since the outcome of a commit may be unknown; orphans are swept.
        if reply.is_ok() {
            self.gateway.outbox.notify_one();
            let held = readers.iter().filter(|r| r.lacks_number()).count();
            let level = readers.iter().map(|r| r.level).max().map_or("1", |l| if l == Level::Two { "2" } else { "1" });
            self.log(judged, &format_args!("sealed message={} level={level} recipients={} held={held}", sealing.id, readers.len()));
        }
        reply
    }

    /// Both kinds of recipients: commits the sealed part as pending, relays, and on the next hop's 2xx makes it count.
    async fn relay_and_hand_over(
        &mut self,
        sealing: &Sealing,
        readers: &[Reader],
        plan: &Plan,
        judged: &Judged,
        seen: Option<&[u8; 32]>,
    ) -> Result<Reply, Reply> {
        let _live = self.mark_live(sealing.id);
        let mut pending = Batch::new();
        pending.put(Key::message(sealing.id), &self.message_record(sealing, State::Pending, plan), Expect::Absent);
        pending.put(Key::pending(sealing.id), &(), Expect::Absent);
        self.remember(&mut pending, seen, sealing, plan, Attempt::Pending);
        let version = pending.version;
        self.commit(pending).await?;

        let undo = Undo { batch: undo_of(sealing.id, seen, version) };
        let reply = match self.relay_to_some(plan).await {
            Ok(reply) if reply.is_positive() => reply,
            Ok(refusal) | Err(refusal) => {
                self.undo(undo, sealing).await;
                return Err(refusal);
            }
        };
        let mut flip = Batch::new();
        flip.delete(Key::pending(sealing.id), Expect::Version(version));
        self.hand_over(&mut flip, sealing, readers, plan, judged, Expect::Version(version));
        self.remember(&mut flip, seen, sealing, plan, Attempt::Committed(Expect::Version(version)));
        // The clean recipients have it now: a failure here makes the client send again, and they get it twice. SMTP can't avoid that; a few
        // tries can make it rarer.
        let mut result = self.commit_now(flip.clone()).await;
        for _ in 0..2 {
            if result.is_err() {
                tokio::time::sleep(Duration::from_millis(200)).await;
                result = self.commit_again(&flip, sealing.id).await;
            }
        }
        if result.is_err() {
            self.undo(undo, sealing).await;
        }
        result.map(|()| reply)
    }

    /// RSET, and the transaction anew for the clean recipients alone. They were accepted before: another answer now is 451, undone.
    async fn relay_to_some(&mut self, plan: &Plan) -> Result<Reply, Reply> {
        self.unload();
        let mut commands = vec![EnvelopeCommand::Mail {
            from: self.envelope.from.clone(),
            parameters: self.envelope.mail_parameters.clone(),
            size: Some(self.content.size_bytes()),
        }];
        commands.extend(plan.relay.iter().map(|r| EnvelopeCommand::Rcpt { to: r.address.clone(), parameters: r.parameters.clone() }));
        let again = async {
            self.hop.reset().await;
            self.hop.envelope(&commands).await
        };
        let replies = timeout_at(self.deadline, again).await.map_err(|_| Reply::NEXT_HOP_SLOW)?.map_err(|f| f.reply())?;
        if let Some(refusal) = replies.iter().find(|r| !r.is_positive()) {
            tracing::warn!("{} the next hop now refuses what it accepted before: {}", self.envelope.id, refusal.code());
            return Err(Reply::TRY_LATER);
        }
        Ok(self.send().await)
    }

    /// The same mail again: what was sealed is not sealed twice, and those who had it from the next hop don't get it twice.
    async fn repeated(&mut self, plan: &Plan, relayed_to_the_same: bool) -> Result<Reply, Reply> {
        tracing::info!("{} is a repeat of a mail that was taken", self.envelope.id);
        if plan.relay.is_empty() || relayed_to_the_same { Ok(self.taken()) } else { self.relay_to_some(plan).await }
    }

    fn taken(&self) -> Reply {
        Reply::new(250, Some(Enhanced(2, 0, 0)), &format!("Ok: {}", self.envelope.id))
    }

    /// The recipients with the numbers that are known: the one behind the trigger, else the one that is remembered.
    async fn readers(&self, plan: &Plan) -> Result<Vec<Reader>, Reply> {
        let master = self.gateway.keyring.master();
        let mut readers = Vec::with_capacity(plan.protect.len());
        for protected in &plan.protect {
            let address = protected.recipient.address.clone();
            let mut phone = protected.phone.clone();
            let given = phone.is_some();
            if protected.level == Level::Two && phone.is_none() {
                let key = Key::phone(&master.address_hash(&address));
                let record = self.gateway.store.get(&key).await.map_err(|e| self.unavailable(&e))?;
                phone = match record {
                    Some(record) => {
                        let known: KnownPhone = record.read(&key).map_err(|e| self.unavailable(&e))?;
                        let text = master.open_field("phone", &key, &known.phone).map_err(|e| self.unavailable(&e))?;
                        PhoneNumber::from_stored(text.expose())
                    }
                    None => None,
                };
            }
            readers.push(Reader { address, level: protected.level, phone, given });
        }
        Ok(readers)
    }

    /// What recognises the mail if it is sent again. Of a large one it is computed off the async threads: every octet is hashed.
    async fn seen_key(&self, plan: &Plan, judged: &Judged, message: &Message) -> Result<Option<[u8; 32]>, Reply> {
        let on_the_spot = message.octets().len() <= ON_THE_SPOT_BYTES;
        let protect: Vec<Address> = plan.protect.iter().map(|p| p.recipient.address.clone()).collect();
        let (envelope, facts, message, master) =
            (self.envelope.clone(), judged.facts.clone(), message.clone(), self.gateway.keyring.master());
        let key = move || repeat::key(&master, &envelope, &protect.iter().collect::<Vec<_>>(), &facts, &message);
        if on_the_spot { Ok(key()) } else { tokio::task::spawn_blocking(key).await.map_err(|_| Reply::TRY_LATER) }
    }

    fn relayed_hash(&self, plan: &Plan) -> crate::record::Sealed {
        let relay: Vec<_> = plan.relay.iter().map(|r| &r.address).collect();
        repeat::relayed(&self.gateway.keyring.master(), &relay)
    }

    async fn earlier(&self, seen: Option<&[u8; 32]>, plan: &Plan) -> Result<Earlier, Reply> {
        let Some(seen) = seen else { return Ok(Earlier::None) };
        let key = Key::seen(seen);
        let Some(record) = self.gateway.store.get(&key).await.map_err(|e| self.unavailable(&e))? else { return Ok(Earlier::None) };
        let found: Seen = record.read(&key).map_err(|e| self.unavailable(&e))?;
        if found.committed {
            return Ok(Earlier::Taken { relayed_to_the_same: found.relayed == self.relayed_hash(plan) });
        }
        if self.gateway.live.lock().is_ok_and(|live| live.contains(&found.message)) {
            return Ok(Earlier::Underway);
        }
        // Left by a crash, or by a transaction that could not even withdraw it: nobody was told 250, and nobody can open it.
        let message = self.gateway.store.get(&Key::message(found.message)).await.map_err(|e| self.unavailable(&e))?;
        let mut undo = Batch::new();
        if message.is_some_and(|m| m.version == record.version) {
            undo = undo_of(found.message, None, record.version);
        }
        undo.delete(key, Expect::Version(record.version));
        self.gateway.store.commit(undo).await.map_err(|e| self.unavailable(&e))?;
        Ok(Earlier::None)
    }

    /// Seals every part and makes it durable.
    async fn seal(&self, judged: &Judged, message: Message) -> Result<Sealing, Reply> {
        let now = self.gateway.clock.now();
        let expires = now.day().plus_days(self.gateway.options.retention_days);
        let bucket = self.gateway.keyring.bucket(expires).await.map_err(|e| self.unavailable(&e))?;
        let id = Id::random();
        let content_key = ContentKey::random();
        let (head, deadline) = (self.card_head(judged, now), self.deadline);
        let keeping = Keeping { message: id, key: content_key.clone(), blobs: self.gateway.blobs.clone(), deadline, kept: Vec::new() };
        let rulebook = self.rulebook.clone();
        let kept = tokio::task::spawn_blocking(move || seal_parts(keeping, &message, &rulebook, head)).await.map_err(|_| {
            tracing::error!("{} sealing panicked: this is a bug; the mail stays with its sender", self.envelope.id);
            Reply::TRY_LATER
        })?;
        let (card, blobs) = kept.map_err(|e| match e {
            Unkept::Slow => SEALING_SLOW,
            Unkept::Store(e) => self.unavailable(&e),
        })?;
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
    fn open_subject(&self, judged: &Judged) -> Option<String> {
        self.rulebook.open_subject(&judged.inspection, &judged.facts.subject).map(|subject| excerpt(&subject))
    }

    /// Who the recipient sees as sender: From as the mail has it, else the envelope's.
    fn shown_sender(&self, judged: &Judged) -> (String, String) {
        match (&judged.facts.from, &self.envelope.from) {
            (Some((name, address)), _) => (excerpt(name), address.to_string()),
            (None, Some(address)) => (String::new(), address.to_string()),
            (None, None) => (String::new(), String::new()),
        }
    }

    fn message_record(&self, sealing: &Sealing, state: State, plan: &Plan) -> SealedMessage {
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

    /// Adds everything that makes the message count: its state, and for each recipient a grant with its notification, or a place in the queue for
    /// a number.
    fn hand_over(&self, batch: &mut Batch, sealing: &Sealing, readers: &[Reader], plan: &Plan, judged: &Judged, expect: Expect) {
        let missing = readers.iter().any(Reader::lacks_number);
        let waits = |r: &Reader| r.lacks_number() || (missing && plan.missing_phone == MissingPhone::HoldAll);
        let state = if missing { State::Held } else { State::Sent };
        batch.put(Key::message(sealing.id), &self.message_record(sealing, state, plan), expect);
        let handover = Handover {
            master: &sealing.master,
            bucket: &sealing.bucket,
            message: sealing.id,
            content_key: &sealing.content_key,
            now: sealing.now,
        };
        for reader in readers.iter().filter(|r| !waits(r)) {
            let letter = |token| self.notification(token, reader, sealing, judged);
            handover.give(batch, &reader.address, reader.level, reader.phone.as_ref(), letter);
        }
        self.remember_numbers(batch, sealing, readers);
        if missing {
            let waiting: Vec<_> = readers.iter().filter(|r| waits(r)).collect();
            self.hold(batch, sealing, &waiting, readers.len(), judged);
        }
        self.event(batch, Fact::Sealed, sealing);
        let ends = sealing.expires.plus_days(1);
        put_expiry(batch, ends.begins(), Expires::Message(sealing.id));
    }

    fn notification(&self, token: Token, reader: &Reader, sealing: &Sealing, judged: &Judged) -> Letter {
        let (sender_name, sender) = self.shown_sender(judged);
        Letter::Notification {
            token,
            sender: Address::parse(&sender).ok(),
            envelope_from: self.envelope.from.clone(),
            sender_name,
            recipient: reader.address.clone(),
            subject: self.open_subject(judged),
            language: self.gateway.options.language.clone(),
            level: reader.level,
            expires: sealing.expires,
        }
    }

    /// Adds the numbers that the sender gave behind the trigger to those of the organisation.
    fn remember_numbers(&self, batch: &mut Batch, sealing: &Sealing, readers: &[Reader]) {
        let Some(sender) = &self.envelope.from else { return };
        for reader in readers.iter().filter(|r| r.given) {
            let Some(phone) = &reader.phone else { continue };
            grant::know_phone(batch, &sealing.master, &reader.address, phone, sender.as_str(), sealing.now);
        }
    }

    /// Adds the recipients who wait, the sender's link, and the mail that asks for their numbers.
    fn hold(&self, batch: &mut Batch, sealing: &Sealing, waiting: &[&Reader], recipients: usize, judged: &Judged) {
        let Some(sender) = self.envelope.from.clone() else { return };
        for (number, reader) in (0..).zip(waiting) {
            let key = Key::waiting(sealing.id, number);
            let seal = |name, text: &str| sealing.master.seal_field(name, &key, text, Salt::random());
            let record = Waiting {
                v: FORMAT,
                level: reader.level,
                address: seal("address", reader.address.as_str()),
                phone: reader.phone.as_ref().map(|p| seal("phone", p.expose())),
            };
            batch.put(key.clone(), &record, Expect::Absent);
        }
        let token = Token::random();
        let salts = [Salt::random(), Salt::random()];
        let wrap = wrap(&sealing.master, &sealing.bucket, &token, sealing.id, &sealing.content_key, salts);
        let approval = Key::approval(lookup_id(&token));
        put_expiry(batch, sealing.expires.plus_days(1).begins(), Expires::Key(approval.as_str().to_owned()));
        let until = sealing.now.plus(self.gateway.options.hold_time);
        batch.put(approval, &Approval { v: FORMAT, message: sealing.id, wrap, until, released: None }, Expect::Absent);
        let mut missing: Vec<_> = waiting.iter().filter(|r| r.lacks_number()).map(|r| r.address.clone()).collect();
        let others = waiting.len() - missing.len();
        let more = missing.len().saturating_sub(MOST_NAMED);
        missing.truncate(MOST_NAMED);
        let why = self.rulebook.sentences(&judged.inspection, &self.gateway.options.language);
        let letter = Letter::NumberNeeded {
            token,
            sender,
            subject: self.open_subject(judged),
            why: why.iter().take(MOST_REASONS).map(|sentence| excerpt(sentence)).collect(),
            others,
            more,
            some_have_it: waiting.len() < recipients,
            missing,
            until: until.day(),
            language: self.gateway.options.language.clone(),
        };
        let about = About { message: sealing.id, grant: None, only_if: Some(State::Held) };
        grant::post(batch, &sealing.master, &letter, about, sealing.now);
        self.event(batch, Fact::Held, sealing);
        put_expiry(batch, until, Expires::Held(sealing.id));
    }

    fn event(&self, batch: &mut Batch, what: Fact, sealing: &Sealing) {
        let event = Event { v: FORMAT, what, message: Some(sealing.id), grant: None, queue: Some(self.envelope.id.to_string()) };
        batch.put(Key::event(sealing.now, Id::random()), &event, Expect::Absent);
    }

    /// Adds what recognises the mail if it is sent again.
    fn remember(&self, batch: &mut Batch, seen: Option<&[u8; 32]>, sealing: &Sealing, plan: &Plan, attempt: Attempt) {
        let Some(seen) = seen else { return };
        let (committed, expect) = match attempt {
            Attempt::Pending => (false, Expect::Absent),
            Attempt::Committed(expect) => (true, expect),
        };
        let key = Key::seen(seen);
        let record = Seen { v: FORMAT, message: sealing.id, committed, relayed: self.relayed_hash(plan) };
        batch.put(key.clone(), &record, expect);
        if committed {
            let forget = sealing.now.day().plus_days(repeat::REMEMBERED_DAYS + 1).begins();
            put_expiry(batch, forget, Expires::Key(key.as_str().to_owned()));
        }
    }

    async fn commit(&self, batch: Batch) -> Result<(), Reply> {
        if Instant::now() >= self.deadline {
            return Err(Reply::NEXT_HOP_SLOW);
        }
        self.commit_now(batch).await
    }

    /// Commits however late it is: after the next hop's 2xx giving up would send the clean recipients their mail twice.
    async fn commit_now(&self, batch: Batch) -> Result<(), Reply> {
        self.gateway.store.commit(batch).await.map_err(|e| match e {
            StoreError::Conflict => SAME_MAIL,
            StoreError::Unavailable(_) => self.unavailable(&e),
        })
    }

    /// Repeats a batch whose outcome may be unknown: our version found in the store says that it was done.
    async fn commit_again(&self, batch: &Batch, message: Id) -> Result<(), Reply> {
        let found = self.gateway.store.get(&Key::message(message)).await.map_err(|e| self.unavailable(&e))?;
        if found.is_some_and(|r| r.version == batch.version) { Ok(()) } else { self.commit_now(batch.clone()).await }
    }

    async fn undo(&self, undo: Undo, sealing: &Sealing) {
        match self.gateway.store.commit(undo.batch).await {
            Ok(()) => {
                for blob in &sealing.blobs {
                    // Whatever stays is swept as an orphan.
                    let _ = self.gateway.blobs.delete(*blob).await;
                }
            }
            Err(e) => tracing::warn!("{} message={} stays pending until it is swept: {e}", self.envelope.id, sealing.id),
        }
    }

    fn mark_live(&self, id: Id) -> Live {
        let live = self.gateway.live.clone();
        if let Ok(mut live) = live.lock() {
            live.insert(id);
        }
        Live { live, id }
    }

    fn unavailable(&self, error: &dyn std::fmt::Display) -> Reply {
        tracing::error!("{} cannot be sealed: {error}", self.envelope.id);
        Reply::TRY_LATER
    }
}

/// Whether a mail is remembered as pending or as committed.
enum Attempt {
    Pending,
    Committed(Expect),
}

/// Takes a message off the list of live ones when its transaction ends, however it ends.
struct Live {
    live: Arc<std::sync::Mutex<std::collections::HashSet<Id>>>,
    id: Id,
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Ok(mut live) = self.live.lock() {
            live.remove(&self.id);
        }
    }
}

/// Withdraws a pending message.
fn undo_of(message: Id, seen: Option<&[u8; 32]>, version: u64) -> Batch {
    let mut batch = Batch::new();
    batch.delete(Key::message(message), Expect::Version(version));
    batch.delete(Key::pending(message), Expect::Version(version));
    if let Some(seen) = seen {
        batch.delete(Key::seen(seen), Expect::Version(version));
    }
    batch
}

fn put_expiry(batch: &mut Batch, at: Time, what: Expires) {
    batch.put(Key::expiry(at.day(), Id::random()), &Expiry { v: FORMAT, at, what }, Expect::Absent);
}

/// Why the parts of a message were not kept.
enum Unkept {
    /// The deadline has passed.
    Slow,
    /// The store does not take them.
    Store(StoreError),
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
    fn keep(&mut self, blob: Id, context: &Context, octets: impl AsRef<[u8]>) -> Result<(), Unkept> {
        if Instant::now() >= self.deadline {
            return Err(Unkept::Slow);
        }
        let ciphertext = seal(self.key.key(), context, Salt::random(), octets.as_ref());
        drop(octets);
        let put = tokio::runtime::Handle::current().block_on(async { timeout_at(self.deadline, self.blobs.put(blob, ciphertext)).await });
        put.map_err(|_| Unkept::Slow)?.map_err(Unkept::Store)?;
        self.kept.push(blob);
        Ok(())
    }

    fn part(&mut self, name: &str, media_type: &str, content_id: Option<String>, octets: impl AsRef<[u8]>) -> Result<Part, Unkept> {
        let (blob, size_bytes) = (Id::random(), octets.as_ref().len() as u64);
        self.keep(blob, &part_context(self.message, blob), octets)?;
        Ok(Part { blob, content: None, name: name.to_owned(), media_type: media_type.to_owned(), content_id, size_bytes })
    }
}

/// A text up to this length stands in the card: that is nearly all of them, and opening a card stays cheap.
const IN_CARD_BYTES: usize = 32 * 1024;

/// Seals and keeps the readable parts of a mail, and the card that lists them: the card's blob, and all of them.
fn seal_parts(mut keeping: Keeping, message: &Message, rulebook: &Rulebook, mut card: Card) -> Result<(Id, Vec<Id>), Unkept> {
    if message.file_count() > MAX_FILES {
        card.files.push(keeping.part("bericht.eml", "message/rfc822", None, message.octets())?);
    }
    let whole = !card.files.is_empty();
    let readable = message.take_apart(|file| {
        if !whole {
            card.files.push(keeping.part(&file.name, &file.media_type, file.content_id, file.octets)?);
        }
        Ok(())
    })?;
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
    let text = zeroize::Zeroizing::new(serde_json::to_vec(&card).expect("a card has text keys and no foreign types"));
    keeping.keep(blob, &card_context(keeping.message, blob), text)?;
    Ok((blob, keeping.kept))
}
