//! Recognises a mail that is sent again because our reply was lost, so that nobody is notified twice.

use super::{
    Judged, Transfer,
    hand_over::put_expiry,
    protect::{Attempt, undo_of},
    sealing::Sealing,
};
use crate::{
    address::Address,
    inspect::Plan,
    message::Facts,
    record::{Batch, Expect, Expires, FORMAT, Key, Sealed, Seen},
    seal::{Master, digest},
    secret::Id,
    smtp::Reply,
    time::Time,
};

/// So many sets of clean recipients are remembered of one mail: a server that sends it to more of them has split it by hand.
const MOST_SETS: usize = 16;

/// How long a mail is remembered: Exchange retries for 2 days, Postfix for 5.
pub(super) const REMEMBERED_DAYS: u32 = 7;

/// What is known of an earlier attempt to send the same mail.
pub(super) enum Earlier {
    /// Nothing, or nothing that counts.
    None,
    /// It was sealed; what is remembered of it, and the version of that.
    Taken(Seen, u64),
    /// Another transaction holds it at this moment.
    Underway,
}

/// What names a mail for some of its recipients.
pub(super) type Name = [u8; 32];

/// Under which names a mail is remembered once it is committed.
pub(super) struct Names {
    /// That for all recipients it is sealed for by a policy; while it is pending, too.
    pub(super) whole: Option<Name>,
    /// That for each recipient who would have had it directly: who of them is served so differs from attempt to attempt.
    pub(super) each: Vec<Name>,
    /// Hash of all to whom the mail as it is was to be relayed, in this attempt or an earlier one.
    pub(super) relayed: Sealed,
}

impl Transfer {
    pub(super) async fn seen_key(&mut self, plan: &Plan, judged: &Judged) -> Result<Option<Name>, Reply> {
        let protect: Vec<_> = plan.protect.iter().map(|p| &p.recipient.address).collect();
        Ok(self.identity(&judged.facts).await?.map(|mail| mail.name(&self.gateway.keyring.master(), &protect)))
    }

    /// What names the mail whoever it is for; `None` without Message-ID or Date: two equal mails are two mails then.
    pub(super) async fn identity<'a>(&mut self, facts: &'a Facts) -> Result<Option<Identity<'a>>, Reply> {
        let Facts { message_id: Some(_), date_raw: Some(_), .. } = facts else { return Ok(None) };
        let body = match self.digest {
            Some(digest) => digest,
            None => self.compute(|message| digest(message.without_received())).await?,
        };
        self.digest = Some(body);
        Ok(self.known_identity(facts))
    }

    /// The same, once its octets have been summed up.
    fn known_identity<'a>(&self, facts: &'a Facts) -> Option<Identity<'a>> {
        let (Facts { message_id: Some(id), date_raw: Some(date), .. }, Some(body)) = (facts, self.digest) else { return None };
        let from = self.envelope.from.as_ref().map(Address::canonical).unwrap_or_default();
        Some(Identity { from, id, date, body })
    }

    /// Adds that the mail was taken for somebody to whom nobody had written: sent again it is judged so again, though he is known by then.
    pub(super) fn remember_first(&self, batch: &mut Batch, judged: &Judged, to: &Address, (message, now): (Option<Id>, Time)) {
        let Some(mail) = self.known_identity(&judged.facts).filter(|_| judged.contacts.first.contains(to)) else { return };
        let seen = Seen { v: FORMAT, message, committed: true, relayed: Sealed(Vec::new()), also: Vec::new() };
        put_seen(batch, &mail.first_name(&self.gateway.keyring.master(), to), &seen, Expect::Anything, now);
    }

    /// Whether it was.
    pub(super) async fn was_first(&mut self, facts: &Facts, to: &Address) -> Result<bool, Reply> {
        // One that can't be told from another may be the one that made him known.
        let Some(name) = self.identity(facts).await?.map(|mail| mail.first_name(&self.gateway.keyring.master(), to)) else {
            return Ok(true);
        };
        let record = self.gateway.store.get(&Key::seen(&name)).await.map_err(|e| self.unavailable(&e))?;
        Ok(record.is_some())
    }

    pub(super) fn relayed_hash(&self, plan: &Plan) -> Sealed {
        let relay: Vec<_> = plan.relay.iter().map(|r| &r.address).collect();
        relayed(&self.gateway.keyring.master(), &relay)
    }

    pub(super) async fn earlier(&self, seen: Option<&Name>) -> Result<Earlier, Reply> {
        let Some(seen) = seen else { return Ok(Earlier::None) };
        let key = Key::seen(seen);
        let Some(record) = self.gateway.store.get(&key).await.map_err(|e| self.unavailable(&e))? else { return Ok(Earlier::None) };
        let found: Seen = record.read(&key).map_err(|e| self.unavailable(&e))?;
        if found.committed {
            return Ok(Earlier::Taken(found, record.version));
        }
        let Some(pending) = found.message else { return Ok(Earlier::None) };
        if self.gateway.live.lock().is_ok_and(|live| live.contains(&pending)) {
            return Ok(Earlier::Underway);
        }
        // Left by a crash, or by a transaction that could not even withdraw it: nobody was told 250, and nobody can open it.
        let message = self.gateway.store.get(&Key::message(pending)).await.map_err(|e| self.unavailable(&e))?;
        let mut undo = Batch::new();
        if message.is_some_and(|m| m.version == record.version) {
            undo = undo_of(pending, None, record.version);
        }
        undo.delete(key, Expect::Version(record.version));
        self.gateway.store.commit(undo).await.map_err(|e| self.unavailable(&e))?;
        Ok(Earlier::None)
    }

    /// The same mail again: what was sealed is not sealed twice, and those who had it from the next hop don't get it twice.
    pub(super) async fn repeated(&mut self, plan: &Plan, seen: &Name, found: Seen, version: u64) -> Result<Reply, Reply> {
        tracing::info!("{} is a repeat of a mail that was taken", self.envelope.id);
        if self.had_it(plan, &found) {
            return Ok(self.taken());
        }
        let reply = self.relay_to_some(plan).await?;
        if reply.is_positive() {
            self.remember_relayed(plan, seen, found, version).await;
        }
        Ok(reply)
    }

    /// Whether those to whom the mail is relayed had it when it was taken, or when it was sent again.
    pub(super) fn had_it(&self, plan: &Plan, found: &Seen) -> bool {
        let to = self.relayed_hash(plan);
        plan.relay.is_empty() || found.relayed == to || found.also.contains(&to)
    }

    /// Remembers that they have it now.
    pub(super) async fn remember_relayed(&self, plan: &Plan, seen: &Name, mut found: Seen, version: u64) {
        if found.also.len() < MOST_SETS {
            found.also.push(self.relayed_hash(plan));
            let mut batch = Batch::new();
            batch.put(Key::seen(seen), &found, Expect::Version(version));
            if let Err(error) = self.gateway.store.commit(batch).await {
                tracing::warn!("{} that it was relayed is not remembered: {error}; a repeat is relayed again", self.envelope.id);
            }
        }
    }

    /// Whether those to whom the mail is relayed had it in an attempt that failed for everybody else.
    pub(super) async fn was_relayed(&self, plan: &Plan, identity: Option<&Identity<'_>>) -> Result<bool, Reply> {
        let Some(mail) = identity.filter(|_| !plan.relay.is_empty()) else { return Ok(false) };
        let earlier = self.earlier(Some(&mail.relay_name(&self.gateway.keyring.master()))).await?;
        Ok(matches!(earlier, Earlier::Taken(found, _) if self.had_it(plan, &found)))
    }

    /// Remembers that it was, before the client hears 451 and sends it to all of them again: whoever is still to be served has no name yet under
    /// which that could stand.
    pub(super) async fn remember_relay(&mut self, judged: &Judged, relayed: Sealed) {
        let Ok(Some(mail)) = self.identity(&judged.facts).await else { return };
        let name = mail.relay_name(&self.gateway.keyring.master());
        let seen = Seen { v: FORMAT, message: None, committed: true, relayed, also: Vec::new() };
        let mut batch = Batch::new();
        put_seen(&mut batch, &name, &seen, Expect::Anything, self.gateway.clock.now());
        if self.commit_now(batch).await.is_err() {
            tracing::warn!("{} that it was relayed is not remembered: a repeat is relayed again", self.envelope.id);
        }
    }

    /// Adds what recognises the mail if it is sent again.
    pub(super) fn remember(&self, batch: &mut Batch, names: &Names, sealing: &Sealing, attempt: Attempt) {
        let seen = |committed| Seen { v: FORMAT, message: Some(sealing.id), committed, relayed: names.relayed.clone(), also: Vec::new() };
        match (attempt, &names.whole) {
            (Attempt::Pending, Some(whole)) => batch.put(Key::seen(whole), &seen(false), Expect::Absent),
            (Attempt::Pending, None) => {}
            (Attempt::Committed(expect), whole) => {
                if let Some(whole) = whole {
                    put_seen(batch, whole, &seen(true), expect, sealing.now);
                }
                for name in &names.each {
                    put_seen(batch, name, &seen(true), Expect::Absent, sealing.now);
                }
            }
        }
    }

    /// Adds what says that the recipients whose `names` these are have the mail itself.
    pub(super) fn remember_direct(&self, batch: &mut Batch, names: &Names) {
        let seen = Seen { v: FORMAT, message: None, committed: true, relayed: names.relayed.clone(), also: Vec::new() };
        for name in &names.each {
            put_seen(batch, name, &seen, Expect::Absent, self.gateway.clock.now());
        }
    }
}

fn put_seen(batch: &mut Batch, name: &Name, seen: &Seen, expect: Expect, now: Time) {
    let key = Key::seen(name);
    batch.put(key.clone(), seen, expect);
    let forget = now.day().plus_days(REMEMBERED_DAYS + 1).begins();
    put_expiry(batch, forget, Expires::Key(key.as_str().to_owned()));
}

/// What is the same in every attempt to send a mail: its sender, Message-ID, Date, and all octets but the `Received` fields.
pub(super) struct Identity<'a> {
    from: String,
    id: &'a str,
    date: &'a str,
    body: [u8; 32],
}

impl Identity<'_> {
    /// Its name for those to whom it is relayed, whoever they are.
    fn relay_name(&self, master: &Master) -> Name {
        self.name(master, &[])
    }

    /// Its name for somebody to whom nobody had written before.
    fn first_name(&self, master: &Master, to: &Address) -> Name {
        master.seen_hash(&[self.from.as_bytes(), b"first", to.canonical().as_bytes(), self.id.as_bytes(), self.date.as_bytes(), &self.body])
    }

    /// Its name for these recipients.
    pub(super) fn name(&self, master: &Master, to: &[&Address]) -> Name {
        master.seen_hash(&[self.from.as_bytes(), sorted(to).as_bytes(), self.id.as_bytes(), self.date.as_bytes(), &self.body])
    }
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
