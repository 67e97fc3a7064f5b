//! Delivers the mail that zegel writes: at least once, with patience, and never ending in silence.
//!
//! A row is claimed by moving it to the end of a lease: of two workers one wins, and a dead worker's row falls due by itself. One that is due when
//! it is committed is claimed by that commit (`tray`). A row whose mail was taken is deleted with the event that says so; one that was refused for
//! good, or for 48 hours, is told to the sender.

mod contents;
mod due;
mod leaving;
mod openly;
mod remind;
mod slow;
mod tell;
mod tray;

pub use slow::Slow;
pub use tray::{Tray, claiming};

use crate::{
    address::Address,
    clock::Clock,
    grant,
    notice::{Composed, Letter, Organisation, Origin, compose, excerpt, return_path},
    processed::LoopHeader,
    record::{Batch, Expect, FORMAT, Fact, Key, KeyRange, Mail, Op, Receipt, Record, SealedMessage, State},
    secret::{Id, random_below},
    smtp::{Enhanced, Reply, client::Routes},
    store::{Blobs, Keyring, Store, StoreError},
    template::Templates,
    time::Time,
};
use arc_swap::ArcSwap;
use leaving::{Leaving, transfer};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

/// How long a claim holds: longer than any delivery can take, so that nobody else begins the same one.
const LEASE: Duration = Duration::from_secs(600);

/// The longest a delivery may take: connection, envelope and the reply to the dot.
const DELIVERY_TIME: Duration = Duration::from_secs(300);

/// How long a claim may wait for its delivery to begin: what is left of the lease is enough for that, with a minute to spare.
const CLAIM_WAIT: Duration = Duration::from_secs(LEASE.as_secs() - DELIVERY_TIME.as_secs() - 60);

/// A claim that waited longer is looked up before its delivery, and so is one whose lease is not what the clock now says: a clock that was put forward
/// may have let it run out, one that was put back may have had it brought forward, and another have the row.
const CLAIM_SURE: Duration = Duration::from_secs(1);

/// Mail comes by way of commits that claim it or wake the outbox; the poll finds what falls due.
const POLL: Duration = Duration::from_secs(1);

/// So long a delivery waits for the place of a large mail, of the time that it may take.
const PLACE_WAIT: Duration = Duration::from_secs(60);

/// What brings more octets of a message than this waits for its turn: there is room for one such mail at a time, and for one of this size per delivery.
const LARGE_BYTES: u64 = 1024 * 1024;

/// Deliveries under way at once, the slow ones not counted: a next hop must not be flooded.
const AT_ONCE: usize = 16;

/// Of those so many may be of mail that has just come: what waits for its next try must not wait for a quiet hour.
const NEW_AT_ONCE: usize = 12;

/// Waits between attempts; after the last one hourly (docs/delivery.md).
const WAITS: [Duration; 6] = [
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
    Duration::from_secs(600),
    Duration::from_secs(900),
    Duration::from_secs(1800),
];

/// How long a row that this version cannot read is left alone: a newer version may know what it is.
const ASIDE: Duration = Duration::from_secs(3600);

/// After this a sender is told that his recipient knows of nothing yet (docs/delivery.md).
const DELAY: Duration = Duration::from_secs(4 * 3600);

/// A mail that brings what its sender has blocked waits until he takes that back.
const BLOCKED: Reply = Reply::fixed(450, Enhanced(4, 7, 1), "Its sender has blocked the message");

/// After this a mail is given up.
const GIVE_UP: Duration = Duration::from_secs(48 * 3600);

/// The outbox.
pub struct Outbox {
    /// Where the rows are.
    pub store: Arc<dyn Store>,
    /// The key of their letters.
    pub keyring: Arc<Keyring>,
    /// Where mail goes.
    pub routes: Arc<ArcSwap<Routes>>,
    /// What mail looks like.
    pub templates: Arc<ArcSwap<Templates>>,
    /// In whose name it is sent.
    pub organisation: Arc<ArcSwap<Organisation>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when mail was put here that could not be claimed at once.
    pub wake: Arc<Notify>,
    /// Rows that this process has begun with: a poll must not begin with them again.
    pub under_way: UnderWay,
    /// Deliveries that take long.
    pub slow: Slow,
    /// Where the octets lie of mail that goes as it came, and of replies.
    pub blobs: Arc<dyn Blobs>,
    /// How such mail is marked as judged; `None` where mail never comes back.
    pub loop_header: Option<LoopHeader>,
    /// Who holds this has a large one in memory.
    pub large: Arc<Semaphore>,
}

/// The ids of rows that a process has begun with.
pub type UnderWay = Arc<Mutex<HashSet<Id>>>;

/// One row's turn; ends with this value.
struct Turn(UnderWay, Id);

impl Turn {
    /// `None` when it has begun already.
    fn take(under_way: &UnderWay, id: Id) -> Option<Turn> {
        let begun = !under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        (!begun).then(|| Turn(under_way.clone(), id))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// A row that is ours for the time of the lease.
struct Claim {
    /// Its key now.
    key: Key,
    /// Its version now.
    version: u64,
    id: Id,
    mail: Mail,
    /// When it was made.
    since: Instant,
    /// The row may not be there.
    doubtful: bool,
}

/// Whether a row's turn ended as it should.
#[derive(PartialEq, Eq)]
enum Ended {
    /// The row has moved, or is gone.
    Well,
    /// The store did not take what was to be written.
    Badly,
}

/// How a delivery ended.
enum Outcome {
    /// The next hop has it.
    Taken,
    /// Refused for good; what the next hop said.
    Refused(Reply),
    /// What was to be sent is missing or damaged here.
    Lost,
    /// To be tried again; what was said or happened.
    Later(Reply),
    /// It has become pointless: the message is gone, or no longer in the state it was about.
    Pointless,
}

impl Outbox {
    /// Delivers what is claimed in `tray` and what is due, until `shutdown` says true; deliveries under way are finished.
    pub async fn run(self: Arc<Self>, mut tray: Tray, mut shutdown: watch::Receiver<bool>) {
        let mut deliveries = JoinSet::new();
        let mut latest = self.clock.now();
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut look, mut more) = (true, false);
        while !*shutdown.borrow() {
            latest = self.follow_clock(latest).await;
            if look {
                self.remind().await;
                more = self.begin_due(&mut deliveries).await;
            }
            look = tokio::select! {
                Some(claim) = tray.next(), if self.busy(&deliveries) < NEW_AT_ONCE => {
                    self.begin(claim, &mut deliveries);
                    false
                }
                () = self.wake.notified() => true,
                // What went wrong may go wrong again at once, while a disk is full for instance: only the poll tries again then.
                Some(Ok(Ended::Well)) = deliveries.join_next(), if !deliveries.is_empty() => more,
                _ = poll.tick() => true,
                _ = shutdown.changed() => false,
            }
        }
        while deliveries.join_next().await.is_some() {}
    }

    /// How many deliveries have a place.
    fn busy(&self, deliveries: &JoinSet<Ended>) -> usize {
        deliveries.len().saturating_sub(self.slow.count())
    }

    /// Begins with a row that was claimed when it was made.
    fn begin(self: &Arc<Self>, claim: Claim, deliveries: &mut JoinSet<Ended>) {
        let Some(turn) = Turn::take(&self.under_way, claim.id) else { return };
        if claim.since.elapsed() > CLAIM_WAIT {
            return tracing::warn!("mail {} waited too long for a place: it waits for the end of its lease now", claim.id);
        }
        let outbox = self.clone();
        let now = self.clock.now();
        let is_leased = (Key::outbox(now, claim.id)..=Key::outbox(now.plus(LEASE), claim.id)).contains(&claim.key);
        let is_doubtful = claim.doubtful || !is_leased || claim.since.elapsed() > CLAIM_SURE;
        deliveries.spawn(async move {
            let _turn = turn;
            if is_doubtful && !outbox.holds(&claim).await { Ended::Well } else { outbox.deliver(claim).await }
        });
    }

    /// Whether the row of a claim is there. One that can't be read now falls due at the end of its lease.
    async fn holds(&self, claim: &Claim) -> bool {
        let row = self.store.get(&claim.key).await;
        row.is_ok_and(|row| row.is_some_and(|row| row.version == claim.version))
    }

    /// Begins with rows that are due; whether there may be more of them.
    async fn begin_due(self: &Arc<Self>, deliveries: &mut JoinSet<Ended>) -> bool {
        let busy = self.busy(deliveries);
        let room = AT_ONCE.saturating_sub(busy);
        if room == 0 {
            return true;
        }
        // Rows that are being claimed at this moment are still listed.
        let limit = room + busy;
        let due = match self.store.list(&KeyRange::outbox_until(self.clock.now()), limit).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!("the outbox cannot be read: {error}");
                return false;
            }
        };
        let more = due.len() == limit;
        let turns = due.into_iter().filter_map(|(key, record)| {
            let id = row_id(&key)?;
            Some((Turn::take(&self.under_way, id)?, id, key, record))
        });
        for (turn, id, key, record) in turns.take(room) {
            let outbox = self.clone();
            // A task each: whatever becomes of one mail, a panic included, the others leave.
            deliveries.spawn(async move {
                let _turn = turn;
                match outbox.claim(id, key, &record).await {
                    Ok(Some(claim)) => outbox.deliver(claim).await,
                    Ok(None) => Ended::Well,
                    Err(error) => {
                        tracing::error!("mail {id} in the outbox cannot be claimed: {error}");
                        Ended::Badly
                    }
                }
            });
        }
        more
    }

    /// Moves a row to the end of a lease; `None` when somebody else was first.
    async fn claim(&self, id: Id, key: Key, record: &Record) -> Result<Option<Claim>, StoreError> {
        let mut mail: Mail = match record.read(&key) {
            Ok(mail) => mail,
            Err(error) => {
                tracing::error!("{error}; it stays");
                self.put_aside(id, key, record).await?;
                return Ok(None);
            }
        };
        mail.claimed = true;
        mail.tries += 1;
        let until = Key::outbox(self.clock.now().plus(LEASE), id);
        let mut batch = Batch::new();
        batch.delete(key, Expect::Version(record.version));
        batch.put(until.clone(), &mail, Expect::Absent);
        let version = batch.version;
        match self.store.commit(batch).await {
            Ok(()) => Ok(Some(Claim { key: until, version, id, mail, since: Instant::now(), doubtful: false })),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Moves a row that cannot be read out of the way of the others.
    async fn put_aside(&self, id: Id, key: Key, record: &Record) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.delete(key, Expect::Version(record.version));
        let aside = Key::outbox(self.clock.now().plus(ASIDE), id);
        batch.ops.push(Op::Put { key: aside, value: record.value.clone(), expect: Expect::Absent });
        match self.store.commit(batch).await {
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }

    async fn deliver(&self, claim: Claim) -> Ended {
        let master = self.keyring.master();
        let Ok(text) = master.open_letter(claim.id, &claim.mail.letter) else {
            tracing::error!("mail {} cannot be opened: damaged, or sealed under another key; it is given up", claim.id);
            return self.written(&claim, self.give_up_unopened(&claim).await);
        };
        let letter = match serde_json::from_slice::<Letter>(&text) {
            Ok(letter) => letter,
            Err(_) if self.is_given_up(&claim) => {
                tracing::error!("mail {} says what this version does not know; it is given up", claim.id);
                return self.written(&claim, self.give_up_unopened(&claim).await);
            }
            Err(_) => {
                tracing::error!("mail {} says what this version does not know; it waits for one that does", claim.id);
                return self.written(&claim, self.try_later(&claim).await);
            }
        };
        // Whatever is read is read before the mail leaves: a crash between its arrival and our commit sends it again.
        let before = async {
            Ok::<_, StoreError>((
                self.has_a_point(&claim).await? && self.still_asks(&claim, &letter).await?,
                self.origin_of(&claim).await?.1,
            ))
        };
        let (outcome, origin) = match before.await {
            Ok((true, origin)) => (self.send(&claim, &letter).await, origin),
            Ok((false, origin)) => (Outcome::Pointless, origin),
            Err(error) => {
                tracing::error!("mail {}: {error}", claim.id);
                (Outcome::Later(Reply::TRY_LATER), Origin::default())
            }
        };
        self.written(&claim, self.settle(&claim, &letter, origin, outcome).await)
    }

    /// Says what became of the record of a turn.
    fn written(&self, claim: &Claim, result: Result<(), StoreError>) -> Ended {
        match result {
            Ok(()) => Ended::Well,
            Err(error) => {
                tracing::error!("mail {}: what became of it cannot be written down: {error}; it may be sent again", claim.id);
                Ended::Badly
            }
        }
    }

    /// Whether the message is still there, in the state the mail is about.
    async fn has_a_point(&self, claim: &Claim) -> Result<bool, StoreError> {
        let key = Key::message(claim.mail.about);
        let Some(record) = self.store.get(&key).await? else { return Ok(claim.mail.only_if.is_none()) };
        let message: SealedMessage = record.read(&key).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        if claim.mail.only_if.is_some_and(|state| state != message.state) {
            return Ok(false);
        }
        // A notification or password opens nothing once the message is gone; a notice to the sender is about just that. One that was recalled must not
        // go to anybody as it came either.
        Ok(match message.state {
            State::Gone => claim.mail.grant.is_none(),
            State::Recalled => claim.mail.grant.is_none() && claim.mail.openly.is_none(),
            _ => true,
        })
    }

    /// The mail that a letter is, with the place in memory that a large one takes.
    async fn leaving(&self, claim: &Claim, letter: &Letter) -> Result<(Leaving, Option<OwnedSemaphorePermit>), Outcome> {
        let (organisation, templates) = (self.organisation.load_full(), self.templates.load_full());
        let (composed, place) = match letter {
            Letter::Openly { token, recipient, .. } => return self.original(claim, token, recipient).await,
            Letter::Reply { .. } => {
                let place = self.place().await?;
                (self.reply(claim, letter, &organisation, &templates).await, Some(place))
            }
            Letter::Notification { with_text: true, .. } => self.with_text(claim, letter, &organisation, &templates).await?,
            _ => {
                let status = self.keyring.master().status_token(claim.mail.about);
                (compose(letter, &status, claim.id, claim.mail.at, &organisation, &templates).map_err(|e| e.to_string()), None)
            }
        };
        match composed {
            Ok(mail) => Ok((self.with_return_path(claim, mail, organisation.bounces.as_ref()).into(), place)),
            Err(error) => {
                tracing::error!("mail {} cannot be composed: {error}", claim.id);
                Err(Outcome::Later(Reply::TRY_LATER))
            }
        }
    }

    /// The place for a large mail in memory. Who waits too long for it comes back later: his lease must outlast the delivery.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Outcome> {
        match tokio::time::timeout(PLACE_WAIT, self.large.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Outcome::Later(Reply::TRY_LATER)),
        }
    }

    /// The place for a mail that brings so many octets of a message, where they are many. Waiting takes a minute at most, and meanwhile the message's
    /// sender may have blocked it.
    async fn place_of(&self, octets: u64, message: Id) -> Result<Option<OwnedSemaphorePermit>, Outcome> {
        if octets <= LARGE_BYTES {
            return Ok(None);
        }
        let place = self.place().await?;
        let key = Key::message(message);
        let record = self.store.get(&key).await.map_err(|error| {
            tracing::error!("message {message}: {error}");
            Outcome::Later(Reply::TRY_LATER)
        })?;
        let state = record.and_then(|record| record.read::<SealedMessage>(&key).ok()).map(|message| message.state);
        if state == Some(State::Blocked) { Err(Outcome::Later(BLOCKED)) } else { Ok(Some(place)) }
    }

    async fn send(&self, claim: &Claim, letter: &Letter) -> Outcome {
        let deadline = Instant::now() + DELIVERY_TIME;
        // The place is held until the mail has left.
        let (mail, _place) = match self.leaving(claim, letter).await {
            Ok(leaving) => leaving,
            Err(outcome) => return outcome,
        };
        let route = self.routes.load().of(&mail.to).clone();
        let name = route.name();
        if self.slow.are_many(&name) {
            return Outcome::Later(Reply::NEXT_HOP_SLOW);
        }
        match self.slow.watch(&name, tokio::time::timeout_at(deadline, transfer(&route, &mail, deadline))).await {
            Ok(Ok(reply)) if reply.is_positive() => Outcome::Taken,
            Ok(Ok(reply)) if reply.is_permanent() => Outcome::Refused(reply),
            Ok(Ok(reply)) => Outcome::Later(reply),
            Ok(Err(failure)) => Outcome::Later(failure.reply()),
            Err(_) => Outcome::Later(Reply::NEXT_HOP_SLOW),
        }
    }

    /// A notification's envelope sender is an address of ours, where there is one, so that its bounce finds its grant. Nothing else gets one: what
    /// has the null sender must have it.
    fn with_return_path(&self, claim: &Claim, mail: Composed, bounces: Option<&Address>) -> Composed {
        match (&mail.envelope_from, bounces, claim.mail.grant) {
            (Some(_), Some(bounces), Some(grant)) => {
                Composed { envelope_from: return_path(bounces, &self.keyring.master(), grant).or(mail.envelope_from), ..mail }
            }
            _ => mail,
        }
    }

    async fn settle(&self, claim: &Claim, letter: &Letter, origin: Origin, outcome: Outcome) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut batch = Batch::new();
        batch.delete(claim.key.clone(), Expect::Version(claim.version));
        let given_up = self.is_given_up(claim);
        let stays = matches!(outcome, Outcome::Later(_)) && !given_up;
        if let Some(number) = claim.mail.openly.filter(|_| !stays) {
            batch.delete(Key::openly(claim.mail.about, number), Expect::Anything);
        }
        let is_notification = letter.fact_when_taken() == Some(Fact::Notified);
        let news: Option<fn(&mut Receipt, Time)> = match &outcome {
            Outcome::Taken if is_notification => Some(|receipt, now| receipt.notified = Some(now)),
            Outcome::Refused(_) | Outcome::Lost if is_notification => Some(|receipt, now| receipt.failed = Some(now)),
            Outcome::Later(_) if is_notification && given_up => Some(|receipt, now| receipt.failed = Some(now)),
            _ => None,
        };
        match outcome {
            Outcome::Pointless => tracing::info!("mail {} dropped: its message has moved on", claim.id),
            Outcome::Taken => {
                tracing::info!("mail {} kind={} taken tries={}", claim.id, letter.kind(), claim.mail.tries);
                if let Some(fact) = letter.fact_when_taken() {
                    grant::note(&mut batch, fact, Some(claim.mail.about), claim.mail.grant, now);
                }
                // The next hop has been told what its sender wants to hear of a mail that goes as it came.
                if origin.notify.success && claim.mail.openly.is_none() {
                    // The notification is away: it must not go again because a report about it can't be written.
                    if let Err(error) = self.tell_relayed(&mut batch, claim, letter, origin, now).await {
                        tracing::warn!("mail {}: its sender does not get the report he asked for: {error}", claim.id);
                    }
                }
            }
            Outcome::Later(reply) if !given_up => {
                tracing::info!("mail {} kind={} later tries={} reply={}", claim.id, letter.kind(), claim.mail.tries, reply.code());
                let mut mail = claim.mail.clone();
                if !mail.delay_told && now.since(mail.at) >= DELAY {
                    mail.delay_told = true;
                    self.tell_delayed(&mut batch, claim, letter, &reply, now).await?;
                }
                again_later(&mut batch, claim.id, mail, now);
            }
            Outcome::Refused(reply) | Outcome::Later(reply) => {
                tracing::warn!("mail {} kind={} not delivered tries={} reply={}", claim.id, letter.kind(), claim.mail.tries, reply.code());
                self.tell_sender(&mut batch, claim, letter, &excerpt(&reply.to_string()), now).await?;
            }
            Outcome::Lost => self.tell_sender(&mut batch, claim, letter, "", now).await?,
        }
        // What the sender's page tells of the notification. If a browser, or the sender, changes the row at this moment, that is left out: the turn
        // must end all the same.
        let marked = match news {
            Some(change) => self.with_receipt(claim, &batch, change).await?,
            None => None,
        };
        if let Some(marked) = marked {
            match self.store.commit(marked).await {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
        self.commit(claim, batch).await
    }

    /// `batch` with what is now known of the notification that `claim` was.
    async fn with_receipt(&self, claim: &Claim, batch: &Batch, change: fn(&mut Receipt, Time)) -> Result<Option<Batch>, StoreError> {
        let Some(grant) = claim.mail.grant else { return Ok(None) };
        let key = Key::of_message(claim.mail.about, grant);
        let Some(record) = self.store.get(&key).await? else { return Ok(None) };
        let Ok(receipt) = record.read::<Option<Receipt>>(&key) else { return Ok(None) };
        let mut receipt = Receipt { v: FORMAT, ..receipt.unwrap_or_default() };
        change(&mut receipt, self.clock.now());
        let mut marked = Batch { ops: batch.ops.clone(), ..Batch::new() };
        marked.put(key, &receipt, Expect::Version(record.version));
        Ok(Some(marked))
    }

    async fn commit(&self, claim: &Claim, batch: Batch) -> Result<(), StoreError> {
        match self.store.commit(batch).await {
            Err(StoreError::Conflict) => {
                tracing::warn!("mail {} outlived its lease: it may have been sent twice", claim.id);
                Ok(())
            }
            other => other,
        }
    }

    async fn try_later(&self, claim: &Claim) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.delete(claim.key.clone(), Expect::Version(claim.version));
        again_later(&mut batch, claim.id, claim.mail.clone(), self.clock.now());
        self.commit(claim, batch).await
    }

    fn is_given_up(&self, claim: &Claim) -> bool {
        self.clock.now().since(claim.mail.at) >= GIVE_UP
    }
}

/// Adds the row as it is due the next time.
fn again_later(batch: &mut Batch, id: Id, mail: Mail, now: Time) {
    let mail = Mail { claimed: false, ..mail };
    batch.put(Key::outbox(now.plus(back_off(mail.tries)), id), &mail, Expect::Absent);
}

/// The row's id: the last segment of its key.
fn row_id(key: &Key) -> Option<Id> {
    key.segments().last().and_then(Id::parse)
}

/// How long to wait after so many attempts, with a tenth of jitter: what failed together need not come back together.
fn back_off(tries: u32) -> Duration {
    let at = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = WAITS.get(at).copied().unwrap_or(Duration::from_secs(3600));
    wait + Duration::from_millis(u64::from(random_below(u32::try_from(wait.as_millis() / 10).unwrap_or(u32::MAX).max(1))))
}
