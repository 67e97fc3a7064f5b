//! Claims rows in the very commit that makes them: a mail that can leave at once needs no commit of its own to be claimed.
//!
//! Whoever posts a mail need not think of it. While the tray is full rows are left as they are, and the outbox finds them by looking.

use super::{Claim, LEASE, row_id};
use crate::{
    clock::Clock,
    record::{Batch, Key, KeyRange, Mail, Op, Record},
    store::{BoxFuture, Store, StoreError},
    time::Time,
};
use std::sync::Arc;
use tokio::{
    sync::{
        Notify,
        mpsc::{self, OwnedPermit},
    },
    time::Instant,
};

/// So many claims may wait for a place among the deliveries. Few, since a claim that waits too long is of no use.
const CLAIMS: usize = 64;

/// The claims that wait.
pub struct Tray(mpsc::Receiver<Claim>);

impl Tray {
    /// The next claim; waits for one. `None` when nobody can post any more.
    pub(super) async fn next(&mut self) -> Option<Claim> {
        self.0.recv().await
    }
}

/// `store`, whose new outbox rows land in the tray; `wake` is rung for those that don't fit.
#[must_use]
pub fn claiming(store: Arc<dyn Store>, clock: Arc<dyn Clock>, wake: Arc<Notify>) -> (Arc<dyn Store>, Tray) {
    let (claims, tray) = mpsc::channel(CLAIMS);
    (Arc::new(Claiming { store, clock, claims, wake }), Tray(tray))
}

struct Claiming {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    claims: mpsc::Sender<Claim>,
    wake: Arc<Notify>,
}

impl Store for Claiming {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.store.get(key)
    }

    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        self.store.list(range, limit)
    }

    fn commit(&self, mut batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        let now = self.clock.now();
        let version = batch.version;
        let due = KeyRange::outbox_until(now);
        let mut claims = Claims(Vec::new());
        let mut left = false;
        // The outbox moves rows itself, and one that comes back must not land on the key that it leaves.
        let moves = batch.ops.iter().any(|op| matches!(op, Op::Delete { key, .. } if key.as_str().starts_with("outbox/")));
        for op in batch.ops.iter_mut().filter(|op| is_in(op, &due)) {
            let place = (!moves).then(|| self.claims.clone().try_reserve_owned().ok()).flatten();
            match place.and_then(|place| Some((place, claim(op, version, now)?))) {
                Some(in_place) => claims.0.push(in_place),
                None => left = true,
            }
        }
        let done = self.store.commit(batch);
        Box::pin(async move {
            done.await?;
            claims.hold();
            if left {
                self.wake.notify_one();
            }
            Ok(())
        })
    }
}

/// Claims of a commit under way, each with its place. Unless it is known that they hold, they go to their places as doubtful ones: the commit may
/// have happened however it ended, and a row of which nobody knows would wait for the end of its lease.
struct Claims(Vec<(OwnedPermit<Claim>, Claim)>);

impl Claims {
    /// The commit has happened.
    fn hold(mut self) {
        self.0.iter_mut().for_each(|(_, claim)| claim.doubtful = false);
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        for (place, claim) in self.0.drain(..) {
            place.send(claim);
        }
    }
}

/// Whether `op` makes a row that is among those that are `due`.
fn is_in(op: &Op, due: &KeyRange) -> bool {
    matches!(op, Op::Put { key, .. } if due.from.as_str() <= key.as_str() && key.as_str() < due.to.as_str())
}

/// Makes the row one that is claimed; `None` leaves it as it is.
fn claim(op: &mut Op, version: u64, now: Time) -> Option<Claim> {
    let Op::Put { key, value, .. } = op else { return None };
    let id = row_id(key)?;
    let mail: Mail = serde_json::from_str(value).ok()?;
    let mail = Mail { claimed: true, tries: mail.tries + 1, ..mail };
    *value = serde_json::to_string(&mail).ok()?;
    *key = Key::outbox(now.plus(LEASE), id);
    Some(Claim { key: key.clone(), version, id, mail, since: Instant::now(), doubtful: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::SetClock,
        record::{Expect, FORMAT, Sealed},
        secret::Id,
        store::memory::MemoryStore,
    };

    fn row(now: Time) -> Mail {
        Mail {
            v: FORMAT,
            at: now,
            about: Id::random(),
            grant: None,
            openly: None,
            only_if: None,
            tries: 0,
            claimed: false,
            delay_told: false,
            letter: Sealed(Vec::new()),
        }
    }

    fn tray() -> (Arc<MemoryStore>, Arc<dyn Store>, Tray, Arc<Notify>, Time) {
        let store = Arc::new(MemoryStore::new());
        let now = Time::from_millis(1_800_000_000_000);
        let wake = Arc::new(Notify::new());
        let (claiming, tray) = claiming(store.clone(), Arc::new(SetClock::at(now)), wake.clone());
        (store, claiming, tray, wake, now)
    }

    #[tokio::test]
    async fn rows_are_claimed_as_they_are_made_while_there_is_room_and_only_those_that_are_due() {
        let (store, claiming, mut tray, wake, now) = tray();
        let mut batch = Batch::new();
        batch.put(Key::outbox(now.plus(LEASE / 2), Id::random()), &row(now), Expect::Absent);
        for _ in 0..CLAIMS + 3 {
            batch.put(Key::outbox(now, Id::random()), &row(now), Expect::Absent);
        }
        claiming.commit(batch).await.unwrap();

        wake.notified().await;
        let due = store.list(&KeyRange::outbox_until(now), usize::MAX).await.unwrap();
        assert_eq!(due.len(), 3, "what found no place is found by looking");
        let later = store.list(&KeyRange::outbox_until(now.plus(LEASE / 2)), usize::MAX).await.unwrap();
        assert_eq!(later.len(), 4, "what is not due is left alone");
        for _ in 0..CLAIMS {
            let claim = tray.next().await.unwrap();
            let kept = store.get(&claim.key).await.unwrap().unwrap();
            let mail: Mail = kept.read(&claim.key).unwrap();
            assert!(mail.claimed && mail.tries == 1 && kept.version == claim.version && !claim.doubtful);
        }
    }

    #[tokio::test]
    async fn a_row_that_is_brought_forward_is_left_where_it_is_put() {
        let (store, claiming, _tray, wake, now) = tray();
        let (id, leased) = (Id::random(), Id::random());
        let mut batch = Batch::new();
        batch.put(Key::outbox(now.plus(LEASE), leased), &row(now), Expect::Absent);
        claiming.commit(batch).await.unwrap();
        let mut batch = Batch::new();
        batch.delete(Key::outbox(now.plus(LEASE), leased), Expect::Anything);
        batch.put(Key::outbox(now, leased), &row(now), Expect::Absent);
        batch.put(Key::outbox(now, id), &row(now), Expect::Absent);
        claiming.commit(batch).await.unwrap();
        wake.notified().await;
        assert_eq!(store.list(&KeyRange::outbox_until(now), usize::MAX).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_claim_whose_commit_failed_is_doubtful() {
        let (_, claiming, mut tray, _, now) = tray();
        let mut batch = Batch::new();
        batch.put(Key::outbox(now, Id::random()), &row(now), Expect::Version(1));
        assert_eq!(claiming.commit(batch).await, Err(StoreError::Conflict));
        assert!(tray.next().await.unwrap().doubtful);
    }
}
