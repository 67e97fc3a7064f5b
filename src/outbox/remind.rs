//! Reminders: mails that lie beside the outbox until they are due. One that is due moves into it by one commit, so that of several nodes one sends
//! it, and no restart loses it or sends another.

use super::{Claim, Outbox, row_id};
use crate::{
    notice::Letter,
    record::{Approval, Batch, Expect, Key, KeyRange, Mail},
    seal::lookup_id,
    store::StoreError,
};

/// So many move in one look; the next is a second later.
const AT_ONCE: usize = 64;

impl Outbox {
    /// Moves what is due into the outbox.
    pub(super) async fn remind(&self) {
        if let Err(error) = self.move_due().await {
            tracing::error!("reminders cannot be sent: {error}");
        }
    }

    async fn move_due(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for (key, record) in self.store.list(&KeyRange::reminders_until(now), AT_ONCE).await? {
            let Some(id) = row_id(&key) else { continue };
            let mut batch = Batch::new();
            batch.delete(key.clone(), Expect::Version(record.version));
            match record.read::<Mail>(&key) {
                Ok(mail) => batch.put(Key::outbox(now, id), &Mail { at: now, ..mail }, Expect::Absent),
                Err(error) => tracing::error!("{error}; nobody is reminded"),
            }
            match self.store.commit(batch).await {
                // Another node has moved it, or its message was decided about.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether a reminder still asks for what is to be decided; any other mail has nothing to do with that.
    pub(super) async fn still_asks(&self, claim: &Claim, letter: &Letter) -> Result<bool, StoreError> {
        let (token, chooses) = match letter {
            Letter::Ask { token, reminds_of: Some(_), .. } => (token, true),
            Letter::NumberNeeded { token, reminds_of: Some(_), .. } => (token, false),
            _ => return Ok(true),
        };
        let key = Key::approval(lookup_id(token));
        let Some(record) = self.store.get(&key).await? else { return Ok(false) };
        let approval: Approval = record.read(&key).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(approval.message == claim.mail.about && approval.released.is_none() && approval.ask == chooses)
    }
}
