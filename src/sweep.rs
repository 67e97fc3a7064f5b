//! Removes what has reached its day: messages, held mail nobody released, sessions, keys of days; and what a crash left.
//!
//! The commit comes first, the blobs after: a crash between them leaves orphans, which the next round finds. [`pace`] says how far it may go.

mod pace;
mod quarantine;

use crate::{
    address::Address,
    clock::Clock,
    grant::{self, About},
    notice::{Letter, MOST_REPORTED, Origin, reference},
    record::{
        Approval, Batch, Contact, Expect, Expires, Expiry, FORMAT, Fact, Key, KeyRange, Reached, Record, SealedMessage, State, Unreadable,
        Waiting,
    },
    seal::Damaged,
    secret::Id,
    store::{Blobs, Keyring, Store, StoreError},
    time::{Day, Time},
};
use pace::{Judgement, Pace};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::{Mutex, watch};

/// How often it looks for what is due.
const ROUND: Duration = Duration::from_secs(60);

/// So many messages are read at once: all of them together, cards included, would not fit in memory.
const MESSAGES_AT_ONCE: usize = 256;

/// How often it looks for orphaned blobs: that reads every message.
const ORPHAN_ROUND: Duration = Duration::from_secs(24 * 3600);

/// A blob without a message is left alone so long: its commit may be under way.
const ORPHAN_AGE: Duration = Duration::from_secs(3600);

/// A message is pending for the time of an SMTP transaction: one that is so much older was left by a failure that kept it from being withdrawn.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// The key of a day goes so many days after it: access ends with the day itself, and clocks of backups and nodes differ.
const BUCKET_GRACE_DAYS: u32 = 1;

/// How long a tombstone tells that a message was there.
const TOMBSTONE_DAYS: u32 = 90;

/// How far the sweep has gone is written down as often as this: after a restart the clock is measured by it.
const WRITTEN_DOWN: Duration = Duration::from_secs(3600);

/// Rows handled in one go.
const PAGE: usize = 256;

/// The sweeper.
pub struct Sweep {
    /// Records.
    pub store: Arc<dyn Store>,
    /// Blobs.
    pub blobs: Arc<dyn Blobs>,
    /// Keys.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How far it has gone.
    pub progress: Progress,
}

/// How far a sweep has gone in this process; nothing is known of it at first. One round at a time goes on.
#[derive(Default)]
pub struct Progress(Mutex<Option<Known>>);

/// What is known of a sweep.
#[derive(Clone, Copy)]
struct Known {
    pace: Pace,
    /// What stands in the store.
    written: Option<Time>,
    /// Whether the clock was believed when it was last looked at.
    believed: bool,
}

/// Why something that is due could not go.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The store; the next round tries again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record is damaged, or of a newer version.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// What a record holds cannot be opened.
    #[error("{0}")]
    Damaged(#[from] Damaged),
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> StoreError {
        match trouble {
            Trouble::Store(error) => error,
            other => StoreError::Unavailable(other.to_string()),
        }
    }
}

/// Whether the day of a message was moved, to one that is not over: a row of before that means nothing.
fn was_moved_beyond(message: &SealedMessage, now: Time) -> bool {
    message.moved && now < message.expires.plus_days(1).begins()
}

impl Sweep {
    /// Sweeps until `shutdown` says true.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let mut orphans_at = tokio::time::Instant::now();
        while !*shutdown.borrow() {
            if let Err(error) = self.round().await {
                tracing::error!("sweeping: {error}");
            }
            if orphans_at <= tokio::time::Instant::now() {
                orphans_at += ORPHAN_ROUND;
                if let Err(error) = self.orphans().await {
                    tracing::error!("sweeping orphaned blobs: {error}");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                _ = shutdown.changed() => {}
            }
        }
    }

    /// At start: withdraws what was pending when the last process ended. Nobody was told 250, nobody can open it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn withdraw_pending(&self) -> Result<(), StoreError> {
        Ok(self.withdraw(|_| true).await?)
    }

    /// Withdraws the pending messages that were `left` behind.
    async fn withdraw(&self, left: impl Fn(&SealedMessage) -> bool) -> Result<(), Trouble> {
        for (key, _) in self.store.list(&KeyRange::under("pending"), usize::MAX).await? {
            let Some(id) = key.segments().nth(1).and_then(Id::parse) else {
                return Err(StoreError::Unavailable(format!("{key} is no key of ours")).into());
            };
            let message = match self.message(id).await {
                Ok(message) => message,
                Err(Trouble::Store(error)) => return Err(error.into()),
                Err(why) => {
                    tracing::error!("message {id} stays pending: {why}");
                    continue;
                }
            };
            let mut batch = Batch::new();
            batch.delete(key, Expect::Anything);
            let blobs = match message {
                Some((message, _)) if !left(&message) => continue,
                Some((message, version)) if message.state == State::Pending => {
                    batch.delete(Key::message(id), Expect::Version(version));
                    message.blobs
                }
                _ => Vec::new(),
            };
            match self.store.commit(batch).await {
                Err(StoreError::Conflict) => continue, // Its transaction came to an end at this moment.
                done => done?,
            }
            self.delete_blobs(&blobs).await;
            tracing::info!("message {id} was left pending: withdrawn, its sender still has it");
        }
        Ok(())
    }

    /// Everything that is due now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn round(&self) -> Result<(), StoreError> {
        // The clock as far as it is believed.
        let now = self.reach().await?;
        self.withdraw(|message| now.since(message.at) >= LEFT_BEHIND).await?;
        // The cursor lives for this round only: what a commit puts behind it comes up in the next.
        let mut range = KeyRange::expiry_until(now.day());
        loop {
            let rows = self.store.list(&range, PAGE).await?;
            let Some((last, _)) = rows.last() else { break };
            range.from = format!("{last}\0");
            for (key, record) in rows {
                match self.expire(&key, &record, now).await {
                    Ok(()) | Err(Trouble::Store(StoreError::Conflict)) => {} // Somebody changed it meanwhile: the next round decides anew.
                    // What is damaged, or of a newer version, stays; the rest must go all the same, and the keys of past days with it.
                    Err(Trouble::Store(error)) => return Err(error),
                    Err(why) => tracing::error!("what {key} says should go stays: {why}"),
                }
            }
        }
        let last = now.minus(Duration::from_secs(24 * 3600) * (1 + BUCKET_GRACE_DAYS)).day();
        self.keyring.destroy_until(last).await
    }

    /// Looks at the clock, and says until when what is due may go.
    async fn reach(&self) -> Result<Time, StoreError> {
        let mut progress = self.progress.0.lock().await;
        let (now, uptime) = (self.clock.now(), self.clock.uptime());
        let mut known = match *progress {
            Some(known) => known,
            None => {
                let key = Key::reached();
                let written = self.store.get(&key).await?.and_then(|record| record.read::<Reached>(&key).ok()).map(|reached| reached.at);
                // A store that was never swept is new: it holds nothing that a wrong clock could destroy.
                Known { pace: Pace::resumed(written.unwrap_or(now), uptime), written, believed: true }
            }
        };
        let later = KeyRange::expiry_between(known.pace.reached().day(), now.day());
        let next = self.store.list(&later, 1).await?.first().and_then(|(key, _)| key.segments().nth(1)?.parse::<Day>().ok());
        let judgement = known.pace.look(now, uptime, next.map(Day::begins));
        if judgement == Judgement::Step || (judgement == Judgement::Waiting && known.believed) {
            tracing::error!(
                "the clock says {}, but what was due has been removed until {} only: if the clock is wrong, put it right now; if zegel was not running \
                 meanwhile, all is well: a day's worth goes each hour",
                now.timestamp(),
                known.pace.reached().timestamp()
            );
        }
        known.believed = judgement == Judgement::Fine;
        let reached = known.pace.reached();
        if known.written.is_none_or(|written| reached < written || reached.since(written) >= WRITTEN_DOWN) {
            let mut batch = Batch::new();
            batch.put(Key::reached(), &Reached { v: FORMAT, at: reached }, Expect::Anything);
            self.store.commit(batch).await?;
            known.written = Some(reached);
        }
        *progress = Some(known);
        Ok(reached)
    }

    async fn expire(&self, key: &Key, record: &Record, now: Time) -> Result<(), Trouble> {
        let row: Expiry = record.read(key)?;
        if row.at > now {
            return Ok(());
        }
        let mut batch = Batch::new();
        batch.delete(key.clone(), Expect::Version(record.version));
        let mut blobs = Vec::new();
        match row.what {
            Expires::Key(name) => {
                if let Some(name) = Key::parse(&name)
                    && !self.stays(&name, now).await?
                {
                    batch.delete(name, Expect::Anything);
                }
            }
            Expires::Contact(name) => {
                let Some(key) = Key::parse(&name) else { return Ok(self.store.commit(batch).await?) };
                let record = self.store.get(&key).await?;
                // Somebody may have written since; then another row stands for it.
                if let Some(record) = record
                    && record.read::<Contact>(&key)?.at.plus(grant::CONTACT_KEPT) <= now
                {
                    batch.delete(key, Expect::Version(record.version));
                }
            }
            Expires::Held(id) => {
                if let Some((message, version)) = self.message(id).await?.filter(|(m, _)| m.state == State::Held) {
                    blobs = self.give_up_held(&mut batch, id, message, version, now).await?;
                }
            }
            Expires::Quarantined(id) => {
                if let Some((message, version)) = self.message(id).await?.filter(|(m, _)| m.state == State::Quarantined) {
                    blobs = self.give_up_quarantined(&mut batch, id, message, version, now).await?;
                }
            }
            Expires::Message(id) => {
                let due = |m: &SealedMessage| m.state != State::Gone && !was_moved_beyond(m, now);
                if let Some((message, version)) = self.message(id).await?.filter(|(m, _)| due(m)) {
                    blobs = self.bury(&mut batch, id, message, version, Fact::Expired, now).await?;
                }
            }
        }
        self.store.commit(batch).await?;
        self.delete_blobs(&blobs).await;
        Ok(())
    }

    /// Whether the record is a sender's link to a message whose day was moved: the link stays as long.
    async fn stays(&self, key: &Key, now: Time) -> Result<bool, Trouble> {
        if !key.as_str().starts_with("approval/") {
            return Ok(false);
        }
        let Some(record) = self.store.get(key).await? else { return Ok(false) };
        let approval: Approval = record.read(key)?;
        Ok(self.message(approval.message).await?.is_some_and(|(message, _)| was_moved_beyond(&message, now)))
    }

    /// A held message whose number never came: its waiting recipients are told to the sender. What others can already open stays.
    async fn give_up_held(&self, batch: &mut Batch, id: Id, message: SealedMessage, version: u64, now: Time) -> Result<Vec<Id>, Trouble> {
        let master = self.keyring.master();
        let waiting = self.store.list(&KeyRange::waiting_of(id), usize::MAX).await?;
        let mut recipients = Vec::new();
        for (key, record) in &waiting {
            let row: Waiting = record.read(key)?;
            let address = master.open_field("address", key, &row.address)?;
            let origin = grant::open_origin(&master, key, row.origin.as_ref());
            recipients.extend(Address::parse(address.expose()).ok().filter(|_| origin.notify.failure).map(|address| (address, origin)));
        }
        let message_key = Key::message(id);
        let sender = message.sender.as_ref().and_then(|s| master.open_field("sender", &message_key, s).ok());
        if let Some(sender) = sender.and_then(|s| Address::parse(s.expose()).ok()) {
            for some in recipients.chunks(MOST_REPORTED) {
                let (recipients, mut origins): (Vec<_>, Vec<_>) = some.iter().cloned().unzip();
                // It is one mail: what it was is said once, and the letter must fit a row.
                for origin in origins.iter_mut().skip(1) {
                    *origin = Origin { original_recipient: origin.original_recipient.take(), ..Origin::default() };
                }
                let (sender, language) = (sender.clone(), message.language.clone());
                let letter = Letter::NotSent { sender, recipients, at: message.at, origins, language };
                grant::post(batch, &master, &letter, About::message(id), now);
            }
        }
        let has_it = [KeyRange::grants_of(id), KeyRange::openly_of(id)];
        let others = [self.store.list(&has_it[0], 1).await?, self.store.list(&has_it[1], 1).await?].concat();
        if others.is_empty() {
            return self.bury(batch, id, message, version, Fact::NotSent, now).await;
        }
        for (key, record) in waiting {
            batch.delete(key, Expect::Version(record.version));
        }
        batch.put(message_key, &SealedMessage { state: State::Sent, ..message }, Expect::Version(version));
        grant::note(batch, Fact::NotSent, Some(id), None, now);
        Ok(Vec::new())
    }

    /// Turns a message into its tombstone: wraps gone, so that no link opens it.
    async fn bury(
        &self,
        batch: &mut Batch,
        id: Id,
        message: SealedMessage,
        version: u64,
        fact: Fact,
        now: Time,
    ) -> Result<Vec<Id>, Trouble> {
        for (key, record) in self.store.list(&KeyRange::waiting_of(id), usize::MAX).await? {
            batch.delete(key, Expect::Version(record.version));
        }
        for (key, record) in self.store.list(&KeyRange::grants_of(id), usize::MAX).await? {
            if let Some(grant) = key.segments().nth(2).and_then(Id::parse) {
                batch.delete(Key::grant(grant), Expect::Anything);
                batch.delete(Key::challenge(grant), Expect::Anything);
                batch.delete(Key::reference(&reference(grant), grant), Expect::Anything);
            }
            batch.delete(key, Expect::Version(record.version));
        }
        for (key, record) in self.store.list(&KeyRange::openly_of(id), usize::MAX).await? {
            batch.delete(key, Expect::Version(record.version));
        }
        if message.state == State::Quarantined {
            batch.delete(Key::quarantine(id), Expect::Anything);
        }
        let blobs = message.blobs.clone();
        let tombstone = SealedMessage { state: State::Gone, sealed_card: None, original: None, blobs: Vec::new(), ..message };
        batch.put(Key::message(id), &tombstone, Expect::Version(version));
        let forget: Day = now.day().plus_days(TOMBSTONE_DAYS);
        let row = Expiry { v: FORMAT, at: forget.begins(), what: Expires::Key(Key::message(id).as_str().to_owned()) };
        batch.put(Key::expiry(forget, Id::random()), &row, Expect::Absent);
        grant::note(batch, fact, Some(id), None, now);
        Ok(blobs)
    }

    /// Deletes blobs that no message names.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn orphans(&self) -> Result<(), StoreError> {
        let old = self.blobs.list(self.reach().await?.minus(ORPHAN_AGE)).await?;
        if old.is_empty() {
            return Ok(());
        }
        // The blobs are listed first: a message committed after that names none of the old ones.
        let mut named = HashSet::new();
        let mut rest = Some(KeyRange::under("message"));
        while let Some(range) = rest {
            let some = self.store.list(&range, MESSAGES_AT_ONCE).await?;
            for (key, record) in &some {
                let message: SealedMessage = record.read(key).map_err(|e| StoreError::Unavailable(e.to_string()))?;
                named.extend(message.blobs);
            }
            // A message never moves to another key.
            rest = some.last().filter(|_| some.len() == MESSAGES_AT_ONCE).map(|(key, _)| range.behind(key));
        }
        let orphans: Vec<_> = old.into_iter().filter(|id| !named.contains(id)).collect();
        if !orphans.is_empty() {
            tracing::info!("{} orphaned blobs swept", orphans.len());
        }
        self.delete_blobs(&orphans).await;
        Ok(())
    }

    async fn message(&self, id: Id) -> Result<Option<(SealedMessage, u64)>, Trouble> {
        let key = Key::message(id);
        let Some(record) = self.store.get(&key).await? else { return Ok(None) };
        let message = record.read(&key)?;
        Ok(Some((message, record.version)))
    }

    async fn delete_blobs(&self, blobs: &[Id]) {
        for blob in blobs {
            if let Err(error) = self.blobs.delete(*blob).await {
                tracing::warn!("a blob stays until it is swept as an orphan: {error}");
            }
        }
    }
}
