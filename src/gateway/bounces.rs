//! Bounces of notifications: zegel takes them itself, so that their sender hears that his recipient knows of nothing.

use super::Gateway;
use crate::{
    address::Address,
    envelope::{Envelope, QueueId},
    grant::{self, About},
    message::{DeliveryStatus, Message},
    notice::{Letter, Returned, excerpt, returned},
    record::{Batch, Expect, Fact, Grant, Key, SealedMessage},
    secret::Id,
    smtp::{Content, Enhanced, Reply},
    store::StoreError,
};
use tokio::time::{Instant, timeout_at};

const BOUNCES_ONLY: Reply =
    Reply::fixed(550, Enhanced(5, 7, 1), "This address takes reports of mail that could not be delivered, and nothing else");

impl Gateway {
    /// Whether a recipient is an address of ours, and for whose bounces.
    pub(super) fn returned(&self, to: &Address) -> Returned {
        match &self.organisation.load().bounces {
            Some(bounces) => returned(bounces, &self.keyring.master(), to),
            None => Returned::NotOurs,
        }
    }

    /// Takes a mail that came to addresses of ours, as fast as any other.
    pub(super) async fn take_bounce(&self, envelope: &Envelope, grants: &[Id], content: &Content) -> Reply {
        let deadline = Instant::now() + self.options.times.answer;
        let taken = timeout_at(deadline, async {
            let loaded = self.load(envelope.id, content, deadline).await?;
            Ok(self.read_bounce(envelope, grants, loaded.message.clone()).await)
        });
        taken.await.unwrap_or(Err(Reply::TRY_LATER)).unwrap_or_else(|reply| reply)
    }

    async fn read_bounce(&self, envelope: &Envelope, grants: &[Id], message: Message) -> Reply {
        let id = envelope.id;
        // Any mail may come here, of any size: read on another thread, where a panic is the mail's alone.
        let read = tokio::task::spawn_blocking(move || (message.facts().report, message.delivery_status()));
        let Ok((report, status)) = read.await else {
            tracing::error!("{id} panicked: this is a bug; the bounce stays with its sender");
            return Reply::TRY_LATER;
        };
        if envelope.from.is_some() && !report {
            return BOUNCES_ONLY;
        }
        let Some(status) = status else {
            tracing::info!("{id} no report of a delivery came for bounces: dropped");
            return Reply::OK;
        };
        if !status.failed {
            tracing::info!("{id} a report came that tells of no failure status={}: dropped", code(&status));
            return Reply::OK;
        }
        for grant in grants {
            if let Err(error) = self.came_back(*grant, &status, id).await {
                tracing::warn!("{id} a bounce cannot be written down: {error}; it stays with its sender");
                return Reply::TRY_LATER;
            }
        }
        Reply::OK
    }

    /// Writes down that a notification came back, and tells its sender: once, however many reports come of it.
    async fn came_back(&self, id: Id, status: &DeliveryStatus, queue: QueueId) -> Result<(), StoreError> {
        let (key, now) = (Key::grant(id), self.clock.now());
        let Some(record) = self.store.get(&key).await? else {
            tracing::info!("{queue} a bounce came after its message had gone: dropped");
            return Ok(());
        };
        let grant: Grant = record.read(&key).map_err(unreadable)?;
        if grant.bounced.is_some() {
            tracing::info!("{queue} message={} grant={id} bounced again: dropped", grant.message);
            return Ok(());
        }
        tracing::warn!("{queue} message={} grant={id} bounced status={}", grant.message, code(status));
        let mut batch = Batch::new();
        grant::note(&mut batch, Fact::NotNotified, Some(grant.message), Some(id), now);
        let origin = grant::open_origin(&self.keyring.master(), &key, grant.origin.as_ref());
        if origin.notify.failure
            && let Some(letter) = self.not_notified(&key, &grant, status, origin).await?
        {
            grant::post(&mut batch, &self.keyring.master(), &letter, About::message(grant.message), now);
        }
        batch.put(key, &Grant { bounced: Some(now), ..grant }, Expect::Version(record.version));
        self.store.commit(batch).await
    }

    /// The notice to the sender, if there is one to be told.
    async fn not_notified(
        &self,
        key: &Key,
        grant: &Grant,
        status: &DeliveryStatus,
        origin: crate::notice::Origin,
    ) -> Result<Option<Letter>, StoreError> {
        let (master, message_key) = (self.keyring.master(), Key::message(grant.message));
        let Some(record) = self.store.get(&message_key).await? else { return Ok(None) };
        let message: SealedMessage = record.read(&message_key).map_err(unreadable)?;
        let sender = message.sender.as_ref().and_then(|s| master.open_field("sender", &message_key, s).ok());
        let recipient = master.open_field("address", key, &grant.address).ok();
        let address = |text: Option<crate::secret::Secret<String>>| text.and_then(|t| Address::parse(t.expose()).ok());
        let (Some(sender), Some(recipient)) = (address(sender), address(recipient)) else { return Ok(None) };
        let (subject, reply) = (origin.subject.clone(), reply(status));
        Ok(Some(Letter::NotNotified { sender, recipient, subject, reply, origin, language: message.language }))
    }
}

/// What the last server said, as a reply: `550 5.1.1 no such mailbox`.
fn reply(status: &DeliveryStatus) -> String {
    if status.diagnostic.starts_with(|c: char| c.is_ascii_digit()) {
        return excerpt(&status.diagnostic);
    }
    excerpt(&format!("550 {} {}", code(status), status.diagnostic))
}

/// The status code, and nothing else that somebody may have written there.
fn code(status: &DeliveryStatus) -> &str {
    let is_code = status.status.len() <= 11 && status.status.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_code && !status.status.is_empty() { &status.status } else { "5.0.0" }
}

fn unreadable(error: crate::record::Unreadable) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
