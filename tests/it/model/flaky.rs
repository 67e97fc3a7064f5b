//! A store whose next commit fails, before or after it is done.

use super::step::StoreFault;
use std::sync::{Arc, Mutex};
use zegel::{
    record::{Batch, Key, KeyRange, Record},
    store::{BoxFuture, Opened, Store, StoreError},
};

/// What the next commit does; whose commit it is nobody knows.
pub(super) type Next = Arc<Mutex<Option<StoreFault>>>;

struct Flaky(Arc<dyn Store>, Next);

pub(super) fn around(opened: Opened, next: Next) -> Opened {
    Opened { store: Arc::new(Flaky(opened.store, next)), ..opened }
}

impl Store for Flaky {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.0.get(key)
    }

    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        self.0.list(range, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        let broken = Err(StoreError::Unavailable("made to fail".to_owned()));
        let fault = self.1.lock().unwrap().take();
        Box::pin(async move {
            match fault {
                None => self.0.commit(batch).await,
                Some(StoreFault::Before) => broken,
                Some(StoreFault::After) => self.0.commit(batch).await.and(broken),
            }
        })
    }
}
