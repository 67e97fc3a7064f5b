//! Deliveries that take long give their places to others: one next hop that hangs must not stop the mail of the others.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// A delivery that has lasted so long is slow. It takes milliseconds, or seconds where every mail is searched for viruses first.
const PATIENCE: Duration = Duration::from_secs(30);

/// With so many slow deliveries no more mail is sent by a route: it waits for its next try, as if the next hop had said so.
const MOST: usize = 12;

/// The slow deliveries of an outbox.
#[derive(Clone, Debug)]
pub struct Slow {
    patience: Duration,
    /// How many there are, by the route's name.
    by_route: Arc<Mutex<HashMap<String, usize>>>,
}

impl Default for Slow {
    fn default() -> Slow {
        Slow::after(PATIENCE)
    }
}

impl Slow {
    /// A delivery is slow after so long.
    #[must_use]
    pub fn after(patience: Duration) -> Slow {
        Slow { patience, by_route: Arc::default() }
    }

    /// How many there are, over all routes.
    pub(super) fn count(&self) -> usize {
        self.by_route().values().sum()
    }

    /// Whether `route` has as many as it may.
    pub(super) fn are_many(&self, route: &str) -> bool {
        self.by_route().get(route).is_some_and(|count| *count >= MOST)
    }

    /// Waits for a delivery by `route`, which is among the slow ones from the moment that it is.
    pub(super) async fn watch<T>(&self, route: &str, delivery: impl Future<Output = T>) -> T {
        let mut delivery = pin!(delivery);
        if let Ok(done) = timeout(self.patience, delivery.as_mut()).await {
            return done;
        }
        let _one = self.one(route);
        delivery.await
    }

    fn one(&self, route: &str) -> One {
        let mut by_route = self.by_route();
        let count = by_route.entry(route.to_owned()).or_default();
        *count += 1;
        if *count == MOST {
            tracing::warn!(next_hop = route, "{MOST} mails of ours wait for their replies: no more are sent to it until one has come");
        }
        One(self.clone(), route.to_owned())
    }

    fn by_route(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.by_route.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slow delivery; over when this goes, however it ends.
struct One(Slow, String);

impl Drop for One {
    fn drop(&mut self) {
        let mut by_route = self.0.by_route();
        if let Some(count) = by_route.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                by_route.remove(&self.1);
            }
        }
    }
}
