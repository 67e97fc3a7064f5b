//! The one failure from which there is no way back: the disk said that it did not keep what it was told.

use super::StoreError;
use tokio::sync::watch;

/// Set once, when a write could not be made durable, and never taken back.
///
/// After a failed fsync the kernel has dropped the pages; a second fsync says Ok and the data is gone. So nothing more is accepted: the
/// store answers `Unavailable`, `serve` ends the program, and the next start reads what really is on the disk.
#[derive(Clone, Debug)]
pub struct Failure(watch::Sender<Option<String>>);

impl Default for Failure {
    fn default() -> Failure {
        Failure(watch::Sender::new(None))
    }
}

impl Failure {
    /// Ends the store. The first reason stays.
    pub fn set(&self, why: impl Into<String>) {
        let why = why.into();
        self.0.send_if_modified(|reason| {
            let first = reason.is_none();
            if first {
                tracing::error!("the store has failed and takes nothing more: {why}");
                *reason = Some(why);
            }
            first
        });
    }

    /// Whether the store has ended.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until the store ends, and says why: stop the program then, with a non-zero status.
    pub async fn happened(&self) -> String {
        let mut seen = self.0.subscribe();
        // The guard of the watched value is not kept over the wait below.
        let reason = seen.wait_for(Option::is_some).await.map(|reason| reason.clone().unwrap_or_default());
        match reason {
            Ok(reason) => reason,
            // The sender lives in `self`.
            Err(_) => std::future::pending().await,
        }
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &*self.0.borrow() {
            None => Ok(()),
            Some(why) => Err(StoreError::Unavailable(format!("the store has failed: {why}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_stays_and_everyone_is_told() {
        let failure = Failure::default();
        assert_eq!(failure.check(), Ok(()));
        let elsewhere = tokio::spawn({
            let failure = failure.clone();
            async move { failure.happened().await }
        });
        failure.set("fsync: I/O error");
        failure.set("later");
        assert_eq!(elsewhere.await.unwrap(), "fsync: I/O error");
        assert_eq!(failure.happened().await, "fsync: I/O error");
        assert_eq!(failure.check(), Err(StoreError::Unavailable("the store has failed: fsync: I/O error".to_owned())));
    }
}
