//! Recognises a mail that is sent again because our reply was lost, so that nobody is notified twice (smtp.md, section 5).

use super::{
    Judged, Transfer,
    hand_over::put_expiry,
    protect::{Attempt, undo_of},
    sealing::Sealing,
};
use crate::{
    address::Address,
    envelope::Envelope,
    inspect::Plan,
    message::{Facts, Message},
    record::{Batch, Expect, Expires, FORMAT, Key, Sealed, Seen},
    seal::{Master, digest},
    smtp::Reply,
};

/// So many sets of clean recipients are remembered of one mail: a server that sends it to more of them has split it by hand.
const MOST_SETS: usize = 16;

/// How long a mail is remembered: Exchange retries for 2 days, Postfix for 5.
const REMEMBERED_DAYS: u32 = 7;

/// What is known of an earlier attempt to send the same mail.
pub(super) enum Earlier {
    /// Nothing, or nothing that counts.
    None,
    /// It was sealed; what is remembered of it, and the version of that.
    Taken(Seen, u64),
    /// Another transaction holds it at this moment.
    Underway,
}

impl Transfer {
    pub(super) fn seen_key(&self, plan: &Plan, judged: &Judged) -> Option<[u8; 32]> {
        let protect: Vec<_> = plan.protect.iter().map(|p| &p.recipient.address).collect();
        key(&self.gateway.keyring.master(), &self.envelope, &protect, &judged.facts, &self.message)
    }

    fn relayed_hash(&self, plan: &Plan) -> Sealed {
        let relay: Vec<_> = plan.relay.iter().map(|r| &r.address).collect();
        relayed(&self.gateway.keyring.master(), &relay)
    }

    pub(super) async fn earlier(&self, seen: Option<&[u8; 32]>) -> Result<Earlier, Reply> {
        let Some(seen) = seen else { return Ok(Earlier::None) };
        let key = Key::seen(seen);
        let Some(record) = self.gateway.store.get(&key).await.map_err(|e| self.unavailable(&e))? else { return Ok(Earlier::None) };
        let found: Seen = record.read(&key).map_err(|e| self.unavailable(&e))?;
        if found.committed {
            return Ok(Earlier::Taken(found, record.version));
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

    /// The same mail again: what was sealed is not sealed twice, and those who had it from the next hop don't get it twice.
    pub(super) async fn repeated(&mut self, plan: &Plan, seen: &[u8; 32], found: Seen, version: u64) -> Result<Reply, Reply> {
        tracing::info!("{} is a repeat of a mail that was taken", self.envelope.id);
        let to = self.relayed_hash(plan);
        if plan.relay.is_empty() || found.relayed == to || found.also.contains(&to) {
            return Ok(self.taken());
        }
        let reply = self.relay_to_some(plan).await?;
        if reply.is_positive() && found.also.len() < MOST_SETS {
            let mut found = found;
            found.also.push(to);
            let mut batch = Batch::new();
            batch.put(Key::seen(seen), &found, Expect::Version(version));
            if let Err(error) = self.gateway.store.commit(batch).await {
                tracing::warn!("{} that it was relayed is not remembered: {error}; a repeat is relayed again", self.envelope.id);
            }
        }
        Ok(reply)
    }

    /// Adds what recognises the mail if it is sent again.
    pub(super) fn remember(&self, batch: &mut Batch, seen: Option<&[u8; 32]>, sealing: &Sealing, plan: &Plan, attempt: Attempt) {
        let Some(seen) = seen else { return };
        let (committed, expect) = match attempt {
            Attempt::Pending => (false, Expect::Absent),
            Attempt::Committed(expect) => (true, expect),
        };
        let key = Key::seen(seen);
        let record = Seen { v: FORMAT, message: sealing.id, committed, relayed: self.relayed_hash(plan), also: Vec::new() };
        batch.put(key.clone(), &record, expect);
        if committed {
            let forget = sealing.now.day().plus_days(REMEMBERED_DAYS + 1).begins();
            put_expiry(batch, forget, Expires::Key(key.as_str().to_owned()));
        }
    }
}

/// What names a mail: its sender, the recipients it is sealed for, Message-ID, Date, and all octets but the `Received` fields, which differ from
/// attempt to attempt. `None` without Message-ID or Date: two equal mails are two mails then.
fn key(master: &Master, envelope: &Envelope, protect: &[&Address], facts: &Facts, message: &Message) -> Option<[u8; 32]> {
    let (id, date) = (facts.message_id.as_ref()?, facts.date_raw.as_ref()?);
    let from = envelope.from.as_ref().map(Address::canonical).unwrap_or_default();
    let to = sorted(protect);
    let body = digest(message.without_received());
    Some(master.seen_hash(&[from.as_bytes(), to.as_bytes(), id.as_bytes(), date.as_bytes(), &body]))
}

/// Names the recipients a mail was relayed to.
fn relayed(master: &Master, to: &[&Address]) -> Sealed {
    Sealed(master.seen_hash(&[b"relayed", sorted(to).as_bytes()]).to_vec())
}

fn sorted(addresses: &[&Address]) -> String {
    let mut all: Vec<String> = addresses.iter().map(|a| a.canonical()).collect();
    all.sort_unstable();
    all.join("\n")
}
