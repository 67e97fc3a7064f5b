//! Seals a mail and commits it, before or around relaying it to the recipients who may have it as it is.

use super::{
    Judged, SEALING_SLOW, Transfer,
    repeat::{Earlier, Names},
    sealing::Sealing,
};
use crate::{
    address::Address,
    inspect::{Ask, Hold, Plan},
    notice::Origin,
    phone::PhoneNumber,
    processed::Scope,
    record::{Batch, Expect, Key, KnownPhone, Level, State},
    release::AsSent,
    secret::Id,
    smtp::{Enhanced, EnvelopeCommand, Reply},
    store::{Room, StoreError},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// Somebody may be committing the same mail at this moment.
pub(super) const SAME_MAIL: Reply =
    Reply::fixed(451, Enhanced(4, 3, 0), "The same message is being taken at this moment, please try again later");

/// A recipient and how he will open the message.
pub(super) struct Reader {
    pub(super) address: Address,
    pub(super) level: Level,
    pub(super) phone: Option<PhoneNumber>,
    /// Whether the number stood behind the trigger: it is remembered then.
    pub(super) given: bool,
    /// What the sender wants to hear about him.
    pub(super) origin: Origin,
    /// What it takes to send him the mail as it is, where whoever decides about it may do so.
    pub(super) as_sent: Option<AsSent>,
}

impl Reader {
    pub(super) fn lacks_number(&self) -> bool {
        self.level == Level::Two && self.phone.is_none()
    }
}

impl Transfer {
    /// Seals the mail for its readers, unless the very same mail is known already. `Err` is a reply too: the way out when something fails.
    pub(super) async fn protected(&mut self, plan: &Plan, judged: &Judged) -> Result<Reply, Reply> {
        let readers = self.readers(plan, judged).await?;
        let seen = self.seen_key(plan, judged).await?;
        match (self.earlier(seen.as_ref()).await?, &seen) {
            (Earlier::Underway, _) => return Err(SAME_MAIL),
            (Earlier::Taken(found, version), Some(seen)) => return self.repeated(plan, seen, found, version).await,
            _ => {}
        }
        self.sealed(plan, &readers, judged, &Names { whole: seen, each: Vec::new(), relayed: self.relayed_hash(plan) }).await
    }

    /// Seals for `readers`, those of `plan`, and relays to the others; remembered under `names`.
    pub(super) async fn sealed(&mut self, plan: &Plan, readers: &[Reader], judged: &Judged, names: &Names) -> Result<Reply, Reply> {
        let sealing = timeout_at(self.deadline, self.seal(judged, readers.iter().any(|r| r.as_sent.is_some()), plan.scope))
            .await
            .map_err(|_| SEALING_SLOW)??;
        self.unload();
        let reply = if plan.relay.is_empty() {
            let mut batch = Batch::new();
            self.hand_over(&mut batch, &sealing, readers, plan, judged, Expect::Absent);
            self.remember(&mut batch, names, &sealing, Attempt::Committed(Expect::Absent));
            self.commit(batch).await.map(|()| self.taken())
        } else {
            self.relay_and_hand_over(&sealing, readers, plan, judged, names).await
        };
        // After a failure the blobs stay, since the outcome of a commit may be unknown; orphans are swept.
        if reply.is_ok() {
            let held = readers.iter().filter(|r| r.lacks_number()).count();
            let level = readers.iter().map(|r| r.level).max().map_or("1", |l| if l == Level::Two { "2" } else { "1" });
            let what = match plan.hold {
                Hold::No => "sealed",
                Hold::Sender(_) => "asked",
                Hold::Quarantine(_) => "quarantined",
            };
            self.log(judged, &format_args!("{what} message={} level={level} recipients={} held={held}", sealing.id, readers.len()));
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
        names: &Names,
    ) -> Result<Reply, Reply> {
        let _live = self.mark_live(sealing.id);
        let mut pending = Batch::new();
        pending.put(Key::message(sealing.id), &self.message_record(sealing, State::Pending, plan), Expect::Absent);
        pending.put(Key::pending(sealing.id), &(), Expect::Absent);
        self.remember(&mut pending, names, sealing, Attempt::Pending);
        let version = pending.version;
        self.commit(pending).await?;

        let undo = undo_of(sealing.id, names.whole.as_ref(), version);
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
        self.remember(&mut flip, names, sealing, Attempt::Committed(Expect::Version(version)));
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
    pub(super) async fn relay_to_some(&mut self, plan: &Plan) -> Result<Reply, Reply> {
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
        Ok(self.send(Scope::These(plan.relay.iter().map(|r| r.address.clone()).collect())).await)
    }

    pub(super) fn taken(&self) -> Reply {
        Reply::new(250, Some(Enhanced(2, 0, 0)), &format!("Ok: {}", self.envelope.id))
    }

    /// The recipients for whom `plan` has the mail sealed, with the numbers that are known: the one behind the trigger, else the one that is
    /// remembered. `Err` where it can't be sealed for them.
    pub(super) async fn readers(&self, plan: &Plan, judged: &Judged) -> Result<Vec<Reader>, Reply> {
        if self.gateway.blobs.room() == Room::Short {
            tracing::error!("{} the disk is nearly full: nothing can be sealed", self.envelope.id);
            return Err(Reply::fixed(452, Enhanced(4, 3, 1), "Insufficient system storage, please try again later"));
        }
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
            let origin = self.origin(&protected.recipient, judged);
            let as_sent = protected.openly.then(|| self.as_sent(&protected.recipient)).filter(AsSent::fits);
            readers.push(Reader { address, level: protected.level, phone, given, origin, as_sent });
        }
        if plan.ask == Ask::Nobody && plan.hold == Hold::No && readers.iter().any(Reader::lacks_number) {
            let text = "Not sent: this message needs a code by SMS, and a recipient's number is not known; only a sender of the organisation can give it";
            return Err(Reply::fixed(550, Enhanced(5, 7, 1), text));
        }
        Ok(readers)
    }

    async fn commit(&self, batch: Batch) -> Result<(), Reply> {
        if Instant::now() >= self.deadline {
            return Err(Reply::NEXT_HOP_SLOW);
        }
        self.commit_now(batch).await
    }

    /// Commits however late it is: after the next hop's 2xx giving up would send the clean recipients their mail twice.
    pub(super) async fn commit_now(&self, batch: Batch) -> Result<(), Reply> {
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

    /// Withdraws a pending message by `batch`, which [`undo_of`] made.
    async fn undo(&self, batch: Batch, sealing: &Sealing) {
        match self.gateway.store.commit(batch).await {
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

    pub(super) fn unavailable(&self, error: &dyn std::fmt::Display) -> Reply {
        tracing::error!("{} cannot be sealed: {error}", self.envelope.id);
        Reply::TRY_LATER
    }
}

/// Whether a mail is remembered as pending or as committed.
pub(super) enum Attempt {
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
pub(super) fn undo_of(message: Id, seen: Option<&[u8; 32]>, version: u64) -> Batch {
    let mut batch = Batch::new();
    batch.delete(Key::message(message), Expect::Version(version));
    batch.delete(Key::pending(message), Expect::Version(version));
    if let Some(seen) = seen {
        batch.delete(Key::seen(seen), Expect::Version(version));
    }
    batch
}
