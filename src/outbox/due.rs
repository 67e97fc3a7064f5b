//! Rows that are due later than they ought to be: a former life had claimed them, or they were written by a clock that ran ahead.

use super::{Outbox, Turn, row_id};
use crate::{
    record::{Batch, Expect, Key, KeyRange, Mail, Record},
    secret::Id,
    store::StoreError,
    time::Time,
};
use std::time::Duration;

/// No row is due later than this from now, the longest wait and its jitter included: one that is was written while the clock ran ahead.
const FARTHEST: Duration = Duration::from_secs(2 * 3600);

/// A clock that goes back by more than this was put right, not slewed.
const CLOCK_STEP: Duration = Duration::from_secs(60);

/// Rows that are looked at in one go: a day's mail for a next hop that is down would not fit in memory.
const AT_A_TIME: usize = 256;

impl Outbox {
    /// At start, the sole owner of a store makes what its previous life had claimed due at once.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn reclaim(&self) -> Result<(), StoreError> {
        self.bring_forward(|mail| mail.claimed).await
    }

    /// What waits under the time of a clock that has been put back since `latest` must not wait for that time; gives what is the latest now.
    pub(super) async fn follow_clock(&self, latest: Time) -> Time {
        let now = self.clock.now();
        if now.plus(CLOCK_STEP) >= latest {
            return now;
        }
        tracing::warn!("the clock was put back: mail that waits for a time to come is sent now");
        match self.bring_forward(|_| false).await {
            Ok(()) => now,
            Err(error) => {
                tracing::error!("the outbox cannot be put right: {error}");
                latest
            }
        }
    }

    /// Makes due at once what `belongs` says, and what is due later than anything can be; not what is being delivered.
    async fn bring_forward(&self, belongs: impl Fn(&Mail) -> bool) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut rest = Some(KeyRange::under("outbox"));
        while let Some(range) = rest {
            let rows = self.store.list(&range, AT_A_TIME).await?;
            // A row that was moved may come up again: it is claimed no more, and due.
            rest = rows.last().filter(|_| rows.len() == AT_A_TIME).map(|(key, _)| range.behind(key));
            for (key, record) in rows {
                let Ok(mail) = record.read::<Mail>(&key) else { continue };
                let Some(id) = row_id(&key) else { continue };
                if belongs(&mail) || key > Key::outbox(now.plus(FARTHEST), id) {
                    self.make_due(id, key, &record, mail, now).await?;
                }
            }
        }
        Ok(())
    }

    async fn make_due(&self, id: Id, key: Key, record: &Record, mail: Mail, now: Time) -> Result<(), StoreError> {
        let Some(_turn) = Turn::take(&self.under_way, id) else { return Ok(()) };
        let mut batch = Batch::new();
        batch.delete(key, Expect::Version(record.version));
        batch.put(Key::outbox(now, id), &Mail { claimed: false, at: mail.at.min(now), ..mail }, Expect::Absent);
        match self.store.commit(batch).await {
            Err(StoreError::Conflict) => Ok(()), // Its delivery came to an end meanwhile.
            other => other,
        }
    }
}
